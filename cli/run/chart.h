/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of memory over time, as SVG.
 */
#ifndef CLI_RUN_CHART_H
#define CLI_RUN_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHART_MARKS 64u

struct chart_sample {
	uint64_t at_ns; /* from the picture's left edge, ascending */
	uint64_t committed;
	uint64_t idle; /* part of committed */
	uint64_t epc;
};

struct chart_mark {
	uint64_t at_ns;
	char text[96];
};

struct chart {
	const char *title;
	struct chart_sample *sample;
	size_t sample_count;
	bool has_epc;
	uint64_t main_ns; /* main() was called; 0: never */
	struct chart_mark mark[CHART_MARKS];
	size_t mark_count;
};

/**
 * chart_write() - draw into a file, whole or not at all
 *
 * Text of marks and title may hold anything. Return: false after one line on
 * standard error.
 */
bool chart_write(const struct chart *c, const char *path);

#endif
