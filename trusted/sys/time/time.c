/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that tell the time and that wait for it. A sleep does not end before
 * its time by the program's own clock.
 */
#include "trusted/sys/sys.h"
#include "trusted/sys/time/clocks.h"

#include <linux/time.h>
#include <linux/time_types.h>

#define NSEC 1000000000
#define CLOCKS 12
/* Sleeps that a host may end before their time. */
#define IDLE_MAX 8
/* Of utimensat(); no header of the kernel's has them. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static bool in_range(const struct __kernel_timespec *t)
{
	return t->tv_sec >= 0 && t->tv_sec <= INT64_MAX / NSEC - 1 &&
	       t->tv_nsec >= 0 && t->tv_nsec < NSEC;
}

static int64_t to_ns(const struct __kernel_timespec *t)
{
	return t->tv_sec * NSEC + t->tv_nsec;
}

static struct __kernel_timespec from_ns(int64_t ns)
{
	return (struct __kernel_timespec){ .tv_sec = ns / NSEC,
					   .tv_nsec = ns % NSEC };
}

static long get_time(uint64_t clock, struct __kernel_timespec *t)
{
	int64_t ns;
	long r = sys_clock_now(clock, &ns);

	if (r == 0)
		*t = from_ns(ns);
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

/* @flags 0: @t is how long, else until when. @rest: what is left of it. */
static long host_sleep(uint64_t clock, uint64_t flags, int64_t t, int64_t *rest)
{
	const struct __kernel_timespec want = from_ns(t > 0 ? t : 0);
	struct __kernel_timespec said = { 0 };
	const uint64_t args[WIRE_CALL_ARGS] = { clock, flags, (uint64_t)&want,
						(uint64_t)&said };
	long r = sys_call(CALL_clock_nanosleep, args);

	/* Linux adds its timers' slack. */
	if (rest)
		*rest = in_range(&said) && to_ns(&said) < t ? to_ns(&said) : t;
	return r;
}

/* What is left until @end, after the host has waked us. */
static long look_again(uint64_t clock, int64_t end, int64_t *left)
{
	int64_t now;
	long r = sys_clock_now(clock, &now);

	if (r == 0 && now < end) {
		sys_clock_stale();
		r = sys_clock_now(clock, &now);
	}
	*left = end > now ? end - now : 0;
	return r;
}

/*
 * The host sleeps by its clock, and the program's is the one that counts: what
 * is left by it is slept as well. Wall time may be set meanwhile: it has to be
 * waited for by the host's.
 */
static long sleep_until(uint64_t clock, int64_t end, int64_t *left)
{
	const bool wall = clock == CLOCK_REALTIME;
	int idle = 0;
	long r, slept;

	do {
		slept = wall ? host_sleep(clock, TIMER_ABSTIME, end, NULL)
			     : host_sleep(clock, 0, *left, NULL);
		if (slept && slept != -EINTR)
			return slept;
		r = look_again(clock, end, left);
		if (r)
			return r;
		/* What the program ignores has not waked it. */
		if (slept && (sys_signals_wait() || ++idle == IDLE_MAX))
			return slept;
	} while (*left);
	return 0;
}

/* Of CPU time, and others that only the host has. */
static long sleep_by_host(uint64_t clock, uint64_t flags, int64_t *t)
{
	int64_t rest;
	long r = 0;

	for (int idle = 0; idle < IDLE_MAX; idle++) {
		r = host_sleep(clock, flags, *t, &rest);
		if (r != -EINTR)
			break;
		if (!flags)
			*t = rest;
		if (sys_signals_wait())
			break;
	}
	return r;
}

static bool has_line(uint64_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_BOOTTIME;
}

/* @t: as clock_nanosleep() has it; gets what is left. */
static long sleep_inside(uint64_t clock, bool absolute, int64_t *t)
{
	int64_t now;
	long r;

	/* As Linux: how long does not depend on how wall clocks are set. */
	if (!absolute && clock == CLOCK_REALTIME)
		clock = CLOCK_MONOTONIC;
	r = sys_clock_now(clock, &now);
	if (r)
		return r;
	if (absolute)
		*t = *t > now ? *t - now : 0;
	if (*t > INT64_MAX - now)
		*t = INT64_MAX - now;
	return sleep_until(clock, now + *t, t);
}

long sys_clock_nanosleep(const uint64_t *a)
{
	const uint64_t flags = (uint32_t)a[1] & TIMER_ABSTIME;
	const uint64_t clock = (uint32_t)a[0];
	struct __kernel_timespec want;
	int64_t t;
	long r;

	if (a[2] == 0 || !sys_owns(a[2], sizeof(want)))
		return -EFAULT;
	__builtin_memcpy(&want, (const void *)a[2], sizeof(want));
	if (clock >= CLOCKS || !in_range(&want))
		return -EINVAL;
	t = to_ns(&want);
	r = has_line(clock) ? sleep_inside(clock, flags, &t)
			    : sleep_by_host(clock, flags, &t);
	if (r != -EINTR || a[3] == 0 || flags)
		return r;
	want = from_ns(t);
	return put_time(a[3], &want) != 0 ? -EFAULT : r;
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
