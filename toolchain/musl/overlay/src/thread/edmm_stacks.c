/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stacks of threads that have been joined are kept for the next ones, a few and
 * small ones only, as their pages are then in the enclave already: a thread
 * costs no call for its stack. The build puts them in the place of mmap() in
 * musl's pthread_create() and of munmap() in its pthread_join().
 */
#include "edmm_stacks.h"
#include "lock.h"
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define KEPT 8
#define KEPT_SIZE (256u << 10)

static struct stack {
	unsigned char *base;
	size_t size, guard;
} kept[KEPT];
static volatile int lock[1];

static unsigned char *take(size_t size, size_t guard)
{
	unsigned char *base = NULL;

	LOCK(lock);
	for (int i = 0; i < KEPT && !base; i++)
		if (kept[i].size == size && kept[i].guard == guard) {
			base = kept[i].base;
			kept[i] = (struct stack){ 0 };
		}
	UNLOCK(lock);
	return base;
}

/* The @top bytes are what has to be zero: musl's own of a thread. */
void *edmm_stack_map(size_t size, size_t guard, size_t top, int prot)
{
	unsigned char *base = take(size, guard);

	if (!base)
		return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANON, -1, 0);
	memset(base + size - top, 0, top);
	return base;
}

int edmm_stack_unmap(void *base, size_t size, size_t guard)
{
	/* With a guard, musl sets the rights of the rest anew. */
	int full = size > KEPT_SIZE || !guard;

	LOCK(lock);
	for (int i = 0; i < KEPT && !full; i++)
		if (!kept[i].base) {
			kept[i] = (struct stack){ base, size, guard };
			base = NULL;
			break;
		}
	UNLOCK(lock);
	return base ? munmap(base, size) : 0;
}
