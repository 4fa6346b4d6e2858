/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for descriptors: all forms become poll(). Forms with a signal mask
 * wait as sigsuspend() does: who is interrupted has its own mask back with the
 * handler's frame, all others at once.
 */
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <asm/poll.h>
#include <linux/time_types.h>

#define SETS 3
#define SET_BITS 1024
#define SET_WORDS (SET_BITS / 64)

/* @addr: of the mask, or 0. */
static long mask_begin(uint64_t addr, uint64_t size)
{
	return addr ? sys_signal_suspend(addr, size) : 0;
}

static long mask_end(long r)
{
	if (r != -EINTR || !sys_signal_interrupts())
		sys_signal_wait_over();
	return r;
}

/*
 * Asks the host. How many have events is what can be seen of them. What the
 * call's own mask lets in ends it, but for events that are there.
 */
static long poll_checked(struct pollfd *p, uint64_t count, int64_t timeout)
{
	const bool due = sys_self()->suspended && sys_signal_interrupts();
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)p, count,
					     due ? 0 : (uint64_t)timeout };
	long r = sys_call(CALL_poll, a);
	long n = 0;
	uint64_t i;

	if (r < 0)
		return r;
	for (i = 0; i < count; i++)
		n += p[i].revents != 0;
	return n || !due ? n : -EINTR;
}

/* Milliseconds, rounded up; -1: no end. */
static long timeout_ms(uint64_t addr, int64_t unit, int64_t *ms)
{
	struct __kernel_timespec t;

	*ms = -1;
	if (addr == 0)
		return 0;
	if (!sys_owns(addr, sizeof(t)))
		return -EFAULT;
	__builtin_memcpy(&t, (const void *)addr, sizeof(t));
	if (!sys_time_valid(t.tv_sec, t.tv_nsec, unit))
		return -EINVAL;
	if (t.tv_sec > INT32_MAX / 1000 - 1)
		t.tv_sec = INT32_MAX / 1000 - 1;
	*ms = t.tv_sec * 1000 + (t.tv_nsec * 1000 + unit - 1) / unit;
	return 0;
}

long sys_poll(const uint64_t *a)
{
	return poll_checked((struct pollfd *)a[0], a[1], (int32_t)a[2]);
}

long sys_ppoll(const uint64_t *a)
{
	int64_t ms;
	long r = timeout_ms(a[2], 1000000000, &ms);

	if (r == 0)
		r = mask_begin(a[3], a[4]);
	if (r != 0)
		return r;
	return mask_end(poll_checked((struct pollfd *)a[0], a[1], ms));
}

static const short set_events[SETS] = { POLLIN, POLLOUT, POLLPRI };
static const short set_found[SETS] = { POLLIN | POLLHUP | POLLERR,
				       POLLOUT | POLLERR, POLLPRI };

static bool in_set(const uint64_t *set, uint64_t fd)
{
	return set && ((set[fd / 64] >> (fd % 64)) & 1);
}

/* Turns up to three sets into a list; returns its length. */
static uint64_t sets_to_poll(uint64_t *const sets[SETS], uint64_t count,
			     struct pollfd *p)
{
	uint64_t fd, n = 0;
	short events;
	int i;

	for (fd = 0; fd < count; fd++) {
		events = 0;
		for (i = 0; i < SETS; i++)
			if (in_set(sets[i], fd))
				events |= set_events[i];
		if (events != 0)
			p[n++] = (struct pollfd){ .fd = (int)fd,
						  .events = events };
	}
	return n;
}

static long poll_to_sets(uint64_t *const sets[SETS], uint64_t count,
			 const struct pollfd *p, uint64_t n)
{
	uint64_t words = (count + 63) / 64, k;
	long found = 0;
	int i;

	for (k = 0; k < n; k++)
		if (p[k].revents & POLLNVAL)
			return -EBADF;
	for (i = 0; i < SETS; i++) {
		uint64_t out[SET_WORDS] = { 0 };

		for (k = 0; k < n; k++) {
			uint64_t fd = (uint64_t)p[k].fd;

			if (!in_set(sets[i], fd) ||
			    !(p[k].revents & set_found[i]))
				continue;
			out[fd / 64] |= 1ull << (fd % 64);
			found++;
		}
		if (sets[i])
			__builtin_memcpy(sets[i], out, words * 8);
	}
	return found;
}

static long select_sets(const uint64_t *a, int64_t ms)
{
	uint64_t *const sets[SETS] = { (uint64_t *)a[1], (uint64_t *)a[2],
				       (uint64_t *)a[3] };
	struct pollfd p[SET_BITS];
	uint64_t n;
	long r;
	int i;

	if (a[0] > SET_BITS)
		return -EINVAL;
	for (i = 0; i < SETS; i++)
		if (sets[i] &&
		    !sys_owns_to_write((uint64_t)sets[i], (a[0] + 63) / 64 * 8))
			return -EFAULT;
	n = sets_to_poll(sets, a[0], p);
	r = poll_checked(p, n, ms);
	return r < 0 ? r : poll_to_sets(sets, a[0], p, n);
}

long sys_select(const uint64_t *a)
{
	int64_t ms;
	long r = timeout_ms(a[4], 1000000, &ms);

	return r != 0 ? r : select_sets(a, ms);
}

/* The mask's address and its size are behind the last argument. */
long sys_pselect6(const uint64_t *a)
{
	uint64_t mask[2] = { 0 };
	int64_t ms;
	long r = timeout_ms(a[4], 1000000000, &ms);

	if (r == 0 && !sys_owns(a[5], a[5] != 0 ? sizeof(mask) : 0))
		r = -EFAULT;
	if (r != 0)
		return r;
	if (a[5] != 0)
		__builtin_memcpy(mask, (const void *)a[5], sizeof(mask));
	r = mask_begin(mask[0], mask[1]);
	return r != 0 ? r : mask_end(select_sets(a, ms));
}
