/* SPDX-License-Identifier: BSD-3-Clause */
/* Other sizes and other places: what mremap() is made of. */
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

/* One run of pages alike, and with something in it, to where it goes. */
static edmm_err copy_run(struct heap *h, const struct emm_run *run, uint64_t to)
{
	edmm_err err = 0;

	if (run->prot != EMM_RW)
		err = emm_protect(h->emm, to, run->size, EMM_RW, NULL);
	if (!err)
		err = emm_commit(h->emm, to, run->size, NULL);
	if (err)
		return err;
	__builtin_memcpy((void *)to, (const void *)run->addr, run->size);
	if (run->prot != EMM_RW)
		err = emm_protect(h->emm, to, run->size, run->prot, NULL);
	return err;
}

/* What may not be read is made readable for the copy, and then again not. */
static edmm_err move_run(struct heap *h, const struct emm_run *run, uint64_t to)
{
	bool hidden = run->prot == EMM_NONE;
	edmm_err err = 0, back = 0;

	if (run->state != EMM_PG_COMMITTED && run->state != EMM_PG_DOUBT)
		return 0; /* nothing but zeros */
	if (hidden)
		err = emm_protect(h->emm, run->addr, run->size, EMM_R, NULL);
	if (!err)
		err = copy_run(h, run, to);
	if (hidden)
		back = emm_protect(h->emm, run->addr, run->size, EMM_NONE,
				   NULL);
	return err ? err : back;
}

edmm_err heap_move(struct heap *h, uint64_t from, uint64_t size, uint64_t to)
{
	uint64_t off = 0;
	struct emm_run run;
	edmm_err err = 0;

	for (; off < size && !err; off += run.size) {
		err = emm_query(h->emm, from + off, from + size, &run);
		if (!err)
			err = move_run(h, &run, to + off);
	}
	return err;
}

static edmm_err move(struct heap *h, const struct heap_resize *r, uint64_t *out)
{
	struct heap_req req = { .size = r->size, .prot = EMM_RW };
	struct heap_run run;
	edmm_err err;

	heap_look(h, r->addr, r->addr + r->old, &run);
	req.kind = run.arena ? HEAP_ARENA : HEAP_MAP;
	err = heap_map(h, &req, out);
	if (err)
		return err;
	err = heap_move(h, r->addr, r->old, *out);
	if (!err)
		err = cut_off(h, r->addr, r->old);
	/* The first error is the answer; the copy leaks at worst. */
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
	if (heap_extend(h, r->addr, n.old, n.size - n.old) == 0)
		return 0;
	return r->move ? move(h, &n, out) : -EDMM_ENOMEM;
}
