/* SPDX-License-Identifier: BSD-3-Clause */
/* Occlum: Occlum.json, and what `occlum build` makes of it. */
#include <ctype.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/write.h"

/* Hard-coded figures of its tool. */
#define OCCLUM_HEAP_MAX GIB(1)
#define OCCLUM_USER_MAX GIB(16)
#define OCCLUM_TCS_INIT 16u
#define OCCLUM_TCS_MAX 4096u
#define OCCLUM_SDK_REGION GIB(1)

#define U32 0xffffffffull

static const struct pol_map map[] = {
	{ "resource_limits.kernel_space_heap_size", EDMM_SET_HEAP_INIT,
	  POL_SIZE, 0, NULL, true },
	{ "resource_limits.kernel_space_heap_max_size", EDMM_SET_HEAP_MAX,
	  POL_SIZE, 0, NULL, false },
	{ "resource_limits.kernel_space_stack_size", EDMM_SET_STACK_MAX,
	  POL_SIZE, 0, NULL, true },
	{ "resource_limits.user_space_size", EDMM_SET_USER_INIT, POL_SIZE, 0,
	  NULL, true },
	{ "resource_limits.user_space_max_size", EDMM_SET_USER_MAX, POL_SIZE, 0,
	  NULL, false },
	{ "resource_limits.init_num_of_threads", EDMM_SET_THREADS_INIT,
	  POL_UINT, U32, NULL, false },
	{ "resource_limits.max_num_of_threads", EDMM_SET_THREADS_MAX, POL_UINT,
	  U32, NULL, true },
	{ "process.default_stack_size", EDMM_SET_PROC_STACK, POL_SIZE, 0, NULL,
	  true },
	{ "process.default_heap_size", EDMM_SET_PROC_BRK, POL_SIZE, 0, NULL,
	  true },
	{ "process.default_mmap_size", EDMM_SET_PROC_MMAP, POL_SIZE, 0, NULL,
	  true },
	{ "metadata.product_id", EDMM_SET_PRODID, POL_UINT, U32, NULL, false },
	{ "metadata.version_number", EDMM_SET_SVN, POL_UINT, U32, NULL, false },
	{ "metadata.debuggable", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "metadata.enable_kss", EDMM_SET_KSS, POL_FLAG, 0, NULL, false },
	{ "metadata.family_id.high", EDMM_SET_FAMILY_H, POL_HEX, 0, NULL,
	  false },
	{ "metadata.family_id.low", EDMM_SET_FAMILY_L, POL_HEX, 0, NULL,
	  false },
	{ "metadata.ext_prod_id.high", EDMM_SET_EXTPROD_H, POL_HEX, 0, NULL,
	  false },
	{ "metadata.ext_prod_id.low", EDMM_SET_EXTPROD_L, POL_HEX, 0, NULL,
	  false },
	{ "feature.amx", EDMM_SET_AMX, POL_UINT, 2, NULL, false },
	{ "feature.pkru", EDMM_SET_PKRU, POL_UINT, 2, NULL, false },
	{ "feature.enable_edmm", EDMM_SET_EDMM, POL_FLAG, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const char *const known[] = {
	"resource_limits.marshal_buffer_size",
	"entry_points.*",
	"env.default.*",
	"env.untrusted.*",
	"metadata.disable_log",
	"feature.io_uring",
	"feature.enable_posix_shm",
	"mount[].type",
	"mount[].target",
	"mount[].source",
	"mount[].options.*",
	NULL,
};

/* ---- sizes ------------------------------------------------------------ */

static const struct pol_unit units[] = {
	{ "TB", 40 }, { "GB", 30 }, { "MB", 20 },
	{ "KB", 10 }, { "B", 0 },   { NULL, 0 },
};

/* Blanks around the number and the unit, and a plus sign, are allowed. */
static edmm_err parse_size(const char *s, uint64_t *value)
{
	char unit[4] = "";
	uint64_t n;
	edmm_err err;
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '+')
		s++;
	err = pol_digits(&s, &n);
	if (err)
		return err;
	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	if (len == 0 || len > 3)
		return -EDMM_EINVAL;
	memcpy(unit, s, len);
	return pol_in_units(units, unit, n, value);
}

static const struct pol_sizes sizes = {
	.units = units,
	.parse = parse_size,
	.example = "a number and one of B, KB, MB, GB, TB, as in \"4MB\"",
};

/* ---- the file --------------------------------------------------------- */

static const char *const files[] = { "Occlum.json", "*.json", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return pol_json_names(&pol_occlum, t);
}

/* Required by the tool, not by its documentation. */
static const char *const sections[] = { "entry_points", "env",	 "metadata",
					"feature",	"mount", NULL };

/* P102: those that are not there, in one line; how much that matters is for
 * who asks. */
static void missing_sections(const struct edmm_policy *p,
			     struct edmm_findings *f, enum edmm_level level)
{
	struct pol_span at = { 0, 1 };
	char names[128] = "";
	size_t used = 0;

	for (const char *const *s = sections; *s; s++)
		if (!pol_member(p->doc->root, *s))
			used += (size_t)snprintf(names + used,
						 sizeof(names) - used, "%s%s",
						 used > 0 ? ", " : "", *s);
	if (used > 0 && p->format == EDMM_FORMAT_OCCLUM)
		pol_effect(pol_report(f, p->doc, &at, level, "P102",
				      "not there: %s", names),
			   "occlum build of release 0.31 fails");
}

/*
 * ---- rules: Occlum.json -> Enclave.xml ----------------------------------
 * Two readings: the rules as Occlum's own documentation has them, and what the
 * tool of release 0.31 does where it differs (`--compat occlum-0.31`).
 * docs/configuration.md lists the differences; D1 to D7 here are its rows.
 */

/* Whether a value of ENABLE_EDMM turns it on. */
static bool enables(const char *v)
{
	static const char *const on[] = { "Y",	  "YES",  "Yes", "yes",
					  "True", "true", "1" };

	for (unsigned i = 0; v && i < sizeof(on) / sizeof(on[0]); i++)
		if (strcmp(v, on[i]) == 0)
			return true;
	return false;
}

/* SGX_MODE is set, and not to HW. */
static bool simulates(const char *v)
{
	return v && v[0] != '\0' && strcmp(v, "HW") != 0;
}

/* D4: by the text simulation wins; in the tool it wins over ENABLE_EDMM only,
 * and feature.enable_edmm turns EDMM on all the same. */
static bool builds_edmm(const struct edmm_policy *p,
			const struct edmm_target *t)
{
	bool feature = edmm_policy_get(p, EDMM_SET_EDMM, 0) != 0;
	bool sim = simulates(t->sgx_mode);

	if (t->platform != EDMM_PLATFORM_ASK)
		return t->platform == EDMM_PLATFORM_SGX2;
	if (t->compat == EDMM_COMPAT_OCCLUM_031)
		return (!sim && enables(t->enable_edmm)) || feature;
	return !sim && (enables(t->enable_edmm) || feature);
}

static bool tool(const struct pol_rules *c)
{
	return c->t->compat == EDMM_COMPAT_OCCLUM_031;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* D1, D2, D3. */
static void threads(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t max = p->s[EDMM_SET_THREADS_MAX].value;
	bool given = p->s[EDMM_SET_THREADS_INIT].set;
	uint64_t init = p->s[EDMM_SET_THREADS_INIT].value;

	if (!r->elastic) {
		r->tcs_init = r->tcs_pool = r->tcs_max = max;
		return;
	}
	if (!given && tool(c))
		init = max < OCCLUM_TCS_INIT ? max : OCCLUM_TCS_INIT;
	else if (!given || (!tool(c) && init > OCCLUM_TCS_INIT))
		init = OCCLUM_TCS_INIT;
	r->tcs_init = r->tcs_pool = init;
	r->tcs_max = max_of(max, OCCLUM_TCS_MAX);
	if (init > r->tcs_max)
		pol_above(c, EDMM_ERROR, BOUND(EDMM_SET_THREADS_INIT, init),
			  BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
}

static void heap(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t size = p->s[EDMM_SET_HEAP_INIT].value;
	uint64_t max = edmm_policy_get(p, EDMM_SET_HEAP_MAX, size);

	if (r->elastic)
		max = max_of(max, OCCLUM_HEAP_MAX);
	r->heap_max = max;
	r->heap_init = r->elastic ? size : max;
	r->heap_min = r->heap_init;
	if (r->heap_init > r->heap_max)
		pol_above(c, EDMM_ERROR, BOUND(EDMM_SET_HEAP_INIT, size),
			  BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
}

/* D7: without EDMM the text gives user_space_size no effect beside a maximum;
 * the tool still refuses one above it. */
static void user_space(struct pol_rules *c)
{
	const struct edmm_policy *p = c->p;
	struct edmm_resolved *r = c->r;
	uint64_t size = p->s[EDMM_SET_USER_INIT].value;
	uint64_t max = edmm_policy_get(p, EDMM_SET_USER_MAX, size);

	if (r->elastic)
		max = max_of(max, OCCLUM_USER_MAX);
	r->user_init = size;
	r->user_max = max;
	r->rsrv_init = r->elastic ? size : max;
	r->rsrv_min = r->rsrv_max = r->rsrv_init;
	r->rsrv_exec = true;
	if (r->elastic)
		r->region = max == size ? max : max + OCCLUM_SDK_REGION;
	if (size > max)
		pol_above(c, r->elastic || tool(c) ? EDMM_ERROR : EDMM_WARNING,
			  BOUND(EDMM_SET_USER_INIT, size),
			  BOUND(EDMM_SET_USER_MAX, max));
	if (r->region < max && r->elastic)
		pol_report(c->f, p->doc, NULL, EDMM_ERROR, "P103",
			   "the user region is beyond 2^64 bytes");
}

/* Settings without which nothing can be derived. */
static bool complete(struct pol_rules *c)
{
	static const enum edmm_setting_id need[] = {
		EDMM_SET_STACK_MAX,
		EDMM_SET_HEAP_INIT,
		EDMM_SET_USER_INIT,
		EDMM_SET_THREADS_MAX,
	};
	bool ok = true;

	for (unsigned i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		const struct pol_format *fmt = pol_format(c->p->format);
		const struct pol_map *m = pol_row(fmt, need[i]);

		if (c->p->s[need[i]].set)
			continue;
		ok = false;
		if (m && pol_find(c->p->doc->root, m->path))
			c->unread = true;
		else if (m)
			pol_missing(c->p, m, c->f);
		else
			pol_report(c->f, c->p->doc, NULL, EDMM_ERROR, "P102",
				   "%s is missing", pol_setting_name(need[i]));
	}
	return ok;
}

static void resolve(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;

	if (!complete(c))
		return;
	/* D5: the tool needs whole sections that the text does not speak of. */
	if (tool(c))
		missing_sections(c->p, c->f, EDMM_ERROR);
	r->elastic = builds_edmm(c->p, c->t);
	r->stack_min = r->stack_max = c->p->s[EDMM_SET_STACK_MAX].value;
	threads(c);
	heap(c);
	user_space(c);
	r->bound = true;
	r->misc_select = r->elastic;
	r->misc_mask = r->elastic ? 0xffffffff : 0;
}

/* ---- an image of ours -------------------------------------------------- */

/* A library OS's own figures mean nothing to an image of ours. */
static edmm_err image(const struct edmm_policy *p, struct edmm_resolved *r,
		      struct edmm_findings *f)
{
	(void)f;
	r->heap_init = r->user_init;
	r->heap_max = r->user_max;
	r->stack_max = p->s[EDMM_SET_PROC_STACK].value;
	r->stack_min = r->stack_max;
	return 0;
}

static void decides(bool elastic, enum edmm_image_field field,
		    enum edmm_setting_id id[2])
{
	if (field == EDMM_IMAGE_HEAP_INIT && elastic) {
		id[0] = EDMM_SET_USER_INIT;
	} else if (field == EDMM_IMAGE_HEAP_SIZE) {
		id[0] = EDMM_SET_USER_MAX;
		id[1] = EDMM_SET_USER_INIT;
	} else if (field == EDMM_IMAGE_STACK_SIZE) {
		id[0] = EDMM_SET_PROC_STACK;
	} else if (field == EDMM_IMAGE_CONTEXTS) {
		/* The first threads come from the maximum, too. */
		id[0] = elastic ? EDMM_SET_THREADS_INIT : EDMM_SET_THREADS_MAX;
		id[1] = EDMM_SET_THREADS_MAX;
	}
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

/* P202: the first process, in the user space of this build and the other. */
static void fits(const struct pol_lint *l)
{
	bool here, sgx1, sgx2;
	uint64_t sum;

	if (!pol_both_set(l, EDMM_SET_PROC_STACK, EDMM_SET_PROC_BRK))
		return;
	if (__builtin_add_overflow(pol_value(l, EDMM_SET_PROC_STACK),
				   pol_value(l, EDMM_SET_PROC_BRK), &sum))
		sum = UINT64_MAX;
	here = l->here_ok && sum > l->here.user_max;
	sgx1 = l->sgx1_ok && sum > l->sgx1.user_max;
	sgx2 = l->sgx2_ok && sum > l->sgx2.user_max;
	if (!here && !sgx1 && !sgx2)
		return;
	pol_effect(pol_lint_at(l, EDMM_SET_PROC_BRK,
			       here ? EDMM_ERROR : EDMM_WARNING, "P202",
			       "default_stack_size and default_heap_size do "
			       "not fit into the user space"),
		   "%s the first process fails with ENOMEM",
		   sgx1 && sgx2 ? "with EDMM and without"
		   : sgx1	? "without EDMM"
				: "with EDMM");
}

/* P203 */
static void limits_nothing(const struct pol_lint *l, enum edmm_setting_id id,
			   uint64_t limit)
{
	char is[32];
	struct edmm_finding *v;

	if (!pol_is_set(l, id) || pol_value(l, id) >= limit)
		return;
	edmm_size_format(EDMM_FORMAT_OCCLUM, limit, is);
	/* As long as the build is not one for EDMM, it limits. */
	v = pol_lint_at(l, id, l->here.elastic ? EDMM_WARNING : EDMM_NOTE,
			"P203", "%s limits nothing with EDMM",
			pol_name(l->p, id));
	pol_effect(v, "the maximum there is %s, whatever is below it", is);
	pol_fix(v, "memory that is not used costs nothing; limit the EPC of "
		   "the machine instead");
}

/* P204 */
static void no_effect(const struct pol_lint *l, enum edmm_setting_id id,
		      enum edmm_setting_id because, const char *where)
{
	if (pol_both_set(l, id, because))
		pol_effect(pol_lint_at(l, id, EDMM_NOTE, "P204",
				       "%s has no effect %s",
				       pol_name(l->p, id), where),
			   "%s takes its place there", pol_name(l->p, because));
}

static void effect(const struct pol_lint *l)
{
	static const char *const off = "without EDMM";
	uint64_t init = pol_value(l, EDMM_SET_THREADS_INIT);

	fits(l);
	limits_nothing(l, EDMM_SET_HEAP_MAX, OCCLUM_HEAP_MAX);
	limits_nothing(l, EDMM_SET_USER_MAX, OCCLUM_USER_MAX);
	no_effect(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX, off);
	no_effect(l, EDMM_SET_USER_INIT, EDMM_SET_USER_MAX, off);
	no_effect(l, EDMM_SET_THREADS_INIT, EDMM_SET_THREADS_MAX, off);
	if (!pol_is_set(l, EDMM_SET_THREADS_INIT))
		return;
	if (init > OCCLUM_TCS_INIT)
		pol_effect(pol_lint_at(l, EDMM_SET_THREADS_INIT, EDMM_WARNING,
				       "P207",
				       "init_num_of_threads is above 16"),
			   "Occlum's documentation makes it 16, release 0.31 "
			   "takes it as it is");
	if (init > pol_value(l, EDMM_SET_THREADS_MAX) && init <= OCCLUM_TCS_MAX)
		pol_effect(pol_lint_at(l, EDMM_SET_THREADS_INIT, EDMM_WARNING,
				       "P201",
				       "init_num_of_threads is above "
				       "max_num_of_threads"),
			   "it is compared with 4096 instead, and all of them "
			   "are loaded at start");
}

/* P304 */
static void no_edmm(const struct pol_lint *l)
{
	const char *env = l->t->enable_edmm;
	bool feature = edmm_policy_get(l->p, EDMM_SET_EDMM, 0) != 0;

	if (l->t->platform != EDMM_PLATFORM_ASK)
		return;
	if (env && env[0] != '\0' && strcmp(env, "N") != 0 &&
	    strcmp(env, "NO") != 0 && strcmp(env, "no") != 0 &&
	    strcmp(env, "0") != 0 && !enables(env))
		pol_fix(pol_report(l->f, l->p->doc, NULL, EDMM_WARNING, "P304",
				   "ENABLE_EDMM=%.20s does not enable EDMM",
				   env),
			"write ENABLE_EDMM=Y");
	if (simulates(l->t->sgx_mode) && (enables(env) || feature))
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, EDMM_WARNING, "P304",
				       "EDMM is asked for, and SGX_MODE=%.20s "
				       "has none",
				       l->t->sgx_mode),
			   feature ? "release 0.31 builds for EDMM all the "
				     "same, and the enclave panics"
				   : "SGX_MODE wins");
}

/* With that release's rules it is an error of theirs. */
static void lint(const struct pol_lint *l)
{
	if (l->t->compat != EDMM_COMPAT_OCCLUM_031)
		missing_sections(l->p, l->f, EDMM_NOTE);
}

/* P303: a build for EDMM starts anywhere, and fails later. */
static void platform(const struct pol_lint *l, enum edmm_level level)
{
	if (edmm_policy_get(l->p, EDMM_SET_EDMM, 0) != 0 && l->sgx2_ok &&
	    l->sgx2.user_max != l->sgx2.user_init)
		pol_effect(pol_lint_at(l, EDMM_SET_EDMM, level, "P303",
				       "a build for EDMM"),
			   "without EDMM it starts, then runs out of reserved "
			   "memory and panics");
	no_edmm(l);
}

/* ---- into others, and from their figures ------------------------------- */

/* The program's memory is the user space; its stack is a process's. */
static void app(struct pol_writing *w, const struct edmm_resolved *r,
		struct pol_app *a)
{
	a->init = r->user_init;
	a->max = r->user_max;
	a->stack = w->p->s[EDMM_SET_PROC_STACK].value;
	POL_TOLD(w, EDMM_SET_USER_INIT, EDMM_SET_USER_MAX, EDMM_SET_PROC_STACK);
}

/* Enclave.xml as Occlum's tool writes it, the other way round. */
static void from_sgx(struct pol_writing *w, const struct edmm_resolved *r)
{
	uint64_t max = r->rsrv_max;

	if (r->region > r->rsrv_init + OCCLUM_SDK_REGION)
		max = r->region - OCCLUM_SDK_REGION;
	else if (r->region > 0)
		max = r->region;
	pol_want(w, EDMM_SET_STACK_MAX, r->stack_max);
	pol_want(w, EDMM_SET_HEAP_INIT, r->heap_init);
	if (r->heap_max != r->heap_init)
		pol_want(w, EDMM_SET_HEAP_MAX, r->heap_max);
	pol_want(w, EDMM_SET_USER_INIT, r->rsrv_init);
	if (max != r->rsrv_init)
		pol_want(w, EDMM_SET_USER_MAX, max);
	POL_TOLD(w, EDMM_SET_STACK_MAX, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX,
		 EDMM_SET_HEAP_MIN, EDMM_SET_RSRV_INIT, EDMM_SET_RSRV_MIN,
		 EDMM_SET_RSRV_MAX, EDMM_SET_RSRV_EXEC, EDMM_SET_REGION,
		 EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK,
		 EDMM_SET_THREADS_POOL);
	if (r->stack_min == r->stack_max)
		POL_TOLD(w, EDMM_SET_STACK_MIN);
	if (r->bound)
		POL_TOLD(w, EDMM_SET_THREADS_BOUND);
}

static void from_app(struct pol_writing *w, const struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);

	pol_want(w, EDMM_SET_STACK_MAX, MIB(1));
	pol_want(w, EDMM_SET_HEAP_INIT, MIB(32));
	pol_assumed(w,
		    "the library OS gets 1MB of stack and 32MB of heap, as in "
		    "Occlum's template");
	pol_want(w, EDMM_SET_USER_INIT, a.init > 0 ? a.init : MIB(1));
	if (a.max != a.init)
		pol_want(w, EDMM_SET_USER_MAX, a.max);
	pol_want(w, EDMM_SET_PROC_STACK, a.stack);
	if (pol_family(r)->own_range)
		POL_TOLD(w, EDMM_SET_EXINFO);
}

/* Sections that occlum build wants, with nothing in them. */
static edmm_err empty_sections(struct pol_writing *w)
{
	struct pol_node *root = w->out->root;
	struct pol_node *n = pol_make(w->out, root, "entry_points", POL_ARRAY);
	struct pol_node *bin = NULL;

	if (pol_kept(w->p, w->fmt->id))
		return 0;
	if (n)
		bin = pol_node_new(w->out, n, POL_STRING, NULL);
	if (!bin || !pol_make(w->out, root, "env.default", POL_ARRAY) ||
	    !pol_make(w->out, root, "env.untrusted", POL_ARRAY) ||
	    !pol_make(w->out, root, "mount", POL_ARRAY))
		return -EDMM_ENOMEM;
	bin->str = pol_strndup(w->out, "/bin", 4);
	pol_assumed(w, "entry_points is /bin; mount is empty: take it from the "
		       "Occlum.json that `occlum new` writes");
	return 0;
}

/* As in Occlum's template where that fits beside the stack without EDMM, too;
 * else half of what is left, since mappings come from there. */
static uint64_t brk_of(const struct pol_writing *w)
{
	enum edmm_setting_id most = w->want[EDMM_SET_USER_MAX].set
					    ? EDMM_SET_USER_MAX
					    : EDMM_SET_USER_INIT;
	uint64_t stack = w->want[EDMM_SET_PROC_STACK].value;
	uint64_t user = w->want[most].value;

	if (user <= stack || user - stack >= MIB(32))
		return MIB(32);
	return (user - stack) / 2 & ~0xfffull;
}

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	if (r->rules == EDMM_FORMAT_SGX_XML &&
	    (r->rsrv_max > 0 || r->region > 0))
		from_sgx(w, r);
	else
		from_app(w, r);
	if (r->elastic && r->tcs_init != r->tcs_max)
		pol_want(w, EDMM_SET_THREADS_INIT, r->tcs_init);
	pol_want(w, EDMM_SET_THREADS_MAX, r->tcs_max);
	pol_want(w, EDMM_SET_DEBUG, r->debug);
	pol_want(w, EDMM_SET_EDMM, r->elastic);
	pol_zeroes(w);
	if (!w->want[EDMM_SET_PROC_STACK].set)
		pol_want(w, EDMM_SET_PROC_STACK, MIB(4));
	if (!w->want[EDMM_SET_PROC_BRK].set)
		pol_want(w, EDMM_SET_PROC_BRK, brk_of(w));
	pol_want(w, EDMM_SET_PROC_MMAP,
		 edmm_policy_get(w->p, EDMM_SET_PROC_MMAP, MIB(100)));
	POL_TOLD(w, EDMM_SET_PROC_MMAP);
	return empty_sections(w);
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_OCCLUM,
	.resolve = resolve,
	.assumed = MIB(16),
	.image = image,
	.decides = decides,
	.effect = effect,
	.platform = platform,
	.one_file = true,
	.app = app,
};

const struct pol_format pol_occlum = {
	.id = EDMM_FORMAT_OCCLUM,
	.family = &family,
	.parse = pol_json_parse,
	.emit = pol_json_emit,
	.files = files,
	.opens = POL_JSON_OPENS,
	.sniff = sniff,
	.map = map,
	.known = known,
	.sizes = &sizes,
	.lint = lint,
	.cross = cross,
};
