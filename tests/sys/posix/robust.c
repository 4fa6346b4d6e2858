/* SPDX-License-Identifier: BSD-3-Clause */
/* Robust mutexes, and owners that end. */
#include "tests/sys/posix/case.h"

static void make(pthread_mutex_t *m, int type)
{
	pthread_mutexattr_t a;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_settype(&a, type));
	must(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	must(pthread_mutex_init(m, &a));
	must(pthread_mutexattr_destroy(&a));
}

static void *lock_and_end(void *arg)
{
	must(pthread_mutex_lock(arg));
	return NULL;
}

static void *lock_it(void *arg)
{
	int err = pthread_mutex_lock(arg);

	if (!err)
		must(pthread_mutex_unlock(arg));
	return num(err);
}

static void owner_dead(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	end(begin(lock_and_end, &m));
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_consistent(&m));
	say_err(pthread_mutex_unlock(&m));
	say_err(end_num(begin(lock_it, &m)));
	say_err(pthread_mutex_destroy(&m));
}

static void owner_dead_trylock(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	end(begin(lock_and_end, &m));
	say_err(pthread_mutex_trylock(&m));
	/* The lock is held, and inconsistent. */
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_consistent(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void owner_dead_timedlock(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 60000);
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE);
	end(begin(lock_and_end, &m));
	say_err(pthread_mutex_timedlock(&m, &t));
	say_err(pthread_mutex_consistent(&m));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void not_recoverable(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 60000);
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	end(begin(lock_and_end, &m));
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_unlock(&m));
	say_err(pthread_mutex_lock(&m));
	say_err(pthread_mutex_timedlock(&m, &t));
	/* Last: glibc 2.36 keeps the lock after it. */
	say_err(pthread_mutex_trylock(&m));
	say_err(pthread_mutex_destroy(&m));
	make(&m, PTHREAD_MUTEX_NORMAL);
	say_err(pthread_mutex_lock(&m));
	must(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void consistent_of_consistent(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	say_err(pthread_mutex_consistent(&m));
	must(pthread_mutex_lock(&m));
	say_err(pthread_mutex_consistent(&m));
	must(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
	must(pthread_mutex_init(&m, NULL));
	say_err(pthread_mutex_consistent(&m));
	must(pthread_mutex_destroy(&m));
}

static void *unlock_it(void *arg)
{
	return num(pthread_mutex_unlock(arg));
}

static void robust_unlock(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL);
	must(pthread_mutex_lock(&m));
	say_err(end_num(begin(unlock_it, &m)));
	say_err(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static pthread_mutex_t held;
static atomic_int holding, go;

static void *hold_and_end(void *arg)
{
	must(pthread_mutex_lock(&held));
	holding = 1;
	until(&go, 1);
	return arg;
}

/* The first that waits makes it consistent, or does not. */
static void *wait_for_the_dead(void *arg)
{
	int err = pthread_mutex_lock(&held);

	if (err == EOWNERDEAD && arg)
		must(pthread_mutex_consistent(&held));
	if (err != ENOTRECOVERABLE)
		must(pthread_mutex_unlock(&held));
	return num(err);
}

static void wait_and_tell(void *recovers, int n)
{
	int dead = 0, right = 0, lost = 0;
	pthread_t owner, t[3];

	make(&held, PTHREAD_MUTEX_NORMAL);
	holding = go = 0;
	owner = begin(hold_and_end, NULL);
	until(&holding, 1);
	for (int i = 0; i < n; i++)
		t[i] = begin(wait_for_the_dead, recovers);
	nap(20);
	go = 1;
	end(owner);
	for (int i = 0; i < n; i++) {
		int err = end_num(t[i]);

		dead += err == EOWNERDEAD;
		right += err == 0;
		lost += err == ENOTRECOVERABLE;
	}
	say_num(dead);
	say_num(right);
	say_num(lost);
	must(pthread_mutex_destroy(&held));
}

static void waiter_is_told(void)
{
	wait_and_tell(num(1), 3);
}

/* Of several waiters, glibc 2.36 and musl 1.2.3 wake one. */
static void waiter_gives_up(void)
{
	wait_and_tell(NULL, 2);
}

static void *lock_many(void *arg)
{
	pthread_mutex_t *m = arg;

	for (int i = 0; i < 5; i++)
		must(pthread_mutex_lock(&m[i]));
	must(pthread_mutex_unlock(&m[2]));
	return NULL;
}

static void several_left(void)
{
	pthread_mutex_t m[5];

	for (int i = 0; i < 5; i++)
		make(&m[i], PTHREAD_MUTEX_NORMAL);
	end(begin(lock_many, m));
	for (int i = 0; i < 5; i++) {
		int err = pthread_mutex_lock(&m[i]);

		say_err(err);
		if (err == EOWNERDEAD)
			must(pthread_mutex_consistent(&m[i]));
		must(pthread_mutex_unlock(&m[i]));
		must(pthread_mutex_destroy(&m[i]));
	}
}

static void *lock_and_wait(void *arg)
{
	must(pthread_mutex_lock(arg));
	holding = 1;
	for (;;)
		pause();
	return NULL;
}

static void owner_canceled(void)
{
	pthread_mutex_t m;
	pthread_t t;

	make(&m, PTHREAD_MUTEX_NORMAL);
	holding = 0;
	t = begin(lock_and_wait, &m);
	until(&holding, 1);
	must(pthread_cancel(t));
	say_yes(end(t) == PTHREAD_CANCELED);
	say_err(pthread_mutex_lock(&m));
	must(pthread_mutex_consistent(&m));
	must(pthread_mutex_unlock(&m));
	must(pthread_mutex_destroy(&m));
}

static void robust_shared(void)
{
	pthread_mutex_t *m = shared(sizeof(*m));
	pthread_mutexattr_t a;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	must(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	must(pthread_mutex_init(m, &a));
	end(begin(lock_and_end, m));
	say_err(pthread_mutex_lock(m));
	must(pthread_mutex_consistent(m));
	must(pthread_mutex_unlock(m));
	say_err(pthread_mutex_destroy(m));
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int waiting;

static void *wait_on_cond(void *arg)
{
	int err = 0;

	(void)arg;
	must(pthread_mutex_lock(&held));
	waiting = 1;
	while (!err && waiting == 1)
		err = pthread_cond_wait(&cond, &held);
	if (err == EOWNERDEAD)
		must(pthread_mutex_consistent(&held));
	must(pthread_mutex_unlock(&held));
	return num(err);
}

static void *signal_and_end(void *arg)
{
	must(pthread_mutex_lock(&held));
	waiting = 2;
	must(pthread_cond_signal(&cond));
	return arg;
}

static void owner_dead_in_cond_wait(void)
{
	pthread_t t;

	make(&held, PTHREAD_MUTEX_NORMAL);
	waiting = 0;
	t = begin(wait_on_cond, NULL);
	until(&waiting, 1);
	end(begin(signal_and_end, NULL));
	say_err(end_num(t));
	must(pthread_mutex_destroy(&held));
}

const struct posix_case posix_robust[] = {
	CASE(owner_dead, "XSH pthread_mutex_lock, ERRORS [EOWNERDEAD]",
	     "EOWNERDEAD 0 0 0 0"),
	CASE(owner_dead_trylock,
	     "XSH pthread_mutex_trylock, ERRORS [EOWNERDEAD]",
	     "EOWNERDEAD EBUSY 0 0"),
	CASE(owner_dead_timedlock,
	     "XSH pthread_mutex_timedlock, ERRORS [EOWNERDEAD]",
	     "EOWNERDEAD 0 0"),
	CASE(not_recoverable,
	     "XSH pthread_mutex_lock, ERRORS [ENOTRECOVERABLE]",
	     "EOWNERDEAD 0 ENOTRECOVERABLE ENOTRECOVERABLE ENOTRECOVERABLE 0 "
	     "0"),
	CASE(consistent_of_consistent,
	     "XSH pthread_mutex_consistent, ERRORS [EINVAL]",
	     "EINVAL EINVAL EINVAL"),
	CASE(robust_unlock, "XSH pthread_mutex_unlock, ERRORS [EPERM]: robust",
	     "EPERM 0"),
	CASE(waiter_is_told,
	     "XSH pthread_mutex_lock, ERRORS [EOWNERDEAD]: a waiter", "1 2 0"),
	CASE(waiter_gives_up,
	     "XSH pthread_mutex_unlock, DESCRIPTION: permanently unusable",
	     "1 0 1"),
	CASE(several_left, "XSH pthread_mutexattr_setrobust, DESCRIPTION",
	     "EOWNERDEAD EOWNERDEAD 0 EOWNERDEAD EOWNERDEAD"),
	CASE(owner_canceled,
	     "XSH pthread_mutexattr_setrobust, DESCRIPTION: terminates",
	     "yes EOWNERDEAD"),
	CASE(robust_shared,
	     "XSH pthread_mutexattr_setrobust, DESCRIPTION: shared",
	     "EOWNERDEAD 0"),
	CASE(owner_dead_in_cond_wait,
	     "XSH pthread_cond_wait, ERRORS [EOWNERDEAD]", "EOWNERDEAD"),
	CASES_END
};
