/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about where a policy runs: P301, P302, P303, P501. */
#include "policy/lint.h"

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
	uint64_t count = pol_family(r)->one_stack ? 1 : r->tcs_init;
	uint64_t sum = r->heap_init;
	uint64_t stacks;

	if (__builtin_mul_overflow(r->stack_min, count, &stacks) ||
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
	if (!l->family->one_file && l->here.elastic)
		return;
	v = pol_lint_at(l, largest(l),
			maximum && l->family->one_file ? EDMM_WARNING
						       : EDMM_NOTE,
			"P301", "%s are loaded at start without EDMM",
			size_text(loaded, text));
	pol_effect(v, "start-up takes about a second a GiB, and fails where "
		      "that much cannot be had");
	if (l->family->one_file)
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

void pol_lint_refused(const struct pol_lint *l, enum edmm_level level)
{
	if (l->sgx1.refused)
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, level, "P303",
				       "EDMM is asked for"),
			   "without EDMM the program does not start");
}

void pol_lint_platform(const struct pol_lint *l)
{
	enum edmm_level level =
		l->t->platform == EDMM_PLATFORM_SGX1 ? EDMM_ERROR : EDMM_NOTE;

	slow_start(l);
	beyond_epc(l);
	if (l->family->platform)
		l->family->platform(l, level);
	else
		pol_lint_refused(l, level);
}

/* ---- P501 ------------------------------------------------------------- */

void pol_lint_threads(const struct pol_lint *l)
{
	const struct edmm_resolved *r = &l->here;
	enum edmm_setting_id id = pol_is_set(l, EDMM_SET_THREADS_MAX)
					  ? EDMM_SET_THREADS_MAX
					  : EDMM_SET_THREADS_INIT;
	uint64_t own = l->family->own_threads;
	uint64_t need = l->t->threads > 0 ? l->t->threads : 1;
	unsigned long long least = need + own;
	struct edmm_finding *v;

	if (l->family->other_threads || r->tcs_max >= need + own ||
	    (l->t->threads == 0 && own == 0) || (own > 0 && r->elastic))
		return;
	/* Its own are made when they are needed: a small program may do. */
	v = pol_lint_at(l, id, l->t->threads > 0 ? EDMM_WARNING : EDMM_NOTE,
			"P501", "%llu threads%s, and the program needs %llu",
			(unsigned long long)r->tcs_max,
			own > 0 ? l->family->own_threads_said : "",
			(unsigned long long)need);
	pol_effect(v, "creating a thread fails when they are used up");
	pol_fix(v, "at least %llu", least);
}
