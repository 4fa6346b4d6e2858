/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about where a policy runs: P301 to P304, P306, P501. */
#include "policy/lint.h"

#include <string.h>

/* Loading takes a second a GiB and more: measured 63 s for 64 GiB (Gramine). */
#define SLOW_START GIB(8)
/* The most that a processor had when this was written, a socket. */
#define EPC_MOST GIB(512)

static const char *size_text(uint64_t size, char buf[32])
{
	if (size >= GIB(1))
		snprintf(buf, 32, "%.1f GiB", (double)size / (double)GIB(1));
	else
		snprintf(buf, 32, "%.1f MiB", (double)size / (double)MIB(1));
	return buf;
}

uint64_t pol_loaded(const struct edmm_resolved *r)
{
	uint64_t stacks;
	uint64_t sum = r->rules == EDMM_FORMAT_GRAMINE && !r->elastic
			       ? r->enclave_size
			       : r->heap_init;

	/* Ours has one main stack; the others have one a context. */
	if (__builtin_mul_overflow(
		    r->stack_min,
		    r->rules == EDMM_FORMAT_EDMM ? 1 : r->tcs_init, &stacks) ||
	    __builtin_add_overflow(sum, stacks, &sum) ||
	    __builtin_add_overflow(sum, r->rsrv_init, &sum))
		return UINT64_MAX;
	return sum;
}

/* ---- P301, P302: too much at start ------------------------------------ */

/* The setting that is to blame for most of what is loaded. */
static enum edmm_setting_id largest(const struct pol_lint *l)
{
	static const enum edmm_setting_id ids[] = {
		EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX,	   EDMM_SET_USER_INIT,
		EDMM_SET_USER_MAX,  EDMM_SET_ENCLAVE_SIZE, EDMM_SET_RSRV_INIT,
		EDMM_SET_RSRV_MAX,
	};
	enum edmm_setting_id best = ids[0];

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (pol_is_set(l, ids[i]) &&
		    l->p->s[ids[i]].value >= l->p->s[best].value)
			best = ids[i];
	return best;
}

static void slow_start(const struct pol_lint *l)
{
	uint64_t loaded = pol_loaded(&l->sgx1);
	bool maximum = pol_is_set(l, EDMM_SET_USER_MAX) ||
		       pol_is_set(l, EDMM_SET_HEAP_MAX);
	struct edmm_finding *v;
	char text[32];

	if (l->t->platform == EDMM_PLATFORM_SGX2 || l->sgx1.refused ||
	    !l->sgx1_ok || loaded < SLOW_START)
		return;
	/* A file that is only ever for EDMM says so. */
	if (l->rules != EDMM_FORMAT_OCCLUM && l->here.elastic)
		return;
	v = pol_lint_at(l, largest(l),
			maximum && l->rules == EDMM_FORMAT_OCCLUM ? EDMM_WARNING
								  : EDMM_NOTE,
			"P301", "%s are loaded at start without EDMM",
			size_text(loaded, text));
	pol_effect(v, "start-up takes about a second a GiB, and fails where "
		      "that much cannot be had");
	if (l->rules == EDMM_FORMAT_OCCLUM)
		pol_fix(v, "keep maxima moderate in a file for both kinds of "
			   "platform");
}

static void beyond_epc(const struct pol_lint *l)
{
	uint64_t epc = l->t->epc > 0 ? l->t->epc : EPC_MOST;
	uint64_t loaded = pol_loaded(&l->here);
	char is[32];
	char has[32];

	if (loaded <= epc)
		return;
	pol_effect(pol_lint_at(l, largest(l), EDMM_WARNING, "P302",
			       "%s are loaded at start, and the EPC has %s",
			       size_text(loaded, is), size_text(epc, has)),
		   l->t->epc > 0 ? "the machine pages from the first moment "
				   "on, or refuses to start"
				 : "no processor has that much");
}

/* ---- P303: built for one platform, run on another --------------------- */

static void mismatch(const struct pol_lint *l)
{
	enum edmm_level level =
		l->t->platform == EDMM_PLATFORM_SGX1 ? EDMM_ERROR : EDMM_NOTE;
	bool occlum = l->rules == EDMM_FORMAT_OCCLUM;
	bool wish = edmm_policy_get(l->p, EDMM_SET_EDMM, 0) != 0;

	if (occlum && wish && l->sgx2_ok &&
	    l->sgx2.user_max != l->sgx2.user_init)
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, level, "P303",
				       "a build for EDMM"),
			   "without EDMM it starts, then runs out of reserved "
			   "memory and panics");
	if (l->rules == EDMM_FORMAT_SGX_XML && l->sgx1.refused)
		pol_effect(pol_lint_at(l, EDMM_SET_REGION, level, "P303",
				       "sgx_sign writes SGX2 metadata only"),
			   "without EDMM the enclave is refused "
			   "(SGX_ERROR_INVALID_METADATA)");
	else if (!occlum && l->sgx1.refused)
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, level, "P303",
				       "EDMM is asked for"),
			   "without EDMM the program does not start");
	if (l->rules == EDMM_FORMAT_SCONE &&
	    edmm_policy_get(l->p, EDMM_SET_EDMM, 0) == EDMM_WISH_AUTO)
		pol_fix(pol_lint_at(l, EDMM_SET_EDMM, EDMM_NOTE, "P303",
				    "auto has two identities, with and "
				    "without EDMM"),
			"list both MRENCLAVE values in the session");
}

/* ---- P304: EDMM where it does nothing --------------------------------- */

static void no_edmm_occlum(const struct pol_lint *l)
{
	const char *env = l->t->enable_edmm;
	bool feature = edmm_policy_get(l->p, EDMM_SET_EDMM, 0) != 0;

	if (l->t->platform != EDMM_PLATFORM_ASK)
		return;
	if (env && env[0] != '\0' && strcmp(env, "N") != 0 &&
	    strcmp(env, "NO") != 0 && strcmp(env, "no") != 0 &&
	    strcmp(env, "0") != 0 && !pol_enables(env))
		pol_fix(pol_report(l->f, l->p->doc, NULL, EDMM_WARNING, "P304",
				   "ENABLE_EDMM=%.20s does not enable EDMM",
				   env),
			"write ENABLE_EDMM=Y");
	if (pol_simulates(l->t->sgx_mode) && (pol_enables(env) || feature))
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, EDMM_WARNING, "P304",
				       "EDMM is asked for, and SGX_MODE=%.20s "
				       "has none",
				       l->t->sgx_mode),
			   feature ? "release 0.31 builds for EDMM all the "
				     "same, and the enclave panics"
				   : "SGX_MODE wins");
}

static bool differ(const struct pol_lint *l, enum edmm_setting_id a,
		   enum edmm_setting_id b)
{
	return pol_is_set(l, a) && pol_is_set(l, b) &&
	       l->p->s[a].value != l->p->s[b].value;
}

/* The two settings that say most plainly that growth is wanted. */
static enum edmm_setting_id wants_growth(const struct pol_lint *l)
{
	if (differ(l, EDMM_SET_HEAP_MIN, EDMM_SET_HEAP_MAX) ||
	    differ(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX))
		return EDMM_SET_HEAP_MAX;
	if (differ(l, EDMM_SET_THREADS_INIT, EDMM_SET_THREADS_MAX))
		return EDMM_SET_THREADS_MAX;
	if (differ(l, EDMM_SET_RSRV_INIT, EDMM_SET_RSRV_MAX) ||
	    differ(l, EDMM_SET_RSRV_MIN, EDMM_SET_RSRV_MAX))
		return EDMM_SET_RSRV_MAX;
	return EDMM_SET_COUNT;
}

static void no_edmm_sgx(const struct pol_lint *l)
{
	enum edmm_setting_id id = wants_growth(l);
	struct edmm_finding *v;

	if (id == EDMM_SET_COUNT || l->sgx2.elastic || l->sgx2.region > 0)
		return;
	v = pol_lint_at(l, id, EDMM_WARNING, "P304",
			"%s never grows: MiscSelect has not bit 0",
			pol_name(l->p, id));
	pol_effect(v, "sgx_sign writes SGX1 metadata only, on any platform");
	pol_fix(v, "set MiscSelect to 1, and MiscMask to 0xFFFFFFFE for both "
		   "kinds of platform");
}

static void no_edmm(const struct pol_lint *l)
{
	bool off = edmm_policy_get(l->p, EDMM_SET_EDMM, 0) == 0;

	switch (l->rules) {
	case EDMM_FORMAT_OCCLUM:
		no_edmm_occlum(l);
		break;
	case EDMM_FORMAT_SGX_XML:
		no_edmm_sgx(l);
		break;
	case EDMM_FORMAT_SCONE:
		if (off && pol_is_set(l, EDMM_SET_HEAP_INIT))
			pol_fix(pol_lint_at(l, EDMM_SET_HEAP_INIT, EDMM_WARNING,
					    "P304",
					    "%s has no effect while EDMM is "
					    "off",
					    pol_name(l->p, EDMM_SET_HEAP_INIT)),
				"set SCONE_EDMM_MODE to enable or auto");
		break;
	case EDMM_FORMAT_GRAMINE:
		if (!off && edmm_policy_get(l->p, EDMM_SET_PREHEAT, 0) != 0)
			pol_fix(pol_lint_at(l, EDMM_SET_PREHEAT, EDMM_ERROR,
					    "P304",
					    "sgx.preheat_enclave and "
					    "sgx.edmm_enable exclude each "
					    "other"),
				"take one out");
		break;
	default:
		break;
	}
}

void pol_lint_platform(const struct pol_lint *l)
{
	slow_start(l);
	beyond_epc(l);
	mismatch(l);
	no_edmm(l);
	/* P306 */
	if (l->rules == EDMM_FORMAT_GRAMINE && l->sgx2.elastic &&
	    edmm_policy_get(l->p, EDMM_SET_EXINFO, 0) == 0)
		pol_fix(pol_lint_at(l, EDMM_SET_EDMM, EDMM_NOTE, "P306",
				    "EDMM without sgx.use_exinfo: memory "
				    "mapped with MAP_NORESERVE cannot be "
				    "committed when it is touched"),
			"add sgx.use_exinfo = true");
}

/* ---- P501 ------------------------------------------------------------- */

void pol_lint_threads(const struct pol_lint *l)
{
	const struct edmm_resolved *r = &l->here;
	bool gramine = l->rules == EDMM_FORMAT_GRAMINE;
	enum edmm_setting_id id = pol_is_set(l, EDMM_SET_THREADS_MAX)
					  ? EDMM_SET_THREADS_MAX
					  : EDMM_SET_THREADS_INIT;
	/* Gramine has three threads of its own among them. */
	uint64_t own = gramine ? 3 : 0;
	uint64_t need = l->t->threads > 0 ? l->t->threads : 1;
	unsigned long long least = need + own;
	struct edmm_finding *v;

	/* SCONE runs many threads of the program on one of the enclave. */
	if (l->rules == EDMM_FORMAT_SCONE || r->tcs_max >= need + own ||
	    (l->t->threads == 0 && !gramine) || (gramine && r->elastic))
		return;
	/* The three are made when they are needed: a small program may do. */
	v = pol_lint_at(l, id, l->t->threads > 0 ? EDMM_WARNING : EDMM_NOTE,
			"P501", "%llu threads%s, and the program needs %llu",
			(unsigned long long)r->tcs_max,
			gramine ? ", three of them Gramine's own" : "",
			(unsigned long long)need);
	pol_effect(v, "creating a thread fails when they are used up");
	pol_fix(v, "at least %llu", least);
}
