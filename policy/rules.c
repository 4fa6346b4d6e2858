/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A policy's figures on one platform, by the rules of its runtime, and what the
 * rules of several share. docs/configuration.md has all of them as tables.
 */
#include "policy/rules.h"

#include <string.h>

#include "edmm/image.h"

const struct pol_family *pol_family_of(const struct edmm_policy *p)
{
	enum edmm_format rules = p->format;

	if (p->s[EDMM_SET_RULES].set && p->s[EDMM_SET_RULES].value != 0)
		rules = (enum edmm_format)p->s[EDMM_SET_RULES].value;
	return pol_format(rules)->family;
}

const struct pol_family *pol_family(const struct edmm_resolved *r)
{
	return pol_format(r->rules)->family;
}

enum edmm_format edmm_policy_rules(const struct edmm_policy *policy)
{
	return pol_family_of(policy)->rules;
}

const char *pol_name(const struct edmm_policy *p, enum edmm_setting_id id)
{
	const struct pol_map *m = pol_row(pol_format(p->format), id);

	return m ? m->path : pol_setting_name(id);
}

struct edmm_finding *pol_above(const struct pol_rules *c, enum edmm_level level,
			       struct pol_bound init, struct pol_bound max)
{
	const struct pol_format *fmt = pol_format(c->p->format);
	const struct pol_map *m = pol_row(fmt, init.id);
	struct pol_span at =
		pol_at(c->p, c->p->s[init.id].set ? init.id : max.id);
	char a[64];
	char b[64];

	if (!m)
		m = pol_row(&pol_edmm, init.id);
	pol_spell(fmt, m, init.value, a);
	pol_spell(fmt, m, max.value, b);
	return pol_report(c->f, c->p->doc, &at, level, "P201",
			  "%s (%s) is above %s (%s)", pol_name(c->p, init.id),
			  a, pol_name(c->p, max.id), b);
}

void pol_range_bound(const struct pol_rules *c)
{
	struct pol_span at = pol_at(c->p, EDMM_SET_ENCLAVE_SIZE);

	if (pol_get(c, EDMM_SET_ENCLAVE_SIZE, 0) > EDMM_ELRANGE_MAX)
		pol_report(c->f, c->p->doc, &at, EDMM_ERROR, "P206",
			   "%s is beyond the 32T that a process has room for",
			   pol_name(c->p, EDMM_SET_ENCLAVE_SIZE));
}

edmm_err pol_rendered(const struct edmm_policy *p, struct edmm_findings *f)
{
	if (!p->doc->relaxed)
		return 0;
	pol_fix(pol_report(f, p->doc, NULL, EDMM_ERROR, "P108",
			   "a template that was not rendered can be checked "
			   "and explained, no more"),
		"gramine-manifest renders it");
	return -EDMM_EINVAL;
}

bool pol_wished(const struct pol_rules *c, enum edmm_wish otherwise)
{
	uint64_t wish = pol_get(c, EDMM_SET_EDMM, otherwise);

	if (wish == EDMM_WISH_DISABLE)
		return false;
	if (c->t->platform != EDMM_PLATFORM_SGX1)
		return true;
	c->r->refused = wish == EDMM_WISH_ENABLE;
	return false;
}

edmm_err edmm_policy_resolve(const struct edmm_policy *policy,
			     const struct edmm_target *target,
			     struct edmm_resolved *out,
			     struct edmm_findings *findings)
{
	struct pol_rules c = { policy, target, out, findings, false };
	const struct pol_family *family = pol_family_of(policy);
	size_t errors = findings->errors;

	memset(out, 0, sizeof(*out));
	out->rules = family->rules;
	out->debug = edmm_policy_get(policy, EDMM_SET_DEBUG, 0) != 0;
	out->kss = edmm_policy_get(policy, EDMM_SET_KSS, 0) != 0;
	family->resolve(&c);
	return findings->errors > errors || c.unread ? -EDMM_EINVAL : 0;
}
