/* SPDX-License-Identifier: BSD-3-Clause */
/* Condition variables, barriers, semaphores, pipes between threads. */
#include "tests/sys/threads/cases.h"

#include <errno.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 2000
#define MANY 6

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int turn;

static void *ping(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&m);
		while (turn % 2 != me)
			pthread_cond_wait(&c, &m);
		turn++;
		pthread_cond_signal(&c);
		pthread_mutex_unlock(&m);
	}
	return NULL;
}

static void ping_pong(void)
{
	pthread_t t = begin(ping, (void *)1);

	ping((void *)0);
	end(t);
	printf("%d", turn);
}

static int waiting, released;

static void *wait_released(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&m);
	waiting++;
	while (!released)
		pthread_cond_wait(&c, &m);
	waiting--;
	pthread_mutex_unlock(&m);
	return NULL;
}

/* pthread_cond_broadcast: all that wait. */
static void broadcast(void)
{
	pthread_t t[MANY];
	int n = 0;

	for (int round = 0; round < 20; round++) {
		released = 0;
		for (int i = 0; i < MANY; i++)
			t[i] = begin(wait_released, NULL);
		do {
			pthread_mutex_lock(&m);
			n = waiting;
			pthread_mutex_unlock(&m);
			sched_yield();
		} while (n < MANY);
		pthread_mutex_lock(&m);
		released = 1;
		pthread_cond_broadcast(&c);
		pthread_mutex_unlock(&m);
		for (int i = 0; i < MANY; i++)
			end(t[i]);
	}
	printf("%d", waiting);
}

static void timedwait(void)
{
	pthread_condattr_t a;
	pthread_cond_t mono;
	struct timespec t;
	int err;

	pthread_condattr_init(&a);
	EXPECT(pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0);
	pthread_cond_init(&mono, &a);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 20000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_mutex_lock(&m);
	do
		err = pthread_cond_timedwait(&mono, &m, &t);
	while (err == 0);
	pthread_mutex_unlock(&m);
	printf("%d ", err == ETIMEDOUT);
	t.tv_nsec = -1;
	pthread_mutex_lock(&m);
	printf("%d", pthread_cond_timedwait(&mono, &m, &t) == EINVAL);
	pthread_mutex_unlock(&m);
}

static pthread_barrier_t barrier;
static int steps[4], serial;

static void *meet(void *arg)
{
	int me = (int)(intptr_t)arg, r;

	for (int i = 0; i < 100; i++) {
		steps[me] = i;
		r = pthread_barrier_wait(&barrier);
		if (r == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
		for (int k = 0; k < 4; k++)
			EXPECT(steps[k] == i);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void barriers(void)
{
	pthread_t t[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (intptr_t i = 0; i < 4; i++)
		t[i] = begin(meet, (void *)i);
	for (int i = 0; i < 4; i++)
		end(t[i]);
	printf("%d", serial);
}

static sem_t full, empty;
static int slots[8], sum;

static void *consume(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		while (sem_wait(&full) != 0)
			;
		sum += slots[i % 8];
		sem_post(&empty);
	}
	return NULL;
}

static void semaphores(void)
{
	struct timespec past = { 0 };
	pthread_t t;

	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 8);
	t = begin(consume, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		while (sem_wait(&empty) != 0)
			;
		slots[i % 8] = i;
		sem_post(&full);
	}
	end(t);
	EXPECT(sem_trywait(&full) == -1 && errno == EAGAIN);
	EXPECT(sem_timedwait(&full, &past) == -1 && errno == ETIMEDOUT);
	printf("%d", sum);
}

static int fds[2];

static void *write_bytes(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		char b = (char)i;

		EXPECT(write(fds[1], &b, 1) == 1);
		if (i % 10 == 0)
			usleep(1000);
	}
	close(fds[1]);
	return NULL;
}

/* One blocks in a call while another goes on. */
static void pipes(void)
{
	int total = 0;
	pthread_t t;
	char b;

	EXPECT(pipe(fds) == 0);
	t = begin(write_bytes, NULL);
	while (read(fds[0], &b, 1) == 1)
		total += b;
	end(t);
	close(fds[0]);
	printf("%d", total);
}

static void *sleep_a_while(void *arg)
{
	(void)arg;
	usleep(100000);
	return NULL;
}

/* Sleeps do not add up. */
static void sleeps(void)
{
	struct timespec from, to;
	pthread_t t[4];

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 4; i++)
		t[i] = begin(sleep_a_while, NULL);
	for (int i = 0; i < 4; i++)
		end(t[i]);
	clock_gettime(CLOCK_MONOTONIC, &to);
	EXPECT((to.tv_sec - from.tv_sec) * 1000 +
		       (to.tv_nsec - from.tv_nsec) / 1000000 >=
	       99);
	printf("ok");
}

const struct threads_case threads_waits[] = {
	{ "ping_pong", ping_pong },   { "broadcast", broadcast },
	{ "timedwait", timedwait },   { "barriers", barriers },
	{ "semaphores", semaphores }, { "pipes", pipes },
	{ "sleeps", sleeps },	      { NULL, NULL },
};
