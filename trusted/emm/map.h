/* SPDX-License-Identifier: BSD-3-Clause */
/* The page map: page number -> byte, in three levels. */
#ifndef TRUSTED_EMM_MAP_H
#define TRUSTED_EMM_MAP_H

#include "trusted/emm/lock.h"
#include "trusted/emm/page.h"

#define PAGE_SHIFT 12
#define CHUNK_SHIFT 6
#define CHUNK_PAGES 64u
#define TABLE_ENTRIES 512u
#define TOP_SHIFT 15
#define TOP_PAGES 32768u
#define TOP_FAR_MAX 256u /* pages of top entries: 16 TiB */

/* A word of the map: uniform byte at 8..15, or a reference at 32..63. */
#define E_LOCK 1ull
#define E_PTR 2ull

static inline uint64_t e_uniform(uint8_t b)
{
	return (uint64_t)b << 8;
}

static inline uint8_t e_byte(uint64_t e)
{
	return (uint8_t)(e >> 8);
}

static inline uint32_t e_ref(uint64_t e)
{
	return (uint32_t)(e >> 32);
}

/* A map entry, locked. */
struct span {
	uint64_t *e;
	uint64_t val;
	uint8_t *bytes; /* NULL: uniform */
	uint32_t first;
	uint32_t n;
	bool is_top;
	bool dirty;
};

struct op;
struct run;

/* top.c: the pages of the topmost level. */
uint64_t top_far_pages(uint32_t ntop);
void top_init(struct emm *emm, uint64_t committed, uint64_t pages);
EDMM_NODISCARD edmm_err top_ready(struct op *op, uint32_t a, uint32_t b);
uint32_t top_count(const struct emm *emm);

void map_lock(struct emm *emm, uint32_t pg, struct span *sp);
void map_unlock(struct op *op, struct span *sp);
void map_unlock_clean(struct span *sp);
void map_entry_init(struct emm *emm, uint64_t *e, uint64_t val);
EDMM_NODISCARD edmm_err span_apply(struct op *op, struct span *sp,
				   struct run *r, const uint8_t *lut);
EDMM_NODISCARD uint32_t map_tables(struct emm *emm, uint32_t a, uint32_t b);
EDMM_NODISCARD edmm_err map_reserve(struct op *op, uint32_t a, uint32_t b,
				    uint32_t cells);
EDMM_NODISCARD edmm_err map_claim(struct op *op, uint32_t a, uint32_t b,
				  uint32_t ok);
EDMM_NODISCARD bool map_change(struct op *op, uint32_t a, uint32_t b,
			       uint32_t ok, const uint8_t *lut);
EDMM_NODISCARD uint32_t map_claim_run(struct op *op, uint32_t a, uint32_t b,
				      uint32_t ok);
void map_fold_hints(struct op *op);
void map_settle(struct op *op, uint32_t a, uint32_t b, const uint8_t *lut);
void map_release(struct op *op, uint32_t upto);
void map_release_as(struct op *op, uint32_t upto, const uint8_t *lut);
void map_run(struct emm *emm, uint32_t pg, uint32_t end, uint32_t join,
	     struct run *out);

static inline bool one_chunk(uint32_t a, uint32_t b)
{
	return a >> CHUNK_SHIFT == (b - 1) >> CHUNK_SHIFT;
}

/* A page's byte in a span that is not uniform. */
static inline uint8_t *span_at(const struct span *sp, uint32_t pg)
{
	return sp->bytes + (pg & (CHUNK_PAGES - 1));
}

static inline uint8_t span_byte(const struct span *sp, uint32_t pg)
{
	return sp->bytes ? *span_at(sp, pg) : e_byte(sp->val);
}

#endif
