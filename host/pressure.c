/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pressure is a word that moves. A thread that makes a call sees it there, and
 * what is idle goes; where none has made one since and some is idle still, all
 * are interrupted: calls that sleep begin anew without the program's knowledge,
 * and who computes looks. So are they now and then while idle memory waits to
 * decay.
 */
#include "host/pressure.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "host/signals.h"
#include "host/threads.h"

#define LOOK_MS 50u
#define PRESSED_LOOKS 8u
#define KICK_LOOKS 2u
/* Asleep so long with idle memory: it decays by half, and then to nothing. */
#define DECAY_FIRST (2500u / LOOK_MS)
#define DECAY_LAST (20000u / LOOK_MS)

/**
 * struct host_pressure - the thread
 * @lock, @wake: over @over
 * @calls: that had been made at the last look
 * @asleep: looks since one was made
 * @pressed: looks for which idle memory is still to go
 * @kicked: looks for which calls are what a kick has made
 */
struct host_pressure {
	const struct edmm_host *host;
	const struct edmm_host_watch *watch;
	struct host_threads *threads;
	struct wire_ahead *shared;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	uint64_t calls;
	uint32_t asleep;
	uint32_t pressed;
	uint32_t kicked;
};

/* By the enclave's account, which is as good as anybody's. */
static bool has_idle(const struct host_pressure *p)
{
	const struct wire_stats *s = p->host->stats;

	return s && __atomic_load_n(&s->idle, __ATOMIC_RELAXED);
}

static bool calls_made(struct host_pressure *p)
{
	uint64_t now =
		__atomic_load_n(&p->host->counts.calls, __ATOMIC_RELAXED);
	bool made = now != p->calls;

	p->calls = now;
	return made;
}

/* The calls that begin anew by it are none of the program's. */
static void kick(struct host_pressure *p)
{
	host_threads_kick_all(p->threads);
	p->kicked = KICK_LOOKS;
}

static void look(struct host_pressure *p)
{
	bool made = calls_made(p);

	if (p->kicked) {
		p->kicked--;
		made = false;
	}
	p->asleep = made ? 0 : p->asleep + 1;
	if (p->watch->pressed(p->watch->arg)) {
		__atomic_fetch_add(&p->shared->pressure, 1, __ATOMIC_RELEASE);
		p->pressed = PRESSED_LOOKS;
		return;
	}
	if (p->pressed) {
		p->pressed--;
		if (!made && !p->kicked && has_idle(p))
			kick(p);
	} else if ((p->asleep == DECAY_FIRST || p->asleep == DECAY_LAST) &&
		   has_idle(p)) {
		kick(p);
	}
}

static void *pressure_main(void *arg)
{
	struct host_pressure *p = arg;
	struct timespec until;

	pthread_mutex_lock(&p->lock);
	while (!p->over) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&p->wake, &p->lock, &until);
		if (!p->over)
			look(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct host_pressure *host_pressure_begin(const struct edmm_host *h,
					  struct host_threads *threads,
					  struct wire_ahead *shared)
{
	struct host_pressure *p;

	if (!h->watch || !h->watch->pressed || !shared)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->host = h;
	p->watch = h->watch;
	p->threads = threads;
	p->shared = shared;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	if (!host_signals_thread(&p->thread, NULL, pressure_main, p))
		return p;
	free(p);
	return NULL;
}

void host_pressure_end(struct host_pressure *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->over = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	free(p);
}
