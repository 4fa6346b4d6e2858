/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Failures. Nth: in each operation every step fails, one after the other, once
 * and for ever, in each way there is; after it the validator and the mirror
 * check hold, and what the error documents. Hostile: two lies at any two steps
 * of a small life; the outcome is right data or an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/emm/world.h"

#define PAGES 48u

static struct world w;

static uint64_t bytes(uint32_t pages)
{
	return (uint64_t)pages * EMM_PAGE;
}

static edmm_err make(uint32_t page, uint32_t pages, uint32_t flags, int prot)
{
	struct emm_alloc a = { .addr = w_addr(page),
			       .size = bytes(pages),
			       .flags = flags | EMM_FIXED,
			       .prot = prot };

	return emm_alloc(w.emm, &a, NULL);
}

static void must(edmm_err rc)
{
	ck_assert_int_eq(rc, 0);
}

static void stamp(uint32_t page, uint32_t pages, int value)
{
	for (uint32_t i = page; i < page + pages; i++)
		memset(w_bytes(&w, i), value + (int)i, EMM_PAGE);
}

/* ---- operations under test: a setting, and the call ------------------- */

static void set_on_demand(void)
{
	must(make(0, 16, EMM_ON_DEMAND, EMM_RW));
	must(make(20, 16, EMM_ON_DEMAND | EMM_LAZY, EMM_RW));
}

static void set_committed(void)
{
	set_on_demand();
	must(emm_commit(w.emm, w_addr(0), bytes(16), NULL));
	must(emm_commit(w.emm, w_addr(20), bytes(16), NULL));
	stamp(0, 16, 1);
	stamp(20, 16, 1);
}

static void set_mixed(void)
{
	set_committed();
	must(emm_protect(w.emm, w_addr(4), bytes(4), EMM_R, NULL));
	must(emm_protect(w.emm, w_addr(12), bytes(2), EMM_RX, NULL));
	must(emm_uncommit(w.emm, w_addr(2), bytes(1), NULL));
	must(emm_uncommit(w.emm, w_addr(22), bytes(6), NULL));
}

/* Pages that stores must not reach, absent. */
static void set_read_only(void)
{
	must(make(0, 8, EMM_ON_DEMAND, EMM_R));
	must(make(8, 8, EMM_ON_DEMAND, EMM_RX));
}

/* The same, which the host was told to add, and added. */
static void set_hinted(void)
{
	set_read_only();
	w.fail_at = w.steps + (w.cfg.populate ? 2 : 1);
	w.fault = WF_REFUSE;
	w.for_ever = true;
	(void)!emm_commit(w.emm, w_addr(0), bytes(8), NULL);
	(void)!emm_commit(w.emm, w_addr(8), bytes(8), NULL);
	w.fail_at = 0;
}

/* The same, trimmed, of which the host did not say that they are gone. */
static void set_trimmed(void)
{
	set_read_only();
	must(emm_commit(w.emm, w_addr(0), bytes(16), NULL));
	w.fault = WF_DENY_YES;
	for (uint32_t i = 0; i < 16; i += 8) {
		w.fail_at = w.steps + 1 + 8 + 1; /* TO_TRIM, EACCEPTs, REMOVE */
		(void)!emm_uncommit(w.emm, w_addr(i), bytes(8), NULL);
	}
	w.fail_at = 0;
}

static void set_trimmed_none(void)
{
	set_trimmed();
	must(emm_protect(w.emm, w_addr(2), bytes(9), EMM_NONE, NULL));
}

static void set_idle_read_only(void)
{
	struct emm_alloc a = { .size = bytes(16), .flags = EMM_RESERVE };

	a.addr = w_addr(0);
	world_add(&w, 0, 16);
	must(emm_register(w.emm, &a, EMM_LOADED_IDLE));
	set_read_only();
}

static void set_tcs(void)
{
	set_committed();
	memset(w_bytes(&w, 3), 0, EMM_PAGE);
	((struct sgx_tcs *)(void *)w_bytes(&w, 3))->nssa = 1;
}

static edmm_err do_alloc_now(void)
{
	return make(0, 12, EMM_COMMIT_NOW, EMM_RW);
}

static edmm_err do_alloc_down(void)
{
	return make(0, 12, EMM_COMMIT_NOW | EMM_GROWSDOWN, EMM_RX);
}

static void set_reserve(void)
{
	must(make(0, 32, EMM_RESERVE, EMM_NONE));
}

static edmm_err do_carve(void)
{
	return make(8, 8, EMM_COMMIT_NOW, EMM_RW);
}

static edmm_err do_commit(void)
{
	return emm_commit(w.emm, w_addr(0), bytes(16), NULL);
}

static edmm_err do_fault_read(void)
{
	int rc = world_touch(&w, 2, 0);

	return rc > 0 ? -EDMM_EFAULT : rc;
}

static edmm_err do_uncommit(void)
{
	return emm_uncommit_now(w.emm, w_addr(0), bytes(16), NULL);
}

static edmm_err do_dealloc(void)
{
	return emm_dealloc(w.emm, w_addr(1), bytes(40), NULL);
}

static edmm_err do_restrict(void)
{
	return emm_protect(w.emm, w_addr(0), bytes(16), EMM_R, NULL);
}

static edmm_err do_other(void)
{
	return emm_protect(w.emm, w_addr(0), bytes(16), EMM_RX, NULL);
}

static edmm_err do_none(void)
{
	return emm_protect(w.emm, w_addr(0), bytes(16), EMM_NONE, NULL);
}

static edmm_err do_relax(void)
{
	return emm_protect(w.emm, w_addr(0), bytes(36 - 20), EMM_RWX, NULL);
}

static edmm_err do_idle_relax(void)
{
	return emm_protect(w.emm, w_addr(20), bytes(16), EMM_RWX, NULL);
}

static edmm_err do_tcs(void)
{
	return emm_make_tcs(w.emm, w_addr(3));
}

static edmm_err do_data(void)
{
	return emm_commit_data(
		w.emm, w_addr(1), bytes(9),
		(const void *)(uintptr_t)(W_BASE + W_SRC * EMM_PAGE), EMM_RX);
}

static edmm_err do_trim(void)
{
	return emm_trim(w.emm, UINT64_MAX, NULL);
}

static edmm_err do_fault(void)
{
	int rc = world_touch(&w, 2, SGX_PFEC_W);

	return rc > 0 ? -EDMM_EFAULT : rc;
}

#define KEEPS 1u /* an error leaves every committed page's data */
#define GIVES 2u /* it changes what the area allows */
#define COSTS 4u /* a lie can cost the pages: trimmed, said to be removed */

static const struct {
	const char *name;
	void (*set)(void);
	edmm_err (*call)(void);
	unsigned int what;
} cases[] = {
	{ "alloc now", NULL, do_alloc_now, KEEPS },
	{ "alloc now down", NULL, do_alloc_down, KEEPS },
	{ "carve", set_reserve, do_carve, KEEPS },
	{ "commit", set_mixed, do_commit, KEEPS },
	{ "uncommit", set_mixed, do_uncommit, 0 },
	{ "dealloc", set_mixed, do_dealloc, 0 },
	{ "restrict", set_mixed, do_restrict, KEEPS | GIVES },
	{ "other rights", set_mixed, do_other, KEEPS | GIVES },
	{ "no rights", set_mixed, do_none, KEEPS | GIVES },
	{ "relax", set_mixed, do_relax, KEEPS | GIVES },
	{ "relax idle", set_mixed, do_idle_relax, KEEPS | GIVES },
	{ "make tcs", set_tcs, do_tcs, 0 },
	{ "data", set_on_demand, do_data, KEEPS | GIVES },
	{ "trim", set_mixed, do_trim, KEEPS },
	{ "fault", set_mixed, do_fault, KEEPS },
	{ "commit read-only", set_read_only, do_commit, KEEPS },
	{ "commit idle read-only", set_idle_read_only, do_commit, 0 },
	{ "commit hinted", set_hinted, do_commit, KEEPS },
	{ "commit trimmed", set_trimmed, do_commit, KEEPS | COSTS },
	{ "fault read-only", set_read_only, do_fault_read, KEEPS },
	{ "fault hinted", set_hinted, do_fault_read, KEEPS },
	{ "uncommit hinted", set_hinted, do_uncommit, KEEPS },
	{ "uncommit trimmed", set_trimmed_none, do_uncommit, KEEPS | COSTS },
	{ "dealloc trimmed", set_trimmed_none, do_dealloc, KEEPS | COSTS },
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void open_small(bool narrow)
{
	const struct w_config cfg = { .pages = PAGES,
				      .narrow = narrow,
				      .map = narrow,
				      .populate = narrow,
				      .idle_max = UINT64_MAX };

	world_open(&w, &cfg);
}

static const char *data_kept(void)
{
	for (uint32_t i = 0; i < 36; i++) {
		struct emm_run r;
		const uint8_t *b = w_bytes(&w, i);

		if (emm_query(w.emm, w_addr(i), 0, &r))
			return "emm_query failed";
		if (r.state != EMM_PG_COMMITTED)
			continue;
		if (b[9] != 0 && b[9] != (uint8_t)(1 + i) &&
		    (b[9] & 0xf0) != 0xa0)
			return "a committed page has strange data";
	}
	return NULL;
}

/* What areas allow, a page each; -1: no page of an area's. */
static void note_rights(int prot[PAGES])
{
	for (uint32_t i = 0; i < PAGES; i++) {
		struct emm_run r;

		must(emm_query(w.emm, w_addr(i), 0, &r));
		prot[i] = r.state < EMM_PG_UNCOMMITTED || r.state == EMM_PG_TCS
				  ? -1
				  : r.prot;
	}
}

/*
 * I15: after a failure each page is allowed what it was, and a store reaches
 * none that forbids it: not now, and not after the faults that look again. An
 * idle page is nobody's before a commit.
 */
static const char *rights_outlive(const int before[PAGES])
{
	int now[PAGES];

	note_rights(now);
	for (uint32_t i = 0; i < PAGES; i++) {
		struct emm_run r;

		if (before[i] >= 0 && now[i] >= 0 && before[i] != now[i])
			return "a page is allowed what it was not";
		must(emm_query(w.emm, w_addr(i), 0, &r));
		if (now[i] < 0 || now[i] & EMM_W || r.state == EMM_PG_IDLE ||
		    !w_bytes(&w, i))
			continue;
		(void)world_touch(&w, i, 0);
		if (!world_touch(&w, i, SGX_PFEC_W))
			return "a store reaches a page that forbids it";
	}
	return world_mirror(&w, true);
}

/* The world is honest again: everything can be taken down. */
static const char *take_down(bool lied, bool refused)
{
	struct emm_stats s;
	edmm_err rc = emm_dealloc(w.emm, w_addr(0), bytes(PAGES), NULL);

	if (rc && rc != -EDMM_EINVAL)
		return "dealloc fails afterwards";
	emm_stats_get(w.emm, &s);
	if (s.committed || s.idle || s.areas)
		return "something stayed behind";
	for (uint32_t i = 0; i < PAGES && !lied && !refused; i++) {
		if (w_bytes(&w, i))
			return "a page stayed in the enclave";
	}
	return world_mirror(&w, lied);
}

/* One life with a fault at step n. Return: did the step exist? */
static bool one(int c, uint64_t n, enum w_fault f, bool for_ever, bool narrow)
{
	int rights[PAGES];
	const char *bad;
	edmm_err rc;
	bool hit;

	open_small(narrow);
	if (cases[c].set)
		cases[c].set();
	world_zero_counts(&w);
	note_rights(rights);
	w.fail_at = n;
	w.fault = f;
	w.for_ever = for_ever;
	rc = cases[c].call();
	hit = w.hit;
	w.fail_at = 0;
	bad = world_mirror(&w, f == WF_LIE);
	if (!bad && cases[c].what & KEEPS)
		bad = data_kept();
	if (!bad && !(cases[c].what & GIVES))
		bad = rights_outlive(rights);
	if (!bad && !(cases[c].what & COSTS && f == WF_LIE))
		bad = take_down(f == WF_LIE, for_ever);
	ck_assert_msg(!bad, "%s, step %lu, fault %d%s%s: result %d, then: %s",
		      cases[c].name, (unsigned long)n, (int)f,
		      for_ever ? " for ever" : "", narrow ? ", narrow" : "", rc,
		      bad ? bad : "");
	world_close(&w);
	return hit;
}

START_TEST(every_step_fails)
{
	for (int f = WF_REFUSE; f < WF_COUNT; f++) {
		for (int mode = 0; mode < 4; mode++) {
			uint64_t n = 1;

			while (one(_i, n, (enum w_fault)f, mode & 1, mode & 2))
				n++;
			/* More rights take no step where mappings are wide. */
			ck_assert(n > 1 || !(mode & 2));
		}
	}
}
END_TEST

/* ---- no metadata ------------------------------------------------------- */

START_TEST(no_metadata_changes_nothing)
{
	const struct w_config cfg = { .pages = 65536,
				      .epc_limit = 64,
				      .idle_max = 0 };
	struct emm_stats before, after;
	edmm_err rc = 0;
	uint32_t i;

	world_open(&w, &cfg);
	for (i = 0; !rc && i < 512; i++)
		rc = make(i * 128, 1, EMM_ON_DEMAND, EMM_RW);
	ck_assert_int_eq(rc, -EDMM_ENOMEM);
	emm_stats_get(w.emm, &before);
	/* A mixed chunk more is needed for each of these. */
	ck_assert_int_eq(make(60000, 1, EMM_ON_DEMAND, EMM_RW), -EDMM_ENOMEM);
	ck_assert_int_eq(emm_dealloc(w.emm, w_addr(60000), EMM_PAGE, NULL) != 0,
			 1);
	emm_stats_get(w.emm, &after);
	ck_assert_uint_eq(before.meta_used, after.meta_used);
	ck_assert_uint_eq(before.areas, after.areas);
	ck_assert_ptr_null(world_mirror(&w, false));
	/* What was allocated can go, and then there is room again. */
	while (i-- > 1)
		(void)!emm_dealloc(w.emm, w_addr((i - 1) * 128), EMM_PAGE,
				   NULL);
	ck_assert_int_eq(make(60000, 1, EMM_ON_DEMAND, EMM_RW), 0);
	ck_assert_ptr_null(world_mirror(&w, false));
	world_close(&w);
}
END_TEST

#define FILL 8192u /* pages on which nothing else is, and from where on */

/* Areas in chunks of their own, until metadata is used up. */
static uint32_t fill(void)
{
	uint32_t n = 0;

	while (!make(FILL + n * 64, 1, EMM_ON_DEMAND, EMM_RW))
		n++;
	return n;
}

/* One operation with room for `left` more such areas. Return: did it pass? */
static bool starved(int c, uint32_t left)
{
	const struct w_config cfg = { .pages = 65536,
				      .epc_limit = 64,
				      .idle_max = UINT64_MAX };
	struct emm_stats before, after;
	const char *bad;
	edmm_err rc;
	uint32_t n;

	world_open(&w, &cfg);
	if (cases[c].set)
		cases[c].set();
	n = fill();
	ck_assert_uint_gt(n, left);
	if (left)
		must(emm_dealloc(w.emm, w_addr(FILL + (n - left) * 64),
				 bytes(left * 64), NULL));
	emm_stats_get(w.emm, &before);
	rc = cases[c].call();
	emm_stats_get(w.emm, &after);
	ck_assert_msg(!rc || rc == -EDMM_ENOMEM, "%s: %d", cases[c].name, rc);
	if (rc) {
		ck_assert_uint_eq(before.committed, after.committed);
		ck_assert_uint_eq(before.idle, after.idle);
		ck_assert_uint_eq(before.areas, after.areas);
		ck_assert_uint_eq(before.meta_used, after.meta_used);
	}
	bad = world_mirror(&w, false);
	ck_assert_msg(!bad, "%s, %u left: %s", cases[c].name, left, bad);
	world_close(&w);
	return !rc;
}

/* Metadata for 0, 1, 2 ... areas is left, until the operation passes (I3). */
START_TEST(every_shortage_of_metadata)
{
	uint32_t left = 0;

	while (!starved(_i, left))
		left++;
	ck_assert_uint_le(left, 16);
}
END_TEST

START_TEST(no_epc_commits_what_fits)
{
	const struct w_config cfg = { .pages = 64, .epc_limit = 20 };
	uint64_t done;

	world_open(&w, &cfg);
	must(make(0, 64, EMM_ON_DEMAND, EMM_RW));
	ck_assert_int_eq(emm_commit(w.emm, w_addr(0), bytes(64), &done),
			 -EDMM_ENOMEM);
	ck_assert_uint_eq(done, emm_committed(w.emm));
	ck_assert_uint_gt(done, 0);
	ck_assert_ptr_null(world_mirror(&w, false));
	world_close(&w);
}
END_TEST

/* Pages that populate added must not stay when their commit failed. */
START_TEST(hinted_pages_are_given_back)
{
	const struct w_config cfg = { .pages = 64, .populate = true };
	struct emm_run r;
	uint64_t done;

	world_open(&w, &cfg);
	must(make(0, 32, EMM_ON_DEMAND, EMM_RW));
	w.fail_at = 1 + 5; /* populate, then EACCEPTs */
	w.fault = WF_REFUSE;
	w.for_ever = true;
	ck_assert_int_eq(emm_commit(w.emm, w_addr(0), bytes(32), &done),
			 -EDMM_ENOMEM);
	w.fail_at = 0;
	ck_assert_uint_eq(done, bytes(4));
	ck_assert_ptr_nonnull(w_bytes(&w, 31));
	ck_assert_ptr_null(world_mirror(&w, false));
	must(emm_query(w.emm, w_addr(20), 0, &r));
	ck_assert_int_eq(r.state, EMM_PG_UNCOMMITTED);
	ck_assert(r.hinted);
	must(emm_uncommit(w.emm, w_addr(24), bytes(8), NULL));
	ck_assert_ptr_null(w_bytes(&w, 31));
	ck_assert_ptr_null(world_mirror(&w, false));
	/* They can still be committed, and get their rights. */
	must(emm_protect(w.emm, w_addr(8), bytes(2), EMM_R, NULL));
	must(emm_commit(w.emm, w_addr(8), bytes(2), NULL));
	ck_assert_uint_eq(w_rights(&w, 9), MACH_R);
	ck_assert_ptr_null(world_mirror(&w, false));
	must(emm_dealloc(w.emm, w_addr(0), bytes(32), NULL));
	for (uint32_t i = 0; i < 32; i++)
		ck_assert_ptr_null(w_bytes(&w, i));
	ck_assert_uint_eq(emm_committed(w.emm), 0);
	ck_assert_ptr_null(world_mirror(&w, false));
	world_close(&w);
}
END_TEST

static void touch_ahead(uint32_t page)
{
	ck_assert_int_eq(world_touch(&w, page, SGX_PFEC_W), 0);
	ck_assert_ptr_null(world_mirror(&w, false));
}

/*
 * A sequence tells what follows its window; that is absent in the books until
 * an EACCEPT, whether the host adds it or not, and gone when it is freed.
 */
START_TEST(what_follows_is_told)
{
	const struct w_config cfg = { .pages = 1024,
				      .ahead = true,
				      .ahead_idle = _i != 0 };
	struct emm_alloc a = { .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW,
			       .policy = { 64 * EMM_PAGE, 128 * EMM_PAGE } };
	struct emm_run r;

	world_open(&w, &cfg);
	a.addr = w_addr(0);
	a.size = bytes(512);
	must(emm_alloc(w.emm, &a, NULL));
	touch_ahead(0);
	ck_assert_uint_eq(w.aheads, 0);
	touch_ahead(64);
	ck_assert_uint_eq(w.aheads, 1);
	ck_assert_uint_eq(emm_committed(w.emm), bytes(192));
	must(emm_query(w.emm, w_addr(192), w_addr(512), &r));
	ck_assert(r.hinted);
	ck_assert_uint_eq(r.size, bytes(128));
	ck_assert_int_eq(r.state, EMM_PG_UNCOMMITTED);
	ck_assert_int_eq(w_bytes(&w, 319) != NULL, _i == 0);
	touch_ahead(192);
	ck_assert_uint_eq(w.aheads, 2);
	ck_assert_uint_eq(emm_committed(w.emm), bytes(320));
	/* A jump, and what it commits, tells nothing; no more does a second. */
	touch_ahead(500);
	touch_ahead(480);
	must(emm_uncommit(w.emm, w_addr(320), bytes(128), NULL));
	ck_assert_ptr_null(w_bytes(&w, 330));
	must(emm_dealloc(w.emm, w_addr(0), bytes(512), NULL));
	for (uint32_t i = 0; i < 512; i++)
		ck_assert_ptr_null(w_bytes(&w, i));
	ck_assert_ptr_null(world_mirror(&w, false));
	world_close(&w);
}
END_TEST

/* A jump between two faults of a sequence does not make it begin anew. */
START_TEST(sequences_outlive_jumps)
{
	const struct w_config cfg = { .pages = 1024 };
	struct emm_alloc a = { .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW,
			       .policy = { 4 * EMM_PAGE, 64 * EMM_PAGE } };

	world_open(&w, &cfg);
	a.addr = w_addr(0);
	a.size = bytes(1024);
	must(emm_alloc(w.emm, &a, NULL));
	touch_ahead(0);
	touch_ahead(4);
	touch_ahead(12);
	touch_ahead(28);
	ck_assert_uint_eq(emm_committed(w.emm), bytes(60));
	touch_ahead(900);
	ck_assert_uint_eq(emm_committed(w.emm), bytes(64));
	touch_ahead(60);
	ck_assert_uint_eq(emm_committed(w.emm), bytes(96));
	/* Random touches cost what they touch. */
	for (uint32_t i = 0; i < 8; i++)
		touch_ahead(200 + 20 * i);
	ck_assert_uint_le(emm_committed(w.emm), bytes(96 + 4 + 2 + 6));
	world_close(&w);
}
END_TEST

/* ---- a hostile kernel -------------------------------------------------- */

/* A small life; each step may fail, none may give wrong data. */
static const char *life(void)
{
	uint8_t *b;

	(void)!make(0, 6, EMM_ON_DEMAND, EMM_RW);
	(void)!emm_commit(w.emm, w_addr(0), bytes(4), NULL);
	for (uint32_t i = 0; i < 4; i++) {
		struct emm_run r;

		if (emm_query(w.emm, w_addr(i), 0, &r) ||
		    r.state != EMM_PG_COMMITTED)
			continue;
		b = w_bytes(&w, i);
		if (!b || b[0])
			return "a fresh page is not zero";
		memset(b, 0x40 + (int)i, EMM_PAGE);
	}
	(void)!emm_protect(w.emm, w_addr(1), bytes(2), EMM_R, NULL);
	(void)!emm_uncommit(w.emm, w_addr(2), bytes(2), NULL);
	(void)!emm_commit(w.emm, w_addr(2), bytes(1), NULL);
	(void)!emm_protect(w.emm, w_addr(0), bytes(2), EMM_RW, NULL);
	(void)world_touch(&w, 5, SGX_PFEC_W);
	(void)!emm_dealloc(w.emm, w_addr(4), bytes(2), NULL);
	return NULL;
}

static const char *after_life(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct emm_run r;
		const uint8_t *b = w_bytes(&w, i);

		if (emm_query(w.emm, w_addr(i), 0, &r))
			return "emm_query failed";
		if (r.state != EMM_PG_COMMITTED)
			continue;
		if (!b || (b[0] && b[0] != 0x40 + i))
			return "wrong data";
	}
	return world_mirror(&w, true);
}

static bool hostile(uint64_t i, enum w_fault f, uint64_t j, enum w_fault g)
{
	const char *bad;
	uint64_t steps;

	open_small(false);
	w.fail_at = i;
	w.fault = f;
	w.fail_at2 = j;
	w.fault2 = g;
	bad = life();
	steps = w.steps;
	w.fail_at = 0;
	w.fail_at2 = 0;
	if (!bad)
		bad = after_life();
	ck_assert_msg(!bad, "faults %d at %lu and %d at %lu: %s", (int)f,
		      (unsigned long)i, (int)g, (unsigned long)j,
		      bad ? bad : "");
	world_close(&w);
	return j <= steps;
}

START_TEST(two_lies)
{
	enum w_fault f = (enum w_fault)_i;
	uint64_t i = 0, j;
	bool more = true;

	while (more) {
		i++;
		more = false;
		for (int g = WF_REFUSE; g < WF_COUNT; g++) {
			for (j = i + 1; hostile(i, f, j, (enum w_fault)g); j++)
				more = true;
		}
	}
	ck_assert_uint_gt(i, 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("emm failures");
	TCase *t = tcase_create("failures");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, every_step_fails, 0, CASES);
	tcase_add_loop_test(t, two_lies, WF_REFUSE, WF_COUNT);
	tcase_add_loop_test(t, every_shortage_of_metadata, 0, CASES);
	tcase_add_test(t, no_metadata_changes_nothing);
	tcase_add_test(t, no_epc_commits_what_fits);
	tcase_add_test(t, hinted_pages_are_given_back);
	tcase_add_loop_test(t, what_follows_is_told, 0, 2);
	tcase_add_test(t, sequences_outlive_jumps);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
