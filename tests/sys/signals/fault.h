/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults with known registers: fault.S. */
#ifndef TESTS_SYS_SIGNALS_FAULT_H
#define TESTS_SYS_SIGNALS_FAULT_H

#define FAULT_GPRS 15 /* all but RSP, in the order of enum fault_gpr */
#define FAULT_FLAGS 120
#define FAULT_MXCSR 128
#define FAULT_FCW 132
#define FAULT_FSW 134
#define FAULT_AVX 136
#define FAULT_YMM 160

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

enum fault_gpr {
	G_RAX,
	G_RCX,
	G_RDX,
	G_RBX,
	G_RBP,
	G_RSI,
	G_RDI,
	G_R8,
	G_R9,
	G_R10,
	G_R11,
	G_R12,
	G_R13,
	G_R14,
	G_R15,
};

/**
 * struct fault_state - what a fault starts with, and what is there after it
 * @gpr: by enum fault_gpr
 * @avx: of @ymm more than the lower halves
 * @ymm: YMM0 and YMM15
 */
struct fault_state {
	uint64_t gpr[FAULT_GPRS];
	uint64_t flags;
	uint32_t mxcsr;
	uint16_t fcw, fsw;
	uint64_t avx;
	uint64_t pad[2];
	uint64_t ymm[2][4];
};

_Static_assert(offsetof(struct fault_state, flags) == FAULT_FLAGS, "");
_Static_assert(offsetof(struct fault_state, mxcsr) == FAULT_MXCSR, "");
_Static_assert(offsetof(struct fault_state, fcw) == FAULT_FCW, "");
_Static_assert(offsetof(struct fault_state, fsw) == FAULT_FSW, "");
_Static_assert(offsetof(struct fault_state, avx) == FAULT_AVX, "");
_Static_assert(offsetof(struct fault_state, ymm) == FAULT_YMM, "");

extern struct fault_state fault_state;
/* Where it happens, by kind; what faults with an address uses this one. */
extern void *const fault_site[];
extern const unsigned int fault_kinds;
extern uint64_t fault_addr;
/* Where a thread goes on that is done with it. */
extern const char fault_over[];

/* What some sites load: 16 bytes. */
extern const char fault_initial[];

/* Make a fault of a kind, with and into fault_state. */
void fault_make(unsigned int kind);
#endif
#endif
