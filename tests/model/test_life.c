/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a page and of a thread, leaf after leaf. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/model/kit.h"

#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)

static struct kit kit;

static void setup(void)
{
	kit_open(&kit, NULL);
	kit_build(&kit, 0);
}

static void teardown(void)
{
	char why[200] = "";

	ck_assert_msg(
		mach_check_cpus(kit.m, kit.cpu, KIT_CPUS, why, sizeof(why)),
		"%s", why);
	kit_close(&kit);
}

static void assert_ok(struct mach_result r)
{
	ck_assert_msg(mach_ok(r),
		      "kind %u vector %u code %u pfec %#x addr %#lx", r.kind,
		      r.vector, r.code, r.pfec, (unsigned long)r.addr);
}

static void assert_code(struct mach_result r, enum sgx_code code)
{
	ck_assert_uint_eq(r.kind, MACH_CODE);
	ck_assert_uint_eq(r.code, code);
}

static unsigned rights(unsigned page)
{
	return mach_rights(kit.m, kit_page_epc(&kit, 0, page));
}

START_TEST(enter_and_exit)
{
	struct mach_frame *f = &kit.frame;

	f->rdi = 77;
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	ck_assert(mach_inside(&kit.cpu[0]));
	ck_assert_uint_eq(f->rax, 0);
	ck_assert_uint_eq(f->rcx, KIT_ENCLU + 3);
	ck_assert_uint_eq(f->rip, kit_addr(0, KIT_CODE) + 0x40);
	ck_assert_uint_eq(f->rdi, 77);
	ck_assert_uint_eq(f->rsp, 0x7fff0000);
	ck_assert_uint_eq(f->fsbase, kit_addr(0, KIT_DATA));
	f->rdi = 78;
	assert_ok(kit_exit(&kit, 0));
	ck_assert(!mach_inside(&kit.cpu[0]));
	ck_assert_uint_eq(f->rip, KIT_ENCLU + 3);
	ck_assert_uint_eq(f->rcx, KIT_AEP);
	ck_assert_uint_eq(f->rdi, 78);
	ck_assert_uint_eq(f->fsbase, 0x1111000);
	ck_assert_uint_eq(f->gsbase, 0x2222000);
}
END_TEST

START_TEST(aug_accept_use)
{
	assert_ok(kit_eaug(&kit, 0, KIT_FREE));
	ck_assert_uint_eq(rights(KIT_FREE), 0);
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	ck_assert_int_eq(mach_access(kit.m, &kit.cpu[0],
				     kit_page_epc(&kit, 0, KIT_FREE),
				     kit_addr(0, KIT_FREE) + 8, MACH_W),
			 MACH_DENY);
	ck_assert_uint_eq(mach_access_pfec(MACH_W), 0x8007);
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_FREE,
			   REG | RW | SGX_SECINFO_PENDING));
	ck_assert_uint_eq(rights(KIT_FREE), MACH_R | MACH_W);
	assert_ok(kit_sgx2(&kit, 0, SGX_EMODPE, KIT_FREE, REG | SGX_SECINFO_X));
	ck_assert_uint_eq(rights(KIT_FREE), MACH_R | MACH_W | MACH_X);
	assert_code(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_FREE,
			     REG | RW | SGX_SECINFO_PENDING),
		    SGX_PAGE_ATTRIBUTES_MISMATCH);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(accept_before_track)
{
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_emodpr(&kit, 0, KIT_DATA, SGX_SECINFO_R));
	ck_assert_uint_eq(rights(KIT_DATA), MACH_R);
	/* No ETRACK at all. */
	assert_code(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_DATA,
			     REG | SGX_SECINFO_R | SGX_SECINFO_PR),
		    SGX_NOT_TRACKED);
	/* ETRACK, but this thread has not left since. */
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	assert_code(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_DATA,
			     REG | SGX_SECINFO_R | SGX_SECINFO_PR),
		    SGX_NOT_TRACKED);
	assert_code(mach_etrack(kit.m, kit_secs(&kit, 0)), SGX_PREV_TRK_INCMPL);
	kit_aex(&kit, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_DATA,
			   REG | SGX_SECINFO_R | SGX_SECINFO_PR));
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(trim_and_remove)
{
	const uint64_t trim =
		SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED;

	assert_ok(kit_emodt(&kit, 0, KIT_DATA, SGX_PT_TRIM));
	assert_code(kit_emodpr(&kit, 0, KIT_DATA, 7), SGX_PAGE_NOT_MODIFIABLE);
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	assert_code(mach_eremove(kit.m, kit_page_addr(&kit, 0, KIT_DATA)),
		    SGX_ENCLAVE_ACT);
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_DATA, trim));
	ck_assert_uint_eq(kit_emodpr(&kit, 0, KIT_DATA, 7).kind, MACH_FAULT);
	assert_ok(mach_eremove(kit.m, kit_page_addr(&kit, 0, KIT_DATA)));
	assert_ok(kit_exit(&kit, 0));
	assert_code(mach_eremove(kit.m, kit_secs(&kit, 0)), SGX_CHILD_PRESENT);
}
END_TEST

START_TEST(new_tcs)
{
	struct sgx_tcs *t;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_eaug(&kit, 0, KIT_FREE));
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_FREE,
			   REG | RW | SGX_SECINFO_PENDING));
	t = (void *)kit_bytes(&kit, 0, KIT_FREE);
	t->nssa = 2;
	t->ossa = KIT_SSA1 * SGX_PAGE_SIZE;
	assert_ok(kit_emodt(&kit, 0, KIT_FREE, SGX_PT_TCS));
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	kit_aex(&kit, 0);
	ck_assert_uint_eq(kit_enter(&kit, 1, 0, KIT_FREE).kind, MACH_FAULT);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPT, KIT_FREE,
			   SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED));
	assert_ok(kit_enter(&kit, 1, 0, KIT_FREE));
	assert_ok(kit_exit(&kit, 1));
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(accept_copy)
{
	assert_ok(kit_eaug(&kit, 0, KIT_FREE));
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	kit.frame.rdx = kit_addr(0, KIT_CODE);
	assert_ok(kit_sgx2(&kit, 0, SGX_EACCEPTCOPY, KIT_FREE,
			   REG | SGX_SECINFO_R | SGX_SECINFO_X));
	ck_assert_uint_eq(rights(KIT_FREE), MACH_R | MACH_X);
	ck_assert_mem_eq(kit_bytes(&kit, 0, KIT_FREE),
			 kit_bytes(&kit, 0, KIT_CODE), SGX_PAGE_SIZE);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("life");
	TCase *t = tcase_create("leaves");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, enter_and_exit);
	tcase_add_test(t, aug_accept_use);
	tcase_add_test(t, accept_before_track);
	tcase_add_test(t, trim_and_remove);
	tcase_add_test(t, new_tcs);
	tcase_add_test(t, accept_copy);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	kit_setup();
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
