/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the test enclave's C and assembly, and the test's host side, share.
 */
#ifndef TESTS_RT_PROG_H
#define TESTS_RT_PROG_H

#define PROG_GPRS 13 /* all but RSP, RDI and RSI */
#define PROG_XMMS 16
#define PROG_MXCSR 0x7f80 /* round towards zero */
#define PROG_FCW 0x0c7f	  /* the same */
#define PROG_FLAGS 0x8d5  /* OF SF ZF AF PF CF */

/* Exit status for memory that holds something else than it should. */
#define PROG_WRONG_DATA 240

/* A host call that the runtime does not know. */
#define PROG_CALL_NONE 0x80

#define PROG_SECRET 0x5ec2e75ec2e75ec2

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What PROG_CALL_NONE tells in its first argument; the second is a context. */
enum prog_made {
	PROG_MADE_BEGIN,   /* one is about to be made: most likely this */
	PROG_MADE_REFUSED, /* it could not be, and is tried once more */
	PROG_MADE,	   /* it is made */
	PROG_MADE_READY,   /* it has a thread's first state */
	PROG_MADE_STARTED, /* and the host has been told to enter it */
	PROG_MADE_TRIMMED, /* it has been given back, if the thread is over */
};
/* argv[2]: how often it has run. */
int prog_made(const char *arg);
/*
 * A context is used again as soon as its thread has said that it is over:
 * "again", "trim" (given back) or "renew" (given back and made again).
 */
int prog_tail(const char *how);
/* A thread starts a second and is over, which looks for a context: none. */
int prog_taken(const char *arg);

#define PROG_GPR_VALUE(k) (0x0101010101010101ull * ((k) + 1))

struct prog_regs {
	uint64_t gpr[PROG_GPRS];
	uint64_t flags;
	uint32_t mxcsr;
	uint16_t fcw;
	uint16_t reserved;
	uint64_t pad[3];
	uint64_t xmm[PROG_XMMS][2];
};
_Static_assert(sizeof(struct prog_regs) == 144 + 256, "prog_regs");

/* Load every register, store 0x5a through @p, tell what is left of them. */
void prog_regs_over_fault(struct prog_regs *r, uint8_t *p);
/* Load YMM registers, store 0x5a through @p, store the registers again. */
void prog_ymm_over_fault(const uint64_t *in, uint64_t *out, uint8_t *p);
/* Call fn(arg) with the stack pointer at @sp. */
void prog_on_stack(void (*fn)(void *), void *arg, uint64_t sp);
/* Fill registers with PROG_SECRET and make the host call @nr. */
void prog_secret_call(uint32_t nr);
#endif
#endif
