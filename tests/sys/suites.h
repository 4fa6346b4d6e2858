/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SYS_SUITES_H
#define TESTS_SYS_SUITES_H

#include <check.h>

Suite *calls_suite(void);
Suite *clock_suite(void);
Suite *lies_suite(void);
Suite *proc_suite(void);
Suite *rows_suite(void);
Suite *table_suite(void);

#endif
