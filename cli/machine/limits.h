/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a host's limits stands between a process and an enclave: looked at
 * by `edmm doctor`, and by `edmm run` before it starts the software machine,
 * whose own words for it would be an errno's.
 */
#ifndef CLI_MACHINE_LIMITS_H
#define CLI_MACHINE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_TEXT 160

/**
 * struct cli_limit - one limit, as this process has it
 * @name: for doctor's list
 * @value: what it is
 * @hint: how to have more
 * @stops: no enclave starts on the software machine
 * @tight: one of the default size does not, or a large run may not
 */
struct cli_limit {
	const char *name;
	char value[LIMIT_TEXT];
	const char *hint;
	bool stops;
	bool tight;
};

enum cli_limit_id {
	CLI_LIMIT_PROC,
	CLI_LIMIT_MEMFD,
	CLI_LIMIT_SPACE,
	CLI_LIMIT_DATA,
	CLI_LIMIT_FILE_SIZE,
	CLI_LIMIT_LOCKED,
	CLI_LIMIT_FILES,
	CLI_LIMIT_MAPS,
	CLI_LIMIT_OVERCOMMIT,
	CLI_LIMITS
};

void cli_limit_look(enum cli_limit_id id, struct cli_limit *l);

/* Whether the software machine can start at all; false after a line. */
bool cli_limits_ok(void);

/* ", and the cause": the first that is tight, for a failure's line; "": none.
 */
const char *cli_limits_cause(char text[2 * LIMIT_TEXT]);

#endif
