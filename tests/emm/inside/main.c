/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1]: the number of the only test to run, if there is one. */
#include <check.h>

#include "trusted/rt/rt.h"

static const char *next(const char *s)
{
	while (*s)
		s++;
	return s + 1;
}

int rt_main(const struct rt_args *a)
{
	const char *s = next(a->block);

	rt_stats_main();
	if (a->argc > 1) {
		for (inside_only = 0; *s >= '0' && *s <= '9'; s++)
			inside_only = inside_only * 10 + (*s - '0');
	}
	return inside_main();
}
