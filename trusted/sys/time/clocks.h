/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks, as the rest of the layer reads them. Most readings make no exit:
 * clocks.c has the rules.
 */
#ifndef TRUSTED_SYS_TIME_CLOCKS_H
#define TRUSTED_SYS_TIME_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NSEC 1000000000ll
/* No claim is beyond: it leaves room for what is added to it. */
#define CLOCK_NS_MAX (1ll << 62)

/**
 * sys_clock_now() - what a clock says
 * @clock: of <linux/time.h>
 * @ns: gets nanoseconds
 *
 * Context: any; may leave the enclave.
 * Trust: CLOCK_MONOTONIC never goes back on any thread, nor do the raw, coarse
 * and boot clocks and those of CPU time. Wall time is the host's claim.
 * Return: 0; -EINVAL for no clock; -EPROTO for a claim out of range; another
 * error of the host's when it has never told the time.
 */
long sys_clock_now(uint64_t clock, int64_t *ns);

/* The host has waked us by its clock: the next readings look at it. */
void sys_clock_stale(void);

/**
 * struct clock_line - a clock as a function of the time stamp counter
 * @tsc: where it begins
 * @ns: what it says there
 * @rate: nanoseconds a tick, 32 bits of them behind the point; 0: not known
 * @span: ticks from @tsc on, after which the host is asked again
 */
struct clock_line {
	uint64_t tsc;
	int64_t ns;
	uint64_t rate;
	uint64_t span;
};

/* A claim of the host's, made at some time between two readings of the TSC. */
struct clock_sample {
	uint64_t before, after;
	int64_t ns;
};

/**
 * struct clock_books - what corrections are judged by
 * @line: the one in use
 * @from: the sample from which on the rate is measured
 * @first: rate of the first calibration; 0: it is not done
 * @saved: nanoseconds that may still be corrected at once
 * @refused: corrections of which a part was refused
 * @refused_ns: all those parts together
 * @known: there was a sample
 */
struct clock_books {
	struct clock_line line;
	struct clock_sample from;
	uint64_t first;
	int64_t saved;
	uint64_t refused;
	uint64_t refused_ns;
	bool known;
};

/* What the line says; it stands before its begin. */
int64_t clock_line_at(const struct clock_line *l, uint64_t tsc);

/**
 * clock_correct() - the line that follows from one more claim
 * @b: changed
 * @s: not before the last one, but for a TSC that has gone back
 */
void clock_correct(struct clock_books *b, const struct clock_sample *s);

#endif
