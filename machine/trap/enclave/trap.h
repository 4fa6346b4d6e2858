/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a trap is about: the interrupted context and who it belongs to.
 */
#ifndef TRAP_ENCLAVE_TRAP_H
#define TRAP_ENCLAVE_TRAP_H

#include <signal.h>
#include <ucontext.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/signal/thread.h"

struct trap {
	struct thread *t;
	ucontext_t *uc;
	siginfo_t *info;
	int sig;
	struct mach_frame f;
};

/* An exception as the program is told of it. */
struct exception {
	uint8_t vector;
	uint32_t errcode;
	uint64_t addr; /* #PF */
	int sig;
	int code;
	bool native; /* an instruction outside would raise it again */
};

/* enter.S: the handler of every signal of ours, and what it jumps to with AC
 * clear. */
void trap_on_signal(int sig, siginfo_t *info, void *context);
void trap_signal(int sig, siginfo_t *info, void *context);

/* The context's registers to and from the model's record of them. */
void trap_load(struct trap *tr);
void trap_store(struct trap *tr);

/* Where gregs has the general register of this encoding, 0 to 15. */
int trap_greg(unsigned number);

/* bases.c: FS and GS of the thread now, and setting the host's. */
uint64_t bases_fs(void);
void bases_set(struct thread *t, uint64_t fs, uint64_t gs);
/* Finds the bases of @t, which is outside. */
void bases_outside(struct thread *t);
/*
 * A handler of @t begins: finds out which bases there are. With those it may do
 * what uses no libc; bases_host() gives it the host's FS. And it ends, for
 * inside an enclave or not: what is right already costs nothing.
 */
void bases_find(struct thread *t);
void bases_host(struct thread *t);
void bases_end(struct thread *t, bool inside);
/* A fault at @rip: has the kernel put its own in the place of what bases_find()
 * has found? Then what has faulted is to be done again. */
bool bases_lost(struct thread *t, uint64_t rip);
/* The first byte of an instruction that writes a base or reads GS's, and what
 * makes it trap; its length in the form of 64 bits, and the next in [at, end) or
 * NULL. */
#define BASES_INSN 0xf3
#define BASES_INSN_TRAP 0x06
#define BASES_INSN_SIZE 5
uint8_t *bases_insn_find(uint8_t *at, const uint8_t *end, uint8_t first);
/* #UD: does @code (five bytes) read or write a base? Then it is done, or *e
 * has a signal and is what it raises. */
bool bases_emulate(struct trap *tr, const uint8_t *code, struct exception *e);

/* enclu_trap.c: the instruction at RIP is ENCLU. */
void trap_enclu(struct trap *tr);
/* The same for what enters and leaves, without libc. False: nothing is done. */
bool trap_enclu_quick(struct trap *tr);
/* fault_trap.c: a page fault by any other instruction. */
void trap_page_fault(struct trap *tr);
/* aex.c: gives an exception to the program, leaving the enclave first. */
void trap_raise(struct trap *tr, const struct exception *e);
/* An interrupt: leaves the enclave, if the thread is inside. */
void trap_interrupt(struct trap *tr);
/* The AEX that the driver asked for (drv.h): the thread, at the AEP's ENCLU
 * then, comes back by itself. False: none. */
bool trap_due(struct trap *tr);
/* An interrupt of the timer (tick.c). */
void trap_tick(struct trap *tr);

/* tick.c. The thread enters for the first time; is about to end; is it that
 * timer's signal? */
void timer_arm(struct thread *t);
void timer_gone(struct thread *t);
bool timer_is(int sig, const siginfo_t *info);

/* The exception that the driver's verdict on an access means. */
struct exception trap_fault_exception(enum drv_verdict v, uint64_t addr,
				      uint32_t pfec);

/* strict.c: the protection key of enclave mappings: 0, or -errno. */
void strict_init(void);
long strict_map(uint64_t addr, uint64_t size, int prot);
void strict_after_fork(void);
/* Without keys: a thread came from inside an enclave, or goes there. */
void strict_move(bool from_inside, bool to_inside);
/* Makes the context's PKRU right for where the thread is now. */
void strict_apply(struct thread *t, ucontext_t *uc);
/* In strict mode and outside, with an enclave mapping at @addr: reports it and
 * ends the program by SIGABRT at the instruction. False: none of that. */
bool strict_touch(struct trap *tr, uint64_t addr, unsigned access);

/* abort.c: an access from outside that must see ones; false: it cannot be
 * done. And the single step after it: false if the step was not ours. */
bool abort_access(struct trap *tr, uint64_t addr);
bool abort_stepped(struct trap *tr);

#endif
