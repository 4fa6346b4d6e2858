/* SPDX-License-Identifier: BSD-3-Clause */
/* mremap(): rights, content and file stay, wherever the mapping goes. */
#include "tests/sys/memory/memory.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static unsigned char *remap(const char *what, void *p, size_t old, size_t size,
			    int flags, void *to)
{
	unsigned char *q = mremap(p, old, size, flags, to);

	if (q == MAP_FAILED)
		printf("%s: %d\n", what, errno);
	else
		printf("%s: %s\n", what, q == p ? "in place" : "moved");
	return q;
}

static void rights(void)
{
	unsigned char *p = map(2 * P, RW), *q;

	memset(p, 7, 2 * P);
	mprotect(p, 2 * P, PROT_READ);
	q = mremap(p, 2 * P, 256 * P, MREMAP_MAYMOVE);
	can("of read, the old part", q);
	can("of read, the new part", q + 3 * P);
	printf("kept: %d\n", q[P]);
	zeros("of read, the new part", q + 2 * P, 254 * P);
	p = map(2 * P, PROT_NONE);
	q = mremap(p, 2 * P, 256 * P, MREMAP_MAYMOVE);
	can("of none", q);
	can("of none, the new part", q + 9 * P);
	p = map(2 * P, RW);
	memset(p, 8, 2 * P);
	mprotect(p, 2 * P, PROT_NONE);
	q = mremap(p, 2 * P, 256 * P, MREMAP_MAYMOVE);
	can("of none with content", q);
	say("to read", mprotect(q, 3 * P, PROT_READ));
	printf("kept: %d %d\n", q[0], q[2 * P - 1]);
	zeros("the new part", q + 2 * P, P);
}

static void places(void)
{
	unsigned char *p = place(16 * P), *to = place(16 * P), *q;

	p = mmap(p, 4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(p, 5, 4 * P);
	q = remap("to where it is free", p, 4 * P, 8 * P, 0, NULL);
	zeros("grown", q + 4 * P, 4 * P);
	remap("smaller", p, 8 * P, 2 * P, 0, NULL);
	can("what is gone", p + 2 * P);
	(void)!mmap(p + 4 * P, P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0);
	remap("where there is no room", p, 2 * P, 8 * P, 0, NULL);
	q = remap("to there", p, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED,
		  to + P);
	printf("it is there: %d, %d\n", q == to + P, q[2 * P - 1]);
	can("what it has left", p);
	q = remap("and larger", q, 2 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_FIXED,
		  to + 8 * P);
	printf("kept: %d, %d\n", q == to + 8 * P, q[2 * P - 1]);
	zeros("and larger", q + 2 * P, 2 * P);
	q = remap("and smaller", q, 4 * P, P, MREMAP_MAYMOVE | MREMAP_FIXED,
		  to);
	can("the end", to + 9 * P);
	can("the start", to + 8 * P);
	memset(q, 6, P);
	(void)!mmap(to + P, P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0);
	memset(to + P, 4, P);
	remap("over another", q, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, to + P);
	printf("it is replaced: %d\n", to[P]);
}

static void both(void)
{
	unsigned char *p = map(4 * P, RW), *q;

	memset(p, 5, 4 * P);
	q = remap("and leave it", p, 4 * P, 4 * P,
		  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	if (q == MAP_FAILED)
		return;
	printf("there: %d\n", q[4 * P - 1]);
	zeros("here", p, 4 * P);
	can("here", p);
}

static void arguments(void)
{
	unsigned char *p = map(8 * P, RW), *to = place(8 * P);
	const int moves = MREMAP_MAYMOVE | MREMAP_FIXED;

	remap("unknown flags", p, P, P, 64, NULL);
	remap("fixed that may not move", p, P, P, MREMAP_FIXED, to);
	remap("left that may not move", p, P, P, MREMAP_DONTUNMAP, NULL);
	remap("left of another size", p, P, 2 * P,
	      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	remap("unaligned", p + 1, P, P, MREMAP_MAYMOVE, NULL);
	remap("to nothing", p, P, 0, MREMAP_MAYMOVE, NULL);
	remap("to an odd place", p, P, P, moves, to + 1);
	remap("onto itself", p, 2 * P, 2 * P, moves, p + P);
	remap("as it is", p, P, P, 0, NULL);
	munmap(p + 2 * P, P);
	remap("of a hole", p + 2 * P, P, 2 * P, MREMAP_MAYMOVE, NULL);
	remap("over a hole", p + P, 3 * P, 4 * P, MREMAP_MAYMOVE, NULL);
	mprotect(p + 4 * P, P, PROT_READ);
	remap("of two", p + 3 * P, 2 * P, 3 * P, MREMAP_MAYMOVE, NULL);
	remap("of two, shrunk", p + 3 * P, 2 * P, P, 0, NULL);
	can("the second", p + 4 * P);
}

static void files(void)
{
	int fd = file_of(6);
	unsigned char *p = mmap(NULL, 2 * P, RW, MAP_PRIVATE, fd, P), *q, *to;

	p[P] = 'X';
	q = mremap(p, 2 * P, 4 * P, MREMAP_MAYMOVE);
	printf("a file: %c %c %c %c\n", q[0], q[P], q[2 * P], q[3 * P]);
	close(fd);
	say("dropped", madvise(q, 4 * P, MADV_DONTNEED));
	printf("a file: %c %c %c %c\n", q[0], q[P], q[2 * P], q[3 * P]);
	to = place(16 * P);
	q = mremap(q + P, 2 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	printf("a file: %c %c %c\n", q[0], q[P], q[2 * P]);
	q[0] = 'Y';
	say("dropped", madvise(q, 3 * P, MADV_DONTNEED));
	printf("a file: %c %c %c\n", q[0], q[P], q[2 * P]);
}

int main(void)
{
	catch_faults();
	rights();
	places();
	both();
	arguments();
	files();
	return 0;
}
