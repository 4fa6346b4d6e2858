/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the memory manager itself costs: leaves and host calls are stubs that
 * return at once. Figures of one thread are its CPU time, medians of rounds
 * after a warm-up round; of two threads wall time, best of rounds. JSON goes
 * to the file named, or to standard output.
 *
 *	bench_emm [FILE [AREAS_MAX]]
 *
 * Areas are 64 KiB, with holes or alternating attributes between, so that
 * none can merge.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "edmm/emm.h"

#define BASE (1ull << 40)
#define AREA 65536ull
#define STRIDE (2 * AREA)
#define GIB (1ull << 30)
#define ROUNDS 7
#define THREADS 2

static FILE *out;
static __thread uint32_t thread_no;
static uint64_t accept_ns;
static uint64_t host_calls;

#define MUST(cond)                                                         \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond);                                    \
			abort();                                           \
		}                                                          \
	} while (0)

/* ---- time -------------------------------------------------------------- */

static double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu_now(void)
{
	return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

static double wall_now(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

static uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static double tsc_ns(void)
{
	double t = wall_now();
	uint64_t a = tsc();

	while (wall_now() - t < 2e7)
		;
	return (wall_now() - t) / (double)(tsc() - a);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(double *v, uint32_t n, double q)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(uint32_t)((double)(n - 1) * q)];
}

static uint64_t seed = 88172645463325252ull;

static uint32_t below(uint32_t n)
{
	if (!n)
		abort();
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

/* ---- stubs ------------------------------------------------------------- */

static int stub_leaf(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	(void)si;
	(void)addr;
	return 0;
}

static int slow_leaf(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	double t = wall_now();

	(void)ctx;
	(void)si;
	(void)addr;
	while (wall_now() - t < (double)accept_ns)
		;
	return 0;
}

static int stub_copy(void *ctx, const struct sgx_secinfo *si, uint64_t addr,
		     uint64_t src)
{
	(void)ctx;
	(void)si;
	(void)addr;
	(void)src;
	return 0;
}

static int stub_modify(void *ctx, const struct emm_modify *m)
{
	(void)ctx;
	(void)m;
	__atomic_fetch_add(&host_calls, 1, __ATOMIC_RELAXED);
	return 0;
}

static uint32_t stub_owner(void *ctx)
{
	(void)ctx;
	return thread_no;
}

struct bed {
	struct emm *emm;
	void *meta;
	uint64_t meta_size;
};

static void bed_open(struct bed *b, uint64_t size, bool slow)
{
	const struct emm_ops ops = { .eaccept = slow ? slow_leaf : stub_leaf,
				     .emodpe = stub_leaf,
				     .eacceptcopy = stub_copy,
				     .modify = stub_modify,
				     .owner = stub_owner };
	struct emm_params p = {
		.base = BASE, .size = size, .wide = true, .threads = 8
	};

	b->meta_size = size / 256 + (64ull << 20);
	b->meta = mmap(NULL, b->meta_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	MUST(b->meta != MAP_FAILED);
	p.meta_base = b->meta;
	p.meta_size = b->meta_size;
	p.meta_init = b->meta_size;
	MUST(emm_init(&p, &ops, &b->emm) == 0);
}

static void bed_close(struct bed *b)
{
	munmap(b->meta, b->meta_size);
}

static edmm_err area_make(struct bed *b, uint64_t addr)
{
	const struct emm_alloc a = { .addr = addr,
				     .size = AREA,
				     .flags = EMM_ON_DEMAND | EMM_FIXED,
				     .prot = EMM_RW };

	return emm_alloc(b->emm, &a, NULL);
}

static uint64_t area_at(uint32_t i)
{
	return BASE + (uint64_t)i * STRIDE;
}

static uint64_t range_for(uint32_t areas)
{
	uint64_t size = 16 * GIB;

	while (size < (uint64_t)(areas + 4096) * STRIDE)
		size *= 2;
	return size;
}

/* ---- growth ------------------------------------------------------------ */

#define SAMPLES 20000u

static double sample[SAMPLES];

static int touch(struct bed *b, uint64_t addr)
{
	const struct sgx_exinfo info = { .maddr = addr,
					 .errcd = SGX_PFEC_W | SGX_PFEC_U };

	return emm_fault(b->emm, &info);
}

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

static void bench_growth(uint32_t most)
{
	double scale = tsc_ns();
	const char *comma = "";

	fprintf(out, "  \"growth\": [");
	for (uint32_t n = 10; n <= most; n *= 10) {
		struct emm_stats st;
		double f[3], pair, churn, flip, natural = cpu_now();
		struct bed b;

		bed_open(&b, range_for(n), false);
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

/* ---- one GiB ----------------------------------------------------------- */

static double median_page(double *v)
{
	const uint64_t pages = GIB / EMM_PAGE;

	return quantile(v + 1, ROUNDS, 0.5) / (double)pages;
}

static void bench_gib(void)
{
	double commit[ROUNDS + 1], again[ROUNDS + 1], less[ROUNDS + 1],
		more[ROUNDS + 1], gone[ROUNDS + 1];
	struct emm_alloc a = { .addr = BASE,
			       .size = GIB,
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW };
	struct bed b;

	bed_open(&b, 16 * GIB, false);
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
static void bench_calls(void)
{
	uint64_t perm, trim;
	struct bed b;

	bed_open(&b, 16 * GIB, false);
	for (uint32_t i = 0; i < 16384; i++) {
		struct emm_alloc a = { .addr = BASE + i * AREA,
				       .size = AREA,
				       .flags = EMM_ON_DEMAND | EMM_FIXED,
				       .prot = EMM_RW,
				       .priv = i & 1 ? &b : NULL };

		MUST(emm_alloc(b.emm, &a, NULL) == 0);
	}
	MUST(emm_commit(b.emm, BASE, GIB, NULL) == 0);
	host_calls = 0;
	MUST(emm_protect(b.emm, BASE, GIB, EMM_R, NULL) == 0);
	perm = host_calls;
	MUST(emm_uncommit(b.emm, BASE, GIB, NULL) == 0);
	trim = host_calls - perm;
	fprintf(out,
		"  \"adjacent_16384\": {\"protect_calls\": %lu, "
		"\"uncommit_calls\": %lu},\n",
		(unsigned long)perm, (unsigned long)trim);
	bed_close(&b);
}

/* ---- metadata ---------------------------------------------------------- */

static void bench_meta(void)
{
	uint64_t before, one, worst, odd = 0;
	struct emm_alloc a = { .addr = BASE,
			       .size = 4 * GIB,
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW };
	struct emm_stats st;
	struct bed b;

	bed_open(&b, 16 * GIB, false);
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

/* ---- threads ----------------------------------------------------------- */

enum job {
	JOB_FAULT,
	JOB_PAIR,
	JOB_FLIP,
	JOB_SPURIOUS,
	JOB_ONE_AREA
};

struct worker {
	struct bed *bed;
	pthread_barrier_t *start;
	enum job job;
	uint32_t no;
	uint32_t count;
	double ns;
};

#define SPACE (8 * GIB) /* a thread's own */

static uint64_t own(const struct worker *k, uint32_t i)
{
	return BASE + k->no * SPACE + (uint64_t)(i % 1000) * STRIDE;
}

static void work(struct worker *k, uint32_t i)
{
	struct emm_alloc a = {
		.size = AREA, .flags = EMM_ON_DEMAND, .prot = EMM_RW, .priv = k
	};
	uint64_t at, one = BASE + 4 * GIB + k->no * GIB + i * EMM_PAGE;

	switch (k->job) {
	case JOB_FAULT:
		at = own(k, i / 16) + i % 16 * EMM_PAGE;
		MUST(touch(k->bed, at) == EMM_FAULT_CONTINUE);
		if (i % 16 == 15)
			MUST(emm_uncommit(k->bed->emm, own(k, i / 16), AREA,
					  NULL) == 0);
		break;
	case JOB_PAIR:
		MUST(emm_alloc(k->bed->emm, &a, &at) == 0);
		MUST(emm_dealloc(k->bed->emm, at, AREA, NULL) == 0);
		break;
	case JOB_FLIP:
		at = own(k, i);
		MUST(emm_protect(k->bed->emm, at, EMM_PAGE,
				 i / 1000 & 1 ? EMM_RW : EMM_R, NULL) == 0);
		break;
	case JOB_SPURIOUS:
		MUST(touch(k->bed, own(k, i)) == EMM_FAULT_CONTINUE);
		break;
	case JOB_ONE_AREA:
		MUST(touch(k->bed, one) == EMM_FAULT_CONTINUE);
		break;
	}
}

static void *worker(void *arg)
{
	struct worker *k = arg;
	double t;

	thread_no = k->no;
	pthread_barrier_wait(k->start);
	t = wall_now();
	for (uint32_t i = 0; i < k->count; i++)
		work(k, i);
	k->ns = wall_now() - t;
	return NULL;
}

/* Operations a second of n threads together. */
static double rate(enum job job, uint32_t n, uint32_t count, bool slow)
{
	struct worker k[THREADS];
	pthread_t t[THREADS];
	pthread_barrier_t start;
	double worst = 0;
	struct bed b;
	const struct emm_alloc one = { .addr = BASE + 4 * GIB,
				       .size = 2 * GIB,
				       .flags = EMM_ON_DEMAND | EMM_FIXED,
				       .prot = EMM_RW };

	bed_open(&b, 16 * GIB, slow);
	MUST(emm_alloc(b.emm, &one, NULL) == 0);
	for (uint32_t i = 0; i < n; i++) {
		k[i] = (struct worker){ &b, &start, job, i, count, 0 };
		for (uint32_t j = 0; j < 1000; j++) {
			MUST(area_make(&b, own(&k[i], j)) == 0);
			if (job == JOB_FLIP || job == JOB_SPURIOUS)
				MUST(emm_commit(b.emm, own(&k[i], j), EMM_PAGE,
						NULL) == 0);
		}
	}
	pthread_barrier_init(&start, NULL, n);
	for (uint32_t i = 0; i < n; i++)
		MUST(pthread_create(&t[i], NULL, worker, &k[i]) == 0);
	for (uint32_t i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		worst = k[i].ns > worst ? k[i].ns : worst;
	}
	pthread_barrier_destroy(&start);
	bed_close(&b);
	return (double)n * count / worst * 1e9;
}

static void bench_threads(void)
{
	static const struct {
		const char *name;
		enum job job;
		uint32_t count;
		uint64_t leaf_ns;
	} jobs[] = {
		{ "fault", JOB_FAULT, 1000000, 0 },
		{ "fault_2us_eaccept", JOB_FAULT, 60000, 2000 },
		{ "pair", JOB_PAIR, 300000, 0 },
		{ "flip", JOB_FLIP, 1000000, 0 },
		{ "spurious", JOB_SPURIOUS, 3000000, 0 },
		{ "fault_one_area", JOB_ONE_AREA, 262144, 0 },
	};
	const char *comma = "";

	fprintf(out, "  \"threads\": [");
	for (uint32_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		double best[THREADS] = { 0, 0 };

		accept_ns = jobs[i].leaf_ns;
		for (int r = 0; r < ROUNDS; r++) {
			for (uint32_t n = 1; n <= THREADS; n++) {
				double v = rate(jobs[i].job, n, jobs[i].count,
						jobs[i].leaf_ns);

				if (v > best[n - 1])
					best[n - 1] = v;
			}
		}
		fprintf(out,
			"%s\n    {\"op\": \"%s\", \"one\": %.0f, \"two\": "
			"%.0f, \"scale\": %.2f}",
			comma, jobs[i].name, best[0], best[1],
			best[1] / best[0]);
		comma = ",";
	}
	fprintf(out, "\n  ]\n");
}

int main(int argc, char **argv)
{
	uint32_t most =
		argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000000;

	out = argc > 1 ? fopen(argv[1], "w") : stdout;
	if (!out) {
		perror(argv[1]);
		return 1;
	}
	fprintf(out, "{\n");
	bench_growth(most);
	bench_gib();
	bench_calls();
	bench_meta();
	bench_threads();
	fprintf(out, "}\n");
	return fclose(out) != 0;
}
