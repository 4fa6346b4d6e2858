/* SPDX-License-Identifier: BSD-3-Clause */
/* mremap(), and what is done with addresses that the kernel chose. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/diff/memory.h"

static const struct page hole;

static uint64_t yard_base(uint64_t yard)
{
	return addr_of(ADDR(BASE_YARD + yard, 0));
}

void clear_yard(uint64_t yard)
{
	uint64_t base = yard_base(yard);
	long r = call(SYS_munmap, base, YARD_PAGES * PAGE, 0, 0, 0, 0);

	if (r)
		say_result(r);
	ledger_set(base, YARD_PAGES * PAGE, &hole);
}

static bool overlap(uint64_t a, uint64_t b, uint64_t size)
{
	return a < b + size && b < a + size;
}

static long move_to(uint64_t from, uint64_t to, uint64_t size)
{
	return call(SYS_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		    to, 0);
}

/* Moves what the kernel has placed to its yard, which is empty. */
void settle(uint64_t *at, uint64_t size, uint64_t yard)
{
	uint64_t to = yard_base(yard);
	uint64_t lobby = yard_base(0) + (LOBBY_AT - YARDS_AT) * PAGE;
	long r;

	size = pages_up(size);
	if (*at == to)
		return;
	if (overlap(*at, to, size)) {
		r = move_to(*at, lobby, size);
		if (r < 0) {
			say("lobby ");
			say_result(r);
			return;
		}
		*at = (uint64_t)r;
	}
	r = move_to(*at, to, size);
	if (r < 0) {
		say("yard ");
		say_result(r);
		return;
	}
	*at = (uint64_t)r;
}

/* What is known of the pages goes with them. */
static void carry(uint64_t from, uint64_t old, uint64_t to, uint64_t size)
{
	static struct page kept[YARD_PAGES];
	uint64_t count = old / PAGE, i;
	uint32_t id = ledger_id();
	struct page fresh;

	if (count > YARD_PAGES)
		count = YARD_PAGES;
	/* What has been moved is not joined with what is beside it, or is. */
	for (i = 0; i < count; i++) {
		kept[i] = *page_at(from + i * PAGE);
		if (from != to)
			kept[i].id = id;
	}
	fresh = kept[0];
	fresh.freed = false;
	ledger_set(from, old, &hole);
	ledger_set(to, size, &fresh);
	for (i = 0; i < size / PAGE; i++) {
		if (i < count)
			*page_at(to + i * PAGE) = kept[i];
		page_at(to + i * PAGE)->file_page = kept[0].file_page + i;
	}
}

static void note(const struct op *o, uint64_t from, uint64_t to)
{
	uint64_t old = pages_up(o->arg[2]), size = pages_up(o->arg[3]);
	struct page left = *page_at(from);

	carry(from, old, to, size);
	if (!(o->arg[4] & MREMAP_DONTUNMAP) || from == to)
		return;
	left.freed = false;
	left.locked = false;
	left.id = ledger_id();
	ledger_set(from, old, &left);
	for (uint64_t i = 0; i < old / PAGE; i++)
		page_at(from + i * PAGE)->file_page += i;
}

/* Return: where it is now, or 0. */
uint64_t act_mremap(const struct op *o)
{
	uint64_t from = addr_of(o->arg[1]), flags = o->arg[4], at;
	bool choose = (flags & MREMAP_MAYMOVE) && !(flags & MREMAP_FIXED);
	long r;

	if (choose)
		clear_yard(o->arg[0]);
	r = call(SYS_mremap, from, o->arg[2], o->arg[3], flags,
		 addr_of(o->arg[5]), 0);
	if (r < 0) {
		say_result(r);
		return 0;
	}
	at = (uint64_t)r;
	if (choose && at != from)
		settle(&at, o->arg[3], o->arg[0]);
	say_addr(at);
	note(o, from, at);
	return at;
}
