/* SPDX-License-Identifier: BSD-3-Clause */
/* No heap: these tests are about calls that leave the enclave. */
#include "edmm/emm.h"
#include "trusted/elastic/heap.h"

edmm_err heap_map(struct heap *h, const struct heap_req *r, uint64_t *out)
{
	(void)h;
	(void)r;
	(void)out;
	return -EDMM_ENOMEM;
}

edmm_err heap_unmap(struct heap *h, uint64_t addr, uint64_t size)
{
	(void)h;
	(void)addr;
	(void)size;
	return -EDMM_EINVAL;
}

edmm_err heap_protect(struct heap *h, uint64_t addr, uint64_t size, int prot)
{
	(void)prot;
	return heap_unmap(h, addr, size);
}

edmm_err heap_discard(struct heap *h, uint64_t addr, uint64_t size)
{
	return heap_unmap(h, addr, size);
}

edmm_err heap_resize(struct heap *h, const struct heap_resize *r, uint64_t *out)
{
	(void)out;
	return heap_unmap(h, r->addr, r->old);
}

uint64_t heap_brk(struct heap *h, uint64_t addr)
{
	(void)addr;
	return h->brk_now;
}

bool heap_owns(const struct heap *h, uint64_t addr, uint64_t size)
{
	(void)h;
	(void)addr;
	(void)size;
	return false;
}

struct emm *rt_emm(void)
{
	return NULL;
}

edmm_err emm_query(struct emm *emm, uint64_t addr, uint64_t end,
		   struct emm_run *out)
{
	(void)emm;
	(void)addr;
	(void)end;
	(void)out;
	return -EDMM_EINVAL;
}

edmm_err emm_protect(struct emm *emm, uint64_t addr, uint64_t size, int prot,
		     uint64_t *done)
{
	(void)emm;
	(void)addr;
	(void)size;
	(void)prot;
	(void)done;
	return 0;
}
