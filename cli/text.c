/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on standard error; sizes and numbers of options.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

void cli_error(const char *format, ...)
{
	char line[1024];
	va_list ap;

	/* One write, so that lines of several processes do not mix. */
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fprintf(stderr, "edmm: %s\n", line);
}

int cli_usage(const char *verb, const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	cli_error("%s: %s (edmm %s --help)", verb, line, verb);
	return CLI_USAGE;
}

/* The power of 1024 of a unit such as K, MB or GiB; -1 if there is none. */
static int unit_power(const char *u)
{
	static const char units[] = "KMGTP";
	const char *at;

	if (!*u || !strcasecmp(u, "B"))
		return 0;
	at = strchr(units, toupper((unsigned char)*u));
	if (!at || !*at)
		return -1;
	u++;
	if (*u && strcasecmp(u, "B") && strcasecmp(u, "iB"))
		return -1;
	return (int)(at - units) + 1;
}

bool cli_size(const char *option, const char *text, uint64_t *size)
{
	char *end;
	uint64_t n;
	int power;

	errno = 0;
	n = strtoull(text, &end, 0);
	power = unit_power(end);
	if (!isdigit((unsigned char)*text) || power < 0) {
		cli_error("%s: '%s' is no size; write for example 4096, 64K, "
			  "256M or 2G",
			  option, text);
		return false;
	}
	if (errno || (power && n >> (64 - 10 * power))) {
		cli_error("%s: '%s' is too large; at most 128T", option, text);
		return false;
	}
	*size = n << 10 * power;
	return true;
}

bool cli_number(const char *option, const char *text, uint64_t max,
		uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno || *number > max) {
		cli_error("%s: '%s' is no number from 0 to %llu", option, text,
			  (unsigned long long)max);
		return false;
	}
	return true;
}
