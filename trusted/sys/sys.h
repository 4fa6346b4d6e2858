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

/* Arguments of a system call, as registers have them. */
typedef long (*libc_fn)(const uint64_t *a);

/* The entry from musl. */
long edmm_syscall(long n, long a, long b, long c, long d, long e, long f);

/**
 * libc_call() - one host call by its row
 * @nr: of common/calls.h
 * @a: arguments, pointers as the program has them
 *
 * Return: the result, in the row's bounds; -EFAULT for a range that is not
 * the enclave's, -ENAMETOOLONG for a path without end, -EPROTO for a result
 * out of bounds, -ENOMEM when the data buffer is too small.
 */
long libc_call(enum call_nr nr, const uint64_t *a);

/* The row of a number, or NULL. */
const struct call_row *libc_row(uint64_t nr);

/* [addr, addr + size) is the enclave's; so is every range of no bytes. */
bool libc_owns(uint64_t addr, uint64_t size);

/**
 * libc_bound() - a host's result, if the row has it
 * @nr: of common/calls.h
 * @a: arguments of the call
 * @result: as the host gave it
 * @limit: bytes or elements that were asked for, for CALL_RET_LEN and _ARRAY
 *
 * Return: @result, or -EPROTO.
 */
long libc_bound(enum call_nr nr, const uint64_t *a, uint64_t result,
		uint64_t limit);

/* Signals (signal.c): to this thread, as by raise(). */
long libc_raise(int signo);
/* Faults of the program go to its handlers from now on (fault.c). */
void libc_fault_start(void);

/* start.c */
struct heap;
struct heap *libc_heap(void);

/* A function for each row of common/calls.h that has one. */
#define LIBC_DECLARE_HOST(name)
#define LIBC_DECLARE_PART(name)
#define LIBC_DECLARE_NONE(name)
#define LIBC_DECLARE_BOTH(name) long libc_##name(const uint64_t *a);
#define LIBC_DECLARE_INSIDE(name) long libc_##name(const uint64_t *a);
#define LIBC_DECLARE(name, number, who, ...) LIBC_DECLARE_##who(name)
CALL_LIST(LIBC_DECLARE)

#endif
