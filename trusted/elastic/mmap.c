/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, ending and changing mappings. */
#include "trusted/elastic/heap.h"
#include "trusted/elastic/heap_in.h"

/* Ranges up to this size are committed when they are mapped. */
#define NOW_MAX (1ull << 20)
#define IDLE_MAX (16ull << 20)

void heap_note_peak(struct heap *h)
{
	uint64_t low = h->map.low * HEAP_PAGE;

	if (h->charged <= h->peak && low <= h->low_peak)
		return;
	if (h->charged > h->peak)
		h->peak = h->charged;
	if (low > h->low_peak)
		h->low_peak = low;
	if (h->told)
		h->told(h->peak, h->low_peak);
}

static edmm_err charge_locked(struct heap *h, uint64_t at, uint64_t count)
{
	uint64_t more = vmap_uncharged(&h->map, at, count) * HEAP_PAGE;

	if (more > h->max - h->charged)
		return -EDMM_ENOMEM;
	vmap_charge(&h->map, at, count, true);
	h->charged += more;
	return 0;
}

edmm_err heap_charge(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t at = heap_index(h, addr), count = size / HEAP_PAGE;
	edmm_err err = heap_ready(h, at, count);

	if (err != 0)
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
	if (err != 0)
		return err;
	rt_lock(&h->lock);
	*at = kind == HEAP_ARENA ? vmap_find_low(&h->map, count)
				 : vmap_find_high(&h->map, count);
	if (*at == VMAP_NONE)
		err = -EDMM_ENOMEM;
	else if (charge)
		err = charge_locked(h, *at, count);
	if (err == 0)
		vmap_take(&h->map, *at, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	return err;
}

static void give_back(struct heap *h, uint64_t at, uint64_t count)
{
	rt_lock(&h->lock);
	h->charged -= vmap_drop(&h->map, at, count) * HEAP_PAGE;
	rt_unlock(&h->lock);
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Idle pages are in the enclave and can be touched without a fault, so those
 * that are handed out are committed, and so zeroed, before anyone can. Pages
 * in doubt are perhaps such: the host decides whether it shows them again.
 */
static edmm_err revive(struct heap *h, uint64_t addr, uint64_t end)
{
	struct emm_run run;
	edmm_err err;

	for (; addr < end; addr = run.addr + run.size) {
		err = emm_query(h->emm, addr, end, &run);
		if (err == 0 &&
		    (run.state == EMM_PG_IDLE || run.state == EMM_PG_DOUBT))
			err = emm_commit(h->emm, run.addr, run.size, NULL);
		if (err != 0)
			return err;
	}
	return 0;
}

/* A share of what is in use, so that looking ahead costs no more than that. */
static uint64_t window(const struct heap *h)
{
	uint64_t w = h->charged / 4 & ~(uint64_t)(HEAP_PAGE - 1);

	if (w < h->windows.window_min)
		return h->windows.window_min;
	return min64(w, h->windows.window_max);
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
	a.size = min64(end + window(h), top) - h->arena_end;
	err = emm_alloc(h->emm, &a, NULL);
	if (err == 0)
		h->arena_end += a.size;
	return err;
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
		return revive(h, addr, end);
	if (addr <= h->ahead && end > h->ahead)
		to = min64(end + window(h), h->arena_end);
	/* Ahead is a wish: near the maximum only what is asked for. */
	if (emm_committed(h->emm) + (to - addr) > h->max)
		to = end;
	err = emm_commit(h->emm, addr, to - addr, NULL);
	if (err != 0 && to > end) {
		to = end;
		err = emm_commit(h->emm, addr, to - addr, NULL);
	}
	if (err == 0 && addr <= h->ahead && to > h->ahead)
		h->ahead = to;
	return err;
}

/* Bytes of a range that are not in the enclave yet. */
static uint64_t absent(struct heap *h, uint64_t addr, uint64_t end)
{
	struct emm_run run;
	uint64_t n = 0;

	for (; addr < end; addr = run.addr + run.size) {
		if (emm_query(h->emm, addr, end, &run) != 0)
			return n + (end - addr);
		if (run.state != EMM_PG_COMMITTED && run.state != EMM_PG_IDLE)
			n += run.size;
	}
	return n;
}

/*
 * Free ranges must not hold what mapped ones are entitled to. Idle pages of
 * the range itself, as a first heap's are, need no room again.
 */
static void make_room(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t now = emm_committed(h->emm);

	if (now <= h->max && size <= h->max - now)
		return;
	if (now > h->max || absent(h, addr, addr + size) > h->max - now)
		heap_relieve(h);
}

/* Pages for a range of the arena that has been taken. */
static edmm_err fill_arena(struct heap *h, uint64_t addr, uint64_t size,
			   bool now)
{
	edmm_err err = grow_arena(h, addr + size);

	if (err != 0)
		return err;
	make_room(h, addr, size);
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

	if (err != 0)
		return err;
	err = fill_arena(h, heap_addr(h, at), size, now);
	if (err != 0)
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
	};
	edmm_err err = emm_alloc(h->emm, &a, NULL);

	if (err != 0 || r->prot == EMM_NONE)
		return err;
	make_room(h, addr, size);
	if (r->now)
		err = emm_commit(h->emm, addr, size, NULL);
	else
		err = revive(h, addr, addr + size);
	if (err != 0 && emm_dealloc(h->emm, addr, size, NULL) != 0)
		return -EDMM_EFAULT;
	return err;
}

/*
 * The arena's area may reach ahead into addresses that a mapping gets now. No
 * page of it is mapped there: the sides of the map do not overlap.
 */
static edmm_err cut_arena(struct heap *h, uint64_t end)
{
	edmm_err err;

	if (end >= h->arena_end)
		return 0;
	err = emm_dealloc(h->emm, end, h->arena_end - end, NULL);
	if (err != 0)
		return err;
	h->arena_end = end;
	h->ahead = min64(h->ahead, end);
	return 0;
}

static edmm_err map_anywhere(struct heap *h, const struct heap_req *r,
			     uint64_t size, uint64_t *out)
{
	uint64_t at, count = size / HEAP_PAGE;
	edmm_err err = take(h, HEAP_MAP, count, r->prot != EMM_NONE, &at);

	if (err != 0)
		return err;
	err = cut_arena(h, heap_addr(h, at));
	if (err == 0)
		err = alloc_area(h, r, heap_addr(h, at), size);
	if (err != 0)
		give_back(h, at, count);
	else
		*out = heap_addr(h, at);
	return err;
}

edmm_err heap_extend(struct heap *h, uint64_t addr, uint64_t size,
		     enum heap_kind kind)
{
	const struct heap_req r = { .prot = EMM_RW };
	uint64_t at = heap_index(h, addr), count = size / HEAP_PAGE;
	uint64_t end = kind == HEAP_ARENA ? h->map.high : h->map.pages;
	edmm_err err;

	if (at > end || count > end - at)
		return -EDMM_ENOMEM;
	err = heap_ready(h, at, count);
	if (err != 0)
		return err;
	rt_lock(&h->lock);
	err = vmap_all_free(&h->map, at, count) ? charge_locked(h, at, count)
						: -EDMM_ENOMEM;
	if (err == 0)
		vmap_take(&h->map, at, count);
	heap_note_peak(h);
	rt_unlock(&h->lock);
	if (err != 0)
		return err;
	err = kind == HEAP_ARENA ? fill_arena(h, addr, size, false)
				 : alloc_area(h, &r, addr, size);
	if (err != 0)
		give_back(h, at, count);
	return err;
}

/*
 * A fixed mapping lies on the mappings' side, among what the program has
 * reserved there. In the zone of the break only rights can change.
 */
static edmm_err map_fixed(struct heap *h, const struct heap_req *r,
			  uint64_t size, uint64_t *out)
{
	uint64_t at = heap_index(h, r->addr), count = size / HEAP_PAGE;
	edmm_err err;

	*out = r->addr;
	if (r->addr >= h->brk_base)
		return emm_protect(h->emm, r->addr, size, r->prot, NULL);
	if (at < h->map.high)
		return -EDMM_ENOMEM;
	err = heap_ready(h, at, count);
	if (err != 0)
		return err;
	if (r->place == HEAP_FIXED_NEW && !vmap_all_free(&h->map, at, count))
		return -EDMM_EEXIST;
	err = heap_unmap(h, r->addr, size);
	if (err != 0)
		return err;
	rt_lock(&h->lock);
	if (r->prot != EMM_NONE)
		err = charge_locked(h, at, count);
	if (err == 0) {
		vmap_take(&h->map, at, count);
		if (at < h->map.high)
			h->map.high = at;
	}
	heap_note_peak(h);
	rt_unlock(&h->lock);
	if (err == 0) {
		err = alloc_area(h, r, r->addr, size);
		if (err != 0)
			give_back(h, at, count);
	}
	return err;
}

static edmm_err check_prot(const struct heap *h, int *prot)
{
	if ((*prot & ~EMM_RWX) != 0)
		return -EDMM_EINVAL;
	if (*prot & (EMM_W | EMM_X))
		*prot |= EMM_R;
	if ((*prot & EMM_W) && (*prot & EMM_X) && !h->wx)
		return -EDMM_EACCES;
	return 0;
}

edmm_err heap_map(struct heap *h, const struct heap_req *r, uint64_t *out)
{
	uint64_t size = heap_round(r->size);
	struct heap_req req = *r;
	edmm_err err = check_prot(h, &req.prot);

	if (err != 0)
		return err;
	if (r->size == 0)
		return -EDMM_EINVAL;
	if (size < r->size || size > h->map.pages * HEAP_PAGE)
		return -EDMM_ENOMEM;
	if (r->kind == HEAP_ARENA)
		return map_arena(h, size, r->now, out);
	if (r->place == HEAP_ANYWHERE)
		return map_anywhere(h, &req, size, out);
	if (r->addr % HEAP_PAGE != 0)
		return -EDMM_EINVAL;
	if (!heap_owns(h, r->addr, size))
		return -EDMM_ENOMEM;
	return map_fixed(h, &req, size, out);
}

/* How much may stay idle, by how much is mapped now. */
static uint64_t idle_cap(const struct heap *h)
{
	uint64_t cap = h->charged / 8;

	if (h->free_percent <= 100)
		return min64(h->free_max, h->charged / 100 * h->free_percent);
	if (h->free_max != UINT64_MAX)
		return h->free_max;
	if (cap < h->free_min)
		return h->free_min;
	return min64(cap, IDLE_MAX);
}

static edmm_err unmap_arena(struct heap *h, uint64_t addr, uint64_t size)
{
	edmm_err err = 0;

	emm_set_idle_max(h->emm, idle_cap(h));
	/* The next owner expects to read and write. */
	if (h->arena_odd)
		err = emm_protect(h->emm, addr, size, EMM_RW, NULL);
	if (err == 0)
		err = emm_uncommit(h->emm, addr, size, NULL);
	return err;
}

edmm_err heap_unmap(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t len = heap_round(size), at;
	edmm_err err;

	if (addr % HEAP_PAGE != 0 || size == 0 || len < size ||
	    !heap_owns(h, addr, len) || addr + len > h->brk_base)
		return -EDMM_EINVAL;
	at = heap_index(h, addr);
	if (at < h->map.low && addr + len > h->arena_end)
		return -EDMM_EINVAL;
	err = heap_ready(h, at, len / HEAP_PAGE);
	if (err != 0)
		return err;
	if (addr < h->arena_end) {
		err = unmap_arena(h, addr, len);
	} else {
		err = emm_dealloc(h->emm, addr, len, NULL);
		if (err == -EDMM_EINVAL)
			err = 0; /* nothing was there */
	}
	if (err == 0)
		give_back(h, at, len / HEAP_PAGE);
	return err;
}

edmm_err heap_protect(struct heap *h, uint64_t addr, uint64_t size, int prot)
{
	uint64_t len = heap_round(size), at;
	edmm_err err = check_prot(h, &prot);
	bool fresh = false;

	if (err != 0)
		return err;
	if (addr % HEAP_PAGE != 0 || len < size || !heap_owns(h, addr, len))
		return -EDMM_EINVAL;
	if (len == 0)
		return 0;
	at = heap_index(h, addr);
	err = heap_ready(h, at, len / HEAP_PAGE);
	if (err != 0)
		return err;
	if (!vmap_all_used(&h->map, at, len / HEAP_PAGE))
		return -EDMM_ENOMEM;
	if (prot != EMM_NONE) {
		fresh = vmap_uncharged(&h->map, at, len / HEAP_PAGE) ==
			len / HEAP_PAGE;
		err = heap_charge(h, addr, len);
		if (err != 0)
			return err;
	}
	if (addr < h->arena_end && prot != EMM_RW)
		h->arena_odd = true;
	err = emm_protect(h->emm, addr, len, prot, NULL);
	if (err == 0 && prot != EMM_NONE)
		err = revive(h, addr, addr + len);
	if (err != 0 && fresh)
		heap_uncharge(h, addr, len);
	return err;
}

edmm_err heap_discard(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t len = heap_round(size);
	edmm_err err;

	if (addr % HEAP_PAGE != 0 || len < size || !heap_owns(h, addr, len))
		return -EDMM_EINVAL;
	if (len == 0)
		return 0;
	err = emm_uncommit_now(h->emm, addr, len, NULL);
	return err != 0 ? err : revive(h, addr, addr + len);
}
