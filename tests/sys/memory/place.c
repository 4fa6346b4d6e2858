/* SPDX-License-Identifier: BSD-3-Clause */
/* Where mmap() maps, what it refuses, and the break. */
#include "tests/sys/memory/memory.h"

#include <fcntl.h>
#include <sys/syscall.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char *at(const char *what, void *addr, size_t size, int flags)
{
	unsigned char *p = mmap(addr, size, RW, ANON | flags, -1, 0);

	if (p == MAP_FAILED)
		printf("%s: %d\n", what, errno);
	else
		printf("%s: %s\n", what, p == addr ? "there" : "elsewhere");
	return p;
}

static void places(void)
{
	unsigned char *p = place(32 * P), *q;

	q = at("a hint", p, 2 * P, 0);
	memset(q, 1, 2 * P);
	at("a hint where something is", p + P, 2 * P, 0);
	at("noreplace", p + 4 * P, 2 * P, MAP_FIXED_NOREPLACE);
	at("noreplace where something is", p + 5 * P, 2 * P,
	   MAP_FIXED_NOREPLACE);
	at("noreplace around something", p + 3 * P, 4 * P, MAP_FIXED_NOREPLACE);
	q = at("fixed over both", p + P, 4 * P, MAP_FIXED);
	printf("before it: %d\n", p[0]);
	zeros("fixed", q, 4 * P);
	at("fixed, unaligned", p + 100, P, MAP_FIXED);
	at("a part of a page", p + 20 * P, 100, MAP_FIXED);
	can("all of it", p + 21 * P - 1);
	can("and no more", p + 21 * P);
	say("munmap of all of it", munmap(p, 32 * P));
	can("gone", p);
	say("munmap of nothing", munmap(p, 32 * P));
	say("munmap of no bytes", munmap(p, 0));
	say("munmap, unaligned", munmap(p + 1, P));
	q = at("at its start again", p, P, MAP_FIXED);
	zeros("at its start again", q, P);
	q = at("noreserve", p + P, 4 * P, MAP_FIXED | MAP_NORESERVE);
	memset(q, 3, 4 * P);
	q = at("populated", p + 8 * P, 2 * P, MAP_FIXED | MAP_POPULATE);
	zeros("populated", q, 2 * P);
}

static void refused(const char *what, size_t size, int prot, int flags, int fd,
		    off_t off)
{
	void *p = mmap(NULL, size, prot, flags, fd, off);

	printf("%s: %d\n", what, p == MAP_FAILED ? errno : 0);
}

static void arguments(void)
{
	int fd = file_of(2), fds[2];

	refused("no bytes", 0, RW, ANON, -1, 0);
	refused("no kind", P, RW, MAP_ANONYMOUS, -1, 0);
	refused("too much", (size_t)-4096, RW, ANON, -1, 0);
	refused("all there is", (size_t)-1, RW, ANON, -1, 0);
	refused("a file, odd offset", P, RW, MAP_PRIVATE, fd, 1);
	refused("a file, no bytes", 0, RW, MAP_PRIVATE, fd, 0);
	refused("a file, no kind", P, RW, 0, fd, 0);
	refused("no file", P, RW, MAP_PRIVATE, -1, 0);
	refused("a closed file", P, RW, MAP_PRIVATE, 1000, 0);
	if (pipe(fds) == 0)
		refused("a pipe", P, PROT_READ, MAP_PRIVATE, fds[0], 0);
	refused("a folder", P, PROT_READ, MAP_PRIVATE, open("/", O_RDONLY), 0);
	refused("open for writing", P, PROT_READ, MAP_PRIVATE,
		open("/dev/null", O_WRONLY), 0);
	refused("open for reading, to be written", P, RW, MAP_SHARED,
		open("/proc/self/exe", O_RDONLY), 0);
	refused("the end of a file", 2 * P, PROT_READ, MAP_PRIVATE, fd, P);
	refused("far behind it", P, PROT_READ, MAP_PRIVATE, fd, 1l << 40);
}

static void files(void)
{
	int fd = file_of(3);
	unsigned char *p;

	if (ftruncate(fd, 2 * P + 100) != 0)
		puts("ftruncate");
	p = mmap(NULL, 3 * P, RW, MAP_PRIVATE, fd, 0);
	printf("a file: %c %c %c\n", p[0], p[P], p[2 * P]);
	zeros("behind its end", p + 2 * P + 100, P - 100);
	p[0] = 'X';
	p = mmap(p + P, P, RW, ANON | MAP_FIXED, -1, 0);
	zeros("in its middle", p, P);
	printf("beside it: %c %c\n", p[-1], p[P]);
	p = mmap(p, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	printf("a file again: %c\n", p[0]);
	can("a file again", p);
	close(fd);
}

static unsigned char *set_break(unsigned char *p)
{
	return (unsigned char *)syscall(SYS_brk, p);
}

static void the_break(void)
{
	unsigned char *start = set_break(NULL), *p;

	p = (unsigned char *)(((uintptr_t)start + P - 1) & ~(P - 1));
	printf("raised: %d\n", set_break(p + 4 * P) == p + 4 * P);
	zeros("raised", p, 4 * P);
	memset(p, 3, 4 * P);
	can("behind it", p + 4 * P);
	printf("lowered: %d\n", set_break(p + P + 10) == p + P + 10);
	can("below it", p + P);
	can("above it", p + 2 * P);
	printf("raised: %d\n", set_break(p + 3 * P) == p + 3 * P);
	zeros("raised again", p + 2 * P, P);
	printf("kept: %d\n", p[P]);
	printf("below its start: %d\n", set_break((void *)P) == p + 3 * P);
	set_break(start);
}

int main(void)
{
	catch_faults();
	places();
	arguments();
	files();
	the_break();
	return 0;
}
