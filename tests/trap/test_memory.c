/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine itself takes: at most 64 bytes of metadata a page in use,
 * and nothing for an address range that is not used. Anonymous memory is the
 * machine's (and this program's); the pages' contents are shared memory.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PAGES 16384u
#define METADATA 64u
#define SLACK (256u << 10)

static struct encl e;

/* A line of /proc/self/status, in bytes. */
static uint64_t status(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[128];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), ": %lu", &kib);
	fclose(f);
	return kib * 1024ull;
}

static void accept_all(uint64_t off, uint64_t count)
{
	struct encl_cmd cmd = { .op = OP_ACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = e.base + off,
				.value = count };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_eq(cmd.rax, 0);
}

START_TEST(metadata_of_a_page)
{
	uint64_t before, after;

	e = (struct encl){ .size = 1ull << 30 };
	encl_make(&e);
	accept_all(ENCL_FREE, 512);
	before = status("RssAnon");
	accept_all(ENCL_FREE + 512 * 4096, PAGES);
	after = status("RssAnon");
	printf("metadata: %.1f bytes a page in use\n",
	       (double)(after - before) / PAGES);
	ck_assert_uint_gt(after, before);
	ck_assert_uint_le(after - before, METADATA * PAGES);
	encl_close(&e);
}
END_TEST

START_TEST(elrange_costs_nothing)
{
	uint64_t anon, shmem, small, large;

	e = (struct encl){ .size = ENCL_SIZE };
	encl_make(&e);
	encl_close(&e);
	anon = status("RssAnon");
	shmem = status("RssShmem");
	e = (struct encl){ .size = ENCL_SIZE };
	encl_make(&e);
	small = status("RssAnon") + status("RssShmem") - anon - shmem;
	encl_close(&e);
	e = (struct encl){ .size = 1ull << 36 };
	encl_make(&e);
	large = status("RssAnon") + status("RssShmem") - anon - shmem;
	printf("64 MiB of ELRANGE: %lu bytes, 64 GiB: %lu bytes\n", small,
	       large);
	ck_assert_uint_le(large, small + SLACK);
	/* Its last page is as good as its first. */
	accept_all(e.size - 4096, 1);
	ck_assert_uint_le(status("RssAnon") + status("RssShmem") - anon - shmem,
			  small + SLACK);
	encl_close(&e);
}
END_TEST

/* ---- mlock --------------------------------------------------------------- */

static int mincore_of(char *p)
{
	unsigned char there = 0;

	ck_assert_int_eq(mincore(p, 4096, &there), 0);
	return there & 1;
}

/* A page is hidden, and comes back as zeros. */
static void goes_again(void)
{
	struct sgx_enclave_modify_types types;
	struct sgx_enclave_remove_pages gone;

	ck_assert_int_eq(encl_modify(&e, ENCL_FREE, 4096, SGX_PT_TRIM, &types),
			 0);
	ck_assert_uint_eq(
		encl_enclu(&e, SGX_EACCEPT,
			   SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED,
			   e.base + ENCL_FREE, 0),
		0);
	ck_assert_int_eq(encl_remove(&e, ENCL_FREE, 4096, &gone), 0);
	accept_all(ENCL_FREE, 1);
	ck_assert_uint_eq(encl_do(&e, OP_READ, e.base + ENCL_FREE, 0), 0);
}

/* Linux locks and fills no page of a device's mapping, also where all that
 * comes is to be locked; what is there can go as ever. */
static void few_pages(uint64_t before)
{
	uint64_t end = e.base + e.size - 4096, now;

	accept_all(ENCL_FREE, 4);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 5);
	now = status("RssShmem");
	ck_assert_msg(now - before < 1 << 20, "%llu KiB are filled",
		      (unsigned long long)(now - before) >> 10);
	ck_assert_int_eq(mlock((void *)end, 4096), 0);
	ck_assert_int_eq(mlock((void *)e.base, 1 << 20), 0);
	ck_assert_int_eq(munlock((void *)e.base, 1 << 20), 0);
	ck_assert_uint_eq(status("RssShmem"), now);
	goes_again();
}

START_TEST(locked_from_now_on)
{
	uint64_t before = status("RssShmem");

	ck_assert_int_eq(mlockall(MCL_FUTURE), 0);
	e = (struct encl){ .size = 1ull << 30 };
	encl_make(&e);
	few_pages(before);
	encl_close(&e);
	munlockall();
}
END_TEST

START_TEST(locked_now)
{
	uint64_t before = status("RssShmem");
	char *mine, *more;

	e = (struct encl){ .size = 1ull << 30 };
	encl_make(&e);
	mine = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_int_eq(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	ck_assert_int_eq(mincore_of(mine), 1);
	more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_int_eq(mincore_of(more), 1);
	few_pages(before);
	encl_close(&e);
	munlockall();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("memory");
	TCase *t = tcase_create("memory");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "epc=1G");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, metadata_of_a_page);
	tcase_add_test(t, elrange_costs_nothing);
	tcase_add_test(t, locked_from_now_on);
	tcase_add_test(t, locked_now);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
