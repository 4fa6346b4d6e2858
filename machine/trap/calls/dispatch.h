/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls that the program makes by itself, without libc.
 *
 * Syscall User Dispatch turns each into a SIGSYS, except those of this
 * library's own text. The handler gives those that the machine has a part in
 * to the functions that libc's entry points call too (preload.h); all others
 * are done again, unchanged, from this library's text after the handler has
 * returned: with the program's mask, so that signals interrupt them as ever.
 *
 * Dispatch, and not a seccomp filter: a filter cannot be taken away, and would
 * kill whatever the program executes. Dispatch ends at execve(2), and each
 * thread has its own; so clone(2) and execve(2) are among the calls looked at.
 */
#ifndef TRAP_CALLS_DISPATCH_H
#define TRAP_CALLS_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trap;
struct thread;

/* From now on the calls of this thread are dispatched, and those of all that
 * it starts. Ends the program if the kernel has no such thing. */
void dispatch_start(struct thread *t);
/* The call that SIGSYS is about. */
void dispatch_call(struct trap *tr);
/* The same if it is done without libc. False: nothing is done. */
bool dispatch_quick(struct trap *tr);
/* Before a signal's delivery: is the thread in the code that does a call
 * again? Then its context becomes the one at the program's own instruction. */
void dispatch_rewind(struct trap *tr);

/* ---- one call each: the result, or one of these ------------------------ */

#define DISPATCH_AGAIN (-0x10000l) /* to the kernel, unchanged */
#define DISPATCH_SET (-0x10001l)   /* the context is arranged */

/* dispatch_file.c */
long dispatch_open(struct trap *tr, const long a[6]);
long dispatch_openat(struct trap *tr, const long a[6]);
long dispatch_openat2(struct trap *tr, const long a[6]);
long dispatch_stat(struct trap *tr, const long a[6]);
long dispatch_lstat(struct trap *tr, const long a[6]);
long dispatch_fstat(struct trap *tr, const long a[6]);
long dispatch_fstatat(struct trap *tr, const long a[6]);
long dispatch_statx(struct trap *tr, const long a[6]);
long dispatch_access(struct trap *tr, const long a[6]);
long dispatch_faccessat(struct trap *tr, const long a[6]);
long dispatch_faccessat2(struct trap *tr, const long a[6]);
long dispatch_readlink(struct trap *tr, const long a[6]);
long dispatch_readlinkat(struct trap *tr, const long a[6]);
long dispatch_refused(struct trap *tr, const long a[6]);
long dispatch_dup(struct trap *tr, const long a[6]);
long dispatch_fcntl(struct trap *tr, const long a[6]);
long dispatch_close(struct trap *tr, const long a[6]);
long dispatch_close_range(struct trap *tr, const long a[6]);
long dispatch_dup2(struct trap *tr, const long a[6]);
long dispatch_dup3(struct trap *tr, const long a[6]);
long dispatch_ioctl(struct trap *tr, const long a[6]);

/* dispatch_sig.c */
long dispatch_sigaction(struct trap *tr, const long a[6]);
long dispatch_sigprocmask(struct trap *tr, const long a[6]);
long dispatch_sigaltstack(struct trap *tr, const long a[6]);
long dispatch_sigreturn(struct trap *tr, const long a[6]);
long dispatch_sigsuspend(struct trap *tr, const long a[6]);
long dispatch_ppoll(struct trap *tr, const long a[6]);
long dispatch_pselect(struct trap *tr, const long a[6]);
long dispatch_epoll_pwait(struct trap *tr, const long a[6]);

/* brk.c */
void brk_init(void);
long dispatch_brk(struct trap *tr, const long a[6]);

/* dispatch_clone.c */
long dispatch_fork(struct trap *tr, const long a[6]);
long dispatch_vfork(struct trap *tr, const long a[6]);
long dispatch_clone(struct trap *tr, const long a[6]);
long dispatch_clone3(struct trap *tr, const long a[6]);
long dispatch_exit(struct trap *tr, const long a[6]);

/* ---- dispatch.S -------------------------------------------------------- */

/* What the code that does a call again finds at its stack pointer. */
struct dispatch_frame {
	uint64_t back; /* the program's next instruction */
	uint64_t args[6];
	/* Room for arguments of ours. */
	uint64_t mask;
	uint64_t set[2];
};

#define DISPATCH_RED_ZONE 128

extern char dispatch_syscall[], dispatch_syscall_end[];

/* Detours: a piece of code each, DISPATCH_DIRECT bytes, the first one's SYSCALL
 * ends at dispatch_direct_done; and what it does by a call's number. */
#define DISPATCH_DIRECT 128
#define DISPATCH_KINDS 0x10000u
extern char dispatch_direct[], dispatch_direct_end[], dispatch_direct_done[];
extern uint8_t dispatch_kind[DISPATCH_KINDS];

/* Does the call again, with arguments that may be others than the program
 * gave; those are in its registers again afterwards. */
long dispatch_again(struct trap *tr, const long a[6]);
/* The same with room of ours in *f filled in, and where that will be. */
long dispatch_again_frame(struct trap *tr, const long a[6],
			  struct dispatch_frame *f);
uint64_t dispatch_frame_at(const struct trap *tr);

/* clone(2) or clone3(2) with the stack prepared by sig_frame_child(). */
long dispatch_clone_call(long nr, const long a[6]);
void dispatch_clone_child(uint64_t frame);
/* The start of a launched program. */
_Noreturn void launch_start(uint64_t entry, uint64_t sp, uint8_t *selector);

#endif
