/* SPDX-License-Identifier: BSD-3-Clause */
/* The same address again and again: each fault there is a right one. */
#include "tests/sys/memory/memory.h"

#define ROUNDS 3000
#define SIZE (64 * P)

static void touched(void)
{
	volatile unsigned char *p = map(P, RW);

	for (int i = 0; i < ROUNDS; i++) {
		p[0] = 1;
		madvise((void *)p, P, MADV_DONTNEED);
	}
	printf("touched and dropped: %d\n", p[0]);
}

static void mapped(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char *q = map(SIZE, RW);

		if (q[4096] != 0)
			printf("round %d: %d\n", i, q[4096]);
		q[4096] = 1;
		munmap(q, SIZE);
	}
	puts("mapped, touched and unmapped");
}

static void refused(void)
{
	unsigned char *p = map(P, PROT_READ);
	int faults = 0;

	for (int i = 0; i < ROUNDS; i++)
		faults += try_at(p, 'w') != 0;
	printf("refused: %d\n", faults);
}

static void toggled(void)
{
	volatile unsigned char *p = map(P, RW);
	int faults = 0;

	for (int i = 0; i < ROUNDS / 10; i++) {
		p[0] = 1;
		mprotect((void *)p, P, PROT_NONE);
		faults += try_at((unsigned char *)p, 'r') != 0;
		mprotect((void *)p, P, RW);
	}
	printf("toggled: %d\n", faults);
}

int main(void)
{
	catch_faults();
	touched();
	mapped();
	refused();
	toggled();
	return 0;
}
