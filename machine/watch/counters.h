/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's counters by name, their print, and what they would cost on
 * hardware. Pure: no memory is allocated, no system call made, so that the
 * preload library can use it at a process's end and the command as well.
 */
#ifndef MACHINE_WATCH_COUNTERS_H
#define MACHINE_WATCH_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <edmm/machine.h>

#include "machine/watch/trace.h"

/* ---- names ------------------------------------------------------------- */

/* NULL for a number that is none. */
const char *watch_encls(unsigned leaf);
const char *watch_enclu(unsigned leaf);
const char *watch_ioctl(unsigned nr);
const char *watch_aex(unsigned why);
const char *watch_fault(unsigned what);

/* ---- what it would cost ------------------------------------------------ */

#define WATCH_COSTS 40u

struct watch_costs {
	uint64_t hz;		      /* cycles a second, for the time */
	uint64_t cycles[WATCH_COSTS]; /* by watch_cost_name() */
};

/* Where a table is wrong, and what would be right. */
struct watch_error {
	unsigned line, column; /* from 1 */
	const char *want;
};

/* The table that comes with edmm, NUL-terminated. */
extern const char watch_cost_default[];

/**
 * watch_costs_parse() - read a cost table
 *
 * Lines of NAME CYCLES SOURCE, or clock HZ SOURCE; # begins a comment. What is
 * not named costs nothing; an entry without a source is an error.
 */
bool watch_costs_parse(const char *text, size_t size, struct watch_costs *out,
		       struct watch_error *e);
const char *watch_cost_name(unsigned i);
/* How often what cost @i names has happened. */
uint64_t watch_cost_count(const struct edmm_machine_stats *s, unsigned i);

/* ---- printing ---------------------------------------------------------- */

struct watch_out {
	void (*write)(void *ctx, const char *text, size_t size);
	void *ctx;
};

void watch_text(const struct watch_out *o, const char *text);
void watch_number(const struct watch_out *o, uint64_t n);

struct watch_print {
	const struct edmm_machine_stats *stats;
	const struct watch_costs *costs; /* NULL: no estimate */
	bool levels;			 /* of the EPC, too: a trace has none */
	bool json;			 /* one object on one line */
	uint32_t pid;
};

void watch_print(const struct watch_out *o, const struct watch_print *p);

/* ---- sums -------------------------------------------------------------- */

/* Adds a record to the counters that it belongs to; levels stay. */
void watch_add(struct edmm_machine_stats *s, const struct trace_record *r);

#endif
