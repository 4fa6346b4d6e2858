/* SPDX-License-Identifier: BSD-3-Clause */
/* The rate of the time stamp counter: tsc.c. */
#ifndef TRAP_ENCLAVE_TSC_H
#define TRAP_ENCLAVE_TSC_H

#include <stdint.h>

/* In kHz, the same each time; takes some 10 ms the first time. 0: unknown. */
uint32_t tsc_khz(void);

#endif
