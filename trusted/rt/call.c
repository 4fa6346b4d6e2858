/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host calls and the thread's data buffer. Slots and pieces of the buffer are
 * taken in stack order, because a fault between filling a slot and leaving
 * may need host calls of its own.
 */
#include "trusted/rt/thread.h"

#define LINUX_ERRNO_MAX 4095

static umem_t slot_at(const struct rt_thread *t, uint32_t depth)
{
	return t->wire + offsetof(struct wire_thread, call) +
	       depth * sizeof(struct wire_call);
}

static edmm_err call_in_slot(umem_t slot, uint32_t depth, struct wire_call *c)
{
	uint64_t head;

	if (umem_write(slot, c, sizeof(*c)))
		return -EDMM_EFAULT;
	__atomic_fetch_add(&rt_global.host_calls, 1, __ATOMIC_RELAXED);
	rt_leave_call(WIRE_EXIT_CALL, depth);
	if (umem_get64(&head, slot) ||
	    umem_get64(&c->count, slot + offsetof(struct wire_call, count)))
		return -EDMM_EFAULT;
	c->status = (int32_t)(head >> 32);
	if (c->status > 0 || c->status < -LINUX_ERRNO_MAX)
		return -EDMM_EPROTO;
	return c->status;
}

edmm_err rt_host_call(uint32_t nr, const uint64_t args[WIRE_CALL_ARGS],
		      uint64_t *count)
{
	struct rt_thread *t = rt_self();
	uint32_t depth = t->depth;
	/* A host that does nothing has not done it. */
	struct wire_call c = { .nr = nr, .status = -EDMM_ENOSYS };
	edmm_err err;

	if (depth >= WIRE_CALL_SLOTS)
		return -EDMM_EBUSY;
	for (int i = 0; i < WIRE_CALL_ARGS; i++)
		c.args[i] = args[i];
	t->depth = depth + 1;
	err = call_in_slot(slot_at(t, depth), depth, &c);
	t->depth = depth;
	if (count)
		*count = err ? 0 : c.count;
	return err;
}

edmm_err rt_buf_take(struct rt_buf *b, uint64_t size)
{
	struct rt_thread *t = rt_self();
	uint64_t left = t->buf_size - t->buf_used;

	if (!left)
		return -EDMM_ENOMEM;
	if (size > left)
		size = left;
	b->off = t->buf_used;
	b->p = t->buf + b->off;
	b->size = size ? size : 1;
	t->buf_used += (b->size + 7) & ~7ull;
	return 0;
}

void rt_buf_drop(const struct rt_buf *b)
{
	rt_self()->buf_used = b->off;
}

static _Noreturn void finish(enum wire_end_kind kind, uint32_t value)
{
	struct rt_thread *t = rt_self();
	struct wire_end end = { .kind = kind, .value = value };

	rt_stats_end();
	if (!rt_end_begin())
		rt_mute();
	/* When the block is gone the host cannot tell; it made it go. */
	(void)!umem_last_words(t->wire + offsetof(struct wire_thread, end),
			       &end, sizeof(end));
	rt_leave(WIRE_EXIT_DONE, 0);
}

void rt_exit(int status)
{
	finish(WIRE_END_EXIT, (uint32_t)status & 0xff);
}

void rt_exit_signal(int signo)
{
	finish(WIRE_END_SIGNAL, (uint32_t)signo);
}
