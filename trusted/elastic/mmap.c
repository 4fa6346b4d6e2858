/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and ending mappings; change.c changes them. */
#include "trusted/elastic/heap.h"
#include "trusted/elastic/internal.h"

/* Ranges up to this size are committed when they are mapped. */
#define NOW_MAX (1ull << 20)
#define IDLE_MAX (16ull << 20)

void heap_note_peak(struct heap *h)
{
	uint64_t low = h->map.low * HEAP_PAGE;

	h->mapped_peak = heap_max(h->mapped_peak, heap_mapped_now(h));
	if (h->charged <= h->peak && low <= h->low_peak)
		return;
	if (h->charged > h->peak)
		h->peak = h->charged;
	if (low > h->low_peak)
		h->low_peak = low;
	if (h->told)
		h->told(h->peak, h->low_peak);
}

/* After h->charged has changed: memory that goes and comes swings. */
static void note_swing(struct heap *h)
{
	if (h->charged >= h->high) {
		h->swing = heap_max(h->swing, h->high - h->low);
		h->high = h->low = h->charged;
	} else if (h->charged < h->low) {
		h->low = h->charged;
	} else {
		h->swing = heap_max(h->swing, h->charged - h->low);
	}
}

static edmm_err charge_locked(struct heap *h, uint64_t at, uint64_t count)
{
	uint64_t more = vmap_uncharged(&h->map, at, count) * HEAP_PAGE;

	/* The maximum may have been lowered below what is charged. */
	if (more && (h->charged > h->max || more > h->max - h->charged)) {
		if (h->refused)
			h->refused(more);
		return -EDMM_ENOMEM;
	}
	vmap_charge(&h->map, at, count, true);
	h->charged += more;
	note_swing(h);
	return 0;
}

edmm_err heap_charge(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t at = heap_index(h, addr), count = size / HEAP_PAGE;
	edmm_err err = heap_ready(h, at, count);

	if (err)
		return err;
	rt_lock(&h->lock);
	err = charge_locked(h, at, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	return err;
}

void heap_uncharge(struct heap *h, uint64_t addr, uint64_t size)
{
	rt_lock(&h->lock);
	h->charged -= vmap_charge(&h->map, heap_index(h, addr),
				  size / HEAP_PAGE, false) *
		      HEAP_PAGE;
	note_swing(h);
	rt_unlock(&h->lock);
}

/* Takes addresses of one kind; charges them when they have rights. */
static edmm_err take(struct heap *h, enum heap_kind kind, uint64_t count,
		     bool charge, uint64_t *at)
{
	bool low = kind == HEAP_ARENA;
	uint64_t room = h->map.high - h->map.low;
	edmm_err err = 0;

	/* A run inside a side has its bits committed; one at its end may not.
	 */
	if (count <= room)
		err = heap_ready(h, low ? h->map.low : h->map.high - count,
				 count);
	if (err)
		return err;
	rt_lock(&h->lock);
	*at = low ? vmap_find_low(&h->map, count)
		  : vmap_find_high(&h->map, count);
	if (*at == VMAP_NONE)
		err = -EDMM_ENOMEM;
	else if (charge)
		err = charge_locked(h, *at, count);
	if (!err && low)
		vmap_take_low(&h->map, *at, count);
	else if (!err)
		vmap_take_high(&h->map, *at, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	return err;
}

static void give_back(struct heap *h, uint64_t at, uint64_t count)
{
	rt_lock(&h->lock);
	h->charged -= vmap_drop(&h->map, at, count) * HEAP_PAGE;
	note_swing(h);
	rt_unlock(&h->lock);
}

/* A share of what is in use, so that looking ahead costs no more than that. */
static uint64_t window(const struct heap *h)
{
	uint64_t w = h->charged / 4 & ~(uint64_t)(HEAP_PAGE - 1);

	if (w < h->windows.window_min)
		return h->windows.window_min;
	return heap_min(w, h->windows.window_max);
}

/* The arena's area reaches to @end at least, and ahead if there is room. */
static edmm_err grow_arena(struct heap *h, uint64_t end)
{
	uint64_t top = heap_addr(h, h->map.high);
	struct emm_alloc a = {
		.addr = h->arena_end,
		.flags = EMM_ON_DEMAND | EMM_LAZY | EMM_FIXED,
		.prot = EMM_RW,
		.policy = h->windows,
	};
	edmm_err err;

	if (end <= h->arena_end)
		return 0;
	/* What is committed ahead, and what the host is told to add after it.
	 */
	a.size = heap_min(end + 2 * window(h), top) - h->arena_end;
	err = h->show ? h->show(a.addr, a.size, EMM_RW) : 0;
	if (!err)
		err = emm_alloc(h->emm, &a, NULL);
	if (!err)
		h->arena_end += a.size;
	return err;
}

/* The window that follows one that has been committed, if there is room. */
static void tell_ahead(struct heap *h, uint64_t at)
{
	uint64_t size = heap_min(window(h), h->arena_end - at);

	if (size && emm_committed(h->emm) + size <= h->max)
		emm_ahead(h->emm, at, size);
}

/*
 * Makes [addr, end) of the arena fit for use. Small ranges are committed now,
 * and where they follow each other a window ahead; large ones by faults.
 */
static edmm_err prepare(struct heap *h, uint64_t addr, uint64_t end, bool now)
{
	uint64_t to = end;
	edmm_err err;

	if (end - addr > NOW_MAX && !now)
		return heap_revive(h, addr, end);
	if (addr <= h->ahead && end > h->ahead)
		to = heap_min(end + window(h), h->arena_end);
	/* Ahead is a wish: near the maximum only what is asked for. */
	if (emm_committed(h->emm) + (to - addr) > h->max)
		to = end;
	err = emm_commit(h->emm, addr, to - addr, NULL);
	if (err && to > end) {
		to = end;
		err = emm_commit(h->emm, addr, to - addr, NULL);
	}
	if (!err && addr <= h->ahead && to > h->ahead) {
		h->ahead = to;
		tell_ahead(h, to);
	}
	return err;
}

/* Pages for a range of the arena that has been taken. */
static edmm_err fill_arena(struct heap *h, uint64_t addr, uint64_t size,
			   bool now)
{
	edmm_err err = grow_arena(h, addr + size);

	if (err)
		return err;
	heap_make_room(h, addr, size);
	err = prepare(h, addr, addr + size, now);
	if (err == -EDMM_ENOMEM && heap_relieve(h))
		err = prepare(h, addr, addr + size, now);
	return err;
}

static edmm_err map_arena(struct heap *h, uint64_t size, bool now,
			  uint64_t *out)
{
	uint64_t at, count = size / HEAP_PAGE;
	edmm_err err = take(h, HEAP_ARENA, count, true, &at);

	if (err)
		return err;
	err = fill_arena(h, heap_addr(h, at), size, now);
	if (err)
		give_back(h, at, count);
	else
		*out = heap_addr(h, at);
	return err;
}

static edmm_err alloc_area(struct heap *h, const struct heap_req *r,
			   uint64_t addr, uint64_t size)
{
	struct emm_alloc a = {
		.addr = addr,
		.size = size,
		.flags = EMM_ON_DEMAND | EMM_FIXED,
		.prot = r->prot,
		.policy = h->windows,
		.priv = r->tag,
	};
	edmm_err err = emm_alloc(h->emm, &a, NULL);

	if (err || r->prot == EMM_NONE)
		return err;
	heap_make_room(h, addr, size);
	if (r->now)
		err = emm_commit(h->emm, addr, size, NULL);
	else
		err = heap_revive(h, addr, addr + size);
	if (err && emm_dealloc(h->emm, addr, size, NULL) != 0)
		return -EDMM_EFAULT;
	return err;
}

/*
 * The arena's area may reach ahead into addresses that a mapping gets now. No
 * page of it is mapped there: the sides of the map do not overlap.
 */
static edmm_err cut_arena(struct heap *h, uint64_t end)
{
	uint64_t size = h->arena_end - end;
	edmm_err err;

	if (end >= h->arena_end)
		return 0;
	err = emm_dealloc(h->emm, end, size, NULL);
	if (!err && h->show)
		err = h->show(end, size, EMM_NONE);
	if (err)
		return err;
	h->arena_end = end;
	h->ahead = heap_min(h->ahead, end);
	return 0;
}

static bool charges(const struct heap_req *r)
{
	return r->prot != EMM_NONE && !r->free;
}

static edmm_err map_anywhere(struct heap *h, const struct heap_req *r,
			     uint64_t size, uint64_t *out)
{
	uint64_t at, count = size / HEAP_PAGE;
	edmm_err err = take(h, HEAP_MAP, count, charges(r), &at);

	if (err)
		return err;
	err = cut_arena(h, heap_addr(h, at));
	if (!err)
		err = alloc_area(h, r, heap_addr(h, at), size);
	if (err)
		give_back(h, at, count);
	else
		*out = heap_addr(h, at);
	return err;
}

/* The bits of a run on the mappings' side, and of what is free above it. */
static edmm_err ready_high(struct heap *h, uint64_t at, uint64_t count)
{
	uint64_t end = at + count;

	return heap_ready(h, at, end < h->map.high ? h->map.high - at : count);
}

/* Takes a run that is free, at its place on the mappings' side. */
static edmm_err take_at(struct heap *h, const struct heap_req *r, uint64_t at,
			uint64_t count)
{
	edmm_err err = ready_high(h, at, count);

	if (err)
		return err;
	rt_lock(&h->lock);
	if (at < h->map.low || !vmap_all_free(&h->map, at, count))
		err = -EDMM_EEXIST;
	else if (charges(r))
		err = charge_locked(h, at, count);
	if (!err)
		vmap_take_high(&h->map, at, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	return err;
}

/* Maps exactly [addr, addr + size), which must be free: -EDMM_EEXIST. */
static edmm_err map_at(struct heap *h, const struct heap_req *r, uint64_t addr,
		       uint64_t size)
{
	uint64_t at = heap_index(h, addr), count = size / HEAP_PAGE;
	edmm_err err = take_at(h, r, at, count);

	if (err)
		return err;
	err = cut_arena(h, addr);
	if (!err)
		err = alloc_area(h, r, addr, size);
	if (err)
		give_back(h, at, count);
	return err;
}

/* In the zone of the break only content and rights can change. */
static edmm_err map_in_brk(struct heap *h, const struct heap_req *r,
			   uint64_t size)
{
	edmm_err err;

	if (r->place == HEAP_FIXED_NEW)
		return -EDMM_EEXIST;
	if (r->addr + size > heap_round(h->brk_now))
		return -EDMM_ENOMEM;
	err = emm_uncommit_now(h->emm, r->addr, size, NULL);
	return err ? err : heap_protect(h, r->addr, size, r->prot);
}

/*
 * A mapping at an address lies on the mappings' side, among what the program
 * has there, or in the gap between it and malloc's memory.
 */
static edmm_err map_fixed(struct heap *h, const struct heap_req *r,
			  uint64_t size, uint64_t *out)
{
	edmm_err err;

	*out = r->addr;
	if (r->addr + size > h->brk_base)
		return r->addr >= h->brk_base ? map_in_brk(h, r, size)
					      : -EDMM_ENOMEM;
	if (r->place == HEAP_FIXED_NEW)
		return map_at(h, r, r->addr, size);
	if (heap_index(h, r->addr) < h->map.low)
		return -EDMM_ENOMEM;
	err = heap_unmap(h, r->addr, size);
	return err ? err : map_at(h, r, r->addr, size);
}

static edmm_err map_hint(struct heap *h, const struct heap_req *r,
			 uint64_t size, uint64_t *out)
{
	edmm_err err = -EDMM_EEXIST;

	if (heap_owns(h, r->addr, size) && r->addr + size <= h->brk_base)
		err = map_at(h, r, r->addr, size);
	if (err == -EDMM_EEXIST)
		return map_anywhere(h, r, size, out);
	*out = r->addr;
	return err;
}

edmm_err heap_extend(struct heap *h, uint64_t addr, uint64_t size,
		     uint64_t more)
{
	uint64_t at = heap_index(h, addr), end = at + size / HEAP_PAGE;
	uint64_t count = more / HEAP_PAGE;
	struct heap_run run;
	struct heap_req r;
	edmm_err err;

	heap_look(h, addr, addr + size, &run);
	r = (struct heap_req){
		.prot = run.prot,
		.tag = run.tag,
		.free = run.free,
	};
	if (count > (run.arena ? h->map.high : h->map.pages) - end)
		return -EDMM_ENOMEM;
	if (!run.arena) {
		err = map_at(h, &r, addr + size, more);
		return err == -EDMM_EEXIST ? -EDMM_ENOMEM : err;
	}
	err = heap_ready(h, end, count);
	if (err)
		return err;
	rt_lock(&h->lock);
	err = vmap_all_free(&h->map, end, count) ? charge_locked(h, end, count)
						 : -EDMM_ENOMEM;
	if (!err)
		vmap_take_low(&h->map, end, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	if (err)
		return err;
	err = fill_arena(h, addr + size, more, false);
	if (err)
		give_back(h, end, count);
	return err;
}

static edmm_err map_placed(struct heap *h, const struct heap_req *r,
			   uint64_t size, uint64_t *out)
{
	if (r->kind == HEAP_ARENA)
		return map_arena(h, size, r->now, out);
	if (r->place == HEAP_ANYWHERE)
		return map_anywhere(h, r, size, out);
	if (r->addr % HEAP_PAGE != 0)
		return -EDMM_EINVAL;
	if (r->place == HEAP_HINT)
		return map_hint(h, r, size, out);
	if (!heap_owns(h, r->addr, size))
		return -EDMM_ENOMEM;
	return map_fixed(h, r, size, out);
}

edmm_err heap_map(struct heap *h, const struct heap_req *r, uint64_t *out)
{
	uint64_t size = heap_round(r->size), addr;
	struct heap_req req = *r;
	edmm_err err = heap_prot(h, &req.prot);

	if (err)
		return err;
	if (r->size == 0)
		return -EDMM_EINVAL;
	if (size < r->size || size > h->map.pages * HEAP_PAGE)
		return -EDMM_ENOMEM;
	req.now = r->now || (h->fill_future && !r->part);
	err = map_placed(h, &req, size, &addr);
	if (!err && h->lock_future && !r->part)
		err = heap_lock(h, addr, size, true);
	if (!err)
		*out = addr;
	return err;
}

/* How much may stay idle, by how much is mapped now. */
static uint64_t idle_cap(const struct heap *h)
{
	uint64_t cap = h->charged / 8;

	if (h->free_percent <= 100)
		return heap_min(h->free_max,
				h->charged / 100 * h->free_percent);
	if (h->free_max != UINT64_MAX)
		return h->free_max;
	cap = heap_max(heap_min(cap, IDLE_MAX), h->free_min);
	return heap_max(cap, heap_min(h->swing, h->high / 2));
}

static edmm_err unmap_arena(struct heap *h, uint64_t addr, uint64_t size)
{
	edmm_err err = 0;

	emm_set_idle_max(h->emm, idle_cap(h));
	/* The next owner expects to read and write. */
	if (h->arena_odd)
		err = emm_protect(h->emm, addr, size, EMM_RW, NULL);
	if (!err)
		err = emm_uncommit(h->emm, addr, size, NULL);
	return err;
}

/* The part of a range on the mappings' side; nothing may be there. */
static edmm_err unmap_high(struct heap *h, uint64_t addr, uint64_t end)
{
	edmm_err err;

	addr = addr > heap_addr(h, h->map.high) ? addr
						: heap_addr(h, h->map.high);
	if (addr >= end)
		return 0;
	err = heap_ready(h, heap_index(h, addr), (end - addr) / HEAP_PAGE);
	if (err)
		return err;
	err = emm_dealloc(h->emm, addr, end - addr, NULL);
	if (err && err != -EDMM_EINVAL)
		return err;
	give_back(h, heap_index(h, addr), (end - addr) / HEAP_PAGE);
	return 0;
}

static edmm_err unmap_low(struct heap *h, uint64_t addr, uint64_t end)
{
	edmm_err err;

	end = heap_min(end, heap_addr(h, h->map.low));
	if (addr >= end)
		return 0;
	err = heap_ready(h, heap_index(h, addr), (end - addr) / HEAP_PAGE);
	if (!err)
		err = unmap_arena(h, addr, end - addr);
	if (!err)
		give_back(h, heap_index(h, addr), (end - addr) / HEAP_PAGE);
	return err;
}

edmm_err heap_unmap(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t len = heap_round(size);
	edmm_err err;

	if (addr % HEAP_PAGE != 0 || size == 0 || len < size ||
	    !heap_owns(h, addr, len) || addr + len > h->brk_base)
		return -EDMM_EINVAL;
	err = unmap_low(h, addr, addr + len);
	return err ? err : unmap_high(h, addr, addr + len);
}
