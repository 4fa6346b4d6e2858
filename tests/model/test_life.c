/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a page and of a thread, leaf after leaf. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/model/rig.h"

#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)

static struct rig rig;

static void setup(void)
{
	rig_open(&rig, NULL);
	rig_build(&rig, 0);
}

static void teardown(void)
{
	char why[200] = "";

	ck_assert_msg(
		mach_check_cpus(rig.m, rig.cpu, RIG_CPUS, why, sizeof(why)),
		"%s", why);
	rig_close(&rig);
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
	return mach_rights(rig.m, rig_page_epc(&rig, 0, page));
}

START_TEST(enter_and_exit)
{
	struct mach_frame *f = &rig.frame;

	f->rdi = 77;
	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	ck_assert(mach_inside(&rig.cpu[0]));
	ck_assert_uint_eq(f->rax, 0);
	ck_assert_uint_eq(f->rcx, RIG_ENCLU + 3);
	ck_assert_uint_eq(f->rip, rig_addr(0, RIG_CODE) + 0x40);
	ck_assert_uint_eq(f->rdi, 77);
	ck_assert_uint_eq(f->rsp, 0x7fff0000);
	ck_assert_uint_eq(f->fsbase, rig_addr(0, RIG_DATA));
	f->rdi = 78;
	assert_ok(rig_exit(&rig, 0));
	ck_assert(!mach_inside(&rig.cpu[0]));
	ck_assert_uint_eq(f->rip, RIG_ENCLU + 3);
	ck_assert_uint_eq(f->rcx, RIG_AEP);
	ck_assert_uint_eq(f->rdi, 78);
	ck_assert_uint_eq(f->fsbase, 0x1111000);
	ck_assert_uint_eq(f->gsbase, 0x2222000);
}
END_TEST

START_TEST(aug_accept_use)
{
	assert_ok(rig_eaug(&rig, 0, RIG_FREE));
	ck_assert_uint_eq(rights(RIG_FREE), 0);
	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	ck_assert_int_eq(mach_access(rig.m, &rig.cpu[0],
				     rig_page_epc(&rig, 0, RIG_FREE),
				     rig_addr(0, RIG_FREE) + 8, MACH_W),
			 MACH_DENY);
	ck_assert_uint_eq(mach_access_pfec(MACH_W), 0x8007);
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_FREE,
			   REG | RW | SGX_SECINFO_PENDING));
	ck_assert_uint_eq(rights(RIG_FREE), MACH_R | MACH_W);
	assert_ok(rig_sgx2(&rig, 0, SGX_EMODPE, RIG_FREE, REG | SGX_SECINFO_X));
	ck_assert_uint_eq(rights(RIG_FREE), MACH_R | MACH_W | MACH_X);
	assert_code(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_FREE,
			     REG | RW | SGX_SECINFO_PENDING),
		    SGX_PAGE_ATTRIBUTES_MISMATCH);
	assert_ok(rig_exit(&rig, 0));
}
END_TEST

START_TEST(accept_before_track)
{
	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	assert_ok(rig_emodpr(&rig, 0, RIG_DATA, SGX_SECINFO_R));
	ck_assert_uint_eq(rights(RIG_DATA), MACH_R);
	/* No ETRACK at all. */
	assert_code(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_DATA,
			     REG | SGX_SECINFO_R | SGX_SECINFO_PR),
		    SGX_NOT_TRACKED);
	/* ETRACK, but this thread has not left since. */
	assert_ok(mach_etrack(rig.m, rig_secs(&rig, 0)));
	assert_code(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_DATA,
			     REG | SGX_SECINFO_R | SGX_SECINFO_PR),
		    SGX_NOT_TRACKED);
	assert_code(mach_etrack(rig.m, rig_secs(&rig, 0)), SGX_PREV_TRK_INCMPL);
	rig_aex(&rig, 0);
	assert_ok(rig_resume(&rig, 0, 0, RIG_TCS0));
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_DATA,
			   REG | SGX_SECINFO_R | SGX_SECINFO_PR));
	assert_ok(rig_exit(&rig, 0));
}
END_TEST

START_TEST(trim_and_remove)
{
	const uint64_t trim =
		SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED;

	assert_ok(rig_emodt(&rig, 0, RIG_DATA, SGX_PT_TRIM));
	assert_code(rig_emodpr(&rig, 0, RIG_DATA, 7), SGX_PAGE_NOT_MODIFIABLE);
	assert_ok(mach_etrack(rig.m, rig_secs(&rig, 0)));
	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	assert_code(mach_eremove(rig.m, rig_page_addr(&rig, 0, RIG_DATA)),
		    SGX_ENCLAVE_ACT);
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_DATA, trim));
	ck_assert_uint_eq(rig_emodpr(&rig, 0, RIG_DATA, 7).kind, MACH_FAULT);
	assert_ok(mach_eremove(rig.m, rig_page_addr(&rig, 0, RIG_DATA)));
	assert_ok(rig_exit(&rig, 0));
	assert_code(mach_eremove(rig.m, rig_secs(&rig, 0)), SGX_CHILD_PRESENT);
}
END_TEST

START_TEST(new_tcs)
{
	struct sgx_tcs *t;

	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	assert_ok(rig_eaug(&rig, 0, RIG_FREE));
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_FREE,
			   REG | RW | SGX_SECINFO_PENDING));
	t = (void *)rig_bytes(&rig, 0, RIG_FREE);
	t->nssa = 2;
	t->ossa = RIG_SSA1 * SGX_PAGE_SIZE;
	assert_ok(rig_emodt(&rig, 0, RIG_FREE, SGX_PT_TCS));
	assert_ok(mach_etrack(rig.m, rig_secs(&rig, 0)));
	rig_aex(&rig, 0);
	ck_assert_uint_eq(rig_enter(&rig, 1, 0, RIG_FREE).kind, MACH_FAULT);
	assert_ok(rig_resume(&rig, 0, 0, RIG_TCS0));
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPT, RIG_FREE,
			   SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED));
	assert_ok(rig_enter(&rig, 1, 0, RIG_FREE));
	assert_ok(rig_exit(&rig, 1));
	assert_ok(rig_exit(&rig, 0));
}
END_TEST

START_TEST(accept_copy)
{
	assert_ok(rig_eaug(&rig, 0, RIG_FREE));
	assert_ok(rig_enter(&rig, 0, 0, RIG_TCS0));
	rig.frame.rdx = rig_addr(0, RIG_CODE);
	assert_ok(rig_sgx2(&rig, 0, SGX_EACCEPTCOPY, RIG_FREE,
			   REG | SGX_SECINFO_R | SGX_SECINFO_X));
	ck_assert_uint_eq(rights(RIG_FREE), MACH_R | MACH_X);
	ck_assert_mem_eq(rig_bytes(&rig, 0, RIG_FREE),
			 rig_bytes(&rig, 0, RIG_CODE), SGX_PAGE_SIZE);
	assert_ok(rig_exit(&rig, 0));
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

	rig_setup();
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
