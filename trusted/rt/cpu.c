/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processor: random numbers, time stamps, small locks.
 */
#include "trusted/rt/thread.h"

/* Intel's guidance for RDRAND: ten tries in a row, then it is broken. */
#define RDRAND_TRIES 10

static uint64_t random_word(void)
{
	uint64_t v;
	uint8_t ok;

	for (int i = 0; i < RDRAND_TRIES; i++) {
		__asm__ volatile("rdrand %0; setc %1"
				 : "=r"(v), "=qm"(ok)
				 :
				 : "cc");
		if (ok)
			return v;
	}
	rt_abort_host("RDRAND gives no random numbers");
}

void rt_random(void *buf, size_t size)
{
	uint8_t *to = buf;

	while (size) {
		uint64_t v = random_word();

		for (int i = 0; i < 8 && size; i++, size--, v >>= 8)
			*to++ = (uint8_t)v;
	}
}

uint64_t rt_tsc(void)
{
	return rt_rdtsc();
}

void rt_lock(struct rt_lock *l)
{
	uint32_t me = rt_context() + 1;
	uint32_t free = 0;

	while (!__atomic_compare_exchange_n(&l->owner, &free, me, false,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		RT_INVARIANT(4, free != me);
		rt_look_for_end();
		free = 0;
		__builtin_ia32_pause();
	}
}

void rt_unlock(struct rt_lock *l)
{
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
}
