// SPDX-License-Identifier: BSD-3-Clause
/*
 * The private header as the SDK's own files meet it: in C++, found by its bare
 * name, behind an older prototype of sgx_mm_alloc_ocall that has three
 * arguments. That it compiles is the test.
 */
#include <stddef.h>

extern "C" int sgx_mm_alloc_ocall(size_t addr, size_t size, int flags);
extern "C" int sgx_mm_modify_ocall(size_t addr, size_t size, int from, int to);

#include "emm_private.h"
#include "sgx_mm.h"
#include "sgx_mm_primitives.h"

int compat_headers_flags(void);

int compat_headers_flags(void)
{
	return SGX_EMA_SYSTEM | SGX_EMA_RESERVE;
}
