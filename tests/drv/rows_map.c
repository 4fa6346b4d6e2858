/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rights of mappings, and what becomes of a page fault. Outcomes that are no
 * errno are enum drv_verdict.
 */
#include "row.h"

static uint32_t pfec;

static long fault(unsigned page, unsigned access, bool inside)
{
	long v;

	if (inside)
		drig_enter(r, 1);
	drv_lock(r->d);
	v = drv_fault(r->d, &r->cpu[1], drig_addr(page), access, false, &pfec);
	drv_unlock(r->d);
	if (inside)
		drig_exit(r, 1);
	return v;
}

static long may(unsigned page, unsigned count, unsigned prot)
{
	return drv_may_map(r->d, r->e, drig_addr(page), drig_addr(page + count),
			   prot);
}

static void rows_mmap(void)
{
	ROW("mmap", "before CREATE, anywhere, with any rights", 0)
	{
		got = drv_may_map(r->d, r->e, 0x1000, 0x2000, 7);
	}
	ROW("mmap", "before INIT, outside ELRANGE", 0)
	{
		drig_created(r);
		got = drv_may_map(r->d, r->e, 0x1000, 0x2000, 3);
	}
	ROW("mmap", "after INIT, outside ELRANGE", -EACCES)
	{
		drig_ready(r);
		got = drv_may_map(r->d, r->e, 0x1000, 0x2000, 1);
	}
	ROW("mmap", "after INIT, one page beyond ELRANGE", -EACCES)
	{
		drig_ready(r);
		got = may(DRIG_PAGES - 1, 2, 1);
	}
	ROW("mmap", "W on a page added without it", -EACCES)
	{
		drig_ready(r);
		got = may(DRIG_RO, 1, 3);
	}
	ROW("mmap", "X on a TCS", -EACCES)
	{
		drig_ready(r);
		got = may(DRIG_TCS, 1, 5);
	}
	ROW("mmap", "RW on a TCS", 0)
	{
		drig_ready(r);
		got = may(DRIG_TCS, 1, 3);
	}
	ROW("mmap", "RWX where no page is", 0)
	{
		drig_ready(r);
		got = may(DRIG_FREE, 8, 7);
	}
	ROW("mmap", "RWX on a page that EAUG added", 0)
	{
		drig_ready(r);
		drig_accept(r, DRIG_FREE);
		got = may(DRIG_FREE, 1, 7);
	}
	ROW("mprotect", "W over a range with a page added without it", -EACCES)
	{
		drig_ready(r);
		got = drv_may_protect(r->d, drig_addr(DRIG_DATA),
				      drig_addr(DRIG_FREE), 3);
	}
}

static void rows_fault(void)
{
	ROW("fault", "no mapping: not the driver's", DRV_NONE)
	{
		drig_added(r);
		got = fault(DRIG_DATA, MACH_R, false);
	}
	ROW("fault", "the mapping lacks the right: SIGSEGV, no SGX bit",
	    DRV_SEGV_ACC)
	{
		drig_ready(r);
		got = fault(DRIG_RO, MACH_W, true);
		if (pfec != (SGX_PFEC_U | SGX_PFEC_W))
			got = -1;
	}
	ROW("fault", "an added page, touched first from inside", DRV_RETRY)
	{
		drig_ready(r);
		got = fault(DRIG_DATA, MACH_W, true);
		if (r->views[DRIG_DATA] != (MACH_R | MACH_W))
			got = -1;
	}
	ROW("fault", "an absent page from inside: EAUG, then PENDING",
	    DRV_SEGV_ACC)
	{
		drig_ready(r);
		got = fault(DRIG_FREE, MACH_W, true);
		if (pfec != 0x8007 || r->views[DRIG_FREE])
			got = -1;
	}
	ROW("fault", "an absent page from outside: EAUG, then abort page",
	    DRV_ABORT)
	{
		drig_ready(r);
		got = fault(DRIG_FREE, MACH_R, false);
		if (!page_find(r->e, drig_addr(DRIG_FREE)))
			got = -1;
	}
}

static void rows_fault_late(void)
{
	ROW("fault", "an absent page before INIT: SIGBUS", DRV_SIGBUS)
	{
		drig_added(r);
		drv_mmap(r->d, r->e, DRIG_BASE, DRIG_BASE + DRIG_SIZE, 3);
		got = fault(DRIG_FREE, MACH_R, false);
	}
	row_features = MACH_F_ALL & ~MACH_F_SGX2;
	ROW("fault", "an absent page without SGX2: SIGBUS", DRV_SIGBUS)
	{
		drig_ready(r);
		got = fault(DRIG_FREE, MACH_R, true);
	}
	row_features = MACH_F_ALL;
	ROW("fault",
	    "a mapping with more rights than the page may have: SIGBUS",
	    DRV_SIGBUS)
	{
		drig_added(r);
		drig_ioctl(r, SGX_IOC_ENCLAVE_INIT, &r->init);
		drv_mmap(r->d, r->e, DRIG_BASE, DRIG_BASE + DRIG_SIZE, 7);
		got = fault(DRIG_RO, MACH_R, false);
	}
	ROW("fault", "the EPCM denies it: SIGSEGV with the SGX bit",
	    DRV_SEGV_ACC)
	{
		drig_ready(r);
		r->res.permissions = 1;
		r->res.offset = DRIG_SSA2 * 4096;
		drig_ioctl(r, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &r->res);
		fault(DRIG_SSA2, MACH_R, true);
		got = fault(DRIG_SSA2, MACH_W, true);
		if (pfec != 0x8007)
			got = -1;
	}
	ROW("fault", "the EPC was lost, from inside: SIGSEGV, SGX bit",
	    DRV_SEGV_ACC)
	{
		drig_ready(r);
		drig_enter(r, 1);
		drv_lose(r->d, r->e);
		got = fault(DRIG_DATA, MACH_R, false);
		if (pfec != 0x8005)
			got = -1;
		drig_exit(r, 1);
	}
}

void rows_map(void)
{
	rows_mmap();
	rows_fault();
	rows_fault_late();
}
