/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings: making, ordering, printing and applying them. */
#include "policy/find.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of one run; more would help nobody. All of them are counted. */
#define FINDINGS_MAX 200

static const char *const level_name[] = { "note", "warning", "error" };

/* Filled in where memory is short, so that callers need no check. */
static void set_text(char **slot, const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		return;
	free(*slot);
	*slot = s;
}

static struct edmm_finding *grow(struct edmm_findings *f)
{
	if (f->count == f->capacity) {
		size_t capacity = f->capacity > 0 ? 2 * f->capacity : 16;
		struct edmm_finding *v =
			realloc(f->v, capacity * sizeof(*f->v));

		if (!v)
			return NULL;
		f->v = v;
		f->capacity = capacity;
	}
	memset(&f->v[f->count], 0, sizeof(*f->v));
	return &f->v[f->count++];
}

struct edmm_finding *pol_report_at(struct edmm_findings *f,
				   struct pol_place place,
				   enum edmm_level level, const char *rule,
				   const char *fmt, ...)
{
	const struct pol_doc *doc = place.doc;
	const struct pol_span *at = place.at;
	static _Thread_local struct edmm_finding nowhere;
	struct edmm_finding *v = f->count < FINDINGS_MAX ? grow(f) : NULL;
	va_list ap;

	f->errors += level == EDMM_ERROR;
	f->warnings += level == EDMM_WARNING;
	if (!v) {
		memset(&nowhere, 0, sizeof(nowhere));
		return &nowhere;
	}
	v->level = level;
	v->rule = rule;
	v->file = strdup(doc ? doc->name : "");
	if (doc && at) {
		pol_where(doc, at->off, &v->line, &v->col);
		pol_where(doc, (size_t)at->off + at->len, &v->end_line,
			  &v->end_col);
	}
	va_start(ap, fmt);
	set_text(&v->text, fmt, ap);
	va_end(ap);
	return v;
}

void pol_effect(struct edmm_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(&f->effect, fmt, ap);
	va_end(ap);
}

void pol_fix(struct edmm_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(&f->fix, fmt, ap);
	va_end(ap);
}

void pol_repl(struct edmm_finding *f, size_t off, size_t len, const char *fmt,
	      ...)
{
	va_list ap;

	f->off = off;
	f->len = len;
	va_start(ap, fmt);
	set_text(&f->repl, fmt, ap);
	va_end(ap);
}

static void free_one(struct edmm_finding *f)
{
	free(f->file);
	free(f->text);
	free(f->effect);
	free(f->fix);
	free(f->repl);
}

void edmm_findings_free(struct edmm_findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		free_one(&f->v[i]);
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *x, const void *y)
{
	const struct edmm_finding *a = x;
	const struct edmm_finding *b = y;
	int c = compare_text(a->file, b->file);

	if (c == 0)
		c = (a->line > b->line) - (a->line < b->line);
	if (c == 0)
		c = (a->col > b->col) - (a->col < b->col);
	if (c == 0)
		c = strcmp(a->rule, b->rule);
	return c != 0 ? c : compare_text(a->text, b->text);
}

void edmm_findings_sort(struct edmm_findings *f)
{
	size_t kept = 0;

	if (f->count == 0)
		return;
	qsort(f->v, f->count, sizeof(*f->v), compare);
	for (size_t i = 1; i < f->count; i++) {
		if (compare(&f->v[kept], &f->v[i]) != 0) {
			f->v[++kept] = f->v[i];
			continue;
		}
		f->errors -= f->v[i].level == EDMM_ERROR;
		f->warnings -= f->v[i].level == EDMM_WARNING;
		free_one(&f->v[i]);
	}
	f->count = kept + 1;
}

void edmm_finding_print(const struct edmm_finding *f, FILE *out)
{
	bool named = f->file && f->file[0] != '\0';

	if (named)
		fprintf(out, "%s:", f->file);
	if (f->line > 0)
		fprintf(out, "%u:%u:", f->line, f->col);
	if (named)
		putc(' ', out);
	fprintf(out, "%s: %s", level_name[f->level], f->text ? f->text : "");
	if (f->effect)
		fprintf(out, ": %s", f->effect);
	if (f->fix)
		fprintf(out, "; %s", f->fix);
	fprintf(out, " [%s]\n", f->rule);
}

static void put_text(json_t *obj, const char *key, const char *text)
{
	if (text)
		json_object_set_new(obj, key, json_string(text));
}

static void put_place(json_t *obj, const struct edmm_finding *f)
{
	if (f->line == 0)
		return;
	json_object_set_new(obj, "line", json_integer(f->line));
	json_object_set_new(obj, "column", json_integer(f->col));
	json_object_set_new(obj, "endLine", json_integer(f->end_line));
	json_object_set_new(obj, "endColumn", json_integer(f->end_col));
}

static void dump(json_t *root, FILE *out)
{
	json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
}

void edmm_findings_json(const struct edmm_findings *f, FILE *out)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++) {
		const struct edmm_finding *v = &f->v[i];
		json_t *o = json_object();

		put_text(o, "rule", v->rule);
		put_text(o, "level", level_name[v->level]);
		put_text(o, "file", v->file);
		put_place(o, v);
		put_text(o, "message", v->text);
		put_text(o, "effect", v->effect);
		put_text(o, "fix", v->fix);
		json_object_set_new(o, "fixable", json_boolean(v->repl));
		json_array_append_new(list, o);
	}
	dump(json_pack("{s:o, s:I, s:I}", "findings", list, "errors",
		       (json_int_t)f->errors, "warnings",
		       (json_int_t)f->warnings),
	     out);
}

static json_t *sarif_region(const struct edmm_finding *v)
{
	json_t *r = json_object();

	json_object_set_new(r, "startLine", json_integer(v->line));
	json_object_set_new(r, "startColumn", json_integer(v->col));
	json_object_set_new(r, "endLine", json_integer(v->end_line));
	json_object_set_new(r, "endColumn", json_integer(v->end_col));
	return r;
}

static json_t *sarif_result(const struct edmm_finding *v)
{
	char message[2048];
	json_t *place = json_pack("{s:{s:s}}", "artifactLocation", "uri",
				  v->file ? v->file : "");

	snprintf(message, sizeof(message), "%s%s%s%s%s", v->text ? v->text : "",
		 v->effect ? ": " : "", v->effect ? v->effect : "",
		 v->fix ? "; " : "", v->fix ? v->fix : "");
	if (v->line > 0)
		json_object_set_new(place, "region", sarif_region(v));
	return json_pack("{s:s, s:s, s:{s:s}, s:[{s:o}]}", "ruleId", v->rule,
			 "level", level_name[v->level], "message", "text",
			 message, "locations", "physicalLocation", place);
}

/* Each rule that was met, once. */
static json_t *sarif_rules(const struct edmm_findings *f)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < f->count; i++) {
		size_t j = 0;

		while (strcmp(f->v[j].rule, f->v[i].rule) != 0)
			j++;
		if (j == i)
			json_array_append_new(
				rules, json_pack("{s:s}", "id", f->v[i].rule));
	}
	return rules;
}

void edmm_findings_sarif(const struct edmm_findings *f, FILE *out)
{
	json_t *results = json_array();

	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(results, sarif_result(&f->v[i]));
	dump(json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:o}}, s:s, s:o}]}",
		       "version", "2.1.0", "$schema",
		       "https://json.schemastore.org/sarif-2.1.0.json", "runs",
		       "tool", "driver", "name", "edmm", "rules",
		       sarif_rules(f), "columnKind", "unicodeCodePoints",
		       "results", results),
	     out);
}

static int compare_edits(const void *x, const void *y)
{
	const struct edmm_finding *a = *(const struct edmm_finding *const *)x;
	const struct edmm_finding *b = *(const struct edmm_finding *const *)y;

	return (a->off > b->off) - (a->off < b->off);
}

/* The findings that carry an edit, by where it starts; NULL-terminated. */
static const struct edmm_finding **edits_of(const struct edmm_findings *f)
{
	const struct edmm_finding **v = calloc(f->count + 1, sizeof(void *));
	size_t n = 0;

	for (size_t i = 0; v && i < f->count; i++)
		if (f->v[i].repl)
			v[n++] = &f->v[i];
	if (n > 1)
		qsort(v, n, sizeof(void *), compare_edits);
	return v;
}

static size_t append(char *out, size_t used, const char *bytes, size_t len)
{
	if (len > 0)
		memcpy(out + used, bytes, len);
	return used + len;
}

int edmm_findings_fix(const struct edmm_findings *f, const char *text,
		      size_t size, char **out, size_t *out_size)
{
	const struct edmm_finding **edits = edits_of(f);
	size_t room = size + 1;
	size_t done = 0; /* bytes of the old text that are dealt with */
	size_t used = 0;
	int fixes = 0;

	for (size_t i = 0; edits && edits[i]; i++)
		room += strlen(edits[i]->repl);
	*out = malloc(room);
	if (!*out || !edits) {
		free(*out);
		free(edits);
		*out = NULL;
		return -EDMM_ENOMEM;
	}
	for (size_t i = 0; edits[i]; i++) {
		const struct edmm_finding *e = edits[i];

		if (e->off < done || e->off + e->len > size)
			continue;
		used = append(*out, used, text + done, e->off - done);
		used = append(*out, used, e->repl, strlen(e->repl));
		done = e->off + e->len;
		fixes++;
	}
	used = append(*out, used, text + done, size - done);
	(*out)[used] = '\0';
	*out_size = used;
	free(edits);
	return fixes;
}
