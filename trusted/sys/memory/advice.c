/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program says and asks of its pages: madvise(), msync(), mincore() and
 * the mlock family. They walk over what is mapped as Linux's do, each with its
 * own answer to a hole, and change what is before an error.
 *
 * Locking is a promise that the kernel's own pages cannot have here: EPC pages
 * are evicted, encrypted, when the host is short of them. So mlock() commits
 * the pages and takes note, and that is all (docs/caveats.md).
 */
#include "trusted/sys/memory/memory.h"

#include <linux/mman.h>

/* Newer than the headers of some systems, as 102 and 103, which have EINVAL. */
#define ADVICE_POPULATE_READ 22
#define ADVICE_POPULATE_WRITE 23
#define ADVICE_DONTNEED_LOCKED 24
#define ADVICE_HWPOISON 100
#define ADVICE_SOFT_OFFLINE 101

/* Content goes: anonymous memory is zero afterwards, a file is read again. */
static long drop(const struct mem_run *run)
{
	switch (run->where) {
	case MEM_STACK:
		return mem_errno(
			emm_uncommit_now(rt_emm(), run->addr, run->size, NULL));
	case MEM_HEAP:
		if (run->map == NULL)
			return mem_errno(
				heap_discard(sys_heap(), run->addr, run->size));
		if (run->map->file == NULL)
			return 0; /* what is shared is somebody else's, too */
		return mem_map_read(run->map, run->addr, run->size, run->prot);
	default:
		return -EINVAL; /* the image has no file to read again */
	}
}

/* MADV_FREE leaves the time to us: at once, so that mincore() tells it. */
static long free_pages(const struct mem_run *run)
{
	return run->map != NULL ? -EINVAL : drop(run);
}

static long remove_pages(const struct mem_run *run)
{
	if (run->where != MEM_HEAP || run->map == NULL)
		return -EINVAL;
	if (run->map->file != NULL)
		return -EACCES; /* it is not mapped for writing */
	return mem_errno(heap_discard(sys_heap(), run->addr, run->size));
}

static long fill(const struct mem_run *run)
{
	if (run->where != MEM_HEAP)
		return 0;
	return mem_errno(heap_fill(sys_heap(), run->addr, run->size));
}

static long populate(const struct mem_run *run, int right)
{
	return run->prot & right ? fill(run) : -EINVAL;
}

static long advise(const struct mem_run *run, uint64_t advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return run->locked ? -EINVAL : drop(run);
	case ADVICE_DONTNEED_LOCKED:
		return drop(run);
	case MADV_FREE:
		return run->locked ? -EINVAL : free_pages(run);
	case MADV_REMOVE:
		return run->locked ? -EINVAL : remove_pages(run);
	case MADV_COLD:
	case MADV_PAGEOUT:
		return run->locked ? -EINVAL : 0;
	case MADV_WIPEONFORK:
		return run->map != NULL ? -EINVAL : 0;
	case ADVICE_POPULATE_READ:
		return populate(run, EMM_R);
	case ADVICE_POPULATE_WRITE:
		return populate(run, EMM_W);
	default:
		return 0;
	}
}

/* Advice that there is; that of which nothing follows is among it. */
static long advice_refused(uint64_t advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case ADVICE_POPULATE_READ:
	case ADVICE_POPULATE_WRITE:
	case ADVICE_DONTNEED_LOCKED:
		return 0;
	case ADVICE_HWPOISON:
	case ADVICE_SOFT_OFFLINE:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

/* Anonymous memory of the heap's, whose stretches can be done as one. */
static bool plain(const struct mem_run *run)
{
	return run->where == MEM_HEAP && run->map == NULL && !run->locked;
}

/* The stretch at @addr, and those behind that want the same of the heap. */
static void look_on(uint64_t addr, uint64_t end, struct mem_run *out)
{
	struct mem_run next;
	uint64_t at;

	mem_look(addr, end, out);
	for (at = addr + out->size; plain(out) && at < end; at += next.size) {
		mem_look(at, end, &next);
		if (!plain(&next))
			return;
		out->size += next.size;
	}
}

static void look_for(uint64_t addr, uint64_t end, uint64_t advice,
		     struct mem_run *out)
{
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		look_on(addr, end, out);
	else
		mem_look(addr, end, out);
}

long sys_madvise(const uint64_t *a)
{
	uint64_t size = mem_round(a[1]), at, end = a[0] + size;
	bool stops =
		a[2] == ADVICE_POPULATE_READ || a[2] == ADVICE_POPULATE_WRITE;
	long err = advice_refused((uint32_t)a[2]), hole = 0;
	struct mem_run run;

	if (err)
		return err;
	if (a[0] % MEM_PAGE != 0 || size < a[1] || end < a[0])
		return -EINVAL;
	for (at = a[0]; at < end && !err; at += run.size) {
		look_for(at, end, (uint32_t)a[2], &run);
		if (run.where != MEM_NOTHING)
			err = advise(&run, (uint32_t)a[2]);
		else
			hole = -ENOMEM;
		if (hole && stops)
			break;
	}
	return err ? err : hole;
}

/* What is private has nothing to write back, and a shared file is read. */
long sys_msync(const uint64_t *a)
{
	uint64_t end = a[0] + mem_round(a[1]), at;
	uint32_t flags = (uint32_t)a[2];
	struct mem_run run;
	long hole = 0;

	if (a[0] % MEM_PAGE != 0 ||
	    flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	if (end < a[0])
		return -ENOMEM;
	for (at = a[0]; at < end; at += run.size) {
		mem_look(at, end, &run);
		if (run.locked && flags & MS_INVALIDATE)
			return -EBUSY;
		if (run.where == MEM_NOTHING)
			hole = -ENOMEM;
	}
	return hole;
}

long sys_mincore(const uint64_t *a)
{
	uint64_t end = a[0] + mem_round(a[1]), at;
	uint8_t *vec = (uint8_t *)a[2];
	struct mem_run run;

	if (a[0] % MEM_PAGE != 0)
		return -EINVAL;
	if (a[1] > MEM_USER_END || a[0] > MEM_USER_END - a[1])
		return -ENOMEM;
	if (!sys_owns_to_write(a[2], (end - a[0]) / MEM_PAGE))
		return -EFAULT;
	for (at = a[0]; at < end; at += run.size) {
		mem_look(at, end, &run);
		if (run.where == MEM_NOTHING)
			return -ENOMEM;
		if (run.where == MEM_FIXED)
			__builtin_memset(vec, 1, run.size / MEM_PAGE);
		else
			heap_resident(sys_heap(), at, run.size, vec);
		vec += run.size / MEM_PAGE;
	}
	return 0;
}

/* Lock or unlock; -ENOMEM at the first hole. */
static long lock_range(uint64_t addr, uint64_t end, bool on)
{
	struct mem_run run;
	long err = 0;

	for (; addr < end && !err; addr += run.size) {
		mem_look(addr, end, &run);
		if (run.where == MEM_NOTHING)
			return -ENOMEM;
		if (run.where == MEM_HEAP)
			err = mem_errno(
				heap_lock(sys_heap(), addr, run.size, on));
	}
	return err;
}

/* Pages without rights cannot be had; those that are short are for later. */
static long fill_range(uint64_t addr, uint64_t end)
{
	struct mem_run run;

	for (; addr < end; addr += run.size) {
		mem_look(addr, end, &run);
		if (run.where == MEM_HEAP && run.prot == EMM_NONE)
			return -ENOMEM;
		if (fill(&run))
			return -EAGAIN;
	}
	return 0;
}

/* mlock() takes any addresses, and a size that wraps for none. Return: 0 bytes,
 * an error, or else 1. */
static long lock_pages(const uint64_t *a, uint64_t *from, uint64_t *end)
{
	uint64_t size = mem_round(a[1] + a[0] % MEM_PAGE);

	*from = a[0] & ~(MEM_PAGE - 1);
	*end = *from + size;
	if (*end < *from)
		return -EINVAL;
	return *end > *from;
}

long sys_mlock2(const uint64_t *a)
{
	uint64_t from, end;
	long err;

	if ((uint32_t)a[2] & ~(uint32_t)MLOCK_ONFAULT)
		return -EINVAL;
	err = lock_pages(a, &from, &end);
	if (err <= 0)
		return err;
	err = lock_range(from, end, true);
	if (!err && !(a[2] & MLOCK_ONFAULT))
		err = fill_range(from, end);
	return err;
}

long sys_mlock(const uint64_t *a)
{
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], 0 };

	return sys_mlock2(args);
}

long sys_munlock(const uint64_t *a)
{
	uint64_t from, end;
	long err = lock_pages(a, &from, &end);

	return err <= 0 ? err : lock_range(from, end, false);
}

/* All that is mapped; what cannot be had now comes when it is touched. */
static long lock_all(bool on, bool fills)
{
	uint64_t at, end;
	struct mem_run run;
	long err = 0;

	heap_bounds(sys_heap(), &at, &end);
	for (; at < end && !err; at += run.size) {
		mem_look(at, end, &run);
		if (run.where != MEM_HEAP)
			continue;
		err = mem_errno(heap_lock(sys_heap(), at, run.size, on));
		if (!err && fills)
			(void)!fill(&run);
	}
	return err;
}

long sys_mlockall(const uint64_t *a)
{
	const uint32_t all = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
	uint32_t flags = (uint32_t)a[0];

	if (!flags || flags & ~all || flags == MCL_ONFAULT)
		return -EINVAL;
	heap_lock_future(sys_heap(), flags & MCL_FUTURE,
			 !(flags & MCL_ONFAULT));
	if (!(flags & MCL_CURRENT))
		return 0;
	return lock_all(true, !(flags & MCL_ONFAULT));
}

long sys_munlockall(const uint64_t *a)
{
	(void)a;
	heap_lock_future(sys_heap(), false, false);
	return lock_all(false, false);
}
