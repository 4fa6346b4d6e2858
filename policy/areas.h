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

void pol_areas(const struct edmm_resolved *r, struct pol_layout *out);

/* Start-up in nanoseconds on hardware, from published costs of the leaves. */
uint64_t pol_startup_ns(const struct pol_layout *l);

/* The same on the software machine, from runs of a small program there. */
uint64_t pol_startup_soft_ns(const struct pol_layout *l);

#endif
