/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the driver's conformance table. A row is
 *
 *	ROW("ADD_PAGES", "the source is not page aligned", -EINVAL)
 *	{
 *		bay_created(r);
 *		r->add.src += 64;
 *		got = add(r);
 *	}
 *
 * run on a fresh bay `r`; `got` must be the number in the end. Asked for its
 * rows, the program prints them and runs none.
 */
#ifndef TESTS_DRV_ROW_H
#define TESTS_DRV_ROW_H

#include <errno.h>

#include "tests/drv/bay.h"

extern struct bay *r;
extern long got;

bool row_begin(const char *subject, const char *condition, long want);
bool row_end(void);

#define ROW(subject, condition, want)                                   \
	for (bool go_ = row_begin((subject), (condition), (want)); go_; \
	     go_ = row_end())

/* Of the bay that the next rows open. */
extern uint32_t row_features;
extern uint32_t row_epc;
/* A fault that they have, or NULL (machine/linux/inject.h). */
extern const char *row_fault;

void rows_build(void);
void rows_edmm(void);
void rows_map(void);
void rows_inject(void);
/* Has every fault of the table a row? */
void rows_inject_whole(void);

#endif
