/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers are the host's, as time is. What a timer's signal carries for the
 * program does not leave: the host has its place in a table.
 */
#include "trusted/sys/signal/signal.h"

#include <linux/time.h>
#include <linux/time_types.h>

#include "trusted/sys/sys.h"
#include "trusted/sys/time/clocks.h"

/* Of <asm-generic/siginfo.h>, which some C libraries' headers hide. */
#define NOTIFY_SIGNAL 0
#define NOTIFY_NONE 1
#define NOTIFY_THREAD_ID 4

struct timer_event {
	uint64_t value;
	int32_t signo;
	int32_t notify;
	int32_t tid;
	int32_t rest[11];
};

_Static_assert(sizeof(struct timer_event) == 64, "sigevent");

static struct sys_timer {
	bool used;
	int32_t id;
	int32_t signo;
	uint64_t clock;
	uint64_t value;
} timers[CALL_TIMERS];

static struct sys_timer *unused(void)
{
	for (int i = 0; i < CALL_TIMERS; i++)
		if (!timers[i].used)
			return &timers[i];
	return NULL;
}

bool sys_timer_value(struct sys_siginfo *info)
{
	const struct sys_timer *t = &timers[info->value % CALL_TIMERS];

	if (info->value >= CALL_TIMERS || !t->used || t->signo != info->signo ||
	    info->uid < 0)
		return false;
	info->pid = t->id;
	info->value = t->value;
	return true;
}

static long check_event(const struct timer_event *e)
{
	if (e->notify == NOTIFY_NONE)
		return 0;
	if (e->notify != NOTIFY_SIGNAL && e->notify != NOTIFY_THREAD_ID)
		return -EINVAL;
	if (e->notify == NOTIFY_THREAD_ID && e->tid != sys_gettid(NULL))
		return -EINVAL;
	return e->signo >= 1 && e->signo <= SYS_NSIG ? 0 : -EINVAL;
}

/* Without an event it is SIGALRM, with the timer's number for a value. */
static long make(uint64_t clock, const struct timer_event *wanted,
		 bool numbered, int32_t *id)
{
	struct sys_timer *t = unused();
	struct timer_event e = { .signo = wanted->signo,
				 .notify = wanted->notify };
	const uint64_t a[WIRE_CALL_ARGS] = { clock, (uint64_t)&e,
					     (uint64_t)id };
	long r;

	if (!t)
		return -EAGAIN;
	if (e.notify == NOTIFY_THREAD_ID)
		e.notify = NOTIFY_SIGNAL;
	e.value = (uint64_t)(t - timers);
	r = sys_call(CALL_timer_create, a);
	if (r)
		return r;
	*t = (struct sys_timer){
		.used = true, .id = *id, .signo = e.signo, .clock = clock
	};
	t->value = numbered ? (uint64_t)*id : wanted->value;
	return 0;
}

long sys_timer_create(const uint64_t *a)
{
	struct timer_event e = { .signo = SIGALRM, .notify = NOTIFY_SIGNAL };
	int32_t id = 0;
	long r;

	if (!sys_owns(a[1], a[1] != 0 ? sizeof(e) : 0) ||
	    !sys_owns(a[2], sizeof(id)))
		return -EFAULT;
	if (a[1] != 0)
		__builtin_memcpy(&e, (const void *)a[1], sizeof(e));
	r = check_event(&e);
	if (r == 0)
		r = make(a[0], &e, a[1] == 0, &id);
	if (r == 0)
		*(int32_t *)a[2] = id;
	return r;
}

static const struct sys_timer *timer_of(int32_t id)
{
	for (int i = 0; i < CALL_TIMERS; i++)
		if (timers[i].used && timers[i].id == id)
			return &timers[i];
	return NULL;
}

static bool is_time(const struct __kernel_timespec *t)
{
	return t->tv_sec <= CLOCK_NS_MAX / CLOCK_NSEC &&
	       sys_time_valid(t->tv_sec, t->tv_nsec, CLOCK_NSEC);
}

/* The host's clock may be another than the program's: how long, for when. */
static long until(uint64_t clock, struct __kernel_timespec *t)
{
	int64_t now, left;
	long r = sys_clock_now(clock, &now);

	left = t->tv_sec * CLOCK_NSEC + t->tv_nsec - now;
	if (left <= 0)
		left = 1;
	t->tv_sec = left / CLOCK_NSEC;
	t->tv_nsec = left % CLOCK_NSEC;
	return r;
}

long sys_timer_settime(const uint64_t *a)
{
	const struct sys_timer *t = timer_of((int32_t)a[0]);
	struct {
		struct __kernel_timespec every, next;
	} set;
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], 0, (uint64_t)&set, a[3] };
	long r;

	if (!t || !(a[1] & TIMER_ABSTIME) ||
	    (t->clock != CLOCK_MONOTONIC && t->clock != CLOCK_BOOTTIME) ||
	    !sys_owns(a[2], sizeof(set)))
		return sys_call(CALL_timer_settime, a);
	__builtin_memcpy(&set, (const void *)a[2], sizeof(set));
	if (!is_time(&set.next) || (!set.next.tv_sec && !set.next.tv_nsec))
		return sys_call(CALL_timer_settime, a);
	r = until(t->clock, &set.next);
	return r ? r : sys_call(CALL_timer_settime, args);
}

long sys_timer_delete(const uint64_t *a)
{
	long r = sys_call(CALL_timer_delete, a);

	for (int i = 0; i < CALL_TIMERS && r == 0; i++)
		if (timers[i].used && timers[i].id == (int32_t)a[0])
			timers[i].used = false;
	return r;
}
