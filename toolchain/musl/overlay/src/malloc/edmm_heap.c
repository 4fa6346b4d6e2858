/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * malloc's own memory calls, by numbers of their own, so that the layer can
 * commit its memory ahead and free it lazily. The build renames the calls in
 * musl's malloc to these; a program's mmap() stays mmap().
 */
#include "call_numbers.h"
#include "syscall.h"
#include <stddef.h>
#include <sys/mman.h>

hidden void *edmm_heap_mmap(void *addr, size_t size, int prot, int flags,
			    int fd, off_t off);
hidden int edmm_heap_munmap(void *addr, size_t size);
hidden void *edmm_heap_mremap(void *addr, size_t old, size_t size, int flags,
			      ...);

void *edmm_heap_mmap(void *addr, size_t size, int prot, int flags, int fd,
		     off_t off)
{
	return (void *)syscall(CALL_NR_HEAP_MMAP, addr, size, prot, flags, fd,
			       off);
}

int edmm_heap_munmap(void *addr, size_t size)
{
	return (int)syscall(CALL_NR_HEAP_MUNMAP, addr, size);
}

void *edmm_heap_mremap(void *addr, size_t old, size_t size, int flags, ...)
{
	return (void *)syscall(CALL_NR_HEAP_MREMAP, addr, old, size, flags);
}
