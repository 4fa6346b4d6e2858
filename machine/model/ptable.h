/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page table as an array, for tests and for the model as a library: a run of
 * linear addresses, each absent, or an EPC page with rights, or other memory.
 */
#ifndef MACHINE_MODEL_PTABLE_H
#define MACHINE_MODEL_PTABLE_H

#include "machine/model/model.h"

#define MACH_PTE_ABSENT 0u
#define MACH_PTE_OTHER 0x80u /* memory that is no EPC */

struct mach_pte {
	uint32_t epc;
	uint32_t prot; /* 0: absent; MACH_R | MACH_W | MACH_X | OTHER */
};

struct mach_ptable {
	uint64_t base;	/* linear address of the first entry */
	uint32_t count; /* of entries */
	struct mach_pte *pte;
};

/* A front end's translate(); @ctx is a list of struct mach_ptable that ends
 * with a count of 0. Addresses in none of them are absent. */
enum mach_xlate mach_ptables_translate(void *ctx, uint64_t addr,
				       unsigned access, uint32_t *out);

/* The entry of @addr, or NULL if @t does not cover it. */
struct mach_pte *mach_ptable_at(const struct mach_ptable *t, uint64_t addr);

#endif
