/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID of the program: cpuid.c, cpuid_patch.c. */
#ifndef TRAP_ENCLAVE_CPUID_H
#define TRAP_ENCLAVE_CPUID_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

struct thread;

/* Makes CPUID fault on this thread, where the processor can. */
void cpuid_arm(struct thread *t);
/* Until then it is the processor's own. Return: it did fault. */
bool cpuid_disarm(struct thread *t);
/* Where it cannot, makes CPUID in the program's code a trap; and what writes FS
 * and GS bases, where that must be one. */
void cpuid_patch(void);
bool cpuid_patched(uint64_t rip);
/* Is there code of the program's at @addr that can be patched: private, and
 * for reading and execution only? */
bool cpuid_private_code(uint64_t addr);
/* Answers the CPUID at the context's RIP. */
void cpuid_emulate(struct thread *t, ucontext_t *uc);

#endif
