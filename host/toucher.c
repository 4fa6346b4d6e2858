/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hints are words in shared memory, which nobody signals: so the thread looks
 * again and again while the program grows, and sleeps when it has not done so
 * for a while. A call to populate, which comes where nobody looks, wakes it.
 */
#include "host/toucher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "host/signals.h"

#define PAGE SGX_PAGE_SIZE
#define LOOK_NS 20000	     /* between two looks */
#define AWAKE_NS 30000000ull /* without a hint, and it sleeps */
#define END_SECONDS 2

/**
 * struct host_ahead - the thread, and what it shares
 * @lock: over all but @shared's words
 * @may: there may be a thread
 * @runs: there is one
 * @wanted: it is to look
 * @over: it is to end
 */
struct host_ahead {
	const struct edmm_host *host;
	struct wire_ahead *shared;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool may;
	bool runs;
	bool wanted;
	bool over;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool over(const struct host_ahead *a)
{
	return __atomic_load_n(&a->over, __ATOMIC_ACQUIRE);
}

static void pause_a_little(void)
{
	const struct timespec t = { .tv_nsec = LOOK_NS };

	nanosleep(&t, NULL);
}

/* The enclave's word is bounded for the host's own good. */
static void serve(const struct host_ahead *a, uint64_t hint)
{
	uint64_t off = hint & ~(PAGE - 1), size = (hint & (PAGE - 1)) * PAGE;

	if (!size || off >= a->host->size || size > a->host->size - off)
		return;
	while (!host_populate_try(a->host->base + off, size) && !over(a))
		pause_a_little();
}

/* Return: there was one. */
static bool look(struct host_ahead *a)
{
	bool any = false;

	for (int i = 0; i < WIRE_AHEAD_SLOTS && !over(a); i++) {
		uint64_t hint = __atomic_exchange_n(&a->shared->hint[i], 0,
						    __ATOMIC_ACQ_REL);

		if (!hint)
			continue;
		serve(a, hint);
		__atomic_store_n(&a->shared->done[i], hint, __ATOMIC_RELEASE);
		any = true;
	}
	return any;
}

/* Until nothing has come for a while. */
static void look_on(struct host_ahead *a)
{
	uint64_t last = now();

	__atomic_store_n(&a->shared->open, 1, __ATOMIC_RELEASE);
	while (!over(a) && now() - last < AWAKE_NS) {
		if (look(a))
			last = now();
		else
			pause_a_little();
	}
	__atomic_store_n(&a->shared->open, 0, __ATOMIC_RELEASE);
	(void)look(a); /* told meanwhile */
}

static void *ahead_main(void *arg)
{
	struct host_ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->over) {
		if (!a->wanted) {
			pthread_cond_wait(&a->wake, &a->lock);
			continue;
		}
		a->wanted = false;
		pthread_mutex_unlock(&a->lock);
		look_on(a);
		pthread_mutex_lock(&a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Beside one that computes inside. */
static bool second_processor(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1;
}

struct host_ahead *host_ahead_new(const struct edmm_host *h, bool thread)
{
	struct host_ahead *a = calloc(1, sizeof(*a));
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!a || p == MAP_FAILED) {
		if (p != MAP_FAILED)
			munmap(p, PAGE);
		free(a);
		return NULL;
	}
	a->host = h;
	a->shared = p;
	a->may = thread && second_processor();
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	return a;
}

struct wire_ahead *host_ahead_shared(struct host_ahead *a)
{
	return a->shared;
}

void host_ahead_wake(struct host_ahead *a)
{
	if (!a || !a->may ||
	    __atomic_load_n(&a->shared->open, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&a->lock);
	a->wanted = true;
	if (!a->runs && !a->over)
		a->runs = !host_signals_thread(&a->thread, NULL, ahead_main, a);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

/* The program's end may have been a jump out of host_ahead_wake(). */
static bool tell_end(struct host_ahead *a)
{
	__atomic_store_n(&a->over, true, __ATOMIC_RELEASE);
	for (int i = 0; pthread_mutex_trylock(&a->lock); i++) {
		if (i == 1000)
			return false;
		pause_a_little();
	}
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	return true;
}

bool host_ahead_end(struct host_ahead *a, bool alone)
{
	struct timespec until;

	if (!a)
		return true;
	if (!tell_end(a))
		return false;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_SECONDS;
	if (a->runs && pthread_timedjoin_np(a->thread, NULL, &until))
		return false;
	if (alone) {
		munmap(a->shared, PAGE);
		free(a);
	}
	return true;
}
