/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers are the host's, as time is. What a timer's signal carries for the
 * program does not leave: the host has its place in a table.
 */
#include "trusted/sys/signal/signal.h"

#include <linux/time.h>
#include <linux/time_types.h>

#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"
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

/* Signals that a timer may still send; a host knows no more of them. */
struct setting {
	bool every;
	uint32_t once;
};

static struct sys_timer {
	bool used;
	struct setting set;
	int32_t id;
	int32_t signo;
	uint32_t to; /* a context, SYS_SIG_PROCESS or _NOBODY */
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

/* One that comes late, when the timer is set anew already, is still its own. */
static void set_timer(struct setting *s, bool next, bool every)
{
	if (s->every || (next && !every))
		s->once++;
	s->every = next && every;
}

static bool may_ring(struct setting *s)
{
	if (s->every)
		return true;
	if (!s->once)
		return false;
	s->once--;
	return true;
}

bool sys_timer_info(struct sys_siginfo *info, uint64_t timer, int32_t overrun,
		    uint32_t *to)
{
	struct sys_timer *t = &timers[timer % CALL_TIMERS];

	if (timer >= CALL_TIMERS || !t->used || t->signo != info->signo ||
	    !may_ring(&t->set))
		return false;
	*to = t->to;
	info->code = SI_TIMER;
	info->pid = t->id;
	info->uid = overrun > 0 ? overrun : 0;
	info->value = t->value;
	return true;
}

void sys_timers_thread_over(void)
{
	for (int i = 0; i < CALL_TIMERS; i++)
		if (timers[i].used && timers[i].to == rt_context())
			timers[i].to = SYS_SIG_NOBODY;
}

static long check_event(const struct timer_event *e, uint32_t *to)
{
	*to = SYS_SIG_PROCESS;
	if (e->notify == NOTIFY_NONE)
		return 0;
	if (e->notify != NOTIFY_SIGNAL && e->notify != NOTIFY_THREAD_ID)
		return -EINVAL;
	if (e->notify == NOTIFY_THREAD_ID &&
	    !sys_thread_of((uint32_t)e->tid, to))
		return -EINVAL;
	return e->signo >= 1 && e->signo <= SYS_NSIG ? 0 : -EINVAL;
}

/* Without an event it is SIGALRM, with the timer's number for a value. */
static long make(uint64_t clock, const struct timer_event *wanted, uint32_t to,
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
	/* Its place is taken while the host makes it. */
	*t = (struct sys_timer){ .used = true,
				 .id = -1,
				 .signo = e.signo,
				 .to = to,
				 .clock = clock };
	r = sys_call(CALL_timer_create, a);
	t->used = r == 0;
	t->id = *id;
	t->value = numbered ? (uint64_t)*id : wanted->value;
	return r;
}

long sys_timer_create(const uint64_t *a)
{
	struct timer_event e = { .signo = SIGALRM, .notify = NOTIFY_SIGNAL };
	int32_t id = 0;
	uint32_t to;
	long r;

	if (!sys_owns(a[1], a[1] != 0 ? sizeof(e) : 0) ||
	    !sys_owns(a[2], sizeof(id)))
		return -EFAULT;
	if (a[1] != 0)
		__builtin_memcpy(&e, (const void *)a[1], sizeof(e));
	r = check_event(&e, &to);
	if (r == 0)
		r = make(a[0], &e, to, a[1] == 0, &id);
	if (r == 0)
		*(int32_t *)a[2] = id;
	return r;
}

static struct sys_timer *timer_of(int32_t id)
{
	for (int i = 0; i < CALL_TIMERS; i++)
		if (timers[i].used && timers[i].id == id)
			return &timers[i];
	return NULL;
}

static bool is_none(const struct __kernel_timespec *t)
{
	return t->tv_sec == 0 && t->tv_nsec == 0;
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
	struct sys_timer *t = timer_of((int32_t)a[0]);
	struct {
		struct __kernel_timespec every, next;
	} set;
	uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], (uint64_t)&set, a[3] };
	struct setting was;
	long r = 0;

	if (!t || !sys_owns(a[2], sizeof(set)))
		return sys_call(CALL_timer_settime, a);
	__builtin_memcpy(&set, (const void *)a[2], sizeof(set));
	if (a[1] & TIMER_ABSTIME && is_time(&set.next) && !is_none(&set.next) &&
	    (t->clock == CLOCK_MONOTONIC || t->clock == CLOCK_BOOTTIME)) {
		r = until(t->clock, &set.next);
		args[1] = 0;
	}
	if (r)
		return r;
	was = t->set;
	set_timer(&t->set, !is_none(&set.next), !is_none(&set.every));
	r = sys_call(CALL_timer_settime, args);
	if (r)
		t->set = was;
	return r;
}

/* ITIMER_REAL, which is alarm()'s as well, ITIMER_VIRTUAL and ITIMER_PROF. */
static const int itimer_signals[] = { SIGALRM, SIGVTALRM, SIGPROF };
#define ITIMERS (sizeof(itimer_signals) / sizeof(*itimer_signals))
static struct setting itimers[ITIMERS];

bool sys_itimer_rang(int signo)
{
	for (size_t i = 0; i < ITIMERS; i++)
		if (itimer_signals[i] == signo)
			return may_ring(&itimers[i]);
	return false;
}

long sys_setitimer(const uint64_t *a)
{
	uint64_t set[4] = { 0 }; /* of every and next: seconds, microseconds */
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], (uint64_t)set, a[2] };
	struct setting was;
	long r;

	if (a[0] >= ITIMERS || !sys_owns(a[1], a[1] ? sizeof(set) : 0))
		return sys_call(CALL_setitimer, a);
	if (a[1])
		__builtin_memcpy(set, (const void *)a[1], sizeof(set));
	was = itimers[a[0]];
	set_timer(&itimers[a[0]], set[2] | set[3], set[0] | set[1]);
	r = sys_call(CALL_setitimer, args);
	if (r)
		itimers[a[0]] = was;
	return r;
}

long sys_alarm(const uint64_t *a)
{
	set_timer(&itimers[0], (uint32_t)a[0], false);
	return sys_call(CALL_alarm, a);
}

long sys_timer_delete(const uint64_t *a)
{
	long r = sys_call(CALL_timer_delete, a);

	for (int i = 0; i < CALL_TIMERS && r == 0; i++)
		if (timers[i].used && timers[i].id == (int32_t)a[0])
			timers[i].used = false;
	return r;
}
