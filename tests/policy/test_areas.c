/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Layouts worked out by hand, the estimate of start-up, and what an image of
 * ours takes from a policy of each format.
 */
#include "policy/areas.h"
#include "tests/policy/util.h"

#define OCCLUM(heap, heap_max, user, user_max, init, max)                  \
	"{\"resource_limits\": {\"kernel_space_stack_size\": \"1MB\","     \
	"\"kernel_space_heap_size\": \"" heap "\"," heap_max               \
	"\"user_space_size\": \"" user "\"," user_max init                 \
	"\"max_num_of_threads\": " max "}, \"process\": {"                 \
	"\"default_stack_size\": \"4MB\", \"default_heap_size\": \"8MB\"," \
	"\"default_mmap_size\": \"100MB\"}}"

static const char example[] =
	OCCLUM("4MB", "\"kernel_space_heap_max_size\": \"40MB\",", "1MB",
	       "\"user_space_max_size\": \"600MB\",",
	       "\"init_num_of_threads\": 2,", "64");
static const char template[] = OCCLUM("32MB", "", "300MB", "", "", "32");

/*
 * Occlum: 16 MiB of image assumed. A thread: 1 MiB of stack, TCS, 2 SSA
 * pages and a page of data are added (260 pages); with three guards of 64 KiB
 * it takes 308 pages of the range.
 */
static const struct {
	const char *text;
	enum edmm_format format;
	enum edmm_platform platform;
	uint64_t added, measured, elrange;
} rows[] = {
	/* 16M + 4M + 1M = 5376 pages, and 2 x 260; 18.9 GiB and more. */
	{ example, EDMM_FORMAT_OCCLUM, EDMM_PLATFORM_SGX2, 5376 + 2 * 260,
	  4096 + 2 * 260, GIB(32) },
	/* 16M + 40M + 600M = 167936 pages, and 64 x 260; 733 MiB. */
	{ example, EDMM_FORMAT_OCCLUM, EDMM_PLATFORM_SGX1, 167936 + 64 * 260,
	  4096 + 64 * 260, GIB(1) },
	/* 16M + 32M + 300M = 89088 pages, and 16 x 260. */
	{ template, EDMM_FORMAT_OCCLUM, EDMM_PLATFORM_SGX2, 89088 + 16 * 260,
	  4096 + 16 * 260, GIB(32) },
	/* The same, and 32 x 260. */
	{ template, EDMM_FORMAT_OCCLUM, EDMM_PLATFORM_SGX1, 89088 + 32 * 260,
	  4096 + 32 * 260, MIB(512) },
	/* Gramine's defaults: 256M, 4 threads of 90 pages, 260 of its own. */
	{ "sgx.debug = true\n", EDMM_FORMAT_GRAMINE, EDMM_PLATFORM_SGX1, 65536,
	  4 * 90 + 260, MIB(256) },
	/* With EDMM the rest of 1024G is absent. */
	{ "sgx.edmm_enable = true\nsgx.max_threads = 1\n", EDMM_FORMAT_GRAMINE,
	  EDMM_PLATFORM_SGX2, 90 + 260, 90 + 260, GIB(1024) },
	/* SCONE's defaults: 64M of heap, 8 stacks of 2M; 2M of image assumed.
	 * A thread: 512 + 4 pages. */
	{ "SCONE_MODE=hw\n", EDMM_FORMAT_SCONE, EDMM_PLATFORM_SGX2,
	  512 + 16384 + 8 * 516, 512 + 8 * 516, MIB(128) },
	/* With EDMM 20M of it are there at start. */
	{ "SCONE_EDMM_MODE=enable\n", EDMM_FORMAT_SCONE, EDMM_PLATFORM_SGX2,
	  512 + 5120 + 8 * 516, 512 + 8 * 516, MIB(128) },
};

START_TEST(layouts)
{
	struct edmm_policy *p = must_parse(rows[_i].text, rows[_i].format);
	struct edmm_target t = { .platform = rows[_i].platform };
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;
	struct pol_layout l;

	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), 0);
	pol_areas(&r, &l);
	ck_assert_uint_eq(l.added, rows[_i].added);
	ck_assert_uint_eq(l.measured, rows[_i].measured);
	ck_assert_uint_eq(l.elrange, rows[_i].elrange);
	/* 12.5K and 88K cycles a page, 116.5K for the rest, 2.6 a ns. */
	ck_assert_uint_eq(pol_startup_ns(&l),
			  (l.added * 12500 + l.measured * 88000 + 116500) / 26 *
				  10);
	edmm_findings_free(&f);
	edmm_policy_free(p);
}
END_TEST

/* Areas lie one behind another, without holes. */
START_TEST(areas_adjoin)
{
	struct edmm_policy *p = must_parse(example, EDMM_FORMAT_OCCLUM);
	struct edmm_target t = { .platform = EDMM_PLATFORM_SGX2 };
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;
	struct pol_layout l;
	uint64_t at = 0;

	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), 0);
	pol_areas(&r, &l);
	for (unsigned i = 0; i < l.count; i++) {
		ck_assert_uint_eq(l.v[i].off, at);
		at += l.v[i].size;
	}
	ck_assert_uint_le(at, l.elrange);
	edmm_policy_free(p);
}
END_TEST

/* Sizes that overflow end at "too large", not at a small number. */
START_TEST(absurd)
{
	struct edmm_policy *p = must_parse(
		OCCLUM("15000000TB", "", "15000000TB", "", "", "4294967295"),
		EDMM_FORMAT_OCCLUM);
	struct edmm_target t = { .platform = EDMM_PLATFORM_SGX1 };
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;
	struct pol_layout l;

	ck_assert_int_eq(edmm_policy_resolve(p, &t, &r, &f), 0);
	pol_areas(&r, &l);
	ck_assert_uint_eq(l.elrange, UINT64_MAX);
	edmm_policy_free(p);
}
END_TEST

START_TEST(to_image)
{
	struct edmm_policy *p = must_parse(
		"[heap]\ninit = \"4MiB\"\nmax = \"8GiB\"\n"
		"[threads]\ninit = 2\nmax = 8\n[stack]\nmax = \"1MiB\"\n"
		"[enclave]\nsize = \"128GiB\"\nwx = true\ndebug = true\n",
		EDMM_FORMAT_EDMM);
	struct edmm_image_policy im;
	struct edmm_findings f = { 0 };

	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &im, &f),
			 0);
	ck_assert_uint_eq(im.elrange_size, GIB(128));
	ck_assert_uint_eq(im.heap_init, MIB(4));
	ck_assert_uint_eq(im.heap_size, GIB(8));
	ck_assert_uint_eq(im.stack_size, MIB(1));
	ck_assert_uint_eq(im.stack_init, KIB(64));
	ck_assert_uint_eq(im.ctx_count, 2);
	ck_assert_uint_eq(im.flags, EDMM_POLICY_WX | EDMM_POLICY_DEBUG);
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_STATIC, &im, &f), 0);
	ck_assert_uint_eq(im.elrange_size, 0);
	ck_assert_uint_eq(im.heap_init, 0);
	ck_assert_uint_eq(im.heap_size, GIB(8));
	ck_assert_uint_eq(im.ctx_count, 8);
	edmm_policy_free(p);
	/* The identity of an elastic image does not know the maximum. */
	p = must_parse("[heap]\nmax = \"2GiB\"\n", EDMM_FORMAT_EDMM);
	struct edmm_image_policy a;
	struct edmm_image_policy b;

	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &a, &f), 0);
	p->s[EDMM_SET_HEAP_MAX].value = GIB(4);
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &b, &f), 0);
	/* All but the maximum that start-up takes: that is not measured. */
	ck_assert_uint_eq(a.heap_size, GIB(2));
	ck_assert_uint_eq(b.heap_size, GIB(4));
	b.heap_size = a.heap_size;
	ck_assert_mem_eq(&a, &b, sizeof(a));
	edmm_policy_free(p);
	/* Without any setting: the defaults of edmm sign. */
	p = must_parse("", EDMM_FORMAT_EDMM);
	edmm_policy_default(EDMM_MODE_ELASTIC, &b);
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &a, &f), 0);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	edmm_policy_default(EDMM_MODE_STATIC, &b);
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_STATIC, &a, &f), 0);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	edmm_policy_free(p);
}
END_TEST

/* Which setting of a file decides which field, and where it stands. */
START_TEST(decides)
{
	struct edmm_policy *p =
		must_parse("SCONE_HEAP=100G\nSCONE_TCS=3\n", EDMM_FORMAT_SCONE);
	struct edmm_findings f = { 0 };
	struct edmm_image_policy im;
	char where[128];

	ck_assert_int_eq(
		edmm_policy_decides(p, EDMM_MODE_ELASTIC, EDMM_IMAGE_HEAP_SIZE),
		EDMM_SET_HEAP_MAX);
	ck_assert_int_eq(
		edmm_policy_decides(p, EDMM_MODE_ELASTIC, EDMM_IMAGE_HEAP_INIT),
		EDMM_SET_COUNT);
	ck_assert_int_eq(
		edmm_policy_decides(p, EDMM_MODE_STATIC, EDMM_IMAGE_CONTEXTS),
		EDMM_SET_THREADS_INIT);
	edmm_policy_where(p, EDMM_SET_THREADS_INIT, where, sizeof(where));
	ck_assert_str_eq(where, "t:2:11: SCONE_TCS");
	/* 100 GiB of heap do not fit 64 GiB; SCONE's defaults for the rest. */
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &im, &f),
			 0);
	ck_assert_uint_eq(im.elrange_size, GIB(128));
	ck_assert_uint_eq(im.heap_init, MIB(20));
	ck_assert_uint_eq(im.heap_size, GIB(100));
	ck_assert_uint_eq(im.stack_size, MIB(2));
	ck_assert_uint_eq(im.ctx_count, 3);
	edmm_policy_free(p);
}
END_TEST

/* What no image takes is told; a pool beyond the image's own is made later. */
START_TEST(without_effect)
{
	struct edmm_policy *p = must_parse("[threads]\ninit = 2\npool = 3\n"
					   "max = 4\nbound = true\n",
					   EDMM_FORMAT_EDMM);
	struct edmm_findings f = { 0 };
	struct edmm_image_policy im;

	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &im, &f),
			 0);
	edmm_policy_idle(p, &f);
	ck_assert_uint_eq(f.count, 1);
	ck_assert_uint_eq(f.v[0].line, 5);
	edmm_findings_free(&f);
	edmm_policy_free(p);
}
END_TEST

/* An Occlum.json for an image of ours: the program's part of it only. */
START_TEST(occlum_image)
{
	struct edmm_policy *p = must_parse(example, EDMM_FORMAT_OCCLUM);
	struct edmm_findings f = { 0 };
	struct edmm_image_policy im;

	ck_assert_int_eq(
		edmm_policy_decides(p, EDMM_MODE_STATIC, EDMM_IMAGE_HEAP_SIZE),
		EDMM_SET_USER_MAX);
	/* Elastic: user space 1 MiB, max(600 MiB, 16 GiB); 2 threads. */
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_ELASTIC, &im, &f),
			 0);
	ck_assert_uint_eq(im.heap_init, MIB(1));
	ck_assert_uint_eq(im.heap_size, GIB(16));
	ck_assert_uint_eq(im.ctx_count, 2);
	/* Static: 600 MiB, 64 threads. */
	ck_assert_int_eq(edmm_policy_to_image(p, EDMM_MODE_STATIC, &im, &f), 0);
	ck_assert_uint_eq(im.heap_size, MIB(600));
	ck_assert_uint_eq(im.ctx_count, 64);
	edmm_policy_free(p);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

int main(void)
{
	Suite *s = suite_create("areas");
	TCase *t = tcase_create("layouts");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, layouts, 0, ROWS(rows));
	tcase_add_test(t, areas_adjoin);
	tcase_add_test(t, absurd);
	tcase_add_test(t, to_image);
	tcase_add_test(t, decides);
	tcase_add_test(t, occlum_image);
	tcase_add_test(t, without_effect);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
