/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A policy in a format's own words. Into the format whose rules it follows,
 * and into edmm.toml, settings go as they are written. Into any other, the
 * figures of the rules do (write_cross.c); what has no word there is a finding
 * P701, what had to be assumed a finding P702.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/write.h"

static bool word_exists(const struct pol_map *m, uint64_t value)
{
	for (uint64_t i = 0; m->words[i]; i++)
		if (i == value)
			return true;
	return false;
}

/* Whether a row can hold a value; a finding where it cannot. */
static bool fits(const struct pol_writing *w, const struct pol_map *m,
		 uint64_t value)
{
	struct pol_span at = pol_at(w->p, m->id);
	const struct pol_span *where = w->p->s[m->id].set ? &at : NULL;

	if (m->type == POL_WORD && !word_exists(m, value)) {
		pol_report(w->f, w->p->doc, where, EDMM_NOTE, "P701",
			   "lost: %s: %s has no word for its value",
			   pol_name(w->p, m->id), edmm_format_name(w->fmt->id));
		return false;
	}
	if (m->type == POL_SIGTERM && value & ~POL_TERM)
		pol_report(w->f, w->p->doc, where, EDMM_NOTE, "P701",
			   "lost: %s: %s has a word for TERM alone",
			   pol_name(w->p, m->id), edmm_format_name(w->fmt->id));
	if (m->max != 0 && pol_number(m, value) > m->max) {
		pol_report(w->f, w->p->doc, where, EDMM_ERROR, "P104",
			   "%s is %llu, and %s may be at most %llu",
			   pol_name(w->p, m->id),
			   (unsigned long long)pol_number(m, value), m->path,
			   (unsigned long long)m->max);
		return false;
	}
	return true;
}

static edmm_err put_settings(struct pol_writing *w)
{
	for (const struct pol_map *m = w->fmt->map; m->path; m++) {
		struct edmm_setting *s = &w->want[m->id];

		if (s->set && fits(w, m, s->value) &&
		    pol_enough(w->fmt, w->p, s, m->id, w->f) &&
		    !pol_map_put(w->out, w->fmt, m, s->value))
			return -EDMM_ENOMEM;
	}
	return 0;
}

/* Settings that were set and are in no row of the target. */
static void report_lost(struct pol_writing *w)
{
	for (unsigned id = 0; id < EDMM_SET_COUNT; id++) {
		struct pol_span at = pol_at(w->p, id);

		if (!w->p->s[id].set || w->told[id] || id == EDMM_SET_RULES)
			continue;
		if (w->native && pol_row(w->fmt, id))
			continue;
		pol_report(w->f, w->p->doc, &at, EDMM_NOTE, "P701",
			   "lost: %s has no word for %s",
			   edmm_format_name(w->fmt->id), pol_name(w->p, id));
	}
}

static edmm_err copy_members(struct pol_doc *doc, struct pol_node *to,
			     const struct pol_node *from)
{
	for (const struct pol_node *m = from->first; m; m = m->next)
		if (pol_says(m) && !pol_copy(doc, to, m))
			return -EDMM_ENOMEM;
	return 0;
}

/* Whether a setting was taken out of an object, so that its name is no name
 * for the rest. */
static bool partly_used(const struct pol_node *n)
{
	for (const struct pol_node *m = n->first; m; m = m->next)
		if (m->used || (m->kind == POL_OBJECT && partly_used(m)))
			return true;
	return false;
}

struct names {
	char text[256];
	size_t used;
	struct pol_span at; /* of the first */
};

static void collect_names(const struct pol_node *n, struct names *l)
{
	for (const struct pol_node *m = n->first; m; m = m->next) {
		char path[96];

		if (!pol_says(m))
			continue;
		if (m->kind == POL_OBJECT && partly_used(m)) {
			collect_names(m, l);
			continue;
		}
		if (l->used == 0)
			l->at = m->key_at;
		if (l->used + sizeof(path) + 8 > sizeof(l->text)) {
			snprintf(l->text + l->used, 6, ", ...");
			return;
		}
		l->used += (size_t)snprintf(l->text + l->used,
					    sizeof(l->text) - l->used, "%s%s",
					    l->used > 0 ? ", " : "",
					    pol_path(m, path, sizeof(path)));
	}
}

/* Names of what is kept for a format that is not written, in one line. */
static void report_kept(struct pol_writing *w, enum edmm_format format)
{
	const struct pol_node *kept = pol_kept(w->p, format);
	struct names l = { .at = { 0, 1 } };

	if (kept)
		collect_names(kept, &l);
	if (l.used > 0)
		pol_report(w->f, w->p->doc, &l.at, EDMM_NOTE, "P701",
			   "lost: %s has no word for %s",
			   edmm_format_name(w->fmt->id), l.text);
}

/* [keep.FORMAT], on the way into edmm.toml. */
static edmm_err keep_all(struct pol_writing *w)
{
	const struct pol_node *kept = pol_kept(w->p, w->p->format);
	struct pol_node *to = w->out->root;

	if (!kept)
		return 0;
	if (!pol_format(w->p->format)->common) {
		to = pol_make(w->out, to, "keep", POL_OBJECT);
		if (to)
			to = pol_node_new(w->out, to, POL_OBJECT,
					  edmm_format_name(w->p->format));
		if (!to)
			return -EDMM_ENOMEM;
	}
	return copy_members(w->out, to, kept);
}

static edmm_err put_kept(struct pol_writing *w)
{
	const struct pol_node *kept = pol_kept(w->p, w->fmt->id);
	edmm_err err = 0;

	if (w->fmt->common)
		return keep_all(w);
	if (kept)
		err = copy_members(w->out, w->out->root, kept);
	for (const struct pol_format *const *f = pol_formats; *f; f++)
		if (*f != w->fmt && !(*f)->common)
			report_kept(w, (*f)->id);
	return err;
}

/* A line of comment alone; comments behind values are not looked for. */
static void report_comments(struct pol_writing *w)
{
	const struct pol_doc *doc = w->p->doc;
	const char *sign = pol_format(w->p->format)->comment;

	if (!sign)
		return;
	for (uint32_t i = 0; i < doc->line_count; i++) {
		const char *line = doc->text + doc->lines[i];
		struct pol_span at;

		line += strspn(line, " \t");
		if (strncmp(line, sign, strlen(sign)) != 0)
			continue;
		at = (struct pol_span){ (uint32_t)(line - doc->text), 1 };
		pol_report(w->f, doc, &at, EDMM_NOTE, "P703",
			   "lost: comments are not carried over");
		return;
	}
}

/* As written: the target's own rules will be applied to it. */
static edmm_err native(struct pol_writing *w)
{
	const struct pol_map *edmm = pol_row(w->fmt, EDMM_SET_EDMM);

	memcpy(w->want, w->p->s, sizeof(w->want));
	if (w->fmt->common) {
		if (!pol_format(w->p->format)->common) {
			w->want[EDMM_SET_RULES].set = true;
			w->want[EDMM_SET_RULES].value =
				pol_family_of(w->p)->rules;
		}
		return 0;
	}
	w->want[EDMM_SET_RULES].set = false;
	/* A format that knows on and off has no word for auto. */
	if (edmm && edmm->type == POL_FLAG &&
	    w->want[EDMM_SET_EDMM].value == EDMM_WISH_AUTO) {
		struct edmm_resolved r;
		edmm_err err = edmm_policy_resolve(w->p, w->t, &r, w->f);

		if (err)
			return err;
		w->want[EDMM_SET_EDMM].value = r.elastic;
	}
	return 0;
}

static edmm_err emit(struct pol_writing *w, struct edmm_text *to)
{
	FILE *out = open_memstream(&to->text, &to->size);

	if (!out)
		return -EDMM_ENOMEM;
	w->fmt->emit(w->out->root, out);
	if (ferror(out) || fclose(out) != 0) {
		free(to->text);
		to->text = NULL;
		return -EDMM_ENOMEM;
	}
	return 0;
}

static edmm_err build(struct pol_writing *w)
{
	edmm_err err = pol_rendered(w->p, w->f);

	if (err)
		return err;
	w->native = w->fmt->common || pol_family_of(w->p) == w->fmt->family;
	err = w->native ? native(w) : pol_cross(w);
	if (!err)
		err = put_settings(w);
	if (!err)
		err = put_kept(w);
	if (err)
		return err;
	report_lost(w);
	report_comments(w);
	return w->out->oom ? -EDMM_ENOMEM : 0;
}

edmm_err edmm_policy_write(const struct edmm_policy *policy,
			   enum edmm_format format,
			   const struct edmm_target *target,
			   struct edmm_text *out,
			   struct edmm_findings *findings)
{
	struct pol_writing w = { .p = policy,
				 .t = target,
				 .f = findings,
				 .fmt = pol_format(format) };
	size_t errors = findings->errors;
	edmm_err err = -EDMM_ENOMEM;

	*out = (struct edmm_text){ NULL, 0 };
	w.out = pol_doc_new("", 0, "");
	if (w.out && pol_node_new(w.out, NULL, POL_OBJECT, NULL))
		err = build(&w);
	if (!err && findings->errors > errors)
		err = -EDMM_EINVAL;
	if (!err)
		err = emit(&w, out);
	pol_doc_free(w.out);
	return err;
}
