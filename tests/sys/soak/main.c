/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	soak SECONDS SEED [HANG]
 *
 * Eight workers for SECONDS; then each block and page is looked at, and no
 * thread but the first is left. One whose action takes more than HANG seconds
 * is told with all the others' last actions. Exit status: 0, 1 (something was
 * wrong), 3 (a deadlock).
 */
#include "tests/sys/soak/soak.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE 400

struct worker soak_workers[WORKERS];
__thread struct worker *soak_self;
struct soak_counts soak_counts;
static bool stop;

static void say(const char *line, int size)
{
	if (write(1, line, (size_t)size) != size)
		_exit(4);
}

_Noreturn void soak_fail(const char *file, int line, const char *format, ...)
{
	const struct worker *w = soak_self;
	char text[LINE];
	va_list ap;
	int n;

	n = snprintf(text, LINE / 2, "soak: %s:%d, %s %d in step %llu (%s): ",
		     strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line,
		     w ? "worker" : "thread", w ? (int)w->number : 0,
		     w ? (unsigned long long)w->steps : 0, w ? w->doing : "-");
	va_start(ap, format);
	n += vsnprintf(text + n, (size_t)(LINE - 1 - n), format, ap);
	va_end(ap);
	n = n < LINE - 1 ? n : LINE - 2;
	text[n++] = '\n';
	say(text, n);
	_exit(1);
}

/* ---- workers ------------------------------------------------------------ */

static const struct action *const lists[] = { heap_actions, map_actions,
					      thread_actions, wait_actions,
					      signal_actions };
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static uint64_t all_weights(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LISTS; i++)
		for (const struct action *a = lists[i]; a->name; a++)
			sum += a->weight;
	return sum;
}

static const struct action *drawn(uint64_t at)
{
	for (size_t i = 0; i < LISTS; i++)
		for (const struct action *a = lists[i]; a->name; a++) {
			if (at < a->weight)
				return a;
			at -= a->weight;
		}
	abort();
}

static void doing(struct worker *w, const char *what)
{
	__atomic_store_n(&w->doing, what, __ATOMIC_RELAXED);
	__atomic_store_n(&w->steps, w->steps + 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const uint64_t weights = all_weights();

	soak_self = w;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		const struct action *a = drawn(soak_draw(&w->seed, weights));

		doing(w, a->name);
		a->act(w);
	}
	doing(w, "the last look");
	heap_end(w);
	map_end(w);
	doing(w, "exit");
	return w;
}

/* ---- the first thread --------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void deadlock(void)
{
	char text[LINE];

	for (unsigned int i = 0; i < WORKERS; i++) {
		const struct worker *w = &soak_workers[i];

		say(text, snprintf(text, LINE,
				   "soak: worker %u is in step %llu: %s\n", i,
				   (unsigned long long)w->steps, w->doing));
	}
	_exit(3);
}

/* Each of them goes on, until all are past @until. */
static void watch(double until, double hang)
{
	const struct timespec pause = { 0, 50000000 };
	uint64_t seen[WORKERS] = { 0 };
	double since[WORKERS], t;

	for (unsigned int i = 0; i < WORKERS; i++)
		since[i] = now();
	while ((t = now()) < until) {
		for (unsigned int i = 0; i < WORKERS; i++) {
			const uint64_t steps = __atomic_load_n(
				&soak_workers[i].steps, __ATOMIC_RELAXED);

			if (steps != seen[i])
				since[i] = t;
			else if (t - since[i] > hang)
				deadlock();
			seen[i] = steps;
		}
		nanosleep(&pause, NULL);
	}
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < WORKERS; i++)
		if (strcmp(__atomic_load_n(&soak_workers[i].doing,
					   __ATOMIC_RELAXED),
			   "exit"))
			return false;
	return true;
}

static void end(double hang)
{
	const double until = now() + hang;
	const struct timespec ms = { 0, 1000000 };

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	while (!all_done()) {
		if (now() > until)
			deadlock();
		nanosleep(&ms, NULL);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		pthread_t t = soak_workers[i].thread;

		HOLDS(pthread_join(t, NULL) == 0);
	}
	wait_end();
	thread_end();
	signal_end();
	heap_end_shared();
}

static void tell(void)
{
	const struct soak_counts *c = &soak_counts;

	printf("soak: ok: %llu blocks (%llu refused), %llu mappings (%llu), "
	       "%llu faults, %llu threads (%llu), %llu cancelled, "
	       "%llu waits, %llu signals (%llu)\n",
	       (unsigned long long)c->blocks,
	       (unsigned long long)c->refused_blocks,
	       (unsigned long long)c->regions,
	       (unsigned long long)c->refused_regions,
	       (unsigned long long)c->faults, (unsigned long long)c->threads,
	       (unsigned long long)c->refused_threads,
	       (unsigned long long)c->cancelled, (unsigned long long)c->waits,
	       (unsigned long long)c->signals,
	       (unsigned long long)c->refused_signals);
}

int main(int argc, char **argv)
{
	double seconds, hang;
	uint64_t seed;

	if (argc < 3) {
		fprintf(stderr, "usage: soak SECONDS SEED [HANG]\n");
		return 2;
	}
	seconds = atof(argv[1]);
	seed = strtoull(argv[2], NULL, 0);
	hang = argc > 3 ? atof(argv[3]) : 60;
	signal_begin();
	map_begin();
	thread_begin();
	wait_begin();
	printf("soak: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct worker *w = &soak_workers[i];

		w->number = i;
		w->doing = "start";
		w->seed = (seed + i + 1) * 0x9e3779b97f4a7c15u;
		HOLDS(pthread_create(&w->thread, NULL, work, w) == 0);
	}
	watch(now() + seconds, hang);
	end(hang);
	tell();
	return 0;
}
