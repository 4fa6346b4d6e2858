/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of files that are made inside; see proc.h. */
#include "trusted/sys/proc/proc.h"

#include <asm/stat.h>
#include <linux/fcntl.h>

#include "trusted/sys/memory/memory.h"
#include "trusted/sys/thread/task.h"

#define FILES 64u /* open at a time */
#define TRIES 8
#define HOST_FILE "/proc/self/status"

#define MODE_REGULAR 0100000u
#define MODE_READ 0444u
#define MODE_WRITE 0200u
#define DEVICE 1u
#define R_OK 4u
#define W_OK 2u
#define X_OK 1u
#define SEEK_SET 0
#define SEEK_CUR 1

/**
 * struct proc_file - an open file; copies of a descriptor have it together
 * @refs: numbers that are marked with it; 0: free
 * @text: of the heap's, or NULL: it is to be made
 */
struct proc_file {
	struct proc_name name;
	uint32_t refs;
	uint8_t access; /* O_ACCMODE */
	uint64_t pos;
	char *text;
	uint64_t size, room;
};

static struct proc_file files[FILES];
static uint8_t marks[CALL_FD_MAX]; /* place in files and 1, or 0 */
_Static_assert(FILES < UINT8_MAX, "a mark is a byte");

static struct proc_file *file_of(uint64_t fd)
{
	const uint32_t i = (uint32_t)fd;

	return i < CALL_FD_MAX && marks[i] ? &files[marks[i] - 1] : NULL;
}

bool proc_has(uint64_t fd)
{
	return file_of(fd) != NULL;
}

static void text_drop(struct proc_file *f)
{
	/* What stays mapped after an error leaks. */
	if (f->text)
		(void)!heap_unmap(sys_heap(), (uint64_t)f->text, f->room);
	f->text = NULL;
	f->room = f->size = 0;
}

static void mark(uint64_t fd, struct proc_file *f)
{
	struct proc_file *old = file_of(fd);

	if ((uint32_t)fd >= CALL_FD_MAX)
		return;
	if (f)
		f->refs++;
	marks[(uint32_t)fd] = f ? (uint8_t)(f - files + 1) : 0;
	if (old && --old->refs == 0)
		text_drop(old);
}

void proc_hide(struct mem_run *run)
{
	for (uint32_t i = 0; i < FILES && run->arena; i++) {
		const struct proc_file *f = &files[i];
		const uint64_t from = (uint64_t)f->text - run->addr;

		if (!f->text || from >= run->size)
			continue;
		run->size = from ? from : f->room;
		if (!from)
			*run = (struct mem_run){ .addr = run->addr,
						 .size = f->room };
	}
}

static bool is_writable(const struct proc_name *n)
{
	return n->kind == PROC_COMM;
}

long proc_access(const struct proc_name *name, uint64_t mode)
{
	if ((uint32_t)mode & ~(uint32_t)(R_OK | W_OK | X_OK))
		return -EINVAL;
	if (mode & X_OK || (mode & W_OK && !is_writable(name)))
		return -EACCES;
	return 0;
}

static long open_refused(const struct proc_name *name, uint64_t flags)
{
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if ((flags & O_ACCMODE) != O_RDONLY && !is_writable(name))
		return -EACCES;
	return 0;
}

static struct proc_file *free_file(void)
{
	for (uint32_t i = 0; i < FILES; i++)
		if (files[i].refs == 0)
			return &files[i];
	return NULL;
}

long proc_open(const struct proc_name *name, uint64_t flags)
{
	const char path[] = HOST_FILE;
	const uint64_t a[WIRE_CALL_ARGS] = {
		(uint64_t)(int64_t)AT_FDCWD,
		(uint64_t)path,
		O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)),
	};
	struct proc_file *f = free_file();
	long r = open_refused(name, flags);

	if (r != 0)
		return r;
	if (!f)
		return -ENFILE;
	sys_lock_keep(true);
	r = sys_call(CALL_openat, a);
	if (r < 0)
		return r;
	*f = (struct proc_file){ .name = *name,
				 .access = (uint8_t)(flags & O_ACCMODE) };
	mark((uint64_t)r, f);
	return r;
}

long proc_close(uint64_t fd)
{
	const uint64_t a[WIRE_CALL_ARGS] = { (uint32_t)fd };

	sys_lock_keep(true);
	mark(fd, NULL);
	/* As Linux has it, the number is free whatever the answer is. */
	return sys_call(CALL_close, a);
}

void proc_copied(uint64_t fd, uint64_t to)
{
	struct proc_file *f = file_of(fd);

	if (f != file_of(to))
		mark(to, f);
}

static void make(struct proc_text *t, const struct proc_name *n)
{
	switch (n->kind) {
	case PROC_MAPS:
		proc_maps(t);
		break;
	case PROC_SMAPS:
		proc_smaps(t);
		break;
	case PROC_ROLLUP:
		proc_rollup(t);
		break;
	case PROC_STATM:
		proc_statm(t);
		break;
	case PROC_STATUS:
		proc_status(t, n->tid);
		break;
	case PROC_STAT:
		proc_stat(t, n->tid);
		break;
	case PROC_COMM:
		proc_comm(t, n->tid);
		break;
	case PROC_LIMITS:
		proc_limits(t);
		break;
	case PROC_MEMINFO:
		proc_meminfo(t);
		break;
	default:
		break;
	}
}

static long text_room(struct proc_file *f, uint64_t size)
{
	const struct heap_req want = { .size = mem_round(size + 1),
				       .prot = EMM_RW,
				       .kind = HEAP_ARENA,
				       .now = true,
				       .part = true };
	uint64_t addr;
	long err;

	text_drop(f);
	err = mem_errno(heap_map(sys_heap(), &want, &addr));
	if (err)
		return err;
	f->text = (char *)addr;
	f->room = want.size;
	return 0;
}

/* Its own memory is in the text, so that it may need more the next time. */
static long text_make(struct proc_file *f)
{
	struct proc_text t = { 0 };
	long err;

	for (int i = 0; i < TRIES; i++) {
		t = (struct proc_text){ .to = f->text, .room = f->room };
		make(&t, &f->name);
		f->size = t.size;
		if (t.size <= t.room && f->text)
			return 0;
		err = text_room(f, t.size + t.size / 8);
		if (err)
			return err;
	}
	text_drop(f);
	return -ENOMEM;
}

static bool has_ended(const struct proc_name *n)
{
	uint32_t context;

	return n->tid && !sys_thread_of(n->tid, &context);
}

long proc_read(uint64_t fd, int64_t at, const char **from, uint64_t size)
{
	struct proc_file *f = file_of(fd);
	const uint64_t pos = at < 0 ? f->pos : (uint64_t)at;
	uint64_t n;
	long err = 0;

	if (f->access == O_WRONLY)
		return -EBADF;
	if (size == 0)
		return 0;
	sys_lock_keep(true);
	if (has_ended(&f->name))
		return -ESRCH;
	if (pos == 0 || !f->text)
		err = text_make(f);
	if (err)
		return err;
	if (pos >= f->size)
		return 0;
	n = f->size - pos < size ? f->size - pos : size;
	*from = f->text + pos;
	if (at < 0)
		f->pos += n;
	return (long)n;
}

long proc_write(uint64_t fd, const char *s, uint64_t size)
{
	const struct proc_file *f = file_of(fd);
	char name[SYS_NAME_SIZE] = { 0 };
	struct sys_thread *t;
	uint32_t context;

	if (f->access == O_RDONLY)
		return -EBADF;
	t = sys_thread_of(f->name.tid ? f->name.tid : 1, &context);
	if (!t)
		return -ESRCH;
	for (uint64_t i = 0; i < size && i < SYS_NAME_SIZE - 1; i++)
		name[i] = s[i];
	__builtin_memcpy(t->name, name, sizeof(name));
	return (long)size;
}

long proc_seek(uint64_t fd, int64_t off, int whence)
{
	struct proc_file *f = file_of(fd);
	int64_t pos;

	if ((whence != SEEK_SET && whence != SEEK_CUR) ||
	    __builtin_add_overflow(
		    off, whence == SEEK_CUR ? (int64_t)f->pos : 0, &pos) ||
	    pos < 0)
		return -EINVAL;
	f->pos = (uint64_t)pos;
	return pos;
}

long proc_stat_name(const struct proc_name *name, uint64_t to)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };
	struct stat st = {
		.st_dev = DEVICE,
		.st_ino = ((uint64_t)name->tid << 8) + name->kind,
		.st_nlink = 1,
		.st_mode = MODE_REGULAR | MODE_READ,
		.st_blksize = 1024,
	};
	long uid, gid;

	if (!sys_owns_to_write(to, sizeof(st)))
		return -EFAULT;
	if (is_writable(name))
		st.st_mode |= MODE_WRITE;
	uid = sys_call(CALL_geteuid, none);
	gid = sys_call(CALL_getegid, none);
	if (name->kind != PROC_MEMINFO && uid > 0)
		st.st_uid = (uint32_t)uid;
	if (name->kind != PROC_MEMINFO && gid > 0)
		st.st_gid = (uint32_t)gid;
	if (!sys_owns_to_write(to, sizeof(st)))
		return -EFAULT; /* another thread, meanwhile */
	__builtin_memcpy((void *)to, &st, sizeof(st));
	return 0;
}

long proc_stat_fd(uint64_t fd, uint64_t to)
{
	const struct proc_name name = file_of(fd)->name;

	return proc_stat_name(&name, to);
}
