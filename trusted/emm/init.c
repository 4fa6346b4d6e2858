/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An instance in its metadata region: the instance itself, op slots, zones,
 * the top of the page map, the pool, and what the top has beyond a page.
 */
#include "trusted/emm/instance.h"

#define ZONES_MAX 64u
#define THREADS_DEFAULT 32u
#define THREADS_MAX 4096u
#define PAGES_MAX 0xffff0000ull /* page numbers are 32 bits */

/* Offsets in the region, in bytes. */
struct shape {
	uint64_t slots;
	uint64_t homes;
	uint64_t zones;
	uint64_t top;
	uint64_t end;
	uint64_t far; /* bytes at the region's end */
	uint32_t nslots;
	uint32_t nzones;
	uint32_t zone_shift;
	uint32_t ntop;
};

static uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) & ~(to - 1);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Two slots a thread: a fault inside an op's hook is an op, too. */
static struct shape shape_of(uint64_t size, uint32_t threads)
{
	uint64_t pages = size >> PAGE_SHIFT;
	struct shape s = { .nslots = 4, .zone_shift = TOP_SHIFT };

	if (!threads)
		threads = THREADS_DEFAULT;
	while (s.nslots < 2 * threads && s.nslots < 2 * THREADS_MAX)
		s.nslots *= 2;
	while (pages > (uint64_t)ZONES_MAX << s.zone_shift)
		s.zone_shift++;
	s.nzones = (uint32_t)((pages + (1ull << s.zone_shift) - 1) >>
			      s.zone_shift);
	s.ntop = (uint32_t)((pages + TOP_PAGES - 1) >> TOP_SHIFT);
	s.slots = round_up(sizeof(struct emm), 128);
	s.homes = s.slots + s.nslots * sizeof(struct slot);
	s.zones = round_up(s.homes + s.nslots * sizeof(struct home), LINE);
	s.top = s.zones + s.nzones * sizeof(struct zone);
	s.far = top_far_pages(s.ntop) << PAGE_SHIFT;
	s.end = round_up(s.top + min_u64(s.ntop, TABLE_ENTRIES) *
					 sizeof(uint64_t),
			 EMM_PAGE);
	return s;
}

uint64_t emm_meta_min(uint64_t size, uint32_t threads)
{
	struct shape s = shape_of(size, threads);

	/* A tally, some cells, a table or two, and what growth keeps ahead. */
	return s.end + 9 * EMM_PAGE;
}

uint64_t emm_meta_bound(uint64_t size, uint32_t threads, uint64_t areas)
{
	/* A table each 128 MiB; an area's record and its two mixed ends. */
	return emm_meta_min(size, threads) + shape_of(size, threads).far +
	       ((size >> (TOP_SHIFT + PAGE_SHIFT)) + 1) * EMM_PAGE +
	       round_up(areas * 3 * CELL_SIZE, EMM_PAGE);
}

static bool range_bad(uint64_t base, uint64_t size)
{
	return (base | size) & (EMM_PAGE - 1) || !size || base + size < base;
}

/* What is shared: the region is the start of the user range, and no more. */
static bool own_bad(const struct emm_params *p)
{
	uint64_t meta = (uint64_t)(uintptr_t)p->meta_base;

	if (!p->meta_own || p->meta_own == p->meta_size)
		return false;
	return p->meta_own & (EMM_PAGE - 1) || p->meta_own > p->meta_size ||
	       p->meta_own < p->meta_init || meta != p->user_base ||
	       p->meta_size > p->user_size || shape_of(p->size, p->threads).far;
}

static edmm_err params_check(const struct emm_params *p,
			     const struct emm_hooks *hooks)
{
	uint64_t meta = (uint64_t)(uintptr_t)p->meta_base;

	if (range_bad(p->base, p->size) || range_bad(meta, p->meta_size) ||
	    p->size >> PAGE_SHIFT > PAGES_MAX || p->threads > THREADS_MAX)
		return -EDMM_EINVAL;
	if (p->user_size &&
	    (range_bad(p->user_base, p->user_size) || p->user_base < p->base ||
	     p->user_base + p->user_size > p->base + p->size))
		return -EDMM_EINVAL;
	if (p->meta_init > p->meta_size ||
	    p->meta_init < emm_meta_min(p->size, p->threads) ||
	    p->meta_size - emm_meta_min(p->size, p->threads) <
		    shape_of(p->size, p->threads).far ||
	    p->meta_init & (EMM_PAGE - 1) || own_bad(p))
		return -EDMM_EINVAL;
	if (!p->static_mode && (!hooks->eaccept || !hooks->emodpe ||
				!hooks->eacceptcopy || !hooks->modify))
		return -EDMM_EINVAL;
	return !hooks->wait != !hooks->wake ? -EDMM_EINVAL : 0;
}

static uint32_t page_of(const struct emm_params *p, uint64_t addr)
{
	if (addr <= p->base)
		return 0;
	if (addr >= p->base + p->size)
		addr = p->base + p->size;
	return (uint32_t)((addr - p->base) >> PAGE_SHIFT);
}

static void set_shape(struct emm *emm, const struct emm_params *p)
{
	struct shape s = shape_of(p->size, p->threads);
	uint64_t meta = (uint64_t)(uintptr_t)p->meta_base, pages;

	emm->meta = p->meta_base;
	emm->slots = (struct slot *)(void *)(emm->meta + s.slots);
	emm->homes = (struct home *)(void *)(emm->meta + s.homes);
	emm->zones = (struct zone *)(void *)(emm->meta + s.zones);
	emm->top = (uint64_t *)(void *)(emm->meta + s.top);
	emm->nslots = s.nslots;
	emm->nzones = s.nzones;
	emm->zone_shift = s.zone_shift;
	emm->ntop = s.ntop;
	emm->base = p->base;
	emm->pages = (uint32_t)(p->size >> PAGE_SHIFT);
	emm->user_hi = emm->pages;
	if (p->user_size) {
		emm->user_lo = page_of(p, p->user_base);
		emm->user_hi = page_of(p, p->user_base + p->user_size);
	}
	emm->meta_lo = page_of(p, meta);
	emm->meta_end = page_of(p, meta + p->meta_size);
	emm->meta_own =
		p->meta_own ? page_of(p, meta + p->meta_own) : emm->meta_end;
	emm->meta_hi = emm->meta_own;
	top_init(emm, p->meta_init >> PAGE_SHIFT, p->meta_size >> PAGE_SHIFT);
	pages = (p->meta_size - s.far) >> PAGE_SHIFT;
	pool_init(emm, s.end >> PAGE_SHIFT,
		  min_u64(p->meta_init >> PAGE_SHIFT, pages), pages);
}

/* The EMM's own memory, if it is in the range: an area that nobody gets. */
static edmm_err hide_meta(struct emm *emm)
{
	const struct attr attr = { .flags = A_META | EMM_SYSTEM };
	struct op op;
	edmm_err rc;

	if (emm->meta_lo >= emm->meta_own)
		return 0;
	op_begin(&op, emm);
	rc = map_reserve(&op, emm->meta_lo, emm->meta_own,
			 area_cells(emm, emm->meta_lo, emm->meta_own));
	if (!rc)
		area_put(&op, emm->meta_lo, emm->meta_own, &attr);
	op_end(&op);
	return rc;
}

void emm_set_limit(struct emm *emm, uint64_t limit)
{
	POKE(&emm->limit, limit ? limit >> PAGE_SHIFT : UINT64_MAX);
}

void emm_set_idle_max(struct emm *emm, uint64_t bytes)
{
	POKE(&emm->idle_max, bytes >> PAGE_SHIFT);
}

void emm_set_idle_share(struct emm *emm, uint32_t share)
{
	POKE(&emm->idle_share, share);
}

edmm_err emm_init(const struct emm_params *p, const struct emm_hooks *hooks,
		  struct emm **out)
{
	struct emm *emm = p->meta_base;
	edmm_err rc = params_check(p, hooks);

	if (rc)
		return rc;
	__builtin_memset(emm, 0, shape_of(p->size, p->threads).end);
	emm->hooks = *hooks;
	emm->ctx = p->ctx;
	emm->static_mode = p->static_mode;
	emm->wide = p->wide;
	set_shape(emm, p);
	emm_set_limit(emm, p->limit);
	emm_set_idle_max(emm, p->idle_max);
	emm_set_idle_share(emm, p->idle_share);
	page_init(emm->lut);
	rc = hide_meta(emm);
	if (!rc)
		*out = emm;
	return rc;
}
