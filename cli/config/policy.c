/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm policy: the part of a SCONE session that names a program's identities.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/config/config.h"
#include "cli/image/session.h"

enum {
	OPT_SIG = CLI_OPT_VERB,
	OPT_NAME
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "sig", required_argument, NULL, OPT_SIG },
	{ "name", required_argument, NULL, OPT_NAME },
	{ 0 },
};

static const char help[] =
	"usage: edmm policy [OPTION]... PROGRAM\n\n"
	"Prints the services part of a SCONE session: every MRENCLAVE that\n"
	"PROGRAM's signature file has, without EDMM first. Either is accepted\n"
	"then, as --edmm auto needs it.\n\n"
	"  --sig FILE          signature file (PROGRAM.sig)\n"
	"  --name NAME         of the service (PROGRAM's)\n";

/* True after printing; a signature that does not hold is refused. */
static bool put_identity(const struct edmm_sig_file *file, enum edmm_mode mode)
{
	const struct edmm_sig_entry *e = edmm_sig_find(file, mode);

	if (e)
		cli_session_identity(e->sig.enclavehash, cli_mode_name(mode));
	return e;
}

static bool verified(const struct edmm_sig_file *file, const char *program)
{
	struct edmm_diag diag;

	for (uint32_t i = 0; i < file->count; i++)
		if (edmm_sigstruct_verify(&file->entry[i].sig, &diag)) {
			cli_error("%s: %s", program, diag.text);
			return false;
		}
	return true;
}

static int print(const char *program, const char *sig, const char *name)
{
	struct edmm_sig_file file;
	int there = cli_load_sig(program, sig, &file);
	unsigned modes = 0;

	if (there == 0)
		cli_error("%s has no signature file; edmm sign makes one",
			  program);
	if (there <= 0 || !verified(&file, program))
		return CLI_FAIL;
	cli_session_service(name);
	modes += put_identity(&file, EDMM_MODE_STATIC);
	modes += put_identity(&file, EDMM_MODE_ELASTIC);
	if (modes == 1)
		cli_error("%s is signed for one mode only: --edmm auto will "
			  "not find the other",
			  program);
	return 0;
}

int verb_policy(int argc, char **argv)
{
	const char *sig = NULL;
	const char *name = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case CLI_OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_SIG:
			sig = optarg;
			break;
		case OPT_NAME:
			name = optarg;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage("policy", "one PROGRAM is wanted");
	return print(argv[optind], sig, cli_session_name(name, argv[optind]));
}
