/* SPDX-License-Identifier: BSD-3-Clause */
/* Mystikos: config.json, schema 0.1, as `myst package-sgx` reads it. */
#include <string.h>

#include "policy/fixed.h"

#define U16 0xfffeull

/* Its kernel is an enclave of Open Enclave with these figures. */
#define MYST_HEAP MIB(2)
#define MYST_STACK KIB(8)
#define MYST_THREADS 1024u
/* What a program has where the file says nothing. */
#define MYST_MEMORY MIB(64)
#define MYST_MAIN_STACK KIB(1568)

static const struct pol_map map[] = {
	{ "Debug", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "ProductID", EDMM_SET_PRODID, POL_UINT, U16, NULL, false },
	{ "SecurityVersion", EDMM_SET_SVN, POL_UINT, U16, NULL, false },
	{ "MemorySize", EDMM_SET_HEAP_MAX, POL_SIZE, 0, NULL, false },
	{ "MainStackSize", EDMM_SET_PROC_STACK, POL_SIZE, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

#define TEXT POL_AS_TEXT
#define INT POL_AS_INT
#define FLAG (POL_AS_BOOL | POL_AS_INT)
#define LIST (POL_AS_LIST | POL_AS_TEXT)
#define LIST_OF_TABLES (POL_AS_LIST | POL_AS_TABLE)

static const char *const version_words[] = { "0.1", NULL };
static const char *const fork_words[] = { "none", "pseudo",
					  "pseudo_wait_for_exit_exec", NULL };
static const char *const level_words[] = { "emerg", "alert", "crit",
					   "err",   "warn",  "notice",
					   "info",  "debug", NULL };

static const struct pol_typed typed[] = {
	{ "version", POL_AS_WORD, version_words, NULL },
	{ "CreateZeroBaseEnclave", POL_AS_BOOL, NULL, NULL },
	{ "EnclaveStartAddress", INT, NULL, NULL },
	{ "ThreadStackSize", POL_AS_SIZE | INT, NULL, "no size" },
	{ "MaxAffinityCPUs", INT, NULL, NULL },
	{ "NoBrk", FLAG, NULL, NULL },
	{ "ExecStack", FLAG, NULL, NULL },
	{ "ApplicationPath", TEXT, NULL, NULL },
	{ "HostApplicationParameters", FLAG, NULL, NULL },
	{ "ApplicationParameters", LIST, NULL, NULL },
	{ "ApplicationParameters[]", TEXT, NULL, NULL },
	{ "EnvironmentVariables", LIST, NULL, NULL },
	{ "EnvironmentVariables[]", TEXT, NULL, NULL },
	{ "HostEnvironmentVariables", LIST, NULL, NULL },
	{ "HostEnvironmentVariables[]", TEXT, NULL, NULL },
	{ "CurrentWorkingDirectory", TEXT, NULL, NULL },
	{ "Hostname", TEXT, NULL, NULL },
	{ "ForkMode", POL_AS_WORD, fork_words, NULL },
	{ "Mount", LIST_OF_TABLES, NULL, NULL },
	{ "Mount[].Target", TEXT, NULL, NULL },
	{ "Mount[].Type", TEXT, NULL, NULL },
	{ "Mount[].Flags", LIST, NULL, NULL },
	{ "Mount[].Flags[]", TEXT, NULL, NULL },
	{ "Mount[].PublicKey", TEXT | POL_AS_NULL, NULL, NULL },
	{ "Mount[].RootHash", TEXT | POL_AS_NULL, NULL, NULL },
	{ "UnhandledSyscallEnosys", FLAG, NULL, NULL },
	{ "Secret", LIST_OF_TABLES, NULL, NULL },
	{ "Secret[].ID", TEXT, NULL, NULL },
	{ "Secret[].SrsAddress", TEXT, NULL, NULL },
	{ "Secret[].SrsApiVersion", TEXT | POL_AS_NULL, NULL, NULL },
	{ "Secret[].LocalPath", TEXT, NULL, NULL },
	{ "Secret[].ClientLib", TEXT, NULL, NULL },
	{ "Secret[].Verbose", FLAG, NULL, NULL },
	{ "HostUDS", FLAG, NULL, NULL },
	{ "SyslogLevel", POL_AS_WORD, level_words, NULL },
	{ NULL, 0, NULL, NULL },
};

static const char *const known[] = { "UserMemSize", NULL };

static const struct pol_unit units[] = {
	{ "g", 30 }, { "m", 20 }, { "k", 10 }, { "", 0 }, { NULL, 0 },
};
static const struct pol_unit large_units[] = {
	{ "G", 30 },
	{ "M", 20 },
	{ "K", 10 },
	{ NULL, 0 },
};
static const struct pol_sizes sizes = {
	.units = units,
	.also = large_units,
	.example = "a number and k, m, g or nothing, as in \"4m\"",
};

/* config.json is the name of many a file: its content tells. */
static const char *const files[] = { NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return pol_json_names(&pol_mystikos, t);
}

/* The old name of MemorySize, which is still read. */
static edmm_err parse(struct pol_doc *doc, struct edmm_findings *f)
{
	edmm_err err = pol_jsonc_parse(doc, f);
	struct pol_node *n = err ? NULL : pol_member(doc->root, "UserMemSize");
	struct edmm_finding *v;

	if (!n || pol_member(doc->root, "MemorySize"))
		return err;
	v = pol_report(f, doc, &n->key_at, EDMM_WARNING, "P402",
		       "UserMemSize is of an old release");
	pol_fix(v, "now MemorySize");
	pol_repl(v, n->key_at.off, n->key_at.len, "\"MemorySize\"");
	n->key = "MemorySize";
	return 0;
}

/* ---- rules ------------------------------------------------------------ */

static void resolve(struct pol_rules *c)
{
	pol_fixed_resolve(c, (struct pol_fixed){
				     pol_get(c, EDMM_SET_HEAP_MAX, MYST_MEMORY),
				     MYST_STACK, MYST_THREADS });
}

/* The program's memory has a page of guard on both sides. */
static void layout(const struct edmm_resolved *r, struct pol_layout *l)
{
	POL_AREA(l, "kernel and file system", 1, l->assumed, l->assumed,
		 l->assumed);
	POL_AREA(l, "the program's memory", 1,
		 pol_plus(r->heap_max, 2 * POL_PAGE),
		 pol_plus(r->heap_max, 2 * POL_PAGE), 2 * POL_PAGE);
	POL_AREA(l, "the kernel's heap", 1, MYST_HEAP, MYST_HEAP, 0);
	pol_oe_threads(r, l);
	pol_range_up(l);
}

/* ---- an image of ours -------------------------------------------------- */

/* Stacks and threads of the kernel mean nothing to an image of ours. */
static edmm_err image(const struct edmm_policy *p, struct edmm_resolved *r,
		      struct edmm_findings *f)
{
	r->stack_max = pol_pages_up(
		edmm_policy_get(p, EDMM_SET_PROC_STACK, MYST_MAIN_STACK));
	r->stack_min = r->stack_max;
	r->tcs_init = r->tcs_pool = r->tcs_max = 1;
	return pol_fixed_image(p, r, f);
}

static void decides(bool elastic, enum edmm_image_field field,
		    enum edmm_setting_id id[2])
{
	(void)elastic;
	if (field == EDMM_IMAGE_STACK_SIZE)
		id[0] = EDMM_SET_PROC_STACK;
}

/* ---- into others, and from their figures ------------------------------- */

static void app(struct pol_writing *w, const struct edmm_resolved *r,
		struct pol_app *a)
{
	(void)r;
	a->stack = edmm_policy_get(w->p, EDMM_SET_PROC_STACK, MYST_MAIN_STACK);
	pol_app_told(w);
	POL_TOLD(w, EDMM_SET_PROC_STACK);
}

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);
	edmm_err err = 0;

	pol_want(w, EDMM_SET_DEBUG, r->debug);
	pol_fixed_heap(w, r, &a);
	pol_want(w, EDMM_SET_PROC_STACK, a.stack);
	if (pol_kept(w->p, w->fmt->id))
		return 0;
	err = pol_fixed_text(w, "version", "0.1");
	if (!err)
		err = pol_fixed_text(w, "ApplicationPath", "/bin/app");
	pol_assumed(w, "ApplicationPath is yours to fill in; Mystikos has 1024 "
		       "threads");
	return err;
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_MYSTIKOS,
	.resolve = resolve,
	.fixed = true,
	.layout = layout,
	.assumed = MIB(32),
	.image = image,
	.decides = decides,
	.effect = pol_fixed_effect,
	.all_measured = "config.json",
	.app = app,
};

const struct pol_format pol_mystikos = {
	.id = EDMM_FORMAT_MYSTIKOS,
	.family = &family,
	.parse = parse,
	.emit = pol_json_emit,
	.comment = "//",
	.files = files,
	.opens = POL_JSON_OPENS,
	.sniff = sniff,
	.map = map,
	.known = known,
	.typed = typed,
	.sizes = &sizes,
	.bytes = true,
	.number_flags = true,
	.cross = cross,
};
