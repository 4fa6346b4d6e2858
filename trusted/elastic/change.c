/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing mappings: their rights, and what is in them. */
#include "trusted/elastic/heap.h"
#include "trusted/elastic/internal.h"

/* In the enclave, or perhaps so: the host decides whether it is shown. */
static bool there(const struct emm_run *run)
{
	return run->state == EMM_PG_IDLE || run->state == EMM_PG_DOUBT;
}

edmm_err heap_revive(struct heap *h, uint64_t addr, uint64_t end)
{
	struct emm_run run;
	edmm_err err;

	for (; addr < end; addr = run.addr + run.size) {
		err = emm_query(h->emm, addr, end, &run);
		if (!err && there(&run) && run.prot != EMM_NONE)
			err = emm_commit(h->emm, run.addr, run.size, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* Bytes of a range that are not in the enclave yet. */
static uint64_t absent(struct heap *h, uint64_t addr, uint64_t end)
{
	struct emm_run run;
	uint64_t n = 0;

	for (; addr < end; addr = run.addr + run.size) {
		if (emm_query(h->emm, addr, end, &run) != 0)
			return n + (end - addr);
		if (run.state != EMM_PG_COMMITTED && run.state != EMM_PG_IDLE)
			n += run.size;
	}
	return n;
}

/* Idle pages of the range itself, as a first heap's are, need no room again. */
void heap_make_room(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t now = emm_committed(h->emm);

	if (now <= h->max && size <= h->max - now)
		return;
	if (now > h->max || absent(h, addr, addr + size) > h->max - now)
		heap_relieve(h);
}

edmm_err heap_prot(const struct heap *h, int *prot)
{
	if ((*prot & ~EMM_RWX) != 0)
		return -EDMM_EINVAL;
	if (*prot & (EMM_W | EMM_X))
		*prot |= EMM_R;
	if ((*prot & EMM_X) && h->fixed)
		return -EDMM_EACCES;
	if ((*prot & EMM_W) && (*prot & EMM_X) && !h->wx)
		return -EDMM_EACCES;
	return 0;
}

/*
 * New pages in the place of old ones, with their content; both RW. Where the
 * host takes some of the old and refuses the rest, the content comes back, too.
 */
static edmm_err replace(struct heap *h, uint64_t addr, uint64_t size,
			void *copy)
{
	edmm_err err, back;

	__builtin_memcpy(copy, (const void *)addr, size);
	err = emm_uncommit_now(h->emm, addr, size, NULL);
	back = emm_commit(h->emm, addr, size, NULL);
	if (back == -EDMM_ENOMEM && heap_relieve(h))
		back = emm_commit(h->emm, addr, size, NULL);
	/* The content is in one place only, and that is about to go. */
	if (back)
		rt_abort_host("the host gives no page for one that it took");
	__builtin_memcpy((void *)addr, copy, size);
	return err;
}

/*
 * Pages that the loader added can never execute: Linux keeps the rights that
 * they came with. So they are replaced before they are to.
 */
static edmm_err renew(struct heap *h, uint64_t addr, uint64_t end)
{
	struct heap_req r = {
		.prot = EMM_RW,
		.kind = HEAP_MAP,
		.now = true,
		.part = true,
	};
	uint64_t copy;
	edmm_err err;

	r.size = end - addr;
	err = heap_map(h, &r, &copy);
	if (err)
		return err;
	err = emm_protect(h->emm, addr, r.size, EMM_RW, NULL);
	if (!err)
		err = emm_commit(h->emm, addr, r.size, NULL);
	if (!err)
		err = replace(h, addr, r.size, (void *)copy);
	if (heap_unmap(h, copy, r.size) != 0 && !err)
		err = -EDMM_EFAULT;
	return err;
}

static edmm_err restore(struct heap *h, const struct emm_run *run, edmm_err why)
{
	edmm_err err =
		emm_protect(h->emm, run->addr, run->size, run->prot, NULL);

	return err ? err : why;
}

/*
 * By pieces of equal rights: those before one that fails have the new rights,
 * as Linux leaves them, and it has its old ones.
 */
static edmm_err renew_to(struct heap *h, uint64_t addr, uint64_t end, int prot)
{
	struct emm_run run;
	edmm_err err;

	for (; addr < end; addr = run.addr + run.size) {
		err = emm_query(h->emm, addr, end, &run);
		if (err)
			return err;
		err = renew(h, run.addr, run.addr + run.size);
		if (!err)
			err = emm_protect(h->emm, run.addr, run.size, prot,
					  NULL);
		if (err)
			return restore(h, &run, err);
	}
	return 0;
}

static edmm_err protect(struct heap *h, uint64_t addr, uint64_t size, int prot)
{
	uint64_t end = addr + size, loaded = heap_min(end, h->loaded);
	edmm_err err = emm_protect(h->emm, addr, size, prot, NULL);

	if (err == -EDMM_EFAULT && prot & EMM_X && addr < loaded) {
		err = renew_to(h, addr, loaded, prot);
		if (!err && loaded < end)
			err = emm_protect(h->emm, loaded, end - loaded, prot,
					  NULL);
	}
	if (!err && prot != EMM_NONE)
		err = heap_revive(h, addr, addr + size);
	return err;
}

edmm_err heap_protect(struct heap *h, uint64_t addr, uint64_t size, int prot)
{
	uint64_t len = heap_round(size), at, count = len / HEAP_PAGE;
	edmm_err err = heap_prot(h, &prot);
	bool fresh = false;

	if (err)
		return err;
	if (addr % HEAP_PAGE != 0 || len < size || !heap_owns(h, addr, len))
		return -EDMM_EINVAL;
	if (len == 0)
		return 0;
	at = heap_index(h, addr);
	err = heap_ready(h, at, count);
	if (err)
		return err;
	if (!vmap_all_used(&h->map, at, count))
		return -EDMM_ENOMEM;
	if (prot != EMM_NONE) {
		fresh = vmap_uncharged(&h->map, at, count) == count;
		err = heap_charge(h, addr, len);
		if (err)
			return err;
	}
	if (addr < h->arena_end && prot != EMM_RW)
		h->arena_odd = true;
	err = protect(h, addr, len, prot);
	if (err && fresh)
		heap_uncharge(h, addr, len);
	return err;
}

edmm_err heap_discard(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t len = heap_round(size);
	edmm_err err;

	if (addr % HEAP_PAGE != 0 || len < size || !heap_owns(h, addr, len))
		return -EDMM_EINVAL;
	if (len == 0)
		return 0;
	err = emm_uncommit_now(h->emm, addr, len, NULL);
	return err ? err : heap_revive(h, addr, addr + len);
}

edmm_err heap_fill(struct heap *h, uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;
	struct emm_run run;
	edmm_err err = 0;

	heap_make_room(h, addr, size);
	for (; addr < end && !err; addr = run.addr + run.size) {
		err = emm_query(h->emm, addr, end, &run);
		if (!err && run.prot != EMM_NONE)
			err = emm_commit(h->emm, run.addr, run.size, NULL);
	}
	return err;
}
