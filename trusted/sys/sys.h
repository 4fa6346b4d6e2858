/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system-call layer: what the C library believes to be the kernel. The
 * call's row in common/calls.h says who serves it: a function inside (memory,
 * signals, identity of threads), the host, or both. What goes to the host has
 * its arguments copied out and its results bounded on the way in. Results are
 * the kernel's: a number, or a negated errno.
 *
 * Trust: nothing of the host's is used before it is copied and checked. What
 * a host can do is to lie about files, time and its other services.
 */
#ifndef TRUSTED_SYS_SYS_H
#define TRUSTED_SYS_SYS_H

#include <asm/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/calls.h"
#include "trusted/rt/rt.h"

/* The program's calls (syscall.c). */
long sys_serve(const struct rt_call *c);

/* Arguments of a system call, as registers have them. */
typedef long (*sys_fn)(const uint64_t *a);

/**
 * sys_call() - one host call by its row
 * @nr: of common/calls.h
 * @a: arguments, pointers as the program has them
 *
 * Return: the result, in the row's bounds; -EFAULT for a range that is not
 * the enclave's, -ENAMETOOLONG for a path without end, -EPROTO for a result
 * out of bounds, -ENOMEM when the data buffer is too small.
 */
long sys_call(enum call_nr nr, const uint64_t *a);

/* The row of a number, or NULL. */
const struct call_row *sys_row(uint64_t nr);

/*
 * The program may read [addr, addr + size), or write it: else a call that has
 * to is EFAULT, as the kernel's would be. So it is with every range of no
 * bytes.
 */
bool sys_owns(uint64_t addr, uint64_t size);
bool sys_owns_to_write(uint64_t addr, uint64_t size);

/**
 * sys_bound() - a host's result, if the row has it
 * @nr: of common/calls.h
 * @a: arguments of the call
 * @result: as the host gave it
 * @limit: bytes or elements that were asked for, for CALL_RET_LEN and _ARRAY
 *
 * Return: @result, or -EPROTO.
 */
long sys_bound(enum call_nr nr, const uint64_t *a, uint64_t result,
	       uint64_t limit);

/* Of a time that the program gives, with @part of so many @parts of a second.
 */
static inline bool sys_time_valid(int64_t seconds, int64_t part, int64_t parts)
{
	return seconds >= 0 && part >= 0 && part < parts;
}

/* RLIMIT_NOFILE: a call gives out lower descriptors only (rlimit.c). */
uint64_t sys_fd_limit(void);

/* A fault of the program's goes to its handler, if it has one (fault.c). */
bool sys_fault(struct rt_regs *r);
/* Signals are due at the end of a call; @r goes on with them (deliver.c). */
bool sys_signals_wait(void);
/* What write() to a pipe without readers sends its thread (send.c). */
void sys_signal_pipe(void);
/* The call that they have interrupted begins anew after them (signal.c). */
bool sys_signal_restarts(void);
/* What the host's process began with is the program's, too (outside.c). */
void sys_outside_start(void);
void sys_signals(struct rt_regs *r);
/* The least stack on which a handler can run: AT_MINSIGSTKSZ (frame.c). */
uint64_t sys_signal_stack_min(void);

/* Maps a touched page below a mapping that grows down (grow.c). */
bool sys_grow(uint64_t addr);

/* start.c */
struct heap;
struct heap *sys_heap(void);
/* Time goes on: now and then, inside the runtime. */
void sys_tick(void);

/* A function for each row of common/calls.h that has one. */
#define SYS_DECLARE_HOST(name)
#define SYS_DECLARE_PART(name)
#define SYS_DECLARE_NONE(name)
#define SYS_DECLARE_BOTH(name) long sys_##name(const uint64_t *a);
#define SYS_DECLARE_INSIDE(name) long sys_##name(const uint64_t *a);
#define SYS_DECLARE(name, number, who, ...) SYS_DECLARE_##who(name)
CALL_LIST(SYS_DECLARE)

#endif
