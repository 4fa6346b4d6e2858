/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux's SGX user interface (6.0 and later): ioctls of /dev/sgx_enclave and
 * the record of __vdso_sgx_enter_enclave. Written from the interface's facts
 * so that the tree builds where <asm/sgx.h> is old or absent; a test compares
 * every value with the system's header.
 */
#ifndef SGX_LINUX_H
#define SGX_LINUX_H

#include <stddef.h>
#include <stdint.h>

#include "sgx/assert.h"

#define SGX_DEV_ENCLAVE "/dev/sgx_enclave"
#define SGX_DEV_PROVISION "/dev/sgx_provision"

/* Numbers as <asm/sgx.h> computes them with _IO, _IOW and _IOWR, magic 0xa4. */
#define SGX_IOC_ENCLAVE_CREATE 0x4008a400ul
#define SGX_IOC_ENCLAVE_ADD_PAGES 0xc030a401ul
#define SGX_IOC_ENCLAVE_INIT 0x4008a402ul
#define SGX_IOC_ENCLAVE_PROVISION 0x4008a403ul
#define SGX_IOC_VEPC_REMOVE_ALL 0x0000a404ul
#define SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS 0xc028a405ul
#define SGX_IOC_ENCLAVE_MODIFY_TYPES 0xc028a406ul
#define SGX_IOC_ENCLAVE_REMOVE_PAGES 0xc018a407ul

#define SGX_PAGE_MEASURE 0x1ull

struct sgx_enclave_create {
	uint64_t src;
};

struct sgx_enclave_add_pages {
	uint64_t src;
	uint64_t offset;
	uint64_t length;
	uint64_t secinfo;
	uint64_t flags;
	uint64_t count;
};

struct sgx_enclave_init {
	uint64_t sigstruct;
};

struct sgx_enclave_provision {
	uint64_t fd;
};

struct sgx_enclave_restrict_permissions {
	uint64_t offset;
	uint64_t length;
	uint64_t permissions;
	uint64_t result;
	uint64_t count;
};

struct sgx_enclave_modify_types {
	uint64_t offset;
	uint64_t length;
	uint64_t page_type;
	uint64_t result;
	uint64_t count;
};

struct sgx_enclave_remove_pages {
	uint64_t offset;
	uint64_t length;
	uint64_t count;
};

struct sgx_enclave_run {
	uint64_t tcs;
	uint32_t function;
	uint16_t exception_vector;
	uint16_t exception_error_code;
	uint64_t exception_addr;
	uint64_t user_handler;
	uint64_t user_data;
	uint8_t reserved[216];
};

/* The seventh argument is on the stack, hence not a plain register ABI. */
typedef int (*sgx_enclave_user_handler_t)(long rdi, long rsi, long rdx,
					  long rsp, long r8, long r9,
					  struct sgx_enclave_run *run);
typedef int (*vdso_sgx_enter_enclave_t)(unsigned long rdi, unsigned long rsi,
					unsigned long rdx,
					unsigned int function, unsigned long r8,
					unsigned long r9,
					struct sgx_enclave_run *run);

SGX_ASSERT(sizeof(struct sgx_enclave_create) == 8, "create");
SGX_ASSERT(sizeof(struct sgx_enclave_add_pages) == 48, "add_pages");
SGX_ASSERT(sizeof(struct sgx_enclave_restrict_permissions) == 40,
	   "restrict_permissions");
SGX_ASSERT(sizeof(struct sgx_enclave_modify_types) == 40, "modify_types");
SGX_ASSERT(sizeof(struct sgx_enclave_remove_pages) == 24, "remove_pages");
SGX_ASSERT(sizeof(struct sgx_enclave_run) == 256, "run");
SGX_ASSERT(offsetof(struct sgx_enclave_run, function) == 8, "function");
SGX_ASSERT(offsetof(struct sgx_enclave_run, exception_vector) == 12,
	   "exception_vector");
SGX_ASSERT(offsetof(struct sgx_enclave_run, exception_addr) == 16,
	   "exception_addr");
SGX_ASSERT(offsetof(struct sgx_enclave_run, user_handler) == 24,
	   "user_handler");
SGX_ASSERT(offsetof(struct sgx_enclave_run, reserved) == 40, "reserved");

#endif
