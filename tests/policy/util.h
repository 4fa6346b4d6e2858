/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of policies share. */
#ifndef TESTS_POLICY_UTIL_H
#define TESTS_POLICY_UTIL_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "edmm/policy.h"

/* A policy that must be without errors. */
static inline struct edmm_policy *must_parse(const char *text,
					     enum edmm_format format)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	edmm_err err = edmm_policy_parse(
		&(struct edmm_source){ text, strlen(text), "t" }, format, &p,
		&f);

	for (size_t i = 0; err != 0 && i < f.count; i++)
		edmm_finding_print(&f.v[i], stderr);
	ck_assert_int_eq(err, 0);
	edmm_findings_free(&f);
	return p;
}

/* Its text in a format, which must succeed. */
static inline char *must_write(const struct edmm_policy *p,
			       enum edmm_format format,
			       const struct edmm_target *t)
{
	struct edmm_findings f = { 0 };
	struct edmm_text out;
	edmm_err err = edmm_policy_write(p, format, t, &out, &f);

	for (size_t i = 0; err != 0 && i < f.count; i++)
		edmm_finding_print(&f.v[i], stderr);
	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(out.size, strlen(out.text));
	edmm_findings_free(&f);
	return out.text;
}

static inline bool has_rule(const struct edmm_findings *f, const char *rule)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->v[i].rule, rule) == 0)
			return true;
	return false;
}

#endif
