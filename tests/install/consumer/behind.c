/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory manager behind Intel's interface, as grow.c has it natively. */
#include <compat/emm_private.h>
#include <compat/sgx_mm.h>
#include <compat/sgx_mm_primitives.h>
#include <compat/sgx_mm_rt_abstraction.h>
#include <stdio.h>
#include <sys/mman.h>

#define MIB (1ul << 20)

static char *range;

#ifdef __cplusplus
extern "C" {
#endif

bool sgx_mm_register_pfhandler(sgx_mm_pfhandler_t h)
{
	return h != NULL;
}

bool sgx_mm_is_within_enclave(const void *p, size_t size)
{
	size_t off = (size_t)((const char *)p - range);

	return off <= 64 * MIB && size <= 64 * MIB - off;
}

int sgx_mm_alloc_ocall(uint64_t addr, size_t size, int type, int flags)
{
	(void)addr;
	(void)size;
	(void)type;
	(void)flags;
	return 0;
}

int sgx_mm_modify_ocall(uint64_t addr, size_t size, int from, int to)
{
	(void)addr;
	(void)size;
	(void)from;
	(void)to;
	return 0;
}

int do_eaccept(const sec_info_t *si, size_t addr)
{
	(void)si;
	(void)addr;
	return 0;
}

int do_emodpe(const sec_info_t *si, size_t addr)
{
	(void)si;
	(void)addr;
	return 0;
}

int do_eacceptcopy(const sec_info_t *si, size_t to, size_t from)
{
	(void)si;
	(void)to;
	(void)from;
	return 0;
}

#ifdef __cplusplus
}
#endif

int main(void)
{
	void *at = NULL;

	range = (char *)mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sgx_mm_init((size_t)range, (size_t)range + 64 * MIB) ||
	    sgx_mm_alloc(NULL, MIB, SGX_EMA_COMMIT_NOW, NULL, NULL, &at) ||
	    sgx_mm_dealloc(at, MIB))
		return 1;
	printf("at %#zx of the range\n", (size_t)((char *)at - range) / MIB);
	return 0;
}
