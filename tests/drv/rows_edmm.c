/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RESTRICT_PERMISSIONS, MODIFY_TYPES, REMOVE_PAGES: errno, count and result.
 */
#include "tests/drv/row.h"

#define NO_SGX2 (MACH_F_ALL & ~MACH_F_SGX2)

static long restrict_(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &r->res);
}

static long modify(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_MODIFY_TYPES, &r->mod);
}

static long drop(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_REMOVE_PAGES, &r->rem);
}

/* Two accepted pages at BAY_FREE, which the three records name. */
static void two_pages(void)
{
	bay_ready(r);
	got = bay_accept(r, BAY_FREE) || bay_accept(r, BAY_FREE + 1);
	r->res.offset = r->mod.offset = r->rem.offset = BAY_FREE * 4096;
	r->res.length = r->mod.length = r->rem.length = 8192;
}

struct edmm_call {
	const char *name;
	unsigned long cmd;
	long (*call)(void);
};

static const struct edmm_call calls[] = {
	{ "RESTRICT_PERMISSIONS", SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
	  restrict_ },
	{ "MODIFY_TYPES", SGX_IOC_ENCLAVE_MODIFY_TYPES, modify },
	{ "REMOVE_PAGES", SGX_IOC_ENCLAVE_REMOVE_PAGES, drop },
};

static void set_range(uint64_t off, uint64_t length)
{
	r->res.offset = r->mod.offset = r->rem.offset = off;
	r->res.length = r->mod.length = r->rem.length = length;
}

static void set_count(uint64_t count)
{
	r->res.count = r->mod.count = r->rem.count = count;
}

static void rows_state(const struct edmm_call *c)
{
	row_features = NO_SGX2;
	ROW(c->name, "the processor has no SGX2", -ENODEV)
	{
		got = bay_ioctl(r, c->cmd, (void *)BAY_BAD);
	}
	row_features = MACH_F_ALL;
	ROW(c->name, "a fresh file: before INIT", -EINVAL)
	{
		got = bay_ioctl(r, c->cmd, (void *)BAY_BAD);
	}
	ROW(c->name, "the argument is nowhere", -EFAULT)
	{
		bay_ready(r);
		got = bay_ioctl(r, c->cmd, (void *)BAY_BAD);
	}
}

static void rows_range(const struct edmm_call *c)
{
	ROW(c->name, "length is 0", -EINVAL)
	{
		bay_ready(r);
		set_range(BAY_DATA * 4096, 0);
		got = c->call();
	}
	ROW(c->name, "offset is not page aligned", -EINVAL)
	{
		bay_ready(r);
		set_range(BAY_DATA * 4096 + 8, 4096);
		got = c->call();
	}
	ROW(c->name, "the range ends beyond ELRANGE", -EINVAL)
	{
		bay_ready(r);
		set_range(BAY_SIZE - 4096, 8192);
		got = c->call();
	}
	ROW(c->name, "count is not 0", -EINVAL)
	{
		bay_ready(r);
		set_count(4096);
		got = c->call();
	}
	ROW(c->name, "a page is absent; count 0", -EFAULT)
	{
		bay_ready(r);
		set_range(BAY_FREE * 4096, 4096);
		got = c->call();
	}
}

static void rows_restrict(void)
{
	ROW("RESTRICT_PERMISSIONS", "an unknown right", -EINVAL)
	{
		bay_ready(r);
		r->res.permissions = 8;
		got = restrict_();
	}
	ROW("RESTRICT_PERMISSIONS", "W without R", -EINVAL)
	{
		bay_ready(r);
		r->res.permissions = 2;
		got = restrict_();
	}
	ROW("RESTRICT_PERMISSIONS", "result is not 0", -EINVAL)
	{
		bay_ready(r);
		r->res.result = 1;
		got = restrict_();
	}
	ROW("RESTRICT_PERMISSIONS", "the page is a TCS; count 0", -EINVAL)
	{
		bay_ready(r);
		set_range(BAY_TCS * 4096, 4096);
		got = restrict_();
	}
	ROW("RESTRICT_PERMISSIONS", "two pages; count 8192", 0)
	{
		two_pages();
		r->view_calls = 0;
		got = restrict_() || r->res.count != 8192 || r->res.result ||
		      r->view_calls != 1;
	}
	ROW("RESTRICT_PERMISSIONS", "again before EACCEPT: PR is no obstacle",
	    0)
	{
		two_pages();
		restrict_();
		r->res.count = 0;
		got = restrict_();
	}
	ROW("RESTRICT_PERMISSIONS",
	    "the second page is PENDING; count 4096, result 20", -EFAULT)
	{
		two_pages();
		set_range((BAY_FREE + 1) * 4096, 8192);
		drv_lock(r->d);
		drv_fault(r->d, NULL, bay_addr(BAY_FREE + 2), MACH_R, false,
			  &(uint32_t){ 0 });
		drv_unlock(r->d);
		got = restrict_();
		if (r->res.count != 4096 ||
		    r->res.result != SGX_PAGE_NOT_MODIFIABLE)
			got = 0;
	}
}

static void rows_modify(void)
{
	ROW("MODIFY_TYPES", "page_type is beyond a byte", -EINVAL)
	{
		bay_ready(r);
		r->mod.page_type = 0x104;
		got = modify();
	}
	ROW("MODIFY_TYPES", "result is not 0", -EINVAL)
	{
		bay_ready(r);
		r->mod.result = 1;
		got = modify();
	}
	ROW("MODIFY_TYPES", "to REG", -EINVAL)
	{
		bay_ready(r);
		r->mod.page_type = SGX_PT_REG;
		got = modify();
	}
	ROW("MODIFY_TYPES", "REG to TRIM, two pages; count 8192", 0)
	{
		two_pages();
		r->view_calls = 0;
		got = modify() || r->mod.count != 8192 || r->mod.result ||
		      r->view_calls != 1;
	}
	ROW("MODIFY_TYPES", "REG to TCS", 0)
	{
		two_pages();
		r->mod.page_type = SGX_PT_TCS;
		got = modify();
	}
	ROW("MODIFY_TYPES", "TCS to TRIM", 0)
	{
		bay_ready(r);
		set_range(BAY_TCS * 4096, 4096);
		got = modify();
	}
	ROW("MODIFY_TYPES", "TCS to TCS", -EINVAL)
	{
		bay_ready(r);
		set_range(BAY_TCS * 4096, 4096);
		r->mod.page_type = SGX_PT_TCS;
		got = modify();
	}
	ROW("MODIFY_TYPES", "TRIM to TRIM", -EINVAL)
	{
		two_pages();
		modify();
		set_count(0);
		got = modify();
	}
	ROW("MODIFY_TYPES", "to TCS, a page added without W", -EPERM)
	{
		bay_ready(r);
		set_range(BAY_RO * 4096, 4096);
		r->mod.page_type = SGX_PT_TCS;
		got = modify();
	}
	ROW("MODIFY_TYPES", "the page is PENDING; count 0, result 20", -EFAULT)
	{
		bay_ready(r);
		drv_lock(r->d);
		drv_fault(r->d, NULL, bay_addr(BAY_FREE), MACH_R, false,
			  &(uint32_t){ 0 });
		drv_unlock(r->d);
		set_range(BAY_FREE * 4096, 4096);
		got = modify();
		if (r->mod.count || r->mod.result != SGX_PAGE_NOT_MODIFIABLE)
			got = 0;
	}
}

static void rows_remove(void)
{
	ROW("REMOVE_PAGES", "the page is REG; count 0", -EPERM)
	{
		two_pages();
		got = drop();
		if (r->rem.count)
			got = 0;
	}
	ROW("REMOVE_PAGES", "TRIM, but not accepted", -EPERM)
	{
		two_pages();
		modify();
		got = drop();
	}
	ROW("REMOVE_PAGES", "two accepted TRIM pages; count 8192", 0)
	{
		two_pages();
		modify();
		got = bay_accept_trim(r, BAY_FREE) ||
		      bay_accept_trim(r, BAY_FREE + 1) || drop() ||
		      r->rem.count != 8192 || r->discarded != 2;
	}
	ROW("REMOVE_PAGES", "the second is not accepted; count 4096", -EPERM)
	{
		two_pages();
		modify();
		bay_accept_trim(r, BAY_FREE);
		got = drop();
		if (r->rem.count != 4096)
			got = 0;
	}
	ROW("REMOVE_PAGES", "and the address can be added again, as zeros", 0)
	{
		two_pages();
		page_mem(r->e, bay_addr(BAY_FREE))[7] = 7;
		modify();
		bay_accept_trim(r, BAY_FREE);
		drop();
		got = bay_accept(r, BAY_FREE);
		if (page_mem(r->e, bay_addr(BAY_FREE))[7])
			got = -1;
	}
}

void rows_edmm(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		rows_state(&calls[i]);
		rows_range(&calls[i]);
	}
	rows_restrict();
	rows_modify();
	rows_remove();
}
