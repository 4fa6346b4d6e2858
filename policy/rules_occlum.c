/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Occlum.json -> Enclave.xml, rule by rule. Two readings: the rules as Occlum's
 * own documentation has them, and what the tool of release 0.31 does where it
 * differs (`--compat occlum-0.31`). docs/configuration.md lists the
 * differences; the numbers in comments are its rows.
 */
#include <string.h>

#include "policy/rules.h"

bool pol_enables(const char *v)
{
	static const char *const on[] = { "Y",	  "YES",  "Yes", "yes",
					  "True", "true", "1" };

	for (unsigned i = 0; v && i < sizeof(on) / sizeof(on[0]); i++)
		if (strcmp(v, on[i]) == 0)
			return true;
	return false;
}

bool pol_simulates(const char *v)
{
	return v && v[0] != '\0' && strcmp(v, "HW") != 0;
}

/* D4: by the text simulation wins; in the tool it wins over ENABLE_EDMM only,
 * and feature.enable_edmm turns EDMM on all the same. */
bool pol_occlum_edmm(const struct edmm_policy *p, const struct edmm_target *t)
{
	bool feature = edmm_policy_get(p, EDMM_SET_EDMM, 0) != 0;
	bool sim = pol_simulates(t->sgx_mode);

	if (t->platform != EDMM_PLATFORM_ASK)
		return t->platform == EDMM_PLATFORM_SGX2;
	if (t->compat == EDMM_COMPAT_OCCLUM_031)
		return (!sim && pol_enables(t->enable_edmm)) || feature;
	return !sim && (pol_enables(t->enable_edmm) || feature);
}

static bool tool(const struct pol_rules *c)
{
	return c->t->compat == EDMM_COMPAT_OCCLUM_031;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* D1, D2, D3. */
static void threads(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t max = p->s[EDMM_SET_THREADS_MAX].value;
	bool given = p->s[EDMM_SET_THREADS_INIT].set;
	uint64_t init = p->s[EDMM_SET_THREADS_INIT].value;

	if (!r->elastic) {
		r->tcs_init = r->tcs_pool = r->tcs_max = max;
		return;
	}
	if (!given && tool(c))
		init = max < OCCLUM_TCS_INIT ? max : OCCLUM_TCS_INIT;
	else if (!given || (!tool(c) && init > OCCLUM_TCS_INIT))
		init = OCCLUM_TCS_INIT;
	r->tcs_init = r->tcs_pool = init;
	r->tcs_max = max_of(max, OCCLUM_TCS_MAX);
	if (init > r->tcs_max)
		pol_above(c, EDMM_ERROR, BOUND(EDMM_SET_THREADS_INIT, init),
			  BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
}

static void heap(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t size = p->s[EDMM_SET_HEAP_INIT].value;
	uint64_t max = edmm_policy_get(p, EDMM_SET_HEAP_MAX, size);

	if (r->elastic)
		max = max_of(max, OCCLUM_HEAP_MAX);
	r->heap_max = max;
	r->heap_init = r->elastic ? size : max;
	r->heap_min = r->heap_init;
	if (r->heap_init > r->heap_max)
		pol_above(c, EDMM_ERROR, BOUND(EDMM_SET_HEAP_INIT, size),
			  BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
}

/* D7: without EDMM the text gives user_space_size no effect beside a maximum;
 * the tool still refuses one above it. */
static void user_space(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t size = p->s[EDMM_SET_USER_INIT].value;
	uint64_t max = edmm_policy_get(p, EDMM_SET_USER_MAX, size);

	if (r->elastic)
		max = max_of(max, OCCLUM_USER_MAX);
	r->user_init = size;
	r->user_max = max;
	r->rsrv_init = r->elastic ? size : max;
	r->rsrv_min = r->rsrv_max = r->rsrv_init;
	r->rsrv_exec = true;
	if (r->elastic)
		r->region = max == size ? max : max + OCCLUM_SDK_REGION;
	if (size > max)
		pol_above(c, r->elastic || tool(c) ? EDMM_ERROR : EDMM_WARNING,
			  BOUND(EDMM_SET_USER_INIT, size),
			  BOUND(EDMM_SET_USER_MAX, max));
	if (r->region < max && r->elastic)
		pol_report(c->f, p->doc, NULL, EDMM_ERROR, "P103",
			   "the user region is beyond 2^64 bytes");
}

/* Settings without which nothing can be derived. */
static bool complete(struct pol_rules *c)
{
	static const enum edmm_setting_id need[] = {
		EDMM_SET_STACK_MAX,
		EDMM_SET_HEAP_INIT,
		EDMM_SET_USER_INIT,
		EDMM_SET_THREADS_MAX,
	};
	bool ok = true;

	for (unsigned i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		const struct pol_format *fmt = pol_format(c->p->format);
		const struct pol_map *m = pol_row(fmt, need[i]);

		if (c->p->s[need[i]].set)
			continue;
		ok = false;
		if (m && pol_find(c->p->doc->root, m->path))
			c->unread = true;
		else if (m)
			pol_missing(c->p, m, c->f);
		else
			pol_report(c->f, c->p->doc, NULL, EDMM_ERROR, "P102",
				   "%s is missing", pol_setting_name(need[i]));
	}
	return ok;
}

/* D5: the tool needs whole sections that the text does not speak of. */
static void sections(const struct pol_rules *c)
{
	static const char *const need[] = { "entry_points", "env", "metadata",
					    "feature", "mount" };

	for (unsigned i = 0; i < sizeof(need) / sizeof(need[0]); i++)
		if (c->p->format == EDMM_FORMAT_OCCLUM &&
		    !pol_member(c->p->doc->root, need[i]))
			pol_report(c->f, c->p->doc, NULL, EDMM_ERROR, "P102",
				   "section '%s' is missing", need[i]);
}

void pol_rules_occlum(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	if (!complete(c))
		return;
	if (tool(c))
		sections(c);
	r->elastic = pol_occlum_edmm(c->p, c->t);
	r->stack_min = r->stack_max = c->p->s[EDMM_SET_STACK_MAX].value;
	threads(c);
	heap(c);
	user_space(c);
	r->bound = true;
	r->misc_select = r->elastic;
	r->misc_mask = r->elastic ? 0xffffffff : 0;
}
