/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/subject.h"

/* A signature file announces itself; all else is taken for an image. */
static bool looks_like_sig(const char *path)
{
	char magic[7] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (fread(magic, 1, sizeof(magic), f) != sizeof(magic))
		magic[0] = 0;
	fclose(f);
	return !memcmp(magic, "EDMMSIG", sizeof(magic));
}

static bool measure_view(struct cli_subject *s, struct cli_mode_view *v)
{
	struct edmm_diag diag;

	if (edmm_plan_make(s->image, &v->policy, &v->plan, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	v->has_plan = true;
	if (edmm_plan_measure(&v->plan, v->mrenclave)) {
		cli_error("%s: the crypto library failed", s->path);
		return false;
	}
	if (!v->has_sig)
		return true;
	v->matches = !memcmp(v->mrenclave, v->sig.enclavehash, 32);
	if (!v->matches) {
		char is[65], want[65];

		cli_hex(v->mrenclave, 32, is);
		cli_hex(v->sig.enclavehash, 32, want);
		cli_error("%s: measures %s, but its signature is for %s: "
			  "changed since it was signed, or the signature of "
			  "another image",
			  s->path, is, want);
	}
	return v->matches;
}

static bool take_sig(struct cli_subject *s, const struct edmm_sig_file *file,
		     const char *name)
{
	uint32_t i;

	for (i = 0; i < file->count; i++) {
		const struct edmm_sig_entry *e = &file->entry[i];
		struct cli_mode_view *v = &s->view[s->count];
		struct edmm_diag diag;

		if (s->mode && e->policy.mode != s->mode)
			continue;
		if (edmm_sigstruct_verify(&e->sig, &diag)) {
			cli_error("%s: %s (%s)", name, diag.text,
				  cli_mode_name(e->policy.mode));
			return false;
		}
		v->policy = e->policy;
		v->sig = e->sig;
		v->has_sig = true;
		memcpy(v->mrenclave, e->sig.enclavehash, 32);
		s->count++;
	}
	if (!s->count)
		cli_error("%s: holds no %s signature", name,
			  cli_mode_name(s->mode));
	return s->count;
}

static bool take_settings(struct cli_subject *s)
{
	return (s->mode == EDMM_MODE_STATIC ||
		cli_settings_policy(s->settings, EDMM_MODE_ELASTIC,
				    &s->view[s->count++].policy)) &&
	       (s->mode == EDMM_MODE_ELASTIC ||
		cli_settings_policy(s->settings, EDMM_MODE_STATIC,
				    &s->view[s->count++].policy));
}

static bool open_sig_alone(struct cli_subject *s)
{
	struct edmm_sig_file file;

	if (cli_settings_fixed(s->settings)) {
		cli_error("%s: a signature file's settings are fixed; %s goes "
			  "with an image",
			  s->path, cli_settings_fixed(s->settings));
		return false;
	}
	return cli_load_sig(s->path, s->path, &file) > 0 &&
	       take_sig(s, &file, s->path);
}

bool cli_subject_open(struct cli_subject *s)
{
	bool own = cli_settings_fixed(s->settings) || s->settings->heap_max;
	struct edmm_sig_file file;
	struct edmm_diag diag;
	uint32_t i;
	int found = 0;

	if (looks_like_sig(s->path))
		return open_sig_alone(s);
	if (!cli_settings_load(s->settings))
		return false;
	if (edmm_image_read(s->path, &s->image, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	if (!own)
		found = cli_load_sig(s->path, s->sig_path, &file);
	if (found < 0 ||
	    (found && !take_sig(s, &file, s->sig_path ? s->sig_path : s->path)))
		return false;
	if (!found && !take_settings(s))
		return false;
	for (i = 0; i < s->count; i++)
		if (!measure_view(s, &s->view[i]))
			return false;
	return true;
}

void cli_subject_close(struct cli_subject *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		if (s->view[i].has_plan)
			edmm_plan_free(&s->view[i].plan);
	edmm_image_free(s->image);
	cli_settings_drop(s->settings);
}
