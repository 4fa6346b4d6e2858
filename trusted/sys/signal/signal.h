/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside trusted/sys: signals, and the kernel's structures for them. */
#ifndef TRUSTED_SYS_SIGNAL_H
#define TRUSTED_SYS_SIGNAL_H

#include <asm/siginfo.h>
#include <linux/signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYS_NSIG 64
#define SYS_SIG_DFL 0
#define SYS_SIG_IGN 1

/* The kernel's struct sigaction, as rt_sigaction() takes it. */
struct sys_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer; /* not used: handlers return by themselves */
	uint64_t mask;
};

/* The first fields of siginfo_t, padded to its size. */
struct sys_siginfo {
	int32_t signo;
	int32_t error;
	int32_t code;
	int32_t pad;
	uint64_t addr;
	uint64_t rest[13];
};

#define SYS_UC_GREGS 23

/* ucontext_t: what a handler can look at, and change. */
struct sys_ucontext {
	uint64_t flags;
	uint64_t link;
	uint64_t stack[3];
	uint64_t gregs[SYS_UC_GREGS];
	uint64_t fpregs;
	uint64_t reserved[8];
	uint64_t sigmask;
	uint64_t sigmask_rest[15];
	uint64_t fpmem[64];
};

_Static_assert(sizeof(struct sys_action) == 32, "sigaction");
_Static_assert(sizeof(struct sys_siginfo) == 128, "siginfo");
_Static_assert(offsetof(struct sys_ucontext, sigmask) == 296, "ucontext");

/* A handler is set and its signal is not blocked; *act is a copy. */
bool sys_signal_caught(int signo, struct sys_action *act);
/* The mask while a handler runs; returns the mask to go back to. */
uint64_t sys_signal_enter(int signo, const struct sys_action *act);
void sys_signal_leave(uint64_t mask);
uint64_t sys_signal_mask(void);

#endif
