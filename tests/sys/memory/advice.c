/* SPDX-License-Identifier: BSD-3-Clause */
/* madvise() and msync() of every kind of mapping, and over what is none. */
#include "tests/sys/memory/memory.h"

static const int harmless[] = {
	MADV_NORMAL,   MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
	MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP,   MADV_DODUMP,
};

/* Advice that there never was. */
static const int unknown[] = { 5, 6, 7, 26, 77, 99, 104, 1000, -1 };

static void each(const char *what, unsigned char *p, size_t size)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		printf("%s, advice %d: %d\n", what, harmless[i],
		       madvise(p, size, harmless[i]) ? errno : 0);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		printf("%s, advice %d: %d\n", what, unknown[i],
		       madvise(p, size, unknown[i]) ? errno : 0);
}

static void anonymous(void)
{
	unsigned char *p = map(64 * P, RW);

	memset(p, 7, 64 * P);
	each("anonymous", p, 8 * P);
	printf("kept: %d\n", p[7]);
	mprotect(p, 16 * P, PROT_READ);
	mprotect(p + 16 * P, 16 * P, PROT_NONE);
	say("over rights of each kind", madvise(p, 40 * P, MADV_DONTNEED));
	zeros("read", p, 16 * P);
	can("read", p);
	can("none", p + 16 * P);
	say("to read", mprotect(p + 16 * P, 16 * P, PROT_READ));
	zeros("none", p + 16 * P, 16 * P);
	zeros("read and write", p + 32 * P, 8 * P);
	printf("what is behind: %d\n", p[40 * P]);
	p[32 * P] = 1;
	printf("written again: %d\n", p[32 * P]);
	say("freed", madvise(p + 48 * P, 4 * P, MADV_FREE));
	p[48 * P] = 9;
	printf("written after that: %d\n", p[48 * P]);
	say("removed", madvise(p, P, MADV_REMOVE));
}

static void holes(void)
{
	unsigned char *p = map(16 * P, RW);

	memset(p, 7, 16 * P);
	munmap(p + 4 * P, 4 * P);
	say("over a hole", madvise(p + 2 * P, 8 * P, MADV_DONTNEED));
	printf("before, behind: %d %d %d %d\n", p[P], p[2 * P], p[8 * P],
	       p[10 * P]);
	each("over a hole", p + 2 * P, 8 * P);
	say("of a hole", madvise(p + 4 * P, P, MADV_DONTNEED));
	say("msync over a hole", msync(p + 2 * P, 8 * P, MS_SYNC));
	say("msync of a hole", msync(p + 4 * P, P, MS_ASYNC));
	say("msync", msync(p, P, MS_SYNC | MS_INVALIDATE));
	say("msync of both kinds", msync(p, P, MS_SYNC | MS_ASYNC));
	say("msync of no kind", msync(p, P, 0));
	say("msync of an unknown kind", msync(p, P, 64));
	say("msync, unaligned", msync(p + 1, P, MS_SYNC));
	say("msync of nothing", msync(p, 0, MS_SYNC));
}

static void arguments(void)
{
	unsigned char *p = map(4 * P, RW);

	memset(p, 7, 4 * P);
	say("unaligned", madvise(p + 1, P, MADV_DONTNEED));
	say("no bytes", madvise(p, 0, MADV_DONTNEED));
	say("no bytes, unknown", madvise(p, 0, 99));
	say("a part of a page", madvise(p, 100, MADV_DONTNEED));
	printf("a part of a page: %d %d\n", p[0], p[P]);
	say("too much", madvise(p, (size_t)-1, MADV_DONTNEED));
	say("around the end", madvise(p, (size_t)-8192, MADV_DONTNEED));
	say("nowhere", madvise((void *)(P * 16), P, MADV_NORMAL));
	printf("posix: %d\n", posix_madvise(p + P, P, POSIX_MADV_DONTNEED));
}

/* What is in a file is there again; what others share stays. */
static void private_file(void)
{
	int fd = file_of(4);
	unsigned char *p = mmap(NULL, 4 * P, RW, MAP_PRIVATE, fd, 0);

	p[0] = p[P] = p[2 * P + 5] = 'X';
	each("private file", p, 4 * P);
	mprotect(p + 2 * P, P, PROT_READ);
	say("dropped", madvise(p, 3 * P, MADV_DONTNEED));
	printf("private file: %c %c %c %c\n", p[0], p[P], p[2 * P + 5],
	       p[3 * P]);
	can("its rights", p + 2 * P);
	p[0] = 'Z';
	if (pwrite(fd, "W", 1, 1) != 1)
		puts("pwrite");
	say("dropped", madvise(p, P, MADV_DONTNEED));
	printf("written in between: %c%c\n", p[0], p[1]);
	say("freed", madvise(p, P, MADV_FREE));
	say("removed", madvise(p, P, MADV_REMOVE));
	close(fd);
	p[0] = 'Y';
	munmap(p + P, P);
	say("closed, dropped", madvise(p, P, MADV_DONTNEED));
	printf("closed: %c %c\n", p[0], p[2 * P]);
	munmap(p, 4 * P);
	can("gone", p + 2 * P);
}

static void shared_file(void)
{
	int fd = file_of(2);
	unsigned char *p = mmap(NULL, 2 * P, PROT_READ, MAP_SHARED, fd, 0);

	each("shared file", p, 2 * P);
	say("dropped", madvise(p, 2 * P, MADV_DONTNEED));
	printf("shared file: %c %c\n", p[0], p[P]);
	say("freed", madvise(p, P, MADV_FREE));
	say("msync", msync(p, 2 * P, MS_SYNC));
	can("shared file", p);
	close(fd);
}

static void shared_anonymous(void)
{
	unsigned char *p =
		mmap(NULL, 4 * P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(p, 5, 4 * P);
	each("shared anonymous", p, 4 * P);
	say("dropped", madvise(p, P, MADV_DONTNEED));
	printf("shared anonymous: %d\n", p[0]);
	say("freed", madvise(p, P, MADV_FREE));
	say("removed", madvise(p + P, P, MADV_REMOVE));
	printf("shared anonymous: %d %d %d\n", p[0], p[P], p[2 * P]);
}

int main(void)
{
	catch_faults();
	anonymous();
	holes();
	arguments();
	private_file();
	shared_file();
	shared_anonymous();
	return 0;
}
