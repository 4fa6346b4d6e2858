/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sign: an image's signatures, elastic and static, into PROGRAM.sig.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config.h"

enum {
	OPT_KEY = CLI_OPT_VERB,
	OPT_OUT,
	OPT_MODE,
	OPT_PROD_ID,
	OPT_SVN,
	OPT_DATE,
	OPT_PRODUCTION,
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "key", required_argument, NULL, OPT_KEY },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "isv-prod-id", required_argument, NULL, OPT_PROD_ID },
	{ "isv-svn", required_argument, NULL, OPT_SVN },
	{ "date", required_argument, NULL, OPT_DATE },
	{ "production", no_argument, NULL, OPT_PRODUCTION },
	{ 0 },
};

static const char help[] =
	"usage: edmm sign [OPTION]... PROGRAM\n\n"
	"Signs an image of edmm-cc for elastic and for static memory, into\n"
	"PROGRAM.sig, which edmm run finds there.\n\n"
	"  -k, --key FILE      private key (default: the one of edmm keygen)\n"
	"  -o, --out FILE      signature file\n"
	"  --mode MODE         elastic, static or both (both)\n"
	"  --isv-prod-id N     product number (0)\n"
	"  --isv-svn N         security version (0)\n"
	"  --date YYYY-MM-DD   default: today, or SOURCE_DATE_EPOCH\n"
	"  --production        mark the signature: the software machine\n"
	"                      refuses it; implied by a production "
	"key\n" CLI_SETTING_HELP;

struct job {
	struct cli_settings settings;
	const char *program;
	const char *key;
	const char *out;
	uint32_t mode;
	bool production, has_prod_id, has_svn;
	struct edmm_identity id;
};

/* YYYY-MM-DD to BCD; a calendar is not kept here, ranges are. */
static bool take_date(const char *text, uint32_t *date)
{
	unsigned y, m, d;
	char rest;

	if (!strcmp(text, "today")) {
		*date = cli_today();
		return true;
	}
	if (strlen(text) != 10 ||
	    sscanf(text, "%4u-%2u-%2u%c", &y, &m, &d, &rest) != 3 || m < 1 ||
	    m > 12 || d < 1 || d > 31) {
		cli_error("--date: '%s' is no day; write YYYY-MM-DD", text);
		return false;
	}
	*date = (uint32_t)strtoul((char[]){ text[0], text[1], text[2], text[3],
					    text[5], text[6], text[8], text[9],
					    0 },
				  NULL, 16);
	return true;
}

static bool take_option(struct job *j, int c)
{
	uint64_t n = 0;

	switch (c) {
	case 'k':
	case OPT_KEY:
		j->key = optarg;
		return true;
	case 'o':
	case OPT_OUT:
		j->out = optarg;
		return true;
	case OPT_MODE:
		return cli_mode(optarg, &j->mode);
	case OPT_PROD_ID:
		if (!cli_number("--isv-prod-id", optarg, 0xffff, &n))
			return false;
		j->id.isv_prod_id = (uint16_t)n;
		j->has_prod_id = true;
		return true;
	case OPT_SVN:
		if (!cli_number("--isv-svn", optarg, 0xffff, &n))
			return false;
		j->id.isv_svn = (uint16_t)n;
		j->has_svn = true;
		return true;
	case OPT_DATE:
		return take_date(optarg, &j->id.date);
	case OPT_PRODUCTION:
		j->production = true;
		return true;
	}
	return cli_setting(&j->settings, c, optarg);
}

static bool sign_mode(const struct job *j, const struct edmm_image *image,
		      const struct edmm_key *key, enum edmm_mode mode,
		      struct edmm_sig_file *file)
{
	struct edmm_sig_entry *e = &file->entry[file->count];
	struct edmm_plan plan;
	struct edmm_diag diag;
	edmm_err err;

	if (!cli_settings_policy(&j->settings, mode, &e->policy))
		return false;
	err = edmm_plan_make(image, &e->policy, &plan, &diag);
	if (!err)
		err = edmm_sign(&plan, key, &j->id, &e->sig, &diag);
	edmm_plan_free(&plan);
	if (err)
		cli_error("%s (%s)", diag.text, cli_mode_name(mode));
	else
		file->count++;
	return !err;
}

static void print_result(const char *out, const struct edmm_sig_file *file)
{
	char hex[65];
	uint32_t i;

	for (i = 0; i < file->count; i++) {
		cli_hex(file->entry[i].sig.enclavehash, 32, hex);
		printf("%s  %s\n", hex,
		       cli_mode_name(file->entry[i].policy.mode));
	}
	fprintf(stderr, "edmm: signature in %s\n", out);
}

static int sign_with(struct job *j, const struct edmm_image *image,
		     const struct edmm_key *key)
{
	struct edmm_sig_file file = { 0 };
	struct edmm_diag diag;

	if (j->production || edmm_key_kind(key) == EDMM_KEY_PRODUCTION)
		j->id.swdefined =
			EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_PRODUCTION;
	else if (edmm_key_kind(key) == EDMM_KEY_DEVELOPMENT)
		j->id.swdefined =
			EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_DEVELOPMENT;
	if (j->mode != EDMM_MODE_STATIC &&
	    !sign_mode(j, image, key, EDMM_MODE_ELASTIC, &file))
		return CLI_FAIL;
	if (j->mode != EDMM_MODE_ELASTIC &&
	    !sign_mode(j, image, key, EDMM_MODE_STATIC, &file))
		return CLI_FAIL;
	if (edmm_sig_write(j->out, &file, &diag)) {
		cli_error("%s", diag.text);
		return CLI_FAIL;
	}
	print_result(j->out, &file);
	return 0;
}

static int do_sign(struct job *j)
{
	struct edmm_image *image = NULL;
	struct edmm_key *key = NULL;
	struct edmm_diag diag;
	int status = CLI_FAIL;

	if (edmm_image_read(j->program, &image, &diag) ||
	    edmm_key_read(j->key, &key, &diag))
		cli_error("%s", diag.text);
	else
		status = sign_with(j, image, key);
	edmm_key_free(key);
	edmm_image_free(image);
	return status;
}

/* --config and the numbers of the product in it. */
static bool with_config(struct job *j)
{
	const struct edmm_policy *file;
	uint64_t id, svn;

	if (!cli_settings_load(&j->settings))
		return false;
	file = j->settings.layer[CLI_LAYER_CONFIG];
	if (!file)
		return true;
	id = edmm_policy_get(file, EDMM_SET_PRODID, 0);
	svn = edmm_policy_get(file, EDMM_SET_SVN, 0);
	if ((!j->has_prod_id && id > 0xffff) || (!j->has_svn && svn > 0xffff)) {
		cli_error("%s: product and version numbers are at most 65535",
			  j->settings.config);
		return false;
	}
	if (!j->has_prod_id)
		j->id.isv_prod_id = (uint16_t)id;
	if (!j->has_svn)
		j->id.isv_svn = (uint16_t)svn;
	return true;
}

/* Fills in the names that were not given; both are the caller's to free. */
static int with_names(struct job *j)
{
	char *key = NULL, *out = NULL;
	int status = CLI_FAIL;

	if (!j->out)
		j->out = out = cli_sig_path(j->program);
	if (!j->key)
		j->key = key = cli_config_path("enclave-key.pem");
	if (!j->key || (key && !cli_exists(key)))
		cli_error("no signing key: make one with edmm keygen, or say "
			  "--key FILE");
	else
		status = do_sign(j);
	free(key);
	free(out);
	return status;
}

int cli_sign(int argc, char **argv)
{
	struct job j = { .id.date = cli_today() };
	int c, status;

	while ((c = getopt_long_only(argc, argv, "k:o:", options, NULL)) !=
	       -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?' || !take_option(&j, c))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("sign", "one PROGRAM is wanted");
	j.program = argv[optind];
	status = with_config(&j) ? with_names(&j) : CLI_FAIL;
	cli_settings_drop(&j.settings);
	return status;
}
