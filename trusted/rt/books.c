/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose a page is, and what may be done with it, for all that the memory
 * manager does not keep: the image (by its program headers), contexts, the
 * manager's own metadata. Everything here is measured, and constant after
 * start-up, but for the contexts that the enclave makes, of which it knows
 * (context.c); so a fault is judged without asking the host (I14).
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

#define PT_LOAD 1u
#define PF_X 1u
#define PF_W 2u
#define PF_R 4u
/* Addresses of the kernel's: Linux says of all that there is a page. */
#define USER_END (1ull << 47)

/* What is needed of an ELF header. */
struct elf {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum;
};

static bool within(uint64_t off, uint64_t from, uint64_t size)
{
	return off >= from && off - from < size;
}

static uint64_t page_up(uint64_t v)
{
	return (v + SGX_PAGE_SIZE - 1) & ~(SGX_PAGE_SIZE - 1ull);
}

/* The program headers, which are measured with the image. */
static const struct rt_phdr *headers(int *count)
{
	const uint8_t *base = (const uint8_t *)rt_base();
	const struct elf *eh = (const struct elf *)(const void *)base;

	*count = eh->phnum;
	return (const struct rt_phdr *)(const void *)(base + eh->phoff);
}

const struct rt_phdr *rt_phdr_of_type(uint32_t type)
{
	int count;
	const struct rt_phdr *ph = headers(&count);

	for (int i = 0; i < count; i++)
		if (ph[i].type == type)
			return &ph[i];
	return NULL;
}

const struct rt_phdr *rt_image_part(uint64_t off)
{
	int count;
	const struct rt_phdr *ph = headers(&count);

	for (int i = 0; i < count; i++) {
		uint64_t from = ph[i].vaddr & ~(SGX_PAGE_SIZE - 1ull);

		if (ph[i].type == PT_LOAD &&
		    within(off, from,
			   page_up(ph[i].vaddr + ph[i].memsz) - from))
			return &ph[i];
	}
	return NULL;
}

bool rt_in_relro(uint64_t off)
{
	return within(off, rt_global.relro_off, rt_global.relro_size);
}

static uint32_t wanted(uint32_t errcd)
{
	if (errcd & SGX_PFEC_W)
		return PF_W;
	return errcd & SGX_PFEC_I ? PF_X : PF_R;
}

static bool image_allows(uint64_t off, uint32_t want)
{
	const struct rt_phdr *ph = rt_image_part(off);

	return ph && ph->flags & want && !(want == PF_W && rt_in_relro(off));
}

/* The save areas, the record and the stacks are data; the TCS is nobody's, and
 * there are guards. */
static bool context_allows(uint64_t in, uint32_t want)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t ssa = (uint64_t)l->nssa * l->ssa_frame_pages * SGX_PAGE_SIZE;

	return !(want & PF_X) &&
	       (within(in, l->ctx_ssa, ssa) ||
		within(in, l->ctx_thread, l->ctx_thread_size) ||
		within(in, l->ctx_xstack, l->ctx_xstack_size) ||
		within(in, l->ctx_sys, l->ctx_sys_size));
}

bool rt_books_allow(uint64_t off, uint32_t errcd)
{
	const struct edmm_layout *l = rt_layout();
	uint32_t want = wanted(errcd);
	uint64_t in;

	if (off < l->image_size)
		return image_allows(off, want);
	if (within(off, l->ctx_off, l->ctx_count * l->ctx_stride))
		return context_allows((off - l->ctx_off) % l->ctx_stride, want);
	if (rt_made_range(off))
		return rt_made_there(off, &in) && context_allows(in, want);
	/* Which of these are committed is the manager's secret (I6). */
	return within(off, l->meta_off, l->meta_size) && !(want & PF_X);
}

/* Memory of the program's in the managed range: has anybody mapped it? */
static bool heap_mapped(uint64_t addr)
{
	struct emm_area_info area;

	return rt_emm() && !emm_area_next(rt_emm(), addr, &area) &&
	       area.addr <= addr && !(area.flags & EMM_RESERVE);
}

bool rt_books_mapped(uint64_t addr)
{
	uint64_t off = addr - rt_base();

	if (!rt_inside(addr, 1) || rt_made_range(off))
		return false;
	return off < rt_layout()->image_size ? rt_image_part(off) != NULL
					     : heap_mapped(addr);
}

/* As Linux maps one: committed, and with a right to see it. */
static bool heap_present(uint64_t addr)
{
	uint64_t page = addr & ~(SGX_PAGE_SIZE - 1ull);
	struct emm_run run;

	return rt_emm() &&
	       !emm_query(rt_emm(), page, page + SGX_PAGE_SIZE, &run) &&
	       run.state == EMM_PG_COMMITTED && run.prot != EMM_NONE;
}

uint32_t rt_books_errcd(uint64_t addr, uint32_t errcd)
{
	uint64_t off = addr - rt_base();
	bool there = addr >= USER_END;

	if (rt_books_mapped(addr))
		there = off < rt_layout()->image_size || heap_present(addr);
	errcd &= SGX_PFEC_W | SGX_PFEC_U | SGX_PFEC_I;
	return there ? errcd | SGX_PFEC_P : errcd;
}

static int image_prot(uint64_t off)
{
	const struct rt_phdr *ph = rt_image_part(off);
	int prot = EMM_NONE;

	if (!ph)
		return -1;
	prot |= ph->flags & PF_R ? EMM_R : 0;
	prot |= ph->flags & PF_W && !rt_in_relro(off) ? EMM_W : 0;
	prot |= ph->flags & PF_X ? EMM_X : 0;
	return prot;
}

uint64_t rt_books_look(uint64_t addr, uint64_t end, int *prot)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t stack = rt_base() + l->stack_off, at = addr;
	uint64_t image = rt_base() + l->image_size;

	*prot = -1;
	if (addr < rt_base())
		return end < rt_base() ? end : rt_base();
	if (addr < image) {
		*prot = image_prot(addr - rt_base());
		do
			at += SGX_PAGE_SIZE;
		while (at < end && at < image &&
		       image_prot(at - rt_base()) == *prot);
		return at < end ? at : end;
	}
	if (within(addr, stack, l->stack_size)) {
		*prot = EMM_RW;
		stack += l->stack_size;
	}
	return addr < stack && stack < end ? stack : end;
}

bool rt_program_memory(uint64_t addr, uint64_t size)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t off = addr - rt_base();
	const struct rt_phdr *ph;

	if (!rt_inside(addr, size))
		return false;
	if (off >= l->image_size)
		return (within(off, l->stack_off, l->stack_size) &&
			size <= l->stack_off + l->stack_size - off) ||
		       (within(off, l->heap_off, l->heap_bound) &&
			size <= l->heap_off + l->heap_bound - off);
	ph = rt_image_part(off);
	return ph && ph->flags & PF_W && off >= ph->vaddr &&
	       size <= ph->vaddr + ph->memsz - off;
}

/* The managed range: what the page's state and rights say. */
static uint64_t managed_part(uint64_t addr, uint64_t end, uint32_t want)
{
	const int right = want == PF_W ? EMM_W : EMM_R;
	uint64_t page = addr & ~(SGX_PAGE_SIZE - 1ull);
	struct emm_run run;

	if (!rt_emm() || emm_query(rt_emm(), page, end, &run) ||
	    !(run.prot & right))
		return 0;
	switch (run.state) {
	case EMM_PG_NONE:
	case EMM_PG_RESERVED:
	case EMM_PG_FREE_IDLE:
	case EMM_PG_TCS:
		return 0;
	default:
		return run.addr + run.size - addr;
	}
}

/* Bytes from @addr on of which one look tells; 0: it may not be touched. */
static uint64_t part(uint64_t addr, uint64_t end, uint32_t want)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t off = addr - rt_base();

	if (off >= l->stack_off && !rt_made_range(off))
		return managed_part(addr, end, want);
	if (!rt_books_allow(off, want == PF_W ? SGX_PFEC_W : 0))
		return 0;
	return SGX_PAGE_SIZE - off % SGX_PAGE_SIZE;
}

uint64_t rt_accessible(uint64_t addr, uint64_t size, bool write)
{
	uint64_t end = rt_base() + rt_layout()->elrange_size, at = addr, n;

	if (!rt_inside(addr, 1))
		return 0;
	if (size < end - addr)
		end = addr + size;
	while (at < end) {
		n = part(at, end, write ? PF_W : PF_R);
		if (!n)
			break;
		at += n < end - at ? n : end - at;
	}
	return at - addr;
}
