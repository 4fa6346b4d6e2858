/* SPDX-License-Identifier: BSD-3-Clause */
/* Runtimes without EDMM: fixed.h. */
#include "policy/fixed.h"

#include <string.h>

void pol_fixed_resolve(const struct pol_rules *c, struct pol_fixed figures)
{
	struct edmm_resolved *r = c->r;

	r->elastic = false;
	r->heap_max = pol_pages_up(figures.heap);
	r->heap_init = r->heap_min = r->heap_max;
	r->stack_max = r->stack_min = pol_pages_up(figures.stack);
	r->tcs_init = r->tcs_pool = r->tcs_max = figures.threads;
	r->misc_select = pol_get(c, EDMM_SET_EXINFO, 0) != 0;
	r->misc_mask = r->misc_select ? 0xffffffff : 0;
}

edmm_err pol_fixed_image(const struct edmm_policy *p, struct edmm_resolved *r,
			 struct edmm_findings *f)
{
	(void)p;
	(void)f;
	if (r->heap_init > EDMM_HEAP_INIT_DEFAULT)
		r->heap_init = EDMM_HEAP_INIT_DEFAULT;
	return 0;
}

void pol_fixed_effect(const struct pol_lint *l)
{
	uint64_t wish = edmm_policy_get(l->p, EDMM_SET_EDMM, EDMM_WISH_DISABLE);

	if (wish != EDMM_WISH_DISABLE)
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, EDMM_WARNING, "P204",
				       "%s has no effect",
				       pol_name(l->p, EDMM_SET_EDMM)),
			   "%s has no EDMM",
			   edmm_format_name(l->family->rules));
}

void pol_fixed_heap(struct pol_writing *w, const struct edmm_resolved *r,
		    const struct pol_app *a)
{
	pol_want(w, EDMM_SET_HEAP_MAX, a->max);
	if (r->elastic && a->max != a->init)
		pol_assumed(w, "all memory is loaded at start: there is no "
			       "EDMM in the target");
}

uint64_t pol_fixed_threads(const struct edmm_resolved *r, uint64_t most)
{
	uint64_t n = r->elastic ? r->tcs_init : r->tcs_max;

	return n < 1 ? 1 : n > most ? most : n;
}

edmm_err pol_fixed_text(struct pol_writing *w, const char *path,
			const char *text)
{
	struct pol_node *n = pol_make(w->out, w->out->root, path, POL_STRING);

	if (!n)
		return -EDMM_ENOMEM;
	n->str = pol_strndup(w->out, text, strlen(text));
	return n->str ? 0 : -EDMM_ENOMEM;
}

/*
 * A thread: guard, stack, guard; TCS, two SSA pages, guard; one page for
 * thread-local storage, one for the thread's data.
 */
void pol_oe_threads(const struct edmm_resolved *r, struct pol_layout *l)
{
	uint64_t there = pol_plus(r->stack_max, 5 * POL_PAGE);

	POL_AREA(l, "threads", r->tcs_init, pol_plus(there, 3 * POL_PAGE),
		 there, there);
}

void pol_oe_layout(const struct edmm_resolved *r, struct pol_layout *l)
{
	POL_AREA(l, "image", 1, l->assumed, l->assumed, l->assumed);
	POL_AREA(l, "heap", 1, r->heap_max, r->heap_max, 0);
	pol_oe_threads(r, l);
	pol_range_up(l);
}
