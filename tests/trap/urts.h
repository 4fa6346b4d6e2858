/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A library that the mimic of Intel's runtime is linked with.
 */
#ifndef TESTS_TRAP_URTS_H
#define TESTS_TRAP_URTS_H

#include <stdbool.h>
#include <stdint.h>

#include <sgx/arch.h>
#include <sgx/linux.h>

/* What its constructor found. */
vdso_sgx_enter_enclave_t urts_entry(void);
bool urts_cpu(void);

void urts_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]);

#endif
