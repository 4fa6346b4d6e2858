/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of cli/ share. Verbs are listed in cli/verbs.h.
 *
 *	run/      run, advise: one run of an enclave, its report and picture
 *	image/    sign, measure, inspect, diff, keygen: identities
 *	config/   check, convert, explain, policy: configuration files
 *	machine/  sim, trace, doctor: the machine that it runs on
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/verbs.h"
#include "edmm/image.h"

/* Exit statuses; those of `edmm run` are as env(1) and timeout(1) have them. */
#define CLI_FAIL 1
#define CLI_USAGE 2
#define CLI_RUN_FAIL 125    /* no machine, or the enclave did not start */
#define CLI_RUN_REFUSED 126 /* PROGRAM or its signature is not good */
#define CLI_RUN_NOT_FOUND 127

/* One line on standard error, behind "edmm: ". */
__attribute__((format(printf, 1, 2))) void cli_error(const char *format, ...);
/* The same, and returns CLI_USAGE, pointing at --help of the verb. */
__attribute__((format(printf, 2, 3))) int cli_usage(const char *verb,
						    const char *format, ...);

/**
 * cli_size() - a size with unit: 4096, 64K, 256M, 2GiB, 1TB, 0x200000
 *
 * Units are powers of 1024. Return: false after a line that tells the option
 * and the right spelling.
 */
bool cli_size(const char *option, const char *text, uint64_t *size);
bool cli_number(const char *option, const char *text, uint64_t max,
		uint64_t *number);

/* ---- settings: the options that sign, measure, inspect and run share --- */

enum {
	CLI_OPT_HELP = 0x100,
	CLI_OPT_ELRANGE,
	CLI_OPT_HEAP_INIT,
	CLI_OPT_HEAP_MAX,
	CLI_OPT_STACK,
	CLI_OPT_STACK_INIT,
	CLI_OPT_CONTEXTS,
	CLI_OPT_WX,
	CLI_OPT_DEBUG,
	CLI_OPT_FILE,
	CLI_OPT_VERB, /* a verb's own options from here on */
};

#define CLI_SETTING_OPTIONS                                                    \
	{ "help", no_argument, NULL, CLI_OPT_HELP },                           \
		{ "config", required_argument, NULL, CLI_OPT_FILE },           \
		{ "elrange", required_argument, NULL, CLI_OPT_ELRANGE },       \
		{ "heap-init", required_argument, NULL, CLI_OPT_HEAP_INIT },   \
		{ "heap-max", required_argument, NULL, CLI_OPT_HEAP_MAX },     \
		{ "stack", required_argument, NULL, CLI_OPT_STACK },           \
		{ "stack-init", required_argument, NULL, CLI_OPT_STACK_INIT }, \
		{ "contexts", required_argument, NULL, CLI_OPT_CONTEXTS },     \
		{ "wx", no_argument, NULL, CLI_OPT_WX },                       \
	{                                                                      \
		"debug", no_argument, NULL, CLI_OPT_DEBUG                      \
	}

#define CLI_SETTING_HELP                                                     \
	"  --config FILE       settings of a file of any format (man "       \
	"edmm-convert);\n"                                                   \
	"                      options go before it\n"                       \
	"  --heap-init SIZE    heap added before start-up (elastic; 2M)\n"   \
	"  --heap-max SIZE     heap at most: a static image's whole heap,\n" \
	"                      an elastic image's default (not measured)\n"  \
	"  --stack SIZE        main stack at most (8M)\n"                    \
	"  --stack-init SIZE   stack added before start-up (elastic; 64K)\n" \
	"  --contexts N        thread contexts in the image (1)\n"           \
	"  --elrange SIZE      address range, a power of two (64G)\n"        \
	"  --wx                pages may be writable and executable\n"       \
	"  --debug             the host may look into the enclave\n"

struct edmm_policy;

/* Files that settings come from, the weakest first; options beat them all. */
enum cli_layer {
	CLI_LAYER_CONFIG,     /* --config */
	CLI_LAYER_SCONE_CONF, /* /etc/sgx-musl.conf; edmm run only */
	CLI_LAYER_SCONE,      /* SCONE_ variables; edmm run only */
	CLI_LAYERS,
};

/* 0 where an option was not given. */
struct cli_settings {
	const char *config; /* --config, or NULL */
	struct edmm_policy *layer[CLI_LAYERS];
	uint64_t elrange;
	uint64_t heap_init;
	bool has_heap_init; /* --heap-init 0 is a wish of its own */
	uint64_t heap_max;
	uint64_t stack;
	uint64_t stack_init;
	uint64_t contexts;
	bool wx;
	bool debug;
};

/**
 * cli_setting() - take one option of CLI_SETTING_OPTIONS
 *
 * Return: false after a line on standard error.
 */
bool cli_setting(struct cli_settings *s, int option, const char *arg);
/* Whether anything that a signature fixes is set; names the option. */
const char *cli_settings_fixed(const struct cli_settings *s);

/* ---- layers.c: options over files over a signature or the defaults ----- */

/**
 * cli_settings_load() - read the file of --config
 *
 * Return: false after a line for each mistake in it.
 */
bool cli_settings_load(struct cli_settings *s);
/* Frees the files' policies. */
void cli_settings_drop(struct cli_settings *s);
/* A mode's policy from defaults, files and options; false after a line. */
bool cli_settings_policy(const struct cli_settings *s, enum edmm_mode mode,
			 struct edmm_image_policy *policy);

/**
 * cli_settings_over() - what the settings would make of a signed policy
 * @policy: of the signature; replaced by what is wanted
 *
 * Only what a file or an option says itself is put over it. Return: false
 * after a line.
 */
bool cli_settings_over(const struct cli_settings *s,
		       struct edmm_image_policy *policy);

/* A line where @want differs from @have in what is measured; true if so. */
bool cli_settings_clash(const struct cli_settings *s, const char *program,
			const struct edmm_image_policy *have,
			const struct edmm_image_policy *want);

/* ---- modes, files, names ----------------------------------------------- */

const char *cli_mode_name(uint32_t mode);
/* "elastic", "static", "both" (0); false after a line. */
bool cli_mode(const char *text, uint32_t *mode);

/* $XDG_CONFIG_HOME/edmm/NAME or ~/.config/edmm/NAME; malloc()ed, or NULL. */
char *cli_config_path(const char *name);
/* The folders above @path, mode 0700; false with a line. */
bool cli_make_folders(const char *path);
/* PROGRAM.sig; malloc()ed. */
char *cli_sig_path(const char *program);
bool cli_exists(const char *path);
/* Whether a file can be written there; false after a line. Makes none. */
bool cli_can_write(const char *option, const char *path);
/* A file whole or not at all; false after a line. */
bool cli_write_file(const char *path, const void *bytes, size_t size);

void cli_hex(const uint8_t *bytes, size_t count, char *text);
/* "2 MiB", "63.9 GiB", "12 KiB": with a decimal where it is not exact. */
const char *cli_bytes(uint64_t n, char text[32]);

/**
 * cli_load_sig() - the signature file of a program
 * @path: given by --sig, or NULL for PROGRAM.sig
 *
 * Return: 1 read, 0 there is none (only without @path), -1 after a line.
 */
int cli_load_sig(const char *program, const char *path,
		 struct edmm_sig_file *file);

/* YYYY-MM-DD of --date, in BCD; 0000-00-00 is none. False after a line. */
bool cli_day(const char *text, uint32_t *date);

/* Today, or the day of SOURCE_DATE_EPOCH, in BCD. False after a line. */
bool cli_today(uint32_t *date);

/* The parts of a SCONE session, on standard output, in this order: session.c.
 * A service's identities follow it; any of them is accepted. @label: elastic,
 * static, or what a foreign file calls it. */
void cli_session_head(const char *name);
void cli_session_service(const char *name);
void cli_session_identity(const uint8_t mrenclave[32], const char *label);

/* The name that was given, or a file's. */
const char *cli_session_name(const char *name, const char *path);

#endif
