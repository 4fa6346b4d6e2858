/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mremap() that moves and the break that falls: whatever they answer, each byte
 * that the program still has is right. Status 0, or 9 for a wrong byte.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define OLD (16 * PAGE)
#define NEW (64 * PAGE)
#define WRONG 9

static int all_are(const char *p, int v, size_t size)
{
	return p[0] == v && memcmp(p, p + 1, size - 1) == 0;
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	return p;
}

static void move(void)
{
	/* The lower one has a neighbour, so that it cannot grow. */
	char *above = map(OLD), *p = map(OLD), *q;

	memset(above, 1, OLD);
	memset(p, 2, OLD);
	q = mremap(p, OLD, NEW, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		q = p;
	if (!all_are(q, 2, OLD) || !all_are(above, 1, OLD))
		_exit(WRONG);
}

static void lower(void)
{
	char *p = sbrk(OLD), *now;

	if (p == (char *)-1)
		return;
	memset(p, 3, OLD);
	now = sbrk(-(long)OLD + PAGE) == (void *)-1 ? p + OLD : p + PAGE;
	if (!all_are(p, 3, (size_t)(now - p)))
		_exit(WRONG);
	if (now == p + PAGE && sbrk(PAGE) == now && !all_are(now, 0, PAGE))
		_exit(WRONG);
}

int main(void)
{
	move();
	lower();
	puts("right");
	return 0;
}
