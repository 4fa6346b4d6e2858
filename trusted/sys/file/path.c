/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls on paths. Those that Linux has since replaced by an "at" form become
 * that form; what comes back is checked field by field or record by record.
 */
#include "trusted/sys/sys.h"

#include <asm/fcntl.h>
#include <asm/stat.h>
#include <linux/fcntl.h>

#define HERE ((uint64_t)(int64_t)AT_FDCWD)
#define BLKSIZE_MIN 512
#define BLKSIZE_MAX (1 << 20)

#define CALL(nr, ...) \
	sys_call(CALL_##nr, (const uint64_t[WIRE_CALL_ARGS]){ __VA_ARGS__ })

long sys_open(const uint64_t *a)
{
	return CALL(openat, HERE, a[0], a[1], a[2]);
}

long sys_creat(const uint64_t *a)
{
	return CALL(openat, HERE, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
}

long sys_access(const uint64_t *a)
{
	return CALL(faccessat, HERE, a[0], a[1]);
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

/*
 * Numbers only, so any value is possible but those that programs compute
 * with: sizes are not negative, and a block is something to allocate.
 */
static long take_stat(uint64_t to, const struct stat *st)
{
	struct stat out = {
		.st_dev = st->st_dev,
		.st_ino = st->st_ino,
		.st_nlink = st->st_nlink,
		.st_mode = st->st_mode,
		.st_uid = st->st_uid,
		.st_gid = st->st_gid,
		.st_rdev = st->st_rdev,
		.st_size = st->st_size,
		.st_blksize = st->st_blksize,
		.st_blocks = st->st_blocks,
		.st_atime = st->st_atime,
		.st_atime_nsec = st->st_atime_nsec,
		.st_mtime = st->st_mtime,
		.st_mtime_nsec = st->st_mtime_nsec,
		.st_ctime = st->st_ctime,
		.st_ctime_nsec = st->st_ctime_nsec,
	};

	if (st->st_size < 0 || st->st_blocks < 0)
		return -EPROTO;
	if (out.st_blksize < BLKSIZE_MIN)
		out.st_blksize = BLKSIZE_MIN;
	if (out.st_blksize > BLKSIZE_MAX)
		out.st_blksize = BLKSIZE_MAX;
	__builtin_memcpy((void *)to, &out, sizeof(out));
	return 0;
}

static long stat_path(uint64_t dir, uint64_t path, uint64_t to, uint64_t flags)
{
	struct stat st;
	long r;

	_Static_assert(sizeof(st) == CALL_SIZE_STAT, "struct stat");
	if (to == 0 || !sys_owns(to, sizeof(st)))
		return -EFAULT;
	r = CALL(newfstatat, dir, path, (uint64_t)&st, flags);
	return r < 0 ? r : take_stat(to, &st);
}

long sys_newfstatat(const uint64_t *a)
{
	return stat_path(a[0], a[1], a[2], a[3]);
}

long sys_stat(const uint64_t *a)
{
	return stat_path(HERE, a[0], a[1], 0);
}

long sys_lstat(const uint64_t *a)
{
	return stat_path(HERE, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(const uint64_t *a)
{
	struct stat st;
	long r;

	if (a[1] == 0 || !sys_owns(a[1], sizeof(st)))
		return -EFAULT;
	r = CALL(fstat, a[0], (uint64_t)&st);
	return r < 0 ? r : take_stat(a[1], &st);
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
