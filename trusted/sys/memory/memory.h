/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside trusted/sys/memory: what is mapped where, as Linux's calls see it, and
 * mappings of files.
 *
 * A mapping of a file has the file's content in memory of the enclave, read
 * when it is made, and the file: a descriptor of the runtime's own, which the
 * program cannot close. Where the program lets go of such pages (MADV_DONTNEED,
 * MREMAP_DONTUNMAP), they are read again. The heap keeps the mapping as a tag
 * of its addresses; it ends with the last of its pages.
 */
#ifndef TRUSTED_SYS_MEMORY_H
#define TRUSTED_SYS_MEMORY_H

#include "trusted/elastic/heap.h"
#include "trusted/sys/sys.h"

#define MEM_PAGE 4096ull
/* The first address that no program has. */
#define MEM_USER_END ((1ull << 47) - MEM_PAGE)

/* A file that is mapped: read from the host's kept descriptor. */
struct mem_file {
	uint64_t kept;
	uint64_t mappings;
};

/* What a tag of the heap's points to. */
struct mem_map {
	struct mem_map *next;  /* while it is free */
	struct mem_file *file; /* NULL: shared, anonymous */
	uint64_t delta; /* offset in the file of address 0, modulo 2^64 */
	uint64_t pages;
	bool shared;
	bool grows; /* MAP_GROWSDOWN: private, anonymous */
};

enum mem_where {
	MEM_NOTHING,
	MEM_FIXED, /* the image */
	MEM_STACK,
	MEM_HEAP,
};

/* A stretch of addresses in which all is alike. */
struct mem_run {
	uint64_t addr;
	uint64_t size;
	enum mem_where where;
	int prot;
	bool locked;
	bool free; /* does not count towards the heap's maximum */
	bool arena;
	bool grows;	     /* MAP_GROWSDOWN */
	struct mem_map *map; /* NULL: private, anonymous */
};

static inline uint64_t mem_round(uint64_t v)
{
	return (v + MEM_PAGE - 1) & ~(MEM_PAGE - 1);
}

/* Errors of the memory manager as mmap() and mprotect() have them. */
long mem_errno(edmm_err err);

/* What is at @addr, to @end at most; pages. */
void mem_look(uint64_t addr, uint64_t end, struct mem_run *out);

/**
 * mem_map_file() - a mapping of a file, for heap_req.tag
 * @fd: the program's descriptor
 * @addr: where the mapping will be
 * @off: of the file, for @addr
 *
 * It has no pages yet. Return: 0; -ENOMEM; the host's error, -ENFILE where it
 * keeps no more descriptors.
 */
long mem_map_file(uint64_t fd, uint64_t delta, bool shared,
		  struct mem_map **out);
/* Another mapping of the same, at another distance from its addresses. */
long mem_map_again(const struct mem_map *m, uint64_t delta,
		   struct mem_map **out);
/* The one mapping of shared memory without a file. */
struct mem_map *mem_map_shared(void);
/* The one of memory that grows: a tag only, mem_look() says NULL and grows. */
struct mem_map *mem_map_growing(void);

/* So many pages more, or fewer: at none it ends. NULL is allowed. */
void mem_map_more(struct mem_map *m, uint64_t pages);
void mem_map_less(struct mem_map *m, uint64_t pages);

/**
 * mem_map_read() - have the file's content in pages of a mapping
 * @prot: rights of the pages, which they have afterwards, too
 *
 * What lies behind the file's end is zero.
 */
long mem_map_read(const struct mem_map *m, uint64_t addr, uint64_t size,
		  int prot);

/* Unmap pages of the heap's, and let their mappings know. */
long mem_unmap(uint64_t addr, uint64_t size);

#endif
