/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which language a text is in is not asked here, only whether the outermost
 * names of a file in that language are those of a format. It is asked before a
 * parser has looked: text of any kind may come, so nothing recurses, and no
 * more than NAMES_MOST names are looked at.
 */
#include <ctype.h>
#include <string.h>

#include "policy/format.h"

#define NAMES_MOST 1000u

/* A name as it stands in the text. */
struct name {
	const char *s;
	size_t len;
};

/* The first component of a path is this name. */
static bool begins(const char *path, const struct name *n)
{
	return strncmp(path, n->s, n->len) == 0 &&
	       (path[n->len] == '\0' || path[n->len] == '.' ||
		path[n->len] == '[');
}

static bool is_of(const struct pol_format *fmt, const struct name *n)
{
	if (n->len == 0)
		return false;
	for (const struct pol_map *m = fmt->map; m->path; m++)
		if (begins(m->path, n))
			return true;
	for (const char *const *k = fmt->known; k && *k; k++)
		if (begins(*k, n))
			return true;
	for (const struct pol_typed *t = fmt->typed; t && t->path; t++)
		if (begins(t->path, n))
			return true;
	return false;
}

/* No more than half of the names: they are a format's by chance. */
static unsigned verdict(unsigned names, unsigned of)
{
	return names > of - names ? POL_BY_KEYS + names : POL_NOT;
}

/* ---- JSON ------------------------------------------------------------- */

/* Behind a string that begins at @s, or at the text's end. */
static const char *string_end(const char *s, const char *end)
{
	for (s++; s < end && *s != '"'; s++)
		if (*s == '\\' && s + 1 < end)
			s++;
	return s < end ? s + 1 : end;
}

/* Behind a comment that begins at @s; @s itself where none does. */
static const char *comment_end(const char *s, const char *end)
{
	const char *close;

	if (end - s < 2 || s[0] != '/' || (s[1] != '/' && s[1] != '*'))
		return s;
	close = s[1] == '/' ? memchr(s, '\n', (size_t)(end - s))
			    : memmem(s + 2, (size_t)(end - s - 2), "*/", 2);
	return close ? close + 1 : end;
}

/* A colon follows on what ends at @behind. */
static bool names_value(const char *behind, const char *end)
{
	while (behind < end && isspace((unsigned char)*behind))
		behind++;
	return behind < end && *behind == ':';
}

unsigned pol_json_names(const struct pol_format *fmt,
			const struct pol_sample *t)
{
	const char *end = t->text + t->size;
	unsigned depth = 0, seen = 0, found = 0;

	for (const char *s = t->start; s < end && seen < NAMES_MOST;) {
		const char *behind = comment_end(s, end);

		if (behind != s) {
			s = behind;
			continue;
		}
		if (*s == '"') {
			struct name n = { s + 1, 0 };

			behind = string_end(s, end);
			if (behind - s >= 2)
				n.len = (size_t)(behind - s) - 2;
			/* Any file may have a version. */
			if (depth == 1 && names_value(behind, end) &&
			    !begins("version", &n)) {
				seen++;
				found += is_of(fmt, &n);
			}
			s = behind;
			continue;
		}
		if (*s == '{' || *s == '[')
			depth++;
		else if ((*s == '}' || *s == ']') && depth > 0)
			depth--;
		s++;
	}
	return verdict(found, seen);
}

/* ---- lines ------------------------------------------------------------ */

/* The next line without blanks before it; false at the text's end. */
static bool next_line(const struct pol_sample *t, const char **at,
		      struct name *line)
{
	const char *end = t->text + t->size;
	const char *stop;

	if (*at >= end)
		return false;
	stop = memchr(*at, '\n', (size_t)(end - *at));
	if (!stop)
		stop = end;
	line->s = *at;
	while (line->s < stop && isspace((unsigned char)*line->s))
		line->s++;
	line->len = (size_t)(stop - line->s);
	*at = stop < end ? stop + 1 : end;
	return true;
}

/* Its name: up to one of @stop; none where the line ends before. */
static struct name name_of(const struct name *line, const char *stop)
{
	struct name n = { line->s, 0 };

	while (n.len < line->len &&
	       (isalnum((unsigned char)n.s[n.len]) || n.s[n.len] == '_'))
		n.len++;
	if (n.len == line->len || !strchr(stop, n.s[n.len]))
		n.len = 0;
	return n;
}

/* Dotted keys before the first table, and the tables. */
unsigned pol_toml_names(const struct pol_format *fmt,
			const struct pol_sample *t)
{
	const char *at = t->start;
	unsigned seen = 0, found = 0;
	bool table = false;
	struct name line;

	while (seen < NAMES_MOST && next_line(t, &at, &line)) {
		bool header = line.len > 0 && line.s[0] == '[';
		struct name n;

		while (header && line.len > 0 && line.s[0] == '[') {
			line.s++;
			line.len--;
		}
		table |= header;
		if (table && !header)
			continue;
		n = name_of(&line, header ? ".]" : ".= \t");
		seen += n.len > 0;
		found += is_of(fmt, &n);
	}
	return verdict(found, found);
}

static void skip_word(struct name *line, const char *word)
{
	size_t n = strlen(word);

	if (line->len > n && strncmp(line->s, word, n) == 0) {
		line->s += n;
		line->len -= n;
	}
}

unsigned pol_line_names(const struct pol_format *fmt,
			const struct pol_sample *t)
{
	const char *at = t->start;
	unsigned seen = 0, found = 0;
	struct name line;

	while (seen < NAMES_MOST && next_line(t, &at, &line)) {
		struct name n;

		skip_word(&line, "export ");
		skip_word(&line, "ENV ");
		n = name_of(&line, "= \t");
		seen += n.len > 0;
		found += is_of(fmt, &n);
	}
	return verdict(found, found);
}
