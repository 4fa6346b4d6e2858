/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy on its way into a format: write.c, write_cross.c, fmt_*.c. */
#ifndef POLICY_WRITE_H
#define POLICY_WRITE_H

#include "policy/rules.h"

struct pol_writing {
	const struct edmm_policy *p;
	const struct edmm_target *t;
	struct edmm_findings *f;
	const struct pol_format *fmt; /* of the output */
	struct pol_doc *out;
	bool native; /* settings go as they are written */
	struct edmm_setting want[EDMM_SET_COUNT];
	/* Settings whose meaning is in the output by another name. */
	bool told[EDMM_SET_COUNT];
};

/* Fill in .want and .told from the figures of the policy's rules. */
edmm_err pol_cross(struct pol_writing *w);

/* ---- for pol_format.cross --------------------------------------------- */

/* The memory of the application, in whatever way a family says it: bytes. */
struct pol_app {
	uint64_t init;
	uint64_t max;
	uint64_t stack;
};

/* A setting of the output. */
void pol_want(struct pol_writing *w, enum edmm_setting_id id, uint64_t value);

/* Settings of the input whose meaning is in the output: not lost. */
void pol_told(struct pol_writing *w, const enum edmm_setting_id *ids,
	      unsigned count);
#define POL_TOLD(w, ...)                                                 \
	pol_told(w, (const enum edmm_setting_id[]){ __VA_ARGS__ },       \
		 sizeof((const enum edmm_setting_id[]){ __VA_ARGS__ }) / \
			 sizeof(enum edmm_setting_id))

/* The application's memory, by pol_family.app; what says it is told. */
struct pol_app pol_app_of(struct pol_writing *w, const struct edmm_resolved *r);

/* Told: heap and stack, where they are the application's. */
void pol_app_told(struct pol_writing *w);

/* What Occlum's tool writes always: zero where nothing is said. */
void pol_zeroes(struct pol_writing *w);

/* P702: something that the output says and the input did not. */
void pol_assumed(struct pol_writing *w, const char *what);

#endif
