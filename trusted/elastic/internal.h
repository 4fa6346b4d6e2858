/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside trusted/elastic: what the heap's files share. */
#ifndef TRUSTED_ELASTIC_INTERNAL_H
#define TRUSTED_ELASTIC_INTERNAL_H

#include "trusted/elastic/heap.h"

#define HEAP_PAGE EMM_PAGE
#define HEAP_WINDOW_MIN (64u << 10)
#define HEAP_WINDOW_MAX (4u << 20)

static inline uint64_t heap_round(uint64_t size)
{
	return (size + HEAP_PAGE - 1) & ~(uint64_t)(HEAP_PAGE - 1);
}

static inline uint64_t heap_addr(const struct heap *h, uint64_t at)
{
	return h->base + at * HEAP_PAGE;
}

static inline uint64_t heap_index(const struct heap *h, uint64_t addr)
{
	return (addr - h->base) / HEAP_PAGE;
}

/*
 * Commits the words of the bit maps for [at, at + count), so that the lock's
 * holder meets no fault; those of locks only where there are any.
 */
EDMM_NODISCARD edmm_err heap_ready(struct heap *h, uint64_t at, uint64_t count);

/* Lets a range count towards the maximum, or not any more. */
EDMM_NODISCARD edmm_err heap_charge(struct heap *h, uint64_t addr,
				    uint64_t size);
void heap_uncharge(struct heap *h, uint64_t addr, uint64_t size);

/* With the lock held: bytes mapped. The break's part is taken as a whole. */
static inline uint64_t heap_mapped_now(const struct heap *h)
{
	return h->map.nused * HEAP_PAGE - (h->brk_end - h->brk_base) +
	       (heap_round(h->brk_now) - h->brk_base);
}

/* With the lock held: whether there is a new peak to tell. */
void heap_note_peak(struct heap *h);

/*
 * Pages of [addr, end) that are in the enclave and the program's to touch
 * without a fault: committed, and so zeroed, before anyone can.
 */
EDMM_NODISCARD edmm_err heap_revive(struct heap *h, uint64_t addr,
				    uint64_t end);

/* Free ranges must not hold what mapped ones are entitled to. */
void heap_make_room(struct heap *h, uint64_t addr, uint64_t size);

static inline uint64_t heap_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t heap_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
