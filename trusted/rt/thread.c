/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread record of a context, and small facts about it.
 */
#include "trusted/rt/thread.h"

struct rt_global rt_global;
uint32_t rt_dead;

bool rt_end_begin(void)
{
	return !__atomic_exchange_n(&rt_dead, 1, __ATOMIC_SEQ_CST);
}

void rt_mute(void)
{
	rt_leave(WIRE_EXIT_REFUSED, WIRE_REFUSED_DEAD);
}

void rt_look_for_end(void)
{
	if (__atomic_load_n(&rt_dead, __ATOMIC_RELAXED))
		rt_mute();
}

uint64_t rt_base(void)
{
	return (uint64_t)rt_image_start;
}

const struct edmm_layout *rt_layout(void)
{
	return &rt_layout_page;
}

bool rt_elastic(void)
{
	return rt_layout()->flags & EDMM_LAYOUT_ELASTIC;
}

bool edmm_rt_elastic(void)
{
	return rt_elastic();
}

const struct rt_params *rt_params(void)
{
	return &rt_global.params;
}

uint32_t rt_context(void)
{
	return rt_self()->context;
}

bool rt_runtime_set(bool in)
{
	struct rt_thread *t = rt_self();
	bool was = t->in_runtime;

	t->in_runtime = in;
	return was;
}

uint64_t rt_fs_base(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

void rt_set_fs_base(uint64_t addr)
{
	__asm__ volatile("wrfsbase %0" : : "r"(addr) : "memory");
}

uint64_t rt_stack_low(void)
{
	return rt_base() + rt_layout()->stack_off;
}

uint64_t rt_stack_high(void)
{
	return rt_stack_low() + rt_layout()->stack_size;
}

void rt_thread_init(struct rt_thread *t, uint32_t context)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t tcs = rt_base() + l->ctx_off + context * l->ctx_stride;
	uint64_t frame = (uint64_t)l->ssa_frame_pages * SGX_PAGE_SIZE;
	uint64_t gpr = tcs + l->ctx_ssa + frame - sizeof(struct sgx_gprsgx);

	t->self = t;
	t->context = context;
	t->gpr = (struct sgx_gprsgx *)gpr;
	t->exinfo = (struct sgx_exinfo *)(gpr - sizeof(struct sgx_exinfo));
	t->xlow = tcs + l->ctx_xstack;
	t->xtop = t->xlow + l->ctx_xstack_size - RT_STAGE1_STACK;
	t->xsp = t->xtop;
	/* From here on exceptions come in, and find all of the above. */
	__atomic_store_n(&t->stage1_top, t->xlow + l->ctx_xstack_size,
			 __ATOMIC_RELEASE);
}

edmm_err rt_thread_attach(struct rt_thread *t, uint64_t wire)
{
	umem_t w = umem_at(wire, sizeof(struct wire_thread));
	uint64_t addr, size;

	if (!w || wire % 8 ||
	    umem_get64(&addr, w + offsetof(struct wire_thread, buf_addr)) ||
	    umem_get64(&size, w + offsetof(struct wire_thread, buf_size)))
		return -EDMM_EFAULT;
	if (addr % 8 || size % 8 || size < WIRE_BUF_MIN || size > WIRE_BUF_MAX)
		return -EDMM_EINVAL;
	t->buf = umem_at(addr, size);
	if (!t->buf)
		return -EDMM_EFAULT;
	t->buf_size = size;
	t->wire = w;
	return 0;
}
