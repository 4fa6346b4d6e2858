/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device nodes, which may not exist, and their descriptors, behind which
 * there is a file of memory (handle.c): see device.h. What Linux answers is
 * that of a file whose operations are open, release, ioctl, mmap and
 * get_unmapped_area (sgx_encl_fops).
 */
#include "machine/trap/calls/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/signal/sig.h"

#define FOLDER "/dev"
#define MISC_MAJOR 10
#define MODE (S_IFCHR | 0666)
#define SEEK_LAST SEEK_HOLE

static const struct node {
	enum handle_kind kind;
	unsigned minor;
	const char *path;
} nodes[] = {
	{ HANDLE_ENCLAVE, 125, FOLDER "/sgx_enclave" },
	{ HANDLE_PROVISION, 124, FOLDER "/sgx_provision" },
};

#define NODES (sizeof(nodes) / sizeof(nodes[0]))

static const struct node *node_of(enum handle_kind kind)
{
	return kind == HANDLE_PROVISION ? &nodes[1] : &nodes[0];
}

const char *device_name(enum handle_kind kind)
{
	return node_of(kind)->path;
}

/* ---- names -------------------------------------------------------------- */

static long stat_at(int dir, const char *path, struct stat *st)
{
	return sys_call(SYS_newfstatat, dir, (long)path, (long)st, 0);
}

/* Is what comes before @last the folder of devices, by whatever name? */
static bool in_folder(int dir, const char *name, const char *last)
{
	char parent[NAME_ROOM] = ".";
	size_t n = (size_t)(last - name);
	struct stat a, b;

	if (n) {
		memcpy(parent, name, n);
		parent[n] = 0;
	}
	return !stat_at(dir, parent, &a) && !stat_at(AT_FDCWD, FOLDER, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/* /proc/self/fd/N and its like; /dev/stdin leads there. */
static enum handle_kind described(int dir, const char *name, const char *last)
{
	const struct handle *h;
	struct stat st;

	if (!handle_any() || (!is_number(last) && strncmp(last, "std", 3)) ||
	    stat_at(dir, name, &st))
		return HANDLE_FREE;
	h = handle_find(st.st_dev, st.st_ino);
	return h ? h->kind : HANDLE_FREE;
}

enum handle_kind device_named(int dir, const char *name, bool follow)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;

	for (size_t i = 0; i < NODES; i++) {
		const char *path = nodes[i].path;

		if (!strcmp(name, path))
			return nodes[i].kind;
		if (!strcmp(last, path + sizeof(FOLDER)))
			return in_folder(dir, name, last) ? nodes[i].kind
							  : HANDLE_FREE;
	}
	return follow ? described(dir, name, last) : HANDLE_FREE;
}

long device_open(enum handle_kind kind, int flags)
{
	uint64_t mask;
	long r;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	mask = sig_block();
	fork_check();
	r = handle_open(kind, flags);
	sig_unblock(mask);
	return r;
}

/* ---- stat --------------------------------------------------------------- */

void device_stat(enum handle_kind kind, struct stat *st)
{
	const struct node *n = node_of(kind);
	struct stat folder = { 0 };

	stat_at(AT_FDCWD, FOLDER, &folder);
	*st = (struct stat){
		.st_dev = folder.st_dev,
		.st_ino = makedev(MISC_MAJOR, n->minor),
		.st_nlink = 1,
		.st_mode = MODE,
		.st_rdev = makedev(MISC_MAJOR, n->minor),
		.st_blksize = SGX_PAGE_SIZE,
		.st_atim = folder.st_ctim,
		.st_mtim = folder.st_ctim,
		.st_ctim = folder.st_ctim,
	};
}

static struct statx_timestamp time_of(const struct timespec *t)
{
	return (struct statx_timestamp){ .tv_sec = t->tv_sec,
					 .tv_nsec = (uint32_t)t->tv_nsec };
}

void device_statx(enum handle_kind kind, struct statx *stx)
{
	struct stat st;

	device_stat(kind, &st);
	*stx = (struct statx){
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = (uint32_t)st.st_blksize,
		.stx_nlink = (uint32_t)st.st_nlink,
		.stx_mode = (uint16_t)st.st_mode,
		.stx_ino = st.st_ino,
		.stx_atime = time_of(&st.st_atim),
		.stx_mtime = time_of(&st.st_mtim),
		.stx_ctime = time_of(&st.st_ctim),
		.stx_rdev_major = major(st.st_rdev),
		.stx_rdev_minor = minor(st.st_rdev),
		.stx_dev_major = major(st.st_dev),
		.stx_dev_minor = minor(st.st_dev),
	};
}

/* ---- what is refused ---------------------------------------------------- */

/* A descriptor that is not open for it is refused as such, before that. */
enum access {
	READS = 1,
	WRITES = 2,
	EITHER = 0
};

/* Which of the first three arguments are descriptors, and for what. */
static const struct refused {
	short nr;
	short error;
	short fd;
	enum access access;
} refused[] = {
	{ SYS_read, EINVAL, 0, READS },
	{ SYS_readv, EINVAL, 0, READS },
	{ SYS_pread64, EINVAL, 0, READS },
	{ SYS_preadv, EINVAL, 0, READS },
	{ SYS_preadv2, EINVAL, 0, READS },
	{ SYS_write, EINVAL, 0, WRITES },
	{ SYS_writev, EINVAL, 0, WRITES },
	{ SYS_pwrite64, EINVAL, 0, WRITES },
	{ SYS_pwritev, EINVAL, 0, WRITES },
	{ SYS_pwritev2, EINVAL, 0, WRITES },
	{ SYS_lseek, ESPIPE, 0, EITHER },
	{ SYS_ftruncate, EINVAL, 0, EITHER },
	{ SYS_fallocate, ENODEV, 0, WRITES },
	{ SYS_fsync, EINVAL, 0, EITHER },
	{ SYS_fdatasync, EINVAL, 0, EITHER },
	{ SYS_sync_file_range, ESPIPE, 0, EITHER },
	{ SYS_sendfile, EINVAL, 0, WRITES },
	{ SYS_sendfile, EINVAL, 1, READS },
	{ SYS_splice, EINVAL, 0, READS },
	{ SYS_splice, EINVAL, 2, WRITES },
	{ SYS_copy_file_range, EINVAL, 0, READS },
	{ SYS_copy_file_range, EINVAL, 2, WRITES },
};

static bool may(const struct handle *h, enum access want)
{
	int mode = h->flags & O_ACCMODE;

	return !((want & READS) && mode == O_WRONLY) &&
	       !((want & WRITES) && mode == O_RDONLY);
}

static const struct handle *device_at(long fd)
{
	const struct handle *h =
		handle_maybe((int)fd) ? handle_of((int)fd) : NULL;

	/* Of one that is only a path the kernel knows. */
	return h && !(h->flags & O_PATH) ? h : NULL;
}

long device_refuses(long nr, const long a[6])
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct refused *f = &refused[i];
		const struct handle *h =
			f->nr == nr ? device_at(a[f->fd]) : NULL;

		if (!h)
			continue;
		if (!may(h, f->access))
			return -EBADF;
		if (nr == SYS_lseek && (unsigned)a[2] > SEEK_LAST)
			return -EINVAL;
		return -f->error;
	}
	return 0;
}

bool device_ioctl_is_common(unsigned long cmd)
{
	return cmd == FIOCLEX || cmd == FIONCLEX || cmd == FIONBIO ||
	       cmd == FIOASYNC || cmd == FIGETBSZ;
}

long device_fcntl(int fd, int cmd, unsigned long arg)
{
	const struct handle *h;
	long r;

	if (!handle_maybe(fd))
		return DEVICE_FCNTL_OTHER;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return handle_dup(sys_call(SYS_fcntl, fd, cmd, (long)arg));
	case F_GETFL:
		h = device_at(fd);
		r = sys_call(SYS_fcntl, fd, cmd);
		return h && r >= 0 ? (r & ~O_ACCMODE) | (h->flags & O_ACCMODE)
				   : r;
	case F_GET_SEALS:
	case F_ADD_SEALS:
		return device_at(fd) ? -EINVAL : DEVICE_FCNTL_OTHER;
	default:
		return DEVICE_FCNTL_OTHER;
	}
}
