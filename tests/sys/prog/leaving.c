/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program ends while threads of it compute, wait and call.
 *
 *   leaving 0 ENDS   the first thread ends it; 1: another, the first has left
 *
 * It prints a line, and its status is 7.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SIZE (1u << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ready;

static void *computes(void *arg)
{
	volatile unsigned char *p = calloc(1, SIZE);

	ready++;
	for (size_t i = 0; p; i += 64)
		p[i % SIZE]++;
	return arg;
}

static void *waits(void *arg)
{
	ready++;
	pthread_mutex_lock(&lock);
	return arg;
}

static void *calls(void *arg)
{
	const struct timespec t = { .tv_nsec = 1000 };

	ready++;
	while (getppid() >= 0)
		nanosleep(&t, NULL);
	return arg;
}

static void *ends(void *arg)
{
	while (ready < 4)
		sched_yield();
	puts("the end");
	exit(7);
	return arg;
}

int main(int argc, char **argv)
{
	static void *(*const kinds[])(void *) = { computes, waits, calls,
						  computes };
	pthread_t t;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t, NULL, kinds[i], NULL))
			return 1;
	if (argc > 1 && atoi(argv[1])) {
		if (pthread_create(&t, NULL, ends, NULL))
			return 1;
		pthread_exit(NULL);
	}
	ends(NULL);
	return 1;
}
