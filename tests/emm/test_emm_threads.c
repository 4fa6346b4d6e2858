/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads. Forced schedules: at each hook that an operation calls while its
 * pages are BUSY, a second thread starts an operation on the same pages; both
 * end, in the only ways there are. Storm: see storm.h. Also built with
 * ThreadSanitizer, as test_emm_tsan.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/emm/storm.h"
#include "tests/must.h"

#define PAGES 32u
static struct world w;

static uint64_t bytes(uint32_t pages)
{
	return (uint64_t)pages * EMM_PAGE;
}

static edmm_err make(uint32_t page, uint32_t pages, uint32_t flags)
{
	const struct emm_alloc a = { .addr = w_addr(page),
				     .size = bytes(pages),
				     .flags = flags | EMM_FIXED,
				     .prot = EMM_RW };

	return emm_alloc(w.emm, &a, NULL);
}

static int fault(uint32_t page)
{
	const struct sgx_exinfo info = { .maddr = w_addr(page),
					 .errcd = SGX_PFEC_W | SGX_PFEC_U };

	return emm_fault(w.emm, &info);
}

/* The operations that meet, all on pages 0 to 7. */
static int act(uint32_t what)
{
	switch (what) {
	case 0:
		return emm_commit(w.emm, w_addr(0), bytes(8), NULL);
	case 1:
		return emm_uncommit_now(w.emm, w_addr(0), bytes(8), NULL);
	case 2:
		return emm_protect(w.emm, w_addr(2), bytes(4), EMM_R, NULL);
	case 3:
		return emm_protect(w.emm, w_addr(0), bytes(8), EMM_RW, NULL);
	case 4:
		return emm_dealloc(w.emm, w_addr(0), bytes(8), NULL);
	case 5:
		return fault(3);
	case 6:
		return make(0, 8, EMM_COMMIT_NOW);
	default:
		return emm_trim(w.emm, UINT64_MAX, NULL);
	}
}

#define ACTS 8u

/* ---- forced schedules -------------------------------------------------- */

struct schedule {
	uint64_t at; /* step at which the other starts */
	uint64_t steps;
	uint32_t other;
	pthread_t thread;
	int started;  /* atomic */
	int finished; /* atomic */
	int result;
};

static struct schedule plan;

static void *second(void *arg)
{
	(void)arg;
	w_thread = 1;
	__atomic_store_n(&plan.started, 1, __ATOMIC_SEQ_CST);
	plan.result = act(plan.other);
	__atomic_store_n(&plan.finished, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Give the other time to come as far as it can. */
static void let_run(void)
{
	for (int i = 0; i < 200; i++) {
		if (__atomic_load_n(&plan.finished, __ATOMIC_SEQ_CST))
			return;
		sched_yield();
	}
}

static void at_hook(struct world *world, const char *hook, uint64_t addr)
{
	(void)world;
	(void)hook;
	(void)addr;
	if (w_thread != 0 || ++plan.steps != plan.at)
		return;
	MUST(pthread_create(&plan.thread, NULL, second, NULL) == 0);
	while (!__atomic_load_n(&plan.started, __ATOMIC_SEQ_CST))
		sched_yield();
	let_run();
}

static void prepare(uint32_t first, bool committed)
{
	if (first == 6)
		return;
	MUST(make(0, 12, EMM_ON_DEMAND | EMM_LAZY) == 0);
	if (committed)
		MUST(emm_commit(w.emm, w_addr(0), bytes(12), NULL) == 0);
}

static bool one_schedule(uint32_t first, uint32_t other, uint64_t at,
			 bool committed)
{
	const struct w_config cfg = { .pages = PAGES,
				      .threads = true,
				      .lazy_futex = true,
				      .idle_max = UINT64_MAX };
	const char *bad;
	bool met;

	world_open(&w, &cfg);
	prepare(first, committed);
	memset(&plan, 0, sizeof(plan));
	plan.other = other;
	plan.at = at;
	w.before = at_hook;
	(void)!act(first);
	met = plan.started;
	if (met)
		pthread_join(plan.thread, NULL);
	w.before = NULL;
	bad = world_mirror(&w, false);
	if (bad)
		fprintf(stderr, "%u meets %u at step %lu%s: %s\n", first, other,
			(unsigned long)at, committed ? ", committed" : "", bad);
	MUST(!bad);
	world_close(&w);
	return met;
}

static uint32_t schedules(void)
{
	uint32_t count = 0;

	for (uint32_t a = 0; a < ACTS; a++) {
		for (uint32_t b = 0; b < ACTS; b++) {
			for (int c = 0; c < 2; c++) {
				uint64_t at = 1;

				while (at < 40 && one_schedule(a, b, at, c)) {
					at++;
					count++;
				}
			}
		}
	}
	return count;
}

/* ---- storm ------------------------------------------------------------- */

static void *storm_one(void *arg)
{
	w_thread = (uint32_t)(uintptr_t)arg;
	storm_thread(&w, w_thread);
	return NULL;
}

static void storm(uint32_t ops)
{
	pthread_t t[W_CPUS];
	const char *bad;

	storm_open(&w, ops);
	for (uintptr_t i = 0; i < W_CPUS; i++)
		MUST(pthread_create(&t[i], NULL, storm_one, (void *)i) == 0);
	for (uint32_t i = 0; i < W_CPUS; i++)
		pthread_join(t[i], NULL);
	w_thread = 0;
	printf("%lu modify calls, %lu at a time with another\n",
	       (unsigned long)w.modifies, (unsigned long)w.conflicts);
	MUST(w.modifies && !w.conflicts);
	bad = storm_close(&w);
	if (bad)
		fprintf(stderr, "storm: %s\n", bad);
	MUST(!bad);
}

/* ---- threads that came and went ---------------------------------------- */

#define WIDE (2ull << 30) /* 16 zones */
#define META (4ull << 20)

static uint32_t caller;

static uint32_t as_caller(void *ctx)
{
	(void)ctx;
	return caller;
}

/* As thread `no`: 64 KiB anywhere, and back. Return: where. */
static uint64_t visit(struct emm *emm, uint32_t no)
{
	const struct emm_alloc a = { .size = bytes(16),
				     .flags = EMM_ON_DEMAND,
				     .prot = EMM_RW };
	uint64_t at;

	caller = no;
	MUST(emm_alloc(emm, &a, &at) == 0);
	MUST(emm_dealloc(emm, at, a.size, NULL) == 0);
	return at;
}

/*
 * Of 300 threads 298 are gone, and there are 8 entries: the last two have
 * one each, and so a zone each, wherever their numbers fall.
 */
static void late_threads(void)
{
	const struct emm_hooks hooks = { .owner = as_caller };
	struct emm_params p = { .base = 1ull << 40,
				.size = WIDE,
				.meta_size = META,
				.meta_init = META,
				.static_mode = true,
				.threads = 8 };
	uint64_t at[2] = { 0, 0 };
	struct emm *emm;

	p.meta_base = aligned_alloc(EMM_PAGE, META);
	MUST(p.meta_base && emm_init(&p, &hooks, &emm) == 0);
	for (uint32_t no = 0; no < 298; no++) {
		for (uint32_t i = 0; i < 100; i++)
			(void)visit(emm, no * 64);
	}
	for (uint32_t i = 0; i < 4000; i++)
		at[i & 1] = visit(emm, (298 + (i & 1)) * 64);
	MUST(at[0] / (WIDE / 16) != at[1] / (WIDE / 16));
	MUST(!emm_check(emm));
	free(p.meta_base);
}

int main(int argc, char **argv)
{
	uint32_t ops = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 20000;

	late_threads();
	printf("%u schedules\n", schedules());
	storm(ops);
	return 0;
}
