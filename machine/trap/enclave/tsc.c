/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the TSC counts, for a processor that does not tell (AMD's, and most
 * guests'): measured once against the kernel's clock, when it is asked for.
 */
#include "machine/trap/enclave/tsc.h"

#include <stdatomic.h>
#include <time.h>

#include <x86intrin.h>

#include "machine/trap/base/sys.h"

#define WAIT_NS 10000000
#define LOOKS 8
#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000u

struct instant {
	uint64_t tsc, ns;
};

/* The one of some looks at both clocks that was least disturbed. */
static struct instant look(void)
{
	struct instant best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < LOOKS; i++) {
		struct timespec ts;
		uint64_t before = __rdtsc(), took;

		sys_call(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, (long)&ts);
		took = __rdtsc() - before;
		if (took >= least)
			continue;
		least = took;
		best.tsc = before + took / 2;
		best.ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	}
	return best;
}

static uint32_t measure(void)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	struct instant a = look(), b;

	sys_call(SYS_nanosleep, (long)&wait, 0);
	b = look();
	return b.ns > a.ns
		       ? (uint32_t)((b.tsc - a.tsc) * NS_PER_MS / (b.ns - a.ns))
		       : 0;
}

uint32_t tsc_khz(void)
{
	static _Atomic uint32_t khz;
	uint32_t none = 0, now = atomic_load(&khz);

	if (now)
		return now;
	/* Whoever is first is right for all: no two answers. */
	now = measure();
	return atomic_compare_exchange_strong(&khz, &none, now) ? now : none;
}
