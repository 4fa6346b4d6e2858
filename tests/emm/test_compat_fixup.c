/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leaves of libsgx_mm.a under a runtime that calls sgx_mm_fixup() as its
 * header says: an ENCLU that faults, which outside of an enclave each does
 * (#UD, or #GP where there is SGX), is a result. The runtime is a signal
 * handler here.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "compat/sgx_mm_primitives.h"

static uint64_t at; /* of the last fault */
static int vector;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	at = (uint64_t)g[REG_RIP];
	vector = (int)g[REG_TRAPNO];
	if (!sgx_mm_fixup(at))
		_Exit(99);
	g[REG_RIP] = (greg_t)sgx_mm_fixup(at);
	g[REG_RAX] = -vector;
}

static void setup(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };

	ck_assert_int_eq(sigaction(SIGILL, &sa, NULL), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &sa, NULL), 0);
	at = 0;
	vector = 0;
}

/* The result is the fault's, and the fault was at the instruction. */
static void is_answer(int result)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)at;

	ck_assert(vector == 6 || vector == 13);
	ck_assert_int_eq(result, -vector);
	ck_assert(code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xd7);
	ck_assert_uint_eq(sgx_mm_fixup(at - 1), 0);
	ck_assert_uint_eq(sgx_mm_fixup(at + 1), 0);
}

START_TEST(a_fault_is_an_answer)
{
	const sec_info_t si = { .flags = 0 };
	uint64_t first;

	is_answer(do_eaccept(&si, 0));
	first = at;
	is_answer(do_emodpe(&si, 0));
	ck_assert_uint_ne(at, first);
	is_answer(do_eacceptcopy(&si, 0, 0));
	ck_assert_uint_ne(at, first);
}
END_TEST

START_TEST(other_faults_are_none)
{
	ck_assert_uint_eq(sgx_mm_fixup(0), 0);
	ck_assert_uint_eq(sgx_mm_fixup((uint64_t)(uintptr_t)do_eaccept), 0);
	ck_assert_uint_eq(sgx_mm_fixup((uint64_t)(uintptr_t)on_fault), 0);
	__asm__ volatile("ud2");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compat fixup");
	TCase *t = tcase_create("leaves");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_fault_is_an_answer);
	tcase_add_exit_test(t, other_faults_are_none, 99);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
