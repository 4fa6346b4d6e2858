/* SPDX-License-Identifier: BSD-3-Clause */
/* The check for instructions that fault in an enclave. */
#include "toolchain/cc/scan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
	const char *name;
	size_t size;
	uint8_t code[16];
};

#define ROW(name, ...)                                    \
	{                                                 \
		name, sizeof((uint8_t[]){ __VA_ARGS__ }), \
		{                                         \
			__VA_ARGS__                       \
		}                                         \
	}

static const struct bytes bad[] = {
	ROW("syscall", 0x0f, 0x05),
	ROW("sysenter", 0x0f, 0x34),
	ROW("int", 0xcd, 0x80),
	ROW("int", 0xcd, 0x2e),
	ROW("cpuid", 0x0f, 0xa2),
	ROW("rdpmc", 0x0f, 0x33),
	ROW("in", 0xe4, 0x10),
	ROW("outsb", 0x6e),
	ROW("iretq", 0x48, 0xcf),
	ROW("vmcall", 0x0f, 0x01, 0xc1),
	ROW("encls", 0x0f, 0x01, 0xcf),
	ROW("sgdt", 0x0f, 0x01, 0x00),
	ROW("ret", 0xcb),	/* far */
	ROW("mov", 0x8e, 0xd8), /* mov %eax,%ds */
	ROW("pop", 0x0f, 0xa1), /* pop %fs */
	ROW("lfs", 0x0f, 0xb4, 0x00),
};

static const struct bytes good[] = {
	/* mov $0x80cda20f,%eax ; mov $0x050f,%ecx */
	ROW("immediate", 0xb8, 0x0f, 0xa2, 0xcd, 0x80, 0xb9, 0x0f, 0x05, 0, 0),
	ROW("enclu", 0x0f, 0x01, 0xd7),
	ROW("rdtsc", 0x0f, 0x31),
	ROW("rdrand", 0x48, 0x0f, 0xc7, 0xf0),
	ROW("wrfsbase", 0xf3, 0x48, 0x0f, 0xae, 0xd0),
	ROW("ud2", 0x0f, 0x0b),
	ROW("int3", 0xcc),
	ROW("near ret", 0xc3),
	ROW("mov %ds,%eax", 0x8c, 0xd8),
	ROW("movabs", 0x48, 0xb8, 0x0f, 0x05, 0x0f, 0x34, 0xcd, 0x80, 0, 0),
};

struct seen {
	size_t hits;
	char insn[32];
	char func[32];
	uint64_t func_off;
	uint64_t addr;
};

static void see(void *ctx, const struct scan_hit *hit)
{
	struct seen *s = ctx;

	s->hits++;
	s->addr = hit->addr;
	s->func_off = hit->func_off;
	strncpy(s->insn, hit->insn, sizeof(s->insn) - 1);
	strncpy(s->func, hit->func ? hit->func : "-", sizeof(s->func) - 1);
}

START_TEST(forbidden_is_found)
{
	const struct bytes *b = &bad[_i];
	struct scan_code code = { .bytes = b->code,
				  .addr = 0x1000,
				  .size = b->size };
	struct seen s = { 0 };

	ck_assert_uint_eq(scan_code(&code, see, &s), 1);
	ck_assert_str_eq(s.insn, b->name);
	ck_assert_uint_eq(s.addr, 0x1000);
}
END_TEST

START_TEST(allowed_is_not)
{
	const struct bytes *b = &good[_i];
	struct scan_code code = { .bytes = b->code, .size = b->size };
	struct seen s = { 0 };

	ck_assert_msg(scan_code(&code, see, &s) == 0, "%s: took %s", b->name,
		      s.insn);
}
END_TEST

/*
 * Padding before a function could swallow its first bytes: the sweep starts
 * again at each symbol. 48 b8 asks for eight more bytes.
 */
START_TEST(symbol_starts_sweep_again)
{
	static const uint8_t code_bytes[] = { 0xc3, 0x48, 0xb8, 0x0f,
					      0xa2, 0xc3, 0x90, 0x90,
					      0x90, 0x90, 0x90, 0xc3 };
	static const struct scan_func funcs[] = { { 0x2000, "first" },
						  { 0x2003, "second" } };
	struct scan_code code = { .bytes = code_bytes,
				  .addr = 0x2000,
				  .size = sizeof(code_bytes) };
	struct seen s = { 0 };

	ck_assert_uint_eq(scan_code(&code, see, &s), 0);
	code.funcs = funcs;
	code.nfuncs = 2;
	ck_assert_uint_eq(scan_code(&code, see, &s), 1);
	ck_assert_str_eq(s.func, "second");
	ck_assert_uint_eq(s.func_off, 0);
	ck_assert_uint_eq(s.addr, 0x2003);
}
END_TEST

START_TEST(file_without_elf_is_refused)
{
	char path[] = "/tmp/edmm-scan-XXXXXX";
	char text[256] = "";
	FILE *err = fmemopen(text, sizeof(text), "w");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dprintf(fd, "#!/bin/sh\n"), 10);
	ck_assert_int_eq(scan_file(path, path, "t", 0, err), SCAN_BAD_FILE);
	fclose(err);
	ck_assert_ptr_nonnull(strstr(text, ": not an ELF file\n"));
	unlink(path);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *tc = tcase_create("scan");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, forbidden_is_found, 0,
			    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_loop_test(tc, allowed_is_not, 0,
			    (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_test(tc, symbol_starts_sweep_again);
	tcase_add_test(tc, file_without_elf_is_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
