/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What edmm-cc understands of gcc's command line: only as much as decides
 * whether an image is linked, under what name, and which options an image
 * cannot honour. Everything else goes to gcc as it came.
 */
#ifndef TOOLCHAIN_CC_ARGS_H
#define TOOLCHAIN_CC_ARGS_H

#include <stddef.h>

enum cc_mode {
	CC_LINK,    /* an image comes out: our flags, start-up code, check */
	CC_COMPILE, /* objects, assembly, dependencies, preprocessed text */
	CC_RELINK,  /* -r: objects into one object, nothing of ours added */
	CC_QUERY,   /* --version, -print-*, -dump*: gcc answers */
	CC_HELP,    /* our own --help */
};

enum cc_malloc {
	CC_MALLOC_AUTO, /* mimalloc where the program makes threads */
	CC_MALLOC_MUSL,
	CC_MALLOC_MIMALLOC,
};

/**
 * struct cc_args - a command line, taken apart
 * @mode: what it asks for
 * @output: the name of the file that a link writes
 * @strip: -s was given: the link keeps symbols, the check runs, then strip
 * @nostdinc: the caller brings all headers
 * @version: --version was given: ours comes before gcc's
 * @malloc: what an image allocates with: the C library's own, or another
 * @pass: options and files for gcc, in order
 * @npass: how many
 */
struct cc_args {
	enum cc_mode mode;
	const char *output;
	int strip;
	int nostdinc;
	int version;
	enum cc_malloc malloc;
	const char **pass;
	size_t npass;
};

/**
 * cc_parse() - take a command line apart.
 * @out: the result; its @pass array is allocated, the strings are @argv's.
 * @argc: as main()'s.
 * @argv: as main()'s.
 * @bad: receives the option that is refused.
 *
 * Return: NULL, or why @bad cannot be honoured, for one line of an error.
 */
const char *cc_parse(struct cc_args *out, int argc, char **argv,
		     const char **bad);

#endif
