/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More threads than an image has contexts: made, joined, made again. Natively
 * and in an enclave of one context the same words.
 */
#include "tests/sys/threads/futex.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_STACK (1u << 20) /* bytes of stack */
#define PAIRS 10000
#define JOINS 1000
#define CROWD 64
#define MAKERS 4
#define ROUNDS 50
#define DEEP 16384
#define QUEUE 70

static pthread_barrier_t crowd;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int failed;

static void check(int err, const char *what)
{
	if (!err)
		return;
	failed = 1;
	printf("%s: %s\n", what, strerror(err));
}

static void *same(void *arg)
{
	return arg;
}

/* One after the other: each has its own number, and its answer. */
static void pairs(intptr_t count)
{
	pthread_t t;
	void *got;
	int good = 0;

	for (intptr_t i = 0; i < count; i++) {
		int err = pthread_create(&t, NULL, same, (void *)i);

		check(err, "create");
		if (err)
			break;
		check(pthread_join(t, &got), "join");
		good += got == (void *)i;
	}
	printf("pairs %d\n", good);
}

/* All are there at a time, each with a stack of its own. */
static void *meet(void *arg)
{
	volatile char own[DEEP];

	memset((char *)own, (int)(intptr_t)arg, sizeof(own));
	pthread_barrier_wait(&crowd);
	for (size_t i = 0; i < sizeof(own); i++)
		if (own[i] != (char)(intptr_t)arg)
			return NULL;
	pthread_barrier_wait(&crowd);
	return (void *)((intptr_t)arg + 1);
}

static void at_once(void)
{
	pthread_t t[CROWD];
	void *got;
	int good = 0;

	pthread_barrier_init(&crowd, NULL, CROWD);
	for (intptr_t i = 0; i < CROWD; i++) {
		check(pthread_create(&t[i], NULL, meet, (void *)i), "create");
		/* The others would wait for it for ever. */
		if (failed)
			exit(1);
	}
	for (intptr_t i = 0; i < CROWD; i++) {
		check(pthread_join(t[i], &got), "join");
		good += got == (void *)(i + 1);
	}
	printf("at once %d\n", good);
}

/* Several make them at a time; some are joined, and some are not. */
static void *maker(void *arg)
{
	intptr_t sum = 0;
	pthread_t t;
	void *got;

	for (intptr_t i = 0; i < ROUNDS; i++) {
		check(pthread_create(&t, NULL, same, (void *)i), "create");
		if (i % 5 == 4) {
			check(pthread_detach(t), "detach");
			continue;
		}
		check(pthread_join(t, &got), "join");
		sum += (intptr_t)got;
	}
	return (void *)(sum + (intptr_t)arg);
}

static void makers(void)
{
	pthread_t t[MAKERS];
	intptr_t sum = 0;
	void *got;

	for (intptr_t i = 0; i < MAKERS; i++)
		check(pthread_create(&t[i], NULL, maker, (void *)i), "create");
	for (int i = 0; i < MAKERS; i++) {
		check(pthread_join(t[i], &got), "join");
		sum += (intptr_t)got;
	}
	printf("makers %ld\n", (long)sum);
}

/* Two end at once, whom two join, and then nobody ends any more. */
static void *joins(void *arg)
{
	void *got;

	check(pthread_join(*(pthread_t *)arg, &got), "join of another");
	return got;
}

/* For ever, if the optimiser did not know better. */
static int below(int n)
{
	volatile char room[1000];

	room[0] = (char)n;
	return n ? below(n + 1) + room[0] : 0;
}

static void *overflows(void *arg)
{
	return (void *)(intptr_t)below((int)(intptr_t)arg);
}

static void overflow(void)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, SMALL_STACK);
	check(pthread_create(&t, &a, overflows, (void *)1), "create");
	check(pthread_join(t, NULL), "join");
}

static void *after(void *arg)
{
	pthread_barrier_wait(&crowd);
	return arg;
}

static void joiners(void)
{
	pthread_t one, two, b;
	intptr_t sum = 0;
	void *got;

	pthread_barrier_init(&crowd, NULL, 2);
	for (intptr_t i = 0; i < JOINS; i++) {
		check(pthread_create(&one, NULL, after, (void *)i), "create");
		check(pthread_create(&two, NULL, after, (void *)1), "create");
		check(pthread_create(&b, NULL, joins, &two), "create");
		check(pthread_join(one, &got), "join");
		sum += (intptr_t)got;
		check(pthread_join(b, &got), "join");
		sum += (intptr_t)got;
	}
	printf("joiners %ld\n", (long)sum);
}

static uint32_t at, gathered, queue_end;

/* Return: how many it has waked, at most @most, and moved. */
static long requeue(uint32_t *from, int most, uint32_t *to)
{
	return futex(from, FUTEX_CMP_REQUEUE, (uint32_t)most,
		     (const void *)(intptr_t)INT_MAX, to, 0);
}

static void *waits(void *arg)
{
	futex(&at, FUTEX_WAIT, 0, NULL, NULL, 0);
	return arg;
}

/* Of many who sleep, some are waked and the rest goes on waiting elsewhere. */
static void queue(int most)
{
	pthread_t t[QUEUE];
	long n = 0, left;

	for (int i = 0; i < QUEUE; i++)
		check(pthread_create(&t[i], NULL, waits, NULL), "create");
	while (n < QUEUE) {
		n += requeue(&at, 0, &gathered);
		usleep(1000);
	}
	n = requeue(&gathered, most, &queue_end);
	left = futex(&queue_end, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	printf("queue %d: %ld, then %ld\n", most, n, left);
	for (int i = 0; i < QUEUE; i++)
		check(pthread_join(t[i], NULL), "join");
}

static void *until_open(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

/* Threads at a time until one is refused, the first among them. */
static void until_refused(int most)
{
	pthread_t *t = calloc((size_t)most, sizeof(*t));
	pthread_attr_t attr;
	int n = 0;

	check(t ? 0 : ENOMEM, "calloc");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	pthread_mutex_lock(&gate);
	while (t && n < most && !pthread_create(&t[n], &attr, until_open, NULL))
		n++;
	printf("threads %d\n", n + 1);
	pthread_mutex_unlock(&gate);
	while (n > 0)
		check(pthread_join(t[--n], NULL), "join");
	free(t);
}

/* Their contexts and stacks wait while the program does next to nothing. */
static void wait_idle(int seconds)
{
	at_once();
	for (int i = 0; i < seconds * 10; i++)
		usleep(100000);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";

	if (!*only || !strcmp(only, "pairs"))
		pairs(argc > 2 ? atoi(argv[2]) : PAIRS);
	if (!*only || !strcmp(only, "crowd"))
		at_once();
	if (!*only || !strcmp(only, "makers"))
		makers();
	if (!*only || !strcmp(only, "joiners"))
		joiners();
	if (!*only || !strcmp(only, "queue")) {
		queue(1);
		queue(64);
		queue(INT_MAX);
	}
	if (!strcmp(only, "many"))
		until_refused(argc > 2 ? atoi(argv[2]) : PAIRS);
	if (!strcmp(only, "idle"))
		wait_idle(argc > 2 ? atoi(argv[2]) : 1);
	if (!strcmp(only, "deep"))
		overflow();
	return failed;
}
