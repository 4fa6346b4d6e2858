/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ioctls of SGX2: RESTRICT_PERMISSIONS, MODIFY_TYPES, REMOVE_PAGES.
 *
 * Each works a page at a time. An error stops it; the record then says how far
 * it came (count, in bytes) and, for a code of the leaf, which (result).
 */
#include <errno.h>

#include "machine/linux/internal.h"
#include "sgx/linux.h"

static long state_check(const struct drv *d, const struct drv_encl *e)
{
	if (!d->sgx2)
		return -ENODEV;
	return e->state & ENCL_INITIALIZED ? 0 : -EINVAL;
}

/*
 * Pages that are done before the lock is given to others. What they show is
 * told in runs: nobody can see what an entry says, nor any page be moved,
 * before it is.
 */
#define TURN 256u

/* The page at @addr, in the EPC; *err is Linux's errno otherwise. */
static page_t *page_get(struct drv *d, struct drv_encl *e, uint64_t addr,
			int *err)
{
	page_t *p = page_find(e, addr);

	struct inject_outcome o;

	*err = -EFAULT;
	if (!p)
		return NULL;
	o = inject_fire(&d->inject, INJECT_PAGE);
	*err = o.kind ? -o.value : page_load(d, e, p, addr);
	if (*err == -ENOMEM || *err == -EBUSY)
		*err = -EAGAIN;
	return *err ? NULL : p;
}

/* A leaf's outcome as Linux's errno; its code goes to @result. */
static int leaf_errno(struct mach_result r, uint64_t *result)
{
	if (r.kind == MACH_CODE)
		*result = r.code;
	return mach_ok(r) ? 0 : -EFAULT;
}

/*
 * What an ioctl does to one page after the other. @page: does it to the one at
 * @count of its structure @arg; *settled is false after it where some thread
 * has to leave first.
 */
struct work {
	int (*page)(struct drv *d, struct drv_encl *e, void *arg,
		    bool *settled);
	void *arg;
	uint64_t length;
	uint64_t *count;
};

static long in_turns(struct drv *d, struct drv_encl *e, const struct work *w)
{
	long r = 0;

	while (*w->count < w->length && !r) {
		bool settled = true;

		drv_lock(d);
		for (unsigned i = 0;
		     i < TURN && *w->count < w->length && !r && settled; i++) {
			r = w->page(d, e, w->arg, &settled);
			*w->count += r ? 0 : PAGE_SIZE;
		}
		views_tell(d);
		drv_unlock(d);
		if (!settled)
			encl_settle(d, e);
	}
	return r;
}

static int restrict_page(struct drv *d, struct drv_encl *e, void *arg,
			 bool *settled)
{
	struct sgx_enclave_restrict_permissions *a = arg;
	uint64_t addr = e->base + a->offset + a->count;
	struct sgx_secinfo si = { .flags = a->permissions };
	struct leaf l = { .nr = SGX_EMODPR, .addr = addr, .rbx = &si };
	page_t *p;
	int r;

	p = page_get(d, e, addr, &r);
	if (!p)
		return r;
	if (pg_get(*p, PG_TYPE_SHIFT) != SGX_PT_REG)
		return -EINVAL;
	l.epc = mach_epc_addr(pg_index(*p));
	r = leaf_errno(encls(d, e, &l), &a->result);
	if (r)
		return r;
	/* A kernel that forgets ETRACK. */
	if (d->stale & STALE_EMODPR) {
		if (!stale_inside(d, e) ||
		    !stale_keep(d, e, addr, STALE_EMODPR))
			page_view_later(d, e, p, addr);
		return 0;
	}
	page_view_later(d, e, p, addr);
	r = encl_etrack(d, e);
	*settled = encl_settled(d, e);
	return r;
}

long ioctl_restrict(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	struct sgx_enclave_restrict_permissions a;
	long r = state_check(d, e);

	if (r)
		return r;
	if (d->p.copy_in(d->p.ctx, &a, arg, sizeof(a)))
		return -EFAULT;
	if (!range_valid(e, a.offset, a.length))
		return -EINVAL;
	if (a.permissions & ~SGX_SECINFO_RWX)
		return -EINVAL;
	if ((a.permissions & SGX_SECINFO_W) && !(a.permissions & SGX_SECINFO_R))
		return -EINVAL;
	if (a.result || a.count)
		return -EINVAL;
	r = in_turns(d, e,
		     &(struct work){ restrict_page, &a, a.length, &a.count });
	if (d->p.copy_out(d->p.ctx, arg, &a, sizeof(a)))
		return -EFAULT;
	return r;
}

static int modify_page(struct drv *d, struct drv_encl *e, void *arg,
		       bool *settled)
{
	struct sgx_enclave_modify_types *a = arg;
	uint64_t addr = e->base + a->offset + a->count;
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(a->page_type) };
	struct leaf l = { .nr = SGX_EMODT, .addr = addr, .rbx = &si };
	unsigned type, max;
	page_t *p;
	int r;

	p = page_get(d, e, addr, &r);
	if (!p)
		return r;
	type = pg_get(*p, PG_TYPE_SHIFT);
	max = pg_get(*p, PG_MAX_SHIFT);
	if (type != SGX_PT_REG &&
	    !(type == SGX_PT_TCS && a->page_type == SGX_PT_TRIM))
		return -EINVAL;
	if (a->page_type == SGX_PT_TCS) {
		if ((max & 3) != 3)
			return -EPERM;
		pg_set(p, PG_MAX_SHIFT, 3);
		page_zap(d, e, p, addr);
		ipi(d);
	}
	l.epc = mach_epc_addr(pg_index(*p));
	r = leaf_errno(encls(d, e, &l), &a->result);
	if (r) {
		pg_set(p, PG_MAX_SHIFT, max);
		return r;
	}
	page_view_later(d, e, p, addr);
	r = encl_etrack(d, e);
	*settled = encl_settled(d, e);
	if (!r)
		pg_set(p, PG_TYPE_SHIFT, (unsigned)a->page_type);
	return r;
}

long ioctl_modify(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	struct sgx_enclave_modify_types a;
	long r = state_check(d, e);

	if (r)
		return r;
	if (d->p.copy_in(d->p.ctx, &a, arg, sizeof(a)))
		return -EFAULT;
	if (!range_valid(e, a.offset, a.length))
		return -EINVAL;
	if (a.page_type & ~0xffull)
		return -EINVAL;
	if (a.result || a.count)
		return -EINVAL;
	if (a.page_type != SGX_PT_TCS && a.page_type != SGX_PT_TRIM)
		r = -EINVAL;
	else
		r = in_turns(
			d, e,
			&(struct work){ modify_page, &a, a.length, &a.count });
	if (d->p.copy_out(d->p.ctx, arg, &a, sizeof(a)))
		return -EFAULT;
	return r;
}

/*
 * Linux asks EMODPR whether the trim was accepted: a code says that it was
 * not, a fault that it was. It changes nothing in either case.
 */
static int remove_page(struct drv *d, struct drv_encl *e, uint64_t addr)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_RWX };
	struct leaf l = { .nr = SGX_EMODPR, .addr = addr, .rbx = &si };
	struct mach_result r;
	page_t *p;
	int err;

	p = page_get(d, e, addr, &err);
	if (!p)
		return err;
	if (pg_get(*p, PG_TYPE_SHIFT) != SGX_PT_TRIM)
		return -EPERM;
	l.epc = mach_epc_addr(pg_index(*p));
	r = encls_asked(d, e, &l);
	if (r.kind != MACH_FAULT || r.vector != SGX_VEC_PF)
		return -EPERM;
	if (*p & PG_PTE)
		ipi(d);
	page_zap(d, e, p, addr);
	epc_remove(d, e, pg_index(*p), addr);
	*p = 0;
	e->children--;
	encl_shrink(d, e);
	d->stats.pages_removed++;
	return 0;
}

/* As many pages as one turn does. Their memory goes with them, before anyone
 * can add a page there again. */
static long remove_pages(struct drv *d, struct drv_encl *e,
			 struct sgx_enclave_remove_pages *a)
{
	uint64_t start = e->base + a->offset + a->count, at = start;
	uint64_t end = e->base + a->offset + a->length;
	long r = 0;

	end = end - at > TURN * PAGE_SIZE ? at + TURN * PAGE_SIZE : end;
	drv_lock(d);
	for (; at < end && !r; at += r ? 0 : PAGE_SIZE)
		r = remove_page(d, e, at);
	if (at > start)
		d->p.discard(d->p.ctx, e, start, at - start);
	drv_unlock(d);
	a->count += at - start;
	return r;
}

long ioctl_remove(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	struct sgx_enclave_remove_pages a;
	long r = state_check(d, e);

	if (r)
		return r;
	if (d->p.copy_in(d->p.ctx, &a, arg, sizeof(a)))
		return -EFAULT;
	if (!range_valid(e, a.offset, a.length) || a.count)
		return -EINVAL;
	while (a.count < a.length && !r)
		r = remove_pages(d, e, &a);
	if (d->p.copy_out(d->p.ctx, arg, &a, sizeof(a)))
		return -EFAULT;
	return r;
}
