/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that threads share: how to read, write and lock them. */
#ifndef TRUSTED_EMM_LOCK_H
#define TRUSTED_EMM_LOCK_H

#include <stdint.h>

struct emm;

/*
 * Words that different threads write are this far apart: two cache lines, as
 * the processors that we know fetch lines in pairs.
 */
#define LINE 128

#define LOAD(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define PEEK(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define POKE(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* Spin locks that count their longest spin. */
void lock_acquire(struct emm *emm, uint32_t *lock);
void lock_release(uint32_t *lock);
void lock_spin(struct emm *emm, uint32_t *rounds);
void lock_note(struct emm *emm, uint32_t rounds);

#endif
