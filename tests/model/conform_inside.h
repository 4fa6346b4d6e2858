/* SPDX-License-Identifier: BSD-3-Clause */
/* How rows of ENCLU's leaves come inside, and lose the pages of operands. */
#ifndef TESTS_MODEL_CONFORM_INSIDE_H
#define TESTS_MODEL_CONFORM_INSIDE_H

#include "tests/model/conform_leaf.h"

/* Inside enclave 0, RBX at the operand page, RCX at @page. */
static inline void inside(struct call *c, unsigned page)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	c->rbx = kit_addr(0, KIT_OPS);
	c->rcx = kit_addr(0, page);
	c->role[ROLE_RBX] = kit_page_epc(&c->kit, 0, KIT_OPS);
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 0, page);
	c->role[ROLE_SECS] = c->kit.encl[0].secs;
}

static inline struct mach_pte *pte(struct call *c, unsigned page)
{
	return &c->kit.encl[0].pte[page];
}

static inline void outside(struct call *c)
{
	kit_aex(&c->kit, 0);
}

static inline void ops_absent(struct call *c)
{
	pte(c, KIT_OPS)->prot = MACH_PTE_ABSENT;
}

static inline void rcx_absent(struct call *c)
{
	uint64_t page = (c->rcx - KIT_BASE(0)) >> SGX_PAGE_SHIFT;

	pte(c, (unsigned)page)->prot = MACH_PTE_ABSENT;
}

#endif
