/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building the enclave: one mapping of all of ELRANGE before CREATE, and one
 * more of each piece after it was added.
 */
#include "tests/mimic/host.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "sgx/linux.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096ull
#define CHUNK 64u /* pages */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XCOMP_TILEDATA 18

static uint8_t secs_page[4096] __attribute__((aligned(4096)));
static struct sgx_sigstruct sig __attribute__((aligned(4096)));

static void check_processor(bool edmm)
{
	uint32_t a, b, c, d;

	__cpuid_count(7, 0, a, b, c, d);
	NEED(b >> 2 & 1);
	__cpuid_count(0x12, 0, a, b, c, d);
	NEED(a & 1);
	NEED(!edmm || (a >> 1 & 1));
	/* The largest enclave. */
	NEED((d >> 8 & 0xff) >= 40);
}

/* All that this processor has switched on. */
static uint64_t host_xfrm(void)
{
	uint32_t lo, hi;
	uint64_t x;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	x = (uint64_t)hi << 32 | lo;
	if (x & XFRM_AMX)
		NEED(!sys_call(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM,
			       XCOMP_TILEDATA));
	return x;
}

static int prot_of(uint64_t flags)
{
	if ((flags & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS))
		return PROT_READ | PROT_WRITE;
	return (flags & SGX_SECINFO_R ? PROT_READ : 0) |
	       (flags & SGX_SECINFO_W ? PROT_WRITE : 0) |
	       (flags & SGX_SECINFO_X ? PROT_EXEC : 0);
}

static void add_chunk(const struct mimic_area *a, uint64_t addr, uint64_t size,
		      uint8_t *src)
{
	struct sgx_secinfo si = { .flags = a->flags };
	struct sgx_enclave_add_pages add = {
		.src = (uint64_t)src,
		.offset = addr,
		.length = size,
		.secinfo = (uint64_t)&si,
		.flags = a->measured ? SGX_PAGE_MEASURE : 0,
	};
	void *at = (void *)addr;

	for (uint64_t i = 0; a->measured && i < size; i += PAGE)
		mimic_page(&mimic_layout, addr + i, src + i);
	NEED(!sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_ADD_PAGES,
		       (long)&add));
	NEED(add.count == size);
	NEED(sys_mmap(at, size, prot_of(a->flags), MAP_SHARED | MAP_FIXED,
		      mimic_fd, 0) == at);
}

static void add_area(const struct mimic_area *a)
{
	uint8_t *src = pages(CHUNK * PAGE);

	for (uint64_t i = 0; i < a->pages; i += CHUNK) {
		uint64_t n = a->pages - i < CHUNK ? a->pages - i : CHUNK;

		add_chunk(a, a->addr + i * PAGE, n * PAGE, src);
	}
	sys_munmap(src, CHUNK * PAGE);
}

static void create(uint64_t size)
{
	struct sgx_secs *secs = (struct sgx_secs *)(void *)secs_page;
	struct sgx_enclave_create c = { (uint64_t)secs };

	secs->size = size;
	secs->base = 0;
	secs->ssaframesize = MIMIC_FRAME;
	secs->miscselect = SGX_MISC_EXINFO;
	secs->attributes.flags = SGX_ATTR_MODE64BIT;
	mimic_xfrm = host_xfrm();
	secs->attributes.xfrm = mimic_xfrm;
	NEED(!sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_CREATE,
		       (long)&c));
}

static void init(const char *sigfile)
{
	struct sgx_enclave_init i = { (uint64_t)&sig };
	long fd = sys_call(SYS_open, (long)sigfile, O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0);
	NEED(sys_call(SYS_read, fd, (long)&sig, sizeof(sig)) == sizeof(sig));
	sys_call(SYS_close, fd);
	NEED(!sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_INIT,
		       (long)&i));
}

/* What a runtime asks a fresh file to see whether the kernel knows EDMM. */
static void probe(bool edmm)
{
	struct sgx_enclave_remove_pages r = { 0 };

	NEED(sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_REMOVE_PAGES,
		      (long)&r) == (edmm ? -EINVAL : -ENODEV));
}

void enclave_load(const char *sigfile, bool edmm)
{
	void *low = (void *)MIMIC_LOW;
	uint64_t size;

	check_processor(edmm);
	mimic_plan(&mimic_layout, edmm);
	size = mimic_layout.size - MIMIC_LOW;
	mimic_fd = (int)sys_call(SYS_open, (long)SGX_DEV_ENCLAVE,
				 O_RDWR | O_CLOEXEC);
	NEED(mimic_fd >= 0);
	probe(edmm);
	NEED(sys_mmap(low, size, PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_SHARED | MAP_FIXED_NOREPLACE, mimic_fd, 0) == low);
	create(mimic_layout.size);
	for (unsigned i = 0; i < mimic_layout.count; i++)
		add_area(&mimic_layout.area[i]);
	init(sigfile);
}
