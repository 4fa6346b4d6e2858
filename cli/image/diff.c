/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm diff: which page, field or setting makes two identities differ. Exit
 * statuses are those of diff(1).
 */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image/subject.h"

#define DIFF_EQUAL 0
#define DIFF_DIFFER 1
#define DIFF_TROUBLE 2

enum {
	OPT_HELP = CLI_OPT_HELP,
	OPT_MODE = CLI_OPT_VERB,
	OPT_JSON,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 },
};

static const char help[] =
	"usage: edmm diff [OPTION]... A B\n\n"
	"Tells what makes two identities differ: the first page and byte, the\n"
	"pages by area, and the fields of the signatures. A and B are images,\n"
	"signature files, signed enclaves of Intel's SDK, .sgxs streams, page\n"
	"lists or SIGSTRUCTs; a signature's date is not compared.\n\n"
	"  --mode MODE  elastic or static only\n"
	"  --json       the same as JSON\n\n"
	"Exit status: 0 equal, 1 different, 2 trouble.\n";

struct field {
	const char *name;
	size_t off;
	size_t size;
};

#define FIELD(type, member)                                   \
	{                                                     \
#member, offsetof(struct type, member),       \
			sizeof(((struct type *)NULL)->member) \
	}

static const struct field tcs_fields[] = {
	FIELD(sgx_tcs, flags),
	FIELD(sgx_tcs, ossa),
	FIELD(sgx_tcs, cssa),
	FIELD(sgx_tcs, nssa),
	FIELD(sgx_tcs, oentry),
	FIELD(sgx_tcs, aep),
	FIELD(sgx_tcs, ofsbase),
	FIELD(sgx_tcs, ogsbase),
	FIELD(sgx_tcs, fslimit),
	FIELD(sgx_tcs, gslimit),
	{ 0 },
};

static const struct field layout_fields[] = {
	FIELD(edmm_layout, flags),
	FIELD(edmm_layout, elrange_size),
	FIELD(edmm_layout, image_size),
	FIELD(edmm_layout, ssa_frame_pages),
	FIELD(edmm_layout, nssa),
	FIELD(edmm_layout, ctx_off),
	FIELD(edmm_layout, ctx_stride),
	FIELD(edmm_layout, ctx_count),
	FIELD(edmm_layout, ctx_ssa),
	FIELD(edmm_layout, ctx_thread),
	FIELD(edmm_layout, ctx_thread_size),
	FIELD(edmm_layout, ctx_xstack),
	FIELD(edmm_layout, ctx_xstack_size),
	FIELD(edmm_layout, ctx_sys),
	FIELD(edmm_layout, ctx_sys_size),
	FIELD(edmm_layout, stack_off),
	FIELD(edmm_layout, stack_size),
	FIELD(edmm_layout, stack_init),
	FIELD(edmm_layout, meta_off),
	FIELD(edmm_layout, meta_size),
	FIELD(edmm_layout, meta_init),
	FIELD(edmm_layout, heap_off),
	FIELD(edmm_layout, heap_bound),
	FIELD(edmm_layout, heap_init),
	FIELD(edmm_layout, signals),
	{ 0 },
};

static const char *field_at(const struct field *f, size_t off)
{
	for (; f->name; f++)
		if (off >= f->off && off - f->off < f->size)
			return f->name;
	return NULL;
}

static json_t *pair(json_t *a, json_t *b)
{
	return json_pack("{s:o, s:o}", "a", a, "b", b);
}

static json_t *hex64(uint64_t n)
{
	return json_sprintf("0x%llx", (unsigned long long)n);
}

static json_t *rights(const struct edmm_part *p)
{
	if (!p)
		return json_string("absent");
	if ((p->secinfo & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS))
		return json_string("TCS");
	return json_sprintf("%c%c%c", p->secinfo & SGX_SECINFO_R ? 'R' : '-',
			    p->secinfo & SGX_SECINFO_W ? 'W' : '-',
			    p->secinfo & SGX_SECINFO_X ? 'X' : '-');
}

static json_t *byte_of(const struct edmm_part *p, const struct edmm_diff *d)
{
	uint64_t at = p->repeat ? 0 : d->first_off - p->off;

	return json_sprintf("0x%02x", p->src ? p->src[at + d->first_byte] : 0);
}

/* What the byte belongs to: a field, or a symbol of the image. */
static void set_place(json_t *o, const struct cli_subject *s,
		      const struct edmm_diff *d, const struct edmm_part *p)
{
	const char *name = NULL;
	uint64_t delta;

	if ((p->secinfo & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS))
		name = field_at(tcs_fields, d->first_byte);
	else if (s->image && !strcmp(p->name, "layout"))
		name = field_at(layout_fields, d->first_byte);
	if (name) {
		json_object_set_new(o, "field", json_string(name));
		return;
	}
	if (s->image)
		name = edmm_image_symbol(s->image, d->first_off + d->first_byte,
					 &delta);
	if (name)
		json_object_set_new(o, "symbol",
				    json_sprintf("%s+0x%llx", name,
						 (unsigned long long)delta));
}

static const char *const what_names[] = {
	NULL, "only_in_a", "only_in_b", "rights", "measured_chunks", "content",
};

static json_t *first_json(const struct cli_subject *s,
			  const struct edmm_diff *d)
{
	const struct edmm_part *const *p = d->first_part;
	const struct edmm_part *named = p[0] ? p[0] : p[1];
	json_t *o =
		json_pack("{s:o, s:s, s:s}", "page", hex64(d->first_off),
			  "area", named->name, "what", what_names[d->first]);

	if (!p[0] || !p[1])
		return o;
	if (d->first == EDMM_DIFF_FLAGS)
		json_object_set_new(o, "rights",
				    pair(rights(p[0]), rights(p[1])));
	if (d->first == EDMM_DIFF_CHUNKS)
		json_object_set_new(o, "measured_chunks",
				    pair(json_sprintf("0x%04x", p[0]->chunks),
					 json_sprintf("0x%04x", p[1]->chunks)));
	if (d->first == EDMM_DIFF_CONTENT) {
		json_object_set_new(o, "byte", json_integer(d->first_byte));
		json_object_set_new(o, "value",
				    pair(byte_of(p[0], d), byte_of(p[1], d)));
		set_place(o, s, d, p[0]);
	}
	return o;
}

static json_t *areas_json(const struct edmm_diff *d)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < d->area_count; i++) {
		const struct edmm_diff_area *a = &d->area[i];
		uint64_t sum = 0;
		json_t *o;

		for (k = 1; k < EDMM_DIFF_COUNT; k++)
			sum += a->differ[k];
		if (!sum)
			continue;
		o = json_pack("{s:s, s:o}", "area", a->name, "pages",
			      pair(json_integer((json_int_t)a->pages[0]),
				   json_integer((json_int_t)a->pages[1])));
		for (k = 1; k < EDMM_DIFF_COUNT; k++)
			if (a->differ[k])
				json_object_set_new(
					o, what_names[k],
					json_integer((json_int_t)a->differ[k]));
		json_array_append_new(list, o);
	}
	return list;
}

static void set_fields(json_t *o, const struct cli_mode_view *a,
		       const struct cli_mode_view *b)
{
	json_t *fields = json_object(), *x, *y, *v, *w;
	const char *key;

	if (a->has_sig && b->has_sig) {
		x = cli_sig_json(&a->sig);
		y = cli_sig_json(&b->sig);
		json_object_foreach(x, key, v)
		{
			w = json_object_get(y, key);
			if (strcmp(key, "date") && !json_equal(v, w))
				json_object_set_new(
					fields, key,
					pair(json_incref(v), json_incref(w)));
		}
		json_decref(x);
		json_decref(y);
	} else if (a->has_sig != b->has_sig) {
		json_object_set_new(o, "note",
				    json_string("only one is signed: no fields "
						"compared"));
	}
	if (json_object_size(fields))
		json_object_set_new(o, "signature", fields);
	else
		json_decref(fields);
}

/* One pair of views; *differ is set where they do. NULL: trouble. */
static json_t *compare(struct cli_subject s[2], struct cli_mode_view *v[2],
		       bool *differ)
{
	const struct edmm_parts *p[2] = { cli_view_parts(&s[0], v[0]),
					  cli_view_parts(&s[1], v[1]) };
	json_t *o = json_pack(
		"{s:o}", "of",
		pair(json_string(v[0]->label), json_string(v[1]->label)));
	struct edmm_diff *d = calloc(1, sizeof(*d));
	char hex[2][65];

	cli_hex(v[0]->mrenclave, 32, hex[0]);
	cli_hex(v[1]->mrenclave, 32, hex[1]);
	if (strcmp(hex[0], hex[1]))
		json_object_set_new(
			o, "mr_enclave",
			pair(json_string(hex[0]), json_string(hex[1])));
	if (!d || (p[0] && p[1] && edmm_parts_diff(p[0], p[1], d))) {
		cli_error("out of memory");
		json_decref(o);
		o = NULL;
		goto out;
	}
	if (d->elrange_size)
		json_object_set_new(o, "elrange_size",
				    pair(hex64(p[0]->elrange_size),
					 hex64(p[1]->elrange_size)));
	if (d->ssa_frame_pages)
		json_object_set_new(o, "ssa_frame_pages",
				    pair(json_integer(p[0]->ssa_frame_pages),
					 json_integer(p[1]->ssa_frame_pages)));
	if (d->order)
		json_object_set_new(o, "order",
				    json_string("the same pages, added in "
						"another order"));
	if (d->first) {
		json_object_set_new(o, "first", first_json(&s[0], d));
		json_object_set_new(o, "areas", areas_json(d));
	}
	set_fields(o, v[0], v[1]);
	*differ |= strcmp(hex[0], hex[1]) || json_object_get(o, "signature");
out:
	free(d);
	return o;
}

/* ---- text: the same object, said in lines ------------------------------- */

static const char *text_of(json_t *v, char buf[32])
{
	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		snprintf(buf, 32, "%lld", (long long)json_integer_value(v));
	else
		snprintf(buf, 32, "%s", json_is_true(v) ? "true" : "false");
	return buf;
}

static void print_pair(const char *name, json_t *o)
{
	char a[32], b[32];

	printf("  %-22s %s -> %s\n", name, text_of(json_object_get(o, "a"), a),
	       text_of(json_object_get(o, "b"), b));
}

static void print_first(json_t *o)
{
	json_t *byte = json_object_get(o, "byte");
	const char *place = json_string_value(json_object_get(o, "field"));

	if (!place)
		place = json_string_value(json_object_get(o, "symbol"));
	printf("  first difference: page %s (%s), %s",
	       json_string_value(json_object_get(o, "page")),
	       json_string_value(json_object_get(o, "area")),
	       json_string_value(json_object_get(o, "what")));
	if (byte)
		printf(" at byte 0x%llx", (long long)json_integer_value(byte));
	printf("%s%s\n", place ? ": " : "", place ? place : "");
	if (json_object_get(o, "value"))
		print_pair("  value", json_object_get(o, "value"));
	if (json_object_get(o, "rights"))
		print_pair("  rights", json_object_get(o, "rights"));
	if (json_object_get(o, "measured_chunks"))
		print_pair("  measured chunks",
			   json_object_get(o, "measured_chunks"));
}

static void print_areas(json_t *list)
{
	json_t *o, *v;
	const char *key;
	size_t i;

	json_array_foreach(list, i, o)
	{
		json_t *pages = json_object_get(o, "pages");
		char a[32], b[32];

		printf("  %-22s %s -> %s pages",
		       json_string_value(json_object_get(o, "area")),
		       text_of(json_object_get(pages, "a"), a),
		       text_of(json_object_get(pages, "b"), b));
		json_object_foreach(o, key, v) if (json_is_integer(v)) printf(
			", %lld %s", (long long)json_integer_value(v), key);
		putchar('\n');
	}
}

static void print_one(json_t *o)
{
	json_t *of = json_object_get(o, "of"), *v;
	const char *key;

	printf("%s / %s%s\n", json_string_value(json_object_get(of, "a")),
	       json_string_value(json_object_get(of, "b")),
	       json_object_size(o) == 1 ? ": equal" : "");
	json_object_foreach(o, key, v)
	{
		if (!strcmp(key, "of"))
			continue;
		if (!strcmp(key, "first"))
			print_first(v);
		else if (!strcmp(key, "areas"))
			print_areas(v);
		else if (!strcmp(key, "signature")) {
			const char *name;
			json_t *f;

			json_object_foreach(v, name, f) print_pair(name, f);
		} else if (json_is_string(v))
			printf("  %s\n", json_string_value(v));
		else
			print_pair(key, v);
	}
}

/* ---- pairs --------------------------------------------------------------- */

static struct cli_mode_view *find(struct cli_subject *s, const char *label)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		if (!strcmp(s->view[i].label, label))
			return &s->view[i];
	return NULL;
}

/* Views of one name, each with each; else the first of both. */
static json_t *compare_all(struct cli_subject s[2], bool *differ)
{
	json_t *list = json_array(), *o;
	struct cli_mode_view *v[2];
	uint32_t i;

	for (i = 0; i < s[0].count; i++) {
		v[0] = &s[0].view[i];
		v[1] = find(&s[1], v[0]->label);
		if (v[1] && json_array_append_new(list, compare(s, v, differ)))
			goto trouble;
	}
	if (!json_array_size(list)) {
		v[0] = &s[0].view[0];
		v[1] = &s[1].view[0];
		o = compare(s, v, differ);
		if (json_array_append_new(list, o))
			goto trouble;
	}
	return list;
trouble:
	json_decref(list);
	return NULL;
}

static int report(struct cli_subject s[2], bool json)
{
	bool differ = false;
	json_t *list = compare_all(s, &differ), *o;
	size_t i;

	if (!list)
		return DIFF_TROUBLE;
	if (json) {
		o = json_pack("{s:s, s:s, s:b, s:O}", "a", s[0].path, "b",
			      s[1].path, "differ", differ, "modes", list);
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(o);
	} else {
		json_array_foreach(list, i, o) print_one(o);
	}
	json_decref(list);
	return differ ? DIFF_DIFFER : DIFF_EQUAL;
}

int verb_diff(int argc, char **argv)
{
	struct cli_settings settings[2] = { 0 };
	struct cli_subject s[2] = {
		{ .settings = &settings[0], .lenient = true },
		{ .settings = &settings[1], .lenient = true }
	};
	bool json = false;
	int c, status = DIFF_TROUBLE;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_JSON)
			json = true;
		else if (c != OPT_MODE || !cli_mode(optarg, &s[0].mode))
			return DIFF_TROUBLE;
	}
	if (optind + 2 != argc)
		return cli_usage("diff", "two FILEs are wanted");
	s[1].mode = s[0].mode;
	s[0].path = argv[optind];
	s[1].path = argv[optind + 1];
	if (cli_subject_open(&s[0]) && cli_subject_open(&s[1]))
		status = report(s, json);
	cli_subject_close(&s[0]);
	cli_subject_close(&s[1]);
	return status;
}
