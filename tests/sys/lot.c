/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's half of test_lot: threads, and what they sleep on. */
#include "tests/sys/lot.h"
#include "trusted/sys/time/clocks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "host/signals.h"
#include "host/threads.h"

static struct host_threads *threads;
static int rounds = 3000;

/* Of signals nothing is used here. */
struct host_signals_self *host_signals_self(void)
{
	return NULL;
}

void host_signals_self_end(void)
{
}

void host_signals_kick(struct host_signals_self *self)
{
	(void)self;
}

pid_t host_signals_tid(const struct host_signals_self *of)
{
	(void)of;
	return 0;
}

int host_signals_thread(pthread_t *id, const pthread_attr_t *attr,
			void *(*f)(void *), void *arg)
{
	return pthread_create(id, attr, f, arg);
}

int lot_park(uint32_t context, uint64_t nanoseconds)
{
	static unsigned int n;

	/* Now and then it ends at once, for nothing. */
	if (__atomic_fetch_add(&n, 1, __ATOMIC_RELAXED) % 7 == 0)
		return 0;
	return host_threads_park(threads, context, nanoseconds);
}

void lot_unpark(uint32_t context)
{
	static unsigned int n;

	/* And a hint goes to somebody else, too. */
	if (__atomic_fetch_add(&n, 1, __ATOMIC_RELAXED) % 5 == 0)
		host_threads_unpark(threads, (context + 1) % LOT_THREADS);
	host_threads_unpark(threads, context);
}

static void nothing(void *arg, uint32_t context, void **kept)
{
	(void)arg;
	(void)context;
	(void)kept;
}

static void *run(void *arg)
{
	lot_thread((uint32_t)(uintptr_t)arg, rounds);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct host_threads_ops ops = { .run = nothing };
	pthread_t t[LOT_THREADS];
	uint64_t want;

	if (argc > 1)
		rounds = atoi(argv[1]);
	want = (uint64_t)rounds * 3 * LOT_THREADS +
	       (uint64_t)(rounds / 4) * LOT_THREADS;
	threads = host_threads_new(LOT_THREADS, 0, &ops, NULL);
	if (!threads)
		return 1;
	alarm(300);
	for (uintptr_t i = 0; i < LOT_THREADS; i++)
		if (pthread_create(&t[i], NULL, run, (void *)i))
			return 1;
	for (int i = 0; i < LOT_THREADS; i++)
		pthread_join(t[i], NULL);
	if (lot_sum() != want)
		printf("counted %lu, not %lu\n", lot_sum(), want);
	return lot_sum() != want;
}

/* Of the clocks, what a wait with a time limit wants. */
long sys_clock_now(uint64_t clock, int64_t *ns)
{
	struct timespec t;

	clock_gettime((clockid_t)clock, &t);
	*ns = t.tv_sec * 1000000000 + t.tv_nsec;
	return 0;
}

void sys_clock_stale(void)
{
}
