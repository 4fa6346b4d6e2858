/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads against one, and beside it what a machine's two processors have:
 * two threads that share nothing against one of them. Rounds of each take
 * turns, each a few milliseconds, so that a change of the machine's pace meets
 * all; medians are reported. Wall time is the figure, as it also shows waiting.
 * CPU time is given beside it: on a machine that is not idle it still shows
 * what threads cost each other in cache lines and spins, and nothing else.
 *
 * The threads' work is not equal: their zones have other areas. So each is
 * compared with itself alone, and the scale is the sum; and who is through goes
 * on, uncounted, until the other is.
 */
#include "bench/emm/bed.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS 2u
#define TURNS 30
#define SPACE (8 * GIB) /* a thread's own */
#define ONE_PAGES (GIB / EMM_PAGE)
#define BLOCK 2000u /* so many operations end as they began */

enum job {
	JOB_FAULT,
	JOB_PAIR,
	JOB_FLIP,
	JOB_SPURIOUS,
	JOB_ONE_AREA,
};

struct worker {
	const struct bed_face *face;
	struct bed *bed;   /* that both threads work on, */
	struct bed *apart; /* or one of its own */
	pthread_barrier_t *start;
	pthread_barrier_t *end;
	uint32_t *left; /* threads that count */
	enum job job;
	uint32_t no;
	uint32_t next;	/* number of the next operation */
	uint32_t count; /* a round; 0: the thread ends */
	bool idle;	/* in this round */
	bool alone;	/* on its own bed, in this round */
	double from;	/* wall time */
	double to;
	double cpu;
};

/* How many threads, and on what. */
enum way {
	WAY_ONE,
	WAY_TWO,
	WAY_ALONE, /* one, on an instance of its own */
	WAY_APART, /* two, each on its own: the floor */
	WAYS,
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
	const struct bed_face *f = k->alone ? &face_native : k->face;
	struct bed *b = k->alone ? k->apart : k->bed;
	uint64_t at;

	switch (k->job) {
	case JOB_FAULT:
		at = own(k, i / 16) + i % 16 * EMM_PAGE;
		MUST(f->touch(b, at) == EMM_FAULT_CONTINUE);
		if (i % 16 == 15)
			MUST(f->uncommit(b, own(k, i / 16), AREA) == 0);
		break;
	case JOB_PAIR:
		at = f->get(b);
		MUST(at && f->unmake(b, at, AREA) == 0);
		break;
	case JOB_FLIP:
		at = own(k, i);
		MUST(f->flip(b, at, !(i / 1000 & 1)) == 0);
		break;
	case JOB_SPURIOUS:
		MUST(f->touch(b, own(k, i)) == EMM_FAULT_CONTINUE);
		break;
	case JOB_ONE_AREA:
		at = one_area(k, i);
		MUST(f->touch(b, at) == EMM_FAULT_CONTINUE);
		break;
	}
}

/* Before a round, outside of its time. */
static void prepare(struct worker *k)
{
	uint64_t at = one_area(k, 0);

	if (k->job != JOB_ONE_AREA || k->next + 2 * k->count <= ONE_PAGES)
		return;
	k->next = 0;
	MUST(k->face->uncommit(k->bed, at, GIB) == 0);
	MUST(face_native.uncommit(k->apart, at, GIB) == 0);
}

/* Done, but the other is not to have the machine alone. */
static void go_on(struct worker *k)
{
	__atomic_fetch_sub(k->left, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(k->left, __ATOMIC_RELAXED)) {
		for (uint32_t i = 0; i < BLOCK; i++)
			work(k, k->next + i);
		k->next += BLOCK;
	}
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
			go_on(k);
		}
		pthread_barrier_wait(k->end);
	}
}

/* A round of the workers that are not idle. */
static void turn(struct worker *k)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < THREADS; i++) {
		n += !k[i].idle;
		if (!k[i].idle)
			prepare(&k[i]);
	}
	__atomic_store_n(k->left, n, __ATOMIC_RELAXED);
	pthread_barrier_wait(k->start);
	pthread_barrier_wait(k->end);
}

static void areas_make(const struct worker *k, const struct bed_face *f,
		       struct bed *b)
{
	for (uint32_t i = 0; i < 1000; i++) {
		MUST(f->make(b, own(k, i), AREA) == 0);
		if (k->job == JOB_FLIP || k->job == JOB_SPURIOUS)
			MUST(f->commit(b, own(k, i), EMM_PAGE) == 0);
	}
}

static void areas_end(const struct worker *k, struct bed *b)
{
	for (uint32_t i = 0; i < 1000; i++)
		MUST(k->face->unmake(b, own(k, i), AREA) == 0);
}

static void set_way(struct worker *k, enum way way, int round)
{
	for (uint32_t i = 0; i < THREADS; i++) {
		k[i].idle = (way == WAY_ONE || way == WAY_ALONE) &&
			    (uint32_t)(round & 1) != i;
		k[i].alone = way == WAY_ALONE || way == WAY_APART;
	}
}

/* What one thread did in one way, ns an operation. */
struct laps {
	double wall[TURNS];
	double cpu[TURNS];
	uint32_t n;
};

/* Medians of each thread's pace in each way. */
static void turns(struct worker *k, struct pace pace[WAYS][THREADS])
{
	static struct laps laps[WAYS][THREADS];

	memset(laps, 0, sizeof(laps));
	for (int r = -2; r < TURNS; r++) {
		for (uint32_t n = 0; n < WAYS; n++) {
			set_way(k, (enum way)n, r);
			turn(k);
			for (uint32_t i = 0; r >= 0 && i < THREADS; i++) {
				struct laps *l = &laps[n][i];

				if (k[i].idle)
					continue;
				l->wall[l->n] = k[i].to - k[i].from;
				l->cpu[l->n++] = k[i].cpu;
			}
		}
	}
	for (uint32_t n = 0; n < WAYS; n++) {
		for (uint32_t i = 0; i < THREADS; i++) {
			struct laps *l = &laps[n][i];
			double ops = k[i].count * 1e9;

			pace[n][i].wall = ops / quantile(l->wall, l->n, 0.5);
			pace[n][i].cpu = ops / quantile(l->cpu, l->n, 0.5);
		}
	}
}

/*
 * A thread whose thread pointer lies anywhere: from outside, that is all that
 * tells threads apart.
 */
static void start(struct worker *k, pthread_t *t)
{
	size_t size = (256 + below(256)) * EMM_PAGE + below(64) * 64;
	pthread_attr_t attr;
	void *stack;

	stack = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(stack != MAP_FAILED);
	MUST(pthread_attr_init(&attr) == 0);
	MUST(pthread_attr_setstack(&attr, stack, size) == 0);
	MUST(pthread_create(t, &attr, worker, k) == 0);
	pthread_attr_destroy(&attr);
}

static void stop(struct worker *k, const pthread_t *t)
{
	for (uint32_t i = 0; i < THREADS; i++)
		k[i].count = 0;
	pthread_barrier_wait(k->start);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

struct plan {
	const char *name;
	enum job job;
	uint32_t count;
	uint64_t accept_ns;
};

static void run(const struct bed_face *face, const struct plan *plan,
		struct pace pace[WAYS][THREADS])
{
	uint32_t left = 0;
	pthread_barrier_t from, to;
	struct worker k[THREADS];
	struct bed b, apart[THREADS];
	pthread_t t[THREADS];

	face->open(&b, 16 * GIB, plan->accept_ns);
	MUST(face->make(&b, BASE + 4 * GIB, 2 * GIB) == 0);
	pthread_barrier_init(&from, NULL, THREADS + 1);
	pthread_barrier_init(&to, NULL, THREADS + 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		k[i] = (struct worker){ .face = face,
					.bed = &b,
					.apart = &apart[i],
					.start = &from,
					.end = &to,
					.left = &left,
					.job = plan->job,
					.no = i,
					.count = plan->count };
		bed_open(&apart[i], 16 * GIB, plan->accept_ns);
		MUST(face_native.make(&apart[i], BASE + 4 * GIB, 2 * GIB) == 0);
		areas_make(&k[i], face, &b);
		areas_make(&k[i], &face_native, &apart[i]);
		start(&k[i], &t[i]);
	}
	turns(k, pace);
	stop(k, t);
	for (uint32_t i = 0; i < THREADS; i++) {
		areas_end(&k[i], &b);
		bed_close(&apart[i]);
	}
	MUST(face->unmake(&b, BASE + 4 * GIB, 2 * GIB) == 0);
	pthread_barrier_destroy(&from);
	pthread_barrier_destroy(&to);
	face->close(&b);
}

static double scale(const struct pace *one, const struct pace *two)
{
	double sum = 0;

	for (uint32_t i = 0; i < THREADS; i++)
		sum += two[i].wall / one[i].wall;
	return sum;
}

static void print(FILE *out, const struct bed_face *face,
		  const struct plan *plan)
{
	struct pace p[WAYS][THREADS];
	double one = 0, two = 0, cpu = 0;

	run(face, plan, p);
	for (uint32_t i = 0; i < THREADS; i++) {
		one += p[WAY_ONE][i].wall / THREADS;
		two += p[WAY_TWO][i].wall;
		cpu += p[WAY_TWO][i].cpu / p[WAY_ONE][i].cpu;
	}
	fprintf(out,
		"    {\"face\": \"%s\", \"op\": \"%s\", \"one\": %.0f, "
		"\"two\": %.0f, \"scale\": %.2f, \"cpu_scale\": %.2f, "
		"\"apart_scale\": %.2f}",
		face->name, plan->name, one, two, scale(p[WAY_ONE], p[WAY_TWO]),
		cpu, scale(p[WAY_ALONE], p[WAY_APART]));
}

/* From outside several times: thread pointers lie elsewhere each time. */
#define PLACES 4

void bench_threads(FILE *out)
{
	static const struct plan plans[] = {
		{ "fault", JOB_FAULT, 64000, 0 },
		{ "fault_2us_eaccept", JOB_FAULT, 6400, 2000 },
		{ "pair", JOB_PAIR, 32000, 0 },
		{ "flip", JOB_FLIP, 64000, 0 },
		{ "spurious", JOB_SPURIOUS, 256000, 0 },
		{ "fault_one_area", JOB_ONE_AREA, 65536, 0 },
	};
	const char *comma = "";

	fprintf(out, "  \"threads\": [");
	for (uint32_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		fprintf(out, "%s\n", comma);
		print(out, &face_native, &plans[i]);
		comma = ",";
		for (uint32_t n = 0; n < PLACES && !plans[i].accept_ns; n++) {
			fprintf(out, ",\n");
			print(out, &face_outside, &plans[i]);
		}
	}
	fprintf(out, "\n  ]\n");
}
