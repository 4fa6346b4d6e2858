/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frees much, says so, and then does one thing for long, by its name: its idle
 * memory is another's to take.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define MIB (1u << 20)
#define SIZE (48u * MIB)
#define SECONDS 100

static void in_calls(void)
{
	const struct timespec t = { .tv_nsec = 1000000 };

	for (int i = 0; i < SECONDS * 500; i++)
		nanosleep(&t, NULL);
}

static void in_sums(void)
{
	volatile unsigned long n = 0;

	while (n + 1 != 0)
		n = n + 1;
}

static void in_sleep(void)
{
	const struct timespec t = { .tv_sec = SECONDS };

	nanosleep(&t, NULL);
}

static void in_read(void)
{
	char c;

	(void)!read(0, &c, 1);
}

static void in_poll(void)
{
	(void)!poll(NULL, 0, SECONDS * 1000);
}

static void in_wait(void)
{
	sem_t s;

	sem_init(&s, 0, 0);
	sem_wait(&s);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
		{ "calls", in_calls }, { "sleep", in_sleep },
		{ "read", in_read },   { "poll", in_poll },
		{ "wait", in_wait },   { "sums", in_sums },
	};
	volatile char *p = malloc(SIZE);

	if (!p)
		return 1;
	for (size_t i = 0; i < SIZE; i += PAGE)
		p[i] = 1;
	free((void *)p);
	puts("freed");
	fflush(stdout);
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, argv[1])) {
			ways[i].run();
			puts("woken"); /* nobody should have */
			return 0;
		}
	return 2;
}
