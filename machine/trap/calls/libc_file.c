/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions of libc on open files that the preload library takes the place
 * of: what closes descriptors or takes their numbers, and what tells that a
 * descriptor of the device is no device. What is not about one goes to libc,
 * which may be cancelled there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/calls/chardev.h"
#include "machine/trap/calls/preload.h"

#define EXPORT __attribute__((visibility("default")))

static long result(long r)
{
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

/* libc's own function, of the name in @fn. */
#define REAL(fn, name)                                            \
	do {                                                      \
		if (!(fn))                                        \
			*(void **)&(fn) = dlsym(RTLD_NEXT, name); \
	} while (0)

/* ---- numbers ------------------------------------------------------------ */

EXPORT int dup(int fd)
{
	return (int)result(handle_dup(sys_call(SYS_dup, fd)));
}

EXPORT int dup2(int from, int to)
{
	return (int)result(do_dup3(SYS_dup2, from, to, 0));
}

EXPORT int dup3(int from, int to, int flags)
{
	return (int)result(do_dup3(SYS_dup3, from, to, flags));
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	return (int)result(do_close_range(first, last, (unsigned)flags));
}

EXPORT void closefrom(int low)
{
	do_close_range(low < 0 ? 0 : (unsigned)low, UINT_MAX, 0);
}

static int fcntl_of(int fd, int cmd, unsigned long arg)
{
	static int (*real)(int, int, ...);
	long r = device_fcntl(fd, cmd, arg);

	if (r != DEVICE_FCNTL_OTHER)
		return (int)result(r);
	REAL(real, "fcntl64");
	return real(fd, cmd, arg);
}

/* One argument at most, and a register for it in any case. */
#define FCNTL(name)                              \
	EXPORT int name(int fd, int cmd, ...)    \
	{                                        \
		va_list ap;                      \
		unsigned long arg;               \
                                                 \
		va_start(ap, cmd);               \
		arg = va_arg(ap, unsigned long); \
		va_end(ap);                      \
		return fcntl_of(fd, cmd, arg);   \
	}
FCNTL(fcntl)
FCNTL(fcntl64)

/* ---- what is known of it ------------------------------------------------ */

EXPORT int fstat(int fd, struct stat *st)
{
	return (int)result(do_fstat(fd, st));
}

EXPORT int fstat64(int fd, struct stat64 *st)
{
	return (int)result(do_fstat(fd, (struct stat *)st));
}

/* Of programs that were built before glibc 2.33: a version, always 1. */
#define OLD_STAT(name, type, ...)                                \
	int name(int version, type file, struct stat *st);       \
	EXPORT int name(int version, type file, struct stat *st) \
	{                                                        \
		(void)version;                                   \
		return (int)result(__VA_ARGS__);                 \
	}
OLD_STAT(__fxstat, int, do_fstat(file, st))
OLD_STAT(__fxstat64, int, do_fstat(file, st))
OLD_STAT(__xstat, const char *, do_statat(AT_FDCWD, file, st, 0))
OLD_STAT(__xstat64, const char *, do_statat(AT_FDCWD, file, st, 0))
OLD_STAT(__lxstat, const char *,
	 do_statat(AT_FDCWD, file, st, AT_SYMLINK_NOFOLLOW))
OLD_STAT(__lxstat64, const char *,
	 do_statat(AT_FDCWD, file, st, AT_SYMLINK_NOFOLLOW))

EXPORT int fstatat64(int dir, const char *restrict path,
		     struct stat64 *restrict st, int flags)
{
	return (int)result(do_statat(dir, path, (struct stat *)st, flags));
}

EXPORT int statx(int dir, const char *restrict path, int flags, unsigned mask,
		 struct statx *restrict stx)
{
	return (int)result(do_statx(dir, path, flags, mask, stx));
}

EXPORT ssize_t readlink(const char *restrict path, char *restrict out,
			size_t size)
{
	return result(do_readlinkat(AT_FDCWD, path, out, size));
}

EXPORT ssize_t readlinkat(int dir, const char *restrict path,
			  char *restrict out, size_t size)
{
	return result(do_readlinkat(dir, path, out, size));
}

/* ---- what it refuses ---------------------------------------------------- */

#define _(...) __VA_ARGS__
/* A function of libc's: type, name, system call, parameters, those of the
 * call's arguments that matter, and what libc's own gets. */
#define REFUSED(type, name, nr, params, args, all)              \
	EXPORT type name(params)                                \
	{                                                       \
		static type (*real)(params);                    \
		long r = device_refuses(nr, (long[6]){ args }); \
                                                                \
		if (r)                                          \
			return (type)result(r);                 \
		REAL(real, #name);                              \
		return real(all);                               \
	}

#define BYTES(name, nr, type)                                          \
	REFUSED(ssize_t, name, nr, _(int fd, type p, size_t n), _(fd), \
		_(fd, p, n))
BYTES(read, SYS_read, void *)
BYTES(write, SYS_write, const void *)

#define BYTES_AT(name, nr, type)                                          \
	REFUSED(ssize_t, name, nr, _(int fd, type p, size_t n, off_t at), \
		_(fd), _(fd, p, n, at))
BYTES_AT(pread, SYS_pread64, void *)
BYTES_AT(pread64, SYS_pread64, void *)
BYTES_AT(pwrite, SYS_pwrite64, const void *)
BYTES_AT(pwrite64, SYS_pwrite64, const void *)

#define VECTOR(name, nr)                                                    \
	REFUSED(ssize_t, name, nr, _(int fd, const struct iovec *v, int n), \
		_(fd), _(fd, v, n))
VECTOR(readv, SYS_readv)
VECTOR(writev, SYS_writev)

#define VECTOR_AT(name, nr)                                               \
	REFUSED(ssize_t, name, nr,                                        \
		_(int fd, const struct iovec *v, int n, off_t at), _(fd), \
		_(fd, v, n, at))
VECTOR_AT(preadv, SYS_preadv)
VECTOR_AT(preadv64, SYS_preadv)
VECTOR_AT(pwritev, SYS_pwritev)
VECTOR_AT(pwritev64, SYS_pwritev)

#define VECTOR_AT_FLAGS(name, nr)                                         \
	REFUSED(ssize_t, name, nr,                                        \
		_(int fd, const struct iovec *v, int n, off_t at, int f), \
		_(fd), _(fd, v, n, at, f))
VECTOR_AT_FLAGS(preadv2, SYS_preadv2)
VECTOR_AT_FLAGS(preadv64v2, SYS_preadv2)
VECTOR_AT_FLAGS(pwritev2, SYS_pwritev2)
VECTOR_AT_FLAGS(pwritev64v2, SYS_pwritev2)

#define SEEK(name)                                                       \
	REFUSED(off_t, name, SYS_lseek, _(int fd, off_t at, int whence), \
		_(fd, at, whence), _(fd, at, whence))
SEEK(lseek)
SEEK(lseek64)

#define TRUNCATE(name) \
	REFUSED(int, name, SYS_ftruncate, _(int fd, off_t n), _(fd), _(fd, n))
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define ALLOCATE(name)                                         \
	REFUSED(int, name, SYS_fallocate,                      \
		_(int fd, int mode, off_t at, off_t n), _(fd), \
		_(fd, mode, at, n))
ALLOCATE(fallocate)
ALLOCATE(fallocate64)

REFUSED(int, fsync, SYS_fsync, _(int fd), _(fd), _(fd))
REFUSED(int, fdatasync, SYS_fdatasync, _(int fd), _(fd), _(fd))
REFUSED(int, sync_file_range, SYS_sync_file_range,
	_(int fd, off64_t at, off64_t n, unsigned flags), _(fd),
	_(fd, at, n, flags))

#define SENDFILE(name)                                                 \
	REFUSED(ssize_t, name, SYS_sendfile,                           \
		_(int to, int from, off_t *at, size_t n), _(to, from), \
		_(to, from, at, n))
SENDFILE(sendfile)
SENDFILE(sendfile64)

REFUSED(ssize_t, splice, SYS_splice,
	_(int from, off64_t *at, int to, off64_t *to_at, size_t n,
	  unsigned flags),
	_(from, 0, to), _(from, at, to, to_at, n, flags))
REFUSED(ssize_t, copy_file_range, SYS_copy_file_range,
	_(int from, off64_t *at, int to, off64_t *to_at, size_t n,
	  unsigned flags),
	_(from, 0, to), _(from, at, to, to_at, n, flags))

/* With _FORTIFY_SOURCE, of a buffer whose size is known. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
REFUSED(ssize_t, __read_chk, SYS_read,
	_(int fd, void *p, size_t n, size_t room), _(fd), _(fd, p, n, room))

ssize_t __readlink_chk(const char *path, char *out, size_t size, size_t room);
EXPORT ssize_t __readlink_chk(const char *path, char *out, size_t size,
			      size_t room)
{
	if (size > room)
		abort();
	return readlink(path, out, size);
}

ssize_t __readlinkat_chk(int dir, const char *path, char *out, size_t size,
			 size_t room);
EXPORT ssize_t __readlinkat_chk(int dir, const char *path, char *out,
				size_t size, size_t room)
{
	if (size > room)
		abort();
	return readlinkat(dir, path, out, size);
}
