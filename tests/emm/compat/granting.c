/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/emm/compat/granting.h"

#include "compat/sgx_mm_primitives.h"
#include "tests/must.h"

sgx_mm_pfhandler_t granting_handler;

static uint64_t base, size;

void granting_range(uint64_t at, uint64_t bytes)
{
	base = at;
	size = bytes;
}

bool sgx_mm_register_pfhandler(sgx_mm_pfhandler_t h)
{
	granting_handler = h;
	return h;
}

bool sgx_mm_is_within_enclave(const void *ptr, size_t length)
{
	uint64_t off = (uint64_t)(uintptr_t)ptr - base;

	return off <= size && length <= size - off;
}

int sgx_mm_alloc_ocall(uint64_t addr, size_t length, int type, int flags)
{
	(void)type;
	(void)flags;
	MUST(sgx_mm_is_within_enclave((void *)addr, length));
	return 0;
}

int sgx_mm_modify_ocall(uint64_t addr, size_t length, int from, int to)
{
	(void)from;
	(void)to;
	MUST(sgx_mm_is_within_enclave((void *)addr, length));
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

int do_eacceptcopy(const sec_info_t *si, size_t dest, size_t src)
{
	(void)si;
	(void)dest;
	(void)src;
	return 0;
}
