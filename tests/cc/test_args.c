/* SPDX-License-Identifier: BSD-3-Clause */
/* What edmm-cc makes of a command line. */
#include "toolchain/cc/args.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARGS 12

struct row {
	const char *argv[MAX_ARGS];
	enum cc_mode mode;
	const char *output;
	const char *bad;
};

static const struct row rows[] = {
	{ { "cc", "a.c" }, CC_LINK, "a.out", NULL },
	{ { "cc", "a.c", "-o", "x" }, CC_LINK, "x", NULL },
	{ { "cc", "-ox", "a.o", "-lm" }, CC_LINK, "x", NULL },
	{ { "cc", "-c", "a.c", "-o", "a.o" }, CC_COMPILE, "a.o", NULL },
	{ { "cc", "-E", "-" }, CC_COMPILE, "a.out", NULL },
	{ { "cc", "-M", "a.c" }, CC_COMPILE, "a.out", NULL },
	{ { "cc", "-MMD", "-MF", "-c", "a.c" }, CC_LINK, "a.out", NULL },
	{ { "cc", "-D", "-c", "a.c" }, CC_LINK, "a.out", NULL },
	{ { "cc", "-r", "-nostdlib", "a.o" }, CC_RELINK, "a.out", NULL },
	{ { "cc", "--version" }, CC_QUERY, "a.out", NULL },
	{ { "cc", "-v" }, CC_QUERY, "a.out", NULL },
	{ { "cc", "-print-file-name=libc.a" }, CC_QUERY, "a.out", NULL },
	{ { "cc", "-dumpmachine" }, CC_QUERY, "a.out", NULL },
	{ { "cc", "--help" }, CC_HELP, "a.out", NULL },
	{ { "cc" }, CC_QUERY, "a.out", NULL },
	{ { "cc", "-shared", "a.o" }, CC_LINK, NULL, "-shared" },
	{ { "cc", "-shared", "-c", "a.c" }, CC_COMPILE, "a.out", NULL },
	{ { "cc", "-m32", "-c", "a.c" }, CC_LINK, NULL, "-m32" },
	{ { "cc", "-shared", "-m32", "-c", "a.c" }, CC_LINK, NULL, "-m32" },
	{ { "cc", "a.c", "-fsanitize=address" },
	  CC_LINK,
	  NULL,
	  "-fsanitize=address" },
	{ { "cc", "a.c", "-nostdlib" }, CC_LINK, NULL, "-nostdlib" },
	{ { "cc", "a.c", "--malloc=mimalloc" }, CC_LINK, "a.out", NULL },
	{ { "cc", "-c", "a.c", "--malloc=musl" }, CC_COMPILE, "a.out", NULL },
	{ { "cc", "-c", "a.c", "--malloc=" }, CC_LINK, NULL, "--malloc=" },
	{ { "cc", "a.c", "--malloc=x" }, CC_LINK, NULL, "--malloc=x" },
};

static int count(const char *const *argv)
{
	int n = 0;

	while (n < MAX_ARGS && argv[n])
		n++;
	return n;
}

START_TEST(row_is_understood)
{
	const struct row *r = &rows[_i];
	const char *bad = NULL, *why;
	struct cc_args args;

	why = cc_parse(&args, count(r->argv), (char **)(uintptr_t)r->argv,
		       &bad);
	if (r->bad) {
		ck_assert_ptr_nonnull(why);
		ck_assert_str_eq(bad, r->bad);
	} else {
		ck_assert_msg(!why, "refused %s: %s", bad, why);
		ck_assert_int_eq(args.mode, r->mode);
		ck_assert_str_eq(args.output, r->output);
	}
	free(args.pass);
}
END_TEST

START_TEST(static_and_pie_are_dropped)
{
	const char *argv[] = {
		"cc",	    "-static", "-no-pie", "-s", "-fcf-protection=full",
		"-pthread", "a.c"
	};
	struct cc_args args;
	const char *bad;

	ck_assert_ptr_null(cc_parse(&args, 7, (char **)(uintptr_t)argv, &bad));
	ck_assert_uint_eq(args.npass, 2);
	ck_assert_str_eq(args.pass[0], "-pthread");
	ck_assert_str_eq(args.pass[1], "a.c");
	ck_assert_int_eq(args.strip, 1);
	free(args.pass);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cc_args");
	TCase *tc = tcase_create("args");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, row_is_understood, 0,
			    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, static_and_pie_are_dropped);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
