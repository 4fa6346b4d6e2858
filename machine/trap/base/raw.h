/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRAP_BASE_RAW_H
#define TRAP_BASE_RAW_H

#include <stdbool.h>
#include <stdint.h>

/* Does the code of the program with these program headers make system calls of
 * its own? */
bool raw_calls(uint64_t phdr, uint64_t count);

/* The next instruction 0F @second in [at, end), of code that begins at @code;
 * NULL. */
uint8_t *raw_find(uint8_t *at, const uint8_t *code, const uint8_t *end,
		  uint8_t second);

#endif
