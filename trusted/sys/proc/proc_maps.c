/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings as text. What lies side by side and is alike is one, as the kernel's
 * are. A page counts as resident while it is in the enclave and has content: an
 * idle one is free memory, that the program will find zero.
 */
#include "trusted/sys/proc/proc.h"

#include <elf.h>

#include "edmm/emm.h"
#include "trusted/sys/memory/memory.h"

#define NAME_COLUMN 72u /* and a blank */
#define NAME_SIZE 256u

/* Devices and numbers that say only that there is a file. */
#define PROGRAM_FILE 1u
#define SHARED_FILE 2u
#define MAPPED_FILE 3u

static char program[NAME_SIZE];

void proc_begin(const char *name)
{
	uint64_t at = 0, i;

	/* As a path is what tells a file's mapping from others. */
	if (name[0] != '/')
		program[at++] = '/';
	for (i = 0; name[i] != '\0' && at < NAME_SIZE - 1; i++)
		program[at++] = name[i];
	program[at] = '\0';
}

const char *proc_program(void)
{
	return program;
}

struct vma {
	struct mem_run run;
	uint64_t rss;
};

static bool same_kind(const struct mem_run *a, const struct mem_run *b)
{
	return a->where == b->where && a->prot == b->prot &&
	       a->locked == b->locked && a->arena == b->arena &&
	       a->grows == b->grows && a->map == b->map;
}

static bool is_break(const struct mem_run *r)
{
	return r->where == MEM_HEAP && r->addr >= sys_heap()->brk_base;
}

static void count_pages(struct vma *v)
{
	uint64_t at = v->run.addr, end = at + v->run.size;
	struct emm_run run;

	v->rss = v->run.where == MEM_FIXED ? v->run.size : 0;
	for (; v->run.where != MEM_FIXED && at < end; at += run.size) {
		if (emm_query(rt_emm(), at, end, &run) != 0)
			return;
		if (run.state == EMM_PG_COMMITTED)
			v->rss += run.size;
	}
}

/* The first mapping from *at on, and where it ends; false: there is none. */
static bool next_vma(uint64_t *at, struct vma *v)
{
	uint64_t low, end;
	struct mem_run run;

	heap_bounds(sys_heap(), &low, &end);
	*v = (struct vma){ 0 };
	for (; *at < end; *at += run.size) {
		mem_look(*at, end, &run);
		proc_hide(&run);
		if (v->run.size == 0) {
			v->run = run;
			if (run.where == MEM_NOTHING)
				v->run.size = 0;
			continue;
		}
		if (!same_kind(&run, &v->run) ||
		    is_break(&run) != is_break(&v->run))
			break;
		v->run.size += run.size;
	}
	return v->run.size > 0;
}

/* Where in the program's file a page of the image comes from. */
static uint64_t image_offset(uint64_t addr)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)rt_base();
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(rt_base() + eh->e_phoff);
	const uint64_t off = addr - rt_base();

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD &&
		    off >= (ph[i].p_vaddr & ~(MEM_PAGE - 1)) &&
		    off < mem_round(ph[i].p_vaddr + ph[i].p_memsz))
			return off - ph[i].p_vaddr + ph[i].p_offset;
	return off;
}

/* What stands behind the rights: offset, device, number and name. */
struct origin {
	uint64_t off;
	uint32_t file; /* 0: none */
	const char *name;
};

static struct origin origin_of(const struct mem_run *r)
{
	if (r->where == MEM_FIXED)
		return (struct origin){ image_offset(r->addr), PROGRAM_FILE,
					program };
	if (r->where == MEM_STACK)
		return (struct origin){ .name = "[stack]" };
	if (r->map && r->map->file)
		/* Whose name is the host's, and not known here. */
		return (struct origin){ r->map->delta + r->addr, MAPPED_FILE,
					"/[file]" };
	if (r->map)
		return (struct origin){ 0, SHARED_FILE, "/dev/zero (deleted)" };
	if (r->arena || is_break(r))
		return (struct origin){ .name = "[heap]" };
	return (struct origin){ 0 };
}

static void put_head(struct proc_text *t, const struct mem_run *r)
{
	const struct origin o = origin_of(r);
	const uint64_t from = t->size;

	text_hex(t, r->addr, 8);
	text_char(t, '-');
	text_hex(t, r->addr + r->size, 8);
	text_char(t, ' ');
	text_char(t, r->prot & EMM_R ? 'r' : '-');
	text_char(t, r->prot & EMM_W ? 'w' : '-');
	text_char(t, r->prot & EMM_X ? 'x' : '-');
	text_char(t, r->map && r->map->shared ? 's' : 'p');
	text_char(t, ' ');
	text_hex(t, o.off, 8);
	text_str(t, o.file ? " 00:01 " : " 00:00 ");
	text_dec(t, o.file, 0);
	text_char(t, ' ');
	if (o.name) {
		text_pad(t, from, NAME_COLUMN);
		text_char(t, ' ');
		text_name(t, o.name);
	}
	text_char(t, '\n');
}

void proc_maps(struct proc_text *t)
{
	uint64_t at = rt_base();
	struct vma v;

	while (next_vma(&at, &v))
		put_head(t, &v.run);
}

/* What both smaps and smaps_rollup say: every page is the program's alone. */
static void put_pages(struct proc_text *t, const struct proc_sum *s)
{
	static const char *const none[] = {
		"LazyFree",	 "AnonHugePages",  "ShmemPmdMapped",
		"FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb",
		"Swap",		 "SwapPss",
	};
	const uint64_t dirty = s->rss - s->clean;

	text_kib(t, "Rss", s->rss);
	text_kib(t, "Pss", s->rss);
	text_kib(t, "Pss_Dirty", dirty);
	text_kib(t, "Shared_Clean", 0);
	text_kib(t, "Shared_Dirty", 0);
	text_kib(t, "Private_Clean", s->clean);
	text_kib(t, "Private_Dirty", dirty);
	text_kib(t, "Referenced", s->rss);
	text_kib(t, "Anonymous", dirty);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		text_kib(t, none[i], 0);
	text_kib(t, "Locked", s->locked);
}

static void add_vma(struct proc_sum *s, struct vma *v)
{
	const struct mem_run *r = &v->run;

	count_pages(v);
	s->size += r->size;
	s->rss += v->rss;
	if (r->locked)
		s->locked += v->rss;
	if (r->where == MEM_FIXED) {
		s->image += r->size;
		if (!(r->prot & EMM_W))
			s->clean += v->rss;
	}
	if (r->where == MEM_STACK)
		s->stack += r->size;
	else if (r->prot & EMM_W)
		s->data += r->size;
	else if (r->where == MEM_FIXED && r->prot & EMM_X)
		s->code += r->size;
}

void proc_sum_up(struct proc_sum *s)
{
	uint64_t at = rt_base();
	struct vma v;

	*s = (struct proc_sum){ 0 };
	while (next_vma(&at, &v))
		add_vma(s, &v);
}

static void put_flags(struct proc_text *t, const struct mem_run *r)
{
	text_str(t, "VmFlags: ");
	if (r->prot & EMM_R)
		text_str(t, "rd ");
	if (r->prot & EMM_W)
		text_str(t, "wr ");
	if (r->prot & EMM_X)
		text_str(t, "ex ");
	if (r->map && r->map->shared)
		text_str(t, "sh ");
	text_str(t, "mr mw me ");
	if (r->grows)
		text_str(t, "gd ");
	if (r->locked)
		text_str(t, "lo ");
	if (r->free && r->prot != EMM_NONE)
		text_str(t, "nr ");
	text_char(t, '\n');
}

void proc_smaps(struct proc_text *t)
{
	uint64_t at = rt_base();
	struct proc_sum s;
	struct vma v;

	while (next_vma(&at, &v)) {
		s = (struct proc_sum){ 0 };
		add_vma(&s, &v);
		put_head(t, &v.run);
		text_kib(t, "Size", s.size);
		text_kib(t, "KernelPageSize", MEM_PAGE);
		text_kib(t, "MMUPageSize", MEM_PAGE);
		put_pages(t, &s);
		text_str(t, "THPeligible:           0\n");
		put_flags(t, &v.run);
	}
}

void proc_rollup(struct proc_text *t)
{
	uint64_t low, end, from = t->size;
	struct proc_sum s;

	heap_bounds(sys_heap(), &low, &end);
	text_hex(t, rt_base(), 8);
	text_char(t, '-');
	text_hex(t, end, 8);
	text_str(t, " ---p 00000000 00:00 0 ");
	text_pad(t, from, NAME_COLUMN);
	text_str(t, " [rollup]\n");
	proc_sum_up(&s);
	put_pages(t, &s);
}
