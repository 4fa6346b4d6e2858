/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies memory that may be gone (ucopy.S): 0, or -1 if it faulted there. */
#ifndef TRAP_BASE_UCOPY_H
#define TRAP_BASE_UCOPY_H

#include <stddef.h>

long ucopy(void *dst, const void *src, size_t size);
extern char ucopy_insn[], ucopy_fail[];

#endif
