/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up checks, pure: the measured layout (a slip of the image builder
 * must not become a hole), the enclave's own report (I13), and what the host
 * gives for a start (I10, I11).
 */
#include "trusted/rt/thread.h"

#define PAGE SGX_PAGE_SIZE

static bool aligned(uint64_t v)
{
	return v % PAGE == 0;
}

/* [off, off + size) is page aligned, lies at or above @from and below @end. */
static bool region_ok(uint64_t off, uint64_t size, uint64_t from, uint64_t end)
{
	return aligned(off) && aligned(size) && off >= from && off <= end &&
	       size <= end - off;
}

static const char *contexts_check(const struct edmm_layout *l)
{
	uint64_t stride = l->ctx_stride;
	uint64_t ssa = (uint64_t)l->nssa * l->ssa_frame_pages * PAGE;
	uint64_t end = l->elrange_size;

	if (!l->ssa_frame_pages || l->ssa_frame_pages > 64 || l->nssa < 2 ||
	    l->nssa > 64)
		return "layout: save areas";
	if (!l->ctx_count || l->ctx_count > EDMM_CONTEXTS_MAX || !stride ||
	    !aligned(stride) || l->ctx_count > end / stride ||
	    !region_ok(l->ctx_off, l->ctx_count * stride, l->image_size, end))
		return "layout: contexts";
	if (!region_ok(l->ctx_ssa, ssa, PAGE, stride) ||
	    !region_ok(l->ctx_thread, l->ctx_thread_size, l->ctx_ssa + ssa,
		       stride) ||
	    l->ctx_thread_size < sizeof(struct rt_thread) ||
	    !region_ok(l->ctx_xstack, l->ctx_xstack_size,
		       l->ctx_thread + l->ctx_thread_size, stride) ||
	    l->ctx_xstack_size < RT_XSTACK_MIN ||
	    !region_ok(l->ctx_sys, l->ctx_sys_size,
		       l->ctx_xstack + l->ctx_xstack_size, stride) ||
	    l->ctx_sys_size < RT_SYS_MIN)
		return "layout: a context's parts";
	return NULL;
}

/* Those to be made are what is added after the start, and the last of all. */
static const char *made_check(const struct edmm_layout *l)
{
	if (l->made_count > EDMM_MADE_MAX ||
	    l->made_count > l->elrange_size / l->ctx_stride ||
	    (l->made_count && !(l->flags & EDMM_LAYOUT_ELASTIC)) ||
	    !region_ok(l->made_off, l->made_count * l->ctx_stride,
		       l->made_count ? l->heap_off + l->heap_bound : 0,
		       l->elrange_size))
		return "layout: contexts to be made";
	return NULL;
}

const char *rt_layout_check(const struct edmm_layout *l)
{
	const char *bad;
	uint64_t end = l->elrange_size;

	if (l->magic != EDMM_LAYOUT_MAGIC || l->version != EDMM_LAYOUT_VERSION)
		return "layout: magic or version";
	if (end < 2 * PAGE || (end & (end - 1)) || end > 1ull << 47)
		return "layout: ELRANGE";
	if (rt_base() & (end - 1))
		return "layout: base is not aligned to ELRANGE";
	if (!aligned(l->image_size) || !l->image_size || l->image_size > end)
		return "layout: image";
	bad = contexts_check(l);
	if (bad)
		return bad;
	if (!region_ok(l->stack_off, l->stack_size,
		       l->ctx_off + l->ctx_count * l->ctx_stride, end) ||
	    !aligned(l->stack_init) || l->stack_init > l->stack_size ||
	    !l->stack_init)
		return "layout: stack";
	if (!region_ok(l->meta_off, l->meta_size, l->stack_off + l->stack_size,
		       end) ||
	    !aligned(l->meta_init) || l->meta_init > l->meta_size)
		return "layout: metadata";
	if (!region_ok(l->heap_off, l->heap_bound, l->meta_off + l->meta_size,
		       end) ||
	    !aligned(l->heap_init) || l->heap_init > l->heap_bound)
		return "layout: heap";
	return made_check(l);
}

const char *rt_report_check(const struct edmm_layout *l,
			    const struct sgx_report *r)
{
	uint64_t flags = r->attributes.flags;

	if (!(flags & SGX_ATTR_INIT) || !(flags & SGX_ATTR_MODE64BIT))
		return "report: not an initialised 64-bit enclave";
	if ((flags & SGX_ATTR_DEBUG) && !(l->flags & EDMM_LAYOUT_DEBUG))
		return "report: DEBUG, which the image is not signed for";
	if (flags & SGX_ATTR_AEXNOTIFY)
		return "report: AEXNOTIFY, which this runtime does not handle";
	if ((r->attributes.xfrm & SGX_XFRM_LEGACY) != SGX_XFRM_LEGACY ||
	    (r->attributes.xfrm & ~EDMM_XFRM_ALLOWED))
		return "report: XFRM";
	if ((l->flags & EDMM_LAYOUT_ELASTIC) &&
	    !(r->miscselect & SGX_MISC_EXINFO))
		return "report: MISCSELECT.EXINFO is missing";
	if (r->miscselect & ~SGX_MISC_EXINFO)
		return "report: MISCSELECT";
	return NULL;
}

const char *rt_start_check(const struct edmm_layout *l,
			   const struct wire_start *s)
{
	if (s->version != WIRE_VERSION || s->size != sizeof(*s))
		return "start: version";
	if (s->heap_max % PAGE || s->heap_max > l->heap_bound)
		return "start: heap maximum";
	if (s->heap_window % PAGE || s->heap_window > WIRE_WINDOW_MAX)
		return "start: heap window";
	if (s->heap_free_percent > 100 && s->heap_free_percent != UINT64_MAX)
		return "start: idle share";
	if (!s->arg_size || s->arg_size > WIRE_ARG_MAX || !s->argc ||
	    s->argc > WIRE_ARGC_MAX || s->envc > WIRE_ARGC_MAX)
		return "start: arguments";
	if (s->threads_max > edmm_layout_contexts(l))
		return "start: threads";
	if (s->stats_addr % PAGE || s->flags & ~WIRE_START_FLAGS)
		return "start: statistics or flags";
	return NULL;
}

bool rt_args_check(const char *block, size_t size, uint64_t count)
{
	uint64_t ends = 0;

	if (!size || block[size - 1])
		return false;
	for (size_t i = 0; i < size; i++)
		ends += !block[i];
	return ends == count;
}
