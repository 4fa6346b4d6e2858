/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two clocks of a run: the enclave's stamps are the TSC's, a picture's and
 * a report's are nanoseconds.
 */
#ifndef CLI_RUN_CLOCK_H
#define CLI_RUN_CLOCK_H

#include <stdint.h>

/* Both clocks at one moment. */
struct cli_clock {
	uint64_t tsc;
	uint64_t ns;
};

uint64_t cli_now_ns(void);
uint64_t cli_now_tsc(void);
struct cli_clock cli_clock_now(void);
/* Nanoseconds from one stamp to another, by the rate since @begin. */
uint64_t cli_tsc_ns(const struct cli_clock *begin, uint64_t from, uint64_t to);
/* So many seconds as ticks of the TSC, by the same rate. */
uint64_t cli_ticks(const struct cli_clock *begin, uint32_t seconds);

#endif
