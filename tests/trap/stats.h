/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine's counters, of a program that may have it preloaded. */
#ifndef TESTS_TRAP_STATS_H
#define TESTS_TRAP_STATS_H

#include <dlfcn.h>

#include <edmm/machine.h>

#include "tests/must.h"

static inline struct edmm_machine_stats stats(void)
{
	struct edmm_machine_stats s = { .size = sizeof(s) };
	int (*get)(struct edmm_machine_stats *);

	*(void **)&get = dlsym(RTLD_DEFAULT, "edmm_machine_stats");
	MUST(get && !get(&s));
	return s;
}

#endif
