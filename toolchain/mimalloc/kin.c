/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What malloc(3) and its kin promise, and mimalloc 2.0.9 does not keep: ENOMEM
 * for a size that overflows, and alignments of 256 to 1,024 bytes, where it
 * takes blocks for aligned by nature that begin 384 bytes into their page.
 * These go by the entry that looks.
 */
#include <errno.h>
#include <malloc.h>

static void on_error(int err, void *arg)
{
	(void)arg;
	errno = err == EOVERFLOW ? ENOMEM : err;
}

__attribute__((constructor(101))) static void begin(void)
{
	mi_register_error(on_error, NULL);
	mi_option_set(mi_option_eager_commit, false);
	mi_option_set(mi_option_decommit_delay, WAIT);
	mi_option_set(mi_option_abandoned_page_decommit, true);
}

void *malloc(size_t size)
{
	return mi_malloc(size);
}

void free(void *p)
{
	free_scavenging(p);
}

void *realloc(void *p, size_t size)
{
	return realloc_growing(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
	return mi_reallocarray(p, count, size);
}

size_t malloc_usable_size(void *p)
{
	return mi_usable_size(p);
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
	bool gone;

	(void)pad;
	mi_collect(true);
	gone = pass();
	gone |= pass();
	return (syscall(CALL_NR_HEAP_TRIM, 0L, 0L) > 0) | gone;
}
