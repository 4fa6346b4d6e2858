/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine's memory: its size, its start, its copies. */
#include <string.h>

#include "machine/model/state.h"

#define EPC_PAGES_MAX (1u << 30)

void mach_config_default(struct mach_config *c)
{
	static const char secret[] = "edmm model fuses";

	memset(c, 0, sizeof(*c));
	c->epc_pages = 256;
	c->features = MACH_F_ALL;
	c->xfrm = 0xe7;
	c->xcomp[2] = (struct mach_xcomp){ 576, 256 };
	c->xcomp[3] = (struct mach_xcomp){ 960, 64 };
	c->xcomp[4] = (struct mach_xcomp){ 1024, 64 };
	c->xcomp[5] = (struct mach_xcomp){ 1088, 64 };
	c->xcomp[6] = (struct mach_xcomp){ 1152, 512 };
	c->xcomp[7] = (struct mach_xcomp){ 1664, 1024 };
	c->xcomp[9] = (struct mach_xcomp){ 2688, 8 };
	c->xcomp[17] = (struct mach_xcomp){ 2752, 64 };
	c->xcomp[18] = (struct mach_xcomp){ 2816, 8192 };
	c->mxcsr_mask = 0xffff;
	c->size_log2_64 = 56;
	c->size_log2_32 = 31;
	c->arena = true;
	memcpy(c->secret, secret, sizeof(c->secret));
	memset(c->cpusvn, 2, sizeof(c->cpusvn));
	memset(c->report_keyid, 0x5a, sizeof(c->report_keyid));
}

static size_t round_page(size_t n)
{
	return (n + SGX_PAGE_SIZE - 1) & ~(size_t)(SGX_PAGE_SIZE - 1);
}

static size_t arena_off(const struct mach_config *c)
{
	return round_page(sizeof(struct mach) +
			  sizeof(struct mach_epcm) * c->epc_pages);
}

size_t mach_size(const struct mach_config *c)
{
	uint32_t xsave = mach_xsave_size(c, c->xfrm);

	if (c->epc_pages == 0 || c->epc_pages > EPC_PAGES_MAX)
		return 0;
	if (!xfrm_legal(c, c->xfrm) || xsave == 0 ||
	    xsave > MACH_XSAVE_PAGES * SGX_PAGE_SIZE)
		return 0;
	if (c->size_log2_64 > 63 || c->size_log2_32 > 32)
		return 0;
	return arena_off(c) +
	       (c->arena ? (size_t)c->epc_pages * SGX_PAGE_SIZE : 0);
}

struct mach *mach_init(void *mem, const struct mach_config *c,
		       const struct mach_hooks *p)
{
	struct mach *m = mem;
	size_t size = mach_size(c);

	if (size == 0 || (!c->arena && (!p || !p->page)))
		return NULL;
	m->size = size;
	m->arena = arena_off(c);
	m->cfg = *c;
	if (p)
		m->plat = *p;
	m->next_eid = 1;
	m->next_version = 1;
	return m;
}

struct mach *mach_copy(void *mem, const struct mach *m,
		       const struct mach_hooks *p)
{
	struct mach *copy = mem;

	memcpy(mem, m, m->size);
	if (p)
		copy->plat = *p;
	return copy;
}

const struct mach_config *mach_config(const struct mach *m)
{
	return &m->cfg;
}

uint8_t *mach_page(const struct mach *m, uint32_t epc)
{
	return page_of(m, epc);
}
