/* SPDX-License-Identifier: BSD-3-Clause */
/* Places: each value's line and column, in odd but valid texts. */
#include "policy/doc.h"
#include "policy/keys.h"
#include "tests/policy/util.h"

static const struct {
	enum edmm_format format;
	const char *text;
	const char *path;
	uint32_t line, col, len; /* of the value */
} rows[] = {
	{ EDMM_FORMAT_OCCLUM, "{\"a\" : 1 , \"b\" :2}", "b", 1, 17, 1 },
	{ EDMM_FORMAT_OCCLUM,
	  "{\"a\":[1 , 2 ,\n 3 ] , \"b\":{ } ,\"c\":-1.5e3}", "c", 2, 21, 6 },
	{ EDMM_FORMAT_OCCLUM,
	  "\n{ \"a\\\"\": \"}\\\\\", \"b\": [ ], \"c\": null }", "c", 2, 32,
	  4 },
	/* Columns count code points. */
	{ EDMM_FORMAT_OCCLUM, "{\"\xc3\xa9\xe2\x82\xac\": 1, \"b\": true}", "b",
	  1, 16, 4 },
	{ EDMM_FORMAT_OCCLUM, "{/* \xc3\xa9 */ \"b\": 7,}", "b", 1, 15, 1 },
	{ EDMM_FORMAT_GRAMINE, "a.b = 1\n[c]\n  d.e = 'x'\n", "c.d.e", 3, 9,
	  3 },
	{ EDMM_FORMAT_GRAMINE, "\"\xc3\xa9\" = 1\nc = { d = [1, 2] }\n", "c.d",
	  2, 11, 6 },
	{ EDMM_FORMAT_SGX_XML,
	  "<EnclaveConfiguration>\n<a>1</a><b>22</b></EnclaveConfiguration>",
	  "b", 2, 12, 2 },
	{ EDMM_FORMAT_SCONE, "\n  export  SCONE_A='x y' # z\n", "SCONE_A", 2,
	  20, 3 },
	{ EDMM_FORMAT_SCONE_CONF, "# c\n Q   4\n", "Q", 2, 6, 1 },
};

START_TEST(place)
{
	const struct pol_format *fmt = pol_format(rows[_i].format);
	struct pol_doc *doc =
		pol_doc_new(rows[_i].text, strlen(rows[_i].text), "t");
	struct edmm_findings f = { 0 };
	struct pol_node *n;
	uint32_t line;
	uint32_t col;

	ck_assert_int_eq(fmt->parse(doc, &f), 0);
	n = pol_find(doc->root, rows[_i].path);
	ck_assert_ptr_nonnull(n);
	pol_where(doc, n->at.off, &line, &col);
	ck_assert_uint_eq(line, rows[_i].line);
	ck_assert_uint_eq(col, rows[_i].col);
	ck_assert_uint_eq(n->at.len, rows[_i].len);
	ck_assert_uint_eq(pol_offset(doc, line, col), n->at.off);
	edmm_findings_free(&f);
	pol_doc_free(doc);
}
END_TEST

/* Fixes are edits of the text, in its order; overlapping ones lose. */
START_TEST(edits)
{
	static const char text[] = "0123456789";
	struct edmm_finding v[] = {
		{ .rule = "b", .off = 6, .len = 2, .repl = (char[]){ "XYZ" } },
		{ .rule = "a", .off = 1, .len = 3, .repl = (char[]){ "" } },
		{ .rule = "c", .off = 7, .len = 1, .repl = (char[]){ "no" } },
		{ .rule = "d", .off = 10, .len = 0, .repl = (char[]){ "!" } },
		{ .rule = "e", .off = 9, .len = 5, .repl = (char[]){ "no" } },
	};
	struct edmm_findings f = { .v = v, .count = 5 };
	char *out;
	size_t size;

	ck_assert_int_eq(edmm_findings_fix(&f, text, 10, &out, &size), 3);
	ck_assert_str_eq(out, "045XYZ89!");
	ck_assert_uint_eq(size, 9);
	free(out);
}
END_TEST

/* What is refused before a parser sees it. */
START_TEST(refused)
{
	static const struct {
		const char *text;
		size_t size;
		uint32_t line, col;
	} bad[] = {
		{ "SCONE_A=\xff\n", 10, 1, 9 },
		{ "a\nSCONE_A=\xc0\xaf", 12, 2, 9 },
		{ "SCONE_\xed\xa0\x80", 9, 1, 7 },
		{ "SCONE_\xf4\x90\x80\x80", 10, 1, 7 },
		{ "SCONE_A=\xe2\x82", 10, 1, 9 },
		{ "SCONE_A=\0b", 10, 1, 9 },
	};
	struct edmm_findings f = { 0 };
	struct edmm_policy *p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(
			edmm_policy_parse(&(struct edmm_source){ bad[i].text,
								 bad[i].size,
								 "t" },
					  EDMM_FORMAT_SCONE, &p, &f),
			-EDMM_EINVAL);
		ck_assert_ptr_null(p);
		ck_assert_uint_eq(f.count, 1);
		ck_assert_uint_eq(f.v[0].line, bad[i].line);
		ck_assert_uint_eq(f.v[0].col, bad[i].col);
		edmm_findings_free(&f);
	}
}
END_TEST

/* Templates: what they say is read at its place, whatever else is in them. */
static const struct {
	const char *text;
	bool ok;
	uint64_t svn; /* sgx.isvsvn; 0: not known */
} templates[] = {
	{ "sgx.isvsvn = {{ a }}", true, 0 },
	{ "sgx.isvsvn = {{a}}{{b}}3.5\n", true, 0 },
	{ "sgx.isvsvn = {%if a%}7{%endif%}\n", true, 0 },
	{ "{%if a%}sgx.isvsvn = 7{%else%}sgx.isvsvn = 8{%endif%}\n", true, 7 },
	{ "{% if a %}{% if b %}sgx.isvsvn = 7\n{% else %}x{% endif %}\n"
	  "{% elif c %}{% for d in e %}{% else %}{% endfor %}y{% else %}z"
	  "{% endif %}\n",
	  true, 7 },
	{ "{# sgx.isvsvn = 6 #}sgx.isvsvn = 7 # {{ \"\n", true, 7 },
	{ "a = '{{ \"'\" }}'\nsgx.isvsvn = 7\n", true, 7 },
	{ "a = '''\n{{ x['y'] }}'\n'''\nsgx.isvsvn = 7\n", true, 7 },
	{ "a = \"\\\"{{ b[\"c\"] }}\"\nsgx.isvsvn = 7\n", true, 7 },
	{ "{{ name }} = 1\nsgx.isvsvn = 7\n", true, 7 },
	{ "{% endif %}{% else %}{% endfor %}sgx.isvsvn = 7\n", true, 7 },
	{ "sgx.isvsvn = {{ a\n", false, 0 },
	{ "sgx.isvsvn = {{", false, 0 },
	{ "{%", false, 0 },
	{ "{#", false, 0 },
	{ "{% if a", false, 0 },
	{ "{{\n}} = 1\n", false, 0 },
};

START_TEST(template)
{
	const char *text = templates[_i].text;
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	edmm_err err = edmm_policy_parse(
		&(struct edmm_source){ text, strlen(text), "t" },
		EDMM_FORMAT_GRAMINE, &p, &f);

	ck_assert_msg(err == (templates[_i].ok ? 0 : -EDMM_EINVAL), "%s", text);
	if (p)
		ck_assert_uint_eq(edmm_policy_get(p, EDMM_SET_SVN, 0),
				  templates[_i].svn);
	edmm_policy_free(p);
	edmm_findings_free(&f);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

int main(void)
{
	Suite *s = suite_create("places");
	TCase *t = tcase_create("places");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, place, 0, ROWS(rows));
	tcase_add_loop_test(t, template, 0, ROWS(templates));
	tcase_add_test(t, edits);
	tcase_add_test(t, refused);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
