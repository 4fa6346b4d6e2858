/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread pointer stays what it is while others take the processor: for
 * some hundred switches, by a clock that is read inside.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *thread_pointer(void)
{
	void *p;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(p));
	return p;
}

int main(int argc, char **argv)
{
	double end = seconds() + (argc > 1 ? atof(argv[1]) : 1);
	void *p = thread_pointer(), *e = &errno;
	unsigned long n = 0;

	do {
		for (int i = 0; i < 1000000; i++) {
			if (thread_pointer() == p && &errno == e)
				continue;
			printf("another thread pointer after %lu reads\n", n);
			return 1;
		}
		n += 1000000;
	} while (seconds() < end);
	return 0;
}
