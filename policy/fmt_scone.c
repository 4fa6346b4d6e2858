/* SPDX-License-Identifier: BSD-3-Clause */
/* SCONE: its variables and /etc/sgx-musl.conf, one runtime. */
#include <string.h>

#include "policy/lint.h"
#include "policy/write.h"

static const char *const mode_words[] = { "disable", "enable", "auto", NULL };

static const struct pol_map map[] = {
	{ "SCONE_EDMM_MODE", EDMM_SET_EDMM, POL_WORD, 0, mode_words, false },
	{ "SCONE_MIN_HEAP", EDMM_SET_HEAP_INIT, POL_SIZE, 0, NULL, false },
	{ "SCONE_HEAP", EDMM_SET_HEAP_MAX, POL_SIZE, 0, NULL, false },
	{ "SCONE_STACK", EDMM_SET_STACK_MAX, POL_SIZE, 0, NULL, false },
	{ "SCONE_TCS", EDMM_SET_THREADS_INIT, POL_UINT, 0xffffffff, NULL,
	  false },
	{ "SCONE_QUEUES", EDMM_SET_QUEUES, POL_UINT, 0xffff, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const char *const known[] = {
	"SCONE_SLOTS",
	"SCONE_SSPINS",
	"SCONE_SSLEEP",
	"SCONE_ESPINS",
	"SCONE_ETHREADS",
	"SCONE_ALLOW_DLOPEN",
	"SCONE_MPROTECT",
	"SCONE_FORK",
	"SCONE_FORK_OS",
	"SCONE_SYSLIBS",
	"SCONE_LOG",
	"SCONE_EXTENSIONS_PATH",
	"SCONE_SIGPIPE",
	"SCONE_MMAP32BIT",
	"SCONE_PRODUCTION",
	"SCONE_NO_TIME_THREAD",
	"SCONE_CONFIG",
	"SCONE_CONFIG_ID",
	"SCONE_CAS_ADDR",
	"SCONE_LAS_ADDR",
	"SCONE_ALPINE",
	"SCONE_PWD",
	"SCONE_FSPF",
	"SCONE_FSPF_KEY",
	"SCONE_FSPF_TAG",
	"SCONE_KERNEL",
	"SCONE_SGXBOUNDS",
	"SCONE_VARYS",
	"SCONE_RELOCATE",
	"SCONE_EXTENSIONS",
	"SCONE_EDMM",
	"SCONE_NO_FS_SHIELD",
	"SCONE_LD_DEBUG",
	"SCONE_NO_MMAP_ACCESS",
	"SCONE_DEBUG",
	"SCONE_IGNORE_SIGHUP",
	NULL,
};

#define WORD (POL_AS_WORD | POL_AS_ANYCASE)

static const char *const machine_words[] = { "hw", "sim", "auto", NULL };
static const char *const flag_words[] = { "0", "1", NULL };

/* What edmm run acts on beside the settings; an empty value is none. */
static const struct pol_typed typed[] = {
	{ "SCONE_MODE", WORD, machine_words, "no mode" },
	{ "SCONE_HASH", WORD, flag_words, "neither 0 nor 1" },
	{ "SCONE_EDMM_HASH", WORD, flag_words, "neither 0 nor 1" },
	{ "SCONE_VERSION", WORD, flag_words, "neither 0 nor 1" },
	{ NULL, 0, NULL, NULL },
};

static const struct pol_unit units[] = {
	{ "G", 30 }, { "M", 20 }, { "K", 10 }, { "", 0 }, { NULL, 0 },
};
static const struct pol_unit small_units[] = {
	{ "g", 30 },
	{ "m", 20 },
	{ "k", 10 },
	{ NULL, 0 },
};
static const struct pol_sizes sizes = {
	.units = units,
	.also = small_units,
	.example = "a number and K, M, G or nothing, as in 4M",
};

static const char *const files[] = { "env", "*.env", "*.sh", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	unsigned names = pol_line_names(&pol_scone, t);

	if (names == POL_NOT && memmem(t->text, t->size, "SCONE_", 6))
		return POL_BY_PREFIX;
	return names;
}

/* Less does not start: what is written, and what is read. */
static const struct pol_least least[] = {
	{ EDMM_SET_THREADS_INIT, 1, "1" },
	{ EDMM_SET_STACK_MAX, KIB(8), "8K" },
	{ EDMM_SET_HEAP_MAX, 1, "4K" },
	{ EDMM_SET_COUNT, 0, NULL },
};

/* ---- rules ------------------------------------------------------------ */

static void resolve(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	r->elastic = pol_wished(c, EDMM_WISH_DISABLE);
	r->stack_max = pol_pages_up(pol_get(c, EDMM_SET_STACK_MAX, MIB(2)));
	r->stack_min = r->stack_max;
	r->heap_max = pol_pages_up(pol_get(c, EDMM_SET_HEAP_MAX, MIB(64)));
	r->heap_init = r->heap_max;
	if (r->elastic)
		r->heap_init =
			pol_pages_up(pol_get(c, EDMM_SET_HEAP_INIT, MIB(20)));
	r->heap_min = r->heap_init;
	r->tcs_init = pol_get(c, EDMM_SET_THREADS_INIT, 8);
	r->tcs_pool = r->tcs_init;
	r->tcs_max = r->tcs_init;
	if (r->elastic && r->heap_init > r->heap_max)
		pol_fix(pol_above(c, EDMM_ERROR,
				  BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
				  BOUND(EDMM_SET_HEAP_MAX, r->heap_max)),
			"set SCONE_HEAP to the most that may be needed");
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

static void effect(const struct pol_lint *l)
{
	static const enum edmm_setting_id ids[] = { EDMM_SET_HEAP_INIT,
						    EDMM_SET_HEAP_MAX,
						    EDMM_SET_STACK_MAX };

	for (unsigned i = 0; i < 3; i++)
		if (pol_is_set(l, ids[i]) && pol_value(l, ids[i]) % 4096)
			pol_effect(pol_lint_at(l, ids[i], EDMM_NOTE, "P205",
					       "%s is no multiple of 4096",
					       pol_name(l->p, ids[i])),
				   "it is rounded up to %llu",
				   (unsigned long long)((pol_value(l, ids[i]) +
							 4095) &
							~4095ull));
}

static bool measured(const struct pol_lint *l, enum edmm_setting_id id)
{
	(void)l;
	return id == EDMM_SET_HEAP_INIT || id == EDMM_SET_HEAP_MAX ||
	       id == EDMM_SET_STACK_MAX || id == EDMM_SET_THREADS_INIT;
}

static void platform(const struct pol_lint *l, enum edmm_level level)
{
	uint64_t wish = edmm_policy_get(l->p, EDMM_SET_EDMM, 0);

	pol_lint_refused(l, level);
	if (wish == EDMM_WISH_AUTO)
		pol_fix(pol_lint_at(l, EDMM_SET_EDMM, EDMM_NOTE, "P303",
				    "auto has two identities, with and "
				    "without EDMM"),
			"list both MRENCLAVE values in the session");
	if (wish == EDMM_WISH_DISABLE && pol_is_set(l, EDMM_SET_HEAP_INIT))
		pol_fix(pol_lint_at(l, EDMM_SET_HEAP_INIT, EDMM_WARNING, "P304",
				    "%s has no effect while EDMM is off",
				    pol_name(l->p, EDMM_SET_HEAP_INIT)),
			"set SCONE_EDMM_MODE to enable or auto");
}

/* ---- from others' figures: struct pol_format.cross ----------------------- */

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);
	uint64_t wish = edmm_policy_get(w->p, EDMM_SET_EDMM, EDMM_WISH_AUTO);

	if (r->rules != EDMM_FORMAT_EDMM || wish != EDMM_WISH_AUTO ||
	    w->t->platform != EDMM_PLATFORM_ASK)
		wish = r->elastic ? EDMM_WISH_ENABLE : EDMM_WISH_DISABLE;
	pol_want(w, EDMM_SET_EDMM, wish);
	pol_want(w, EDMM_SET_HEAP_MAX, a.max);
	if (r->elastic && a.init > 0)
		pol_want(w, EDMM_SET_HEAP_INIT, a.init);
	pol_want(w, EDMM_SET_STACK_MAX, a.stack);
	pol_want(w, EDMM_SET_THREADS_INIT,
		 r->elastic ? r->tcs_init : r->tcs_max);
	return 0;
}

/* ---- the format ------------------------------------------------------- */

#define LAYOUT_NOTE                                                           \
	"SCONE's layout is not published: the ranges are those of the Intel " \
	"SDK.\n"

static const struct pol_family family = {
	.rules = EDMM_FORMAT_SCONE,
	.resolve = resolve,
	.assumed = MIB(2),
	.layout_note = LAYOUT_NOTE,
	.effect = effect,
	.measured = measured,
	.platform = platform,
	.other_threads = true,
};

const struct pol_format pol_scone = {
	.id = EDMM_FORMAT_SCONE,
	.family = &family,
	.parse = pol_env_parse,
	.emit = pol_env_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.typed = typed,
	.least = least,
	.sizes = &sizes,
	.unlisted = true,
	.flat = true,
	.shell = true,
	.cross = cross,
};

static const struct pol_map conf_map[] = {
	{ "Q", EDMM_SET_QUEUES, POL_UINT, 0xffff, NULL, false },
	{ "H", EDMM_SET_HEAP_MAX, POL_SIZE, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const char *const conf_known[] = { "lines.*", NULL };

static const char *const conf_files[] = { "sgx-musl.conf", NULL };

/* A letter, a blank, a number: a first line that nobody else has. */
static unsigned conf_sniff(const struct pol_sample *t)
{
	const char *s = t->start;

	return strchr("QHPLes", s[0]) && s[0] != '\0' && s[1] == ' ' &&
			       strspn(s + 2, "-0123456789") > 0
		       ? POL_BY_START
		       : POL_NOT;
}

const struct pol_format pol_scone_conf = {
	.id = EDMM_FORMAT_SCONE_CONF,
	.family = &family,
	.parse = pol_conf_parse,
	.emit = pol_conf_emit,
	.comment = "#",
	.files = conf_files,
	.sniff = conf_sniff,
	.map = conf_map,
	.known = conf_known,
	.least = least,
	.sizes = &sizes,
	.flat = true,
	.cross = cross,
};
