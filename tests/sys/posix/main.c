/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs cases: all that come back, those named, or all from one on. A line each:
 * name, clause, words; where POSIX's are others, those, too. --list: the
 * tables.
 */
#include "tests/sys/posix/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct posix_case *const tables[] = {
	posix_life,	  posix_attrs,	  posix_mutexes,      posix_robust,
	posix_conds,	  posix_rwlocks,  posix_meet,	      posix_semaphores,
	posix_keys,	  posix_cancel,	  posix_cancel_conds, posix_points,
	posix_masks,	  posix_handlers, posix_sigwaits,     posix_timers,
	posix_interrupts, posix_streams,  posix_c11,	      posix_ends,
};

/* Each case finds what a program finds at its start. */
static void reset(void)
{
	sigset_t none;

	alarm(0);
	for (int sig = 1; sig < NSIG; sig++) {
		/* To ignore a signal takes those back that are pending. */
		if (signal(sig, SIG_IGN) != SIG_ERR)
			signal(sig, SIG_DFL);
	}
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	atomic_store(&handled, 0);
	handled_by = (pthread_t)0;
}

static int run(const struct posix_case *c)
{
	const char *words;
	int wrong;

	reset();
	printf("%s [%s]:", c->name, c->clause);
	fflush(stdout);
	c->fn();
	words = answer_take();
	wrong = strcmp(words, c->words) != 0;
	printf(" %s", words);
	if (wrong)
		printf(" -- POSIX: %s", c->words);
	printf("\n");
	fflush(stdout);
	return wrong;
}

static int list(void)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct posix_case *c = tables[i]; c->name; c++)
			printf("%s\t%s\t%s\t%s\n", c->own ? "own" : "all",
			       c->name, c->clause, c->words);
	return 0;
}

/* Which are meant: names, or those that come back, from one on. */
struct wish {
	char *const *names;
	const char *from;
};

static int meant(struct wish *w, const struct posix_case *c)
{
	if (!w->names) {
		if (w->from && strcmp(c->name, w->from) != 0)
			return 0;
		w->from = NULL;
		return !c->own;
	}
	for (char *const *name = w->names; *name; name++)
		if (strcmp(c->name, *name) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct wish wish = { argc > 1 ? argv + 1 : NULL, NULL };
	int wrong = 0;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc == 3 && strcmp(argv[1], "--from") == 0)
		wish = (struct wish){ NULL, argv[2] };
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct posix_case *c = tables[i]; c->name; c++)
			if (meant(&wish, c))
				wrong |= run(c);
	return wrong;
}
