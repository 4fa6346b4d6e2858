/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic's enclave: base 0, everything that is measured at the top of
 * ELRANGE, and below it, from MIMIC_LOW on, what the enclave gives out: added
 * before EINIT without SGX2, page by page afterwards with it.
 *
 *	top	code, RX
 *		T data pages (the thread's record), T stacks, T exception
 *		stacks, T times MIMIC_NSSA frames, T TCS
 *	bottom	free
 */
#ifndef TESTS_MIMIC_LAYOUT_H
#define TESTS_MIMIC_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sgx/arch.h"

#define MIMIC_LOW 0x10000ull
#define MIMIC_SIZE_EDMM (1ull << 40)
#define MIMIC_SIZE_PLAIN (1ull << 26)
#define MIMIC_THREADS 3u /* the last one's TCS: with SGX2, made at run time */
#define MIMIC_FRAME 4u
#define MIMIC_NSSA 2u
#define MIMIC_STACK 4u /* pages */

/* Of the code's page count: the build asserts that it is enough. */
#define MIMIC_CODE 2u

enum mimic_op {
	MIMIC_TOUCH,   /* write value at addr, read it: lazy pages */
	MIMIC_ACCEPT,  /* EACCEPT flags, addr, value pages: code */
	MIMIC_EXTEND,  /* EMODPE flags, addr */
	MIMIC_READ,    /* byte at addr */
	MIMIC_CPUID,   /* leaf addr: EBX */
	MIMIC_SYSCALL, /* what the enclave makes of it */
	MIMIC_DIVIDE,  /* by zero: 0xd1 if it was told */
	MIMIC_REPORT,  /* for the target at addr, to the report at value */
	MIMIC_VERIFY,  /* 1 if the report at addr is right */
	MIMIC_SPIN,    /* until stop */
	MIMIC_VECTORS, /* the extended state outlives a fault at addr */
	MIMIC_TILES,   /* the same for AMX's */
	MIMIC_TCS,     /* fill a TCS page at addr for thread value */
};

/* How the enclave answers a system call of its own. */
#define MIMIC_SYSCALL_ANSWER 0x5ca11
#define MIMIC_DIVIDE_ANSWER 0xd1

struct mimic_cmd {
	uint64_t op;
	uint64_t addr;
	uint64_t value;
	uint64_t flags;
	uint64_t result;
	volatile uint64_t turns;
	volatile uint64_t stop;
};

/* The thread's record inside, at GS: offsets that encl.S knows. */
struct mimic_thread {
	uint64_t stack;	    /* 0: top */
	uint64_t exc_stack; /* 8: top */
	uint64_t host_rsp;  /* 16 */
	uint64_t ret;	    /* 24 */
	uint64_t exc_rsp;   /* 32 */
	uint64_t exc_ret;   /* 40 */
	uint64_t frame;	    /* 48: of SSA 0 */
	uint64_t edmm;
	uint64_t index;
	uint64_t size; /* of ELRANGE */
	uint64_t faults;
	uint64_t events; /* that stage 1 was told */
};

struct mimic_area {
	uint64_t addr;
	uint64_t pages;
	uint64_t flags; /* SECINFO */
	bool measured;
};

#define MIMIC_AREAS 8

struct mimic_layout {
	uint64_t size;
	bool edmm;
	unsigned count;
	struct mimic_area area[MIMIC_AREAS];
	uint64_t tcs; /* addresses of the first of each */
	uint64_t ssa;
	uint64_t data;
	uint64_t code;
};

void mimic_plan(struct mimic_layout *l, bool edmm);
/* What is on a page of it; @out is a whole page. */
void mimic_page(const struct mimic_layout *l, uint64_t addr, uint8_t *out);
void mimic_tcs(const struct mimic_layout *l, unsigned thread,
	       struct sgx_tcs *tcs);

/* The code is a section of its own, wherever it is linked. */
#define MIMIC_HIDDEN __attribute__((visibility("hidden")))
extern const char __start_mimic_encl[] MIMIC_HIDDEN;
extern const char __stop_mimic_encl[] MIMIC_HIDDEN;
extern const char mimic_entry[] MIMIC_HIDDEN;

#endif
