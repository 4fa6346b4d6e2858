/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap() as mimalloc uses it, with BSD's MAP_ALIGNED, which it knows.
 *
 * What it wants to use at once is from the heap's arena: blocks of their own
 * segment, and its records. That is committed in large steps and freed lazily,
 * and can grow where it is. Its segments of many pages it reserves first,
 * without rights: so only what it then commits counts towards the maximum.
 */
#include "common/call_numbers.h"

#include <unistd.h>

#define MAP_ALIGNED(n) ((int)(n) << 24)

static void *arena(size_t size)
{
	return (void *)syscall(CALL_NR_HEAP_MMAP, NULL, size,
			       PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
}

static void *arena_aligned(size_t size, uintptr_t align)
{
	uint8_t *p = arena(size);
	size_t head;

	if (p == MAP_FAILED || (uintptr_t)p % align == 0)
		return p;
	munmap(p, size);
	p = size + align < size ? MAP_FAILED : arena(size + align);
	if (p == MAP_FAILED)
		return p;
	head = -(uintptr_t)p % align;
	if (head)
		munmap(p, head);
	munmap(p + head + size, align - head);
	return p + head;
}

/*
 * What comes back unaligned is asked for again at the aligned address below,
 * which the layer, giving from the top, has free. Mapped twice as large and
 * cut, the last segment of a small heap would not fit.
 */
static void *reserve(size_t size, uintptr_t align)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p = mmap(NULL, size, PROT_NONE, flags, -1, 0);

	if (p == MAP_FAILED || (uintptr_t)p % align == 0)
		return p;
	munmap(p, size);
	return mmap((void *)((uintptr_t)p & -align), size, PROT_NONE, flags, -1,
		    0);
}

static void *map_aligned(void *addr, size_t size, int prot, int flags, int fd,
			 off_t off)
{
	const uintptr_t align = (uintptr_t)1 << ((unsigned)flags >> 24);

	if (addr || fd >= 0)
		return mmap(addr, size, prot, flags & ((1 << 24) - 1), fd, off);
	return prot == PROT_NONE ? reserve(size, align)
				 : arena_aligned(size, align);
}

#define mmap map_aligned
