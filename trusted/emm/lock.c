/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spin locks of one word. They guard bounded work without hooks or leaves, so
 * a spin is short unless the holder's thread is off its processor; then the
 * yield hook lets a runtime leave the enclave. The longest spin is kept in
 * the statistics.
 */
#include "trusted/emm/instance.h"

#define SPINS_A_YIELD 256u

void lock_spin(struct emm *emm, uint32_t *rounds)
{
	__builtin_ia32_pause();
	if (++*rounds % SPINS_A_YIELD == 0 && emm->hooks.yield)
		emm->hooks.yield(emm->ctx);
}

void lock_note(struct emm *emm, uint32_t rounds)
{
	uint32_t *max = &emm->spin_max;

	if (rounds > PEEK(max))
		POKE(max, rounds);
}

void lock_acquire(struct emm *emm, uint32_t *lock)
{
	uint32_t rounds = 0;

	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
		while (PEEK(lock))
			lock_spin(emm, &rounds);
	}
	if (rounds)
		lock_note(emm, rounds);
}

void lock_release(uint32_t *lock)
{
	STORE(lock, 0);
}

__attribute__((noinline)) void emm_probe_stack(void)
{
	volatile char below[4096];

	below[0] = 0;
	(void)below[0];
}
