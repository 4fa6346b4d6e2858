/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another processor than this one, and another kernel: avx=0 and its kin,
 * vendor=, populate=1.
 */
#include <check.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/trap/encl.h"
#include "tests/trap/stats.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PAGE 4096ul
#define AVX 0x4ull
#define AVX512 0xe0ull
#define AMX 0x60000ull

static struct encl e;

struct regs {
	uint32_t a, b, c, d;
};

static struct regs cpuid(uint32_t leaf, uint32_t sub)
{
	struct regs r;

	__cpuid_count(leaf, sub, r.a, r.b, r.c, r.d);
	return r;
}

START_TEST(another_maker)
{
	struct regs r = cpuid(0, 0);
	char name[13] = { 0 };

	memcpy(name, &r.b, 4);
	memcpy(name + 4, &r.d, 4);
	memcpy(name + 8, &r.c, 4);
	ck_assert_str_eq(name, "GenuineIntel");
	ck_assert_uint_ge(r.a, 0x12);
}
END_TEST

START_TEST(no_avx)
{
	struct regs one = cpuid(1, 0), seven = cpuid(7, 0);
	struct regs xsave = cpuid(0xd, 0), sgx = cpuid(0x12, 1);

	ck_assert_uint_eq(one.c & (1u << 28 | 1u << 12 | 1u << 29), 0);
	ck_assert_uint_eq(seven.b & (1u << 5 | 1u << 16), 0);
	ck_assert_uint_eq(seven.d & (1u << 24), 0);
	ck_assert_uint_eq(xsave.a & (AVX | AVX512 | AMX), 0);
	ck_assert_uint_eq(xsave.a & 3, 3);
	ck_assert_uint_eq(sgx.c & (AVX | AVX512 | AMX), 0);
	ck_assert_uint_eq(sgx.c & 3, 3);
	ck_assert_uint_eq(cpuid(0xd, 2).a, 0);
	ck_assert_uint_ge(xsave.b, 576);
}
END_TEST

/* The enclave that asks for it is refused, one that does not runs. */
START_TEST(no_avx_for_enclaves)
{
	e = (struct encl){ .base = 1ull << 40, .size = ENCL_SIZE, .xfrm = 7 };
	ck_assert_int_eq(encl_open(&e), 0);
	ck_assert_int_eq(encl_create(&e), -EIO);
	encl_close(&e);
	e = (struct encl){ 0 };
	encl_make(&e);
	encl_do(&e, OP_NOP, 0, 0);
	encl_close(&e);
}
END_TEST

static uint64_t accept(uint64_t off)
{
	return encl_enclu(&e, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
			  e.base + off, 0);
}

/* EACCEPT finds the pages, and nobody has faulted. */
static void there_are(unsigned pages, const struct edmm_machine_stats *before)
{
	struct edmm_machine_stats now = stats();

	ck_assert_uint_eq(now.pages_augmented - before->pages_augmented, pages);
	for (unsigned i = 0; i < pages; i++)
		ck_assert_uint_eq(accept(ENCL_FREE + i * PAGE), 0);
	now = stats();
	ck_assert_uint_eq(now.fault_eaug, before->fault_eaug);
	ck_assert_uint_eq(now.pages_augmented - before->pages_augmented, pages);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 5);
	ck_assert_uint_eq(accept(ENCL_FREE + pages * PAGE), 0);
	ck_assert_uint_eq(stats().fault_eaug, before->fault_eaug + 1);
}

START_TEST(map_populate_adds_pages)
{
	struct edmm_machine_stats before;
	void *at;

	e = (struct encl){ 0 };
	encl_make(&e);
	at = (void *)(e.base + ENCL_FREE);
	before = stats();
	ck_assert_ptr_eq(mmap(at, 8 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED | MAP_POPULATE, e.fd, 0),
			 at);
	there_are(8, &before);
	encl_close(&e);
}
END_TEST

START_TEST(will_need_adds_pages)
{
	struct edmm_machine_stats before;

	e = (struct encl){ 0 };
	encl_make(&e);
	before = stats();
	ck_assert_int_eq(
		madvise((void *)(e.base + ENCL_FREE), 3 * PAGE, MADV_WILLNEED),
		0);
	there_are(3, &before);
	encl_close(&e);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("lesser");
	TCase *t = tcase_create("lesser");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "avx=0,amx=0,vendor=GenuineIntel,populate=1");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, another_maker);
	tcase_add_test(t, no_avx);
	tcase_add_test(t, no_avx_for_enclaves);
	tcase_add_test(t, map_populate_adds_pages);
	tcase_add_test(t, will_need_adds_pages);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
