/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The image builder lays out what the memory manager needs, for every address
 * range and number of contexts that a policy may have: the two sides keep
 * their own sums, and know nothing of each other.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edmm/emm.h"
#include "edmm/image.h"

#define GIB (1ull << 30)

static struct edmm_image *image;

static void setup(void)
{
	struct edmm_diag diag;

	ck_assert_msg(!edmm_image_read(TINY, &image, &diag), "%s", diag.text);
}

static void teardown(void)
{
	edmm_image_free(image);
}

static void check_plan(const struct edmm_image_policy *p)
{
	struct edmm_diag diag;
	struct edmm_plan plan;
	const struct edmm_layout *l = &plan.layout;
	uint64_t size, min;
	uint32_t threads;

	ck_assert_msg(!edmm_plan_make(image, p, &plan, &diag), "%s", diag.text);
	threads = l->ctx_count;
	size = l->heap_off + l->heap_bound - l->stack_off;
	if (l->made_count) {
		ck_assert_uint_le(l->heap_off + l->heap_bound, l->made_off);
		size = l->made_off + l->made_count * l->ctx_stride -
		       l->stack_off;
		/* As the runtime has it: OPS_MADE. */
		threads = threads < 32 ? 32 : threads;
	}
	min = emm_meta_min(size, threads);
	ck_assert_uint_le(size, EDMM_MANAGED_MAX);
	ck_assert_msg(min <= l->meta_init, "range 0x%lx, %u contexts: 0x%lx",
		      l->elrange_size, threads, min);
	ck_assert_uint_le(emm_meta_bound(size, threads, 1000), l->meta_size);
	edmm_plan_free(&plan);
}

START_TEST(elastic)
{
	static const uint32_t contexts[] = { 1, 2, 7, 8, 28, 64, 65, 1024 };
	struct edmm_image_policy p;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	p.elrange_size = GIB << _i;
	for (unsigned i = 0; i < 8; i++) {
		p.ctx_count = contexts[i];
		check_plan(&p);
	}
}
END_TEST

START_TEST(static_image)
{
	struct edmm_image_policy p;

	edmm_policy_default(EDMM_MODE_STATIC, &p);
	p.heap_size = 2 * GIB << _i;
	p.ctx_count = 1024;
	check_plan(&p);
}
END_TEST

START_TEST(too_much)
{
	struct edmm_image_policy p;
	struct edmm_diag diag;
	struct edmm_plan plan;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	p.elrange_size = 65536 * GIB;
	ck_assert_int_ne(edmm_plan_make(image, &p, &plan, &diag), 0);
	ck_assert_ptr_nonnull(strstr(diag.text, "at most 32T"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("range");
	TCase *t = tcase_create("range");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, elastic, 0, 16);
	tcase_add_loop_test(t, static_image, 0, 10);
	tcase_add_test(t, too_much);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
