/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target for the readers of other projects' formats. The first byte picks
 * the reader. What is accepted keeps the bounds of its header, can be read
 * whole, measured, and compared with itself. A page list may name no file
 * here: a file's name would be the fuzzer's.
 */
#include <stdlib.h>
#include <string.h>

#include "edmm/parts.h"

#define MEASURE_MAX 4096u /* pages; a fuzzer has no time for more */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct edmm_parts *p, const struct edmm_part *t)
{
	volatile uint8_t sink = 0;
	uint64_t k, size = t->repeat ? 4096 : t->size;

	if (!t->size || (t->off | t->size) % 4096 || t->off > p->elrange_size ||
	    t->size > p->elrange_size - t->off ||
	    !memchr(t->name, 0, sizeof(t->name)))
		abort();
	for (k = 0; t->src && k < size; k++)
		sink = (uint8_t)(sink + t->src[k]);
}

static void walk(struct edmm_parts *p)
{
	struct edmm_diff *d = calloc(1, sizeof(*d));
	uint8_t mr[32];
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < p->count; i++) {
		check_part(p, &p->part[i]);
		pages += p->part[i].size / 4096;
	}
	if (!d || pages != p->pages_added)
		abort();
	if (pages <= MEASURE_MAX) {
		if (edmm_parts_measure(p, mr) || edmm_parts_diff(p, p, d) ||
		    edmm_diff_any(d))
			abort();
	}
	free(d);
	edmm_parts_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edmm_parts sets[EDMM_PARTS_SETS];
	struct edmm_diag diag;
	size_t count = 1, i;
	edmm_err err;

	if (!size)
		return 0;
	if (*data == 'i')
		err = edmm_parts_intel(data + 1, size - 1, "fuzz", sets, &count,
				       &diag);
	else if (*data == 's')
		err = edmm_parts_sgxs(data + 1, size - 1, "fuzz", sets, &diag);
	else
		err = edmm_parts_pagelist((const char *)data + 1, size - 1,
					  "/nonexistent/fuzz", sets, &diag);
	for (i = 0; !err && i < count; i++)
		walk(&sets[i]);
	return 0;
}
