/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread pointer and the runtime's record, which GS leads to, stay what
 * they are while others take the processor: for some hundred switches, by a
 * clock that is read inside. GS is read while alignment is checked, as a host
 * may have it in a gate.
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

static void *record(void)
{
	void *p;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "pushfq\n\t"
			 "orl $0x40000, (%%rsp)\n\t"
			 "popfq\n\t"
			 "mov %%gs:0, %0\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=r"(p)
			 :
			 : "memory", "cc");
	return p;
}

int main(int argc, char **argv)
{
	double end = seconds() + (argc > 1 ? atof(argv[1]) : 1);
	void *p = thread_pointer(), *r = record(), *e = &errno;
	unsigned long n = 0;

	do {
		for (int i = 0; i < 1000000; i++) {
			if (thread_pointer() == p && &errno == e &&
			    record() == r)
				continue;
			printf("another base after %lu reads\n", n);
			return 1;
		}
		n += 1000000;
	} while (seconds() < end);
	return 0;
}
