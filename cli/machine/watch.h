/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of edmm sim that watch the software machine or make it fail. Each
 * function reports a mistake in one line.
 */
#ifndef CLI_MACHINE_WATCH_H
#define CLI_MACHINE_WATCH_H

#include <stdbool.h>

/**
 * cli_quota() - the EPC's quota: a SIZE, max, or a line of the misc cgroup
 * @quota: out: the machine's spelling, bytes or max
 */
bool cli_quota(const char *text, char quota[24]);
/* The same from a file as misc.max; other resources are passed over. */
bool cli_misc_max(const char *path, char quota[24]);

/* The faults that there are, on standard output. */
void cli_faults(void);

/**
 * cli_step() - the setting that has the machine step by a script
 * @path: the script, which is read and checked
 * @image: where its symbols come from; NULL: it says so itself
 *
 * Return: settings of EDMM_MACHINE, malloc()ed; NULL after a line.
 */
char *cli_step(const char *path, const char *image);

struct watch_costs;

/* A cost table's file, or "default": false after a line. */
bool cli_cost_table(const char *path, struct watch_costs *out);
/* edmm's own, on standard output. */
void cli_print_cost_table(void);

#endif
