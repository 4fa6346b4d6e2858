/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is passed over in both worlds, and what an enclave refuses on purpose:
 * the only place for either. "open" is what Linux promises nobody; "gap" is
 * ours, has its line in docs/caveats.md, and goes when that goes.
 *
 * Beside these rules, the program does not tell: which address the kernel chose
 * (it is moved to a yard), what mincore() says of a page, and of a page that
 * MADV_FREE has had whether it is zero by now. A page's accessed address is
 * told by the page, as that is all that SGX tells.
 */
#include <errno.h>
#include <sys/mman.h>

#include "tests/diff/memory.h"

struct rule {
	const char *name;
	bool gap;
	bool (*hits)(const struct op *o);
};

static bool is_mapping(const struct op *o)
{
	return o->kind == OP_mmap || o->kind == OP_mprotect;
}

static uint64_t prot_of(const struct op *o)
{
	return o->arg[o->kind == OP_mmap ? 3 : 2];
}

static bool chooses(const struct op *o)
{
	if (o->kind == OP_mmap)
		return !(o->arg[4] & (MAP_FIXED | MAP_FIXED_NOREPLACE));
	return o->kind == OP_mremap && (o->arg[4] & MREMAP_MAYMOVE) &&
	       !(o->arg[4] & MREMAP_FIXED);
}

/* Calls that look at nothing of a range whose rounded end wraps. */
static bool has_range(const struct op *o)
{
	const enum arg *a = op_args(o->kind);

	return a[0] == ARG_ADDR && a[1] == ARG_SIZE;
}

/* open: what the guards are for; a range beyond is of others */
static bool off_the_ground(const struct op *o)
{
	uint64_t addr;

	if (!has_range(o))
		return false;
	addr = addr_of(o->arg[0]);
	if (o->arg[1] == 0 || pages_up(o->arg[1]) == 0)
		return false;
	if (o->arg[0] >> ADDR_SHIFT == BASE_HIGH)
		return false;
	return !in_play(addr, o->arg[1]);
}

static bool mmap_off_the_ground(const struct op *o)
{
	uint64_t size = o->arg[2];

	if (o->kind != OP_mmap || size == 0 || size >= (uint64_t)1 << 47)
		return false;
	if (chooses(o))
		return pages_up(size) > CHOSEN_MAX * PAGE;
	return o->arg[1] >> ADDR_SHIFT != BASE_HIGH &&
	       !in_play(addr_of(o->arg[1]), size);
}

static bool mremap_off_the_ground(const struct op *o)
{
	uint64_t from = addr_of(o->arg[1]), old = o->arg[2], size = o->arg[3];

	if (o->kind != OP_mremap)
		return false;
	if (!in_play(from, old ? old : 1))
		return true;
	if (size == 0 || size >= (uint64_t)1 << 47)
		return false;
	if (!in_play(from, size) ||
	    (chooses(o) && pages_up(size) > CHOSEN_MAX * PAGE))
		return true;
	return (o->arg[4] & MREMAP_FIXED) &&
	       o->arg[5] >> ADDR_SHIFT != BASE_HIGH &&
	       !in_play(addr_of(o->arg[5]), size);
}

/* The yard that a result goes to is emptied first. */
static bool from_its_own_yard(const struct op *o)
{
	uint64_t from = addr_of(o->arg[1]);
	uint64_t yard = addr_of(ADDR(BASE_YARD + o->arg[0], 0));

	return o->kind == OP_mremap && chooses(o) &&
	       from < yard + YARD_PAGES * PAGE &&
	       yard < from + pages_up(o->arg[2]);
}

/* What a processor makes of rights: none alone that is not reading. */
static uint8_t rights(uint8_t prot)
{
	return prot ? prot | PROT_READ : 0;
}

static bool surely_apart(const struct page *a, const struct page *b)
{
	return b->kind == PAGE_HOLE || a->kind != b->kind ||
	       rights(a->prot) != rights(b->prot);
}

/*
 * open: whether neighbours are one mapping: Linux joins and splits by rules of
 * its own, since 6.17 moves several at once, and unlocks all of one of which a
 * part is moved by MREMAP_DONTUNMAP.
 */
static bool seam(const struct op *o)
{
	uint64_t addr = addr_of(o->arg[1]), end;
	const struct page *first, *p;
	bool moves = o->arg[4] & (MREMAP_FIXED | MREMAP_DONTUNMAP);

	if (o->kind != OP_mremap || addr % PAGE || !in_play(addr, 1))
		return false;
	if (pages_up(o->arg[3]) <= pages_up(o->arg[2]) && !moves)
		return false;
	first = page_at(addr);
	if (first->locked && (o->arg[4] & MREMAP_DONTUNMAP))
		return true;
	end = addr + pages_up(o->arg[2]);
	if (first->kind == PAGE_HOLE)
		return false;
	for (; addr < end; addr += PAGE) {
		p = page_at(addr);
		if (surely_apart(first, p))
			return moves;
		if (p->id != first->id || p->prot != first->prot ||
		    p->locked != first->locked ||
		    p->advised != first->advised ||
		    (p->advised && end - addr > PAGE))
			return true;
	}
	return false;
}

/* open: a hint below a mapping that grows keeps away from it, or does not */
static bool hint_below_growing(const struct op *o)
{
	uint64_t addr;

	if (o->kind != OP_mmap || !chooses(o))
		return false;
	addr = addr_of(o->arg[1]);
	if (!in_play(addr, 1))
		return false;
	for (addr &= ~(PAGE - 1); page_at(addr); addr += PAGE) {
		if (page_at(addr)->kind != PAGE_HOLE && page_at(addr)->grows)
			return true;
	}
	return false;
}

/* open: which error a size has that nobody can have: before 6.17 another */
static bool remaps_too_much(const struct op *o)
{
	return o->kind == OP_mremap && o->arg[3] >= (uint64_t)1 << 47 &&
	       !(o->arg[4] & (MREMAP_FIXED | MREMAP_DONTUNMAP));
}

/* open: a processor with protection keys takes reading away */
static bool execute_only(const struct op *o)
{
	return is_mapping(o) && (prot_of(o) & 7) == PROT_EXEC;
}

/*
 * open: whether what may be written can be read: a processor lets it, and
 * populating does not ask the processor
 */
static bool populates_unreadable(const struct op *o)
{
	uint64_t addr, end;
	const struct page *p;

	if (o->kind != OP_madvise || o->arg[2] != 22)
		return false;
	addr = addr_of(o->arg[0]);
	end = addr + pages_up(o->arg[1]);
	for (; addr < end && (p = page_at(addr)); addr += PAGE) {
		if (p->kind != PAGE_HOLE && p->prot && !(p->prot & PROT_READ))
			return true;
	}
	return false;
}

/* open: pipes are on a file system of Linux's own, where nothing executes */
static bool executes_pipe(const struct op *o)
{
	return o->kind == OP_mmap && o->arg[5] == FILE_PIPE &&
	       (o->arg[3] & PROT_EXEC);
}

/* open: these depend on how the kernel was configured */
static bool advice_of_some(const struct op *o)
{
	return o->kind == OP_madvise &&
	       ((o->arg[2] >= MADV_MERGEABLE && o->arg[2] <= MADV_NOHUGEPAGE) ||
		o->arg[2] >= 25);
}

/* An enclave's refusal comes before or after others: only when alone. */
static bool refused_and_wrong(const struct op *o)
{
	uint64_t size = o->arg[o->kind == OP_mmap ? 2 : 1];

	if (!is_mapping(o) || !open_refused(prot_of(o)))
		return false;
	if (prot_of(o) & ~(uint64_t)7)
		return true;
	if (o->kind == OP_mprotect)
		return o->arg[0] >> ADDR_SHIFT == BASE_HIGH ||
		       addr_of(o->arg[0]) % PAGE != 0 || size == 0 ||
		       pages_up(size) == 0;
	return addr_of(o->arg[1]) % PAGE != 0 || size == 0 ||
	       o->arg[1] >> ADDR_SHIFT == BASE_HIGH || o->arg[6] % PAGE != 0 ||
	       size >= (uint64_t)1 << 47 ||
	       (o->arg[4] & MAP_TYPE) != MAP_PRIVATE ||
	       (o->arg[4] & (MAP_FIXED_NOREPLACE | MAP_GROWSDOWN)) ||
	       !(o->arg[4] & MAP_ANONYMOUS);
}

/* gap: a file's mapping is a snapshot, so nothing of it goes back */
static bool shared_file_write(const struct op *o)
{
	uint64_t addr, end;
	const struct page *p;

	if (o->kind == OP_mmap)
		return !(o->arg[4] & MAP_ANONYMOUS) &&
		       (o->arg[4] & MAP_TYPE) != MAP_PRIVATE &&
		       o->arg[5] != FILE_RO;
	if (o->kind != OP_mprotect || !(o->arg[2] & PROT_WRITE))
		return false;
	addr = addr_of(o->arg[0]);
	end = addr + pages_up(o->arg[1]);
	for (; addr < end && (p = page_at(addr)); addr += PAGE) {
		if (p->kind == PAGE_FILE_SHARED && p->writable_file)
			return true;
	}
	return false;
}

/* gap: behind the end of a file, or of memory that is shared, is no SIGBUS */
static bool behind_the_end(const struct op *o)
{
	const struct page *p;

	if (o->kind == OP_mmap)
		return !(o->arg[4] & MAP_ANONYMOUS) && o->arg[5] <= FILE_RO &&
		       o->arg[6] < (uint64_t)1 << 47 &&
		       o->arg[6] + o->arg[2] > pages_up(FILE_BYTES);
	if (o->kind != OP_mremap || !in_play(addr_of(o->arg[1]), 1))
		return false;
	p = page_at(addr_of(o->arg[1]));
	if (p->kind == PAGE_SHARED)
		return pages_up(o->arg[3]) > pages_up(o->arg[2]);
	return p->kind >= PAGE_FILE &&
	       (p->file_page * PAGE) + o->arg[3] > pages_up(FILE_BYTES);
}

static bool in_break(uint64_t a)
{
	return a >> ADDR_SHIFT == BASE_BREAK;
}

/* gap: the break's addresses are its own: nothing else is mapped there */
static bool mapping_in_break(const struct op *o)
{
	switch (o->kind) {
	case OP_mmap:
		return in_break(o->arg[1]);
	case OP_mremap:
		return in_break(o->arg[1]) ||
		       ((o->arg[4] & MREMAP_FIXED) && in_break(o->arg[5]));
	case OP_munmap:
		return in_break(o->arg[0]);
	default:
		return false;
	}
}

/* gap: one page at two addresses */
static bool shared_twice(const struct op *o)
{
	const struct page *p;

	if (o->kind != OP_mremap)
		return false;
	if (pages_up(o->arg[2]) != 0 && !(o->arg[4] & MREMAP_DONTUNMAP))
		return false;
	p = page_at(addr_of(o->arg[1]));
	return !p || p->kind == PAGE_SHARED || p->kind == PAGE_FILE_SHARED;
}

static const struct rule rules[] = {
	{ "off the ground", false, off_the_ground },
	{ "off the ground", false, mmap_off_the_ground },
	{ "off the ground", false, mremap_off_the_ground },
	{ "from its own yard", false, from_its_own_yard },
	{ "seam", false, seam },
	{ "hint below growing", false, hint_below_growing },
	{ "remaps too much", false, remaps_too_much },
	{ "execute only", false, execute_only },
	{ "populates unreadable", false, populates_unreadable },
	{ "executes a pipe", false, executes_pipe },
	{ "advice of some", false, advice_of_some },
	{ "refused and wrong", false, refused_and_wrong },
	{ "shared file write", true, shared_file_write },
	{ "behind the end", true, behind_the_end },
	{ "mapping in the break", true, mapping_in_break },
	{ "shared twice", true, shared_twice },
};

const char *open_skips(const struct op *o)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!(options.all && rules[i].gap) && rules[i].hits(o))
			return rules[i].name;
	}
	return NULL;
}

bool open_refused(uint64_t prot)
{
	if (options.no_x && (prot & PROT_EXEC))
		return true;
	return options.no_wx && (prot & PROT_EXEC) && (prot & PROT_WRITE);
}

bool open_answers(const struct op *o, long *r)
{
	const struct page *p;

	if (!options.native || !is_mapping(o) || !open_refused(prot_of(o)))
		return false;
	*r = -EACCES;
	if (o->kind == OP_mprotect) {
		p = page_at(addr_of(o->arg[0]));
		if (!p || p->kind == PAGE_HOLE)
			*r = -ENOMEM;
	}
	return true;
}
