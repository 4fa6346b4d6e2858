/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer of timer=TIME: AEXes that nobody has sent, and AEX-Notify sees.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/trap/encl.h"
#include "tests/trap/stats.h"

#define UNDONE 99
#define THREADS 40

static struct encl e;

static void setup(void)
{
	memset(&e, 0, sizeof(e));
	e.notify = true;
	e.miscselect = SGX_MISC_EXINFO;
	encl_make(&e);
}

static void teardown(void)
{
	encl_close(&e);
}

static struct encl_cmd spin;

/* Until it is told to stop; how often the enclave had a notice. */
static void *spinner(void *arg)
{
	struct sgx_enclave_run run = { 0 };
	unsigned function = SGX_EENTER;
	uintptr_t notices = 0;

	(void)arg;
	for (;; function = SGX_ERESUME) {
		ck_assert_int_eq(encl_enter(&e, 0, function, &spin, &run), 0);
		ck_assert_uint_eq(run.function, SGX_EEXIT);
		if (spin.rax != UNDONE)
			break;
		notices++;
	}
	return (void *)notices;
}

static uintptr_t spin_until(bool (*enough)(void))
{
	pthread_t t;
	void *notices;

	spin = (struct encl_cmd){ .op = OP_SPIN, .rax = UNDONE };
	ck_assert_int_eq(pthread_create(&t, NULL, spinner, NULL), 0);
	while (!enough())
		usleep(1000);
	spin.stop = 1;
	pthread_join(t, &notices);
	return (uintptr_t)notices;
}

static bool ten(void)
{
	return stats().aex_timer >= 10;
}

/* All registers are looked at inside; the thread comes back each time. */
START_TEST(a_thread_is_interrupted)
{
	struct edmm_machine_stats s;

	ck_assert_uint_eq(spin_until(ten), 0);
	s = stats();
	ck_assert_uint_eq(s.aex, s.aex_timer + s.aex_kernel + s.aex_exception +
					 s.aex_track);
	ck_assert_uint_eq(s.aex_signal, 0);
}
END_TEST

/* The enclave asks once, and then no more. */
START_TEST(the_enclave_is_told)
{
	encl_do(&e, OP_WRITE, e.base + ENCL_NOTIFY, 1);
	ck_assert_uint_eq(spin_until(ten), 1);
}
END_TEST

static void *enters(void *arg)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	struct sgx_enclave_run run = { 0 };

	(void)arg;
	encl_enter(&e, 1, SGX_EENTER, &cmd, &run);
	return NULL;
}

static unsigned timers(void)
{
	FILE *f = fopen("/proc/self/timers", "r");
	char line[128];
	unsigned n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !strncmp(line, "ID:", 3);
	if (f)
		fclose(f);
	return n;
}

START_TEST(threads_take_theirs_with_them)
{
	pthread_t t;

	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&t, NULL, enters, NULL), 0);
		pthread_join(t, NULL);
	}
	ck_assert_uint_le(timers(), 1);
	ck_assert_int_eq(usleep(20000), 0);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("timer");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "timer=1ms");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_thread_is_interrupted);
	tcase_add_test(t, the_enclave_is_told);
	tcase_add_test(t, threads_take_theirs_with_them);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
