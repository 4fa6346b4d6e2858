/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings of enclave files, as the program believes them to be: a sorted
 * table of disjoint ranges. Neighbours that agree stay two, as Linux's do
 * (VM_PFNMAP): mprotect() of both goes by each.
 */
#include <errno.h>
#include <string.h>

#include "machine/linux/internal.h"

#define VMA_ROOM 4096u

/* The first mapping that ends above @addr. */
static uint32_t lower(const struct drv *d, uint64_t addr)
{
	uint32_t lo = 0, hi = d->vmas.count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (d->vmas.v[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool drv_find_vma(struct drv *d, uint64_t addr, struct drv_vma *out)
{
	uint32_t i = lower(d, addr);

	if (i == d->vmas.count)
		return false;
	*out = d->vmas.v[i];
	return true;
}

bool drv_any_mapped(const struct drv *d)
{
	return __atomic_load_n(&d->vmas.count, __ATOMIC_RELAXED) != 0;
}

static void count_change(struct vma_table *t, int by)
{
	__atomic_store_n(&t->count, t->count + (uint32_t)by, __ATOMIC_RELAXED);
}

bool drv_mapped(struct drv *d, uint64_t start, uint64_t end)
{
	uint32_t i = lower(d, start);

	return i < d->vmas.count && d->vmas.v[i].start < end;
}

/* Room for two more: an insertion, or a cut in the middle of a mapping. */
static int reserve(struct drv *d)
{
	struct vma_table *t = &d->vmas;
	uint32_t room = t->room ? t->room * 2 : VMA_ROOM;
	struct drv_vma *v;

	if (t->count + 2 <= t->room)
		return 0;
	v = d->p.alloc(d->p.ctx, room * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (t->count)
		memcpy(v, t->v, t->count * sizeof(*v));
	t->v = v;
	t->room = room;
	return 0;
}

static void insert(struct drv *d, uint32_t i, const struct drv_vma *v)
{
	struct vma_table *t = &d->vmas;

	memmove(&t->v[i + 1], &t->v[i], (t->count - i) * sizeof(*v));
	t->v[i] = *v;
	count_change(t, 1);
	v->encl->vmas++;
}

static void erase(struct drv *d, uint32_t i)
{
	struct vma_table *t = &d->vmas;

	t->v[i].encl->vmas--;
	count_change(t, -1);
	memmove(&t->v[i], &t->v[i + 1], (t->count - i) * sizeof(t->v[0]));
}

/* Makes @at a border between mappings, if it is inside one. */
static void split(struct drv *d, uint64_t at)
{
	uint32_t i = lower(d, at);
	struct drv_vma high;

	if (i == d->vmas.count || d->vmas.v[i].start >= at)
		return;
	high = d->vmas.v[i];
	high.start = at;
	d->vmas.v[i].end = at;
	insert(d, i + 1, &high);
}

/* The page-table entries of a range are gone with its mapping. */
static void forget_entries(struct drv_encl *e, uint64_t start, uint64_t end)
{
	uint64_t at;
	page_t *p;

	for (uint64_t a = start; (p = page_next(e, a, end, &at));
	     a = at + PAGE_SIZE) {
		*p &= ~PG_PTE;
		pg_set(p, PG_VIEW_SHIFT, 0);
	}
}

/* Removes what is mapped in the range; a whole mapping at a time after the
 * splits, so it cannot fail half way. */
static void cut(struct drv *d, uint64_t start, uint64_t end)
{
	uint32_t i;

	split(d, start);
	split(d, end);
	i = lower(d, start);
	while (i < d->vmas.count && d->vmas.v[i].start < end) {
		struct drv_vma v = d->vmas.v[i];

		forget_entries(v.encl, v.start, v.end);
		erase(d, i);
		if (!v.encl->vmas && (v.encl->state & ENCL_CLOSED))
			encl_free(d, v.encl);
	}
}

int drv_may_map(struct drv *d, struct drv_encl *e, uint64_t start, uint64_t end,
		unsigned prot)
{
	uint64_t at;
	page_t *p;

	(void)d;
	if ((e->state & ENCL_INITIALIZED) &&
	    (start < e->base || end > e->base + e->size))
		return -EACCES;
	if (!(e->state & ENCL_CREATED))
		return 0;
	for (uint64_t a = start; (p = page_next(e, a, end, &at));
	     a = at + PAGE_SIZE)
		if (prot & ~pg_get(*p, PG_MAX_SHIFT))
			return -EACCES;
	return 0;
}

int drv_mmap(struct drv *d, struct drv_encl *e, uint64_t start, uint64_t end,
	     unsigned prot)
{
	struct drv_vma v = {
		.start = start, .end = end, .encl = e, .prot = prot
	};
	uint32_t i;

	if (reserve(d))
		return -ENOMEM;
	d->stats.mmaps++;
	/* Keep the enclave while the last mapping of it is replaced. */
	e->vmas++;
	cut(d, start, end);
	i = lower(d, start);
	insert(d, i, &v);
	e->vmas--;
	if (traced(d))
		trace_map(d, TRACE_MMAP, &v);
	return 0;
}

int drv_may_protect(struct drv *d, uint64_t start, uint64_t end, unsigned prot)
{
	for (uint32_t i = lower(d, start);
	     i < d->vmas.count && d->vmas.v[i].start < end; i++) {
		struct drv_vma *v = &d->vmas.v[i];
		uint64_t a = v->start > start ? v->start : start;
		uint64_t b = v->end < end ? v->end : end;
		int r;

		/* VM_MAYWRITE is the file's. */
		if ((prot & DRV_PROT_W) && v->encl->read_only)
			return -EACCES;
		r = drv_may_map(d, v->encl, a, b, prot);
		if (r)
			return r;
	}
	return 0;
}

static void trace_protect(struct drv *d, uint32_t first, uint64_t start,
			  uint64_t end, unsigned prot)
{
	struct drv_vma v = { .start = start, .end = end, .prot = prot };

	if (first < d->vmas.count)
		v.encl = d->vmas.v[first].encl;
	trace_map(d, TRACE_MPROTECT, &v);
}

int drv_mprotect(struct drv *d, uint64_t start, uint64_t end, unsigned prot)
{
	uint32_t i;

	if (reserve(d))
		return -ENOMEM;
	d->stats.mprotects++;
	split(d, start);
	split(d, end);
	i = lower(d, start);
	if (traced(d))
		trace_protect(d, i, start, end, prot);
	for (; i < d->vmas.count && d->vmas.v[i].start < end; i++)
		d->vmas.v[i].prot = prot;
	return 0;
}

int drv_munmap(struct drv *d, uint64_t start, uint64_t end)
{
	if (reserve(d))
		return -ENOMEM;
	cut(d, start, end);
	return 0;
}
