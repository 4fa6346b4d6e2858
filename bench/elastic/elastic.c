/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One work of memory that comes and goes, by its name:
 *
 *   elastic grow N       N MiB by malloc(), a byte of each page touched
 *   elastic churn N      N times 64 MiB of 256 come and go
 *   elastic sparse N     N pages at random out of 16 GiB
 *
 * The time comes on standard output, in nanoseconds; counts come from outside
 * (elastic.py).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096u
#define MIB (1u << 20)
#define BLOCK MIB
#define BLOCKS 256
#define GONE 64
#define SPARSE (16ull << 30)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *touched(size_t size)
{
	char *p = malloc(size);

	if (!p) {
		perror("elastic: malloc");
		exit(1);
	}
	for (size_t i = 0; i < size; i += PAGE)
		p[i] = 1;
	return p;
}

static void grow(uint64_t mib)
{
	for (uint64_t i = 0; i < mib; i++)
		if (!touched(MIB)[0])
			exit(1);
}

/* A quarter of what is held, every fourth block, goes and comes again. */
static void churn(uint64_t times)
{
	static char *held[BLOCKS];

	for (int i = 0; i < BLOCKS; i++)
		held[i] = touched(BLOCK);
	for (uint64_t n = 0; n < times; n++) {
		for (int i = 0; i < GONE; i++)
			free(held[i * BLOCKS / GONE]);
		for (int i = 0; i < GONE; i++)
			held[i * BLOCKS / GONE] = touched(BLOCK);
	}
}

static void sparse(uint64_t pages)
{
	char *p = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t r = 0x9e3779b97f4a7c15u;

	if (p == MAP_FAILED) {
		perror("elastic: mmap");
		exit(1);
	}
	for (uint64_t i = 0; i < pages; i++) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		p[r % (SPARSE / PAGE) * PAGE] = 1;
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(uint64_t n);
	} works[] = {
		{ "grow", grow },
		{ "churn", churn },
		{ "sparse", sparse },
	};
	uint64_t begin = now();

	for (size_t i = 0; argc == 3 && i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(works[i].name, argv[1])) {
			works[i].run(strtoull(argv[2], NULL, 10));
			printf("%llu\n", (unsigned long long)(now() - begin));
			return 0;
		}
	fprintf(stderr, "usage: elastic NAME N\n");
	return 2;
}
