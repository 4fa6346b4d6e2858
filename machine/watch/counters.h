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

#include "edmm/machine.h"
#include "machine/watch/trace.h"
#include "sgx/arch.h"

/* ---- names ------------------------------------------------------------- */

/* NULL for a number that is none. */
const char *watch_encls(unsigned leaf);
const char *watch_enclu(unsigned leaf);
const char *watch_ioctl(unsigned nr);
/* Its name, if @name is the one that an ioctl had before; else @name. */
const char *watch_ioctl_today(const char *name);
const char *watch_aex(unsigned why);
const char *watch_fault(unsigned what);

/* ---- what counts what --------------------------------------------------- */

/*
 * The column told of EDMM_MACHINE_COUNTERS, as numbers. Events:
 *
 *	LEAF(N)		the enclave's leaf N completed
 *	PAGE(N)		so did the kernel's, on a page, with result 0; of
 *			EEXTEND its last for the page
 *	FAULTED(KIND)	a leaf of the kind faulted
 *	AEX(CAUSE)	an AEX of that cause
 *	FAULT(F)	a fault of which F came; FAULT(OTHER) is an AEX by
 *			another exception than a page fault
 *	FAILED(KIND)	an event of the kind with another result than 0
 *	EACH(KIND)	any event of the kind
 *	DONE(IOCTL)	a page that the ioctl has done, failed or not
 */
enum watch_rule {
	WATCH_RULE_NONE, /* LEVEL and UNTOLD */
	WATCH_RULE_LEAF,
	WATCH_RULE_PAGE,
	WATCH_RULE_FAULTED,
	WATCH_RULE_AEX,
	WATCH_RULE_FAULT,
	WATCH_RULE_FAILED,
	WATCH_RULE_EACH,
	WATCH_RULE_DONE,
};

#define WATCH_EVENT(rule, what) \
	((unsigned)WATCH_RULE_##rule << 8 | (unsigned)(what))
#define WATCH_IS_TOLD(event) ((event) >> 8 != WATCH_RULE_NONE)
#define WATCH_LEVEL WATCH_EVENT(NONE, 0)
#define WATCH_UNTOLD WATCH_EVENT(NONE, 1)
#define WATCH_LEAF(n) WATCH_EVENT(LEAF, SGX_##n)
#define WATCH_PAGE(n) WATCH_EVENT(PAGE, SGX_##n)
#define WATCH_FAULTED(kind) WATCH_EVENT(FAULTED, TRACE_##kind)
#define WATCH_AEX(cause) WATCH_EVENT(AEX, TRACE_AEX_##cause)
#define WATCH_FAULT(what) WATCH_EVENT(FAULT, TRACE_FAULT_##what)
#define WATCH_FAILED(kind) WATCH_EVENT(FAILED, TRACE_##kind)
#define WATCH_EACH(kind) WATCH_EVENT(EACH, TRACE_##kind)
#define WATCH_DONE(ioctl) WATCH_EVENT(DONE, EDMM_IOCTL_##ioctl)

/* For a walk over the list that wants no arrays, or nothing but them. */
#define WATCH_NO_ONE(name, where, told)
#define WATCH_NO_ARRAY(name, count, prefix, kind)

/* Adds @n to each counter of a WATCH_EVENT(). */
static inline void watch_count(struct edmm_machine_stats *s, unsigned event,
			       uint64_t n)
{
#define WATCH_ONE(name, where, told) \
	if (event == WATCH_##told)   \
		s->name += n;
	EDMM_MACHINE_COUNTERS(WATCH_ONE, WATCH_NO_ARRAY)
#undef WATCH_ONE
}

/* Adds to every counter what a part of the machine has in its own record, where
 * others may be counting meanwhile. */
static inline void watch_sum(struct edmm_machine_stats *to,
			     const struct edmm_machine_stats *part)
{
	const uint64_t *from = (const uint64_t *)part;
	uint64_t *into = (uint64_t *)to;

	for (size_t i = 1; i < sizeof(*to) / sizeof(*into); i++)
		into[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

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
	bool levels;			 /* and what else no trace tells */
	bool json;			 /* one object on one line */
	uint32_t pid;
};

void watch_print(const struct watch_out *o, const struct watch_print *p);

/* ---- sums -------------------------------------------------------------- */

/* Adds a record to the counters of its events; levels stay. */
void watch_add(struct edmm_machine_stats *s, const struct trace_record *r);

#endif
