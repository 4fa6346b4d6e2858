/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's system calls that the machine looks at, as the kernel takes
 * them: arguments in registers, -errno back. The functions of libc and a
 * launcher for raw system calls both end here.
 */
#ifndef TRAP_CALLS_PRELOAD_H
#define TRAP_CALLS_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

long do_mmap(void *addr, size_t len, int prot, int flags, int fd, uint64_t off);
long do_munmap(void *addr, size_t len);
long do_mprotect(void *addr, size_t len, int prot);
long do_pkey_mprotect(void *addr, size_t len, int prot, int key);
long do_mremap(void *old, size_t old_len, size_t len, int flags, void *to);
long do_msync(void *addr, size_t len, int flags);
long do_madvise(void *addr, size_t len, int advice);
/* mlock.c: @flags of mlock2(2); mlock(2) has none. */
long do_mlock(const void *addr, size_t len, int flags);
long do_mlockall(int flags);
long do_ioctl(int fd, unsigned long cmd, uint64_t arg);
long do_close(int fd);
long do_close_range(unsigned first, unsigned last, unsigned flags);
/* @nr: SYS_dup2 or SYS_dup3. */
long do_dup3(long nr, int from, int to, int flags);

/* libc_signal.c: syscall(2) of these. A set that cannot be read is EFAULT. */
long do_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size);
long do_sigaction(int sig, const void *act, void *old, size_t size);
long do_sigaltstack(const void *ss, void *old);

/* files.c. @path is the program's, and may be none at all. */

/* Is @path a name that one of these gives a meaning of its own? */
bool special_path(int dir, const char *path, bool follow);
/* The same by a call's AT_ flags; the descriptor, if the name is empty. */
bool special_at(int dir, const char *path, int flags);
long do_openat(int dir, const char *path, int flags, unsigned mode);
long do_fstat(int fd, struct stat *st);
long do_statat(int dir, const char *path, struct stat *st, int flags);
long do_statx(int dir, const char *path, int flags, unsigned mask,
	      struct statx *stx);
long do_accessat(int dir, const char *path, int mode, int flags);
long do_readlinkat(int dir, const char *path, char *out, size_t size);

#endif
