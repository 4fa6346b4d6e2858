/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files by name: the device nodes, which may not exist, and what /proc tells
 * of this process that the machine has made untrue.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/chardev.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/environ.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/calls/preload.h"

/* What a name of the program's is to the machine. */
enum meaning {
	MEANS_ITSELF, /* also what the kernel must find to be no name */
	MEANS_AUXV,
	MEANS_ENVIRON,
	MEANS_EXE,
	MEANS_DEVICE
};

static enum meaning meaning(int dir, const char *path, bool follow,
			    enum handle_kind *kind)
{
	char name[NAME_ROOM];

	if (!exec_string(name, sizeof(name), path))
		return MEANS_ITSELF;
	if (machine.auxv && !strcmp(name, "/proc/self/auxv"))
		return MEANS_AUXV;
	if (!strcmp(name, "/proc/self/environ"))
		return MEANS_ENVIRON;
	if (exec_is_self(name))
		return MEANS_EXE;
	*kind = device_named(dir, name, follow);
	return *kind ? MEANS_DEVICE : MEANS_ITSELF;
}

bool special_path(int dir, const char *path, bool follow)
{
	enum handle_kind kind;

	return meaning(dir, path, follow, &kind) != MEANS_ITSELF;
}

/* The name of nothing, which means the descriptor. */
static bool is_empty(const char *path, int flags)
{
	char c = 0;

	return (flags & AT_EMPTY_PATH) &&
	       (!path || (!ucopy(&c, path, 1) && !c));
}

bool special_at(int dir, const char *path, int flags)
{
	if (is_empty(path, flags))
		return handle_of(dir);
	return special_path(dir, path, !(flags & AT_SYMLINK_NOFOLLOW));
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
	enum handle_kind kind;

	switch (meaning(dir, path, !(flags & O_NOFOLLOW), &kind)) {
	case MEANS_AUXV:
		return auxv_open(flags);
	case MEANS_ENVIRON:
		return environ_open(flags);
	case MEANS_DEVICE:
		return device_open(kind, flags);
	case MEANS_EXE:
		path = dispatch.exe;
		break;
	case MEANS_ITSELF:
		break;
	}
	return sys_call(SYS_openat, dir, (long)path, flags, mode);
}

/* ---- stat --------------------------------------------------------------- */

long do_fstat(int fd, struct stat *st)
{
	const struct handle *h = handle_of(fd);

	if (!h)
		return sys_call(SYS_fstat, fd, (long)st);
	device_stat(h->kind, st);
	return 0;
}

/* Is it a device, *kind? If not, *path may become that of another file. */
static bool is_device(int dir, const char **path, int flags,
		      enum handle_kind *kind)
{
	bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
	const struct handle *h;

	if (is_empty(*path, flags)) {
		h = handle_of(dir);
		*kind = h ? h->kind : HANDLE_FREE;
		return h;
	}
	switch (meaning(dir, *path, follow, kind)) {
	case MEANS_DEVICE:
		return true;
	case MEANS_EXE:
		*path = follow ? dispatch.exe : *path;
		return false;
	default:
		return false;
	}
}

long do_statat(int dir, const char *path, struct stat *st, int flags)
{
	enum handle_kind kind;

	if (!is_device(dir, &path, flags, &kind))
		return sys_call(SYS_newfstatat, dir, (long)path, (long)st,
				flags);
	device_stat(kind, st);
	return 0;
}

long do_statx(int dir, const char *path, int flags, unsigned mask,
	      struct statx *stx)
{
	enum handle_kind kind;

	if (!is_device(dir, &path, flags, &kind))
		return sys_call(SYS_statx, dir, (long)path, flags, mask,
				(long)stx);
	device_statx(kind, stx);
	return 0;
}

long do_accessat(int dir, const char *path, int mode, int flags)
{
	enum handle_kind kind;

	if (is_device(dir, &path, flags, &kind))
		return mode & X_OK ? -EACCES : 0;
	if (!flags)
		return sys_call(SYS_faccessat, dir, (long)path, mode);
	return sys_call(SYS_faccessat2, dir, (long)path, mode, flags);
}

/* ---- links -------------------------------------------------------------- */

static long link_out(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (!size)
		return -EINVAL;
	n = n < size ? n : size;
	return ucopy(out, text, n) ? -EFAULT : (long)n;
}

long do_readlinkat(int dir, const char *path, char *out, size_t size)
{
	enum handle_kind kind;

	switch (meaning(dir, path, true, &kind)) {
	case MEANS_EXE:
		return link_out(out, size, dispatch.exe);
	case MEANS_DEVICE:
		/* A node is no link; a descriptor in /proc is one. */
		return special_path(dir, path, false)
			       ? -EINVAL
			       : link_out(out, size, device_name(kind));
	default:
		return sys_call(SYS_readlinkat, dir, (long)path, (long)out,
				(long)size);
	}
}
