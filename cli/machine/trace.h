/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of edmm trace share.
 */
#ifndef CLI_MACHINE_TRACE_H
#define CLI_MACHINE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/watch/counters.h"

/* What to take of a trace; zero or NULL: all. */
struct trace_filter {
	const char *event; /* a kind's or an event's name */
	uint64_t thread, encl;
	uint64_t low, high;    /* addresses, high excluded; 0: all */
	uint64_t since, until; /* ns; until 0: the end */
};

struct trace_file {
	const struct trace_header *header;
	const struct trace_record *record;
	size_t count;
	size_t size;
};

/* false after a line. */
bool trace_open(struct trace_file *f, const char *path);
void trace_close(struct trace_file *f);

const char *trace_kind_name(unsigned kind);
/* "eaug", "track", "add_pages" ...; "?" for what has no name. */
const char *trace_event_name(const struct trace_record *r);
bool trace_wanted(const struct trace_filter *f, const struct trace_record *r);

/* Sums what is wanted: counters, threads, pages. */
int trace_sum(const struct trace_file *f, const struct trace_filter *want,
	      const struct watch_costs *costs, bool json);

#endif
