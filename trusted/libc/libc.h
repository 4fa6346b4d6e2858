/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system-call layer: what musl believes to be the kernel. Each call is
 * served inside (memory, signals, identity of threads) or goes to the host by
 * a row of common/calls.h, its arguments copied out, its results bounded on
 * the way in. Results are the kernel's: a number, or a negated errno.
 *
 * Trust: nothing of the host's is used before it is copied and checked. What
 * a host can do is to lie about files, time and its other services.
 */
#ifndef TRUSTED_LIBC_LIBC_H
#define TRUSTED_LIBC_LIBC_H

#include <asm/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/calls.h"
#include "trusted/rt/rt.h"

/* Arguments of a system call, as registers have them. */
typedef long (*libc_fn)(const uint64_t *a);

/*
 * Numbers beyond Linux's: for musl's malloc, whose memory is the arena's
 * (elastic/heap.h), and for its __clone().
 */
#define LIBC_HEAP_MMAP 0x1000
#define LIBC_HEAP_MUNMAP 0x1001
#define LIBC_HEAP_MREMAP 0x1002
#define LIBC_THREAD 0x1003

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

/* All of [addr, addr + size) is the enclave's; size 0 is. */
bool libc_owns(uint64_t addr, uint64_t size);

/* The row of a call, and its result checked against it. */
const struct call_row *libc_row(enum call_nr nr);
long libc_bound(const struct call_row *row, uint64_t result, uint64_t limit);

/* Signals (signal.c): to this thread, as by raise(). */
long libc_raise(int signo);
/* A fault of the program's goes to its handler, if it has one (fault.c). */
bool libc_fault(struct rt_regs *r);
/* Top of the alternate stack; 0: there is none, or RSP is on it. */
uint64_t libc_alternate_top(uint64_t rsp);
/* The least stack on which a fault's handler can run: AT_MINSIGSTKSZ. */
uint64_t libc_signal_stack_min(void);

/* start.c */
struct heap;
struct heap *libc_heap(void);

/* The calls that files of this folder implement. */
/* clang-format off */
#define LIBC_CALLS(X)                                                  \
	X(read) X(write) X(readv) X(writev) X(pread64) X(pwrite64)     \
	X(preadv) X(pwritev) X(open) X(creat) X(close) X(stat)         \
	X(lstat) X(fstat) X(newfstatat) X(access) X(mkdir) X(rmdir)    \
	X(unlink) X(rename) X(renameat) X(link) X(symlink)             \
	X(readlink) X(readlinkat) X(chmod) X(getdents64) X(getcwd)     \
	X(dup2) X(pipe) X(pipe2) X(fcntl) X(ioctl)                     \
	X(poll) X(ppoll) X(select) X(pselect6)                         \
	X(clock_gettime) X(clock_getres) X(clock_nanosleep)            \
	X(nanosleep) X(gettimeofday) X(time)                           \
	X(mmap) X(munmap) X(mprotect) X(mremap) X(madvise) X(brk)      \
	X(msync)                                                       \
	X(rt_sigaction) X(rt_sigprocmask) X(rt_sigpending)             \
	X(sigaltstack) X(kill) X(tkill) X(tgkill)                      \
	X(exit) X(exit_group) X(arch_prctl) X(set_tid_address)         \
	X(gettid) X(uname) X(getrandom) X(futex) X(sched_yield)        \
	X(sched_getaffinity) X(getcpu) X(prlimit64) X(getrlimit)       \
	X(setrlimit) X(sysinfo) X(getresuid) X(getresgid)              \
	X(getgroups) X(prctl) X(clone) X(fork) X(vfork) X(wait4)
/* clang-format on */

#define LIBC_DECLARE(name) long libc_##name(const uint64_t *a);
LIBC_CALLS(LIBC_DECLARE)
#undef LIBC_DECLARE

long libc_heap_mmap(const uint64_t *a);
long libc_heap_munmap(const uint64_t *a);
long libc_heap_mremap(const uint64_t *a);
long libc_thread(const uint64_t *a);

#endif
