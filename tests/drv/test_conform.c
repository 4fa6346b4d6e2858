/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's conformance table: every errno of every ioctl, the rights of
 * mappings, and the outcomes of faults.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conform.h"
#include "tests/drv/row.h"

static struct bay bay;
struct bay *r = &bay;
long got;
uint32_t row_features = MACH_F_ALL;
uint32_t row_epc;
const char *row_fault;

static bool listing;
static long wanted;
static const char *row_subject, *row_condition;

static const struct {
	long value;
	const char *name;
} errnos[] = {
	{ 0, "succeeds" },
	{ -EINVAL, "EINVAL" },
	{ -EFAULT, "EFAULT" },
	{ -EBUSY, "EBUSY" },
	{ -ENOTTY, "ENOTTY" },
	{ -EIO, "EIO" },
	{ -EPERM, "EPERM" },
	{ -EACCES, "EACCES" },
	{ -ENOMEM, "ENOMEM" },
	{ -ENODEV, "ENODEV" },
	{ -EINTR, "EINTR" },
	{ -EAGAIN, "EAGAIN" },
	{ SGX_NOT_TRACKED, "code 11" },
	{ -512, "ERESTARTSYS" },
	{ DRV_NONE, "not the driver's" },
	{ DRV_SEGV_ACC, "SIGSEGV" },
	{ DRV_SIGBUS, "SIGBUS" },
	{ DRV_ABORT, "ones" },
};

static const char *outcome(long want)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].value == want)
			return errnos[i].name;
	return "?";
}

bool row_begin(const char *subject, const char *condition, long want)
{
	struct inject_error e;

	if (listing) {
		conform_row(subject, condition, outcome(want));
		return false;
	}
	row_subject = subject;
	row_condition = condition;
	wanted = want;
	got = -1000;
	bay_open(r, row_epc, row_features);
	if (row_fault)
		ck_assert(inject_parse(&r->d->inject, row_fault,
				       strlen(row_fault), &e));
	return true;
}

bool row_end(void)
{
	ck_assert_msg(got == wanted, "%s: %s: %ld, not %ld", row_subject,
		      row_condition, got, wanted);
	bay_close(r);
	return false;
}

START_TEST(build)
{
	rows_build();
}
END_TEST

START_TEST(edmm)
{
	rows_edmm();
}
END_TEST

START_TEST(map)
{
	rows_map();
}
END_TEST

START_TEST(inject)
{
	rows_inject_whole();
	rows_inject();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("driver");
	TCase *t = tcase_create("rows");
	SRunner *run;
	int failed;

	if (conform_asked(argc, argv)) {
		listing = true;
		conform_begin("The device", "call");
		rows_build();
		rows_edmm();
		rows_map();
		rows_inject();
		return EXIT_SUCCESS;
	}
	bay_setup();
	tcase_set_timeout(t, 60);
	tcase_add_test(t, build);
	tcase_add_test(t, edmm);
	tcase_add_test(t, map);
	tcase_add_test(t, inject);
	suite_add_tcase(s, t);
	run = srunner_create(s);
	srunner_run_all(run, CK_ENV);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
