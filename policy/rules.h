/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules and defaults of each runtime: rules_*.c. */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "policy/keys.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* Occlum's hard-coded figures. */
#define OCCLUM_HEAP_MAX GIB(1)
#define OCCLUM_USER_MAX GIB(16)
#define OCCLUM_TCS_INIT 16u
#define OCCLUM_TCS_MAX 4096u
#define OCCLUM_SDK_REGION GIB(1)

/* A policy being resolved for one platform. */
struct pol_rules {
	const struct edmm_policy *p;
	const struct edmm_target *t;
	struct edmm_resolved *r;
	struct edmm_findings *f;
	/* A value is there that the reader has refused already. */
	bool unread;
};

/* Whose rules hold for a policy: its format's, or those it names. */
enum edmm_format pol_rules_of(const struct edmm_policy *p);

/* Whether an Occlum build for this target is one for EDMM. */
bool pol_occlum_edmm(const struct edmm_policy *p, const struct edmm_target *t);

/* Whether a value of ENABLE_EDMM turns it on. */
bool pol_enables(const char *enable_edmm);

/* SGX_MODE is set, and not to HW. */
bool pol_simulates(const char *sgx_mode);

/* What a setting is called in the file that the policy came from. */
const char *pol_name(const struct edmm_policy *p, enum edmm_setting_id id);

/* Which metadata sgx_sign writes: the loader of which platforms finds it. */
struct pol_metadata {
	bool dynamic; /* something differs between start and maximum */
	bool sgx1;
	bool sgx2;
};
struct pol_metadata pol_sgx_metadata(const struct edmm_resolved *r);

/* What sgx_sign would refuse in a resolved policy; true where it would not. */
bool pol_sgx_check(const struct pol_rules *c, enum edmm_level level);

/* A setting, and the value that the rules make of it. */
struct pol_bound {
	enum edmm_setting_id id;
	uint64_t value;
};
#define BOUND(id, value) ((struct pol_bound){ id, value })

/* `init` above `max`: rule P201. */
struct edmm_finding *pol_above(const struct pol_rules *c, enum edmm_level level,
			       struct pol_bound init, struct pol_bound max);

void pol_rules_occlum(struct pol_rules *c);
void pol_rules_sgx(struct pol_rules *c);
void pol_rules_scone(struct pol_rules *c);
void pol_rules_gramine(struct pol_rules *c);
void pol_rules_edmm(struct pol_rules *c);

#endif
