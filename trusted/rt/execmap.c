/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ranges the host has been asked to map executable, so that it is not
 * asked twice. It is a memory of requests and no fact (I11): where the host
 * undoes one, a fetch there faults until it is the end. Few ranges are kept,
 * and a forgotten one costs a host call.
 *
 * Locks: its own, over the table only.
 */
#include "trusted/rt/thread.h"

#define RANGES 32u

struct range {
	uint64_t from;
	uint64_t to; /* 0: free */
};

static struct {
	struct rt_lock lock;
	uint32_t next; /* to be forgotten when there is no free one */
	bool ever;
	struct range r[RANGES];
} map;

bool rt_execmap_ever(void)
{
	return __atomic_load_n(&map.ever, __ATOMIC_RELAXED);
}

bool rt_execmap_has(uint64_t addr, uint64_t size)
{
	bool has = false;

	rt_lock(&map.lock);
	for (uint32_t i = 0; i < RANGES && !has; i++)
		has = map.r[i].from <= addr && addr + size <= map.r[i].to;
	rt_unlock(&map.lock);
	return has;
}

/* A slot for one more range, which takes over those that it touches. */
static struct range *slot_for(struct range *n)
{
	struct range *to = NULL;

	for (uint32_t i = 0; i < RANGES; i++) {
		struct range *r = &map.r[i];

		if (r->to && r->from <= n->to && n->from <= r->to) {
			n->from = r->from < n->from ? r->from : n->from;
			n->to = r->to > n->to ? r->to : n->to;
			*r = (struct range){ 0 };
		}
		if (!r->to && !to)
			to = r;
	}
	return to ? to : &map.r[map.next++ % RANGES];
}

void rt_execmap_add(uint64_t addr, uint64_t size)
{
	struct range n = { addr, addr + size };
	struct range *to;

	rt_lock(&map.lock);
	__atomic_store_n(&map.ever, true, __ATOMIC_RELAXED);
	to = slot_for(&n);
	*to = n;
	rt_unlock(&map.lock);
}

void rt_execmap_drop(uint64_t addr, uint64_t size)
{
	rt_lock(&map.lock);
	for (uint32_t i = 0; i < RANGES; i++)
		if (map.r[i].from < addr + size && addr < map.r[i].to)
			map.r[i] = (struct range){ 0 };
	rt_unlock(&map.lock);
}
