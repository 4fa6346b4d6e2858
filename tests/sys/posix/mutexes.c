/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutexes by type; those whose owners end are in robust.c. */
#include "tests/sys/posix/case.h"

#include <string.h>

static void make(pthread_mutex_t *m, int type)
{
	pthread_mutexattr_t a;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_settype(&a, type));
	must(pthread_mutex_init(m, &a));
	must(pthread_mutexattr_destroy(&a));
}

static void *lock_it(void *arg)
{
	int err = pthread_mutex_lock(arg);

	if (!err)
		must(pthread_mutex_unlock(arg));
	return num(err);
}

static void *try_it(void *arg)
{
	int err = pthread_mutex_trylock(arg);

	if (!err)
		must(pthread_mutex_unlock(arg));
	return num(err);
}

static void *unlock_it(void *arg)
{
	return num(pthread_mutex_unlock(arg));
}

static void mutex_initializer(void)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	say_err(pthread_mutex_lock(&m));
	say_err(end_num(begin(try_it, &m)));
	say_err(pthread_mutex_unlock(&m));
	say_err(end_num(begin(try_it, &m)));
}

#define THREADS 4
#define ROUNDS 5000

static long counter;

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		must(pthread_mutex_lock(arg));
		counter++;
		must(pthread_mutex_unlock(arg));
	}
	return NULL;
}

static void count_with(int type)
{
	pthread_t t[THREADS];
	pthread_mutex_t m;

	make(&m, type);
	counter = 0;
	for (int i = 0; i < THREADS; i++)
		t[i] = begin(count, &m);
	for (int i = 0; i < THREADS; i++)
		end(t[i]);
	say_num(counter);
	must(pthread_mutex_destroy(&m));
}

static void mutex_excludes(void)
{
	count_with(PTHREAD_MUTEX_NORMAL);
	count_with(PTHREAD_MUTEX_ERRORCHECK);
	count_with(PTHREAD_MUTEX_RECURSIVE);
	count_with(PTHREAD_MUTEX_DEFAULT);
}

/* The deadlock, seen by a lock that gives up. */
static void normal_relock(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	must(pthread_mutex_lock(&m));
	say_err(pthread_mutex_timedlock(&m, &t));
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void errorcheck_relock(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 60000);
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK);
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_timedlock(&m, &t));
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void errorcheck_unlock(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK);
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_lock(&m));
	say_err(end_num(begin(unlock_it, &m)));
	say_err(pthread_mutex_unlock(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void recursive_counts(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE);
	for (int i = 0; i < 3; i++)
		must(pthread_mutex_lock(&m));
	for (int i = 0; i < 3; i++) {
		say_err(end_num(begin(try_it, &m)));
		must(pthread_mutex_unlock(&m));
	}
	say_err(end_num(begin(try_it, &m)));
	must(pthread_mutex_destroy(&m));
}

static void recursive_trylock(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE);
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_timedlock(&m, &t));
	for (int i = 0; i < 3; i++)
		say_err(pthread_mutex_unlock(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void recursive_unlock(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE);
	must(pthread_mutex_lock(&m));
	say_err(end_num(begin(unlock_it, &m)));
	say_err(end_num(begin(try_it, &m)));
	must(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static void *lock_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 40);
	int err = pthread_mutex_timedlock(arg, &t);

	say_err(err);
	say_yes(past(CLOCK_REALTIME, &t));
	return NULL;
}

static void timedlock_times_out(void)
{
	must(pthread_mutex_lock(&busy));
	end(begin(lock_in_time, &busy));
	must(pthread_mutex_unlock(&busy));
}

static void *lock_late(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);

	return num(pthread_mutex_timedlock(arg, &t));
}

static void timedlock_past(void)
{
	must(pthread_mutex_lock(&busy));
	say_err(end_num(begin(lock_late, &busy)));
	must(pthread_mutex_unlock(&busy));
}

static void timedlock_at_once(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);

	say_err(pthread_mutex_timedlock(&busy, &t));
	must(pthread_mutex_unlock(&busy));
}

static void *lock_wrongly(void *arg)
{
	struct timespec t = { .tv_nsec = 1000000000 };

	return num(pthread_mutex_timedlock(arg, &t));
}

static void timedlock_invalid(void)
{
	must(pthread_mutex_lock(&busy));
	say_err(end_num(begin(lock_wrongly, &busy)));
	must(pthread_mutex_unlock(&busy));
}

static void *lock_long(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int err = pthread_mutex_timedlock(arg, &t);

	if (!err)
		must(pthread_mutex_unlock(arg));
	return num(err);
}

static void timedlock_gets_it(void)
{
	pthread_t t;

	must(pthread_mutex_lock(&busy));
	t = begin(lock_long, &busy);
	nap(20);
	must(pthread_mutex_unlock(&busy));
	say_err(end_num(t));
}

static void destroy_and_again(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE);
	must(pthread_mutex_lock(&m));
	must(pthread_mutex_unlock(&m));
	say_err(pthread_mutex_destroy(&m));
	memset(&m, 0xff, sizeof(m));
	make(&m, PTHREAD_MUTEX_ERRORCHECK);
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_lock(&m));
	must(pthread_mutex_unlock(&m));
	say_err(pthread_mutex_destroy(&m));
}

static void handler_of_a_waiter(void)
{
	pthread_t t;

	handle(SIGUSR1, 0);
	must(pthread_mutex_lock(&busy));
	t = begin(lock_it, &busy);
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_yes(pthread_equal(handled_by, t) != 0);
	/* It has not come by it without us. */
	say_err(end_num(begin(try_it, &busy)));
	must(pthread_mutex_unlock(&busy));
	say_err(end_num(t));
}

static void mutex_shared(void)
{
	pthread_mutex_t *m = shared(sizeof(*m));
	pthread_mutexattr_t a;
	pthread_t t;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	must(pthread_mutex_init(m, &a));
	must(pthread_mutex_lock(m));
	say_err(end_num(begin(try_it, m)));
	t = begin(lock_it, m);
	nap(20);
	must(pthread_mutex_unlock(m));
	say_err(end_num(t));
	say_err(pthread_mutex_destroy(m));
}

struct node {
	pthread_mutex_t m;
	int users;
};

static void *leave_node(void *arg)
{
	struct node *n = arg;
	int last;

	must(pthread_mutex_lock(&n->m));
	last = --n->users == 0;
	must(pthread_mutex_unlock(&n->m));
	if (last) {
		must(pthread_mutex_destroy(&n->m));
		memset(n, 0xff, sizeof(*n));
	}
	return num(last);
}

/* Who leaves last destroys it, while another may be in its unlock yet. */
static void destroy_by_the_last(void)
{
	struct node n;
	pthread_t t[2];
	long lasts = 0;

	for (int i = 0; i < 100; i++) {
		make(&n.m, PTHREAD_MUTEX_NORMAL);
		n.users = 2;
		t[0] = begin(leave_node, &n);
		t[1] = begin(leave_node, &n);
		lasts += end_num(t[0]);
		lasts += end_num(t[1]);
	}
	say_num(lasts);
}

const struct posix_case posix_mutexes[] = {
	CASE(mutex_initializer,
	     "XSH pthread_mutex_init, DESCRIPTION: PTHREAD_MUTEX_INITIALIZER",
	     "0 EBUSY 0 0"),
	CASE(mutex_excludes, "XSH pthread_mutex_lock, DESCRIPTION",
	     "20000 20000 20000 20000"),
	CASE(normal_relock, "XSH pthread_mutex_lock, DESCRIPTION: deadlock",
	     "ETIMEDOUT EBUSY 0"),
	CASE(errorcheck_relock, "XSH pthread_mutex_lock, ERRORS [EDEADLK]",
	     "0 EDEADLK EDEADLK EBUSY 0"),
	CASE(errorcheck_unlock, "XSH pthread_mutex_unlock, ERRORS [EPERM]",
	     "EPERM EPERM 0 EPERM"),
	CASE(recursive_counts, "XSH pthread_mutex_lock, DESCRIPTION: count",
	     "EBUSY EBUSY EBUSY 0"),
	CASE(recursive_trylock,
	     "XSH pthread_mutex_trylock, DESCRIPTION: recursive",
	     "0 0 0 0 0 0 EPERM"),
	CASE(recursive_unlock, "XSH pthread_mutex_unlock, ERRORS [EPERM]",
	     "EPERM EBUSY"),
	CASE(timedlock_times_out,
	     "XSH pthread_mutex_timedlock, ERRORS [ETIMEDOUT]",
	     "ETIMEDOUT yes"),
	CASE(timedlock_past, "XSH pthread_mutex_timedlock, DESCRIPTION: passed",
	     "ETIMEDOUT"),
	CASE(timedlock_at_once,
	     "XSH pthread_mutex_timedlock, DESCRIPTION: immediately", "0"),
	CASE(timedlock_invalid, "XSH pthread_mutex_timedlock, ERRORS [EINVAL]",
	     "EINVAL"),
	CASE(timedlock_gets_it, "XSH pthread_mutex_timedlock, RETURN VALUE",
	     "0"),
	CASE(destroy_and_again, "XSH pthread_mutex_destroy, DESCRIPTION",
	     "0 0 EDEADLK 0"),
	CASE(destroy_by_the_last,
	     "XSH pthread_mutex_destroy, RATIONALE: unlocked is safe", "100"),
	CASE(handler_of_a_waiter,
	     "XSH pthread_mutex_lock, DESCRIPTION: signal to a waiter",
	     "yes EBUSY 0"),
	CASE(mutex_shared, "XSH pthread_mutexattr_setpshared, DESCRIPTION",
	     "EBUSY 0 0"),
	CASES_END
};
