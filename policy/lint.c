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

static bool has(const struct pol_lint *l, enum edmm_setting_id a,
		enum edmm_setting_id b)
{
	return pol_is_set(l, a) && pol_is_set(l, b);
}

static uint64_t value(const struct pol_lint *l, enum edmm_setting_id id)
{
	return l->p->s[id].value;
}

/* ---- P202: does not fit ----------------------------------------------- */

static void fits_occlum(const struct pol_lint *l)
{
	uint64_t sum;

	if (!l->sgx1_ok || !has(l, EDMM_SET_PROC_STACK, EDMM_SET_PROC_BRK) ||
	    __builtin_add_overflow(value(l, EDMM_SET_PROC_STACK),
				   value(l, EDMM_SET_PROC_BRK), &sum) ||
	    sum <= l->sgx1.user_max)
		return;
	pol_effect(pol_lint_at(l, EDMM_SET_PROC_BRK, EDMM_WARNING, "P202",
			       "default_stack_size and default_heap_size do "
			       "not fit into the user space"),
		   "without EDMM the first process fails with ENOMEM");
}

static void fits_gramine(const struct pol_lint *l)
{
	static const enum edmm_setting_id parts[] = { EDMM_SET_PROC_STACK,
						      EDMM_SET_PROC_BRK };

	for (unsigned i = 0; i < 2; i++)
		if (pol_is_set(l, parts[i]) &&
		    value(l, parts[i]) >= l->here.enclave_size)
			pol_effect(pol_lint_at(l, parts[i], EDMM_ERROR, "P202",
					       "%s does not fit into "
					       "sgx.enclave_size",
					       pol_name(l->p, parts[i])),
				   "the program does not start");
}

/* ---- P203, P204, P207: values that change nothing --------------------- */

static void limits_nothing(const struct pol_lint *l, enum edmm_setting_id id,
			   uint64_t limit)
{
	char is[32];
	struct edmm_finding *v;

	if (!pol_is_set(l, id) || value(l, id) >= limit)
		return;
	edmm_size_format(EDMM_FORMAT_OCCLUM, limit, is);
	/* As long as the build is not one for EDMM, it limits. */
	v = pol_lint_at(l, id, l->here.elastic ? EDMM_WARNING : EDMM_NOTE,
			"P203", "%s limits nothing with EDMM",
			pol_name(l->p, id));
	pol_effect(v, "the maximum there is %s, whatever is below it", is);
	pol_fix(v, "memory that is not used costs nothing; limit the EPC of "
		   "the machine instead");
}

static void no_effect(const struct pol_lint *l, enum edmm_setting_id id,
		      enum edmm_setting_id because, const char *where)
{
	if (has(l, id, because))
		pol_effect(pol_lint_at(l, id, EDMM_NOTE, "P204",
				       "%s has no effect %s",
				       pol_name(l->p, id), where),
			   "%s takes its place there", pol_name(l->p, because));
}

static void effect_occlum(const struct pol_lint *l)
{
	static const char *const off = "without EDMM";
	uint64_t init = value(l, EDMM_SET_THREADS_INIT);

	limits_nothing(l, EDMM_SET_HEAP_MAX, OCCLUM_HEAP_MAX);
	limits_nothing(l, EDMM_SET_USER_MAX, OCCLUM_USER_MAX);
	no_effect(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX, off);
	no_effect(l, EDMM_SET_USER_INIT, EDMM_SET_USER_MAX, off);
	no_effect(l, EDMM_SET_THREADS_INIT, EDMM_SET_THREADS_MAX, off);
	if (!pol_is_set(l, EDMM_SET_THREADS_INIT))
		return;
	if (init > OCCLUM_TCS_INIT)
		pol_effect(pol_lint_at(l, EDMM_SET_THREADS_INIT, EDMM_WARNING,
				       "P207",
				       "init_num_of_threads is above 16"),
			   "Occlum's documentation makes it 16, release 0.31 "
			   "takes it as it is");
	if (init > value(l, EDMM_SET_THREADS_MAX) && init <= OCCLUM_TCS_MAX)
		pol_effect(pol_lint_at(l, EDMM_SET_THREADS_INIT, EDMM_WARNING,
				       "P201",
				       "init_num_of_threads is above "
				       "max_num_of_threads"),
			   "it is compared with 4096 instead, and all of them "
			   "are loaded at start");
}

static void effect_scone(const struct pol_lint *l)
{
	static const enum edmm_setting_id sizes[] = { EDMM_SET_HEAP_INIT,
						      EDMM_SET_HEAP_MAX,
						      EDMM_SET_STACK_MAX };

	for (unsigned i = 0; i < 3; i++)
		if (pol_is_set(l, sizes[i]) && value(l, sizes[i]) % 4096)
			pol_effect(pol_lint_at(l, sizes[i], EDMM_NOTE, "P205",
					       "%s is no multiple of 4096",
					       pol_name(l->p, sizes[i])),
				   "it is rounded up to %llu",
				   (unsigned long long)((value(l, sizes[i]) +
							 4095) &
							~4095ull));
}

static void effect_sgx(const struct pol_lint *l)
{
	if (l->sgx2.elastic && has(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MIN) &&
	    l->sgx2.heap_init > l->sgx2.heap_min)
		pol_effect(pol_lint_at(l, EDMM_SET_HEAP_INIT, EDMM_NOTE, "P204",
				       "HeapInitSize above HeapMinSize is "
				       "loaded in vain with EDMM"),
			   "what is above HeapMinSize is added, trimmed at "
			   "start and added again when it is touched");
}

void pol_lint_effect(const struct pol_lint *l)
{
	switch (l->rules) {
	case EDMM_FORMAT_OCCLUM:
		fits_occlum(l);
		effect_occlum(l);
		break;
	case EDMM_FORMAT_GRAMINE:
		fits_gramine(l);
		break;
	case EDMM_FORMAT_SCONE:
		effect_scone(l);
		break;
	case EDMM_FORMAT_SGX_XML:
		effect_sgx(l);
		break;
	default:
		break;
	}
}

/* ---- P305, P601 ------------------------------------------------------- */

static bool measured(const struct pol_lint *l, enum edmm_setting_id id)
{
	if (l->rules == EDMM_FORMAT_EDMM)
		return id == EDMM_SET_HEAP_INIT || id == EDMM_SET_STACK_MAX ||
		       id == EDMM_SET_STACK_MIN ||
		       id == EDMM_SET_THREADS_INIT ||
		       id == EDMM_SET_ENCLAVE_SIZE || id == EDMM_SET_WX ||
		       (id == EDMM_SET_HEAP_MAX && !l->here.elastic);
	if (l->rules == EDMM_FORMAT_SCONE)
		return id == EDMM_SET_HEAP_INIT || id == EDMM_SET_HEAP_MAX ||
		       id == EDMM_SET_STACK_MAX || id == EDMM_SET_THREADS_INIT;
	return (id >= EDMM_SET_HEAP_MIN && id <= EDMM_SET_THREADS_BOUND) ||
	       id == EDMM_SET_PROC_STACK || id == EDMM_SET_PROC_BRK;
}

void pol_lint_identity(const struct pol_lint *l)
{
	for (unsigned id = 0; id < EDMM_SET_COUNT; id++)
		if (l->rules != EDMM_FORMAT_GRAMINE && pol_is_set(l, id) &&
		    measured(l, id))
			pol_lint_at(l, id, EDMM_NOTE, "P305",
				    "%s is part of MRENCLAVE",
				    pol_name(l->p, id));
	if (l->rules == EDMM_FORMAT_GRAMINE)
		pol_report(l->f, l->p->doc, NULL, EDMM_NOTE, "P305",
			   "every byte of the manifest is part of MRENCLAVE");
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
	struct pol_lint l = { .p = policy,
			      .t = target,
			      .f = findings,
			      .rules = pol_family_of(policy)->rules };

	if (!pol_format(policy->format)->closed)
		pol_unknown(policy, findings);
	resolve(&l);
	pol_lint_effect(&l);
	pol_lint_identity(&l);
	if (l.here_ok) {
		pol_lint_platform(&l);
		pol_lint_threads(&l);
	}
	if (policy->format == EDMM_FORMAT_GRAMINE)
		pol_lint_gramine(&l);
	return policy->doc->oom ? -EDMM_ENOMEM : 0;
}
