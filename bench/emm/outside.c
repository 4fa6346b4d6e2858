/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manager from outside: Intel's interface over a runtime that grants
 * everything at once and has no optional hook, so that a thread is known by
 * its thread pointer only.
 */
#include <string.h>
#include <sys/mman.h>

#include "bench/emm/bed.h"
#include "compat/emm_private.h"
#include "compat/sgx_mm.h"
#include "compat/sgx_mm_primitives.h"
#include "compat/sgx_mm_rt_abstraction.h"
#include "tests/emm/compat/granting.h"
#include "trusted/emm/compat/glue.h"

#define ON_DEMAND ((int)SGX_EMA_COMMIT_ON_DEMAND)
#define FIXED ((int)SGX_EMA_FIXED | ON_DEMAND)
#define LOW (BASE - 4 * GIB) /* metadata, and what the jobs get anywhere */

static void outside_open(struct bed *b, uint64_t size, uint64_t accept_ns)
{
	uint64_t all = size + 4 * GIB;
	void *at;

	MUST(!accept_ns);
	if (glue_get()->emm) /* one for the process, empty again by now */
		return;
	granting_range(LOW, all);
	at = mmap((void *)LOW, all, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			  MAP_FIXED_NOREPLACE,
		  -1, 0);
	MUST(at == (void *)LOW);
	MUST(sgx_mm_init(LOW, BASE + size) == 0);
	memset(b, 0, sizeof(*b));
}

static void outside_close(struct bed *b)
{
	(void)b;
}

static edmm_err outside_make(struct bed *b, uint64_t addr, uint64_t size)
{
	(void)b;
	return -sgx_mm_alloc((void *)addr, size, FIXED, NULL, NULL, NULL);
}

static edmm_err outside_unmake(struct bed *b, uint64_t addr, uint64_t size)
{
	(void)b;
	return -sgx_mm_dealloc((void *)addr, size);
}

static uint64_t outside_get(struct bed *b)
{
	void *at;

	(void)b;
	if (sgx_mm_alloc(NULL, AREA, ON_DEMAND, NULL, NULL, &at))
		return 0;
	return (uint64_t)(uintptr_t)at;
}

static edmm_err outside_commit(struct bed *b, uint64_t addr, uint64_t size)
{
	(void)b;
	return -sgx_mm_commit((void *)addr, size);
}

static edmm_err outside_uncommit(struct bed *b, uint64_t addr, uint64_t size)
{
	(void)b;
	return -sgx_mm_uncommit((void *)addr, size);
}

static edmm_err outside_flip(struct bed *b, uint64_t addr, bool read_only)
{
	(void)b;
	return -sgx_mm_modify_permissions((void *)addr, EMM_PAGE,
					  read_only ? SGX_EMA_PROT_READ
						    : SGX_EMA_PROT_READ_WRITE);
}

static int outside_touch(struct bed *b, uint64_t addr)
{
	const sgx_pfinfo info = { .maddr = addr,
				  .pfec.errcd = SGX_PFEC_W | SGX_PFEC_U };

	(void)b;
	return granting_handler(&info);
}

static void outside_prim(enum bed_prim what)
{
	static const sec_info_t si;

	switch (what) {
	case PRIM_LEAF:
		(void)do_eaccept(&si, BASE);
		break;
	case PRIM_MODIFY:
		(void)sgx_mm_modify_ocall(BASE, EMM_PAGE, 0, 0);
		break;
	case PRIM_MAP:
		(void)sgx_mm_alloc_ocall(BASE, AREA, 0, 0);
		break;
	case PRIM_OWNER: /* is the thread pointer */
	case PRIMS:
		break;
	}
}

const struct bed_face face_outside = {
	.name = "outside",
	.open = outside_open,
	.close = outside_close,
	.make = outside_make,
	.unmake = outside_unmake,
	.get = outside_get,
	.commit = outside_commit,
	.uncommit = outside_uncommit,
	.flip = outside_flip,
	.touch = outside_touch,
	.prim = outside_prim,
};
