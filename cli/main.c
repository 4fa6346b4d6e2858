/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm: the command. Finds the verb and calls it.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "edmm/version.h"
#include "policy/keys.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

#define ROW(name, summary) { #name, verb_##name, summary },
static const struct verb verbs[] = { CLI_VERBS(ROW) };
#undef ROW

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* Edits between what was typed and what may have been meant. */
#define NEAR 2u

static void overview(FILE *f)
{
	size_t i;

	fputs("usage: edmm VERB [OPTION]... [ARGUMENT]...\n\n", f);
	for (i = 0; i < VERBS; i++)
		fprintf(f, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nedmm VERB --help tells a verb's options; man edmm has more.\n",
	      f);
}

/* The verb that @name may have been meant as, or NULL. */
static const struct verb *nearest(const char *name)
{
	const struct verb *best = NULL;
	unsigned least = NEAR + 1;
	size_t i;

	for (i = 0; i < VERBS; i++) {
		unsigned edits = pol_edits(name, verbs[i].name);

		/* So few letters are like anything. */
		if (edits < least && edits < strlen(name)) {
			least = edits;
			best = &verbs[i];
		}
	}
	return best;
}

/* NULL after a line. */
static const struct verb *find(const char *name)
{
	const struct verb *near = nearest(name);
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	if (near)
		cli_error("no verb '%s'; did you mean %s?", name, near->name);
	else
		cli_error("no verb '%s'; edmm --help lists them", name);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2) {
		overview(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("edmm " EDMM_VERSION_STRING);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2)) {
		overview(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "help")) {
		char *help[] = { argv[2], "--help", NULL };

		v = find(argv[2]);
		return v ? v->run(2, help) : CLI_USAGE;
	}
	v = find(argv[1]);
	if (!v)
		return CLI_USAGE;
	/* getopt's messages begin with argv[0]. */
	if (asprintf(&argv[1], "edmm %s", v->name) < 0)
		return CLI_FAIL;
	return v->run(argc - 1, argv + 1);
}
