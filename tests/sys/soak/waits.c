/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting: a server that answers each worker, who waits without a limit, so
 * that one wake-up that is lost is the end; locks over pairs of numbers.
 */
#include "tests/sys/soak/soak.h"

#include <errno.h>
#include <time.h>

#define LOCKS 4
#define QUEUE 4u
#define FACTOR 0x9e3779b97f4a7c15u

struct request {
	struct worker *from;
	uint64_t value;
	bool by_cond;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more, room, told;
	struct request item[QUEUE];
	unsigned int first, count;
	bool stop;
	pthread_t thread;
} q;

static struct pair {
	pthread_mutex_t lock;
	uint64_t a, b;
} pairs[LOCKS];
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t rw_a, rw_b;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static uint64_t generation;
static sem_t places;

static struct request taken(void)
{
	struct request r = { 0 };

	pthread_mutex_lock(&q.lock);
	while (!q.count && !q.stop)
		pthread_cond_wait(&q.more, &q.lock);
	if (q.count) {
		r = q.item[q.first];
		q.first = (q.first + 1) % QUEUE;
		q.count--;
		pthread_cond_signal(&q.room);
	}
	pthread_mutex_unlock(&q.lock);
	return r;
}

static void *serve(void *arg)
{
	struct request r;

	while ((r = taken()).from) {
		r.from->reply = r.value * FACTOR;
		if (!r.by_cond) {
			sem_post(&r.from->answered);
			continue;
		}
		pthread_mutex_lock(&q.lock);
		r.from->told = true;
		pthread_cond_broadcast(&q.told);
		pthread_mutex_unlock(&q.lock);
	}
	return arg;
}

static void ask_server(struct worker *w, bool by_cond)
{
	struct request r = { w, soak_next(&w->seed), by_cond };

	pthread_mutex_lock(&q.lock);
	while (q.count == QUEUE)
		pthread_cond_wait(&q.room, &q.lock);
	q.item[(q.first + q.count++) % QUEUE] = r;
	pthread_cond_signal(&q.more);
	while (by_cond && !w->told)
		pthread_cond_wait(&q.told, &q.lock);
	w->told = false;
	pthread_mutex_unlock(&q.lock);
	while (!by_cond && sem_wait(&w->answered))
		HOLDS(errno == EINTR);
	HOLDS(w->reply == r.value * FACTOR);
	soak_count(&soak_counts.waits);
}

static void by_sem(struct worker *w)
{
	ask_server(w, false);
}

static void by_cond(struct worker *w)
{
	ask_server(w, true);
}

static struct timespec in_us(uint64_t us)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += (long)us * 1000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static int take(struct worker *w, pthread_mutex_t *m)
{
	struct timespec t;

	switch (soak_draw(&w->seed, 8)) {
	case 0:
		return pthread_mutex_trylock(m);
	case 1:
		t = in_us(soak_draw(&w->seed, 500));
		return pthread_mutex_timedlock(m, &t);
	default:
		return pthread_mutex_lock(m);
	}
}

static void locks(struct worker *w)
{
	struct pair *p = &pairs[soak_draw(&w->seed, LOCKS)];
	int err = take(w, &p->lock);

	if (err) {
		HOLDS(err == EBUSY || err == ETIMEDOUT);
		return;
	}
	HOLDS(p->a == p->b);
	p->a++;
	for (uint64_t n = soak_draw(&w->seed, 200); n; n--)
		__asm__ volatile("pause");
	p->b++;
	HOLDS(p->a == p->b);
	HOLDS(pthread_mutex_unlock(&p->lock) == 0);
}

static void rwlock(struct worker *w)
{
	if (soak_draw(&w->seed, 4)) {
		HOLDS(pthread_rwlock_rdlock(&rw) == 0);
		HOLDS(rw_a == rw_b);
	} else {
		HOLDS(pthread_rwlock_wrlock(&rw) == 0);
		HOLDS(rw_a == rw_b);
		rw_a++;
		__asm__ volatile("" ::: "memory");
		rw_b++;
	}
	HOLDS(pthread_rwlock_unlock(&rw) == 0);
}

static void gates(struct worker *w)
{
	const struct timespec until = in_us(soak_draw(&w->seed, 2000));
	const bool opens = soak_draw(&w->seed, 2);
	int err = 0;

	pthread_mutex_lock(&pairs[0].lock);
	if (opens) {
		generation++;
		pthread_cond_broadcast(&gate);
	} else {
		const uint64_t was = generation;

		while (generation == was && !err)
			err = pthread_cond_timedwait(&gate, &pairs[0].lock,
						     &until);
		HOLDS(err == 0 || err == ETIMEDOUT);
	}
	pthread_mutex_unlock(&pairs[0].lock);
}

static unsigned int inside;

/* No more than there are places. */
static void rooms(struct worker *w)
{
	while (sem_wait(&places))
		HOLDS(errno == EINTR);
	HOLDS(__atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL) <= 2);
	for (uint64_t n = soak_draw(&w->seed, 100); n; n--)
		__asm__ volatile("pause");
	__atomic_fetch_sub(&inside, 1, __ATOMIC_ACQ_REL);
	sem_post(&places);
}

void wait_begin(void)
{
	static const int types[LOCKS] = { PTHREAD_MUTEX_NORMAL,
					  PTHREAD_MUTEX_RECURSIVE,
					  PTHREAD_MUTEX_ERRORCHECK,
					  PTHREAD_MUTEX_NORMAL };
	pthread_mutexattr_t attr;

	for (int i = 0; i < LOCKS; i++) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_settype(&attr, types[i]);
		if (i == LOCKS - 1)
			pthread_mutexattr_setrobust(&attr,
						    PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(&pairs[i].lock, &attr);
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		sem_init(&soak_workers[i].answered, 0, 0);
	sem_init(&places, 0, 2);
	pthread_mutex_init(&q.lock, NULL);
	pthread_cond_init(&q.more, NULL);
	pthread_cond_init(&q.room, NULL);
	pthread_cond_init(&q.told, NULL);
	HOLDS(pthread_create(&q.thread, NULL, serve, NULL) == 0);
}

void wait_end(void)
{
	pthread_mutex_lock(&q.lock);
	q.stop = true;
	pthread_cond_signal(&q.more);
	pthread_mutex_unlock(&q.lock);
	HOLDS(pthread_join(q.thread, NULL) == 0);
	for (int i = 0; i < LOCKS; i++)
		HOLDS(pairs[i].a == pairs[i].b);
}

const struct action wait_actions[] = {
	{ "wait for a semaphore", by_sem, 30 },
	{ "wait for a condition", by_cond, 30 },
	{ "mutex", locks, 100 },
	{ "rwlock", rwlock, 30 },
	{ "timed wait", gates, 10 },
	{ "sem_wait", rooms, 30 },
	{ 0 },
};
