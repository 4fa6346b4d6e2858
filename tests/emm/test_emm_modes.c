/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds of their own kind: static images, hosts that populate or map
 * narrowly; and what metadata takes, and gives back.
 */
#include <string.h>

#include <check.h>

#include "tests/emm/flow.h"

START_TEST(static_images_need_no_edmm)
{
	struct emm_alloc a = { .size = bytes(32), .flags = EMM_RESERVE };

	open_with((struct w_config){ .static_mode = true, .pages = 64 });
	a.addr = w_addr(0);
	world_add(&w, 0, 32);
	ck_assert_int_eq(emm_register(w.emm, &a, EMM_LOADED_IDLE), 0);
	alloc_at(0, 64, EMM_ON_DEMAND, EMM_RW);
	commit(0, 16);
	ck_assert_uint_eq(w_bytes(&w, 3)[3], 0);
	memset(w_bytes(&w, 3), 0x5a, EMM_PAGE);
	uncommit(0, 16);
	ck_assert_uint_eq(stats().idle, bytes(32));
	commit(0, 32);
	ck_assert_uint_eq(w_bytes(&w, 3)[3], 0);
	ck_assert_int_eq(emm_commit(w.emm, w_addr(31), bytes(2), NULL),
			 -EDMM_ENOMEM);
	ck_assert_uint_eq(w.accepts + w.modifies, 0);
	mirror();
	dealloc(0, 64);
	ck_assert_int_eq(state_of(3), EMM_PG_FREE_IDLE);
	alloc_at(0, 4, EMM_COMMIT_NOW, EMM_RW);
	ck_assert_int_eq(try_alloc(30, 4, EMM_COMMIT_NOW, EMM_RW),
			 -EDMM_ENOMEM);
	mirror();
	shut();
}
END_TEST

static void fill(uint32_t page, uint32_t pages)
{
	for (uint32_t i = page; i < page + pages; i++)
		memset(w_bytes(&w, i), 0xaa, EMM_PAGE);
}

static void expect_zero(uint32_t page, uint32_t pages)
{
	for (uint32_t i = page; i < page + pages; i++)
		ck_assert_uint_eq(w_bytes(&w, i)[i], 0);
}

static void open_static(enum emm_loaded how)
{
	struct emm_alloc a = { .size = bytes(8), .flags = EMM_RESERVE };

	open_with((struct w_config){ .static_mode = true, .pages = 64 });
	a.addr = w_addr(0);
	world_add(&w, 0, 8);
	ck_assert_int_eq(emm_register(w.emm, &a, how), 0);
}

/* That a page may not be read says nothing of what is in it. */
START_TEST(no_rights_are_not_zeros)
{
	open_static(EMM_LOADED_IDLE);
	alloc_at(0, 8, EMM_COMMIT_NOW, EMM_RW);
	fill(0, 8);
	protect(0, 8, EMM_NONE);
	dealloc(0, 8);
	alloc_at(0, 8, EMM_COMMIT_NOW, EMM_RW);
	expect_zero(0, 8);
	fill(0, 8);
	dealloc(0, 8);
	alloc_at(0, 8, EMM_ON_DEMAND, EMM_NONE);
	dealloc(0, 8);
	alloc_at(0, 8, EMM_COMMIT_NOW, EMM_RW);
	expect_zero(0, 8);
	fill(0, 8);
	protect(0, 8, EMM_NONE);
	uncommit(0, 8);
	protect(0, 8, EMM_RW);
	commit(0, 8);
	expect_zero(0, 8);
	mirror();
	shut();
}
END_TEST

static bool known_zero(uint32_t page)
{
	struct emm_run r;

	ck_assert_int_eq(emm_query(w.emm, w_addr(page), 0, &r), 0);
	return r.zero;
}

/* Zeros stay known whatever the rights, until the page is somebody's. */
START_TEST(zeros_are_known)
{
	open_static(EMM_LOADED_ZERO);
	ck_assert(known_zero(0));
	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	ck_assert(known_zero(0));
	protect(0, 4, EMM_NONE);
	ck_assert(known_zero(0));
	protect(0, 4, EMM_R);
	dealloc(0, 8);
	ck_assert(known_zero(0));
	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	commit(0, 2);
	ck_assert(!known_zero(0));
	ck_assert(known_zero(2));
	uncommit(0, 8);
	ck_assert(!known_zero(0));
	dealloc(0, 8);
	ck_assert(!known_zero(1));
	ck_assert(known_zero(2));
	mirror();
	shut();
}
END_TEST

START_TEST(populate_once_a_run)
{
	open_with((struct w_config){ .populate = true });
	alloc_at(0, 300, EMM_ON_DEMAND, EMM_RW);
	commit(0, 300);
	ck_assert_uint_eq(w.populates, 1);
	ck_assert_uint_eq(w.accepts, 300);
	mirror();
	shut();
}
END_TEST

START_TEST(narrow_hosts_are_asked)
{
	open_with((struct w_config){ .narrow = true, .map = true });
	alloc_at(0, 8, EMM_ON_DEMAND, EMM_RW);
	ck_assert_uint_eq(w.maps, 1);
	commit(0, 8);
	protect(0, 8, EMM_RWX);
	ck_assert_uint_eq(w.modifies, 1);
	protect(0, 8, EMM_NONE);
	ck_assert_uint_eq(w.modifies, 3);
	mirror();
	shut();
}
END_TEST

START_TEST(metadata_grows_ahead)
{
	open_with((struct w_config){
		.pages = 262144, .epc_limit = 16, .meta_grow = 256 });
	for (uint32_t i = 0; i < 4000; i++)
		alloc_at(i * 64, 1, EMM_ON_DEMAND, EMM_RW);
	ck_assert_uint_gt(stats().meta_pool, w.meta_size - 256 * EMM_PAGE);
	ck_assert_ptr_null(emm_check(w.emm));
	dealloc(0, 262144);
	ck_assert_uint_eq(stats().areas, 0);
	shut();
}
END_TEST

static void sprinkle(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		alloc_at(i * 64, 1, EMM_ON_DEMAND, EMM_RW);
}

static uint32_t scattered(uint32_t i, uint32_t n)
{
	return (uint32_t)((uint64_t)i * 7919 % n) * 64;
}

/* Given back in any order, down to what it was and a margin. */
START_TEST(metadata_goes_back)
{
	const uint32_t n = 12007;
	uint64_t start, most;

	open_with((struct w_config){
		.pages = 1u << 20, .epc_limit = 16, .meta_grow = 1024 });
	start = stats().meta_pool;
	for (int round = 0; round < 3; round++) {
		sprinkle(n);
		most = stats().meta_pool;
		ck_assert_uint_gt(most, start + bytes(2 * n / 64));
		for (uint32_t i = 0; i < n; i++)
			dealloc(scattered(i, n), 1);
		ck_assert_uint_gt(w.meta_gone, 0);
		/* Fewer free pages than are worth a look; and the tables. */
		ck_assert_uint_le(stats().meta_pool,
				  start + bytes(64 + 4 * 16 + 32));
		ck_assert_ptr_null(emm_check(w.emm));
	}
	shut();
}
END_TEST

START_TEST(metadata_that_cannot_go_back)
{
	for (int f = WF_REFUSE; f < WF_COUNT; f++) {
		const uint32_t n = 8191;

		open_with((struct w_config){ .pages = 1u << 20,
					     .epc_limit = 16,
					     .meta_grow = 1024 });
		for (int round = 0; round < 3; round++) {
			sprinkle(n);
			w.fail_at = w.steps + 1 + (uint64_t)round;
			w.fault = (enum w_fault)f;
			w.for_ever = round == 2;
			for (uint32_t i = 0; i < n; i++)
				dealloc(scattered(i, n), 1);
			w.fail_at = 0;
			ck_assert_ptr_null(emm_check(w.emm));
			ck_assert_uint_eq(stats().areas, 0);
		}
		sprinkle(n);
		ck_assert_ptr_null(emm_check(w.emm));
		shut();
	}
}
END_TEST

START_TEST(metadata_is_told)
{
	struct emm_stats s;

	open_with((struct w_config){
		.pages = 1u << 20, .epc_limit = 64, .meta_grow = 256 });
	sprinkle(500);
	for (uint32_t i = 0; i < 100; i++)
		alloc_at((1u << 19) + i * 128, 64, EMM_ON_DEMAND, EMM_RW);
	s = stats();
	ck_assert_uint_eq(s.areas, 600);
	ck_assert_uint_eq(s.mixed, 500);
	ck_assert_uint_le(s.meta_area, 64);
	ck_assert_uint_le(s.meta_chunk, 64); /* a byte a page */
	ck_assert_uint_eq(s.meta_used, s.meta_fixed + s.meta_tables +
					       s.areas * s.meta_area +
					       s.mixed * s.meta_chunk);
	ck_assert_uint_ge(s.meta_pool, s.meta_used);
	shut();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("emm modes");
	TCase *own = tcase_create("own");
	SRunner *r;
	int failed;

	tcase_set_timeout(own, 60);
	tcase_add_test(own, static_images_need_no_edmm);
	tcase_add_test(own, no_rights_are_not_zeros);
	tcase_add_test(own, zeros_are_known);
	tcase_add_test(own, populate_once_a_run);
	tcase_add_test(own, narrow_hosts_are_asked);
	tcase_add_test(own, metadata_grows_ahead);
	tcase_add_test(own, metadata_goes_back);
	tcase_add_test(own, metadata_that_cannot_go_back);
	tcase_add_test(own, metadata_is_told);
	suite_add_tcase(s, own);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
