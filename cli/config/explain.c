/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm explain: what an enclave of a configuration looks like.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/config/config.h"

enum {
	OPT_JSON = CLI_OPT_CONFIG,
	OPT_IMAGE
};

static const struct option options[] = {
	CLI_TARGET_OPTIONS,
	{ "json", no_argument, NULL, OPT_JSON },
	{ "image", required_argument, NULL, OPT_IMAGE },
	{ 0 },
};

static const char help[] =
	"usage: edmm explain [OPTION]... FILE\n\n"
	"Shows what a configuration becomes on a machine with SGX1, with "
	"SGX2,\n"
	"and on the software machine: address range, pages, threads, heap,\n"
	"estimated start-up; and what EDMM would change where the file has it\n"
	"off.\n\n"
	"  --image PROGRAM     an image of edmm-cc: its MRENCLAVE, elastic "
	"and\n"
	"                      static, under this configuration\n"
	"  --json              as JSON\n"
	"  --compat occlum-0.31  as that release's tool, not its "
	"documentation\n"
	"  --from FORMAT       of FILE\n";

struct explain {
	struct cli_target target;
	const char *image;
	bool json;
};

static bool measure(const struct edmm_image *im, const struct edmm_policy *p,
		    enum edmm_mode mode, struct edmm_findings *f)
{
	struct edmm_image_policy policy;
	struct edmm_plan plan = { 0 };
	struct edmm_diag diag;
	uint8_t mr[32];
	char hex[65];

	if (edmm_policy_to_image(p, mode, &policy, f))
		return false;
	if (edmm_plan_make(im, &policy, &plan, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	if (edmm_plan_measure(&plan, mr)) {
		cli_error("the crypto library fails");
		edmm_plan_free(&plan);
		return false;
	}
	cli_hex(mr, 32, hex);
	printf("MRENCLAVE, %-8s %s  %llu pages, %llu measured\n",
	       cli_mode_name(mode), hex, (unsigned long long)plan.pages_added,
	       (unsigned long long)plan.pages_measured);
	edmm_plan_free(&plan);
	return true;
}

static bool measure_both(const char *path, const struct edmm_policy *p,
			 struct edmm_findings *f)
{
	struct edmm_image *im = NULL;
	struct edmm_diag diag;
	bool ok;

	if (edmm_image_read(path, &im, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	putchar('\n');
	ok = measure(im, p, EDMM_MODE_ELASTIC, f);
	ok &= measure(im, p, EDMM_MODE_STATIC, f);
	edmm_image_free(im);
	return ok;
}

static int explain(const struct explain *e, const char *path)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	edmm_err err = cli_policy_read(path, e->target.from, &p, &f);
	bool ok = true;

	if (!err)
		err = edmm_policy_explain(p, &e->target.t, e->json, stdout, &f);
	if (!err && e->image)
		ok = measure_both(e->image, p, &f);
	cli_findings(&f, EDMM_WARNING, stderr);
	edmm_policy_free(p);
	edmm_findings_free(&f);
	return err || !ok ? CLI_FAIL : 0;
}

int verb_explain(int argc, char **argv)
{
	struct explain e = { 0 };
	int option;

	cli_target_init(&e.target);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case CLI_OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_JSON:
			e.json = true;
			break;
		case OPT_IMAGE:
			e.image = optarg;
			break;
		default:
			if (!cli_target_option(&e.target, option, optarg))
				return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage("explain", "one FILE is wanted");
	if (e.json && e.image)
		return cli_usage("explain",
				 "--image is for people, --json is not");
	return explain(&e, argv[optind]);
}
