/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One enclave's life on the machine, through the device and the vDSO as any
 * program uses them: the ways in and out, and the life of a page.
 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define PAGE0 ENCL_FREE
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define TRIM SGX_SECINFO_PT(SGX_PT_TRIM)

static struct encl e;

static void setup(void)
{
	memset(&e, 0, sizeof(e));
	encl_make(&e);
}

static void teardown(void)
{
	encl_close(&e);
}

static uint64_t accept(uint64_t off)
{
	return encl_enclu(&e, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
			  e.base + off, 0);
}

START_TEST(enters_and_exits)
{
	struct encl_cmd cmd = { .op = OP_NOP, .cssa = 7 };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(cmd.cssa, 0);
	ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
}
END_TEST

START_TEST(bases_are_the_tcs_ones)
{
	struct encl_cmd cmd = { .op = OP_FSGS };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(cmd.rax, e.base + ENCL_DATA + 0x1000);
	ck_assert_uint_eq(cmd.value, e.base + ENCL_DATA + 0x1000);
	/* errno is behind FS: it would crash here if FS were the enclave's. */
	ck_assert_int_eq(close(-1), -1);
}
END_TEST

START_TEST(bad_calls_of_the_vdso)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EEXIT, &cmd, &run), -22);
	ck_assert_int_eq(encl_enter(&e, 0, 0, &cmd, &run), -22);
	run.reserved[215] = 1;
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), -22);
}
END_TEST

START_TEST(accept_adds_an_absent_page)
{
	uint64_t a = e.base + PAGE0;

	ck_assert_uint_eq(accept(PAGE0), 0);
	ck_assert_uint_eq(encl_do(&e, OP_READ, a, 0), 0);
	encl_do(&e, OP_WRITE, a + 5, 0x5a);
	ck_assert_uint_eq(encl_do(&e, OP_READ, a + 5, 0), 0x5a);
	/* A second accept finds nothing to accept. */
	ck_assert_uint_eq(accept(PAGE0), SGX_PAGE_ATTRIBUTES_MISMATCH);
}
END_TEST

START_TEST(touch_faults_then_accept_then_resume)
{
	uint64_t a = e.base + PAGE0 + 0x1000;
	struct encl_cmd cmd = { .op = OP_WRITE, .addr = a + 9, .value = 0x77 };
	struct encl_cmd fix = { .op = OP_ENCLU,
				.leaf = SGX_EACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = a };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_ERESUME);
	ck_assert_uint_eq(run.exception_vector, SGX_VEC_PF);
	ck_assert_uint_eq(run.exception_error_code, 0x8007);
	ck_assert_uint_eq(run.exception_addr, a);
	/* The same TCS again: its second frame. */
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &fix, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(fix.cssa, 1);
	ck_assert_uint_eq(fix.rax, 0);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_ERESUME, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(encl_do(&e, OP_READ, a + 9, 0), 0x77);
}
END_TEST

static void expect_exception(enum encl_op op, unsigned vector)
{
	struct encl_cmd cmd = { .op = op };
	struct sgx_enclave_run run = { 0 };
	uint64_t ssa = e.base + ENCL_SSA + ENCL_FRAME * 4096 -
		       sizeof(struct sgx_gprsgx) +
		       offsetof(struct sgx_gprsgx, exitinfo);
	struct encl_cmd peek = { .op = OP_PEEK, .addr = ssa };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_ERESUME);
	ck_assert_uint_eq(run.exception_vector, vector);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &peek, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(peek.rax & 0xffffffffu,
			  SGX_EXITINFO_VALID |
				  SGX_EXITINFO_TYPE_HW
					  << SGX_EXITINFO_TYPE_SHIFT |
				  vector);
}

START_TEST(illegal_instructions)
{
	static const enum encl_op op[] = { OP_UD2, OP_CPUID, OP_SYSCALL,
					   OP_INT3 };

	expect_exception(op[_i], SGX_VEC_UD);
}
END_TEST

START_TEST(divide_error)
{
	expect_exception(OP_DIVIDE, SGX_VEC_DE);
}
END_TEST

START_TEST(a_page_is_trimmed_and_comes_back_empty)
{
	uint64_t off = PAGE0 + 0x2000, a = e.base + off;

	ck_assert_uint_eq(accept(off), 0);
	encl_do(&e, OP_WRITE, a, 0x42);
	ck_assert_int_eq(encl_remove(&e, off, 4096, NULL), -EPERM);
	ck_assert_int_eq(encl_modify(&e, off, 4096, SGX_PT_TRIM, NULL), 0);
	ck_assert_int_eq(encl_remove(&e, off, 4096, NULL), -EPERM);
	ck_assert_uint_eq(
		encl_enclu(&e, SGX_EACCEPT, TRIM | SGX_SECINFO_MODIFIED, a, 0),
		0);
	ck_assert_int_eq(encl_remove(&e, off, 4096, NULL), 0);
	ck_assert_uint_eq(accept(off), 0);
	ck_assert_uint_eq(encl_do(&e, OP_READ, a, 0), 0);
}
END_TEST

START_TEST(rights_are_the_epcm_ones)
{
	uint64_t off = PAGE0 + 0x3000, a = e.base + off;
	struct encl_cmd cmd = { .op = OP_WRITE, .addr = a, .value = 1 };
	struct encl_cmd call = { .op = OP_CALL, .addr = a };
	struct sgx_enclave_run run = { 0 };

	ck_assert_uint_eq(accept(off), 0);
	encl_do(&e, OP_WRITE, a, 0xc3); /* ret */
	ck_assert_int_eq(encl_restrict(&e, off, 4096, 1, NULL), 0);
	ck_assert_uint_eq(encl_enclu(&e, SGX_EACCEPT,
				     REG | SGX_SECINFO_R | SGX_SECINFO_PR, a,
				     0),
			  0);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.exception_error_code, 0x8007);
	cmd.op = OP_NOP;
	/* Leave the interrupted write where it is: use the other TCS. */
	ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &call, &run), 0);
	ck_assert_uint_eq(run.function, SGX_ERESUME);
	ck_assert_uint_eq(run.exception_error_code, 0x8015);
	cmd = (struct encl_cmd){ .op = OP_ENCLU,
				 .leaf = SGX_EMODPE,
				 .flags = SGX_SECINFO_R | SGX_SECINFO_X,
				 .addr = a };
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_int_eq(encl_enter(&e, 1, SGX_ERESUME, &call, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("enclave");
	TCase *t = tcase_create("life");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, MACHINE_OPTIONS);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, enters_and_exits);
	tcase_add_test(t, bases_are_the_tcs_ones);
	tcase_add_test(t, bad_calls_of_the_vdso);
	tcase_add_test(t, accept_adds_an_absent_page);
	tcase_add_test(t, touch_faults_then_accept_then_resume);
	tcase_add_loop_test(t, illegal_instructions, 0, 4);
	tcase_add_test(t, divide_error);
	tcase_add_test(t, a_page_is_trimmed_and_comes_back_empty);
	tcase_add_test(t, rights_are_the_epcm_ones);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
