/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of a thread inside. AEX-Notify: what the kernel does behind an
 * enclave's back, a fault that it resolves, the interrupt of ETRACK, a signal,
 * is an AEX whose ERESUME the enclave gets to see. Then the signals that glibc
 * keeps for itself, and frames that go away.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PF_EXITINFO           \
	(SGX_EXITINFO_VALID | \
	 SGX_EXITINFO_TYPE_HW << SGX_EXITINFO_TYPE_SHIFT | SGX_VEC_PF)

static struct encl e;

static void setup(void)
{
	memset(&e, 0, sizeof(e));
	e.notify = true;
	e.miscselect = SGX_MISC_EXINFO;
	encl_make(&e);
	/* SSA pages are there before anybody counts faults. */
	encl_do(&e, OP_READ, e.base + ENCL_SSA, 0);
}

static void teardown(void)
{
	encl_close(&e);
}

/* Asks for it, for AEXes that find TCS 0 with its first frame free. */
static void ask(void)
{
	encl_do(&e, OP_WRITE, e.base + ENCL_NOTIFY, 1);
}

static uint64_t noted(unsigned i)
{
	struct encl_cmd cmd = { .op = OP_PEEK,
				.addr = e.base + ENCL_NOTIFIED + 8 * i };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	return cmd.rax;
}

/* EACCEPT on TCS 1. */
static uint64_t accept(uint64_t off, uint64_t flags)
{
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = SGX_EACCEPT,
				.flags = REG | flags,
				.addr = e.base + off };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	return cmd.rax;
}

START_TEST(a_fault_that_the_kernel_resolves)
{
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = SGX_EACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = e.base + ENCL_FREE };
	struct sgx_enclave_run run = { 0 };

	ask();
	/* EACCEPT of an absent page: #PF, EAUG, and the notice of it. */
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(noted(0), 1);
	ck_assert_uint_eq(noted(1), 1);
	ck_assert_uint_eq(noted(2), PF_EXITINFO);
	cmd.rax = 77;
	ck_assert_int_eq(encl_enter(&e, 0, SGX_ERESUME, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(cmd.rax, 0);
	/* Not asked for: nothing to see. */
	cmd.addr += 4096;
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(cmd.rax, 0);
	ck_assert_uint_eq(noted(0), 1);
}
END_TEST

#define UNDONE 99

static struct encl_cmd spin;
static struct sgx_enclave_run left;

/* Until told to stop; how often it was notified. */
static void *spinner(void *arg)
{
	struct sgx_enclave_run run = { 0 };
	unsigned function = SGX_EENTER;
	uintptr_t notices = 0;

	(void)arg;
	for (;; function = SGX_ERESUME) {
		encl_enter(&e, 0, function, &spin, &run);
		if (run.function != SGX_EEXIT || spin.rax != UNDONE)
			break;
		notices++;
	}
	left = run;
	return (void *)notices;
}

static void *cancellable(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	return spinner(arg);
}

static pthread_t start(void)
{
	pthread_t t;

	ask();
	spin = (struct encl_cmd){ .op = OP_SPIN, .rax = UNDONE };
	ck_assert_int_eq(pthread_create(&t, NULL, spinner, NULL), 0);
	while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) < 1000)
		usleep(100);
	return t;
}

static void finish(pthread_t t)
{
	void *notices;

	spin.stop = 1;
	pthread_join(t, &notices);
	ck_assert_uint_eq(left.function, SGX_EEXIT);
	ck_assert_uint_eq((uintptr_t)notices, 1);
	ck_assert_uint_eq(spin.rax, 0);
	ck_assert_uint_eq(noted(0), 1);
	ck_assert_uint_eq(noted(1), 1);
	ck_assert_uint_eq(noted(2), 0);
}

START_TEST(the_interrupt_of_etrack)
{
	pthread_t t;

	ck_assert_uint_eq(accept(ENCL_FREE, RW | SGX_SECINFO_PENDING), 0);
	t = start();
	ck_assert_int_eq(encl_restrict(&e, ENCL_FREE, 4096, 1, NULL), 0);
	/* The ioctl has waited for the thread: tracking is complete. */
	ck_assert_uint_eq(accept(ENCL_FREE, SGX_SECINFO_R | SGX_SECINFO_PR), 0);
	finish(t);
}
END_TEST

static void on_usr1(int sig)
{
	(void)sig;
}

START_TEST(a_signal)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	pthread_t t;

	ck_assert_int_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	t = start();
	pthread_kill(t, SIGUSR1);
	usleep(10000);
	finish(t);
}
END_TEST

/* ---- glibc's internal signals ------------------------------------------ */

static pthread_t start_cancellable(void)
{
	pthread_t t;

	spin = (struct encl_cmd){ .op = OP_SPIN, .rax = UNDONE };
	ck_assert_int_eq(pthread_create(&t, NULL, cancellable, NULL), 0);
	while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) < 1000)
		usleep(100);
	return t;
}

/* Cancelled inside: glibc's handler runs outside, with glibc's FS base. */
START_TEST(a_thread_is_cancelled_inside)
{
	pthread_t t = start_cancellable();
	void *ret;

	ck_assert_int_eq(pthread_cancel(t), 0);
	ck_assert_int_eq(pthread_join(t, &ret), 0);
	ck_assert_ptr_eq(ret, PTHREAD_CANCELED);
	ck_assert_uint_eq(spin.rax, UNDONE);
	/* Its TCS is free, with the frame of the AEX. */
	ck_assert_uint_eq(noted(0), 0);
	spin = (struct encl_cmd){ .op = OP_NOP };
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &spin, &left), 0);
	ck_assert_uint_eq(left.function, SGX_EEXIT);
	ck_assert_uint_eq(spin.cssa, 1);
}
END_TEST

/* setuid() signals every thread and waits for each handler. */
START_TEST(ids_change_while_a_thread_is_inside)
{
	uint64_t before;
	pthread_t t;

	spin = (struct encl_cmd){ .op = OP_SPIN, .rax = UNDONE };
	ck_assert_int_eq(pthread_create(&t, NULL, spinner, NULL), 0);
	while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) < 1000)
		usleep(100);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(setuid(getuid()), 0);
	before = spin.turns;
	while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) == before)
		usleep(100);
	spin.stop = 1;
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_uint_eq(spin.rax, 0);
}
END_TEST

/* A thread's own frame goes while it is inside: it is out before EACCEPT. */
START_TEST(a_frame_that_is_trimmed_under_its_thread)
{
	pthread_t t;
	void *ret;

	e.notify = false;
	spin = (struct encl_cmd){ .op = OP_SPIN, .rax = UNDONE };
	ck_assert_int_eq(pthread_create(&t, NULL, spinner, NULL), 0);
	while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) < 1000)
		usleep(100);
	ck_assert_int_eq(encl_modify(&e, ENCL_SSA, 4096, SGX_PT_TRIM, NULL), 0);
	/* Its ERESUME has no frame: the vDSO told of a page fault. */
	pthread_join(t, &ret);
	ck_assert_uint_eq(spin.rax, UNDONE);
	ck_assert_uint_eq(left.function, SGX_ERESUME);
	ck_assert_uint_eq(left.exception_vector, SGX_VEC_PF);
	ck_assert_uint_eq(left.exception_error_code, 0x8007);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("notify");
	TCase *t = tcase_create("notify");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_fault_that_the_kernel_resolves);
	tcase_add_test(t, the_interrupt_of_etrack);
	tcase_add_test(t, a_signal);
	tcase_add_test(t, a_thread_is_cancelled_inside);
	tcase_add_test(t, ids_change_while_a_thread_is_inside);
	tcase_add_test(t, a_frame_that_is_trimmed_under_its_thread);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
