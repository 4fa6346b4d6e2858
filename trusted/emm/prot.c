/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rights and page types. Keeps I8: what the map says is what the EPCM says,
 * also after a host call that failed half-way.
 */
#include "trusted/emm/act.h"

#define REG_FLAGS SGX_SECINFO_PT(SGX_PT_REG)

edmm_err host_modify(struct op *op, enum emm_host_op what, const struct run *r,
		     int to)
{
	struct emm *emm = op->emm;
	const struct emm_modify m = {
		.op = what,
		.from = what == EMM_HOST_TO_TRIM || what == EMM_HOST_REMOVE
				? to
				: page_rights(r->byte),
		.to = to,
		.final = op->final,
		.addr = pg_addr(emm, r->a),
		.size = (uint64_t)(r->b - r->a) << PAGE_SHIFT,
	};

	if (!emm->hooks.modify)
		return 0;
	COUNT(op->slot->host_calls, 1);
	return turn_modify(op, &m) ? -EDMM_EFAULT : 0;
}

/* More rights: EMODPE, and the host's mapping unless it is wide already. */
static edmm_err rights_extend(struct op *op, struct run *r, int to)
{
	uint32_t pg;

	if (!op->emm->wide) {
		if (host_modify(op, EMM_HOST_PROTECT, r, to)) {
			r->b = r->a;
			return -EDMM_EFAULT;
		}
	}
	for (pg = r->a; pg < r->b; pg++) {
		if (leaf_extend(op->emm, to, pg)) {
			r->b = pg;
			return -EDMM_EFAULT;
		}
	}
	return 0;
}

/* Pages from pg on keep their rights: so does a narrow host's mapping. */
static void restore_mapping(struct op *op, const struct run *r, uint32_t pg,
			    int from, int to)
{
	const struct run rest = { .a = pg,
				  .b = r->b,
				  .byte = page_byte(PG_COMM, to) };

	if (!op->emm->wide && to)
		(void)host_modify(op, EMM_HOST_PROTECT, &rest, from);
}

/*
 * Fewer rights (perhaps others more): the host restricts, EACCEPT proves it.
 * Where the proof fails, EMODPE gives the page its old rights back.
 */
static edmm_err rights_restrict(struct op *op, struct run *r, int from, int to)
{
	struct emm *emm = op->emm;
	uint64_t flags = (uint64_t)(unsigned int)(from & to) | SGX_SECINFO_PR |
			 REG_FLAGS;
	edmm_err said = host_modify(op, EMM_HOST_RESTRICT, r, to);
	uint32_t pg;

	for (pg = r->a; pg < r->b; pg++) {
		/* No EACCEPT tells whether it is mapped for new rights. */
		if (said && to & ~from)
			break;
		if (leaf_accept(emm, flags, pg))
			break;
		if (to & ~from && leaf_extend(emm, to, pg))
			break;
	}
	if (pg == r->b) {
		if (!to && !emm->wide)
			(void)host_modify(op, EMM_HOST_PROTECT, r, to);
		return 0;
	}
	restore_mapping(op, r, pg, from, to);
	for (uint32_t k = pg; from && k < r->b; k++)
		(void)leaf_extend(emm, from, k);
	r->b = pg;
	return -EDMM_EFAULT;
}

/*
 * Change EPCM rights of claimed, committed pages, all of which have `from`.
 * On failure r is narrowed to the pages that have `to`; the others have
 * `from`. The map is the caller's to change.
 */
edmm_err act_rights(struct op *op, struct run *r, int from, int to)
{
	struct run x = *r;
	edmm_err rc = 0;

	if (from == to || r->a == r->b)
		return 0;
	x.byte = page_byte(PG_COMM, from);
	if (op->emm->static_mode)
		rc = host_modify(op, EMM_HOST_PROTECT, &x, to);
	else if (from & ~to)
		rc = rights_restrict(op, &x, from, to);
	else
		rc = rights_extend(op, &x, to);
	if (op->emm->static_mode && rc)
		x.b = x.a;
	r->b = x.b;
	return rc;
}

/*
 * An idle page of other rights. Its EPCM rights are RW, and X perhaps where
 * the map has it: that comes when the page is committed, and goes with it.
 */
static edmm_err idle_rights(struct op *op, struct run *r, int prot)
{
	edmm_err rc;

	if (op->emm->static_mode || !(page_epcm(r->byte) & ~prot & EMM_X))
		return 0;
	rc = act_trim(op, r);
	op_uncharge(op, r->b - r->a);
	return rc;
}

/* One run of claimed pages alike; narrowed to what has the new rights. */
static edmm_err protect_run(struct op *op, struct run *r, int prot)
{
	struct emm *emm = op->emm;
	unsigned int bit = page_bit(r->byte);
	edmm_err rc = 0;

	if (bit & M_DOUBT) {
		rc = act_resolve(op, r->a, r->byte);
		r->b = r->a; /* look again */
		return rc;
	}
	if (bit & M(PG_COMM))
		rc = act_rights(op, r, page_rights(r->byte), prot);
	else if (bit & M_IDLE)
		rc = idle_rights(op, r, prot);
	else if (bit & M_UNC && !emm->wide && !emm->static_mode &&
		 page_rights(r->byte) != prot)
		rc = host_modify(op, EMM_HOST_PROTECT, r, prot);
	if (rc && bit & M_UNC)
		r->b = r->a;
	map_settle(op, r->a, r->b, lut_rights(emm, prot));
	return rc;
}

edmm_err op_protect(struct emm *emm, const struct run *range, int prot,
		    uint32_t ok, uint32_t *done)
{
	uint32_t pg = range->a;
	struct op op;
	edmm_err rc;

	op_begin(&op, emm);
	rc = op_open(&op, range, ok);
	if (!rc) {
		while (!rc && pg < range->b) {
			struct run r;

			map_run(emm, pg, range->b, 0, &r);
			rc = protect_run(&op, &r, prot);
			pg = r.b;
		}
		op_close(&op, range, EMM_EV_PROTECT, pg - range->a);
	}
	*done = pg - range->a;
	return rc;
}

edmm_err emm_protect(struct emm *emm, uint64_t addr, uint64_t size, int prot,
		     uint64_t *done)
{
	uint32_t pages = 0;
	struct run r;
	edmm_err rc;

	emm_probe_stack();
	rc = op_range(emm, addr, size, &r);
	if (!rc && !prot_valid(prot))
		rc = -EDMM_EINVAL;
	if (!rc)
		rc = op_protect(emm, &r, prot, M_AREA & ~M_TCS, &pages);
	if (done)
		*done = (uint64_t)pages << PAGE_SHIFT;
	return rc;
}

/* Turn one claimed page, REG and RW, into a TCS. */
static edmm_err act_tcs(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	int rc;

	(void)host_modify(op, EMM_HOST_TO_TCS, r, EMM_RW);
	rc = leaf_accept(emm, TCS_FLAGS, r->a);
	if (rc && !leaf_extend(emm, EMM_RW, r->a))
		return -EDMM_EFAULT; /* proved: REG as before */
	map_settle(op, r->a, r->b, emm->lut[rc ? PAGE_TRY_TCS : PAGE_MAKE_TCS]);
	return rc ? -EDMM_EFAULT : 0;
}

edmm_err emm_make_tcs(struct emm *emm, uint64_t addr)
{
	struct run r;
	struct op op;
	edmm_err rc;

	emm_probe_stack();
	rc = op_range(emm, addr, EMM_PAGE, &r);
	if (rc)
		return rc;
	if (emm->static_mode)
		return -EDMM_EOPNOTSUPP;
	op_begin(&op, emm);
	rc = op_open(&op, &r, M_AREA);
	if (rc)
		return rc;
	map_run(emm, r.a, r.b, 0, &r);
	if (page_bit(r.byte) & M_DOUBT)
		rc = act_resolve(&op, r.a, r.byte);
	map_run(emm, r.a, r.a + 1, 0, &r);
	if (!rc && page_state(r.byte) != PG_TCS) {
		rc = -EDMM_EACCES;
		if (page_bit(r.byte) & M(PG_COMM) &&
		    page_rights(r.byte) == EMM_RW)
			rc = act_tcs(&op, &r);
	}
	op_close(&op, &r, EMM_EV_TCS, rc ? 0 : 1);
	return rc;
}
