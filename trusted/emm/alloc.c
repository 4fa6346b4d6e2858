/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Areas come and go. Keeps I6: a range is owned, BUSY page for BUSY page,
 * before it gets an area, and until it has lost it; or, where neither host nor
 * leaf has a part in it, map and areas change in one step, their zones locked.
 */
#include "trusted/emm/act.h"

#define ALIGN_MAX 46u
#define WINDOW_MAX 4096u /* pages */

/* What an allocation asks for, checked. */
struct plan {
	const struct emm_alloc *req;
	struct attr attr;
	struct run r; /* where; r.b - r.a pages */
	uint32_t pages;
	uint32_t align;
	uint32_t tables; /* that the range needs */
	bool carve;	 /* out of reservations */
	bool plain;	 /* of absent pages alone, and no call is made */
	bool placed;	 /* being plain, it is there */
	bool anywhere;	 /* no address, or a hint that nobody can meet */
};

static uint16_t window_pages(uint32_t bytes)
{
	return (uint16_t)min_u32((bytes + 4095u) >> PAGE_SHIFT, WINDOW_MAX);
}

static edmm_err plan_flags(const struct emm_alloc *a)
{
	const uint32_t modes = EMM_RESERVE | EMM_COMMIT_NOW | EMM_ON_DEMAND;
	const uint32_t grows = EMM_GROWSDOWN | EMM_GROWSUP;
	uint32_t mode = a->flags & modes;

	if (a->flags & ~(A_PUBLIC | EMM_FIXED) || !mode || mode & (mode - 1))
		return -EDMM_EINVAL;
	if ((a->flags & grows) == grows)
		return -EDMM_EINVAL;
	if (!prot_valid(a->prot) || (mode == EMM_RESERVE && a->prot) ||
	    (mode == EMM_COMMIT_NOW && !a->prot))
		return -EDMM_EINVAL;
	if (a->align && (a->align < PAGE_SHIFT || a->align > ALIGN_MAX))
		return -EDMM_EINVAL;
	return 0;
}

static edmm_err plan_make(struct emm *emm, const struct emm_alloc *a,
			  struct plan *p)
{
	uint64_t mask;
	edmm_err rc = plan_flags(a);

	*p = (struct plan){ .req = a, .align = a->align };
	if (rc)
		return rc;
	if (!p->align)
		p->align = PAGE_SHIFT;
	mask = (1ull << p->align) - 1;
	if (!a->size || a->size & (EMM_PAGE - 1) || a->addr & mask ||
	    a->addr + a->size < a->addr)
		return -EDMM_EINVAL;
	if (!a->addr && a->flags & EMM_FIXED)
		return -EDMM_EINVAL;
	p->attr = (struct attr){
		.handler = a->handler,
		.priv = a->priv,
		.flags = (uint16_t)(a->flags & A_PUBLIC),
		.wmin = window_pages(a->policy.window_min),
		.wmax = window_pages(a->policy.window_max),
	};
	p->anywhere = !a->addr;
	if (a->addr) {
		rc = op_range(emm, a->addr, a->size, &p->r);
		if (rc == -EDMM_EPERM && !(a->flags & EMM_FIXED))
			p->anywhere = true;
		else if (rc)
			return rc;
	} else if (a->size >> PAGE_SHIFT > emm->pages) {
		return -EDMM_ENOMEM;
	}
	p->pages = (uint32_t)(a->size >> PAGE_SHIFT);
	return 0;
}

/* The byte of such an area's pages that are absent. */
static uint8_t fresh_byte(const struct attr *attr, int prot)
{
	if (attr->flags & EMM_RESERVE)
		return page_byte(PG_RESERVED, 0);
	if (attr->flags & EMM_COMMIT_NOW || attr->handler || attr->wmax > 1 ||
	    attr->wmin > 1 || attr->flags & (EMM_GROWSDOWN | EMM_GROWSUP))
		return PAGE_SLOW | page_byte(PG_ABSENT, prot);
	return page_byte(PG_ABSENT, prot);
}

/* Wait until a page that stopped a claim may be free. */
static edmm_err wait_blocked(struct op *op)
{
	struct span sp;

	map_lock(op->emm, op->blocked, &sp);
	if (page_busy(span_byte(&sp, op->blocked)))
		return op_wait(op, &sp, op->blocked);
	map_unlock_clean(&sp);
	return 0;
}

/*
 * Claim plan->r, in which the caller, who has locked its zones, found no area
 * (or reservations only); and make it an area, unless it is carved. If it is
 * plain and nothing is there, that was all.
 */
static edmm_err take(struct op *op, struct plan *p)
{
	/* Of pages without an area and not in the enclave the byte is 0. */
	const uint8_t lut[1] = { fresh_byte(&p->attr, p->req->prot) };
	edmm_err rc;

	p->placed = p->plain && !p->carve && one_chunk(p->r.a, p->r.b) &&
		    map_change(op, p->r.a, p->r.b, M(PG_NONE), lut);
	if (p->placed) {
		area_put(op, p->r.a, p->r.b, &p->attr);
		return 0;
	}
	op->nowait = true;
	rc = map_claim(op, p->r.a, p->r.b, p->carve ? M(PG_RESERVED) : M_HOLE);
	op->nowait = false;
	if (!rc && !p->carve)
		area_put(op, p->r.a, p->r.b, &p->attr);
	return rc;
}

static edmm_err reserve(struct op *op, uint32_t a, uint32_t b)
{
	return map_reserve(op, a, b, area_cells(op->emm, a, b));
}

static bool in_user(const struct emm *emm, const struct plan *p)
{
	return p->attr.flags & EMM_SYSTEM ||
	       (p->r.a >= emm->user_lo && p->r.b <= emm->user_hi);
}

/* At the address asked for. -EEXIST: in use. */
static edmm_err place_at(struct op *op, struct plan *p)
{
	struct emm *emm = op->emm;
	edmm_err rc;

	if (!in_user(emm, p))
		return -EDMM_EPERM;
	rc = reserve(op, p->r.a, p->r.b);
	while (!rc) {
		zones_lock(emm, p->r.a, p->r.b);
		p->carve = !area_empty(emm, p->r.a, p->r.b);
		if (op_in_meta(emm, &p->r))
			rc = -EDMM_EPERM;
		else if (!p->carve ||
			 area_cover(emm, p->r.a, p->r.b, EMM_RESERVE))
			rc = take(op, p);
		else
			rc = -EDMM_EEXIST;
		zones_unlock(emm, p->r.a, p->r.b);
		if (rc != -EDMM_EAGAIN)
			return rc;
		rc = wait_blocked(op);
	}
	return rc;
}

/*
 * In the first gap of one zone, or of all of them (bounds->byte). -EAGAIN:
 * first wait for op->blocked, or get the tables that p->tables says.
 */
static edmm_err place_in(struct op *op, struct plan *p, struct run *bounds)
{
	struct emm *emm = op->emm;
	edmm_err rc = -EDMM_ENOMEM;
	struct run within;
	uint32_t at;

	if (bounds->a >= bounds->b)
		return rc;
	zones_lock(emm, bounds->a, bounds->b);
	within = *bounds;
	if (emm->meta_own < emm->meta_end)
		within.a = max_u32(within.a, PEEK(&emm->meta_hi));
	at = within.a < within.b ? area_gap(emm, &within, p->pages, p->align)
				 : UINT32_MAX;
	if (at != UINT32_MAX) {
		p->r.a = at;
		p->r.b = at + p->pages;
		p->tables = map_tables(emm, p->r.a, p->r.b);
		op->blocked = UINT32_MAX;
		rc = -EDMM_EAGAIN;
		if (p->tables <= op->slot->ntables)
			rc = take(op, p);
	}
	zones_unlock(emm, bounds->a, bounds->b);
	return rc;
}

/* The part of the user range from `low` on in zone z, or all of it. */
static struct run user_bounds(const struct emm *emm, uint32_t low, uint32_t z,
			      bool all)
{
	uint64_t end = ((uint64_t)z + 1) << emm->zone_shift;
	struct run r = { .a = low, .b = emm->user_hi, .byte = all };

	if (!all) {
		r.a = max_u32(r.a, z << emm->zone_shift);
		r.b = end < r.b ? (uint32_t)end : r.b;
	}
	return r;
}

/* From low on: the thread's own zone first, then others, then across zones. */
static edmm_err place_above(struct op *op, struct plan *p, uint32_t low)
{
	struct emm *emm = op->emm;
	uint32_t lo = zone_of(emm, low);
	uint32_t n = zone_of(emm, emm->user_hi - 1) - lo + 1;
	uint32_t mine = op->number % n, i = 0;

	while (i <= n) {
		struct run r =
			user_bounds(emm, low, lo + (mine + i) % n, i == n);
		uint32_t cells = area_cells(emm, r.a, i == n ? r.b : r.a + 1);
		edmm_err rc = meta_reserve(op, cells + 4, p->tables);

		if (!rc)
			rc = place_in(op, p, &r);
		if (rc == -EDMM_EAGAIN) {
			rc = op->blocked != UINT32_MAX ? wait_blocked(op) : 0;
			if (rc)
				return rc;
			continue;
		}
		if (rc != -EDMM_ENOMEM)
			return rc;
		i++;
	}
	return -EDMM_ENOMEM;
}

/* Anywhere; where metadata would grow to only if there is no other place. */
static edmm_err place_anywhere(struct op *op, struct plan *p)
{
	const struct emm *emm = op->emm;
	edmm_err rc = -EDMM_ENOMEM;

	if (emm->meta_own < emm->meta_end && emm->meta_end < emm->user_hi)
		rc = place_above(op, p, emm->meta_end);
	return rc == -EDMM_ENOMEM ? place_above(op, p, emm->user_lo) : rc;
}

static edmm_err place(struct op *op, struct plan *p)
{
	edmm_err rc = -EDMM_EEXIST;

	if (!p->anywhere)
		rc = place_at(op, p);
	if (p->req->flags & EMM_FIXED)
		return rc;
	if (rc != -EDMM_EEXIST && rc != -EDMM_EPERM)
		return rc;
	p->carve = false; /* the hint lay in a reservation, and more */
	return place_anywhere(op, p);
}

/* The host maps it, and the pages are committed if that is asked for. */
static edmm_err furnish(struct op *op, struct plan *p)
{
	struct emm *emm = op->emm;
	uint32_t done;
	edmm_err rc;

	if (p->attr.flags & EMM_RESERVE)
		return 0;
	if (emm->hooks.map) {
		COUNT(op->slot->host_calls, 1);
		if (emm->hooks.map(emm->ctx, pg_addr(emm, p->r.a), p->req->size,
				   p->attr.flags))
			return -EDMM_EFAULT;
	}
	if (!(p->attr.flags & EMM_COMMIT_NOW))
		return 0;
	op->hold = true;
	op->down = p->attr.flags & EMM_GROWSDOWN;
	rc = act_commit(op, p->r.a, p->r.b, &done);
	if (rc) {
		op->drop = true;
		op->final = true;
		if (act_uncommit(op, p->r.a, p->r.b, &done))
			return -EDMM_EBUSY; /* pages stay behind */
	}
	return rc;
}

/* Give up what take() took. */
static void undo(struct op *op, struct plan *p)
{
	struct emm *emm = op->emm;

	if (p->carve) {
		map_settle(op, p->r.a, p->r.b, emm->lut[PAGE_RESERVE]);
		map_release(op, p->r.b);
		return;
	}
	zones_lock(emm, p->r.a, p->r.b);
	area_cut(op, p->r.a, p->r.b);
	zones_unlock(emm, p->r.a, p->r.b);
	map_settle(op, p->r.a, p->r.b, emm->lut[PAGE_FREE]);
	map_release(op, p->r.b);
}

/* A carved range leaves its reservations. */
static void carve(struct op *op, const struct plan *p)
{
	struct emm *emm = op->emm;

	zones_lock(emm, p->r.a, p->r.b);
	area_cut(op, p->r.a, p->r.b);
	area_put(op, p->r.a, p->r.b, &p->attr);
	zones_unlock(emm, p->r.a, p->r.b);
}

/* Claimed pages become the area's: before they are committed, or at the end. */
static edmm_err alloc_placed(struct op *op, struct plan *p)
{
	struct emm *emm = op->emm;
	uint8_t fresh = fresh_byte(&p->attr, p->req->prot), lut[256];
	bool first = p->carve || p->attr.flags & EMM_COMMIT_NOW;
	edmm_err rc;

	if (p->attr.flags & EMM_LAZY)
		__atomic_fetch_add(&emm->lazy_areas, 1, __ATOMIC_RELAXED);
	page_lut_alloc(first ? PAGE_BUSY | fresh : fresh, op->seen, lut);
	if (first)
		map_settle(op, p->r.a, p->r.b, lut);
	rc = furnish(op, p);
	if (rc && rc != -EDMM_EBUSY) {
		undo(op, p);
		return rc;
	}
	if (p->carve)
		carve(op, p);
	map_release_as(op, p->r.b, first ? emm->lut[PAGE_RELEASE] : lut);
	return rc ? -EDMM_EFAULT : 0;
}

static bool is_plain(const struct emm *emm, const struct plan *p)
{
	return !(p->attr.flags & (EMM_COMMIT_NOW | EMM_LAZY)) &&
	       (!emm->hooks.map || p->attr.flags & EMM_RESERVE);
}

edmm_err emm_alloc(struct emm *emm, const struct emm_alloc *a, uint64_t *out)
{
	struct plan p;
	struct op op;
	edmm_err rc;

	emm_probe_stack();
	rc = plan_make(emm, a, &p);
	if (rc)
		return rc;
	p.plain = is_plain(emm, &p);
	op_begin(&op, emm);
	rc = place(&op, &p);
	if (!rc && !p.placed)
		rc = alloc_placed(&op, &p);
	op_end(&op);
	if (rc)
		return rc;
	op_notify(emm, EMM_EV_ALLOC, p.r.a, p.r.b);
	if (out)
		*out = pg_addr(emm, p.r.a);
	return 0;
}

/* Pages that are there for whoever allocates the range: no area. */
static bool free_idle(const struct plan *p, enum emm_loaded how)
{
	return p->attr.flags & EMM_RESERVE &&
	       (how == EMM_LOADED_IDLE || how == EMM_LOADED_ZERO);
}

static uint8_t loaded_byte(const struct plan *p, enum emm_loaded how)
{
	uint8_t fresh = fresh_byte(&p->attr, p->req->prot);

	if (free_idle(p, how))
		return page_byte(how == EMM_LOADED_ZERO ? PG_FREE_ZERO
							: PG_FREE_IDLE,
				 0);
	switch (how) {
	case EMM_LOADED_COMMITTED:
		return page_moved(fresh, PG_COMM);
	case EMM_LOADED_ZERO:
		return page_moved(fresh, PG_ZERO);
	case EMM_LOADED_IDLE:
		return page_moved(fresh, PG_IDLE);
	case EMM_LOADED_TCS:
		return page_moved(fresh, PG_TCS);
	case EMM_LOADED_ABSENT:
		break;
	}
	return fresh;
}

static edmm_err register_placed(struct op *op, struct plan *p,
				enum emm_loaded how)
{
	struct emm *emm = op->emm;
	uint8_t lut[256];
	uint64_t n = p->pages;

	if (p->carve) {
		map_release(op, p->r.b);
		return -EDMM_EEXIST;
	}
	if (free_idle(p, how)) {
		zones_lock(emm, p->r.a, p->r.b);
		area_cut(op, p->r.a, p->r.b);
		zones_unlock(emm, p->r.a, p->r.b);
	}
	__builtin_memset(lut, loaded_byte(p, how), 256);
	if (p->attr.flags & EMM_LAZY)
		__atomic_fetch_add(&emm->lazy_areas, 1, __ATOMIC_RELAXED);
	if (how != EMM_LOADED_ABSENT)
		op_charge_forced(op, n);
	if (how == EMM_LOADED_IDLE || how == EMM_LOADED_ZERO)
		__atomic_fetch_add(&emm->idle, n, __ATOMIC_RELAXED);
	map_release_as(op, p->r.b, lut);
	return 0;
}

edmm_err emm_register(struct emm *emm, const struct emm_alloc *a,
		      enum emm_loaded how)
{
	struct plan p;
	struct op op;
	edmm_err rc;

	emm_probe_stack();
	rc = plan_make(emm, a, &p);
	if (!rc && (!a->addr || how > EMM_LOADED_ABSENT ||
		    (a->flags & EMM_RESERVE &&
		     (how == EMM_LOADED_COMMITTED || how == EMM_LOADED_TCS))))
		rc = -EDMM_EINVAL;
	if (rc)
		return rc;
	op_begin(&op, emm);
	p.attr.flags |= EMM_SYSTEM;
	rc = reserve(&op, p.r.a, p.r.b);
	if (!rc)
		rc = place_at(&op, &p);
	if (!rc)
		rc = register_placed(&op, &p, how);
	op_end(&op);
	return rc;
}

/* Forget a claimed range whose pages are gone, or idle in static mode. */
static void forget(struct op *op, const struct run *r)
{
	struct emm *emm = op->emm;

	zones_lock(emm, r->a, r->b);
	area_cut(op, r->a, r->b);
	zones_unlock(emm, r->a, r->b);
	map_release_as(op, r->b, emm->lut[PAGE_FORGET]);
}

/* What of a range has no page, in one step. Return: it has been done. */
static bool forget_absent(struct op *op, const struct run *r)
{
	const uint32_t absent = M(PG_ABSENT) | M(PG_RESERVED);
	struct emm *emm = op->emm;
	bool gone;

	if (!one_chunk(r->a, r->b))
		return false;
	zones_lock(emm, r->a, r->b);
	gone = map_change(op, r->a, r->b, absent, emm->lut[PAGE_FREE]);
	if (gone)
		area_cut(op, r->a, r->b);
	zones_unlock(emm, r->a, r->b);
	return gone;
}

/* Any other range. pages: that are uncommitted where it fails. */
static edmm_err forget_any(struct op *op, const struct run *r, uint32_t *pages)
{
	edmm_err rc = map_claim(op, r->a, r->b, M_ALL);

	if (rc)
		return rc;
	if (op_in_meta(op->emm, r)) /* it grew before the claim */
		rc = -EDMM_EPERM;
	else if (!(op->seen & ~M_HOLE))
		rc = -EDMM_EINVAL;
	else if (op->seen & ~(M_HOLE | M(PG_ABSENT) | M(PG_RESERVED)))
		rc = act_uncommit(op, r->a, r->b, pages);
	if (rc)
		map_release(op, r->b);
	else
		forget(op, r);
	return rc;
}

edmm_err emm_dealloc(struct emm *emm, uint64_t addr, uint64_t size,
		     uint64_t *done)
{
	uint32_t pages = 0;
	struct run r;
	struct op op;
	edmm_err rc;

	emm_probe_stack();
	if (done)
		*done = 0;
	rc = op_range(emm, addr, size, &r);
	if (rc)
		return rc;
	op_begin(&op, emm);
	op.drop = true;
	op.final = true;
	op.frees = true;
	rc = reserve(&op, r.a, r.b);
	if (!rc && !forget_absent(&op, &r))
		rc = forget_any(&op, &r, &pages);
	op_end(&op);
	if (!rc)
		pages = r.b - r.a;
	if (done)
		*done = (uint64_t)pages << PAGE_SHIFT;
	if (!rc)
		op_notify(emm, EMM_EV_DEALLOC, r.a, r.b);
	return rc;
}
