/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MUST: what a test's own scaffolding relies on, and threads that have no
 * Check around them. A test's claims are Check's (ck_assert). Programs without
 * a C library have words of their own: NEED in tests/mimic.
 */
#ifndef TESTS_MUST_H
#define TESTS_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)                                                         \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond);                                    \
			abort();                                           \
		}                                                          \
	} while (0)

#endif
