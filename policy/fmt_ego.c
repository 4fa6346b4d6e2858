/* SPDX-License-Identifier: BSD-3-Clause */
/* EGo: enclave.json, as `ego sign` of release 1.7 reads it. */
#include <string.h>

#include "policy/fixed.h"

#define U16 0xfffeull

/* It writes these two into Open Enclave's configuration, whatever is asked. */
#define EGO_STACK MIB(4)
#define EGO_THREADS 32u
/* What `ego sign` puts into a file that it makes. */
#define EGO_HEAP MIB(512)
/* Of programs built without the tag ego_largeheap, in MiB. */
#define EGO_SMALL_HEAP 16384u

static const struct pol_map map[] = {
	{ "debug", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "heapSize", EDMM_SET_HEAP_MAX, POL_MIBS, 0, NULL, false },
	{ "executableHeap", EDMM_SET_WX, POL_FLAG, 0, NULL, false },
	{ "productID", EDMM_SET_PRODID, POL_UINT, U16, NULL, false },
	{ "securityVersion", EDMM_SET_SVN, POL_UINT, U16, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

#define TEXT (POL_AS_TEXT | POL_AS_NULL)
#define BOOL (POL_AS_BOOL | POL_AS_NULL)
#define LIST (POL_AS_LIST | POL_AS_NULL)
#define TABLE (POL_AS_TABLE | POL_AS_NULL)

static const char *const mount_words[] = { "hostfs", "memfs", NULL };

static const struct pol_typed typed[] = {
	{ "exe", POL_AS_TEXT, NULL, NULL },
	{ "key", POL_AS_TEXT, NULL, NULL },
	{ "mounts", LIST, NULL, NULL },
	{ "mounts[]", TABLE, NULL, NULL },
	{ "mounts[].source", TEXT, NULL, NULL },
	{ "mounts[].target", TEXT, NULL, NULL },
	{ "mounts[].type", POL_AS_WORD, mount_words, NULL },
	{ "mounts[].readOnly", BOOL, NULL, NULL },
	{ "env", LIST, NULL, NULL },
	{ "env[]", TABLE, NULL, NULL },
	{ "env[].name", TEXT, NULL, NULL },
	{ "env[].value", TEXT, NULL, NULL },
	{ "env[].fromHost", BOOL, NULL, NULL },
	{ "files", LIST, NULL, NULL },
	{ "files[]", TABLE, NULL, NULL },
	{ "files[].source", TEXT, NULL, NULL },
	{ "files[].target", TEXT, NULL, NULL },
	{ "files[].content", TEXT, NULL, NULL },
	{ NULL, 0, NULL, NULL },
};

static const struct pol_least least[] = {
	{ EDMM_SET_HEAP_MAX, MIB(1), "1" },
	{ EDMM_SET_COUNT, 0, NULL },
};

static const struct pol_unit units[] = { { "", 0 }, { NULL, 0 } };
static const struct pol_sizes sizes = {
	.units = units,
	.example = "a whole number of MiB",
};

static const char *const files[] = { "enclave.json", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return pol_json_names(&pol_ego, t);
}

/* ---- rules ------------------------------------------------------------ */

static void resolve(struct pol_rules *c)
{
	const struct pol_map *heap = pol_row(&pol_ego, EDMM_SET_HEAP_MAX);

	if (c->p->format == EDMM_FORMAT_EGO &&
	    !c->p->s[EDMM_SET_HEAP_MAX].set) {
		c->unread = pol_member(c->p->doc->root, heap->path);
		if (!c->unread)
			pol_missing(c->p, heap, c->f);
	}
	pol_fixed_resolve(
		c, (struct pol_fixed){ pol_get(c, EDMM_SET_HEAP_MAX, EGO_HEAP),
				       EGO_STACK, EGO_THREADS });
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

static void effect(const struct pol_lint *l)
{
	uint64_t heap = pol_value(l, EDMM_SET_HEAP_MAX) >> 20;

	pol_fixed_effect(l);
	if (!pol_is_set(l, EDMM_SET_HEAP_MAX))
		return;
	if (heap > EGO_SMALL_HEAP)
		pol_fix(pol_lint_at(l, EDMM_SET_HEAP_MAX, EDMM_NOTE, "P208",
				    "%s is above 16384: ego sign takes only a "
				    "program with a large heap",
				    pol_name(l->p, EDMM_SET_HEAP_MAX)),
			"build it with -tags ego_largeheap");
	else if (heap < 512)
		pol_effect(pol_lint_at(l, EDMM_SET_HEAP_MAX, EDMM_NOTE, "P208",
				       "%s is below 512, which EGo's "
				       "documentation has as the least",
				       pol_name(l->p, EDMM_SET_HEAP_MAX)),
			   "a program built with ego_largeheap is refused");
}

/* Both are wanted, and not empty. */
static void texts(const struct pol_lint *l)
{
	static const char *const names[] = { "exe", "key" };
	struct pol_span start = { 0, 1 };

	for (unsigned i = 0; i < 2; i++) {
		const struct pol_node *n =
			pol_member(l->p->doc->root, names[i]);

		if (n && (n->kind != POL_STRING || n->str[0] != '\0'))
			continue;
		pol_effect(pol_report(l->f, l->p->doc, n ? &n->at : &start,
				      EDMM_ERROR, "P102", "%s is %s", names[i],
				      n ? "empty" : "missing"),
			   "ego sign refuses the file");
	}
}

/* ---- from others' figures: struct pol_format.cross --------------------- */

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);
	edmm_err err = 0;

	if (a.max < MIB(1))
		a.max = MIB(1);
	pol_want(w, EDMM_SET_DEBUG, r->debug);
	pol_fixed_heap(w, r, &a);
	if (w->p->s[EDMM_SET_WX].set)
		pol_want(w, EDMM_SET_WX, w->p->s[EDMM_SET_WX].value);
	POL_TOLD(w, EDMM_SET_WX);
	if (pol_kept(w->p, w->fmt->id))
		return 0;
	err = pol_fixed_text(w, "exe", "app");
	if (!err)
		err = pol_fixed_text(w, "key", "private.pem");
	pol_assumed(w, "exe and key are yours to fill in; EGo gives each "
		       "program 32 threads with 4 MiB of stack");
	return err;
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_EGO,
	.resolve = resolve,
	.fixed = true,
	.layout = pol_oe_layout,
	.assumed = MIB(16),
	.layout_note = "EGo's own enclave and the program's file are the "
		       "image.\n",
	.image = pol_fixed_image,
	.effect = effect,
	.all_measured = "enclave.json",
};

const struct pol_format pol_ego = {
	.id = EDMM_FORMAT_EGO,
	.family = &family,
	.parse = pol_json_parse,
	.emit = pol_json_emit,
	.files = files,
	.opens = POL_JSON_OPENS,
	.sniff = sniff,
	.map = map,
	.typed = typed,
	.least = least,
	.sizes = &sizes,
	.lint = texts,
	.cross = cross,
};
