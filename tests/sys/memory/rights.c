/* SPDX-License-Identifier: BSD-3-Clause */
/* Rights of pages, but for execution: what each lets, and what changes them. */
#include "tests/sys/memory/memory.h"

#include <sys/syscall.h>

static void each_right(void)
{
	unsigned char *p = map(4 * P, RW);

	memset(p, 7, 4 * P);
	can("as mapped", p);
	say("to read", mprotect(p, 2 * P, PROT_READ));
	can("read", p);
	say("to none", mprotect(p, P, PROT_NONE));
	can("none", p);
	can("its neighbour", p + P);
	say("to write", mprotect(p, P, PROT_WRITE));
	can("write", p);
	printf("kept: %d %d %d\n", p[0], p[P], p[3 * P]);
	say("none again", mprotect(p, 4 * P, PROT_NONE));
	say("all back", mprotect(p, 4 * P, RW));
	printf("kept: %d %d %d\n", p[0], p[P], p[3 * P]);
	say("munmap", munmap(p, 4 * P));
	can("gone", p);
}

static void fresh(void)
{
	unsigned char *n = map(2 * P, PROT_NONE), *r = map(2 * P, PROT_READ);

	can("fresh none", n);
	can("fresh read", r);
	zeros("fresh read", r, 2 * P);
	say("none to read", mprotect(n, P, PROT_READ));
	zeros("none to read", n, P);
	can("none to read", n);
	can("still none", n + P);
}

/* What is before the hole changes, and what is behind does not. */
static void holes(void)
{
	unsigned char *p = map(8 * P, RW);

	memset(p, 3, 8 * P);
	munmap(p + 3 * P, 2 * P);
	say("over a hole", mprotect(p + P, 6 * P, PROT_READ));
	can("before it", p + 2 * P);
	can("behind it", p + 5 * P);
	say("from a hole on", mprotect(p + 4 * P, 3 * P, PROT_READ));
	can("behind it", p + 5 * P);
}

/* By number: musl's function aligns what it is given. */
static int protect(void *p, size_t size, int prot)
{
	return (int)syscall(SYS_mprotect, p, size, prot);
}

static void arguments(void)
{
	unsigned char *p = map(2 * P, RW);

	say("no bytes", protect(p, 0, PROT_NONE));
	say("unaligned", protect(p + 1, P, PROT_NONE));
	say("a part of a page", protect(p, 1, PROT_READ));
	can("all of it", p);
	can("and no more", p + P);
	say("what is no right", protect(p, P, 0x100));
	say("too much", protect(p, (size_t)-1, PROT_READ));
	say("as much as there is", protect(p, (size_t)-4096, PROT_READ));
}

/* malloc's own memory, the stack. */
static void others(void)
{
	static unsigned char global[2 * P] __attribute__((aligned(4096)));
	unsigned char stack[4 * P], *s = stack + P - (uintptr_t)stack % P;
	unsigned char *m = aligned_alloc(P, 4 * P);

	memset(m, 9, 4 * P);
	say("malloc's", mprotect(m + P, P, PROT_READ));
	can("malloc's", m + P);
	say("malloc's", mprotect(m + P, P, RW));
	can("malloc's", m + P);
	printf("kept: %d\n", m[P]);
	free(m);
	memset(s, 5, 2 * P);
	say("the stack's", mprotect(s, P, PROT_READ));
	can("the stack's", s);
	say("the stack's", mprotect(s, P, RW));
	printf("kept: %d\n", s[0]);
	say("the image's, as they are", mprotect(global, P, RW));
	can("the image's", global);
}

int main(void)
{
	catch_faults();
	each_right();
	fresh();
	holes();
	arguments();
	others();
	return 0;
}
