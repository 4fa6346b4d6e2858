/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes: what each runtime accepts is accepted, the rest is not, and the
 * message has the right spelling. Occlum's rows were run through its own
 * parser; the rows of the others follow their sources.
 */
#include "tests/policy/util.h"

#define OCC EDMM_FORMAT_OCCLUM
#define GRA EDMM_FORMAT_GRAMINE
#define SCO EDMM_FORMAT_SCONE
#define XML EDMM_FORMAT_SGX_XML
#define OUR EDMM_FORMAT_EDMM

static const struct {
	enum edmm_format format;
	const char *text;
	uint64_t value;
} good[] = {
	{ OCC, "1MB", 1048576 },
	{ OCC, "4 MB", 4194304 },
	{ OCC, " 4MB", 4194304 },
	{ OCC, "4MB ", 4194304 },
	{ OCC, "1024B", 1024 },
	{ OCC, "+4MB", 4194304 },
	{ OCC, "0MB", 0 },
	{ OCC, "4\tMB", 4194304 },
	{ OCC, "1TB", 1099511627776 },
	{ OCC, "300MB", 314572800 },
	{ GRA, "256M", 268435456 },
	{ GRA, "1024G", 1099511627776 },
	{ GRA, "256K", 262144 },
	{ GRA, "4k", 4096 },
	{ GRA, "4096", 4096 },
	{ SCO, "64M", 67108864 },
	{ SCO, "30m", 31457280 },
	{ SCO, "8G", 8589934592 },
	{ SCO, "100000000", 100000000 },
	{ XML, "0x40000", 262144 },
	{ XML, "0X40000", 262144 },
	{ XML, "010", 8 },
	{ XML, "4096", 4096 },
	{ XML, " 4096", 4096 },
	{ XML, "0", 0 },
	{ XML, "0xffffffffffffffff", UINT64_MAX },
	{ XML, "18446744073709551615", UINT64_MAX },
	{ OUR, "64MiB", 67108864 },
	{ OUR, "64M", 67108864 },
	{ OUR, "1TiB", 1099511627776 },
	{ OUR, "17B", 17 },
};

START_TEST(accepts)
{
	uint64_t value = 1;
	char fix[96];

	ck_assert_int_eq(
		edmm_size_parse(good[_i].format, good[_i].text, &value, fix),
		0);
	ck_assert_uint_eq(value, good[_i].value);
	ck_assert_str_eq(fix, "");
}
END_TEST

static const struct {
	enum edmm_format format;
	const char *text;
	const char *fix; /* NULL: whatever it says */
} bad[] = {
	{ OCC, "4M", "4MB" },
	{ OCC, "4mb", "4MB" },
	{ OCC, "1024", "1KB" },
	{ OCC, "", NULL },
	{ OCC, "1.5MB", "1536KB" },
	{ OCC, "0x10B", "267B" },
	{ OCC, "-1MB", NULL },
	{ OCC, "MB", NULL },
	{ OCC, "4KiB", "4KB" },
	{ OCC, "4MBB", "4MB" },
	{ OCC, "1 000MB", NULL },
	{ OCC, "17179869184TB", NULL }, /* wraps to 0 in a release build */
	{ OCC, "18446744073709551616B", NULL },
	{ GRA, "256MB", "256M" },
	{ GRA, "256MiB", "256M" },
	{ GRA, "0x100000", "1M" },
	{ GRA, "1T", "1024G" },
	{ GRA, " 4M", "4M" },
	{ GRA, "", NULL },
	{ SCO, "64MB", "64M" },
	{ SCO, "1.5G", "1536M" },
	{ SCO, "17179869184G", NULL },
	{ XML, "4M", "4194304" },
	{ XML, "-1", NULL },
	{ XML, "4096 ", "4096" },
	{ XML, "0x", NULL },
	{ XML, "08", NULL },
	{ XML, "0x1ffffffffffffffff", NULL },
	{ XML, "18446744073709551616", NULL },
	{ XML, "12 34", NULL },
	{ OUR, "64MB", "64MiB" },
	{ OUR, "64", "64B" },
	{ OUR, "64mib", "64MiB" },
};

START_TEST(refuses)
{
	uint64_t value;
	char fix[96];

	ck_assert_int_ne(
		edmm_size_parse(bad[_i].format, bad[_i].text, &value, fix), 0);
	ck_assert_str_ne(fix, "");
	if (bad[_i].fix != NULL)
		ck_assert_str_eq(fix, bad[_i].fix);
}
END_TEST

static const struct {
	enum edmm_format format;
	uint64_t value;
	const char *text;
} shown[] = {
	{ OCC, 0, "0B" },	    { OCC, 1048576, "1MB" },
	{ OCC, 1536, "1536B" },	    { OCC, 1099511627776, "1TB" },
	{ OCC, 41943040, "40MB" },  { GRA, 1099511627776, "1024G" },
	{ GRA, 262144, "256K" },    { GRA, 4097, "4097" },
	{ XML, 4096, "4096" },	    { OUR, 1099511627776, "1TiB" },
	{ OUR, 67108864, "64MiB" }, { SCO, 67108864, "64M" },
	{ OUR, 3000, "3000B" },
};

START_TEST(spells)
{
	uint64_t value;
	char buf[32];
	char fix[96];

	edmm_size_format(shown[_i].format, shown[_i].value, buf);
	ck_assert_str_eq(buf, shown[_i].text);
	ck_assert_int_eq(edmm_size_parse(shown[_i].format, buf, &value, fix),
			 0);
	ck_assert_uint_eq(value, shown[_i].value);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

int main(void)
{
	Suite *s = suite_create("size");
	TCase *t = tcase_create("tables");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, accepts, 0, ROWS(good));
	tcase_add_loop_test(t, refuses, 0, ROWS(bad));
	tcase_add_loop_test(t, spells, 0, ROWS(shown));
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
