/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program knows of its pages: from answers alone, so that it is the
 * same in both worlds as long as these answer alike. Nothing is claimed of it;
 * open.c's rules ask it.
 */
#include <string.h>

#include "tests/diff/memory.h"

uint64_t ground_base, break_base;
static struct page range[RANGE_PAGES];
static struct page breaks[BREAK_PAGES + 1];
static uint32_t last_id;

uint64_t addr_of(uint64_t a)
{
	uint64_t base = a >> ADDR_SHIFT;
	uint64_t off = a & (((uint64_t)1 << ADDR_SHIFT) - 1);

	switch (base) {
	case BASE_GROUND:
		return ground_base + off;
	case BASE_BREAK:
		return break_base + off;
	case BASE_ZERO:
		return off;
	case BASE_HIGH:
		return 0xffff800000000000ul + off;
	default:
		return ground_base - GROUND_AT * PAGE +
		       (YARDS_AT + (base - BASE_YARD) * YARD_PAGES) * PAGE +
		       off;
	}
}

static uint64_t range_index(uint64_t addr)
{
	return (addr - (ground_base - GROUND_AT * PAGE)) / PAGE;
}

struct page *page_at(uint64_t addr)
{
	uint64_t at = range_index(addr);

	if (at < RANGE_PAGES)
		return &range[at];
	at = (addr - break_base) / PAGE;
	return at <= BREAK_PAGES ? &breaks[at] : NULL;
}

void say_addr(uint64_t addr)
{
	uint64_t at = range_index(addr), yard;

	if (addr - break_base <= BREAK_PAGES * PAGE) {
		say("b+0x%lx", addr - break_base);
	} else if (at - GROUND_AT < GROUND_PAGES) {
		say("g+0x%lx", addr - ground_base);
	} else if (at - YARDS_AT < YARDS * YARD_PAGES) {
		yard = (at - YARDS_AT) / YARD_PAGES;
		say("y%lu+0x%lx", yard,
		    addr - addr_of(ADDR(BASE_YARD + yard, 0)));
	} else {
		say("elsewhere");
	}
}

void ledger_clear(void)
{
	memset(range, 0, sizeof(range));
	memset(breaks, 0, sizeof(breaks));
	last_id = 0;
}

uint32_t ledger_id(void)
{
	return ++last_id;
}

uint64_t pages_up(uint64_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

static bool within(uint64_t addr, uint64_t size, uint64_t base, uint64_t pages)
{
	return addr >= base && addr - base <= pages * PAGE &&
	       size <= pages * PAGE - (addr - base);
}

bool in_play(uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size, from = addr & ~(PAGE - 1);

	if (end < addr || pages_up(end) < end)
		return false;
	size = pages_up(end) - from;
	return within(from, size, ground_base, GROUND_PAGES) ||
	       within(from, size, addr_of(ADDR(BASE_YARD, 0)),
		      YARDS * YARD_PAGES) ||
	       within(from, size, break_base, BREAK_PAGES);
}

uint64_t mapped_to(uint64_t addr, uint64_t end)
{
	const struct page *p;

	for (addr &= ~(PAGE - 1); addr < end; addr += PAGE) {
		p = page_at(addr);
		if (!p || p->kind == PAGE_HOLE)
			break;
	}
	return addr;
}

void ledger_set(uint64_t addr, uint64_t size, const struct page *like)
{
	uint64_t end = pages_up(addr + size);
	struct page *p;

	for (addr &= ~(PAGE - 1); addr < end; addr += PAGE) {
		p = page_at(addr);
		if (p)
			*p = *like;
	}
}

void ledger_grown(uint64_t addr)
{
	uint64_t from = addr & ~(PAGE - 1);
	struct page *p = page_at(from), like;

	if (!p || p->kind != PAGE_HOLE || !in_play(from, 1))
		return;
	for (addr = from; p && p->kind == PAGE_HOLE; addr += PAGE)
		p = page_at(addr + PAGE);
	if (!p || !p->grows)
		return;
	like = *p;
	like.freed = false;
	like.id = ledger_id(); /* what is below it is another mapping still */
	ledger_set(from, addr - from, &like);
}
