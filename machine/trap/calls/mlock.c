/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mlock(2) and mlockall(2): Linux locks no page of an enclave, and fills none
 * (VM_PFNMAP); what is locked here could not be hidden again. So pieces of
 * enclaves are left out, and so is the machine's own mapping of one.
 *
 * Locks: the driver's, with asynchronous signals blocked.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/calls/range.h"

struct lock {
	uint64_t start;
	uint64_t end;
	long flags;
};

static long lock_piece(void *arg, uint64_t start, uint64_t end, bool enclave)
{
	const struct lock *l = arg;

	return enclave ? 0
		       : sys_call(SYS_mlock2, (long)start, (long)(end - start),
				  l->flags);
}

long do_mlock(const void *addr, size_t len, int flags)
{
	struct lock l = { .flags = flags };
	uint64_t mask;
	long r;

	if ((flags & ~(int)MLOCK_ONFAULT) || !range_hits(addr, len) ||
	    !range_of(addr, len, &l.start, &l.end))
		return flags ? sys_call(SYS_mlock2, (long)addr, (long)len,
					flags)
			     : sys_call(SYS_mlock, (long)addr, (long)len);
	mask = range_enter();
	r = range_pieces(l.start, l.end, lock_piece, &l);
	range_leave(mask);
	return r;
}

/* ---- all ---------------------------------------------------------------- */

static long unlock_piece(void *arg, uint64_t start, uint64_t end, bool enclave)
{
	(void)arg;
	if (enclave)
		sys_munlock((void *)start, end - start);
	return 0;
}

static uint64_t hex(const char **s)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t n = 0;

	for (const char *d; **s && (d = strchr(digits, **s)); (*s)++)
		n = n << 4 | (uint64_t)(d - digits);
	return n;
}

/* What fails to be filled is not told (mm_populate). */
static void lock_mapping(const char *line)
{
	struct lock l = { 0 };

	l.start = hex(&line);
	line++;
	l.end = hex(&line);
	if (!handle_memory_at(l.start))
		range_pieces(l.start, l.end, lock_piece, &l);
}

/* Fills what is locked, a line of the kernel's list at a time. */
static void lock_mappings(void)
{
	char buf[2048];
	size_t have = 0;
	bool cut = false;
	long n, fd = sys_call(SYS_open, (long)"/proc/self/maps",
			      O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while ((n = sys_call(SYS_read, fd, (long)(buf + have),
			     (long)(sizeof(buf) - 1 - have))) > 0) {
		char *at = buf, *eol;

		buf[have + (size_t)n] = 0;
		for (; (eol = strchr(at, '\n')); at = eol + 1) {
			if (!cut)
				lock_mapping(at);
			cut = false;
		}
		/* Of a long name the start is enough, and its end no line. */
		have = strlen(at);
		if (have == sizeof(buf) - 1) {
			if (!cut)
				lock_mapping(at);
			cut = true;
			have = 0;
		}
		memmove(buf, at, have);
	}
	sys_call(SYS_close, fd);
}

/* All is locked, ours is not any more, and then the rest is filled. */
static long lock_all(int flags)
{
	long r = sys_call(SYS_mlockall, flags | MCL_ONFAULT);

	if (r)
		return r;
	handle_memory_unlock();
	range_pieces(0, UINT64_MAX, unlock_piece, NULL);
	if (flags & MCL_ONFAULT)
		return 0;
	lock_mappings();
	/* And what comes is filled when it comes. */
	return flags & MCL_FUTURE ? sys_call(SYS_mlockall, MCL_FUTURE) : 0;
}

long do_mlockall(int flags)
{
	uint64_t mask;
	long r;

	if (!(flags & MCL_CURRENT) ||
	    (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    !handle_any())
		return sys_call(SYS_mlockall, flags);
	mask = range_enter();
	r = lock_all(flags);
	range_leave(mask);
	return r;
}
