/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for a signal. */
#include "trusted/sys/signal/signal.h"

#include <linux/time_types.h>

#include "trusted/sys/sys.h"

#define NSEC 1000000000

/* One that is due will be delivered, so that a call ends for it. */
static bool interrupted(void)
{
	return sys_signal_due() != 0;
}

/*
 * Nobody else sends anything, so this is for ever, or until the enclave ends:
 * outside, since a wait looks at the end (I16).
 */
static void sleep_on(void)
{
	const struct __kernel_timespec hour = { .tv_sec = 3600 };
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)&hour };

	(void)!sys_nanosleep(a);
}

long sys_rt_sigsuspend(const uint64_t *a)
{
	if (a[1] != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[0], SYS_SIGSET_SIZE))
		return -EFAULT;
	sys_signal_suspend(*(const uint64_t *)a[0]);
	while (!interrupted())
		sleep_on();
	return -EINTR;
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

long sys_rt_sigtimedwait(const uint64_t *a)
{
	struct __kernel_timespec t = { 0 };
	struct sys_siginfo info;
	uint64_t set;

	if (a[3] != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[0], sizeof(set)) ||
	    !sys_owns(a[2], a[2] != 0 ? sizeof(t) : 0))
		return -EFAULT;
	set = *(const uint64_t *)a[0] & ~SYS_SIG_NEVER_BLOCKED;
	if (a[2] != 0)
		__builtin_memcpy(&t, (const void *)a[2], sizeof(t));
	if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= NSEC)
		return -EINVAL;
	if (sys_signal_take(set, &info))
		return put_info(a[1], &info);
	return -EAGAIN;
}
