/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule P101: names that a format does not know, with what was meant. */
#include <stdlib.h>
#include <string.h>

#include "policy/keys.h"

#define NAME_MAX_LEN 48
#define PATH_ROOM 256

unsigned pol_edits(const char *a, const char *b)
{
	unsigned d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t n = strlen(a);
	size_t m = strlen(b);

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return ~0u;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned best =
				d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

/* exact: the path itself; else the path, or one above or below it. */
static bool matches(const char *pattern, const char *path, bool container)
{
	size_t n = strlen(pattern);
	size_t len = strlen(path);

	if (n > 2 && strcmp(pattern + n - 2, ".*") == 0) {
		n -= 2;
		if (len >= n && strncmp(path, pattern, n) == 0 &&
		    (path[n] == '\0' || path[n] == '.' || path[n] == '['))
			return true;
	} else if (len == n && strcmp(pattern, path) == 0) {
		return true;
	}
	return container && n > len && strncmp(pattern, path, len) == 0 &&
	       (pattern[len] == '.' || pattern[len] == '[');
}

static bool known(const struct pol_format *fmt, const char *path,
		  bool container)
{
	for (const struct pol_map *m = fmt->map; m->path; m++)
		if (matches(m->path, path, container))
			return true;
	for (const char *const *k = fmt->known; k && *k; k++)
		if (matches(*k, path, container))
			return true;
	return false;
}

bool pol_known(const struct pol_format *fmt, const char *path)
{
	return known(fmt, path, false);
}

struct search {
	const char *path;
	const char *key;
	size_t parent; /* bytes of the path before the key */
	char best[128];
	unsigned edits;
	bool part; /* .best has the key's words and more: nothing is nearer */
};

/* The key is some of a name's words, from the first or to the last. */
static bool is_part(const char *key, const char *name)
{
	size_t n = strlen(name);
	size_t k = strlen(key);

	if (k < 3 || k >= n)
		return false;
	return (strncmp(name, key, k) == 0 && name[k] == '_') ||
	       (strcmp(name + n - k, key) == 0 && name[n - k - 1] == '_');
}

/* One name of the format: nearer than what was found so far? */
static void consider(struct search *s, const char *pattern)
{
	char name[128];
	const char *base;
	unsigned edits;
	size_t n;

	/* The pattern's component at the level of the unknown name. */
	if (strncmp(pattern, s->path, s->parent) == 0) {
		base = pattern + s->parent;
		n = strcspn(base, ".[");
		snprintf(name, sizeof(name), "%.*s", (int)n, base);
		edits = pol_edits(name, s->key);
		/* `size` for `max_size`: nearer than a `size` elsewhere. */
		if (!s->part && is_part(s->key, name)) {
			s->part = true;
			s->edits = 1;
			edits = 0;
		}
		if (edits < s->edits && name[0] != '*') {
			s->edits = edits;
			snprintf(s->best, sizeof(s->best), "%s", name);
		}
	}
	/* The right name in the wrong place. */
	base = strrchr(pattern, '.');
	base = base ? base + 1 : pattern;
	if (strcmp(base, s->key) == 0 && s->edits > 0) {
		s->edits = 0;
		snprintf(s->best, sizeof(s->best), "%s", pattern);
	}
}

static bool suggest(const struct pol_format *fmt, struct search *s)
{
	size_t len = strlen(s->key);

	s->edits = ~0u;
	for (const struct pol_map *m = fmt->map; m->path; m++)
		consider(s, m->path);
	for (const char *const *k = fmt->known; k && *k; k++)
		consider(s, *k);
	for (const struct pol_typed *t = fmt->typed; t && t->path; t++)
		consider(s, t->path);
	return s->edits <= (len < 5 ? 1 : len < 12 ? 2 : 4);
}

static void report(const struct edmm_policy *p, const struct pol_node *n,
		   const char *path, struct edmm_findings *f)
{
	const struct pol_format *fmt = pol_format(p->format);
	struct search s = { .path = path, .key = n->key };
	enum edmm_level level = fmt->closed ? EDMM_ERROR : EDMM_WARNING;
	struct edmm_finding *v;
	bool near;

	/* A path that was cut short has no parent to search below. */
	s.parent = strlen(path) >= strlen(n->key)
			   ? strlen(path) - strlen(n->key)
			   : 0;
	near = suggest(fmt, &s);
	if (!near && fmt->unlisted)
		level = EDMM_NOTE;
	v = pol_report(f, p->doc, &n->key_at, level, "P101",
		       "%s does not know '%s'", edmm_format_name(fmt->id),
		       path);
	pol_effect(v, fmt->closed ? "the file is refused"
				  : "it is ignored, or refused by newer tools");
	if (!near)
		return;
	pol_fix(v, "did you mean '%s'?", s.best);
	/* A name in the right place, spelled wrong: that can be mended. */
	if (s.edits > 0 && n->key_at.len == strlen(n->key))
		pol_repl(v, n->key_at.off, n->key_at.len, "%s", s.best);
	else if (s.edits > 0 && n->key_at.len == strlen(n->key) + 2)
		pol_repl(v, n->key_at.off + 1, n->key_at.len - 2, "%s", s.best);
}

/* path: of n, with [] for any index; room for more names behind it. */
static void walk(const struct edmm_policy *p, const struct pol_node *n,
		 char path[PATH_ROOM], struct edmm_findings *f)
{
	bool container = n->kind == POL_OBJECT || n->kind == POL_ARRAY;
	size_t len = strlen(path);

	if (len > 0 && !n->used &&
	    !known(pol_format(p->format), path, container) &&
	    !pol_typed_knows(p, n, container)) {
		if (n->key)
			report(p, n, path, f);
		return;
	}
	for (const struct pol_node *m = n->first; m; m = m->next) {
		snprintf(path + len, PATH_ROOM - len, "%s%s",
			 !m->key || len == 0 ? "" : ".",
			 m->key ? m->key : "[]");
		walk(p, m, path, f);
	}
	path[len] = '\0';
}

void pol_unknown(const struct edmm_policy *p, struct edmm_findings *f)
{
	const char *within = pol_format(p->format)->within;
	const struct pol_node *n = p->doc->root;
	char path[PATH_ROOM] = "";

	if (within) {
		n = pol_find(n, within);
		snprintf(path, sizeof(path), "%s", within);
	}
	if (n)
		walk(p, n, path, f);
}
