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

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/signal/sig.h"

#define MISC_MAJOR 10
/* Names that the machine knows are shorter. */
#define NAME_MAX_OURS 48
#define MINOR_ENCLAVE 125
#define MINOR_PROVISION 124

static bool auxv_path(const char *path)
{
	return !strcmp(path, "/proc/self/auxv");
}

/* The program's path, copied, if it is one of these; NULL if not, or if the
 * kernel must find that it is no path at all. */
static const char *special(char name[NAME_MAX_OURS], const char *path)
{
	if (!exec_string(name, NAME_MAX_OURS, path))
		return NULL;
	return device_path(name) || auxv_path(name) || exec_is_self(name)
		       ? name
		       : NULL;
}

bool special_path(const char *path)
{
	char name[NAME_MAX_OURS];

	return special(name, path) != NULL;
}

bool special_self(const char *path)
{
	char name[NAME_MAX_OURS];

	return exec_string(name, sizeof(name), path) && exec_is_self(name);
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
	char buf[NAME_MAX_OURS];
	const char *name = special(buf, path);
	uint64_t mask;
	long r;

	if (name && machine.auxv && auxv_path(name))
		return auxv_open(flags);
	if (name && exec_is_self(name))
		path = dispatch.exe;
	if (!name || !device_path(name))
		return sys_call(SYS_openat, dir, (long)path, flags, mode);
	mask = sig_block();
	fork_check();
	r = handle_open(name, flags);
	sig_unblock(mask);
	return r;
}

static unsigned minor_of(const char *path)
{
	return strstr(path, "provision") ? MINOR_PROVISION : MINOR_ENCLAVE;
}

long do_statat(int dir, const char *path, struct stat *st, int flags)
{
	char buf[NAME_MAX_OURS];
	const char *name = special(buf, path);

	if (name && exec_is_self(name) && !(flags & AT_SYMLINK_NOFOLLOW))
		path = dispatch.exe;
	if (!name || !device_path(name))
		return sys_call(SYS_newfstatat, dir, (long)path, (long)st,
				flags);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFCHR | 0666;
	st->st_nlink = 1;
	st->st_rdev = makedev(MISC_MAJOR, minor_of(name));
	st->st_blksize = SGX_PAGE_SIZE;
	return 0;
}

long do_statx(int dir, const char *path, int flags, unsigned mask,
	      struct statx *stx)
{
	char buf[NAME_MAX_OURS];
	const char *name = special(buf, path);

	if (name && exec_is_self(name) && !(flags & AT_SYMLINK_NOFOLLOW))
		path = dispatch.exe;
	if (!name || !device_path(name))
		return sys_call(SYS_statx, dir, (long)path, flags, mask,
				(long)stx);
	memset(stx, 0, sizeof(*stx));
	stx->stx_mask = STATX_TYPE | STATX_MODE | STATX_NLINK;
	stx->stx_mode = S_IFCHR | 0666;
	stx->stx_nlink = 1;
	stx->stx_rdev_major = MISC_MAJOR;
	stx->stx_rdev_minor = minor_of(name);
	stx->stx_blksize = SGX_PAGE_SIZE;
	return 0;
}

long do_accessat(int dir, const char *path, int mode)
{
	char buf[NAME_MAX_OURS];
	const char *name = special(buf, path);

	if (name && exec_is_self(name))
		path = dispatch.exe;
	if (!name || !device_path(name))
		return sys_call(SYS_faccessat, dir, (long)path, mode);
	return mode & X_OK ? -EACCES : 0;
}
