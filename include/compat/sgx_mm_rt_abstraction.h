/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the memory manager asks of a runtime: Intel's interface, our text; and
 * the optional hooks, which are weak. See docs/porting.md.
 */
#ifndef SGX_MM_RT_ABSTRACTION_H_
#define SGX_MM_RT_ABSTRACTION_H_

#include <stdbool.h>

#include "sgx_mm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A handler for page faults, called at CSSA 0 before any other. */
typedef int (*sgx_mm_pfhandler_t)(const sgx_pfinfo *pfinfo);

bool sgx_mm_register_pfhandler(sgx_mm_pfhandler_t pfhandler);
bool sgx_mm_unregister_pfhandler(sgx_mm_pfhandler_t pfhandler);

/**
 * sgx_mm_alloc_ocall - have the host map a range, readable and writable
 * @page_type: SGX_EMA_PAGE_TYPE_REG
 * @alloc_flags: COMMIT_NOW or COMMIT_ON_DEMAND, perhaps a growth direction
 *
 * Return: 0 or EFAULT.
 */
int sgx_mm_alloc_ocall(uint64_t addr, size_t length, int page_type,
		       int alloc_flags);

/**
 * sgx_mm_modify_ocall - have the host change rights or types of a run
 * @page_properties_from, @page_properties_to: SGX_EMA_PROT_* and a page type.
 *	REG to REG: RESTRICT_PERMISSIONS and mprotect to the new rights (none
 *	to none: mprotect only). REG to TRIM or TCS: MODIFY_TYPES. TRIM to
 *	TRIM: REMOVE_PAGES, and mprotect to none if the new rights are none.
 *
 * Return: 0 or EFAULT. The manager asks every page by EACCEPT what became of
 * it, whatever this returns.
 */
int sgx_mm_modify_ocall(uint64_t addr, size_t length, int page_properties_from,
			int page_properties_to);

/* Part of Intel's interface; this manager takes no mutex and calls none. */
typedef struct _sgx_mm_mutex sgx_mm_mutex;
sgx_mm_mutex *sgx_mm_mutex_create(void);
int sgx_mm_mutex_lock(sgx_mm_mutex *mutex);
int sgx_mm_mutex_unlock(sgx_mm_mutex *mutex);
int sgx_mm_mutex_destroy(sgx_mm_mutex *mutex);

bool sgx_mm_is_within_enclave(const void *ptr, size_t size);

/* For the runtime's own regions, as emm_private.h has it. */
#ifndef SGX_EMA_SYSTEM
#define SGX_EMA_SYSTEM SGX_EMA_ALLOC_FLAGS(0x80UL)
#endif

/* ---- optional: weak, used where the runtime defines them --------------- */

/* The host maps the whole range once with all rights that it will need: then
 * more rights take EMODPE alone, and alloc_ocall is not called. */
bool sgx_mm_maps_wide(void);

/* Have the host add absent pages of the range, ahead of EACCEPT: a hint. */
int sgx_mm_populate_ocall(uint64_t addr, size_t length);

/* The calling thread's number, unique among threads inside. Without it the
 * thread pointer's value serves. */
uint32_t sgx_mm_thread_id(void);

/* Wait until *word may differ from val, and wake who does: hints. Both or
 * none; without them threads spin. */
void sgx_mm_wait(const uint32_t *word, uint32_t val);
void sgx_mm_wake(const uint32_t *word);

/* Called now and then while a thread spins. */
void sgx_mm_yield(void);

#ifdef __cplusplus
}
#endif

#endif
