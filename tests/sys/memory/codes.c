/* SPDX-License-Identifier: BSD-3-Clause */
/* What a handler is told of an access: nothing mapped, or no such right. */
#include "tests/sys/memory/memory.h"

static void codes(const char *what, unsigned char *p)
{
	printf("%s: %d %d\n", what, try_at(p, 'r'), try_at(p, 'w'));
}

int main(void)
{
	unsigned char *p, *n, *r;

	catch_faults();
	codes("nothing", (unsigned char *)16);
	p = map(1 << 20, RW);
	n = map(P, PROT_NONE);
	r = map(P, PROT_READ);
	codes("none", n);
	codes("read", r);
	printf("data: %d\n", try_at(p, 'x'));
	memset(p, 1, 1 << 20);
	munmap(p, 1 << 20);
	codes("unmapped", p + 5000);
	printf("unmapped: %d\n", try_at(p, 'x'));
	codes("far away", p - (8ul << 30));
	p = map(4 * P, RW);
	munmap(p + P, P);
	codes("a hole", p + P);
	codes("beside it", p + 2 * P);
	munmap(n, P);
	codes("none, unmapped", n);
	p = place(4 * P);
	codes("a free place", p);
	(void)!mmap(p, P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0);
	codes("a reserved one", p);
	codes("behind it", p + P);
	codes("text", (unsigned char *)(uintptr_t)main);
	codes("not canonical", (unsigned char *)(1ul << 62));
	return 0;
}
