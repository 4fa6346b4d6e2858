/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Code that is made at run time (elastic images: others cannot run any). One
 * mapping, rights changed each way; a mapping that is executable at once;
 * memory of malloc's. With an argument it is a static image, where every
 * PROT_EXEC is EACCES and all else stays.
 */
#include "tests/sys/memory/memory.h"

#define RET 0xc3

static void change(void)
{
	unsigned char *p = map(16 * P, RW);

	memset(p, RET, 16 * P);
	printf("not yet: %d\n", try_at(p + P, 'x'));
	say("to execute", mprotect(p + P, 2 * P, RX));
	printf("runs: %d %d\n", try_at(p + P, 'x'), try_at(p + 3 * P - 1, 'x'));
	can("it", p + P);
	printf("before it: %d\n", try_at(p, 'x'));
	printf("behind it: %d\n", try_at(p + 3 * P, 'x'));
	say("to write", mprotect(p + P, 2 * P, RW));
	printf("not any more: %d\n", try_at(p + P, 'x'));
	can("it", p + P);
	say("to read", mprotect(p + P, P, PROT_READ));
	say("read to execute", mprotect(p + P, P, RX));
	printf("runs: %d\n", try_at(p + P, 'x'));
	say("execute to none", mprotect(p + P, P, PROT_NONE));
	printf("does not: %d\n", try_at(p + P, 'x'));
	say("none to execute", mprotect(p + P, P, RX));
	printf("runs: %d\n", try_at(p + P, 'x'));
	say("in many pieces", mprotect(p, 16 * P, RX));
	printf("runs: %d %d\n", try_at(p, 'x'), try_at(p + 15 * P, 'x'));
	say("munmap", munmap(p, 16 * P));
	printf("gone: %d\n", try_at(p + P, 'x'));
}

/* Untouched pages get the right, too, and new ones in their place. */
static void fresh(void)
{
	unsigned char *p =
		mmap(NULL, 4 * P, RX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	can("executable at once", p);
	say("to write", mprotect(p, P, RW));
	*p = RET;
	say("back", mprotect(p, P, RX));
	printf("runs: %d\n", try_at(p, 'x'));
	say("dropped", madvise(p, P, MADV_DONTNEED));
	zeros("dropped", p, P);
	say("to write", mprotect(p, P, RW));
	*p = RET;
	say("back", mprotect(p, P, RX));
	printf("runs: %d\n", try_at(p, 'x'));
	p = mremap(p, P, 64 * P, MREMAP_MAYMOVE);
	printf("moved, runs: %d\n", try_at(p, 'x'));
	can("moved", p + 5 * P);
}

static void of_malloc(void)
{
	unsigned char *p = aligned_alloc(P, 4 * P);

	memset(p, 1, 4 * P);
	memset(p + P, RET, P);
	say("malloc's to execute", mprotect(p + P, P, RX));
	printf("runs: %d\n", try_at(p + P, 'x'));
	printf("beside it: %d %d\n", p[0], p[2 * P]);
	say("malloc's to write", mprotect(p + P, P, RW));
	free(p);
	p = malloc(3 * P);
	memset(p, 2, 3 * P);
	free(p);
}

static void in_a_static_image(void)
{
	unsigned char *p = map(2 * P, RW);

	memset(p, RET, 2 * P);
	say("to execute", mprotect(p, P, RX));
	can("as before", p);
	printf("mmap: %d\n",
	       mmap(p, P, RX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			       MAP_FAILED
		       ? errno
		       : 0);
	printf("as before: %d\n", *p);
}

int main(int argc, char **argv)
{
	(void)argv;
	catch_faults();
	if (argc > 1) {
		in_a_static_image();
		return 0;
	}
	change();
	fresh();
	of_malloc();
	return 0;
}
