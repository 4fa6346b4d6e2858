/* SPDX-License-Identifier: BSD-3-Clause */
/* The vDSO's function where unwinders find it: in the library itself. */
#define VDSO_LIBRARY
#include "machine/trap/enclave/vdso.S"
