/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sim: any command, with the software machine under it.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine.h"

enum {
	OPT_SET = CLI_OPT_VERB,
	OPT_EPC,
	OPT_SEED,
	OPT_QUIET
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "set", required_argument, NULL, OPT_SET },
	{ "epc", required_argument, NULL, OPT_EPC },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ 0 },
};

static const char help[] =
	"usage: edmm sim [OPTION]... [--] COMMAND [ARGUMENT]...\n\n"
	"Runs a command with a software SGX2 machine under it: it finds\n"
	"/dev/sgx_enclave and the vDSO's entry function. Nothing is\n"
	"protected.\n\n"
	"  --epc SIZE          size of the EPC\n"
	"  --seed N            seed of what is random\n"
	"  --set NAME=VALUE    any setting of the machine (man edmm-sim)\n";

/* Appends NAME=VALUE to a list separated by commas. */
static bool append(char **list, const char *name, const char *value)
{
	char *longer;

	if (strchr(value, ',')) {
		cli_error("sim: '%s': a setting cannot hold a comma", value);
		return false;
	}
	if (asprintf(&longer, "%s%s%s%s%s", *list ? *list : "",
		     *list ? "," : "", name, *name ? "=" : "", value) < 0)
		return false;
	free(*list);
	*list = longer;
	return true;
}

static bool take_option(char **list, int c)
{
	uint64_t n;

	switch (c) {
	case OPT_SET:
		if (strchr(optarg, '='))
			return append(list, "", optarg);
		cli_error("--set: '%s' is no NAME=VALUE", optarg);
		return false;
	case OPT_EPC:
		return cli_size("--epc", optarg, &n) &&
		       append(list, "epc", optarg);
	case OPT_SEED:
		return cli_number("--seed", optarg, UINT64_MAX, &n) &&
		       append(list, "seed", optarg);
	}
	return false;
}

int cli_sim(int argc, char **argv)
{
	char *list = NULL;
	int c;

	while ((c = getopt_long_only(argc, argv, "+", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?' || !take_option(&list, c)) {
			free(list);
			return CLI_RUN_FAIL;
		}
	}
	if (optind >= argc) {
		free(list);
		cli_usage("sim", "a COMMAND is wanted");
		return CLI_RUN_FAIL;
	}
	cli_machine_exec(argv[optind], argv + optind, list, false);
	free(list);
	return CLI_RUN_FAIL;
}
