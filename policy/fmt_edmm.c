/* SPDX-License-Identifier: BSD-3-Clause */
/* edmm.toml: every setting has a name here; [keep.FORMAT] holds the rest. */
#include <string.h>

#include "policy/areas.h"
#include "policy/lint.h"
#include "policy/write.h"

/* By their numbers: enum edmm_format. */
#define WORD(id, format, name) name,
static const char *const rules_words[] = { "none", "edmm",
					   EDMM_FORMATS(WORD) NULL };
static const char *const mode_words[] = { "disable", "enable", "auto", NULL };
static const char *const feature_words[] = { "off", "on", "any", NULL };

#define SIZE_ROW(path, id)                         \
	{                                          \
		path, id, POL_SIZE, 0, NULL, false \
	}
#define UINT_ROW(path, id, max)                      \
	{                                            \
		path, id, POL_UINT, max, NULL, false \
	}
#define FLAG_ROW(path, id)                         \
	{                                          \
		path, id, POL_FLAG, 0, NULL, false \
	}
#define HEX_ROW(path, id)                         \
	{                                         \
		path, id, POL_HEX, 0, NULL, false \
	}
#define WORD_ROW(path, id, words)                   \
	{                                           \
		path, id, POL_WORD, 0, words, false \
	}

static const struct pol_map map[] = {
	WORD_ROW("rules", EDMM_SET_RULES, rules_words),
	WORD_ROW("edmm.mode", EDMM_SET_EDMM, mode_words),
	SIZE_ROW("enclave.size", EDMM_SET_ENCLAVE_SIZE),
	FLAG_ROW("enclave.debug", EDMM_SET_DEBUG),
	FLAG_ROW("enclave.exinfo", EDMM_SET_EXINFO),
	FLAG_ROW("enclave.host_faults", EDMM_SET_MEMFAULTS),
	FLAG_ROW("enclave.wx", EDMM_SET_WX),
	{ "enclave.signals", EDMM_SET_SIGNALS, POL_SIGNALS, 0, NULL, false },
	FLAG_ROW("enclave.preheat", EDMM_SET_PREHEAT),
	FLAG_ROW("enclave.aex_notify", EDMM_SET_AEXNOTIFY),
	HEX_ROW("enclave.misc_select", EDMM_SET_MISC_SELECT),
	HEX_ROW("enclave.misc_mask", EDMM_SET_MISC_MASK),
	WORD_ROW("enclave.pkru", EDMM_SET_PKRU, feature_words),
	WORD_ROW("enclave.amx", EDMM_SET_AMX, feature_words),
	HEX_ROW("enclave.image_address", EDMM_SET_IMAGE_ADDR),
	HEX_ROW("enclave.elrange_start", EDMM_SET_ELRANGE_START),
	SIZE_ROW("enclave.elrange_size", EDMM_SET_ELRANGE_SIZE),
	SIZE_ROW("heap.min", EDMM_SET_HEAP_MIN),
	SIZE_ROW("heap.init", EDMM_SET_HEAP_INIT),
	SIZE_ROW("heap.max", EDMM_SET_HEAP_MAX),
	SIZE_ROW("heap.window", EDMM_SET_HEAP_WINDOW),
	SIZE_ROW("heap.idle", EDMM_SET_HEAP_IDLE),
	UINT_ROW("heap.idle_percent", EDMM_SET_HEAP_IDLE_PERCENT, 100),
	SIZE_ROW("stack.min", EDMM_SET_STACK_MIN),
	SIZE_ROW("stack.max", EDMM_SET_STACK_MAX),
	UINT_ROW("threads.init", EDMM_SET_THREADS_INIT, 0xffffffff),
	UINT_ROW("threads.pool", EDMM_SET_THREADS_POOL, 0xffffffff),
	UINT_ROW("threads.idle", EDMM_SET_THREADS_IDLE, 86400),
	UINT_ROW("threads.max", EDMM_SET_THREADS_MAX, 0xffffffff),
	FLAG_ROW("threads.bound", EDMM_SET_THREADS_BOUND),
	SIZE_ROW("user.init", EDMM_SET_USER_INIT),
	SIZE_ROW("user.max", EDMM_SET_USER_MAX),
	SIZE_ROW("reserved.min", EDMM_SET_RSRV_MIN),
	SIZE_ROW("reserved.init", EDMM_SET_RSRV_INIT),
	SIZE_ROW("reserved.max", EDMM_SET_RSRV_MAX),
	FLAG_ROW("reserved.executable", EDMM_SET_RSRV_EXEC),
	SIZE_ROW("reserved.region", EDMM_SET_REGION),
	SIZE_ROW("process.stack", EDMM_SET_PROC_STACK),
	SIZE_ROW("process.brk", EDMM_SET_PROC_BRK),
	SIZE_ROW("process.mmap", EDMM_SET_PROC_MMAP),
	UINT_ROW("exitless.threads", EDMM_SET_RPC_THREADS, 0xffff),
	UINT_ROW("exitless.queues", EDMM_SET_QUEUES, 0xffff),
	UINT_ROW("identity.product", EDMM_SET_PRODID, 0xffffffff),
	UINT_ROW("identity.version", EDMM_SET_SVN, 0xffffffff),
	FLAG_ROW("identity.kss", EDMM_SET_KSS),
	HEX_ROW("identity.family_high", EDMM_SET_FAMILY_H),
	HEX_ROW("identity.family_low", EDMM_SET_FAMILY_L),
	HEX_ROW("identity.extended_product_high", EDMM_SET_EXTPROD_H),
	HEX_ROW("identity.extended_product_low", EDMM_SET_EXTPROD_L),
	{ NULL, 0, 0, 0, NULL, false },
};

#define KEEP(id, format, name) "keep." name ".*",
static const char *const known[] = { EDMM_FORMATS(KEEP) NULL };

static const struct pol_unit units[] = {
	{ "TiB", 40 }, { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "B", 0 },
	{ "T", 40 },   { "G", 30 },   { "M", 20 },   { "K", 10 },   { NULL, 0 },
};
static const struct pol_sizes sizes = {
	.units = units,
	.example = "a number and one of B, KiB, MiB, GiB, TiB: \"4MiB\"",
};

static const char *const files[] = { "edmm.toml", "*.edmm.toml", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	size_t len = strlen(t->name);
	unsigned names = pol_toml_names(&pol_edmm, t);

	if (names == POL_NOT && len > 5 &&
	    strcmp(t->name + len - 5, ".toml") == 0)
		return POL_BY_TOML;
	return names;
}

/* ---- what is kept ------------------------------------------------------ */

/* The lines of a sgx-musl.conf are a list of texts. */
static bool is_text(const struct pol_format *fmt, const struct pol_node *n)
{
	if (n->kind != POL_ARRAY || fmt->emit != pol_conf_emit ||
	    strcmp(n->key, "lines") != 0)
		return n->kind == POL_STRING;
	for (n = n->first; n; n = n->next)
		if (n->kind != POL_STRING)
			return false;
	return true;
}

/* A format that refuses a name it does not know cannot be given one. */
static void check_names(const struct pol_format *fmt, struct edmm_policy *p,
			struct edmm_findings *f)
{
	const struct pol_node *kept = pol_kept(p, fmt->id);

	for (const struct pol_node *n = kept ? kept->first : NULL; n;
	     n = n->next)
		if (!pol_known(fmt, n->key))
			pol_report(f, p->doc, &n->key_at, EDMM_ERROR, "P101",
				   "%s does not know '%s'",
				   edmm_format_name(fmt->id), n->key);
}

/* A format of text alone can be given nothing else. */
static void check_kept(struct edmm_policy *p, struct edmm_findings *f)
{
	for (const struct pol_format *const *k = pol_formats; *k; k++) {
		const struct pol_node *n =
			(*k)->flat ? pol_kept(p, (*k)->id) : NULL;

		if ((*k)->closed && !(*k)->common)
			check_names(*k, p, f);
		for (n = n ? n->first : NULL; n; n = n->next)
			if (!is_text(*k, n))
				pol_fix(pol_report(f, p->doc, &n->at,
						   EDMM_ERROR, "P104",
						   "keep.%s.%s must be text",
						   edmm_format_name((*k)->id),
						   n->key),
					"put it in quotes");
	}
}

/* ---- rules ------------------------------------------------------------ */

static void resolve(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	r->elastic = pol_wished(c, EDMM_WISH_AUTO);
	r->enclave_size =
		pol_get(c, EDMM_SET_ENCLAVE_SIZE, EDMM_ELRANGE_DEFAULT);
	r->stack_max = pol_pages_up(
		pol_get(c, EDMM_SET_STACK_MAX, EDMM_STACK_DEFAULT));
	r->stack_min = r->stack_max;
	if (r->elastic)
		r->stack_min = pol_pages_up(pol_get(c, EDMM_SET_STACK_MIN,
						    EDMM_STACK_INIT_DEFAULT));
	r->heap_init = pol_pages_up(
		pol_get(c, EDMM_SET_HEAP_INIT, EDMM_HEAP_INIT_DEFAULT));
	r->heap_max = pol_pages_up(pol_get(
		c, EDMM_SET_HEAP_MAX,
		r->elastic ? r->enclave_size : EDMM_HEAP_STATIC_DEFAULT));
	if (r->elastic && r->heap_init > r->heap_max)
		pol_above(c, EDMM_ERROR,
			  BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
			  BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
	if (!r->elastic)
		r->heap_init = r->heap_max;
	r->heap_min = r->heap_init;
	r->tcs_init = pol_get(c, EDMM_SET_THREADS_INIT, 1);
	r->tcs_pool = pol_get(c, EDMM_SET_THREADS_POOL, r->tcs_init);
	r->tcs_max = pol_get(c, EDMM_SET_THREADS_MAX, r->tcs_init);
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
	pol_range_bound(c);
}

/* ---- layout ----------------------------------------------------------- */

/* ELF | contexts | main stack | metadata | heap: edmm/layout.h */
static void layout(const struct edmm_resolved *r, struct pol_layout *l)
{
	const uint64_t context = (2 + 3 * EDMM_SSA_FRAME_PAGES + 4) * POL_PAGE;
	const uint64_t meta = KIB(64);
	uint64_t range = pol_plus(r->heap_max, 0);

	POL_AREA(l, "image", 1, l->assumed, l->assumed, l->assumed);
	POL_AREA(l, "threads at start", r->tcs_init, context + POL_GUARD,
		 context, context);
	POL_AREA(l, "main stack", 1, r->stack_max,
		 r->elastic ? r->stack_min : r->stack_max,
		 r->elastic ? r->stack_min : r->stack_max);
	POL_AREA(l, "metadata", 1, MIB(1), meta, meta);
	/* The heap's bound is the range; a maximum is the host's to give. */
	if (r->elastic && r->enclave_size > l->elrange)
		range = r->enclave_size - l->elrange;
	POL_AREA(l, "heap at start", 1, r->heap_init, r->heap_init,
		 r->elastic ? r->heap_init : 0);
	POL_AREA(l, "heap, grown", 1,
		 range > r->heap_init ? range - r->heap_init : 0, 0, 0);
	pol_range_up(l);
}

/* ---- an image of ours -------------------------------------------------- */

static void decides(bool elastic, enum edmm_image_field field,
		    enum edmm_setting_id id[2])
{
	if (field == EDMM_IMAGE_STACK_INIT && elastic) {
		id[0] = EDMM_SET_STACK_MIN;
	} else if (field == EDMM_IMAGE_CONTEXTS) {
		id[0] = elastic ? EDMM_SET_THREADS_INIT : EDMM_SET_THREADS_MAX;
		id[1] = EDMM_SET_THREADS_MAX;
	}
}

/* What other runtimes have, and images of edmm-cc do not take. */
static const enum edmm_setting_id idle[] = {
	EDMM_SET_EXINFO,	EDMM_SET_MEMFAULTS,    EDMM_SET_PREHEAT,
	EDMM_SET_AEXNOTIFY,	EDMM_SET_MISC_SELECT,  EDMM_SET_MISC_MASK,
	EDMM_SET_PKRU,		EDMM_SET_AMX,	       EDMM_SET_IMAGE_ADDR,
	EDMM_SET_ELRANGE_START, EDMM_SET_ELRANGE_SIZE, EDMM_SET_HEAP_MIN,
	EDMM_SET_THREADS_BOUND, EDMM_SET_USER_INIT,    EDMM_SET_USER_MAX,
	EDMM_SET_RSRV_MIN,	EDMM_SET_RSRV_INIT,    EDMM_SET_RSRV_MAX,
	EDMM_SET_RSRV_EXEC,	EDMM_SET_REGION,       EDMM_SET_PROC_STACK,
	EDMM_SET_PROC_BRK,	EDMM_SET_PROC_MMAP,    EDMM_SET_RPC_THREADS,
	EDMM_SET_QUEUES,	EDMM_SET_KSS,	       EDMM_SET_FAMILY_H,
	EDMM_SET_FAMILY_L,	EDMM_SET_EXTPROD_H,    EDMM_SET_EXTPROD_L,
	EDMM_SET_COUNT,
};

/* ---- lint: docs/configuration.md has the rules ------------------------- */

static bool measured(const struct pol_lint *l, enum edmm_setting_id id)
{
	return id == EDMM_SET_HEAP_INIT || id == EDMM_SET_STACK_MAX ||
	       id == EDMM_SET_STACK_MIN || id == EDMM_SET_THREADS_INIT ||
	       id == EDMM_SET_ENCLAVE_SIZE || id == EDMM_SET_WX ||
	       id == EDMM_SET_SIGNALS ||
	       (id == EDMM_SET_HEAP_MAX && !l->here.elastic);
}

/* ---- into others ------------------------------------------------------ */

static void app(struct pol_writing *w, const struct edmm_resolved *r,
		struct pol_app *a)
{
	(void)r;
	(void)a;
	POL_TOLD(w, EDMM_SET_ENCLAVE_SIZE, EDMM_SET_STACK_MIN);
	pol_app_told(w);
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_EDMM,
	.resolve = resolve,
	.layout = layout,
	.assumed = MIB(2),
	.own_range = true,
	.decides = decides,
	.idle = idle,
	.measured = measured,
	.one_stack = true,
	.app = app,
};

const struct pol_format pol_edmm = {
	.id = EDMM_FORMAT_EDMM,
	.family = &family,
	.parse = pol_toml_parse,
	.emit = pol_toml_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.sizes = &sizes,
	.closed = true,
	.bytes = true,
	.common = true,
	.finish = check_kept,
};
