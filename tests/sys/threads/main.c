/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads by POSIX, each case by the clause that it is of: natively and in an
 * enclave the same words. What a schedule decides is not printed.
 */
#include "tests/sys/threads/cases.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct group {
	const char *name;
	const struct threads_case *cases;
} groups[] = {
	{ "life", threads_life },     { "locks", threads_locks },
	{ "waits", threads_waits },   { "signals", threads_signals },
	{ "memory", threads_memory }, { "futex", threads_futex },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int threads_failed;

static void run(const struct group *g, const char *only)
{
	for (const struct threads_case *c = g->cases; c->fn; c++) {
		if (only && strcmp(only, g->name) != 0 &&
		    strcmp(only, c->name) != 0)
			continue;
		printf("%s %s: ", g->name, c->name);
		fflush(stdout);
		alarm(120);
		c->fn();
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < COUNT(groups); i++)
		run(&groups[i], argc > 1 ? argv[1] : NULL);
	return threads_failed != 0;
}
