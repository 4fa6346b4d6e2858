/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that are no settings: what a runtime's own schema says of them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy/keys.h"

/*
 * The first @len bytes of a pattern, from its end, against a node's way up to
 * the format's root.
 */
static bool matches(const char *pattern, size_t len,
		    const struct pol_node *root, const struct pol_node *n)
{
	size_t begin = len;

	if (len == 0 || n == root)
		return len == 0 && n == root;
	if (len > 2 && memcmp(pattern + len - 2, "[]", 2) == 0)
		return !n->key && matches(pattern, len - 2, root, n->parent);
	while (begin > 0 && pattern[begin - 1] != '.')
		begin--;
	if (!n->key)
		return false;
	if ((len - begin != 1 || pattern[begin] != '*') &&
	    (strlen(n->key) != len - begin ||
	     memcmp(pattern + begin, n->key, len - begin) != 0))
		return false;
	return matches(pattern, begin > 0 ? begin - 1 : 0, root, n->parent);
}

bool pol_typed_knows(const struct edmm_policy *p, const struct pol_node *n,
		     bool container)
{
	const struct pol_typed *t = pol_format(p->format)->typed;
	const struct pol_node *root = p->doc->root;

	for (; t && t->path; t++) {
		size_t len = strlen(t->path);

		if (matches(t->path, len, root, n))
			return true;
		for (size_t i = 1; container && i < len; i++)
			if ((t->path[i] == '.' || t->path[i] == '[') &&
			    matches(t->path, i, root, n))
				return true;
	}
	return false;
}

static bool is_word(const struct pol_typed *t, const char *s)
{
	bool anycase = (t->as & POL_AS_ANYCASE) != 0;

	if (anycase && s[0] == '\0')
		return true;
	for (const char *const *w = t->words; *w; w++)
		if ((anycase ? strcasecmp(*w, s) : strcmp(*w, s)) == 0)
			return true;
	return false;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *s)
{
	size_t i = 0;

	for (; s[i] != '\0'; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return i == 36;
}

static bool fits(const struct pol_format *fmt, const struct pol_typed *t,
		 const struct pol_node *n)
{
	uint64_t value;
	char fix[96];

	switch (n->kind) {
	case POL_STRING:
		if (fmt->shell && strpbrk(n->str, "$`"))
			return true;
		if (t->as & POL_AS_WORD)
			return is_word(t, n->str);
		if (t->as & POL_AS_SIZE)
			return edmm_size_parse(fmt->id, n->str, &value, fix) ==
			       0;
		if (t->as & POL_AS_UUID)
			return is_uuid(n->str);
		if (fmt->flat && (t->as & POL_AS_INT))
			return n->str[0] != '\0' &&
			       n->str[strspn(n->str, "0123456789")] == '\0';
		return (t->as & POL_AS_TEXT) != 0;
	case POL_INT:
		return (t->as & POL_AS_INT) != 0;
	case POL_BOOL:
		return (t->as & POL_AS_BOOL) != 0;
	case POL_OBJECT:
		return (t->as & POL_AS_TABLE) != 0;
	case POL_ARRAY:
		return (t->as & POL_AS_LIST) != 0;
	case POL_NULL:
		return (t->as & POL_AS_NULL) != 0;
	default:
		return false;
	}
}

/* "one of a, b", "a text or a table". */
static void wanted(const struct pol_format *fmt, const struct pol_typed *t,
		   char *text, size_t size)
{
	static const char *const names[] = { "a text", "a whole number",
					     "true or false", "a table",
					     "a list" };
	size_t used = 0;

	text[0] = '\0';
	if (t->as & POL_AS_SIZE) {
		snprintf(text, size, "write %s", fmt->sizes->example);
		return;
	}
	if (t->as & POL_AS_UUID) {
		snprintf(text, size,
			 "write it as 8-4-4-4-12 hexadecimal digits");
		return;
	}
	for (unsigned i = 0; t->words && t->words[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 i > 0 ? ", " : "one of ", t->words[i]);
	for (unsigned i = 0; i < 5 && used < size; i++)
		if (t->as & 1u << i)
			used += (size_t)snprintf(text + used, size - used,
						 "%s%s", used > 0 ? " or " : "",
						 names[i]);
}

static void report(const struct pol_format *fmt, const struct edmm_policy *p,
		   const struct pol_typed *t, const struct pol_node *n,
		   struct edmm_findings *f)
{
	char path[256], fix[192], what[96] = "a value of the wrong kind";

	if (n->kind == POL_STRING)
		snprintf(what, sizeof(what), "'%.40s' is %s", n->str,
			 t->what ? t->what : "none of its values");
	wanted(fmt, t, fix, sizeof(fix));
	pol_fix(pol_report(f, p->doc, &n->at, EDMM_ERROR, "P104", "%s: %s",
			   pol_path(n, path, sizeof(path)), what),
		"%s", fix);
}

static void look(const struct pol_format *fmt, const struct edmm_policy *p,
		 const struct pol_node *root, const struct pol_node *n,
		 struct edmm_findings *f)
{
	for (const struct pol_node *m = n->first; m; m = m->next)
		look(fmt, p, root, m, f);
	for (const struct pol_typed *t = fmt->typed; t->path; t++) {
		if (!matches(t->path, strlen(t->path), root, n) ||
		    fits(fmt, t, n) || pol_templated(p->doc, n))
			continue;
		report(fmt, p, t, n, f);
		return;
	}
}

void pol_typed_read(const struct edmm_policy *p, struct edmm_findings *f)
{
	for (int i = EDMM_FORMAT_EDMM; i < EDMM_FORMAT_COUNT; i++) {
		const struct pol_format *fmt = pol_format((enum edmm_format)i);
		const struct pol_node *kept = pol_kept(p, fmt->id);

		if (kept && fmt->typed)
			look(fmt, p, kept, kept, f);
	}
}
