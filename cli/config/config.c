/* SPDX-License-Identifier: BSD-3-Clause */
/* What convert, check and explain share. */
#include "cli/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

void cli_target_init(struct cli_target *t)
{
	memset(t, 0, sizeof(*t));
	t->t.sgx_mode = getenv("SGX_MODE");
	t->t.enable_edmm = getenv("ENABLE_EDMM");
}

bool cli_format(const char *option, const char *name, enum edmm_format *format)
{
	char all[256];

	*format = edmm_format_by_name(name);
	if (*format)
		return true;
	cli_error("%s: '%s' is no format; %s", option, name,
		  edmm_format_list(all, sizeof(all)));
	return false;
}

static bool platform(struct cli_target *t, const char *arg)
{
	if (!strcmp(arg, "sgx1"))
		t->t.platform = EDMM_PLATFORM_SGX1;
	else if (!strcmp(arg, "sgx2"))
		t->t.platform = EDMM_PLATFORM_SGX2;
	else {
		cli_error("--platform: '%s' is none; sgx1 or sgx2", arg);
		return false;
	}
	return true;
}

bool cli_target_option(struct cli_target *t, int option, const char *arg)
{
	uint64_t n = 0;

	switch (option) {
	case CLI_OPT_PLATFORM:
		return platform(t, arg);
	case CLI_OPT_COMPAT:
		if (!strcmp(arg, "occlum-0.31")) {
			t->t.compat = EDMM_COMPAT_OCCLUM_031;
			return true;
		}
		cli_error("--compat: '%s' is not known; occlum-0.31 is", arg);
		return false;
	case CLI_OPT_FROM:
		return cli_format("--from", arg, &t->from);
	case CLI_OPT_EPC:
		return cli_size("--epc", arg, &t->t.epc);
	case CLI_OPT_THREADS:
		if (!cli_number("--threads", arg, UINT32_MAX, &n))
			return false;
		t->t.threads = (uint32_t)n;
		return true;
	}
	return false;
}

/* The SCONE_ variables of this process, as a file of them would be. */
static edmm_err read_environment(struct edmm_policy **out,
				 struct edmm_findings *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *s = open_memstream(&text, &size);
	edmm_err err;

	*out = NULL;
	if (!s)
		return -EDMM_ENOMEM;
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, "SCONE_", 6) && !strchr(*e, '\n'))
			fprintf(s, "%s\n", *e);
	fclose(s);
	err = edmm_policy_parse(
		&(struct edmm_source){ text, size, "environment" },
		EDMM_FORMAT_SCONE, out, f);
	free(text);
	return err;
}

edmm_err cli_policy_read(const char *path, enum edmm_format from,
			 struct edmm_policy **out, struct edmm_findings *f)
{
	edmm_err err;

	if (!strcmp(path, "env:"))
		err = read_environment(out, f);
	else
		err = edmm_policy_read(path, from, out, f);
	if (err == -EDMM_ENOMEM)
		cli_error("%s: out of memory", path);
	return err;
}

void cli_findings(struct edmm_findings *f, enum edmm_level from, FILE *out)
{
	edmm_findings_sort(f);
	for (size_t i = 0; i < f->count; i++)
		if (f->v[i].level >= from)
			edmm_finding_print(&f->v[i], out);
}

static bool write_stream(FILE *out, const char *path, const char *text,
			 size_t size)
{
	if (fwrite(text, 1, size, out) == size && fflush(out) == 0)
		return true;
	cli_error("%s: cannot be written", path);
	return false;
}

bool cli_write_text(const char *path, const char *text, size_t size)
{
	if (!strcmp(path, "-"))
		return write_stream(stdout, "standard output", text, size);
	return cli_write_file(path, text, size);
}
