/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside trusted/sys: signals, and the kernel's structures for them. */
#ifndef TRUSTED_SYS_SIGNAL_H
#define TRUSTED_SYS_SIGNAL_H

#include <asm/siginfo.h>
#include <linux/signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trusted/rt/rt.h"

/* Places in an XSAVE area, in bytes. */
#define XSAVE_FCW 0u
#define XSAVE_FSW 2u
#define XSAVE_MXCSR 24u

#define SYS_NSIG 64
#define SYS_SIG_DFL 0
#define SYS_SIG_IGN 1
#define SYS_SIGSET_SIZE 8
#define SYS_SIG_BIT(signo) (1ull << ((signo)-1))
#define SYS_SIG_NEVER_BLOCKED (SYS_SIG_BIT(SIGKILL) | SYS_SIG_BIT(SIGSTOP))
/* Those that a processor raises: they come before all others. */
#define SYS_SIG_SYNC                                                        \
	(SYS_SIG_BIT(SIGSEGV) | SYS_SIG_BIT(SIGBUS) | SYS_SIG_BIT(SIGILL) | \
	 SYS_SIG_BIT(SIGTRAP) | SYS_SIG_BIT(SIGFPE) | SYS_SIG_BIT(SIGSYS))

/* The kernel's struct sigaction, as rt_sigaction() takes it. */
struct sys_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer; /* where a handler returns to */
	uint64_t mask;
};

/* The fields of siginfo_t, padded to its size. */
struct sys_siginfo {
	int32_t signo;
	int32_t error;
	int32_t code;
	int32_t pad;
	union {
		uint64_t addr; /* of a fault */
		struct {
			int32_t pid; /* of a timer: its number */
			int32_t uid; /* of a timer: its overrun */
		};
	};
	uint64_t value;
	uint64_t rest[12];
};

struct sys_altstack {
	uint64_t addr;
	int32_t flags;
	int32_t pad;
	uint64_t size;
};

#define SYS_UC_GREGS 23

/* The kernel's ucontext: what a handler can look at, and change. */
struct sys_ucontext {
	uint64_t flags;
	uint64_t link;
	struct sys_altstack stack;
	uint64_t gregs[SYS_UC_GREGS];
	uint64_t fpregs;
	uint64_t reserved[8];
	uint64_t sigmask;
};

_Static_assert(sizeof(struct sys_action) == 32, "sigaction");
_Static_assert(sizeof(struct sys_siginfo) == 128, "siginfo");
_Static_assert(offsetof(struct sys_siginfo, addr) == 16, "siginfo");
_Static_assert(offsetof(struct sys_siginfo, value) == 24, "siginfo");
_Static_assert(sizeof(struct sys_ucontext) == 304, "ucontext");
_Static_assert(offsetof(struct sys_ucontext, sigmask) == 296, "ucontext");

/* signal.c: actions, the mask, what is pending. */

struct sys_action *sys_action_of(int signo);
/* It has a handler, and no one blocks it. */
bool sys_signal_caught(int signo);

/* A signal is for a thread, by its context, or for the process. */
#define SYS_SIG_PROCESS UINT32_MAX
#define SYS_SIG_NOBODY (UINT32_MAX - 1)

/**
 * sys_signal_post() - a signal for a thread, or for the process
 * @info: signo and what else its handler is told; copied
 * @to: whose; who is to take it is waked
 *
 * One that is ignored is dropped, and so is a second one of the first 31.
 * Return: 0, or -EAGAIN where no place is left to queue it in.
 */
long sys_signal_post(const struct sys_siginfo *info, uint32_t to);

/* The next of @set that is pending, taken into @info; false: there is none. */
bool sys_signal_take(uint64_t set, struct sys_siginfo *info);
/* Of this thread: those that are pending; those of them that are not blocked.
 */
uint64_t sys_signal_pending(void);
uint64_t sys_signal_due(void);

/* This thread, live no more, takes none of the process's. */
void sys_signal_thread_over(void);

/* Without a handler it would be dropped, or is. */
bool sys_signal_ignored(int signo);

uint64_t sys_signal_mask(void);
void sys_signal_set_mask(uint64_t mask);
/*
 * A wait with another mask, the program's at @addr of @size bytes: the one that
 * was comes back when it is over, and is what a handler that ends it goes back
 * to. Return: 0, -EINVAL or -EFAULT, and the mask is as it was.
 */
long sys_signal_suspend(uint64_t addr, uint64_t size);
uint64_t sys_signal_mask_to_save(void);
/* What of these it blocks comes to this thread all the same; 0: no more. */
void sys_signal_await(uint64_t set);
/* A frame has it now: the handler's mask is made from the wait's. */
void sys_signal_saved(void);
/* One is due that ends a wait: none that does nothing when it is delivered. */
bool sys_signal_interrupts(void);
/* No handler has run: the wait is over all the same. */
void sys_signal_wait_over(void);

/*
 * Where all that is due would do nothing, it is as if it had never come. With
 * another beside it, that one's handler may block it first: it is left to the
 * order in which they are delivered.
 */
void sys_signal_drop_ignored(void);

/* outside.c: signals that come to the host's process. */

/* Tell the host what it needs: the mask; what is done about a signal. */
void sys_outside_mask(uint64_t mask);
void sys_outside_action(int signo, uint64_t handler);
/* Take what has come. */
void sys_outside_look(void);
/* Until something comes, at most so long; UINT64_MAX: for ever. */
long sys_outside_wait(uint64_t nanoseconds);

/* timer.c: a timer's signal, as the program knows it; false: it has none. */
bool sys_timer_info(struct sys_siginfo *info, uint64_t timer, int32_t overrun,
		    uint32_t *to);
/* What timers send to this thread, nobody gets any more. */
void sys_timers_thread_over(void);
/* Of setitimer() and alarm(): one of them has this signal, and is set. */
bool sys_itimer_rang(int signo);

/* deliver.c: from a signal that is due to its handler. */

/*
 * The kernel's force_sig(): @info is delivered to @r now. False, and nothing
 * has changed, where that is the program's end: no handler, or no stack.
 */
bool sys_signal_force(struct rt_regs *r, const struct sys_siginfo *info);
/* SIGSEGV at the way back of this call, or the end. */
void sys_signal_force_later(void);

/* frame.c: the frame of a handler, and its stack. */

/*
 * Let @r go on in the handler of @act. False, with @r as it was, where the
 * frame has no room, or none that the program may write.
 */
bool sys_frame_push(struct rt_regs *r, const struct sys_action *act,
		    const struct sys_siginfo *info);
/* What the frames of later signals tell of the last exception. */
void sys_frame_note_trap(const struct rt_regs *r);

#endif
