/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts by number: the image's come first, then those that the enclave has
 * made (block.c). All that decides is here, in bits of the enclave's own: whose
 * a number is, and whether its pages are there. A record may be read by who
 * runs on it, who has taken its number, and who knows its thread to be live; by
 * nobody else, since it may go (I9).
 */
#include "common/ctxset.h"
#include "trusted/rt/thread.h"

/*
 * @idle: without a thread, which may still be on its last instructions: its
 *	state is FREE after these
 * @taken: made, or being made or unmade; of the image always
 * @starting: the host is being asked for its thread, and who asks looks at the
 *	record once more, whatever has become of the thread meanwhile
 * @there: made, with all of its pages
 * @dirty: not taken, but some pages may have stayed
 * @old: idle all the time since the pool was last looked after
 * @made: how many beside the image's are taken
 */
static struct {
	struct ctxset idle;
	struct ctxset taken;
	struct ctxset starting;
	struct ctxset there;
	struct ctxset dirty;
	struct ctxset old;
	uint32_t made;
} the;

/* The next number from @at on that is in a set, or is not; or rt_contexts(). */
static uint32_t next(const struct ctxset *s, uint32_t at, bool there)
{
	return ctxset_next(s, at, rt_contexts(), there);
}

uint32_t rt_contexts(void)
{
	return (uint32_t)edmm_layout_contexts(rt_layout());
}

uint64_t rt_context_addr(uint32_t context)
{
	return rt_base() + edmm_layout_context(rt_layout(), context);
}

struct rt_thread *rt_record(uint32_t context)
{
	return (struct rt_thread *)(rt_context_addr(context) +
				    rt_layout()->ctx_thread);
}

void rt_contexts_init(uint32_t own)
{
	for (uint32_t i = 0; i < rt_layout()->ctx_count; i++) {
		ctxset_add(&the.taken, i);
		if (i != own)
			ctxset_add(&the.idle, i);
	}
}

void rt_context_idle(uint32_t context)
{
	ctxset_add(&the.idle, context);
}

void rt_context_starting(uint32_t context, bool is)
{
	if (is)
		ctxset_add(&the.starting, context);
	else
		ctxset_drop(&the.starting, context);
}

/*
 * Take @context, if its thread has left it: who takes the bit away may read the
 * record. Any other may find it gone.
 */
static bool take(uint32_t context)
{
	struct rt_thread *t = rt_record(context);

	if (!ctxset_drop(&the.idle, context))
		return false;
	if (!ctxset_has(&the.starting, context) &&
	    __atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == RT_STATE_FREE) {
		__atomic_store_n(&t->state, RT_STATE_MAKING, __ATOMIC_RELEASE);
		ctxset_drop(&the.old, context);
		return true;
	}
	ctxset_add(&the.idle, context);
	return false;
}

int rt_thread_take(void)
{
	uint32_t i = next(&the.idle, 0, true);

	for (; i < rt_contexts(); i = next(&the.idle, i + 1, true))
		if (take(i))
			return (int)i;
	return -EDMM_EAGAIN;
}

static bool claim(uint32_t context)
{
	if (!ctxset_add(&the.taken, context))
		return false;
	__atomic_fetch_add(&the.made, 1, __ATOMIC_RELAXED);
	return true;
}

int64_t rt_made_claim(uint32_t from)
{
	uint32_t i = next(&the.taken, from, false);

	for (; i < rt_contexts(); i = next(&the.taken, i + 1, false))
		if (claim(i))
			return i;
	return -1;
}

void rt_made_put(uint32_t context)
{
	ctxset_add(&the.there, context);
}

void rt_made_drop(uint32_t context)
{
	ctxset_drop(&the.there, context);
}

void rt_made_release(uint32_t context, bool dirty)
{
	if (dirty)
		ctxset_add(&the.dirty, context);
	else
		ctxset_drop(&the.dirty, context);
	/* Until now its thread may have been on its way out. */
	__atomic_fetch_sub(&the.made, 1, __ATOMIC_RELAXED);
	ctxset_drop(&the.taken, context);
}

bool rt_made_dirty(uint32_t context)
{
	return ctxset_has(&the.dirty, context);
}

int64_t rt_made_surplus(uint32_t keep)
{
	const uint32_t end = rt_contexts();
	uint32_t i = next(&the.idle, rt_layout()->ctx_count, true);

	/* The lowest are kept: they are taken first. */
	for (uint32_t n = 0; i < end; i = next(&the.idle, i + 1, true))
		if (n++ >= keep && take(i))
			return i;
	return -1;
}

int64_t rt_made_old(void)
{
	const uint32_t end = rt_contexts();
	uint32_t i = next(&the.old, rt_layout()->ctx_count, true);

	for (; i < end; i = next(&the.old, i + 1, true))
		if (take(i))
			return i;
	return -1;
}

void rt_made_mark(void)
{
	const uint32_t end = rt_contexts();
	uint32_t i = next(&the.idle, rt_layout()->ctx_count, true);

	for (; i < end; i = next(&the.idle, i + 1, true)) {
		ctxset_add(&the.old, i);
		/* Taken meanwhile, perhaps before the bit was there. */
		if (!ctxset_has(&the.idle, i))
			ctxset_drop(&the.old, i);
	}
}

int64_t rt_made_left(void)
{
	const uint32_t end = rt_contexts();
	uint32_t i = next(&the.dirty, rt_layout()->ctx_count, true);

	/* Of one that is taken the bit is an old one. */
	for (; i < end; i = next(&the.dirty, i + 1, true))
		if (claim(i))
			return i;
	return -1;
}

bool rt_made_range(uint64_t off)
{
	const struct edmm_layout *l = rt_layout();

	return off >= l->made_off &&
	       off - l->made_off < l->made_count * l->ctx_stride;
}

bool rt_made_there(uint64_t off, uint64_t *in)
{
	const struct edmm_layout *l = rt_layout();

	if (!rt_made_range(off))
		return false;
	off -= l->made_off;
	*in = off % l->ctx_stride;
	return ctxset_has(&the.there,
			  l->ctx_count + (uint32_t)(off / l->ctx_stride));
}

bool rt_context_alone(void)
{
	return rt_layout()->ctx_count == 1 &&
	       !__atomic_load_n(&the.made, __ATOMIC_RELAXED);
}
