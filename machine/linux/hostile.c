/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a hostile kernel does to single pages: takes one away, maps another in
 * its place, removes one and adds an empty one. And where it waits: code that
 * nobody can execute until the front end lets him.
 *
 * A page that is taken has no page-table entry; the fault handler asks here
 * before it would make one. Nothing in the model is relaxed for any of this:
 * whatever the enclave sees is what the processor gives.
 *
 * Locks: the driver's is held inside, and taken by what drv.h declares.
 */
#include "machine/linux/internal.h"

static struct taken *find(struct drv *d, uint64_t addr)
{
	for (uint32_t i = 0; i < d->hostile.count; i++)
		if (d->hostile.taken[i].addr == addr)
			return &d->hostile.taken[i];
	return NULL;
}

static void drop(struct drv *d, struct taken *t)
{
	*t = d->hostile.taken[--d->hostile.count];
}

/* The page's record, and its enclave; NULL if there is no page. */
static page_t *page_at(struct drv *d, uint64_t addr, struct drv_encl **e)
{
	struct drv_vma v;

	if (!drv_find_vma(d, addr, &v) || v.start > addr)
		return NULL;
	*e = v.encl;
	return page_find(v.encl, addr);
}

static bool hide(struct drv *d, uint64_t addr)
{
	struct drv_encl *e;
	page_t *p = page_at(d, addr, &e);

	if (p)
		page_zap(d, e, p, addr);
	return p;
}

bool drv_hide(struct drv *d, uint64_t addr)
{
	bool done;

	drv_lock(d);
	done = hide(d, addr & PAGE_MASK);
	drv_unlock(d);
	return done;
}

bool drv_take(struct drv *d, uint64_t addr, enum drv_theft how, uint32_t times)
{
	struct hostile *h = &d->hostile;
	struct taken *t;

	addr &= PAGE_MASK;
	drv_lock(d);
	t = find(d, addr);
	if (!t && h->count < HOSTILE_TAKEN)
		t = &h->taken[h->count++];
	if (t) {
		*t = (struct taken){ addr, how, times };
		hide(d, addr);
	}
	drv_unlock(d);
	return t;
}

void drv_give(struct drv *d, uint64_t addr)
{
	struct taken *t;

	drv_lock(d);
	t = find(d, addr & PAGE_MASK);
	if (t)
		drop(d, t);
	drv_unlock(d);
}

void drv_give_all(struct drv *d)
{
	drv_lock(d);
	d->hostile.count = 0;
	drv_unlock(d);
}

bool hostile_fault(struct drv *d, uint64_t page, bool inside,
		   enum drv_theft *how)
{
	struct taken *t = find(d, page);

	if (!t)
		return false;
	*how = t->how;
	/* What the host reads meanwhile is its own affair. */
	if (inside && t->times && !--t->times)
		drop(d, t);
	return true;
}

bool drv_replace(struct drv *d, uint64_t addr)
{
	struct drv_encl *e;
	bool done = false;
	page_t *p;

	addr &= PAGE_MASK;
	drv_lock(d);
	p = page_at(d, addr, &e);
	if (p && !(*p & PG_EVICTED) && !(e->state & ENCL_LOST)) {
		page_zap(d, e, p, addr);
		done = page_renew(d, e, p, addr);
	}
	drv_unlock(d);
	return done;
}

bool drv_inject(struct drv *d, const struct inject_rule *r)
{
	struct drv_inject *in = &d->inject;
	bool room;

	drv_lock(d);
	room = in->count < INJECT_RULES;
	if (room) {
		in->rule[in->count++] = *r;
		in->points |= 1u << r->point;
	}
	drv_unlock(d);
	return room;
}

bool drv_poke(struct drv *d, uint64_t addr, const void *from, size_t size)
{
	struct drv_encl *e;
	page_t *p;
	bool done;

	drv_lock(d);
	p = page_at(d, addr, &e);
	done = p && !(*p & PG_EVICTED) && addr % PAGE_SIZE + size <= PAGE_SIZE;
	if (done)
		__builtin_memcpy(page_mem(e, addr), from, size);
	drv_unlock(d);
	return done;
}

/* ---- code that nobody executes unseen ----------------------------------- */

bool hostile_guards(const struct drv *d, const struct drv_encl *e,
		    uint64_t addr)
{
	const struct hostile *h = &d->hostile;
	uint64_t off = addr - e->base;

	for (uint32_t i = 0; h->armed && i < h->range_count; i++)
		if (off >= h->range[i].start && off < h->range[i].end)
			return true;
	return false;
}

static void refresh(struct drv *d, struct drv_encl *e,
		    const struct drv_range *r)
{
	uint64_t at;
	page_t *p;

	if (!(e->state & ENCL_CREATED))
		return;
	for (uint64_t a = e->base + r->start;
	     (p = page_next(e, a, e->base + r->end, &at)); a = at + PAGE_SIZE)
		page_view(d, e, p, at);
}

void drv_guard(struct drv *d, const struct drv_range *ranges, uint32_t count)
{
	drv_lock(d);
	d->hostile.range = ranges;
	d->hostile.range_count = count;
	drv_unlock(d);
}

void drv_guard_arm(struct drv *d, bool on)
{
	struct hostile *h = &d->hostile;

	drv_lock(d);
	if (h->armed != on) {
		h->armed = on;
		for (struct drv_encl *e = d->encls; e; e = e->next)
			for (uint32_t i = 0; i < h->range_count; i++)
				refresh(d, e, &h->range[i]);
	}
	drv_unlock(d);
}
