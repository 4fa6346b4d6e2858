/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Idle pages leave in long runs: when asked for, when there are more than the
 * caps allow, down to half of the cap, so that it does not happen often, and
 * with time, half of those that nobody has needed.
 */
#include "trusted/emm/act.h"

#define DECAY_ALL 16u /* so few pages go at once */

/* Pages are idle no more: taken again, or gone. */
void idle_fewer(struct emm *emm, uint64_t pages)
{
	uint64_t now = __atomic_sub_fetch(&emm->idle, pages, __ATOMIC_RELAXED);
	uint64_t low = PEEK(&emm->idle_low);

	while (now < low &&
	       !__atomic_compare_exchange_n(&emm->idle_low, &low, now, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* The next run of idle pages at or above pg, without claiming it. */
static bool next_idle(struct emm *emm, uint32_t pg, struct run *r)
{
	const uint32_t idle = M_IDLE | M_FREE;
	const uint32_t others = M_ALL & ~idle;

	map_run(emm, pg, emm->pages, others, r);
	if (page_bit(r->byte) & others && r->b < emm->pages)
		map_run(emm, r->b, emm->pages, idle, r);
	else if (page_bit(r->byte) & idle)
		map_run(emm, pg, emm->pages, idle, r);
	return page_bit(r->byte) & idle;
}

/* Trim one run, or what of it is still idle. Return: pages released. */
static edmm_err trim_run(struct emm *emm, const struct run *at, uint32_t *pages)
{
	struct run r = *at;
	struct op op;
	edmm_err rc;

	*pages = 0;
	op_begin(&op, emm);
	op.drop = true;
	op.frees = true;
	rc = map_reserve(&op, r.a, r.b, 0);
	if (!rc) {
		r.b = map_claim_run(&op, r.a, r.b, M_IDLE | M_FREE);
		if (r.b > r.a) {
			uint32_t end = r.b;

			rc = act_trim(&op, &r);
			*pages = r.b - r.a;
			op_uncharge(&op, *pages);
			map_release(&op, end);
		}
	}
	op_end(&op);
	op_notify(emm, EMM_EV_UNCOMMIT, r.a, r.a + *pages);
	return rc;
}

static edmm_err trim_longer(struct emm *emm, uint64_t want, uint32_t least,
			    uint64_t *got)
{
	uint32_t pg = 0, n;
	edmm_err rc = 0;
	struct run r;

	while (!rc && *got < want && PEEK(&emm->idle) &&
	       next_idle(emm, pg, &r)) {
		uint32_t end = r.b;

		if (end - r.a >= least) {
			if (want - *got < end - r.a)
				r.b = r.a + (uint32_t)(want - *got);
			end = r.b;
			rc = trim_run(emm, &r, &n);
			*got += n;
			if (n && r.a + n < end)
				end = r.a + n; /* unequal: the rest next */
		}
		pg = end;
		if (pg >= emm->pages)
			break;
	}
	return rc;
}

edmm_err emm_trim(struct emm *emm, uint64_t bytes, uint64_t *released)
{
	static const uint32_t least[] = { 512, 64, 1 };
	uint64_t want = (bytes >> PAGE_SHIFT) + !!(bytes & (EMM_PAGE - 1));
	uint64_t got = 0;
	edmm_err rc = 0;

	emm_probe_stack();
	for (unsigned int i = 0; i < 3 && !rc && got < want; i++) {
		if (!emm->static_mode)
			rc = trim_longer(emm, want, least[i], &got);
	}
	if (released)
		*released = got << PAGE_SHIFT;
	return rc;
}

/* After pages became idle: keep to the caps. */
edmm_err idle_limit(struct emm *emm)
{
	uint64_t idle = PEEK(&emm->idle), cap = PEEK(&emm->idle_max);
	uint64_t share = PEEK(&emm->idle_share);

	if (share && PEEK(&emm->charged) * share / 1024 < cap)
		cap = PEEK(&emm->charged) * share / 1024;
	if (idle > cap)
		return emm_trim(emm, (idle - cap / 2) << PAGE_SHIFT, NULL);
	return 0;
}

edmm_err emm_decay(struct emm *emm)
{
	uint64_t low = PEEK(&emm->idle_low), half = (low + 1) / 2;
	edmm_err rc = 0;

	if (low)
		rc = emm_trim(emm,
			      (low <= DECAY_ALL ? low : half) << PAGE_SHIFT,
			      NULL);
	POKE(&emm->idle_low, PEEK(&emm->idle));
	return rc;
}
