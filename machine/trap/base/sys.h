/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw system calls. The preload library replaces libc's entry points, runs in
 * signal handlers with a foreign FS base, and starts before libc does: so its
 * own calls go straight to the kernel, set no errno, and return -errno.
 */
#ifndef TRAP_BASE_SYS_H
#define TRAP_BASE_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

static inline long sys_call6(long nr, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Up to six arguments, integers or pointers, the rest zero. */
#define sys_call(nr, ...) sys_call6((nr), (const long[6]){ __VA_ARGS__ })

static inline void *sys_mmap(void *addr, size_t size, int prot, int flags,
			     int fd, uint64_t off)
{
	return (void *)sys_call(SYS_mmap, (long)addr, (long)size, prot, flags,
				fd, (long)off);
}

static inline int sys_failed(const void *p)
{
	return (uintptr_t)p >= (uintptr_t)-4095;
}

static inline long sys_munmap(const void *addr, size_t size)
{
	return sys_call(SYS_munmap, (long)addr, (long)size);
}

static inline long sys_mprotect(const void *addr, size_t size, int prot)
{
	return sys_call(SYS_mprotect, (long)addr, (long)size, prot);
}

static inline long sys_madvise(const void *addr, size_t size, int advice)
{
	return sys_call(SYS_madvise, (long)addr, (long)size, advice);
}

static inline long sys_munlock(const void *addr, size_t size)
{
	return sys_call(SYS_munlock, (long)addr, (long)size);
}

/* The name of a descriptor in /proc. */
#define SYS_FD_PATH 32u
void sys_fd_path(char path[SYS_FD_PATH], int fd);

/* Writes a line to standard error and ends the process with status 125, which
 * says that no program of the user's has failed. */
_Noreturn void sys_die(const char *what, const char *detail);
void sys_err(const char *text);

#endif
