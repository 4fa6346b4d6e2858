/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rules of the families share: rules.c. */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "policy/keys.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* A policy being resolved for one platform. */
struct pol_rules {
	const struct edmm_policy *p;
	const struct edmm_target *t;
	struct edmm_resolved *r;
	struct edmm_findings *f;
	/* A value is there that the reader has refused already. */
	bool unread;
};

static inline uint64_t pol_get(const struct pol_rules *c,
			       enum edmm_setting_id id, uint64_t otherwise)
{
	return edmm_policy_get(c->p, id, otherwise);
}

/* Whole pages, as far as there are any. */
static inline uint64_t pol_pages_up(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? size & ~4095ull
					: (size + 4095) & ~4095ull;
}

/* What the file wishes and the platform has: is this start one with EDMM?
 * Without a wish it is @otherwise; r->refused where it must be and cannot. */
bool pol_wished(const struct pol_rules *c, enum edmm_wish otherwise);

/* Not for a template, which has no values yet: -EDMM_EINVAL with an error. */
edmm_err pol_rendered(const struct edmm_policy *p, struct edmm_findings *f);

/* What a setting is called in the file that the policy came from. */
const char *pol_name(const struct edmm_policy *p, enum edmm_setting_id id);

/* fmt_sgx.c: what sgx_sign would refuse in a resolved policy; true where it
 * would not. */
bool pol_sgx_check(const struct pol_rules *c, enum edmm_level level);

/* A setting, and the value that the rules make of it. */
struct pol_bound {
	enum edmm_setting_id id;
	uint64_t value;
};
#define BOUND(id, value) ((struct pol_bound){ id, value })

/* An enclave for which no process has room: rule P206. */
void pol_range_bound(const struct pol_rules *c);

/* `init` above `max`: rule P201. */
struct edmm_finding *pol_above(const struct pol_rules *c, enum edmm_level level,
			       struct pol_bound init, struct pol_bound max);

#endif
