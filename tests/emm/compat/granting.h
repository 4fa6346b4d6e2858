/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least runtime behind Intel's interface: leaves and host grant whatever
 * lies in ELRANGE, at once, and there is no optional hook.
 */
#ifndef TESTS_EMM_COMPAT_GRANTING_H
#define TESTS_EMM_COMPAT_GRANTING_H

#include <stdint.h>

#include "compat/sgx_mm_rt_abstraction.h"

/* What sgx_mm_init() has registered. */
extern sgx_mm_pfhandler_t granting_handler;

/* ELRANGE; before sgx_mm_init(). */
void granting_range(uint64_t base, uint64_t size);

#endif
