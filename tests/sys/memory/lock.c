/* SPDX-License-Identifier: BSD-3-Clause */
/* The mlock family and mincore(). */
#include "tests/sys/memory/memory.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static unsigned char vec[64];

static void there(const char *what, unsigned char *p, size_t pages)
{
	memset(vec, 0xff, sizeof(vec));
	say(what, mincore(p, pages * P, vec));
	printf("%s: ", what);
	for (size_t i = 0; i < pages; i++)
		printf("%d", vec[i] & 1);
	puts("");
}

static void resident(void)
{
	unsigned char *p = map(8 * P, RW);

	there("untouched", p, 8);
	memset(p, 1, 8 * P);
	there("touched", p, 8);
	say("dropped", madvise(p + 2 * P, 3 * P, MADV_DONTNEED));
	there("dropped", p, 8);
	munmap(p + 5 * P, P);
	say("over a hole", mincore(p, 8 * P, vec));
	say("unaligned", mincore(p + 1, P, vec));
	say("no bytes", mincore(p, 0, vec));
	say("no bytes above all", mincore((void *)-(4 * P), 0, vec));
	say("too much", mincore(p, (size_t)-1, vec));
	p = map(4 * P, PROT_NONE);
	there("none", p, 4);
}

static void locks(void)
{
	unsigned char *p = map(8 * P, RW);

	say("mlock", mlock(p + 100, 2 * P));
	there("locked", p, 3);
	say("a locked page dropped", madvise(p, P, MADV_DONTNEED));
	say("a locked page freed", madvise(p, P, MADV_FREE));
	say("a locked page synced", msync(p, P, MS_SYNC | MS_INVALIDATE));
	say("munlock", munlock(p, 3 * P));
	say("not any more", madvise(p, P, MADV_DONTNEED));
	munmap(p + 4 * P, P);
	say("over a hole", mlock(p, 8 * P));
	say("what is before it", madvise(p + 3 * P, P, MADV_DONTNEED));
	say("what is behind it", madvise(p + 5 * P, P, MADV_DONTNEED));
	say("munlock over a hole", munlock(p, 8 * P));
	say("what is before it", madvise(p + 3 * P, P, MADV_DONTNEED));
	say("no bytes", mlock(p, 0));
	say("around the end", mlock(p, (size_t)-1));
	p = map(2 * P, PROT_NONE);
	say("none", mlock(p, P));
	say("none dropped", madvise(p, P, MADV_DONTNEED));
	say("mapped anew",
	    mmap(p, P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED);
	say("unlocked by that", madvise(p, P, MADV_DONTNEED));
}

static void by_malloc(void)
{
	char *p = malloc(65536);

	memset(p, 1, 65536);
	say("malloc's", mlock(p, 65536));
	say("malloc's", munlock(p, 65536));
	free(p);
}

static void all(void)
{
	unsigned char *p = map(2 * P, RW), *q;

	say("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
	there("locked", p, 2);
	say("dropped", madvise(p, P, MADV_DONTNEED));
	q = map(2 * P, RW);
	there("mapped since", q, 2);
	say("dropped", madvise(q, P, MADV_DONTNEED));
	say("munlockall", munlockall());
	say("dropped", madvise(p, P, MADV_DONTNEED));
	say("dropped", madvise(q, P, MADV_DONTNEED));
	q = map(2 * P, RW);
	say("dropped", madvise(q, P, MADV_DONTNEED));
	say("mlockall of nothing", mlockall(0));
	say("mlockall of more", mlockall(64));
	q = mmap(NULL, 2 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1,
		 0);
	there("mapped locked", q, 2);
	say("dropped", madvise(q, P, MADV_DONTNEED));
}

/* The lock goes with the mapping. */
static void moved(void)
{
	unsigned char *p = map(2 * P, RW), *q;

	mlock(p, 2 * P);
	q = mremap(p, 2 * P, 128 * P, MREMAP_MAYMOVE);
	there("grown", q, 3);
	say("dropped", madvise(q + 5 * P, P, MADV_DONTNEED));
}

/* What is mapped from now on is locked; what a mapping grows by is as it is. */
static void growth(void)
{
	unsigned char *p = map(600 * P, RW), *top = p + 599 * P;

	munmap(p, 600 * P);
	p = mmap(top, P, RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1,
		 0);
	printf("where it was: %d\n", p == top);
	say("mlockall for later", mlockall(MCL_FUTURE));
	say("a touch below", try_at(top - 3 * P, 'w'));
	say("what has grown dropped",
	    madvise(top - 3 * P, 3 * P, MADV_DONTNEED));
	say("munlockall", munlockall());
}

int main(void)
{
	catch_faults();
	resident();
	locks();
	by_malloc();
	all();
	moved();
	growth();
	return 0;
}
