/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an area allows and what nothing has proved: rights that the host does
 * not take away, idle pages that may be trimmed or not (I8, I11, I15).
 */
#include <string.h>

#include <check.h>

#include "tests/emm/flow.h"

static void open_small(bool narrow)
{
	open_with((struct w_config){ .pages = 48,
				     .narrow = narrow,
				     .map = narrow,
				     .idle_max = UINT64_MAX });
}

static void stamp(uint32_t page, uint32_t pages, int value)
{
	for (uint32_t i = page; i < page + pages; i++)
		memset(w_bytes(&w, i), value, EMM_PAGE);
}

/* The world is honest again: everything can be taken down. */
static void take_down(bool lied)
{
	dealloc(0, 48);
	ck_assert_uint_eq(stats().committed + stats().idle, 0);
	ck_assert_ptr_null(world_mirror(&w, lied));
	shut();
}

/* A host that takes no right away: what forbids stores never had them (S4). */
START_TEST(refused_rights_are_no_rights)
{
	open_small(_i);
	alloc_at(0, 16, EMM_ON_DEMAND, EMM_R);
	alloc_at(16, 8, EMM_ON_DEMAND, EMM_RW);
	w.refuses = true;
	for (uint32_t i = 0; i < 16; i++) {
		ck_assert_int_eq(world_touch(&w, i, 0), 0);
		ck_assert_uint_eq(w_rights(&w, i), MACH_R);
		ck_assert_int_eq(world_touch(&w, i, SGX_PFEC_W), 1);
	}
	commit(16, 8);
	ck_assert_int_eq(emm_protect(w.emm, w_addr(16), bytes(8), EMM_R, NULL),
			 -EDMM_EFAULT);
	ck_assert_int_eq(world_touch(&w, 16, SGX_PFEC_W), 0);
	mirror();
	ck_assert_int_eq(emm_uncommit(w.emm, w_addr(0), bytes(16), NULL),
			 -EDMM_EFAULT);
	ck_assert_int_eq(world_touch(&w, 3, SGX_PFEC_W), 1);
	mirror();
	w.refuses = false;
	take_down(false);
}
END_TEST

/* Nothing works, and EMODPE finds no page either. */
static void fail_all(bool on)
{
	w.fail_at = on ? w.steps + 1 : 0;
	w.fault = WF_REFUSE;
	w.for_ever = on;
	w.unmapped = on;
}

/* What is not trimmed after all is idle still: nobody sees what was in it. */
START_TEST(idle_in_doubt_is_idle)
{
	open_small(false);
	alloc_at(0, 4, EMM_ON_DEMAND | EMM_LAZY, EMM_RW);
	commit(0, 4);
	stamp(0, 4, 0x5a);
	uncommit(0, 4);
	fail_all(true);
	ck_assert_int_eq(emm_trim(w.emm, UINT64_MAX, NULL), -EDMM_EFAULT);
	fail_all(false);
	ck_assert_int_eq(state_of(0), EMM_PG_DOUBT);
	mirror();
	protect(2, 1, EMM_RW);
	ck_assert_int_eq(state_of(2), EMM_PG_IDLE);
	mirror();
	commit(0, 4);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(w_bytes(&w, i)[9], 0);
	take_down(false);
}
END_TEST

/* The same without an area: whoever allocates the range has the doubt. */
START_TEST(free_idle_in_doubt)
{
	struct emm_alloc a = { .size = bytes(4), .flags = EMM_RESERVE };

	for (int f = WF_REFUSE; f < WF_COUNT; f++) {
		for (uint64_t n = 1; n < 8; n++) {
			open_small(false);
			a.addr = w_addr(0);
			world_add(&w, 0, 4);
			ck_assert_int_eq(
				emm_register(w.emm, &a, EMM_LOADED_IDLE), 0);
			w.fail_at = w.steps + n;
			w.fault = (enum w_fault)f;
			w.unmapped = n & 1;
			(void)!emm_trim(w.emm, UINT64_MAX, NULL);
			fail_all(false);
			ck_assert_ptr_null(world_mirror(&w, f == WF_LIE));
			alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
			if (f != WF_LIE) {
				commit(0, 4);
				ck_assert_uint_eq(w_bytes(&w, 1)[9], 0);
			}
			ck_assert_ptr_null(world_mirror(&w, f == WF_LIE));
			take_down(f == WF_LIE);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("emm doubt");
	TCase *t = tcase_create("doubt");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, refused_rights_are_no_rights, 0, 2);
	tcase_add_test(t, idle_in_doubt_is_idle);
	tcase_add_test(t, free_idle_in_doubt);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
