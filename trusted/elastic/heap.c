/* SPDX-License-Identifier: BSD-3-Clause */
#include "trusted/elastic/heap.h"

#include "trusted/elastic/internal.h"

/* The break serves malloc's records: little, and rarely given back. */
#define BRK_SHARE 64u
#define BRK_MAX (256ull << 20)
#define BRK_WINDOW (64u << 10)
#define IDLE_MIN (4ull << 20)

static edmm_err map_bits(struct heap *h, uint64_t top, uint64_t bytes,
			 uint64_t **out)
{
	struct emm_alloc a = {
		.addr = top - bytes,
		.size = bytes,
		.flags = EMM_ON_DEMAND | EMM_FIXED,
		.prot = EMM_RW,
	};

	*out = (uint64_t *)a.addr;
	return emm_alloc(h->emm, &a, NULL);
}

static edmm_err start_brk(struct heap *h, uint64_t base, uint64_t size)
{
	struct emm_alloc a = {
		.addr = base,
		.size = size,
		.flags = EMM_ON_DEMAND | EMM_FIXED,
		.prot = EMM_RW,
	};

	h->brk_base = h->brk_now = h->brk_ahead = base;
	h->brk_end = base + size;
	return emm_alloc(h->emm, &a, NULL);
}

edmm_err heap_init(struct heap *h, const struct heap_params *p)
{
	uint64_t pages = p->size / HEAP_PAGE;
	uint64_t bits = heap_round(vmap_bytes(pages));
	uint64_t brk = heap_round(p->size / BRK_SHARE);
	uint64_t top = p->base + p->size - 2 * bits;
	uint64_t *used, *charged;
	edmm_err err;

	if (p->size < 8 * HEAP_PAGE || bits > p->size / 4)
		return -EDMM_ENOMEM;
	if (brk > BRK_MAX)
		brk = BRK_MAX;
	*h = (struct heap){
		.emm = p->emm,
		.base = p->base,
		.max = p->max,
		.wx = p->wx,
		.free_max = p->free_max,
		.free_percent = p->free_percent,
		.windows = { HEAP_WINDOW_MIN, HEAP_WINDOW_MAX },
		.told = p->told,
		.free_min = p->init > IDLE_MIN ? p->init : IDLE_MIN,
		.arena_end = p->base,
		.ahead = p->base,
	};
	if (p->window) {
		h->windows.window_max = p->window;
		if (p->window < HEAP_WINDOW_MIN)
			h->windows.window_min = p->window;
	}
	err = map_bits(h, top + bits, bits, &used);
	if (!err)
		err = map_bits(h, top + 2 * bits, bits, &charged);
	if (!err)
		err = start_brk(h, top - brk, brk);
	if (err)
		return err;
	vmap_init(&h->map, used, charged, (top - p->base) / HEAP_PAGE);
	pages = brk / HEAP_PAGE;
	err = heap_ready(h, h->map.pages - pages, pages);
	if (!err)
		vmap_take(&h->map, h->map.pages - pages, pages);
	return err;
}

bool heap_owns(const struct heap *h, uint64_t addr, uint64_t size)
{
	return addr >= h->base && size <= h->map.pages * HEAP_PAGE &&
	       addr - h->base <= h->map.pages * HEAP_PAGE - size;
}

/*
 * Commits the words of both bit maps that stand for a run, so that the lock's
 * holder meets no fault.
 */
edmm_err heap_ready(struct heap *h, uint64_t at, uint64_t count)
{
	uint64_t *maps[2] = { h->map.used, h->map.charged };
	uint64_t from, to;
	edmm_err err = 0;
	int i;

	for (i = 0; i < 2 && !err; i++) {
		from = (uint64_t)&maps[i][at / 64] & ~(HEAP_PAGE - 1);
		to = heap_round((uint64_t)&maps[i][(at + count + 63) / 64]);
		err = emm_commit(h->emm, from, to - from, NULL);
	}
	return err;
}

/* The next run of the arena that nobody has mapped, from *at on. */
static uint64_t next_free(struct heap *h, uint64_t *at)
{
	uint64_t end = heap_index(h, h->arena_end), count = 0;

	rt_lock(&h->lock);
	if (*at < h->map.low)
		count = vmap_next_free(&h->map, at, h->map.low);
	if (count == 0 && *at < end)
		count = end - *at;
	rt_unlock(&h->lock);
	return count;
}

bool heap_relieve(struct heap *h)
{
	uint64_t before = emm_committed(h->emm);
	uint64_t at = 0, count;

	while ((count = next_free(h, &at)) > 0) {
		if (emm_uncommit_now(h->emm, heap_addr(h, at),
				     count * HEAP_PAGE, NULL) != 0)
			break;
		at += count;
	}
	if (h->ahead > heap_addr(h, h->map.low))
		h->ahead = heap_addr(h, h->map.low);
	return emm_committed(h->emm) < before;
}

static bool absent(struct heap *h, uint64_t page)
{
	struct emm_run run;

	return emm_query(h->emm, page, page + HEAP_PAGE, &run) == 0 &&
	       run.state == EMM_PG_UNCOMMITTED;
}

/*
 * Commits up to @to, and a window ahead where the zone has room. The first
 * page is left to a fault: musl makes it a guard, which costs nothing while
 * it is absent. In a static image it never is: no fault would zero it.
 */
static edmm_err commit_brk(struct heap *h, uint64_t to)
{
	uint64_t from = h->brk_ahead, end = to + BRK_WINDOW;
	edmm_err err;

	if (to <= from)
		return 0;
	if (end > h->brk_end)
		end = h->brk_end;
	if (from == h->brk_base && absent(h, from))
		from += HEAP_PAGE;
	err = emm_commit(h->emm, from, end - from, NULL);
	if (!err)
		h->brk_ahead = end;
	return err;
}

/* Gives back what was committed from @to on: it is zero when it comes again. */
static void cut_brk(struct heap *h, uint64_t to)
{
	if (emm_uncommit_now(h->emm, to, h->brk_ahead - to, NULL) == 0)
		h->brk_ahead = to;
	else /* the host keeps some of it */
		__builtin_memset((void *)to, 0, h->brk_ahead - to);
}

uint64_t heap_brk(struct heap *h, uint64_t addr)
{
	uint64_t now = heap_round(h->brk_now), to = heap_round(addr);

	if (addr < h->brk_base || addr > h->brk_end)
		return h->brk_now;
	if (to > now) {
		if (heap_charge(h, now, to - now) != 0)
			return h->brk_now;
		if (commit_brk(h, to) != 0) {
			heap_uncharge(h, now, to - now);
			return h->brk_now;
		}
	} else if (to < now) {
		cut_brk(h, to);
		heap_uncharge(h, to, now - to);
	}
	h->brk_now = addr;
	return addr;
}
