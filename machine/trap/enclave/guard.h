/* SPDX-License-Identifier: BSD-3-Clause */
/* SYSCALL in an enclave never reaches the kernel (guard.c). */
#ifndef TRAP_ENCLAVE_GUARD_H
#define TRAP_ENCLAVE_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

struct thread;

/* Can it be caught at all? */
bool guard_possible(void);
/* Arms dispatch for a thread, to catch what is inside or, by dispatch_start(),
 * all of the program's own. False: not there. */
bool guard_arm(struct thread *t);
/* Without dispatch, SYSCALL in [base, base + size) shall trap: 0, or -ENODEV
 * after a line. */
long guard_range(uint64_t base, uint64_t size);
/* SIGSYS: was it about such a call, but outside? Then that is done now. */
bool guard_outside(const siginfo_t *info, ucontext_t *uc);

#endif
