/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CREATE, ADD_PAGES, INIT, PROVISION: each errno in Linux's order.
 */
#include "tests/drv/row.h"
#include "tests/model/kit.h"

static long create(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_CREATE, &r->create);
}

static long add(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_ADD_PAGES, &r->add);
}

static long init(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_INIT, &r->init);
}

static long provision(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_PROVISION, &r->prov);
}

static void rows_any(void)
{
	ROW("any", "another ioctl of the file is running", -EBUSY)
	{
		atomic_flag_test_and_set(&r->e->busy);
		got = create();
		atomic_flag_clear(&r->e->busy);
	}
	ROW("any", "an unknown number, and another ioctl is running", -EBUSY)
	{
		atomic_flag_test_and_set(&r->e->busy);
		got = bay_ioctl(r, 0xa4ff, NULL);
		atomic_flag_clear(&r->e->busy);
	}
	ROW("any", "an unknown number", -ENOTTY)
	{
		got = bay_ioctl(r, 0xa4ff, NULL);
	}
	ROW("any", "the EPC was lost", -EIO)
	{
		bay_ready(r);
		drv_lose(r->d, r->e);
		got = bay_ioctl(r, SGX_IOC_ENCLAVE_REMOVE_PAGES, &r->rem);
	}
}

static void rows_create(void)
{
	ROW("CREATE", "a legal SECS", 0)
	{
		got = create();
	}
	ROW("CREATE", "the enclave is created already", -EINVAL)
	{
		bay_created(r);
		got = create();
	}
	ROW("CREATE", "the argument is nowhere", -EFAULT)
	{
		got = bay_ioctl(r, SGX_IOC_ENCLAVE_CREATE, (void *)BAY_BAD);
	}
	ROW("CREATE", "the SECS is nowhere", -EFAULT)
	{
		r->create.src = BAY_BAD;
		got = create();
	}
	ROW("CREATE", "SECS.SIZE is 0", -EINVAL)
	{
		r->secs.size = 0;
		got = create();
	}
	ROW("CREATE", "SECS.SIZE is no power of two", -EINVAL)
	{
		r->secs.size += 4096;
		got = create();
	}
	ROW("CREATE", "SECS.BASE is not aligned to SIZE: ECREATE faults", -EIO)
	{
		r->secs.base += 4096;
		got = create();
	}
	ROW("CREATE", "SECS.SIZE is one page: ECREATE faults", -EIO)
	{
		r->secs.size = 4096;
		got = create();
	}
	ROW("CREATE", "XFRM lacks x87 or SSE: ECREATE faults", -EIO)
	{
		r->secs.attributes.xfrm = 1;
		got = create();
	}
	ROW("CREATE", "SSAFRAMESIZE is 0: ECREATE faults", -EIO)
	{
		r->secs.ssaframesize = 0;
		got = create();
	}
	ROW("CREATE", "CONFIGSVN without KSS: ECREATE faults", -EIO)
	{
		r->secs.configsvn = 1;
		got = create();
	}
	ROW("CREATE", "again after one that failed", 0)
	{
		r->secs.ssaframesize = 0;
		create();
		r->secs.ssaframesize = 1;
		got = create();
	}
}

static void rows_add_checks(void)
{
	ROW("ADD_PAGES", "a page of zeros", 0)
	{
		bay_created(r);
		got = add() || r->add.count != 4096;
	}
	ROW("ADD_PAGES", "before CREATE", -EINVAL)
	{
		got = add();
	}
	ROW("ADD_PAGES", "after INIT", -EINVAL)
	{
		bay_ready(r);
		got = add();
	}
	ROW("ADD_PAGES", "the argument is nowhere", -EFAULT)
	{
		bay_created(r);
		got = bay_ioctl(r, SGX_IOC_ENCLAVE_ADD_PAGES, (void *)BAY_BAD);
	}
	ROW("ADD_PAGES", "the source is not page aligned", -EINVAL)
	{
		bay_created(r);
		r->add.src += 64;
		got = add();
	}
	ROW("ADD_PAGES", "offset is not page aligned", -EINVAL)
	{
		bay_created(r);
		r->add.offset += 1;
		got = add();
	}
	ROW("ADD_PAGES", "length is 0", -EINVAL)
	{
		bay_created(r);
		r->add.length = 0;
		got = add();
	}
	ROW("ADD_PAGES", "length is not whole pages", -EINVAL)
	{
		bay_created(r);
		r->add.length = 4097;
		got = add();
	}
	ROW("ADD_PAGES", "the range wraps around", -EINVAL)
	{
		bay_created(r);
		r->add.length = (uint64_t)-4096;
		got = add();
	}
	ROW("ADD_PAGES", "the range ends beyond ELRANGE", -EINVAL)
	{
		bay_created(r);
		r->add.offset = BAY_SIZE - 4096;
		r->add.length = 8192;
		got = add();
	}
	ROW("ADD_PAGES", "SECINFO is nowhere", -EFAULT)
	{
		bay_created(r);
		r->add.secinfo = BAY_BAD;
		got = add();
	}
}

static const struct {
	const char *condition;
	uint64_t flags;
} bad_secinfo[] = {
	{ "SECINFO: type SECS", SGX_SECINFO_PT(SGX_PT_SECS) | 3 },
	{ "SECINFO: type TRIM", SGX_SECINFO_PT(SGX_PT_TRIM) },
	{ "SECINFO: W without R", SGX_SECINFO_PT(SGX_PT_REG) | 2 },
	{ "SECINFO: a TCS with rights", SGX_SECINFO_PT(SGX_PT_TCS) | 3 },
	{ "SECINFO: PENDING",
	  SGX_SECINFO_PT(SGX_PT_REG) | 3 | SGX_SECINFO_PENDING },
	{ "SECINFO: an unknown flag", SGX_SECINFO_PT(SGX_PT_REG) | 3 | 0x40 },
};

static void rows_add_secinfo(void)
{
	for (size_t i = 0; i < sizeof(bad_secinfo) / sizeof(bad_secinfo[0]);
	     i++) {
		ROW("ADD_PAGES", bad_secinfo[i].condition, -EINVAL)
		{
			bay_created(r);
			r->si.flags = bad_secinfo[i].flags;
			got = add();
		}
	}
	ROW("ADD_PAGES", "SECINFO: a reserved byte", -EINVAL)
	{
		bay_created(r);
		r->si.reserved[55] = 1;
		got = add();
	}
	ROW("ADD_PAGES", "unknown bits in flags: not looked at", 0)
	{
		bay_created(r);
		r->add.flags = ~0ull;
		got = add();
	}
}

static void rows_add_pages(void)
{
	ROW("ADD_PAGES", "the page is there already; count 0", -EBUSY)
	{
		bay_created(r);
		add();
		got = add();
		if (r->add.count != 0)
			got = 0;
	}
	ROW("ADD_PAGES", "the second page is there already; count 4096", -EBUSY)
	{
		bay_created(r);
		add();
		r->add.offset -= 4096;
		r->add.length = 8192;
		got = add();
		if (r->add.count != 4096)
			got = 0;
	}
	ROW("ADD_PAGES", "the source is nowhere", -EFAULT)
	{
		bay_created(r);
		r->add.src = 0;
		got = add();
	}
	ROW("ADD_PAGES", "TCS with reserved bytes: EADD faults", -EIO)
	{
		static uint8_t page[4096] __attribute__((aligned(4096)));

		page[4095] = 1;
		bay_created(r);
		r->add.src = (uint64_t)(uintptr_t)page;
		r->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
		got = add();
	}
	ROW("ADD_PAGES", "a signal is pending before the first page",
	    -512 /* ERESTARTSYS */)
	{
		bay_created(r);
		r->signal = true;
		got = add();
	}
	/* SECS and version array; neither can be evicted yet. */
	row_epc = 2;
	ROW("ADD_PAGES", "no EPC is left", -ENOMEM)
	{
		bay_created(r);
		got = add();
	}
	row_epc = 0;
}

static void rows_init(void)
{
	ROW("INIT", "a signature of what was added", 0)
	{
		bay_added(r);
		got = init();
	}
	ROW("INIT", "before CREATE", -EINVAL)
	{
		got = init();
	}
	ROW("INIT", "a second time", -EINVAL)
	{
		bay_ready(r);
		got = init();
	}
	ROW("INIT", "the argument is nowhere", -EFAULT)
	{
		bay_added(r);
		got = bay_ioctl(r, SGX_IOC_ENCLAVE_INIT, (void *)BAY_BAD);
	}
	ROW("INIT", "SIGSTRUCT is nowhere", -EFAULT)
	{
		bay_added(r);
		r->init.sigstruct = BAY_BAD;
		got = init();
	}
	ROW("INIT", "not Linux's: the signature is marked for production",
	    -EPERM)
	{
		bay_added(r);
		r->sig.swdefined = 0xed330001;
		kit_sign(&r->sig);
		got = init();
		got = r->refused == 1 ? got : -1;
	}
	ROW("INIT", "the same, and the machine's setting allows it", 0)
	{
		bay_added(r);
		r->d->production = true;
		r->sig.swdefined = 0xed330001;
		kit_sign(&r->sig);
		got = init();
	}
}

/* What the kernel, and then EINIT, find in SIGSTRUCT. */
static void rows_init_signature(void)
{
	ROW("INIT", "VENDOR is neither 0 nor Intel", -EINVAL)
	{
		bay_added(r);
		r->sig.vendor = 1;
		got = init();
	}
	ROW("INIT", "PROVISIONKEY without the PROVISION ioctl", -EACCES)
	{
		r->secs.attributes.flags |= SGX_ATTR_PROVISIONKEY;
		bay_added(r);
		got = init();
	}
	ROW("INIT", "PROVISIONKEY after it", 0)
	{
		r->secs.attributes.flags |= SGX_ATTR_PROVISIONKEY;
		bay_added(r);
		provision();
		got = init();
	}
	ROW("INIT", "EINITTOKENKEY, which Linux never grants", -EACCES)
	{
		r->secs.attributes.flags |= SGX_ATTR_EINITTOKENKEY;
		bay_added(r);
		provision();
		got = init();
	}
	ROW("INIT", "SIGSTRUCT wants an XFRM bit that the platform lacks",
	    -EINVAL)
	{
		bay_added(r);
		r->sig.attributes.xfrm |= 1ull << 62;
		got = init();
	}
	ROW("INIT", "the measurement differs", -EPERM)
	{
		bay_added(r);
		r->add.length = 4096;
		add();
		got = init();
	}
	ROW("INIT", "the signature is damaged", -EPERM)
	{
		bay_added(r);
		r->sig.signature[5] ^= 1;
		got = init();
	}
}

static void rows_provision(void)
{
	ROW("PROVISION", "an open /dev/sgx_provision", 0)
	{
		bay_created(r);
		got = provision();
	}
	ROW("PROVISION", "before CREATE, which forgets it", -EACCES)
	{
		provision();
		r->secs.attributes.flags |= SGX_ATTR_PROVISIONKEY;
		bay_added(r);
		got = init();
	}
	ROW("PROVISION", "the argument is nowhere", -EFAULT)
	{
		got = bay_ioctl(r, SGX_IOC_ENCLAVE_PROVISION, (void *)BAY_BAD);
	}
	ROW("PROVISION", "another file", -EINVAL)
	{
		r->prov.fd = 6;
		got = provision();
	}
}

void rows_build(void)
{
	rows_any();
	rows_create();
	rows_add_checks();
	rows_add_secinfo();
	rows_add_pages();
	rows_init();
	rows_init_signature();
	rows_provision();
}
