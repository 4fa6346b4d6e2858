/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Committing with content (EACCEPTCOPY), for loaders and JITs. The copy sets
 * the EPCM's rights at once (I8), so that the host is called only where its
 * mapping is too narrow.
 */
#include "trusted/emm/act.h"

/* Copy into pages from r->a on; r is narrowed to those that were. */
static edmm_err copy_run(struct op *op, struct run *r, uint64_t src, int prot)
{
	const struct sgx_secinfo si = {
		.flags = (uint64_t)prot | SGX_SECINFO_PT(SGX_PT_REG),
	};
	struct emm *emm = op->emm;
	uint32_t pg, rounds = 0;
	int rc = 0;

	for (pg = r->a; pg < r->b; pg++, src += EMM_PAGE) {
		for (unsigned int i = 0; i <= PF_RETRIES; i++) {
			rc = emm->hooks.eacceptcopy(emm->ctx, &si,
						    pg_addr(emm, pg), src);
			if (rc != EMM_LEAF_PF)
				break;
			lock_spin(emm, &rounds);
		}
		if (rc)
			break;
	}
	r->b = pg;
	if (!rc)
		return 0;
	return rc == EMM_LEAF_PF ? -EDMM_ENOMEM : -EDMM_EFAULT;
}

/* Static mode: an idle page takes the content as any memory does. */
static edmm_err store_run(struct op *op, struct run *r, const void *data,
			  int prot)
{
	struct emm *emm = op->emm;
	uint64_t size = (uint64_t)(r->b - r->a) << PAGE_SHIFT;
	uint32_t end = r->b;
	edmm_err rc = act_show(op, r);

	if (!rc && r->b < end)
		rc = -EDMM_EINVAL; /* several areas want several calls */
	if (rc) {
		r->b = r->a;
		return rc;
	}
	__builtin_memcpy((void *)(uintptr_t)pg_addr(emm, r->a), data, size);
	idle_fewer(emm, r->b - r->a);
	op_note_used(emm);
	if (prot != EMM_RW)
		return act_rights(op, r, EMM_RW, prot);
	return 0;
}

/* All claimed pages are absent (static mode: idle) and may be written? */
static edmm_err data_check(struct op *op, const struct run *range)
{
	uint32_t pg = range->a;

	while (pg < range->b) {
		struct area area;
		struct run r;

		map_run(op->emm, pg, range->b, 0, &r);
		if (!(page_rights(r.byte) & EMM_W))
			return -EDMM_EACCES;
		if (!area_get(op->emm, pg, &area) ||
		    !(area.flags & EMM_ON_DEMAND))
			return -EDMM_EINVAL;
		pg = min_u32(r.b, area.end);
	}
	return 0;
}

static edmm_err act_data(struct op *op, struct run *r, const uint8_t *data,
			 int prot)
{
	struct emm *emm = op->emm;
	struct run all = *r;
	uint8_t lut[256];
	edmm_err rc, err = 0;

	rc = op_charge(op, emm->static_mode ? 0 : r->b - r->a);
	if (rc) {
		r->b = r->a;
		return rc;
	}
	if (emm->static_mode) {
		rc = store_run(op, r, data, prot);
	} else {
		rc = copy_run(op, r, (uint64_t)(uintptr_t)data, prot);
		COUNT(op->slot->commits, r->b - r->a);
	}
	page_lut_join(emm->lut[PAGE_COMMIT], lut_rights(emm, prot), lut);
	map_settle(op, r->a, r->b, lut);
	if (!emm->static_mode) {
		op_uncharge(op, all.b - r->b);
		/* The host mapped it RW; X needs its help. */
		all.b = r->b;
		if (!emm->wide && prot & EMM_X && all.a < all.b) {
			all.byte = page_byte(PG_COMM, EMM_RW);
			err = host_modify(op, EMM_HOST_PROTECT, &all, prot);
		}
	}
	return rc ? rc : err;
}

edmm_err emm_commit_data(struct emm *emm, uint64_t addr, uint64_t size,
			 const void *data, int prot)
{
	uint64_t src = (uint64_t)(uintptr_t)data;
	struct run range, r;
	struct op op;
	edmm_err rc;

	emm_probe_stack();
	rc = op_range(emm, addr, size, &range);
	if (!rc &&
	    (!prot_valid(prot) || !prot || src & (EMM_PAGE - 1) ||
	     src + size < src || (src < addr + size && addr < src + size)))
		rc = -EDMM_EINVAL;
	if (rc)
		return rc;
	op_begin(&op, emm);
	rc = op_open(&op, &range, M_AREA);
	if (rc)
		return rc;
	r = range;
	rc = -EDMM_EACCES;
	if (!(op.seen & ~(emm->static_mode ? M_IDLE : M_UNC)))
		rc = data_check(&op, &range);
	if (!rc)
		rc = act_data(&op, &r, data, prot);
	else
		r.b = r.a;
	op_close(&op, &range, EMM_EV_COMMIT, r.b - r.a);
	return rc;
}
