/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Occlum.json -> Enclave.xml: every rule of Occlum's EDMM page is a row, with
 * the values worked out by hand in a comment, for both platforms and both
 * readings. K, M, G are powers of 1024.
 */
#include "tests/policy/util.h"

#define M(n) ((uint64_t)(n) << 20)
#define G(n) ((uint64_t)(n) << 30)
#define NO UINT64_MAX /* not given */

/* What a row gives; NO leaves a key out. */
struct given {
	const char *stack, *heap, *heap_max, *user, *user_max;
	uint64_t init, max;
};

struct want {
	uint64_t stack, heap_init, heap_max, tcs, tcs_max, rsrv, region;
};

/* In a complete file, as the tool of release 0.31 needs it. */
static char *document(const struct given *g, const char *feature)
{
	char *s = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&s, &n);

	fprintf(out,
		"{\"resource_limits\": {\"kernel_space_stack_size\": \"%s\","
		"\"kernel_space_heap_size\": \"%s\","
		"\"user_space_size\": \"%s\",",
		g->stack, g->heap, g->user);
	if (g->heap_max != NULL)
		fprintf(out, "\"kernel_space_heap_max_size\": \"%s\",",
			g->heap_max);
	if (g->user_max != NULL)
		fprintf(out, "\"user_space_max_size\": \"%s\",", g->user_max);
	if (g->init != NO)
		fprintf(out, "\"init_num_of_threads\": %llu,",
			(unsigned long long)g->init);
	fprintf(out,
		"\"max_num_of_threads\": %llu},"
		"\"process\": {\"default_stack_size\": \"4MB\","
		"\"default_heap_size\": \"8MB\","
		"\"default_mmap_size\": \"100MB\"},"
		"\"entry_points\": [\"/bin\"], \"env\": {}, \"mount\": [],"
		"\"metadata\": {\"product_id\": 7, \"version_number\": 3,"
		"\"debuggable\": true, \"enable_kss\": false,"
		"\"family_id\": {\"high\": \"0x1\", \"low\": \"0x2\"},"
		"\"ext_prod_id\": {\"high\": \"0x3\", \"low\": \"0x4\"}},"
		"\"feature\": {%s}}",
		(unsigned long long)g->max, feature);
	fclose(out);
	return s;
}

static uint64_t xml_value(const struct edmm_policy *xml,
			  enum edmm_setting_id id)
{
	ck_assert_msg(xml->s[id].set, "setting %d is not written", (int)id);
	return xml->s[id].value;
}

/* The XML is read back, so that the writer is in the test too. */
static void check_xml(const char *text, const struct want *w, bool edmm)
{
	struct edmm_policy *x = must_parse(text, EDMM_FORMAT_SGX_XML);

	ck_assert_uint_eq(xml_value(x, EDMM_SET_STACK_MAX), w->stack);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_STACK_MIN), w->stack);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_HEAP_INIT), w->heap_init);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_HEAP_MIN), w->heap_init);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_HEAP_MAX), w->heap_max);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_THREADS_INIT), w->tcs);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_THREADS_POOL), w->tcs);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_THREADS_MAX), w->tcs_max);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_RSRV_INIT), w->rsrv);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_RSRV_MIN), w->rsrv);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_RSRV_MAX), w->rsrv);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_RSRV_EXEC), 1);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_THREADS_BOUND), 1);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_MISC_SELECT), edmm ? 1 : 0);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_MISC_MASK),
			  edmm ? 0xffffffff : 0);
	ck_assert_uint_eq(x->s[EDMM_SET_REGION].set, edmm);
	if (edmm)
		ck_assert_uint_eq(xml_value(x, EDMM_SET_REGION), w->region);
	edmm_policy_free(x);
}

#define TEXT 1 /* the documentation's reading */
#define TOOL 2 /* the tool's */

static const struct row {
	const char *name;
	struct given g;
	bool edmm;
	int readings;
	struct want w;
} rows[] = {
	/*
	 * The documentation's own example. Heap max: max(40M, 1G) = 1G. Init
	 * threads: min(2, 16) = 2; max(64, 4096) = 4096. User space: init 1M,
	 * max(600M, 16G) = 16G, and the region has the SDK's 1G more.
	 */
	{ "example, EDMM",
	  { "1MB", "4MB", "40MB", "1MB", "600MB", 2, 64 },
	  true,
	  TEXT | TOOL,
	  { M(1), M(4), G(1), 2, 4096, M(1), 18253611008 } },
	/* Static: heap 40M, threads 64, user space 600M. */
	{ "example, no EDMM",
	  { "1MB", "4MB", "40MB", "1MB", "600MB", 2, 64 },
	  false,
	  TEXT | TOOL,
	  { M(1), 41943040, 41943040, 64, 64, 629145600, 0 } },
	/* `occlum new`'s template: only the old fields. Heap max 1G, init
	 * threads 16, user max 16G. */
	{ "template, EDMM",
	  { "1MB", "32MB", NULL, "300MB", NULL, NO, 32 },
	  true,
	  TEXT | TOOL,
	  { M(1), 33554432, G(1), 16, 4096, 314572800, 18253611008 } },
	{ "template, no EDMM",
	  { "1MB", "32MB", NULL, "300MB", NULL, NO, 32 },
	  false,
	  TEXT | TOOL,
	  { M(1), 33554432, 33554432, 32, 32, 314572800, 0 } },
	/* A heap maximum above the default counts: max(2G, 1G) = 2G. */
	{ "heap max above the default",
	  { "1MB", "4MB", "2GB", "1MB", NULL, 2, 64 },
	  true,
	  TEXT | TOOL,
	  { M(1), M(4), G(2), 2, 4096, M(1), G(17) } },
	/* A heap above the default maximum and no maximum: it is its own. */
	{ "heap above 1GB alone",
	  { "1MB", "2GB", NULL, "1MB", NULL, 2, 64 },
	  true,
	  TEXT | TOOL,
	  { M(1), G(2), G(2), 2, 4096, M(1), G(17) } },
	/* Without EDMM a heap_size above the maximum has no effect at all. */
	{ "heap above its maximum, no EDMM",
	  { "1MB", "2GB", "512MB", "64MB", "128MB", NO, 64 },
	  false,
	  TEXT | TOOL,
	  { M(1), 536870912, 536870912, 64, 64, 134217728, 0 } },
	/* A user maximum above the default: max(32G, 16G), and 1G more. */
	{ "user max above the default",
	  { "1MB", "4MB", NULL, "1GB", "32GB", 2, 64 },
	  true,
	  TEXT | TOOL,
	  { M(1), M(4), G(1), 2, 4096, G(1), G(33) } },
	/* Start and maximum equal: the region is the maximum, nothing more. */
	{ "user max equal to user size",
	  { "1MB", "4MB", NULL, "20GB", "20GB", 2, 64 },
	  true,
	  TEXT | TOOL,
	  { M(1), M(4), G(1), 2, 4096, G(20), G(20) } },
	/* More threads than the default maximum: max(5000, 4096) = 5000. */
	{ "more than 4096 threads",
	  { "1MB", "4MB", NULL, "1MB", NULL, NO, 5000 },
	  true,
	  TEXT | TOOL,
	  { M(1), M(4), G(1), 16, 5000, M(1), G(17) } },
	/* D1: the page says min(32, 16) = 16; the tool takes 32 as it is. */
	{ "init threads above 16, text",
	  { "1MB", "4MB", NULL, "1MB", NULL, 32, 64 },
	  true,
	  TEXT,
	  { M(1), M(4), G(1), 16, 4096, M(1), G(17) } },
	{ "init threads above 16, tool",
	  { "1MB", "4MB", NULL, "1MB", NULL, 32, 64 },
	  true,
	  TOOL,
	  { M(1), M(4), G(1), 32, 4096, M(1), G(17) } },
	/* D2: the page's default is 16; the tool's is min(16, 4) = 4. */
	{ "default init threads, text",
	  { "1MB", "4MB", NULL, "1MB", NULL, NO, 4 },
	  true,
	  TEXT,
	  { M(1), M(4), G(1), 16, 4096, M(1), G(17) } },
	{ "default init threads, tool",
	  { "1MB", "4MB", NULL, "1MB", NULL, NO, 4 },
	  true,
	  TOOL,
	  { M(1), M(4), G(1), 4, 4096, M(1), G(17) } },
	/* D3: init above max_num_of_threads: compared with 4096, it passes. */
	{ "init threads above max, tool",
	  { "1MB", "4MB", NULL, "1MB", NULL, 100, 64 },
	  true,
	  TOOL,
	  { M(1), M(4), G(1), 100, 4096, M(1), G(17) } },
	/* Without EDMM init_num_of_threads has no effect. */
	{ "init threads, no EDMM",
	  { "1MB", "4MB", NULL, "1MB", NULL, 100, 64 },
	  false,
	  TEXT | TOOL,
	  { M(1), M(4), M(4), 64, 64, M(1), 0 } },
	/* D7: the page gives user_space_size no effect here. */
	{ "user above its maximum, no EDMM, text",
	  { "1MB", "4MB", NULL, "256MB", "128MB", NO, 64 },
	  false,
	  TEXT,
	  { M(1), M(4), M(4), 64, 64, M(128), 0 } },
};

static struct edmm_target target(bool edmm, int reading)
{
	return (struct edmm_target){
		.platform = edmm ? EDMM_PLATFORM_SGX2 : EDMM_PLATFORM_SGX1,
		.compat = reading == TOOL ? EDMM_COMPAT_OCCLUM_031
					  : EDMM_COMPAT_TEXT,
	};
}

static void convert_row(const struct row *row, int reading)
{
	struct edmm_target t = target(row->edmm, reading);
	char *doc = document(&row->g, "");
	struct edmm_policy *p = must_parse(doc, EDMM_FORMAT_OCCLUM);
	char *xml = must_write(p, EDMM_FORMAT_SGX_XML, &t);

	check_xml(xml, &row->w, row->edmm);
	free(xml);
	free(doc);
	edmm_policy_free(p);
}

START_TEST(derives)
{
	if (rows[_i].readings & TEXT)
		convert_row(&rows[_i], TEXT);
	if (rows[_i].readings & TOOL)
		convert_row(&rows[_i], TOOL);
}
END_TEST

/* Rows that contradict themselves: rule, and where it is said. */
static const struct {
	struct given g;
	bool edmm;
	int readings;
	const char *rule;
} wrong[] = {
	/* 2G of heap at start, max(512M, 1G) = 1G at most. */
	{ { "1MB", "2GB", "512MB", "64MB", "128MB", NO, 64 },
	  true,
	  TEXT | TOOL,
	  "P201" },
	/* D7: the tool compares user_space_size without EDMM too. */
	{ { "1MB", "4MB", NULL, "256MB", "128MB", NO, 64 },
	  false,
	  TOOL,
	  "P201" },
	/* 17G of user space at start, max(1G, 16G) = 16G at most. */
	{ { "1MB", "4MB", NULL, "17GB", "1GB", NO, 64 },
	  true,
	  TEXT | TOOL,
	  "P201" },
	/* More at start than max(64, 4096). The page's min() never gets there.
	 */
	{ { "1MB", "4MB", NULL, "1MB", NULL, 5000, 64 }, true, TOOL, "P201" },
	/* sgx_sign wants whole pages; the tool would write it all the same. */
	{ { "1000KB", "4MB", NULL, "5B", NULL, NO, 64 }, true, TEXT, "P205" },
	/* sgx_sign wants a thread. */
	{ { "1MB", "4MB", NULL, "1MB", NULL, NO, 0 }, false, TEXT, "P104" },
};

static void refuse_row(int i, int reading)
{
	struct edmm_target t = target(wrong[i].edmm, reading);
	char *doc = document(&wrong[i].g, "");
	struct edmm_policy *p = must_parse(doc, EDMM_FORMAT_OCCLUM);
	struct edmm_findings f = { 0 };
	struct edmm_text out;

	ck_assert_int_eq(
		edmm_policy_write(p, EDMM_FORMAT_SGX_XML, &t, &out, &f),
		-EDMM_EINVAL);
	ck_assert_ptr_null(out.text);
	ck_assert(has_rule(&f, wrong[i].rule));
	edmm_findings_free(&f);
	free(doc);
	edmm_policy_free(p);
}

START_TEST(contradicts)
{
	if (wrong[_i].readings & TEXT)
		refuse_row(_i, TEXT);
	if (wrong[_i].readings & TOOL)
		refuse_row(_i, TOOL);
}
END_TEST

/* Who decides, when --platform does not. */
static const struct {
	const char *sgx_mode;
	const char *enable_edmm;
	const char *feature;
	bool text;
	bool tool;
} switches[] = {
	{ NULL, NULL, "", false, false },
	{ NULL, "Y", "", true, true },
	{ NULL, "YES", "", true, true },
	{ NULL, "Yes", "", true, true },
	{ NULL, "yes", "", true, true },
	{ NULL, "True", "", true, true },
	{ NULL, "true", "", true, true },
	{ NULL, "1", "", true, true },
	{ NULL, "y", "", false, false },
	{ NULL, "TRUE", "", false, false },
	{ NULL, "on", "", false, false },
	{ NULL, "", "", false, false },
	{ NULL, "N", "", false, false },
	{ "HW", "Y", "", true, true },
	{ "", "Y", "", true, true },
	/* SGX_MODE beats ENABLE_EDMM. */
	{ "SIM", "Y", "", false, false },
	{ "HYPER", "Y", "", false, false },
	{ NULL, NULL, "\"enable_edmm\": true", true, true },
	{ NULL, "N", "\"enable_edmm\": true", true, true },
	{ NULL, NULL, "\"enable_edmm\": false", false, false },
	/* D4: simulation against the file's own switch. */
	{ "SIM", NULL, "\"enable_edmm\": true", false, true },
};

START_TEST(decides)
{
	static const struct given g = {
		"1MB", "4MB", NULL, "1MB", NULL, NO, 64
	};
	char *doc = document(&g, switches[_i].feature);
	struct edmm_policy *p = must_parse(doc, EDMM_FORMAT_OCCLUM);
	struct edmm_target t = { .sgx_mode = switches[_i].sgx_mode,
				 .enable_edmm = switches[_i].enable_edmm };
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;

	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), 0);
	ck_assert_int_eq(r.elastic, switches[_i].text);
	t.compat = EDMM_COMPAT_OCCLUM_031;
	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), 0);
	ck_assert_int_eq(r.elastic, switches[_i].tool);
	edmm_findings_free(&f);
	free(doc);
	edmm_policy_free(p);
}
END_TEST

/* Each required field of the documentation, left out. */
START_TEST(requires)
{
	static const char *const fields[] = {
		"kernel_space_stack_size", "kernel_space_heap_size",
		"user_space_size",	   "max_num_of_threads",
		"default_stack_size",	   "default_heap_size",
		"default_mmap_size",
	};
	static const struct given g = {
		"1MB", "4MB", NULL, "1MB", NULL, NO, 64
	};
	char *doc = document(&g, "");
	char *at = strstr(doc, fields[_i]);
	struct edmm_findings f = { 0 };
	struct edmm_policy *p;

	at[0] = 'X';
	ck_assert_int_eq(
		edmm_policy_parse(&(struct edmm_source){ doc, strlen(doc),
							 "Occlum.json" },
				  EDMM_FORMAT_OCCLUM, &p, &f),
		-EDMM_EINVAL);
	ck_assert_uint_eq(f.errors, 1);
	ck_assert_ptr_nonnull(strstr(f.v[0].text, fields[_i]));
	ck_assert_str_eq(f.v[0].rule, "P102");
	ck_assert_uint_eq(f.v[0].line, 1);
	edmm_findings_free(&f);
	edmm_policy_free(p);
	free(doc);
}
END_TEST

/* The page's example as it stands: a comment, a trailing comma, no sections. */
static const char example[] =
	"{\n"
	"  \"resource_limits\": {\n"
	"    \"kernel_space_stack_size\": \"1MB\", // required\n"
	"    \"kernel_space_heap_size\": \"4MB\",\n"
	"    \"kernel_space_heap_max_size\": \"40MB\",\n"
	"    \"user_space_size\": \"1MB\",\n"
	"    \"user_space_max_size\": \"600MB\",\n"
	"    \"init_num_of_threads\": 2,\n"
	"    \"max_num_of_threads\": 64\n"
	"  },\n"
	"  \"process\": {\n"
	"    \"default_stack_size\": \"4MB\",\n"
	"    \"default_heap_size\": \"8MB\",\n"
	"    \"default_mmap_size\": \"100MB\" /* no effect */\n"
	"  },\n"
	"}\n";

START_TEST(example_is_read_with_warnings)
{
	struct edmm_findings f = { 0 };
	struct edmm_target t = target(true, TEXT);
	struct edmm_policy *p;
	char *xml;

	ck_assert_int_eq(
		edmm_policy_parse(&(struct edmm_source){ example,
							 strlen(example),
							 "Occlum.json" },
				  EDMM_FORMAT_NONE, &p, &f),
		0);
	edmm_findings_sort(&f);
	ck_assert_uint_eq(f.count, 3);
	ck_assert_str_eq(f.v[0].rule, "P106");
	ck_assert_uint_eq(f.v[0].line, 3);
	ck_assert_uint_eq(f.v[0].col, 39);
	ck_assert_str_eq(f.v[1].rule, "P106");
	ck_assert_uint_eq(f.v[1].line, 14);
	ck_assert_str_eq(f.v[2].rule, "P106");
	ck_assert_uint_eq(f.v[2].line, 15);
	ck_assert_uint_eq(f.v[2].col, 4);
	xml = must_write(p, EDMM_FORMAT_SGX_XML, &t);
	check_xml(xml, &rows[0].w, true);
	free(xml);
	/* D5: the tool needs the sections. */
	edmm_findings_free(&f);
	t.compat = EDMM_COMPAT_OCCLUM_031;
	struct edmm_resolved r;

	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), -EDMM_EINVAL);
	ck_assert_uint_eq(f.errors, 1);
	edmm_findings_free(&f);
	edmm_policy_free(p);
}
END_TEST

/* Identity: kept as it is; ids count with key separation and sharing only. */
START_TEST(identity)
{
	static const struct given g = {
		"1MB", "4MB", NULL, "1MB", NULL, NO, 64
	};
	struct edmm_target t = target(true, TEXT);
	char *doc = document(&g, "\"amx\": 1, \"pkru\": 2");
	struct edmm_policy *p = must_parse(doc, EDMM_FORMAT_OCCLUM);
	char *xml = must_write(p, EDMM_FORMAT_SGX_XML, &t);
	struct edmm_policy *x = must_parse(xml, EDMM_FORMAT_SGX_XML);

	ck_assert_uint_eq(xml_value(x, EDMM_SET_PRODID), 7);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_SVN), 3);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_DEBUG), 1);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_AMX), 1);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_PKRU), 2);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_FAMILY_H), 0);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_EXTPROD_L), 0);
	edmm_policy_free(x);
	free(xml);
	p->s[EDMM_SET_KSS].value = 1;
	xml = must_write(p, EDMM_FORMAT_SGX_XML, &t);
	x = must_parse(xml, EDMM_FORMAT_SGX_XML);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_FAMILY_H), 1);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_FAMILY_L), 2);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_EXTPROD_H), 3);
	ck_assert_uint_eq(xml_value(x, EDMM_SET_EXTPROD_L), 4);
	edmm_policy_free(x);
	free(xml);
	free(doc);
	edmm_policy_free(p);
}
END_TEST

/* The tool's elements, in its order. */
START_TEST(element_order)
{
	static const char *const order[] = {
		"<ProdID>",
		"<ISVSVN>",
		"<StackMaxSize>",
		"<StackMinSize>",
		"<HeapInitSize>",
		"<HeapMaxSize>",
		"<HeapMinSize>",
		"<TCSNum>",
		"<TCSMaxNum>",
		"<TCSMinPool>",
		"<TCSPolicy>0<",
		"<DisableDebug>0<",
		"<MiscSelect>",
		"<MiscMask>",
		"<ReservedMemMaxSize>",
		"<ReservedMemMinSize>",
		"<ReservedMemInitSize>",
		"<ReservedMemExecutable>1<",
		"<UserRegionSize>",
		"<EnableKSS>0<",
		"<ISVEXTPRODID_H>",
		"<ISVEXTPRODID_L>",
		"<ISVFAMILYID_H>",
		"<ISVFAMILYID_L>",
		"<PKRU>0<",
		"<AMX>0<",
	};
	struct edmm_target t = target(true, TEXT);
	char *doc = document(&rows[0].g, "");
	struct edmm_policy *p = must_parse(doc, EDMM_FORMAT_OCCLUM);
	char *xml = must_write(p, EDMM_FORMAT_SGX_XML, &t);
	const char *at = xml;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		ck_assert_msg(at != NULL, "%s", order[i]);
	}
	free(xml);
	free(doc);
	edmm_policy_free(p);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

int main(void)
{
	Suite *s = suite_create("occlum");
	TCase *t = tcase_create("rules");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, derives, 0, ROWS(rows));
	tcase_add_loop_test(t, contradicts, 0, ROWS(wrong));
	tcase_add_loop_test(t, decides, 0, ROWS(switches));
	tcase_add_loop_test(t, requires, 0, 7);
	tcase_add_test(t, example_is_read_with_warnings);
	tcase_add_test(t, identity);
	tcase_add_test(t, element_order);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
