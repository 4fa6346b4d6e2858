/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model as its users see it: edmm/model.h alone builds an enclave, runs it
 * and adds a page. (An enclave signed for EINIT is in the other tests; here the
 * SGX1 part, up to what an unsigned enclave is told.)
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "edmm/model.h"
#include "sgx/arch.h"

#define BASE 0x40000000ull
#define PAGES 16u

static struct edmm_model *m;

static void setup(void)
{
	ck_assert_int_eq(edmm_model_create(NULL, &m), 0);
}

static void teardown(void)
{
	const char *why = edmm_model_check(m);

	ck_assert_msg(!why, "%s", why);
	edmm_model_destroy(m);
}

static struct edmm_model_result encls(unsigned leaf, const void *rbx,
				      uint64_t rcx)
{
	uint64_t reg[3] = { (uintptr_t)rbx, rcx, 0 };

	return edmm_model_encls(m, leaf, reg);
}

static void ecreate(void)
{
	static struct sgx_secs secs;
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_SECS) };
	struct sgx_pageinfo pi = { .srcpge = (uintptr_t)&secs,
				   .secinfo = (uintptr_t)&si };

	memset(&secs, 0, sizeof(secs));
	secs.base = BASE;
	secs.size = PAGES * SGX_PAGE_SIZE;
	secs.ssaframesize = 1;
	secs.attributes.flags = SGX_ATTR_MODE64BIT;
	secs.attributes.xfrm = 3;
	ck_assert_int_eq(encls(SGX_ECREATE, &pi, edmm_model_epc(0)).kind,
			 EDMM_MODEL_OK);
}

static struct edmm_model_result eadd(uint32_t page, uint64_t flags)
{
	static uint8_t src[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_secinfo si = { .flags = flags };
	struct sgx_pageinfo pi = { .linaddr = BASE + page * SGX_PAGE_SIZE,
				   .srcpge = (uintptr_t)src,
				   .secinfo = (uintptr_t)&si,
				   .secs = edmm_model_epc(0) };

	return encls(SGX_EADD, &pi, edmm_model_epc(page + 1));
}

START_TEST(build_and_refuse)
{
	struct edmm_model_regs r = {
		.rax = SGX_EENTER, .rbx = BASE, .rcx = 0x1000, .rip = 0x1000
	};
	struct edmm_model_result res;

	ecreate();
	ck_assert_int_eq(eadd(0, SGX_SECINFO_PT(SGX_PT_TCS)).kind,
			 EDMM_MODEL_OK);
	ck_assert_int_eq(eadd(0, SGX_SECINFO_PT(SGX_PT_TCS)).vector, 14);
	ck_assert_int_eq(eadd(1, SGX_SECINFO_PT(SGX_PT_REG) | 2).vector, 13);
	ck_assert_int_eq(encls(SGX_EREMOVE, NULL, edmm_model_epc(0)).code,
			 SGX_CHILD_PRESENT);
	ck_assert_int_eq(encls(99, NULL, 0).vector, 13);
	/* Not mapped, then mapped but not initialised. */
	res = edmm_model_enclu(m, 0, &r);
	ck_assert_int_eq(res.vector, 14);
	ck_assert_uint_eq(res.pfec, 6);
	ck_assert_int_eq(
		edmm_model_map(m, BASE, 1, EDMM_MODEL_R | EDMM_MODEL_W), 0);
	ck_assert_int_eq(edmm_model_enclu(m, 0, &r).vector, 13);
	ck_assert_uint_eq(r.rip, 0x1000);
	ck_assert_int_eq(edmm_model_enclu(m, 7, &r).kind, EDMM_MODEL_FAULT);
}
END_TEST

START_TEST(outside_sees_the_abort_page)
{
	uint8_t *byte = (uint8_t *)&byte;

	ecreate();
	ck_assert_int_eq(eadd(1, SGX_SECINFO_PT(SGX_PT_REG) | 3).kind,
			 EDMM_MODEL_OK);
	ck_assert_int_eq(edmm_model_access(m, 0, BASE + 4096, 1, &byte).pfec,
			 4);
	ck_assert_int_eq(edmm_model_map(m, BASE + 4096, 2, 7), 0);
	ck_assert_int_eq(edmm_model_access(m, 0, BASE + 4096, 1, &byte).kind,
			 EDMM_MODEL_OK);
	ck_assert_ptr_null(byte);
}
END_TEST

START_TEST(the_page_table_holds_many)
{
	const uint32_t n = 5000;
	uint8_t *byte;
	uint32_t i;

	for (i = 0; i < n; i++)
		ck_assert_int_eq(edmm_model_map(m, BASE + 4096ull * i, i % 256,
						EDMM_MODEL_R),
				 0);
	for (i = 0; i < n; i += 3)
		ck_assert_int_eq(edmm_model_map(m, BASE + 4096ull * i, 0, 0),
				 0);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(edmm_model_access(m, 0, BASE + 4096ull * i,
						   EDMM_MODEL_R, &byte)
					 .kind,
				 i % 3 ? EDMM_MODEL_OK : EDMM_MODEL_FAULT);
	ck_assert_int_eq(edmm_model_map(m, BASE + 1, 0, 1), -EDMM_EINVAL);
	ck_assert_int_eq(edmm_model_map(m, BASE, 256, 1), -EDMM_EINVAL);
	ck_assert_int_eq(edmm_model_map(m, BASE, 0, 8), -EDMM_EINVAL);
}
END_TEST

START_TEST(a_copy_is_another_machine)
{
	struct edmm_model *first = m;

	ecreate();
	ck_assert_int_eq(edmm_model_copy(first, &m), 0);
	ck_assert_int_eq(encls(SGX_EREMOVE, NULL, edmm_model_epc(0)).kind,
			 EDMM_MODEL_OK);
	edmm_model_destroy(m);
	m = first;
	ck_assert_int_eq(eadd(1, SGX_SECINFO_PT(SGX_PT_REG) | 3).kind,
			 EDMM_MODEL_OK);
}
END_TEST

START_TEST(options)
{
	struct edmm_model_options o = { .epc_pages = 4, .processors = 2 };
	struct edmm_model_regs r = { .rax = SGX_EEXIT };
	struct edmm_model_event e = { 0 };
	struct sgx_pageinfo pi = { 0 };
	struct edmm_model *other = m;

	ck_assert_int_eq(edmm_model_create(&o, &m), 0);
	ck_assert_int_eq(encls(SGX_EAUG, &pi, edmm_model_epc(1)).vector, 13);
	ck_assert_int_eq(edmm_model_enclu(m, 1, &r).vector, 13);
	ck_assert_int_eq(edmm_model_aex(m, 1, &r, &e), -EDMM_EINVAL);
	edmm_model_destroy(m);
	m = other;
	o.features = 0x100;
	ck_assert_int_eq(edmm_model_create(&o, &other), -EDMM_EINVAL);
	o.features = 0;
	o.processors = 1u << 20;
	ck_assert_int_eq(edmm_model_create(&o, &other), -EDMM_EINVAL);
	edmm_model_destroy(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api");
	TCase *t = tcase_create("model.h");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, build_and_refuse);
	tcase_add_test(t, outside_sees_the_abort_page);
	tcase_add_test(t, the_page_table_holds_many);
	tcase_add_test(t, a_copy_is_another_machine);
	tcase_add_test(t, options);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
