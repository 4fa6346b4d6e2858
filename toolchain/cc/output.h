/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a link's file goes. The linker writes into a folder of our own, the
 * check looks at it there, and only a good image reaches the name that was
 * asked for, in the way in which ld writes: a device, a pipe and an empty file
 * are written into, any other file and a link to one are replaced. So a link
 * that fails, or is refused, touches no file that it did not make.
 */
#ifndef TOOLCHAIN_CC_OUTPUT_H
#define TOOLCHAIN_CC_OUTPUT_H

#include <limits.h>

/**
 * struct cc_output - a file under way
 * @name: as the caller named it
 * @folder: of ours, in $TMPDIR
 * @temp: the file in it: what the linker writes
 */
struct cc_output {
	const char *name;
	char folder[PATH_MAX];
	char temp[PATH_MAX];
};

/**
 * output_begin() - make the folder.
 *
 * Return: 0, or -1 with errno set and nothing made.
 */
int output_begin(struct cc_output *o, const char *name);

/* output_made() - whether the linker wrote anything. */
int output_made(const struct cc_output *o);

/**
 * output_deliver() - bring the file to its name.
 *
 * Return: 0, or -1 with errno set; a file that was to be replaced may be gone.
 */
int output_deliver(const struct cc_output *o);

/* output_end() - remove the folder and what is left in it. */
void output_end(const struct cc_output *o);

#endif
