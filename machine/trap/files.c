/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files by name: the device nodes, which may not exist, and what /proc tells
 * of this process that the machine has made untrue.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dispatch.h"
#include "exec.h"
#include "machine.h"
#include "preload.h"
#include "sig.h"
#include "sys.h"

#define MISC_MAJOR 10
#define MINOR_ENCLAVE 125
#define MINOR_PROVISION 124

static bool auxv_path(const char *path)
{
	return !strcmp(path, "/proc/self/auxv");
}

bool special_path(const char *path)
{
	return device_path(path) || auxv_path(path) || exec_is_self(path);
}

/* The kernel's copy names the real vDSO, and a launcher's program headers. */
static long auxv_open(int flags)
{
	long fd, r;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	fd = sys_call(SYS_memfd_create, (long)"auxv", 1 /* MFD_CLOEXEC */);
	if (fd < 0)
		return fd;
	r = sys_call(SYS_write, fd, (long)machine.auxv,
		     (long)machine.auxv_size);
	sys_call(SYS_lseek, fd, 0, SEEK_SET);
	if (!(flags & O_CLOEXEC))
		sys_call(SYS_fcntl, fd, F_SETFD, 0);
	if (r == (long)machine.auxv_size)
		return fd;
	sys_call(SYS_close, fd);
	return r < 0 ? r : -EIO;
}

long do_openat(int dir, const char *path, int flags, unsigned mode)
{
	uint64_t mask;
	long r;

	if (path && machine.auxv && auxv_path(path))
		return auxv_open(flags);
	if (path && exec_is_self(path))
		path = dispatch.exe;
	if (!device_path(path))
		return sys_call(SYS_openat, dir, (long)path, flags, mode);
	mask = sig_block();
	machine_check_fork();
	r = handle_open(path, flags);
	sig_unblock(mask);
	return r;
}

static unsigned minor_of(const char *path)
{
	return strstr(path, "provision") ? MINOR_PROVISION : MINOR_ENCLAVE;
}

long do_statat(int dir, const char *path, struct stat *st, int flags)
{
	if (path && exec_is_self(path) && !(flags & AT_SYMLINK_NOFOLLOW))
		path = dispatch.exe;
	if (!device_path(path))
		return sys_call(SYS_newfstatat, dir, (long)path, (long)st,
				flags);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFCHR | 0666;
	st->st_nlink = 1;
	st->st_rdev = makedev(MISC_MAJOR, minor_of(path));
	st->st_blksize = SGX_PAGE_SIZE;
	return 0;
}

long do_statx(int dir, const char *path, int flags, unsigned mask,
	      struct statx *stx)
{
	if (path && exec_is_self(path) && !(flags & AT_SYMLINK_NOFOLLOW))
		path = dispatch.exe;
	if (!device_path(path))
		return sys_call(SYS_statx, dir, (long)path, flags, mask,
				(long)stx);
	memset(stx, 0, sizeof(*stx));
	stx->stx_mask = STATX_TYPE | STATX_MODE | STATX_NLINK;
	stx->stx_mode = S_IFCHR | 0666;
	stx->stx_nlink = 1;
	stx->stx_rdev_major = MISC_MAJOR;
	stx->stx_rdev_minor = minor_of(path);
	stx->stx_blksize = SGX_PAGE_SIZE;
	return 0;
}

long do_accessat(int dir, const char *path, int mode)
{
	if (path && exec_is_self(path))
		path = dispatch.exe;
	if (!device_path(path))
		return sys_call(SYS_faccessat, dir, (long)path, mode);
	return mode & X_OK ? -EACCES : 0;
}
