/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A runtime that holds libsgx_mm.a as Intel's SDK does: all of its objects,
 * beside leaves of its own (prim.S) that end the enclave on any code; a user
 * range of 128 KiB, which is UserRegionSize 0; and a host whose TO_TRIM is the
 * ioctl alone. What such a runtime does at its start and with its threads
 * works, without a leaf that is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compat/emm_private.h"
#include "compat/sgx_mm.h"
#include "compat/sgx_mm_primitives.h"
#include "compat/sgx_mm_rt_abstraction.h"
#include "tests/emm/world.h"
#include "tests/must.h"

#define PAGES 4096u
#define USER 32u /* pages: 128 KiB */
#define HEAP 512u
#define THREAD 1024u /* a guard, 8 pages of stack, a guard, a TCS */
#define RTS ((int)SGX_EMA_SYSTEM)
#define RTS_FIXED ((uint32_t)(SGX_EMA_SYSTEM | SGX_EMA_FIXED))

static struct world w;
static sgx_mm_pfhandler_t handler;

int mimic_eaccept(const sec_info_t *si, size_t addr);
int mimic_emodpe(const sec_info_t *si, size_t addr);
int mimic_eacceptcopy(const sec_info_t *si, size_t dest, size_t src);

int mimic_eaccept(const sec_info_t *si, size_t addr)
{
	return world_all_hooks()->eaccept(&w, (const void *)si, addr);
}

int mimic_emodpe(const sec_info_t *si, size_t addr)
{
	return world_all_hooks()->emodpe(&w, (const void *)si, addr);
}

int mimic_eacceptcopy(const sec_info_t *si, size_t dest, size_t src)
{
	return world_all_hooks()->eacceptcopy(&w, (const void *)si, dest, src);
}

/* ---- the runtime's side ------------------------------------------------ */

bool sgx_mm_register_pfhandler(sgx_mm_pfhandler_t h)
{
	handler = h;
	return true;
}

bool sgx_mm_is_within_enclave(const void *ptr, size_t size)
{
	uint64_t off = (uint64_t)(uintptr_t)ptr - W_BASE;
	uint64_t all = w.pages * EMM_PAGE;

	return off <= all && size <= all - off;
}

int sgx_mm_alloc_ocall(uint64_t addr, size_t length, int type, int flags)
{
	MUST(type == SGX_EMA_PAGE_TYPE_REG);
	return world_all_hooks()->map(&w, addr, length, (uint32_t)flags)
		       ? EFAULT
		       : 0;
}

/* What Intel's host refuses, and what each pair of properties is to it. */
int sgx_mm_modify_ocall(uint64_t addr, size_t length, int from, int to)
{
	struct emm_modify m = { .addr = addr, .size = length };
	int was = from & SGX_EMA_PAGE_TYPE_MASK;
	int type = to & SGX_EMA_PAGE_TYPE_MASK;

	m.from = from & SGX_EMA_PROT_MASK;
	m.to = to & SGX_EMA_PROT_MASK;
	if (was == SGX_EMA_PAGE_TYPE_TRIM && type == was) {
		m.op = EMM_HOST_REMOVE;
	} else if (was != type) {
		MUST(was == SGX_EMA_PAGE_TYPE_REG && m.from == m.to);
		m.op = type == SGX_EMA_PAGE_TYPE_TCS ? EMM_HOST_TO_TCS
						     : EMM_HOST_TO_TRIM;
	} else if (m.from != m.to) {
		m.op = EMM_HOST_RESTRICT;
	} else if (!m.to) {
		m.op = EMM_HOST_PROTECT;
	} else {
		return 0;
	}
	return world_all_hooks()->modify(&w, &m) ? EFAULT : 0;
}

/* ---- what it does ------------------------------------------------------ */

static void *at(uint32_t page)
{
	return (void *)(uintptr_t)w_addr(page);
}

static void start(void)
{
	const struct w_config cfg = { .pages = PAGES,
				      .no_emm = true,
				      .narrow = true };

	world_open(&w, &cfg);
	world_back(&w);
	world_add(&w, 0, HEAP / 2);
	MUST(sgx_mm_init(w_addr(PAGES - USER), w_addr(PAGES)) == 0);
	MUST(emalloc_init_with_reserved_mem(0x10000) == 0);
	MUST(mm_init_ema(at(0), HEAP / 2 * EMM_PAGE, RTS,
			 SGX_EMA_PROT_READ_WRITE, NULL, NULL) == 0);
	MUST(mm_alloc(at(HEAP), HEAP * EMM_PAGE,
		      RTS_FIXED | SGX_EMA_COMMIT_ON_DEMAND | SGX_EMA_GROWSUP,
		      NULL, NULL, NULL) == 0);
}

/* sbrk(), and rights that go and come. */
static void heap(void)
{
	MUST(mm_commit(at(HEAP), 64 * EMM_PAGE) == 0);
	MUST(mm_uncommit(at(HEAP + 32), 32 * EMM_PAGE) == 0);
	MUST(mm_commit(at(HEAP + 32), 16 * EMM_PAGE) == 0);
	MUST(mm_modify_permissions(at(HEAP), 8 * EMM_PAGE, SGX_EMA_PROT_READ) ==
	     0);
	MUST(mm_modify_permissions(at(HEAP), 8 * EMM_PAGE,
				   SGX_EMA_PROT_READ_EXEC) == 0);
	MUST(mm_modify_permissions(at(HEAP), 8 * EMM_PAGE,
				   SGX_EMA_PROT_READ_WRITE) == 0);
	MUST(w_rights(&w, HEAP) == (MACH_R | MACH_W));
	MUST(mm_commit_data(at(HEAP + 100), 2 * EMM_PAGE,
			    (uint8_t *)(uintptr_t)(W_BASE + W_SRC * EMM_PAGE),
			    SGX_EMA_PROT_READ) == 0);
	MUST(w_bytes(&w, HEAP + 101)[0] == 0xa1);
}

/* A thread made at run time, and all of it uncommitted in one call. */
static void thread(void)
{
	const sgx_pfinfo grow = { .maddr = w_addr(THREAD + 6),
				  .pfec = { .errcd = SGX_PFEC_W } };

	MUST(mm_alloc(at(THREAD), 16 * EMM_PAGE,
		      RTS_FIXED | SGX_EMA_COMMIT_ON_DEMAND, NULL, NULL,
		      NULL) == 0);
	MUST(handler(&grow) == SGX_MM_EXCEPTION_CONTINUE_EXECUTION);
	MUST(mm_commit(at(THREAD), 11 * EMM_PAGE) == 0);
	MUST(mm_modify_permissions(at(THREAD), EMM_PAGE, SGX_EMA_PROT_NONE) ==
	     0);
	MUST(mm_modify_permissions(at(THREAD + 9), EMM_PAGE,
				   SGX_EMA_PROT_NONE) == 0);
	((struct sgx_tcs *)(void *)w_bytes(&w, THREAD + 10))->nssa = 1;
	MUST(mm_modify_type(at(THREAD + 10), EMM_PAGE, SGX_EMA_PAGE_TYPE_TCS) ==
	     0);
	MUST(mm_uncommit(at(THREAD), 16 * EMM_PAGE) == 0);
	MUST(mm_commit(at(THREAD + 1), 8 * EMM_PAGE) == 0);
	MUST(mm_commit(at(THREAD + 10), EMM_PAGE) == 0);
	MUST(mm_dealloc(at(THREAD), 16 * EMM_PAGE) == 0);
	MUST(mm_alloc(at(THREAD), 16 * EMM_PAGE, RTS_FIXED | SGX_EMA_COMMIT_NOW,
		      NULL, NULL, NULL) == 0);
}

/* What is left of the user range can be had. */
static void user(void)
{
	void *out = &w, *hint = at(PAGES - 2);

	MUST(sgx_mm_alloc(hint, 8192, SGX_EMA_COMMIT_NOW, NULL, NULL, &out) ==
	     0);
	MUST(out == hint);
	MUST(sgx_mm_alloc(hint, 4096, SGX_EMA_COMMIT_NOW | SGX_EMA_FIXED, NULL,
			  NULL, &out) == EEXIST);
	MUST(out == hint);
	MUST(sgx_mm_dealloc(hint, 8192) == 0);
}

int main(void)
{
	start();
	heap();
	thread();
	user();
	world_close(&w);
	puts("a runtime linked as Intel's SDK links: all calls work");
	return 0;
}
