/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel does mapping by mapping: mprotect, madvise. A range may hold
 * enclave mappings, others, and holes; as in Linux, what comes before the one
 * that refuses is done.
 *
 * Locks: the driver's, with asynchronous signals blocked.
 */
#include "machine/trap/calls/range.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"

#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_SEM_BIT 0x8 /* of <asm-generic/mman-common.h>; without effect */
#define PROT_GROWS (PROT_GROWSDOWN | PROT_GROWSUP)

uint64_t range_enter(void)
{
	uint64_t mask = sig_block();

	fork_check();
	drv_lock(machine.d);
	return mask;
}

void range_leave(uint64_t mask)
{
	drv_unlock(machine.d);
	sig_unblock(mask);
}

bool range_of(const void *addr, size_t len, uint64_t *start, uint64_t *end)
{
	*start = (uint64_t)addr & ~RANGE_PAGE;
	return !__builtin_add_overflow((uint64_t)addr, len, end) &&
	       !__builtin_add_overflow(*end, RANGE_PAGE, end) &&
	       (*end &= ~RANGE_PAGE) > *start;
}

bool range_hits(const void *addr, size_t len)
{
	uint64_t start, end, mask;
	bool hit;

	if (!machine.d || !drv_any_mapped(machine.d) ||
	    !range_of(addr, len, &start, &end))
		return false;
	mask = range_enter();
	hit = drv_mapped(machine.d, start, end);
	range_leave(mask);
	return hit;
}

unsigned range_prot(int prot)
{
	return (prot & PROT_READ ? DRV_PROT_R : 0) |
	       (prot & PROT_WRITE ? DRV_PROT_W : 0) |
	       (prot & PROT_EXEC ? DRV_PROT_X : 0);
}

/* A part of a range: of one enclave mapping, or of none. */
struct piece {
	uint64_t start;
	uint64_t end;
	struct drv_vma vma; /* .encl NULL: of none, and there may be holes */
};

static struct piece piece_at(uint64_t start, uint64_t end)
{
	struct piece p = { .start = start, .end = end };
	struct drv_vma v;

	if (!drv_find_vma(machine.d, start, &v) || v.start >= end)
		return p;
	if (v.start > start) {
		p.end = v.start;
		return p;
	}
	p.vma = v;
	p.end = v.end < end ? v.end : end;
	return p;
}

long range_pieces(uint64_t start, uint64_t end, range_fn *fn, void *arg)
{
	long r = 0;

	while (!r && start < end) {
		struct piece p = piece_at(start, end);

		r = fn(arg, p.start, p.end, p.vma.encl);
		start = p.end;
	}
	return r;
}

/* ---- mprotect ---------------------------------------------------------- */

bool range_implies_exec(void)
{
	long p = sys_call(SYS_personality, 0xffffffff);

	return p > 0 && (p & READ_IMPLIES_EXEC);
}

static long protect(void *arg, uint64_t start, uint64_t end, bool enclave)
{
	int prot = *(const int *)arg;
	unsigned bits = range_prot(prot);
	long r;

	if (!enclave)
		return sys_mprotect((void *)start, end - start, prot);
	if (range_implies_exec())
		return -EACCES;
	r = drv_may_protect(machine.d, start, end, bits);
	if (!r)
		r = view_protect(start, end, bits);
	if (!r)
		r = drv_mprotect(machine.d, start, end, bits);
	return r;
}

long do_mprotect(void *addr, size_t len, int prot)
{
	uint64_t start, end, mask;
	int only = prot & PROT_RWX;
	long r;

	if (((uint64_t)addr & RANGE_PAGE) || !range_hits(addr, len) ||
	    !range_of(addr, len, &start, &end) ||
	    (prot & ~(PROT_RWX | PROT_SEM_BIT | PROT_GROWS)) ||
	    (prot & PROT_GROWS) == PROT_GROWS)
		return sys_mprotect(addr, len, prot);
	mask = range_enter();
	/* Only a stack grows. */
	if ((prot & PROT_GROWS) && piece_at(start, end).vma.encl)
		r = -EINVAL;
	else if (prot & PROT_GROWS)
		r = sys_mprotect(addr, len, prot);
	else
		r = range_pieces(start, end, protect, &only);
	range_leave(mask);
	return r;
}

long do_pkey_mprotect(void *addr, size_t len, int prot, int key)
{
	if (key == -1)
		return do_mprotect(addr, len, prot);
	if (!range_hits(addr, len))
		return sys_call(SYS_pkey_mprotect, (long)addr, (long)len, prot,
				key);
	/* The keys of these mappings are strict mode's. */
	return -EINVAL;
}

/* ---- others ------------------------------------------------------------ */

/* Enclave mappings do not grow (VM_DONTEXPAND) and are not moved here. */
long do_mremap(void *old, size_t old_len, size_t len, int flags, void *to)
{
	if (!range_hits(old, old_len ? old_len : 1))
		return sys_call(SYS_mremap, (long)old, (long)old_len, (long)len,
				flags, (long)to);
	if ((flags & ~MREMAP_MAYMOVE) || !len || ((uint64_t)old & RANGE_PAGE))
		return -EINVAL;
	if (len > old_len)
		return -EFAULT;
	if (len < old_len)
		do_munmap((char *)old + len, old_len - len);
	return (long)old;
}

static long populate_piece(void *arg, uint64_t start, uint64_t end,
			   bool enclave)
{
	(void)arg;
	if (enclave)
		drv_populate(machine.d, start, end);
	else
		sys_madvise((void *)start, end - start, MADV_WILLNEED);
	return 0;
}

/* Punches a hole into a file, which is no regular one: ENODEV, if the mapping
 * could write. Others come first, if they do. */
static long remove_piece(void *arg, uint64_t start, uint64_t end, bool enclave)
{
	struct drv_vma v;

	(void)arg;
	if (!enclave)
		return sys_madvise((void *)start, end - start, MADV_REMOVE);
	return drv_find_vma(machine.d, start, &v) && (v.prot & DRV_PROT_W)
		       ? -ENODEV
		       : -EACCES;
}

static long sync_piece(void *arg, uint64_t start, uint64_t end, bool enclave)
{
	if (enclave)
		return *(const int *)arg & MS_SYNC ? -EINVAL : 0;
	return sys_call(SYS_msync, (long)start, (long)(end - start),
			*(const int *)arg);
}

static long over(void *addr, size_t len, range_fn *fn, void *arg)
{
	uint64_t start, end, mask;
	long r;

	if (!range_of(addr, len, &start, &end))
		return -EINVAL;
	mask = range_enter();
	r = range_pieces(start, end, fn, arg);
	range_leave(mask);
	return r;
}

static long remove_all(void *addr, size_t len)
{
	return (uint64_t)addr & RANGE_PAGE
		       ? -EINVAL
		       : over(addr, len, remove_piece, NULL);
}

/* The device has no fsync. */
long do_msync(void *addr, size_t len, int flags)
{
	if (!range_hits(addr, len) || ((uint64_t)addr & RANGE_PAGE) ||
	    (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return sys_call(SYS_msync, (long)addr, (long)len, flags);
	return over(addr, len, sync_piece, &flags);
}

/* VM_IO and VM_PFNMAP: nothing that would drop or fill pages. */
long do_madvise(void *addr, size_t len, int advice)
{
	if (!range_hits(addr, len))
		return sys_madvise(addr, len, advice);
	if (advice == MADV_WILLNEED && machine.opt.populate)
		return over(addr, len, populate_piece, NULL);
	switch (advice) {
	case MADV_REMOVE:
		return remove_all(addr, len);
	/* Without effect there, and allowed. */
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_KEEPONFORK:
		return 0;
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
