/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory is zero when it is new, whatever was at its address. */
#include "tests/sys/memory/memory.h"

#define N (64 * P)

static unsigned char *dirty(size_t size)
{
	unsigned char *p = map(size, RW);

	memset(p, 0xaa, size);
	return p;
}

static void anew(const char *what)
{
	unsigned char *q = map(N, RW);

	zeros(what, q, N);
	munmap(q, N);
}

static void unmapped(void)
{
	unsigned char *p = dirty(N);

	munmap(p, N);
	anew("unmapped");
	p = dirty(N);
	mprotect(p, N, PROT_NONE);
	munmap(p, N);
	anew("hidden and unmapped");
	p = dirty(N);
	mprotect(p, N, PROT_READ);
	munmap(p, N);
	anew("read-only and unmapped");
	p = dirty(N);
	munmap(p, N);
	p = map(N, PROT_NONE);
	munmap(p, N);
	anew("reserved in between");
	p = dirty(N);
	munmap(p, N);
	p = map(N, PROT_NONE);
	mprotect(p, N, RW);
	zeros("reserved, then with rights", p, N);
	munmap(p, N);
}

static void dropped(void)
{
	unsigned char *p = dirty(N);

	madvise(p, N, MADV_DONTNEED);
	zeros("dropped", p, N);
	memset(p, 0xbb, N);
	mprotect(p, N, PROT_NONE);
	madvise(p, N, MADV_DONTNEED);
	mprotect(p, N, RW);
	zeros("hidden and dropped", p, N);
	memset(p, 0xcc, N);
	mprotect(p, N, PROT_READ);
	madvise(p, N, MADV_DONTNEED);
	zeros("read-only and dropped", p, N);
	can("read-only and dropped", p);
	munmap(p, N);
}

static void replaced(void)
{
	unsigned char *p = dirty(N);

	p = mmap(p + P, N - 2 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0);
	zeros("replaced", p, N - 2 * P);
	printf("beside it: %d %d\n", p[-1], p[N - 2 * P]);
	p = mmap(p, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0);
	zeros("replaced, read-only", p, P);
	munmap(p - P, N);
}

static void grown(void)
{
	unsigned char *p = dirty(N);

	munmap(p + N / 2, N / 2);
	p = mremap(p, N / 2, N, MREMAP_MAYMOVE);
	zeros("grown", p + N / 2, N / 2);
	printf("kept: %x\n", p[N / 2 - 1]);
	munmap(p, N);
}

static void of_malloc(void)
{
	unsigned char *p = malloc(1 << 20);

	memset(p, 0xee, 1 << 20);
	free(p);
	p = calloc(1, 1 << 20);
	zeros("calloc", p, 1 << 20);
	mprotect(p + 4096 - (uintptr_t)p % 4096, 4096, PROT_NONE);
	mprotect(p + 4096 - (uintptr_t)p % 4096, 4096, RW);
	free(p);
	p = calloc(1, 1 << 20);
	zeros("calloc again", p, 1 << 20);
	free(p);
}

int main(void)
{
	catch_faults();
	unmapped();
	dropped();
	replaced();
	grown();
	of_malloc();
	return 0;
}
