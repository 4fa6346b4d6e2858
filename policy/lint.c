/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The linter: what a policy that can be read does not do as its author may
 * think. Every rule is described in docs/configuration.md. A finding is an
 * error where the runtime refuses the file, a warning where it does something
 * else than what is written, and a note where it is as written but costs.
 */
#include "policy/lint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct edmm_finding *pol_lint_at(const struct pol_lint *l,
				 enum edmm_setting_id id, enum edmm_level level,
				 const char *rule, const char *fmt, ...)
{
	struct pol_span at = pol_at(l->p, id);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pol_report(l->f, l->p->doc, pol_is_set(l, id) ? &at : NULL,
			  level, rule, "%s", text);
}

/* Findings of a resolution; the level of errors is lowered to @most. */
static void move(struct edmm_findings *to, struct edmm_findings *from,
		 enum edmm_level most, const char *where)
{
	for (size_t i = 0; i < from->count; i++) {
		struct edmm_finding *v = &from->v[i];
		struct edmm_finding *n = pol_report(
			to, NULL, NULL, v->level > most ? most : v->level,
			v->rule, "%s", v->text ? v->text : "");

		if (!v->file || !n->file)
			continue;
		free(n->file);
		n->file = v->file;
		v->file = NULL;
		n->line = v->line;
		n->col = v->col;
		n->end_line = v->end_line;
		n->end_col = v->end_col;
		if (where && v->effect)
			pol_effect(n, "%s: %s", where, v->effect);
		else if (where || v->effect)
			pol_effect(n, "%s", where ? where : v->effect);
		if (v->fix)
			pol_fix(n, "%s", v->fix);
	}
	edmm_findings_free(from);
}

static bool resolve_on(const struct pol_lint *l, enum edmm_platform platform,
		       struct edmm_resolved *r, struct edmm_findings *f)
{
	struct edmm_target t = *l->t;

	t.platform = platform;
	return edmm_policy_resolve(l->p, &t, r, f) == 0;
}

/* Contradictions on the platform meant are errors, on another warnings. */
static void resolve(struct pol_lint *l)
{
	struct edmm_findings here = { 0 };
	struct edmm_findings f1 = { 0 };
	struct edmm_findings f2 = { 0 };
	bool ask = l->t->platform == EDMM_PLATFORM_ASK;

	l->here_ok = edmm_policy_resolve(l->p, l->t, &l->here, &here) == 0;
	l->sgx1_ok = resolve_on(l, EDMM_PLATFORM_SGX1, &l->sgx1, &f1);
	l->sgx2_ok = resolve_on(l, EDMM_PLATFORM_SGX2, &l->sgx2, &f2);
	/* What the target shows is not shown again for a platform. */
	if (ask && here.count == 0) {
		move(l->f, &f1, EDMM_WARNING, "on a platform without EDMM");
		move(l->f, &f2, EDMM_WARNING, "on a platform with EDMM");
	}
	move(l->f, &here, EDMM_ERROR, NULL);
	edmm_findings_free(&f1);
	edmm_findings_free(&f2);
}

/* ---- P305, P601 ------------------------------------------------------- */

/* The Intel SDK's, and those of a library OS on top. */
static bool measured(const struct pol_lint *l, enum edmm_setting_id id)
{
	if (l->family->measured)
		return l->family->measured(l, id);
	return (id >= EDMM_SET_HEAP_MIN && id <= EDMM_SET_THREADS_BOUND) ||
	       id == EDMM_SET_PROC_STACK || id == EDMM_SET_PROC_BRK;
}

static void identity(const struct pol_lint *l)
{
	for (unsigned id = 0; id < EDMM_SET_COUNT; id++)
		if (!l->family->all_measured && pol_is_set(l, id) &&
		    measured(l, id))
			pol_lint_at(l, id, EDMM_NOTE, "P305",
				    "%s is part of MRENCLAVE",
				    pol_name(l->p, id));
	if (l->family->all_measured)
		pol_report(l->f, l->p->doc, NULL, EDMM_NOTE, "P305",
			   "every byte of %s is part of MRENCLAVE",
			   l->family->all_measured);
	if (pol_is_set(l, EDMM_SET_DEBUG) && l->here.debug)
		pol_effect(pol_lint_at(l, EDMM_SET_DEBUG, EDMM_NOTE, "P601",
				       "a debug enclave"),
			   "the host can read and write all of its memory");
}

/* ----------------------------------------------------------------------- */

edmm_err edmm_policy_lint(const struct edmm_policy *policy,
			  const struct edmm_target *target,
			  struct edmm_findings *findings)
{
	const struct pol_format *fmt = pol_format(policy->format);
	struct pol_lint l = { .p = policy,
			      .t = target,
			      .f = findings,
			      .family = pol_family_of(policy) };

	if (!fmt->closed)
		pol_unknown(policy, findings);
	resolve(&l);
	if (l.family->effect)
		l.family->effect(&l);
	identity(&l);
	if (l.here_ok) {
		pol_lint_platform(&l);
		pol_lint_threads(&l);
	}
	if (fmt->lint)
		fmt->lint(&l);
	return policy->doc->oom ? -EDMM_ENOMEM : 0;
}
