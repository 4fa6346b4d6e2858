/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread of the program, as the machine sees it: the logical processor.
 *
 * Each thread has a slot of SLOT_SIZE bytes, aligned to its size: this record
 * at the base, a guard page, the signal stack above, and a stack for entries
 * (enclave/fast.h) on top. A handler finds its thread by masking the stack
 * pointer, with no use of FS, whose base may be the enclave's.
 */
#ifndef TRAP_SIGNAL_THREAD_H
#define TRAP_SIGNAL_THREAD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "edmm/machine.h"
#include "machine/model/model.h"

#define THREAD_SLOT_SIZE 0x20000ul
#define THREAD_SLOT_COUNT 8192ul
#define THREAD_OWN_STACK 0x4000ul

/* An instruction that runs once on a buffer instead of enclave memory. */
enum step_keep {
	STEP_MOVED_OLD,	 /* the register gets its old value back */
	STEP_MOVED_NEW,	 /* the instruction has given it a new one */
	STEP_MOVED_BACK, /* the instruction has advanced it */
};

#define STEP_MOVED_MAX 2u

struct step_moved {
	int reg;
	enum step_keep keep;
	long long value;
	long long delta;
};

struct step_state {
	uint32_t count;
	struct step_moved moved[STEP_MOVED_MAX];
	uint8_t *buffer;
	uint64_t sigmask;
	bool tf;
};

/* An entry that a stepping host makes on a thread that is out. */
enum walk_forged {
	WALK_NONE,
	WALK_ASKED, /* its ENCLU is next */
	WALK_INSIDE,
};

/* A thread that a stepping host has in hand (enclave/step.h). */
struct walk_state {
	bool on;      /* it is on pages of the script's ranges */
	bool tf;      /* the context that it runs in has our RFLAGS.TF */
	bool trapped; /* this handler runs for that flag */
	bool pushf;   /* the instruction that it stands before stores flags */
	bool interrupted;	 /* it has left by an AEX of the script's */
	enum walk_forged forged; /* @saved is the AEP's context before it */
	uint32_t resumes; /* ERESUMEs to come, where it leaves a handler */
	const struct script_rule *resuming; /* and which handlers */
	uint64_t pending; /* instruction that was counted, not executed yet */
	long long saved[23];
	uint64_t saved_pending;
};

/* A handler of a synchronous signal that the program is in: while its frame is
 * on the stack, more signals are blocked than before. */
struct thread_nest {
	uint64_t frame;
	uint64_t blocked; /* before */
};

#define THREAD_NEST_MAX 16u

struct thread {
	/*
	 * bases: FS and GS base are the enclave's, so a handler must put the
	 * host's back before it calls anything. Only the handler's outermost
	 * frame sees it set.
	 */
	bool bases;
	bool cpuid;	  /* CPUID faults on this thread */
	bool sud;	  /* system calls are dispatched by @selector */
	uint8_t selector; /* of PR_SET_SYSCALL_USER_DISPATCH */
	/* In the fast entry (fast.h): a signal that comes now is put off. */
	bool busy;
	bool deferred;
	bool gs_insn; /* GS is set by WRGSBASE; the kernel has none (bases.c) */
	uint64_t host_fs;
	uint64_t host_gs;
	uint64_t encl_fs;
	uint64_t encl_gs;
	uint64_t deferred_mask;
	struct fast_regs *block;
	uint64_t enclu; /* of the entry that the block is about */

	struct mach_cpu cpu;
	struct edmm_machine_stats stats; /* what the front end counts of it */

	struct step_state step;
	struct walk_state walk;

	stack_t altstack; /* what the program believes it has set */
	uint64_t blocked; /* synchronous signals it believes blocked */
	struct thread_nest nest[THREAD_NEST_MAX];
	uint32_t nests;
	int tid;
	bool timed; /* @timer interrupts it */
	int timer;
	uint32_t index;
	/* Handlers run with this FS base, if it is not zero: the thread's own
	 * is not libc's. */
	uint64_t handler_fs;
	void *exec_block; /* of exec_prepare() */
	bool borrowed;	  /* by a child of vfork */
	bool ready;	  /* has been inside once: see trap_enclu() */
	bool told;	  /* host_fs and host_gs have been asked for once */
	bool gs_call;	  /* not by WRGSBASE any more: it was lost too often */
	uint32_t losses;  /* in a row, of GS at @lost_at */
	uint64_t lost_at;
	/* While a handler runs: the bases in force (bases.c). */
	uint64_t fs;
	uint64_t gs;
};

/* The caller's record, where FS is libc's; NULL: none yet. */
extern __thread struct thread *thread_tls;

/* From now on thread_each() passes this thread by. */
void thread_hide(const struct thread *t);

/* The caller's record, made and set up if there is none yet. Host FS only. */
struct thread *thread_self(void);
/* The same in a handler, from the stack; NULL if on no stack of ours. */
struct thread *thread_on_stack(const void *sp);
/* A record for a thread to come, not the caller's, or NULL: there are too many;
 * and back, unused. */
struct thread *thread_new(void);
void thread_free(struct thread *t);
/* The caller's, from now on. */
void thread_become(struct thread *t);
/* Its signal stack. */
stack_t thread_stack(struct thread *t);
void thread_init(void);
/* Calls @fn for every thread that has a record. */
void thread_each(void (*fn)(void *arg, struct thread *t), void *arg);
/* In a child of fork there is one thread, the caller. */
void thread_after_fork(void);
/* In a copy of the process: the one thread is @t, where it was. */
void thread_copied(struct thread *t);
/* At the end of a thread: gives its slot back. */
void thread_exit(void);
/* The same on the thread's own signal stack, and ends the thread. */
_Noreturn void thread_leave(struct thread *t, long status);

/* exit(2) of one thread, which clears bits in *word on the way, when it needs
 * its stack no more. */
_Noreturn void thread_exit_call(long status, uint64_t *word, uint64_t keep);

#endif
