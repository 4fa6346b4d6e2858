/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scripts of signals and faults: random ones by a seed, or read from a file, so
 * that a difference can be shrunk to a few lines and kept.
 */
#ifndef TESTS_SYS_SIGNALS_SCRIPT_H
#define TESTS_SYS_SIGNALS_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

/* Steps: X(name). What their numbers mean is told in script.c. */
#define STEPS(X)                                                              \
	X(action)  /* signal, SA_ flags, mask, way, edits, nested, of what */ \
	X(ignore)  /* signal */                                               \
	X(reset)   /* signal */                                               \
	X(stack)   /* enum alt */                                             \
	X(block)   /* mask */                                                 \
	X(unblock) /* mask */                                                 \
	X(mask)	   /* mask */                                                 \
	X(fpu)	   /* MXCSR, FCW */                                           \
	X(tgkill)  /* signal */                                               \
	X(kill)	   /* signal */                                               \
	X(queue)   /* signal, value */                                        \
	X(fault)   /* kind, place, flags, seed of registers */                \
	X(aligned) /* a call with RFLAGS.AC */                                \
	X(pending)                                                            \
	X(suspend) /* mask, signal sent before */                             \
	X(wait)	   /* mask, signal sent before */

#define STEP_ENUM(name) STEP_##name,
enum step_kind {
	STEPS(STEP_ENUM) STEP_COUNT
};
#undef STEP_ENUM

/* How a handler ends. */
enum way {
	WAY_SKIP,   /* on at the end of what has faulted */
	WAY_REPAIR, /* what has faulted will not again */
	WAY_AGAIN,  /* it does, a few times */
	WAY_JUMP,   /* siglongjmp(), with the mask */
	WAY_LEAVE,  /* without it */
	WAY_COUNT
};

/* What it changes in its context. */
#define EDIT_RBX 0x001u
#define EDIT_R15 0x002u
#define EDIT_FLAGS 0x004u
#define EDIT_MXCSR 0x008u
#define EDIT_FCW 0x010u
#define EDIT_XMM 0x020u
#define EDIT_YMM 0x040u
#define EDIT_MASK 0x080u
#define EDIT_UNMASK 0x100u
#define EDIT_NO_FPU 0x200u
#define EDIT_BAD_FPU 0x400u
#define EDIT_LEGACY 0x800u
#define EDIT_STACK 0x1000u
#define EDIT_BITS 13

/* What it does before. */
enum nested {
	NEST_NOTHING,
	NEST_TGKILL,
	NEST_KILL,
	NEST_FAULT,
	NEST_STACK, /* another alternate stack */
	NEST_COUNT
};

enum alt {
	ALT_NONE,
	ALT_LARGE,
	ALT_DISARM, /* large, with SS_AUTODISARM */
	ALT_TINY,   /* less than Linux takes */
	ALT_SMALL,  /* no room for a frame */
	ALT_CLOSED, /* the same, as what lies below is PROT_NONE */
	ALT_RIGHTS, /* read-only */
	ALT_COUNT
};

#define STEP_ARGS 7
#define STEPS_MAX 96

struct step {
	enum step_kind kind;
	uint64_t arg[STEP_ARGS];
};

struct script {
	unsigned int count;
	struct step step[STEPS_MAX];
};

void script_random(struct script *s, uint64_t seed, uint64_t number);
/* false at the end, or where a line is none. */
bool script_read(struct script *s, const char *path);
/* A line; returns its length. */
int script_line(char *to, unsigned int size, const struct step *s);

#endif
