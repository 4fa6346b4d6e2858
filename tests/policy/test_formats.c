/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What policy/format.h asks of every format, format by format: a new one is
 * tested by being in the list.
 */
#include "tests/policy/util.h"

#include "policy/keys.h"

START_TEST(numbers_and_names)
{
	const struct pol_format *fmt = pol_formats[_i];
	const char *name = edmm_format_name(fmt->id);
	char all[256];

	ck_assert_int_eq(fmt->id, _i + 1);
	ck_assert_ptr_eq(pol_format(fmt->id), fmt);
	ck_assert_int_eq(edmm_format_by_name(name), fmt->id);
	ck_assert_ptr_nonnull(strstr(edmm_format_list(all, sizeof(all)), name));
}
END_TEST

START_TEST(members)
{
	const struct pol_format *fmt = pol_formats[_i];
	const struct pol_family *family = fmt->family;

	ck_assert(fmt->parse && fmt->emit && fmt->map && fmt->files);
	ck_assert(fmt->sizes && fmt->sizes->units && fmt->sizes->example);
	/* Converted into, or holding everything as it is. */
	ck_assert_int_eq(fmt->common, !fmt->cross);
	ck_assert(family && family->resolve && family->assumed > 0);
	ck_assert_ptr_eq(pol_format(family->rules)->family, family);
	ck_assert_int_eq(family->own_threads > 0, !!family->own_threads_said);
}
END_TEST

/* No two formats take one file name, and none takes a nameless file. */
START_TEST(file_names)
{
	const struct pol_format *fmt = pol_formats[_i];
	char path[64];

	for (const char *const *n = fmt->files; *n; n++) {
		snprintf(path, sizeof(path), "a.b/%s%s", **n == '*' ? "x" : "",
			 **n == '*' ? *n + 1 : *n);
		ck_assert_msg(edmm_format_of_file(path) == fmt->id, "%s", path);
	}
	ck_assert_int_eq(edmm_format_of_file("a.json/x"), EDMM_FORMAT_NONE);
}
END_TEST

/* What is in a file tells its format before its name does; where the content
 * says nothing, the name; what is said of neither is of no format. */
static const struct {
	const char *name, *text;
	enum edmm_format format;
} told[] = {
	{ "x.json", "sgx.debug = true\n", EDMM_FORMAT_GRAMINE },
	{ "x.json", "<EnclaveConfiguration/>", EDMM_FORMAT_SGX_XML },
	{ "x.json", "{\"process\": {}}", EDMM_FORMAT_OCCLUM },
	{ "x.json", "// a\n{ /*b*/ \"mount\" : []}", EDMM_FORMAT_OCCLUM },
	{ "x.json", "{\"name\": \"app\", \"a\": {\"mount\": 1}}",
	  EDMM_FORMAT_NONE },
	{ "Occlum.json", "{}", EDMM_FORMAT_OCCLUM },
	{ "x.json", "{\"exe\": 1, \"env\": []}", EDMM_FORMAT_EGO },
	{ "x.json", "{\"env\": {}, \"mount\": []}", EDMM_FORMAT_OCCLUM },
	{ "Occlum.json", "{\"heapSize\": 512}", EDMM_FORMAT_EGO },
	{ "enclave.json", "{\"MemorySize\": 1}", EDMM_FORMAT_MYSTIKOS },
	{ "enclave.json", "{}", EDMM_FORMAT_EGO },
	{ "config.json", "{\"Debug\": 1}", EDMM_FORMAT_MYSTIKOS },
	{ "config.json", "{\"debug\": 1}", EDMM_FORMAT_EGO },
	{ "x.conf", "#\n NumTCS = 1\n", EDMM_FORMAT_OPEN_ENCLAVE },
	{ "x.conf", "SCONE_HEAP=1G\n", EDMM_FORMAT_SCONE },
	{ "x.conf", "# none\n", EDMM_FORMAT_OPEN_ENCLAVE },
	{ "x.txt", "NumHeapPages\t4\n", EDMM_FORMAT_OPEN_ENCLAVE },
	{ "Cargo.toml", "[package]\n", EDMM_FORMAT_EDP },
	{ "x.toml", "[package.metadata.fortanix-sgx]\n", EDMM_FORMAT_EDP },
	{ "app.manifest", "{\"metadata\": {}}", EDMM_FORMAT_OCCLUM },
	{ "app.manifest", "a = \"SCONE_HEAP\"\n", EDMM_FORMAT_GRAMINE },
	{ "edmm.toml", "[loader]\n[sgx]\n", EDMM_FORMAT_GRAMINE },
	{ "edmm.toml", "[heap]\n[sgx]\n", EDMM_FORMAT_EDMM },
	{ "x.toml", "[keep.gramine.sgx]\n", EDMM_FORMAT_EDMM },
	{ "x.toml", "a = 1\n", EDMM_FORMAT_EDMM },
	{ "x.xml", "export SCONE_HEAP=1G\n", EDMM_FORMAT_SCONE },
	{ "x.txt", "docker run -e SCONE_HEAP=1G\n", EDMM_FORMAT_SCONE },
	{ "x.env", "Q 4\n", EDMM_FORMAT_SCONE_CONF },
	{ "sgx-musl.conf", "#\n", EDMM_FORMAT_SCONE_CONF },
	{ "x.env", " \n", EDMM_FORMAT_SCONE },
	{ "-", "", EDMM_FORMAT_NONE },
	{ "-", "{", EDMM_FORMAT_NONE },
	{ "-", "{\"mount", EDMM_FORMAT_NONE },
	{ "-", "[sgx", EDMM_FORMAT_NONE },
	{ "-", "hello\n", EDMM_FORMAT_NONE },
};

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

START_TEST(told_by_content)
{
	enum edmm_format got = pol_format_of(&(struct edmm_source){
		told[_i].text, strlen(told[_i].text), told[_i].name });

	ck_assert_msg(got == told[_i].format, "%s, '%s': %s", told[_i].name,
		      told[_i].text, edmm_format_name(got));
}
END_TEST

/* A setting has one row at most, and a name in edmm.toml. */
START_TEST(rows)
{
	const struct pol_format *fmt = pol_formats[_i];

	for (const struct pol_map *m = fmt->map; m->path; m++) {
		ck_assert_msg(pol_row(fmt, m->id) == m, "%s", m->path);
		ck_assert_msg(!!pol_row(&pol_edmm, m->id), "%s", m->path);
		ck_assert_msg((m->type == POL_WORD) == !!m->words, "%s",
			      m->path);
	}
}
END_TEST

/* A size that is written is read as the same, exact to the byte. */
START_TEST(sizes)
{
	static const uint64_t values[] = { 0,	    1,	     4097, 1ull << 10,
					   1 << 20, 3 << 20, 5000, 1ull << 40 };
	const struct pol_format *fmt = pol_formats[_i];

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t value = ~0ull;
		char text[32], fix[96];

		edmm_size_format(fmt->id, values[i], text);
		ck_assert_msg(edmm_size_parse(fmt->id, text, &value, fix) == 0,
			      "%s: %s", text, fix);
		ck_assert_uint_eq(value, values[i]);
	}
}
END_TEST

/* A small program's settings get there, and are without errors there. */
START_TEST(crossed)
{
	const struct edmm_target t = { .platform = EDMM_PLATFORM_SGX2 };
	struct edmm_policy *p = must_parse("[heap]\ninit = \"2MiB\"\n"
					   "max = \"64MiB\"\n[stack]\n"
					   "min = \"64KiB\"\nmax = \"1MiB\"\n",
					   EDMM_FORMAT_EDMM);
	char *text = must_write(p, pol_formats[_i]->id, &t);
	struct edmm_policy *q = must_parse(text, pol_formats[_i]->id);
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;

	ck_assert_int_eq(edmm_policy_resolve(q, &t, &r, &f), 0);
	ck_assert_int_eq(r.rules, pol_formats[_i]->family->rules);
	ck_assert_int_eq(edmm_policy_lint(q, &t, &f), 0);
	ck_assert_uint_eq(f.errors, 0);
	edmm_findings_free(&f);
	edmm_policy_free(q);
	edmm_policy_free(p);
	free(text);
}
END_TEST

/* [keep.NAME] holds what edmm.toml has no word for, for any other format; but
 * no name that the format refuses. */
START_TEST(kept)
{
	const struct pol_format *fmt = pol_formats[_i];
	bool refused = fmt->common || fmt->closed;
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	char text[64];
	int n = snprintf(text, sizeof(text), "[keep.%s]\nx = \"1\"\n",
			 edmm_format_name(fmt->id));
	edmm_err err =
		edmm_policy_parse(&(struct edmm_source){ text, (size_t)n, "t" },
				  EDMM_FORMAT_EDMM, &p, &f);

	ck_assert_int_eq(err, refused ? -EDMM_EINVAL : 0);
	ck_assert_ptr_nonnull(pol_kept(p, fmt->id));
	edmm_policy_free(p);
	edmm_findings_free(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("formats");
	TCase *t = tcase_create("formats");
	const int count = EDMM_FORMAT_COUNT - 1;
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, numbers_and_names, 0, count);
	tcase_add_loop_test(t, members, 0, count);
	tcase_add_loop_test(t, file_names, 0, count);
	tcase_add_loop_test(t, told_by_content, 0, ROWS(told));
	tcase_add_loop_test(t, rows, 0, count);
	tcase_add_loop_test(t, sizes, 0, count);
	tcase_add_loop_test(t, crossed, 0, count);
	tcase_add_loop_test(t, kept, 0, count);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
