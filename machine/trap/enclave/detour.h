/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Detours past an instruction outside that traps: ENCLU, or a SYSCALL that is
 * dispatched.
 *
 * The instruction itself stays as it is. The one before it, if it is long
 * enough, becomes a jump to a copy of it, from where the library goes on
 * without a trap, or back to the instruction. Whoever jumps to that by other
 * ways traps as ever. No whole instruction but the one is changed, so no jump
 * of the program's can end within a changed one.
 */
#ifndef TRAP_ENCLAVE_DETOUR_H
#define TRAP_ENCLAVE_DETOUR_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#define DETOURS 32u

/* The instruction at @at has trapped: is a detour worth it by now? If so, it
 * stays due until detour_make() was asked. Never with fast=0, and never where
 * libc makes the calls: a thread is found by the signal stack that it has. */
bool detour_due(uint64_t at);

/* Where the instruction of each is. Also read by dispatch.S. */
extern uint64_t detour_sites[DETOURS];

/*
 * Makes a detour past the instruction at @at, in the handler of its signal, if
 * it is due and there can be one.
 * @load: its jump comes with RAX = @at, where the program has the constant
 *	EENTER in it, which is asked for
 * @to: where it goes; @step bytes further for each number
 */
void detour_make(uint64_t at, bool load, const char *to, uint64_t step);

/* Has the context only jumped to a copy? That is no step of the program's. */
bool detour_starts(const ucontext_t *uc);
/* Is the context in a copy? Then it comes to be at the program's own. */
void detour_rewind(ucontext_t *uc);

#endif
