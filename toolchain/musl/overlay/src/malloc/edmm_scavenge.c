/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of free slots go back in passes over malloc's groups. free() advises
 * it for each slot; most slots are soon allocated again, and giving one back
 * costs four transitions, having it again two and a fault. So the advice is
 * only counted, and when enough has come together, whatever is free by then
 * goes, neighbours in one range. malloc_trim() makes a pass, too.
 */
#include "call_numbers.h"
#include "mallocng/meta.h"
#include <malloc.h>

#define PASS (4u << 20) /* bytes that are freed between passes */

hidden int edmm_heap_madvise(void *addr, size_t size, int advice);

static size_t advised; /* bytes since the last pass */

/* Return: a page has gone. */
static int drop(unsigned char *from, unsigned char *to)
{
	uintptr_t a = ((uintptr_t)from + PGSZ - 1) & -(uintptr_t)PGSZ;
	uintptr_t end = (uintptr_t)to & -(uintptr_t)PGSZ;

	return a < end && __syscall(CALL_NR_HEAP_TRIM, a, end - a) > 0;
}

/* The four bytes below a slot are its own, so the next one's stay. */
static int drop_free(const struct meta *g, size_t stride)
{
	uint32_t idle = g->avail_mask | g->freed_mask;
	unsigned char *base = g->mem->storage;
	unsigned int at, next;
	int gone = 0;

	for (at = 0; at <= g->last_idx; at = next + 1) {
		for (next = at; next <= g->last_idx; next++)
			if (!(idle >> next & 1))
				break;
		if (next > at)
			gone |= drop(base + stride * at,
				     base + stride * next - IB);
	}
	return gone;
}

/* All groups that have a free slot are in the lists. */
static int pass(void)
{
	int sc, gone = 0;

	wrlock();
	for (sc = 0; sc < 48; sc++) {
		size_t stride = (size_t)UNIT * size_classes[sc];
		struct meta *head = ctx.active[sc], *g = head;

		if (stride < PGSZ || !head)
			continue;
		do {
			gone |= drop_free(g, stride);
			g = g->next;
		} while (g != head);
	}
	unlock();
	return gone;
}

int edmm_heap_madvise(void *addr, size_t size, int advice)
{
	size_t sum = __atomic_add_fetch(&advised, size, __ATOMIC_RELAXED);

	(void)addr;
	(void)advice;
	if (sum < PASS)
		return 0;
	__atomic_store_n(&advised, 0, __ATOMIC_RELAXED);
	(void)pass();
	return 0;
}

/* glibc's: what is free and idle goes back now, and 1 says that some did. */
static int trim(size_t pad)
{
	int gone = pass();

	(void)pad;
	return gone | (int)__syscall(CALL_NR_HEAP_TRIM, 0, 0);
}

/* Weak as malloc() is: a program may bring its own. */
weak_alias(trim, malloc_trim);
