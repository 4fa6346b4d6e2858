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

struct app {
	uint64_t init;
	uint64_t max;
	uint64_t stack;
};

static void want(struct pol_writing *w, enum edmm_setting_id id, uint64_t value)
{
	w->want[id].set = true;
	w->want[id].value = value;
}

static void told(struct pol_writing *w, const enum edmm_setting_id *ids,
		 unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		w->told[ids[i]] = true;
}

#define TOLD(w, ...)                                                 \
	told(w, (const enum edmm_setting_id[]){ __VA_ARGS__ },       \
	     sizeof((const enum edmm_setting_id[]){ __VA_ARGS__ }) / \
		     sizeof(enum edmm_setting_id))

/* Occlum's tool always writes these, as zero where nothing is said. */
static void zeroes(struct pol_writing *w)
{
	static const enum edmm_setting_id zero[] = {
		EDMM_SET_PRODID,    EDMM_SET_SVN,      EDMM_SET_KSS,
		EDMM_SET_FAMILY_H,  EDMM_SET_FAMILY_L, EDMM_SET_EXTPROD_H,
		EDMM_SET_EXTPROD_L, EDMM_SET_PKRU,     EDMM_SET_AMX,
	};

	for (unsigned i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		if (!w->want[zero[i]].set)
			want(w, zero[i], 0);
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
		want(w, id, w->p->s[id].value);
		w->told[id] = true;
	}
	TOLD(w, EDMM_SET_RULES, EDMM_SET_EDMM, EDMM_SET_THREADS_INIT,
	     EDMM_SET_THREADS_MAX);
}

/* The application's memory, and its stack, in whatever way they are said. */
static struct app app_of(struct pol_writing *w, const struct edmm_resolved *r)
{
	struct app a = { r->heap_init, r->heap_max, r->stack_max };

	switch (r->rules) {
	case EDMM_FORMAT_OCCLUM:
		a.init = r->user_init;
		a.max = r->user_max;
		a.stack = w->p->s[EDMM_SET_PROC_STACK].value;
		TOLD(w, EDMM_SET_USER_INIT, EDMM_SET_USER_MAX,
		     EDMM_SET_PROC_STACK);
		break;
	case EDMM_FORMAT_GRAMINE:
		a.stack = edmm_policy_get(w->p, EDMM_SET_PROC_STACK, KIB(256));
		TOLD(w, EDMM_SET_ENCLAVE_SIZE, EDMM_SET_PROC_STACK);
		break;
	case EDMM_FORMAT_EDMM:
		TOLD(w, EDMM_SET_ENCLAVE_SIZE, EDMM_SET_STACK_MIN);
		/* Heap and stack are the application's. */
		__attribute__((fallthrough));
	default:
		TOLD(w, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX,
		     EDMM_SET_HEAP_MIN, EDMM_SET_STACK_MAX);
	}
	return a;
}

static void assumed(struct pol_writing *w, const char *what)
{
	pol_report(w->f, w->p->doc, NULL, EDMM_NOTE, "P702", "assumed: %s",
		   what);
}

/* ---- Enclave.config.xml ----------------------------------------------- */

static void xml_memory(struct pol_writing *w, const struct edmm_resolved *r)
{
	uint64_t least = r->heap_min > 0 ? r->heap_min : 4096;
	uint64_t init = r->heap_init > least ? r->heap_init : least;

	want(w, EDMM_SET_STACK_MAX, r->stack_max);
	want(w, EDMM_SET_STACK_MIN, r->stack_min);
	want(w, EDMM_SET_HEAP_INIT, init);
	want(w, EDMM_SET_HEAP_MAX, r->heap_max);
	want(w, EDMM_SET_HEAP_MIN, least);
	want(w, EDMM_SET_RSRV_MAX, r->rsrv_max);
	want(w, EDMM_SET_RSRV_MIN, r->rsrv_min);
	want(w, EDMM_SET_RSRV_INIT, r->rsrv_init);
	want(w, EDMM_SET_RSRV_EXEC, r->rsrv_exec);
	if (r->region > 0)
		want(w, EDMM_SET_REGION, r->region);
	TOLD(w, EDMM_SET_STACK_MAX, EDMM_SET_STACK_MIN, EDMM_SET_HEAP_INIT,
	     EDMM_SET_HEAP_MAX, EDMM_SET_HEAP_MIN, EDMM_SET_USER_INIT,
	     EDMM_SET_USER_MAX, EDMM_SET_ENCLAVE_SIZE);
}

static edmm_err to_xml(struct pol_writing *w, struct edmm_resolved *r)
{
	bool tool = w->t->compat == EDMM_COMPAT_OCCLUM_031;
	struct pol_rules c = { w->p, w->t, r, w->f, false };

	if (r->rules == EDMM_FORMAT_GRAMINE)
		app_of(w, r);
	xml_memory(w, r);
	want(w, EDMM_SET_THREADS_INIT, r->tcs_init);
	want(w, EDMM_SET_THREADS_MAX, r->tcs_max);
	want(w, EDMM_SET_THREADS_POOL, r->tcs_pool);
	want(w, EDMM_SET_THREADS_BOUND, r->bound);
	want(w, EDMM_SET_DEBUG, r->debug);
	want(w, EDMM_SET_MISC_SELECT, r->misc_select);
	want(w, EDMM_SET_MISC_MASK, r->misc_mask);
	TOLD(w, EDMM_SET_THREADS_POOL, EDMM_SET_THREADS_BOUND, EDMM_SET_EXINFO,
	     EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK);
	if (r->rules == EDMM_FORMAT_OCCLUM) {
		zeroes(w);
		/* Ids count with key separation and sharing only. */
		for (unsigned i = EDMM_SET_FAMILY_H;
		     i <= EDMM_SET_EXTPROD_L && !r->kss; i++)
			want(w, i, 0);
	}
	/* The tool writes what it has; sgx_sign then refuses it. */
	pol_sgx_check(&c, tool ? EDMM_WARNING : EDMM_ERROR);
	return 0;
}

/* ---- Occlum.json ------------------------------------------------------ */

/* Enclave.xml as Occlum's tool writes it, the other way round. */
static void occlum_from_xml(struct pol_writing *w,
			    const struct edmm_resolved *r)
{
	uint64_t max = r->rsrv_max;

	if (r->region > r->rsrv_init + OCCLUM_SDK_REGION)
		max = r->region - OCCLUM_SDK_REGION;
	else if (r->region > 0)
		max = r->region;
	want(w, EDMM_SET_STACK_MAX, r->stack_max);
	want(w, EDMM_SET_HEAP_INIT, r->heap_init);
	if (r->heap_max != r->heap_init)
		want(w, EDMM_SET_HEAP_MAX, r->heap_max);
	want(w, EDMM_SET_USER_INIT, r->rsrv_init);
	if (max != r->rsrv_init)
		want(w, EDMM_SET_USER_MAX, max);
	TOLD(w, EDMM_SET_STACK_MAX, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX,
	     EDMM_SET_HEAP_MIN, EDMM_SET_RSRV_INIT, EDMM_SET_RSRV_MIN,
	     EDMM_SET_RSRV_MAX, EDMM_SET_RSRV_EXEC, EDMM_SET_REGION,
	     EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK, EDMM_SET_THREADS_POOL);
	if (r->stack_min == r->stack_max)
		TOLD(w, EDMM_SET_STACK_MIN);
	if (r->bound)
		TOLD(w, EDMM_SET_THREADS_BOUND);
}

static void occlum_from_app(struct pol_writing *w,
			    const struct edmm_resolved *r)
{
	struct app a = app_of(w, r);

	want(w, EDMM_SET_STACK_MAX, MIB(1));
	want(w, EDMM_SET_HEAP_INIT, MIB(32));
	assumed(w, "the library OS gets 1MB of stack and 32MB of heap, as in "
		   "Occlum's template");
	want(w, EDMM_SET_USER_INIT, a.init > 0 ? a.init : MIB(1));
	if (a.max != a.init)
		want(w, EDMM_SET_USER_MAX, a.max);
	want(w, EDMM_SET_PROC_STACK, a.stack);
	if (r->rules == EDMM_FORMAT_GRAMINE || r->rules == EDMM_FORMAT_EDMM)
		TOLD(w, EDMM_SET_EXINFO);
}

/* Sections that occlum build wants, with nothing in them. */
static edmm_err occlum_sections(struct pol_writing *w)
{
	struct pol_node *root = w->out->root;
	struct pol_node *n = pol_make(w->out, root, "entry_points", POL_ARRAY);
	struct pol_node *bin = NULL;

	if (pol_kept(w->p, EDMM_FORMAT_OCCLUM))
		return 0;
	if (n)
		bin = pol_node_new(w->out, n, POL_STRING, NULL);
	if (!bin || !pol_make(w->out, root, "env.default", POL_ARRAY) ||
	    !pol_make(w->out, root, "env.untrusted", POL_ARRAY) ||
	    !pol_make(w->out, root, "mount", POL_ARRAY))
		return -EDMM_ENOMEM;
	bin->str = pol_strndup(w->out, "/bin", 4);
	assumed(w, "entry_points is /bin; mount is empty: take it from the "
		   "Occlum.json that `occlum new` writes");
	return 0;
}

static edmm_err to_occlum(struct pol_writing *w, struct edmm_resolved *r)
{
	if (r->rules == EDMM_FORMAT_SGX_XML &&
	    (r->rsrv_max > 0 || r->region > 0))
		occlum_from_xml(w, r);
	else
		occlum_from_app(w, r);
	if (r->elastic && r->tcs_init != r->tcs_max)
		want(w, EDMM_SET_THREADS_INIT, r->tcs_init);
	want(w, EDMM_SET_THREADS_MAX, r->tcs_max);
	want(w, EDMM_SET_DEBUG, r->debug);
	want(w, EDMM_SET_EDMM, r->elastic);
	zeroes(w);
	if (!w->want[EDMM_SET_PROC_STACK].set)
		want(w, EDMM_SET_PROC_STACK, MIB(4));
	if (!w->want[EDMM_SET_PROC_BRK].set)
		want(w, EDMM_SET_PROC_BRK, MIB(32));
	want(w, EDMM_SET_PROC_MMAP,
	     edmm_policy_get(w->p, EDMM_SET_PROC_MMAP, MIB(100)));
	TOLD(w, EDMM_SET_PROC_MMAP);
	return occlum_sections(w);
}

/* ---- Gramine ---------------------------------------------------------- */

static edmm_err to_gramine(struct pol_writing *w, struct edmm_resolved *r)
{
	struct app a = app_of(w, r);
	/* Everything is in one range there; 64 MiB for Gramine itself. */
	uint64_t need = MIB(64);
	uint64_t size = 4096;
	uint64_t threads = (r->elastic ? r->tcs_init : r->tcs_max) + 3;

	if (__builtin_add_overflow(need, a.max, &need) || need > 1ull << 47) {
		pol_report(w->f, w->p->doc, NULL, EDMM_ERROR, "P103",
			   "the memory asked for is beyond 2^47 bytes");
		return -EDMM_EINVAL;
	}
	while (size < need)
		size *= 2;
	want(w, EDMM_SET_EDMM, r->elastic);
	want(w, EDMM_SET_ENCLAVE_SIZE, size);
	want(w, EDMM_SET_THREADS_INIT, threads < 4096 ? threads : 4096);
	want(w, EDMM_SET_PROC_STACK, a.stack);
	want(w, EDMM_SET_DEBUG, r->debug);
	if (r->elastic)
		want(w, EDMM_SET_EXINFO, 1);
	TOLD(w, EDMM_SET_EXINFO, EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK);
	if (w->want[EDMM_SET_RPC_THREADS].set &&
	    w->want[EDMM_SET_RPC_THREADS].value > 256)
		want(w, EDMM_SET_RPC_THREADS, 256);
	assumed(w, "three threads more for Gramine's own, and 64M; the size "
		   "is rounded up to a power of two");
	if (!pol_kept(w->p, EDMM_FORMAT_GRAMINE))
		assumed(w, "loader, libos.entrypoint and fs.mounts are yours "
			   "to add");
	return 0;
}

/* ---- SCONE ------------------------------------------------------------ */

static edmm_err to_scone(struct pol_writing *w, struct edmm_resolved *r)
{
	struct app a = app_of(w, r);
	uint64_t wish = edmm_policy_get(w->p, EDMM_SET_EDMM, EDMM_WISH_AUTO);

	if (r->rules != EDMM_FORMAT_EDMM || wish != EDMM_WISH_AUTO ||
	    w->t->platform != EDMM_PLATFORM_ASK)
		wish = r->elastic ? EDMM_WISH_ENABLE : EDMM_WISH_DISABLE;
	want(w, EDMM_SET_EDMM, wish);
	want(w, EDMM_SET_HEAP_MAX, a.max);
	if (r->elastic && a.init > 0)
		want(w, EDMM_SET_HEAP_INIT, a.init);
	want(w, EDMM_SET_STACK_MAX, a.stack);
	want(w, EDMM_SET_THREADS_INIT, r->elastic ? r->tcs_init : r->tcs_max);
	return 0;
}

edmm_err pol_cross(struct pol_writing *w)
{
	struct edmm_resolved r;
	edmm_err err = edmm_policy_resolve(w->p, w->t, &r, w->f);

	if (err != 0)
		return err;
	if (r.refused) {
		pol_report(w->f, w->p->doc, NULL, EDMM_ERROR, "P303",
			   "this policy needs EDMM, which --platform sgx1 "
			   "has not");
		return -EDMM_EINVAL;
	}
	same(w);
	if (w->t->platform == EDMM_PLATFORM_ASK)
		assumed(w, r.elastic ? "a platform with EDMM"
				     : "a platform without EDMM");
	switch (w->fmt->id) {
	case EDMM_FORMAT_SGX_XML:
		return to_xml(w, &r);
	case EDMM_FORMAT_OCCLUM:
		return to_occlum(w, &r);
	case EDMM_FORMAT_GRAMINE:
		return to_gramine(w, &r);
	default:
		return to_scone(w, &r);
	}
}
