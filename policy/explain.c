/* SPDX-License-Identifier: BSD-3-Clause */
/* What an enclave of a policy looks like on each kind of machine. */
#include <jansson.h>
#include <string.h>

#include "policy/areas.h"

#define PLATFORMS 3u
#define COLUMNS 4u /* and the last: as if EDMM were on */

struct column {
	const char *name;
	struct edmm_resolved r;
	struct pol_layout l;
	bool ok;
	bool soft;
};

static uint64_t startup(const struct column *c)
{
	return c->soft ? pol_startup_soft_ns(&c->l) : pol_startup_ns(&c->l);
}

static const char *bytes(uint64_t n, char buf[32])
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	double d = (double)n;
	unsigned u = 0;

	if (n == UINT64_MAX)
		return "too large";
	while (d >= 1024.0 && u < 5) {
		d /= 1024.0;
		u++;
	}
	snprintf(buf, 32, d == (double)(uint64_t)d ? "%.0f %s" : "%.1f %s", d,
		 units[u]);
	return buf;
}

static const char *number(uint64_t n, char buf[32])
{
	snprintf(buf, 32, "%llu", (unsigned long long)n);
	return buf;
}

static const char *duration(uint64_t ns, char buf[32])
{
	if (ns >= 1000000000)
		snprintf(buf, 32, "%.1f s", (double)ns / 1e9);
	else
		snprintf(buf, 32, "%.1f ms", (double)ns / 1e6);
	return buf;
}

/* ---- text ------------------------------------------------------------- */

typedef const char *(*cell_fn)(const struct column *c, char buf[32]);

static const char *cell_edmm(const struct column *c, char buf[32])
{
	(void)buf;
	return c->r.refused ? "does not start" : c->r.elastic ? "on" : "off";
}

static const char *cell_range(const struct column *c, char buf[32])
{
	return bytes(c->l.elrange, buf);
}

static const char *cell_loaded(const struct column *c, char buf[32])
{
	return bytes(c->l.added > UINT64_MAX / 4096 ? UINT64_MAX
						    : c->l.added * 4096,
		     buf);
}

static const char *cell_added(const struct column *c, char buf[32])
{
	return number(c->l.added, buf);
}

static const char *cell_measured(const struct column *c, char buf[32])
{
	return number(c->l.measured, buf);
}

static const char *cell_startup(const struct column *c, char buf[32])
{
	return duration(startup(c), buf);
}

static const char *cell_threads(const struct column *c, char buf[32])
{
	return number(c->r.tcs_init, buf);
}

static const char *cell_most_threads(const struct column *c, char buf[32])
{
	return number(c->r.elastic ? c->r.tcs_max : c->r.tcs_init, buf);
}

static const char *cell_heap(const struct column *c, char buf[32])
{
	return bytes(c->r.heap_init, buf);
}

static const char *cell_most_heap(const struct column *c, char buf[32])
{
	return bytes(c->r.elastic ? c->r.heap_max : c->r.heap_init, buf);
}

static const char *cell_stack(const struct column *c, char buf[32])
{
	return bytes(c->r.stack_max, buf);
}

static const char *cell_user(const struct column *c, char buf[32])
{
	return bytes(c->r.user_max, buf);
}

static const struct {
	const char *name;
	cell_fn cell;
	bool occlum; /* of a library OS with a user space only */
} lines[] = {
	{ "EDMM", cell_edmm, false },
	{ "address range", cell_range, false },
	{ "loaded at start", cell_loaded, false },
	{ "  pages added (EADD)", cell_added, false },
	{ "  pages measured", cell_measured, false },
	{ "start-up, estimated", cell_startup, false },
	{ "threads at start", cell_threads, false },
	{ "  at most", cell_most_threads, false },
	{ "stack of each", cell_stack, false },
	{ "heap at start", cell_heap, false },
	{ "  at most", cell_most_heap, false },
	{ "user space at most", cell_user, true },
};

static void print_table(const struct column *c, unsigned columns, FILE *out)
{
	char buf[32];

	fprintf(out, "%-24s", "");
	for (unsigned i = 0; i < columns; i++)
		fprintf(out, "%16s", c[i].name);
	for (size_t l = 0; l < sizeof(lines) / sizeof(lines[0]); l++) {
		if (lines[l].occlum && c->r.user_max == 0)
			continue;
		fprintf(out, "\n%-24s", lines[l].name);
		for (unsigned i = 0; i < columns; i++)
			fprintf(out, "%16s",
				c[i].ok && (l == 0 || !c[i].r.refused)
					? lines[l].cell(&c[i], buf)
					: "-");
	}
	fputc('\n', out);
}

static void print_areas(const struct column *c, const char *name, FILE *out)
{
	char size[32];

	fprintf(out, "\n%s, with EDMM %s\n", name, c->r.elastic ? "on" : "off");
	fprintf(out, "  %14s  %12s  %10s  %10s\n", "offset", "size", "added",
		"measured");
	for (unsigned i = 0; i < c->l.count; i++) {
		const struct pol_area *a = &c->l.v[i];

		fprintf(out, "  %#14llx  %12s  %10llu  %10llu  %s",
			(unsigned long long)a->off, bytes(a->size, size),
			(unsigned long long)a->added,
			(unsigned long long)a->measured, a->name);
		if (a->count > 1)
			fprintf(out, " (%llu)", (unsigned long long)a->count);
		fputc('\n', out);
	}
}

static void print_notes(const struct edmm_policy *p, const struct column *c,
			FILE *out)
{
	char size[32];

	fprintf(out,
		"\nRules: %s. The program itself is assumed to be %s; add what "
		"it is more.\nStart-up is that of the leaves: 12.5K cycles for "
		"EADD, 88K to measure a page, at\n2.6 GHz (PIE, ISCA 2021); "
		"on the software machine 13 us and 5 us, as measured once.\n",
		edmm_format_name(pol_family_of(p)->rules),
		bytes(c->l.assumed, size));
	if (pol_family(&c->r)->layout_note)
		fputs(pol_family(&c->r)->layout_note, out);
	if (pol_family(&c->r)->fixed)
		fprintf(out,
			"%s has no EDMM: nothing that the file could say would "
			"turn it on.\n",
			edmm_format_name(c->r.rules));
}

/* ---- as if EDMM were on ------------------------------------------------ */

/* The same file with EDMM, where it has that off and could have it on. */
struct what_if {
	bool asked;
	const char *change; /* what to write into the file */
	char text[64];
	struct edmm_findings f; /* why it would not do */
};

static const char *enable(struct edmm_policy *p, char text[64])
{
	const struct pol_format *fmt = pol_format(p->format);
	const struct pol_map *m = pol_row(fmt, EDMM_SET_EDMM);
	char value[64] = "enable";

	p->s[EDMM_SET_EDMM].set = true;
	p->s[EDMM_SET_EDMM].value = EDMM_WISH_ENABLE;
	if (m)
		pol_spell(fmt, m, EDMM_WISH_ENABLE, value);
	snprintf(text, 64, "%.40s = %.16s", pol_name(p, EDMM_SET_EDMM), value);
	return text;
}

static void ask_what_if(const struct edmm_policy *policy,
			const struct edmm_target *target, struct column *c,
			struct what_if *w)
{
	const struct pol_family *family = pol_family_of(policy);
	struct edmm_policy p = *policy;
	struct edmm_target t = *target;

	if (!c[1].ok || c[1].r.elastic || c[1].r.refused || family->fixed)
		return;
	w->asked = true;
	w->change = family->turn_on ? family->turn_on(&p) : enable(&p, w->text);
	t.platform = EDMM_PLATFORM_SGX2;
	c[3].name = "SGX2, EDMM on";
	c[3].ok = edmm_policy_resolve(&p, &t, &c[3].r, &w->f) == 0;
	pol_areas(&c[3].r, &c[3].l);
}

static void print_what_if(const struct column *c, const struct what_if *w,
			  FILE *out)
{
	const struct column *off = &c[1];
	const struct column *on = &c[3];
	char a[32], b[32], m[32];

	fprintf(out, "\nIf EDMM were on (%s)", w->change);
	if (!on->ok)
		fprintf(out, " it would not start: %s.\n",
			w->f.count > 0 && w->f.v[0].text ? w->f.v[0].text
							 : "an error");
	else if (!on->r.elastic)
		fprintf(out, " nothing would grow: each maximum is what is "
			     "there at start.\n");
	else
		fprintf(out,
			" it would start with %llu pages, not %llu,\nin %s, "
			"not %s, and grow to a heap of %s.\n",
			(unsigned long long)on->l.added,
			(unsigned long long)off->l.added,
			duration(startup(on), a), duration(startup(off), b),
			bytes(on->r.heap_max, m));
}

/* ---- JSON ------------------------------------------------------------- */

static json_int_t as_json(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static json_t *json_areas(const struct pol_layout *l)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < l->count; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name",
				  l->v[i].name, "offset", as_json(l->v[i].off),
				  "size", as_json(l->v[i].size), "count",
				  as_json(l->v[i].count), "pages_added",
				  as_json(l->v[i].added), "pages_measured",
				  as_json(l->v[i].measured)));
	return list;
}

static json_t *json_column(const struct column *c)
{
	if (!c->ok || c->r.refused)
		return json_pack("{s:s, s:b}", "machine", c->name, "starts", 0);
	json_t *o = json_pack(
		"{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "machine",
		c->name, "starts", 1, "edmm", c->r.elastic, "elrange",
		as_json(c->l.elrange), "pages_added", as_json(c->l.added),
		"pages_measured", as_json(c->l.measured), "startup_ns",
		as_json(startup(c)), "threads", as_json(c->r.tcs_init),
		"threads_max",
		as_json(c->r.elastic ? c->r.tcs_max : c->r.tcs_init));

	json_object_set_new(o, "heap_init",
			    json_integer(as_json(c->r.heap_init)));
	json_object_set_new(o, "heap_max",
			    json_integer(as_json(c->r.heap_max)));
	json_object_set_new(o, "stack", json_integer(as_json(c->r.stack_max)));
	json_object_set_new(o, "user_init",
			    json_integer(as_json(c->r.user_init)));
	json_object_set_new(o, "user_max",
			    json_integer(as_json(c->r.user_max)));
	json_object_set_new(o, "areas", json_areas(&c->l));
	return o;
}

static void print_json(const struct edmm_policy *p, const struct column *c,
		       const struct what_if *w, FILE *out)
{
	json_t *list = json_array();
	json_t *root;

	for (unsigned i = 0; i < PLATFORMS; i++)
		json_array_append_new(list, json_column(&c[i]));
	root = json_pack("{s:s, s:s, s:I, s:o}", "file", p->doc->name, "rules",
			 edmm_format_name(pol_family_of(p)->rules),
			 "assumed_image", as_json(c->l.assumed), "machines",
			 list);
	if (w->asked) {
		json_t *o = json_column(&c[3]);

		json_object_set_new(o, "change", json_string(w->change));
		json_object_set_new(root, "if_edmm_were_on", o);
	}
	json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
}

static void print_text(const struct edmm_policy *p, const struct column *c,
		       const struct what_if *w, FILE *out)
{
	print_table(c, w->asked ? COLUMNS : PLATFORMS, out);
	for (unsigned i = 0; i < 2; i++)
		if (c[i].ok && !c[i].r.refused && (i == 0 || c[i].r.elastic))
			print_areas(&c[i], c[i].name, out);
	if (w->asked && c[3].ok && c[3].r.elastic)
		print_areas(&c[3], c[1].name, out);
	if (w->asked)
		print_what_if(c, w, out);
	print_notes(p, &c[1], out);
}

edmm_err edmm_policy_explain(const struct edmm_policy *policy,
			     const struct edmm_target *target, bool json,
			     FILE *out, struct edmm_findings *findings)
{
	static const enum edmm_platform platforms[PLATFORMS] = {
		EDMM_PLATFORM_SGX1, EDMM_PLATFORM_SGX2, EDMM_PLATFORM_SGX2
	};
	static const char *const names[PLATFORMS] = { "SGX1", "SGX2",
						      "software" };
	struct column c[COLUMNS] = { 0 };
	struct what_if w = { 0 };
	bool any = false;

	for (unsigned i = 0; i < PLATFORMS; i++) {
		struct edmm_target t = *target;

		t.platform = platforms[i];
		c[i].name = names[i];
		c[i].soft = i == 2;
		c[i].ok =
			edmm_policy_resolve(policy, &t, &c[i].r, findings) == 0;
		pol_areas(&c[i].r, &c[i].l);
		any |= c[i].ok;
	}
	if (!any)
		return -EDMM_EINVAL;
	ask_what_if(policy, target, c, &w);
	if (json)
		print_json(policy, c, &w, out);
	else
		print_text(policy, c, &w, out);
	edmm_findings_free(&w.f);
	return 0;
}
