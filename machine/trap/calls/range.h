/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of addresses that a system call names, and the enclave mappings in
 * them (range.c).
 */
#ifndef TRAP_CALLS_RANGE_H
#define TRAP_CALLS_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits of an address within its page. */
#define RANGE_PAGE 0xfffull

/* The driver's lock, with asynchronous signals blocked, and back. */
uint64_t range_enter(void);
void range_leave(uint64_t mask);

/* [addr, addr + len) rounded out to pages; false if it is no range. */
bool range_of(const void *addr, size_t len, uint64_t *start, uint64_t *end);
/* Is there an enclave mapping in it? Takes the lock. */
bool range_hits(const void *addr, size_t len);
/* Calls @fn for each part of [start, end), of one enclave mapping or of none,
 * with holes perhaps, until one is not 0. The lock is held. */
typedef long range_fn(void *arg, uint64_t start, uint64_t end, bool enclave);
long range_pieces(uint64_t start, uint64_t end, range_fn *fn, void *arg);
/* PROT_READ and its kin as the driver has them. */
unsigned range_prot(int prot);
/* READ_IMPLIES_EXEC: sgx_encl_may_map() refuses mappings that mean more than
 * they say. */
bool range_implies_exec(void);

#endif
