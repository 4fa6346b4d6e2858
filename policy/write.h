/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy on its way into a format: write.c, write_cross.c. */
#ifndef POLICY_WRITE_H
#define POLICY_WRITE_H

#include "policy/rules.h"

/* What Occlum's tool adds to the user region for the SDK. */
#define OCCLUM_SDK_REGION GIB(1)

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

#endif
