/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sim: any command, with the software machine under it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/machine/limits.h"
#include "cli/machine/machine.h"
#include "cli/machine/watch.h"

enum {
	OPT_SET = CLI_OPT_VERB,
	OPT_EPC,
	OPT_QUOTA,
	OPT_SEED,
	OPT_WITHOUT,
	OPT_STRICT,
	OPT_MISC_MAX,
	OPT_FAULT,
	OPT_FAULTS,
	OPT_TRACE,
	OPT_STATS,
	OPT_STATS_FILE,
	OPT_COST_TABLE,
	OPT_PRINT_COSTS,
	OPT_PRODUCTION,
	OPT_STEP,
	OPT_TIMER,
	OPT_VENDOR,
	OPT_POPULATE,
	OPT_WHY,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "set", required_argument, NULL, OPT_SET },
	{ "epc", required_argument, NULL, OPT_EPC },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "quota", required_argument, NULL, OPT_QUOTA },
	{ "without", required_argument, NULL, OPT_WITHOUT },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "misc-max", required_argument, NULL, OPT_MISC_MAX },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "faults", no_argument, NULL, OPT_FAULTS },
	{ "allow-production", no_argument, NULL, OPT_PRODUCTION },
	{ "step", required_argument, NULL, OPT_STEP },
	{ "timer", required_argument, NULL, OPT_TIMER },
	{ "vendor", required_argument, NULL, OPT_VENDOR },
	{ "populate", no_argument, NULL, OPT_POPULATE },
	{ "why", no_argument, NULL, OPT_WHY },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "stats", optional_argument, NULL, OPT_STATS },
	{ "stats-file", required_argument, NULL, OPT_STATS_FILE },
	{ "cost-table", required_argument, NULL, OPT_COST_TABLE },
	{ "print-cost-table", no_argument, NULL, OPT_PRINT_COSTS },
	{ 0 },
};

static const char help[] =
	"usage: edmm sim [OPTION]... [--] COMMAND [ARGUMENT]...\n\n"
	"Runs a command with a software SGX2 machine under it: it finds\n"
	"/dev/sgx_enclave and the vDSO's entry function. Nothing is\n"
	"protected.\n\n"
	"  --epc SIZE          size of the EPC (1G)\n"
	"  --quota SIZE        how much of it may be in use: SIZE, max, or\n"
	"                      'sgx_epc N' as for the misc cgroup\n"
	"  --misc-max FILE     the same from a cgroup's misc.max\n"
	"  --fault FAULT       make something fail: eaug:3, ioctl%10=EBUSY,\n"
	"                      lose@500ms, eaug-race; may be repeated\n"
	"  --faults            list what can fail, and how\n"
	"  --step SCRIPT       interrupt enclaves at each instruction, and "
	"act\n"
	"                      there as SCRIPT says (man 5 edmm-step)\n"
	"  --timer TIME        interrupt each thread inside an enclave every\n"
	"                      TIME that it runs: 4ms\n"
	"  --allow-production  take enclaves that are signed for production\n"
	"  --trace FILE        write every event for edmm trace\n"
	"  --stats[=json]      print the counters at the end\n"
	"  --stats-file FILE   append them to FILE\n"
	"  --cost-table FILE   estimate the time on hardware; 'default' is\n"
	"                      edmm's own table\n"
	"  --print-cost-table  print that\n"
	"  --seed N            seed of the machine's keys (1)\n"
	"  --strict            end the command when it touches an enclave's\n"
	"                      memory from outside, and say where\n"
	"  --without FEATURE   sgx2, exinfo, aexnotify, kss, edeccssa, avx,\n"
	"                      avx512 or amx\n"
	"  --vendor TEXT       the processor's maker, as CPUID tells:\n"
	"                      GenuineIntel\n"
	"  --populate          a kernel whose MAP_POPULATE and MADV_WILLNEED\n"
	"                      add pages of an enclave\n"
	"  --why               say why ECREATE or EINIT refuse: which bit of\n"
	"                      which field\n"
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

/* The machine reads plain numbers; people write sizes in many ways. */
static bool append_size(char **list, const char *name, const char *option)
{
	char bytes[24];
	uint64_t n;

	if (!cli_size(option, optarg, &n))
		return false;
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)n);
	return append(list, name, bytes);
}

/* The program may change its folder. */
static bool append_path(char **list, const char *name, const char *path)
{
	char *here = *path == '/' ? NULL : getcwd(NULL, 0), *whole;
	bool ok;

	if (*path != '/' && !here) {
		cli_error("%s: %s", path, strerror(errno));
		return false;
	}
	if (asprintf(&whole, "%s%s%s", here ? here : "", here ? "/" : "",
		     path) < 0)
		return false;
	ok = append(list, name, whole);
	free(whole);
	free(here);
	return ok;
}

/* An empty file is the first process's to take. */
static bool append_new(char **list, const char *name, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0) {
		cli_error("%s: %s", path, strerror(errno));
		return false;
	}
	close(fd);
	return append_path(list, name, path);
}

static bool append_table(char **list, const char *path)
{
	if (!strcmp(path, "default"))
		return append(list, "cost-table", path);
	return append_path(list, "cost-table", path);
}

static bool append_step(char **list, const char *path)
{
	char *settings = cli_step(path, NULL), *longer = NULL;

	if (!settings)
		return false;
	if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? "," : "",
		     settings) < 0)
		longer = NULL;
	free(settings);
	if (longer) {
		free(*list);
		*list = longer;
	}
	return longer;
}

static bool take_option(char **list, int c)
{
	char quota[24];
	uint64_t n;

	switch (c) {
	case OPT_SET:
		if (strchr(optarg, '='))
			return append(list, "", optarg);
		cli_error("--set: '%s' is no NAME=VALUE", optarg);
		return false;
	case OPT_EPC:
		return append_size(list, "epc", "--epc");
	case OPT_QUOTA:
		return cli_quota(optarg, quota) && append(list, "quota", quota);
	case OPT_MISC_MAX:
		return cli_misc_max(optarg, quota) &&
		       append(list, "quota", quota);
	case OPT_FAULT:
		return append(list, "fault", optarg);
	case OPT_STEP:
		return append_step(list, optarg);
	case OPT_VENDOR:
		return append(list, "vendor", optarg);
	case OPT_POPULATE:
		return append(list, "populate", "1");
	case OPT_WHY:
		return append(list, "why", "1");
	case OPT_TIMER:
		return append(list, "timer", optarg);
	case OPT_PRODUCTION:
		return append(list, "production", "1");
	case OPT_TRACE:
		return append_new(list, "trace", optarg);
	case OPT_STATS:
		return append(list, "stats", optarg ? optarg : "text");
	case OPT_STATS_FILE:
		return append_path(list, "stats-file", optarg);
	case OPT_COST_TABLE:
		return append_table(list, optarg);
	case OPT_SEED:
		return cli_number("--seed", optarg, UINT64_MAX, &n) &&
		       append(list, "seed", optarg);
	case OPT_STRICT:
		return append(list, "strict", "1");
	case OPT_WITHOUT:
		return append(list, optarg, "0");
	}
	return false;
}

/* What has just been appended is looked at, while its option is known. */
static bool take(char **list, int c, int index)
{
	return take_option(list, c) &&
	       cli_machine_settings(*list, options[index].name, optarg);
}

int verb_sim(int argc, char **argv)
{
	char *list = NULL;
	int c, index = 0;

	while ((c = getopt_long_only(argc, argv, "+", options, &index)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_FAULTS) {
			cli_faults();
			return 0;
		}
		if (c == OPT_PRINT_COSTS) {
			cli_print_cost_table();
			return 0;
		}
		if (c == '?' || !take(&list, c, index)) {
			free(list);
			return CLI_RUN_FAIL;
		}
	}
	if (optind >= argc) {
		free(list);
		cli_usage("sim", "a COMMAND is wanted");
		return CLI_RUN_FAIL;
	}
	if (cli_limits_ok())
		cli_machine_exec(argv[optind], argv + optind, list, false);
	free(list);
	return CLI_RUN_FAIL;
}
