/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EPC's quota in the words of the misc cgroup: lines of a resource and a
 * number of bytes or max, of which sgx_epc is ours.
 */
#include "cli/machine/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define NAME "sgx_epc"
#define BLANK " \t\r"

static bool wrong(const char *where, unsigned line, size_t column,
		  const char *want)
{
	cli_error("%s:%u:%zu: wanted: %s", where, line, column + 1, want);
	return false;
}

/* One line; *out is NULL if it is of another resource. */
static bool parse_line(const char *where, unsigned line, const char *text,
		       const char **out)
{
	size_t key = strspn(text, BLANK), name = strcspn(text + key, BLANK);
	size_t val = key + name + strspn(text + key + name, BLANK);
	size_t len = strcspn(text + val, BLANK);

	*out = NULL;
	if (!text[key])
		return true;
	if (!len || (strncmp(text + val, "max", len) &&
		     strspn(text + val, "0123456789") != len))
		return wrong(where, line, val, "bytes or max");
	if (text[val + len + strspn(text + val + len, BLANK)])
		return wrong(where, line, val + len, "the end of the line");
	if (name == strlen(NAME) && !strncmp(text + key, NAME, name))
		*out = text + val;
	return true;
}

static bool take(const char *where, unsigned line, const char *value,
		 char quota[24])
{
	size_t n = strcspn(value, BLANK);

	if (n > 20)
		return wrong(where, line, 0, "a smaller number");
	memcpy(quota, value, n);
	quota[n] = 0;
	return true;
}

bool cli_quota(const char *text, char quota[24])
{
	const char *value = text;
	uint64_t n;

	if (!strncmp(text, NAME " ", strlen(NAME) + 1))
		return parse_line("--quota", 1, text, &value) && value &&
		       take("--quota", 1, value, quota);
	if (!strcmp(text, "max"))
		return take("--quota", 1, text, quota);
	if (!cli_size("--quota", text, &n))
		return false;
	snprintf(quota, 24, "%llu", (unsigned long long)n);
	return true;
}

bool cli_misc_max(const char *path, char quota[24])
{
	FILE *f = fopen(path, "re");
	char text[256];
	const char *value;
	bool ok = f, found = false;

	if (!f)
		cli_error("%s: %s", path, strerror(errno));
	for (unsigned line = 1; ok && fgets(text, sizeof(text), f); line++) {
		char *end = strchr(text, '\n');

		if (!end && !feof(f)) {
			ok = wrong(path, line, sizeof(text) - 1,
				   "a shorter line");
			break;
		}
		text[strcspn(text, "\n")] = 0;
		ok = parse_line(path, line, text, &value);
		if (ok && value) {
			found = true;
			ok = take(path, line, value, quota);
		}
	}
	if (f)
		fclose(f);
	if (ok && !found)
		cli_error("%s: no line '" NAME " BYTES' or '" NAME " max'",
			  path);
	return ok && found;
}
