/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which kind of file it is, is told by its first bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/image/subject.h"
#include "image/internal.h"

#define FOREIGN_MAX (1ull << 30)

enum kind {
	KIND_IMAGE,
	KIND_SIG,
	KIND_SIGSTRUCT,
	KIND_ELF, /* ours or Intel's */
	KIND_SGXS,
	KIND_PAGELIST,
};

/* All that says nothing is taken for an image, which is then refused. */
static enum kind kind_of(const char *path)
{
	static const struct {
		enum kind kind;
		const char *magic;
		size_t size;
	} kinds[] = {
		{ KIND_SIG, "EDMMSIG", 7 },
		{ KIND_ELF, "\177ELF", 4 },
		{ KIND_SGXS, "ECREATE", 8 },
		{ KIND_SGXS, "UNSIZED", 8 },
		{ KIND_PAGELIST, EDMM_PAGELIST_MAGIC,
		  sizeof(EDMM_PAGELIST_MAGIC) - 1 },
		{ KIND_SIGSTRUCT, "\6\0\0\0\xe1\0\0", 8 },
	};
	char head[16] = "";
	FILE *f = fopen(path, "re");
	size_t got, i;

	if (!f)
		return KIND_IMAGE;
	got = fread(head, 1, sizeof(head), f);
	fclose(f);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (got >= kinds[i].size &&
		    !memcmp(head, kinds[i].magic, kinds[i].size))
			return kinds[i].kind;
	return KIND_IMAGE;
}

/* Whether the view's MRENCLAVE is what its signature says. */
static bool compare(struct cli_subject *s, struct cli_mode_view *v)
{
	char is[65], want[65];

	if (!v->has_sig)
		return true;
	v->matches = !memcmp(v->mrenclave, v->sig.enclavehash, 32);
	if (v->matches || s->lenient)
		return true;
	cli_hex(v->mrenclave, 32, is);
	cli_hex(v->sig.enclavehash, 32, want);
	cli_error("%s: measures %s, but its signature is for %s: changed since "
		  "it was signed, or the signature of another image",
		  s->path, is, want);
	return false;
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
	return compare(s, v);
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
		v->has_policy = true;
		v->label = cli_mode_name(e->policy.mode);
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

static bool take_mode(struct cli_subject *s, enum edmm_mode mode)
{
	struct cli_mode_view *v = &s->view[s->count++];

	v->has_policy = true;
	v->label = cli_mode_name((uint32_t)mode);
	return cli_settings_policy(s->settings, mode, &v->policy);
}

static bool take_settings(struct cli_subject *s)
{
	return (s->mode == EDMM_MODE_STATIC ||
		take_mode(s, EDMM_MODE_ELASTIC)) &&
	       (s->mode == EDMM_MODE_ELASTIC || take_mode(s, EDMM_MODE_STATIC));
}

/* ---- other projects' files --------------------------------------------- */

static bool verify(const struct sgx_sigstruct *sig, const char *name)
{
	struct edmm_diag diag;

	if (!edmm_sigstruct_verify(sig, &diag))
		return true;
	cli_error("%s: %s", name, diag.text);
	return false;
}

/* A file that is one SIGSTRUCT: Gramine's and Fortanix' .sig files. */
static bool read_sigstruct(const char *path, struct sgx_sigstruct *sig)
{
	struct edmm_diag diag;
	uint8_t *bytes;
	size_t size;

	if (img_file_read(path, FOREIGN_MAX, &bytes, &size, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	if (size == sizeof(*sig))
		memcpy(sig, bytes, sizeof(*sig));
	else
		cli_error("%s: %zu bytes; a SIGSTRUCT has %zu", path, size,
			  sizeof(*sig));
	free(bytes);
	return size == sizeof(*sig) && verify(sig, path);
}

static bool open_sigstruct(struct cli_subject *s)
{
	struct cli_mode_view *v = &s->view[0];

	if (!read_sigstruct(s->path, &v->sig))
		return false;
	v->has_sig = true;
	v->label = "sigstruct";
	memcpy(v->mrenclave, v->sig.enclavehash, 32);
	s->count = 1;
	return true;
}

static bool view_foreign(struct cli_subject *s, struct cli_mode_view *v)
{
	v->label = v->parts.label;
	v->has_sig = v->parts.has_sig;
	v->sig = v->parts.sig;
	if (s->sig_path) {
		if (!read_sigstruct(s->sig_path, &v->sig))
			return false;
		v->has_sig = true;
	} else if (v->has_sig && !verify(&v->sig, s->path)) {
		return false;
	}
	if (edmm_parts_measure(&v->parts, v->mrenclave)) {
		cli_error("%s: the crypto library failed", s->path);
		return false;
	}
	return compare(s, v);
}

static edmm_err parse_foreign(struct cli_subject *s, enum kind kind,
			      const uint8_t *bytes, size_t size,
			      struct edmm_diag *diag)
{
	struct edmm_parts sets[EDMM_PARTS_SETS];
	size_t count = 1, i;
	edmm_err err;

	if (kind == KIND_SGXS)
		err = edmm_parts_sgxs(bytes, size, s->path, sets, diag);
	else if (kind == KIND_PAGELIST)
		err = edmm_parts_pagelist((const char *)bytes, size, s->path,
					  sets, diag);
	else
		err = edmm_parts_intel(bytes, size, s->path, sets, &count,
				       diag);
	for (i = 0; !err && i < count; i++) {
		s->view[i].parts = sets[i];
		s->view[i].has_parts = true;
		s->count++;
	}
	return err;
}

/* -1: an ELF file that is not Intel's. */
static int open_foreign(struct cli_subject *s, enum kind kind)
{
	struct edmm_diag diag;
	uint8_t *bytes;
	bool ours = false;
	edmm_err err;
	size_t size;
	uint32_t i;

	err = img_file_read(s->path, FOREIGN_MAX, &bytes, &size, &diag);
	if (!err) {
		ours = kind == KIND_ELF && !edmm_is_intel(bytes, size);
		if (!ours)
			err = parse_foreign(s, kind, bytes, size, &diag);
		free(bytes);
	}
	if (ours)
		return -1;
	if (err)
		cli_error("%s", diag.text);
	for (i = 0; i < s->count && !err; i++)
		if (!view_foreign(s, &s->view[i]))
			return 0;
	return !err;
}

/* Settings and modes go with images of ours. */
static bool no_settings(const struct cli_subject *s)
{
	const char *fixed = cli_settings_fixed(s->settings);

	if (!fixed && !s->mode && !s->settings->heap_max)
		return true;
	cli_error("%s: no image of edmm-cc; %s goes with one", s->path,
		  fixed	    ? fixed
		  : s->mode ? "--mode"
			    : "--heap-max");
	return false;
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

static bool open_image(struct cli_subject *s)
{
	bool own = cli_settings_fixed(s->settings) || s->settings->heap_max;
	struct edmm_sig_file file;
	struct edmm_diag diag;
	uint32_t i;
	int found = 0;

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

bool cli_subject_open(struct cli_subject *s)
{
	enum kind kind = kind_of(s->path);
	int done;

	if (kind == KIND_SIG)
		return open_sig_alone(s);
	if (kind == KIND_IMAGE)
		return open_image(s);
	if (kind == KIND_ELF) {
		done = open_foreign(s, kind);
		if (done < 0)
			return open_image(s);
		return done && no_settings(s);
	}
	if (!no_settings(s))
		return false;
	return kind == KIND_SIGSTRUCT ? open_sigstruct(s)
				      : open_foreign(s, kind) > 0;
}

const struct edmm_parts *cli_view_parts(struct cli_subject *s,
					struct cli_mode_view *v)
{
	if (!v->has_parts && v->has_plan)
		v->has_parts = !edmm_parts_plan(s->image, &v->plan, &v->parts);
	return v->has_parts ? &v->parts : NULL;
}

void cli_subject_close(struct cli_subject *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		if (s->view[i].has_parts)
			edmm_parts_free(&s->view[i].parts);
		if (s->view[i].has_plan)
			edmm_plan_free(&s->view[i].plan);
	}
	edmm_image_free(s->image);
	cli_settings_drop(s->settings);
}
