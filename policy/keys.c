/* SPDX-License-Identifier: BSD-3-Clause */
/* The one reader and the one writer behind every format's table: keys.h. */
#include "policy/keys.h"

#include <stdlib.h>
#include <string.h>

const struct pol_map *pol_row(const struct pol_format *fmt,
			      enum edmm_setting_id id)
{
	for (const struct pol_map *m = fmt->map; m->path; m++)
		if (m->id == id)
			return m;
	return NULL;
}

const char *pol_setting_name(enum edmm_setting_id id)
{
	const struct pol_map *m = pol_row(&pol_edmm, id);

	return m ? m->path : "?";
}

/* ---- reading ---------------------------------------------------------- */

struct reading {
	const struct pol_format *fmt;
	struct edmm_policy *p;
	struct edmm_findings *f;
	const struct pol_map *m;
	struct pol_node *n;
};

static struct edmm_finding *bad(const struct reading *r, const char *rule,
				const char *what)
{
	return pol_report(r->f, r->p->doc, &r->n->at, EDMM_ERROR, rule, "%s %s",
			  r->m->path, what);
}

static bool read_size(const struct reading *r, uint64_t *value)
{
	const struct pol_node *n = r->n;
	bool quoted = !r->fmt->flat;
	struct edmm_finding *v;
	char fix[96];
	edmm_err err;

	if (n->kind == POL_INT && r->fmt->bytes && n->num >= 0) {
		*value = (uint64_t)n->num;
		return true;
	}
	if (n->kind == POL_INT) {
		char text[32];

		v = bad(r, "P103", "is a number, not a size");
		if (n->num < 0)
			return false;
		edmm_size_format(r->fmt->id, (uint64_t)n->num, text);
		pol_fix(v, "write \"%s\"", text);
		pol_repl(v, n->at.off, n->at.len, "\"%s\"", text);
		return false;
	}
	if (n->kind != POL_STRING) {
		bad(r, "P104", "must be a size");
		return false;
	}
	err = edmm_size_parse(r->fmt->id, n->str, value, fix);
	if (!err)
		return true;
	v = pol_report(r->f, r->p->doc, &n->at, EDMM_ERROR, "P103",
		       "%s: '%.40s' is no size%s", r->m->path, n->str,
		       err == -EDMM_ERANGE ? " below 2^64" : "");
	if (strncmp(fix, "write ", 6) == 0) {
		pol_fix(v, "%s", fix);
	} else {
		pol_fix(v, quoted ? "write \"%s\"" : "write %s", fix);
		pol_repl(v, n->at.off, n->at.len, quoted ? "\"%s\"" : "%s",
			 fix);
	}
	return false;
}

/* Blanks may come before it, nothing may come after it: strtoull's way. */
static bool read_number(const char *text, int base, uint64_t *value)
{
	char *end = NULL;
	const char *s = text + strspn(text, " \t\r\n");

	if (*s < '0' || *s > '9' || strlen(s) > 66)
		return false;
	if (base == 16 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		if (strspn(s, "0123456789abcdefABCDEF") == 0)
			return false;
	}
	if (strlen(s + strspn(s, "0")) > 20 && base != 2)
		return false;
	*value = strtoull(s, &end, base);
	/* A value of twenty digits may have been cut at 2^64 - 1. */
	if (*value == UINT64_MAX && base == 10 &&
	    strncmp(s, "18446744073709551615", 20) != 0)
		return false;
	return *end == '\0';
}

/* A number of the file counts 2^this bytes, or things. */
static unsigned shift_of(const struct pol_map *m)
{
	return m->type == POL_PAGES ? 12 : m->type == POL_MIBS ? 20 : 0;
}

static bool is_number(const struct pol_map *m)
{
	return m->type == POL_UINT || m->type == POL_BYTES ||
	       m->type == POL_PAGES || m->type == POL_MIBS;
}

/* "512MB" where a number of MiB is wanted. */
static void no_number(const struct reading *r)
{
	struct edmm_finding *v =
		bad(r, "P104", "must be a whole number, zero or more");
	const char *of = r->m->type == POL_PAGES   ? "pages of 4 KiB"
			 : r->m->type == POL_MIBS  ? "MiB"
			 : r->m->type == POL_BYTES ? "bytes"
						   : NULL;
	const struct pol_node *n = r->n;
	uint64_t meant;

	if (!of)
		return;
	if (n->kind != POL_STRING || !pol_guess(n->str, &meant)) {
		pol_fix(v, "a number of %s", of);
		return;
	}
	if (n->str[strspn(n->str, "0123456789")] != '\0')
		meant = meant >> shift_of(r->m);
	pol_fix(v, "a number of %s: write %llu", of, (unsigned long long)meant);
	pol_repl(v, n->at.off, n->at.len, "%llu", (unsigned long long)meant);
}

static bool read_uint(const struct reading *r, uint64_t *value)
{
	const struct pol_node *n = r->n;
	unsigned shift = shift_of(r->m);
	uint64_t most = r->m->max;
	bool ok = false;

	if (n->kind == POL_INT && n->num >= 0) {
		*value = (uint64_t)n->num;
		ok = true;
	} else if (n->kind == POL_STRING && r->fmt->flat) {
		ok = read_number(n->str, r->fmt->any_base ? 0 : 10, value);
	}
	if (!ok) {
		no_number(r);
		return false;
	}
	if (most == 0 && shift > 0)
		most = UINT64_MAX >> shift;
	if (most != 0 && *value > most) {
		pol_fix(pol_report(r->f, r->p->doc, &n->at, EDMM_ERROR, "P104",
				   "%s is %llu", r->m->path,
				   (unsigned long long)*value),
			"at most %llu", (unsigned long long)most);
		return false;
	}
	*value <<= shift;
	return true;
}

static bool read_hex(const struct reading *r, uint64_t *value)
{
	if (r->n->kind == POL_STRING &&
	    read_number(r->n->str, r->fmt->flat ? 0 : 16, value) &&
	    (r->m->max == 0 || *value <= r->m->max))
		return true;
	pol_fix(bad(r, "P104", "must be a hexadecimal number"),
		"write it as in \"0x1f\"");
	return false;
}

static bool read_flag(const struct reading *r, uint64_t *value)
{
	const struct pol_node *n = r->n;

	if (n->kind == POL_BOOL) {
		*value = (uint64_t)n->num;
	} else if (n->kind == POL_INT && r->fmt->number_flags) {
		*value = n->num != 0;
	} else if (!r->fmt->flat) {
		struct edmm_finding *v =
			bad(r, "P104", "must be true or false");

		if (n->kind == POL_INT && (n->num == 0 || n->num == 1)) {
			pol_fix(v, "write %s", n->num ? "true" : "false");
			pol_repl(v, n->at.off, n->at.len, "%s",
				 n->num ? "true" : "false");
		}
		return false;
	} else if (!read_number(n->str, 0, value) || *value > 1) {
		bad(r, "P104", "must be 0 or 1");
		return false;
	}
	if (r->m->type == POL_UNFLAG)
		*value = !*value;
	return true;
}

static bool read_word(const struct reading *r, uint64_t *value)
{
	const struct pol_node *n = r->n;
	char all[128] = "";
	size_t used = 0;

	for (unsigned i = 0; r->m->words[i]; i++) {
		if (n->kind == POL_STRING &&
		    strcmp(r->m->words[i], n->str) == 0) {
			*value = i;
			return true;
		}
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
					 i > 0 ? ", " : "", r->m->words[i]);
	}
	pol_fix(pol_report(r->f, r->p->doc, &n->at, EDMM_ERROR, "P104",
			   "%s: '%.40s' is none of its values", r->m->path,
			   n->kind == POL_STRING ? n->str : "?"),
		"one of %s", all);
	return false;
}

static bool read_signals(const struct reading *r, uint64_t *value)
{
	char all[EDMM_SIGNALS_TEXT];

	if (r->n->kind == POL_STRING && edmm_signals_parse(r->n->str, value))
		return true;
	pol_fix(bad(r, "P104", "must be names of signals"),
		"some of %s and numbers from 32 to 64, as in \"TERM INT 40\"",
		edmm_signals_text(UINT32_MAX >> 1, all));
	return false;
}

static bool read_value(const struct reading *r, uint64_t *value)
{
	switch (r->m->type) {
	case POL_SIZE:
		return read_size(r, value);
	case POL_UINT:
	case POL_BYTES:
	case POL_PAGES:
	case POL_MIBS:
		return read_uint(r, value);
	case POL_HEX:
		return read_hex(r, value);
	case POL_SIGNALS:
		return read_signals(r, value);
	case POL_SIGTERM:
		if (!read_flag(r, value))
			return false;
		*value *= POL_TERM;
		return true;
	case POL_FLAG:
	case POL_UNFLAG:
		return read_flag(r, value);
	default:
		return read_word(r, value);
	}
}

void pol_missing(const struct edmm_policy *p, const struct pol_map *m,
		 struct edmm_findings *f)
{
	const char *dot = strrchr(m->path, '.');
	const struct pol_node *parent = p->doc->root;
	struct pol_span at = { 0, 1 };
	char path[64];

	/* Named at the table that should have it, or at the file's start. */
	snprintf(path, sizeof(path), "%.*s", dot ? (int)(dot - m->path) : 0,
		 m->path);
	if (path[0] != '\0')
		parent = pol_find(p->doc->root, path);
	if (parent && parent->key_at.len > 0)
		at = parent->key_at;
	pol_report(f, p->doc, &at, EDMM_ERROR, "P102", "%s is missing",
		   m->path);
}

/* SCONE_HEAP=$HEAP in a script: known when it runs, kept as it is. */
static bool by_shell(const struct reading *r)
{
	if (!strpbrk(r->n->str, "$`"))
		return false;
	pol_effect(pol_report(r->f, r->p->doc, &r->n->at, EDMM_NOTE, "P107",
			      "%s is set by the shell", r->m->path),
		   "its value is not known here");
	return true;
}

/* The same in a template that was not rendered. */
static bool by_template(const struct reading *r)
{
	if (!pol_templated(r->p->doc, r->n))
		return false;
	r->n->used = true;
	pol_effect(pol_report(r->f, r->p->doc, &r->n->at, EDMM_NOTE, "P107",
			      "%s is set by the template", r->m->path),
		   "its value is not known here");
	return true;
}

void pol_map_read(const struct pol_format *fmt, struct edmm_policy *p,
		  struct edmm_findings *f)
{
	for (const struct pol_map *m = fmt->map; m->path; m++) {
		struct pol_node *n = pol_find(p->doc->root, m->path);
		struct reading r = { fmt, p, f, m, n };
		uint64_t value = 0;

		if (!n) {
			if (m->required)
				pol_missing(p, m, f);
			continue;
		}
		if ((fmt->shell && by_shell(&r)) || by_template(&r))
			continue;
		n->used = true;
		if (!read_value(&r, &value))
			continue;
		p->s[m->id] = (struct edmm_setting){ value, true, n->at.off,
						     n->at.len };
		(void)pol_enough(fmt, p, &p->s[m->id], m->id, f);
	}
}

bool pol_enough(const struct pol_format *fmt, const struct edmm_policy *p,
		const struct edmm_setting *s, enum edmm_setting_id id,
		struct edmm_findings *f)
{
	const struct pol_map *m = pol_row(fmt, id);
	struct pol_span at = pol_at(p, id);

	for (const struct pol_least *l = fmt->least; l && l->spelled; l++) {
		if (!m || l->id != id || s->value >= l->value)
			continue;
		pol_fix(pol_report(f, p->doc, p->s[id].set ? &at : NULL,
				   EDMM_ERROR, "P104", "%s: %llu is too small",
				   m->path,
				   (unsigned long long)pol_number(m, s->value)),
			"at least %s", l->spelled);
		return false;
	}
	return true;
}

/* ---- writing ---------------------------------------------------------- */

uint64_t pol_number(const struct pol_map *m, uint64_t value)
{
	unsigned shift = shift_of(m);

	return (value >> shift) + ((value & ((1ull << shift) - 1)) != 0);
}

const char *pol_spell(const struct pol_format *fmt, const struct pol_map *m,
		      uint64_t value, char buf[64])
{
	switch (m->type) {
	case POL_SIZE:
		return edmm_size_format(fmt->id, value, buf);
	case POL_HEX:
		snprintf(buf, 64, "0x%llx", (unsigned long long)value);
		return buf;
	case POL_WORD:
		return m->words[value];
	case POL_SIGNALS: {
		char all[EDMM_SIGNALS_TEXT];

		snprintf(buf, 64, "%.63s", edmm_signals_text(value, all));
		return buf;
	}
	case POL_FLAG:
	case POL_UNFLAG:
	case POL_SIGTERM:
		if (m->type == POL_SIGTERM)
			value &= POL_TERM;
		value = (value != 0) != (m->type == POL_UNFLAG);
		if (!fmt->flat)
			return value ? "true" : "false";
		break;
	default:
		break;
	}
	snprintf(buf, 64, "%llu", (unsigned long long)pol_number(m, value));
	return buf;
}

struct pol_node *pol_map_put(struct pol_doc *doc, const struct pol_format *fmt,
			     const struct pol_map *m, uint64_t value)
{
	char buf[64], signals[EDMM_SIGNALS_TEXT];
	const char *s = m->type == POL_SIGNALS
				? edmm_signals_text(value, signals)
				: pol_spell(fmt, m, value, buf);
	enum pol_kind kind = POL_STRING;
	struct pol_node *n;

	if (!fmt->flat && is_number(m))
		kind = POL_INT;
	else if (!fmt->flat && (m->type == POL_FLAG || m->type == POL_UNFLAG ||
				m->type == POL_SIGTERM))
		kind = POL_BOOL;
	n = pol_make(doc, doc->root, m->path, kind);
	if (!n)
		return NULL;
	n->num = kind == POL_INT ? (int64_t)pol_number(m, value) : s[0] == 't';
	if (kind == POL_STRING) {
		n->num = 0;
		n->str = pol_strndup(doc, s, strlen(s));
	}
	return doc->oom ? NULL : n;
}

const struct pol_node *pol_kept(const struct edmm_policy *p,
				enum edmm_format format)
{
	const struct pol_node *n = p->doc->root;
	char path[64];

	if (pol_format(p->format)->common && !pol_format(format)->common) {
		snprintf(path, sizeof(path), "keep.%s",
			 edmm_format_name(format));
		n = pol_find(p->doc->root, path);
	} else if (p->format != format) {
		return NULL;
	}
	return n && pol_says(n) ? n : NULL;
}

bool edmm_policy_equal(const struct edmm_policy *a, const struct edmm_policy *b)
{
	for (unsigned i = 0; i < EDMM_SET_COUNT; i++)
		if (a->s[i].set != b->s[i].set ||
		    (a->s[i].set && a->s[i].value != b->s[i].value))
			return false;
	return pol_same(a->doc->root, b->doc->root);
}
