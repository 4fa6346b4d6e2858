/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads against one. Rounds of one and of two threads take turns, each a
 * few milliseconds, so that a change of the machine's pace meets both; medians
 * are reported. Wall time is the figure, as it also shows waiting. CPU time is
 * given beside it: on a machine that is not idle it still shows what threads
 * cost each other in cache lines and spins, and nothing else.
 */
#include "bench/emm/bed.h"

#include <pthread.h>

#define THREADS 2u
#define TURNS 41
#define SPACE (8 * GIB) /* a thread's own */
#define ONE_PAGES (GIB / EMM_PAGE)

enum job {
	JOB_FAULT,
	JOB_PAIR,
	JOB_FLIP,
	JOB_SPURIOUS,
	JOB_ONE_AREA,
};

struct worker {
	struct bed *bed;
	pthread_barrier_t *start;
	pthread_barrier_t *end;
	enum job job;
	uint32_t no;
	uint32_t next;	/* number of the next operation */
	uint32_t count; /* a round; 0: the thread ends */
	bool idle;	/* in this round */
	double from;	/* wall time */
	double to;
	double cpu;
};

/* Operations a second. */
struct pace {
	double wall;
	double cpu;
};

static uint64_t own(const struct worker *k, uint32_t i)
{
	return BASE + k->no * SPACE + (uint64_t)(i % 1000) * STRIDE;
}

static uint64_t one_area(const struct worker *k, uint32_t i)
{
	return BASE + 4 * GIB + k->no * GIB + i % ONE_PAGES * EMM_PAGE;
}

static void work(struct worker *k, uint32_t i)
{
	struct emm_alloc a = {
		.size = AREA, .flags = EMM_ON_DEMAND, .prot = EMM_RW, .priv = k
	};
	uint64_t at;

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
		MUST(touch(k->bed, one_area(k, i)) == EMM_FAULT_CONTINUE);
		break;
	}
}

/* Before a round, outside of its time. */
static void prepare(struct worker *k)
{
	if (k->job == JOB_ONE_AREA && k->next % ONE_PAGES == 0)
		MUST(emm_uncommit(k->bed->emm, one_area(k, 0), GIB, NULL) == 0);
}

static void *worker(void *arg)
{
	struct worker *k = arg;

	bed_thread = k->no;
	for (;;) {
		pthread_barrier_wait(k->start);
		if (!k->count)
			return NULL;
		if (!k->idle) {
			k->cpu = cpu_now();
			k->from = wall_now();
			for (uint32_t i = 0; i < k->count; i++)
				work(k, k->next + i);
			k->to = wall_now();
			k->cpu = cpu_now() - k->cpu;
			k->next += k->count;
		}
		pthread_barrier_wait(k->end);
	}
}

/* A round of the workers that are not idle. */
static struct pace turn(struct worker *k)
{
	double from = 0, to = 0, cpu = 0, ops = 0;

	for (uint32_t i = 0; i < THREADS; i++) {
		if (!k[i].idle)
			prepare(&k[i]);
	}
	pthread_barrier_wait(k->start);
	pthread_barrier_wait(k->end);
	for (uint32_t i = 0; i < THREADS; i++) {
		if (k[i].idle)
			continue;
		from = !ops || k[i].from < from ? k[i].from : from;
		to = k[i].to > to ? k[i].to : to;
		cpu = k[i].cpu > cpu ? k[i].cpu : cpu;
		ops += k[i].count;
	}
	return (struct pace){ ops / (to - from) * 1e9, ops / cpu * 1e9 };
}

static void areas_make(struct worker *k)
{
	for (uint32_t i = 0; i < 1000; i++) {
		MUST(area_make(k->bed, own(k, i)) == 0);
		if (k->job == JOB_FLIP || k->job == JOB_SPURIOUS)
			MUST(emm_commit(k->bed->emm, own(k, i), EMM_PAGE,
					NULL) == 0);
	}
}

/* Medians of one thread's pace and of two threads', into pace[0] and [1]. */
static void turns(struct worker *k, struct pace pace[2])
{
	double wall[2][TURNS], cpu[2][TURNS];

	for (int r = -1; r < TURNS; r++) {
		for (uint32_t n = 0; n < 2; n++) {
			struct pace p;

			k[0].idle = n == 0 && r & 1;
			k[1].idle = n == 0 && !(r & 1);
			p = turn(k);
			if (r < 0)
				continue; /* warm */
			wall[n][r] = p.wall;
			cpu[n][r] = p.cpu;
		}
	}
	for (uint32_t n = 0; n < 2; n++) {
		pace[n].wall = quantile(wall[n], TURNS, 0.5);
		pace[n].cpu = quantile(cpu[n], TURNS, 0.5);
	}
}

static void run(enum job job, uint32_t count, uint64_t accept_ns,
		struct pace pace[2])
{
	const struct emm_alloc one = { .addr = BASE + 4 * GIB,
				       .size = 2 * GIB,
				       .flags = EMM_ON_DEMAND | EMM_FIXED,
				       .prot = EMM_RW };
	pthread_barrier_t start, end;
	struct worker k[THREADS];
	pthread_t t[THREADS];
	struct bed b;

	bed_open(&b, 16 * GIB, accept_ns);
	MUST(emm_alloc(b.emm, &one, NULL) == 0);
	pthread_barrier_init(&start, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		k[i] = (struct worker){ .bed = &b,
					.start = &start,
					.end = &end,
					.job = job,
					.no = i,
					.count = count };
		areas_make(&k[i]);
		MUST(pthread_create(&t[i], NULL, worker, &k[i]) == 0);
	}
	turns(k, pace);
	k[0].count = k[1].count = 0;
	pthread_barrier_wait(&start);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&start);
	pthread_barrier_destroy(&end);
	bed_close(&b);
}

void bench_threads(FILE *out)
{
	static const struct {
		const char *name;
		enum job job;
		uint32_t count;
		uint64_t accept_ns;
	} jobs[] = {
		{ "fault", JOB_FAULT, 64000, 0 },
		{ "fault_2us_eaccept", JOB_FAULT, 6400, 2000 },
		{ "pair", JOB_PAIR, 32000, 0 },
		{ "flip", JOB_FLIP, 64000, 0 },
		{ "spurious", JOB_SPURIOUS, 256000, 0 },
		{ "fault_one_area", JOB_ONE_AREA, 65536, 0 },
	};
	const char *comma = "";

	fprintf(out, "  \"threads\": [");
	for (uint32_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct pace p[2];

		run(jobs[i].job, jobs[i].count, jobs[i].accept_ns, p);
		fprintf(out,
			"%s\n    {\"op\": \"%s\", \"one\": %.0f, \"two\": "
			"%.0f, \"scale\": %.2f, \"cpu_scale\": %.2f}",
			comma, jobs[i].name, p[0].wall, p[1].wall,
			p[1].wall / p[0].wall, p[1].cpu / p[0].cpu);
		comma = ",";
	}
	fprintf(out, "\n  ]\n");
}
