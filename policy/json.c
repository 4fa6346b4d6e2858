/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON: jansson decides what is valid and what a value is; a walk over the
 * same text, beside jansson's tree, says where each value stands. Before that,
 * comments and a trailing comma, which the Occlum documentation's own example
 * carries, become blanks, each with a warning; depth and the number of values
 * are bounded there too, before jansson allocates anything.
 */
#include <jansson.h>
#include <string.h>

#include "policy/keys.h"

struct scan {
	struct pol_doc *doc;
	struct edmm_findings *f;
	char *s; /* the text with what is not JSON blanked out */
	size_t n;
	size_t i;
	unsigned depth;
	size_t values;
	bool relaxed; /* the runtime takes `//` comments and trailing commas */
};

static edmm_err refuse(const struct scan *c, const char *what)
{
	struct pol_span at = { (uint32_t)c->i, 1 };

	pol_report(c->f, c->doc, &at, EDMM_ERROR, "P100", "%s", what);
	return -EDMM_EINVAL;
}

static void skip_string(struct scan *c)
{
	for (c->i++; c->i < c->n && c->s[c->i] != '"'; c->i++)
		if (c->s[c->i] == '\\')
			c->i++;
	c->i++;
}

static void overwrite(struct scan *c, size_t end)
{
	for (; c->i < end; c->i++)
		if (c->s[c->i] != '\n')
			c->s[c->i] = ' ';
}

static void blank(struct scan *c, size_t end, const char *what)
{
	struct pol_span at = { (uint32_t)c->i, (uint32_t)(end - c->i) };
	struct edmm_finding *v = pol_report(c->f, c->doc, &at, EDMM_WARNING,
					    "P106", "%s is not JSON", what);

	pol_effect(v, "its runtime's own tools refuse the file");
	pol_fix(v, "take it out");
	pol_repl(v, c->i, end - c->i, "%s", "");
	overwrite(c, end);
}

static edmm_err comment(struct scan *c)
{
	size_t end = c->i + 2;

	if (c->s[c->i + 1] == '/') {
		while (end < c->n && c->s[end] != '\n')
			end++;
		if (c->relaxed)
			overwrite(c, end);
		else
			blank(c, end, "a comment");
		return 0;
	}
	while (end + 1 < c->n && (c->s[end] != '*' || c->s[end + 1] != '/'))
		end++;
	if (end + 1 >= c->n)
		return refuse(c, "a comment without an end");
	blank(c, end + 2, "a comment");
	return 0;
}

/* Comments become blanks; what is bounded is counted. */
static edmm_err relax(struct scan *c)
{
	while (c->i < c->n) {
		char ch = c->s[c->i];
		edmm_err err = 0;

		if (ch == '"') {
			skip_string(c);
			continue;
		}
		if (ch == '/' && c->i + 1 < c->n &&
		    (c->s[c->i + 1] == '/' || c->s[c->i + 1] == '*')) {
			err = comment(c);
			if (err)
				return err;
			continue;
		}
		if (ch == '{' || ch == '[')
			c->depth++;
		else if ((ch == '}' || ch == ']') && c->depth > 0)
			c->depth--;
		if (c->depth > EDMM_POLICY_MAX_DEPTH)
			return refuse(c, "nested deeper than 32 levels");
		c->values += ch == ',' || ch == '{' || ch == '[';
		if (c->values > EDMM_POLICY_MAX_VALUES)
			return refuse(c, "more than 262144 values");
		c->i++;
	}
	return 0;
}

/* A comma before a closing bracket becomes a blank. */
static void trailing_commas(struct scan *c)
{
	for (c->i = 0; c->i < c->n;) {
		size_t j = c->i + 1;

		if (c->s[c->i] == '"') {
			skip_string(c);
			continue;
		}
		if (c->s[c->i] != ',') {
			c->i++;
			continue;
		}
		while (j < c->n && strchr(" \t\r\n", c->s[j]) &&
		       c->s[j] != '\0')
			j++;
		if (j < c->n && (c->s[j] == '}' || c->s[j] == ']') &&
		    c->relaxed)
			overwrite(c, c->i + 1);
		else if (j < c->n && (c->s[j] == '}' || c->s[j] == ']'))
			blank(c, c->i + 1, "a trailing comma");
		else
			c->i++;
	}
}

static void blanks(struct scan *c)
{
	while (c->i < c->n && strchr(" \t\r\n", c->s[c->i]))
		c->i++;
}

static struct pol_node *convert(struct scan *c, struct pol_node *parent,
				const char *key, json_t *v);

static void object(struct scan *c, struct pol_node *n, json_t *v)
{
	const char *key;
	json_t *member;

	json_object_foreach(v, key, member)
	{
		struct pol_span at;
		struct pol_node *m;

		blanks(c);
		c->i++; /* the opening brace, or a comma */
		blanks(c);
		at.off = (uint32_t)c->i;
		skip_string(c);
		at.len = (uint32_t)c->i - at.off;
		blanks(c);
		c->i++; /* the colon */
		m = convert(c, n, key, member);
		if (!m)
			return;
		m->key_at = at;
	}
	if (!n->first)
		c->i++;
	blanks(c);
	c->i++;
}

static void array(struct scan *c, struct pol_node *n, json_t *v)
{
	json_t *element;
	size_t i;

	json_array_foreach(v, i, element)
	{
		blanks(c);
		c->i++;
		if (!convert(c, n, NULL, element))
			return;
	}
	if (!n->first)
		c->i++;
	blanks(c);
	c->i++;
}

static void scalar(struct scan *c, struct pol_node *n, json_t *v)
{
	size_t start = c->i;

	if (json_is_string(v)) {
		n->str = pol_strndup(c->doc, json_string_value(v),
				     json_string_length(v));
		skip_string(c);
		return;
	}
	n->num = json_is_integer(v) ? json_integer_value(v) : json_is_true(v);
	while (c->i < c->n && !strchr(" \t\r\n,]}", c->s[c->i]))
		c->i++;
	if (n->kind == POL_REAL)
		n->str = pol_strndup(c->doc, c->s + start, c->i - start);
}

static enum pol_kind kind_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return POL_OBJECT;
	case JSON_ARRAY:
		return POL_ARRAY;
	case JSON_STRING:
		return POL_STRING;
	case JSON_INTEGER:
		return POL_INT;
	case JSON_REAL:
		return POL_REAL;
	case JSON_NULL:
		return POL_NULL;
	default:
		return POL_BOOL;
	}
}

static struct pol_node *convert(struct scan *c, struct pol_node *parent,
				const char *key, json_t *v)
{
	struct pol_node *n = pol_node_new(c->doc, parent, kind_of(v), key);

	if (!n)
		return NULL;
	blanks(c);
	n->at.off = (uint32_t)c->i;
	if (n->kind == POL_OBJECT)
		object(c, n, v);
	else if (n->kind == POL_ARRAY)
		array(c, n, v);
	else
		scalar(c, n, v);
	n->at.len = (uint32_t)c->i - n->at.off;
	return c->doc->oom ? NULL : n;
}

static edmm_err parse(struct scan *c)
{
	json_error_t e;
	json_t *v = json_loadb(c->s, c->n, JSON_REJECT_DUPLICATES, &e);
	edmm_err err = 0;

	if (!v) {
		/* jansson's position is one past what it did not like. */
		c->i = e.position > 0 ? (size_t)e.position - 1 : 0;
		return refuse(c, e.text);
	}
	c->i = 0;
	if (!json_is_object(v))
		err = refuse(c, "the file must be one JSON object");
	else if (!convert(c, NULL, NULL, v))
		err = -EDMM_ENOMEM;
	json_decref(v);
	return err;
}

static edmm_err read_text(struct scan *c)
{
	edmm_err err;

	/* jansson takes no NUL; pol_strndup's copy ends with one. */
	c->n = c->doc->size;
	c->s = (char *)(uintptr_t)pol_strndup(c->doc, c->doc->text, c->n);
	if (!c->s)
		return -EDMM_ENOMEM;
	err = relax(c);
	if (err)
		return err;
	trailing_commas(c);
	return parse(c);
}

edmm_err pol_json_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	struct scan c = { .doc = doc, .f = f };

	return read_text(&c);
}

edmm_err pol_jsonc_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	struct scan c = { .doc = doc, .f = f, .relaxed = true };

	return read_text(&c);
}
