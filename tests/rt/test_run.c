/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runtime in an enclave on the software machine: starts, ends, faults,
 * reports. Each test is a run of its own of tests/rt/prog.c.
 */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/rt/rig.h"

START_TEST(exit_statuses_come_back)
{
	static const int status[] = { 0, 1, 42, 127, 255 };
	struct rig r;
	char text[8];

	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++) {
		snprintf(text, sizeof(text), "%d", status[i]);
		rig_run(&r, EDMM_MODE_ELASTIC, "exit", text);
		ck_assert_int_eq(r.end.kind, EDMM_HOST_EXITED);
		ck_assert_int_eq(r.end.value, status[i]);
		rig_close(&r);
	}
}
END_TEST

START_TEST(signals_come_back)
{
	struct rig r;

	rig_run(&r, EDMM_MODE_ELASTIC, "signal", "6");
	ck_assert_int_eq(r.end.kind, EDMM_HOST_SIGNALLED);
	ck_assert_int_eq(r.end.value, SIGABRT);
	rig_close(&r);
}
END_TEST

static const struct {
	const char *verb, *arg;
	uint64_t faults;
} good[] = {
	{ "grow", "16", 4096 },	   { "regs", "", 4 },	{ "stack", "32", 0 },
	{ "stack", "600", 8 },	   { "umem", "", 9 },	{ "buf", "", 0 },
	{ "hook", "", 3 },	   { "call", "38", 0 }, { "trim", "", 512 },
	{ "again", "3000", 3000 }, { "env", "", 0 },	{ "edge", "", 1 },
	{ "avx", "", 1 },
};

START_TEST(what_a_program_may_do_works)
{
	rig_ok(good[_i].verb, good[_i].arg, good[_i].faults);
}
END_TEST

static const struct {
	const char *verb, *arg;
	int signal;
	uint32_t vector, setting;
	const char *area; /* or NULL */
	const char *symbol;
} bad[] = {
	{ "wild", "0", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_NONE,
	  "outside of the enclave", "do_wild" },
	{ "wild", "1193046", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_NONE,
	  "outside of the enclave", "do_wild" },
	{ "wild-inside", "0", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_NONE,
	  "program's constants", "do_wild_inside" },
	{ "wild-inside", "34359738368", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_NONE,
	  "heap", "do_wild_inside" },
	{ "relro", "", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_NONE,
	  "program's constants", "do_relro" },
	{ "stack", "1100", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_STACK,
	  "guard below the main stack", "deep" },
	{ "run-data", "", SIGSEGV, SGX_VEC_PF, WIRE_SETTING_WX, "heap", NULL },
	{ "div", "0", SIGFPE, SGX_VEC_DE, WIRE_SETTING_NONE, NULL, "do_div" },
	{ "ud", "", SIGILL, SGX_VEC_UD, WIRE_SETTING_NONE, NULL, "do_ud" },
	{ "cpuid", "", SIGILL, SGX_VEC_UD, WIRE_SETTING_NONE, NULL,
	  "do_cpuid" },
	{ "bad-hook", "", SIGILL, SGX_VEC_UD, WIRE_SETTING_XSTACK, NULL,
	  "bad_hook" },
};

/* The report of a crash, as text. */
static void report(struct rig *r, char *text, size_t size)
{
	int fd[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fd), 0);
	edmm_host_report(r->h, &r->end, fd[1]);
	close(fd[1]);
	n = read(fd[0], text, size - 1);
	ck_assert_int_gt(n, 0);
	text[n] = 0;
	close(fd[0]);
}

START_TEST(what_a_program_may_not_do_is_reported)
{
	const struct wire_crash *c;
	char text[1024];
	struct rig r;

	rig_run(&r, EDMM_MODE_ELASTIC, bad[_i].verb, bad[_i].arg);
	c = &r.end.crash;
	ck_assert_int_eq(r.end.kind, EDMM_HOST_CRASHED);
	ck_assert_int_eq(r.end.value, bad[_i].signal);
	ck_assert_uint_eq(c->kind, WIRE_CRASH_FAULT);
	ck_assert_uint_eq(c->vector, bad[_i].vector);
	ck_assert_uint_eq(c->setting, bad[_i].setting);
	if (bad[_i].area)
		ck_assert_str_eq(c->area, bad[_i].area);
	report(&r, text, sizeof(text));
	if (bad[_i].symbol)
		ck_assert_msg(strstr(text, bad[_i].symbol), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "edmm: prog: "));
	rig_close(&r);
}
END_TEST

START_TEST(a_broken_invariant_is_told_by_number)
{
	char text[1024];
	struct rig r;

	rig_run(&r, EDMM_MODE_ELASTIC, "abort", "11");
	ck_assert_int_eq(r.end.kind, EDMM_HOST_CRASHED);
	ck_assert_int_eq(r.end.value, SIGABRT);
	ck_assert_uint_eq(r.end.crash.invariant, 11);
	report(&r, text, sizeof(text));
	ck_assert_msg(strstr(text, "asked for by a test (invariant I11)"), "%s",
		      text);
	rig_close(&r);
}
END_TEST

START_TEST(a_static_image_has_its_heap_at_once)
{
	struct rig r;

	rig_run(&r, EDMM_MODE_STATIC, "static", "");
	ck_assert_int_eq(r.end.kind, EDMM_HOST_EXITED);
	ck_assert_int_eq(r.end.value, 0);
	rig_close(&r);
}
END_TEST

START_TEST(statistics_reach_the_host)
{
	struct wire_stats s;
	struct rig r;

	rig_run(&r, EDMM_MODE_ELASTIC, "grow", "16");
	ck_assert_int_eq(r.end.value, 0);
	edmm_host_stats(r.h, &s);
	ck_assert_uint_ne(s.main_tsc, 0);
	ck_assert_uint_eq(s.heap_max, 64 << 20);
	ck_assert_uint_ge(s.peak, 16 << 20);
	ck_assert_uint_ge(s.accepted, (14 << 20) / SGX_PAGE_SIZE);
	rig_close(&r);
}
END_TEST

static int entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c, n = 0;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

START_TEST(runs_leave_nothing_in_the_process)
{
	int fds = 0, maps = 0;
	struct rig r;

	for (int i = 0; i < 12; i++) {
		rig_run(&r, EDMM_MODE_ELASTIC, i & 1 ? "grow" : "ud", "4");
		rig_close(&r);
		if (i == 1) {
			fds = entries("/proc/self/fd");
			maps = mappings();
		}
	}
	ck_assert_int_eq(entries("/proc/self/fd"), fds);
	ck_assert_int_le(mappings(), maps);
}
END_TEST

/* Leave as the program left, in a child, and see what its parent sees. */
static int left_as(enum edmm_host_end_kind kind, int value)
{
	const struct edmm_host_end end = { .kind = kind, .value = value };
	int status;
	pid_t pid = fork();

	if (!pid)
		edmm_host_leave(&end);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(the_process_ends_as_the_program_did)
{
	int s = left_as(EDMM_HOST_EXITED, 42);

	ck_assert(WIFEXITED(s) && WEXITSTATUS(s) == 42);
	s = left_as(EDMM_HOST_SIGNALLED, SIGABRT);
	ck_assert(WIFSIGNALED(s) && WTERMSIG(s) == SIGABRT);
	s = left_as(EDMM_HOST_CRASHED, SIGSEGV);
	ck_assert(WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV);
	s = left_as(EDMM_HOST_CRASHED, SIGFPE);
	ck_assert(WIFSIGNALED(s) && WTERMSIG(s) == SIGFPE);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("runs");
	TCase *t = tcase_create("runs");
	SRunner *r;
	int failed;

	(void)argc;
	rig_setup(argv);
	r = srunner_create(s);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, exit_statuses_come_back);
	tcase_add_test(t, signals_come_back);
	tcase_add_loop_test(t, what_a_program_may_do_works, 0,
			    (int)(sizeof(good) / sizeof(*good)));
	tcase_add_loop_test(t, what_a_program_may_not_do_is_reported, 0,
			    (int)(sizeof(bad) / sizeof(*bad)));
	tcase_add_test(t, a_broken_invariant_is_told_by_number);
	tcase_add_test(t, a_static_image_has_its_heap_at_once);
	tcase_add_test(t, statistics_reach_the_host);
	tcase_add_test(t, runs_leave_nothing_in_the_process);
	tcase_add_test(t, the_process_ends_as_the_program_did);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
