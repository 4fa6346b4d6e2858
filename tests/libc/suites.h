/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_LIBC_SUITES_H
#define TESTS_LIBC_SUITES_H

#include <check.h>

Suite *calls_suite(void);
Suite *lies_suite(void);

#endif
