/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page records of an enclave, and what the front end shows of each page.
 *
 * The view of a page is its page-table entry cut down to the EPCM's rights:
 * nothing unless the entry is present, the page is in the EPC, and the model
 * grants an access to it.
 */
#include "machine/linux/internal.h"

static unsigned way(uint64_t pgno, unsigned level)
{
	return (unsigned)(pgno >> (level * NODE_BITS)) & (NODE_WAYS - 1);
}

page_t *page_find(const struct drv_encl *e, uint64_t addr)
{
	uint64_t pgno = (addr - e->base) >> SGX_PAGE_SHIFT;
	struct node *n = e->root;
	page_t *p;

	if (addr - e->base >= e->size)
		return NULL;
	for (unsigned l = e->height; n && l > 0; l--)
		n = n->child[way(pgno, l)];
	if (!n)
		return NULL;
	p = &n->page[way(pgno, 0)];
	return *p & PG_EXISTS ? p : NULL;
}

page_t *page_make(struct drv *d, struct drv_encl *e, uint64_t addr)
{
	uint64_t pgno = (addr - e->base) >> SGX_PAGE_SHIFT;
	struct node **n = &e->root;

	for (unsigned l = e->height;; l--) {
		if (!*n)
			*n = pool_get(d, POOL_NODE);
		if (!*n)
			return NULL;
		if (l == 0)
			return &(*n)->page[way(pgno, 0)];
		n = &(*n)->child[way(pgno, l)];
	}
}

/* The node that holds @pgno at level 0, or NULL and the first page number that
 * could have one. */
static struct node *leaf_of(const struct drv_encl *e, uint64_t pgno,
			    uint64_t *skip)
{
	struct node *n = e->root;

	for (unsigned l = e->height; l > 0; l--) {
		unsigned shift = l * NODE_BITS;

		n = n ? n->child[way(pgno, l)] : NULL;
		if (!n) {
			*skip = ((pgno >> shift) + 1) << shift;
			return NULL;
		}
	}
	*skip = ((pgno >> NODE_BITS) + 1) << NODE_BITS;
	return n;
}

page_t *page_next(const struct drv_encl *e, uint64_t addr, uint64_t end,
		  uint64_t *at)
{
	uint64_t pgno, last, skip;

	if (addr < e->base)
		addr = e->base;
	if (end > e->base + e->size)
		end = e->base + e->size;
	if (addr >= end)
		return NULL;
	pgno = (addr - e->base) >> SGX_PAGE_SHIFT;
	last = (end - e->base + PAGE_SIZE - 1) >> SGX_PAGE_SHIFT;
	while (pgno < last) {
		struct node *n = leaf_of(e, pgno, &skip);

		for (; n && pgno < skip && pgno < last; pgno++) {
			page_t *p = &n->page[way(pgno, 0)];

			if (*p & PG_EXISTS) {
				*at = e->base + (pgno << SGX_PAGE_SHIFT);
				return p;
			}
		}
		pgno = skip;
	}
	return NULL;
}

static void node_drop(struct drv *d, struct node *n, unsigned level)
{
	if (!n)
		return;
	for (unsigned i = 0; level > 0 && i < NODE_WAYS; i++)
		node_drop(d, n->child[i], level - 1);
	pool_put(d, POOL_NODE, n);
}

void page_drop_all(struct drv *d, struct drv_encl *e)
{
	node_drop(d, e->root, e->height);
	e->root = NULL;
}

/* What a page shows by now; false: that is what it has shown. */
static bool view_changed(struct drv *d, struct drv_encl *e, page_t *p,
			 struct drv_view *v)
{
	v->from = pg_get(*p, PG_VIEW_SHIFT);
	if ((*p & PG_PTE) && !(*p & PG_EVICTED) && !(e->state & ENCL_LOST))
		v->to = mach_rights(d->mach, pg_index(*p));
	if ((v->to & MACH_X) && hostile_guards(d, e, v->addr))
		v->to &= ~(unsigned)MACH_X;
	pg_set(p, PG_VIEW_SHIFT, v->to);
	return v->from != v->to;
}

void views_tell(struct drv *d)
{
	struct drv_encl *e = d->later_encl;

	d->later_encl = NULL;
	if (e)
		d->p.view(d->p.ctx, e, &d->later);
}

void page_view(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr)
{
	struct drv_view v = { .addr = addr, .size = PAGE_SIZE };

	views_tell(d);
	if (view_changed(d, e, p, &v))
		d->p.view(d->p.ctx, e, &v);
}

void page_view_later(struct drv *d, struct drv_encl *e, page_t *p,
		     uint64_t addr)
{
	struct drv_view v = { .addr = addr, .size = PAGE_SIZE };
	struct drv_view *l = &d->later;

	if (!view_changed(d, e, p, &v))
		return;
	if (d->later_encl == e && l->addr + l->size == addr &&
	    l->from == v.from && l->to == v.to) {
		l->size += PAGE_SIZE;
		return;
	}
	views_tell(d);
	*l = v;
	d->later_encl = e;
}

void page_zap(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr)
{
	*p &= ~PG_PTE;
	page_view(d, e, p, addr);
}

void drv_refresh(struct drv *d, uint64_t addr)
{
	struct drv_vma v;
	page_t *p;

	addr &= PAGE_MASK;
	if (!drv_find_vma(d, addr, &v) || v.start > addr)
		return;
	p = page_find(v.encl, addr);
	if (p)
		page_view(d, v.encl, p, addr);
}

void drv_each_exec(struct drv *d, struct drv_encl *e, uint64_t start,
		   uint64_t end, void (*fn)(void *arg, uint64_t a, uint64_t b),
		   void *arg)
{
	uint64_t run = 0, next = 0, at;
	page_t *p;

	(void)d;
	for (uint64_t a = start; (p = page_next(e, a, end, &at));
	     a = at + PAGE_SIZE) {
		if (!(pg_get(*p, PG_VIEW_SHIFT) & MACH_X))
			continue;
		if (next && next == at) {
			next += PAGE_SIZE;
			continue;
		}
		if (next)
			fn(arg, run, next);
		run = at;
		next = at + PAGE_SIZE;
	}
	if (next)
		fn(arg, run, next);
}

void drv_each_page(struct drv *d, struct drv_encl *e,
		   void (*fn)(void *arg, uint64_t a, uint64_t b), void *arg)
{
	uint64_t end = e->base + e->size, run = e->base, next = run, at;

	(void)d;
	while (page_next(e, next, end, &at)) {
		if (at != next) {
			if (next > run)
				fn(arg, run, next);
			run = at;
		}
		next = at + PAGE_SIZE;
	}
	if (next > run)
		fn(arg, run, next);
}

void drv_each_shown(struct drv *d, struct drv_encl *e, uint64_t start,
		    uint64_t end,
		    void (*fn)(void *arg, uint64_t addr, unsigned view),
		    void *arg)
{
	uint64_t at;
	page_t *p;

	(void)d;
	for (uint64_t a = start; (p = page_next(e, a, end, &at));
	     a = at + PAGE_SIZE)
		if (pg_get(*p, PG_VIEW_SHIFT))
			fn(arg, at, pg_get(*p, PG_VIEW_SHIFT));
}
