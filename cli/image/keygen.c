/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm keygen: a signing key, never over an existing one without --force.
 */
#include <stdlib.h>

#include "cli/cli.h"

enum {
	OPT_FORCE = CLI_OPT_VERB,
	OPT_PRODUCTION,
	OPT_OUT
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "production", no_argument, NULL, OPT_PRODUCTION },
	{ "out", required_argument, NULL, OPT_OUT },
	{ 0 },
};

static const char help[] =
	"usage: edmm keygen [OPTION]... [-o FILE]\n\n"
	"Makes an RSA-3072 key with exponent 3, mode 0600, in PEM format.\n\n"
	"  -o, --out FILE  default: $XDG_CONFIG_HOME/edmm/enclave-key.pem\n"
	"  --production    mark the key: enclaves that it signs are refused\n"
	"                  by the software machine\n"
	"  --force         replace an existing file\n";

static int make(const char *path, enum edmm_key_kind kind, bool force)
{
	struct edmm_key *key = NULL;
	struct edmm_diag diag;
	int status = 0;

	if (!force && cli_exists(path)) {
		cli_error("%s: exists already and stays as it is; --force "
			  "replaces it",
			  path);
		return CLI_FAIL;
	}
	if (edmm_key_generate(kind, &key, &diag) ||
	    edmm_key_write(key, path, force, &diag)) {
		cli_error("%s", diag.text);
		status = CLI_FAIL;
	}
	edmm_key_free(key);
	if (!status)
		fprintf(stderr, "edmm: signing key in %s\n", path);
	return status;
}

int verb_keygen(int argc, char **argv)
{
	enum edmm_key_kind kind = EDMM_KEY_PLAIN;
	char *standard = NULL;
	const char *path = NULL;
	bool force = false;
	int c, status;

	while ((c = getopt_long_only(argc, argv, "o:f", options, NULL)) != -1)
		switch (c) {
		case CLI_OPT_HELP:
			fputs(help, stdout);
			return 0;
		case 'o':
		case OPT_OUT:
			path = optarg;
			break;
		case 'f':
		case OPT_FORCE:
			force = true;
			break;
		case OPT_PRODUCTION:
			kind = EDMM_KEY_PRODUCTION;
			break;
		default:
			return CLI_USAGE;
		}
	if (optind + 1 == argc && !path)
		path = argv[optind++];
	if (optind != argc)
		return cli_usage("keygen", "'%s' is too much", argv[optind]);
	if (!path) {
		standard = cli_config_path("enclave-key.pem");
		path = standard;
	}
	if (!path)
		return cli_usage("keygen", "neither HOME nor XDG_CONFIG_HOME "
					   "is set; say -o FILE");
	status = standard && !cli_make_folders(path) ? CLI_FAIL
						     : make(path, kind, force);
	free(standard);
	return status;
}
