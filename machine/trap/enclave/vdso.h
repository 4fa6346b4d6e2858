/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake vDSO (vdso.c). */
#ifndef TRAP_ENCLAVE_VDSO_H
#define TRAP_ENCLAVE_VDSO_H

#include <stdint.h>

/* Maps it, and finds the real one's functions. */
void vdso_init(uint64_t real);
/* For a program that knows no library: with the image's own function. */
void vdso_launched(void);

#endif
