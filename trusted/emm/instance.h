/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EMM's insides.
 *
 * Two structures describe the range. The *page map* (map.c) says for each page
 * what it is, in one byte; three levels, each of which can say "all of mine
 * are alike" in one word: a top entry for 128 MiB, a leaf entry for 256 KiB (a
 * chunk), a byte for a page. The *area trees* (area.c) say which addresses
 * belong to which area, one tree a zone, balanced, with the largest gap of
 * each subtree. Rights and page states are in the map only, so that a fault or
 * a permission change needs no tree, and splits no area.
 *
 * Locks, in this order, all of them spin locks held for bounded work and never
 * across a hook or a leaf (I4):
 *	zone->lock (several: ascending) > map entry (bit 0 of its word) >
 *	pool.lock
 * A page under change has PAGE_BUSY in its byte. Its owner is the op slot whose
 * [lo, hi) covers it: lo and hi move under the lock of the map entry that they
 * cross, so whoever holds that lock sees exactly one owner.
 *
 * Each metadata object is a cell of 64 bytes (area, chunk) or a page (leaf
 * table). An op takes what it could need into its slot before its first
 * effect (I3). Table pages stay tables for ever: a walker that lost a race
 * with a fold may lock an entry of a freed table, sees that the top entry has
 * changed, and starts again.
 *
 * The top entries beyond 64 GiB lie at the region's end, in pages that come in
 * with the first area among theirs (top.c). Until then one entry
 * stands for all, which says that there is nothing, and nobody changes it.
 */
#ifndef TRUSTED_EMM_INSTANCE_H
#define TRUSTED_EMM_INSTANCE_H

#include "trusted/emm/area.h"
#include "trusted/emm/map.h"
#include "trusted/emm/meta.h"
#include "trusted/emm/op.h"
#include "trusted/emm/page.h"
#include "trusted/emm/pool.h"

/* Of a leaf that faults: the page is absent yet, or its touch is adding it. */
#define PF_RETRIES 8u

struct emm {
	struct emm_hooks hooks;
	void *ctx;
	uint64_t base;
	uint32_t pages; /* of the managed range */
	uint32_t user_lo;
	uint32_t user_hi;
	uint32_t meta_lo;  /* pages out of reach; empty if not in the range */
	uint32_t meta_hi;  /* moves up and down if metadata shares its region */
	uint32_t meta_own; /* what of them an area hides */
	uint32_t meta_end; /* how far they may grow */
	uint8_t *meta;	   /* cell 0 and page 0 of the metadata region */
	uint64_t *top;	   /* the first TABLE_ENTRIES */
	uint64_t *far;	   /* by the same index, all others */
	uint32_t ntop;
	uint32_t far_taken; /* a thread brings in a page of them */
	uint64_t nothing;   /* an entry for those of pages that are not there */
	uint8_t far_there[TOP_FAR_MAX];
	struct slot *slots;
	struct home *homes;
	uint32_t nslots;
	struct zone *zones;
	uint32_t nzones;
	uint32_t zone_shift;
	bool static_mode;
	bool wide;
	uint32_t idle_share;
	uint64_t limit; /* pages; UINT64_MAX: none */
	uint64_t idle_max;
	uint8_t lut[PAGE_CHANGES][256];
	/* What is above is read by all and seldom written; each below alone. */
	struct pool pool;
	uint64_t charged __attribute__((aligned(LINE))); /* with quotas */
	uint64_t peak;
	uint64_t used_peak; /* of those that are not idle */
	uint64_t idle __attribute__((aligned(LINE))); /* pages */
	uint64_t idle_low; /* fewest since emm_decay() looked */
	uint64_t lazy_areas __attribute__((aligned(LINE)));
	uint32_t turn __attribute__((aligned(LINE))); /* owner; see turn.c */
	uint32_t turn_seq;
	uint32_t turn_waiters;
	uint32_t spin_max __attribute__((aligned(LINE)));
	uint32_t nhomes;
};

/* The entry of 128 MiB. */
static inline uint64_t *top_entry(struct emm *emm, uint32_t at)
{
	if (at < TABLE_ENTRIES)
		return &emm->top[at];
	return LOAD(&emm->far_there[at / TABLE_ENTRIES]) ? &emm->far[at]
							 : &emm->nothing;
}

/* The table that gives pages other rights. */
static inline const uint8_t *lut_rights(const struct emm *emm, int prot)
{
	return emm->lut[PAGE_RIGHTS + page_rank(prot)];
}

static inline uint64_t pg_addr(const struct emm *emm, uint32_t pg)
{
	return emm->base + ((uint64_t)pg << PAGE_SHIFT);
}

static inline void *cell_ptr(const struct emm *emm, uint32_t cell)
{
	return emm->meta + (uint64_t)cell * CELL_SIZE;
}

static inline struct area *area_ptr(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

static inline uint32_t *cell_next(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

static inline uint64_t *table_ptr(const struct emm *emm, uint32_t page)
{
	return (uint64_t *)(void *)(emm->meta + ((uint64_t)page << PAGE_SHIFT));
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

#endif
