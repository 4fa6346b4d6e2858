/* SPDX-License-Identifier: BSD-3-Clause */
/* Gramine: manifests after templating, by the keys and rules of release 1.9. */
#include <ctype.h>
#include <string.h>

#include "policy/areas.h"
#include "policy/lint.h"
#include "policy/write.h"

static const char *const feature_words[] = { "disabled", "required",
					     "unspecified", NULL };
static const char *const must_words[] = { "disabled", "required", NULL };

static const struct pol_map map[] = {
	{ "sgx.edmm_enable", EDMM_SET_EDMM, POL_FLAG, 0, NULL, false },
	{ "sgx.enclave_size", EDMM_SET_ENCLAVE_SIZE, POL_SIZE, 0, NULL, false },
	{ "sgx.max_threads", EDMM_SET_THREADS_INIT, POL_UINT, 4096, NULL,
	  false },
	{ "sgx.insecure__rpc_thread_num", EDMM_SET_RPC_THREADS, POL_UINT, 256,
	  NULL, false },
	{ "sgx.preheat_enclave", EDMM_SET_PREHEAT, POL_FLAG, 0, NULL, false },
	{ "sgx.use_exinfo", EDMM_SET_EXINFO, POL_FLAG, 0, NULL, false },
	{ "sgx.insecure__allow_memfaults_without_exinfo", EDMM_SET_MEMFAULTS,
	  POL_FLAG, 0, NULL, false },
	{ "sgx.debug", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "sys.enable_sigterm_injection", EDMM_SET_SIGNALS, POL_SIGTERM, 0,
	  NULL, false },
	{ "sgx.isvprodid", EDMM_SET_PRODID, POL_UINT, 0xffff, NULL, false },
	{ "sgx.isvsvn", EDMM_SET_SVN, POL_UINT, 0xffff, NULL, false },
	{ "sgx.cpu_features.amx", EDMM_SET_AMX, POL_WORD, 0, feature_words,
	  false },
	{ "sgx.cpu_features.pkru", EDMM_SET_PKRU, POL_WORD, 0, must_words,
	  false },
	{ "sys.stack.size", EDMM_SET_PROC_STACK, POL_SIZE, 0, NULL, false },
	{ "sys.brk.max_size", EDMM_SET_PROC_BRK, POL_SIZE, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

#define TEXT POL_AS_TEXT
#define INT POL_AS_INT
#define BOOL POL_AS_BOOL
#define TABLE POL_AS_TABLE
#define LIST POL_AS_LIST

static const char *const fs_words[] = { "chroot", "encrypted", "tmpfs",
					"untrusted_shm", NULL };
static const char *const log_words[] = { "none",  "error", "warning", "debug",
					 "trace", "all",   NULL };
static const char *const policy_words[] = { "strict", "allow_all_but_log",
					    NULL };
static const char *const profile_words[] = { "none", "main", "all", NULL };
static const char *const profile_modes[] = { "aex", "ocall_inner",
					     "ocall_outer", NULL };
static const char *const attestation_words[] = { "none", "dcap", "epid", NULL };

/* By the schema of gramine-manifest-check. What was text or a table in an
 * older release is taken as such, too. */
static const struct pol_typed typed[] = {
	{ "fs.mounts", LIST | TABLE, NULL, NULL },
	{ "fs.mounts[]", TABLE, NULL, NULL },
	{ "fs.mounts[].type", POL_AS_WORD, fs_words, NULL },
	{ "fs.mounts[].uri", TEXT, NULL, NULL },
	{ "fs.mounts[].path", TEXT, NULL, NULL },
	{ "fs.mounts[].key_name", TEXT, NULL, NULL },
	{ "fs.mounts[].enable_recovery", BOOL, NULL, NULL },
	{ "fs.root", TABLE, NULL, NULL },
	{ "fs.root.type", POL_AS_WORD, fs_words, NULL },
	{ "fs.root.uri", TEXT, NULL, NULL },
	{ "fs.root.key_name", TEXT, NULL, NULL },
	{ "fs.root.enable_recovery", BOOL, NULL, NULL },
	{ "fs.start_dir", TEXT, NULL, NULL },
	{ "fs.insecure__keys", TABLE, NULL, NULL },
	{ "fs.insecure__keys.*", TEXT, NULL, NULL },
	{ "libos.entrypoint", TEXT, NULL, NULL },
	{ "libos.check_invalid_pointers", BOOL, NULL, NULL },
	{ "loader.entrypoint", TEXT | TABLE, NULL, NULL },
	{ "loader.entrypoint.uri", TEXT, NULL, NULL },
	{ "loader.entrypoint.sha256", TEXT, NULL, NULL },
	{ "loader.argv", LIST, NULL, NULL },
	{ "loader.argv[]", TEXT, NULL, NULL },
	{ "loader.argv_src_file", TEXT, NULL, NULL },
	{ "loader.env", TABLE, NULL, NULL },
	{ "loader.env.*", TEXT | TABLE, NULL, NULL },
	{ "loader.env.*.value", TEXT, NULL, NULL },
	{ "loader.env.*.passthrough", BOOL, NULL, NULL },
	{ "loader.env_src_file", TEXT, NULL, NULL },
	{ "loader.gid", INT, NULL, NULL },
	{ "loader.uid", INT, NULL, NULL },
	{ "loader.insecure__use_cmdline_argv", BOOL, NULL, NULL },
	{ "loader.insecure__use_host_env", BOOL, NULL, NULL },
	{ "loader.insecure__disable_aslr", BOOL, NULL, NULL },
	{ "loader.log_file", TEXT, NULL, NULL },
	{ "loader.log_level", POL_AS_WORD, log_words, NULL },
	{ "sgx.allowed_files", LIST | TABLE, NULL, NULL },
	{ "sgx.allowed_files[]", TEXT, NULL, NULL },
	{ "sgx.allowed_files.*", TEXT, NULL, NULL },
	{ "sgx.trusted_files", LIST | TABLE, NULL, NULL },
	{ "sgx.trusted_files[]", TEXT | TABLE, NULL, NULL },
	{ "sgx.trusted_files[].uri", TEXT, NULL, NULL },
	{ "sgx.trusted_files[].sha256", TEXT, NULL, NULL },
	{ "sgx.trusted_files.*", TEXT, NULL, NULL },
	{ "sgx.trusted_files_cache_size", POL_AS_SIZE, NULL, NULL },
	{ "sgx.cpu_features.avx", POL_AS_WORD, feature_words, NULL },
	{ "sgx.cpu_features.avx512", POL_AS_WORD, feature_words, NULL },
	{ "sgx.cpu_features.mpx", POL_AS_WORD, must_words, NULL },
	{ "sgx.enable_stats", BOOL, NULL, NULL },
	{ "sgx.file_check_policy", POL_AS_WORD, policy_words, NULL },
	{ "sgx.profile.enable", POL_AS_WORD, profile_words, NULL },
	{ "sgx.profile.mode", POL_AS_WORD, profile_modes, NULL },
	{ "sgx.profile.with_stack", BOOL, NULL, NULL },
	{ "sgx.profile.frequency", INT, NULL, NULL },
	{ "sgx.ra_client_linkable", BOOL, NULL, NULL },
	{ "sgx.ra_client_spid", TEXT, NULL, NULL },
	{ "sgx.remote_attestation", POL_AS_WORD, attestation_words, NULL },
	{ "sgx.seal_key.flags_mask", TEXT, NULL, NULL },
	{ "sgx.seal_key.xfrm_mask", TEXT, NULL, NULL },
	{ "sgx.seal_key.misc_mask", TEXT, NULL, NULL },
	{ "sgx.vtune_profile", BOOL, NULL, NULL },
	{ "sys.allowed_ioctls", LIST, NULL, NULL },
	{ "sys.allowed_ioctls[]", TABLE, NULL, NULL },
	{ "sys.allowed_ioctls[].request_code", INT, NULL, NULL },
	{ "sys.allowed_ioctls[].struct", TEXT, NULL, NULL },
	{ "sys.disallow_subprocesses", BOOL, NULL, NULL },
	{ "sys.enable_extra_runtime_domain_names_conf", BOOL, NULL, NULL },
	{ "sys.experimental__enable_flock", BOOL, NULL, NULL },
	{ "sys.insecure__allow_eventfd", BOOL, NULL, NULL },
	{ "sys.debug__mock_syscalls", LIST, NULL, NULL },
	{ "sys.debug__mock_syscalls[]", TABLE, NULL, NULL },
	{ "sys.debug__mock_syscalls[].name", TEXT, NULL, NULL },
	{ "sys.debug__mock_syscalls[].return", INT, NULL, NULL },
	{ "sys.fds.limit", INT, NULL, NULL },
	{ NULL, 0, NULL, NULL },
};

static const char *const known[] = {
	"sys.ioctl_structs.*",
	/* Rules P401 and P402 have more to say of these. */
	"sgx.edmm_enable_heap",
	"sgx.preheat_enclave_size",
	"sgx.preheat_size",
	"sgx.edmm_lazyfree_th",
	"sgx.edmm_lazyfree_percentage",
	"sgx.edmm_batch_alloc",
	"sgx.edmm_batch_allocation",
	"sgx.edmm_demand_paging",
	"sgx.edmm_heap_prealloc_size",
	"sgx.edmm_mode",
	"sgx.experimental_enable_aex_notify",
	"sgx.thread_num",
	"sgx.rpc_thread_num",
	"sgx.nonpie_binary",
	"sgx.sigfile",
	"sgx.static_address",
	"sgx.allow_file_creation",
	"sgx.protected_files.*",
	"sgx.require_avx",
	"sgx.require_avx512",
	"sgx.require_amx",
	"sgx.require_mpx",
	"sgx.require_pkru",
	"sgx.require_exinfo",
	"sgx.support_exinfo",
	"loader.pal_internal_mem_size",
	"loader.preload",
	NULL,
};

static const struct pol_unit units[] = {
	{ "G", 30 }, { "M", 20 }, { "K", 10 }, { "", 0 }, { NULL, 0 },
};
/* Of the runtime; the tool that signs is stricter: finish(). */
static const struct pol_unit small_units[] = {
	{ "g", 30 },
	{ "m", 20 },
	{ "k", 10 },
	{ NULL, 0 },
};
static const struct pol_sizes sizes = {
	.units = units,
	.also = small_units,
	.example = "a number and K, M, G or nothing, as in \"4M\"",
};

static const char *const files[] = { "*manifest", "*.manifest.sgx",
				     "*manifest.template", NULL };

static unsigned sniff(const struct pol_sample *t)
{
	return pol_toml_names(&pol_gramine, t);
}

/* A template says what it can; only the tool that renders it has the rest. */
static edmm_err parse(struct pol_doc *doc, struct edmm_findings *f)
{
	const char *end = doc->name + strlen(doc->name);
	struct edmm_finding *v;
	edmm_err err;

	if (!pol_is_template(doc))
		return pol_toml_parse(doc, f);
	err = pol_template_relax(doc);
	if (!err)
		err = pol_toml_parse(doc, f);
	if (err)
		return err;
	/* Under that name nobody takes it for a manifest. */
	v = pol_report(f, doc, NULL,
		       end - doc->name > 9 && strcmp(end - 9, ".template") == 0
			       ? EDMM_NOTE
			       : EDMM_WARNING,
		       "P108", "a template that was not rendered");
	pol_effect(v, "what it computes is not known here");
	pol_fix(v, "gramine-manifest renders it");
	return 0;
}

/* The signing tool, unlike the runtime, takes capital letters only. */
static void finish(struct edmm_policy *p, struct edmm_findings *f)
{
	const struct pol_node *n = pol_find(p->doc->root, "sgx.enclave_size");
	struct edmm_finding *v;
	char right[32];

	if (!n || !p->s[EDMM_SET_ENCLAVE_SIZE].set)
		return;
	if (!islower((unsigned char)n->str[strlen(n->str) - 1]) &&
	    (n->str[0] != '0' || strlen(n->str) == 1))
		return;
	edmm_size_format(p->format, p->s[EDMM_SET_ENCLAVE_SIZE].value, right);
	v = pol_report(f, p->doc, &n->at, EDMM_ERROR, "P103",
		       "sgx.enclave_size: gramine-sgx-sign cannot read '%s'",
		       n->str);
	pol_fix(v, "write \"%s\"", right);
	pol_repl(v, n->at.off, n->at.len, "\"%s\"", right);
}

/* ---- rules ------------------------------------------------------------ */

static void resolve(struct pol_rules *c)
{
	struct pol_span at = pol_at(c->p, EDMM_SET_ENCLAVE_SIZE);
	struct edmm_resolved *r = c->r;
	char right[32];
	uint64_t size;
	uint64_t two = 4096;

	r->elastic = pol_wished(c, EDMM_WISH_DISABLE);
	size = pol_get(c, EDMM_SET_ENCLAVE_SIZE,
		       r->elastic ? GIB(1024) : MIB(256));
	r->enclave_size = size;
	r->heap_max = size;
	r->heap_init = r->elastic ? 0 : size;
	r->heap_min = r->heap_init;
	r->stack_max = r->stack_min = KIB(256);
	r->tcs_init = pol_get(c, EDMM_SET_THREADS_INIT, 4);
	r->tcs_pool = r->tcs_init;
	r->tcs_max = r->elastic ? 4096 : r->tcs_init;
	r->misc_select = pol_get(c, EDMM_SET_EXINFO, 0) != 0;
	r->misc_mask = 0xffffffff;
	pol_range_bound(c);
	if (size >= 4096 && (size & (size - 1)) == 0)
		return;
	while (two < size && two < 1ull << 63)
		two *= 2;
	edmm_size_format(EDMM_FORMAT_GRAMINE, two, right);
	pol_fix(pol_report(c->f, c->p->doc, &at, EDMM_ERROR, "P206",
			   "%s is no power of two",
			   pol_name(c->p, EDMM_SET_ENCLAVE_SIZE)),
		"the next one is \"%s\"", right);
}

/* The two exclude each other. */
static const char *turn_on(struct edmm_policy *p)
{
	bool preheat = edmm_policy_get(p, EDMM_SET_PREHEAT, 0) != 0;

	p->s[EDMM_SET_EDMM].set = true;
	p->s[EDMM_SET_EDMM].value = EDMM_WISH_ENABLE;
	p->s[EDMM_SET_PREHEAT].value = 0;
	return preheat ? "sgx.edmm_enable = true, and without "
			 "sgx.preheat_enclave"
		       : "sgx.edmm_enable = true";
}

/* ---- layout ----------------------------------------------------------- */

/* Everything from the top down; what is left below is the program's. */
static void layout(const struct edmm_resolved *r, struct pol_layout *l)
{
	/* SSA 2 x 4 pages, TCS, TLS, stack 64, signal stack 16. */
	const uint64_t thread = 90 * POL_PAGE;
	uint64_t own = pol_plus(l->assumed + 4 * POL_PAGE,
				pol_times(thread, r->tcs_init));
	uint64_t heap = r->enclave_size > own ? r->enclave_size - own : 0;

	POL_AREA(l, "program and heap", 1, heap, r->elastic ? 0 : heap, 0);
	POL_AREA(l, "threads at start", r->tcs_init, thread, thread, thread);
	POL_AREA(l, "loader and manifest", 1, l->assumed + 4 * POL_PAGE,
		 l->assumed + 4 * POL_PAGE, l->assumed + 4 * POL_PAGE);
	l->elrange = r->enclave_size;
}

/* ---- an image of ours -------------------------------------------------- */

static void decides(bool elastic, enum edmm_image_field field,
		    enum edmm_setting_id id[2])
{
	/* Without EDMM the heap is the enclave. */
	if (field == EDMM_IMAGE_HEAP_SIZE && !elastic)
		id[1] = EDMM_SET_ENCLAVE_SIZE;
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

/* P202 */
static void effect(const struct pol_lint *l)
{
	static const enum edmm_setting_id parts[] = { EDMM_SET_PROC_STACK,
						      EDMM_SET_PROC_BRK };

	for (unsigned i = 0; i < 2; i++)
		if (pol_is_set(l, parts[i]) &&
		    pol_value(l, parts[i]) >= l->here.enclave_size)
			pol_effect(pol_lint_at(l, parts[i], EDMM_ERROR, "P202",
					       "%s does not fit into "
					       "sgx.enclave_size",
					       pol_name(l->p, parts[i])),
				   "the program does not start");
}

static void platform(const struct pol_lint *l, enum edmm_level level)
{
	pol_lint_refused(l, level);
	if (edmm_policy_get(l->p, EDMM_SET_EDMM, 0) != 0 &&
	    edmm_policy_get(l->p, EDMM_SET_PREHEAT, 0) != 0)
		pol_fix(pol_lint_at(l, EDMM_SET_PREHEAT, EDMM_ERROR, "P304",
				    "sgx.preheat_enclave and "
				    "sgx.edmm_enable exclude each other"),
			"take one out");
	if (l->sgx2.elastic && edmm_policy_get(l->p, EDMM_SET_EXINFO, 0) == 0)
		pol_fix(pol_lint_at(l, EDMM_SET_EDMM, EDMM_NOTE, "P306",
				    "EDMM without sgx.use_exinfo: memory "
				    "mapped with MAP_NORESERVE cannot be "
				    "committed when it is touched"),
			"add sgx.use_exinfo = true");
}

/*
 * Keys that mainline does not have: those of forks that never got there
 * (P401), and those of old releases (P402).
 */

struct other_key {
	const char *path;
	const char *rule;
	/* A path to rename it to, or NULL. */
	const char *now;
	const char *hint;
};

static const struct other_key others[] = {
	{ "sgx.edmm_enable_heap", "P401", "sgx.edmm_enable",
	  "sgx.edmm_enable turns EDMM on" },
	{ "sgx.edmm_mode", "P401", NULL, "sgx.edmm_enable turns EDMM on" },
	{ "sgx.preheat_enclave_size", "P401", NULL,
	  "mainline has no preheated part of the heap; edmm.toml has "
	  "heap.init" },
	{ "sgx.preheat_size", "P401", NULL,
	  "mainline has no preheated part of the heap; edmm.toml has "
	  "heap.init" },
	{ "sgx.edmm_heap_prealloc_size", "P401", NULL,
	  "mainline has no preallocated heap; edmm.toml has heap.init" },
	{ "sgx.edmm_lazyfree_th", "P401", NULL,
	  "mainline frees at once; edmm.toml has heap.idle_percent" },
	{ "sgx.edmm_lazyfree_percentage", "P401", NULL,
	  "mainline frees at once; edmm.toml has heap.idle_percent" },
	{ "sgx.edmm_batch_alloc", "P401", NULL,
	  "mainline adds page by page; edmm.toml has heap.window" },
	{ "sgx.edmm_batch_allocation", "P401", NULL,
	  "mainline adds page by page; edmm.toml has heap.window" },
	{ "sgx.edmm_demand_paging", "P401", NULL,
	  "mainline commits MAP_NORESERVE memory on demand, nothing else" },
	{ "sgx.experimental_enable_aex_notify", "P401", NULL,
	  "mainline has no AEX-Notify" },
	{ "sgx.thread_num", "P402", "sgx.max_threads", "now sgx.max_threads" },
	{ "sgx.rpc_thread_num", "P402", "sgx.insecure__rpc_thread_num",
	  "now sgx.insecure__rpc_thread_num" },
	{ "sgx.require_exinfo", "P402", "sgx.use_exinfo",
	  "now sgx.use_exinfo" },
	{ "sgx.support_exinfo", "P402", "sgx.use_exinfo",
	  "now sgx.use_exinfo" },
	{ "sgx.require_avx", "P402", NULL,
	  "now sgx.cpu_features.avx = \"required\"" },
	{ "sgx.require_avx512", "P402", NULL,
	  "now sgx.cpu_features.avx512 = \"required\"" },
	{ "sgx.require_amx", "P402", NULL,
	  "now sgx.cpu_features.amx = \"required\"" },
	{ "sgx.require_mpx", "P402", NULL,
	  "now sgx.cpu_features.mpx = \"required\"" },
	{ "sgx.require_pkru", "P402", NULL,
	  "now sgx.cpu_features.pkru = \"required\"" },
	{ "sgx.nonpie_binary", "P402", NULL, "take it out" },
	{ "sgx.sigfile", "P402", NULL,
	  "take it out; gramine-sgx-sign names the file" },
	{ "sgx.static_address", "P402", NULL, "take it out" },
	{ "sgx.allow_file_creation", "P402", NULL,
	  "now sgx.file_check_policy" },
	{ "sgx.protected_files", "P402", NULL,
	  "now fs.mounts with type = \"encrypted\"" },
	{ "loader.pal_internal_mem_size", "P402", NULL, "take it out" },
	{ "loader.preload", "P402", NULL, "now loader.entrypoint" },
	{ NULL, NULL, NULL, NULL },
};

/* The last component of a dotted path. */
static const char *base(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* From the start of the line that a key begins, to the end of its value. */
static void delete_line(struct edmm_finding *v, const struct pol_doc *doc,
			const struct pol_node *n)
{
	uint32_t line;
	uint32_t col;
	size_t begin;
	size_t end = (size_t)n->at.off + n->at.len;

	pol_where(doc, n->key_at.off, &line, &col);
	begin = doc->lines[line - 1];
	end += strcspn(doc->text + end, "\n");
	if (doc->text[end] == '\n')
		end++;
	/* Two keys of one line, as in an inline table: not by machine. */
	if (!memchr(doc->text + begin, '{', n->key_at.off - begin))
		pol_repl(v, begin, end - begin, "%s", "");
}

static void rename_key(struct edmm_finding *v, const struct pol_doc *doc,
		       const struct pol_node *n, const char *now)
{
	const char *old = base(n->key);
	size_t len = strlen(old);
	size_t end = (size_t)n->key_at.off + n->key_at.len;

	/* The key's own component, however the line spells the path. */
	if (end >= len && strncmp(doc->text + end - len, old, len) == 0)
		pol_repl(v, end - len, len, "%s", base(now));
}

static void report(const struct pol_lint *l, const struct other_key *k,
		   const struct pol_node *n)
{
	bool fork = strcmp(k->rule, "P401") == 0;
	struct edmm_finding *v = pol_report(
		l->f, l->p->doc, &n->key_at, EDMM_WARNING, k->rule,
		fork ? "%s is of a fork" : "%s is of an old release", k->path);

	pol_effect(v, "Gramine ignores it, or gramine-manifest refuses it");
	pol_fix(v, "%s", k->hint);
	if (k->now && !pol_find(l->p->doc->root, k->now))
		rename_key(v, l->p->doc, n, k->now);
	else if (fork || k->now || strncmp(k->hint, "take", 4) == 0)
		delete_line(v, l->p->doc, n);
}

static void other_keys(const struct pol_lint *l)
{
	for (const struct other_key *k = others; k->path; k++) {
		const struct pol_node *n = pol_find(l->p->doc->root, k->path);

		if (n)
			report(l, k, n);
	}
}

static void lint(const struct pol_lint *l)
{
	pol_gramine_needs(l);
	other_keys(l);
}

/* ---- into others, and from their figures ------------------------------- */

static void app(struct pol_writing *w, const struct edmm_resolved *r,
		struct pol_app *a)
{
	(void)r;
	a->stack = edmm_policy_get(w->p, EDMM_SET_PROC_STACK, KIB(256));
	POL_TOLD(w, EDMM_SET_ENCLAVE_SIZE, EDMM_SET_PROC_STACK);
}

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	struct pol_app a = pol_app_of(w, r);
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
	pol_want(w, EDMM_SET_EDMM, r->elastic);
	pol_want(w, EDMM_SET_ENCLAVE_SIZE, size);
	pol_want(w, EDMM_SET_THREADS_INIT, threads < 4096 ? threads : 4096);
	pol_want(w, EDMM_SET_PROC_STACK, a.stack);
	pol_want(w, EDMM_SET_DEBUG, r->debug);
	if (r->elastic)
		pol_want(w, EDMM_SET_EXINFO, 1);
	POL_TOLD(w, EDMM_SET_EXINFO, EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK);
	if (w->want[EDMM_SET_RPC_THREADS].set &&
	    w->want[EDMM_SET_RPC_THREADS].value > 256)
		pol_want(w, EDMM_SET_RPC_THREADS, 256);
	pol_assumed(w,
		    "three threads more for Gramine's own, and 64M; the size "
		    "is rounded up to a power of two");
	if (!pol_kept(w->p, w->fmt->id))
		pol_assumed(w,
			    "loader, libos.entrypoint and fs.mounts are yours "
			    "to add");
	return 0;
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_GRAMINE,
	.resolve = resolve,
	.turn_on = turn_on,
	.layout = layout,
	.assumed = MIB(1),
	.own_range = true,
	.decides = decides,
	.effect = effect,
	.all_measured = "the manifest",
	.platform = platform,
	.own_threads = 3,
	.own_threads_said = ", three of them Gramine's own",
	.app = app,
};

const struct pol_format pol_gramine = {
	.id = EDMM_FORMAT_GRAMINE,
	.family = &family,
	.parse = parse,
	.emit = pol_toml_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.typed = typed,
	.sizes = &sizes,
	.finish = finish,
	.lint = lint,
	.cross = cross,
};
