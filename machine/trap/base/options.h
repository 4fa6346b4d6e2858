/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The settings of the machine, EDMM_MACHINE: read by the library when it
 * starts, and before that by edmm, which knows the option that they came from.
 */
#ifndef TRAP_BASE_OPTIONS_H
#define TRAP_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/linux/inject.h"
#include "machine/trap/base/facility.h"

#define OPTION_TEXT 512u

/* Whether system calls of the program's own are dispatched. */
enum machine_raw {
	MACHINE_RAW_AUTO, /* if its code has any */
	MACHINE_RAW_NEVER,
	MACHINE_RAW_ALWAYS
};

enum machine_stats {
	MACHINE_STATS_NONE,
	MACHINE_STATS_TEXT,
	MACHINE_STATS_JSON
};

#define MACHINE_PATH 4096

struct machine_options {
	uint64_t epc;	/* bytes */
	uint64_t quota; /* bytes; UINT64_MAX: none */
	uint32_t features;
	uint64_t seed;
	uint64_t timer; /* ns of a thread's time; 0: none */
	struct drv_inject inject;
	enum facility_want want[FACILITIES];
	bool vdso_fast;
	bool production; /* take enclaves signed for it */
	bool strict;
	bool populate;
	bool why;
	uint64_t xfrm_off; /* state components that the processor lacks */
	char vendor[13];   /* of CPUID; "": its own */
	enum machine_stats stats;
	/* Files, "" for none; the machine keeps no copy. */
	const char *stats_file;
	const char *cost_table;
	const char *trace;
	const char *step;
	const char *step_image;
	bool quiet;
	enum machine_raw raw;
};

/**
 * struct option_error - a setting that cannot be
 * @item: NAME=VALUE, of the text
 * @len: bytes of it
 * @column: where the value is wrong, from 1; 0: not told
 * @want: what would be right; NULL: there is no such name
 */
struct option_error {
	const char *item;
	size_t len;
	size_t column;
	const char *want;
};

/**
 * options_parse() - settings from text
 * @text: NAME=VALUE, separated by commas; NULL is none
 * @o: receives them; its paths are this function's, until the next call
 * @e: filled in on failure
 *
 * Context: one thread; needs no libc that is ready.
 * Return: true, or false with @e.
 */
bool options_parse(const char *text, struct machine_options *o,
		   struct option_error *e);

/* A line of it, in which the item is called @typed, if that is not NULL. */
void options_tell(char text[OPTION_TEXT], const char *typed,
		  const struct option_error *e);

#endif
