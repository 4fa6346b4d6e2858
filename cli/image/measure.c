/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm measure: MRENCLAVE of an image, or the one that a signature file says.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image/session.h"
#include "cli/image/subject.h"

enum {
	OPT_MODE = CLI_OPT_VERB,
	OPT_ALL,
	OPT_JSON,
	OPT_FORMAT,
	OPT_NAME,
	OPT_SIG
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "name", required_argument, NULL, OPT_NAME },
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
	"  --format F          text, json, or scone-session: a SCONE session\n"
	"                      whose service has each MRENCLAVE, or --mode's\n"
	"  --name NAME         of session and service (FILE's)\n"
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

enum output {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_SESSION
};

struct measure {
	struct cli_subject subject;
	enum output output;
	const char *name; /* of the session; NULL: the file's */
	bool all;
};

static bool set_format(struct measure *m, const char *arg)
{
	static const char *const words[] = { "text", "json", "scone-session" };

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(arg, words[i])) {
			m->output = (enum output)i;
			return true;
		}
	cli_error("--format: '%s' is none; text, json or scone-session", arg);
	return false;
}

static bool is_debug(const struct cli_mode_view *v)
{
	return (v->has_policy && (v->policy.flags & EDMM_POLICY_DEBUG)) ||
	       (v->has_sig && (v->sig.attributes.flags & SGX_ATTR_DEBUG));
}

/* One with these bytes came before: several loaders, one identity. */
static bool is_again(const struct cli_subject *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!memcmp(s->view[i].mrenclave, s->view[n].mrenclave, 32))
			return true;
	return false;
}

/* Without EDMM first, as edmm policy has it. */
static int print_session(const struct cli_subject *s, const char *name)
{
	bool debug = false;

	name = cli_session_name(name, s->path);
	cli_session_head(name);
	cli_session_service(name);
	for (int elastic = 0; elastic < 2; elastic++)
		for (uint32_t i = 0; i < s->count; i++) {
			const struct cli_mode_view *v = &s->view[i];

			if (elastic != !strcmp(v->label, "elastic") ||
			    is_again(s, i))
				continue;
			cli_session_identity(v->mrenclave, v->label);
			debug |= is_debug(v);
		}
	if (debug)
		puts("# a debug enclave: a session takes it only with "
		     "debug-mode in\n# security.attestation.tolerate");
	return ferror(stdout) ? CLI_FAIL : 0;
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

static bool set_option(struct measure *m, int c)
{
	switch (c) {
	case OPT_ALL:
		m->all = true;
		return true;
	case OPT_JSON:
		m->output = OUTPUT_JSON;
		return true;
	case OPT_FORMAT:
		return set_format(m, optarg);
	case OPT_NAME:
		m->name = optarg;
		return true;
	case OPT_SIG:
		m->subject.sig_path = optarg;
		return true;
	case OPT_MODE:
		return cli_mode(optarg, &m->subject.mode);
	case '?':
		return false;
	}
	return cli_setting(m->subject.settings, c, optarg);
}

int verb_measure(int argc, char **argv)
{
	struct cli_settings settings = { 0 };
	struct measure m = { .subject.settings = &settings };
	int c, status = CLI_FAIL;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (!set_option(&m, c))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("measure", "one FILE is wanted");
	m.subject.path = argv[optind];
	if (!cli_subject_open(&m.subject))
		status = CLI_FAIL;
	else if (m.output == OUTPUT_SESSION)
		status = print_session(&m.subject, m.name);
	else
		status = print(&m.subject, m.all, m.output == OUTPUT_JSON);
	cli_subject_close(&m.subject);
	return status;
}
