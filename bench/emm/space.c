/* SPDX-License-Identifier: BSD-3-Clause */
/* Large ranges: time a page, host calls, metadata. */
#include "bench/emm/bed.h"

/* ---- one GiB ----------------------------------------------------------- */

static double median_page(double *v)
{
	const uint64_t pages = GIB / EMM_PAGE;

	return quantile(v + 1, ROUNDS, 0.5) / (double)pages;
}

void bench_gib(FILE *out)
{
	double commit[ROUNDS + 1], again[ROUNDS + 1], less[ROUNDS + 1],
		more[ROUNDS + 1], gone[ROUNDS + 1];
	struct emm_alloc a = { .addr = BASE,
			       .size = GIB,
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW };
	struct bed b;

	bed_open(&b, 16 * GIB, 0);
	MUST(emm_alloc(b.emm, &a, NULL) == 0);
	for (int r = 0; r <= ROUNDS; r++) {
		double t0 = cpu_now(), t1;

		MUST(emm_commit(b.emm, BASE, GIB, NULL) == 0);
		t1 = cpu_now();
		commit[r] = t1 - t0;
		MUST(emm_commit(b.emm, BASE, GIB, NULL) == 0);
		t0 = cpu_now();
		again[r] = t0 - t1;
		MUST(emm_protect(b.emm, BASE, GIB, EMM_R, NULL) == 0);
		t1 = cpu_now();
		less[r] = t1 - t0;
		MUST(emm_protect(b.emm, BASE, GIB, EMM_RW, NULL) == 0);
		t0 = cpu_now();
		more[r] = t0 - t1;
		MUST(emm_uncommit(b.emm, BASE, GIB, NULL) == 0);
		gone[r] = cpu_now() - t0;
	}
	fprintf(out,
		"  \"gib\": {\"commit_page_ns\": %.2f, \"again_page_ns\": "
		"%.4f, \"restrict_page_ns\": %.2f, \"relax_page_ns\": %.2f, "
		"\"uncommit_page_ns\": %.2f},\n",
		median_page(commit), median_page(again), median_page(less),
		median_page(more), median_page(gone));
	bed_close(&b);
}

/* 16,384 adjacent areas that cannot merge: how many host calls? */
void bench_calls(FILE *out)
{
	uint64_t perm, trim;
	struct bed b;

	bed_open(&b, 16 * GIB, 0);
	for (uint32_t i = 0; i < 16384; i++) {
		struct emm_alloc a = { .addr = BASE + i * AREA,
				       .size = AREA,
				       .flags = EMM_ON_DEMAND | EMM_FIXED,
				       .prot = EMM_RW,
				       .priv = i & 1 ? &b : NULL };

		MUST(emm_alloc(b.emm, &a, NULL) == 0);
	}
	MUST(emm_commit(b.emm, BASE, GIB, NULL) == 0);
	bed_calls = 0;
	MUST(emm_protect(b.emm, BASE, GIB, EMM_R, NULL) == 0);
	perm = bed_calls;
	MUST(emm_uncommit(b.emm, BASE, GIB, NULL) == 0);
	trim = bed_calls - perm;
	fprintf(out,
		"  \"adjacent_16384\": {\"protect_calls\": %lu, "
		"\"uncommit_calls\": %lu},\n",
		(unsigned long)perm, (unsigned long)trim);
	bed_close(&b);
}

/* ---- metadata ---------------------------------------------------------- */

void bench_meta(FILE *out)
{
	uint64_t before, one, worst, odd = 0;
	struct emm_alloc a = { .addr = BASE,
			       .size = 4 * GIB,
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW };
	struct emm_stats st;
	struct bed b;

	bed_open(&b, 16 * GIB, 0);
	emm_stats_get(b.emm, &st);
	before = st.meta_used;
	MUST(emm_alloc(b.emm, &a, NULL) == 0);
	emm_stats_get(b.emm, &st);
	one = st.meta_used - before;
	/* The worst mixed case: one page that differs in each 256 KiB. */
	for (uint64_t at = BASE; at < BASE + a.size; at += 64 * EMM_PAGE, odd++)
		MUST(emm_commit(b.emm, at, EMM_PAGE, NULL) == 0);
	emm_stats_get(b.emm, &st);
	worst = st.meta_used - before - one;
	MUST(emm_dealloc(b.emm, BASE, a.size, NULL) == 0);
	for (uint32_t i = 0; i < 10000000; i++) {
		uint64_t at = area_at(below(64));

		if (area_make(&b, at) != 0) {
			uint64_t pg = at + below(16) * EMM_PAGE;

			MUST(emm_commit(b.emm, pg, EMM_PAGE, NULL) == 0);
			if (i & 1)
				MUST(emm_protect(b.emm, pg, EMM_PAGE, EMM_R,
						 NULL) == 0);
			else
				MUST(emm_dealloc(b.emm, at, AREA, NULL) == 0);
		}
	}
	(void)!emm_dealloc(b.emm, BASE, 64 * STRIDE, NULL);
	emm_stats_get(b.emm, &st);
	fprintf(out,
		"  \"meta\": {\"area_bytes\": %lu, \"uniform_4gib_bytes\": "
		"%lu, "
		"\"worst_mixed_bytes_per_256k\": %.1f, \"fixed_bytes\": %lu, "
		"\"after_10m_churn_bytes\": %lu},\n",
		(unsigned long)st.meta_area, (unsigned long)one,
		(double)worst / (double)odd, (unsigned long)before,
		(unsigned long)st.meta_used);
	MUST(st.meta_used == before);
	bed_close(&b);
}
