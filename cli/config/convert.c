/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm convert: one runtime's configuration in another's words.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/config/config.h"

enum {
	OPT_TO = CLI_OPT_CONFIG,
	OPT_QUIET,
	OPT_STRICT
};

static const struct option options[] = {
	CLI_TARGET_OPTIONS,
	{ "to", required_argument, NULL, OPT_TO },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "lossless", no_argument, NULL, OPT_STRICT },
	{ 0 },
};

static const char help[] =
	"usage: edmm convert [OPTION]... IN OUT\n\n"
	"Converts a configuration. Formats: edmm, occlum, gramine, scone,\n"
	"scone-conf, sgx-xml, open-enclave, ego, mystikos, edp; what is in IN\n"
	"and the name of OUT tell them where --from and --to do not. `-` is\n"
	"standard input or output; `env:` as IN is the SCONE_ variables of\n"
	"the environment. What is lost or assumed is told on standard error.\n"
	"\n"
	"  --from FORMAT       of IN\n"
	"  --to FORMAT         of OUT\n"
	"  --platform P        sgx2 (EDMM) or sgx1; else ENABLE_EDMM, "
	"SGX_MODE\n"
	"                      and the file decide, as in occlum build\n"
	"  --compat occlum-0.31  the values of that release's tool where they\n"
	"                      differ from Occlum's documentation\n"
	"  --lossless          losing anything is an error\n"
	"  --quiet             only errors are told\n";

struct convert {
	struct cli_target target;
	enum edmm_format to;
	bool quiet;
	bool lossless;
};

static int parse(int argc, char **argv, struct convert *c)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case CLI_OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_TO:
			if (!cli_format("--to", optarg, &c->to))
				return CLI_USAGE;
			break;
		case OPT_QUIET:
			c->quiet = true;
			break;
		case OPT_STRICT:
			c->lossless = true;
			break;
		default:
			if (!cli_target_option(&c->target, option, optarg))
				return CLI_USAGE;
		}
	}
	return -1;
}

static bool loses(const struct edmm_findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->v[i].rule, "P701"))
			return true;
	return false;
}

static int convert(const struct convert *c, const char *in, const char *out)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	struct edmm_text text = { NULL, 0 };
	int status = CLI_FAIL;
	edmm_err err = cli_policy_read(in, c->target.from, &p, &f);

	if (!err)
		err = edmm_policy_write(p, c->to, &c->target.t, &text, &f);
	cli_findings(&f, c->quiet ? EDMM_ERROR : EDMM_NOTE, stderr);
	if (err)
		goto out;
	if (c->lossless && loses(&f)) {
		cli_error("%s: not written, since something would be lost",
			  out);
		goto out;
	}
	if (cli_write_text(out, text.text, text.size))
		status = 0;
out:
	free(text.text);
	edmm_policy_free(p);
	edmm_findings_free(&f);
	return status;
}

int verb_convert(int argc, char **argv)
{
	struct convert c = { 0 };
	int status;

	cli_target_init(&c.target);
	status = parse(argc, argv, &c);
	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return cli_usage("convert", "IN and OUT are wanted");
	if (!c.to)
		c.to = edmm_format_of_file(argv[optind + 1]);
	if (!c.to)
		return cli_usage("convert",
				 "the name '%s' tells no format: give --to",
				 argv[optind + 1]);
	return convert(&c, argv[optind], argv[optind + 1]);
}
