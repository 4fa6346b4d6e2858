/* SPDX-License-Identifier: BSD-3-Clause */
/* Cases of threads (main.c): each prints what it sees. */
#ifndef TESTS_SYS_THREADS_CASES_H
#define TESTS_SYS_THREADS_CASES_H

#include <pthread.h>
#include <stdio.h>

/* A group ends with one that has no function. */
struct threads_case {
	const char *name;
	void (*fn)(void);
};

extern const struct threads_case threads_life[], threads_locks[],
	threads_waits[], threads_signals[], threads_memory[], threads_futex[];
extern int threads_failed;

/* Prints what is not so. */
#define EXPECT(cond)                                             \
	do {                                                     \
		if (!(cond)) {                                   \
			printf("[%d: not %s]", __LINE__, #cond); \
			threads_failed = 1;                      \
		}                                                \
	} while (0)

static inline pthread_t begin(void *(*fn)(void *), void *arg)
{
	pthread_t t = { 0 };
	int err = pthread_create(&t, NULL, fn, arg);

	if (err) {
		printf("[pthread_create: %d]", err);
		threads_failed = 1;
	}
	return t;
}

static inline void *end(pthread_t t)
{
	void *r = NULL;
	int err = pthread_join(t, &r);

	if (err) {
		printf("[pthread_join: %d]", err);
		threads_failed = 1;
	}
	return r;
}

#endif
