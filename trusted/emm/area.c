/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Areas: one AVL tree a zone, ordered by address, with the largest gap of each
 * subtree (first-fit search in O(log n)). Keeps I6 (areas never overlap: a
 * range is put only where it was found empty, or cut before) and I7 (adjacent
 * areas with equal attributes are one).
 *
 * An area that crosses zones is one piece a zone; readers join them again.
 */
#include "trusted/emm/instance.h"

#define DEPTH 48 /* an AVL tree of 2^32 nodes has 46 levels */

struct path {
	uint32_t *link[DEPTH];
	uint32_t n;
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

static uint32_t height(const struct emm *emm, uint32_t n)
{
	return n ? area_ptr(emm, n)->height : 0;
}

/* Recompute what a node knows of its subtree. Return: did it change? */
static bool pull(struct emm *emm, struct area *n)
{
	uint32_t first = n->start, last = n->end, gap = 0, h = 0;
	bool same;

	if (n->child[0]) {
		const struct area *l = area_ptr(emm, n->child[0]);

		first = l->first;
		gap = max_u32(l->gap, n->start - l->last);
		h = l->height;
	}
	if (n->child[1]) {
		const struct area *r = area_ptr(emm, n->child[1]);

		last = r->last;
		gap = max_u32(gap, max_u32(r->gap, r->first - n->end));
		h = max_u32(h, r->height);
	}
	same = n->first == first && n->last == last && n->gap == gap &&
	       n->height == h + 1;
	n->first = first;
	n->last = last;
	n->gap = gap;
	n->height = h + 1;
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

static bool balance(struct emm *emm, uint32_t *link)
{
	struct area *n = area_ptr(emm, *link);
	uint32_t h[2] = { height(emm, n->child[0]), height(emm, n->child[1]) };
	unsigned int side = h[1] > h[0];
	struct area *c;

	if (h[side] < h[!side] + 2)
		return pull(emm, n);
	c = area_ptr(emm, n->child[side]);
	if (height(emm, c->child[!side]) > height(emm, c->child[side]))
		rotate(emm, &n->child[side], side);
	rotate(emm, link, !side);
	return true;
}

/* From the path's end up; once above link number `must`, until no change. */
static void rebalance(struct emm *emm, struct path *p, uint32_t must)
{
	while (p->n && (balance(emm, p->link[p->n - 1]) || p->n > must))
		p->n--;
}

/* The way to the node that starts at `start`, or to where it would be. */
static void descend(struct emm *emm, struct zone *z, uint32_t start,
		    struct path *p)
{
	uint32_t *link = &z->root;

	p->n = 0;
	for (;;) {
		struct area *n;

		p->link[p->n++] = link;
		if (!*link)
			return;
		n = area_ptr(emm, *link);
		if (n->start == start)
			return;
		link = &n->child[start > n->start];
	}
}

static void tree_insert(struct emm *emm, struct zone *z, uint32_t cell)
{
	struct area *n = area_ptr(emm, cell);
	struct path p;

	n->child[0] = 0;
	n->child[1] = 0;
	n->height = 0;
	descend(emm, z, n->start, &p);
	*p.link[p.n - 1] = cell;
	rebalance(emm, &p, p.n);
	z->areas++;
}

static uint32_t tree_remove(struct emm *emm, struct zone *z, uint32_t start)
{
	struct path p;
	uint32_t *link, cell, at;
	struct area *n;

	descend(emm, z, start, &p);
	at = p.n;
	link = p.link[at - 1];
	cell = *link;
	n = area_ptr(emm, cell);
	if (n->child[0] && n->child[1]) {
		uint32_t *next = &n->child[1], up;

		while (area_ptr(emm, *next)->child[0]) {
			p.link[p.n++] = next;
			next = &area_ptr(emm, *next)->child[0];
		}
		up = *next;
		*next = area_ptr(emm, up)->child[1];
		area_ptr(emm, up)->child[0] = n->child[0];
		area_ptr(emm, up)->child[1] = n->child[1];
		area_ptr(emm, up)->height = 0;
		*link = up;
		if (p.n > at)
			p.link[at] = &area_ptr(emm, up)->child[1];
	} else {
		*link = n->child[!n->child[0]];
		p.n--;
	}
	rebalance(emm, &p, at);
	z->areas--;
	return cell;
}

/* A node's start or end moved, without passing another node. */
static void tree_moved(struct emm *emm, struct zone *z, uint32_t start)
{
	struct path p;

	descend(emm, z, start, &p);
	while (p.n && pull(emm, area_ptr(emm, *p.link[p.n - 1])))
		p.n--;
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

/* The node that ends at pg; 0 if none. */
static uint32_t tree_ending(struct emm *emm, const struct zone *z, uint32_t pg)
{
	uint32_t n = pg ? tree_above(emm, z, pg - 1) : 0;

	return n && area_ptr(emm, n)->end == pg ? n : 0;
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

/* Remove [a, b) from one zone, splitting an area at most. */
static void zone_cut(struct op *op, struct zone *z, uint32_t a, uint32_t b)
{
	struct emm *emm = op->emm;
	uint32_t n;

	while ((n = tree_above(emm, z, a)) && area_ptr(emm, n)->start < b) {
		struct area *area = area_ptr(emm, n);
		uint32_t start = area->start, end = area->end;

		if (start >= a && end <= b) {
			meta_cell_free(op, tree_remove(emm, z, start));
			continue;
		}
		if (start < a) {
			area->end = a;
			tree_moved(emm, z, start);
			if (end > b) {
				uint32_t c = meta_cell(op);

				if (!c)
					__builtin_trap(); /* I3 */
				*area_ptr(emm, c) = *area;
				area_ptr(emm, c)->start = b;
				area_ptr(emm, c)->end = end;
				tree_insert(emm, z, c);
			}
		} else {
			area->start = b;
			tree_moved(emm, z, b);
		}
	}
}

void area_cut(struct op *op, uint32_t a, uint32_t b)
{
	struct emm *emm = op->emm;

	while (a < b) {
		uint32_t z = zone_of(emm, a);
		uint32_t end = min_u32(b, zone_end(emm, z));

		zone_cut(op, &emm->zones[z], a, end);
		a = end;
	}
}

static bool attr_mergeable(const struct area *n, const struct attr *attr)
{
	return !(attr->flags & (EMM_GROWSDOWN | EMM_GROWSUP | A_META)) &&
	       (n->flags & ~A_CONT) == attr->flags &&
	       n->handler == attr->handler && n->priv == attr->priv &&
	       n->wmin == attr->wmin && n->wmax == attr->wmax;
}

/* Put an area into one zone where it is empty; join it with neighbours. */
static void zone_put(struct op *op, struct zone *z, const struct run *r,
		     const struct attr *attr)
{
	struct emm *emm = op->emm;
	uint32_t before = tree_ending(emm, z, r->a);
	uint32_t after = tree_above(emm, z, r->a), c;
	struct area *n;

	if (after && (area_ptr(emm, after)->start != r->b ||
		      !attr_mergeable(area_ptr(emm, after), attr)))
		after = 0;
	if (before && attr_mergeable(area_ptr(emm, before), attr)) {
		uint32_t end = r->b;

		n = area_ptr(emm, before);
		if (after) {
			end = area_ptr(emm, after)->end;
			meta_cell_free(op, tree_remove(emm, z, r->b));
		}
		n->end = end;
		tree_moved(emm, z, n->start);
		return;
	}
	if (after) {
		area_ptr(emm, after)->start = r->a;
		tree_moved(emm, z, r->a);
		return;
	}
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
	tree_insert(emm, z, c);
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
	if (a->gap < w->slack && a->first - lo < w->slack &&
	    hi - a->last < w->slack)
		return UINT32_MAX;
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
 * As area_get for a page that is about to be committed by a fault, and how
 * many pages with it, upwards, or downwards where the area grows so: the
 * window doubles while faults come in sequence.
 */
uint32_t area_window(struct emm *emm, uint32_t pg, struct area *out)
{
	struct zone *z = &emm->zones[zone_of(emm, pg)];
	uint32_t n, pages = 1;

	lock_acquire(emm, &z->lock);
	n = tree_above(emm, z, pg);
	if (n && area_ptr(emm, n)->start <= pg) {
		struct area *a = area_ptr(emm, n);
		bool down = a->flags & EMM_GROWSDOWN;

		pages = a->wmin;
		if (a->wnext == pg + down && a->wcur)
			pages = min_u32(2u * a->wcur, a->wmax);
		pages = max_u32(1, max_u32(pages, a->wmin));
		a->wcur = (uint16_t)pages;
		a->wnext = down ? pg + 1 - min_u32(pages, pg + 1 - a->start)
				: min_u32(pg + pages, a->end);
		*out = *a;
	}
	lock_release(&z->lock);
	return pages;
}
