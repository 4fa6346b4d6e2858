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

/* A library OS's own figures mean nothing to an image of ours. */
static void take_user_space(const struct edmm_policy *p,
			    struct edmm_resolved *r)
{
	r->heap_init = r->user_init;
	r->heap_max = r->user_max;
	r->stack_max = p->s[EDMM_SET_PROC_STACK].value;
	r->stack_min = r->stack_max;
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

static bool own_range(const struct edmm_resolved *r)
{
	return r->rules == EDMM_FORMAT_GRAMINE || r->rules == EDMM_FORMAT_EDMM;
}

static void fill_elastic(const struct edmm_policy *p,
			 const struct edmm_resolved *r,
			 struct edmm_image_policy *im)
{
	im->heap_init = r->heap_init;
	if (!own_range(r) || p->s[EDMM_SET_HEAP_MAX].set)
		im->heap_size = r->heap_max;
	if (!own_range(r))
		im->elrange_size = range_for(im);
	else if (p->s[EDMM_SET_ENCLAVE_SIZE].set)
		im->elrange_size = r->enclave_size;
	if (im->stack_init > r->stack_min ||
	    (p->s[EDMM_SET_STACK_MIN].set && r->rules == EDMM_FORMAT_EDMM))
		im->stack_init = r->stack_min;
}

/*
 * Contexts of the image are always there, so a pool of that many is kept.
 * A larger one is not, and who asks for it is told.
 */
static edmm_err check_pool(const struct edmm_policy *p,
			   const struct edmm_resolved *r,
			   struct edmm_findings *f)
{
	struct pol_span at = pol_at(p, EDMM_SET_THREADS_POOL);

	if (r->rules != EDMM_FORMAT_EDMM || !r->elastic ||
	    r->tcs_pool <= r->tcs_init)
		return 0;
	pol_fix(pol_report(f, p->doc, &at, EDMM_ERROR, "P204",
			   "%s is %llu, but only the image's own contexts "
			   "(%llu) are kept",
			   pol_name(p, EDMM_SET_THREADS_POOL),
			   (unsigned long long)r->tcs_pool,
			   (unsigned long long)r->tcs_init),
		"set threads.init to it, or take it out");
	return -EDMM_EINVAL;
}

void edmm_policy_idle(const struct edmm_policy *policy,
		      struct edmm_findings *findings)
{
	static const enum edmm_setting_id idle[] = {
		EDMM_SET_EXINFO,	EDMM_SET_MEMFAULTS,
		EDMM_SET_PREHEAT,	EDMM_SET_AEXNOTIFY,
		EDMM_SET_MISC_SELECT,	EDMM_SET_MISC_MASK,
		EDMM_SET_PKRU,		EDMM_SET_AMX,
		EDMM_SET_IMAGE_ADDR,	EDMM_SET_ELRANGE_START,
		EDMM_SET_ELRANGE_SIZE,	EDMM_SET_HEAP_MIN,
		EDMM_SET_THREADS_BOUND, EDMM_SET_USER_INIT,
		EDMM_SET_USER_MAX,	EDMM_SET_RSRV_MIN,
		EDMM_SET_RSRV_INIT,	EDMM_SET_RSRV_MAX,
		EDMM_SET_RSRV_EXEC,	EDMM_SET_REGION,
		EDMM_SET_PROC_STACK,	EDMM_SET_PROC_BRK,
		EDMM_SET_PROC_MMAP,	EDMM_SET_RPC_THREADS,
		EDMM_SET_QUEUES,	EDMM_SET_KSS,
		EDMM_SET_FAMILY_H,	EDMM_SET_FAMILY_L,
		EDMM_SET_EXTPROD_H,	EDMM_SET_EXTPROD_L,
	};

	if (pol_family_of(policy)->rules != EDMM_FORMAT_EDMM)
		return;
	for (unsigned i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		struct pol_span at = pol_at(policy, idle[i]);

		if (policy->s[idle[i]].set)
			pol_report(findings, policy->doc, &at, EDMM_WARNING,
				   "P204",
				   "%s has no effect on an image of edmm-cc",
				   pol_name(policy, idle[i]));
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
	struct edmm_policy p = *policy;
	struct edmm_resolved r;
	edmm_err err;

	/* Whichever the file prefers: this is the identity with EDMM. */
	if (elastic)
		p.s[EDMM_SET_EDMM] =
			(struct edmm_setting){ .value = EDMM_WISH_ENABLE,
					       .set = true };
	err = edmm_policy_resolve(&p, &t, &r, findings);
	edmm_policy_default(mode, image);
	if (err != 0)
		return err;
	err = check_pool(policy, &r, findings);
	if (err != 0)
		return err;
	if (r.tcs_init > UINT32_MAX)
		return too_large(policy, findings, EDMM_SET_THREADS_INIT);
	if (r.rules == EDMM_FORMAT_OCCLUM)
		take_user_space(policy, &r);
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
	return 0;
}

/* The settings that may decide a field, the strongest first. */
static void deciders(enum edmm_format rules, bool elastic,
		     enum edmm_image_field field, enum edmm_setting_id id[2])
{
	bool occlum = rules == EDMM_FORMAT_OCCLUM;

	id[0] = id[1] = EDMM_SET_COUNT;
	switch (field) {
	case EDMM_IMAGE_ELRANGE:
		id[0] = elastic ? EDMM_SET_ENCLAVE_SIZE : EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_HEAP_INIT:
		id[0] = occlum ? EDMM_SET_USER_INIT : EDMM_SET_HEAP_INIT;
		id[0] = elastic ? id[0] : EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_HEAP_SIZE:
		id[0] = occlum ? EDMM_SET_USER_MAX : EDMM_SET_HEAP_MAX;
		id[1] = occlum ? EDMM_SET_USER_INIT : EDMM_SET_ENCLAVE_SIZE;
		if (!occlum && (elastic || rules != EDMM_FORMAT_GRAMINE))
			id[1] = EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_STACK_SIZE:
		id[0] = occlum ? EDMM_SET_PROC_STACK : EDMM_SET_STACK_MAX;
		break;
	case EDMM_IMAGE_STACK_INIT:
		id[0] = elastic && rules == EDMM_FORMAT_EDMM
				? EDMM_SET_STACK_MIN
				: EDMM_SET_COUNT;
		break;
	case EDMM_IMAGE_CONTEXTS:
		id[0] = elastic || rules == EDMM_FORMAT_SCONE ||
					rules == EDMM_FORMAT_GRAMINE
				? EDMM_SET_THREADS_INIT
				: EDMM_SET_THREADS_MAX;
		/* Occlum's first threads come from its maximum, too. */
		if (occlum || rules == EDMM_FORMAT_EDMM)
			id[1] = EDMM_SET_THREADS_MAX;
		if (rules == EDMM_FORMAT_SGX_XML)
			id[0] = EDMM_SET_THREADS_INIT;
		break;
	case EDMM_IMAGE_WX:
		id[0] = EDMM_SET_WX;
		break;
	case EDMM_IMAGE_DEBUG:
		id[0] = EDMM_SET_DEBUG;
		break;
	}
}

enum edmm_setting_id edmm_policy_decides(const struct edmm_policy *policy,
					 enum edmm_mode mode,
					 enum edmm_image_field field)
{
	enum edmm_setting_id id[2];

	deciders(pol_family_of(policy)->rules, mode == EDMM_MODE_ELASTIC, field,
		 id);
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
