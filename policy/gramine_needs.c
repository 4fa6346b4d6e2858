/* SPDX-License-Identifier: BSD-3-Clause */
/* Gramine: what gramine-manifest wants to be there, by its own schema. P102. */
#include <string.h>

#include "policy/lint.h"

/*
 * Without these it refuses to render. A warning: a part of a manifest may be
 * all that is checked. It writes a loader.entrypoint itself; who writes another
 * runs no Linux program.
 */
static void tables(const struct pol_lint *l)
{
	static const char *const names[] = { "fs.mounts", "libos.entrypoint" };
	const struct pol_node *root = l->p->doc->root;
	struct pol_span start = { 0, 1 };
	char text[64] = "";
	size_t used = 0;

	if (pol_find(root, "loader.entrypoint") &&
	    !pol_find(root, "libos.entrypoint"))
		return;
	for (unsigned i = 0; i < 2; i++)
		if (!pol_find(root, names[i]))
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s",
				used > 0 ? ", " : "", names[i]);
	if (used > 0)
		pol_effect(pol_report(l->f, l->p->doc, &start, EDMM_WARNING,
				      "P102", "not there: %s", text),
			   "gramine-manifest refuses it");
}

static void member(const struct pol_lint *l, const struct pol_node *n,
		   const char *name)
{
	char path[128];

	if (n->kind == POL_OBJECT && !pol_member(n, name))
		pol_report(l->f, l->p->doc, &n->at, EDMM_ERROR, "P102",
			   "%s.%s is missing", pol_path(n, path, sizeof(path)),
			   name);
}

static const struct pol_node *first(const struct pol_lint *l, const char *path)
{
	const struct pol_node *list = pol_find(l->p->doc->root, path);

	return list && list->kind == POL_ARRAY ? list->first : NULL;
}

/* A file system in memory has no host's file behind it. */
static void mounts(const struct pol_lint *l)
{
	for (const struct pol_node *n = first(l, "fs.mounts"); n; n = n->next) {
		const struct pol_node *type = pol_member(n, "type");

		member(l, n, "path");
		if (type && (type->kind != POL_STRING ||
			     strcmp(type->str, "tmpfs") == 0 ||
			     pol_templated(l->p->doc, type)))
			continue;
		member(l, n, "uri");
	}
}

/* `passthrough = false` is no way to say it: such a variable is left out. */
static void environment(const struct pol_lint *l)
{
	const struct pol_node *env = pol_find(l->p->doc->root, "loader.env");
	char path[128];

	for (const struct pol_node *n = env ? env->first : NULL; n;
	     n = n->next) {
		const struct pol_node *v = pol_member(n, "passthrough");

		if (v && v->kind == POL_BOOL && !v->num &&
		    !pol_templated(l->p->doc, v))
			pol_fix(pol_report(l->f, l->p->doc, &v->at, EDMM_ERROR,
					   "P104",
					   "%s: gramine-manifest refuses false",
					   pol_path(v, path, sizeof(path))),
				"take the variable out");
	}
}

/* sgx.seal_key: bytes in hexadecimal, as text. */
static void mask(const struct pol_lint *l, const char *name, size_t digits)
{
	const struct pol_node *n = pol_find(l->p->doc->root, name);
	size_t len;

	if (!n || n->kind != POL_STRING || pol_templated(l->p->doc, n))
		return;
	len = strlen(n->str);
	if (len > 2 && len <= digits + 2 && strncmp(n->str, "0x", 2) == 0 &&
	    strspn(n->str + 2, "0123456789abcdefABCDEF") == len - 2)
		return;
	pol_fix(pol_report(l->f, l->p->doc, &n->at, EDMM_ERROR, "P104",
			   "%s: '%.40s' is no mask of %zu bits", name, n->str,
			   4 * digits),
		"write \"0x\" and up to %zu hexadecimal digits", digits);
}

void pol_gramine_needs(const struct pol_lint *l)
{
	const struct pol_node *entry =
		pol_find(l->p->doc->root, "loader.entrypoint");

	tables(l);
	mounts(l);
	environment(l);
	mask(l, "sgx.seal_key.flags_mask", 16);
	mask(l, "sgx.seal_key.xfrm_mask", 16);
	mask(l, "sgx.seal_key.misc_mask", 8);
	if (entry)
		member(l, entry, "uri");
	for (const struct pol_node *n = first(l, "sys.allowed_ioctls"); n;
	     n = n->next)
		member(l, n, "request_code");
	for (const struct pol_node *n = first(l, "sys.debug__mock_syscalls"); n;
	     n = n->next)
		member(l, n, "name");
}
