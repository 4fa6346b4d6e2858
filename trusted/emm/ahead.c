/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages that will be committed soon are told to the host without leaving, so
 * that it has added them by then (EAUG). What it makes of that is its affair:
 * the pages are absent in the books, and EACCEPT says what is there (I11). They
 * are noted as told (HINT), since only what is accepted can be trimmed.
 */
#include "trusted/emm/act.h"

#define LEAST 64u /* pages that are worth a hint */
#define SKIP 512u /* how far beyond the window the next absent ones may be */

/* The first absent page of [pg, end); end if there is none. */
static uint32_t next_absent(struct emm *emm, uint32_t pg, uint32_t end)
{
	while (pg < end) {
		struct run r;

		map_run(emm, pg, end, 0, &r);
		if (page_bit(r.byte) & M(PG_ABSENT))
			return pg;
		pg = r.b;
	}
	return end;
}

/* From r->a on, as far as pages are absent, to be read and written. */
static void tell(struct emm *emm, const struct run *r)
{
	struct op op;
	uint32_t b;

	op_begin(&op, emm);
	if (!map_reserve(&op, r->a, r->b, 0)) {
		b = map_claim_run(&op, r->a, r->b, M(PG_ABSENT));
		if (b - r->a >= LEAST && page_rights(op.byte) == EMM_RW &&
		    !emm->hooks.ahead(emm->ctx, pg_addr(emm, r->a),
				      (uint64_t)(b - r->a) << PAGE_SHIFT))
			map_settle(&op, r->a, b, emm->lut[PAGE_HINT]);
		map_release(&op, b);
	}
	op_end(&op);
}

/*
 * A window of a fault has been committed, [r->a, r->b), of a sequence perhaps:
 * then as much as its last window had follows. What jumps has none.
 */
void ahead_of(struct emm *emm, const struct run *r)
{
	struct area area;
	struct run next;
	uint32_t end;

	if (!emm->hooks.ahead || emm->static_mode || r->b >= emm->pages ||
	    !area_get(emm, r->b - 1, &area) || area.wseq < LEAST)
		return;
	end = min_u32(area.end, r->b + SKIP);
	next.a = next_absent(emm, r->b, end);
	next.b = min_u32(area.end, next.a + area.wseq);
	if (next.a < end && next.b - next.a >= LEAST)
		tell(emm, &next);
}

void emm_ahead(struct emm *emm, uint64_t addr, uint64_t size)
{
	struct run r;

	if (emm->hooks.ahead && !emm->static_mode &&
	    !op_range(emm, addr, size, &r))
		tell(emm, &r);
}
