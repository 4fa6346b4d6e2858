/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From one runtime's rules into another's format. What corresponds to what:
 * the memory of the application is Occlum's user space, the whole of Gramine's
 * enclave, and the heap of SCONE, of the Intel SDK and of ours. Occlum's
 * kernel heap and stack are Intel's heap and stack, since its library OS is an
 * Intel enclave. docs/configuration.md has the table.
 */
#include <string.h>

#include "policy/write.h"

void pol_want(struct pol_writing *w, enum edmm_setting_id id, uint64_t value)
{
	w->want[id].set = true;
	w->want[id].value = value;
}

void pol_told(struct pol_writing *w, const enum edmm_setting_id *ids,
	      unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		w->told[ids[i]] = true;
}

void pol_zeroes(struct pol_writing *w)
{
	static const enum edmm_setting_id zero[] = {
		EDMM_SET_PRODID,    EDMM_SET_SVN,      EDMM_SET_KSS,
		EDMM_SET_FAMILY_H,  EDMM_SET_FAMILY_L, EDMM_SET_EXTPROD_H,
		EDMM_SET_EXTPROD_L, EDMM_SET_PKRU,     EDMM_SET_AMX,
	};

	for (unsigned i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		if (!w->want[zero[i]].set)
			pol_want(w, zero[i], 0);
}

/* Settings that mean the same wherever they can be said. */
static void same(struct pol_writing *w)
{
	static const enum edmm_setting_id ids[] = {
		EDMM_SET_DEBUG,	      EDMM_SET_PRODID,	   EDMM_SET_SVN,
		EDMM_SET_KSS,	      EDMM_SET_FAMILY_H,   EDMM_SET_FAMILY_L,
		EDMM_SET_EXTPROD_H,   EDMM_SET_EXTPROD_L,  EDMM_SET_PKRU,
		EDMM_SET_AMX,	      EDMM_SET_PROC_STACK, EDMM_SET_PROC_BRK,
		EDMM_SET_RPC_THREADS, EDMM_SET_QUEUES,	   EDMM_SET_AEXNOTIFY,
		EDMM_SET_EXINFO,
	};

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		enum edmm_setting_id id = ids[i];

		if (!w->p->s[id].set || !pol_row(w->fmt, id))
			continue;
		pol_want(w, id, w->p->s[id].value);
		w->told[id] = true;
	}
	POL_TOLD(w, EDMM_SET_RULES, EDMM_SET_EDMM, EDMM_SET_THREADS_INIT,
		 EDMM_SET_THREADS_MAX);
}

void pol_app_told(struct pol_writing *w)
{
	POL_TOLD(w, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX, EDMM_SET_HEAP_MIN,
		 EDMM_SET_STACK_MAX);
}

struct pol_app pol_app_of(struct pol_writing *w, const struct edmm_resolved *r)
{
	struct pol_app a = { r->heap_init, r->heap_max, r->stack_max };

	if (pol_family(r)->app)
		pol_family(r)->app(w, r, &a);
	else
		pol_app_told(w);
	return a;
}

void pol_assumed(struct pol_writing *w, const char *what)
{
	pol_report(w->f, w->p->doc, NULL, EDMM_NOTE, "P702", "assumed: %s",
		   what);
}

edmm_err pol_cross(struct pol_writing *w)
{
	struct edmm_resolved r;
	edmm_err err = edmm_policy_resolve(w->p, w->t, &r, w->f);

	if (err)
		return err;
	if (r.refused) {
		pol_report(w->f, w->p->doc, NULL, EDMM_ERROR, "P303",
			   "this policy needs EDMM, which --platform sgx1 "
			   "has not");
		return -EDMM_EINVAL;
	}
	same(w);
	if (w->t->platform == EDMM_PLATFORM_ASK)
		pol_assumed(w, r.elastic ? "a platform with EDMM"
					 : "a platform without EDMM");
	return w->fmt->cross(w, &r);
}
