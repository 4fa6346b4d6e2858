/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap, munmap, mprotect, ioctl, close on enclave files and their mappings;
 * whatever does not touch one goes to the kernel untouched.
 *
 * Locks: the driver's, with asynchronous signals blocked, around every change
 * of a mapping and of its record.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <edmm/machine.h>
#include <sgx/linux.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/tell/tell.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE (SGX_PAGE_SIZE - 1ull)
#define MAP_TYPE_BITS 0xf
#define ERESTARTSYS 512

static uint64_t enter(void)
{
	uint64_t mask = sig_block();

	fork_check();
	drv_lock(machine.d);
	return mask;
}

static void leave(uint64_t mask)
{
	drv_unlock(machine.d);
	sig_unblock(mask);
}

/* [addr, addr + len) rounded out to pages; false if it is no range. */
static bool range(const void *addr, size_t len, uint64_t *start, uint64_t *end)
{
	*start = (uint64_t)addr & ~PAGE;
	return !__builtin_add_overflow((uint64_t)addr, len, end) &&
	       !__builtin_add_overflow(*end, PAGE, end) &&
	       (*end &= ~PAGE) > *start;
}

static bool hits(const void *addr, size_t len)
{
	uint64_t start, end, mask;
	bool hit;

	if (!machine.d || !drv_any_mapped(machine.d) ||
	    !range(addr, len, &start, &end))
		return false;
	mask = enter();
	hit = drv_mapped(machine.d, start, end);
	leave(mask);
	return hit;
}

static unsigned drv_prot(int prot)
{
	return (prot & PROT_READ ? DRV_PROT_R : 0) |
	       (prot & PROT_WRITE ? DRV_PROT_W : 0) |
	       (prot & PROT_EXEC ? DRV_PROT_X : 0);
}

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
	range((void *)at, len, &start, &end);
	/* As in Linux, what was there is gone even if the rest fails. */
	drv_munmap(machine.d, start, end);
	r = drv_may_map(machine.d, h->e, start, end, drv_prot(prot));
	if (!r)
		r = view_map(fd, start, end - start, drv_prot(prot));
	if (!r)
		r = drv_mmap(machine.d, h->e, start, end, drv_prot(prot));
	if (r)
		sys_munmap((void *)start, end - start);
	return r ? r : at;
}

static long mmap_enclave(struct handle *h, void *addr, size_t len, int prot,
			 int flags, int fd)
{
	int type = flags & MAP_TYPE_BITS;
	uint64_t start, end, mask;
	long r;

	if (!range(addr, len, &start, &end))
		return len ? -ENOMEM : -EINVAL;
	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (h->kind != HANDLE_ENCLAVE)
		return -ENODEV;
	if ((prot & PROT_WRITE) && !h->writable)
		return -EACCES;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
	    ((uint64_t)addr & PAGE))
		return -EINVAL;
	mask = enter();
	r = h->e ? map_enclave(h, addr, len, prot, flags, fd) : -EIO;
	leave(mask);
	return r;
}

long do_mmap(void *addr, size_t len, int prot, int flags, int fd, uint64_t off)
{
	struct handle *h = flags & MAP_ANONYMOUS ? NULL : handle_of(fd);
	uint64_t start, end, mask;
	long r;

	if (h)
		return mmap_enclave(h, addr, len, prot, flags, fd);
	if (!(flags & MAP_FIXED) || !hits(addr, len))
		return (long)sys_mmap(addr, len, prot, flags, fd, off);
	mask = enter();
	r = (long)sys_mmap(addr, len, prot, flags, fd, off);
	if (!sys_failed((void *)r) && range(addr, len, &start, &end))
		drv_munmap(machine.d, start, end);
	leave(mask);
	handle_sweep();
	return r;
}

long do_munmap(void *addr, size_t len)
{
	uint64_t start, end, mask;
	long r;

	if (!hits(addr, len))
		return sys_munmap(addr, len);
	mask = enter();
	r = sys_munmap(addr, len);
	if (!r && range(addr, len, &start, &end))
		drv_munmap(machine.d, start, end);
	leave(mask);
	return r;
}

long do_mprotect(void *addr, size_t len, int prot)
{
	uint64_t start, end, mask;
	long r;

	if (((uint64_t)addr & PAGE) || !hits(addr, len) ||
	    !range(addr, len, &start, &end) ||
	    (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return sys_mprotect(addr, len, prot);
	mask = enter();
	r = drv_may_protect(machine.d, start, end, drv_prot(prot));
	if (!r)
		r = view_protect(start, end, drv_prot(prot));
	if (!r)
		r = drv_mprotect(machine.d, start, end, drv_prot(prot));
	leave(mask);
	return r;
}

/* Enclave mappings do not grow (VM_DONTEXPAND) and are not moved here. */
long do_mremap(void *old, size_t old_len, size_t len, int flags, void *to)
{
	if (!hits(old, old_len ? old_len : 1))
		return sys_call(SYS_mremap, (long)old, (long)old_len, (long)len,
				flags, (long)to);
	if (len > old_len)
		return -EFAULT;
	if (flags & MREMAP_FIXED || !len)
		return -EINVAL;
	if (len < old_len)
		do_munmap((char *)old + len, old_len - len);
	return (long)old;
}

/* VM_IO and VM_PFNMAP: nothing that would drop or fill pages. */
long do_madvise(void *addr, size_t len, int advice)
{
	if (!hits(addr, len))
		return sys_madvise(addr, len, advice);
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTFORK:
	case MADV_DONTDUMP:
		return sys_madvise(addr, len, advice);
	default:
		return -EINVAL;
	}
}

long do_ioctl(int fd, unsigned long cmd, uint64_t arg)
{
	struct drv_ioctl_ctx ic = { .is_provision = handle_is_provision };
	struct handle *h = handle_of(fd);
	uint64_t mask;
	long r;

	if (!h)
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

long do_close(int fd)
{
	bool ours = handle_of(fd) != NULL;
	uint64_t mask;
	long r;

	if (!ours)
		return sys_call(SYS_close, fd);
	mask = sig_block();
	r = sys_call(SYS_close, fd);
	handle_sweep();
	sig_unblock(mask);
	return r;
}
