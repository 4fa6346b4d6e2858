/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What measure, inspect and diff look at: an image, a signature file, or both,
 * seen mode by mode; or an enclave or a SIGSTRUCT of another project.
 */
#ifndef CLI_IMAGE_SUBJECT_H
#define CLI_IMAGE_SUBJECT_H

#include "cli/cli.h"
#include "edmm/parts.h"

#define CLI_VIEWS EDMM_PARTS_SETS

/* A mode of an image of ours, or what a file of another format has. */
struct cli_mode_view {
	const char *label; /* "elastic", "static", "sgxs", ... */
	bool has_policy;   /* ours */
	struct edmm_image_policy policy;
	uint8_t mrenclave[32]; /* computed; without an image, as signed */
	bool has_plan;
	struct edmm_plan plan;
	bool has_sig;
	bool matches; /* signed and computed MRENCLAVE are equal */
	struct sgx_sigstruct sig;
	bool has_parts; /* not ours; cli_view_parts() gives ours */
	struct edmm_parts parts;
};

struct cli_subject {
	const char *path;
	const char *sig_path; /* --sig, or NULL */
	bool lenient;	      /* a signature of other pages is no error */
	struct cli_settings *settings;
	uint32_t mode; /* 0: all there are */

	struct edmm_image *image; /* NULL for a signature file alone */
	uint32_t count;
	struct cli_mode_view view[CLI_VIEWS];
};

/**
 * cli_subject_open() - read, check and measure
 * @s: path, sig_path, settings and mode are set, the rest is 0
 *
 * Every SIGSTRUCT is verified. A signature of another image is an error.
 * Return: false after one line on standard error.
 */
bool cli_subject_open(struct cli_subject *s);

/**
 * cli_view_parts() - the pages of a view, also of an image of ours
 *
 * Return: NULL for a signature alone, or without memory.
 */
const struct edmm_parts *cli_view_parts(struct cli_subject *s,
					struct cli_mode_view *v);
/* SIGSTRUCT's fields, named as gramine-sgx-sigstruct-view does. */
struct json_t;
struct json_t *cli_sig_json(const struct sgx_sigstruct *sig);
void cli_subject_close(struct cli_subject *s);

#endif
