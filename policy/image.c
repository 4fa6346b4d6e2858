/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a policy that `edmm sign` and `edmm run` need. */
#include "policy/rules.h"

static edmm_err too_large(const struct edmm_policy *p, struct edmm_findings *f,
			  enum edmm_setting_id id)
{
	struct pol_span at = pol_at(p, id);

	pol_report(f, p->doc, p->s[id].set ? &at : NULL, EDMM_ERROR, "P104",
		   "%s is beyond what an image can have", pol_name(p, id));
	return -EDMM_EINVAL;
}

/*
 * Formats without a word for the address range: ours, doubled until the heap
 * and the stack fit with a sixteenth for the rest.
 */
static uint64_t range_for(const struct edmm_image_policy *im)
{
	uint64_t range = EDMM_ELRANGE_DEFAULT;

	while (range < 1ull << 47 &&
	       range - range / 16 < im->heap_size + im->stack_size)
		range *= 2;
	return range;
}

static void fill_elastic(const struct edmm_policy *p,
			 const struct edmm_resolved *r,
			 struct edmm_image_policy *im)
{
	bool own_range = pol_family(r)->own_range;

	im->heap_init = r->heap_init;
	if (!own_range || p->s[EDMM_SET_HEAP_MAX].set)
		im->heap_size = r->heap_max;
	if (!own_range)
		im->elrange_size = range_for(im);
	else if (p->s[EDMM_SET_ENCLAVE_SIZE].set)
		im->elrange_size = r->enclave_size;
	if (im->stack_init > r->stack_min ||
	    edmm_policy_decides(p, EDMM_MODE_ELASTIC, EDMM_IMAGE_STACK_INIT) !=
		    EDMM_SET_COUNT)
		im->stack_init = r->stack_min;
}

void edmm_policy_idle(const struct edmm_policy *policy,
		      struct edmm_findings *findings)
{
	const enum edmm_setting_id *id = pol_family_of(policy)->idle;

	for (; id && *id != EDMM_SET_COUNT; id++) {
		struct pol_span at = pol_at(policy, *id);

		if (policy->s[*id].set)
			pol_report(findings, policy->doc, &at, EDMM_WARNING,
				   "P204",
				   "%s has no effect on an image of edmm-cc",
				   pol_name(policy, *id));
	}
}

static uint64_t whole_pages(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? size : (size + 4095) & ~4095ull;
}

edmm_err edmm_policy_to_image(const struct edmm_policy *policy,
			      enum edmm_mode mode,
			      struct edmm_image_policy *image,
			      struct edmm_findings *findings)
{
	bool elastic = mode == EDMM_MODE_ELASTIC;
	struct edmm_target t = { .platform = elastic ? EDMM_PLATFORM_SGX2
						     : EDMM_PLATFORM_SGX1 };
	const struct pol_family *family = pol_family_of(policy);
	struct edmm_policy p = *policy;
	struct edmm_resolved r;
	edmm_err err;

	/* Whichever the file prefers: this is the identity with EDMM. */
	if (elastic)
		p.s[EDMM_SET_EDMM] =
			(struct edmm_setting){ .value = EDMM_WISH_ENABLE,
					       .set = true };
	edmm_policy_default(mode, image);
	err = pol_rendered(policy, findings);
	if (!err)
		err = edmm_policy_resolve(&p, &t, &r, findings);
	if (err)
		return err;
	if (family->image)
		err = family->image(policy, &r, findings);
	if (err)
		return err;
	if (r.tcs_init > UINT32_MAX)
		return too_large(policy, findings, EDMM_SET_THREADS_INIT);
	image->stack_size = r.stack_max;
	if (elastic)
		fill_elastic(policy, &r, image);
	else
		image->heap_size = r.heap_max;
	/* Occlum's sizes need not be; an image's are. */
	image->heap_init = whole_pages(image->heap_init);
	image->heap_size = whole_pages(image->heap_size);
	image->stack_size = whole_pages(image->stack_size);
	image->stack_init = whole_pages(image->stack_init);
	image->ctx_count = (uint32_t)r.tcs_init;
	image->flags = r.debug ? EDMM_POLICY_DEBUG : 0;
	if (edmm_policy_get(policy, EDMM_SET_WX, 0) != 0)
		image->flags |= EDMM_POLICY_WX;
	image->signals =
		edmm_policy_get(policy, EDMM_SET_SIGNALS, image->signals);
	return 0;
}

/* The settings that may decide a field, the strongest first. */
static void deciders(bool elastic, enum edmm_image_field field,
		     enum edmm_setting_id id[2])
{
	switch (field) {
	case EDMM_IMAGE_ELRANGE:
		id[0] = elastic ? EDMM_SET_ENCLAVE_SIZE : EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_HEAP_INIT:
		id[0] = elastic ? EDMM_SET_HEAP_INIT : EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_HEAP_SIZE:
		id[0] = EDMM_SET_HEAP_MAX;
		break;
	case EDMM_IMAGE_STACK_SIZE:
		id[0] = EDMM_SET_STACK_MAX;
		break;
	case EDMM_IMAGE_STACK_INIT:
		break;
	case EDMM_IMAGE_CONTEXTS:
		id[0] = EDMM_SET_THREADS_INIT;
		break;
	case EDMM_IMAGE_WX:
		id[0] = EDMM_SET_WX;
		break;
	case EDMM_IMAGE_DEBUG:
		id[0] = EDMM_SET_DEBUG;
		break;
	case EDMM_IMAGE_SIGNALS:
		id[0] = EDMM_SET_SIGNALS;
		break;
	}
}

enum edmm_setting_id edmm_policy_decides(const struct edmm_policy *policy,
					 enum edmm_mode mode,
					 enum edmm_image_field field)
{
	const struct pol_family *family = pol_family_of(policy);
	enum edmm_setting_id id[2] = { EDMM_SET_COUNT, EDMM_SET_COUNT };
	bool elastic = mode == EDMM_MODE_ELASTIC;

	deciders(elastic, field, id);
	if (family->decides)
		family->decides(elastic, field, id);
	for (unsigned i = 0; i < 2; i++)
		if (id[i] != EDMM_SET_COUNT && policy->s[id[i]].set)
			return id[i];
	return EDMM_SET_COUNT;
}

const char *edmm_policy_where(const struct edmm_policy *policy,
			      enum edmm_setting_id id, char *text, size_t size)
{
	uint32_t line = 0, col = 0;

	pol_where(policy->doc, policy->s[id].off, &line, &col);
	snprintf(text, size, "%s:%u:%u: %s", policy->doc->name, line, col,
		 pol_name(policy, id));
	return text;
}

const char *edmm_policy_name(const struct edmm_policy *policy,
			     enum edmm_setting_id id)
{
	return pol_name(policy, id);
}
