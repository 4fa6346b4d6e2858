/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What metadata takes of a user range as Intel's sgx_sign lays it out: the
 * whole UserRegionSize can be had, and what is in the enclave at the start and
 * for uniform areas is at most the range / 2^14 + 64 KiB. The runtime here is
 * a host that grants everything; each test is its own process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <check.h>

#include "compat/emm_private.h"
#include "compat/sgx_mm.h"
#include "edmm/emm.h"
#include "tests/emm/compat/granting.h"
#include "trusted/emm/compat/glue.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define CHUNK (256 * KIB) /* of the page map */

static uint8_t *elrange;

/*
 * sgx_sign's user range for a UserRegionSize: a 2^15th of it, at least a page,
 * and the books of the runtime's own regions (here: next to nothing), rounded
 * up to 64 KiB; and 64 KiB of guards.
 */
static uint64_t laid_out(uint64_t region)
{
	uint64_t books = (region >> 15) & ~(4 * KIB - 1);

	if (region && !books)
		books = 4 * KIB;
	books = (books + KIB + 64 * KIB - 1) & ~(64 * KIB - 1);
	return region + books + 64 * KIB;
}

static uint64_t start(uint64_t region, uint64_t size)
{
	uint64_t user = laid_out(region);

	elrange = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(elrange, MAP_FAILED);
	granting_range((uint64_t)elrange, size);
	ck_assert_int_eq(sgx_mm_init((size_t)elrange + size - user,
				     (size_t)elrange + size),
			 0);
	ck_assert_int_eq(emalloc_init_with_reserved_mem(user - region - 65536),
			 0);
	return user;
}

static struct emm_stats stats(void)
{
	struct emm_stats s;
	const char *bad = emm_check(glue_get()->emm);

	ck_assert_msg(!bad, "%s", bad);
	emm_stats_get(glue_get()->emm, &s);
	return s;
}

static void uniform_is_small(uint64_t user)
{
	ck_assert_uint_le(stats().meta_pool, user / 16384 + 64 * KIB);
	ck_assert_uint_le(glue_get()->meta_own, user / 16384 + 64 * KIB);
}

static const struct {
	uint64_t region;
	uint64_t size; /* of ELRANGE */
} cases[] = {
	{ 0, 16 * MIB },	 { 0, 64 * GIB },   { 4 * KIB, GIB },
	{ 64 * KIB, GIB },	 { MIB, 64 * GIB }, { 64 * MIB, 2 * GIB },
	{ GIB, 4 * GIB },	 { GIB, 64 * GIB }, { 31 * GIB, 64 * GIB },
	{ 60 * GIB, 128 * GIB },
};

/* A guard, a stack, a guard, TCS, SSA, guard and TLS for each of 100 threads.
 */
static void many_of_the_runtimes(void)
{
	for (uint64_t i = 0; i < 700; i++) {
		bool guard = i % 7 == 0 || i % 7 == 2 || i % 7 == 5;
		int flags = (int)SGX_EMA_SYSTEM;

		if (guard)
			flags |= SGX_EMA_RESERVE;
		ck_assert_int_eq(
			mm_init_ema(elrange + (i + 32) * 8192, 8192, flags,
				    guard ? 0 : SGX_EMA_PROT_READ_WRITE, NULL,
				    NULL),
			0);
	}
	(void)stats();
}

START_TEST(all_of_the_region)
{
	uint64_t region = cases[_i].region, n = region / 16;
	uint64_t user = start(region, cases[_i].size);
	void *out = NULL, *part;

	uniform_is_small(user);
	/* The runtime's own are somewhere else in the enclave. */
	ck_assert_int_eq(mm_init_ema(elrange, 64 * KIB, (int)SGX_EMA_SYSTEM,
				     SGX_EMA_PROT_READ_WRITE, NULL, NULL),
			 0);
	if (!region) {
		many_of_the_runtimes();
		return;
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(sgx_mm_alloc(NULL, region,
					      SGX_EMA_COMMIT_ON_DEMAND, NULL,
					      NULL, &out),
				 0);
		if (region <= GIB)
			ck_assert_int_eq(sgx_mm_commit(out, region), 0);
		uniform_is_small(user);
		ck_assert_int_eq(sgx_mm_dealloc(out, region), 0);
	}
	for (int i = 0; i < 15 && n >= CHUNK; i++)
		ck_assert_int_eq(sgx_mm_alloc(NULL, n,
					      i & 1 ? SGX_EMA_RESERVE
						    : SGX_EMA_COMMIT_NOW,
					      NULL, NULL, &part),
				 0);
	uniform_is_small(user);
}
END_TEST

/*
 * Worst: each chunk has a page unlike its others. 72 bytes a chunk, a table of
 * 4 KiB for each 128 MiB; within the range / 3,640, beside what is there at the
 * start and kept ahead. It goes where areas could be, and comes back from
 * there.
 */
START_TEST(the_worst_mixed_case)
{
	const uint64_t region = GIB, part = region / 2;
	uint64_t user = start(region, 4 * GIB), was, meta, end;
	uint8_t *p = NULL;
	void *out;

	was = stats().meta_pool;
	ck_assert_int_eq(sgx_mm_alloc(NULL, part, SGX_EMA_COMMIT_ON_DEMAND,
				      NULL, NULL, &out),
			 0);
	p = out;
	for (uint64_t off = 0; off < part; off += CHUNK)
		ck_assert_int_eq(sgx_mm_commit(p + off, 4096), 0);
	meta = stats().meta_pool;
	ck_assert_uint_gt(meta, glue_get()->meta_own);
	ck_assert_uint_le(meta - was, part / 3640 * 9 / 8 + 64 * KIB);
	end = glue_get()->user_start + meta;
	ck_assert_int_eq(sgx_mm_alloc((void *)(end - 4096), 4096,
				      SGX_EMA_RESERVE | SGX_EMA_FIXED, NULL,
				      NULL, &out),
			 EPERM);
	ck_assert_int_eq(sgx_mm_alloc((void *)(end - 4096), 4096,
				      SGX_EMA_RESERVE, NULL, NULL, &out),
			 0);
	ck_assert_uint_gt((uint64_t)out, end);
	ck_assert_int_eq(sgx_mm_dealloc(out, 4096), 0);
	ck_assert_int_eq(sgx_mm_dealloc((void *)(end - 4096), 8192), EINVAL);
	ck_assert_int_eq(sgx_mm_dealloc(p, part), 0);
	(void)stats();
	(void)user;
}
END_TEST

/* Somebody is where metadata would grow: ENOMEM, and nothing is lost. */
START_TEST(shared_addresses_are_taken)
{
	const uint64_t region = GIB;
	uint8_t *p = NULL;
	void *out;
	int rc = 0;

	start(region, 4 * GIB);
	ck_assert_int_eq(sgx_mm_alloc(NULL, region, SGX_EMA_COMMIT_ON_DEMAND,
				      NULL, NULL, &out),
			 0);
	p = out;
	for (uint64_t off = 0; off < region && !rc; off += CHUNK)
		rc = sgx_mm_commit(p + off, 4096);
	ck_assert_int_eq(rc, ENOMEM);
	(void)stats();
	ck_assert_int_eq(sgx_mm_dealloc(p, region), 0);
	(void)stats();
	ck_assert_int_eq(sgx_mm_alloc(NULL, region, SGX_EMA_COMMIT_ON_DEMAND,
				      NULL, NULL, &out),
			 0);
}
END_TEST

static int leaf(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	(void)si;
	(void)addr;
	return 0;
}

static int copy(void *ctx, const struct sgx_secinfo *si, uint64_t addr,
		uint64_t src)
{
	(void)src;
	return leaf(ctx, si, addr);
}

static int modify(void *ctx, const struct emm_modify *m)
{
	(void)ctx;
	(void)m;
	return 0;
}

/* The native interface: metadata at the start, within or at the end. */
START_TEST(metadata_anywhere)
{
	const struct emm_hooks hooks = { .eaccept = leaf,
					 .emodpe = leaf,
					 .eacceptcopy = copy,
					 .modify = modify };
	const uint64_t at[] = { 0, 31 * MIB, 63 * MIB };
	struct emm_alloc a = { .size = 20 * MIB,
			       .flags = EMM_ON_DEMAND,
			       .prot = EMM_RW };
	struct emm_params p = { .size = 64 * MIB,
				.meta_size = MIB,
				.meta_init = MIB,
				.wide = true };
	struct emm *emm;
	uint64_t out;

	p.base = (uint64_t)mmap(NULL, p.size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p.meta_base = (void *)(p.base + at[_i]);
	ck_assert_int_eq(emm_init(&p, &hooks, &emm), 0);
	ck_assert_int_eq(emm_alloc(emm, &a, &out), 0);
	ck_assert_int_eq(emm_alloc(emm, &a, &out), 0);
	ck_assert_ptr_null(emm_check(emm));
	/* Shared addresses want the region at the user range's start. */
	p.meta_init = emm_meta_min(p.size, 0);
	p.meta_own = MIB / 2;
	p.user_base = p.base;
	p.user_size = p.size;
	ck_assert_int_eq(emm_init(&p, &hooks, &emm), _i ? -EINVAL : 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compat size");
	TCase *t = tcase_create("sizes");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, all_of_the_region, 0,
			    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, the_worst_mixed_case);
	tcase_add_loop_test(t, metadata_anywhere, 0, 3);
	tcase_add_test(t, shared_addresses_are_taken);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
