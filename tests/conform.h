/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conformance tables: a test program that has one prints its rows when it is
 * run with --rows, as a Markdown section; all sections together are
 * docs/conformance.md. In the program's CMakeLists.txt, say
 *
 *	edmm_conform(TARGET ORDER)
 *
 * and write rows with conform_begin() and conform_row(). The same rows drive
 * the test, so that the document lists what is tested and nothing else.
 */
#ifndef TESTS_CONFORM_H
#define TESTS_CONFORM_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Was the program asked for its rows? */
static inline bool conform_asked(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], "--rows") == 0;
}

/* A section with a title, and what the first column names. */
static inline void conform_begin(const char *title, const char *subject)
{
	printf("## %s\n\n| %s | condition | outcome |\n|---|---|---|\n", title,
	       subject);
}

static inline void conform_row(const char *subject, const char *condition,
			       const char *outcome)
{
	printf("| %s | %s | %s |\n", subject, condition, outcome);
}

#endif
