/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One work of threads, N times, by its name:
 *
 *   threads NAME N
 *
 * The time that it took comes on standard output, in nanoseconds. What it costs
 * besides (exits, system calls) is counted from outside: threads.py runs it for
 * N and for 2 N, and divides the difference.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MANY 16
#define CROWD 1000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t ready;
static uint64_t rounds, shared;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "threads: %s: %s\n", what, strerror(err));
	exit(1);
}

static void make(pthread_t *t, void *(*f)(void *), void *arg)
{
	must(pthread_create(t, NULL, f, arg), "pthread_create");
}

/* Turns of a loop that the compiler keeps. */
static void work(unsigned turns)
{
	for (volatile unsigned i = 0; i < turns; i++)
		;
}

/* The time of COUNT threads that all begin at once. */
static uint64_t together(unsigned count, void *(*f)(void *))
{
	pthread_t t[MANY];
	uint64_t begin;

	must(pthread_barrier_init(&ready, NULL, count + 1), "barrier");
	for (uintptr_t i = 0; i < count; i++)
		make(&t[i], f, (void *)i);
	pthread_barrier_wait(&ready);
	begin = now();
	for (unsigned i = 0; i < count; i++)
		must(pthread_join(t[i], NULL), "pthread_join");
	return now() - begin;
}

/* A call that says nothing but what the host knows. */
static uint64_t leave(void)
{
	uint64_t begin = now();

	for (uint64_t i = 0; i < rounds; i++)
		umask(022);
	return now() - begin;
}

/* ---- create and join ---------------------------------------------------- */

static void *nothing(void *arg)
{
	return arg;
}

static uint64_t create(void)
{
	uint64_t begin = now();
	pthread_t t;

	for (uint64_t i = 0; i < rounds; i++) {
		make(&t, nothing, NULL);
		must(pthread_join(t, NULL), "pthread_join");
	}
	return now() - begin;
}

/* The thread has work for longer than the joiner looks for its end. */
static void *slow(void *arg)
{
	work(200000);
	return arg;
}

static uint64_t sleeper(void)
{
	uint64_t begin = now();
	pthread_t t;

	for (uint64_t i = 0; i < rounds; i++) {
		make(&t, slow, NULL);
		must(pthread_join(t, NULL), "pthread_join");
	}
	return now() - begin;
}

/* The joiner has work until the thread is on its way out, and never sleeps. */
static atomic_bool nearly;

static void *tell(void *arg)
{
	atomic_store(&nearly, true);
	return arg;
}

static uint64_t awake(void)
{
	uint64_t begin = now();
	pthread_t t;

	for (uint64_t i = 0; i < rounds; i++) {
		atomic_store(&nearly, false);
		make(&t, tell, NULL);
		while (!atomic_load(&nearly))
			;
		work(20000);
		must(pthread_join(t, NULL), "pthread_join");
	}
	return now() - begin;
}

/* The second number of /proc/self/statm, in bytes: what is committed. */
static uint64_t committed(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	must(!f || fscanf(f, "%*s %llu", &pages) != 1 || fclose(f),
	     "/proc/self/statm");
	return pages * 4096;
}

/* What is committed more after so many pairs than after the first ones. */
static uint64_t leak(void)
{
	const uint64_t all = rounds;
	uint64_t before;

	rounds = 100;
	create();
	(void)committed();
	before = committed();
	rounds = all;
	create();
	return committed() - before;
}

/* ---- a mutex ------------------------------------------------------------ */

static void *locker(void *arg)
{
	pthread_barrier_wait(&ready);
	for (uint64_t i = 0; i < rounds; i++) {
		pthread_mutex_lock(&mutex);
		shared++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static uint64_t contended(void)
{
	return together(2, locker);
}

static uint64_t alone(void)
{
	return together(1, locker);
}

/* The lock is held a tenth of the time. */
static void *tenth(void *arg)
{
	pthread_barrier_wait(&ready);
	for (uint64_t i = 0; i < rounds; i++) {
		pthread_mutex_lock(&mutex);
		work(500);
		pthread_mutex_unlock(&mutex);
		work(4500);
	}
	return arg;
}

static uint64_t many(void)
{
	return together(MANY, tenth);
}

/* ---- a condition variable ----------------------------------------------- */

static void *player(void *arg)
{
	const uint64_t me = (uintptr_t)arg;

	pthread_barrier_wait(&ready);
	pthread_mutex_lock(&mutex);
	for (uint64_t i = 0; i < rounds; i++) {
		while (shared % 2 != me)
			pthread_cond_wait(&cond, &mutex);
		shared++;
		pthread_cond_signal(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return arg;
}

static uint64_t pingpong(void)
{
	return together(2, player);
}

/* The same, but each thinks for longer than anybody looks for a wake-up. */
static void *thinker(void *arg)
{
	const uint64_t me = (uintptr_t)arg;

	pthread_barrier_wait(&ready);
	for (uint64_t i = 0; i < rounds; i++) {
		pthread_mutex_lock(&mutex);
		while (shared % 2 != me)
			pthread_cond_wait(&cond, &mutex);
		pthread_mutex_unlock(&mutex);
		work(500000);
		pthread_mutex_lock(&mutex);
		shared++;
		pthread_mutex_unlock(&mutex);
		pthread_cond_signal(&cond);
	}
	return arg;
}

static uint64_t asleep(void)
{
	return together(2, thinker);
}

static uint64_t waiting, turn;

static void *one_of_crowd(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (uint64_t i = 0; i < rounds; i++) {
		if (++waiting == CROWD)
			pthread_cond_signal(&cond);
		while (turn <= i)
			pthread_cond_wait((pthread_cond_t *)arg, &mutex);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static uint64_t broadcast(void)
{
	static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
	pthread_t t[CROWD];
	uint64_t begin;

	for (unsigned i = 0; i < CROWD; i++)
		make(&t[i], one_of_crowd, &go);
	begin = now();
	pthread_mutex_lock(&mutex);
	for (uint64_t i = 0; i < rounds; i++) {
		while (waiting < CROWD)
			pthread_cond_wait(&cond, &mutex);
		waiting = 0;
		turn = i + 1;
		pthread_cond_broadcast(&go);
	}
	pthread_mutex_unlock(&mutex);
	for (unsigned i = 0; i < CROWD; i++)
		must(pthread_join(t[i], NULL), "pthread_join");
	return now() - begin;
}

/* ---- malloc ------------------------------------------------------------- */

#define HELD 512

/* Blocks of 16 bytes to 8 KiB, most of them small. */
static void *churner(void *arg)
{
	static _Thread_local char *held[HELD];
	uint64_t r = 0x9e3779b97f4a7c15u + (uintptr_t)arg;

	pthread_barrier_wait(&ready);
	for (uint64_t i = 0; i < rounds; i++) {
		size_t at, size;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		at = r % HELD;
		size = 16u << (r >> 40 & 7 ? r >> 20 & 3 : r >> 20 & 7);
		free(held[at]);
		held[at] = malloc(size);
		if (!held[at])
			must(12, "malloc");
		held[at][0] = held[at][size - 1] = 1;
	}
	for (unsigned i = 0; i < HELD; i++) {
		free(held[i]);
		held[i] = NULL;
	}
	return NULL;
}

static uint64_t churn1(void)
{
	return together(1, churner);
}

static uint64_t churn2(void)
{
	return together(2, churner);
}

/* ---- the clock ---------------------------------------------------------- */

static uint64_t clock_read(void)
{
	uint64_t begin = now();

	for (uint64_t i = 0; i < rounds; i++)
		now();
	return now() - begin;
}

static const struct {
	const char *name;
	uint64_t (*run)(void);
} works[] = {
	{ "exit", leave },	    { "create", create },
	{ "sleeper", sleeper },	    { "awake", awake },
	{ "leak", leak },	    { "alone", alone },
	{ "contended", contended }, { "many", many },
	{ "pingpong", pingpong },   { "asleep", asleep },
	{ "broadcast", broadcast }, { "churn1", churn1 },
	{ "churn2", churn2 },	    { "clock", clock_read },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(works[i].name, argv[1])) {
			rounds = strtoull(argv[2], NULL, 10);
			printf("%llu\n", (unsigned long long)works[i].run());
			return 0;
		}
	fprintf(stderr, "usage: threads NAME N\n");
	return 2;
}
