/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer's one lock (task.h). */
#include "trusted/sys/thread/task.h"

#define SPINS 200
enum {
	FREE,
	HELD,
	WANTED
};

/* @owner: context + 1; @depth and @keep are its own. */
static struct {
	uint32_t word;
	uint32_t owner;
	uint32_t depth;
	bool keep;
} the;

static bool is_mine(void)
{
	return __atomic_load_n(&the.owner, __ATOMIC_RELAXED) ==
	       rt_context() + 1;
}

static bool try_lock(void)
{
	uint32_t was = FREE;

	return __atomic_compare_exchange_n(&the.word, &was, HELD, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void wait_for_turn(struct park_node *n)
{
	struct park_bucket *b = park_lock_turn();
	bool sleeps = __atomic_load_n(&the.word, __ATOMIC_RELAXED) == WANTED;

	if (sleeps)
		park_add(b, n, 0, 1);
	park_unlock(b);
	while (sleeps && park_sleep(n, UINT64_MAX) != 0)
		;
	n->state = PARK_IDLE;
}

/*
 * A thread sleeps for one thing at a time: the hint that ends one sleep would
 * be taken for another's. One that is in the lot already spins.
 */
static void lock_contended(void)
{
	struct sys_thread *me = sys_self();

	for (int i = 0; i < SPINS; i++) {
		if (try_lock())
			return;
		__builtin_ia32_pause();
	}
	if (__atomic_load_n(&me->wait.state, __ATOMIC_RELAXED) != PARK_IDLE ||
	    __atomic_load_n(&me->turn.state, __ATOMIC_RELAXED) != PARK_IDLE) {
		while (!try_lock()) {
			rt_look_for_end();
			__builtin_ia32_pause();
		}
		return;
	}
	while (__atomic_exchange_n(&the.word, WANTED, __ATOMIC_ACQUIRE) != FREE)
		wait_for_turn(&me->turn);
}

void sys_lock(void)
{
	if (is_mine()) {
		the.depth++;
		return;
	}
	if (!try_lock())
		lock_contended();
	__atomic_store_n(&the.owner, rt_context() + 1, __ATOMIC_RELAXED);
	the.depth = 1;
	the.keep = false;
}

static void release(void)
{
	struct park_list l = { 0 };
	struct park_bucket *b;

	__atomic_store_n(&the.owner, 0, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&the.word, FREE, __ATOMIC_RELEASE) != WANTED)
		return;
	b = park_lock_turn();
	park_wake(b, 0, 1, 1, &l);
	park_unlock(b);
	park_list_out(&l);
}

void sys_unlock(void)
{
	if (--the.depth == 0)
		release();
}

uint32_t sys_lock_drop(void)
{
	uint32_t depth = 0;

	if (is_mine() && !the.keep) {
		depth = the.depth;
		release();
	}
	return depth;
}

void sys_lock_take(uint32_t depth)
{
	if (depth == 0)
		return;
	sys_lock();
	the.depth = depth;
}

void sys_lock_keep(bool keep)
{
	the.keep = keep;
}

edmm_err sys_host_call(uint32_t nr, const uint64_t args[WIRE_CALL_ARGS],
		       uint64_t *count)
{
	const uint32_t depth = sys_lock_drop();
	edmm_err err;

	rt_stats_tell();
	err = rt_host_call(nr, args, count);

	sys_lock_take(depth);
	/* A call may have slept long. */
	if (depth)
		sys_tick();
	return err;
}
