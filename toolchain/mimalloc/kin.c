/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What malloc(3) and its kin promise, and mimalloc 2.0.9 does not keep: ENOMEM
 * for a size that overflows, and alignments of 256 to 1,024 bytes, where it
 * takes blocks for aligned by nature that begin 384 bytes into their page.
 * These go by the entry that looks.
 */
#include "common/call_numbers.h"

#include <errno.h>
#include <malloc.h>
#include <mimalloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE 4096u

static void on_error(int err, void *arg)
{
	(void)arg;
	errno = err == EOVERFLOW ? ENOMEM : err;
}

__attribute__((constructor)) static void begin(void)
{
	mi_register_error(on_error, NULL);
}

void *calloc(size_t count, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(count, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return mi_zalloc(all);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (alignment == 0 || alignment & (alignment - 1)) {
		errno = EINVAL;
		return NULL;
	}
	return mi_malloc_aligned_at(size, alignment, 0);
}

void *memalign(size_t alignment, size_t size)
{
	return aligned_alloc(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	const int was = errno;
	void *got;

	if (alignment % sizeof(void *) != 0)
		return EINVAL;
	got = aligned_alloc(alignment, size);
	if (!got) {
		int err = errno;

		errno = was;
		return err ? err : ENOMEM;
	}
	*p = got;
	return 0;
}

void *valloc(size_t size)
{
	return aligned_alloc(PAGE, size);
}

/* glibc's: what is free goes back now; 1: some did. */
int malloc_trim(size_t pad)
{
	(void)pad;
	mi_collect(true);
	return syscall(CALL_NR_HEAP_TRIM, 0L, 0L) > 0;
}
