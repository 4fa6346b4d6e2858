/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRAP_RAW_H
#define TRAP_RAW_H

#include <stdbool.h>
#include <stdint.h>

/* Does the code of the program with these program headers make system calls of
 * its own? */
bool raw_calls(uint64_t phdr, uint64_t count);

#endif
