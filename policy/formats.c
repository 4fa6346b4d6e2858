/* SPDX-License-Identifier: BSD-3-Clause */
/* The formats that there are, and which of them a file is: format.h. */
#include "policy/format.h"

#include <string.h>

#define FORMAT(id, format, name) &pol_##format,
const struct pol_format *const pol_formats[] = { &pol_edmm,
						 EDMM_FORMATS(FORMAT) NULL };

#define NAME(id, format, name) name,
static const char *const names[] = { "none", "edmm", EDMM_FORMATS(NAME) };

const struct pol_format *pol_format(enum edmm_format id)
{
	return id && id < EDMM_FORMAT_COUNT ? pol_formats[id - 1] : NULL;
}

const char *edmm_format_name(enum edmm_format format)
{
	return names[format < EDMM_FORMAT_COUNT ? format : 0];
}

enum edmm_format edmm_format_by_name(const char *name)
{
	for (const struct pol_format *const *f = pol_formats; *f; f++)
		if (strcmp(names[(*f)->id], name) == 0)
			return (*f)->id;
	return EDMM_FORMAT_NONE;
}

const char *edmm_format_list(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct pol_format *const *f = pol_formats; *f; f++) {
		const char *behind = !f[1] ? "" : !f[2] ? " or " : ", ";

		if (used < size)
			used += (size_t)snprintf(text + used, size - used,
						 "%s%s", names[(*f)->id],
						 behind);
	}
	return text;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s);
	size_t m = strlen(end);

	return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* Whether a file's whole name, or its end, is one of a format's. */
static bool is_named(const struct pol_format *fmt, const char *base, bool whole)
{
	for (const char *const *n = fmt->files; *n; n++)
		if (whole ? strcmp(base, *n) == 0
			  : **n == '*' && ends_with(base, *n + 1))
			return true;
	return false;
}

static const char *base_of(const char *path)
{
	const char *base = strrchr(path, '/');

	return base ? base + 1 : path;
}

enum edmm_format edmm_format_of_file(const char *path)
{
	const char *base = base_of(path);

	for (int whole = 1; whole >= 0; whole--)
		for (const struct pol_format *const *f = pol_formats; *f; f++)
			if (is_named(*f, base, whole))
				return (*f)->id;
	return EDMM_FORMAT_NONE;
}

/* How sure a format is of a text: where two are as sure, names decide. */
static unsigned sure_of(const struct pol_format *fmt,
			const struct pol_sample *t)
{
	const char *base = base_of(t->name);
	unsigned sure = fmt->sniff ? fmt->sniff(t) : POL_NOT;
	unsigned by_name = POL_NOT;

	if (fmt->opens && *t->start != '\0' && !strchr(fmt->opens, *t->start))
		return POL_NOT;
	if (is_named(fmt, base, true))
		by_name = POL_BY_NAME;
	else if (is_named(fmt, base, false))
		by_name = POL_BY_ENDING;
	return 2 * (sure > by_name ? sure : by_name) + (by_name != POL_NOT);
}

enum edmm_format pol_format_of(const struct edmm_source *source)
{
	struct pol_sample t = { source->name, source->text, source->text,
				source->size };
	const struct pol_format *best = NULL;
	unsigned most = POL_NOT;
	size_t i = 0;

	while (i < t.size && strchr(" \t\r\n", t.text[i]))
		i++;
	t.start += i;
	if (i == t.size)
		return edmm_format_of_file(source->name);
	for (const struct pol_format *const *f = pol_formats; *f; f++) {
		unsigned sure = sure_of(*f, &t);

		if (sure > most) {
			most = sure;
			best = *f;
		}
	}
	/* What begins like this is of many, and none of their names is in it.
	 */
	if (best && best->opens && *t.start == '{' && most < 2 * POL_BY_NAME)
		best = NULL;
	return best ? best->id : EDMM_FORMAT_NONE;
}
