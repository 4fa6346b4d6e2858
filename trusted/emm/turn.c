/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns at the host. Linux lets one thread at a time change an enclave's pages
 * by ioctl() and answers EBUSY to all others, whose host then tries again and
 * again. So modify calls go one after the other, and who waits, waits inside.
 *
 * A turn is no lock (I4): it guards nothing, and a thread that has it and comes
 * to wait for somebody, because its host call touched a page under change, or
 * that enters an area's handler, gives it up; the call that it is in goes on
 * beside the next, which costs an EBUSY at most. A thread that has it already
 * makes a call within its call.
 */
#include "trusted/emm/instance.h"

static bool taken_by(struct emm *emm, uint32_t me)
{
	uint32_t none = 0;

	/* Who has it is to keep its line. */
	return !__atomic_load_n(&emm->turn, __ATOMIC_SEQ_CST) &&
	       __atomic_compare_exchange_n(&emm->turn, &none, me, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Nobody has told how to sleep: look until it is free, and write nothing. */
static void turn_spin(struct emm *emm)
{
	uint32_t rounds = 0;

	while (PEEK(&emm->turn))
		lock_spin(emm, &rounds);
}

/* Return: the caller has it now; false: it had it before. */
static bool turn_take(struct emm *emm, uint32_t me)
{
	while (!taken_by(emm, me)) {
		uint32_t seq;

		if (LOAD(&emm->turn) == me)
			return false;
		if (!emm->hooks.wait) {
			turn_spin(emm);
			continue;
		}
		seq = __atomic_load_n(&emm->turn_seq, __ATOMIC_SEQ_CST);
		__atomic_store_n(&emm->turn_waiters, 1, __ATOMIC_SEQ_CST);
		if (taken_by(emm, me))
			break;
		emm->hooks.wait(emm->ctx, &emm->turn_seq, seq);
	}
	return true;
}

/* Give the turn up, if the thread has it. */
void turn_leave(struct emm *emm, uint32_t me)
{
	uint32_t waiters;

	if (LOAD(&emm->turn) != me)
		return;
	if (!emm->hooks.wait) {
		STORE(&emm->turn, 0);
		return;
	}
	__atomic_store_n(&emm->turn, 0, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&emm->turn_waiters, __ATOMIC_SEQ_CST))
		return; /* who comes to wait now finds the word free */
	/*
	 * A waiter reads seq, says that it waits, and tries once more. If its
	 * word is taken here, its seq is an old one; else the next who has the
	 * turn finds the word.
	 */
	waiters = __atomic_exchange_n(&emm->turn_waiters, 0, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&emm->turn_seq, 1, __ATOMIC_SEQ_CST);
	if (waiters)
		emm->hooks.wake(emm->ctx, &emm->turn_seq);
}

/* The host's modify call; 0, or what the hook said. */
int turn_modify(struct op *op, const struct emm_modify *m)
{
	struct emm *emm = op->emm;
	uint32_t me = PEEK(&op->slot->owner);
	bool mine = turn_take(emm, me);
	int rc = emm->hooks.modify(emm->ctx, m);

	if (mine)
		turn_leave(emm, me);
	return rc;
}
