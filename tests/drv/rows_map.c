/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rights of mappings, and what becomes of a page fault. Outcomes that are no
 * errno are enum drv_verdict.
 */
#include "tests/drv/row.h"

static uint32_t pfec;

static long fault(unsigned page, unsigned access, bool inside)
{
	long v;

	if (inside)
		bay_enter(r, 1);
	drv_lock(r->d);
	v = drv_fault(r->d, &r->cpu[1], bay_addr(page), access, false, &pfec);
	drv_unlock(r->d);
	if (inside)
		bay_exit(r, 1);
	return v;
}

static long may(unsigned page, unsigned count, unsigned prot)
{
	return drv_may_map(r->d, r->e, bay_addr(page), bay_addr(page + count),
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
		bay_created(r);
		got = drv_may_map(r->d, r->e, 0x1000, 0x2000, 3);
	}
	ROW("mmap", "after INIT, outside ELRANGE", -EACCES)
	{
		bay_ready(r);
		got = drv_may_map(r->d, r->e, 0x1000, 0x2000, 1);
	}
	ROW("mmap", "after INIT, one page beyond ELRANGE", -EACCES)
	{
		bay_ready(r);
		got = may(BAY_PAGES - 1, 2, 1);
	}
	ROW("mmap", "W on a page added without it", -EACCES)
	{
		bay_ready(r);
		got = may(BAY_RO, 1, 3);
	}
	ROW("mmap", "X on a TCS", -EACCES)
	{
		bay_ready(r);
		got = may(BAY_TCS, 1, 5);
	}
	ROW("mmap", "RW on a TCS", 0)
	{
		bay_ready(r);
		got = may(BAY_TCS, 1, 3);
	}
	ROW("mmap", "RWX where no page is", 0)
	{
		bay_ready(r);
		got = may(BAY_FREE, 8, 7);
	}
	ROW("mmap", "RWX on a page that EAUG added", 0)
	{
		bay_ready(r);
		bay_accept(r, BAY_FREE);
		got = may(BAY_FREE, 1, 7);
	}
	ROW("mprotect", "W over a range with a page added without it", -EACCES)
	{
		bay_ready(r);
		got = drv_may_protect(r->d, bay_addr(BAY_DATA),
				      bay_addr(BAY_FREE), 3);
	}
}

static void rows_mprotect(void)
{
	ROW("mprotect", "W, and the file is open for reading only", -EACCES)
	{
		bay_ready(r);
		drv_encl_read_only(r->e);
		got = drv_may_protect(r->d, bay_addr(BAY_DATA),
				      bay_addr(BAY_DATA + 1), 3);
	}
	ROW("fault", "PROT_NONE over a touched page: not present", DRV_SEGV_ACC)
	{
		bay_ready(r);
		fault(BAY_DATA, MACH_R, true);
		drv_mprotect(r->d, bay_addr(BAY_DATA), bay_addr(BAY_DATA + 1),
			     0);
		got = fault(BAY_DATA, MACH_R, true);
		if (pfec != SGX_PFEC_U)
			got = -1;
	}
	ROW("fault", "a fetch where the mapping has no X: the entry is made",
	    DRV_SEGV_ACC)
	{
		bay_ready(r);
		got = fault(BAY_DATA, MACH_X, true);
		if (pfec != (SGX_PFEC_U | SGX_PFEC_P | SGX_PFEC_I) ||
		    !r->views[BAY_DATA])
			got = -1;
	}
}

static void rows_fault(void)
{
	ROW("fault", "no mapping: not the driver's", DRV_NONE)
	{
		bay_added(r);
		got = fault(BAY_DATA, MACH_R, false);
	}
	ROW("fault", "the mapping lacks the right: SIGSEGV, no SGX bit",
	    DRV_SEGV_ACC)
	{
		bay_ready(r);
		got = fault(BAY_RO, MACH_W, true);
		if (pfec != (SGX_PFEC_U | SGX_PFEC_W))
			got = -1;
	}
	ROW("fault", "an added page, touched first from inside", DRV_RETRY)
	{
		bay_ready(r);
		got = fault(BAY_DATA, MACH_W, true);
		if (r->views[BAY_DATA] != (MACH_R | MACH_W))
			got = -1;
	}
	ROW("fault", "an absent page from inside: EAUG, then PENDING",
	    DRV_SEGV_ACC)
	{
		bay_ready(r);
		got = fault(BAY_FREE, MACH_W, true);
		if (pfec != 0x8007 || r->views[BAY_FREE])
			got = -1;
	}
	ROW("fault", "an absent page from outside: EAUG, then abort page",
	    DRV_ABORT)
	{
		bay_ready(r);
		got = fault(BAY_FREE, MACH_R, false);
		if (!page_find(r->e, bay_addr(BAY_FREE)))
			got = -1;
	}
}

static void rows_fault_late(void)
{
	ROW("fault", "an absent page before INIT: SIGBUS", DRV_SIGBUS)
	{
		bay_added(r);
		drv_mmap(r->d, r->e, BAY_BASE, BAY_BASE + BAY_SIZE, 3);
		got = fault(BAY_FREE, MACH_R, false);
	}
	row_features = MACH_F_ALL & ~MACH_F_SGX2;
	ROW("fault", "an absent page without SGX2: SIGBUS", DRV_SIGBUS)
	{
		bay_ready(r);
		got = fault(BAY_FREE, MACH_R, true);
	}
	row_features = MACH_F_ALL;
	ROW("fault",
	    "a mapping with more rights than the page may have: SIGBUS",
	    DRV_SIGBUS)
	{
		bay_added(r);
		bay_ioctl(r, SGX_IOC_ENCLAVE_INIT, &r->init);
		drv_mmap(r->d, r->e, BAY_BASE, BAY_BASE + BAY_SIZE, 7);
		got = fault(BAY_RO, MACH_R, false);
	}
	ROW("fault", "the EPCM denies it: SIGSEGV with the SGX bit",
	    DRV_SEGV_ACC)
	{
		bay_ready(r);
		r->res.permissions = 1;
		r->res.offset = BAY_SSA2 * 4096;
		bay_ioctl(r, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &r->res);
		fault(BAY_SSA2, MACH_R, true);
		got = fault(BAY_SSA2, MACH_W, true);
		if (pfec != 0x8007)
			got = -1;
	}
	ROW("fault", "the EPC was lost, from inside: SIGSEGV, SGX bit",
	    DRV_SEGV_ACC)
	{
		bay_ready(r);
		bay_enter(r, 1);
		drv_lose(r->d, r->e);
		got = fault(BAY_DATA, MACH_R, false);
		if (pfec != 0x8005)
			got = -1;
		bay_exit(r, 1);
	}
}

void rows_map(void)
{
	rows_mmap();
	rows_mprotect();
	rows_fault();
	rows_fault_late();
}
