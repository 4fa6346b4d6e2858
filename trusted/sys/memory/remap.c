/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mremap(): in place where the neighbour is free, else by a copy, with rights,
 * locks and file as they were. Memory that is shared cannot be had at two
 * addresses here: old_size 0 and MREMAP_DONTUNMAP of it are EINVAL.
 */
#include "trusted/sys/memory/memory.h"

#include <linux/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

struct remap {
	struct mem_run run; /* what is at from */
	uint64_t from;
	uint64_t old;
	uint64_t size;
	uint64_t flags;
	uint64_t to; /* with MREMAP_FIXED */
};

static bool is_file(const struct mem_run *run)
{
	return run->map != NULL && run->map->file != NULL;
}

/*
 * What the program keeps is in its place by now. Pages that the host does not
 * take back cost room: as an error they would cost content, since others of the
 * range are gone.
 */
static long cut_off(uint64_t addr, uint64_t size)
{
	long err = mem_unmap(addr, size);

	return err == -ENOMEM ? 0 : err;
}

/* Locks go where the mapping goes; what they cannot fill comes by touches. */
static void lock_new(const struct remap *m, uint64_t addr, uint64_t size)
{
	if (!m->run.locked)
		return;
	if (heap_lock(sys_heap(), addr, size, true) == 0)
		(void)!heap_fill(sys_heap(), addr, size);
}

static long extend(const struct remap *m)
{
	uint64_t more = m->size - m->old, at = m->from + m->old;
	long err = mem_errno(heap_extend(sys_heap(), m->from, m->old, more));

	if (err)
		return err;
	mem_map_more(m->run.map, more / MEM_PAGE);
	if (is_file(&m->run))
		err = mem_map_read(m->run.map, at, more, m->run.prot);
	if (err) {
		/* The first error is the answer; the new part leaks. */
		(void)!mem_unmap(at, more);
		return err;
	}
	lock_new(m, at, more);
	return (long)m->from;
}

/* The content's new place, with everything but the content. */
static long map_new(const struct remap *m, struct mem_map **map, uint64_t *addr)
{
	struct heap_req r = {
		.addr = m->to,
		.size = m->size,
		.prot = m->run.prot,
		.kind = HEAP_MAP,
		.place = m->flags & MREMAP_FIXED ? HEAP_FIXED : HEAP_ANYWHERE,
		.free = m->run.free,
		.part = true,
	};
	long err;

	*map = m->run.map;
	if (is_file(&m->run)) {
		err = mem_map_again(m->run.map, 0, map);
		if (err)
			return err;
		mem_map_more(*map, m->size / MEM_PAGE);
	}
	r.tag = m->run.grows ? mem_map_growing() : *map;
	err = mem_errno(heap_map(sys_heap(), &r, addr));
	if (err)
		mem_map_less(*map, m->size / MEM_PAGE);
	else if (is_file(&m->run))
		(*map)->delta = m->run.map->delta + m->from - *addr;
	return err;
}

/* What the content has left: unmapped, or as if nobody had touched it. */
static long leave(const struct remap *m)
{
	long err;

	if (!(m->flags & MREMAP_DONTUNMAP))
		return cut_off(m->from, m->old);
	if (is_file(&m->run))
		err = mem_map_read(m->run.map, m->from, m->old, m->run.prot);
	else
		err = mem_errno(heap_discard(sys_heap(), m->from, m->old));
	/* An error would say that the content is still there. */
	if (err)
		rt_abort_host("memory that has moved cannot be left as new");
	return 0;
}

static long move(const struct remap *m)
{
	struct mem_map *map;
	uint64_t addr;
	long err = map_new(m, &map, &addr);

	if (err)
		return err;
	err = mem_errno(heap_move(sys_heap(), m->from, m->old, addr));
	if (!err && is_file(&m->run) && m->size > m->old)
		err = mem_map_read(map, addr + m->old, m->size - m->old,
				   m->run.prot);
	if (err) {
		/* The first error is the answer; the copy leaks at worst. */
		(void)!mem_unmap(addr, m->size);
		return err;
	}
	lock_new(m, addr, m->size);
	if (m->flags & MREMAP_DONTUNMAP)
		err = mem_errno(heap_lock(sys_heap(), m->from, m->old, false));
	if (!err)
		err = leave(m);
	return err ? err : (long)addr;
}

/* The place is cleared, and a smaller size takes away the old end. */
static long move_to(struct remap *m)
{
	long err = 0;

	if (m->flags & MREMAP_FIXED) {
		if (!heap_owns(sys_heap(), m->to, m->size))
			return -ENOMEM;
		err = mem_unmap(m->to, m->size);
	}
	if (!err && m->old > m->size) {
		err = cut_off(m->from + m->size, m->old - m->size);
		m->old = m->size;
	}
	return err ? err : move(m);
}

static bool flags_refused(const uint64_t *a)
{
	const uint64_t all = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

	if (a[3] & ~all)
		return true;
	if (a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP) &&
	    !(a[3] & MREMAP_MAYMOVE))
		return true;
	return a[3] & MREMAP_DONTUNMAP && mem_round(a[1]) != mem_round(a[2]);
}

static bool place_refused(const struct remap *m)
{
	if (!(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return false;
	return m->to % MEM_PAGE != 0 || m->size > MEM_USER_END ||
	       m->to > MEM_USER_END - m->size ||
	       (m->to < m->from + m->old && m->from < m->to + m->size);
}

/* All that is to be moved or to grow is one mapping. */
static long run_refused(const struct remap *m)
{
	bool both = m->flags & MREMAP_DONTUNMAP || m->old == 0;
	bool shared = m->run.map != NULL && m->run.map->shared;

	if (m->old == 0 || (both && shared))
		return -EINVAL;
	if (m->run.size < (m->old < m->size ? m->old : m->size))
		return -EFAULT;
	return 0;
}

static long remap(struct remap *m)
{
	bool moves = m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	long err;

	if (m->old >= m->size && !moves) {
		err = 0;
		if (m->old > m->size)
			err = cut_off(m->from + m->size, m->old - m->size);
		return err ? err : (long)m->from;
	}
	err = run_refused(m);
	if (err)
		return err;
	if (moves)
		return move_to(m);
	err = extend(m);
	if (err > 0 || !(m->flags & MREMAP_MAYMOVE))
		return err;
	return move(m);
}

long sys_mremap(const uint64_t *a)
{
	struct remap m = {
		.from = a[0],
		.old = mem_round(a[1]),
		.size = mem_round(a[2]),
		.flags = a[3],
		.to = a[4],
	};

	if (flags_refused(a) || a[0] % MEM_PAGE != 0 || m.size == 0 ||
	    m.old < a[1] || place_refused(&m))
		return -EINVAL;
	if (!heap_owns(sys_heap(), m.from, MEM_PAGE))
		return -EFAULT;
	mem_look(m.from,
		 heap_owns(sys_heap(), m.from, m.old + MEM_PAGE)
			 ? m.from + m.old + MEM_PAGE
			 : m.from + MEM_PAGE,
		 &m.run);
	if (m.run.where != MEM_HEAP)
		return -EFAULT;
	return remap(&m);
}

long sys_heap_mremap(const uint64_t *a)
{
	const struct heap_resize r = {
		.addr = a[0],
		.old = a[1],
		.size = a[2],
		.move = (a[3] & MREMAP_MAYMOVE) != 0,
	};
	uint64_t addr;
	edmm_err err;

	if (a[3] & ~(uint64_t)MREMAP_MAYMOVE)
		return -EINVAL;
	err = heap_resize(sys_heap(), &r, &addr);
	if (err == -EDMM_EFAULT)
		return -EFAULT;
	return err ? mem_errno(err) : (long)addr;
}
