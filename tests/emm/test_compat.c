/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel's interface, on the model: this program is the runtime. Each test is
 * its own process, as the interface has one instance. Argument errors are a
 * table; every row changes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <string.h>
#ifndef WORLD_INSIDE
#include <signal.h>
#include <sys/mman.h>
#endif

#include <check.h>

#include "compat/emm_private.h"
#include "compat/sgx_mm.h"
#include "compat/sgx_mm_primitives.h"
#include "compat/sgx_mm_rt_abstraction.h"
#include "tests/emm/world.h"
#include "trusted/emm/compat/glue.h"

#define PAGES 16384u /* of the managed range; ELRANGE is twice that */
#define RTS 64u	     /* the first pages are the runtime's, */
#define OWN 384u     /* and then the manager's, at most */

static struct world w;
static sgx_mm_pfhandler_t handler;
static int fail_register;
static uint64_t cut_pages; /* that the enclave lacks of a power of two */

/* ---- the runtime ------------------------------------------------------- */

bool sgx_mm_register_pfhandler(sgx_mm_pfhandler_t h)
{
	handler = h;
	return !fail_register;
}

bool sgx_mm_unregister_pfhandler(sgx_mm_pfhandler_t h)
{
	return h == handler;
}

bool sgx_mm_is_within_enclave(const void *ptr, size_t size)
{
	uint64_t a = (uint64_t)(uintptr_t)ptr, end = W_BASE + w.pages * 4096ull;

	end -= cut_pages * 4096ull;
	return a >= W_BASE && a <= end && size <= end - a;
}

int sgx_mm_alloc_ocall(uint64_t addr, size_t length, int type, int flags)
{
	ck_assert_int_eq(type, SGX_EMA_PAGE_TYPE_REG);
	return world_all_hooks()->map(&w, addr, length, (uint32_t)flags)
		       ? EFAULT
		       : 0;
}

int sgx_mm_modify_ocall(uint64_t addr, size_t length, int from, int to)
{
	struct emm_modify m = { .addr = addr, .size = length };
	int type = to & SGX_EMA_PAGE_TYPE_MASK;

	m.from = from & SGX_EMA_PROT_MASK;
	m.to = to & SGX_EMA_PROT_MASK;
	if (type == SGX_EMA_PAGE_TYPE_REG && from == to && m.to)
		return 0;
	if (type == SGX_EMA_PAGE_TYPE_REG)
		m.op = from == to ? EMM_HOST_PROTECT : EMM_HOST_RESTRICT;
	else if (type == SGX_EMA_PAGE_TYPE_TCS)
		m.op = EMM_HOST_TO_TCS;
	else if ((from & SGX_EMA_PAGE_TYPE_MASK) == SGX_EMA_PAGE_TYPE_TRIM)
		m.op = EMM_HOST_REMOVE;
	else
		m.op = EMM_HOST_TO_TRIM;
	return world_all_hooks()->modify(&w, &m) ? EFAULT : 0;
}

int do_eaccept(const sec_info_t *si, size_t addr)
{
	return world_all_hooks()->eaccept(&w, (const void *)si, addr);
}

int do_emodpe(const sec_info_t *si, size_t addr)
{
	int rc = world_all_hooks()->emodpe(&w, (const void *)si, addr);

	/* As a plain ENCLU leaves EAX: EMODPE does not write it. */
	return rc ? rc : SGX_EMODPE;
}

int do_eacceptcopy(const sec_info_t *si, size_t dest, size_t src)
{
	return world_all_hooks()->eacceptcopy(&w, (const void *)si, dest, src);
}

/* ---- the tests --------------------------------------------------------- */

static uint8_t *at(uint32_t page)
{
	return (uint8_t *)(uintptr_t)w_addr(OWN + page);
}

static int start(void)
{
	return sgx_mm_init(w_addr(RTS), w_addr(PAGES - RTS));
}

static void open_world(void)
{
	const struct w_config cfg = { .pages = PAGES,
				      .no_emm = true,
				      .narrow = true };

	world_open(&w, &cfg);
	world_back(&w);
}

static void open_started(void)
{
	open_world();
	ck_assert_int_eq(start(), 0);
	w.emm = glue_get()->emm;
	world_zero_counts(&w);
}

static void mirror(void)
{
	const char *bad = emm_check(glue_get()->emm);

	ck_assert_msg(!bad, "%s", bad);
}

static int alloc_at(uint32_t page, uint32_t pages, int flags)
{
	void *out = &w;
	int rc = sgx_mm_alloc(at(page), pages * 4096ull, flags | SGX_EMA_FIXED,
			      NULL, NULL, &out);

	ck_assert_ptr_eq(out, rc ? (void *)&w : at(page));
	return rc;
}

static int fault(uint32_t page, uint32_t errcd)
{
	const sgx_pfinfo info = { .maddr = (uint64_t)(uintptr_t)at(page),
				  .pfec = { .errcd = errcd } };

	return handler(&info);
}

START_TEST(all_the_calls)
{
	ck_assert_int_eq(alloc_at(0, 16, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_uint_eq(w.maps, 1);
	ck_assert_int_eq(sgx_mm_commit(at(0), 8 * 4096), 0);
	ck_assert_int_eq(fault(9, SGX_PFEC_W),
			 SGX_MM_EXCEPTION_CONTINUE_EXECUTION);
	ck_assert_int_eq(fault(17, SGX_PFEC_W),
			 SGX_MM_EXCEPTION_CONTINUE_SEARCH);
	ck_assert_int_eq(
		sgx_mm_modify_permissions(at(0), 4 * 4096, SGX_EMA_PROT_READ),
		0);
	ck_assert_uint_eq(w.modifies, 1);
	ck_assert_uint_eq(w_rights(&w, OWN + 2), MACH_R);
	ck_assert_int_eq(
		sgx_mm_modify_permissions(at(0), 4 * 4096, SGX_EMA_PROT_READ),
		0);
	ck_assert_uint_eq(w.modifies, 1);
	ck_assert_int_eq(sgx_mm_modify_permissions(at(0), 4 * 4096,
						   SGX_EMA_PROT_READ_EXEC),
			 0);
	ck_assert_uint_eq(w_rights(&w, OWN + 2), MACH_R | MACH_X);
	((struct sgx_tcs *)(void *)w_bytes(&w, OWN + 5))->nssa = 1;
	ck_assert_int_eq(sgx_mm_modify_type(at(5), 4096, SGX_EMA_PAGE_TYPE_TCS),
			 0);
	ck_assert_int_eq(sgx_mm_commit_data(
				 at(10), 2 * 4096,
				 (uint8_t *)(uintptr_t)(W_BASE + W_SRC * 4096),
				 SGX_EMA_PROT_READ_EXEC),
			 0);
	ck_assert_uint_eq(w_bytes(&w, OWN + 11)[0], 0xa1);
	ck_assert_int_eq(sgx_mm_uncommit(at(0), 16 * 4096), 0);
	ck_assert_int_eq(sgx_mm_commit(at(5), 4096), 0);
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 32 * 4096), 0);
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 16 * 4096), EINVAL);
	ck_assert_uint_eq(emm_committed(glue_get()->emm), 0);
	mirror();
}
END_TEST

#define ROW(call, code)                                                     \
	do {                                                                \
		struct emm_stats x, y;                                      \
		emm_stats_get(glue_get()->emm, &x);                         \
		ck_assert_msg((call) == (code), "%s is not " #code, #call); \
		emm_stats_get(glue_get()->emm, &y);                         \
		ck_assert_uint_eq(x.committed, y.committed);                \
		ck_assert_uint_eq(x.areas, y.areas);                        \
		ck_assert_uint_eq(x.meta_used, y.meta_used);                \
		ck_assert_uint_eq(w.modifies + w.maps + w.accepts, 0);      \
	} while (0)

static int plain(void *addr, size_t size, int flags)
{
	void *out = at(0);
	int rc = sgx_mm_alloc(addr, size, flags, NULL, NULL, &out);

	if (rc)
		ck_assert_ptr_eq(out, at(0));
	return rc;
}

/* Three areas; what is refused must leave them alone. */
static void three_areas(void)
{
	ck_assert_int_eq(alloc_at(0, 8, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_int_eq(alloc_at(8, 8, SGX_EMA_RESERVE), 0);
	ck_assert_int_eq(alloc_at(20, 4, SGX_EMA_COMMIT_NOW), 0);
	world_zero_counts(&w);
}

START_TEST(bad_arguments_of_alloc)
{
	const int od = SGX_EMA_COMMIT_ON_DEMAND, fix = od | SGX_EMA_FIXED;
	uint8_t *meta = (uint8_t *)(uintptr_t)glue_get()->user_start;

	three_areas();
	/* alloc: modes, types, lengths, alignment, addresses */
	ROW(plain(NULL, 4096, 0), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_COMMIT_NOW), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_RESERVE), EINVAL);
	ROW(plain(NULL, 4096, od | 8), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_GROWSDOWN | SGX_EMA_GROWSUP),
	    EINVAL);
	ROW(plain(NULL, 4096, od | (int)SGX_EMA_SYSTEM), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_PAGE_TYPE_TCS), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_PAGE_TYPE_TRIM), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_PAGE_TYPE(3)), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_PAGE_TYPE(7)), EINVAL);
	ROW(plain(NULL, 4096, od | SGX_EMA_PAGE_TYPE_SS_FIRST), EINVAL);
	ROW(plain(NULL, 4096, od | 0x10000), EINVAL);
	ROW(plain(NULL, 0, od), EINVAL);
	ROW(plain(NULL, 4095, od), EINVAL);
	ROW(plain(NULL, SIZE_MAX & ~4095ull, od), ENOMEM);
	ROW(plain(NULL, 4096, od | (int)SGX_EMA_ALIGNED(11)), EINVAL);
	ROW(plain(NULL, 4096, od | (int)SGX_EMA_ALIGNED(64)), EINVAL);
	ROW(plain(at(40) + 1, 4096, od), EINVAL);
	ROW(plain(at(41), 4096, od | (int)SGX_EMA_ALIGNED(20)), EINVAL);
	ROW(plain((void *)4096, 4096, fix), EACCES);
	ROW(plain(at(40), SIZE_MAX & ~4095ull, fix), EACCES);
	ROW(plain(at(0), 4096, fix), EEXIST);
	ROW(plain(at(7), 2 * 4096, fix), EEXIST);
	ROW(plain((void *)w_addr(0), 4096, fix), EPERM);
	ROW(plain(meta, 4096, fix), EPERM);
	mirror();
}
END_TEST

START_TEST(bad_ranges)
{
	uint8_t *meta = (uint8_t *)(uintptr_t)glue_get()->user_start;

	three_areas();
	/* ranges */
	ROW(sgx_mm_commit(at(0) + 8, 4096), EINVAL);
	ROW(sgx_mm_commit(at(0), 0), EINVAL);
	ROW(sgx_mm_commit(at(0), 100), EINVAL);
	ROW(sgx_mm_commit(at(0), SIZE_MAX & ~4095ull), EINVAL);
	ROW(sgx_mm_commit(at(6), 4 * 4096), EACCES);
	ROW(sgx_mm_commit(at(15), 8 * 4096), EACCES);
	ROW(sgx_mm_commit(at(18), 4 * 4096), EINVAL);
	ROW(sgx_mm_commit(at(22), 4 * 4096), EINVAL);
	ROW(sgx_mm_commit(meta, 4096), EINVAL);
	ROW(sgx_mm_uncommit(meta, 4096), EINVAL);
	ROW(sgx_mm_uncommit(at(18), 4 * 4096), EINVAL);
	ROW(sgx_mm_uncommit(at(8), 4096), EACCES);
	ROW(sgx_mm_uncommit(at(20), 0x800), EINVAL);
	ROW(sgx_mm_dealloc(at(20) + 0x800, 4096), EINVAL);
	ROW(sgx_mm_dealloc(meta, 4096), EINVAL);
	ROW(sgx_mm_dealloc(at(30), 4096), EINVAL);
	ROW(sgx_mm_dealloc((void *)W_BASE, 4096), EINVAL);
	mirror();
}
END_TEST

START_TEST(bad_rights_types_data)
{
	uint8_t *meta = (uint8_t *)(uintptr_t)glue_get()->user_start;
	uint8_t *data = (uint8_t *)(uintptr_t)(W_BASE + W_SRC * 4096);

	three_areas();
	/* rights and types */
	ROW(sgx_mm_modify_permissions(at(20), 4096, SGX_EMA_PROT_WRITE),
	    EINVAL);
	ROW(sgx_mm_modify_permissions(at(20), 4096, SGX_EMA_PROT_EXEC), EINVAL);
	ROW(sgx_mm_modify_permissions(at(20), 4096, 0x101), EINVAL);
	ROW(sgx_mm_modify_permissions(at(20), 4096, -1), EINVAL);
	ROW(sgx_mm_modify_permissions(at(0), 4096, SGX_EMA_PROT_READ), EINVAL);
	ROW(sgx_mm_modify_permissions(at(8), 4096, SGX_EMA_PROT_READ), EACCES);
	ROW(sgx_mm_modify_permissions(at(20), 0, SGX_EMA_PROT_READ), EINVAL);
	ROW(sgx_mm_modify_permissions(meta, 4096, SGX_EMA_PROT_READ), EINVAL);
	ROW(sgx_mm_modify_type(at(20), 4096, SGX_EMA_PAGE_TYPE_TRIM), EPERM);
	ROW(sgx_mm_modify_type(at(20), 8192, SGX_EMA_PAGE_TYPE_TCS), EINVAL);
	ROW(sgx_mm_modify_type(at(0), 4096, SGX_EMA_PAGE_TYPE_TCS), EACCES);
	ROW(sgx_mm_modify_type(at(30), 4096, SGX_EMA_PAGE_TYPE_TCS), EINVAL);
	/* data */
	ROW(sgx_mm_commit_data(at(20), 4096, data, 3), EACCES);
	ROW(sgx_mm_commit_data(at(0), 4096, NULL, 3), EINVAL);
	ROW(sgx_mm_commit_data(at(0), 4096, data + 1, 3), EINVAL);
	ROW(sgx_mm_commit_data(at(0), 4096, (uint8_t *)4096, 3), EINVAL);
	ROW(sgx_mm_commit_data(at(0), 0, data, 3), EINVAL);
	ROW(sgx_mm_commit_data(at(0), 4096, data, 8), EINVAL);
	ROW(sgx_mm_commit_data(at(30), 4096, data, 3), EINVAL);
	mirror();
}
END_TEST

START_TEST(the_runtimes_own)
{
	void *mine = (void *)w_addr(2);

	ck_assert_int_eq(
		mm_init_ema(mine, 4096, (int)SGX_EMA_SYSTEM, 3, NULL, NULL), 0);
	ck_assert_int_eq(
		mm_init_ema(mine, 4096, (int)SGX_EMA_SYSTEM, 3, NULL, NULL),
		EEXIST);
	ck_assert_int_eq(
		mm_init_ema(at(0), 4096, (int)SGX_EMA_SYSTEM, 3, NULL, NULL),
		EINVAL);
	ck_assert_int_eq(mm_init_ema((void *)4096, 4096, (int)SGX_EMA_SYSTEM, 3,
				     NULL, NULL),
			 EACCES);
	ck_assert_int_eq(mm_init_ema(mine, 4096, 0, 3, NULL, NULL), EINVAL);
	ck_assert_int_eq(sgx_mm_uncommit(mine, 4096), EINVAL);
	ck_assert_int_eq(mm_alloc((void *)w_addr(8), 8 * 4096,
				  SGX_EMA_COMMIT_ON_DEMAND | SGX_EMA_SYSTEM |
					  SGX_EMA_GROWSDOWN | SGX_EMA_FIXED,
				  NULL, NULL, NULL),
			 0);
	ck_assert_int_eq(mm_alloc(at(0), 4096,
				  SGX_EMA_COMMIT_ON_DEMAND | SGX_EMA_SYSTEM |
					  SGX_EMA_FIXED,
				  NULL, NULL, NULL),
			 EINVAL);
	ck_assert_int_eq(sgx_mm_commit((void *)w_addr(15), 4096), EINVAL);
	ck_assert_int_eq(mm_commit((void *)w_addr(15), 4096), 0);
	ck_assert_int_eq(mm_modify_permissions((void *)w_addr(15), 4096, 1), 0);
	ck_assert_int_eq(mm_uncommit((void *)w_addr(15), 4096), 0);
	ck_assert_int_eq(mm_dealloc((void *)w_addr(8), 8 * 4096), 0);
	ck_assert_int_eq(emalloc_init_with_reserved_mem(1 << 20), 0);
	mirror();
}
END_TEST

static jmp_buf out_of_handler;

static int jumper(const sgx_pfinfo *info, void *priv)
{
	ck_assert_ptr_eq(priv, &out_of_handler);
	/* It nests: a fault of the handler's own. */
	ck_assert_int_eq(fault(8, SGX_PFEC_W),
			 SGX_MM_EXCEPTION_CONTINUE_EXECUTION);
	(void)info;
	longjmp(out_of_handler, 1);
}

START_TEST(handlers_nest_and_jump)
{
	void *out;

	ck_assert_int_eq(alloc_at(8, 1, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_int_eq(sgx_mm_alloc(at(0), 4096,
				      SGX_EMA_COMMIT_ON_DEMAND | SGX_EMA_FIXED,
				      jumper, &out_of_handler, &out),
			 0);
	if (!setjmp(out_of_handler)) {
		fault(0, SGX_PFEC_W);
		ck_abort_msg("the handler returned");
	}
	mirror();
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 16 * 4096), 0);
	mirror();
}
END_TEST

/* Without FIXED an address is a hint: a region's, or half a reservation's. */
START_TEST(hints_that_are_taken)
{
	const uint32_t hints[] = { 0, 7, 12, 20 };
	void *out;

	ck_assert_int_eq(alloc_at(0, 8, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_int_eq(alloc_at(8, 8, SGX_EMA_RESERVE), 0);
	ck_assert_int_eq(alloc_at(20, 4, SGX_EMA_COMMIT_NOW), 0);
	for (unsigned int i = 0; i < 4; i++) {
		int mode = i & 1 ? SGX_EMA_COMMIT_NOW : SGX_EMA_RESERVE;

		ck_assert_int_eq(sgx_mm_alloc(at(hints[i]), 8 * 4096, mode,
					      NULL, NULL, &out),
				 0);
		ck_assert((uint8_t *)out >= at(24) ||
			  (uint8_t *)out + 8 * 4096 <= at(0));
		ck_assert_int_eq(sgx_mm_dealloc(out, 8 * 4096), 0);
	}
	ck_assert_int_eq(sgx_mm_alloc(at(8), 8 * 4096, SGX_EMA_COMMIT_NOW, NULL,
				      NULL, &out),
			 0);
	ck_assert_ptr_eq(out, at(8));
	mirror();
}
END_TEST

#ifdef WORLD_INSIDE
static void source_made(void)
{
	ck_assert_int_eq(sgx_mm_commit(at(40), 4096), 0);
	memset(w_bytes(&w, OWN + 40), 0x5a, 4096);
}
#else
/* The source of commit_data is there when a fault has committed it. */
static void on_segv(int sig, siginfo_t *info, void *uc)
{
	uint64_t addr = (uint64_t)(uintptr_t)info->si_addr & ~4095ull;

	(void)sig;
	(void)uc;
	ck_assert_ptr_eq((void *)(uintptr_t)addr, at(40));
	ck_assert_int_eq(fault(40, 0), SGX_MM_EXCEPTION_CONTINUE_EXECUTION);
	memset(w_bytes(&w, OWN + 40), 0x5a, 4096);
	mprotect(at(40), 4096, PROT_READ);
}

static void source_made(void)
{
	struct sigaction sa = { .sa_sigaction = on_segv,
				.sa_flags = SA_SIGINFO };

	ck_assert_int_eq(mprotect(at(40), 4096, PROT_NONE), 0);
	sigaction(SIGSEGV, &sa, NULL);
}
#endif

START_TEST(data_is_read_before_it_is_copied)
{
	ck_assert_int_eq(alloc_at(0, 8, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_int_eq(alloc_at(40, 1, SGX_EMA_COMMIT_ON_DEMAND), 0);
	source_made();
	ck_assert_int_eq(
		sgx_mm_commit_data(at(2), 4096, at(40), SGX_EMA_PROT_READ), 0);
	ck_assert_uint_eq(w_bytes(&w, OWN + 2)[100], 0x5a);
	mirror();
}
END_TEST

/* EACCEPT reads through the mapping, and TO_TRIM does not change it. */
START_TEST(unreadable_pages_are_trimmed)
{
	ck_assert_int_eq(alloc_at(0, 8, SGX_EMA_COMMIT_NOW), 0);
	ck_assert_int_eq(
		sgx_mm_modify_permissions(at(0), 4 * 4096, SGX_EMA_PROT_NONE),
		0);
	ck_assert_int_eq(sgx_mm_uncommit(at(2), 2 * 4096), 0);
	ck_assert_int_eq(sgx_mm_uncommit(at(3), 2 * 4096), 0);
	ck_assert_int_eq(sgx_mm_commit(at(4), 4 * 4096), 0);
	ck_assert_int_eq(sgx_mm_commit(at(2), 4096), EACCES);
	ck_assert_int_eq(
		sgx_mm_modify_permissions(at(0), 4096, SGX_EMA_PROT_READ_WRITE),
		0);
	ck_assert_uint_eq(w_rights(&w, OWN), MACH_R | MACH_W);
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 8 * 4096), 0);
	ck_assert_int_eq(alloc_at(0, 8, SGX_EMA_COMMIT_NOW), 0);
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 8 * 4096), 0);
	ck_assert_uint_eq(emm_committed(glue_get()->emm), 0);
	mirror();
}
END_TEST

/* One uncommit over a stack's guard, its TCS and its pages; and commit. */
START_TEST(mixed_runs_keep_their_mapping)
{
	const int rights[] = { SGX_EMA_PROT_NONE, SGX_EMA_PROT_READ,
			       SGX_EMA_PROT_READ_EXEC };

	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_int_eq(alloc_at(0, 4, SGX_EMA_COMMIT_NOW), 0);
		ck_assert_int_eq(alloc_at(4, 4, SGX_EMA_COMMIT_ON_DEMAND), 0);
		ck_assert_int_eq(sgx_mm_commit(at(4), 4 * 4096), 0);
		((struct sgx_tcs *)(void *)w_bytes(&w, OWN))->nssa = 1;
		if (i < 3)
			ck_assert_int_eq(sgx_mm_modify_permissions(at(0), 4096,
								   rights[i]),
					 0);
		else
			ck_assert_int_eq(
				sgx_mm_modify_type(at(0), 4096,
						   SGX_EMA_PAGE_TYPE_TCS),
				0);
		ck_assert_int_eq(sgx_mm_uncommit(at(0), 8 * 4096), 0);
		ck_assert_int_eq(sgx_mm_commit(at(1), 7 * 4096), 0);
		ck_assert_int_eq(sgx_mm_commit(at(0), 4096),
				 i < 3 ? EACCES : 0);
		ck_assert_int_eq(sgx_mm_dealloc(at(0), 8 * 4096), 0);
	}
	mirror();
}
END_TEST

/* A page that only reads comes in again, though it cannot be stored to. */
START_TEST(readable_pages_come_again)
{
	ck_assert_int_eq(alloc_at(0, 4, SGX_EMA_COMMIT_ON_DEMAND), 0);
	ck_assert_int_eq(sgx_mm_commit(at(0), 4 * 4096), 0);
	ck_assert_int_eq(
		sgx_mm_modify_permissions(at(0), 4 * 4096, SGX_EMA_PROT_READ),
		0);
	ck_assert_int_eq(sgx_mm_uncommit(at(0), 4 * 4096), 0);
	ck_assert_int_eq(fault(1, 0), SGX_MM_EXCEPTION_CONTINUE_EXECUTION);
	ck_assert_uint_eq(w_rights(&w, OWN + 1), MACH_R);
	ck_assert_int_eq(fault(1, SGX_PFEC_W),
			 SGX_MM_EXCEPTION_CONTINUE_SEARCH);
	ck_assert_int_eq(sgx_mm_dealloc(at(0), 4 * 4096), 0);
	mirror();
}
END_TEST

START_TEST(guard_pages_are_searched_for)
{
	ck_assert_int_eq(alloc_at(0, 4, SGX_EMA_RESERVE), 0);
	ck_assert_int_eq(fault(1, SGX_PFEC_W),
			 SGX_MM_EXCEPTION_CONTINUE_SEARCH);
	ck_assert_int_eq(alloc_at(8, 4, SGX_EMA_COMMIT_NOW), 0);
	ck_assert_int_eq(sgx_mm_uncommit(at(9), 4096), 0);
	ck_assert_int_eq(fault(9, 0), SGX_MM_EXCEPTION_CONTINUE_SEARCH);
	ck_assert_int_eq(sgx_mm_commit(at(9), 4096), 0);
}
END_TEST

/* Not a power of two: SDKs round up, but a mapping may be what it is. */
START_TEST(enclaves_of_any_size)
{
	uint64_t end = W_BASE + w.pages * 4096ull;

	cut_pages = w.pages - W_CTRL - PAGES + 13;
	ck_assert_int_eq(start(), 0);
	ck_assert_uint_eq(glue_get()->base, W_BASE);
	ck_assert_uint_eq(glue_get()->base + glue_get()->size,
			  end - cut_pages * 4096);
	ck_assert_int_eq(alloc_at(0, 16, SGX_EMA_COMMIT_NOW), 0);
	ck_assert_int_eq(
		mm_alloc((void *)w_addr(PAGES - 14), 4096,
			 SGX_EMA_COMMIT_NOW | SGX_EMA_SYSTEM | SGX_EMA_FIXED,
			 NULL, NULL, NULL),
		0);
	mirror();
}
END_TEST

START_TEST(refused_starts)
{
	ck_assert_int_eq(
		sgx_mm_alloc(at(0), 4096, SGX_EMA_RESERVE, NULL, NULL, NULL),
		EINVAL);
	ck_assert_int_eq(sgx_mm_init(w_addr(1) + 1, w_addr(9)), EINVAL);
	ck_assert_int_eq(sgx_mm_init(w_addr(9), w_addr(9)), EINVAL);
	ck_assert_int_eq(sgx_mm_init(0x1000, 0x9000), EINVAL);
	ck_assert_int_eq(sgx_mm_init(w_addr(1), w_addr(9)), ENOMEM);
	w.steps = 0;
	w.fail_at = 1;
	w.fault = WF_REFUSE;
	ck_assert_int_eq(start(), EFAULT);
	w.steps = 0;
	w.fail_at = 5;
	w.for_ever = true;
	ck_assert_int_eq(start(), ENOMEM);
}
END_TEST

static uint64_t late;

/* Each page is there only when it is asked for again. */
static void comes_late(struct world *world, const char *hook, uint64_t addr)
{
	if (hook[0] != 'e' || addr == late)
		return;
	late = addr;
	world->fault = WF_REFUSE;
	world->fail_at = world->steps;
}

START_TEST(start_waits_for_pages)
{
	w.before = comes_late;
	ck_assert_int_eq(start(), 0);
	ck_assert(late != 0);
	ck_assert_int_eq(alloc_at(0, 4, SGX_EMA_COMMIT_NOW), 0);
	mirror();
}
END_TEST

START_TEST(no_handler_no_manager)
{
	fail_register = 1;
	ck_assert_int_eq(start(), EFAULT);
	ck_assert_int_eq(sgx_mm_commit(at(0), 4096), EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compat");
	TCase *on = tcase_create("started"), *off = tcase_create("not started");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(on, open_started, NULL);
	tcase_add_test(on, all_the_calls);
	tcase_add_test(on, bad_arguments_of_alloc);
	tcase_add_test(on, bad_ranges);
	tcase_add_test(on, bad_rights_types_data);
	tcase_add_test(on, the_runtimes_own);
	tcase_add_test(on, handlers_nest_and_jump);
	tcase_add_test(on, hints_that_are_taken);
	tcase_add_test(on, data_is_read_before_it_is_copied);
	tcase_add_test(on, unreadable_pages_are_trimmed);
	tcase_add_test(on, mixed_runs_keep_their_mapping);
	tcase_add_test(on, readable_pages_come_again);
	tcase_add_test(on, guard_pages_are_searched_for);
	tcase_add_checked_fixture(off, open_world, NULL);
	tcase_add_test(off, refused_starts);
	tcase_add_test(off, start_waits_for_pages);
	tcase_add_test(off, enclaves_of_any_size);
	tcase_add_test(off, no_handler_no_manager);
	suite_add_tcase(s, on);
	suite_add_tcase(s, off);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
