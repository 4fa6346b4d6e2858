/* SPDX-License-Identifier: BSD-3-Clause */
/* Open Enclave: the .conf that oesign of release 0.19 reads. */
#include <string.h>

#include "policy/fixed.h"

/* Both numbers of 16 bits have a value that oesign keeps to itself. */
#define U16 0xfffeull

static const struct pol_map map[] = {
	{ "Debug", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "NumHeapPages", EDMM_SET_HEAP_MAX, POL_PAGES, 0, NULL, false },
	{ "NumStackPages", EDMM_SET_STACK_MAX, POL_PAGES, 0, NULL, false },
	{ "NumTCS", EDMM_SET_THREADS_INIT, POL_UINT, 1024, NULL, false },
	{ "ProductID", EDMM_SET_PRODID, POL_UINT, U16, NULL, false },
	{ "SecurityVersion", EDMM_SET_SVN, POL_UINT, U16, NULL, false },
	{ "CapturePFGPExceptions", EDMM_SET_EXINFO, POL_FLAG, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const char *const known[] = {
	"FamilyID",	"ExtendedProductID", "CreateZeroBaseEnclave",
	"StartAddress", "ExecutableHeap",    NULL,
};

static const char *const flags[] = { "0", "1", NULL };

/* The last is of EGo's fork. */
static const struct pol_typed typed[] = {
	{ "FamilyID", POL_AS_UUID, NULL, "no UUID" },
	{ "ExtendedProductID", POL_AS_UUID, NULL, "no UUID" },
	{ "CreateZeroBaseEnclave", POL_AS_WORD, flags, "neither 0 nor 1" },
	{ "StartAddress", POL_AS_INT, NULL, "no decimal number" },
	{ "ExecutableHeap", POL_AS_WORD, flags, "neither 0 nor 1" },
	{ NULL, 0, NULL, NULL },
};

/* oesign takes less; no thread can enter then. */
static const struct pol_least least[] = {
	{ EDMM_SET_THREADS_INIT, 1, "1" },
	{ EDMM_SET_COUNT, 0, NULL },
};

/* Its numbers are pages; a size in bytes stands in messages only. */
static const struct pol_unit units[] = { { "", 0 }, { NULL, 0 } };
static const struct pol_sizes sizes = {
	.units = units,
	.example = "a number of pages",
};

static const char *const files[] = { "*.conf", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return pol_line_names(&pol_oe, t);
}

/* The address is taken with CreateZeroBaseEnclave alone, and checked always. */
static void finish(struct edmm_policy *p, struct edmm_findings *f)
{
	const struct pol_node *n = pol_find(p->doc->root, "StartAddress");
	const struct pol_node *zero =
		pol_find(p->doc->root, "CreateZeroBaseEnclave");
	const char *s = n ? n->str : "";
	uint64_t value = 0;

	if (!n || *s < '0' || *s > '9')
		return;
	if (pol_digits(&s, &value) || *s != '\0' || value == 0 || value % 4096)
		pol_fix(pol_report(f, p->doc, &n->at, EDMM_ERROR, "P205",
				   "StartAddress is no page's address"),
			"a decimal multiple of 4096 above 0");
	else if (!zero || strcmp(zero->str, "1") != 0)
		pol_fix(pol_report(f, p->doc, &n->key_at, EDMM_NOTE, "P204",
				   "StartAddress has no effect"),
			"set CreateZeroBaseEnclave=1, or take it out");
}

/* ---- rules ------------------------------------------------------------ */

/* Where nothing is said the enclave's own OE_SET_ENCLAVE_SGX has it; these are
 * the figures of the project's samples. */
static void resolve(struct pol_rules *c)
{
	const struct pol_node *kept = pol_kept(c->p, EDMM_FORMAT_OPEN_ENCLAVE);

	pol_fixed_resolve(
		c, (struct pol_fixed){ pol_get(c, EDMM_SET_HEAP_MAX, MIB(4)),
				       pol_get(c, EDMM_SET_STACK_MAX, MIB(4)),
				       pol_get(c, EDMM_SET_THREADS_INIT, 1) });
	c->r->kss |= pol_member(kept, "FamilyID") ||
		     pol_member(kept, "ExtendedProductID");
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

/* An image whose sizes come with the extended initialisation data (EEID) has
 * neither heap nor stack in its file. */
static void stack(const struct pol_lint *l)
{
	if (!pol_is_set(l, EDMM_SET_STACK_MAX) ||
	    pol_value(l, EDMM_SET_STACK_MAX) > 0 ||
	    (pol_is_set(l, EDMM_SET_HEAP_MAX) &&
	     pol_value(l, EDMM_SET_HEAP_MAX) == 0))
		return;
	pol_fix(pol_lint_at(l, EDMM_SET_STACK_MAX, EDMM_ERROR, "P104",
			    "%s: 0 is too small",
			    pol_name(l->p, EDMM_SET_STACK_MAX)),
		"at least 1");
}

/* ---- from others' figures: struct pol_format.cross --------------------- */

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);

	pol_want(w, EDMM_SET_DEBUG, r->debug);
	pol_fixed_heap(w, r, &a);
	pol_want(w, EDMM_SET_STACK_MAX, a.stack > 0 ? a.stack : POL_PAGE);
	pol_want(w, EDMM_SET_THREADS_INIT, pol_fixed_threads(r, 1024));
	return 0;
}

/* ---- the format ------------------------------------------------------- */

#define LAYOUT_NOTE                                                          \
	"What the file leaves out the enclave's OE_SET_ENCLAVE_SGX says; 4 " \
	"MiB of heap, 4 MiB\nof stack and one thread are assumed.\n"

static const struct pol_family family = {
	.rules = EDMM_FORMAT_OPEN_ENCLAVE,
	.resolve = resolve,
	.fixed = true,
	.layout = pol_oe_layout,
	.assumed = MIB(2),
	.layout_note = LAYOUT_NOTE,
	.image = pol_fixed_image,
	.effect = pol_fixed_effect,
};

const struct pol_format pol_oe = {
	.id = EDMM_FORMAT_OPEN_ENCLAVE,
	.family = &family,
	.parse = pol_oe_parse,
	.emit = pol_oe_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.typed = typed,
	.least = least,
	.sizes = &sizes,
	.closed = true,
	.flat = true,
	.finish = finish,
	.lint = stack,
	.cross = cross,
};
