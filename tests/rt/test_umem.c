/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * umem, hosted: ranges against ELRANGE, copies of any alignment and length,
 * nothing written beside the range, faults answered.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/rt/fake_rt.h"

#define SIZE (1ull << 30)
#define PAGE 4096u

static uint8_t *arena;

static void setup(void)
{
	fake_elrange(SIZE);
	fake_fixups();
	arena = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Readable and writable in the middle, a hole on either side. */
	mprotect(arena, PAGE, PROT_NONE);
	mprotect(arena + 3 * PAGE, PAGE, PROT_NONE);
}

START_TEST(ranges_that_touch_elrange_are_refused)
{
	const struct {
		uint64_t addr, size;
		bool ok;
	} row[] = {
		{ fake_base - PAGE, PAGE, true },
		{ fake_base - PAGE, PAGE + 1, false },
		{ fake_base - 1, 2, false },
		{ fake_base, 1, false },
		{ fake_base + SIZE - 1, 1, false },
		{ fake_base + SIZE, 1, true },
		{ fake_base - PAGE, SIZE + 2 * PAGE, false },
		{ UINT64_MAX - 7, 16, false },
		{ UINT64_MAX, 1, false },
		{ 0, 1, false },
		{ 0xffff, 1, false },
		{ 0x10000, 1, true },
		{ 0x10000, 0, false },
		{ (1ull << 47) - 1, 1, true },
		{ (1ull << 47) - 1, 2, false },
		{ 1ull << 63, 8, false },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		umem_t p = umem_at(row[i].addr, row[i].size);

		ck_assert_msg(!!p == row[i].ok, "row %zu: %p", i,
			      (void *)umem_addr(p));
	}
}
END_TEST

START_TEST(inside_is_whole_and_outside_is_none)
{
	ck_assert(rt_inside(fake_base, SIZE));
	ck_assert(!rt_inside(fake_base, SIZE + 1));
	ck_assert(!rt_inside(fake_base + SIZE - 1, 2));
	ck_assert(!rt_inside(fake_base, 0));
	ck_assert(!rt_inside(fake_base - 1, 1));
	ck_assert(!rt_inside(fake_base + 1, UINT64_MAX));
	ck_assert(rt_outside(fake_base - 8, 8));
	ck_assert(!rt_outside(fake_base - 8, 9));
	ck_assert(!rt_outside(UINT64_MAX - 1, 4));
}
END_TEST

START_TEST(copies_of_every_alignment_and_length)
{
	uint8_t *base = arena + PAGE;
	uint8_t in[64], out[64], want[64];

	for (size_t skip = 0; skip < 16; skip++)
		for (size_t n = 0; n <= 40; n++) {
			umem_t p = umem_at((uint64_t)(base + skip), 64);

			for (size_t i = 0; i < 64; i++) {
				base[i] = (uint8_t)(i + 1);
				in[i] = (uint8_t)(200 - i);
				out[i] = 0xee;
			}
			ck_assert_int_eq(umem_read(out, p, n), 0);
			ck_assert(!memcmp(out, base + skip, n));
			ck_assert_uint_eq(out[n], 0xee);

			memcpy(want, base, 64);
			memcpy(want + skip, in, n);
			ck_assert_int_eq(umem_write(p, in, n), 0);
			ck_assert(!memcmp(want, base, 64));
		}
}
END_TEST

START_TEST(copies_stay_in_the_aligned_words_of_the_range)
{
	uint8_t out[16];
	/* The last bytes before a hole: a word more would fault. */
	uint8_t *last = arena + 3 * PAGE;
	uint8_t *first = arena + PAGE;

	for (size_t n = 1; n <= 16; n++) {
		umem_t p = umem_at((uint64_t)(last - n), n);

		ck_assert_int_eq(umem_read(out, p, n), 0);
		ck_assert_int_eq(umem_write(p, out, n), 0);
		p = umem_at((uint64_t)first, n);
		ck_assert_int_eq(umem_read(out, p, n), 0);
		ck_assert_int_eq(umem_write(p, out, n), 0);
	}
}
END_TEST

START_TEST(a_hole_is_efault)
{
	uint8_t b[64] = { 0 };
	uint8_t *last = arena + 3 * PAGE;

	for (size_t n = 1; n <= 64; n++) {
		umem_t p = umem_at((uint64_t)(last - n + 1), n);

		ck_assert_int_eq(umem_read(b, p, n), -EDMM_EFAULT);
		ck_assert_int_eq(umem_write(p, b, n), -EDMM_EFAULT);
	}
}
END_TEST

START_TEST(moving_into_elrange_after_umem_at_is_efault)
{
	uint8_t b[16] = { 0 };
	umem_t p = umem_at(fake_base - 8, 8);

	ck_assert_uint_ne(umem_addr(p), 0);
	ck_assert_int_eq(umem_read(b, p, 9), -EDMM_EFAULT);
	ck_assert_int_eq(umem_write(p + 8, b, 8), -EDMM_EFAULT);
}
END_TEST

START_TEST(words_must_be_aligned)
{
	uint8_t *base = arena + PAGE;
	umem_t p = umem_at((uint64_t)base, 16);
	uint64_t v;

	ck_assert_int_eq(umem_put64(p, 0x1122334455667788ull), 0);
	ck_assert_int_eq(umem_get64(&v, p), 0);
	ck_assert_uint_eq(v, 0x1122334455667788ull);
	ck_assert_int_eq(umem_get64(&v, p + 4), -EDMM_EINVAL);
	ck_assert_int_eq(umem_put64(p + 1, v), -EDMM_EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("umem");
	TCase *t = tcase_create("umem");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, ranges_that_touch_elrange_are_refused);
	tcase_add_test(t, inside_is_whole_and_outside_is_none);
	tcase_add_test(t, copies_of_every_alignment_and_length);
	tcase_add_test(t, copies_stay_in_the_aligned_words_of_the_range);
	tcase_add_test(t, a_hole_is_efault);
	tcase_add_test(t, moving_into_elrange_after_umem_at_is_efault);
	tcase_add_test(t, words_must_be_aligned);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
