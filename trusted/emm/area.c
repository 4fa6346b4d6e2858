/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Areas: one tree a zone, ordered by address, with the largest gap of each
 * subtree (first-fit search in O(log n)). Keeps I6 (areas never overlap: a
 * range is put only where it was found empty, or cut before) and I7 (adjacent
 * areas with equal attributes are one).
 *
 * The trees are weak AVL trees (Haeupler, Sen, Tarjan, "Rank-balanced trees",
 * 2015): a node's rank is 1 or 2 above that of each child, a leaf's is 1, and
 * that of no node 0. Without removals they are AVL trees; but whoever puts an
 * area where one has just left finds the room in the ranks above, so that
 * seldom more than the nodes next to it change, and not the way to the root.
 *
 * An area that crosses zones is one piece a zone; readers join them again.
 */
#include "trusted/emm/instance.h"

#define DEPTH 68 /* 2^32 nodes have 64 levels at most */

/*
 * The way from a zone's root: the last link leads to the node that was looked
 * for, or is where it would be.
 */
struct path {
	uint32_t *link[DEPTH];
	uint32_t n;
	uint32_t near[2]; /* how far to the last node below, and above; or 0 */
};

uint32_t zone_of(const struct emm *emm, uint32_t pg)
{
	return pg >> emm->zone_shift;
}

static uint32_t zone_end(const struct emm *emm, uint32_t z)
{
	uint64_t end = ((uint64_t)z + 1) << emm->zone_shift;

	return end < emm->pages ? (uint32_t)end : emm->pages;
}

void zones_lock(struct emm *emm, uint32_t a, uint32_t b)
{
	for (uint32_t z = zone_of(emm, a); z <= zone_of(emm, b - 1); z++)
		lock_acquire(emm, &emm->zones[z].lock);
}

void zones_unlock(struct emm *emm, uint32_t a, uint32_t b)
{
	for (uint32_t z = zone_of(emm, a); z <= zone_of(emm, b - 1); z++)
		lock_release(&emm->zones[z].lock);
}

static uint32_t rank(const struct emm *emm, uint32_t n)
{
	return n ? area_ptr(emm, n)->rank : 0;
}

/* Recompute what a node knows of its subtree. Return: did it change? */
static bool pull(struct emm *emm, struct area *n)
{
	uint32_t first = n->start, last = n->end, gap = 0;
	bool same;

	if (n->child[0]) {
		const struct area *l = area_ptr(emm, n->child[0]);

		first = l->first;
		gap = max_u32(l->gap, n->start - l->last);
	}
	if (n->child[1]) {
		const struct area *r = area_ptr(emm, n->child[1]);

		last = r->last;
		gap = max_u32(gap, max_u32(r->gap, r->first - n->end));
	}
	same = n->first == first && n->last == last && n->gap == gap;
	n->first = first;
	n->last = last;
	n->gap = gap;
	return !same;
}

/* Turn the subtree at link so that its child on side !dir is on top. */
static void rotate(struct emm *emm, uint32_t *link, unsigned int dir)
{
	uint32_t top = *link;
	struct area *x = area_ptr(emm, top);
	uint32_t up = x->child[!dir];
	struct area *y = area_ptr(emm, up);

	x->child[!dir] = y->child[dir];
	y->child[dir] = top;
	*link = up;
	pull(emm, x);
	pull(emm, y);
}

/* The child on `side` has grown to its parent's rank. */
static void grown(struct emm *emm, uint32_t *link, unsigned int side)
{
	struct area *n = area_ptr(emm, *link), *c, *inner;

	if (rank(emm, n->child[!side]) + 1 == n->rank) {
		n->rank++;
		return;
	}
	c = area_ptr(emm, n->child[side]);
	if (rank(emm, c->child[!side]) + 1 == c->rank) {
		inner = area_ptr(emm, c->child[!side]);
		inner->rank++;
		c->rank--;
		rotate(emm, &n->child[side], side);
	}
	n->rank--;
	rotate(emm, link, !side);
}

/* The child on `side` is 3 below its parent. */
static void shrunk(struct emm *emm, uint32_t *link, unsigned int side)
{
	struct area *n = area_ptr(emm, *link);
	struct area *c = area_ptr(emm, n->child[!side]);
	uint32_t inner = rank(emm, c->child[side]);
	uint32_t outer = rank(emm, c->child[!side]);

	n->rank--;
	if (c->rank == n->rank - 1)
		return;
	if (inner + 2 == c->rank && outer + 2 == c->rank) {
		c->rank--;
		return;
	}
	if (outer + 2 == c->rank) {
		area_ptr(emm, c->child[side])->rank += 2;
		c->rank--;
		n->rank--;
		rotate(emm, &n->child[!side], !side);
	} else {
		c->rank++;
	}
	rotate(emm, link, side);
	if (!n->child[0] && !n->child[1])
		n->rank = 1;
}

/* Return: does the parent see a change? */
static bool balance(struct emm *emm, uint32_t *link)
{
	struct area *n = area_ptr(emm, *link);
	uint32_t r[2] = { rank(emm, n->child[0]), rank(emm, n->child[1]) };
	unsigned int high = r[1] > r[0];

	if (n->rank == r[high])
		grown(emm, link, high);
	else if (n->rank == r[!high] + 3)
		shrunk(emm, link, !high);
	else if (n->rank == 2 && !r[high])
		n->rank = 1;
	else
		return pull(emm, n);
	pull(emm, area_ptr(emm, *link));
	return true;
}

/* From the path's end up; once above link number `must`, until no change. */
static void rebalance(struct emm *emm, struct path *p, uint32_t must)
{
	while (p->n && (balance(emm, p->link[p->n - 1]) || p->n > must))
		p->n--;
}

/* The way to the node that has pg; if none has it, `near` are its neighbours */
static void descend(struct emm *emm, struct zone *z, uint32_t pg,
		    struct path *p)
{
	uint32_t *link = &z->root, i = 0;

	p->near[0] = 0;
	p->near[1] = 0;
	for (;;) {
		struct area *n;
		bool up;

		p->link[i++] = link;
		if (!*link)
			break;
		n = area_ptr(emm, *link);
		up = pg >= n->start;
		if (up && pg < n->end)
			break;
		p->near[!up] = i;
		link = &n->child[up];
	}
	p->n = i;
}

/* At the end of a path that found no node; `must` as in rebalance(). */
static void tree_insert(struct emm *emm, struct zone *z, struct path *p,
			uint32_t cell, uint32_t must)
{
	struct area *n = area_ptr(emm, cell);

	n->child[0] = 0;
	n->child[1] = 0;
	n->rank = 1;
	pull(emm, n);
	*p->link[--p->n] = cell;
	rebalance(emm, p, must);
	z->areas++;
}

/* Take the node at the path's end out; `must` as in rebalance(). */
static void tree_remove(struct op *op, struct zone *z, struct path *p,
			uint32_t must)
{
	struct emm *emm = op->emm;
	uint32_t at = p->n, *link = p->link[at - 1], cell = *link;
	struct area *n = area_ptr(emm, cell);

	if (n->child[0] && n->child[1]) {
		uint32_t *next = &n->child[1], up;
		struct area *u;

		while (area_ptr(emm, *next)->child[0]) {
			p->link[p->n++] = next;
			next = &area_ptr(emm, *next)->child[0];
		}
		up = *next;
		u = area_ptr(emm, up);
		*next = u->child[1];
		u->child[0] = n->child[0];
		u->child[1] = n->child[1];
		/* As its parent knows the place. */
		u->first = n->first;
		u->last = n->last;
		u->gap = n->gap;
		u->rank = n->rank;
		*link = up;
		if (p->n > at)
			p->link[at] = &u->child[1];
		must = at;
	} else {
		*link = n->child[!n->child[0]];
		p->n--;
	}
	rebalance(emm, p, must);
	z->areas--;
	meta_cell_free(op, cell);
}

/* The lowest node that ends above pg; 0 if none. */
static uint32_t tree_above(struct emm *emm, const struct zone *z, uint32_t pg)
{
	uint32_t n = z->root, best = 0;

	while (n) {
		const struct area *a = area_ptr(emm, n);

		if (a->end > pg) {
			best = n;
			n = a->child[0];
		} else {
			n = a->child[1];
		}
	}
	return best;
}

/* Is [a, b) free of areas? */
bool area_empty(struct emm *emm, uint32_t a, uint32_t b)
{
	for (uint32_t z = zone_of(emm, a); z <= zone_of(emm, b - 1); z++) {
		uint32_t n = tree_above(emm, &emm->zones[z], a);

		if (n && area_ptr(emm, n)->start < b)
			return false;
	}
	return true;
}

/* Is [a, b) wholly in areas with all of these flags? */
bool area_cover(struct emm *emm, uint32_t a, uint32_t b, uint32_t flags)
{
	while (a < b) {
		const struct zone *z = &emm->zones[zone_of(emm, a)];
		uint32_t n = tree_above(emm, z, a);
		const struct area *area = area_ptr(emm, n);

		if (!n || area->start > a || (area->flags & flags) != flags)
			return false;
		a = area->end;
	}
	return true;
}

/* Cells that a cut and a put of [a, b) can need, and undoing them. */
uint32_t area_cells(struct emm *emm, uint32_t a, uint32_t b)
{
	return 2 * (zone_of(emm, b - 1) - zone_of(emm, a) + 1) + 2;
}

/* [r->a, r->b) leaves the path's node, which begins before it. */
static void area_shorten(struct op *op, struct zone *z, struct path *p,
			 const struct run *r)
{
	struct emm *emm = op->emm;
	struct area *area = area_ptr(emm, *p->link[p->n - 1]);
	uint32_t end = area->end, at = p->n, *link = &area->child[1], c;

	area->end = r->a;
	if (end <= r->b) {
		rebalance(emm, p, at);
		return;
	}
	c = meta_cell(op);
	if (!c)
		__builtin_trap(); /* I3 */
	*area_ptr(emm, c) = *area;
	area_ptr(emm, c)->start = r->b;
	area_ptr(emm, c)->end = end;
	for (; *link; link = &area_ptr(emm, *link)->child[0])
		p->link[p->n++] = link;
	p->link[p->n++] = link;
	tree_insert(emm, z, p, c, at);
}

/* Remove [r->a, r->b) from one zone, splitting an area at most. */
static void zone_cut(struct op *op, struct zone *z, const struct run *r)
{
	struct emm *emm = op->emm;
	uint32_t from = r->a;
	struct path p;

	while (from < r->b) {
		struct area *area;

		descend(emm, z, from, &p);
		if (!*p.link[p.n - 1])
			p.n = p.near[1];
		if (!p.n)
			return;
		area = area_ptr(emm, *p.link[p.n - 1]);
		if (area->start >= r->b)
			return;
		from = area->end;
		if (area->start < r->a) {
			area_shorten(op, z, &p, r);
		} else if (from > r->b) {
			area->start = r->b;
			rebalance(emm, &p, p.n);
		} else {
			tree_remove(op, z, &p, p.n);
		}
	}
}

void area_cut(struct op *op, uint32_t a, uint32_t b)
{
	struct emm *emm = op->emm;

	while (a < b) {
		uint32_t z = zone_of(emm, a);
		struct run r = { .a = a, .b = min_u32(b, zone_end(emm, z)) };

		zone_cut(op, &emm->zones[z], &r);
		a = r.b;
	}
}

static bool attr_mergeable(const struct area *n, const struct attr *attr)
{
	return !(attr->flags & (EMM_GROWSDOWN | EMM_GROWSUP | A_META)) &&
	       (n->flags & ~A_CONT) == attr->flags &&
	       n->handler == attr->handler && n->priv == attr->priv &&
	       n->wmin == attr->wmin && n->wmax == attr->wmax;
}

/* Join what has been put with the neighbours that it can merge with. */
static bool zone_join(struct op *op, struct zone *z, struct path *p,
		      const struct run *r, const struct attr *attr)
{
	struct emm *emm = op->emm;
	struct area *low = NULL, *high = NULL;

	if (p->near[0])
		low = area_ptr(emm, *p->link[p->near[0] - 1]);
	if (p->near[1])
		high = area_ptr(emm, *p->link[p->near[1] - 1]);
	if (low && (low->end != r->a || !attr_mergeable(low, attr)))
		low = NULL;
	if (high && (high->start != r->b || !attr_mergeable(high, attr)))
		high = NULL;
	if (low && high) {
		/* Of neighbours, one is above the other, and stays. */
		unsigned int up = p->near[1] < p->near[0];

		p->n = p->near[!up];
		if (up)
			high->start = low->start;
		else
			low->end = high->end;
		tree_remove(op, z, p, p->near[up]);
		return true;
	}
	p->n = low ? p->near[0] : p->near[1];
	if (low)
		low->end = r->b;
	else if (high)
		high->start = r->a;
	else
		return false;
	rebalance(emm, p, p->n);
	return true;
}

/* Put an area into one zone where it is empty. */
static void zone_put(struct op *op, struct zone *z, const struct run *r,
		     const struct attr *attr)
{
	struct emm *emm = op->emm;
	struct path p;
	struct area *n;
	uint32_t c, end;

	descend(emm, z, r->a, &p);
	end = p.n;
	if (zone_join(op, z, &p, r, attr))
		return;
	p.n = end;
	c = meta_cell(op);
	if (!c)
		__builtin_trap(); /* I3 */
	n = area_ptr(emm, c);
	*n = (struct area){ .start = r->a,
			    .end = r->b,
			    .flags = attr->flags,
			    .handler = attr->handler,
			    .priv = attr->priv,
			    .wmin = attr->wmin,
			    .wmax = attr->wmax };
	tree_insert(emm, z, &p, c, end - 1);
}

void area_put(struct op *op, uint32_t a, uint32_t b, const struct attr *attr)
{
	struct emm *emm = op->emm;
	struct attr piece = *attr;

	while (a < b) {
		uint32_t z = zone_of(emm, a);
		struct run r = { .a = a, .b = min_u32(b, zone_end(emm, z)) };

		zone_put(op, &emm->zones[z], &r, &piece);
		if (attr->flags & (EMM_GROWSDOWN | EMM_GROWSUP))
			piece.flags |= A_CONT;
		a = r.b;
	}
}

/* A fit in the free pages [lo, hi), within bounds; UINT32_MAX: none. */
struct want {
	const struct emm *emm;
	uint32_t lo;
	uint32_t hi;
	uint32_t need;
	uint32_t slack; /* for pruning: need, with room to align or without */
	uint64_t mask;	/* of page numbers, absolute */
};

static uint32_t fit(const struct want *w, uint32_t lo, uint32_t hi)
{
	uint64_t base = w->emm->base >> PAGE_SHIFT, at;

	lo = max_u32(lo, w->lo);
	hi = min_u32(hi, w->hi);
	at = ((base + lo + w->mask) & ~w->mask) - base;
	return at < hi && w->need <= hi - at ? (uint32_t)at : UINT32_MAX;
}

/* The lowest fit between lo and hi, around the subtree n. */
static uint32_t subtree_fit(const struct want *w, uint32_t n, uint32_t lo,
			    uint32_t hi)
{
	const struct area *a;
	uint32_t got;

	if (hi <= w->lo || lo >= w->hi || hi - lo < w->slack)
		return UINT32_MAX;
	if (!n)
		return fit(w, lo, hi);
	a = area_ptr(w->emm, n);
	if (a->gap < w->slack) { /* nor below; at the two ends perhaps */
		got = subtree_fit(w, 0, lo, a->first);
		return got != UINT32_MAX ? got : subtree_fit(w, 0, a->last, hi);
	}
	got = subtree_fit(w, a->child[0], lo, a->start);
	return got != UINT32_MAX ? got
				 : subtree_fit(w, a->child[1], a->end, hi);
}

static uint32_t zone_fit(struct want *w, uint32_t z)
{
	uint32_t lo = z << w->emm->zone_shift, hi = zone_end(w->emm, z), got;

	if (w->mask && w->need + w->mask < UINT32_MAX) {
		/* A gap with room to align: found without a detour. */
		w->slack = w->need + (uint32_t)w->mask;
		got = subtree_fit(w, w->emm->zones[z].root, lo, hi);
		if (got != UINT32_MAX)
			return got;
	}
	w->slack = w->need;
	return subtree_fit(w, w->emm->zones[z].root, lo, hi);
}

/* The lowest fit over zone borders; all zones of the bounds are locked. */
static uint32_t border_fit(struct want *w)
{
	struct emm *emm = (struct emm *)w->emm;
	uint32_t free = w->lo;

	for (uint32_t z = zone_of(emm, w->lo); z <= zone_of(emm, w->hi - 1);
	     z++) {
		const struct zone *zone = &emm->zones[z];
		uint32_t got;

		if (!zone->root)
			continue;
		got = fit(w, free, area_ptr(emm, zone->root)->first);
		if (got != UINT32_MAX)
			return got;
		got = zone_fit(w, z);
		if (got != UINT32_MAX)
			return got;
		free = max_u32(free, area_ptr(emm, zone->root)->last);
	}
	return fit(w, free, w->hi);
}

/*
 * Find the lowest free run of `need` pages, aligned to 2^align bytes, within
 * bounds: of one zone if bounds->byte is 0 (the bounds lie in it), else over
 * zones. The caller has locked the zones that the bounds touch.
 */
uint32_t area_gap(struct emm *emm, struct run *bounds, uint32_t need,
		  uint32_t align)
{
	struct want w = { .emm = emm,
			  .lo = bounds->a,
			  .hi = bounds->b,
			  .need = need,
			  .mask = (1ull << (align - PAGE_SHIFT)) - 1 };

	if (bounds->byte)
		return border_fit(&w);
	return zone_fit(&w, zone_of(emm, bounds->a));
}

static bool pieces_join(const struct area *low, const struct area *high)
{
	const struct attr attr = { .flags = high->flags & (uint16_t)~A_CONT,
				   .handler = high->handler,
				   .priv = high->priv,
				   .wmin = high->wmin,
				   .wmax = high->wmax };

	if (low->end != high->start)
		return false;
	if (high->flags & A_CONT)
		return (low->flags & ~A_CONT) == attr.flags &&
		       low->handler == high->handler && low->priv == high->priv;
	return attr_mergeable(low, &attr);
}

static bool zone_get(struct emm *emm, uint32_t z, uint32_t pg, struct area *out)
{
	uint32_t n;

	lock_acquire(emm, &emm->zones[z].lock);
	n = tree_above(emm, &emm->zones[z], pg);
	if (n)
		*out = *area_ptr(emm, n);
	lock_release(&emm->zones[z].lock);
	return n;
}

/*
 * The area that holds pg, or else the next above it, joined over zones.
 * Takes the zones' locks, one at a time.
 */
bool area_get(struct emm *emm, uint32_t pg, struct area *out)
{
	uint32_t z = zone_of(emm, pg), last = zone_of(emm, emm->pages - 1);
	struct area piece;

	while (!zone_get(emm, z, pg, out)) {
		if (++z > last)
			return false;
	}
	for (uint32_t k = z; k-- > 0;) {
		if (out->start != zone_end(emm, k) ||
		    !zone_get(emm, k, out->start - 1, &piece) ||
		    !pieces_join(&piece, out))
			break;
		out->start = piece.start;
		out->flags = piece.flags;
	}
	while (++z <= last && out->end == zone_end(emm, z - 1) &&
	       zone_get(emm, z, out->end, &piece) && pieces_join(out, &piece))
		out->end = piece.end;
	return true;
}

/*
 * The next window: twice the last of a sequence where the fault @follows, else
 * half the last, and no more than a first one. A jump between two faults of a
 * sequence, as malloc's to the end of a block, does not make it begin anew;
 * with each further one half of it is forgotten.
 */
static uint32_t window_next(struct area *a, bool follows)
{
	uint32_t pages = a->wmin;

	if (a->wcur && follows) {
		pages = max_u32(a->wcur, a->wseq);
		pages = max_u32(pages, min_u32(2 * pages, a->wmax));
		a->wseq = (uint16_t)pages;
	} else if (a->wcur) {
		pages = min_u32(a->wcur / 2, a->wmin);
		a->wseq /= 2;
	}
	return max_u32(1, pages);
}

/*
 * As area_get for a page that is about to be committed by a fault, and how
 * many pages with it, upwards, or downwards where the area grows so. The fault
 * is one of a sequence if it comes where the last window ended, or @behind: to
 * a page that is committed, as where several sequences share an area.
 */
uint32_t area_window(struct emm *emm, uint32_t pg, bool behind,
		     struct area *out)
{
	struct zone *z = &emm->zones[zone_of(emm, pg)];
	uint32_t n, pages = 1;

	lock_acquire(emm, &z->lock);
	n = tree_above(emm, z, pg);
	if (n && area_ptr(emm, n)->start <= pg) {
		struct area *a = area_ptr(emm, n);
		bool down = a->flags & EMM_GROWSDOWN;

		pages = window_next(a, behind || a->wnext == pg + down);
		a->wcur = (uint16_t)pages;
		a->wnext = down ? pg + 1 - min_u32(pages, pg + 1 - a->start)
				: min_u32(pg + pages, a->end);
		*out = *a;
	}
	lock_release(&z->lock);
	return pages;
}
