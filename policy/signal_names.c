/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of the signals that a host may send to a program, by Linux's numbers on
 * x86-64: all but those that nobody catches and those of faults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edmm/policy.h"

#define REAL_TIME 32
#define BLANKS " \t,"

static const char *const names[REAL_TIME] = {
	[1] = "HUP",	[2] = "INT",	 [3] = "QUIT",	  [6] = "ABRT",
	[10] = "USR1",	[12] = "USR2",	 [13] = "PIPE",	  [14] = "ALRM",
	[15] = "TERM",	[16] = "STKFLT", [17] = "CHLD",	  [18] = "CONT",
	[20] = "TSTP",	[21] = "TTIN",	 [22] = "TTOU",	  [23] = "URG",
	[24] = "XCPU",	[25] = "XFSZ",	 [26] = "VTALRM", [27] = "PROF",
	[28] = "WINCH", [29] = "IO",	 [30] = "PWR",
};

_Static_assert(EDMM_SIGNALS_DEFAULT == (1 << 0 | 1 << 1 | 1 << 9 | 1 << 11 |
					1 << 12 | 1 << 14 | 1 << 16 | 1 << 27),
	       "HUP INT USR1 USR2 PIPE TERM CHLD WINCH");

/* 0: none. */
static unsigned number(const char *s, size_t len)
{
	char text[4] = "";
	unsigned long n;

	for (unsigned i = 1; i < REAL_TIME; i++)
		if (names[i] && strlen(names[i]) == len &&
		    !memcmp(names[i], s, len))
			return i;
	if (len != 2 || strspn(s, "0123456789") < 2)
		return 0;
	memcpy(text, s, len);
	n = strtoul(text, NULL, 10);
	return n >= REAL_TIME && n <= 64 ? (unsigned)n : 0;
}

bool edmm_signals_parse(const char *text, uint64_t *mask)
{
	*mask = 0;
	for (text += strspn(text, BLANKS); *text;
	     text += strspn(text, BLANKS)) {
		size_t len = strcspn(text, BLANKS);
		unsigned n = number(text, len);

		if (!n)
			return false;
		*mask |= 1ull << (n - 1);
		text += len;
	}
	return true;
}

const char *edmm_signals_text(uint64_t mask, char text[EDMM_SIGNALS_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned n = 1; n <= 64; n++) {
		const char *name = n < REAL_TIME ? names[n] : "";

		if (!(mask >> (n - 1) & 1) || !name)
			continue;
		used += (size_t)snprintf(text + used, EDMM_SIGNALS_TEXT - used,
					 n < REAL_TIME ? "%s%s" : "%s%s%u",
					 used ? " " : "", name, n);
	}
	return text;
}
