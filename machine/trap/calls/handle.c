/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files: each open of /dev/sgx_enclave is a sparse memfd whose offsets are
 * linear addresses, so that any mapping of it, made before or after CREATE,
 * shows the pages of its own addresses. It is found again by its inode, so
 * duplicates of a descriptor work. ELRANGE has a second mapping, always
 * readable and writable, through which the model works.
 *
 * Locks: the table is changed with the driver's lock held; a slot's kind is
 * set last and read first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <edmm/machine.h>

#include "machine/trap/base/late.h"
#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/thread.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#define HANDLES 1024
#define ADDRESS_END (1ull << 47)

static struct handle handles[HANDLES];
static uint32_t handle_count;

/* Numbers that have been one of ours; those above are always looked at. */
#define NUMBERS (1 << 16)
static uint64_t numbers[NUMBERS / 64];

bool handle_any(void)
{
	return __atomic_load_n(&handle_count, __ATOMIC_RELAXED);
}

bool handle_maybe(int fd)
{
	if (fd < 0 || !handle_any())
		return false;
	return fd >= NUMBERS ||
	       (__atomic_load_n(&numbers[fd / 64], __ATOMIC_RELAXED) >>
			(fd % 64) &
		1);
}

long handle_dup(long fd)
{
	if (fd >= 0 && fd < NUMBERS)
		__atomic_fetch_or(&numbers[fd / 64], 1ull << (fd % 64),
				  __ATOMIC_RELAXED);
	return fd;
}

bool handle_writable(const struct handle *h)
{
	return (h->flags & O_ACCMODE) != O_RDONLY;
}

static long identity(int fd, uint64_t *dev, uint64_t *ino)
{
	struct stat st;
	long r = sys_call(SYS_fstat, fd, (long)&st);

	*dev = st.st_dev;
	*ino = st.st_ino;
	return r;
}

static struct handle *handle_free(void)
{
	for (int i = 0; i < HANDLES; i++)
		if (handles[i].kind == HANDLE_FREE)
			return &handles[i];
	return NULL;
}

static long memfd(const char *name)
{
	long fd =
		sys_call(SYS_memfd_create, (long)name, MFD_EXEC | MFD_CLOEXEC);

	/* Before Linux 6.3 there is no such flag, and no need of it. */
	if (fd == -EINVAL)
		fd = sys_call(SYS_memfd_create, (long)name, MFD_CLOEXEC);
	return fd;
}

static void handle_add(struct handle *h, enum handle_kind kind)
{
	__atomic_store_n(&h->kind, kind, __ATOMIC_RELEASE);
	__atomic_fetch_add(&handle_count, 1, __ATOMIC_RELAXED);
}

/* What open(2) may say of a file beside how it is accessed. */
static void keep_flags(int fd, int flags)
{
	int status = flags & (O_APPEND | O_NONBLOCK | O_NOATIME);

	if (!(flags & O_CLOEXEC))
		sys_call(SYS_fcntl, fd, F_SETFD, 0);
	if (status)
		sys_call(SYS_fcntl, fd, F_SETFL, status);
}

static long handle_make(struct handle *h, enum handle_kind kind, int flags,
			int fd)
{
	bool enclave = kind == HANDLE_ENCLAVE;

	if (sys_call(SYS_ftruncate, fd, (long)ADDRESS_END) ||
	    identity(fd, &h->dev, &h->ino))
		return -ENOMEM;
	keep_flags(fd, flags);
	h->flags = flags;
	h->e = enclave ? drv_open(machine.d, h) : NULL;
	if (enclave && !h->e)
		return -ENOMEM;
	if (enclave && !handle_writable(h))
		drv_encl_read_only(h->e);
	handle_add(h, kind);
	return fd;
}

/* The kernel has descriptors that are only a path: one of a file of ours. */
static long handle_path(struct handle *h, enum handle_kind kind, int flags,
			int fd)
{
	char name[SYS_FD_PATH];
	long path;

	sys_fd_path(name, fd);
	path = sys_call(SYS_open, (long)name, O_PATH | (flags & O_CLOEXEC));
	if (path < 0 || identity(fd, &h->dev, &h->ino)) {
		if (path >= 0)
			sys_call(SYS_close, path);
		return -ENOMEM;
	}
	sys_call(SYS_close, fd);
	h->flags = O_PATH;
	h->e = NULL;
	handle_add(h, kind);
	return path;
}

/* Said when the machine is first used, not by each program that runs in an
 * environment with LD_PRELOAD. */
static void banner(void)
{
	static bool said;

	if (!machine.opt.quiet &&
	    !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		sys_err(EDMM_MACHINE_BANNER);
}

static bool guarded(void)
{
	static bool said;

	if (guard_possible())
		return true;
	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		sys_err("edmm: machine: SYSCALL inside an enclave would reach "
			"the kernel: neither system call dispatch (Linux 5.11) "
			"nor seccomp is there; no enclave can run\n");
	return false;
}

/* Its start asks what the processor can do. That is no program's to be answered:
 * it would be a trap within a trap, with the bases of neither. */
static void load(void)
{
	struct thread *t = thread_self();
	const bool faults = cpuid_disarm(t);

	late_load();
	if (faults)
		cpuid_arm(t);
}

long handle_open(enum handle_kind kind, int flags)
{
	bool path = flags & O_PATH;
	struct handle *h;
	long fd, r = 0;

	if (!path) {
		banner();
		if (!guarded())
			return -ENODEV;
		if (kind == HANDLE_ENCLAVE)
			r = drv_may_open(machine.d);
		if (r)
			return r;
		cpuid_patch();
		load();
		machine.used = true;
	}
	fd = memfd(kind == HANDLE_ENCLAVE ? "sgx_enclave" : "sgx_provision");
	if (fd < 0)
		return fd;
	h = handle_free();
	r = !h ? -ENFILE
	       : (path ? handle_path : handle_make)(h, kind, flags, (int)fd);
	if (r < 0)
		sys_call(SYS_close, fd);
	return handle_dup(r);
}

struct handle *handle_find(uint64_t dev, uint64_t ino)
{
	for (int i = 0; i < HANDLES; i++)
		if (__atomic_load_n(&handles[i].kind, __ATOMIC_ACQUIRE) &&
		    handles[i].ino == ino && handles[i].dev == dev)
			return &handles[i];
	return NULL;
}

struct handle *handle_of(int fd)
{
	uint64_t dev, ino;

	if (fd < 0 || !handle_any() || identity(fd, &dev, &ino))
		return NULL;
	return handle_find(dev, ino);
}

bool handle_is_provision(void *ctx, int fd)
{
	struct handle *h = handle_of(fd);

	(void)ctx;
	return h && h->kind == HANDLE_PROVISION;
}

/* ---- what nobody holds any more ---------------------------------------- */

struct kdirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int number(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return *s ? -1 : n;
}

typedef void open_fn(void *arg, int fd, const struct handle *h);

static void each_of(const char *buf, long n, open_fn *fn, void *arg)
{
	for (long at = 0; at < n;) {
		const void *entry = buf + at;
		const struct kdirent *e = entry;
		int fd = number(e->name);
		struct handle *h = fd >= 0 ? handle_of(fd) : NULL;

		if (h)
			fn(arg, fd, h);
		at += e->reclen;
	}
}

/* Calls @fn for each descriptor of ours; false if they are not known. */
static bool each_open(open_fn *fn, void *arg)
{
	char buf[4096] __attribute__((aligned(8)));
	long n, fd = sys_call(SYS_open, (long)"/proc/self/fd",
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while ((n = sys_call(SYS_getdents64, fd, (long)buf, sizeof(buf))) > 0)
		each_of(buf, n, fn, arg);
	sys_call(SYS_close, fd);
	return n == 0;
}

static void mark_open(void *arg, int fd, const struct handle *h)
{
	bool *open = arg;

	(void)fd;
	open[h - handles] = true;
}

static void handle_forget(struct handle *h)
{
	__atomic_store_n(&h->kind, HANDLE_FREE, __ATOMIC_RELEASE);
	__atomic_fetch_sub(&handle_count, 1, __ATOMIC_RELAXED);
}

void handle_sweep(void)
{
	bool open[HANDLES] = { false };

	if (!handle_any() || !each_open(mark_open, open))
		return;
	for (int i = 0; i < HANDLES; i++) {
		struct handle *h = &handles[i];

		if (h->kind == HANDLE_FREE || open[i])
			continue;
		if (h->e)
			drv_release(machine.d, h->e);
		handle_forget(h);
	}
}

/* ---- memory ------------------------------------------------------------ */

struct memory {
	struct drv_encl *e;
	uint8_t *at;
	uint64_t base;
	uint64_t size;
	int copy; /* of the file, while the process is copied */
};

static struct memory memories[HANDLES];

static struct memory *memory_of(const struct drv_encl *e)
{
	for (int i = 0; i < HANDLES; i++)
		if (memories[i].e == e)
			return &memories[i];
	return NULL;
}

/* No child of the program's and no core has them. */
static void memory_private(void *at, uint64_t size)
{
	sys_madvise(at, size, MADV_DONTFORK);
	sys_madvise(at, size, MADV_DONTDUMP);
}

/*
 * After mlockall(MCL_FUTURE) the kernel would fill a mapping and count it, as
 * it does neither for an enclave's. What is not locked is neither when it
 * grows.
 */
static void *map_file(int fd, uint64_t off, uint64_t size)
{
	void *p = sys_mmap(NULL, SGX_PAGE_SIZE, PROT_NONE,
			   MAP_SHARED | MAP_NORESERVE, fd, off);
	void *all = p;

	if (sys_failed(p))
		return p;
	sys_munlock(p, SGX_PAGE_SIZE);
	if (size > SGX_PAGE_SIZE)
		all = (void *)sys_call(SYS_mremap, (long)p, SGX_PAGE_SIZE,
				       (long)size, MREMAP_MAYMOVE);
	if (sys_failed(all))
		sys_munmap(p, SGX_PAGE_SIZE);
	else
		sys_mprotect(all, size, PROT_READ | PROT_WRITE);
	return all;
}

/* Behind what the program can map there is no file. */
static void *map_nothing(uint64_t size)
{
	void *p = sys_mmap(NULL, size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (sys_failed(p))
		return p;
	sys_munlock(p, size);
	sys_mprotect(p, size, PROT_READ | PROT_WRITE);
	return p;
}

uint8_t *handle_create(void *ctx, struct drv_encl *e, uint64_t base,
		       uint64_t size)
{
	struct handle *h = drv_encl_cookie(e);
	struct memory *m = memory_of(NULL);
	bool mappable = base + size <= ADDRESS_END;
	uint8_t *at;

	(void)ctx;
	if (!m || guard_range(base, size))
		return NULL;
	at = mappable ? map_file(h->fd, base, size) : map_nothing(size);
	if (sys_failed(at))
		return NULL;
	memory_private(at, size);
	*m = (struct memory){ .e = e, .at = at, .base = base, .size = size };
	return at;
}

void handle_destroy(void *ctx, struct drv_encl *e)
{
	struct memory *m = memory_of(e);

	(void)ctx;
	sites_end(e);
	if (!m)
		return;
	sys_munmap(m->at, m->size);
	m->e = NULL;
}

void handle_discard(void *ctx, struct drv_encl *e, uint64_t addr, uint64_t size)
{
	struct memory *m = memory_of(e);
	uint8_t *at = m ? m->at + (addr - m->base) : NULL;

	(void)ctx;
	/* Refused for memory that has no file, and if the kernel finds none. */
	if (m && sys_madvise(at, size, MADV_REMOVE))
		memset(at, 0, size);
}

void handle_memory_unlock(void)
{
	for (int i = 0; i < HANDLES; i++)
		if (memories[i].e)
			sys_munlock(memories[i].at, memories[i].size);
}

bool handle_memory_at(uint64_t at)
{
	for (int i = 0; i < HANDLES; i++)
		if (memories[i].e &&
		    at - (uint64_t)memories[i].at < memories[i].size)
			return true;
	return false;
}

void handle_after_fork(void)
{
	for (int i = 0; i < HANDLES; i++)
		handles[i].e = NULL;
	memset(memories, 0, sizeof(memories));
}

/* ---- a copy of the process ---------------------------------------------- */

struct copying {
	const struct memory *m;
	bool failed;
};

static void copy_run(void *arg, uint64_t a, uint64_t b)
{
	struct copying *c = arg;
	const uint8_t *from = c->m->at + (a - c->m->base);

	while (!c->failed && a < b) {
		long n = sys_call(SYS_pwrite64, c->m->copy, (long)from,
				  (long)(b - a), (long)a);

		c->failed = n <= 0;
		from += c->failed ? 0 : n;
		a += c->failed ? 0 : (uint64_t)n;
	}
}

static bool copy_one(struct memory *m)
{
	struct copying c = { .m = m };

	m->copy = (int)memfd("sgx_enclave");
	if (m->copy < 0)
		return false;
	c.failed = sys_call(SYS_ftruncate, m->copy, (long)ADDRESS_END) != 0;
	drv_each_page(machine.d, m->e, copy_run, &c);
	return !c.failed;
}

bool handle_copy(void)
{
	bool done = true;

	for (int i = 0; i < HANDLES; i++)
		memories[i].copy = -1;
	for (int i = 0; i < HANDLES && done; i++)
		if (memories[i].e)
			done = copy_one(&memories[i]);
	return done;
}

void handle_copy_end(void)
{
	for (int i = 0; i < HANDLES; i++)
		if (memories[i].e && memories[i].copy >= 0)
			sys_call(SYS_close, memories[i].copy);
}

static void file_copied(void *arg, int fd, const struct handle *h)
{
	const struct memory *m = arg;
	long flags;

	if (h->e != m->e)
		return;
	flags = sys_call(SYS_fcntl, fd, F_GETFD);
	if (sys_call(SYS_dup3, m->copy, fd,
		     flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		sys_die("a copy of the process has no file", NULL);
}

static void memory_copied(struct memory *m)
{
	struct handle *h = drv_encl_cookie(m->e);
	uint64_t at = 0;
	struct drv_vma v;

	if (sys_failed(sys_mmap(m->at, m->size, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_NORESERVE | MAP_FIXED, m->copy,
				m->base)) ||
	    !each_open(file_copied, m))
		sys_die("no memory for a copy of the process", NULL);
	memory_private(m->at, m->size);
	if (h->kind && h->e == m->e)
		identity(m->copy, &h->dev, &h->ino);
	for (; drv_find_vma(machine.d, at, &v); at = v.end)
		if (v.encl == m->e)
			view_copied(m->copy, &v);
}

void handle_copied(void)
{
	for (int i = 0; i < HANDLES; i++)
		if (memories[i].e)
			memory_copied(&memories[i]);
}
