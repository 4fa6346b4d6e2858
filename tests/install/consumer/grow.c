/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program of somebody else's with the memory manager, as C and as C++. Its
 * ELRANGE is plain memory, its host grants everything.
 */
#include <edmm/emm.h>
#include <edmm/version.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#if EDMM_VERSION < EDMM_VERSION_OF(0, 1, 0)
#error "an older edmm"
#endif

#define MIB (1ull << 20)

static unsigned accepted;

static int eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	(void)si;
	(void)addr;
	accepted++;
	return 0;
}

static int emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	(void)si;
	(void)addr;
	return 0;
}

static int eacceptcopy(void *ctx, const struct sgx_secinfo *si, uint64_t addr,
		       uint64_t src)
{
	(void)ctx;
	(void)si;
	(void)addr;
	(void)src;
	return 0;
}

static int modify(void *ctx, const struct emm_modify *m)
{
	(void)ctx;
	(void)m;
	return 0;
}

int main(void)
{
	char *range = (char *)mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct emm_params p;
	struct emm_hooks h;
	struct emm_alloc a;
	struct emm *emm;
	uint64_t at;

	memset(&p, 0, sizeof(p));
	memset(&h, 0, sizeof(h));
	memset(&a, 0, sizeof(a));
	p.base = (uint64_t)range;
	p.size = 64 * MIB;
	p.meta_base = range;
	p.meta_size = 16 * MIB;
	p.meta_init = 16 * MIB;
	h.eaccept = eaccept;
	h.emodpe = emodpe;
	h.eacceptcopy = eacceptcopy;
	h.modify = modify;
	a.size = MIB;
	a.flags = EMM_COMMIT_NOW;
	a.prot = EMM_RW;
	if (emm_init(&p, &h, &emm) || emm_alloc(emm, &a, &at) ||
	    emm_dealloc(emm, at, MIB, NULL))
		return 1;
	printf("edmm " EDMM_VERSION_STRING ": %u pages\n", accepted / 2);
	return 0;
}
