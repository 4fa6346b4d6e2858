/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory manager's flows, one rule a test, on the model. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/emm/flow.h"

START_TEST(commit_is_one_accept_a_page)
{
	alloc_at(10, 100, EMM_ON_DEMAND, EMM_RW);
	mirror();
	commit(10, 100);
	ck_assert_uint_eq(w.accepts, 100);
	ck_assert_uint_eq(w.modifies, 0);
	commit(10, 100);
	ck_assert_uint_eq(w.accepts, 100);
	mirror();
}
END_TEST

START_TEST(commit_now_and_back)
{
	struct emm_stats before = stats();

	alloc_at(0, 64, EMM_COMMIT_NOW, EMM_RW);
	ck_assert_uint_eq(stats().committed, bytes(64));
	mirror();
	dealloc(0, 64);
	ck_assert_uint_eq(w.modifies, 2);
	mirror();
	ck_assert_uint_eq(stats().committed, 0);
	ck_assert_uint_eq(stats().meta_used, before.meta_used);
	ck_assert_uint_eq(stats().areas, 0);
}
END_TEST

START_TEST(fault_commits_on_demand_only)
{
	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	alloc_at(8, 8, EMM_COMMIT_NOW, EMM_RW);
	alloc_at(16, 8, EMM_RESERVE, EMM_NONE);
	ck_assert_int_eq(world_touch(&w, 3, SGX_PFEC_W), 0);
	ck_assert_uint_eq(stats().committed, bytes(9));
	uncommit(8, 2);
	ck_assert_int_eq(world_touch(&w, 8, 0), 1);
	ck_assert_int_eq(world_touch(&w, 16, 0), 1);
	ck_assert_int_eq(world_touch(&w, 24, 0), 1);
	mirror();
}
END_TEST

START_TEST(recommitted_page_gets_its_rights)
{
	alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
	commit(0, 4);
	protect(0, 4, EMM_R);
	uncommit(0, 4);
	ck_assert_int_eq(world_touch(&w, 1, 0), 0);
	ck_assert_uint_eq(w_rights(&w, 1), MACH_R);
	ck_assert_int_eq(world_touch(&w, 2, SGX_PFEC_W), 1);
	mirror();
}
END_TEST

START_TEST(none_keeps_data)
{
	alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
	commit(0, 4);
	memset(w_bytes(&w, 2), 0x5a, EMM_PAGE);
	protect(0, 4, EMM_NONE);
	ck_assert_uint_eq(w_rights(&w, 2), 0);
	ck_assert_int_eq(world_touch(&w, 2, 0), 1);
	mirror();
	protect(0, 4, EMM_RW);
	ck_assert_uint_eq(w_bytes(&w, 2)[7], 0x5a);
	ck_assert_int_eq(world_touch(&w, 2, SGX_PFEC_W), 0);
	mirror();
}
END_TEST

START_TEST(parts_of_none_areas)
{
	alloc_at(0, 12, EMM_ON_DEMAND, EMM_RW);
	commit(0, 12);
	protect(0, 12, EMM_NONE);
	uncommit(8, 4);
	mirror();
	uncommit(0, 2);
	mirror();
	dealloc(10, 2);
	dealloc(0, 1);
	mirror();
	ck_assert_int_eq(try_alloc(0, 1, EMM_ON_DEMAND, EMM_RW), 0);
	ck_assert_int_eq(try_alloc(1, 1, EMM_ON_DEMAND, EMM_RW), -EDMM_EEXIST);
	ck_assert_uint_eq(stats().committed, bytes(6));
	mirror();
}
END_TEST

START_TEST(relax_is_free_when_wide)
{
	alloc_at(0, 16, EMM_ON_DEMAND, EMM_RW);
	commit(0, 16);
	protect(0, 16, EMM_RWX);
	ck_assert_uint_eq(w.modifies, 0);
	ck_assert_uint_eq(w.extends, 16);
	protect(0, 16, EMM_RWX);
	ck_assert_uint_eq(w.extends, 16);
	protect(0, 16, EMM_RX);
	ck_assert_uint_eq(w.modifies, 1);
	mirror();
}
END_TEST

START_TEST(one_call_a_run_over_areas)
{
	/* Areas that cannot merge: their policies differ. */
	for (uint32_t i = 0; i < 16; i++) {
		struct emm_alloc a = { .addr = w_addr(i * 4),
				       .size = bytes(4),
				       .flags = EMM_ON_DEMAND | EMM_FIXED,
				       .prot = EMM_RW,
				       .policy = { 4096, 8192 * (1 + i % 2) } };

		ck_assert_int_eq(emm_alloc(w.emm, &a, NULL), 0);
	}
	ck_assert_uint_eq(stats().areas, 16);
	commit(0, 64);
	protect(0, 64, EMM_R);
	ck_assert_uint_eq(w.modifies, 1);
	uncommit(0, 64);
	ck_assert_uint_eq(w.modifies, 3);
	mirror();
}
END_TEST

START_TEST(trim_joins_rights)
{
	alloc_at(0, 16, EMM_ON_DEMAND, EMM_RW);
	commit(0, 16);
	protect(0, 4, EMM_R);
	protect(8, 4, EMM_NONE);
	world_zero_counts(&w);
	uncommit(0, 16);
	ck_assert_uint_eq(w.modifies, 2);
	mirror();
}
END_TEST

START_TEST(equal_areas_are_one)
{
	uint64_t used;

	alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
	used = stats().meta_used;
	alloc_at(8, 4, EMM_ON_DEMAND, EMM_RW);
	ck_assert_uint_eq(stats().areas, 2);
	alloc_at(4, 4, EMM_ON_DEMAND, EMM_RW);
	ck_assert_uint_eq(stats().areas, 1);
	ck_assert_uint_eq(stats().meta_used, used);
	mirror();
	dealloc(5, 2);
	ck_assert_uint_eq(stats().areas, 2);
	mirror();
}
END_TEST

START_TEST(flips_leave_no_metadata)
{
	struct emm_stats before;

	alloc_at(0, 512, EMM_ON_DEMAND, EMM_RW);
	commit(0, 512);
	before = stats();
	for (uint32_t i = 0; i < 512; i += 2)
		protect(i, 1, EMM_R);
	ck_assert_uint_gt(stats().meta_used, before.meta_used);
	for (uint32_t i = 0; i < 512; i += 2)
		protect(i, 1, EMM_RW);
	ck_assert_uint_eq(stats().meta_used, before.meta_used);
	ck_assert_uint_eq(stats().areas, 1);
	mirror();
}
END_TEST

START_TEST(growsdown_leaves_no_gap)
{
	alloc_at(0, 64, EMM_ON_DEMAND | EMM_GROWSDOWN, EMM_RW);
	ck_assert_int_eq(world_touch(&w, 60, SGX_PFEC_W), 0);
	ck_assert_uint_eq(stats().committed, bytes(4));
	ck_assert_int_eq(world_touch(&w, 50, SGX_PFEC_W), 0);
	ck_assert_uint_eq(stats().committed, bytes(14));
	mirror();
}
END_TEST

static void alloc_window(uint32_t flags)
{
	struct emm_alloc a = { .addr = w_addr(0),
			       .size = bytes(64),
			       .flags = flags | EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW,
			       .policy = { 4096, 8 * 4096 } };

	ck_assert_int_eq(emm_alloc(w.emm, &a, NULL), 0);
}

static void touch_expect(uint32_t page, uint32_t committed)
{
	ck_assert_int_eq(world_touch(&w, page, SGX_PFEC_W), 0);
	ck_assert_uint_eq(stats().committed, bytes(committed));
	mirror();
}

START_TEST(growsdown_windows_go_down)
{
	alloc_window(EMM_GROWSDOWN);
	touch_expect(63, 1);
	touch_expect(62, 3);
	touch_expect(60, 7);
	touch_expect(56, 15);
	touch_expect(48, 23); /* 8 is the most */
	touch_expect(20, 44);
	touch_expect(0, 64);
}
END_TEST

START_TEST(growsup_windows_go_up)
{
	alloc_window(EMM_GROWSUP);
	touch_expect(0, 1);
	touch_expect(1, 3);
	touch_expect(3, 7);
	touch_expect(40, 41);
	touch_expect(63, 64);
}
END_TEST

/* What a shortage leaves tells the order: the first ones accepted. */
static void fail_after(uint32_t accepts, uint32_t page)
{
	w.steps = 0;
	w.fail_at = accepts + 1;
	w.fault = WF_LIE;
	w.for_ever = true;
	ck_assert_int_eq(world_touch(&w, page, SGX_PFEC_W), -EDMM_EFAULT);
	w.fail_at = 0;
	ck_assert_uint_eq(stats().committed, bytes(accepts));
	mirror();
}

START_TEST(growth_accepts_in_its_order)
{
	alloc_at(0, 16, EMM_ON_DEMAND | EMM_GROWSDOWN, EMM_RW);
	alloc_at(16, 16, EMM_ON_DEMAND | EMM_GROWSUP, EMM_RW);
	fail_after(5, 2);
	ck_assert_int_eq(state_of(11), EMM_PG_COMMITTED);
	ck_assert_int_eq(state_of(10), EMM_PG_UNCOMMITTED);
	dealloc(0, 16);
	fail_after(5, 30);
	ck_assert_int_eq(state_of(20), EMM_PG_COMMITTED);
	ck_assert_int_eq(state_of(21), EMM_PG_UNCOMMITTED);
}
END_TEST

START_TEST(windows_end_at_the_limit)
{
	emm_set_limit(w.emm, bytes(4));
	alloc_window(EMM_GROWSDOWN);
	touch_expect(63, 1);
	touch_expect(62, 3);
	touch_expect(60, 4);
	ck_assert_int_eq(world_touch(&w, 59, SGX_PFEC_W), -EDMM_ENOMEM);
	mirror();
}
END_TEST

START_TEST(faults_are_counted_by_kind)
{
	struct emm_stats s;

	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	for (uint32_t i = 0; i < 4; i++) {
		struct sgx_exinfo info = { .maddr = w_addr(i / 2),
					   .errcd = SGX_PFEC_W };

		ck_assert_int_eq(emm_fault(w.emm, &info), EMM_FAULT_CONTINUE);
	}
	ck_assert_int_eq(world_touch(&w, 20, SGX_PFEC_W), EMM_FAULT_SEARCH + 1);
	s = stats();
	ck_assert_uint_eq(s.faults, 5);
	ck_assert_uint_eq(s.fault_commits, 2);
	ck_assert_uint_eq(s.spurious, 2);
	ck_assert_uint_eq(s.commits, 2);
}
END_TEST

START_TEST(growsup_leaves_no_gap)
{
	alloc_at(0, 64, EMM_ON_DEMAND | EMM_GROWSUP, EMM_RW);
	ck_assert_int_eq(world_touch(&w, 9, SGX_PFEC_W), 0);
	ck_assert_uint_eq(stats().committed, bytes(10));
	mirror();
}
END_TEST

static void alloc_windows(uint32_t least, uint32_t most)
{
	struct emm_alloc a = { .addr = w_addr(0),
			       .size = bytes(256),
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW,
			       .policy = { least * 4096, most * 4096 } };

	ck_assert_int_eq(emm_alloc(w.emm, &a, NULL), 0);
}

START_TEST(windows_double)
{
	alloc_windows(1, 64);
	touch_expect(0, 1);
	touch_expect(1, 3);
	touch_expect(3, 7);
	touch_expect(200, 8);
}
END_TEST

/* Random touches come to cost what they touch. */
START_TEST(windows_halve)
{
	alloc_windows(16, 64);
	touch_expect(200, 16);
	touch_expect(100, 24);
	touch_expect(10, 28);
	touch_expect(150, 30);
	touch_expect(60, 31);
	touch_expect(80, 32);
	touch_expect(81, 34); /* in sequence again */
	touch_expect(83, 38);
}
END_TEST

/* Two sequences in one area are two sequences. */
START_TEST(windows_double_for_each)
{
	alloc_windows(1, 8);
	touch_expect(0, 1);
	touch_expect(128, 2);
	touch_expect(1, 4);
	touch_expect(129, 8);
	touch_expect(3, 16);
	touch_expect(133, 24);
	touch_expect(11, 32);
	touch_expect(141, 40);
}
END_TEST

START_TEST(lazy_pages_are_zeroed)
{
	alloc_at(0, 64, EMM_ON_DEMAND | EMM_LAZY, EMM_RW);
	commit(0, 64);
	memset(w_bytes(&w, 5), 0x5a, EMM_PAGE);
	world_zero_counts(&w);
	uncommit(0, 64);
	ck_assert_uint_eq(w.modifies, 0);
	ck_assert_uint_eq(stats().idle, bytes(64));
	mirror();
	ck_assert_int_eq(world_touch(&w, 5, SGX_PFEC_W), 0);
	commit(0, 64);
	ck_assert_uint_eq(w.accepts, 0);
	ck_assert_uint_eq(w_bytes(&w, 5)[99], 0);
	ck_assert_uint_eq(stats().idle, 0);
	mirror();
}
END_TEST

START_TEST(idle_cap_releases_runs)
{
	emm_set_idle_max(w.emm, bytes(32));
	alloc_at(0, 64, EMM_ON_DEMAND | EMM_LAZY, EMM_RW);
	commit(0, 64);
	uncommit(0, 30);
	ck_assert_uint_eq(stats().idle, bytes(30));
	uncommit(30, 4);
	ck_assert_uint_eq(stats().idle, bytes(16));
	ck_assert_uint_eq(w.modifies, 2);
	mirror();
	ck_assert_int_eq(emm_trim(w.emm, UINT64_MAX, NULL), 0);
	ck_assert_uint_eq(stats().idle, 0);
	mirror();
}
END_TEST

START_TEST(limit_changes_nothing)
{
	uint64_t done = 1;

	emm_set_limit(w.emm, bytes(20));
	alloc_at(0, 64, EMM_ON_DEMAND, EMM_RW);
	commit(0, 16);
	ck_assert_int_eq(emm_commit(w.emm, w_addr(10), bytes(11), &done),
			 -EDMM_ENOMEM);
	ck_assert_uint_eq(stats().committed, bytes(16));
	commit(10, 10);
	ck_assert_int_eq(world_touch(&w, 40, SGX_PFEC_W), -EDMM_ENOMEM);
	ck_assert_int_eq(try_alloc(64, 1, EMM_COMMIT_NOW, EMM_RW),
			 -EDMM_ENOMEM);
	ck_assert_int_eq(try_alloc(64, 1, EMM_ON_DEMAND, EMM_RW), 0);
	mirror();
}
END_TEST

START_TEST(data_has_its_rights_at_once)
{
	const void *src = (const void *)(W_BASE + W_SRC * EMM_PAGE);

	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	ck_assert_int_eq(
		emm_commit_data(w.emm, w_addr(2), bytes(3), src, EMM_RX), 0);
	ck_assert_uint_eq(w_bytes(&w, 3)[1], 0xa1);
	ck_assert_uint_eq(w_rights(&w, 3), MACH_R | MACH_X);
	ck_assert_uint_eq(w.modifies, 0);
	mirror();
	ck_assert_int_eq(
		emm_commit_data(w.emm, w_addr(2), bytes(3), src, EMM_RX),
		-EDMM_EACCES);
}
END_TEST

START_TEST(tcs_and_back)
{
	alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
	ck_assert_int_eq(emm_make_tcs(w.emm, w_addr(1)), -EDMM_EACCES);
	commit(0, 4);
	((struct sgx_tcs *)(void *)w_bytes(&w, 1))->nssa = 1;
	ck_assert_int_eq(emm_make_tcs(w.emm, w_addr(1)), 0);
	ck_assert_int_eq(emm_make_tcs(w.emm, w_addr(1)), 0);
	ck_assert_int_eq(state_of(1), EMM_PG_TCS);
	mirror();
	ck_assert_int_eq(emm_protect(w.emm, w_addr(0), bytes(4), EMM_R, NULL),
			 -EDMM_EACCES);
	uncommit(0, 4);
	ck_assert_int_eq(state_of(1), EMM_PG_UNCOMMITTED);
	mirror();
	commit(0, 4);
	mirror();
}
END_TEST

START_TEST(carve_from_reservations)
{
	alloc_at(0, 64, EMM_RESERVE, EMM_NONE);
	alloc_at(16, 16, EMM_ON_DEMAND, EMM_RW);
	ck_assert_uint_eq(stats().areas, 3);
	ck_assert_int_eq(try_alloc(8, 16, EMM_ON_DEMAND, EMM_RW), -EDMM_EEXIST);
	commit(16, 16);
	ck_assert_int_eq(emm_commit(w.emm, w_addr(15), bytes(2), NULL),
			 -EDMM_EACCES);
	mirror();
	dealloc(0, 64);
	ck_assert_uint_eq(stats().areas, 0);
	mirror();
}
END_TEST

static int handler_calls;

static int own_handler(const struct sgx_exinfo *info, void *priv)
{
	handler_calls++;
	ck_assert_ptr_eq(priv, &handler_calls);
	/* It may use the EMM, also for this very page. */
	return emm_commit(w.emm, info->maddr & ~(EMM_PAGE - 1), EMM_PAGE, NULL)
		       ? EMM_FAULT_SEARCH
		       : EMM_FAULT_CONTINUE;
}

START_TEST(areas_may_have_handlers)
{
	struct emm_alloc a = { .addr = w_addr(0),
			       .size = bytes(4),
			       .flags = EMM_ON_DEMAND | EMM_FIXED,
			       .prot = EMM_RW,
			       .handler = own_handler,
			       .priv = &handler_calls };

	ck_assert_int_eq(emm_alloc(w.emm, &a, NULL), 0);
	ck_assert_int_eq(world_touch(&w, 2, SGX_PFEC_W), 0);
	ck_assert_int_eq(handler_calls, 1);
	ck_assert_uint_eq(stats().committed, bytes(1));
	mirror();
}
END_TEST

START_TEST(anywhere_is_lowest_and_aligned)
{
	struct emm_alloc a = { .size = bytes(4),
			       .flags = EMM_ON_DEMAND,
			       .prot = EMM_RW };
	uint64_t at;

	ck_assert_int_eq(emm_alloc(w.emm, &a, &at), 0);
	ck_assert_uint_eq(at, w_addr(0));
	a.policy.window_min = 8192;
	ck_assert_int_eq(emm_alloc(w.emm, &a, &at), 0);
	ck_assert_uint_eq(at, w_addr(4));
	a.align = 20;
	ck_assert_int_eq(emm_alloc(w.emm, &a, &at), 0);
	ck_assert_uint_eq(at & 0xfffff, 0);
	a.align = 0;
	a.size = bytes(2048);
	ck_assert_int_eq(emm_alloc(w.emm, &a, &at), -EDMM_ENOMEM);
	a.size = bytes(1024 - 12 - 256);
	mirror();
}
END_TEST

START_TEST(registered_pages)
{
	struct emm_alloc a = { .addr = w_addr(0),
			       .size = bytes(8),
			       .flags = EMM_ON_DEMAND,
			       .prot = EMM_RW };

	world_add(&w, 0, 24);
	ck_assert_int_eq(emm_register(w.emm, &a, EMM_LOADED_COMMITTED), 0);
	ck_assert_int_eq(emm_register(w.emm, &a, EMM_LOADED_COMMITTED),
			 -EDMM_EEXIST);
	a.addr = w_addr(8);
	ck_assert_int_eq(emm_register(w.emm, &a, EMM_LOADED_IDLE), 0);
	a.addr = w_addr(16);
	a.flags = EMM_RESERVE;
	a.prot = EMM_NONE;
	ck_assert_int_eq(emm_register(w.emm, &a, EMM_LOADED_IDLE), 0);
	ck_assert_int_eq(state_of(16), EMM_PG_FREE_IDLE);
	ck_assert_uint_eq(stats().committed, bytes(8));
	ck_assert_uint_eq(stats().idle, bytes(16));
	mirror();
	ck_assert_int_eq(world_touch(&w, 9, SGX_PFEC_W), 0);
	ck_assert_uint_eq(w_bytes(&w, 9)[3], 0x77);
	commit(8, 8);
	ck_assert_uint_eq(w_bytes(&w, 9)[3], 0);
	alloc_at(12 + 4, 16, EMM_ON_DEMAND, EMM_RW);
	commit(16, 16);
	ck_assert_uint_eq(w_bytes(&w, 17)[3], 0);
	ck_assert_uint_eq(w.accepts, 8);
	mirror();
	dealloc(0, 32);
	ck_assert_uint_eq(stats().committed + stats().idle, 0);
	mirror();
}
END_TEST

START_TEST(hostile_rights_are_repaired)
{
	struct sgx_exinfo info = { .maddr = w_addr(1),
				   .errcd = SGX_PFEC_P | SGX_PFEC_U |
					    SGX_PFEC_W | SGX_PFEC_SGX };

	alloc_at(0, 4, EMM_ON_DEMAND, EMM_RW);
	commit(0, 4);
	world_restrict(&w, 1, EMM_R);
	ck_assert_int_eq(emm_fault(w.emm, &info), EMM_FAULT_CONTINUE);
	ck_assert_uint_eq(w_rights(&w, 1), MACH_R | MACH_W);
	mirror();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("emm flows");
	TCase *plain = tcase_create("plain");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(plain, open_plain, shut);
	tcase_add_test(plain, commit_is_one_accept_a_page);
	tcase_add_test(plain, commit_now_and_back);
	tcase_add_test(plain, fault_commits_on_demand_only);
	tcase_add_test(plain, recommitted_page_gets_its_rights);
	tcase_add_test(plain, none_keeps_data);
	tcase_add_test(plain, parts_of_none_areas);
	tcase_add_test(plain, relax_is_free_when_wide);
	tcase_add_test(plain, one_call_a_run_over_areas);
	tcase_add_test(plain, trim_joins_rights);
	tcase_add_test(plain, equal_areas_are_one);
	tcase_add_test(plain, flips_leave_no_metadata);
	tcase_add_test(plain, growsdown_leaves_no_gap);
	tcase_add_test(plain, growsup_leaves_no_gap);
	tcase_add_test(plain, growsdown_windows_go_down);
	tcase_add_test(plain, growsup_windows_go_up);
	tcase_add_test(plain, windows_end_at_the_limit);
	tcase_add_test(plain, growth_accepts_in_its_order);
	tcase_add_test(plain, faults_are_counted_by_kind);
	tcase_add_test(plain, windows_double);
	tcase_add_test(plain, windows_halve);
	tcase_add_test(plain, windows_double_for_each);
	tcase_add_test(plain, lazy_pages_are_zeroed);
	tcase_add_test(plain, idle_cap_releases_runs);
	tcase_add_test(plain, limit_changes_nothing);
	tcase_add_test(plain, data_has_its_rights_at_once);
	tcase_add_test(plain, tcs_and_back);
	tcase_add_test(plain, carve_from_reservations);
	tcase_add_test(plain, areas_may_have_handlers);
	tcase_add_test(plain, anywhere_is_lowest_and_aligned);
	tcase_add_test(plain, registered_pages);
	tcase_add_test(plain, hostile_rights_are_repaired);
	suite_add_tcase(s, plain);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
