/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EENTER without a trap, from the vDSO or by a detour.
 *
 * fast.S saves the registers in a block on a stack of the thread's own, fast.c
 * runs the leaf, and the tail of fast.S loads what the enclave starts with. An
 * asynchronous signal in between is put off: it is sent again with all signals
 * blocked, and the tail unblocks them. In the tail the thread counts as
 * inside: a handler that finds it there completes the entry first. Where the
 * leaf is refused, the thread goes on to its ENCLU, and the trap there ends it.
 */
#ifndef TRAP_ENCLAVE_FAST_H
#define TRAP_ENCLAVE_FAST_H

#include <stdbool.h>
#include <stdint.h>

/* The block, as the pushes of fast.S make it; the last five are IRET's. */
struct fast_regs {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t rip; /* of ENCLU, and out */
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

/* Offsets in struct thread that fast.S knows. */
#define FAST_BASES 0
#define FAST_SUD 2
#define FAST_SELECTOR 3
#define FAST_BUSY 4
#define FAST_DEFERRED 5
#define FAST_GS_INSN 6
#define FAST_ENCL_FS 24
#define FAST_ENCL_GS 32
#define FAST_MASK 40
#define FAST_SLOT_SIZE 0x20000ul
/* And on the program's stack, from a detour. */
struct fast_kept {
	uint64_t rip, r11, rcx, rsi, rdi;
};
#define FAST_KEPT 168

struct trap;
struct thread;

struct thread *fast_enclu(struct fast_regs *r);
/* Where the vDSO's ENCLU is. */
extern uint64_t fast_aep;
/* Are there instructions that set the bases? */
extern bool fast_bases;
extern char fast_enter[], fast_tail[], fast_tail_end[];
extern char fast_any[], fast_any_kept[], fast_any_found[], fast_any_end[];

/* Makes a detour past the program's own EENTER, whose handler this is. */
void fast_detour(uint64_t at);
/* Is the context on the way from there, where no entry has begun? Then it is at
 * the program's ENCLU again. */
bool fast_rewind(void *uc);

/* Is the context in the tail? Then this makes it the enclave's first. */
bool fast_complete(struct thread *t, void *uc);
/* Is the context at the ENCLU that a refused entry goes on to? Then it is all
 * the program's again. */
void fast_refused(struct thread *t, void *uc);
/* Puts a signal off, if it comes at a bad time. */
bool fast_defer(struct thread *t, int sig, void *info, void *uc);

#endif
