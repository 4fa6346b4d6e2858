/* SPDX-License-Identifier: BSD-3-Clause */
#include "trusted/elastic/heap.h"

#include "trusted/elastic/internal.h"

/* The break serves malloc's records: little, and rarely given back. */
#define BRK_SHARE 64u
#define BRK_MAX (256ull << 20)
#define IDLE_MIN (4ull << 20)
#define DECAY_ROUNDS 8u /* then hardly anything is left */

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

static void set_params(struct heap *h, const struct heap_params *p)
{
	*h = (struct heap){
		.emm = p->emm,
		.base = p->base,
		.max = p->max,
		.wx = p->wx,
		.fixed = p->fixed,
		.show = p->fixed ? p->show : NULL,
		.free_max = p->free_max,
		.free_percent = p->free_percent,
		.windows = { HEAP_WINDOW_MIN, HEAP_WINDOW_MAX },
		.told = p->told,
		.refused = p->refused,
		.free_min = p->init > IDLE_MIN ? p->init : IDLE_MIN,
		.loaded = p->base + p->init,
		.arena_end = p->base,
		.ahead = p->base,
	};
	if (p->window) {
		h->windows.window_max = p->window;
		if (p->window < HEAP_WINDOW_MIN)
			h->windows.window_min = p->window;
	}
}

/* The three bit maps, at the top of the range. */
static edmm_err start_maps(struct heap *h, uint64_t top, uint64_t bits)
{
	uint64_t *maps[3];
	edmm_err err = 0;

	for (uint64_t i = 0; i < 3 && !err; i++)
		err = map_bits(h, top + (i + 1) * bits, bits, &maps[i]);
	if (!err)
		vmap_init(&h->map, maps, (top - h->base) / HEAP_PAGE);
	return err;
}

edmm_err heap_init(struct heap *h, const struct heap_params *p)
{
	uint64_t bits = heap_round(vmap_bytes(p->size / HEAP_PAGE));
	uint64_t brk = heap_round(p->size / BRK_SHARE), pages;
	uint64_t top = p->base + p->size - 3 * bits;
	edmm_err err;

	if (p->size < 8 * HEAP_PAGE || bits > p->size / 4)
		return -EDMM_ENOMEM;
	if (brk > BRK_MAX)
		brk = BRK_MAX;
	set_params(h, p);
	h->brk_base = h->brk_now = top - brk;
	h->brk_end = top;
	err = start_maps(h, top, bits);
	if (err)
		return err;
	pages = brk / HEAP_PAGE;
	err = heap_ready(h, h->map.pages - pages, pages);
	if (err)
		return err;
	vmap_take_high(&h->map, h->map.pages - pages, pages);
	return h->show ? h->show(h->base, top - h->base, EMM_NONE) : 0;
}

bool heap_owns(const struct heap *h, uint64_t addr, uint64_t size)
{
	return addr >= h->base && size <= h->map.pages * HEAP_PAGE &&
	       addr - h->base <= h->map.pages * HEAP_PAGE - size;
}

void heap_mapped(struct heap *h, uint64_t *now, uint64_t *peak)
{
	rt_lock(&h->lock);
	*now = heap_mapped_now(h);
	*peak = h->mapped_peak;
	rt_unlock(&h->lock);
}

void heap_bounds(const struct heap *h, uint64_t *low, uint64_t *high)
{
	*low = h->base;
	*high = h->base + h->map.pages * HEAP_PAGE;
}

static edmm_err ready(struct heap *h, const uint64_t *map, uint64_t at,
		      uint64_t count)
{
	uint64_t from = (uint64_t)&map[at / 64] & ~(HEAP_PAGE - 1);
	uint64_t to = heap_round((uint64_t)&map[(at + count + 63) / 64]);

	return emm_commit(h->emm, from, to - from, NULL);
}

edmm_err heap_ready(struct heap *h, uint64_t at, uint64_t count)
{
	edmm_err err = ready(h, h->map.used, at, count);

	if (!err)
		err = ready(h, h->map.charged, at, count);
	if (!err && h->map.nlocked > 0)
		err = ready(h, h->map.locked, at, count);
	return err;
}

edmm_err heap_lock(struct heap *h, uint64_t addr, uint64_t size, bool on)
{
	uint64_t at = heap_index(h, addr), count = size / HEAP_PAGE;
	edmm_err err;

	if (!on && h->map.nlocked == 0)
		return 0;
	err = ready(h, h->map.locked, at, count);
	if (err)
		return err;
	rt_lock(&h->lock);
	vmap_lock(&h->map, at, count, on);
	rt_unlock(&h->lock);
	return 0;
}

void heap_lock_future(struct heap *h, bool lock, bool fill)
{
	h->lock_future = lock;
	h->fill_future = lock && fill;
}

/* How far rights are the same from out->addr on; sets out->prot. */
static uint64_t same_rights(struct heap *h, struct heap_run *out, uint64_t end)
{
	uint64_t at = out->addr;
	struct emm_run run;

	while (at < end && emm_query(h->emm, at, end, &run) == 0) {
		if (at == out->addr)
			out->prot = run.prot;
		else if (run.prot != out->prot)
			break;
		at = run.addr + run.size;
	}
	return heap_min(at, end);
}

static uint64_t same_tag(struct heap *h, struct heap_run *out, uint64_t end)
{
	struct emm_area_info a;

	if (emm_area_next(h->emm, out->addr, &a) != 0 || a.addr > out->addr)
		return end;
	out->tag = a.priv;
	for (;;) {
		uint64_t next = a.addr + a.size;

		if (next >= end)
			return end;
		if (emm_area_next(h->emm, next, &a) != 0 || a.addr > next ||
		    a.priv != out->tag)
			return next;
	}
}

/* The break's part is taken as a whole, and mapped up to the break. */
static uint64_t look_brk(const struct heap *h, struct heap_run *out,
			 uint64_t end)
{
	uint64_t now = heap_round(h->brk_now);

	if (out->addr < h->brk_base)
		return heap_min(end, h->brk_base);
	out->mapped = out->addr < now;
	return out->mapped ? heap_min(end, now) : end;
}

void heap_look(struct heap *h, uint64_t addr, uint64_t end,
	       struct heap_run *out)
{
	uint64_t at = heap_index(h, addr), to = heap_index(h, end);
	bool locks =
		h->map.nlocked > 0 && ready(h, h->map.locked, at, to - at) == 0;
	bool locked;

	*out = (struct heap_run){ .addr = addr };
	rt_lock(&h->lock);
	out->arena = at < h->map.low;
	to = vmap_alike(&h->map, at, to, &out->mapped, &locked);
	if (out->mapped)
		out->free = vmap_uncharged(&h->map, at, to - at) == to - at;
	rt_unlock(&h->lock);
	out->locked = locks && locked;
	end = look_brk(h, out, heap_addr(h, to));
	if (out->mapped) {
		end = same_rights(h, out, end);
		end = same_tag(h, out, end);
	}
	out->size = end - addr;
}

void heap_resident(struct heap *h, uint64_t addr, uint64_t size, uint8_t *vec)
{
	uint64_t end = addr + size;
	struct emm_run run;

	for (; addr < end; addr = run.addr + run.size) {
		if (emm_query(h->emm, addr, end, &run) != 0)
			return;
		__builtin_memset(vec,
				 run.state != EMM_PG_UNCOMMITTED &&
					 run.state != EMM_PG_TRIMMED,
				 run.size / HEAP_PAGE);
		vec += run.size / HEAP_PAGE;
	}
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

/* What has not swung since counts half. */
static void forget_swings(struct heap *h, uint64_t rounds)
{
	rt_lock(&h->lock);
	h->swing >>= rounds;
	h->high = h->charged + ((h->high - h->charged) >> rounds);
	h->low = h->charged - ((h->charged - h->low) >> rounds);
	rt_unlock(&h->lock);
}

void heap_yield(struct heap *h)
{
	forget_swings(h, 63);
	/* The longest runs first; relief goes by address, and takes the rest.
	 */
	(void)!emm_trim(h->emm, UINT64_MAX - EMM_PAGE, NULL);
	(void)heap_relieve(h);
}

void heap_tick(struct heap *h, uint64_t now)
{
	uint64_t rounds = (now - h->decayed) / HEAP_DECAY;

	if (h->decayed == 0)
		h->decayed = now;
	if (h->decayed == now || rounds == 0)
		return;
	h->decayed = now;
	if (rounds > DECAY_ROUNDS)
		rounds = DECAY_ROUNDS;
	forget_swings(h, rounds);
	while (rounds-- > 0)
		if (emm_decay(h->emm) != 0)
			return;
}

static bool absent(struct heap *h, uint64_t page)
{
	struct emm_run run;

	return emm_query(h->emm, page, page + HEAP_PAGE, &run) == 0 &&
	       run.state == EMM_PG_UNCOMMITTED;
}

/*
 * Commits [from, to). The first page is left to a fault: musl makes it a
 * guard, which costs nothing while it is absent. In a static image it never
 * is: no fault would zero it.
 */
static edmm_err commit_brk(struct heap *h, uint64_t from, uint64_t to)
{
	if (from == h->brk_base && absent(h, from))
		from += HEAP_PAGE;
	return from < to ? emm_commit(h->emm, from, to - from, NULL) : 0;
}

static edmm_err map_brk(struct heap *h, uint64_t from, uint64_t to)
{
	struct emm_alloc a = {
		.addr = from,
		.size = to - from,
		.flags = EMM_ON_DEMAND | EMM_FIXED,
		.prot = EMM_RW,
	};

	return from < to ? emm_alloc(h->emm, &a, NULL) : 0;
}

/* Above the break there is no area, but for what the host has kept. */
static edmm_err raise_brk(struct heap *h, uint64_t from, uint64_t to)
{
	uint64_t fresh = from < h->brk_kept ? h->brk_kept : from;
	edmm_err err = heap_charge(h, from, to - from);

	if (err)
		return err;
	err = map_brk(h, fresh, to);
	if (!err) {
		err = commit_brk(h, from, to);
		if (!err && h->lock_future)
			err = heap_lock(h, from, to - from, true);
		if (!err)
			return 0;
		/* The first error is the answer; what it leaves leaks. */
		if (fresh < to)
			(void)!emm_dealloc(h->emm, fresh, to - fresh, NULL);
	}
	heap_uncharge(h, from, to - from);
	return err;
}

/* Zero, and the program's again when the break is back. */
static void keep_brk(struct heap *h, uint64_t from, uint64_t to)
{
	struct emm_run run;
	uint64_t at;

	h->brk_kept = to;
	if (emm_protect(h->emm, from, to - from, EMM_RW, NULL) != 0)
		rt_abort_host("memory that the host keeps cannot be zeroed");
	for (at = from; at < to; at += run.size) {
		if (emm_query(h->emm, at, to, &run) != 0)
			rt_abort_host("memory that the host keeps is lost");
		if (run.state != EMM_PG_UNCOMMITTED)
			__builtin_memset((void *)at, 0, run.size);
	}
}

static void lower_brk(struct heap *h, uint64_t to, uint64_t from)
{
	uint64_t end = from < h->brk_kept ? h->brk_kept : from;

	if (emm_dealloc(h->emm, to, end - to, NULL) == 0)
		h->brk_kept = 0;
	else
		keep_brk(h, to, end);
	/* Bits that cannot be had now are of pages that nobody has. */
	(void)!heap_lock(h, to, from - to, false);
	heap_uncharge(h, to, from - to);
}

uint64_t heap_brk(struct heap *h, uint64_t addr)
{
	uint64_t now = heap_round(h->brk_now), to = heap_round(addr);
	edmm_err err = 0;

	if (addr < h->brk_base || addr > h->brk_end)
		return h->brk_now;
	if (to > now)
		err = raise_brk(h, now, to);
	else if (to < now)
		lower_brk(h, to, now);
	if (err)
		return h->brk_now;
	rt_lock(&h->lock);
	h->brk_now = addr;
	heap_note_peak(h);
	rt_unlock(&h->lock);
	return addr;
}
