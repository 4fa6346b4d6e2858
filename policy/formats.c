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

static bool is_named(const struct pol_format *fmt, const char *base)
{
	for (const char *const *n = fmt->files; *n; n++)
		if (**n == '*' ? ends_with(base, *n + 1)
			       : strcmp(base, *n) == 0)
			return true;
	return false;
}

enum edmm_format edmm_format_of_file(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	for (const struct pol_format *const *f = pol_formats; *f; f++)
		if (is_named(*f, base))
			return (*f)->id;
	return EDMM_FORMAT_NONE;
}

enum edmm_format pol_sniffed(const struct edmm_source *source)
{
	struct pol_sample t = { source->name, source->text, source->text,
				source->size };
	enum edmm_format best = EDMM_FORMAT_NONE;
	enum pol_sure most = POL_NOT;
	size_t i = 0;

	while (i < t.size && strchr(" \t\r\n", t.text[i]))
		i++;
	if (i == t.size)
		return EDMM_FORMAT_NONE;
	t.start += i;
	for (const struct pol_format *const *f = pol_formats; *f; f++) {
		enum pol_sure sure = (*f)->sniff ? (*f)->sniff(&t) : POL_NOT;

		if (sure > most) {
			most = sure;
			best = (*f)->id;
		}
	}
	return best;
}
