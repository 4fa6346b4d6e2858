/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cancellation; its points, one by one, are in points.c, and who waits for a
 * condition is in cancel_conds.c.
 */
#include "tests/sys/posix/case.h"

static atomic_int here, go;

static void *tell_defaults(void *arg)
{
	int state = -1, type = -1;

	must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state));
	must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type));
	say_yes(state == PTHREAD_CANCEL_ENABLE);
	say_yes(type == PTHREAD_CANCEL_DEFERRED);
	must(pthread_setcanceltype(type, &type));
	must(pthread_setcancelstate(state, &state));
	say_yes(state == PTHREAD_CANCEL_DISABLE);
	say_yes(type == PTHREAD_CANCEL_ASYNCHRONOUS);
	return arg;
}

static void cancel_defaults(void)
{
	tell_defaults(NULL);
	end(begin(tell_defaults, NULL));
}

static void cancel_invalid(void)
{
	int was = -1;

	say_err(pthread_setcancelstate(77, &was));
	say_err(pthread_setcanceltype(77, &was));
}

static void clean(void *arg)
{
	say(arg);
}

static void *test_often(void *arg)
{
	(void)arg;
	pthread_cleanup_push(clean, "outer");
	pthread_cleanup_push(clean, "inner");
	for (;;) {
		pthread_testcancel();
		sched_yield();
	}
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cleanup_order(void)
{
	pthread_t t = begin(test_often, NULL);

	must(pthread_cancel(t));
	say_yes(end(t) == PTHREAD_CANCELED);
}

static void *pop_some(void *arg)
{
	pthread_cleanup_push(clean, "never");
	pthread_cleanup_push(clean, "popped");
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(0);
	say("end");
	return arg;
}

static void cleanup_pop(void)
{
	end(begin(pop_some, NULL));
}

static pthread_key_t key;

static void *with_key(void *arg)
{
	must(pthread_setspecific(key, "key"));
	return test_often(arg);
}

static void cleanup_before_destructors(void)
{
	pthread_t t;

	must(pthread_key_create(&key, clean));
	t = begin(with_key, NULL);
	must(pthread_cancel(t));
	end(t);
	must(pthread_key_delete(key));
}

static void *disable_a_while(void *arg)
{
	must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	here = 1;
	until(&go, 1);
	pthread_testcancel();
	nap(1);
	say("held");
	must(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
	pthread_testcancel();
	say("not-reached");
	return arg;
}

static void disabled_is_held(void)
{
	pthread_t t;

	here = go = 0;
	t = begin(disable_a_while, NULL);
	until(&here, 1);
	must(pthread_cancel(t));
	go = 1;
	say_yes(end(t) == PTHREAD_CANCELED);
}

static sem_t sem;

static void *wait_disabled(void *arg)
{
	must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	here = 1;
	must(sem_wait(&sem));
	return arg;
}

static void disabled_waits_on(void)
{
	pthread_t t;

	here = 0;
	must(sem_init(&sem, 0, 0));
	t = begin(wait_disabled, num(6));
	until(&here, 1);
	nap(10);
	must(pthread_cancel(t));
	nap(10);
	must(sem_post(&sem));
	say_num(end_num(t));
	must(sem_destroy(&sem));
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

/* Points that are none, with a request that waits. */
static void *past_no_points(void *arg)
{
	static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
	static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	pthread_barrier_t b;
	pthread_spinlock_t s;

	(void)arg;
	must(pthread_cancel(pthread_self()));
	must(pthread_mutex_lock(&m));
	must(pthread_cond_signal(&c));
	must(pthread_mutex_unlock(&m));
	must(pthread_barrier_init(&b, NULL, 1));
	pthread_barrier_wait(&b);
	must(pthread_spin_init(&s, 0));
	must(pthread_spin_lock(&s));
	must(pthread_spin_unlock(&s));
	must(sem_post(&sem));
	(void)getpid();
	say("past");
	must(pthread_rwlock_rdlock(&rw));
	must(pthread_rwlock_unlock(&rw));
	pthread_testcancel();
	say("not-reached");
	return NULL;
}

static void no_points(void)
{
	must(sem_init(&sem, 0, 0));
	say_yes(end(begin(past_no_points, NULL)) == PTHREAD_CANCELED);
	must(sem_destroy(&sem));
}

static void *wait_for_mutex(void *arg)
{
	here = 1;
	must(pthread_mutex_lock(&m));
	must(pthread_mutex_unlock(&m));
	say("locked");
	pthread_testcancel();
	return arg;
}

static void mutex_is_no_point(void)
{
	pthread_t t;

	here = 0;
	must(pthread_mutex_lock(&m));
	t = begin(wait_for_mutex, NULL);
	until(&here, 1);
	nap(10);
	must(pthread_cancel(t));
	nap(10);
	must(pthread_mutex_unlock(&m));
	say_yes(end(t) == PTHREAD_CANCELED);
}

static void *asynchronous(void *arg)
{
	(void)arg;
	must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	here = 1;
	for (;;)
		getppid();
	return NULL;
}

/* getppid() is no cancellation point. */
static void asynchronous_anywhere(void)
{
	pthread_t t;

	here = 0;
	t = begin(asynchronous, NULL);
	until(&here, 1);
	must(pthread_cancel(t));
	say_yes(end(t) == PTHREAD_CANCELED);
}

static void *become_asynchronous(void *arg)
{
	must(pthread_cancel(pthread_self()));
	say("held");
	must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	for (;;)
		getppid();
	return arg;
}

static void asynchronous_with_pending(void)
{
	say_yes(end(begin(become_asynchronous, NULL)) == PTHREAD_CANCELED);
}

static void *end_soon(void *arg)
{
	here = 1;
	return arg;
}

static void cancel_of_ended(void)
{
	pthread_t t;

	here = 0;
	t = begin(end_soon, num(8));
	until(&here, 1);
	nap(20);
	say_err(pthread_cancel(t));
	say_num(end_num(t));
}

static void *join_other(void *arg)
{
	here = 1;
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static void *wait_to_go(void *arg)
{
	until(&go, 1);
	return arg;
}

static void canceled_joiner(void)
{
	pthread_t target, joiner;

	here = go = 0;
	target = begin(wait_to_go, num(4));
	joiner = begin(join_other, &target);
	until(&here, 1);
	nap(10);
	must(pthread_cancel(joiner));
	say_yes(end(joiner) == PTHREAD_CANCELED);
	go = 1;
	say_num(end_num(target));
}

static int fds[2];

static void *read_byte(void *arg)
{
	char b;

	here = 1;
	read(fds[0], &b, 1);
	return arg;
}

static void canceled_read_takes_nothing(void)
{
	pthread_t t;
	char b = 'x';

	here = 0;
	must(pipe(fds));
	t = begin(read_byte, NULL);
	until(&here, 1);
	nap(10);
	must(pthread_cancel(t));
	say_yes(end(t) == PTHREAD_CANCELED);
	say_num(write(fds[1], &b, 1));
	say_num(read(fds[0], &b, 1));
	close(fds[0]);
	close(fds[1]);
}

static void *wait_on_sem(void *arg)
{
	here = 1;
	sem_wait(&sem);
	return arg;
}

static void canceled_sem_wait_takes_nothing(void)
{
	pthread_t t;

	here = 0;
	must(sem_init(&sem, 0, 0));
	t = begin(wait_on_sem, NULL);
	until(&here, 1);
	nap(10);
	must(pthread_cancel(t));
	say_yes(end(t) == PTHREAD_CANCELED);
	must(sem_post(&sem));
	say_err(sem_trywait(&sem) ? errno : 0);
	must(sem_destroy(&sem));
}

const struct posix_case posix_cancel[] = {
	CASE(cancel_defaults,
	     "XSH pthread_setcancelstate, DESCRIPTION: new threads, main",
	     "yes yes yes yes yes yes yes yes"),
	CASE(cancel_invalid, "XSH pthread_setcancelstate, ERRORS [EINVAL]",
	     "EINVAL EINVAL"),
	CASE(cleanup_order, "XSH 2.9.5.3 cancellation cleanup handlers",
	     "inner outer yes"),
	CASE(cleanup_pop, "XSH pthread_cleanup_pop, DESCRIPTION: execute",
	     "popped end"),
	CASE(cleanup_before_destructors, "XSH pthread_cancel, DESCRIPTION",
	     "inner outer key"),
	CASE(disabled_is_held, "XSH 2.9.5.1 cancelability states: disabled",
	     "held yes"),
	CASE(disabled_waits_on, "XSH 2.9.5.1 cancelability states: held", "6"),
	CASE(no_points, "XSH 2.9.5.2 cancellation points: no other function",
	     "past yes"),
	CASE(mutex_is_no_point,
	     "XSH pthread_mutex_lock, RATIONALE: no cancellation point",
	     "locked yes"),
	CASE(asynchronous_anywhere,
	     "XSH 2.9.5.1 cancelability states: asynchronous", "yes"),
	CASE(asynchronous_with_pending,
	     "XSH 2.9.5.1 cancelability states: one pending", "held yes"),
	CASE(cancel_of_ended, "XSH 2.9.2 thread IDs: lifetime", "0 8"),
	CASE(canceled_joiner, "XSH pthread_join, DESCRIPTION: not detached",
	     "yes 4"),
	CASE(canceled_read_takes_nothing,
	     "XSH 2.9.5.2 cancellation points: as by [EINTR], read", "yes 1 1"),
	CASE(canceled_sem_wait_takes_nothing,
	     "XSH 2.9.5.2 cancellation points: as by [EINTR], sem_wait",
	     "yes 0"),
	CASES_END
};
