/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What measure and inspect look at: an image, a signature file, or both, seen
 * mode by mode.
 */
#ifndef CLI_SUBJECT_H
#define CLI_SUBJECT_H

#include "cli/cli.h"

struct cli_mode_view {
	struct edmm_image_policy policy;
	uint8_t mrenclave[32]; /* computed; without an image, as signed */
	bool has_plan;
	struct edmm_plan plan;
	bool has_sig;
	bool matches; /* signed and computed MRENCLAVE are equal */
	struct sgx_sigstruct sig;
};

struct cli_subject {
	const char *path;
	const char *sig_path; /* --sig, or NULL */
	struct cli_settings *settings;
	uint32_t mode; /* 0: all there are */

	struct edmm_image *image; /* NULL for a signature file alone */
	uint32_t count;
	struct cli_mode_view view[EDMM_SIG_ENTRIES];
};

/**
 * cli_subject_open() - read, check and measure
 * @s: path, sig_path, settings and mode are set, the rest is 0
 *
 * Every SIGSTRUCT is verified. A signature of another image is an error.
 * Return: false after one line on standard error.
 */
bool cli_subject_open(struct cli_subject *s);
void cli_subject_close(struct cli_subject *s);

#endif
