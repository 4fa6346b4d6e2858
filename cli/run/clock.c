/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/run/clock.h"

#include <time.h>
#include <x86intrin.h>

uint64_t cli_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t cli_now_tsc(void)
{
	return __rdtsc();
}

struct cli_clock cli_clock_now(void)
{
	return (struct cli_clock){ .tsc = cli_now_tsc(), .ns = cli_now_ns() };
}

uint64_t cli_tsc_ns(const struct cli_clock *begin, uint64_t from, uint64_t to)
{
	uint64_t ticks = cli_now_tsc() - begin->tsc;
	uint64_t ns = cli_now_ns() - begin->ns;

	if (!ticks || to < from)
		return 0;
	return (uint64_t)((double)(to - from) * (double)ns / (double)ticks);
}

uint64_t cli_ticks(const struct cli_clock *begin, uint32_t seconds)
{
	double ticks = (double)(cli_now_tsc() - begin->tsc);
	double ns = (double)(cli_now_ns() - begin->ns);

	if (ns < 1)
		return 0;
	return (uint64_t)(seconds * 1e9 * (ticks / ns));
}
