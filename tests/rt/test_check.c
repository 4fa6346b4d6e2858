/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up checks and relocation, hosted: one bad value at a time.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rt/fake_rt.h"

static struct edmm_layout good;

static void setup(void)
{
	fake_base = 1ull << 40;
	fake_layout_good(&good);
}

START_TEST(a_good_layout_passes)
{
	ck_assert_ptr_null(rt_layout_check(&good));
}
END_TEST

/* Field, value: each alone makes the layout bad. */
#define BAD(member, v)                                                  \
	{                                                               \
		offsetof(struct edmm_layout, member),                   \
			sizeof(((struct edmm_layout *)0)->member), (v), \
			#member "=" #v                                  \
	}

static const struct {
	size_t off, size;
	uint64_t v;
	const char *name;
} bad_field[] = {
	BAD(magic, 1),
	BAD(version, 3),
	BAD(elrange_size, 0),
	BAD(elrange_size, (1ull << 30) + 4096),
	BAD(elrange_size, 1ull << 48),
	BAD(elrange_size, 1ull << 41), /* base is not aligned to it */
	BAD(image_size, 0),
	BAD(image_size, 0x20001),
	BAD(image_size, 0x22000),
	BAD(image_size, 1ull << 31),
	BAD(ssa_frame_pages, 0),
	BAD(ssa_frame_pages, 0xffffffff),
	BAD(nssa, 1),
	BAD(nssa, 0xffffffff),
	BAD(ctx_off, 0x21001),
	BAD(ctx_off, UINT64_MAX - 4095),
	BAD(ctx_stride, 0x20001),
	BAD(ctx_stride, 1ull << 63),
	BAD(ctx_stride, 0x10000),
	BAD(ctx_count, 0),
	BAD(ctx_count, 0xffffffff),
	BAD(ctx_ssa, 0),
	BAD(ctx_ssa, 0x2000),
	BAD(ctx_thread, 0x9000),
	BAD(ctx_thread_size, 0),
	BAD(ctx_thread_size, 0x3000),
	BAD(ctx_xstack, 0xa000),
	BAD(ctx_xstack, 0x1f000),
	BAD(ctx_xstack_size, 0x1000),
	BAD(ctx_xstack_size, UINT64_MAX - 4095),
	BAD(ctx_sys, 0),
	BAD(ctx_sys, 0x15000),
	BAD(ctx_sys, 0x17001),
	BAD(ctx_sys, 0x1d000),
	BAD(ctx_sys_size, 0),
	BAD(ctx_sys_size, 0x1000),
	BAD(ctx_sys_size, UINT64_MAX - 4095),
	BAD(stack_off, 0x60000),
	BAD(stack_size, 0),
	BAD(stack_size, 1ull << 62),
	BAD(stack_init, 0),
	BAD(stack_init, 0x801000),
	BAD(meta_off, 0x861000),
	BAD(meta_size, UINT64_MAX - 4095),
	BAD(meta_init, 0x101000),
	BAD(heap_off, 0x962000),
	BAD(heap_bound, 1ull << 30),
	BAD(heap_init, 1ull << 30),
	BAD(ctx_count, EDMM_CONTEXTS_MAX + 1),
	BAD(made_count, 5),
	BAD(made_count, EDMM_MADE_MAX + 1),
	BAD(made_count, UINT64_MAX),
	BAD(made_off, (1ull << 30) - 0x80001),
	BAD(made_off, 0x970000), /* within the heap */
	BAD(made_off, UINT64_MAX - 4095),
	BAD(flags, 0), /* a static image makes none */
};

START_TEST(each_bad_field_is_found)
{
	struct edmm_layout l = good;

	memcpy((uint8_t *)&l + bad_field[_i].off, &bad_field[_i].v,
	       bad_field[_i].size);
	ck_assert_msg(rt_layout_check(&l) != NULL, "%s passes",
		      bad_field[_i].name);
}
END_TEST

/* Together they are 2^64 bytes, which is none. */
START_TEST(contexts_do_not_wrap)
{
	good.elrange_size = 1ull << 40;
	ck_assert_ptr_null(rt_layout_check(&good));
	good.ctx_stride = 1ull << 36;
	good.ctx_count = 1u << 28;
	ck_assert_ptr_nonnull(rt_layout_check(&good));
}
END_TEST

START_TEST(the_own_report_must_agree)
{
	const struct sgx_report r = {
		.miscselect = SGX_MISC_EXINFO,
		.attributes = { SGX_ATTR_INIT | SGX_ATTR_MODE64BIT,
				SGX_XFRM_LEGACY },
	};
	struct sgx_report b = r;

	ck_assert_ptr_null(rt_report_check(&good, &r));
	b.miscselect = 0;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	good.flags = 0;
	ck_assert_ptr_null(rt_report_check(&good, &b));
	b = r;
	b.miscselect = 3;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	b = r;
	b.attributes.flags |= SGX_ATTR_DEBUG;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	good.flags = EDMM_LAYOUT_DEBUG;
	ck_assert_ptr_null(rt_report_check(&good, &b));
	b = r;
	b.attributes.flags |= SGX_ATTR_AEXNOTIFY;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	b = r;
	b.attributes.flags &= ~SGX_ATTR_INIT;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	b = r;
	b.attributes.xfrm = 1;
	ck_assert_ptr_nonnull(rt_report_check(&good, &b));
	for (uint64_t bit = 4; bit; bit <<= 1) {
		b.attributes.xfrm = SGX_XFRM_LEGACY | bit;
		ck_assert_int_eq(!rt_report_check(&good, &b),
				 !(bit & ~0xe4ull));
	}
}
END_TEST

static const struct wire_start ok_start = { .version = WIRE_VERSION,
					    .size = sizeof(ok_start),
					    .arg_size = 1,
					    .argc = 1 };

#define BAD_START(member, v)                                              \
	do {                                                              \
		struct wire_start s = ok_start;                           \
                                                                          \
		s.member = (v);                                           \
		ck_assert_msg(rt_start_check(&good, &s), #member "=" #v); \
	} while (0)

START_TEST(start_values_are_bounded)
{
	struct wire_start most = ok_start;

	ck_assert_ptr_null(rt_start_check(&good, &ok_start));
	most.heap_max = good.heap_bound;
	ck_assert_ptr_null(rt_start_check(&good, &most));
	BAD_START(heap_max, good.heap_bound + 4096);
	BAD_START(heap_max, 4095);
	BAD_START(heap_window, 4095);
	BAD_START(heap_window, WIRE_WINDOW_MAX + 4096);
	BAD_START(heap_free_percent, 101);
	BAD_START(threads_max, 7);
	BAD_START(version, WIRE_VERSION + 1);
	BAD_START(size, sizeof(struct wire_start) - 1);
	BAD_START(arg_size, WIRE_ARG_MAX + 1);
	BAD_START(arg_size, 0);
	BAD_START(argc, 0);
	BAD_START(argc, WIRE_ARGC_MAX + 1);
	BAD_START(envc, WIRE_ARGC_MAX + 1);
	BAD_START(flags, WIRE_START_FLAGS + 1);
	BAD_START(stats_addr, 8);
}
END_TEST

START_TEST(argument_blocks_hold_their_strings)
{
	ck_assert(rt_args_check("a\0bc\0", 5, 2));
	ck_assert(rt_args_check("", 1, 1));
	ck_assert(!rt_args_check("a\0bc", 4, 2));
	ck_assert(!rt_args_check("a\0bc\0", 5, 3));
	ck_assert(!rt_args_check("a\0bc\0", 5, 1));
	ck_assert(!rt_args_check("", 0, 0));
}
END_TEST

/* An image of four words, then the relocation records. */
struct image {
	uint64_t slot[4];
	struct {
		uint64_t offset, info;
		int64_t addend;
	} rela[2];
};

static const struct image fresh = {
	.rela = { { 0, 8, 16 }, { 24, 8, 0 } },
};

static bool relocate(struct image *im, uint64_t size)
{
	const struct rt_dyn dyn[] = { { 7, offsetof(struct image, rela) },
				      { 8, size },
				      { 9, 24 },
				      { 0, 0 } };

	return rt_relocate((uint8_t *)im, sizeof(*im), dyn);
}

START_TEST(relative_relocations_are_applied)
{
	struct image im = fresh;

	ck_assert(relocate(&im, sizeof(im.rela)));
	ck_assert_uint_eq(im.slot[0], (uint64_t)&im + 16);
	ck_assert_uint_eq(im.slot[3], (uint64_t)&im);
	ck_assert_uint_eq(im.slot[1], 0);
}
END_TEST

START_TEST(other_relocations_are_refused)
{
	const struct rt_dyn rel[] = { { 17, 0 }, { 0, 0 } };
	const struct rt_dyn text[] = { { 22, 0 }, { 0, 0 } };
	const struct rt_dyn none[] = { { 0, 0 } };
	struct image im = fresh;

	im.rela[1].info = 1;
	ck_assert(!relocate(&im, sizeof(im.rela)));
	im = fresh;
	im.rela[0].offset = sizeof(im) - 7;
	ck_assert(!relocate(&im, sizeof(im.rela)));
	im = fresh;
	im.rela[0].offset = UINT64_MAX - 7;
	ck_assert(!relocate(&im, sizeof(im.rela)));
	im = fresh;
	ck_assert(!relocate(&im, sizeof(im.rela) + 24));
	ck_assert(!relocate(&im, 23));
	ck_assert(!rt_relocate((uint8_t *)&im, sizeof(im), rel));
	ck_assert(!rt_relocate((uint8_t *)&im, sizeof(im), text));
	ck_assert(rt_relocate((uint8_t *)&im, sizeof(im), none));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("start-up checks");
	TCase *t = tcase_create("checks");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_good_layout_passes);
	tcase_add_loop_test(t, each_bad_field_is_found, 0,
			    (int)(sizeof(bad_field) / sizeof(*bad_field)));
	tcase_add_test(t, contexts_do_not_wrap);
	tcase_add_test(t, the_own_report_must_agree);
	tcase_add_test(t, start_values_are_bounded);
	tcase_add_test(t, argument_blocks_hold_their_strings);
	tcase_add_test(t, relative_relocations_are_applied);
	tcase_add_test(t, other_relocations_are_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
