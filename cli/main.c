/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm: the command. Finds the verb and calls it.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config/config.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct verb verbs[] = {
	{ "run", cli_run, "run a program in an enclave" },
	{ "sign", cli_sign, "sign an image" },
	{ "measure", cli_measure, "print an image's MRENCLAVE" },
	{ "inspect", cli_inspect, "show signature, layout and entry points" },
	{ "diff", cli_diff, "what makes two identities differ" },
	{ "keygen", cli_keygen, "make a signing key" },
	{ "check", cli_check, "find mistakes in a configuration" },
	{ "advise", cli_advise, "find the tightest settings of a program" },
	{ "convert", cli_convert, "translate a configuration" },
	{ "doctor", cli_doctor, "what this machine can do" },
	{ "explain", cli_explain, "show what a configuration becomes" },
	{ "policy", cli_policy, "print the identities for a SCONE session" },
	{ "sim", cli_sim, "run any SGX program on the software machine" },
	{ "trace", cli_trace, "print or sum what sim --trace wrote" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void overview(FILE *f)
{
	size_t i;

	fputs("usage: edmm VERB [OPTION]... [ARGUMENT]...\n\n", f);
	for (i = 0; i < VERBS; i++)
		fprintf(f, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nedmm VERB --help tells a verb's options; man edmm has more.\n",
	      f);
}

int main(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2) {
		overview(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("edmm " EDMM_VERSION);
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
		if (v)
			return v->run(2, help);
		cli_error("no verb '%s'; edmm --help lists them", argv[2]);
		return CLI_USAGE;
	}
	v = find(argv[1]);
	if (!v) {
		cli_error("no verb '%s'; edmm --help lists them", argv[1]);
		return CLI_USAGE;
	}
	/* getopt's messages begin with argv[0]. */
	if (asprintf(&argv[1], "edmm %s", v->name) < 0)
		return CLI_FAIL;
	return v->run(argc - 1, argv + 1);
}
