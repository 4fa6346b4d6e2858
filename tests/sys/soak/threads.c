/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that come and go: joined, detached, cancelled where they wait. */
#include "tests/sys/soak/soak.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define DETACHED 6
#define CROWD 12

/* What a thread waits in until it is cancelled. */
enum place {
	IN_PAUSE,
	IN_SEM,
	IN_COND,
	IN_SLEEP,
	IN_READ,
	IN_TEST,
	IN_ASYNC,
	PLACES
};

struct child {
	uint64_t seed;
	enum place place;
	bool cleaned;
};

unsigned int soak_live;
static sem_t detached_left, never;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nothing = PTHREAD_COND_INITIALIZER;
static int silent[2];
static __thread uint64_t local = 7;

static void begins(void)
{
	__atomic_fetch_add(&soak_live, 1, __ATOMIC_RELAXED);
}

static void ends(void)
{
	__atomic_fetch_sub(&soak_live, 1, __ATOMIC_RELEASE);
}

static uint64_t work(uint64_t seed)
{
	struct block *b;

	HOLDS(local == 7);
	local = seed;
	b = block_new(&seed);
	sched_yield();
	block_drop(b);
	HOLDS(local != 7);
	return seed;
}

static void *joined(void *arg)
{
	struct child *c = arg;

	begins();
	c->seed = work(c->seed);
	ends();
	return c;
}

static void *detached(void *arg)
{
	begins();
	(void)work((uintptr_t)arg | 8);
	ends();
	sem_post(&detached_left);
	return NULL;
}

static void clean(void *arg)
{
	struct child *c = arg;

	c->cleaned = true;
	if (c->place == IN_COND)
		pthread_mutex_unlock(&lock);
	ends();
}

static void wait_for_ever(enum place place)
{
	struct timespec t = { 1000, 0 };
	char b;

	switch (place) {
	case IN_PAUSE:
		pause();
		break;
	case IN_SEM:
		sem_wait(&never);
		break;
	case IN_COND:
		pthread_cond_wait(&nothing, &lock);
		break;
	case IN_SLEEP:
		nanosleep(&t, NULL);
		break;
	case IN_READ:
		HOLDS(read(silent[0], &b, 1) < 0 && errno == EINTR);
		break;
	case IN_TEST:
		pthread_testcancel();
		sched_yield();
		break;
	default:
		sched_yield();
	}
}

/* Its end may come within a handler, whose signal would be lost. */
static void set_async(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}

static const char *const names[PLACES] = {
	[IN_PAUSE] = "cancel in pause",
	[IN_SEM] = "cancel in sem_wait",
	[IN_COND] = "cancel in pthread_cond_wait",
	[IN_SLEEP] = "cancel in nanosleep",
	[IN_READ] = "cancel in read",
	[IN_TEST] = "cancel by pthread_testcancel",
	[IN_ASYNC] = "asynchronous cancel",
};

static void *cancelled(void *arg)
{
	struct child *c = arg;

	begins();
	if (c->place == IN_COND)
		pthread_mutex_lock(&lock);
	pthread_cleanup_push(clean, c);
	if (c->place == IN_ASYNC)
		set_async();
	for (;;)
		wait_for_ever(c->place);
	pthread_cleanup_pop(1);
	return NULL;
}

static bool make(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *),
		 void *arg)
{
	int err = pthread_create(t, attr, fn, arg);

	if (err == EAGAIN) {
		soak_count(&soak_counts.refused_threads);
		return false;
	}
	if (err)
		FAIL("pthread_create: %d", err);
	soak_count(&soak_counts.threads);
	return true;
}

static void join(struct worker *w)
{
	struct child c = { .seed = soak_next(&w->seed) | 8 };
	const uint64_t was = c.seed;
	void *r = NULL;
	pthread_t t;

	if (!make(&t, NULL, joined, &c))
		return;
	HOLDS(pthread_join(t, &r) == 0);
	HOLDS(r == &c && c.seed != was);
}

static void detach(struct worker *w)
{
	pthread_attr_t attr;
	pthread_t t;

	if (sem_trywait(&detached_left))
		return;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!make(&t, &attr, detached, (void *)(uintptr_t)soak_next(&w->seed)))
		sem_post(&detached_left);
	pthread_attr_destroy(&attr);
}

static void cancel(struct worker *w)
{
	struct child c = { .place = (enum place)soak_draw(&w->seed, PLACES) };
	const struct timespec ms = { 0, 1000000 };
	void *r = NULL;
	pthread_t t;

	w->doing = names[c.place];
	if (!make(&t, NULL, cancelled, &c))
		return;
	if (soak_draw(&w->seed, 2))
		nanosleep(&ms, NULL);
	HOLDS(pthread_cancel(t) == 0);
	HOLDS(pthread_join(t, &r) == 0);
	HOLDS(r == PTHREAD_CANCELED);
	/* It may have been so early that it had not pushed that yet. */
	if (c.cleaned)
		soak_count(&soak_counts.cancelled);
}

void thread_begin(void)
{
	HOLDS(sem_init(&detached_left, 0, DETACHED) == 0);
	HOLDS(sem_init(&never, 0, 0) == 0);
	HOLDS(pipe(silent) == 0);
}

static void *stay(void *arg)
{
	begins();
	while (sem_wait(arg))
		;
	ends();
	return NULL;
}

/* All that may be at a time can be: none has left a context behind. */
static void crowd(void)
{
	const struct timespec ms = { 0, 1000000 };
	pthread_t t[CROWD];
	sem_t go;

	sem_init(&go, 0, 0);
	for (int i = 0, tries = 0; i < CROWD; i++)
		while (!make(&t[i], NULL, stay, &go)) {
			HOLDS(++tries < 5000);
			nanosleep(&ms, NULL);
		}
	for (int i = 0; i < CROWD; i++)
		sem_post(&go);
	for (int i = 0; i < CROWD; i++)
		HOLDS(pthread_join(t[i], NULL) == 0);
}

void thread_end(void)
{
	for (int i = 0; i < DETACHED; i++)
		while (sem_wait(&detached_left))
			HOLDS(errno == EINTR);
	crowd();
	if (__atomic_load_n(&soak_live, __ATOMIC_ACQUIRE))
		FAIL("%u threads are left", soak_live);
}

const struct action thread_actions[] = {
	{ "create and join", join, 15 },
	{ "create and detach", detach, 10 },
	{ "create and cancel", cancel, 10 },
	{ 0 },
};
