/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults on enclave mappings, in Linux's order: no mapping; the SGX bit;
 * the mapping's rights; then the driver's fault handler, which adds, loads or
 * enters the page.
 */
#include <errno.h>
#include <string.h>

#include "machine/linux/internal.h"

static bool vma_allows(const struct drv_vma *v, unsigned access)
{
	if (access == MACH_W)
		return v->prot & DRV_PROT_W;
	if (access == MACH_X)
		return v->prot & DRV_PROT_X;
	return v->prot != 0;
}

/* An entry in a mapping of PROT_NONE is not present to the processor. */
static uint32_t plain_code(const struct drv_vma *v, const page_t *p,
			   unsigned access)
{
	bool present = v && v->prot && p && (*p & PG_PTE);

	return SGX_PFEC_U | (present ? SGX_PFEC_P : 0) |
	       (access == MACH_W ? SGX_PFEC_W : 0) |
	       (access == MACH_X ? SGX_PFEC_I : 0);
}

/* A fetch where the mapping has no X: Linux looks at that only when the entry
 * is there (access_error()), so it makes the entry first. */
static bool fetch_adds(const struct drv_vma *v, const page_t *p,
		       unsigned access)
{
	return access == MACH_X && v->prot && !(p && (*p & PG_PTE));
}

enum mach_xlate drv_translate(void *drv, uint64_t addr, unsigned access,
			      uint32_t *out)
{
	struct drv *d = drv;
	struct drv_vma v;
	page_t *p = NULL;

	if (!drv_find_vma(d, addr, &v) || v.start > addr) {
		if (d->p.mapped(d->p.ctx, addr))
			return MACH_XL_OTHER;
		*out = plain_code(NULL, NULL, access);
		return MACH_XL_FAULT;
	}
	p = page_find(v.encl, addr);
	if (vma_allows(&v, access) && p && (*p & PG_PTE) &&
	    !(v.encl->state & ENCL_LOST)) {
		*out = pg_index(*p);
		return MACH_XL_EPC;
	}
	if (v.encl->state & ENCL_LOST)
		return MACH_XL_OTHER;
	*out = plain_code(&v, p, access);
	return MACH_XL_FAULT;
}

static bool can_augment(const struct drv *d, const struct drv_encl *e,
			uint64_t addr)
{
	return d->sgx2 && (e->state & ENCL_INITIALIZED) &&
	       addr - e->base < e->size;
}

/* EAUG of an absent page; false means SIGBUS. */
static bool augment(struct drv *d, struct drv_encl *e, uint64_t addr)
{
	struct sgx_pageinfo pi = { .linaddr = addr };
	struct leaf l = { .nr = SGX_EAUG, .addr = addr, .rbx = &pi };
	uint32_t epc;
	page_t *p;

	if (encl_grow(d, e))
		return false;
	p = page_make(d, e, addr);
	e->children++;
	if (!p || secs_in(d, e) || epc_alloc(d, page_mem(e, addr), &epc))
		goto out_shrink;
	pi.secs = mach_epc_addr(e->secs_epc);
	l.epc = mach_epc_addr(epc);
	if (!mach_ok(encls(d, e, &l)))
		goto out_free;
	*p = PG_EXISTS | epc;
	pg_set(p, PG_MAX_SHIFT, 7);
	pg_set(p, PG_TYPE_SHIFT, SGX_PT_REG);
	d->stats.pages_augmented++;
	return true;
out_free:
	epc_free(d, epc);
out_shrink:
	e->children--;
	encl_shrink(d, e);
	return false;
}

bool page_renew(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr)
{
	struct leaf l = { .nr = SGX_EREMOVE,
			  .epc = mach_epc_addr(pg_index(*p)),
			  .addr = addr };

	if (!can_augment(d, e, addr) || !mach_ok(encls(d, e, &l)))
		return false;
	epc_free(d, pg_index(*p));
	*p = 0;
	e->children--;
	encl_shrink(d, e);
	d->p.discard(d->p.ctx, e, addr, PAGE_SIZE);
	return augment(d, e, addr);
}

/* A fault that the kernel resolves: what it was, who took it. */
struct kfault {
	const struct drv_vma *v;
	struct mach_cpu *cpu;
	uint64_t addr;
	struct mach_event ev;
	enum trace_fault what;
};

static void count(struct drv *d, const struct kfault *k, enum trace_fault what,
		  uint32_t pfec)
{
	watch_count(&d->stats, WATCH_EVENT(FAULT, what), 1);
	if (traced(d))
		trace_fault(d, k->v->encl, what, k->addr, pfec);
}

/* An AEX, and an ERESUME when the kernel is done. */
static void count_kernel(struct drv *d, const struct kfault *k)
{
	struct mach_cpu *cpu = k->cpu;

	if (!cpu || !mach_inside(cpu) || !interrupt(d, cpu, &k->ev))
		return;
	d->stats.aex_kernel++;
	/* Where the front end owes the AEX, it is traced when it is done. */
	if (traced(d) && !cpu->due)
		trace_interrupt(d, cpu, TRACE_AEX_KERNEL, k->addr);
}

/* A page that is not there: true if it is now. */
static bool add_absent(struct drv *d, struct kfault *k)
{
	struct inject_outcome o;
	page_t *p;

	k->what = k->cpu && mach_inside(k->cpu) ? TRACE_FAULT_EAUG
						: TRACE_FAULT_EAUG_OUTSIDE;
	if (!can_augment(d, k->v->encl, k->addr))
		return false;
	/* Only a look: an outcome of the leaf itself is encls()'s, which counts
	 * this event. */
	o = inject_peek(&d->inject, INJECT_ENCLS + SGX_EAUG);
	if (o.kind == INJECT_NO_EPC) {
		inject_fire(&d->inject, INJECT_ENCLS + SGX_EAUG);
		return false;
	}
	if (o.kind == INJECT_RETRY)
		count_kernel(d, k);
	if (!augment(d, k->v->encl, k->addr))
		return false;
	if (o.kind != INJECT_RACE)
		return true;
	p = page_find(k->v->encl, k->addr);
	*p |= PG_PTE | PG_YOUNG;
	page_view(d, k->v->encl, p, k->addr);
	return false;
}

/* The driver's fault handler: DRV_RETRY if the page-table entry is there now,
 * DRV_BUSY or DRV_SIGBUS. */
static enum drv_verdict resolve(struct drv *d, struct kfault *k)
{
	page_t *p = page_find(k->v->encl, k->addr);
	int r;

	if (!p && !add_absent(d, k))
		return DRV_SIGBUS;
	if (p) {
		k->what = *p & PG_EVICTED ? TRACE_FAULT_ELDU : TRACE_FAULT_PTE;
		if (k->v->prot & ~pg_get(*p, PG_MAX_SHIFT))
			return DRV_SIGBUS;
		r = page_load(d, k->v->encl, p, k->addr);
		if (r)
			return r == -EBUSY ? DRV_BUSY : DRV_SIGBUS;
	}
	p = page_find(k->v->encl, k->addr);
	*p |= PG_PTE | PG_YOUNG;
	return DRV_RETRY;
}

void drv_populate(struct drv *d, uint64_t start, uint64_t end)
{
	struct drv_vma v;

	for (; start < end; start += PAGE_SIZE) {
		struct kfault k = { .v = &v, .addr = start };
		page_t *p;

		if (!drv_find_vma(d, start, &v) || v.start > start)
			return;
		p = page_find(v.encl, start);
		if (!v.prot || (p && (*p & PG_PTE)))
			continue;
		if (resolve(d, &k) != DRV_RETRY)
			return;
		p = page_find(v.encl, start);
		page_view(d, v.encl, p, start);
	}
}

/* The page has been taken away. */
static enum drv_verdict stolen(struct drv *d, const struct kfault *k,
			       unsigned access, bool leaf, uint32_t *pfec)
{
	bool inside = leaf || (k->cpu && mach_inside(k->cpu));
	enum drv_theft how;

	if (!hostile_fault(d, k->addr, inside, &how))
		return DRV_RETRY;
	if (!inside)
		return DRV_ABORT;
	if (how == DRV_THEFT_OTHER)
		*pfec = mach_access_pfec(access);
	count(d, k, how == DRV_THEFT_OTHER ? TRACE_FAULT_EPCM : TRACE_FAULT_VMA,
	      *pfec);
	return DRV_SEGV_ACC;
}

/* The page-table entry is there: what does the EPCM say? */
static enum drv_verdict epcm_check(struct drv *d, const struct kfault *k,
				   uint32_t epc, unsigned access,
				   uint32_t *pfec)
{
	struct mach_cpu outside, *cpu = k->cpu;

	if (!cpu) {
		mach_cpu_init(&outside);
		cpu = &outside;
	}
	switch (mach_access(d->mach, cpu, epc, k->addr, access)) {
	case MACH_ALLOW:
		return DRV_RETRY;
	case MACH_DENY:
		*pfec = mach_access_pfec(access);
		count(d, k, TRACE_FAULT_EPCM, *pfec);
		return DRV_SEGV_ACC;
	default:
		return DRV_ABORT;
	}
}

enum drv_verdict drv_fault(struct drv *d, struct mach_cpu *cpu, uint64_t addr,
			   unsigned access, bool leaf, uint32_t *pfec)
{
	uint64_t page = addr & PAGE_MASK;
	struct drv_vma v;
	struct kfault k = {
		.v = &v,
		.cpu = cpu,
		.addr = page,
		.ev = { .exception = true, .vector = SGX_VEC_PF, .addr = addr }
	};
	page_t *p;

	if (!drv_find_vma(d, addr, &v) || v.start > addr)
		return DRV_NONE;
	p = page_find(v.encl, page);
	*pfec = plain_code(&v, p, access);
	k.ev.errcode = *pfec;
	if (v.encl->state & ENCL_LOST) {
		*pfec |= SGX_PFEC_P | SGX_PFEC_SGX;
		return leaf || (cpu && mach_inside(cpu)) ? DRV_SEGV_ACC
							 : DRV_ABORT;
	}
	if (!vma_allows(&v, access) && !fetch_adds(&v, p, access)) {
		count(d, &k, TRACE_FAULT_VMA, *pfec);
		return DRV_SEGV_ACC;
	}
	if (d->hostile.count) {
		enum drv_verdict away = stolen(d, &k, access, leaf, pfec);

		if (away != DRV_RETRY)
			return away;
	}
	if (!p || !(*p & PG_PTE)) {
		enum drv_verdict done = resolve(d, &k);

		if (done == DRV_SIGBUS && epc_contended(d))
			done = DRV_BUSY;
		if (done == DRV_SIGBUS) {
			count(d, &k, TRACE_FAULT_SIGBUS, *pfec);
			return done;
		}
		count(d, &k, k.what, *pfec);
		count_kernel(d, &k);
		if (done == DRV_BUSY)
			return done;
		p = page_find(v.encl, page);
	} else if (d->stale_count && stale_fault(d, page)) {
		/* Spurious to the kernel. */
		count(d, &k, TRACE_FAULT_PTE, *pfec);
		count_kernel(d, &k);
	}
	page_view(d, v.encl, p, page);
	if (!vma_allows(&v, access)) {
		*pfec = plain_code(&v, p, access);
		count(d, &k, TRACE_FAULT_VMA, *pfec);
		return DRV_SEGV_ACC;
	}
	if (leaf)
		return DRV_RETRY;
	k.addr = addr;
	return epcm_check(d, &k, pg_index(*p), access, pfec);
}

bool drv_fault_plain(struct drv *d, uint64_t addr)
{
	struct drv_vma v;
	page_t *p;

	if (d->hostile.count || d->inject.points || !epc_plenty(d) ||
	    !drv_find_vma(d, addr, &v) || v.start > addr)
		return false;
	p = page_find(v.encl, addr);
	return !((p ? *p : v.encl->secs) & PG_EVICTED);
}

bool drv_peek(struct drv *d, uint64_t addr, void *out, size_t size)
{
	struct drv_vma v;
	page_t *p;

	if (!drv_find_vma(d, addr, &v) || v.start > addr ||
	    addr % PAGE_SIZE + size > PAGE_SIZE)
		return false;
	p = page_find(v.encl, addr);
	if (!p || (*p & PG_EVICTED) || (v.encl->state & ENCL_LOST))
		return false;
	memcpy(out, page_mem(v.encl, addr), size);
	return true;
}
