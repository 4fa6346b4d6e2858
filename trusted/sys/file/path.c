/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls on paths. Those that Linux has since replaced by an "at" form become
 * that form; what comes back is checked record by record.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/sys.h"

#include <asm/fcntl.h>
#include <linux/fcntl.h>

#define HERE ((uint64_t)(int64_t)AT_FDCWD)
#define MODE_BITS 07777

#define CALL(nr, ...) \
	sys_call(CALL_##nr, (const uint64_t[WIRE_CALL_ARGS]){ __VA_ARGS__ })

/* Without a file to be made there is no mode, whatever the register has. */
static long open_at(uint64_t dir, uint64_t path, uint64_t flags, uint64_t mode)
{
	const struct proc_name name = proc_find(path);

	if (name.kind != PROC_NONE)
		return proc_open(&name, flags);
	if (!(flags & (O_CREAT | __O_TMPFILE)))
		mode = 0;
	return CALL(openat, dir, path, flags, mode & MODE_BITS);
}

long sys_openat(const uint64_t *a)
{
	return open_at(a[0], a[1], a[2], a[3]);
}

long sys_open(const uint64_t *a)
{
	return open_at(HERE, a[0], a[1], a[2]);
}

long sys_creat(const uint64_t *a)
{
	return open_at(HERE, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
}

long sys_faccessat(const uint64_t *a)
{
	const struct proc_name name = proc_find(a[1]);

	if (name.kind != PROC_NONE)
		return proc_access(&name, a[2]);
	return sys_call(CALL_faccessat, a);
}

long sys_faccessat2(const uint64_t *a)
{
	const struct proc_name name = proc_find(a[1]);

	if (name.kind != PROC_NONE)
		return proc_access(&name, a[2]);
	return sys_call(CALL_faccessat2, a);
}

long sys_access(const uint64_t *a)
{
	const uint64_t at[WIRE_CALL_ARGS] = { HERE, a[0], a[1] };

	return sys_faccessat(at);
}

long sys_mkdir(const uint64_t *a)
{
	return CALL(mkdirat, HERE, a[0], a[1]);
}

long sys_rmdir(const uint64_t *a)
{
	return CALL(unlinkat, HERE, a[0], AT_REMOVEDIR);
}

long sys_unlink(const uint64_t *a)
{
	return CALL(unlinkat, HERE, a[0], 0);
}

long sys_rename(const uint64_t *a)
{
	return CALL(renameat2, HERE, a[0], HERE, a[1], 0);
}

long sys_renameat(const uint64_t *a)
{
	return CALL(renameat2, a[0], a[1], a[2], a[3], 0);
}

long sys_link(const uint64_t *a)
{
	return CALL(linkat, HERE, a[0], HERE, a[1], 0);
}

long sys_symlink(const uint64_t *a)
{
	return CALL(symlinkat, a[0], HERE, a[1]);
}

long sys_chmod(const uint64_t *a)
{
	return CALL(fchmodat, HERE, a[0], a[1]);
}

long sys_chown(const uint64_t *a)
{
	return CALL(fchownat, HERE, a[0], a[1], a[2], 0);
}

long sys_lchown(const uint64_t *a)
{
	return CALL(fchownat, HERE, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW);
}

long sys_readlinkat(const uint64_t *a)
{
	if ((int64_t)a[3] <= 0)
		return -EINVAL;
	return sys_call(CALL_readlinkat, a);
}

long sys_readlink(const uint64_t *a)
{
	const uint64_t at[WIRE_CALL_ARGS] = { HERE, a[0], a[1], a[2] };

	return sys_readlinkat(at);
}

/* Linux counts the NUL; a path that is not one would be believed as text. */
long sys_getcwd(const uint64_t *a)
{
	const char *s = (const char *)a[0];
	long r = sys_call(CALL_getcwd, a);

	if (r > 0 && (s[r - 1] != '\0' || s[0] != '/'))
		return -EPROTO;
	return r == 0 ? -EPROTO : r;
}

long sys_newfstatat(const uint64_t *a)
{
	const struct proc_name name = proc_find(a[1]);
	const bool empty = (a[3] & AT_EMPTY_PATH) != 0 && sys_owns(a[1], 1) &&
			   *(const char *)a[1] == '\0';

	if (name.kind != PROC_NONE)
		return proc_stat_name(&name, a[2]);
	if (empty && proc_has(a[0]))
		return proc_stat_fd(a[0], a[2]);
	return sys_call(CALL_newfstatat, a);
}

long sys_stat(const uint64_t *a)
{
	const uint64_t at[WIRE_CALL_ARGS] = { HERE, a[0], a[1], 0 };

	return sys_newfstatat(at);
}

long sys_lstat(const uint64_t *a)
{
	const uint64_t at[WIRE_CALL_ARGS] = { HERE, a[0], a[1],
					      AT_SYMLINK_NOFOLLOW };

	return sys_newfstatat(at);
}

/* Layout of a directory record: d_ino, d_off, d_reclen, d_type, d_name. */
#define DIRENT_RECLEN 16
#define DIRENT_NAME 19

static bool dirent_is_valid(const uint8_t *p, uint64_t left, uint64_t *size)
{
	uint16_t reclen;
	uint64_t i;

	if (left < DIRENT_NAME + 2)
		return false;
	__builtin_memcpy(&reclen, p + DIRENT_RECLEN, sizeof(reclen));
	if (reclen < DIRENT_NAME + 2 || reclen > left || reclen % 8 != 0)
		return false;
	*size = reclen;
	for (i = DIRENT_NAME; i < reclen && p[i] != '\0'; i++)
		if (p[i] == '/')
			return false;
	return i > DIRENT_NAME && i < reclen;
}

long sys_getdents64(const uint64_t *a)
{
	const uint8_t *p = (const uint8_t *)a[1];
	long r = sys_call(CALL_getdents64, a);
	uint64_t left, size;

	for (left = r > 0 ? (uint64_t)r : 0; left > 0; left -= size) {
		if (!dirent_is_valid(p, left, &size))
			return -EPROTO;
		p += size;
	}
	return r;
}
