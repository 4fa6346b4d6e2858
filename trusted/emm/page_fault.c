/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults, at CSSA 0. The usual ones are answered by the page's byte: one
 * map entry locked to look, an op only to commit. Keeps I12: a fault on a page
 * that another thread is changing waits for that page and looks again.
 */
#include "trusted/emm/act.h"

#define ROUNDS 64u /* of looking again, before it is called a failure */

/* What a look can say beside EMM_FAULT_* and errors. */
enum look {
	LOOK_AGAIN = 1,
	LOOK_SPURIOUS, /* nothing to do: retry the access */
	LOOK_COMMITTED,
};

static int wanted(uint32_t errcd)
{
	if (errcd & SGX_PFEC_W)
		return EMM_W;
	return errcd & SGX_PFEC_I ? EMM_X : EMM_R;
}

static bool page_committed(struct emm *emm, uint32_t pg)
{
	struct run r;

	map_run(emm, pg, pg + 1, 0, &r);
	return page_bit(r.byte) & M(PG_COMM);
}

/* Claim what a fault on pg commits; r->byte: look at the area's window. */
static uint32_t claim_window(struct op *op, uint32_t pg, struct run *r)
{
	struct emm *emm = op->emm;
	struct area area;
	uint32_t n;

	r->a = pg;
	r->b = pg + 1;
	if (r->byte) {
		n = area_window(emm, pg, pg && page_committed(emm, pg - 1),
				&area);
		if (n > 1)
			r->b = n < area.end - pg ? pg + n : area.end;
	}
	r->b = map_claim_run(op, r->a, r->b, M_UNC | M_IDLE);
	return r->b;
}

/*
 * GROWSDOWN and GROWSUP: no gap towards where the area began, and the area's
 * window beyond the page.
 */
static edmm_err claim_grown(struct op *op, const struct area *area,
			    struct run *r)
{
	struct area piece = *area;
	uint32_t pg = r->a, n = area_window(op->emm, pg, false, &piece);
	edmm_err rc;

	if (area->flags & EMM_GROWSDOWN) {
		r->b = area->end;
		r->a = pg - min_u32(n - 1, pg - piece.start);
		op->down = true;
	} else {
		r->a = area->start;
		r->b = pg + min_u32(n, piece.end - pg);
	}
	rc = map_reserve(op, r->a, r->b, 0);
	if (!rc)
		rc = map_claim(op, r->a, r->b, M_AREA & ~M_TCS);
	return rc;
}

/* -EACCES: something else is in the way of growth. */
static edmm_err commit_grown(struct op *op, const struct area *area,
			     struct run *r, uint32_t *done)
{
	uint32_t pg = r->a;
	edmm_err rc = claim_grown(op, area, r);

	if (rc)
		return rc;
	rc = act_commit(op, r->a, r->b, done);
	if (rc && !*done && op->down && r->a < pg) {
		r->a = pg; /* without the window */
		rc = act_commit(op, pg, r->b, done);
	} else if (rc && !*done && !op->down && r->b > pg + 1) {
		rc = act_commit(op, r->a, pg + 1, done);
	}
	if (rc && !*done) {
		r->a = pg;
		rc = act_commit(op, pg, pg + 1, done);
	}
	return rc;
}

/* The page, and its area's window; no growth, or not possible. */
static edmm_err commit_window(struct op *op, bool slow, struct run *r,
			      uint32_t *done)
{
	uint32_t pg = r->a;
	edmm_err rc;

	op->down = false;
	r->byte = slow;
	rc = map_reserve(op, pg, pg + 1, 0);
	if (rc || claim_window(op, pg, r) == pg)
		return rc;
	if (r->b == pg + 1 && op->byte == page_byte(PG_ABSENT, EMM_RW) &&
	    !op->emm->static_mode) {
		rc = accept_one(op, pg);
		*done = !rc;
		return rc;
	}
	rc = act_commit(op, r->a, r->b, done);
	if (rc && !*done && r->b - r->a > 1) {
		/* No room for more, or rights of others: the page alone. */
		rc = act_commit(op, pg, pg + 1, done);
	}
	return rc;
}

/*
 * Commit pg, and with it what the area's policy says. Return: LOOK_COMMITTED,
 * LOOK_AGAIN where somebody else was faster, or an error.
 */
static int fault_commit(struct emm *emm, uint32_t pg, bool slow,
			const struct area *area)
{
	bool grows = slow && area->flags & (EMM_GROWSDOWN | EMM_GROWSUP);
	struct run r = { .a = pg, .b = pg + 1 };
	uint32_t done = 0;
	struct op op;
	edmm_err rc = -EDMM_EACCES;

	op_begin(&op, emm);
	if (grows)
		rc = commit_grown(&op, area, &r, &done);
	if (rc == -EDMM_EACCES && !done) {
		map_release(&op, PEEK(&op.slot->hi));
		r = (struct run){ .a = pg, .b = pg + 1 };
		rc = commit_window(&op, slow && !grows, &r, &done);
	}
	if (rc && done && page_committed(emm, pg))
		rc = 0; /* what is missing is beyond it */
	COUNT(op.slot->fault_commits, !rc && done);
	map_release(&op, PEEK(&op.slot->hi));
	op_end(&op);
	op_notify(emm, EMM_EV_COMMIT, r.a, r.a + done);
	if (rc)
		return rc;
	if (slow && !grows && done == r.b - r.a)
		ahead_of(emm, &r);
	return done ? LOOK_COMMITTED : LOOK_AGAIN;
}

/* A page in doubt, or trimmed but not removed: find out. */
static edmm_err fault_resolve(struct emm *emm, uint32_t pg)
{
	struct run r;
	struct op op;
	edmm_err rc;

	op_begin(&op, emm);
	rc = map_reserve(&op, pg, pg + 1, 0);
	if (!rc &&
	    map_claim_run(&op, pg, pg + 1, M_DOUBT | M(PG_TRIMMED)) > pg) {
		map_run(emm, pg, pg + 1, 0, &r);
		if (page_bit(r.byte) & M_DOUBT)
			rc = act_resolve(&op, pg, r.byte);
		else
			rc = act_remove(&op, &r);
		map_release(&op, pg + 1);
	}
	op_end(&op);
	return rc;
}

/*
 * The EPCM refused an access that the map allows: give the page the map's
 * rights again. -EFAULT: it is no such page.
 */
static edmm_err fault_repair(struct emm *emm, uint32_t pg)
{
	struct run r;
	struct op op;
	edmm_err rc;

	op_begin(&op, emm);
	rc = map_reserve(&op, pg, pg + 1, 0);
	if (!rc && map_claim_run(&op, pg, pg + 1, M(PG_COMM)) > pg) {
		map_run(emm, pg, pg + 1, 0, &r);
		if (leaf_extend(emm, page_rights(r.byte), pg))
			rc = -EDMM_EFAULT;
		map_release(&op, pg + 1);
	}
	op_end(&op);
	return rc;
}

static edmm_err fault_wait(struct emm *emm, uint32_t pg)
{
	struct span sp;
	struct op op;
	edmm_err rc = 0;

	op_begin(&op, emm);
	map_lock(emm, pg, &sp);
	if (page_busy(span_byte(&sp, pg)))
		rc = op_wait(&op, &sp, pg);
	else
		map_unlock_clean(&sp);
	op_end(&op);
	return rc;
}

/* One look at the page: EMM_FAULT_*, an error, or enum look. */
static int fault_look(struct emm *emm, uint32_t pg,
		      const struct sgx_exinfo *info)
{
	struct area area;
	struct span sp;
	uint32_t bit;
	uint8_t byte;
	bool slow;
	edmm_err rc;

	map_lock(emm, pg, &sp);
	byte = span_byte(&sp, pg);
	map_unlock_clean(&sp);
	bit = page_bit(byte);
	if (bit & (M_HOLE | M(PG_RESERVED) | M(PG_TCS)) && !page_busy(byte))
		return EMM_FAULT_SEARCH;
	if (page_busy(byte)) {
		rc = fault_wait(emm, pg);
		return rc ? rc : LOOK_AGAIN;
	}
	slow = page_slow(byte);
	if (slow) {
		if (!area_get(emm, pg, &area) || area.start > pg)
			return LOOK_AGAIN;
		if (area.handler) {
			turn_leave(emm, op_self(emm));
			return area.handler(info, area.priv);
		}
	}
	if (!(page_rights(byte) & wanted(info->errcd)))
		return EMM_FAULT_SEARCH;
	if (bit & (M_DOUBT | M(PG_TRIMMED))) {
		rc = fault_resolve(emm, pg);
		return rc ? rc : LOOK_AGAIN;
	}
	if (bit & M(PG_COMM)) {
		if (info->errcd & SGX_PFEC_SGX && !emm->static_mode) {
			rc = fault_repair(emm, pg);
			return rc ? rc : EMM_FAULT_CONTINUE;
		}
		return LOOK_SPURIOUS;
	}
	if (slow && !(area.flags & EMM_ON_DEMAND))
		return EMM_FAULT_SEARCH;
	return fault_commit(emm, pg, slow, &area);
}

/* No op is in hand here; one that has this slot leaves these words alone. */
static void count_fault(struct emm *emm, int look)
{
	struct slot *home = op_home(emm);

	if (look == LOOK_SPURIOUS)
		__atomic_fetch_add(&home->spurious, 1, __ATOMIC_RELAXED);
	else if (look != LOOK_COMMITTED)
		__atomic_fetch_add(&home->faults, 1, __ATOMIC_RELAXED);
}

int emm_fault(struct emm *emm, const struct sgx_exinfo *info)
{
	uint64_t off = info->maddr - emm->base;
	uint32_t pg;
	int rc = LOOK_AGAIN;

	emm_probe_stack();
	if (info->maddr < emm->base || off >= (uint64_t)emm->pages
						       << PAGE_SHIFT)
		return EMM_FAULT_SEARCH;
	pg = (uint32_t)(off >> PAGE_SHIFT);
	if (pg >= emm->meta_lo && pg < PEEK(&emm->meta_hi))
		return EMM_FAULT_SEARCH;
	for (uint32_t i = 0; rc == LOOK_AGAIN && i < ROUNDS; i++)
		rc = fault_look(emm, pg, info);
	count_fault(emm, rc);
	if (rc == LOOK_AGAIN)
		return -EDMM_EFAULT;
	return rc > 0 ? EMM_FAULT_CONTINUE : rc;
}
