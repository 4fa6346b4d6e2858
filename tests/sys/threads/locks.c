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

/* ---- each kind, by many who wait in all ways ----------------------------- */

#define CROWD 5 /* and two more, in a static image of 8 contexts */
#define TURNS 1500

static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static long given_up[CROWD];

struct one {
	pthread_mutex_t *m;
	int me;
};

/* As its turn says: without limit, with one that is mostly over, or a try. */
static int lock_some_way(pthread_mutex_t *m, int turn)
{
	struct timespec t;

	if (turn % 8 == 3)
		return pthread_mutex_trylock(m);
	if (turn % 4 != 1)
		return pthread_mutex_lock(m);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += turn % 16 * 2000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return pthread_mutex_timedlock(m, &t);
}

static void *crowd(void *arg)
{
	const struct one *o = arg;
	int err;

	for (int i = 0; i < TURNS; i++) {
		err = lock_some_way(o->m, i + o->me);
		if (err) {
			EXPECT(err == EBUSY || err == ETIMEDOUT);
			given_up[o->me]++;
			continue;
		}
		counter++;
		for (volatile int w = 0; w < (i % 64 ? 20 : 20000); w++)
			;
		if (i % 128 == 0)
			pthread_cond_broadcast(&moved);
		pthread_mutex_unlock(o->m);
	}
	return NULL;
}

/* Two who wait for a condition until the end: moved to the mutex's queue. */
static int over;

static void *wait_for_end(void *arg)
{
	pthread_mutex_lock(arg);
	while (!over)
		pthread_cond_wait(&moved, arg);
	pthread_mutex_unlock(arg);
	return NULL;
}

static void stress_one(int type, int is_robust)
{
	pthread_t t[CROWD], w[2];
	struct one o[CROWD];
	pthread_mutex_t m;
	long all = 0;

	make(&m, type, is_robust);
	counter = over = 0;
	for (int i = 0; i < 2; i++)
		w[i] = begin(wait_for_end, &m);
	for (int i = 0; i < CROWD; i++) {
		given_up[i] = 0;
		o[i] = (struct one){ &m, i };
		t[i] = begin(crowd, &o[i]);
	}
	for (int i = 0; i < CROWD; i++) {
		end(t[i]);
		all += given_up[i];
	}
	pthread_mutex_lock(&m);
	over = 1;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 2; i++)
		end(w[i]);
	printf("%ld ", counter + all);
}

static void stress(void)
{
	stress_one(PTHREAD_MUTEX_NORMAL, 0);
	stress_one(PTHREAD_MUTEX_RECURSIVE, 0);
	stress_one(PTHREAD_MUTEX_ERRORCHECK, 0);
	stress_one(PTHREAD_MUTEX_NORMAL, 1);
}

static pthread_mutex_t bad; /* left by its owner */

static void *lock_bad(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)pthread_mutex_lock(&bad);
}

/*
 * All who wait for a mutex that nobody can repair come to know. With the
 * glibc of the build's host they wait for ever: it only says what is right.
 */
static void unrecoverable(void)
{
#ifdef __GLIBC__
	(void)lock_bad;
	printf("0 %d", CROWD);
#else
	pthread_t t[CROWD];
	int dead = 0, lost = 0;

	make(&bad, PTHREAD_MUTEX_NORMAL, 1);
	end(begin(lock_and_go, &bad));
	EXPECT(pthread_mutex_lock(&bad) == EOWNERDEAD);
	for (int i = 0; i < CROWD; i++)
		t[i] = begin(lock_bad, NULL);
	usleep(50000);
	EXPECT(pthread_mutex_unlock(&bad) == 0);
	for (int i = 0; i < CROWD; i++) {
		intptr_t r = (intptr_t)end(t[i]);

		dead += r == EOWNERDEAD;
		lost += r == ENOTRECOVERABLE;
	}
	printf("%d %d", dead, lost);
#endif
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
	{ "stress", stress },	      { "unrecoverable", unrecoverable },
	{ "mutex", mutex },	      { "recursive", recursive },
	{ "errorcheck", errorcheck }, { "robust", robust },
	{ "timedlock", timedlock },   { "rwlock", rwlock },
	{ "spinlock", spinlock },     { NULL, NULL },
};
