/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runtimes without EDMM: whatever the platform has, all memory is there when
 * the program starts, and nothing is added later.
 */
#ifndef POLICY_FIXED_H
#define POLICY_FIXED_H

#include "policy/areas.h"
#include "policy/lint.h"
#include "policy/write.h"

/* Bytes, and threads, of such an enclave. */
struct pol_fixed {
	uint64_t heap;
	uint64_t stack; /* of each thread */
	uint64_t threads;
};

/* The figures of it into c->r. */
void pol_fixed_resolve(const struct pol_rules *c, struct pol_fixed figures);

/* pol_family.image: an image of ours begins with the first heap of ours. */
edmm_err pol_fixed_image(const struct edmm_policy *p, struct edmm_resolved *r,
			 struct edmm_findings *f);

/* pol_family.effect: a wish for EDMM has none (P204). */
void pol_fixed_effect(const struct pol_lint *l);

/* For pol_format.cross: the application's memory @a becomes a heap that is
 * loaded at start; P702 where it grew before. */
void pol_fixed_heap(struct pol_writing *w, const struct edmm_resolved *r,
		    const struct pol_app *a);

/* The threads for pol_format.cross, between 1 and @most. */
uint64_t pol_fixed_threads(const struct edmm_resolved *r, uint64_t most);

/* A text of the output that only its author can know. */
edmm_err pol_fixed_text(struct pol_writing *w, const char *path,
			const char *text);

/* pol_family.layout of Open Enclave's loader, and what is built on it:
 * image | heap | threads, to a power of two. */
void pol_oe_layout(const struct edmm_resolved *r, struct pol_layout *l);

/* Its areas of threads alone. */
void pol_oe_threads(const struct edmm_resolved *r, struct pol_layout *l);

#endif
