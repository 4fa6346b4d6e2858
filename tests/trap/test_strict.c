/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strict mode: a program that leaves enclave memory alone runs as ever; one
 * that touches it ends at the instruction, with a line that says where.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define SHOWN (ENCL_FREE + 0x1000)

static struct encl e;

/* An enclave with a page that its code uses. */
static void make(void)
{
	memset(&e, 0, sizeof(e));
	encl_make(&e);
	ck_assert_uint_eq(encl_enclu(&e, SGX_EACCEPT,
				     REG | RW | SGX_SECINFO_PENDING,
				     e.base + SHOWN, 0),
			  0);
	encl_do(&e, OP_WRITE, e.base + SHOWN + 5, 0x5a);
}

START_TEST(an_honest_host_runs)
{
	int zero = open("/dev/zero", O_RDONLY);

	make();
	ck_assert_uint_eq(encl_do(&e, OP_READ, e.base + SHOWN + 5, 0), 0x5a);
	/* The kernel's copy is refused, and nothing is lost by it. */
	ck_assert_int_eq(read(zero, (void *)(e.base + SHOWN), 16), -1);
	ck_assert_int_eq(errno, EFAULT);
	ck_assert_uint_eq(encl_do(&e, OP_READ, e.base + SHOWN + 5, 0), 0x5a);
	close(zero);
	encl_close(&e);
}
END_TEST

static const struct {
	const char *what;
	uint64_t off;
} touches[] = {
	{ "load", SHOWN + 5 },
	{ "store", SHOWN + 5 },
	{ "load", ENCL_FREE + 0x9000 },
	{ "store", ENCL_FREE + 0x9000 },
	{ "load", 0 },
};

static void touch(int i, int err)
{
	volatile uint8_t *p;

	signal(SIGABRT, SIG_IGN);
	make();
	dup2(err, 2);
	p = (volatile uint8_t *)(e.base + touches[i].off);
	printf("%#lx", (uint64_t)p);
	fflush(stdout);
	if (*touches[i].what == 'l')
		(void)*p;
	else
		*p = 1;
	_exit(0);
}

START_TEST(a_touch_ends_the_program)
{
	char line[512] = "", addr[32] = "", want[80];
	int err[2], out[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(err), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		touch(_i, err[1]);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
	ck_assert_int_gt(read(err[0], line, sizeof(line) - 1), 0);
	ck_assert_int_gt(read(out[0], addr, sizeof(addr) - 1), 0);
	snprintf(want, sizeof(want),
		 "edmm: strict: %s outside an enclave at %s,", touches[_i].what,
		 addr);
	ck_assert_msg(strstr(line, want), "%s", line);
	ck_assert_msg(strstr(line, "test_trap_strict+"), "%s", line);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("strict");
	TCase *t = tcase_create("strict");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "strict=1");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_honest_host_runs);
	tcase_add_loop_test(t, a_touch_ends_the_program, 0,
			    (int)(sizeof(touches) / sizeof(touches[0])));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
