/* SPDX-License-Identifier: BSD-3-Clause */
/* mremap(): in place where the neighbour is free, else by a copy. */
#include "trusted/elastic/heap.h"
#include "trusted/elastic/internal.h"

/*
 * What the program keeps is in its place by now. Pages that the host does not
 * take back cost room: as an error they would cost content, since others of the
 * range are gone.
 */
static edmm_err cut_off(struct heap *h, uint64_t addr, uint64_t size)
{
	edmm_err err = heap_unmap(h, addr, size);

	return err == -EDMM_EINVAL ? err : 0;
}

static edmm_err move(struct heap *h, const struct heap_resize *r, uint64_t *out)
{
	struct heap_req req = { .size = r->size,
				.prot = EMM_RW,
				.kind = r->kind };
	edmm_err err = heap_map(h, &req, out);

	if (err)
		return err;
	__builtin_memcpy((void *)*out, (const void *)r->addr, r->old);
	err = cut_off(h, r->addr, r->old);
	if (err)
		(void)!heap_unmap(h, *out, r->size);
	return err;
}

edmm_err heap_resize(struct heap *h, const struct heap_resize *r, uint64_t *out)
{
	struct heap_resize n = *r;

	n.old = heap_round(r->old);
	n.size = heap_round(r->size);
	if (r->addr % HEAP_PAGE != 0 || n.size == 0 || n.size < r->size ||
	    n.old == 0 || !heap_owns(h, r->addr, n.old))
		return -EDMM_EINVAL;
	if (!vmap_all_used(&h->map, heap_index(h, r->addr), n.old / HEAP_PAGE))
		return -EDMM_EFAULT;
	*out = r->addr;
	if (n.size == n.old)
		return 0;
	if (n.size < n.old)
		return cut_off(h, r->addr + n.size, n.old - n.size);
	if (heap_extend(h, r->addr + n.old, n.size - n.old, r->kind) == 0)
		return 0;
	return r->move ? move(h, &n, out) : -EDMM_ENOMEM;
}
