/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine that a command runs on: hardware, or this process with the
 * software machine's library preloaded.
 */
#ifndef CLI_MACHINE_MACHINE_H
#define CLI_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "edmm/host.h"
#include "edmm/machine.h"
#include "machine/trap/base/facility.h"

enum cli_machine {
	CLI_MACHINE_AUTO,
	CLI_MACHINE_SOFT,
	CLI_MACHINE_HW,
};

/* "auto", "soft", "hw"; false after a line on standard error. */
bool cli_machine(const char *text, enum cli_machine *machine);

/* Whether the software machine's library is in this process. */
bool cli_machine_here(void);
/* Whether it would refuse a signature with this SWDEFINED. */
bool cli_machine_refuses(uint32_t swdefined);
/* Its counters; false on hardware. */
bool cli_machine_stats(struct edmm_machine_stats *stats);

/* Does this processor or kernel have what the software machine uses? */
bool cli_facility(enum facility f);

/* CPUID instructions of a program that must be listed to the machine:
 * malloc()ed offsets, NULL for none. */
uint64_t *cli_machine_cpuid(const char *program, size_t *count);

/**
 * cli_device_check() - whether /dev/sgx_enclave can be opened
 * @e: gets a line when it cannot
 *
 * Return: 0, or what open(2) gives, negative.
 */
int cli_device_check(struct edmm_host_error *e);
/**
 * cli_device_has_edmm() - whether enclaves can change their pages after EINIT
 * @has: set; false when the device cannot be opened
 *
 * Return: false after a line when the device cannot be opened, so that nothing
 * is known.
 */
bool cli_device_has_edmm(bool *has);

/* This program's file, so that a new process has its name; malloc()ed. */
char *cli_self(void);

/**
 * cli_machine_exec() - replace this process by @file on the software machine
 * @options: EDMM_MACHINE's value, or NULL to leave it as it is
 * @quiet: the library prints no banner; whoever restarted does
 *
 * What the user had in LD_PRELOAD stays behind the library, and is kept for
 * cli_program_env(). A static program is started by the launcher. Return: only
 * after an error, with a line on standard error; the caller's exit status then
 * is CLI_RUN_FAIL.
 */
void cli_machine_exec(const char *file, char *const *argv, const char *options,
		      bool quiet);

/**
 * cli_machine_settings() - look at settings before the machine does
 * @list: EDMM_MACHINE's value
 * @option: what the last of them came from, "epc"
 * @typed: and its value; NULL: the setting itself
 *
 * Return: false after a line that says what would be right.
 */
bool cli_machine_settings(const char *list, const char *option,
			  const char *typed);

/* Whether cli_machine_exec() with @quiet has started this process. */
bool cli_machine_restarted(void);

/**
 * cli_program_env() - the environment that the user gave
 *
 * Without what cli_machine_exec() added. Return: a NULL-terminated vector; the
 * vector is malloc()ed, most strings are those of environ.
 */
char **cli_program_env(void);

#endif
