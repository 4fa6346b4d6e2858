/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The day in a signature: YYYY-MM-DD, SOURCE_DATE_EPOCH, or today; in BCD, as
 * a SIGSTRUCT has it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

/* The end of the year 9999, the last that BCD has room for. */
#define EPOCH_MAX 253402300799ull

static unsigned days_of(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30,
					      31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29u : days[month - 1];
}

/* Eight digits in a row, without the dashes; false where it is not that. */
static bool digits_of(const char *text, char digits[9])
{
	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
		return false;
	memcpy(digits, text, 4);
	memcpy(digits + 4, text + 5, 2);
	memcpy(digits + 6, text + 8, 3);
	return strspn(digits, "0123456789") == 8;
}

bool cli_day(const char *text, uint32_t *date)
{
	unsigned y, m, d;
	char digits[9];
	bool none = !strcmp(text, "0000-00-00");

	if (digits_of(text, digits) &&
	    sscanf(digits, "%4u%2u%2u", &y, &m, &d) == 3 &&
	    (none || (m >= 1 && m <= 12 && d >= 1 && d <= days_of(y, m)))) {
		*date = (uint32_t)strtoul(digits, NULL, 16);
		return true;
	}
	cli_error("--date: '%s' is no day; write YYYY-MM-DD, or 0000-00-00 "
		  "for none",
		  text);
	return false;
}

/* Seconds since 1970 in decimal, and nothing else: reproducible-builds.org. */
static bool epoch(const char *text, time_t *t)
{
	size_t n = strspn(text, "0123456789");
	unsigned long long s = n <= 12 ? strtoull(text, NULL, 10) : ~0ull;

	if (n > 0 && text[n] == '\0' && s <= EPOCH_MAX) {
		*t = (time_t)s;
		return true;
	}
	cli_error("SOURCE_DATE_EPOCH: '%.40s' is no number of seconds since "
		  "1970, up to the year 9999",
		  text);
	return false;
}

bool cli_today(uint32_t *date)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	time_t now = time(NULL);
	char digits[16];
	struct tm tm;

	if (text && *text && !epoch(text, &now))
		return false;
	if (!gmtime_r(&now, &tm) ||
	    !strftime(digits, sizeof(digits), "%Y%m%d", &tm)) {
		cli_error("the clock shows no day");
		return false;
	}
	*date = (uint32_t)strtoul(digits, NULL, 16);
	return true;
}
