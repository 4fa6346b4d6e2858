/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm measure: MRENCLAVE of an image, or the one that a signature file says.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image/subject.h"

enum {
	OPT_MODE = CLI_OPT_VERB,
	OPT_ALL,
	OPT_JSON,
	OPT_SIG
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "sig", required_argument, NULL, OPT_SIG },
	{ 0 },
};

static const char help[] =
	"usage: edmm measure [OPTION]... FILE\n\n"
	"Prints MRENCLAVE, 64 hex digits. FILE is an image or a signature\n"
	"file. An image is measured with the settings of its signature file,\n"
	"if there is one and no setting is given here. FILE may also be a\n"
	"signed enclave of Intel's SDK, a .sgxs stream, a page list, or a\n"
	"SIGSTRUCT of 1808 bytes.\n\n"
	"  --mode MODE         elastic or static (elastic, if there)\n"
	"  --all               every mode, one line each: MRENCLAVE  MODE\n"
	"  --json              all of it as JSON\n"
	"  --sig FILE          settings of this signature "
	"file\n" CLI_SETTING_HELP;

static void add_pages(json_t *o, uint64_t added, uint64_t measured)
{
	json_object_update_new(o, json_pack("{s:I, s:I}", "pages_added",
					    (json_int_t)added, "pages_measured",
					    (json_int_t)measured));
}

static json_t *to_json(const struct cli_subject *s)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		const struct cli_mode_view *v = &s->view[i];
		char hex[65];
		json_t *o;

		cli_hex(v->mrenclave, 32, hex);
		o = json_pack("{s:s, s:s}", "mode", v->label, "mr_enclave",
			      hex);
		if (v->has_plan)
			add_pages(o, v->plan.pages_added,
				  v->plan.pages_measured);
		else if (v->has_parts)
			add_pages(o, v->parts.pages_added,
				  v->parts.chunks_measured / 16);
		json_array_append_new(list, o);
	}
	return json_pack("{s:s, s:o}", "file", s->path, "modes", list);
}

static int print(const struct cli_subject *s, bool all, bool json)
{
	char hex[65];
	uint32_t i;

	if (json) {
		json_t *o = to_json(s);
		int bad = !o || json_dumpf(o, stdout, JSON_INDENT(2));

		json_decref(o);
		putchar('\n');
		return bad ? CLI_FAIL : 0;
	}
	for (i = 0; i < (all ? s->count : 1); i++) {
		cli_hex(s->view[i].mrenclave, 32, hex);
		if (all)
			printf("%s  %s\n", hex, s->view[i].label);
		else
			puts(hex);
	}
	return 0;
}

int verb_measure(int argc, char **argv)
{
	struct cli_settings settings = { 0 };
	struct cli_subject subject = { .settings = &settings };
	bool all = false, json = false;
	int c, status = CLI_FAIL;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_ALL)
			all = true;
		else if (c == OPT_JSON)
			json = true;
		else if (c == OPT_SIG)
			subject.sig_path = optarg;
		else if (c == '?' ||
			 !(c == OPT_MODE ? cli_mode(optarg, &subject.mode)
					 : cli_setting(&settings, c, optarg)))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("measure", "one FILE is wanted");
	subject.path = argv[optind];
	if (cli_subject_open(&subject))
		status = print(&subject, all, json);
	cli_subject_close(&subject);
	return status;
}
