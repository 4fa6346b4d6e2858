/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Committing pages. Keeps I1 (EACCEPT as PENDING only where the map says
 * absent), I5 (idle pages are zeroed before they are anyone's), I8 (a page
 * gets the rights that the map has for it, not what EAUG gives).
 */
#include "trusted/emm/act.h"

#define TRACK_ROUNDS 256u

/*
 * EACCEPT of pg with these SECINFO flags. 0, an SGX code or EMM_LEAF_*. The
 * interrupt that the host sends after ETRACK may be on its way still.
 */
int leaf_accept(struct emm *emm, uint64_t flags, uint32_t pg)
{
	const struct sgx_secinfo si = { .flags = flags };
	uint32_t rounds = 0;
	int rc = emm->hooks.eaccept(emm->ctx, &si, pg_addr(emm, pg));

	while (rc == SGX_NOT_TRACKED && rounds < TRACK_ROUNDS) {
		lock_spin(emm, &rounds);
		rc = emm->hooks.eaccept(emm->ctx, &si, pg_addr(emm, pg));
	}
	return rc;
}

/* EMODPE has no result: whatever EAX holds, only a fault of its own counts. */
int leaf_extend(struct emm *emm, int prot, uint32_t pg)
{
	const struct sgx_secinfo si = {
		.flags = (uint64_t)prot | SGX_SECINFO_PT(SGX_PT_REG),
	};
	int said = emm->hooks.emodpe(emm->ctx, &si, pg_addr(emm, pg));

	return said < 0 ? said : 0;
}

/* What EACCEPTCOPY makes new pages of; in the enclave, as this code is. */
static const uint8_t zeros[EMM_PAGE] __attribute__((aligned(EMM_PAGE)));

/*
 * EACCEPT of a new page, with its rights at once. EAUG gives RW; for other
 * rights zeros are copied, which asks the host for nothing: there is no moment
 * at which the page can be written to and its area says no (I8, I15).
 */
int leaf_new(struct emm *emm, int prot, uint32_t pg)
{
	const struct sgx_secinfo si = {
		.flags = (uint64_t)prot | SGX_SECINFO_PT(SGX_PT_REG),
	};

	if (prot == EMM_RW)
		return leaf_accept(emm, FRESH_FLAGS, pg);
	return emm->hooks.eacceptcopy(emm->ctx, &si, pg_addr(emm, pg),
				      (uint64_t)(uintptr_t)zeros);
}

/* A #PF at EACCEPT: absent yet, or another thread's touch is adding it. */
static int new_retry(struct emm *emm, int prot, uint32_t pg)
{
	uint32_t rounds = 0;
	int rc = EMM_LEAF_PF;

	for (unsigned int i = 0; i < PF_RETRIES && rc == EMM_LEAF_PF; i++) {
		lock_spin(emm, &rounds);
		rc = leaf_new(emm, prot, pg);
	}
	return rc;
}

/*
 * Accept [r->a, r->b) as new pages. Narrows r to what was accepted: its lower
 * end, or with op->down its upper end.
 */
static edmm_err accept_new(struct op *op, struct run *r, int prot)
{
	struct emm *emm = op->emm;
	uint32_t n = r->b - r->a, i;
	int rc = 0;

	for (i = 0; i < n; i++) {
		uint32_t pg = op->down ? r->b - 1 - i : r->a + i;

		rc = leaf_new(emm, prot, pg);
		if (rc == EMM_LEAF_PF)
			rc = new_retry(emm, prot, pg);
		if (rc)
			break;
	}
	if (op->down)
		r->a = r->b - i;
	else
		r->b = r->a + i;
	if (!rc)
		return 0;
	return rc == EMM_LEAF_PF ? -EDMM_ENOMEM : -EDMM_EFAULT;
}

/*
 * What most faults come to: one claimed page, absent, RW, and no more. It is
 * committed and released in one step; on failure it is as it was.
 */
edmm_err accept_one(struct op *op, uint32_t pg)
{
	struct run r = { .a = pg, .b = pg + 1 };
	edmm_err rc = op_charge(op, 1);

	if (rc)
		return rc;
	rc = accept_new(op, &r, EMM_RW);
	if (rc) {
		op_uncharge(op, 1);
		return rc;
	}
	COUNT(op->slot->commits, 1);
	map_release_as(op, pg + 1, op->emm->lut[PAGE_FAULT]);
	return 0;
}

/*
 * EACCEPTCOPY stores through the mapping, which a narrow host has given these
 * absent pages' rights: map them anew, which is for reading and writing.
 */
edmm_err map_storable(struct op *op, const struct run *r, int prot)
{
	struct emm *emm = op->emm;

	if (emm->wide || emm->static_mode || prot & EMM_W)
		return 0;
	if (!emm->hooks.map)
		return host_modify(op, EMM_HOST_PROTECT, r, EMM_RW);
	COUNT(op->slot->host_calls, 1);
	return emm->hooks.map(emm->ctx, pg_addr(emm, r->a),
			      (uint64_t)(r->b - r->a) << PAGE_SHIFT,
			      EMM_ON_DEMAND)
		       ? -EDMM_EFAULT
		       : 0;
}

/* New pages whose rights are not those that the host has mapped them with. */
static edmm_err map_rights(struct op *op, struct run *r, int prot)
{
	struct run rest = *r;
	uint32_t n = r->b - r->a;
	edmm_err rc;

	rest.byte = page_byte(PG_COMM, EMM_RW);
	rc = host_modify(op, EMM_HOST_PROTECT, &rest, prot);
	if (!rc || !(prot & EMM_X)) /* too wide a mapping does no harm */
		return 0;
	r->b = r->a;
	if (act_trim(op, &rest))
		op_charge_forced(op, n - (rest.b - rest.a));
	return rc;
}

static void populate(struct op *op, const struct run *r)
{
	struct emm *emm = op->emm;

	COUNT(op->slot->host_calls, 1);
	COUNT(op->slot->populates, 1);
	(void)emm->hooks.populate(emm->ctx, pg_addr(emm, r->a),
				  (uint64_t)(r->b - r->a) << PAGE_SHIFT);
}

/* Absent pages of equal rights. r is narrowed to what is committed. */
static edmm_err commit_fresh(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	const struct run all = *r;
	bool hint = emm->hooks.populate && r->b - r->a > 1;
	int prot = page_rights(r->byte);
	edmm_err rc, err = 0;

	if (emm->static_mode) {
		r->b = r->a;
		return -EDMM_ENOMEM;
	}
	rc = map_storable(op, r, prot);
	if (rc) {
		r->b = r->a;
		return rc;
	}
	if (hint)
		populate(op, r);
	rc = accept_new(op, r, prot);
	map_settle(op, r->a, r->b, emm->lut[PAGE_COMMIT]);
	if (hint) {
		map_settle(op, all.a, r->a, emm->lut[PAGE_HINT]);
		map_settle(op, r->b, all.b, emm->lut[PAGE_HINT]);
	}
	COUNT(op->slot->commits, r->b - r->a);
	if (prot != EMM_RW && !emm->wide && r->a < r->b)
		err = map_rights(op, r, prot);
	return err ? err : rc;
}

/*
 * Static mode: what is idle the host does not show, but in a lazy area. Asks it
 * to, for the pages of one area, to which r is narrowed.
 */
edmm_err act_show(struct op *op, struct run *r)
{
	struct run x;
	edmm_err rc;

	if (!op->emm->static_mode || area_is_lazy(op->emm, r))
		return 0;
	x = *r;
	x.byte = page_byte(PG_IDLE, EMM_NONE);
	rc = host_modify(op, EMM_HOST_PROTECT, &x, EMM_RW);
	if (rc)
		r->b = r->a;
	return rc;
}

/*
 * Idle pages: zero them, unless they are known to be; their rights are read
 * and write at least. r is narrowed to what is committed.
 */
static edmm_err commit_idle(struct op *op, struct run *r)
{
	struct emm *emm = op->emm;
	int prot = page_rights(r->byte), has = page_epcm(r->byte);
	edmm_err rc = act_show(op, r), err;
	uint64_t addr = pg_addr(emm, r->a);
	uint64_t size = (uint64_t)(r->b - r->a) << PAGE_SHIFT;

	if (rc)
		return rc;
	if (page_known_zero(r->byte))
		;
	else if (emm->hooks.zero)
		emm->hooks.zero(emm->ctx, addr, size);
	else
		__builtin_memset((void *)(uintptr_t)addr, 0, size);
	if (prot & EMM_X)
		rc = act_rights(op, r, EMM_RW, has);
	if (prot != has) {
		err = act_rights(op, r, has, prot);
		rc = err ? err : rc;
	}
	map_settle(op, r->a, r->b, emm->lut[PAGE_COMMIT]);
	idle_fewer(emm, r->b - r->a);
	op_note_used(emm);
	COUNT(op->slot->reuses, r->b - r->a);
	return rc;
}

/* Absent pages of claimed [a, b), to be charged; and do the rights allow? */
static edmm_err count_fresh(struct op *op, uint32_t a, uint32_t b, uint64_t *n)
{
	*n = 0;
	while (a < b) {
		struct run r;
		int prot;

		map_run(op->emm, a, b, 0, &r);
		prot = page_rights(r.byte);
		if ((prot & op->need) != op->need)
			return -EDMM_EACCES;
		if (!prot && !(page_bit(r.byte) & M(PG_COMM)))
			return -EDMM_EACCES;
		if (page_bit(r.byte) & M_UNC)
			*n += r.b - r.a;
		a = r.b;
	}
	return 0;
}

/* One run of pages alike. r is narrowed to what is committed on failure. */
static edmm_err commit_run(struct op *op, struct run *r)
{
	unsigned int bit = page_bit(r->byte);
	edmm_err rc = 0;

	if (bit & M_UNC)
		return commit_fresh(op, r);
	if (bit & M_IDLE)
		return commit_idle(op, r);
	if (!(bit & (M_DOUBT | M(PG_TRIMMED))))
		return 0;
	/* Find out, or finish the removal; the caller looks again. */
	if (bit & M_DOUBT)
		rc = act_resolve(op, r->a, r->byte);
	else
		rc = act_remove(op, r);
	r->b = r->a;
	return rc;
}

/*
 * Commit claimed pages. done: how far from a it is complete; with op->down,
 * how many pages were committed. Pages beyond are as they were.
 */
edmm_err act_commit(struct op *op, uint32_t a, uint32_t b, uint32_t *done)
{
	uint64_t fresh, used = 0;
	uint32_t pg = a;
	edmm_err rc;

	*done = 0;
	rc = count_fresh(op, a, b, &fresh);
	if (!rc)
		rc = op_charge(op, fresh);
	if (rc)
		return rc;
	while (!rc && pg < b) {
		uint64_t extra = 0;
		struct run r;

		map_run(op->emm, pg, b, 0, &r);
		if (!op->hold)
			r.b = min_u32(r.b, (r.a | (TOP_PAGES - 1)) + 1);
		if (page_bit(r.byte) & M_UNC && used + (r.b - r.a) > fresh)
			extra = used + (r.b - r.a) - fresh; /* was TRIMMED */
		rc = op_charge(op, extra);
		if (rc)
			break;
		fresh += extra;
		rc = commit_run(op, &r);
		if (page_bit(r.byte) & M_UNC)
			used += r.b - r.a;
		*done += r.b - r.a;
		if (rc)
			break;
		pg = r.b;
		if (!op->hold && pg < b)
			map_release(op, pg);
	}
	op_uncharge(op, fresh - used);
	return rc;
}

edmm_err op_commit(struct emm *emm, uint64_t addr, uint64_t size, int need,
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
	op.need = need;
	rc = op_open(&op, &r, M_AREA & ~M_TCS);
	if (!rc) {
		if (op.seen & ~M(PG_COMM))
			rc = act_commit(&op, r.a, r.b, &pages);
		else
			pages = r.b - r.a;
		op_close(&op, &r, EMM_EV_COMMIT, pages);
	}
	if (done)
		*done = (uint64_t)pages << PAGE_SHIFT;
	return rc;
}

edmm_err emm_commit(struct emm *emm, uint64_t addr, uint64_t size,
		    uint64_t *done)
{
	return op_commit(emm, addr, size, 0, done);
}
