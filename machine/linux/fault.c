/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults on enclave mappings, in Linux's order: no mapping; the SGX bit;
 * the mapping's rights; then the driver's fault handler, which adds, loads or
 * enters the page.
 */
#include <string.h>

#include "internal.h"

static bool vma_allows(const struct drv_vma *v, unsigned access)
{
	if (access == MACH_W)
		return v->prot & DRV_PROT_W;
	if (access == MACH_X)
		return v->prot & DRV_PROT_X;
	return v->prot != 0;
}

static uint32_t plain_code(const page_t *p, unsigned access)
{
	return SGX_PFEC_U | (p && (*p & PG_PTE) ? SGX_PFEC_P : 0) |
	       (access == MACH_W ? SGX_PFEC_W : 0) |
	       (access == MACH_X ? SGX_PFEC_I : 0);
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
		*out = plain_code(NULL, access);
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
	*out = plain_code(p, access);
	return MACH_XL_FAULT;
}

/* EAUG of an absent page; false means SIGBUS. */
static bool augment(struct drv *d, struct drv_encl *e, uint64_t addr)
{
	struct sgx_pageinfo pi = { .linaddr = addr };
	uint32_t epc;
	page_t *p;

	if (!d->sgx2 || !(e->state & ENCL_INITIALIZED) ||
	    addr - e->base >= e->size)
		return false;
	if (++d->eaug_count == d->inject.eaug_fail || encl_grow(d, e))
		return false;
	p = page_make(d, e, addr);
	e->children++;
	if (!p || secs_in(d, e) || epc_alloc(d, page_mem(e, addr), &epc))
		goto out_shrink;
	pi.secs = mach_epc_addr(e->secs_epc);
	if (!mach_ok(mach_eaug(d->mach, &pi, mach_epc_addr(epc))))
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

/* The driver's fault handler: true if the page-table entry is there now. */
static bool resolve(struct drv *d, const struct drv_vma *v, uint64_t addr,
		    uint64_t **counter)
{
	page_t *p = page_find(v->encl, addr);

	*counter = &d->stats.fault_eaug;
	if (!p && !augment(d, v->encl, addr))
		return false;
	if (p) {
		*counter = *p & PG_EVICTED ? &d->stats.fault_eldu
					   : &d->stats.fault_pte;
		if (v->prot & ~pg_get(*p, PG_MAX_SHIFT))
			return false;
		if (page_load(d, v->encl, p, addr))
			return false;
	}
	p = page_find(v->encl, addr);
	*p |= PG_PTE | PG_YOUNG;
	return true;
}

static void count_kernel(struct drv *d, struct mach_cpu *cpu, uint64_t *counter)
{
	bool inside = cpu && mach_inside(cpu);

	if (counter == &d->stats.fault_eaug && !inside)
		counter = &d->stats.fault_eaug_outside;
	++*counter;
	if (inside) {
		mach_interrupt(d->mach, cpu);
		d->stats.aex_kernel++;
	}
}

/* The page-table entry is there: what does the EPCM say? */
static enum drv_verdict epcm_check(struct drv *d, struct mach_cpu *cpu,
				   uint32_t epc, uint64_t addr, unsigned access,
				   uint32_t *pfec)
{
	struct mach_cpu outside;

	if (!cpu) {
		mach_cpu_init(&outside);
		cpu = &outside;
	}
	switch (mach_access(d->mach, cpu, epc, addr, access)) {
	case MACH_ALLOW:
		return DRV_RETRY;
	case MACH_DENY:
		*pfec = mach_access_pfec(access);
		d->stats.fault_epcm++;
		return DRV_SEGV_ACC;
	default:
		return DRV_ABORT;
	}
}

enum drv_verdict drv_fault(struct drv *d, struct mach_cpu *cpu, uint64_t addr,
			   unsigned access, bool leaf, uint32_t *pfec)
{
	uint64_t page = addr & PAGE_MASK, *counter;
	struct drv_vma v;
	page_t *p;

	if (!drv_find_vma(d, addr, &v) || v.start > addr)
		return DRV_NONE;
	p = page_find(v.encl, page);
	*pfec = plain_code(p, access);
	if (v.encl->state & ENCL_LOST) {
		*pfec |= SGX_PFEC_P | SGX_PFEC_SGX;
		return leaf || (cpu && mach_inside(cpu)) ? DRV_SEGV_ACC
							 : DRV_ABORT;
	}
	if (!vma_allows(&v, access)) {
		d->stats.fault_vma++;
		return DRV_SEGV_ACC;
	}
	if (!p || !(*p & PG_PTE)) {
		if (!resolve(d, &v, page, &counter)) {
			d->stats.fault_sigbus++;
			return DRV_SIGBUS;
		}
		count_kernel(d, cpu, counter);
		p = page_find(v.encl, page);
	}
	page_view(d, v.encl, p, page);
	if (leaf)
		return DRV_RETRY;
	return epcm_check(d, cpu, pg_index(*p), addr, access, pfec);
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
