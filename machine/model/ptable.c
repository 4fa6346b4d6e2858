/* SPDX-License-Identifier: BSD-3-Clause */
/* A page table as an array; see ptable.h. */
#include "machine/model/ptable.h"

struct mach_pte *mach_ptable_at(const struct mach_ptable *t, uint64_t addr)
{
	uint64_t i = (addr - t->base) >> SGX_PAGE_SHIFT;

	return addr >= t->base && i < t->count ? &t->pte[i] : NULL;
}

enum mach_xlate mach_ptables_translate(void *ctx, uint64_t addr,
				       unsigned access, uint32_t *out)
{
	const struct mach_ptable *t = ctx;
	const struct mach_pte *p = NULL;

	for (; t->count != 0 && !p; t++)
		p = mach_ptable_at(t, addr);
	*out = SGX_PFEC_U;
	if (access & MACH_W)
		*out |= SGX_PFEC_W;
	if (access & MACH_X)
		*out |= SGX_PFEC_I;
	if (!p || p->prot == MACH_PTE_ABSENT)
		return MACH_XL_FAULT;
	if ((p->prot & access) != access) {
		*out |= SGX_PFEC_P;
		return MACH_XL_FAULT;
	}
	if (p->prot & MACH_PTE_OTHER)
		return MACH_XL_OTHER;
	*out = p->epc;
	return MACH_XL_EPC;
}
