/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MAP_GROWSDOWN: a touch below such a mapping maps what lies between, where
 * Linux would: not beyond RLIMIT_STACK, and not up to what the program could
 * run into, its guard gap above the next mapping that can be touched.
 *
 * Runs at stage 2 of a fault. Locks: none held; the heap's are taken.
 */
#include "trusted/sys/memory/memory.h"

#define GUARD_GAP (256 * MEM_PAGE)

static uint64_t lower(uint64_t addr, uint64_t by, uint64_t low)
{
	return addr - low > by ? addr - by : low;
}

/* Is it kept apart from the nearest mapping below it? */
static bool gap_below(uint64_t addr, uint64_t low)
{
	struct mem_run run, below = { .where = MEM_NOTHING };
	uint64_t at = lower(addr, GUARD_GAP, low);

	for (; at < addr; at += run.size) {
		mem_look(at, addr, &run);
		if (run.where != MEM_NOTHING)
			below = run;
	}
	return below.where == MEM_NOTHING || below.grows ||
	       below.prot == EMM_NONE;
}

bool sys_grow(uint64_t addr)
{
	const uint64_t most = rt_layout()->stack_size;
	struct mem_run hole, above;
	uint64_t low, high, top;
	struct heap_req r = { .kind = HEAP_MAP, .place = HEAP_FIXED_NEW };

	heap_bounds(sys_heap(), &low, &high);
	r.addr = addr & ~(MEM_PAGE - 1);
	if (r.addr < low || r.addr >= high)
		return false;
	top = high - r.addr > most ? r.addr + most : high;
	mem_look(r.addr, top, &hole);
	if (hole.where != MEM_NOTHING || r.addr + hole.size >= top)
		return false;
	mem_look(r.addr + hole.size, top, &above);
	if (!above.grows || above.addr + above.size >= top ||
	    !gap_below(r.addr, low))
		return false;
	r.size = hole.size;
	r.prot = above.prot;
	r.free = above.free;
	r.part = true;
	r.tag = mem_map_growing();
	if (heap_map(sys_heap(), &r, &addr) != 0)
		return false;
	return !above.locked ||
	       heap_lock(sys_heap(), r.addr, r.size, true) == 0;
}
