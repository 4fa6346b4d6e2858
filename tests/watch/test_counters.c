/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each row of the lists in edmm/machine.h shows up everywhere: in the record,
 * in text and JSON, in the sums of a trace, among the faults to inject and in
 * the manual. tests/cli/report.sh has edmm run --report=json.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edmm/machine.h"
#include "machine/linux/inject.h"
#include "machine/watch/counters.h"

/* ---- the record -------------------------------------------------------- */

/* Nothing is in it that is not in the list: a byte a word. */
struct words {
	char size;
#define ONE(name, where, told) char name;
#define ARRAY(name, count, prefix, kind) char name[count];
	EDMM_MACHINE_COUNTERS(ONE, ARRAY)
#undef ARRAY
#undef ONE
};

_Static_assert(sizeof(struct edmm_machine_stats) == 8 * sizeof(struct words),
	       "counters");

/* Callers that know an older list find what they know where it was. */
#define AT(name, word)                                              \
	_Static_assert(offsetof(struct edmm_machine_stats, name) == \
			       8 * (word),                          \
		       #name)
AT(eenter, 1);
AT(aex_track, 8);
AT(enclu, 9);
AT(encls, 25);
AT(enclu_faults, 41);
AT(fault_eaug, 43);
AT(ioctls, 51);
AT(ioctl_errors, 59);
AT(epc_pages, 62);
AT(pages_added, 65);
AT(quota_pages, 71);
AT(quota_hits, 72);

/* Each is another number. */
static struct edmm_machine_stats numbered(void)
{
	struct edmm_machine_stats s = { 0 };
	uint64_t n[sizeof(s) / 8];

	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		n[i] = 1000 + i;
	memcpy(&s, n, sizeof(s));
	return s;
}

/* ---- text and JSON ----------------------------------------------------- */

static char text[0x4000];

static void append(void *ctx, const char *bytes, size_t size)
{
	size_t *used = ctx;

	ck_assert_uint_lt(*used + size, sizeof(text));
	memcpy(text + *used, bytes, size);
	*used += size;
	text[*used] = 0;
}

static void print(const struct edmm_machine_stats *s, bool json, bool levels)
{
	size_t used = 0;
	struct watch_out out = { .write = append, .ctx = &used };
	struct watch_print p = { .stats = s, .json = json, .levels = levels };

	watch_print(&out, &p);
}

/* Is NAME there with this number, as text or as JSON? */
static bool printed(const char *prefix, const char *name, uint64_t n)
{
	char want[96];

	snprintf(want, sizeof(want), "\"%s%s\":%llu", prefix, name,
		 (unsigned long long)n);
	if (strstr(text, want))
		return true;
	snprintf(want, sizeof(want), "  %s%s ", prefix, name);
	if (!strstr(text, want))
		return false;
	return strtoull(strstr(text, want) + strlen(want), NULL, 10) == n;
}

static void all_printed(const struct edmm_machine_stats *s, bool levels)
{
#define ONE(name, where, told)                                         \
	ck_assert_msg(printed("", #name, s->name) ==                   \
			      (levels || WATCH_IS_TOLD(WATCH_##told)), \
		      "%s in: %s", #name, text);
#define ARRAY(name, count, prefix, kind)                                      \
	for (unsigned i = 0; i < (count); i++)                                \
		if (watch_##prefix(i))                                        \
			ck_assert_msg(printed(#prefix "_", watch_##prefix(i), \
					      s->name[i]),                    \
				      "%s[%u] in: %s", #name, i, text);
	EDMM_MACHINE_COUNTERS(ONE, ARRAY)
#undef ARRAY
#undef ONE
}

START_TEST(output)
{
	struct edmm_machine_stats s = numbered();
	bool json = _i & 1, levels = _i & 2;

	print(&s, json, levels);
	all_printed(&s, levels);
}
END_TEST

/* ---- sums -------------------------------------------------------------- */

START_TEST(parts_are_added)
{
	struct edmm_machine_stats a = numbered(), b = numbered();

	b.size = sizeof(b);
	watch_sum(&b, &a);
	ck_assert_uint_eq(b.size, sizeof(b));
#define ONE(name, where, told) ck_assert_uint_eq(b.name, 2 * a.name);
#define ARRAY(name, count, prefix, kind)       \
	for (unsigned i = 0; i < (count); i++) \
		ck_assert_uint_eq(b.name[i], 2 * a.name[i]);
	EDMM_MACHINE_COUNTERS(ONE, ARRAY)
#undef ARRAY
#undef ONE
}
END_TEST

/* Adds every event there can be, as far as anything looks at it. */
static void add_all_events(struct edmm_machine_stats *s)
{
	static const int32_t results[] = { 0, 1, -1, TRACE_FAULTED(14) };
	static const uint64_t addrs[] = { 0, 0x1000, 0x1f00 };
	static const uint32_t args[] = { 0, 1, 6u << 16, 14u << 16 };

	for (unsigned i = 0; i < TRACE_KINDS * 64u * 4 * 3 * 4; i++) {
		struct trace_record r = { .arg = args[i % 4],
					  .addr = addrs[i / 4 % 3],
					  .result = results[i / 12 % 4],
					  .what = (uint8_t)(i / 48 % 64),
					  .kind = (uint8_t)(i / 48 / 64) };

		watch_add(s, &r);
	}
}

START_TEST(trace)
{
	struct edmm_machine_stats s = { 0 };

	add_all_events(&s);
#define ONE(name, where, told)                                             \
	ck_assert_msg(!s.name == !WATCH_IS_TOLD(WATCH_##told), "%s: %llu", \
		      #name, (unsigned long long)s.name);
#define ARRAY(name, count, prefix, kind)       \
	for (unsigned i = 0; i < (count); i++) \
		ck_assert_msg(s.name[i] > 0, "%s[%u]", #name, i);
	EDMM_MACHINE_COUNTERS(ONE, ARRAY)
#undef ARRAY
#undef ONE
}
END_TEST

/* ---- ioctls ------------------------------------------------------------ */

static bool injected(const char *fault, struct drv_inject *in)
{
	struct inject_error e;

	return inject_parse(in, fault, strlen(fault), &e);
}

/* Both names are taken, and mean the same ioctl. */
START_TEST(ioctls)
{
#define BOTH(number, name, old)                                             \
	{                                                                   \
		struct drv_inject a = { 0 }, b = { 0 };                     \
		bool there = EDMM_IOCTL_##number != EDMM_IOCTL_VEPC_REMOVE; \
                                                                            \
		ck_assert_str_eq(watch_ioctl(EDMM_IOCTL_##number), #name);  \
		ck_assert_str_eq(watch_ioctl_today(old), #name);            \
		ck_assert_str_eq(watch_ioctl_today(#name), #name);          \
		ck_assert(injected(#name, &a) == there);                    \
		ck_assert(injected(old, &b) == there);                      \
		ck_assert_uint_eq(a.points, b.points);                      \
	}
	EDMM_MACHINE_IOCTL_LIST(BOTH)
#undef BOTH
	ck_assert_ptr_null(watch_ioctl(EDMM_MACHINE_IOCTLS));
	ck_assert_str_eq(watch_ioctl_today("eaug"), "eaug");
}
END_TEST

/* ---- the manual -------------------------------------------------------- */

START_TEST(manual)
{
	static char page[0x10000];
	FILE *f = fopen(MANUAL, "re");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	page[n] = 0;
#define IN(name) \
	ck_assert_msg(strstr(page, "*" name "*"), "%s: no *%s*", MANUAL, name);
#define ONE(name, where, told) IN(#name)
#define ARRAY(name, count, prefix, kind) IN(#prefix "_")
#define IOCTL(number, name, old) IN("ioctl_" #name)
	EDMM_MACHINE_COUNTERS(ONE, ARRAY)
	EDMM_MACHINE_IOCTL_LIST(IOCTL)
#undef IOCTL
#undef ARRAY
#undef ONE
#undef IN
}
END_TEST

int main(void)
{
	Suite *s = suite_create("counters");
	TCase *t = tcase_create("the list");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, output, 0, 4);
	tcase_add_test(t, parts_are_added);
	tcase_add_test(t, trace);
	tcase_add_test(t, ioctls);
	tcase_add_test(t, manual);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
