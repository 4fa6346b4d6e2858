/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program pays that is on the machine and does not use it: a shell, env,
 * whatever a script starts. Counted in libraries and pages, not in time.
 */
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRYPTO "/libcrypto.so"
#define LINE 512

/* A library's mappings in /proc/self/smaps: how many, and KiB of its code that
 * are not the file's any more. */
struct found {
	unsigned mappings;
	unsigned changed;
};

static struct found look_for(const char *name)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	struct found r = { 0 };
	bool is = false, code = false;
	char line[LINE];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned kib;

		/* Names of fields are upper case, addresses are lower. */
		if (line[0] < 'A' || line[0] > 'Z') {
			is = strstr(line, name) != NULL;
			code = strstr(line, " r-xp ") != NULL;
			r.mappings += is;
		} else if (is && code &&
			   sscanf(line, "Private_Dirty: %u", &kib) == 1) {
			r.changed += kib;
		}
	}
	fclose(f);
	return r;
}

START_TEST(libc_is_as_its_file)
{
	struct found libc = look_for("/libc.so");
	struct found ld = look_for("/ld-linux");

	ck_assert_uint_gt(libc.mappings, 0);
	ck_assert_uint_eq(libc.changed, 0);
	ck_assert_uint_gt(ld.mappings, 0);
	ck_assert_uint_eq(ld.changed, 0);
}
END_TEST

START_TEST(libcrypto_comes_with_the_device)
{
	int fd;

	ck_assert_uint_eq(look_for(CRYPTO).mappings, 0);
	fd = open("/dev/sgx_enclave", O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_gt(look_for(CRYPTO).mappings, 0);
	/* A second time finds the library there, and leaves it alone. */
	ck_assert_int_eq(close(fd), 0);
	fd = open("/dev/sgx_enclave", O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(look_for(CRYPTO).changed, 0);
	ck_assert_uint_eq(look_for("/libc.so").changed, 0);
	close(fd);
}
END_TEST

/* Not for a look at what it is. */
START_TEST(nor_for_less)
{
	int fd = open("/dev/sgx_enclave", O_PATH);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(access("/dev/sgx_enclave", R_OK | W_OK), 0);
	ck_assert_uint_eq(look_for(CRYPTO).mappings, 0);
	close(fd);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("idle");
	TCase *t = tcase_create("idle");
	SRunner *r;
	int failed;

	(void)argc;
	/* Without the tests' own library: that one needs libcrypto. */
	if (!getenv("EDMM_TEST_INSIDE")) {
		setenv("EDMM_TEST_INSIDE", "1", 1);
		setenv("EDMM_MACHINE_QUIET", "1", 1);
		setenv("LD_PRELOAD", MACHINE_LIBRARY, 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	tcase_add_test(t, libc_is_as_its_file);
	tcase_add_test(t, libcrypto_comes_with_the_device);
	tcase_add_test(t, nor_for_less);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
