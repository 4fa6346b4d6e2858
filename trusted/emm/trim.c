/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages leave: trimmed, or idle. Keeps I1 (a page whose trim no EACCEPT has
 * proved stays in the books) and I11: after a host call each page is asked by
 * EACCEPT what became of it, whatever the call returned.
 */
#include "trusted/emm/act.h"

/*
 * Pages of a trim that failed at the first: all as before, or all in doubt.
 * EMODPE faults unless a page is REG and neither PENDING nor MODIFIED; of the
 * rights that a page has, it changes nothing. A TCS is in doubt: only EACCEPT
 * can tell, and that might trim it (act_resolve). Return: none is in doubt.
 */
static bool trim_failed(struct op *op, const struct run *r)
{
	struct emm *emm = op->emm;
	uint32_t pg = r->a;

	while (pg < r->b) {
		struct run x;
		bool same;

		map_run(emm, pg, r->b, 0, &x);
		same = page_state(x.byte) != PG_TCS;
		for (pg = x.a; same && pg < x.b; pg++)
			same = !leaf_extend(emm, page_epcm(x.byte), pg);
		if (!same) {
			map_settle(op, x.a, r->b, emm->lut[PAGE_DOUBT]);
			return false;
		}
	}
	return true;
}

/* Idle pages among claimed [a, b), which are about to leave. */
static uint64_t count_idle(struct emm *emm, uint32_t a, uint32_t b)
{
	uint64_t n = 0;

	while (a < b) {
		struct run r;

		map_run(emm, a, b, M_IDLE | M_FREE, &r);
		if (page_bit(r.byte) & (M_IDLE | M_FREE))
			n += r.b - r.a;
		a = r.b;
	}
	return n;
}

/* Accept the trim of pages from r->a on. Return: the first that refused. */
static uint32_t accept_trim(struct op *op, const struct run *r)
{
	static const struct sgx_secinfo si = { .flags = TRIM_FLAGS };
	struct emm *emm = op->emm;
	int (*eaccept)(void *, const struct sgx_secinfo *, uint64_t) =
		emm->hooks.eaccept;
	uint64_t addr = pg_addr(emm, r->a);
	uint32_t pg;

	for (pg = r->a; pg < r->b; pg++, addr += EMM_PAGE) {
		int said = eaccept(emm->ctx, &si, addr);

		if (said) /* once more: a #PF may have been another's */
			said = leaf_accept(emm, TRIM_FLAGS, pg);
		if (said)
			break;
	}
	return pg;
}

/*
 * A narrow host maps PROT_NONE pages so, and EACCEPT reads through the
 * mapping: readable before the trim. If they stay, unreadable again.
 */
static edmm_err map_readable(struct op *op, const struct run *r, bool on)
{
	struct run x = *r;

	if (op->emm->wide || page_bit(r->byte) & M_TCS || page_epcm(r->byte))
		return 0;
	x.byte = page_byte(PG_COMM, EMM_NONE);
	return host_modify(op, EMM_HOST_PROTECT, &x, on ? EMM_R : EMM_NONE);
}

/*
 * Trim a run of claimed, present pages: of several kinds and rights if the
 * host maps wide. On failure r is narrowed to what is absent now. The account
 * is the caller's.
 */
edmm_err act_trim(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	/* A TCS has no rights, but leaves a page that has. */
	int prot = page_bit(r->byte) & M_TCS ? EMM_RW : page_epcm(r->byte);
	struct run rest = *r;
	uint64_t idle;
	edmm_err rc;

	if (map_readable(op, r, true)) {
		r->b = r->a;
		return -EDMM_EFAULT;
	}
	(void)host_modify(op, EMM_HOST_TO_TRIM, r, prot);
	rest.a = accept_trim(op, r);
	r->b = rest.a;
	idle = PEEK(&emm->idle) ? count_idle(emm, r->a, rest.b) : 0;
	if (rest.a < rest.b) {
		if (trim_failed(op, &rest))
			(void)map_readable(op, &rest, false);
		/* Those in doubt are idle no more. */
		idle -= count_idle(emm, rest.a, rest.b);
	}
	if (idle)
		idle_fewer(emm, idle);
	if (r->a == r->b)
		return -EDMM_EFAULT;
	COUNT(op->slot->trims, r->b - r->a);
	rc = host_modify(op, EMM_HOST_REMOVE, r, prot);
	map_settle(op, r->a, r->b, emm->lut[rc ? PAGE_TRIMMED : PAGE_TRIM]);
	if (rc)
		r->b = r->a;
	return rc || rest.a < rest.b ? -EDMM_EFAULT : 0;
}

/*
 * A trimmed page that the host does not remove: if it is gone already, it can
 * be had as new, with its own rights (I15), and then be trimmed again.
 */
static edmm_err remove_one(struct op *op, uint32_t pg, uint8_t byte)
{
	struct emm *emm = op->emm;
	struct run r = { .a = pg, .b = pg + 1, .byte = byte };
	uint8_t lut[256];

	if (!host_modify(op, EMM_HOST_REMOVE, &r, page_rights(byte))) {
		map_settle(op, r.a, r.b, emm->lut[PAGE_TRIM]);
		return 0;
	}
	if (map_storable(op, &r, page_rights(byte)) ||
	    leaf_new(emm, page_rights(byte), pg))
		return -EDMM_EFAULT;
	r.byte = page_moved(byte, PG_COMM);
	__builtin_memset(lut, PAGE_BUSY | r.byte, 256);
	map_settle(op, r.a, r.b, lut);
	return act_trim(op, &r);
}

/* Finish the removal of trimmed pages; r is narrowed to what is removed. */
edmm_err act_remove(struct op *op, struct run *r)
{
	uint32_t pg = r->b;
	edmm_err rc = map_reserve(op, r->a, r->b, 0);

	if (!rc && host_modify(op, EMM_HOST_REMOVE, r, page_rights(r->byte))) {
		for (pg = r->a; pg < r->b && !rc; pg++)
			rc = remove_one(op, pg, r->byte);
		pg -= rc != 0;
	} else if (!rc) {
		map_settle(op, r->a, r->b, op->emm->lut[PAGE_TRIM]);
	} else {
		pg = r->a;
	}
	op_uncharge(op, pg - r->a);
	r->b = pg;
	return rc;
}

/* What a page in doubt is, as EACCEPT or EMODPE tells; PG_NONE: neither. */
static enum page_state resolve(struct emm *emm, uint32_t pg, uint8_t byte)
{
	int code;

	switch (page_state(byte)) {
	case PG_DOUBT_NEW:
		if (!leaf_accept(emm, TCS_FLAGS, pg))
			return PG_TCS;
		break;
	case PG_DOUBT_TCS:
		code = leaf_accept(emm, TRIM_FLAGS, pg);
		if (!code)
			return PG_TRIMMED;
		return code == SGX_PAGE_ATTRIBUTES_MISMATCH ? PG_TCS : PG_NONE;
	default:
		if (!leaf_accept(emm, TRIM_FLAGS, pg))
			return PG_TRIMMED;
	}
	if (leaf_extend(emm, page_epcm(byte), pg))
		return PG_NONE;
	return page_state(byte) == PG_DOUBT_IDLE ? PG_IDLE : PG_COMM;
}

/*
 * Ask what became of a page in doubt: changed by now, or as it was. -EFAULT:
 * still neither.
 */
edmm_err act_resolve(struct op *op, uint32_t pg, uint8_t byte)
{
	struct run r = { .a = pg, .b = pg + 1 };
	enum page_state now;
	uint8_t lut[256];
	edmm_err rc;

	rc = map_reserve(op, pg, pg + 1, 0);
	if (rc)
		return rc;
	now = resolve(op->emm, pg, byte);
	if (now == PG_NONE)
		return -EDMM_EFAULT;
	if (now == PG_IDLE)
		__atomic_fetch_add(&op->emm->idle, 1, __ATOMIC_RELAXED);
	r.byte = page_moved(byte, now);
	if (now == PG_COMM)
		(void)map_readable(op, &r, false);
	__builtin_memset(lut, PAGE_BUSY | r.byte, 256);
	map_settle(op, pg, pg + 1, lut);
	return 0;
}

/* Is it a lazy area's? r is narrowed to one area. */
bool area_is_lazy(struct emm *emm, struct run *r)
{
	struct area area;

	if (!area_get(emm, r->a, &area) || area.start > r->a)
		return false;
	r->b = min_u32(r->b, area.end);
	return area.flags & EMM_LAZY;
}

/* Does the run (cut to one area) stay in the enclave as idle pages? */
static bool keeps_idle(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;

	if (emm->static_mode)
		return true;
	if (op->drop || !PEEK(&emm->lazy_areas) ||
	    !(page_bit(r->byte) & M(PG_COMM)))
		return false;
	return area_is_lazy(emm, r) &&
	       (page_rights(r->byte) & EMM_RW) == EMM_RW;
}

static edmm_err make_idle(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	edmm_err rc = map_reserve(op, r->a, r->b, 0);

	/* There it is not trimmed: the host is asked to hide it, or, of a lazy
	 * area, to show it as all others. */
	if (!rc && emm->static_mode)
		rc = act_rights(op, r, page_rights(r->byte),
				area_is_lazy(emm, r) ? EMM_RW : EMM_NONE);
	if (rc) {
		r->b = r->a;
		return rc;
	}
	map_settle(op, r->a, r->b, emm->lut[PAGE_IDLE]);
	__atomic_fetch_add(&emm->idle, r->b - r->a, __ATOMIC_RELAXED);
	return 0;
}

/*
 * Pages that the host was told to add, and that no EACCEPT has taken: only
 * what is accepted can be trimmed. r is narrowed to what is absent now; less
 * than the run also on success.
 */
static edmm_err unhint(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	int prot = page_rights(r->byte), said = 0;
	uint32_t pg = r->a, end = r->b;
	edmm_err rc;

	r->b = r->a;
	rc = map_reserve(op, pg, end, 0);
	if (!rc) {
		struct run all = { .a = pg, .b = end, .byte = r->byte };

		rc = map_storable(op, &all, prot);
	}
	if (rc)
		return rc;
	while (pg < end && !(said = leaf_new(emm, prot, pg)))
		pg++;
	if (pg == r->a) {
		if (said != EMM_LEAF_PF)
			return -EDMM_EFAULT;
		r->b = pg + 1; /* was never added */
		map_settle(op, pg, r->b, emm->lut[PAGE_UNHINT]);
		return 0;
	}
	r->b = pg;
	map_settle(op, r->a, r->b, emm->lut[PAGE_COMMIT]);
	op_charge_forced(op, pg - r->a);
	rc = act_trim(op, r);
	op_uncharge(op, r->b - r->a);
	return rc;
}

/* One run; narrowed to what is uncommitted on failure. */
static edmm_err uncommit_run(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	unsigned int bit = page_bit(r->byte);
	edmm_err rc;

	if (bit & M(PG_TRIMMED))
		return act_remove(op, r);
	if (bit & M(PG_HINT))
		return unhint(op, r);
	if (bit & M_DOUBT) {
		rc = act_resolve(op, r->a, r->byte);
		r->b = r->a; /* look again */
		return rc;
	}
	if (emm->static_mode && bit & M(PG_TCS)) {
		r->b = r->a;
		return -EDMM_EOPNOTSUPP;
	}
	if (!(bit & (M(PG_COMM) | M(PG_TCS))) && !(bit & M_IDLE && op->drop))
		return 0;
	if (bit & M_IDLE && emm->static_mode)
		return 0;
	if (keeps_idle(op, r))
		return make_idle(op, r);
	rc = act_trim(op, r);
	op_uncharge(op, r->b - r->a);
	return rc;
}

/*
 * Uncommit claimed pages. Present pages leave in runs joined over rights,
 * kinds and areas, unless some area is lazy, or the host's mapping of a run
 * depends on its rights. done: pages from a that are complete.
 */
edmm_err act_uncommit(struct op *op, uint32_t a, uint32_t b, uint32_t *done)
{
	struct emm *emm = op->emm;
	uint32_t join = M(PG_COMM) | M(PG_TCS), pg = a;
	edmm_err rc = 0;

	if (op->drop)
		join |= M_IDLE;
	else if (PEEK(&emm->lazy_areas))
		join = 0;
	if (emm->static_mode || !emm->wide)
		join = 0;
	while (!rc && pg < b) {
		struct run r;

		map_run(emm, pg, b, join, &r);
		rc = uncommit_run(op, &r);
		pg = r.b;
	}
	*done = pg - a;
	return rc;
}

static edmm_err uncommit_common(struct emm *emm, uint64_t addr, uint64_t size,
				bool drop, uint64_t *done)
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
	op.drop = drop;
	op.frees = true;
	rc = op_open(&op, &r, M_AREA);
	if (!rc) {
		if (op.seen & ~M(PG_ABSENT))
			rc = act_uncommit(&op, r.a, r.b, &pages);
		else
			pages = r.b - r.a;
		op_close(&op, &r, EMM_EV_UNCOMMIT, pages);
	}
	if (done)
		*done = (uint64_t)pages << PAGE_SHIFT;
	if (PEEK(&emm->idle))
		(void)!idle_limit(emm);
	return rc;
}

edmm_err emm_uncommit(struct emm *emm, uint64_t addr, uint64_t size,
		      uint64_t *done)
{
	return uncommit_common(emm, addr, size, false, done);
}

edmm_err emm_uncommit_now(struct emm *emm, uint64_t addr, uint64_t size,
			  uint64_t *done)
{
	return uncommit_common(emm, addr, size, true, done);
}
