/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory manager's interface to the runtime that holds it, as Intel's
 * sgx-emm defines it; our own text.
 */
#ifndef EMM_PRIVATE_H_
#define EMM_PRIVATE_H_

#include <stddef.h>
#include <stdint.h>

#include "sgx_mm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In flags: the runtime's own region. */
#ifndef SGX_EMA_SYSTEM
#define SGX_EMA_SYSTEM SGX_EMA_ALLOC_FLAGS(0x80UL)
#endif

/**
 * sgx_mm_init - start the manager
 * @user_start, @user_end: addresses that sgx_mm_alloc hands out, page aligned;
 *	the manager's own metadata is taken from their start
 *
 * Context: one thread, before any other call.
 * Return: 0; EINVAL (range); ENOMEM (no EPC for metadata); EFAULT (called
 * before, the host refused, sgx_mm_register_pfhandler failed).
 */
int sgx_mm_init(size_t user_start, size_t user_end);

/* Accepted and ignored: metadata grows by itself. Return: 0. */
int emalloc_init_with_reserved_mem(size_t meta_size);

/**
 * mm_init_ema - register what the loader put into the enclave
 * @addr, @size: range, outside of the user range
 * @flags: SGX_EMA_SYSTEM, perhaps RESERVE; a page type (0, REG or TCS)
 * @prot: rights as EADDed
 *
 * Return: 0; EACCES (outside of the enclave); EEXIST (in use); EINVAL.
 */
int mm_init_ema(void *addr, size_t size, int flags, int prot,
		sgx_enclave_fault_handler_t handler, void *handler_private);

/* As the functions of sgx_mm.h, for addresses outside of the user range. */
int mm_alloc(void *addr, size_t size, uint32_t flags,
	     sgx_enclave_fault_handler_t handler, void *private_data,
	     void **out_addr);
int mm_dealloc(void *addr, size_t size);
int mm_uncommit(void *addr, size_t size);
int mm_commit(void *addr, size_t size);
int mm_commit_data(void *addr, size_t size, uint8_t *data, int prot);
int mm_modify_type(void *addr, size_t size, int type);
int mm_modify_permissions(void *addr, size_t size, int prot);

#ifdef __cplusplus
}
#endif

#endif
