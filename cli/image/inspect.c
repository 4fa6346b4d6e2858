/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm inspect: SIGSTRUCT, layout and entry points, as text or JSON. Fields of
 * SIGSTRUCT have the names and forms that gramine-sgx-sigstruct-view gives
 * them, so that scripts for one read the other.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image/subject.h"
#include "edmm/policy.h"

enum {
	OPT_MODE = CLI_OPT_VERB,
	OPT_JSON,
	OPT_SIG
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "sig", required_argument, NULL, OPT_SIG },
	{ 0 },
};

static const char help[] =
	"usage: edmm inspect [OPTION]... FILE\n\n"
	"Shows what an image or a signature file says: the fields of\n"
	"SIGSTRUCT, the layout of the enclave, its entry points. FILE may\n"
	"also be a signed enclave of Intel's SDK, a .sgxs stream, a page\n"
	"list, or a SIGSTRUCT of 1808 bytes, as Gramine's .sig is.\n\n"
	"  --json              the same as JSON\n"
	"  --mode MODE         elastic or static only\n"
	"  --sig FILE          signature file (default: FILE.sig, if "
	"there)\n" CLI_SETTING_HELP;

static json_t *hex64(uint64_t n)
{
	return json_sprintf("0x%llx", (unsigned long long)n);
}

static json_t *hex_bytes(const uint8_t *bytes)
{
	char hex[65];

	cli_hex(bytes, 32, hex);
	return json_string(hex);
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static const char *purpose(uint32_t swdefined)
{
	if ((swdefined & 0xffff0000u) != EDMM_SWDEFINED_MARK)
		return "none";
	return swdefined & EDMM_SWDEFINED_PRODUCTION ? "production"
						     : "development";
}

json_t *cli_sig_json(const struct sgx_sigstruct *sig)
{
	json_t *o = json_object();
	uint8_t mrsigner[32];

	edmm_mrsigner(sig, mrsigner);
	json_object_set_new(o, "mr_signer", hex_bytes(mrsigner));
	json_object_set_new(o, "mr_enclave", hex_bytes(sig->enclavehash));
	json_object_set_new(o, "isv_prod_id", integer(sig->isvprodid));
	json_object_set_new(o, "isv_svn", integer(sig->isvsvn));
	json_object_set_new(o, "attribute_flags", hex64(sig->attributes.flags));
	json_object_set_new(o, "attribute_xfrms", hex64(sig->attributes.xfrm));
	json_object_set_new(o, "misc_select", hex64(sig->miscselect));
	json_object_set_new(o, "attribute_flags_mask",
			    hex64(sig->attributemask.flags));
	json_object_set_new(o, "attribute_xfrm_mask",
			    hex64(sig->attributemask.xfrm));
	json_object_set_new(o, "misc_mask", hex64(sig->miscmask));
	json_object_set_new(o, "date",
			    json_sprintf("%04x-%02x-%02x", sig->date >> 16,
					 sig->date >> 8 & 0xff,
					 sig->date & 0xff));
	json_object_set_new(
		o, "debug_enclave",
		json_boolean(sig->attributes.flags & SGX_ATTR_DEBUG));
	json_object_set_new(o, "purpose", json_string(purpose(sig->swdefined)));
	return o;
}

static json_t *policy_json(const struct edmm_image_policy *p)
{
	char text[EDMM_SIGNALS_TEXT];
	json_t *o = json_object();

	json_object_set_new(o, "elrange_size", integer(p->elrange_size));
	json_object_set_new(o, "heap_init", integer(p->heap_init));
	json_object_set_new(o, "heap_max", integer(p->heap_size));
	json_object_set_new(o, "stack_size", integer(p->stack_size));
	json_object_set_new(o, "stack_init", integer(p->stack_init));
	json_object_set_new(o, "contexts", integer(p->ctx_count));
	json_object_set_new(o, "ssa_frames", integer(p->nssa));
	json_object_set_new(o, "wx", json_boolean(p->flags & EDMM_POLICY_WX));
	json_object_set_new(o, "signals",
			    json_string(edmm_signals_text(p->signals, text)));
	return o;
}

/* One range of the enclave; what is not added at start comes on demand. */
struct range {
	const char *name;
	uint64_t off;
	uint64_t size;
	uint64_t added;
};

#define RANGES_MAX 6

static unsigned ranges(const struct edmm_layout *l, struct range *r)
{
	uint64_t ctx = l->ctx_ssa + l->ctx_thread_size + l->ctx_xstack_size +
		       l->ctx_sys_size +
		       (uint64_t)l->nssa * l->ssa_frame_pages * SGX_PAGE_SIZE;
	unsigned n = 0;

	r[n++] = (struct range){ "image", 0, l->image_size, l->image_size };
	r[n++] = (struct range){ "contexts", l->ctx_off,
				 l->ctx_count * l->ctx_stride,
				 l->ctx_count * ctx };
	r[n++] = (struct range){ "stack", l->stack_off, l->stack_size,
				 l->stack_init };
	r[n++] = (struct range){ "metadata", l->meta_off, l->meta_size,
				 l->meta_init };
	r[n++] = (struct range){ "heap", l->heap_off, l->heap_bound,
				 l->heap_init };
	if (l->made_count)
		r[n++] = (struct range){ "threads", l->made_off,
					 l->made_count * l->ctx_stride, 0 };
	return n;
}

static json_t *layout_json(const struct edmm_plan *plan)
{
	const struct edmm_layout *l = &plan->layout;
	json_t *o = json_object(), *list = json_array(), *tcs = json_array();
	struct range r[RANGES_MAX];
	unsigned i, n = ranges(l, r);

	for (i = 0; i < n; i++) {
		json_t *x = json_object();

		json_object_set_new(x, "name", json_string(r[i].name));
		json_object_set_new(x, "offset", hex64(r[i].off));
		json_object_set_new(x, "size", integer(r[i].size));
		json_object_set_new(x, "added", integer(r[i].added));
		json_array_append_new(list, x);
	}
	for (i = 0; i < l->ctx_count; i++)
		json_array_append_new(tcs,
				      hex64(l->ctx_off + i * l->ctx_stride));
	json_object_set_new(o, "elrange_size", integer(l->elrange_size));
	json_object_set_new(o, "ranges", list);
	json_object_set_new(o, "tcs", tcs);
	json_object_set_new(o, "oentry", hex64(plan->oentry));
	json_object_set_new(o, "ssa_frame_pages", integer(l->ssa_frame_pages));
	json_object_set_new(o, "ssa_frames", integer(l->nssa));
	json_object_set_new(o, "pages_added", integer(plan->pages_added));
	json_object_set_new(o, "pages_measured", integer(plan->pages_measured));
	return o;
}

static json_t *part_json(const struct edmm_part *p)
{
	bool tcs = (p->secinfo & SGX_SECINFO_PT_MASK) ==
		   SGX_SECINFO_PT(SGX_PT_TCS);
	char rwx[4] = "---";

	if (p->secinfo & SGX_SECINFO_R)
		rwx[0] = 'R';
	if (p->secinfo & SGX_SECINFO_W)
		rwx[1] = 'W';
	if (p->secinfo & SGX_SECINFO_X)
		rwx[2] = 'X';
	return json_pack("{s:s, s:o, s:o, s:s, s:b}", "name", p->name, "offset",
			 hex64(p->off), "size", integer(p->size), "rights",
			 tcs ? "TCS" : rwx, "measured",
			 p->chunks == EDMM_CHUNKS_ALL);
}

/* TCS.NSSA and OENTRY of the first TCS that has them. */
static void set_tcs(json_t *o, const struct edmm_parts *p)
{
	json_t *list = json_array();
	const struct sgx_tcs *tcs;
	size_t i;

	for (i = 0; i < p->count; i++) {
		if ((p->part[i].secinfo & SGX_SECINFO_PT_MASK) !=
		    SGX_SECINFO_PT(SGX_PT_TCS))
			continue;
		json_array_append_new(list, hex64(p->part[i].off));
		if (json_array_size(list) > 1 || !p->part[i].src)
			continue;
		/* Blocks and parts are page-aligned. */
		tcs = (const struct sgx_tcs *)(const void *)p->part[i].src;
		json_object_set_new(o, "oentry", hex64(tcs->oentry));
		json_object_set_new(o, "ssa_frames", integer(tcs->nssa));
	}
	json_object_set_new(o, "tcs", list);
}

static json_t *parts_json(const struct edmm_parts *p)
{
	json_t *o = json_object(), *list = json_array();
	size_t i;

	for (i = 0; i < p->count; i++)
		json_array_append_new(list, part_json(&p->part[i]));
	json_object_set_new(o, "elrange_size", integer(p->elrange_size));
	json_object_set_new(o, "ssa_frame_pages", integer(p->ssa_frame_pages));
	json_object_set_new(o, "pages_added", integer(p->pages_added));
	json_object_set_new(o, "pages_measured",
			    integer(p->chunks_measured / 16));
	set_tcs(o, p);
	json_object_set_new(o, "ranges", list);
	return o;
}

static json_t *view_json(const struct cli_mode_view *v)
{
	json_t *o = v->has_sig ? cli_sig_json(&v->sig) : json_object();

	if (!v->has_sig)
		json_object_set_new(o, "mr_enclave", hex_bytes(v->mrenclave));
	json_object_set_new(o, "mode", json_string(v->label));
	json_object_set_new(o, "signed", json_boolean(v->has_sig));
	if (v->has_policy)
		json_object_set_new(o, "settings", policy_json(&v->policy));
	if (v->has_plan)
		json_object_set_new(o, "layout", layout_json(&v->plan));
	else if (v->has_parts)
		json_object_set_new(o, "layout", parts_json(&v->parts));
	return o;
}

static int print_json(const struct cli_subject *s)
{
	json_t *list = json_array();
	json_t *o = json_pack("{s:s, s:o}", "file", s->path, "modes", list);
	uint32_t i;
	int bad;

	for (i = 0; i < s->count; i++)
		json_array_append_new(list, view_json(&s->view[i]));
	bad = json_dumpf(o, stdout, JSON_INDENT(2));
	json_decref(o);
	putchar('\n');
	return bad ? CLI_FAIL : 0;
}

/* Text is made from the same objects, so that the two cannot differ. */
static void print_fields(json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		if (json_is_string(v))
			printf("  %-22s %s\n", key, json_string_value(v));
		else if (json_is_integer(v))
			printf("  %-22s %lld\n", key,
			       (long long)json_integer_value(v));
		else if (json_is_boolean(v))
			printf("  %-22s %s\n", key,
			       json_is_true(v) ? "true" : "false");
	}
}

static void print_layout(const struct edmm_plan *plan)
{
	struct range r[RANGES_MAX];
	unsigned i, n = ranges(&plan->layout, r);
	char size[32], added[32];

	printf("  %-10s %-14s %-12s %s\n", "range", "offset", "size",
	       "added at start");
	for (i = 0; i < n; i++)
		printf("  %-10s 0x%-12llx %-12s %s\n", r[i].name,
		       (unsigned long long)r[i].off, cli_bytes(r[i].size, size),
		       cli_bytes(r[i].added, added));
	printf("  %-10s 0x%-12llx %u frames of %u pages, entry at 0x%llx\n",
	       "TCS", (unsigned long long)plan->layout.ctx_off,
	       plan->layout.nssa, plan->layout.ssa_frame_pages,
	       (unsigned long long)plan->oentry);
	printf("  pages      %llu added, %llu of them measured; ELRANGE %s\n",
	       (unsigned long long)plan->pages_added,
	       (unsigned long long)plan->pages_measured,
	       cli_bytes(plan->layout.elrange_size, size));
}

static void print_parts(json_t *layout)
{
	json_t *list = json_object_get(layout, "ranges"), *o;
	char size[32];
	size_t i;

	print_fields(layout);
	json_array_foreach(list, i, o)
	{
		json_int_t n = json_integer_value(json_object_get(o, "size"));

		printf("  %-20s %-14s %-10s %s%s\n",
		       json_string_value(json_object_get(o, "name")),
		       json_string_value(json_object_get(o, "offset")),
		       cli_bytes((uint64_t)n, size),
		       json_string_value(json_object_get(o, "rights")),
		       json_is_true(json_object_get(o, "measured"))
			       ? ""
			       : " not all measured");
	}
}

static int print_text(const struct cli_subject *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		const struct cli_mode_view *v = &s->view[i];
		json_t *fields = view_json(v);

		printf("%s%s (%s)\n", i ? "\n" : "", s->path, v->label);
		print_fields(fields);
		if (v->has_plan)
			print_layout(&v->plan);
		else if (v->has_parts)
			print_parts(json_object_get(fields, "layout"));
		json_decref(fields);
	}
	return 0;
}

int verb_inspect(int argc, char **argv)
{
	struct cli_settings settings = { 0 };
	struct cli_subject s = { .settings = &settings };
	bool json = false;
	int c, status = CLI_FAIL;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == OPT_JSON)
			json = true;
		else if (c == OPT_SIG)
			s.sig_path = optarg;
		else if (c == '?' ||
			 !(c == OPT_MODE ? cli_mode(optarg, &s.mode)
					 : cli_setting(&settings, c, optarg)))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("inspect", "one FILE is wanted");
	s.path = argv[optind];
	if (cli_subject_open(&s))
		status = json ? print_json(&s) : print_text(&s);
	cli_subject_close(&s);
	return status;
}
