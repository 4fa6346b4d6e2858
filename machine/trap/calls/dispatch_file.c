/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls on files of a program without libc: those on the device and on
 * descriptors of ours are done here, all others are the kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "machine/trap/base/own.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/chardev.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/enclave/trap.h"

static bool follows(long flags, long unless)
{
	return !(flags & unless);
}

long dispatch_open(struct trap *tr, const long a[6])
{
	const char *path = (const char *)a[0];

	(void)tr;
	return special_path(AT_FDCWD, path, follows(a[1], O_NOFOLLOW))
		       ? do_openat(AT_FDCWD, path, (int)a[1], (unsigned)a[2])
		       : DISPATCH_AGAIN;
}

long dispatch_openat(struct trap *tr, const long a[6])
{
	const char *path = (const char *)a[1];

	(void)tr;
	return special_path((int)a[0], path, follows(a[2], O_NOFOLLOW))
		       ? do_openat((int)a[0], path, (int)a[2], (unsigned)a[3])
		       : DISPATCH_AGAIN;
}

long dispatch_openat2(struct trap *tr, const long a[6])
{
	const char *path = (const char *)a[1];
	struct open_how how;

	(void)tr;
	if (!special_path((int)a[0], path, true))
		return DISPATCH_AGAIN;
	if (a[3] < (long)sizeof(how))
		return -EINVAL;
	if (ucopy(&how, (const void *)a[2], sizeof(how)))
		return -EFAULT;
	return do_openat((int)a[0], path, (int)how.flags, (unsigned)how.mode);
}

static long stat_out(long dir, long path, long out, long flags)
{
	const char *name = (const char *)path;
	struct stat st;
	long r;

	if (!special_at((int)dir, name, (int)flags))
		return DISPATCH_AGAIN;
	r = do_statat((int)dir, name, &st, (int)flags);
	if (!r && ucopy((void *)out, &st, sizeof(st)))
		return -EFAULT;
	return r;
}

long dispatch_stat(struct trap *tr, const long a[6])
{
	(void)tr;
	return stat_out(AT_FDCWD, a[0], a[1], 0);
}

long dispatch_lstat(struct trap *tr, const long a[6])
{
	(void)tr;
	return stat_out(AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

long dispatch_fstat(struct trap *tr, const long a[6])
{
	static const char empty[1];

	(void)tr;
	return stat_out(a[0], (long)empty, a[1], AT_EMPTY_PATH);
}

long dispatch_fstatat(struct trap *tr, const long a[6])
{
	(void)tr;
	return stat_out(a[0], a[1], a[2], a[3]);
}

long dispatch_statx(struct trap *tr, const long a[6])
{
	const char *name = (const char *)a[1];
	struct statx stx;
	long r;

	(void)tr;
	if (!special_at((int)a[0], name, (int)a[2]))
		return DISPATCH_AGAIN;
	r = do_statx((int)a[0], name, (int)a[2], (unsigned)a[3], &stx);
	if (!r && ucopy((void *)a[4], &stx, sizeof(stx)))
		return -EFAULT;
	return r;
}

static long access_at(long dir, long path, long mode, long flags)
{
	const char *name = (const char *)path;

	return special_at((int)dir, name, (int)flags)
		       ? do_accessat((int)dir, name, (int)mode, (int)flags)
		       : DISPATCH_AGAIN;
}

long dispatch_access(struct trap *tr, const long a[6])
{
	(void)tr;
	return access_at(AT_FDCWD, a[0], a[1], 0);
}

long dispatch_faccessat(struct trap *tr, const long a[6])
{
	(void)tr;
	return access_at(a[0], a[1], a[2], 0);
}

long dispatch_faccessat2(struct trap *tr, const long a[6])
{
	(void)tr;
	return access_at(a[0], a[1], a[2], a[3]);
}

static long readlink_out(long dir, long path, long out, long size)
{
	const char *name = (const char *)path;

	if (!special_path((int)dir, name, true))
		return DISPATCH_AGAIN;
	return do_readlinkat((int)dir, name, (char *)out,
			     size > 0 ? (size_t)size : 0);
}

long dispatch_readlink(struct trap *tr, const long a[6])
{
	(void)tr;
	return readlink_out(AT_FDCWD, a[0], a[1], a[2]);
}

long dispatch_readlinkat(struct trap *tr, const long a[6])
{
	(void)tr;
	return readlink_out(a[0], a[1], a[2], a[3]);
}

/* What a character device refuses. */
long dispatch_refused(struct trap *tr, const long a[6])
{
	long r = device_refuses((long)tr->uc->uc_mcontext.gregs[REG_RAX], a);

	return r ? r : DISPATCH_AGAIN;
}

long dispatch_dup(struct trap *tr, const long a[6])
{
	(void)tr;
	return handle_maybe((int)a[0]) ? handle_dup(sys_call(SYS_dup, a[0]))
				       : DISPATCH_AGAIN;
}

long dispatch_fcntl(struct trap *tr, const long a[6])
{
	long r = device_fcntl((int)a[0], (int)a[1], (unsigned long)a[2]);

	(void)tr;
	return r == DEVICE_FCNTL_OTHER ? DISPATCH_AGAIN : r;
}

long dispatch_close(struct trap *tr, const long a[6])
{
	(void)tr;
	return handle_of((int)a[0]) || own_is((int)a[0]) ? do_close((int)a[0])
							 : DISPATCH_AGAIN;
}

long dispatch_close_range(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_close_range((unsigned)a[0], (unsigned)a[1], (unsigned)a[2]);
}

long dispatch_dup2(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_dup3(SYS_dup2, (int)a[0], (int)a[1], 0);
}

long dispatch_dup3(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_dup3(SYS_dup3, (int)a[0], (int)a[1], (int)a[2]);
}

long dispatch_ioctl(struct trap *tr, const long a[6])
{
	(void)tr;
	return handle_of((int)a[0]) ? do_ioctl((int)a[0], (unsigned long)a[1],
					       (uint64_t)a[2])
				    : DISPATCH_AGAIN;
}
