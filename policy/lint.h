/* SPDX-License-Identifier: BSD-3-Clause */
/* The linter's parts: lint.c, lint_gramine.c, lint_platform.c. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/rules.h"

struct pol_lint {
	const struct edmm_policy *p;
	const struct edmm_target *t;
	struct edmm_findings *f;
	enum edmm_format rules;
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

static inline bool pol_is_set(const struct pol_lint *l, enum edmm_setting_id id)
{
	return l->p->s[id].set;
}

void pol_lint_effect(const struct pol_lint *l);	  /* P203, P204, P207 */
void pol_lint_platform(const struct pol_lint *l); /* P301 - P304, P306 */
void pol_lint_identity(const struct pol_lint *l); /* P305, P601 */
void pol_lint_gramine(const struct pol_lint *l);  /* P401, P402 */
void pol_lint_threads(const struct pol_lint *l);  /* P501 */

/* Bytes that are in the EPC before the first instruction, but for the image:
 * explain has the same figure with its parts. */
uint64_t pol_loaded(const struct edmm_resolved *r);

#endif
