/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a resolved policy looks like in the address range, area by area, as far
 * as that is known without the image: sizes of programs are assumed, and said
 * to be.
 */
#ifndef POLICY_AREAS_H
#define POLICY_AREAS_H

#include "policy/rules.h"

#define POL_AREAS 16u

struct pol_area {
	const char *name;
	uint64_t off;
	uint64_t size;	   /* bytes of address range, all copies */
	uint64_t count;	   /* copies: threads */
	uint64_t added;	   /* pages that are EADDed */
	uint64_t measured; /* of these, EEXTENDed */
};

struct pol_layout {
	struct pol_area v[POL_AREAS];
	unsigned count;
	uint64_t elrange; /* bytes; UINT64_MAX: beyond what can be */
	uint64_t added;
	uint64_t measured;
	uint64_t assumed; /* bytes assumed for the program itself */
};

/* The layout of a resolved policy, as its family lays it out. */
void pol_areas(const struct edmm_resolved *r, struct pol_layout *out);

/* ---- for pol_family.layout -------------------------------------------- */

#define POL_PAGE 4096u
#define POL_GUARD KIB(64)

/* Sums and products that do not fit stay at the most there is. */
uint64_t pol_plus(uint64_t a, uint64_t b);
uint64_t pol_times(uint64_t a, uint64_t b);

/* One area behind the last, @count times over; @part: bytes added and bytes
 * measured of each copy. */
void pol_area(struct pol_layout *l, const char *name, uint64_t count,
	      uint64_t size, const uint64_t part[2]);
#define POL_AREA(l, name, count, size, added, measured) \
	pol_area(l, name, count, size, (const uint64_t[]){ added, measured })

/* The range to a power of two. */
void pol_range_up(struct pol_layout *l);

/* ---- start-up --------------------------------------------------------- */

/* Start-up in nanoseconds on hardware, from published costs of the leaves. */
uint64_t pol_startup_ns(const struct pol_layout *l);

/* The same on the software machine, from runs of a small program there. */
uint64_t pol_startup_soft_ns(const struct pol_layout *l);

#endif
