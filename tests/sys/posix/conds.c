/* SPDX-License-Identifier: BSD-3-Clause */
/* Condition variables; cancelled waiters are in cancel.c. */
#include "tests/sys/posix/case.h"

#include <string.h>

#define WAITERS 5

/* Errorcheck: its unlock tells whether it was owned. */
static pthread_mutex_t m;
static pthread_cond_t c;
static int waiting, awake, tickets;

static void make(clockid_t clock)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	must(pthread_mutexattr_init(&ma));
	must(pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK));
	must(pthread_mutex_init(&m, &ma));
	must(pthread_condattr_init(&ca));
	must(pthread_condattr_setclock(&ca, clock));
	must(pthread_cond_init(&c, &ca));
	waiting = awake = tickets = 0;
}

static void drop(void)
{
	must(pthread_cond_destroy(&c));
	must(pthread_mutex_destroy(&m));
}

static void *wait_for_ticket(void *arg)
{
	int err = 0;

	(void)arg;
	must(pthread_mutex_lock(&m));
	waiting++;
	while (!tickets && !err)
		err = pthread_cond_wait(&c, &m);
	tickets--;
	awake++;
	must(pthread_mutex_unlock(&m));
	return num(err);
}

/* Once all wait, each has let the mutex go. */
static void begin_waiters(pthread_t *t, int n)
{
	int are = 0;

	for (int i = 0; i < n; i++)
		t[i] = begin(wait_for_ticket, NULL);
	while (are < n) {
		must(pthread_mutex_lock(&m));
		are = waiting;
		must(pthread_mutex_unlock(&m));
		nap(1);
	}
}

static void wake(int n, int (*fn)(pthread_cond_t *))
{
	must(pthread_mutex_lock(&m));
	tickets += n;
	must(fn(&c));
	must(pthread_mutex_unlock(&m));
}

static void until_awake(int n)
{
	int are = 0;

	while (are < n) {
		must(pthread_mutex_lock(&m));
		are = awake;
		must(pthread_mutex_unlock(&m));
		nap(1);
	}
}

static void cond_initializer(void)
{
	static pthread_mutex_t sm = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t sc = PTHREAD_COND_INITIALIZER;
	struct timespec t = in_ms(CLOCK_REALTIME, 10);
	int err = 0;

	must(pthread_mutex_lock(&sm));
	while (!err)
		err = pthread_cond_timedwait(&sc, &sm, &t);
	say_err(err);
	must(pthread_mutex_unlock(&sm));
}

static void signal_wakes_one(void)
{
	pthread_t t[WAITERS];

	make(CLOCK_REALTIME);
	begin_waiters(t, WAITERS);
	for (int i = 0; i < WAITERS; i++) {
		wake(1, pthread_cond_signal);
		until_awake(i + 1);
		must(pthread_mutex_lock(&m));
		say_num(awake);
		must(pthread_mutex_unlock(&m));
	}
	for (int i = 0; i < WAITERS; i++)
		end(t[i]);
	drop();
}

static void broadcast_wakes_all(void)
{
	pthread_t t[WAITERS];
	long errs = 0;

	make(CLOCK_REALTIME);
	begin_waiters(t, WAITERS);
	wake(WAITERS, pthread_cond_broadcast);
	for (int i = 0; i < WAITERS; i++)
		errs += end_num(t[i]);
	say_num(errs);
	say_num(awake);
	drop();
}

/* By one who does not hold the mutex. */
static void signal_without_mutex(void)
{
	pthread_t t[2];

	make(CLOCK_REALTIME);
	begin_waiters(t, 2);
	must(pthread_mutex_lock(&m));
	tickets = 2;
	must(pthread_mutex_unlock(&m));
	say_err(pthread_cond_signal(&c));
	say_err(pthread_cond_broadcast(&c));
	say_num(end_num(t[0]) + end_num(t[1]));
	drop();
}

static void signal_nobody(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	int err = 0;

	make(CLOCK_REALTIME);
	say_err(pthread_cond_signal(&c));
	say_err(pthread_cond_broadcast(&c));
	must(pthread_mutex_lock(&m));
	while (!err)
		err = pthread_cond_timedwait(&c, &m, &t);
	say_err(err);
	must(pthread_mutex_unlock(&m));
	drop();
}

static void time_out(clockid_t clock)
{
	struct timespec t;
	int err = 0;

	make(clock);
	t = in_ms(clock, 40);
	must(pthread_mutex_lock(&m));
	while (!err)
		err = pthread_cond_timedwait(&c, &m, &t);
	say_err(err);
	say_yes(past(clock, &t));
	/* It is ours again. */
	say_err(pthread_mutex_unlock(&m));
	drop();
}

static void timedwait_realtime(void)
{
	time_out(CLOCK_REALTIME);
}

static void timedwait_monotonic(void)
{
	time_out(CLOCK_MONOTONIC);
}

static void timedwait_past(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);

	make(CLOCK_REALTIME);
	must(pthread_mutex_lock(&m));
	say_err(pthread_cond_timedwait(&c, &m, &t));
	say_err(pthread_mutex_unlock(&m));
	drop();
}

static void timedwait_invalid(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 60000);

	make(CLOCK_REALTIME);
	must(pthread_mutex_lock(&m));
	t.tv_nsec = -1;
	say_err(pthread_cond_timedwait(&c, &m, &t));
	t.tv_nsec = 1000000000;
	say_err(pthread_cond_timedwait(&c, &m, &t));
	say_err(pthread_mutex_unlock(&m));
	drop();
}

static void *ticket_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 600000);
	int err = 0;

	(void)arg;
	must(pthread_mutex_lock(&m));
	waiting++;
	while (!tickets && !err)
		err = pthread_cond_timedwait(&c, &m, &t);
	must(pthread_mutex_unlock(&m));
	return num(err);
}

static void timedwait_signaled(void)
{
	pthread_t t;
	int are = 0;

	make(CLOCK_MONOTONIC);
	t = begin(ticket_in_time, NULL);
	while (!are) {
		must(pthread_mutex_lock(&m));
		are = waiting;
		must(pthread_mutex_unlock(&m));
	}
	wake(1, pthread_cond_signal);
	say_err(end_num(t));
	drop();
}

static void wait_not_owned(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 10);

	make(CLOCK_REALTIME);
	say_err(pthread_cond_wait(&c, &m));
	say_err(pthread_cond_timedwait(&c, &m, &t));
	drop();
}

static void handler_of_cond_waiter(void)
{
	pthread_t t[1];

	handle(SIGUSR1, 0);
	make(CLOCK_REALTIME);
	begin_waiters(t, 1);
	while (handled < 10) {
		pthread_kill(t[0], SIGUSR1);
		nap(1);
	}
	wake(1, pthread_cond_signal);
	say_err(end_num(t[0]));
	drop();
}

/* The last word of the standard's own example. */
static void destroy_after_broadcast(void)
{
	pthread_t t[3];
	long errs = 0;

	for (int round = 0; round < 50; round++) {
		make(CLOCK_REALTIME);
		begin_waiters(t, 3);
		wake(3, pthread_cond_broadcast);
		errs += pthread_cond_destroy(&c);
		memset(&c, 0xff, sizeof(c));
		for (int i = 0; i < 3; i++)
			errs += end_num(t[i]);
		must(pthread_mutex_destroy(&m));
	}
	say_num(errs);
}

static void cond_shared(void)
{
	struct both {
		pthread_mutex_t m;
		pthread_cond_t c;
	} *p = shared(sizeof(*p));
	struct timespec t = in_ms(CLOCK_REALTIME, 20);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	int err = 0;

	must(pthread_mutexattr_init(&ma));
	must(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
	must(pthread_mutex_init(&p->m, &ma));
	must(pthread_condattr_init(&ca));
	must(pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED));
	must(pthread_cond_init(&p->c, &ca));
	must(pthread_mutex_lock(&p->m));
	while (!err)
		err = pthread_cond_timedwait(&p->c, &p->m, &t);
	say_err(err);
	say_err(pthread_mutex_unlock(&p->m));
	say_err(pthread_cond_destroy(&p->c));
	must(pthread_mutex_destroy(&p->m));
}

static struct {
	pthread_mutex_t m;
	pthread_cond_t c;
	int turn;
} * ring;

static void *take_turns(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < 200; i++) {
		must(pthread_mutex_lock(&ring->m));
		while (ring->turn % 2 != me)
			must(pthread_cond_wait(&ring->c, &ring->m));
		ring->turn++;
		must(pthread_cond_signal(&ring->c));
		must(pthread_mutex_unlock(&ring->m));
	}
	return NULL;
}

static void shared_turns(void)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_t t;

	ring = shared(sizeof(*ring));
	must(pthread_mutexattr_init(&ma));
	must(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
	must(pthread_mutex_init(&ring->m, &ma));
	must(pthread_condattr_init(&ca));
	must(pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED));
	must(pthread_cond_init(&ring->c, &ca));
	t = begin(take_turns, num(1));
	take_turns(NULL);
	end(t);
	say_num(ring->turn);
}

static void *wait_with(void *arg)
{
	pthread_mutex_t *own = arg;

	must(pthread_mutex_lock(own));
	waiting = 1;
	while (waiting == 1)
		must(pthread_cond_wait(&c, own));
	must(pthread_mutex_unlock(own));
	return NULL;
}

/* One mutex at a time, but another each time. */
static void other_mutex(void)
{
	make(CLOCK_REALTIME);
	for (int i = 0; i < 3; i++) {
		pthread_mutex_t own;
		pthread_t t;
		int are = 0;

		must(pthread_mutex_init(&own, NULL));
		waiting = 0;
		t = begin(wait_with, &own);
		while (!are) {
			must(pthread_mutex_lock(&own));
			are = waiting;
			if (are)
				waiting = 2;
			must(pthread_mutex_unlock(&own));
		}
		must(pthread_cond_signal(&c));
		end(t);
		must(pthread_mutex_destroy(&own));
		say_num(waiting);
	}
	drop();
}

const struct posix_case posix_conds[] = {
	CASE(cond_initializer,
	     "XSH pthread_cond_init, DESCRIPTION: PTHREAD_COND_INITIALIZER",
	     "ETIMEDOUT"),
	CASE(signal_wakes_one, "XSH pthread_cond_signal, DESCRIPTION",
	     "1 2 3 4 5"),
	CASE(broadcast_wakes_all, "XSH pthread_cond_broadcast, DESCRIPTION",
	     "0 5"),
	CASE(signal_without_mutex,
	     "XSH pthread_cond_signal, DESCRIPTION: whether or not it owns",
	     "0 0 0"),
	CASE(signal_nobody, "XSH pthread_cond_signal, DESCRIPTION: no effect",
	     "0 0 ETIMEDOUT"),
	CASE(timedwait_realtime,
	     "XSH pthread_cond_timedwait, ERRORS [ETIMEDOUT]",
	     "ETIMEDOUT yes 0"),
	CASE(timedwait_monotonic,
	     "XSH pthread_cond_timedwait, DESCRIPTION: clock attribute",
	     "ETIMEDOUT yes 0"),
	CASE(timedwait_past,
	     "XSH pthread_cond_timedwait, DESCRIPTION: already passed",
	     "ETIMEDOUT 0"),
	CASE(timedwait_invalid, "XSH pthread_cond_timedwait, ERRORS [EINVAL]",
	     "EINVAL EINVAL 0"),
	CASE(timedwait_signaled, "XSH pthread_cond_timedwait, RETURN VALUE",
	     "0"),
	CASE(wait_not_owned, "XSH pthread_cond_wait, ERRORS [EPERM]",
	     "EPERM EPERM"),
	CASE(handler_of_cond_waiter,
	     "XSH pthread_cond_wait, ERRORS: no [EINTR]", "0"),
	CASE(destroy_after_broadcast,
	     "XSH pthread_cond_destroy, DESCRIPTION: immediately", "0"),
	CASE(cond_shared, "XSH pthread_condattr_setpshared, DESCRIPTION",
	     "ETIMEDOUT 0 0"),
	CASE(shared_turns, "XSH pthread_condattr_setpshared, DESCRIPTION",
	     "400"),
	CASE(other_mutex, "XSH pthread_cond_wait, DESCRIPTION: binding",
	     "2 2 2"),
	CASES_END
};
