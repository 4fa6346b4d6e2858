/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may leave of a structure and what may come in, said a second time and
 * with the C library's types, so that trusted/sys/record.c has a judge.
 */
#ifndef TESTS_SYS_TEST_ROWS_H
#define TESTS_SYS_TEST_ROWS_H

#include "common/calls.h"

/* May byte @i of a structure leave the enclave? */
bool oracle_leaves(enum call_struct s, uint64_t i);

/* Is it one that a program may be given, which had @asked there before? */
bool oracle_is_fine(enum call_struct s, const void *p, const void *asked);

#endif
