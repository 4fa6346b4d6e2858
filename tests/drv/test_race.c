/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forced schedules of the reclaimer against entries. A thread enters right
 * after the k-th time that the driver has looked at all processors, for every
 * k: also between the look for threads that stand on a page and its EBLOCK.
 * Whatever that page becomes, nothing of the enclave is lost for good.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/drv/bay.h"

#define EPC 128u
#define TOUCHED 150u

static struct bay bay;
static unsigned countdown;
static unsigned looks;
static unsigned blocked; /* schedules that left a page BLOCKED meanwhile */

static void enter_now(struct bay *r)
{
	struct mach_frame f = { .rax = SGX_EENTER,
				.rbx = bay_addr(BAY_TCS),
				.rcx = BAY_AEP };

	looks++;
	if (looks - 1 == countdown && !mach_inside(&r->cpu[1]))
		mach_enclu(r->m, &r->cpu[1], &f);
}

static void count_blocked(void)
{
	for (unsigned i = 0; i < BAY_PAGES; i++) {
		const page_t *p = page_find(bay.e, bay_addr(i));

		blocked += p && (*p & PG_BLOCKED);
	}
}

/* The platform's part: out, and back by ERESUME. */
static void serve(void)
{
	struct mach_cpu *c = &bay.cpu[1];
	struct mach_frame f = { .rip = 0x1000 };
	struct mach_event ev = c->due_event;

	if (!mach_inside(c) || !c->due)
		return;
	mach_aex(bay.m, c, &f, &ev);
	ck_assert(mach_ok(bay_enclu(&bay, 1, &f)));
	ck_assert_uint_eq(f.rip, 0x1000);
}

static void touch(unsigned page)
{
	unsigned tries = 0;
	enum drv_verdict v;
	uint32_t pfec;

	do {
		ck_assert_msg(++tries < 100,
			      "page %u stays busy, entry at %u, due %d, "
			      "used %u",
			      page, countdown, bay.cpu[1].due, epc_used(bay.d));
		drv_lock(bay.d);
		v = drv_fault(bay.d, NULL, bay_addr(page), MACH_R, false,
			      &pfec);
		drv_unlock(bay.d);
		count_blocked();
		if (v == DRV_BUSY)
			serve();
	} while (v == DRV_BUSY);
	ck_assert_int_eq(v, DRV_ABORT);
}

static void nothing_is_blocked_for_good(void)
{
	for (unsigned i = 0; i < BAY_PAGES; i++) {
		page_t *p = page_find(bay.e, bay_addr(i));
		struct mach_epcm_info epcm;

		if (!p)
			continue;
		drv_lock(bay.d);
		ck_assert_int_eq(page_load(bay.d, bay.e, p, bay_addr(i)), 0);
		mach_epcm(bay.m, pg_index(*p), &epcm);
		drv_unlock(bay.d);
		ck_assert_msg(!epcm.blocked, "page %u is BLOCKED, entry at %u",
			      i, countdown);
	}
}

/* What the thread does in the end. */
enum way {
	EXITS,	/* by itself */
	FAULTS, /* touches its own frame, which may be blocked, and exits */
	WAYS
};

static void finish(enum way way)
{
	enum drv_verdict v;
	uint32_t pfec;

	if (!mach_inside(&bay.cpu[1]))
		return;
	if (way == FAULTS) {
		drv_lock(bay.d);
		do
			v = drv_fault(bay.d, &bay.cpu[1], bay_addr(BAY_SSA),
				      MACH_R, false, &pfec);
		while (v == DRV_BUSY && !bay.cpu[1].due);
		drv_unlock(bay.d);
		serve();
	}
	bay_exit(&bay, 1);
}

static void schedule(unsigned k, enum way way)
{
	bay_open(&bay, EPC, MACH_F_ALL);
	bay_ready(&bay);
	/* Its pages are in the page tables. */
	bay_enter(&bay, 1);
	bay_exit(&bay, 1);
	looks = 0;
	countdown = k;
	bay.looked = enter_now;
	for (unsigned i = 0; i < TOUCHED; i++)
		touch(BAY_FREE + i);
	finish(way);
	bay.looked = NULL;
	nothing_is_blocked_for_good();
	bay_enter(&bay, 1);
	bay_exit(&bay, 1);
	ck_assert_int_eq(bay_accept(&bay, BAY_FREE + 1), 0);
	bay_close(&bay);
}

START_TEST(an_entry_at_each_look)
{
	unsigned k = 0;

	do
		schedule(k++, (enum way)_i);
	while (k <= looks && k < 400);
	ck_assert_uint_gt(k, 20);
	/* The race was there: some schedules met it. */
	ck_assert_uint_gt(blocked, 0);
}
END_TEST

/* The frame of a thread inside is trimmed: the AEX is asked for, and tracking
 * is complete once the thread is out. */
START_TEST(a_frame_that_goes_is_asked_for)
{
	struct mach_frame f = { .rip = 0x1000 };

	bay_open(&bay, 0, MACH_F_ALL);
	bay_ready(&bay);
	bay_enter(&bay, 1);
	bay.mod.offset = BAY_SSA * 4096;
	ck_assert_int_eq(
		bay_ioctl(&bay, SGX_IOC_ENCLAVE_MODIFY_TYPES, &bay.mod), 0);
	ck_assert(bay.cpu[1].due);
	ck_assert(!bay.cpu[1].due_event.exception);
	mach_aex(bay.m, &bay.cpu[1], &f, &bay.cpu[1].due_event);
	ck_assert(!bay.cpu[1].due);
	ck_assert(!mach_ok(bay_enclu(&bay, 1, &f)));
	bay_close(&bay);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("race");
	TCase *t = tcase_create("race");
	SRunner *r;
	int failed;

	bay_setup();
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, an_entry_at_each_look, 0, WAYS);
	tcase_add_test(t, a_frame_that_goes_is_asked_for);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
