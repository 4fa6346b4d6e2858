/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations carried out, each with its answer and a look at what it left. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/diff/memory.h"

#define RW (PROT_READ | PROT_WRITE)

static int files[FILE_COUNT];
static bool lock_future;
static const struct page hole;

static void need(bool good)
{
	if (!good)
		abort();
}

/* A page of the file: RET, and its number as the probes look at it. */
static void make_file(int fd)
{
	static uint64_t page[PAGE / 8];
	uint64_t at, size;

	for (at = 0; at < FILE_BYTES; at += PAGE) {
		memset(page, 0, sizeof(page));
		page[0] = 0xc3;
		page[1] = page[PAGE / 8 - 1] = 0xf000 + at / PAGE;
		size = FILE_BYTES - at < PAGE ? FILE_BYTES - at : PAGE;
		need(pwrite(fd, page, size, (off_t)at) == (ssize_t)size);
	}
}

void act_start(const char *dir)
{
	char name[512];
	int pipes[2];

	snprintf(name, sizeof(name), "%s/file", dir);
	files[FILE_RW] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(files[FILE_RW] >= 0);
	make_file(files[FILE_RW]);
	files[FILE_RO] = open(name, O_RDONLY);
	files[FILE_WO] = open(name, O_WRONLY);
	files[FILE_DIR] = open(dir, O_RDONLY | O_DIRECTORY);
	need(pipe(pipes) == 0);
	files[FILE_PIPE] = pipes[0];
	files[FILE_NULL] = open("/dev/null", O_RDWR);
	files[FILE_BAD] = -1;
	for (int i = 0; i < FILE_BAD; i++)
		need(files[i] >= 0);
}

static uint8_t kind_of(uint64_t flags)
{
	bool private = (flags & MAP_TYPE) == MAP_PRIVATE;

	if (flags & MAP_ANONYMOUS)
		return private ? PAGE_ANON : PAGE_SHARED;
	return private ? PAGE_FILE : PAGE_FILE_SHARED;
}

static uint64_t act_mmap(const struct op *o)
{
	uint64_t want = addr_of(o->arg[1]), size = o->arg[2];
	uint64_t flags = o->arg[4], at;
	bool choose = !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE));
	struct page like = { .kind = kind_of(flags),
			     .prot = (uint8_t)(o->arg[3] & 7),
			     .locked = lock_future || (flags & MAP_LOCKED),
			     .grows = flags & MAP_GROWSDOWN,
			     .writable_file = o->arg[5] == FILE_RW };
	long r;

	if (choose)
		clear_yard(o->arg[0]);
	r = call(SYS_mmap, want, size, o->arg[3], flags,
		 (uint64_t)files[o->arg[5] % FILE_COUNT], o->arg[6]);
	if (r < 0) {
		say_result(r);
		return 0;
	}
	at = (uint64_t)r;
	if (choose && (at - want + PAGE > 2 * PAGE || !in_play(at, size)))
		settle(&at, size, o->arg[0]);
	say_addr(at);
	like.id = ledger_id();
	ledger_set(at, size, &like);
	for (uint64_t i = 0; i < pages_up(size) / PAGE; i++)
		page_at(at + i * PAGE)->file_page = o->arg[6] / PAGE + i;
	return at;
}

static void act_munmap(uint64_t addr, uint64_t size)
{
	long r = call(SYS_munmap, addr, size, 0, 0, 0, 0);

	say_result(r);
	if (r == 0)
		ledger_set(addr, size, &hole);
}

/* A call that splits a mapping: Linux may not join what is alike again. */
static void note_split(struct page *p, uint32_t call)
{
	p->id = (uint32_t)mix((uint64_t)call << 32 | p->id);
}

/* The kernel goes from mapping to mapping, and stops where it may not. */
static void note_rights(uint64_t addr, uint64_t end, uint64_t prot)
{
	uint32_t id = ledger_id();
	struct page *p;

	for (end = mapped_to(addr, end); addr < end; addr += PAGE) {
		p = page_at(addr);
		if (p->kind == PAGE_FILE_SHARED && (prot & PROT_WRITE) &&
		    !p->writable_file)
			return;
		if (p->prot != (prot & 7))
			note_split(p, id);
		p->prot = prot & 7;
	}
}

static void act_mprotect(uint64_t addr, uint64_t size, uint64_t prot)
{
	long r = call(SYS_mprotect, addr, size, prot, 0, 0, 0);

	say_result(r);
	if (!open_refused(prot) && (r == 0 || r == -ENOMEM || r == -EACCES))
		note_rights(addr, addr + pages_up(size), prot);
}

/* What a page has before it may lose it: anything where it cannot be read. */
static void note_free(uint64_t addr, uint64_t end)
{
	struct page *p;
	unsigned int why;

	for (; addr < end; addr += PAGE) {
		p = page_at(addr);
		if (!p || p->kind != PAGE_ANON || p->freed)
			continue;
		p->freed = true;
		if (!page_read(addr, p->old, &why))
			p->unknown = true;
	}
}

static void note_advice(uint64_t addr, uint64_t end, uint64_t advice, long r)
{
	bool drops = advice == MADV_DONTNEED || advice == 24;
	struct page *p;

	for (; addr < end; addr += PAGE) {
		p = page_at(addr);
		if (!p)
			continue;
		if (drops && r == 0)
			p->freed = p->unknown = false;
		if (advice < 20 && !drops && advice != MADV_FREE)
			p->advised = true;
	}
}

static void act_madvise(uint64_t addr, uint64_t size, uint64_t advice)
{
	uint64_t end = addr + pages_up(size);
	long r;

	if (advice == MADV_FREE && addr % PAGE == 0 && in_play(addr, size))
		note_free(addr, end);
	r = call(SYS_madvise, addr, size, advice, 0, 0, 0);
	say_result(r);
	if (addr % PAGE == 0 && in_play(addr, size))
		note_advice(addr, end, advice, r);
}

static void act_mincore(uint64_t addr, uint64_t size)
{
	static unsigned char vec[RANGE_PAGES];

	say_result(call(SYS_mincore, addr, size, (uint64_t)vec, 0, 0, 0));
}

static void act_lock(const struct op *o, long n, bool on)
{
	uint64_t addr = addr_of(o->arg[0]), end = addr + o->arg[1];
	long r = call(n, addr, o->arg[1], o->arg[2], 0, 0, 0);
	uint32_t id = ledger_id();
	struct page *p;

	say_result(r);
	if (r != 0 && r != -ENOMEM)
		return;
	addr &= ~(PAGE - 1);
	for (end = mapped_to(addr, end); addr < end; addr += PAGE) {
		p = page_at(addr);
		if (p->locked != on)
			note_split(p, id);
		p->locked = on;
	}
}

static void lock_all(bool on)
{
	struct page *p;

	for (uint64_t i = 0; i < RANGE_PAGES; i++) {
		p = page_at(ground_base + (i - GROUND_AT) * PAGE);
		p->locked = on;
	}
	for (uint64_t i = 0; i < BREAK_PAGES; i++)
		page_at(break_base + i * PAGE)->locked = on;
}

static void act_lock_all(uint64_t flags)
{
	long r = call(SYS_mlockall, flags, 0, 0, 0, 0, 0);

	say_result(r);
	if (r)
		return;
	if (flags & MCL_CURRENT)
		lock_all(true);
	lock_future = flags & MCL_FUTURE;
}

static void act_unlock_all(void)
{
	say_result(call(SYS_munlockall, 0, 0, 0, 0, 0, 0));
	lock_all(false);
	lock_future = false;
}

static uint64_t break_now;

static uint64_t act_brk(uint64_t addr)
{
	uint64_t now = (uint64_t)call(SYS_brk, addr, 0, 0, 0, 0, 0);
	struct page like = { .kind = PAGE_ANON,
			     .prot = RW,
			     .locked = lock_future,
			     .id = ledger_id() };
	uint64_t was = pages_up(break_now), to = pages_up(now);

	say_addr(now);
	if (to > was)
		ledger_set(was, to - was, &like);
	if (to < was)
		ledger_set(to, was - to, &hole);
	break_now = now;
	return now;
}

/* Guards first, so that nobody's mapping comes between. */
static void act_anew(void)
{
	struct page like = { .kind = PAGE_ANON, .prot = RW };
	static const unsigned int guards[] = { 0, YARDS_AT - 1, LOBBY_AT - 1,
					       RANGE_PAGES - 1 };
	uint64_t base = ground_base - GROUND_AT * PAGE, at;

	break_now = (uint64_t)call(SYS_brk, break_base, 0, 0, 0, 0, 0);
	if (break_now != break_base)
		say("no break ");
	act_unlock_all();
	say_result(call(SYS_munmap, base, RANGE_PAGES * PAGE, 0, 0, 0, 0));
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		at = base + guards[i] * PAGE;
		if ((uint64_t)call(SYS_mmap, at, PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   (uint64_t)-1, 0) != at)
			say(" no guard");
	}
	ledger_clear();
	if ((uint64_t)call(SYS_mmap, ground_base, GROUND_PAGES * PAGE, RW,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			   (uint64_t)-1, 0) != ground_base)
		say(" no ground");
	like.id = ledger_id();
	ledger_set(ground_base, GROUND_PAGES * PAGE, &like);
}

/* Edges, neighbours, and one page with all kinds of access. */
static void check(uint64_t addr, uint64_t size, uint64_t salt)
{
	uint64_t first = addr & ~(PAGE - 1), pages;

	if (!in_play(addr, size ? size : 1))
		return;
	pages = pages_up(addr + size - first) / PAGE;
	if (in_play(first - PAGE, 1))
		page_look(first - PAGE, false);
	page_look(first, false);
	if (pages > 1)
		page_look(first + (pages - 1) * PAGE, false);
	if (in_play(first + pages * PAGE, 1))
		page_look(first + pages * PAGE, false);
	if (pages > 0)
		page_look(first + mix(salt) % pages * PAGE, true);
}

static void look(uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;

	for (addr &= ~(PAGE - 1); addr < end; addr += PAGE) {
		if (page_at(addr))
			page_look(addr, true);
	}
}

static uint64_t salt_of(const struct op *o)
{
	uint64_t salt = o->kind;

	for (int i = 0; i < ARGS; i++)
		salt = mix(salt ^ o->arg[i]);
	return salt;
}

static void act_mapping(const struct op *o)
{
	bool is_mmap = o->kind == OP_mmap;
	uint64_t size = o->arg[is_mmap ? 2 : 3];
	uint64_t at = is_mmap ? act_mmap(o) : act_mremap(o);

	if (at)
		check(at, size, salt_of(o));
	if (!is_mmap)
		check(addr_of(o->arg[1]), o->arg[2], salt_of(o) + 1);
}

static void act_range(const struct op *o)
{
	uint64_t addr = addr_of(o->arg[0]);

	switch (o->kind) {
	case OP_munmap:
		act_munmap(addr, o->arg[1]);
		break;
	case OP_mprotect:
		act_mprotect(addr, o->arg[1], o->arg[2]);
		break;
	case OP_madvise:
		act_madvise(addr, o->arg[1], o->arg[2]);
		break;
	case OP_msync:
		say_result(
			call(SYS_msync, addr, o->arg[1], o->arg[2], 0, 0, 0));
		break;
	case OP_mincore:
		act_mincore(addr, o->arg[1]);
		break;
	case OP_munlock:
		act_lock(o, SYS_munlock, false);
		break;
	default:
		act_lock(o, o->kind == OP_mlock ? SYS_mlock : SYS_mlock2, true);
	}
	check(addr, o->arg[1], salt_of(o));
}

/* A refusal changes nothing; what comes before it is done all the same. */
void act_refused(const struct op *o)
{
	if (o->kind == OP_mmap &&
	    !(o->arg[4] & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		clear_yard(o->arg[0]);
	if (o->kind == OP_mprotect)
		check(addr_of(o->arg[0]), o->arg[1], salt_of(o));
}

static void act_touch(const struct op *o)
{
	uint64_t addr = addr_of(o->arg[0]);

	if (o->kind == OP_write)
		say("w%x", page_write(addr, o->arg[1]));
	else if (o->kind == OP_exec)
		say("x%x", probe(addr & ~(PAGE - 1), ACCESS_EXEC));
	page_look(addr, false);
}

void act(const struct op *o)
{
	switch (o->kind) {
	case OP_mmap:
	case OP_mremap:
		act_mapping(o);
		break;
	case OP_mlockall:
		act_lock_all(o->arg[0]);
		break;
	case OP_munlockall:
		act_unlock_all();
		break;
	case OP_brk:
		check(act_brk(addr_of(o->arg[0])), 0, 0);
		break;
	case OP_read:
	case OP_write:
	case OP_exec:
		act_touch(o);
		break;
	case OP_look:
		look(addr_of(o->arg[0]), o->arg[1]);
		break;
	case OP_anew:
		act_anew();
		break;
	default:
		act_range(o);
	}
}
