/* SPDX-License-Identifier: BSD-3-Clause */
/* What others may know: page runs, areas, counters; and the validator. */
#include "trusted/emm/instance.h"

static enum emm_page_state public_state(enum page_state st)
{
	static const uint8_t map[PG_COUNT] = {
		[PG_NONE] = EMM_PG_NONE,
		[PG_RESERVED] = EMM_PG_RESERVED,
		[PG_FREE_IDLE] = EMM_PG_FREE_IDLE,
		[PG_FREE_ZERO] = EMM_PG_FREE_IDLE,
		[PG_FREE_DOUBT] = EMM_PG_DOUBT,
		[PG_FREE_TRIMMED] = EMM_PG_TRIMMED,
		[PG_TCS] = EMM_PG_TCS,
		[PG_DOUBT_TCS] = EMM_PG_DOUBT,
		[PG_DOUBT_NEW] = EMM_PG_DOUBT,
		[PG_ABSENT] = EMM_PG_UNCOMMITTED,
		[PG_HINT] = EMM_PG_UNCOMMITTED,
		[PG_COMM] = EMM_PG_COMMITTED,
		[PG_IDLE] = EMM_PG_IDLE,
		[PG_ZERO] = EMM_PG_IDLE,
		[PG_DOUBT] = EMM_PG_DOUBT,
		[PG_DOUBT_IDLE] = EMM_PG_DOUBT,
		[PG_TRIMMED] = EMM_PG_TRIMMED,
	};

	return (enum emm_page_state)map[st];
}

edmm_err emm_query(struct emm *emm, uint64_t addr, uint64_t end,
		   struct emm_run *out)
{
	uint64_t top = emm->base + ((uint64_t)emm->pages << PAGE_SHIFT);
	struct span sp;
	struct run r;
	bool busy;

	if (addr < emm->base || addr >= top || addr & (EMM_PAGE - 1))
		return -EDMM_EINVAL;
	if (end <= addr || end > top)
		end = top;
	r.a = (uint32_t)((addr - emm->base) >> PAGE_SHIFT);
	map_run(emm, r.a,
		(uint32_t)((end - emm->base + EMM_PAGE - 1) >> PAGE_SHIFT), 0,
		&r);
	map_lock(emm, r.a, &sp);
	busy = span_byte(&sp, r.a) & PAGE_BUSY;
	map_unlock_clean(&sp);
	/* The caller's memory is not for a lock to wait for (I4). */
	*out = (struct emm_run){
		.addr = addr,
		.size = (uint64_t)(r.b - r.a) << PAGE_SHIFT,
		.state = public_state(page_state(r.byte)),
		.prot = page_rights(r.byte),
		.busy = busy,
		.zero = page_known_zero(r.byte),
		.hinted = page_bit(r.byte) & M(PG_HINT),
	};
	return 0;
}

edmm_err emm_area_next(struct emm *emm, uint64_t addr,
		       struct emm_area_info *out)
{
	uint64_t size = (uint64_t)emm->pages << PAGE_SHIFT;
	uint32_t pg = 0;
	struct area a;

	if (addr > emm->base && addr - emm->base >= size)
		return -EDMM_ENOENT;
	if (addr > emm->base)
		pg = (uint32_t)((addr - emm->base) >> PAGE_SHIFT);
	do {
		if (pg >= emm->pages || !area_get(emm, pg, &a))
			return -EDMM_ENOENT;
		pg = a.end;
	} while (a.flags & A_META);
	*out = (struct emm_area_info){
		.addr = pg_addr(emm, a.start),
		.size = (uint64_t)(a.end - a.start) << PAGE_SHIFT,
		.flags = a.flags & A_PUBLIC,
		.policy = { (uint32_t)a.wmin << PAGE_SHIFT,
			    (uint32_t)a.wmax << PAGE_SHIFT },
		.handler = a.handler,
		.priv = a.priv,
	};
	return 0;
}

uint64_t emm_committed(struct emm *emm)
{
	uint64_t n = PEEK(&emm->charged);

	for (uint32_t i = 0; i < emm->nslots; i++)
		n -= (uint64_t)PEEK(&emm->slots[i].quota);
	return n << PAGE_SHIFT;
}

static void stats_meta(struct emm *emm, struct emm_stats *out)
{
	struct pool *pool = &emm->pool;
	uint64_t cells, tables;

	lock_acquire(emm, &pool->lock);
	cells = pool->cell_pages * CELLS_A_PAGE - pool->ncells;
	for (uint32_t h = pool->holes; h; h = *cell_next(emm, h))
		cells--; /* a record of pages given back, no area */
	tables = pool->table_pages - pool->ntables;
	out->meta_pool = (pool->committed - pool->nholes + top_count(emm))
			 << PAGE_SHIFT;
	lock_release(&pool->lock);
	for (uint32_t i = 0; i < emm->nslots; i++) {
		cells -= PEEK(&emm->slots[i].ncells);
		tables -= PEEK(&emm->slots[i].ntables);
	}
	out->meta_fixed = (pool->fixed + top_count(emm)) << PAGE_SHIFT;
	out->meta_tables = tables << PAGE_SHIFT;
	out->meta_used = out->meta_fixed + out->meta_tables + cells * CELL_SIZE;
	out->meta_area = CELL_SIZE;
	out->meta_chunk = CELL_SIZE;
}

static void stats_slots(struct emm *emm, struct emm_stats *out)
{
	for (uint32_t i = 0; i < emm->nslots; i++) {
		const struct slot *s = &emm->slots[i];
		uint64_t commits = PEEK(&s->fault_commits);
		uint64_t spurious = PEEK(&s->spurious);

		out->faults += PEEK(&s->faults) + spurious + commits;
		out->fault_commits += commits;
		out->spurious += spurious;
		out->commits += PEEK(&s->commits);
		out->trims += PEEK(&s->trims);
		out->reuses += PEEK(&s->reuses);
		out->host_calls += PEEK(&s->host_calls);
		out->populates += PEEK(&s->populates);
		out->waits += PEEK(&s->waits);
		out->mixed += PEEK(&s->mixed);
	}
}

void emm_stats_get(struct emm *emm, struct emm_stats *out)
{
	uint64_t present = emm_committed(emm);
	struct op op;

	op_begin(&op, emm);
	map_fold_hints(&op);
	op_end(&op);

	*out = (struct emm_stats){ .idle = PEEK(&emm->idle) << PAGE_SHIFT,
				   .peak = PEEK(&emm->peak) << PAGE_SHIFT,
				   .used_peak = PEEK(&emm->used_peak)
						<< PAGE_SHIFT,
				   .spin_max = PEEK(&emm->spin_max) };
	out->committed = present - out->idle;
	if (out->used_peak < out->committed)
		out->used_peak = out->committed;
	if (PEEK(&emm->limit) != UINT64_MAX)
		out->limit = PEEK(&emm->limit) << PAGE_SHIFT;
	stats_meta(emm, out);
	for (uint32_t z = 0; z < emm->nzones; z++) {
		lock_acquire(emm, &emm->zones[z].lock);
		out->areas += emm->zones[z].areas;
		lock_release(&emm->zones[z].lock);
	}
	if (emm->meta_lo < emm->meta_own)
		out->areas -= zone_of(emm, emm->meta_own - 1) -
			      zone_of(emm, emm->meta_lo) + 1;
	stats_slots(emm, out);
}

/* The validator's view of a zone's tree. */
struct walk {
	struct emm *emm;
	uint32_t lo;
	uint32_t hi;
	uint64_t count;
	const char *bad;
};

/* What a node should know of its subtree. */
static bool extent_wrong(const struct emm *emm, const struct area *a)
{
	uint32_t first = a->start, last = a->end, gap = 0;

	if (a->child[0]) {
		const struct area *l = area_ptr(emm, a->child[0]);

		first = l->first;
		gap = max_u32(l->gap, a->start - l->last);
	}
	if (a->child[1]) {
		const struct area *r = area_ptr(emm, a->child[1]);

		last = r->last;
		gap = max_u32(gap, max_u32(r->gap, r->first - a->end));
	}
	return a->first != first || a->last != last || a->gap != gap;
}

static uint32_t check_tree(struct walk *w, uint32_t n, uint32_t lo, uint32_t hi)
{
	const struct area *a;
	uint32_t l, r;

	if (!n || w->bad)
		return 0;
	a = area_ptr(w->emm, n);
	if (a->start >= a->end || a->start < lo || a->end > hi) {
		w->bad = "I6: areas overlap or leave their zone";
		return 0;
	}
	w->count++;
	l = check_tree(w, a->child[0], lo, a->start);
	r = check_tree(w, a->child[1], a->end, hi);
	if (w->bad)
		return 0;
	if (a->rank <= l || a->rank <= r || a->rank > l + 2 ||
	    a->rank > r + 2 || (!l && !r && a->rank != 1))
		w->bad = "an area tree is out of balance";
	else if (extent_wrong(w->emm, a))
		w->bad = "a subtree's extent is wrong";
	return a->rank;
}

static bool same_attr(const struct area *a, const struct area *b)
{
	return a->flags == b->flags && a->handler == b->handler &&
	       a->priv == b->priv && a->wmin == b->wmin && a->wmax == b->wmax;
}

/* Each page is in an area exactly if its byte says so, and none is BUSY. */
static const char *check_pages(struct emm *emm)
{
	struct area area = { .end = 0 };
	struct area before = { .end = 0 };
	uint32_t pg = 0;
	struct run r;

	while (pg < emm->pages) {
		bool in;

		if (pg >= area.end && area.end != UINT32_MAX) {
			before = area;
			if (!area_get(emm, pg, &area))
				area = (struct area){ .start = UINT32_MAX,
						      .end = UINT32_MAX };
			if (before.end && before.end == area.start &&
			    same_attr(&before, &area) &&
			    !(area.flags & (EMM_GROWSDOWN | EMM_GROWSUP)))
				return "I7: adjacent equal areas not merged";
		}
		in = pg >= area.start && !(area.flags & A_META);
		map_run(emm, pg, emm->pages, 0, &r);
		if (in == !!(page_bit(r.byte) & M_HOLE))
			return "I6: page states and areas disagree";
		if (r.b > area.start && pg < area.start)
			r.b = area.start;
		pg = min_u32(r.b, pg < area.start ? area.start : area.end);
	}
	return NULL;
}

static const char *check_map(struct emm *emm)
{
	for (uint32_t pg = 0; pg < emm->pages;) {
		struct span sp;
		const char *bad = NULL;

		map_lock(emm, pg, &sp);
		pg = sp.first + sp.n;
		if (!sp.bytes && page_busy(e_byte(sp.val)))
			bad = "I4: a BUSY entry outlived its op";
		for (uint32_t i = 0; sp.bytes && i < sp.n; i++) {
			if (page_busy(sp.bytes[i]))
				bad = "I4: a BUSY page outlived its op";
		}
		map_unlock_clean(&sp);
		if (bad || pg < sp.first)
			return bad;
	}
	return NULL;
}

const char *emm_check(struct emm *emm)
{
	struct walk w = { .emm = emm };
	const char *bad = check_map(emm);

	for (uint32_t z = 0; z < emm->nzones && !bad; z++) {
		uint64_t hi = ((uint64_t)z + 1) << emm->zone_shift;

		w.count = 0;
		check_tree(&w, emm->zones[z].root, z << emm->zone_shift,
			   hi < emm->pages ? (uint32_t)hi : emm->pages);
		bad = w.bad;
		if (!bad && w.count != emm->zones[z].areas)
			bad = "an area count is wrong";
	}
	for (uint32_t i = 0; i < emm->nslots && !bad; i++) {
		if (emm->slots[i].owner)
			bad = "I4: an op slot is still taken";
	}
	return bad ? bad : check_pages(emm);
}
