/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From an image and a policy to a layout and a list of page runs.
 *
 * The list is made once and used twice, by the measurement and by the loader.
 * Nothing but the ELF bytes and the policy enters it: no path, no time, no
 * maximum that the host may choose at start-up.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"

#define GUARD SGX_PAGE_SIZE
#define NSSA_MAX 16u
#define THREAD_SIZE_DEFAULT SGX_PAGE_SIZE
#define XSTACK_SIZE_DEFAULT (4 * SGX_PAGE_SIZE)
#define SYS_SIZE_DEFAULT (2 * SGX_PAGE_SIZE)
#define HEAP_ALIGN (64ull << 10)

/* What is measured takes time, and a signature file may come from anyone. */
#define MEASURED_MAX (16ull << 30)
#define ADDED_MAX (1ull << 40)

/*
 * EMM metadata. Address range: 4 bytes a page of ELRANGE, four times what a
 * page state for each page would take. A static image cannot grow it, so it
 * gets 16 bytes a page of its heap at once. Only slots for threads are there
 * from the start (emm_meta_min(); tests/image compares).
 */
#define META_RANGE_SHIFT 10
#define META_STATIC_SHIFT 8
#define META_MIN (256ull << 10)
#define META_INIT (64ull << 10)
#define META_A_CONTEXT 512u
/* Contexts to be made get so much of ELRANGE, and of what is left, at most. */
#define MADE_RANGE_SHIFT 3
#define MADE_LEFT_SHIFT 1

#define RIGHTS_RW (SGX_SECINFO_R | SGX_SECINFO_W | SGX_SECINFO_PT(SGX_PT_REG))

void edmm_policy_default(enum edmm_mode mode, struct edmm_image_policy *policy)
{
	bool elastic = mode == EDMM_MODE_ELASTIC;

	*policy = (struct edmm_image_policy){
		.mode = (uint32_t)mode,
		.elrange_size = elastic ? EDMM_ELRANGE_DEFAULT : 0,
		.heap_init = elastic ? EDMM_HEAP_INIT_DEFAULT : 0,
		.heap_size = elastic ? 0 : EDMM_HEAP_STATIC_DEFAULT,
		.stack_size = EDMM_STACK_DEFAULT,
		.stack_init = elastic ? EDMM_STACK_INIT_DEFAULT : 0,
		.ctx_count = 1,
		.nssa = EDMM_NSSA_DEFAULT,
		.signals = EDMM_SIGNALS_DEFAULT,
	};
}

const char *img_policy_fault(const struct edmm_image_policy *p)
{
	const uint64_t limit = 1ull << 47;
	bool elastic = p->mode == EDMM_MODE_ELASTIC;

	if (p->mode != EDMM_MODE_ELASTIC && p->mode != EDMM_MODE_STATIC)
		return "mode: neither elastic nor static";
	if (p->flags & ~(EDMM_POLICY_WX | EDMM_POLICY_DEBUG))
		return "flags: unknown bits";
	if ((p->elrange_size & (p->elrange_size - 1)) ||
	    p->elrange_size > EDMM_ELRANGE_MAX)
		return "ELRANGE: a power of two, at most 32T, is wanted";
	if ((p->heap_init | p->heap_size | p->stack_size | p->stack_init) %
	    SGX_PAGE_SIZE)
		return "sizes: whole pages of 4096 bytes are wanted";
	if (p->heap_init > MEASURED_MAX || p->stack_init > MEASURED_MAX)
		return "initial sizes: at most 16G";
	if (p->stack_size > MEASURED_MAX)
		return "stack: at most 16G";
	if (p->heap_size > (elastic ? limit : ADDED_MAX))
		return "heap: at most 1T in a static image";
	if (!p->stack_size)
		return "stack: 0 bytes; at least one page is wanted";
	if (elastic) {
		if (p->heap_size && p->heap_size < p->heap_init)
			return "heap: the maximum is below the initial size";
		if (!p->elrange_size)
			return "ELRANGE: an elastic image needs a size";
		if (!p->stack_init || p->stack_init > p->stack_size)
			return "initial stack: from one page to the stack size";
	} else if (p->heap_init || p->stack_init) {
		return "initial sizes: a static image has whole ones only";
	} else if (!p->heap_size) {
		return "heap size: a static image needs one";
	}
	if (!p->ctx_count || p->ctx_count > EDMM_CONTEXTS_MAX)
		return "contexts: from 1 to 1024";
	if (p->nssa < 2 || p->nssa > NSSA_MAX)
		return "SSA frames: from 2 to 16";
	return NULL;
}

/*
 * A context: TCS | SSA | thread page | guard | exception stack | guard |
 * system stack | guard.
 */
static uint64_t lay_context(const struct edmm_image *im,
			    const struct edmm_image_policy *p,
			    struct edmm_layout *l)
{
	uint64_t at = SGX_PAGE_SIZE;

	l->ssa_frame_pages = EDMM_SSA_FRAME_PAGES;
	l->nssa = p->nssa;
	l->ctx_count = p->ctx_count;
	l->ctx_ssa = at;
	at += (uint64_t)p->nssa * EDMM_SSA_FRAME_PAGES * SGX_PAGE_SIZE;
	l->ctx_thread = at;
	l->ctx_thread_size =
		im->thread_size ? im->thread_size : THREAD_SIZE_DEFAULT;
	at += l->ctx_thread_size + GUARD;
	l->ctx_xstack = at;
	l->ctx_xstack_size =
		im->xstack_size ? im->xstack_size : XSTACK_SIZE_DEFAULT;
	at += l->ctx_xstack_size + GUARD;
	l->ctx_sys = at;
	l->ctx_sys_size = im->sys_size ? im->sys_size : SYS_SIZE_DEFAULT;
	return at + l->ctx_sys_size + GUARD;
}

static uint64_t meta_contexts(const struct edmm_image_policy *p)
{
	return img_page_down((uint64_t)p->ctx_count * META_A_CONTEXT);
}

static uint64_t meta_size(const struct edmm_image_policy *p)
{
	uint64_t n = p->mode == EDMM_MODE_ELASTIC
			     ? p->elrange_size >> META_RANGE_SHIFT
			     : p->heap_size >> META_STATIC_SHIFT;

	if (n < META_MIN)
		n = META_MIN;
	return img_page_up(n) + meta_contexts(p);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t power_of_two_above(uint64_t n)
{
	uint64_t p = 2 * SGX_PAGE_SIZE;

	while (p < n)
		p <<= 1;
	return p;
}

/* At the range's end; below, the heap may grow as far as there. */
static void lay_made(struct edmm_layout *l)
{
	uint64_t end =
		min_u64(l->elrange_size, l->stack_off + EDMM_MANAGED_MAX);
	uint64_t left = end - l->heap_off - l->heap_init;
	uint64_t size = min_u64(l->elrange_size >> MADE_RANGE_SHIFT,
				left >> MADE_LEFT_SHIFT);

	l->made_count = min_u64(size / l->ctx_stride, EDMM_MADE_MAX);
	l->made_off = end - l->made_count * l->ctx_stride;
	l->heap_bound = l->made_off - l->heap_off;
	/* The page between is nobody's. */
	if (l->made_count)
		l->heap_bound -= GUARD;
}

/* Bounds of policy and image keep every sum below 2^50. */
static edmm_err lay_out(const struct edmm_image *im,
			const struct edmm_image_policy *p,
			struct edmm_layout *l, struct edmm_diag *diag)
{
	bool elastic = p->mode == EDMM_MODE_ELASTIC;
	uint64_t at, end;

	l->magic = EDMM_LAYOUT_MAGIC;
	l->version = EDMM_LAYOUT_VERSION;
	l->flags = (elastic ? EDMM_LAYOUT_ELASTIC : EDMM_LAYOUT_HEAP_ZERO) |
		   (p->flags & EDMM_POLICY_WX ? EDMM_LAYOUT_WX : 0) |
		   (p->flags & EDMM_POLICY_DEBUG ? EDMM_LAYOUT_DEBUG : 0);
	l->signals = p->signals;
	l->image_size = im->span;
	l->ctx_off = im->span + GUARD;
	l->ctx_stride = lay_context(im, p, l);
	at = l->ctx_off + l->ctx_stride * l->ctx_count + GUARD;
	l->stack_off = at;
	l->stack_size = p->stack_size;
	l->stack_init = elastic ? p->stack_init : p->stack_size;
	at += p->stack_size + GUARD;
	l->meta_off = at;
	l->meta_size = meta_size(p);
	l->meta_init = elastic ? META_INIT + meta_contexts(p) : l->meta_size;
	at += l->meta_size + GUARD;
	l->heap_off = (at + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
	l->heap_init = elastic ? p->heap_init : p->heap_size;
	end = l->heap_off + l->heap_init;
	l->elrange_size =
		p->elrange_size ? p->elrange_size : power_of_two_above(end);
	if (end > l->elrange_size)
		return img_fail(diag, -EDMM_EINVAL,
				"%s: needs %llu KiB of address range; ELRANGE "
				"has %llu KiB: raise --elrange or lower heap "
				"and stack",
				im->name, (unsigned long long)end >> 10,
				(unsigned long long)l->elrange_size >> 10);
	l->heap_bound = l->heap_init;
	if (elastic)
		lay_made(l);
	return 0;
}

/* ---- runs -------------------------------------------------------------- */

/* Where runs and private pages go; both are allocated for the worst case. */
struct sink {
	struct edmm_plan *plan;
	uint64_t store_used;
};

static void emit(struct sink *k, const struct edmm_page_run *run)
{
	struct edmm_plan *plan = k->plan;

	if (!run->size)
		return;
	plan->runs[plan->run_count++] = *run;
	plan->pages_added += run->size >> SGX_PAGE_SHIFT;
	if (run->measured)
		plan->pages_measured += run->size >> SGX_PAGE_SHIFT;
}

static uint8_t *store_page(struct sink *k)
{
	uint8_t *p = k->plan->store + k->store_used;

	k->store_used += SGX_PAGE_SIZE;
	return p;
}

/* File pages [from, to) of a segment that are whole in the file. */
static void emit_file(struct sink *k, const struct edmm_image *im,
		      const struct img_segment *s, uint64_t from, uint64_t to)
{
	if (from < to)
		emit(k,
		     &(struct edmm_page_run){
			     .off = from,
			     .size = to - from,
			     .src = im->file + s->file_off + (from - s->vaddr),
			     .secinfo_flags =
				     s->rights | SGX_SECINFO_PT(SGX_PT_REG),
			     .measured = true });
}

/* The page at @off, holding the file bytes that the segment has in it. */
static void emit_partial(struct sink *k, const struct edmm_image *im,
			 const struct img_segment *s, uint64_t off)
{
	uint64_t from = off < s->vaddr ? s->vaddr : off;
	uint64_t to = s->vaddr + s->file_size;
	uint8_t *page = store_page(k);

	if (to > off + SGX_PAGE_SIZE)
		to = off + SGX_PAGE_SIZE;
	if (to > from)
		memcpy(page + (from - off),
		       im->file + s->file_off + (from - s->vaddr), to - from);
	emit(k, &(struct edmm_page_run){
			.off = off,
			.size = SGX_PAGE_SIZE,
			.src = page,
			.secinfo_flags = s->rights | SGX_SECINFO_PT(SGX_PT_REG),
			.measured = true });
}

/*
 * Page 0 has the ELF header. Where the section headers are, and the build id,
 * depend on debug information and so on folders; nothing inside reads them, so
 * the enclave gets zeros and its identity does not change with them.
 */
static void emit_header(struct sink *k, const struct edmm_image *im,
			const struct img_segment *s)
{
	uint8_t *page = k->plan->store + k->store_used;

	emit_partial(k, im, s, 0);
	memset(page + offsetof(Elf64_Ehdr, e_shoff), 0, sizeof(Elf64_Off));
	memset(page + offsetof(Elf64_Ehdr, e_shentsize), 0,
	       sizeof(Elf64_Ehdr) - offsetof(Elf64_Ehdr, e_shentsize));
	memset(page + im->id_off, 0, im->id_size);
}

/* header or first partial page | whole file pages | last partial page | zeros
 */
static void emit_segment(struct sink *k, const struct edmm_image *im,
			 const struct img_segment *s)
{
	uint64_t at = img_page_down(s->vaddr);
	uint64_t file_end = s->vaddr + s->file_size;
	uint64_t end = img_page_up(s->vaddr + s->mem_size);
	uint64_t whole;

	if (!s->vaddr && !s->file_off && s->file_size >= sizeof(Elf64_Ehdr)) {
		emit_header(k, im, s);
		at += SGX_PAGE_SIZE;
	} else if (at != s->vaddr) {
		emit_partial(k, im, s, at);
		at += SGX_PAGE_SIZE;
	}
	whole = img_page_down(file_end);
	if (whole > at) {
		uint64_t lay = im->layout_off;

		if (lay >= at && lay < whole) {
			uint8_t *page = store_page(k);

			emit_file(k, im, s, at, lay);
			memcpy(page, &k->plan->layout, SGX_PAGE_SIZE);
			emit(k, &(struct edmm_page_run){
					.off = lay,
					.size = SGX_PAGE_SIZE,
					.src = page,
					.secinfo_flags =
						SGX_SECINFO_R |
						SGX_SECINFO_PT(SGX_PT_REG),
					.measured = true });
			at = lay + SGX_PAGE_SIZE;
		}
		emit_file(k, im, s, at, whole);
		at = whole;
	}
	if (at < file_end) {
		emit_partial(k, im, s, at);
		at += SGX_PAGE_SIZE;
	}
	if (at < end)
		emit(k, &(struct edmm_page_run){
				.off = at,
				.size = end - at,
				.secinfo_flags =
					s->rights | SGX_SECINFO_PT(SGX_PT_REG),
				.measured = true });
}

static void emit_zero(struct sink *k, uint64_t off, uint64_t size,
		      bool measured)
{
	emit(k, &(struct edmm_page_run){ .off = off,
					 .size = size,
					 .secinfo_flags = RIGHTS_RW,
					 .measured = measured });
}

static void emit_context(struct sink *k, unsigned index)
{
	const struct edmm_layout *l = &k->plan->layout;
	uint64_t at = l->ctx_off + index * l->ctx_stride;
	struct sgx_tcs *tcs = (struct sgx_tcs *)(void *)store_page(k);

	tcs->ossa = at + l->ctx_ssa;
	tcs->nssa = l->nssa;
	tcs->oentry = k->plan->oentry;
	tcs->ofsbase = at + l->ctx_thread;
	tcs->ogsbase = at + l->ctx_thread;
	tcs->fslimit = 0xfff;
	tcs->gslimit = 0xfff;
	emit(k, &(struct edmm_page_run){ .off = at,
					 .size = SGX_PAGE_SIZE,
					 .src = (const uint8_t *)tcs,
					 .secinfo_flags =
						 SGX_SECINFO_PT(SGX_PT_TCS),
					 .measured = true });
	emit_zero(k, at + l->ctx_ssa,
		  (uint64_t)l->nssa * l->ssa_frame_pages * SGX_PAGE_SIZE, true);
	emit_zero(k, at + l->ctx_thread, l->ctx_thread_size, true);
	emit_zero(k, at + l->ctx_xstack, l->ctx_xstack_size, true);
	emit_zero(k, at + l->ctx_sys, l->ctx_sys_size, true);
}

/* At most 6 runs and 2 private pages a segment; 5 and 1 a context. */
static edmm_err alloc_plan(const struct edmm_image *im, struct edmm_plan *plan)
{
	size_t ctx = plan->layout.ctx_count;
	size_t runs = im->seg_count * 6u + ctx * 5 + 3;
	size_t store = (im->seg_count * 2u + 1 + ctx) * SGX_PAGE_SIZE;

	plan->runs = calloc(runs, sizeof(*plan->runs));
	plan->store = aligned_alloc(SGX_PAGE_SIZE, store);
	if (!plan->runs || !plan->store)
		return -EDMM_ENOMEM;
	memset(plan->store, 0, store);
	return 0;
}

static void emit_all(const struct edmm_image *im, struct edmm_plan *plan)
{
	const struct edmm_layout *l = &plan->layout;
	struct sink k = { .plan = plan };
	unsigned i;

	for (i = 0; i < im->seg_count; i++)
		emit_segment(&k, im, &im->seg[i]);
	for (i = 0; i < l->ctx_count; i++)
		emit_context(&k, i);
	emit_zero(&k, l->stack_off + l->stack_size - l->stack_init,
		  l->stack_init, true);
	emit_zero(&k, l->meta_off, l->meta_init, true);
	emit_zero(&k, l->heap_off, l->heap_init,
		  !(l->flags & EDMM_LAYOUT_HEAP_ZERO));
}

static edmm_err check_rights(const struct edmm_image *im,
			     const struct edmm_image_policy *policy,
			     struct edmm_diag *diag)
{
	const uint64_t wx = SGX_SECINFO_W | SGX_SECINFO_X;
	unsigned i;

	for (i = 0; i < im->seg_count; i++)
		if ((im->seg[i].rights & wx) == wx &&
		    !(policy->flags & EDMM_POLICY_WX))
			return img_fail(diag, -EDMM_EINVAL,
					"%s: segment at 0x%llx is writable and "
					"executable; link without it or allow "
					"it with --wx",
					im->name,
					(unsigned long long)im->seg[i].vaddr);
	return 0;
}

edmm_err edmm_plan_make(const struct edmm_image *image,
			const struct edmm_image_policy *policy,
			struct edmm_plan *plan, struct edmm_diag *diag)
{
	const char *fault = img_policy_fault(policy);
	edmm_err err;

	memset(plan, 0, sizeof(*plan));
	if (fault)
		return img_fail(diag, -EDMM_EINVAL, "settings: %s", fault);
	err = check_rights(image, policy, diag);
	if (err)
		return err;
	err = lay_out(image, policy, &plan->layout, diag);
	if (err)
		goto out_clear;
	plan->oentry = image->entry;
	err = alloc_plan(image, plan);
	if (err) {
		img_fail(diag, err, "%s: out of memory", image->name);
		goto out_clear;
	}
	emit_all(image, plan);
	return 0;
out_clear:
	edmm_plan_free(plan);
	return err;
}

void edmm_plan_free(struct edmm_plan *plan)
{
	free(plan->runs);
	free(plan->store);
	memset(plan, 0, sizeof(*plan));
}
