/* SPDX-License-Identifier: BSD-3-Clause */
/* The linter's parts: lint.c, lint_platform.c, and the families in fmt_*.c. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/rules.h"

struct pol_lint {
	const struct edmm_policy *p;
	const struct edmm_target *t;
	struct edmm_findings *f;
	const struct pol_family *family;
	struct edmm_resolved here; /* as the target says */
	struct edmm_resolved sgx1;
	struct edmm_resolved sgx2;
	bool here_ok; /* no contradiction there */
	bool sgx1_ok;
	bool sgx2_ok;
};

/* A finding at a setting's value, or at the file where it is not set. */
struct edmm_finding *pol_lint_at(const struct pol_lint *l,
				 enum edmm_setting_id id, enum edmm_level level,
				 const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static inline uint64_t pol_value(const struct pol_lint *l,
				 enum edmm_setting_id id)
{
	return l->p->s[id].value;
}

static inline bool pol_is_set(const struct pol_lint *l, enum edmm_setting_id id)
{
	return l->p->s[id].set;
}

static inline bool pol_both_set(const struct pol_lint *l,
				enum edmm_setting_id a, enum edmm_setting_id b)
{
	return pol_is_set(l, a) && pol_is_set(l, b);
}

void pol_lint_platform(const struct pol_lint *l); /* P301 - P304, P306 */
void pol_lint_threads(const struct pol_lint *l);  /* P501 */

/* gramine_needs.c: what a manifest must have. */
void pol_gramine_needs(const struct pol_lint *l);

/* P303, as most families have it: without EDMM it does not start. */
void pol_lint_refused(const struct pol_lint *l, enum edmm_level level);

/* Bytes that are in the EPC before the first instruction, but for the image:
 * explain has the same figure with its parts. */
uint64_t pol_loaded(const struct edmm_resolved *r);

#endif
