/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of a Gramine manifest that mainline does not have: those of forks that
 * never got there (P401), and those of old releases (P402).
 */
#include "policy/lint.h"

#include <string.h>

struct other_key {
	const char *path;
	const char *rule;
	/* A path to rename it to, or NULL. */
	const char *now;
	const char *hint;
};

static const struct other_key keys[] = {
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

void pol_lint_gramine(const struct pol_lint *l)
{
	for (const struct other_key *k = keys; k->path; k++) {
		const struct pol_node *n = pol_find(l->p->doc->root, k->path);

		if (n)
			report(l, k, n);
	}
}
