/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The trace of this process: a shared mapping of the file, written a record at
 * a time under the driver's lock, so that it ends where the process does. No
 * descriptor is kept: a program may close any.
 *
 * The first process that has an event takes the file if it is empty; any
 * other, a child of fork too, writes FILE.PID.
 *
 * General registers only: an entry from the vDSO may come by here.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "machine/watch/trace.h"

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/tell/tell.h"

#define STEP (1ull << 20)  /* by which the file grows */
#define LIMIT (1ull << 36) /* and where it ends */
#define SECOND 1000000000ull

static struct {
	bool failed;
	uint8_t *map;
	uint64_t size; /* of the file */
	uint64_t at;
	uint64_t start; /* CLOCK_MONOTONIC */
	uint64_t dev, ino;
	char path[MACHINE_PATH + 16];
} trace;

static uint64_t now(int clock)
{
	struct timespec ts = { 0 };

	sys_call(SYS_clock_gettime, clock, (long)&ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* FILE, or FILE.PID. */
static void name(bool own)
{
	const char *from = machine.opt.trace;
	uint64_t pid = (uint64_t)sys_call(SYS_getpid), unit = 1;
	size_t n = 0;

	while (*from && n < MACHINE_PATH - 1)
		trace.path[n++] = *from++;
	if (own)
		trace.path[n++] = '.';
	while (unit <= pid / 10)
		unit *= 10;
	for (; own && unit; unit /= 10)
		trace.path[n++] = (char)('0' + pid / unit % 10);
	trace.path[n] = 0;
}

static long reserve(int fd, uint64_t size)
{
	long r = sys_call(SYS_fallocate, fd, 0, 0, (long)size);

	/* Not every file system can; then a full disk is a SIGBUS. */
	if (r == -95) /* EOPNOTSUPP */
		r = sys_call(SYS_ftruncate, fd, (long)size);
	return r;
}

/* Takes the file, if nobody has: its descriptor, or -1. */
static int take(int flags)
{
	int fd = (int)sys_call(SYS_open, (long)trace.path,
			       O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
	struct stat st = { 0 };

	if (fd < 0)
		return -1;
	if (!sys_call(SYS_flock, fd, LOCK_EX | LOCK_NB) &&
	    !sys_call(SYS_fstat, fd, (long)&st) && !st.st_size &&
	    !reserve(fd, STEP)) {
		trace.dev = st.st_dev;
		trace.ino = st.st_ino;
		return fd;
	}
	sys_call(SYS_close, fd);
	return -1;
}

static void header(void)
{
	struct trace_header *h = (void *)trace.map;

	__builtin_memcpy(h->magic, TRACE_MAGIC, sizeof(h->magic));
	h->order = TRACE_ORDER;
	h->version = TRACE_VERSION;
	h->record = sizeof(struct trace_record);
	h->pid = (uint32_t)sys_call(SYS_getpid);
	h->start = now(CLOCK_REALTIME);
	trace.start = now(CLOCK_MONOTONIC);
	trace.at = sizeof(*h);
}

static void start(void)
{
	int fd;

	name(false);
	fd = take(0);
	if (fd < 0) {
		name(true);
		fd = take(O_TRUNC);
	}
	trace.map = fd < 0 ? (void *)-1
			   : sys_mmap(NULL, LIMIT, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (fd >= 0)
		sys_call(SYS_close, fd);
	if (sys_failed(trace.map)) {
		sys_err("edmm: machine: the trace cannot be written\n");
		trace.map = NULL;
		trace.failed = true;
		return;
	}
	sys_madvise(trace.map, LIMIT, MADV_DONTFORK);
	sys_madvise(trace.map, LIMIT, MADV_DONTDUMP);
	trace.size = STEP;
	header();
}

/* Sets the file's size, if it still is the file. */
static bool resize(uint64_t size, bool shrink)
{
	int fd = (int)sys_call(SYS_open, (long)trace.path, O_RDWR | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	ok = !sys_call(SYS_fstat, fd, (long)&st) && st.st_dev == trace.dev &&
	     st.st_ino == trace.ino &&
	     !(shrink ? sys_call(SYS_ftruncate, fd, (long)size)
		      : reserve(fd, size));
	sys_call(SYS_close, fd);
	return ok;
}

static bool room(void)
{
	if (trace.at + sizeof(struct trace_record) <= trace.size)
		return true;
	if (trace.size == LIMIT || !resize(trace.size + STEP, false)) {
		sys_err("edmm: machine: the trace is full and ends here\n");
		trace.failed = true;
		return false;
	}
	trace.size += STEP;
	return true;
}

void trace_sink(void *ctx, const struct trace_event *ev)
{
	struct trace_record *r;

	(void)ctx;
	if (!trace.map && !trace.failed)
		start();
	if (trace.failed || !room())
		return;
	r = (void *)(trace.map + trace.at);
	r->time = now(CLOCK_MONOTONIC) - trace.start;
	r->thread = (uint32_t)sys_call(SYS_gettid);
	r->arg = ev->arg;
	r->addr = ev->addr;
	r->result = ev->result;
	r->encl = ev->encl;
	r->what = ev->what;
	__atomic_store_n(&r->kind, ev->kind, __ATOMIC_RELEASE);
	trace.at += sizeof(*r);
}

void trace_end(void)
{
	if (trace.map)
		resize(trace.at, true);
	/* Whatever another thread still does is not told. */
	trace.failed = true;
}

void trace_after_fork(void)
{
	trace.map = NULL;
	trace.failed = false;
}
