/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The enclave memory manager's public interface, as Intel's sgx-emm defines
 * it: the same functions, types and values, our own text. What each function
 * promises, and where this implementation differs from Intel's code, is in
 * docs/compat.md.
 *
 * All functions return 0 or a positive errno value. Sizes and addresses are
 * multiples of the page size; others are EINVAL, and change nothing.
 */
#ifndef SGX_MM_H_
#define SGX_MM_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A page fault, as the SSA's EXINFO reports it. */
typedef struct _sgx_pfinfo {
	uint64_t maddr;
	union _pfec {
		uint32_t errcd;
		struct {
			uint32_t p : 1;
			uint32_t rw : 1; /* 0: read, 1: write */
			uint32_t : 13;
			uint32_t sgx : 1;
			uint32_t : 16;
		};
	} pfec;
	uint32_t reserved;
} sgx_pfinfo;

/* What a page fault handler returns. */
#define SGX_MM_EXCEPTION_CONTINUE_SEARCH 0
#define SGX_MM_EXCEPTION_CONTINUE_EXECUTION -1

/**
 * sgx_enclave_fault_handler_t - a region's own handler
 *
 * Called without any lock; it may fault, call the memory manager for its own
 * region, and leave by longjmp.
 */
typedef int (*sgx_enclave_fault_handler_t)(const sgx_pfinfo *pfinfo,
					   void *private_data);

/* Bits 0 to 7 of flags: how to allocate. */
#define SGX_EMA_ALLOC_FLAGS_SHIFT 0
#define SGX_EMA_ALLOC_FLAGS(n) ((n) << SGX_EMA_ALLOC_FLAGS_SHIFT)
#define SGX_EMA_ALLOC_FLAGS_MASK SGX_EMA_ALLOC_FLAGS(0xFF)

#define SGX_EMA_RESERVE SGX_EMA_ALLOC_FLAGS(0x1)
#define SGX_EMA_COMMIT_NOW SGX_EMA_ALLOC_FLAGS(0x2)
#define SGX_EMA_COMMIT_ON_DEMAND SGX_EMA_ALLOC_FLAGS(0x4)
#define SGX_EMA_GROWSDOWN SGX_EMA_ALLOC_FLAGS(0x10)
#define SGX_EMA_GROWSUP SGX_EMA_ALLOC_FLAGS(0x20)
#define SGX_EMA_FIXED SGX_EMA_ALLOC_FLAGS(0x40)

/* Bits 8 to 15: the page type. */
#define SGX_EMA_PAGE_TYPE_SHIFT 8
#define SGX_EMA_PAGE_TYPE(n) ((n) << SGX_EMA_PAGE_TYPE_SHIFT)
#define SGX_EMA_PAGE_TYPE_MASK SGX_EMA_PAGE_TYPE(0xFF)
#define SGX_EMA_PAGE_TYPE_TCS SGX_EMA_PAGE_TYPE(0x1)
#define SGX_EMA_PAGE_TYPE_REG SGX_EMA_PAGE_TYPE(0x2)
#define SGX_EMA_PAGE_TYPE_TRIM SGX_EMA_PAGE_TYPE(0x4)
#define SGX_EMA_PAGE_TYPE_SS_FIRST SGX_EMA_PAGE_TYPE(0x5)
#define SGX_EMA_PAGE_TYPE_SS_REST SGX_EMA_PAGE_TYPE(0x6)

/* Bits 24 to 31: log2 of the alignment; 0 means 12. */
#define SGX_EMA_ALIGNMENT_SHIFT 24
#define SGX_EMA_ALIGNED(n) (((unsigned int)(n) << SGX_EMA_ALIGNMENT_SHIFT))
#define SGX_EMA_ALIGNMENT_MASK SGX_EMA_ALIGNED(0xFFUL)
#define SGX_EMA_ALIGNMENT_64KB SGX_EMA_ALIGNED(16UL)
#define SGX_EMA_ALIGNMENT_16MB SGX_EMA_ALIGNED(24UL)
#define SGX_EMA_ALIGNMENT_4GB SGX_EMA_ALIGNED(32UL)

/* Rights. */
#define SGX_EMA_PROT_NONE 0x0
#define SGX_EMA_PROT_READ 0x1
#define SGX_EMA_PROT_WRITE 0x2
#define SGX_EMA_PROT_EXEC 0x4
#define SGX_EMA_PROT_READ_WRITE (SGX_EMA_PROT_READ | SGX_EMA_PROT_WRITE)
#define SGX_EMA_PROT_READ_EXEC (SGX_EMA_PROT_READ | SGX_EMA_PROT_EXEC)
#define SGX_EMA_PROT_MASK (SGX_EMA_PROT_READ_WRITE | SGX_EMA_PROT_EXEC)

/**
 * sgx_mm_alloc - make a region of enclave addresses
 * @addr: where; NULL: the manager chooses. Without SGX_EMA_FIXED it is a hint.
 *	A range that lies wholly in reserved regions is carved out of them.
 * @length: bytes
 * @flags: exactly one of RESERVE, COMMIT_NOW, COMMIT_ON_DEMAND; at most one of
 *	GROWSDOWN, GROWSUP; FIXED; a page type (0 or REG); ALIGNED(n)
 * @handler, @handler_private: the region's own fault handler, or NULL
 * @out_addr: where it is; untouched on failure; may be NULL
 *
 * Pages are readable and writable, in a RESERVE region nothing.
 * Return: 0; EINVAL; EACCES (outside of the enclave); EEXIST (FIXED, in use);
 * EPERM (FIXED, outside of the user range); ENOMEM; EFAULT. After an error
 * there is no such region.
 */
int sgx_mm_alloc(void *addr, size_t length, int flags,
		 sgx_enclave_fault_handler_t handler, void *handler_private,
		 void **out_addr);

/**
 * sgx_mm_uncommit - take pages away; the region stays
 *
 * Return: 0; EINVAL (not allocated, outside); EACCES (RESERVE); EFAULT.
 */
int sgx_mm_uncommit(void *addr, size_t length);

/**
 * sgx_mm_dealloc - take pages and addresses away; holes are tolerated
 *
 * Return: 0; EINVAL (nothing there, outside); EFAULT.
 */
int sgx_mm_dealloc(void *addr, size_t length);

/**
 * sgx_mm_modify_permissions - change the rights of committed pages
 * @prot: NONE, READ, READ_WRITE, READ_EXEC, or all three
 *
 * Return: 0; EINVAL (not committed, outside, rights); EACCES (page type,
 * RESERVE); EFAULT: some pages at the start may have the new rights.
 */
int sgx_mm_modify_permissions(void *addr, size_t length, int prot);

/**
 * sgx_mm_modify_type - turn a committed RW page into a TCS
 * @length: 4096
 * @type: SGX_EMA_PAGE_TYPE_TCS
 *
 * Return: 0; EPERM (another type); EINVAL; EACCES (not committed, not REG and
 * RW); EFAULT.
 */
int sgx_mm_modify_type(void *addr, size_t length, int type);

/**
 * sgx_mm_commit - commit pages now; those that are have nothing done to them
 *
 * Return: 0; EINVAL (not allocated, outside); EACCES (RESERVE, not writable);
 * ENOMEM, EFAULT: some pages at the start may be committed.
 */
int sgx_mm_commit(void *addr, size_t length);

/**
 * sgx_mm_commit_data - commit uncommitted pages with content and rights
 * @data: page aligned, in the enclave
 *
 * Return: 0; EINVAL; EACCES (committed already, not writable); ENOMEM, EFAULT:
 * some pages at the start may be committed.
 */
int sgx_mm_commit_data(void *addr, size_t length, uint8_t *data, int prot);

#ifdef __cplusplus
}
#endif

#endif
