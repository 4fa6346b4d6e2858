/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fortanix EDP: [package.metadata.fortanix-sgx] of a Cargo.toml, as
 * ftxsgx-runner-cargo reads it. All else in the file is Cargo's.
 */
#include <string.h>

#include "policy/fixed.h"

#define TABLE "package.metadata.fortanix-sgx"
#define U32 0xffffffffull

/* As many as the machine that starts it has processors. */
#define EDP_THREADS 8u

static const struct pol_map map[] = {
	{ TABLE ".heap-size", EDMM_SET_HEAP_MAX, POL_BYTES, INT64_MAX, NULL,
	  false },
	{ TABLE ".stack-size", EDMM_SET_STACK_MAX, POL_BYTES, U32, NULL,
	  false },
	{ TABLE ".threads", EDMM_SET_THREADS_INIT, POL_UINT, U32, NULL, false },
	{ TABLE ".debug", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const struct pol_typed typed[] = {
	{ TABLE, POL_AS_TABLE, NULL, NULL },
	{ TABLE ".ssaframesize", POL_AS_INT, NULL, NULL },
	{ TABLE ".runner", POL_AS_TEXT, NULL, NULL },
	{ NULL, 0, NULL, NULL },
};

static const struct pol_least least[] = {
	{ EDMM_SET_THREADS_INIT, 1, "1" },
	{ EDMM_SET_STACK_MAX, 4096, "4096" },
	{ EDMM_SET_COUNT, 0, NULL },
};

static const struct pol_unit units[] = { { "", 0 }, { NULL, 0 } };
static const struct pol_sizes sizes = {
	.units = units,
	.example = "a whole number of bytes, as in 0x2000000",
};

static const char *const files[] = { "Cargo.toml", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return memmem(t->text, t->size, TABLE, strlen(TABLE)) ? POL_BY_KEYS + 1
							      : POL_NOT;
}

/* ---- rules ------------------------------------------------------------ */

static void aligned(const struct pol_rules *c, enum edmm_setting_id id)
{
	struct pol_span at = pol_at(c->p, id);
	uint64_t value = pol_get(c, id, 0);
	struct edmm_finding *v;

	if (value % 4096 == 0)
		return;
	v = pol_report(c->f, c->p->doc, &at, EDMM_ERROR, "P205",
		       "%s is no multiple of 4096", pol_name(c->p, id));
	pol_effect(v, "ftxsgx-elf2sgxs refuses it");
	pol_fix(v, "the next multiple is %llu",
		(unsigned long long)pol_pages_up(value));
}

static void resolve(struct pol_rules *c)
{
	pol_fixed_resolve(
		c, (struct pol_fixed){
			   pol_get(c, EDMM_SET_HEAP_MAX, MIB(32)),
			   pol_get(c, EDMM_SET_STACK_MAX, KIB(128)),
			   pol_get(c, EDMM_SET_THREADS_INIT, EDP_THREADS) });
	c->r->debug = pol_get(c, EDMM_SET_DEBUG, 1) != 0;
	aligned(c, EDMM_SET_HEAP_MAX);
	aligned(c, EDMM_SET_STACK_MAX);
}

/* Threads: guard, stack, TLS, TCS, one SSA page; of the first nothing but TLS
 * and TCS is measured. */
static void layout(const struct edmm_resolved *r, struct pol_layout *l)
{
	uint64_t there = pol_plus(r->stack_max, 3 * POL_PAGE);

	POL_AREA(l, "image", 1, l->assumed, l->assumed, l->assumed);
	POL_AREA(l, "heap", 1, r->heap_max, r->heap_max, 0);
	POL_AREA(l, "threads", r->tcs_init, pol_plus(there, POL_GUARD), there,
		 2 * POL_PAGE);
	pol_range_up(l);
}

/* ---- from others' figures: struct pol_format.cross --------------------- */

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);

	a.max = pol_pages_up(a.max);
	pol_fixed_heap(w, r, &a);
	pol_want(w, EDMM_SET_STACK_MAX, pol_pages_up(a.stack));
	pol_want(w, EDMM_SET_THREADS_INIT, pol_fixed_threads(r, U32));
	pol_want(w, EDMM_SET_DEBUG, r->debug);
	if (!pol_kept(w->p, w->fmt->id))
		pol_assumed(w, "this is one table of a Cargo.toml; package and "
			       "dependencies are yours to add");
	return 0;
}

/* ---- the format ------------------------------------------------------- */

#define LAYOUT_NOTE                                                          \
	"Without `threads` there are as many as the machine that starts it " \
	"has processors; 8\nare assumed.\n"

static const struct pol_family family = {
	.rules = EDMM_FORMAT_EDP,
	.resolve = resolve,
	.fixed = true,
	.layout = layout,
	.assumed = MIB(2),
	.layout_note = LAYOUT_NOTE,
	.image = pol_fixed_image,
	.effect = pol_fixed_effect,
};

const struct pol_format pol_edp = {
	.id = EDMM_FORMAT_EDP,
	.family = &family,
	.parse = pol_toml_parse,
	.emit = pol_toml_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.typed = typed,
	.least = least,
	.sizes = &sizes,
	.within = TABLE,
	.cross = cross,
};
