/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translations that outlive a change of rights: stale=emodpe, stale=emodpr.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/trap/encl.h"
#include "tests/trap/stats.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PAGE 4096ul

static struct encl e;

static void setup(void)
{
	e = (struct encl){ 0 };
	encl_make(&e);
	ck_assert_uint_eq(encl_enclu(&e, SGX_EACCEPT,
				     REG | RW | SGX_SECINFO_PENDING,
				     e.base + ENCL_FREE, 0),
			  0);
}

static void teardown(void)
{
	encl_close(&e);
}

static uint64_t accept_restricted(void)
{
	return encl_enclu(&e, SGX_EACCEPT, REG | SGX_SECINFO_R | SGX_SECINFO_PR,
			  e.base + ENCL_FREE, 0);
}

/* The store faults once, the kernel sees nothing wrong, and it is done. */
START_TEST(a_spurious_fault)
{
	struct edmm_machine_stats was, now;
	struct encl_cmd cmd = { .op = OP_GRANT,
				.flags = REG | RW,
				.addr = e.base + ENCL_FREE,
				.value = 9 };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_restrict(&e, ENCL_FREE, PAGE, 1, NULL), 0);
	ck_assert_uint_eq(accept_restricted(), 0);
	encl_do(&e, OP_READ, cmd.addr, 0);
	was = stats();
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	now = stats();
	ck_assert_uint_eq(now.aex_kernel - was.aex_kernel, 1);
	ck_assert_uint_eq(now.fault_pte - was.fault_pte, 1);
	ck_assert_uint_eq(encl_do(&e, OP_READ, cmd.addr, 0), 9);
}
END_TEST

static struct encl_cmd pound;
static struct sgx_enclave_run left;

static void *pounder(void *arg)
{
	encl_enter(&e, 1, SGX_EENTER, &pound, &left);
	return arg;
}

static void turn(void)
{
	uint64_t was = __atomic_load_n(&pound.turns, __ATOMIC_RELAXED);

	while (__atomic_load_n(&pound.turns, __ATOMIC_RELAXED) < was + 1000)
		usleep(100);
}

/* A thread inside writes on, until it leaves; nobody can accept the page. */
START_TEST(rights_that_are_gone)
{
	struct sgx_enclave_run run = { 0 };
	struct encl_cmd cmd = { .op = OP_WRITE, .addr = e.base + ENCL_FREE };
	pthread_t t;

	pound = (struct encl_cmd){ .op = OP_POUND, .addr = cmd.addr };
	ck_assert_int_eq(pthread_create(&t, NULL, pounder, NULL), 0);
	turn();
	ck_assert_int_eq(encl_restrict(&e, ENCL_FREE, PAGE, 1, NULL), 0);
	turn();
	ck_assert_uint_eq(accept_restricted(), SGX_NOT_TRACKED);
	turn();
	pound.stop = 1;
	pthread_join(t, NULL);
	ck_assert_uint_eq(left.function, SGX_EEXIT);
	ck_assert_uint_eq(accept_restricted(), SGX_NOT_TRACKED);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_ERESUME);
	ck_assert_uint_eq(run.exception_error_code, 0x8007);
}
END_TEST

int main(int argc, char **argv)
{
	bool pr = getenv("STALE_EMODPR");
	Suite *s = suite_create("stale");
	TCase *t = tcase_create("stale");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, pr ? "stale=emodpr" : "stale=emodpe");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	if (pr)
		tcase_add_test(t, rights_that_are_gone);
	else
		tcase_add_test(t, a_spurious_fault);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
