/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program sees of its pages: fresh mappings are zero whatever was there
 * before, and a write barrier of read-only pages sees each store.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define SIZE (64 * 4096u)
#define RW (PROT_READ | PROT_WRITE)

static volatile int seen;

static unsigned char *map(int prot)
{
	void *p = mmap(NULL, SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int dirty(const unsigned char *p)
{
	int n = 0;

	for (unsigned int i = 0; i < SIZE; i++)
		n += p[i] != 0;
	return n;
}

/* Bytes that a fresh mapping has of those that were there before it. */
static int stale(void)
{
	unsigned char *p = map(RW);
	int n;

	memset(p, 0xaa, SIZE);
	mprotect(p, SIZE, PROT_NONE);
	munmap(p, SIZE);
	p = map(RW);
	n = dirty(p);
	memset(p, 0xbb, SIZE);
	munmap(p, SIZE);
	munmap(map(PROT_NONE), SIZE);
	p = map(RW);
	n += dirty(p);
	munmap(p, SIZE);
	return n;
}

static void on_store(int signo, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;

	(void)signo;
	(void)context;
	seen++;
	mprotect((void *)page, 4096, RW);
}

/* Stores into pages that were read first; those that no handler saw. */
static int unseen(void)
{
	struct sigaction act = { .sa_sigaction = on_store,
				 .sa_flags = SA_SIGINFO };
	volatile unsigned char *p = map(PROT_READ);
	int sum = 0;

	sigaction(SIGSEGV, &act, NULL);
	for (unsigned int i = 0; i < SIZE; i += 4096)
		sum += p[i];
	for (unsigned int i = 0; i < SIZE; i += 4096)
		p[i] = 1;
	return sum + (int)(SIZE / 4096) - seen;
}

int main(int argc, char **argv)
{
	int n = argc > 1 && !strcmp(argv[1], "stale") ? stale() : unseen();

	printf("%d\n", n);
	return n != 0;
}
