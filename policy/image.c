/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a policy that `edmm sign` needs. */
#include "policy/rules.h"

static edmm_err too_large(const struct edmm_policy *p, struct edmm_findings *f,
			  enum edmm_setting_id id)
{
	struct pol_span at = pol_at(p, id);

	pol_report(f, p->doc, p->s[id].set ? &at : NULL, EDMM_ERROR, "P104",
		   "%s is beyond what an image can have", pol_name(p, id));
	return -EDMM_EINVAL;
}

edmm_err edmm_policy_to_image(const struct edmm_policy *policy,
			      enum edmm_mode mode,
			      struct edmm_image_policy *image,
			      struct edmm_findings *findings)
{
	bool elastic = mode == EDMM_MODE_ELASTIC;
	struct edmm_target t = { .platform = elastic ? EDMM_PLATFORM_SGX2
						     : EDMM_PLATFORM_SGX1 };
	struct edmm_resolved r;
	edmm_err err = edmm_policy_resolve(policy, &t, &r, findings);

	edmm_policy_default(mode, image);
	if (err != 0)
		return err;
	if (r.tcs_init > UINT32_MAX)
		return too_large(policy, findings, EDMM_SET_THREADS_INIT);
	/* A library OS's own figures mean nothing to an image of ours. */
	if (r.rules == EDMM_FORMAT_OCCLUM) {
		r.heap_init = r.user_init;
		r.heap_max = r.user_max;
		r.stack_max = policy->s[EDMM_SET_PROC_STACK].value;
		r.stack_min = r.stack_max;
	}
	if (r.rules == EDMM_FORMAT_GRAMINE || r.rules == EDMM_FORMAT_EDMM)
		image->elrange_size = elastic ? r.enclave_size : 0;
	if (elastic)
		image->heap_init = r.heap_init;
	else
		image->heap_size = r.heap_max;
	image->stack_size = r.stack_max;
	if (elastic && image->stack_init > r.stack_min)
		image->stack_init = r.stack_min;
	if (elastic && policy->s[EDMM_SET_STACK_MIN].set &&
	    r.rules == EDMM_FORMAT_EDMM)
		image->stack_init = r.stack_min;
	image->ctx_count = (uint32_t)r.tcs_init;
	image->flags = r.debug ? EDMM_POLICY_DEBUG : 0;
	if (edmm_policy_get(policy, EDMM_SET_WX, 0) != 0)
		image->flags |= EDMM_POLICY_WX;
	return 0;
}
