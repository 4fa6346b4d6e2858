/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutexes, read-write locks, spin locks: XSH pthread_mutex_lock() and on. */
#include "tests/sys/threads/cases.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 20000

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count(void *arg)
{
	pthread_mutex_t *m = arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(m);
		counter++;
		pthread_mutex_unlock(m);
	}
	return NULL;
}

static void count_with(pthread_mutex_t *m)
{
	pthread_t t[THREADS];

	counter = 0;
	for (int i = 0; i < THREADS; i++)
		t[i] = begin(count, m);
	for (int i = 0; i < THREADS; i++)
		end(t[i]);
	printf("%ld", counter);
}

static void mutex(void)
{
	count_with(&plain);
}

static void make(pthread_mutex_t *m, int type, int robust)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	EXPECT(pthread_mutexattr_settype(&a, type) == 0);
	if (robust)
		EXPECT(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) ==
		       0);
	EXPECT(pthread_mutex_init(m, &a) == 0);
}

static void *try_it(void *arg)
{
	return (void *)(intptr_t)pthread_mutex_trylock(arg);
}

static void *unlock_it(void *arg)
{
	return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

/* PTHREAD_MUTEX_RECURSIVE: as often unlocked as locked. */
static void recursive(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_RECURSIVE, 0);
	for (int i = 0; i < 3; i++)
		EXPECT(pthread_mutex_lock(&m) == 0);
	for (int i = 0; i < 3; i++) {
		EXPECT((intptr_t)end(begin(try_it, &m)) == EBUSY);
		EXPECT(pthread_mutex_unlock(&m) == 0);
	}
	EXPECT((intptr_t)end(begin(unlock_it, &m)) == EPERM);
	printf("ok ");
	count_with(&m);
}

/* PTHREAD_MUTEX_ERRORCHECK: EDEADLK, EPERM. */
static void errorcheck(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK, 0);
	EXPECT(pthread_mutex_lock(&m) == 0);
	EXPECT(pthread_mutex_lock(&m) == EDEADLK);
	EXPECT((intptr_t)end(begin(unlock_it, &m)) == EPERM);
	EXPECT(pthread_mutex_unlock(&m) == 0);
	EXPECT(pthread_mutex_unlock(&m) == EPERM);
	count_with(&m);
}

static void *lock_and_go(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

/* A robust mutex whose owner has ended: EOWNERDEAD, then consistent. */
static void robust(void)
{
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_NORMAL, 1);
	end(begin(lock_and_go, &m));
	printf("%d ", pthread_mutex_lock(&m) == EOWNERDEAD);
	EXPECT(pthread_mutex_consistent(&m) == 0);
	EXPECT(pthread_mutex_unlock(&m) == 0);
	end(begin(lock_and_go, &m));
	EXPECT(pthread_mutex_lock(&m) == EOWNERDEAD);
	EXPECT(pthread_mutex_unlock(&m) == 0);
	printf("%d", pthread_mutex_lock(&m) == ENOTRECOVERABLE);
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *lock_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);

	return (void *)(intptr_t)pthread_mutex_timedlock(arg, &t);
}

/* pthread_mutex_timedlock: ETIMEDOUT, not before the time. */
static void timedlock(void)
{
	struct timespec from, to;
	long ms;

	pthread_mutex_lock(&plain);
	clock_gettime(CLOCK_MONOTONIC, &from);
	EXPECT((intptr_t)end(begin(lock_in_time, &plain)) == ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 +
	     (to.tv_nsec - from.tv_nsec) / 1000000;
	pthread_mutex_unlock(&plain);
	EXPECT(ms >= 29);
	EXPECT((intptr_t)end(begin(lock_in_time, &plain)) == 0);
	printf("ok");
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];

static void *read_pair(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS / 4; i++) {
		pthread_rwlock_rdlock(&rw);
		EXPECT(pair[0] == pair[1]);
		pthread_rwlock_unlock(&rw);
	}
	return NULL;
}

static void *write_pair(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS / 4; i++) {
		pthread_rwlock_wrlock(&rw);
		pair[0]++;
		pair[1]++;
		pthread_rwlock_unlock(&rw);
	}
	return NULL;
}

static void rwlock(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = begin(i % 2 ? write_pair : read_pair, NULL);
	for (int i = 0; i < 4; i++)
		end(t[i]);
	printf("%ld %ld", pair[0], pair[1]);
}

static pthread_spinlock_t spin;

static void *count_spinning(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS / 10; i++) {
		pthread_spin_lock(&spin);
		counter++;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void spinlock(void)
{
	pthread_t t;

	counter = 0;
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	t = begin(count_spinning, NULL);
	count_spinning(NULL);
	end(t);
	printf("%ld", counter);
}

const struct threads_case threads_locks[] = {
	{ "mutex", mutex },	      { "recursive", recursive },
	{ "errorcheck", errorcheck }, { "robust", robust },
	{ "timedlock", timedlock },   { "rwlock", rwlock },
	{ "spinlock", spinlock },     { NULL, NULL },
};
