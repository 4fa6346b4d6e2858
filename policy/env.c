/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that are lines: SCONE's two, and Open Enclave's.
 *
 * Variables: `SCONE_X=value`, with `export ` or a Dockerfile's `ENV ` before
 * it if need be, quotes around the value if need be; # starts a comment line.
 * Other variables, and other lines of a SCONE_VERSION=1 report, are passed
 * over. The last of two equal names wins, as in a shell.
 *
 * sgx-musl.conf: a letter and its values: Q n (queues), H bytes (heap), and
 * lines (P, L, e, s) that are kept as they are.
 *
 * And Open Enclave's .conf: `Name=value`, or with blanks between; # starts a
 * comment line. A name stands once.
 */
#include <ctype.h>
#include <string.h>

#include "policy/keys.h"

struct line {
	const char *s; /* without blanks at both ends */
	size_t len;
	uint32_t off;
};

static bool next_line(const struct pol_doc *doc, size_t *at, struct line *l)
{
	size_t end = *at;
	size_t begin = *at;

	if (*at >= doc->size)
		return false;
	while (end < doc->size && doc->text[end] != '\n')
		end++;
	*at = end + 1;
	while (begin < end && isspace((unsigned char)doc->text[begin]))
		begin++;
	while (end > begin && isspace((unsigned char)doc->text[end - 1]))
		end--;
	l->s = doc->text + begin;
	l->len = end - begin;
	l->off = (uint32_t)begin;
	return true;
}

static void advance(struct line *l, size_t n)
{
	l->s += n;
	l->off += (uint32_t)n;
	l->len -= n;
	while (l->len > 0 && isspace((unsigned char)*l->s)) {
		l->s++;
		l->off++;
		l->len--;
	}
}

static bool starts(const struct line *l, const char *word)
{
	size_t n = strlen(word);

	return l->len >= n && memcmp(l->s, word, n) == 0;
}

/* The value: out of its quotes, or up to a blank. */
static void unquote(struct line *l)
{
	if (l->len >= 2 && (*l->s == '"' || *l->s == '\'')) {
		const char *end = memchr(l->s + 1, *l->s, l->len - 1);

		if (!end)
			return;
		l->s++;
		l->off++;
		l->len = (size_t)(end - l->s);
		return;
	}
	/* A shell's word ends at a blank; a report's "yes (protected)" does
	 * not. */
	for (size_t i = 0; i + 1 < l->len; i++) {
		if (isspace((unsigned char)l->s[i]) && l->s[i + 1] != '(') {
			l->len = i;
			break;
		}
	}
	while (l->len > 0 && isspace((unsigned char)l->s[l->len - 1]))
		l->len--;
}

static size_t name_length(const struct line *l)
{
	size_t n = 0;

	while (n < l->len &&
	       (isalnum((unsigned char)l->s[n]) || l->s[n] == '_'))
		n++;
	return n;
}

static void replaced(struct pol_doc *doc, struct edmm_findings *f,
		     const struct pol_node *n, struct pol_span key)
{
	struct edmm_finding *v = pol_report(f, doc, &key, EDMM_WARNING, "P105",
					    "%s is set twice", n->key);

	pol_effect(v, "the later line wins");
}

static edmm_err variable(struct pol_doc *doc, struct edmm_findings *f,
			 struct line l)
{
	struct pol_node *n;
	struct pol_span key;
	char name[64];

	if (starts(&l, "export "))
		advance(&l, 7);
	else if (starts(&l, "ENV "))
		advance(&l, 4);
	key = (struct pol_span){ l.off, (uint32_t)name_length(&l) };
	if (!starts(&l, "SCONE_") || key.len >= sizeof(name))
		return 0;
	memcpy(name, l.s, key.len);
	name[key.len] = '\0';
	if (key.len == l.len)
		return 0;
	advance(&l, key.len);
	if (*l.s == '=')
		advance(&l, 1);
	unquote(&l);
	n = pol_member(doc->root, name);
	if (n)
		replaced(doc, f, n, key);
	else
		n = pol_node_new(doc, doc->root, POL_STRING, name);
	if (!n)
		return -EDMM_ENOMEM;
	n->key_at = key;
	n->at = (struct pol_span){ l.off, (uint32_t)l.len };
	n->str = pol_strndup(doc, l.s, l.len);
	return 0;
}

static edmm_err bad_line(struct pol_doc *doc, struct edmm_findings *f,
			 const struct line *l, const char *what)
{
	struct pol_span at = { l->off, (uint32_t)l->len };

	pol_report(f, doc, &at, EDMM_ERROR, "P100", "%s", what);
	return -EDMM_EINVAL;
}

static edmm_err conf_line(struct pol_doc *doc, struct edmm_findings *f,
			  struct line l)
{
	char name[2] = { *l.s, '\0' };
	bool setting = *l.s == 'Q' || *l.s == 'H';
	struct pol_node *n;
	uint32_t off = l.off;

	if (!strchr("QHPLes", *l.s) || l.len < 3 ||
	    !isspace((unsigned char)l.s[1]))
		return bad_line(
			doc, f, &l,
			"not a line of sgx-musl.conf (Q n, H bytes, "
			"P n, L s, e CPU QUEUE FLAG, s CPU QUEUE FLAG)");
	if (setting) {
		n = pol_member(doc->root, name);
		if (n)
			replaced(doc, f, n, (struct pol_span){ off, 1 });
		else
			n = pol_node_new(doc, doc->root, POL_STRING, name);
		advance(&l, 1);
	} else {
		n = pol_make(doc, doc->root, "lines", POL_ARRAY);
		if (n)
			n = pol_node_new(doc, n, POL_STRING, NULL);
	}
	if (!n)
		return -EDMM_ENOMEM;
	if (setting)
		n->key_at = (struct pol_span){ off, 1 };
	n->at = (struct pol_span){ l.off, (uint32_t)l.len };
	n->str = pol_strndup(doc, l.s, l.len);
	return 0;
}

/* Up to the first blank or `=`, and behind the last of them that follow. */
static edmm_err oe_line(struct pol_doc *doc, struct edmm_findings *f,
			struct line l)
{
	struct pol_span key = { l.off, (uint32_t)name_length(&l) };
	struct pol_node *n;
	char name[64];

	if (key.len == 0 || key.len >= sizeof(name) || key.len == l.len ||
	    !strchr(" \t=", l.s[key.len]))
		return bad_line(doc, f, &l,
				"not a line of Open Enclave's configuration: "
				"write Name=value, as in NumTCS=4");
	memcpy(name, l.s, key.len);
	name[key.len] = '\0';
	advance(&l, key.len);
	while (l.len > 0 && *l.s == '=')
		advance(&l, 1);
	if (l.len == 0)
		return bad_line(doc, f, &l, "a value is wanted behind the =");
	if (pol_member(doc->root, name)) {
		pol_fix(pol_report(f, doc, &key, EDMM_ERROR, "P100",
				   "%s is set twice, and oesign refuses that",
				   name),
			"take one of them out");
		return -EDMM_EINVAL;
	}
	n = pol_node_new(doc, doc->root, POL_STRING, name);
	if (!n)
		return -EDMM_ENOMEM;
	n->key_at = key;
	n->at = (struct pol_span){ l.off, (uint32_t)l.len };
	n->str = pol_strndup(doc, l.s, l.len);
	return 0;
}

static edmm_err parse_lines(struct pol_doc *doc, struct edmm_findings *f,
			    edmm_err (*one)(struct pol_doc *,
					    struct edmm_findings *,
					    struct line))
{
	struct line l;
	size_t at = 0;
	edmm_err err = 0;

	if (!pol_node_new(doc, NULL, POL_OBJECT, NULL))
		return -EDMM_ENOMEM;
	while (!err && next_line(doc, &at, &l)) {
		if (l.len == 0 || *l.s == '#')
			continue;
		if (doc->values > 4096)
			return bad_line(doc, f, &l, "more than 4096 values");
		err = one(doc, f, l);
	}
	return doc->oom ? -EDMM_ENOMEM : err;
}

edmm_err pol_env_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	return parse_lines(doc, f, variable);
}

edmm_err pol_oe_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	return parse_lines(doc, f, oe_line);
}

edmm_err pol_conf_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	return parse_lines(doc, f, conf_line);
}
