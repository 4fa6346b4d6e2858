/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>

#include "tests/sys/suites.h"

int main(void)
{
	SRunner *sr = srunner_create(calls_suite());
	int failed;

	srunner_add_suite(sr, clock_suite());
	srunner_add_suite(sr, lies_suite());
	srunner_add_suite(sr, proc_suite());
	srunner_add_suite(sr, rows_suite());
	srunner_add_suite(sr, table_suite());
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
