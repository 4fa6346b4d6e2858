/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap, munmap, ioctl, close on enclave files and their mappings; whatever does
 * not touch one goes to the kernel untouched. What goes mapping by mapping is
 * in range.c.
 *
 * Locks: the driver's, with asynchronous signals blocked, around every change
 * of a mapping and of its record.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>

#include <edmm/machine.h>
#include <sgx/linux.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/own.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/chardev.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/calls/range.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/tell/tell.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define MAP_TYPE_BITS 0xf
#define ERESTARTSYS 512

/* A place for the mapping, with nothing in it: its address, or -errno. */
static long place(void *addr, size_t len, int flags)
{
	int keep = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_32BIT);

	return (long)sys_mmap(
		addr, len, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | keep, -1, 0);
}

static long map_enclave(struct handle *h, void *addr, size_t len, int prot,
			int flags, int fd)
{
	uint64_t start, end;
	long at = place(addr, len, flags), r;

	if (at < 0)
		return at;
	range_of((void *)at, len, &start, &end);
	/* Once is enough for the limit on what is locked. */
	sys_munlock((void *)start, end - start);
	/* As in Linux, what was there is gone even if the rest fails. */
	drv_munmap(machine.d, start, end);
	r = range_implies_exec() ? -EACCES
				 : drv_may_map(machine.d, h->e, start, end,
					       range_prot(prot));
	if (!r)
		r = view_map(fd, start, end - start, range_prot(prot));
	if (!r)
		r = drv_mmap(machine.d, h->e, start, end, range_prot(prot));
	if (r)
		sys_munmap((void *)start, end - start);
	else if ((flags & MAP_POPULATE) && machine.opt.populate)
		drv_populate(machine.d, start, end);
	return r ? r : at;
}

static long mmap_enclave(struct handle *h, void *addr, size_t len, int prot,
			 int flags, int fd)
{
	int type = flags & MAP_TYPE_BITS;
	uint64_t start, end, mask;
	long r;

	if (!range_of(addr, len, &start, &end))
		return len ? -ENOMEM : -EINVAL;
	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (h->kind != HANDLE_ENCLAVE)
		return -ENODEV;
	if ((prot & PROT_WRITE) && !handle_writable(h))
		return -EACCES;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
	    ((uint64_t)addr & RANGE_PAGE))
		return -EINVAL;
	mask = range_enter();
	r = h->e ? map_enclave(h, addr, len, prot, flags, fd) : -EIO;
	range_leave(mask);
	return r;
}

long do_mmap(void *addr, size_t len, int prot, int flags, int fd, uint64_t off)
{
	struct handle *h = flags & MAP_ANONYMOUS ? NULL : handle_of(fd);
	uint64_t start, end, mask;
	long r;

	/* What is only a path is the kernel's to refuse. */
	if (h && !(h->flags & O_PATH))
		return mmap_enclave(h, addr, len, prot, flags, fd);
	if (!(flags & MAP_FIXED) || !range_hits(addr, len))
		return (long)sys_mmap(addr, len, prot, flags, fd, off);
	mask = range_enter();
	r = (long)sys_mmap(addr, len, prot, flags, fd, off);
	if (!sys_failed((void *)r) && range_of(addr, len, &start, &end))
		drv_munmap(machine.d, start, end);
	range_leave(mask);
	handle_sweep();
	return r;
}

long do_munmap(void *addr, size_t len)
{
	uint64_t start, end, mask;
	long r;

	if (!range_hits(addr, len))
		return sys_munmap(addr, len);
	mask = range_enter();
	r = sys_munmap(addr, len);
	if (!r && range_of(addr, len, &start, &end))
		drv_munmap(machine.d, start, end);
	range_leave(mask);
	return r;
}

long do_ioctl(int fd, unsigned long cmd, uint64_t arg)
{
	struct drv_ioctl_ctx ic = { .is_provision = handle_is_provision };
	struct handle *h = handle_of(fd);
	uint64_t mask;
	long r;

	if (!h || (h->flags & O_PATH) || device_ioctl_is_common(cmd))
		return sys_call(SYS_ioctl, fd, (long)cmd, (long)arg);
	if (h->kind != HANDLE_ENCLAVE)
		return -ENOTTY;
	mask = sig_block();
	fork_check();
	h->fd = fd;
	if (!h->e)
		r = -EIO;
	else if (cmd == EDMM_IOC_CPUID_SITES)
		r = sites_list(h->e, arg);
	else
		r = drv_ioctl(machine.d, h->e, cmd, arg, &ic);
	if (!r && cmd == SGX_IOC_ENCLAVE_INIT)
		lose_later();
	sig_unblock(mask);
	/* The kernel's way to say so, which no program ever sees. */
	return r == -ERESTARTSYS ? -EINTR : r;
}

/* ---- closing ------------------------------------------------------------ */

/* Descriptors of the library's own are none of the program's. */

long do_close(int fd)
{
	bool ours = handle_of(fd) != NULL;
	uint64_t mask;
	long r;

	if (own_is(fd))
		return -EBADF;
	if (!ours)
		return sys_call(SYS_close, fd);
	mask = sig_block();
	r = sys_call(SYS_close, fd);
	handle_sweep();
	sig_unblock(mask);
	return r;
}

static long close_around(unsigned first, unsigned last, unsigned flags)
{
	int own;
	long r = 0;

	while (!r && (own = own_next(first, last)) >= 0) {
		if ((unsigned)own > first)
			r = sys_call(SYS_close_range, first, own - 1, flags);
		flags &= ~(unsigned)CLOSE_RANGE_UNSHARE;
		if ((unsigned)own == last)
			return r;
		first = (unsigned)own + 1;
	}
	return r ? r : sys_call(SYS_close_range, first, last, flags);
}

long do_close_range(unsigned first, unsigned last, unsigned flags)
{
	uint64_t mask;
	long r;

	if (first > last ||
	    flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	mask = sig_block();
	r = close_around(first, last, flags);
	handle_sweep();
	sig_unblock(mask);
	return r;
}

long do_dup3(long nr, int from, int to, int flags)
{
	bool sweep = from != to && handle_of(to);
	uint64_t mask;
	long r;

	if (own_is(from))
		return -EBADF;
	if (!own_is(to)) {
		r = sys_call(nr, from, to, flags);
		if (r >= 0 && sweep)
			handle_sweep();
		return handle_maybe(from) ? handle_dup(r) : r;
	}
	mask = range_enter();
	r = own_move(to);
	if (r >= 0)
		r = sys_call(nr, from, to, flags);
	range_leave(mask);
	return handle_maybe(from) ? handle_dup(r) : r;
}
