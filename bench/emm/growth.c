/* SPDX-License-Identifier: BSD-3-Clause */
/* What one operation costs, by the number of areas. */
#include "bench/emm/bed.h"
#include "tests/emm/compat/granting.h"

static double tsc_ns(void)
{
	double t = wall_now();
	uint64_t a = tsc();

	while (wall_now() - t < 2e7)
		;
	return (wall_now() - t) / (double)(tsc() - a);
}

static uint64_t range_for(uint32_t areas)
{
	uint64_t size = 16 * GIB;

	while (size < (uint64_t)(areas + 4096) * STRIDE)
		size *= 2;
	return size;
}

#define SAMPLES 20000u

static double sample[SAMPLES];

static uint64_t random_page(uint32_t areas)
{
	return area_at(below(areas)) + below(16) * EMM_PAGE;
}

/* A free place behind the areas, where nothing merges. */
static double pair_ns(struct bed *b, uint32_t areas)
{
	double rounds[ROUNDS + 1];

	for (int r = 0; r <= ROUNDS; r++) {
		double t = cpu_now();

		for (uint32_t i = 0; i < 20000; i++) {
			struct emm_alloc a = { .size = AREA,
					       .flags = EMM_ON_DEMAND,
					       .prot = EMM_RW,
					       .priv = b };
			uint64_t at;

			/* priv is an attribute: it cannot merge. */
			MUST(emm_alloc(b->emm, &a, &at) == 0);
			MUST(emm_dealloc(b->emm, at, AREA, NULL) == 0);
		}
		rounds[r] = (cpu_now() - t) / 20000;
	}
	(void)areas;
	return quantile(rounds + 1, ROUNDS, 0.5);
}

static double churn_ns(struct bed *b, uint32_t areas)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		double t = cpu_now();

		for (uint32_t i = 0; i < 20000; i++) {
			uint64_t at = area_at(below(areas));

			MUST(emm_dealloc(b->emm, at, AREA, NULL) == 0);
			MUST(area_make(b, at) == 0);
		}
		rounds[r] = (cpu_now() - t) / 20000;
	}
	return quantile(rounds, ROUNDS, 0.5);
}

/* p50 and p99 of faults that commit, and the mean of spurious ones. */
static void fault_ns(struct bed *b, uint32_t areas, double scale,
		     double result[3])
{
	uint32_t n = 0;
	double rounds[ROUNDS];

	while (n < SAMPLES && n < areas * 8) {
		uint64_t at = random_page(areas), t;
		struct emm_run r;

		MUST(emm_query(b->emm, at, at + EMM_PAGE, &r) == 0);
		if (r.state != EMM_PG_UNCOMMITTED)
			continue;
		/* The query has warmed what the fault will read. */
		for (int k = 0; k < 64; k++)
			MUST(emm_query(b->emm, random_page(areas), 0, &r) == 0);
		t = tsc();
		MUST(touch(b, at) == EMM_FAULT_CONTINUE);
		sample[n++] = (double)(tsc() - t) * scale;
	}
	result[0] = quantile(sample, n, 0.5);
	result[1] = quantile(sample, n, 0.99);
	for (uint32_t i = 0; i < areas; i++)
		MUST(emm_commit(b->emm, area_at(i), AREA, NULL) == 0);
	for (int k = 0; k < ROUNDS; k++) {
		double t = cpu_now();

		for (uint32_t i = 0; i < 50000; i++)
			MUST(touch(b, random_page(areas)) ==
			     EMM_FAULT_CONTINUE);
		rounds[k] = (cpu_now() - t) / 50000;
	}
	result[2] = quantile(rounds, ROUNDS, 0.5);
}

static double flip_ns(struct bed *b, uint32_t areas)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		double t = cpu_now();

		for (uint32_t i = 0; i < 20000; i++) {
			uint64_t at = random_page(areas);

			MUST(emm_protect(b->emm, at, EMM_PAGE, EMM_R, NULL) ==
			     0);
			MUST(emm_protect(b->emm, at, EMM_PAGE, EMM_RW, NULL) ==
			     0);
		}
		rounds[r] = (cpu_now() - t) / 20000;
	}
	return quantile(rounds, ROUNDS, 0.5);
}

/* The machine's own: dependent loads at random in as much memory. */
static double miss_ns(uint64_t bytes)
{
	uint64_t n = bytes / 64, *v = malloc(n * 64), at = 0;
	double t, ns;

	MUST(v);
	for (uint64_t i = 0; i < n; i++)
		v[i * 8] = i;
	for (uint64_t i = n - 1; i > 0; i--) {
		uint64_t j =
			(((uint64_t)below(1u << 30) << 20) ^ below(1u << 30)) %
			i;
		uint64_t x = v[i * 8];

		v[i * 8] = v[j * 8];
		v[j * 8] = x;
	}
	for (uint32_t i = 0; i < 100000; i++)
		at = v[at * 8];
	t = cpu_now();
	for (uint32_t i = 0; i < 300000; i++)
		at = v[at * 8];
	ns = (cpu_now() - t) / 300000 + (double)(at >> 60);
	free(v);
	return ns;
}

void bench_growth(FILE *out, uint32_t most)
{
	double scale = tsc_ns();
	const char *comma = "";

	fprintf(out, "  \"growth\": [");
	for (uint32_t n = 10; n <= most; n *= 10) {
		struct emm_stats st;
		double f[3], pair, churn, flip, natural = cpu_now();
		struct bed b;

		bed_open(&b, range_for(n), 0);
		for (uint32_t i = 0; i < n; i++)
			MUST(area_make(&b, area_at(i)) == 0);
		natural = (cpu_now() - natural) / n;
		emm_stats_get(b.emm, &st);
		MUST(st.areas == n);
		pair = pair_ns(&b, n);
		churn = churn_ns(&b, n);
		fault_ns(&b, n, scale, f);
		flip = flip_ns(&b, n);
		fprintf(out,
			"%s\n    {\"areas\": %u, \"pair_ns\": %.0f, "
			"\"churn_ns\": %.0f, \"fault_p50_ns\": %.0f, "
			"\"fault_p99_ns\": %.0f, \"spurious_ns\": %.0f, "
			"\"flip_ns\": %.0f, \"first_alloc_ns\": %.0f, "
			"\"meta_bytes\": %lu, \"mixed_chunks\": %lu, "
			"\"miss_ns\": %.1f}",
			comma, n, pair, churn, f[0], f[1], f[2], flip, natural,
			(unsigned long)st.meta_used, (unsigned long)st.mixed,
			miss_ns(st.meta_used));
		comma = ",";
		bed_close(&b);
	}
	fprintf(out, "\n  ],\n");
}

/*
 * The stubs in a bare loop: so much of each figure is the harness's own, for
 * each call that an operation makes.
 */
void bench_floor(FILE *out)
{
	static const struct bed_face *const faces[] = { &face_native,
							&face_outside };
	const char *comma = "";

	fprintf(out, "  \"floor\": [");
	for (uint32_t i = 0; i < 2; i++) {
		double ns[PRIMS];

		if (i)
			granting_range(0, UINT64_MAX);
		for (uint32_t k = 0; k < PRIMS; k++) {
			double t = cpu_now();

			for (uint32_t n = 0; n < 1000000; n++)
				faces[i]->prim((enum bed_prim)k);
			ns[k] = (cpu_now() - t) / 1000000;
		}
		fprintf(out,
			"%s\n    {\"face\": \"%s\", \"leaf_ns\": %.1f, "
			"\"modify_ns\": %.1f, \"map_ns\": %.1f, "
			"\"owner_ns\": %.1f}",
			comma, faces[i]->name, ns[PRIM_LEAF], ns[PRIM_MODIFY],
			ns[PRIM_MAP], ns[PRIM_OWNER]);
		comma = ",";
	}
	fprintf(out, "\n  ],\n");
}
