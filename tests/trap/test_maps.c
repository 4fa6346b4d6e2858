/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The number of mappings stays small whatever the pages are: 1 GiB with
 * every second page read-only would take 262,144 with one mapping a run of
 * equal rights, four times the default vm.max_map_count; and random pages of
 * 16 GiB.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define TRIM SGX_SECINFO_PT(SGX_PT_TRIM)
#define MAPS_MAX 200
#define BIG 0x40000000ull
#define SCATTERED 1500u

static struct encl e;

static unsigned maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned n = 0;
	int c;

	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void many(enum encl_op op, uint64_t flags, uint64_t off, uint64_t count)
{
	struct encl_cmd cmd = {
		.op = op, .flags = flags, .addr = e.base + off, .value = count
	};
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(cmd.rax, 0);
}

START_TEST(every_second_page_is_read_only)
{
	struct encl_cmd cmd = { .op = OP_WRITE, .value = 1 };
	struct sgx_enclave_run run = { 0 };

	e.size = 2 * BIG;
	encl_make(&e);
	many(OP_ACCEPT, REG | RW | SGX_SECINFO_PENDING, ENCL_FREE, BIG / 4096);
	ck_assert_int_eq(encl_restrict(&e, ENCL_FREE, BIG, SGX_SECINFO_R, NULL),
			 0);
	many(OP_EXTEND, RW, ENCL_FREE, BIG / 8192);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE + BIG / 2, 3);
	cmd.addr = e.base + ENCL_FREE + BIG / 2 + 4096;
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.exception_error_code, 0x8007);
	ck_assert_uint_lt(maps(), MAPS_MAX);
	encl_close(&e);
}
END_TEST

START_TEST(random_pages_of_16_gib)
{
	uint64_t rng = 88172645463325252ull, off[SCATTERED];

	e = (struct encl){ .size = 1ull << 34 };
	encl_make(&e);
	for (unsigned i = 0; i < SCATTERED; i++) {
		rng ^= rng << 13;
		rng ^= rng >> 7;
		rng ^= rng << 17;
		off[i] = ENCL_FREE +
			 (rng % ((1ull << 34) - (1 << 20)) & ~0xfffull);
		many(OP_ACCEPT, REG | RW | SGX_SECINFO_PENDING, off[i], 1);
		if (i % 2)
			continue;
		ck_assert_int_eq(
			encl_modify(&e, off[i], 4096, SGX_PT_TRIM, NULL), 0);
		many(OP_ACCEPT, TRIM | SGX_SECINFO_MODIFIED, off[i], 1);
		ck_assert_int_eq(encl_remove(&e, off[i], 4096, NULL), 0);
	}
	ck_assert_uint_lt(maps(), MAPS_MAX);
	encl_close(&e);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("maps");
	TCase *t = tcase_create("maps");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "epc=1280M,view=uffd");
	tcase_set_timeout(t, 600);
	tcase_add_test(t, every_second_page_is_read_only);
	tcase_add_test(t, random_pages_of_16_gib);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
