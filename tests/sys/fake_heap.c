/* SPDX-License-Identifier: BSD-3-Clause */
/* No heap: these tests are about calls that leave the enclave. */
#include "edmm/emm.h"
#include <stdlib.h>

#include "trusted/elastic/heap.h"
#include "trusted/sys/sys.h"

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

edmm_err heap_prot(const struct heap *h, int *prot)
{
	(void)h;
	(void)prot;
	return 0;
}

edmm_err heap_discard(struct heap *h, uint64_t addr, uint64_t size)
{
	return heap_unmap(h, addr, size);
}

edmm_err heap_fill(struct heap *h, uint64_t addr, uint64_t size)
{
	return heap_unmap(h, addr, size);
}

edmm_err heap_lock(struct heap *h, uint64_t addr, uint64_t size, bool on)
{
	(void)on;
	return heap_unmap(h, addr, size);
}

void heap_lock_future(struct heap *h, bool lock, bool fill)
{
	(void)h;
	(void)lock;
	(void)fill;
}

edmm_err heap_extend(struct heap *h, uint64_t addr, uint64_t size,
		     uint64_t more)
{
	(void)more;
	return heap_unmap(h, addr, size);
}

edmm_err heap_move(struct heap *h, uint64_t from, uint64_t size, uint64_t to)
{
	(void)to;
	return heap_unmap(h, from, size);
}

edmm_err heap_resize(struct heap *h, const struct heap_resize *r, uint64_t *out)
{
	(void)out;
	return heap_unmap(h, r->addr, r->old);
}

void heap_look(struct heap *h, uint64_t addr, uint64_t end,
	       struct heap_run *out)
{
	(void)h;
	*out = (struct heap_run){ .addr = addr, .size = end - addr };
}

void heap_resident(struct heap *h, uint64_t addr, uint64_t size, uint8_t *vec)
{
	(void)h;
	(void)addr;
	(void)size;
	(void)vec;
}

void heap_mapped(struct heap *h, uint64_t *now, uint64_t *peak)
{
	(void)h;
	*now = *peak = 0;
}

void heap_bounds(const struct heap *h, uint64_t *low, uint64_t *high)
{
	(void)h;
	*low = *high = UINT64_MAX;
}

bool heap_relieve(struct heap *h)
{
	(void)h;
	return false;
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

edmm_err emm_protect(struct emm *emm, uint64_t addr, uint64_t size, int prot,
		     uint64_t *done)
{
	(void)emm;
	(void)addr;
	(void)size;
	(void)prot;
	(void)done;
	return -EDMM_EINVAL;
}

edmm_err emm_uncommit_now(struct emm *emm, uint64_t addr, uint64_t size,
			  uint64_t *done)
{
	return emm_protect(emm, addr, size, 0, done);
}

uint64_t emm_committed(struct emm *emm)
{
	(void)emm;
	return 0;
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

void emm_stats_get(struct emm *emm, struct emm_stats *out)
{
	(void)emm;
	*out = (struct emm_stats){ 0 };
}

struct emm *rt_emm(void)
{
	return NULL;
}

uint64_t rt_books_look(uint64_t addr, uint64_t end, int *prot)
{
	(void)addr;
	*prot = -1;
	return end;
}

uint64_t rt_stack_low(void)
{
	return 0;
}

uint64_t rt_stack_high(void)
{
	return 0;
}

void rt_lock(struct rt_lock *l)
{
	(void)l;
}

void rt_unlock(struct rt_lock *l)
{
	(void)l;
}

void sys_tick(void)
{
}

void rt_abort_host(const char *text)
{
	(void)text;
	abort();
}
