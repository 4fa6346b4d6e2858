/* SPDX-License-Identifier: BSD-3-Clause */
/* What convert, check and explain share. */
#ifndef CLI_CONFIG_CONFIG_H
#define CLI_CONFIG_CONFIG_H

#include "cli/cli.h"
#include "edmm/policy.h"

/* Options of all of them, for the target that a policy is meant for. */
enum {
	CLI_OPT_PLATFORM = CLI_OPT_VERB,
	CLI_OPT_COMPAT,
	CLI_OPT_FROM,
	CLI_OPT_EPC,
	CLI_OPT_THREADS,
	CLI_OPT_CONFIG, /* a verb's own from here on */
};

#define CLI_TARGET_OPTIONS                                                 \
	{ "help", no_argument, NULL, CLI_OPT_HELP },                       \
		{ "platform", required_argument, NULL, CLI_OPT_PLATFORM }, \
		{ "compat", required_argument, NULL, CLI_OPT_COMPAT },     \
		{ "from", required_argument, NULL, CLI_OPT_FROM },         \
		{ "epc", required_argument, NULL, CLI_OPT_EPC },           \
	{                                                                  \
		"threads", required_argument, NULL, CLI_OPT_THREADS        \
	}

struct cli_target {
	struct edmm_target t;
	enum edmm_format from;
};

/* ENABLE_EDMM and SGX_MODE of the environment. */
void cli_target_init(struct cli_target *t);

/* One option of CLI_TARGET_OPTIONS; false after a line. */
bool cli_target_option(struct cli_target *t, int option, const char *arg);

/* A format by name; false after a line that lists them. */
bool cli_format(const char *option, const char *name, enum edmm_format *format);

/*
 * cli_policy_read() - a policy from a file, `-`, or `env:` (the SCONE_
 * variables of this process)
 *
 * Return: as edmm_policy_read().
 */
edmm_err cli_policy_read(const char *path, enum edmm_format from,
			 struct edmm_policy **out, struct edmm_findings *f);

/* Findings from a level on, sorted, on a stream. */
void cli_findings(struct edmm_findings *f, enum edmm_level from, FILE *out);

/* Text to a file, whole or not at all; `-` is standard output. False after a
 * line. */
bool cli_write_text(const char *path, const char *text, size_t size);

#endif
