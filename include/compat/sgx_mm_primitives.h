/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SGX2 leaves of an enclave, as Intel's sgx-emm names them. They are in an
 * object of their own in libsgx_mm.a, so that a program may bring its own.
 */
#ifndef SGX_MM_PRIMITIVES_H_
#define SGX_MM_PRIMITIVES_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* State bits of SECINFO.FLAGS. */
#define SGX_EMA_STATE_PENDING 0x8UL
#define SGX_EMA_STATE_MODIFIED 0x10UL
#define SGX_EMA_STATE_PR 0x20UL

/* SECINFO. */
typedef struct _sec_info_t {
	uint64_t flags;
	uint64_t reserved[7];
} __attribute__((aligned(64))) sec_info_t;

/**
 * do_eaccept, do_emodpe, do_eacceptcopy - execute the leaf
 * @si: SECINFO, in the enclave
 * @addr, @dest: the page
 * @src: the page to copy
 *
 * Return: 0 or an SGX code; a negated exception vector if the runtime lets the
 * instruction's own fault end here (sgx_mm_fixup). EMODPE sets no result: of
 * do_emodpe only negative values are failures. All three are weak.
 */
int do_eaccept(const sec_info_t *si, size_t addr);
int do_emodpe(const sec_info_t *si, size_t addr);
int do_eacceptcopy(const sec_info_t *si, size_t dest, size_t src);

/**
 * sgx_mm_fixup - where to go on after a fault at one of these instructions
 * @rip: where the fault was
 *
 * A runtime's exception handler that finds a result other than 0 sets RIP to it
 * and RAX to the negated exception vector, which is what the leaf's function
 * then returns, and resumes. Optional: without it such a fault is the runtime's
 * to report.
 *
 * Return: an address, or 0.
 */
uint64_t sgx_mm_fixup(uint64_t rip);

#ifdef __cplusplus
}
#endif

#endif
