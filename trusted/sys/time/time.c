/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time is the host's. What is promised: fields are in range, and the clocks
 * that never go back do not.
 */
#include "trusted/sys/sys.h"

#include <linux/time.h>
#include <linux/time_types.h>

#define NSEC 1000000000
#define CLOCKS 12
/* Sleeps that a host may end before their time. */
#define IDLE_MAX 8
/* Of utimensat(); no header of the kernel's has them. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static int64_t latest[CLOCKS];

static bool never_goes_back(uint64_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME ||
	       clock == CLOCK_PROCESS_CPUTIME_ID ||
	       clock == CLOCK_THREAD_CPUTIME_ID;
}

static bool in_range(const struct __kernel_timespec *t)
{
	return t->tv_sec >= 0 && t->tv_sec <= INT64_MAX / NSEC - 1 &&
	       t->tv_nsec >= 0 && t->tv_nsec < NSEC;
}

static bool later(const struct __kernel_timespec *a,
		  const struct __kernel_timespec *b)
{
	return a->tv_sec > b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* No earlier than any time given out before. */
static void hold(uint64_t clock, struct __kernel_timespec *t)
{
	int64_t now = t->tv_sec * NSEC + t->tv_nsec, was;

	was = __atomic_load_n(&latest[clock], __ATOMIC_RELAXED);
	while (now > was)
		if (__atomic_compare_exchange_n(&latest[clock], &was, now, true,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
	t->tv_sec = was / NSEC;
	t->tv_nsec = was % NSEC;
}

static long get_time(uint64_t clock, struct __kernel_timespec *t)
{
	const uint64_t a[WIRE_CALL_ARGS] = { clock, (uint64_t)t };
	long r;

	if (clock >= CLOCKS)
		return -EINVAL;
	r = sys_call(CALL_clock_gettime, a);
	if (r == 0 && never_goes_back(clock))
		hold(clock, t);
	return r;
}

static long put_time(uint64_t to, const struct __kernel_timespec *t)
{
	if (!sys_owns_to_write(to, sizeof(*t)))
		return -EFAULT;
	__builtin_memcpy((void *)to, t, sizeof(*t));
	return 0;
}

long sys_clock_gettime(const uint64_t *a)
{
	struct __kernel_timespec t;
	long r = get_time((uint32_t)a[0], &t);

	return r != 0 ? r : put_time(a[1], &t);
}

/* Time is the host's to set. */
long sys_clock_settime(const uint64_t *a)
{
	struct __kernel_timespec t;

	if ((uint32_t)a[0] != CLOCK_REALTIME)
		return -EINVAL;
	if (!sys_owns(a[1], sizeof(t)))
		return -EFAULT;
	__builtin_memcpy(&t, (const void *)a[1], sizeof(t));
	if (!sys_time_valid(t.tv_sec, t.tv_nsec, NSEC))
		return -EINVAL;
	return -EPERM;
}

long sys_clock_getres(const uint64_t *a)
{
	struct __kernel_timespec t;
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], (uint64_t)&t };
	long r;

	if ((uint32_t)a[0] >= CLOCKS)
		return -EINVAL;
	r = sys_call(CALL_clock_getres, args);
	return r != 0 || a[1] == 0 ? r : put_time(a[1], &t);
}

long sys_gettimeofday(const uint64_t *a)
{
	struct __kernel_timespec t;
	long r = get_time(CLOCK_REALTIME, &t);

	if (r != 0 || a[0] == 0)
		return r;
	t.tv_nsec /= 1000;
	return put_time(a[0], &t);
}

long sys_time(const uint64_t *a)
{
	struct __kernel_timespec t;
	long r = get_time(CLOCK_REALTIME, &t);

	if (r != 0)
		return r;
	if (a[0] != 0) {
		if (!sys_owns_to_write(a[0], sizeof(t.tv_sec)))
			return -EFAULT;
		*(int64_t *)a[0] = t.tv_sec;
	}
	return t.tv_sec;
}

long sys_clock_nanosleep(const uint64_t *a)
{
	struct __kernel_timespec want, rest = { 0 };
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], (uint64_t)&want,
						(uint64_t)&rest };
	long r = 0;
	int idle;

	if (a[2] == 0 || !sys_owns(a[2], sizeof(want)))
		return -EFAULT;
	__builtin_memcpy(&want, (const void *)a[2], sizeof(want));
	if ((uint32_t)a[0] >= CLOCKS || !in_range(&want))
		return -EINVAL;
	for (idle = 0; idle < IDLE_MAX; idle++) {
		r = sys_call(CALL_clock_nanosleep, args);
		/* Linux adds its timers' slack. */
		if (later(&rest, &want))
			rest = want;
		/* What the program ignores has not waked it. */
		if (r != -EINTR || sys_signals_wait())
			break;
		if (!(int)a[1])
			want = rest;
	}
	if (r != -EINTR || a[3] == 0 || (int)a[1] != 0)
		return r;
	return put_time(a[3], &rest) != 0 ? -EFAULT : r;
}

long sys_nanosleep(const uint64_t *a)
{
	const uint64_t args[WIRE_CALL_ARGS] = { CLOCK_MONOTONIC, 0, a[0],
						a[1] };

	return sys_clock_nanosleep(args);
}

#define TIMES 2

/* UTIME_NOW and UTIME_OMIT stand alone: the seconds beside them are nothing. */
long sys_utimensat(const uint64_t *a)
{
	struct __kernel_timespec t[TIMES];
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], (uint64_t)t, a[3] };
	int i;

	if (a[2] == 0)
		return sys_call(CALL_utimensat, a);
	if (!sys_owns(a[2], sizeof(t)))
		return -EFAULT;
	__builtin_memcpy(t, (const void *)a[2], sizeof(t));
	for (i = 0; i < TIMES; i++)
		if (t[i].tv_nsec == UTIME_NOW || t[i].tv_nsec == UTIME_OMIT)
			t[i].tv_sec = 0;
	return sys_call(CALL_utimensat, args);
}
