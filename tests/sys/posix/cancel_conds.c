/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that are cancelled while they wait for a condition. */
#include "tests/sys/posix/case.h"

static pthread_mutex_t checked;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, tickets;

static void unlock_checked(void *arg)
{
	(void)arg;
	say_err(pthread_mutex_unlock(&checked));
}

/* @until: NULL, for ever. */
static void wait_for_ticket(void (*unlock)(void *),
			    const struct timespec *until)
{
	must(pthread_mutex_lock(&checked));
	pthread_cleanup_push(unlock, NULL);
	waiting++;
	while (!tickets)
		must(until ? pthread_cond_timedwait(&cond, &checked, until)
			   : pthread_cond_wait(&cond, &checked));
	tickets--;
	pthread_cleanup_pop(1);
}

static void *wait_on_cond(void *arg)
{
	wait_for_ticket(unlock_checked, NULL);
	return arg;
}

static void *wait_on_cond_long(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);

	wait_for_ticket(unlock_checked, &t);
	return arg;
}

static void make_checked(void)
{
	pthread_mutexattr_t a;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK));
	must(pthread_mutex_init(&checked, &a));
	waiting = tickets = 0;
}

/* Returns with the mutex held, and @n in their wait. */
static void lock_when_waiting(int n)
{
	must(pthread_mutex_lock(&checked));
	while (waiting < n) {
		must(pthread_mutex_unlock(&checked));
		nap(1);
		must(pthread_mutex_lock(&checked));
	}
}

static void cancel_in_wait(void *(*fn)(void *))
{
	pthread_t t;

	make_checked();
	t = begin(fn, NULL);
	lock_when_waiting(1);
	must(pthread_cancel(t));
	/* It cannot get to its handler without the mutex. */
	nap(20);
	say("mine");
	must(pthread_mutex_unlock(&checked));
	say_yes(end(t) == PTHREAD_CANCELED);
	must(pthread_mutex_destroy(&checked));
}

static void cond_wait_reacquires(void)
{
	cancel_in_wait(wait_on_cond);
}

static void cond_timedwait_reacquires(void)
{
	cancel_in_wait(wait_on_cond_long);
}

static void unlock_quietly(void *arg)
{
	(void)arg;
	must(pthread_mutex_unlock(&checked));
}

static void *take_ticket(void *arg)
{
	wait_for_ticket(unlock_quietly, NULL);
	return arg;
}

/* Who is cancelled takes nobody else's signal with it. */
static void canceled_takes_no_signal(void)
{
	long rest = 0;

	for (int i = 0; i < 20; i++) {
		pthread_t a, b;

		make_checked();
		a = begin(take_ticket, num(1));
		b = begin(take_ticket, num(1));
		lock_when_waiting(2);
		must(pthread_cancel(a));
		tickets = 1;
		must(pthread_cond_signal(&cond));
		must(pthread_mutex_unlock(&checked));
		if (end(a) != PTHREAD_CANCELED) {
			/* It came by the signal before it was cancelled. */
			must(pthread_mutex_lock(&checked));
			tickets = 1;
			must(pthread_cond_signal(&cond));
			must(pthread_mutex_unlock(&checked));
		}
		rest += end_num(b);
		must(pthread_mutex_destroy(&checked));
	}
	say_num(rest);
}

const struct posix_case posix_cancel_conds[] = {
	CASE(cond_wait_reacquires,
	     "XSH pthread_cond_wait, DESCRIPTION: reacquired first",
	     "mine 0 yes"),
	CASE(cond_timedwait_reacquires,
	     "XSH pthread_cond_timedwait, DESCRIPTION: reacquired first",
	     "mine 0 yes"),
	CASE(canceled_takes_no_signal,
	     "XSH pthread_cond_wait, DESCRIPTION: shall not consume", "20"),
	CASES_END
};
