/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults to inject, by name and count: what goes wrong, when, and how. Only
 * outcomes that a kernel or a processor can give by itself are in the table
 * (inject.c); each has its row there, and what the program sees of it.
 *
 *	WHERE[:N | :N+ | %N][=OUTCOME]
 *	lose@TIME
 *
 * :N is the Nth time, :N+ the Nth and every later one, %N every Nth; :1 is the
 * default. TIME is a number with ms or s, from the first INIT on.
 */
#ifndef LINUX_INJECT_H
#define LINUX_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/machine.h"

/* Where: an ioctl, a place in the driver, or a leaf. */
enum inject_point {
	INJECT_IOCTL, /* any */
	INJECT_IOCTL_NR,
	/* Before a page of ADD_PAGES. */
	INJECT_SIGNAL = INJECT_IOCTL_NR + EDMM_MACHINE_IOCTLS,
	INJECT_PAGE, /* a page looked up by one of the ioctls of SGX2 */
	INJECT_EACCEPT,
	INJECT_OPEN, /* of the device, when nobody has it open */
	INJECT_ENCLS,
	INJECT_POINTS = INJECT_ENCLS + 16
};

enum inject_kind {
	INJECT_NONE,
	INJECT_ERRNO,
	INJECT_CODE,   /* an SGX code */
	INJECT_FAULT,  /* an exception, by vector */
	INJECT_NO_EPC, /* EAUG finds none: SIGBUS */
	INJECT_RETRY,  /* EAUG's EPC is busy: the touch is repeated */
	INJECT_RACE,   /* another processor has added the page meanwhile */
};

struct inject_outcome {
	uint8_t kind;
	uint16_t value; /* errno, code, vector */
};

enum inject_when {
	INJECT_ONCE,
	INJECT_FROM,
	INJECT_EVERY
};

struct inject_rule {
	uint8_t point;
	uint8_t when;
	struct inject_outcome outcome;
	uint64_t n;
	uint64_t seen; /* by atomics */
};

#define INJECT_RULES 16u

/* All zero: nothing is injected. */
struct drv_inject {
	uint32_t count;
	uint32_t points; /* bits of those that rules name */
	struct inject_rule rule[INJECT_RULES];
	uint64_t lose_ns; /* after the first INIT; 0: never */
};

_Static_assert(INJECT_POINTS <= 32, "bits of drv_inject.points");

/* Where a specification is wrong, and what would be right. */
struct inject_error {
	size_t column; /* from 1 */
	const char *want;
};

/**
 * inject_parse() - add one specification
 * @text: @len bytes
 * @e: filled in on failure
 *
 * Return: true; false with @in as it was.
 */
bool inject_parse(struct drv_inject *in, const char *text, size_t len,
		  struct inject_error *e);

/**
 * inject_hit() - an event at a point that rules may name
 *
 * Counts it for every rule of the point. Return: the outcome of the first rule
 * whose turn it is; kind INJECT_NONE mostly. Context: any thread.
 */
struct inject_outcome inject_hit(struct drv_inject *in, unsigned point);

/* The same, where mostly no rule names the point. */
static inline struct inject_outcome inject_fire(struct drv_inject *in,
						unsigned point)
{
	if (__builtin_expect(in->points >> point & 1, 0))
		return inject_hit(in, point);
	return (struct inject_outcome){ .kind = INJECT_NONE };
}

/* What the next event of the point will be, which is not counted yet. */
struct inject_outcome inject_peek(const struct drv_inject *in, unsigned point);

/* Row @i of the table, for lists and tests; false after the last. The first of
 * a place is its default. */
struct inject_row {
	const char *where;
	const char *outcome;
	const char *sees; /* what comes of it */
};

bool inject_row(size_t i, struct inject_row *out);

#endif
