/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heap: which addresses of [heap_off, heap_off + heap_bound) the program
 * has, and when their pages come and go. Policy only; the memory manager
 * (edmm/emm.h) does the work and keeps the books of pages.
 *
 *	| arena ->       free       <- mappings | break -> | three bit maps |
 *
 * The arena is malloc's: one area, committed ahead in windows that grow with
 * use, freed lazily: a freed range keeps its pages as idle ones, up to a cap,
 * and they are zeroed before anyone sees them again. Its free ranges stay
 * accessible until they are trimmed, which is the named opt-out of I5: they
 * belong to malloc, whose smaller blocks behave so natively, too. What stays
 * idle is given back with time (heap_tick()).
 *
 * Mappings are the program's own: areas on demand, and access ends with
 * heap_unmap() (I5). A mapping has a tag of its maker's, and neighbours with
 * equal tags and rights are one, as the kernel's are.
 *
 * A static image's pages keep the rights that EADD gave them: read and write.
 * There the host is asked to show what is nobody's to nobody, and the rest with
 * its rights. That guards against mistakes of the program, not against a host.
 *
 * The maximum counts bytes mapped with any rights, so that what has been
 * handed out can be committed; a mapping beyond it is -ENOMEM and nothing
 * changes.
 *
 * Locks: heap.lock, over the bit maps and the counters only, with their memory
 * committed before it is taken (I4).
 */
#ifndef TRUSTED_ELASTIC_HEAP_H
#define TRUSTED_ELASTIC_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "edmm/emm.h"
#include "trusted/elastic/vmap.h"
#include "trusted/rt/rt.h"

/**
 * struct heap_params - what a heap is made of
 * @emm: the memory manager; [base, base + size) is its to give
 * @base: lowest address
 * @size: bytes of address range
 * @max: most bytes mapped at a time
 * @free_max: bytes of lazily freed memory to keep; UINT64_MAX: an eighth of
 *	what is mapped, at least @init and 4 MiB, at most 16 MiB; or more, what
 *	of late has been mapped again after as much had gone, at most half of
 *	what was mapped then
 * @free_percent: the same as a share of what is mapped; above 100: no share.
 *	The lower of both counts
 * @window: largest window of commit-ahead, whole pages; 0: 4 MiB
 * @told: NULL, or told new peaks: bytes mapped at a time, and how far malloc
 *	has come from @base on. Called with the heap's lock held
 * @refused: NULL, or told how much did not fit the maximum
 * @init: bytes from @base on that the loader has put there, idle
 * @wx: pages may be writable and executable
 * @fixed: pages are what the loader put there, so none can execute
 * @show: with @fixed: ask the host to map a range with these rights; or NULL
 */
struct heap_params {
	struct emm *emm;
	uint64_t base;
	uint64_t size;
	uint64_t max;
	uint64_t free_max;
	uint64_t free_percent;
	uint64_t init;
	uint32_t window;
	bool wx;
	bool fixed;
	void (*told)(uint64_t peak, uint64_t low);
	void (*refused)(uint64_t bytes);
	edmm_err (*show)(uint64_t addr, uint64_t size, int prot);
};

/* One to two seconds on any processor with SGX2. */
#define HEAP_DECAY (1ull << 32)

struct heap {
	struct emm *emm;
	uint64_t base;
	uint64_t max;
	uint64_t free_max; /* or UINT64_MAX */
	uint64_t free_min;
	uint64_t free_percent;
	struct emm_policy windows;
	bool wx;
	bool fixed;
	bool lock_future; /* what is mapped from now on is locked, */
	bool fill_future; /* and committed at once */
	bool arena_odd;	  /* some of the arena may not be read-write */
	struct rt_lock lock;
	struct vmap map;
	uint64_t charged; /* bytes that count towards max */
	/* Of late: the most of that, the least since, and how much of what
	 * had gone has come again. */
	uint64_t high;
	uint64_t low;
	uint64_t swing;
	uint64_t peak;	   /* most of them at a time */
	uint64_t low_peak; /* most bytes of the low side */
	uint64_t mapped_peak;
	void (*told)(uint64_t peak, uint64_t low);
	void (*refused)(uint64_t bytes);
	edmm_err (*show)(uint64_t addr, uint64_t size, int prot);
	uint64_t loaded;    /* address; the loader's pages end here */
	uint64_t arena_end; /* address; the arena's area ends here */
	uint64_t ahead;	    /* address; sequential commits have come to here */
	uint64_t brk_base;
	uint64_t brk_end;
	uint64_t brk_now;
	uint64_t brk_kept; /* above it the host has kept pages up to here */
	uint64_t decayed;  /* time stamp of the last decay, or of the start */
};

/*
 * Functions return 0 or a negated error, and on an error leave everything as
 * it was unless they say otherwise. All may leave the enclave.
 */

EDMM_NODISCARD edmm_err heap_init(struct heap *h, const struct heap_params *p);

enum heap_kind {
	HEAP_ARENA, /* malloc's: read-write, freed lazily */
	HEAP_MAP,   /* the program's own */
};

enum heap_place {
	HEAP_ANYWHERE,
	HEAP_HINT,	/* at addr if that is free, else anywhere */
	HEAP_FIXED,	/* at addr, in the place of what is there */
	HEAP_FIXED_NEW, /* at addr, -EDMM_EEXIST if something is there */
};

/**
 * struct heap_req - a mapping to make
 * @addr: for places other than ANYWHERE, page aligned
 * @size: bytes, rounded up to pages; not 0
 * @prot: enum emm_prot; write implies read
 * @kind: which policy; the arena has no places and is EMM_RW
 * @place: where
 * @now: commit all of it at once
 * @free: does not count towards the maximum, as without rights
 * @part: belongs to what is mapped already: heap_lock_future() is not for it
 * @tag: of a HEAP_MAP, kept with it
 */
struct heap_req {
	uint64_t addr;
	uint64_t size;
	int prot;
	enum heap_kind kind;
	enum heap_place place;
	bool now;
	bool free;
	bool part;
	void *tag;
};

/**
 * heap_map() - map zeroed memory
 *
 * Return: 0 with the address in @out; -EDMM_ENOMEM beyond the maximum or the
 * address range, or over malloc's memory; -EDMM_EACCES for write and execute at
 * once where the image does not allow it, and for execute in a static one;
 * -EDMM_EINVAL. When a HEAP_FIXED mapping fails after its place was cleared,
 * the place is unmapped.
 */
EDMM_NODISCARD edmm_err heap_map(struct heap *h, const struct heap_req *r,
				 uint64_t *out);

/**
 * struct heap_run - a stretch of the heap's range in which all is alike
 * @mapped: it is the program's; what follows is of such a stretch
 * @prot: rights
 * @locked: the program has locked it
 * @free: none of it counts towards the maximum
 * @arena: it is malloc's
 * @tag: as it was mapped with; NULL for malloc's and the break's
 */
struct heap_run {
	uint64_t addr;
	uint64_t size;
	bool mapped;
	int prot;
	bool locked;
	bool free;
	bool arena;
	void *tag;
};

/*
 * Rights as a mapping here can have them; adds those that others imply. Return:
 * 0; -EDMM_EINVAL; -EDMM_EACCES as heap_map().
 */
EDMM_NODISCARD edmm_err heap_prot(const struct heap *h, int *prot);

/* What is at @addr, to @end at most; both in the range, page aligned. */
void heap_look(struct heap *h, uint64_t addr, uint64_t end,
	       struct heap_run *out);

/*
 * Holes are allowed; -EDMM_EINVAL for a range that is not the heap's, or
 * touches the break's part. After another error the range is as before, but for
 * pages whose content is gone.
 */
EDMM_NODISCARD edmm_err heap_unmap(struct heap *h, uint64_t addr,
				   uint64_t size);

/* -EDMM_ENOMEM for a hole, or when new rights exceed the maximum. */
EDMM_NODISCARD edmm_err heap_protect(struct heap *h, uint64_t addr,
				     uint64_t size, int prot);

/* The content is not needed any more: the range reads as zero afterwards. */
EDMM_NODISCARD edmm_err heap_discard(struct heap *h, uint64_t addr,
				     uint64_t size);

/* Commit all pages of a mapped range that have rights. */
EDMM_NODISCARD edmm_err heap_fill(struct heap *h, uint64_t addr, uint64_t size);

/* Take note that a mapped range is locked, or is not. */
EDMM_NODISCARD edmm_err heap_lock(struct heap *h, uint64_t addr, uint64_t size,
				  bool on);

/* Whether what is mapped from now on is locked, and filled at once. */
void heap_lock_future(struct heap *h, bool lock, bool fill);

/**
 * heap_extend() - map what follows a mapping, with its rights and tag
 * @addr, @size: the mapping, all of it alike
 * @more: bytes to add
 *
 * -EDMM_ENOMEM: the addresses are taken, or beyond the maximum.
 */
EDMM_NODISCARD edmm_err heap_extend(struct heap *h, uint64_t addr,
				    uint64_t size, uint64_t more);

/**
 * heap_move() - copy what is in a mapping to where the mapping goes
 * @from, @size: mapped
 * @to: mapped with the same rights and fresh, as large at least
 *
 * Pages without content cost nothing. The source stays as it is.
 */
EDMM_NODISCARD edmm_err heap_move(struct heap *h, uint64_t from, uint64_t size,
				  uint64_t to);

/**
 * heap_resize() - grow or shrink read-write memory without a tag, as malloc's
 * @addr, @old: as it was mapped
 * @size: new size
 * @move: may move, within its kind
 */
struct heap_resize {
	uint64_t addr;
	uint64_t old;
	uint64_t size;
	bool move;
};
EDMM_NODISCARD edmm_err heap_resize(struct heap *h, const struct heap_resize *r,
				    uint64_t *out);

/* The break moves to @addr if that is possible; returns where it is. */
uint64_t heap_brk(struct heap *h, uint64_t addr);

/**
 * heap_relieve() - release what is committed but mapped by nobody
 *
 * For a shortage, also one found by a fault. Return: something was released.
 */
bool heap_relieve(struct heap *h);

/**
 * heap_yield() - others want memory: give back all that is idle or mapped by
 * nobody, in long runs; may exit
 *
 * What swung before does not count any more, so that little becomes idle anew.
 */
void heap_yield(struct heap *h);

/**
 * heap_tick() - let idle memory decay
 * @now: time stamp counter; 0 where there is none
 *
 * Each HEAP_DECAY ticks half of what has been idle all the time is given back.
 * To be called now and then; may exit.
 */
void heap_tick(struct heap *h, uint64_t now);

/* Pages of a range that are in the enclave: 1 a page in @vec, else 0. */
void heap_resident(struct heap *h, uint64_t addr, uint64_t size, uint8_t *vec);

/* Bytes that are mapped, with whatever rights, and the most so far. */
void heap_mapped(struct heap *h, uint64_t *now, uint64_t *peak);

/* Where the program's addresses begin and end; what is behind is ours. */
void heap_bounds(const struct heap *h, uint64_t *low, uint64_t *high);

/* [addr, addr + size) lies in the heap's address range. */
bool heap_owns(const struct heap *h, uint64_t addr, uint64_t size);

#endif
