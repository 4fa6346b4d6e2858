/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic's host side: a loader as those of library operating systems
 * are. No C library under it: system calls and ENCLU by itself, no vDSO, its
 * own AEP, GS for its threads' records, signals by rt_sigaction.
 */
#ifndef TESTS_MIMIC_HOST_H
#define TESTS_MIMIC_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/trap/base/sys.h"
#include "tests/mimic/layout.h"

#define XFRM_AMX (3ull << 17)
#define ALTSTACK_SIZE 0x10000u

/* A thread's record, at GS; host.S knows the first four. */
struct tcb {
	struct tcb *self;
	uint64_t tcs;
	uint64_t rsp; /* of the last entry */
	uint64_t raising;
	uint64_t fs;
	char *altstack;
	uint32_t tid;	/* cleared by the kernel at its end */
	uint32_t async; /* signals outside and inside, by who checks */
	uint64_t exceptions;
	uint64_t interrupts;
	uint64_t outside;
};

/* Ends the program with a line if it does not hold. */
#define NEED(cond) need((cond), __LINE__, __FILE__, #cond)
void need(bool ok, int line, const char *file, const char *what);

extern int mimic_fd;
extern struct mimic_layout mimic_layout;
extern uint64_t mimic_xfrm;

/* host.c */
int mimic_host(int argc, char **argv, char **envp);
uint64_t run(enum mimic_op op, uint64_t addr, uint64_t value, uint64_t flags);
struct tcb *tcb_self(void);
void thread_setup(struct tcb *t, unsigned index);
void thread_start(struct tcb *t, void (*fn)(void *), void *arg);
void thread_join(struct tcb *t);
void *pages(uint64_t size);

/* host_load.c */
void enclave_load(const char *sigfile, bool edmm);

/* host_sig.c */
void signals_init(void);
void signals_thread(struct tcb *t);
/* Signals are as on Linux, with no enclave in it. */
void signals_check(void);

/* host_detour.c: places that have been used often are as they were. */
void detours_check(void);

/* host.S */
void mimic_enter(struct mimic_cmd *c);
extern const char mimic_aep[] MIMIC_HIDDEN, mimic_raise[] MIMIC_HIDDEN;
void mimic_restorer(void) MIMIC_HIDDEN;
long mimic_clone(uint64_t flags, void *stack, uint32_t *ptid, uint32_t *ctid);
long mimic_spawn(const char *path, char *const *argv, char *const *envp);

long mimic_call(long nr, long a, long b, uint64_t state[3]) MIMIC_HIDDEN;
long mimic_checked(long nr, long a) MIMIC_HIDDEN;
long mimic_stepped(void *fn, long nr, long a, long b,
		   uint64_t state[3]) MIMIC_HIDDEN;
extern const char mimic_enter_at[] MIMIC_HIDDEN;
extern const char mimic_call_at[] MIMIC_HIDDEN, mimic_call_end[] MIMIC_HIDDEN;
extern const char mimic_checked_at[] MIMIC_HIDDEN;
extern const char mimic_checked_end[] MIMIC_HIDDEN;

#endif
