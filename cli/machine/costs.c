/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cost tables of edmm sim and edmm trace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine/watch.h"
#include "machine/watch/counters.h"

#define TABLE_SIZE 0x10000u

void cli_print_cost_table(void)
{
	fputs(watch_cost_default, stdout);
}

static bool parse(const char *path, const char *text, size_t size,
		  struct watch_costs *out)
{
	struct watch_error e;

	if (watch_costs_parse(text, size, out, &e))
		return true;
	cli_error("%s:%u:%u: wanted: %s", path, e.line, e.column, e.want);
	return false;
}

bool cli_cost_table(const char *path, struct watch_costs *out)
{
	char *text;
	size_t n = 0;
	FILE *f;
	bool ok;

	if (!strcmp(path, "default"))
		return parse(path, watch_cost_default,
			     strlen(watch_cost_default), out);
	f = fopen(path, "re");
	text = malloc(TABLE_SIZE);
	ok = f && text;
	if (ok) {
		n = fread(text, 1, TABLE_SIZE, f);
		ok = !ferror(f) && n < TABLE_SIZE;
		errno = ok ? 0 : n < TABLE_SIZE ? EIO : EFBIG;
	}
	if (ok)
		ok = parse(path, text, n, out);
	else
		cli_error("%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	free(text);
	return ok;
}
