/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions of libc that the preload library takes the place of: each
 * turns its arguments into the system call's and back into errno.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/chardev.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/tell/tell.h"

#define EXPORT __attribute__((visibility("default")))

static long result(long r)
{
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

/* ---- files ------------------------------------------------------------- */

#define OPEN_MODE(flags)                                 \
	__extension__({                                  \
		mode_t mode_ = 0;                        \
		if ((flags) & (O_CREAT | __O_TMPFILE)) { \
			va_list ap_;                     \
			va_start(ap_, flags);            \
			mode_ = va_arg(ap_, mode_t);     \
			va_end(ap_);                     \
		}                                        \
		mode_;                                   \
	})

EXPORT int open(const char *path, int flags, ...)
{
	return (int)result(do_openat(AT_FDCWD, path, flags, OPEN_MODE(flags)));
}

EXPORT int open64(const char *path, int flags, ...)
{
	return (int)result(do_openat(AT_FDCWD, path, flags, OPEN_MODE(flags)));
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	return (int)result(do_openat(dir, path, flags, OPEN_MODE(flags)));
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
	return (int)result(do_openat(dir, path, flags, OPEN_MODE(flags)));
}

int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
	return (int)result(do_openat(AT_FDCWD, path, flags, 0));
}

int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
	return (int)result(do_openat(AT_FDCWD, path, flags, 0));
}

EXPORT int close(int fd)
{
	return (int)result(do_close(fd));
}

static _Noreturn void leave(int status)
{
	report_end();
	for (;;)
		sys_call(SYS_exit_group, status);
}

EXPORT void _exit(int status)
{
	leave(status);
}

EXPORT void _Exit(int status)
{
	leave(status);
}

EXPORT int ioctl(int fd, unsigned long cmd, ...)
{
	va_list ap;
	uint64_t arg;

	va_start(ap, cmd);
	arg = va_arg(ap, uint64_t);
	va_end(ap);
	return (int)result(do_ioctl(fd, cmd, arg));
}

static int stat_at(int dir, const char *path, struct stat *st, int flags)
{
	return (int)result(do_statat(dir, path, st, flags));
}

EXPORT int stat(const char *restrict path, struct stat *restrict st)
{
	return stat_at(AT_FDCWD, path, st, 0);
}

EXPORT int stat64(const char *restrict path, struct stat64 *restrict st)
{
	return stat_at(AT_FDCWD, path, (struct stat *)st, 0);
}

EXPORT int lstat(const char *restrict path, struct stat *restrict st)
{
	return stat_at(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

EXPORT int lstat64(const char *restrict path, struct stat64 *restrict st)
{
	return stat_at(AT_FDCWD, path, (struct stat *)st, AT_SYMLINK_NOFOLLOW);
}

EXPORT int fstatat(int dir, const char *restrict path, struct stat *restrict st,
		   int flags)
{
	return stat_at(dir, path, st, flags);
}

EXPORT int faccessat(int dir, const char *path, int mode, int flags)
{
	return (int)result(do_accessat(dir, path, mode, flags));
}

EXPORT int access(const char *path, int mode)
{
	return (int)result(do_accessat(AT_FDCWD, path, mode, 0));
}

/* ---- mappings ---------------------------------------------------------- */

EXPORT void *mmap(void *addr, size_t len, int prot, int flags, int fd,
		  off_t off)
{
	return (void *)result(
		do_mmap(addr, len, prot, flags, fd, (uint64_t)off));
}

EXPORT void *mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off64_t off)
{
	return (void *)result(
		do_mmap(addr, len, prot, flags, fd, (uint64_t)off));
}

EXPORT int munmap(void *addr, size_t len)
{
	return (int)result(do_munmap(addr, len));
}

EXPORT int mprotect(void *addr, size_t len, int prot)
{
	return (int)result(do_mprotect(addr, len, prot));
}

EXPORT int pkey_mprotect(void *addr, size_t len, int prot, int key)
{
	return (int)result(do_pkey_mprotect(addr, len, prot, key));
}

EXPORT int madvise(void *addr, size_t len, int advice)
{
	return (int)result(do_madvise(addr, len, advice));
}

EXPORT int msync(void *addr, size_t len, int flags)
{
	return (int)result(do_msync(addr, len, flags));
}

EXPORT int mlock(const void *addr, size_t len)
{
	return (int)result(do_mlock(addr, len, 0));
}

EXPORT int mlock2(const void *addr, size_t len, unsigned flags)
{
	return (int)result(do_mlock(addr, len, (int)flags));
}

EXPORT int mlockall(int flags)
{
	return (int)result(do_mlockall(flags));
}

EXPORT void *mremap(void *old, size_t old_len, size_t len, int flags, ...)
{
	va_list ap;
	void *to = NULL;

	if (flags & MREMAP_FIXED) {
		va_start(ap, flags);
		to = va_arg(ap, void *);
		va_end(ap);
	}
	return (void *)result(do_mremap(old, old_len, len, flags, to));
}

/* Those on files, or else as the kernel does it. */
static long syscall_file(long nr, const long a[6])
{
	const char *path = (const char *)a[1];
	long r;

	switch (nr) {
	case SYS_fstat:
		return do_fstat((int)a[0], (struct stat *)a[1]);
	case SYS_newfstatat:
		return do_statat((int)a[0], path, (struct stat *)a[2],
				 (int)a[3]);
	case SYS_statx:
		return do_statx((int)a[0], path, (int)a[2], (unsigned)a[3],
				(struct statx *)a[4]);
	case SYS_readlinkat:
		return do_readlinkat((int)a[0], path, (char *)a[2],
				     (size_t)a[3]);
	case SYS_dup:
		return handle_dup(sys_call6(nr, a));
	case SYS_fcntl:
		r = device_fcntl((int)a[0], (int)a[1], (unsigned long)a[2]);
		return r == DEVICE_FCNTL_OTHER ? sys_call6(nr, a) : r;
	default:
		r = device_refuses(nr, a);
		return r ? r : sys_call6(nr, a);
	}
}

/* syscall(2): the calls that the machine has a part in. */
EXPORT long syscall(long nr, ...)
{
	static long (*real)(long nr, ...);
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	/* libc's own is dispatched. */
	if (dispatch.on) {
		if (!real)
			*(void **)&real = dlsym(RTLD_NEXT, "syscall");
		return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	switch (nr) {
	case SYS_open:
		return result(do_openat(AT_FDCWD, (const char *)a[0], (int)a[1],
					(mode_t)a[2]));
	case SYS_openat:
		return result(do_openat((int)a[0], (const char *)a[1],
					(int)a[2], (mode_t)a[3]));
	case SYS_close:
		return result(do_close((int)a[0]));
	case SYS_close_range:
		return result(do_close_range((unsigned)a[0], (unsigned)a[1],
					     (unsigned)a[2]));
	case SYS_dup2:
	case SYS_dup3:
		return result(do_dup3(nr, (int)a[0], (int)a[1], (int)a[2]));
	case SYS_ioctl:
		return result(do_ioctl((int)a[0], (unsigned long)a[1],
				       (uint64_t)a[2]));
	case SYS_mmap:
		return result(do_mmap((void *)a[0], (size_t)a[1], (int)a[2],
				      (int)a[3], (int)a[4], (uint64_t)a[5]));
	case SYS_munmap:
		return result(do_munmap((void *)a[0], (size_t)a[1]));
	case SYS_mprotect:
		return result(
			do_mprotect((void *)a[0], (size_t)a[1], (int)a[2]));
	case SYS_rt_sigprocmask:
		return result(do_sigprocmask((int)a[0], (const uint64_t *)a[1],
					     (uint64_t *)a[2], (size_t)a[3]));
	case SYS_rt_sigaction:
		return result(do_sigaction((int)a[0], (const void *)a[1],
					   (void *)a[2], (size_t)a[3]));
	case SYS_sigaltstack:
		return result(do_sigaltstack((const void *)a[0], (void *)a[1]));
	case SYS_pkey_mprotect:
		return result(do_pkey_mprotect((void *)a[0], (size_t)a[1],
					       (int)a[2], (int)a[3]));
	case SYS_madvise:
		return result(
			do_madvise((void *)a[0], (size_t)a[1], (int)a[2]));
	case SYS_msync:
		return result(do_msync((void *)a[0], (size_t)a[1], (int)a[2]));
	case SYS_mlock:
		return result(do_mlock((void *)a[0], (size_t)a[1], 0));
	case SYS_mlock2:
		return result(do_mlock((void *)a[0], (size_t)a[1], (int)a[2]));
	case SYS_mlockall:
		return result(do_mlockall((int)a[0]));
	default:
		return result(syscall_file(nr, a));
	}
}

/* What libc took from there before the machine changed it. */
static unsigned long hwcap2(void)
{
	const Elf64_auxv_t *a = machine.auxv;

	while (a->a_type != AT_NULL && a->a_type != AT_HWCAP2)
		a++;
	return a->a_un.a_val;
}

EXPORT unsigned long getauxval(unsigned long type)
{
	static unsigned long (*real)(unsigned long);

	if (type == AT_SYSINFO_EHDR)
		return machine.vdso;
	if (type == AT_HWCAP2)
		return hwcap2();
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getauxval");
	return real(type);
}
