/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm check: the linter of every format.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/config/config.h"

enum {
	OPT_FIX = CLI_OPT_CONFIG,
	OPT_FORMAT,
	OPT_LEVEL,
	OPT_STRICT
};

static const struct option options[] = {
	CLI_TARGET_OPTIONS,
	{ "fix", no_argument, NULL, OPT_FIX },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ 0 },
};

static const char help[] =
	"usage: edmm check [OPTION]... FILE...\n\n"
	"Checks configurations: Occlum.json, Gramine manifests, SCONE\n"
	"variables, Enclave.config.xml, Open Enclave's .conf, EGo's\n"
	"enclave.json, Mystikos' config.json, Fortanix EDP's Cargo.toml,\n"
	"edmm.toml; what is in a file tells which it is. Each finding has a\n"
	"rule id of docs/configuration.md, its place, what happens, and what\n"
	"would be right. Status 1 where there is an error.\n\n"
	"  --fix               mend what can be mended, in the file\n"
	"  --format F          text, json or sarif (text)\n"
	"  --level L           from note, warning or error on (warning)\n"
	"  --strict            status 1 where there is a warning, too\n"
	"  --platform P        sgx1 or sgx2: where it is to run\n"
	"  --compat occlum-0.31  as that release's tool, not its "
	"documentation\n"
	"  --epc SIZE          what the machine has\n"
	"  --threads N         what the program needs\n"
	"  --from FORMAT       of the files\n";

enum output {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_SARIF
};

struct check {
	struct cli_target target;
	enum output output;
	enum edmm_level level;
	bool fix;
	bool strict;
};

/* The index of a word in a list, or -1 after a line. */
static int word(const char *option, const char *arg, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], arg))
			return i;
	cli_error("%s: '%s' is none of %s, %s and %s", option, arg, words[0],
		  words[1], words[2]);
	return -1;
}

static bool set_option(struct check *c, int option, const char *arg)
{
	static const char *const outputs[] = { "text", "json", "sarif", NULL };
	static const char *const levels[] = { "note", "warning", "error",
					      NULL };
	int i;

	switch (option) {
	case OPT_FIX:
		c->fix = true;
		return true;
	case OPT_STRICT:
		c->strict = true;
		return true;
	case OPT_FORMAT:
		i = word("--format", arg, outputs);
		c->output = (enum output)i;
		return i >= 0;
	case OPT_LEVEL:
		i = word("--level", arg, levels);
		c->level = (enum edmm_level)i;
		return i >= 0;
	}
	return cli_target_option(&c->target, option, arg);
}

static void look(const struct check *c, const char *path,
		 struct edmm_findings *f, struct edmm_policy **p)
{
	(void)!cli_policy_read(path, c->target.from, p, f);
	if (*p)
		(void)!edmm_policy_lint(*p, &c->target.t, f);
	edmm_findings_sort(f);
}

/* Mend what can be mended; the file is looked at again then. False after a
 * line. */
static bool mend(const struct edmm_policy *p, const char *path,
		 const struct edmm_findings *f, int *fixes)
{
	char *out = NULL;
	size_t size = 0;
	size_t old = 0;
	const char *text = edmm_policy_text(p, &old);
	bool ok;

	*fixes = edmm_findings_fix(f, text, old, &out, &size);
	ok = *fixes <= 0 || cli_write_text(path, out, size);
	if (*fixes > 0 && ok)
		fprintf(stderr, "edmm: %s: %d mended\n", path, *fixes);
	free(out);
	return ok && *fixes >= 0;
}

/* Findings of one file go to those of all; the list is emptied. */
static void collect(struct edmm_findings *all, struct edmm_findings *f,
		    enum edmm_level level)
{
	size_t want = all->count + f->count;
	struct edmm_finding *v = realloc(all->v, (want + 1) * sizeof(*v));

	if (!v) {
		edmm_findings_free(f);
		return;
	}
	all->v = v;
	all->capacity = want + 1;
	for (size_t i = 0; i < f->count; i++) {
		struct edmm_findings one = { &f->v[i], 1, 0, 0, 0 };

		if (f->v[i].level >= level) {
			v[all->count++] = f->v[i];
			continue;
		}
		/* Only what the finding holds, not the list. */
		one.v = malloc(sizeof(*one.v));
		if (one.v)
			*one.v = f->v[i];
		edmm_findings_free(&one);
	}
	all->errors += f->errors;
	all->warnings += f->warnings;
	free(f->v);
}

static bool check_file(const struct check *c, const char *path,
		       struct edmm_findings *all)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	bool ok = true;
	int fixes = 0;

	look(c, path, &f, &p);
	if (c->fix && p && strcmp(path, "-") && strcmp(path, "env:"))
		ok = mend(p, path, &f, &fixes);
	if (fixes > 0 && ok) {
		edmm_policy_free(p);
		p = NULL;
		edmm_findings_free(&f);
		look(c, path, &f, &p);
	}
	edmm_policy_free(p);
	collect(all, &f, c->level);
	return ok;
}

static int report(const struct check *c, struct edmm_findings *all)
{
	switch (c->output) {
	case OUTPUT_JSON:
		edmm_findings_json(all, stdout);
		break;
	case OUTPUT_SARIF:
		edmm_findings_sarif(all, stdout);
		break;
	default:
		for (size_t i = 0; i < all->count; i++)
			edmm_finding_print(&all->v[i], stdout);
	}
	return all->errors > 0 || (c->strict && all->warnings > 0) ? CLI_FAIL
								   : 0;
}

int verb_check(int argc, char **argv)
{
	struct check c = { .level = EDMM_WARNING };
	struct edmm_findings all = { 0 };
	bool ok = true;
	int option;
	int status;

	cli_target_init(&c.target);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (!set_option(&c, option, optarg))
			return CLI_USAGE;
	}
	if (optind == argc)
		return cli_usage("check", "a FILE is wanted");
	for (int i = optind; i < argc; i++)
		ok &= check_file(&c, argv[i], &all);
	status = report(&c, &all);
	edmm_findings_free(&all);
	return ok ? status : CLI_FAIL;
}
