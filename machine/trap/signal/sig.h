/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's signals, virtualised. The library owns the real handlers of
 * the synchronous signals and of every signal that the program handles; the
 * program's own actions, masks of synchronous signals and alternate stacks are
 * records here. A signal for the program is delivered by building the kernel's
 * frame on the program's stack and returning into its handler.
 */
#ifndef TRAP_SIGNAL_SIG_H
#define TRAP_SIGNAL_SIG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

struct thread;

/* Kernel's struct sigaction, x86-64. */
struct ksigaction {
	void *handler;
	uint64_t flags;
	void *restorer;
	uint64_t mask;
};

#define KSIG_RESTORER 0x04000000ul
#define KSIG_BIT(n) (1ull << ((n)-1))
/* Signals that the machine needs for itself: never really blocked. */
#define KSIG_SYNC                                                  \
	(KSIG_BIT(SIGSEGV) | KSIG_BIT(SIGBUS) | KSIG_BIT(SIGILL) | \
	 KSIG_BIT(SIGFPE) | KSIG_BIT(SIGTRAP) | KSIG_BIT(SIGSYS))
#define KSIG_SYNC_TEST(n) (((n) <= 64) && (KSIG_SYNC & KSIG_BIT(n)))

/* @handler: of every signal of ours. */
typedef void sig_handler(int sig, siginfo_t *info, void *context);
void sig_init(sig_handler *handler);

/* Blocks every signal but the synchronous ones; returns the old mask. */
uint64_t sig_block(void);
void sig_unblock(uint64_t old);

/* The same for the context that a handler returns to. */
uint64_t sig_context_block(ucontext_t *uc);
void sig_context_unblock(ucontext_t *uc, uint64_t old);

/* sigaction(2) as the program sees it: 0 or -errno. */
long sig_action(int sig, const struct ksigaction *act, struct ksigaction *old);

/* sigprocmask(2) on a context: 0 or -EINVAL. @old is always filled. */
long sig_context_mask(struct thread *t, ucontext_t *uc, int how,
		      const uint64_t *set, uint64_t *old);
/* sigaltstack(2) of a thread whose stack pointer is @sp. */
long sig_altstack(struct thread *t, uint64_t sp, const stack_t *ss,
		  stack_t *old);

/* All actions, for a child that shares memory but not actions. */
struct sig_table {
	struct ksigaction action[65];
};
void sig_table_save(struct sig_table *s);
void sig_table_clear(void); /* all default, but what is ignored */
void sig_table_restore(const struct sig_table *s);

/* A context that rt_sigreturn(2) is about to take from the program's frame:
 * what is the machine's in it becomes right. False: it cannot be read. */
bool sig_frame_take(struct thread *t, void *context);
/*
 * A frame on the new thread @t's own signal stack: the return to @uc as clone
 * makes it, with 0 as its result and @sp as its stack unless that is 0. The
 * address of the context in it, where the stack pointer must be.
 */
uint64_t sig_frame_child(const struct thread *t, const ucontext_t *uc,
			 uint64_t sp);

/*
 * glibc sets the handlers of its two internal signals (cancel, setxid) past
 * every interposed function. Makes those that it has set since the program's:
 * then the machine's handler runs first, and leaves the enclave.
 */
#define SIG_CANCEL 32
#define SIG_SETXID 33
void sig_adopt(void);

/*
 * A signal to one thread that only makes its handler run: glibc's second
 * internal one, with a value that nobody else sends.
 */
#define SIG_KICK SIG_SETXID
void sig_kick(int tid);
bool sig_is_kick(int sig, const siginfo_t *info);

enum sig_cause {
	SIG_SENT,   /* by kill, a timer ...: may be ignored */
	SIG_FORCED, /* an exception that the machine raised */
	SIG_NATIVE, /* an exception of the program's own instruction */
};

/*
 * Arranges that the return from the handler whose context is @uc goes to the
 * program's handler of @sig, or ends the program as its default action would
 * (for SIG_NATIVE: by doing the instruction again without a handler).
 */
void sig_deliver(struct thread *t, int sig, siginfo_t *info, ucontext_t *uc,
		 enum sig_cause cause);

/* Ends the program by @sig, whatever it does about it, at the context. */
void sig_die(int sig, siginfo_t *info, ucontext_t *uc);

extern char sig_restorer[], sig_restorer_end[];

/*
 * The end of a handler is not seen: rt_sigreturn goes to the kernel, or the
 * handler jumps out. Forgets those whose frames are no longer on the stack that
 * @sp is on, so that t->blocked is what it was before them.
 */
void sig_settle(struct thread *t, uint64_t sp);

#endif
