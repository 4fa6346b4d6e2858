/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gramine's manifests are made out of templates of Jinja. One that was not
 * rendered is read as far as it says something: statements become blanks (the
 * first branch of an `if` stays, the body of a `for` once), an expression
 * becomes a text of the same length. So every place stays what it is, and
 * pol_templated() sees by the original which values are not known.
 */
#include <ctype.h>
#include <string.h>

#include "policy/keys.h"

struct scan {
	const char *text; /* as it is */
	char *s;	  /* as TOML is to see it */
	size_t n;
};

/* Behind the mark that ends what begins at @i; 0 where none does. */
static size_t end_of(const struct scan *c, size_t i, const char *mark)
{
	const char *p = memmem(c->text + i, c->n - i, mark, 2);

	return p ? (size_t)(p - c->text) + 2 : 0;
}

static void blank(struct scan *c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (c->s[i] != '\n')
			c->s[i] = ' ';
}

/* The word that a statement begins with. */
static bool begins(const struct scan *c, size_t i, const char *word)
{
	size_t len = strlen(word);

	i += 2;
	if (c->text[i] == '-' || c->text[i] == '+')
		i++;
	while (isspace((unsigned char)c->text[i]))
		i++;
	return strncmp(c->text + i, word, len) == 0 &&
	       !isalnum((unsigned char)c->text[i + len]);
}

/* What is open, and since where a second branch is left out. */
struct branches {
	unsigned depth;
	unsigned out; /* depth of the `if` whose branch is left out; 0: none */
	size_t from;
};

static void statement(struct scan *c, struct branches *b, size_t from,
		      size_t to)
{
	bool ends = begins(c, from, "endif") || begins(c, from, "endfor");

	if (begins(c, from, "if") || begins(c, from, "for")) {
		b->depth++;
	} else if (begins(c, from, "else") || begins(c, from, "elif")) {
		if (b->out == 0 && b->depth > 0) {
			b->out = b->depth;
			b->from = from;
		}
	} else if (ends && b->depth > 0) {
		if (b->out == b->depth) {
			blank(c, b->from, to);
			b->out = 0;
		}
		b->depth--;
	}
	blank(c, from, to);
}

static void statements(struct scan *c)
{
	struct branches b = { 0 };
	size_t end;

	for (size_t i = 0; i + 1 < c->n; i = end) {
		end = i + 1;
		if (c->text[i] != '{' ||
		    (c->text[i + 1] != '%' && c->text[i + 1] != '#'))
			continue;
		end = end_of(c, i + 2, c->text[i + 1] == '%' ? "%}" : "#}");
		if (end == 0)
			return;
		if (c->text[i + 1] == '%')
			statement(c, &b, i, end);
		else
			blank(c, i, end);
	}
}

/* Behind an expression at @i, and others that follow at once; 0 where it does
 * not end in this line. */
static size_t expression_end(const struct scan *c, size_t i)
{
	size_t end = i;

	while (end + 1 < c->n && c->s[end] == '{' && c->s[end + 1] == '{') {
		size_t next = end_of(c, end + 2, "}}");

		if (next == 0 || memchr(c->s + end, '\n', next - end))
			return end > i ? end : 0;
		end = next;
	}
	return end > i ? end : 0;
}

static void fill(struct scan *c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if ((unsigned char)c->s[i] < 0x80)
			c->s[i] = '_';
}

/* A value that is one expression, with what hangs on it, as `{{ n }}M`. */
static size_t bare(struct scan *c, size_t from, size_t to)
{
	while (to < c->n && (isalnum((unsigned char)c->s[to]) ||
			     c->s[to] == '_' || c->s[to] == '.'))
		to++;
	fill(c, from, to);
	c->s[from] = '"';
	c->s[to - 1] = '"';
	return to;
}

/* The quotes that open or close a text at @i: their number. */
static size_t quotes(const struct scan *c, size_t i, char quote)
{
	if (c->s[i] != quote)
		return 0;
	return c->s[i + 1] == quote && c->s[i + 2] == quote ? 3 : 1;
}

/* Where TOML's texts and comments are, so that an expression is replaced as it
 * stands. */
static void expressions(struct scan *c)
{
	size_t open = 0; /* quotes that opened the text that this is in */
	char quote = 0;

	for (size_t i = 0; i < c->n;) {
		size_t end = expression_end(c, i);

		if (end > 0 && open == 0) {
			i = bare(c, i, end);
		} else if (end > 0) {
			fill(c, i, end);
			i = end;
		} else if (open > 0 && c->s[i] == '\\' && quote == '"') {
			i += 2;
		} else if (open > 0) {
			size_t n = quotes(c, i, quote);

			if (n >= open || (open == 1 && c->s[i] == '\n'))
				n = open, open = 0;
			i += n > 0 && open == 0 ? n : 1;
		} else if (c->s[i] == '#') {
			while (i < c->n && c->s[i] != '\n')
				i++;
		} else {
			quote = c->s[i] == '\'' ? '\'' : '"';
			open = quotes(c, i, quote);
			i += open > 0 ? open : 1;
		}
	}
}

bool pol_is_template(const struct pol_doc *doc)
{
	static const char marks[][3] = { "{{", "{%", "{#" };

	for (unsigned i = 0; i < 3; i++)
		if (memmem(doc->text, doc->size, marks[i], 2))
			return true;
	return false;
}

edmm_err pol_template_relax(struct pol_doc *doc)
{
	struct scan c = { .text = doc->text, .n = doc->size };

	c.s = (char *)(uintptr_t)pol_strndup(doc, doc->text, doc->size);
	if (!c.s)
		return -EDMM_ENOMEM;
	statements(&c);
	expressions(&c);
	doc->relaxed = c.s;
	return 0;
}

bool pol_templated(const struct pol_doc *doc, const struct pol_node *n)
{
	size_t begin = n->at.off;
	size_t end = begin + n->at.len;

	if (!doc->relaxed || n->kind == POL_OBJECT || n->kind == POL_ARRAY)
		return false;
	/* The bare one's first quote stands on its first brace. */
	if (end > doc->size)
		end = doc->size;
	if (memmem(doc->text + begin, end - begin, "{{", 2))
		return true;
	while (begin > 0 &&
	       (doc->text[begin - 1] == ' ' || doc->text[begin - 1] == '\t'))
		begin--;
	return begin > 1 && memcmp(doc->text + begin - 2, "%}", 2) == 0;
}
