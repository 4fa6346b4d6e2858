/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A policy's figures on one platform, by the rules of its runtime. Occlum's
 * are in rules_occlum.c; docs/configuration.md has all of them as tables.
 */
#include "policy/rules.h"

#include <string.h>

enum edmm_format pol_rules_of(const struct edmm_policy *p)
{
	enum edmm_format rules = p->format;

	if (p->s[EDMM_SET_RULES].set && p->s[EDMM_SET_RULES].value != 0)
		rules = (enum edmm_format)p->s[EDMM_SET_RULES].value;
	return rules == EDMM_FORMAT_SCONE_CONF ? EDMM_FORMAT_SCONE : rules;
}

enum edmm_format edmm_policy_rules(const struct edmm_policy *policy)
{
	return pol_rules_of(policy);
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

static uint64_t get(const struct pol_rules *c, enum edmm_setting_id id,
		    uint64_t otherwise)
{
	return edmm_policy_get(c->p, id, otherwise);
}

static uint64_t pages_up(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? size & ~4095ull
					: (size + 4095) & ~4095ull;
}

/* What the file wishes and the platform has: is this start one with EDMM? */
static bool wished(const struct pol_rules *c, enum edmm_wish otherwise)
{
	uint64_t wish = get(c, EDMM_SET_EDMM, otherwise);

	if (wish == EDMM_WISH_DISABLE)
		return false;
	if (c->t->platform != EDMM_PLATFORM_SGX1)
		return true;
	c->r->refused = wish == EDMM_WISH_ENABLE;
	return false;
}

/* ---- the Intel SDK ---------------------------------------------------- */

struct pol_metadata pol_sgx_metadata(const struct edmm_resolved *r)
{
	uint64_t pool =
		r->tcs_pool < r->tcs_init - 1 ? r->tcs_pool : r->tcs_init - 1;
	struct pol_metadata m = { false, true, false };

	m.dynamic =
		r->heap_min != r->heap_init || r->heap_init != r->heap_max ||
		r->stack_min != r->stack_max || r->rsrv_min != r->rsrv_init ||
		r->rsrv_init != r->rsrv_max || r->tcs_max != pool + 1;
	if (r->region > 0) {
		m.sgx1 = false;
		m.sgx2 = true;
	} else if (m.dynamic && (r->misc_select & 1) != 0) {
		m.sgx2 = true;
		m.sgx1 = (r->misc_mask & 1) == 0;
	}
	return m;
}

void pol_rules_sgx(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;
	struct pol_metadata m;

	r->stack_max = get(c, EDMM_SET_STACK_MAX, 0x40000);
	r->stack_min = get(c, EDMM_SET_STACK_MIN, 0x2000);
	r->heap_max = get(c, EDMM_SET_HEAP_MAX, 0x1000000);
	r->heap_min = get(c, EDMM_SET_HEAP_MIN, 0x1000);
	r->heap_init = get(c, EDMM_SET_HEAP_INIT, r->heap_max);
	r->rsrv_max = get(c, EDMM_SET_RSRV_MAX, 0);
	r->rsrv_min = get(c, EDMM_SET_RSRV_MIN, 0);
	r->rsrv_init = get(c, EDMM_SET_RSRV_INIT, r->rsrv_max);
	r->rsrv_exec = get(c, EDMM_SET_RSRV_EXEC, 0) != 0;
	r->region = get(c, EDMM_SET_REGION, 0);
	r->tcs_init = get(c, EDMM_SET_THREADS_INIT, 1);
	r->tcs_max = get(c, EDMM_SET_THREADS_MAX, r->tcs_init);
	r->tcs_pool = get(c, EDMM_SET_THREADS_POOL, 1);
	r->bound = get(c, EDMM_SET_THREADS_BOUND, 0) != 0;
	r->misc_select = (uint32_t)get(c, EDMM_SET_MISC_SELECT, 0);
	r->misc_mask = (uint32_t)get(c, EDMM_SET_MISC_MASK, 0xffffffff);
	r->enclave_size = get(c, EDMM_SET_ELRANGE_SIZE, 0);
	m = pol_sgx_metadata(r);
	r->elastic = m.sgx2 && c->t->platform != EDMM_PLATFORM_SGX1;
	r->refused = !m.sgx1 && c->t->platform == EDMM_PLATFORM_SGX1;
	pol_sgx_check(c, EDMM_ERROR);
}

static bool aligned(const struct pol_rules *c, enum edmm_level level,
		    enum edmm_setting_id id, uint64_t value)
{
	struct pol_span at = pol_at(c->p, id);
	char right[32];
	struct edmm_finding *v;

	if (value % 4096 == 0)
		return true;
	v = pol_report(c->f, c->p->doc, c->p->s[id].set ? &at : NULL, level,
		       "P205", "%s is %llu bytes, no multiple of 4096",
		       pol_name(c->p, id), (unsigned long long)value);
	pol_effect(v, "sgx_sign refuses it");
	edmm_size_format(c->p->format, pages_up(value), right);
	pol_fix(v, "the next multiple is %s", right);
	return false;
}

/* Two pages of stack are the least that it takes. */
static bool enough_stack(const struct pol_rules *c, enum edmm_level level)
{
	struct pol_span at = pol_at(c->p, EDMM_SET_STACK_MAX);

	if (c->r->stack_max >= 0x2000 && c->r->stack_min >= 0x2000)
		return true;
	pol_fix(pol_report(c->f, c->p->doc,
			   c->p->s[EDMM_SET_STACK_MAX].set ? &at : NULL, level,
			   "P104", "%s is too small for sgx_sign",
			   pol_name(c->p, EDMM_SET_STACK_MAX)),
		"at least 8192 bytes");
	return false;
}

/* One pair that sgx_sign wants in order. */
static bool ordered(const struct pol_rules *c, enum edmm_level level,
		    struct pol_bound low, struct pol_bound high)
{
	if (low.value <= high.value)
		return true;
	pol_effect(pol_above(c, level, low, high), "sgx_sign refuses it");
	return false;
}

static bool sgx_threads(const struct pol_rules *c, enum edmm_level level)
{
	const struct edmm_resolved *r = c->r;
	bool ok = ordered(c, level, BOUND(EDMM_SET_THREADS_INIT, r->tcs_init),
			  BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
	struct pol_span at = pol_at(c->p, EDMM_SET_THREADS_MAX);

	ok &= ordered(c, level, BOUND(EDMM_SET_THREADS_POOL, r->tcs_pool),
		      BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
	if (r->tcs_init > 0)
		return ok;
	pol_effect(pol_report(c->f, c->p->doc, &at, level, "P104",
			      "no thread at all"),
		   "sgx_sign refuses it");
	return false;
}

bool pol_sgx_check(const struct pol_rules *c, enum edmm_level level)
{
	const struct edmm_resolved *r = c->r;
	bool ok = aligned(c, level, EDMM_SET_STACK_MAX, r->stack_max);

	ok &= aligned(c, level, EDMM_SET_STACK_MIN, r->stack_min);
	ok &= aligned(c, level, EDMM_SET_HEAP_INIT, r->heap_init);
	ok &= aligned(c, level, EDMM_SET_HEAP_MAX, r->heap_max);
	ok &= aligned(c, level, EDMM_SET_HEAP_MIN, r->heap_min);
	ok &= aligned(c, level,
		      c->p->s[EDMM_SET_USER_INIT].set ? EDMM_SET_USER_INIT
						      : EDMM_SET_RSRV_INIT,
		      r->rsrv_init);
	ok &= aligned(c, level, EDMM_SET_RSRV_MIN, r->rsrv_min);
	ok &= aligned(c, level,
		      c->p->s[EDMM_SET_USER_MAX].set ? EDMM_SET_USER_MAX
						     : EDMM_SET_RSRV_MAX,
		      r->rsrv_max);
	ok &= aligned(c, level, EDMM_SET_REGION, r->region);
	ok &= ordered(c, level, BOUND(EDMM_SET_STACK_MIN, r->stack_min),
		      BOUND(EDMM_SET_STACK_MAX, r->stack_max));
	ok &= ordered(c, level, BOUND(EDMM_SET_HEAP_MIN, r->heap_min),
		      BOUND(EDMM_SET_HEAP_INIT, r->heap_init));
	ok &= ordered(c, level, BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
		      BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
	ok &= ordered(c, level, BOUND(EDMM_SET_RSRV_MIN, r->rsrv_min),
		      BOUND(EDMM_SET_RSRV_INIT, r->rsrv_init));
	ok &= ordered(c, level, BOUND(EDMM_SET_RSRV_INIT, r->rsrv_init),
		      BOUND(EDMM_SET_RSRV_MAX, r->rsrv_max));
	ok &= enough_stack(c, level);
	ok &= sgx_threads(c, level);
	if (r->region == 0 || (r->misc_select & r->misc_mask & 1) != 0)
		return ok;
	struct pol_span at = pol_at(c->p, EDMM_SET_REGION);

	pol_fix(pol_report(c->f, c->p->doc, &at, level, "P304",
			   "a user region needs EXINFO: MiscSelect and "
			   "MiscMask with bit 0"),
		"set MiscSelect to 1 and MiscMask to 0xFFFFFFFF");
	return false;
}

/* ---- SCONE ------------------------------------------------------------ */

void pol_rules_scone(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	r->elastic = wished(c, EDMM_WISH_DISABLE);
	r->stack_max = pages_up(get(c, EDMM_SET_STACK_MAX, MIB(2)));
	r->stack_min = r->stack_max;
	r->heap_max = pages_up(get(c, EDMM_SET_HEAP_MAX, MIB(64)));
	r->heap_init = r->heap_max;
	if (r->elastic)
		r->heap_init = pages_up(get(c, EDMM_SET_HEAP_INIT, MIB(20)));
	r->heap_min = r->heap_init;
	r->tcs_init = get(c, EDMM_SET_THREADS_INIT, 8);
	r->tcs_pool = r->tcs_init;
	r->tcs_max = r->tcs_init;
	if (r->elastic && r->heap_init > r->heap_max)
		pol_fix(pol_above(c, EDMM_ERROR,
				  BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
				  BOUND(EDMM_SET_HEAP_MAX, r->heap_max)),
			"set SCONE_HEAP to the most that may be needed");
}

/* ---- Gramine ---------------------------------------------------------- */

void pol_rules_gramine(struct pol_rules *c)
{
	struct pol_span at = pol_at(c->p, EDMM_SET_ENCLAVE_SIZE);
	struct edmm_resolved *r = c->r;
	char right[32];
	uint64_t size;
	uint64_t two = 4096;

	r->elastic = wished(c, EDMM_WISH_DISABLE);
	size = get(c, EDMM_SET_ENCLAVE_SIZE, r->elastic ? GIB(1024) : MIB(256));
	r->enclave_size = size;
	r->heap_max = size;
	r->heap_init = r->elastic ? 0 : size;
	r->heap_min = r->heap_init;
	r->stack_max = r->stack_min = KIB(256);
	r->tcs_init = get(c, EDMM_SET_THREADS_INIT, 4);
	r->tcs_pool = r->tcs_init;
	r->tcs_max = r->elastic ? 4096 : r->tcs_init;
	r->misc_select = get(c, EDMM_SET_EXINFO, 0) != 0;
	r->misc_mask = 0xffffffff;
	if (size >= 4096 && (size & (size - 1)) == 0)
		return;
	while (two < size && two < 1ull << 63)
		two *= 2;
	edmm_size_format(EDMM_FORMAT_GRAMINE, two, right);
	pol_fix(pol_report(c->f, c->p->doc, &at, EDMM_ERROR, "P206",
			   "%s is no power of two",
			   pol_name(c->p, EDMM_SET_ENCLAVE_SIZE)),
		"the next one is \"%s\"", right);
}

/* ---- ours ------------------------------------------------------------- */

void pol_rules_edmm(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	r->elastic = wished(c, EDMM_WISH_AUTO);
	r->enclave_size = get(c, EDMM_SET_ENCLAVE_SIZE, EDMM_ELRANGE_DEFAULT);
	r->stack_max = pages_up(get(c, EDMM_SET_STACK_MAX, EDMM_STACK_DEFAULT));
	r->stack_min = r->stack_max;
	if (r->elastic)
		r->stack_min = pages_up(
			get(c, EDMM_SET_STACK_MIN, EDMM_STACK_INIT_DEFAULT));
	r->heap_init =
		pages_up(get(c, EDMM_SET_HEAP_INIT, EDMM_HEAP_INIT_DEFAULT));
	r->heap_max = pages_up(
		get(c, EDMM_SET_HEAP_MAX,
		    r->elastic ? r->enclave_size : EDMM_HEAP_STATIC_DEFAULT));
	if (r->elastic && r->heap_init > r->heap_max)
		pol_above(c, EDMM_ERROR,
			  BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
			  BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
	if (!r->elastic)
		r->heap_init = r->heap_max;
	r->heap_min = r->heap_init;
	r->tcs_init = get(c, EDMM_SET_THREADS_INIT, 1);
	r->tcs_pool = get(c, EDMM_SET_THREADS_POOL, r->tcs_init);
	r->tcs_max = get(c, EDMM_SET_THREADS_MAX, r->tcs_init);
	if (!r->elastic)
		r->tcs_init = r->tcs_pool = r->tcs_max;
	if (r->tcs_init > r->tcs_max)
		pol_above(c, EDMM_ERROR,
			  BOUND(EDMM_SET_THREADS_INIT, r->tcs_init),
			  BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
	if (r->stack_min > r->stack_max)
		pol_above(c, EDMM_ERROR,
			  BOUND(EDMM_SET_STACK_MIN, r->stack_min),
			  BOUND(EDMM_SET_STACK_MAX, r->stack_max));
	r->misc_select = r->elastic;
	r->misc_mask = r->elastic ? 0xffffffff : 0;
	if (r->enclave_size != 0 &&
	    (r->enclave_size & (r->enclave_size - 1)) != 0) {
		struct pol_span at = pol_at(c->p, EDMM_SET_ENCLAVE_SIZE);

		pol_report(c->f, c->p->doc, &at, EDMM_ERROR, "P206",
			   "enclave.size is no power of two");
	}
}

/* ----------------------------------------------------------------------- */

edmm_err edmm_policy_resolve(const struct edmm_policy *policy,
			     const struct edmm_target *target,
			     struct edmm_resolved *out,
			     struct edmm_findings *findings)
{
	struct pol_rules c = { policy, target, out, findings, false };
	size_t errors = findings->errors;

	memset(out, 0, sizeof(*out));
	out->rules = pol_rules_of(policy);
	out->debug = edmm_policy_get(policy, EDMM_SET_DEBUG, 0) != 0;
	out->kss = edmm_policy_get(policy, EDMM_SET_KSS, 0) != 0;
	switch (out->rules) {
	case EDMM_FORMAT_OCCLUM:
		pol_rules_occlum(&c);
		break;
	case EDMM_FORMAT_GRAMINE:
		pol_rules_gramine(&c);
		break;
	case EDMM_FORMAT_SCONE:
		pol_rules_scone(&c);
		break;
	case EDMM_FORMAT_SGX_XML:
		/* The tool's default: an enclave may be debugged. */
		out->debug = edmm_policy_get(policy, EDMM_SET_DEBUG, 1) != 0;
		pol_rules_sgx(&c);
		break;
	default:
		pol_rules_edmm(&c);
	}
	return findings->errors > errors || c.unread ? -EDMM_EINVAL : 0;
}
