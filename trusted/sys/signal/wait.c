/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for a signal, and what goes on after one. */
#include "trusted/sys/signal/signal.h"

#include <linux/time.h>
#include <linux/time_types.h>

#include "trusted/sys/sys.h"
#include "trusted/sys/time/clocks.h"

#define NSEC 1000000000
#define FOREVER UINT64_MAX
/* Longer is as good as for ever. */
#define SECONDS_MAX (INT64_MAX / NSEC - 1)

bool sys_signal_interrupts(void)
{
	sys_outside_look();
	sys_signal_drop_ignored();
	return sys_signal_due() != 0;
}

static long wait_interrupted(void)
{
	long r = 0;

	while (!sys_signal_interrupts() && r == 0)
		r = sys_outside_wait(FOREVER);
	return r < 0 && !sys_signal_interrupts() ? r : -EINTR;
}

long sys_rt_sigsuspend(const uint64_t *a)
{
	long r = sys_signal_suspend(a[0], a[1]);

	return r ? r : wait_interrupted();
}

long sys_pause(const uint64_t *a)
{
	(void)a;
	return wait_interrupted();
}

static long put_info(uint64_t to, const struct sys_siginfo *info)
{
	if (to == 0)
		return info->signo;
	if (!sys_owns_to_write(to, sizeof(*info)))
		return -EFAULT;
	__builtin_memcpy((void *)to, info, sizeof(*info));
	return info->signo;
}

static uint64_t now(void)
{
	int64_t ns = 0;

	(void)!sys_clock_now(CLOCK_MONOTONIC, &ns);
	return (uint64_t)ns;
}

/* @end: by the clock, or 0: at once. */
static long wait_for(uint64_t set, uint64_t end, struct sys_siginfo *info)
{
	uint64_t at;
	long r;

	for (;;) {
		sys_outside_look();
		if (sys_signal_take(set, info))
			return 0;
		if (sys_signal_interrupts())
			return -EINTR;
		at = end == FOREVER || end == 0 ? 0 : now();
		if (at >= end)
			return -EAGAIN;
		r = sys_outside_wait(end == FOREVER ? FOREVER : end - at);
		if (r < 0)
			return r;
	}
}

long sys_rt_sigtimedwait(const uint64_t *a)
{
	struct __kernel_timespec t = { 0 };
	struct sys_siginfo info;
	uint64_t set, end = FOREVER;
	long r;

	if (a[3] != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[0], sizeof(set)) ||
	    !sys_owns(a[2], a[2] != 0 ? sizeof(t) : 0))
		return -EFAULT;
	set = *(const uint64_t *)a[0] & ~SYS_SIG_NEVER_BLOCKED;
	if (a[2] != 0) {
		__builtin_memcpy(&t, (const void *)a[2], sizeof(t));
		if (!sys_time_valid(t.tv_sec, t.tv_nsec, NSEC))
			return -EINVAL;
		if (t.tv_sec == 0 && t.tv_nsec == 0)
			end = 0;
		else if (t.tv_sec < SECONDS_MAX / 2)
			end = now() + (uint64_t)t.tv_sec * NSEC +
			      (uint64_t)t.tv_nsec;
	}
	sys_signal_await(set);
	r = wait_for(set, end, &info);
	sys_signal_await(0);
	return r < 0 ? r : put_info(a[1], &info);
}
