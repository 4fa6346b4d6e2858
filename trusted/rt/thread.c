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

void *rt_local(void)
{
	return rt_self()->local;
}

void *rt_local_of(uint32_t context)
{
	return rt_record(context)->local;
}

void rt_runtime_leave(void)
{
	rt_self()->in_runtime = false;
}

void rt_signals_look(void)
{
	__atomic_store_n(&rt_self()->interrupted, 0, __ATOMIC_SEQ_CST);
}

static uint64_t sys_top(uint32_t context)
{
	const struct edmm_layout *l = rt_layout();

	return rt_context_addr(context) + l->ctx_sys + l->ctx_sys_size;
}

uint64_t rt_call_sp(void)
{
	const struct rt_call *c = (const struct rt_call *)rt_self()->sys_top;

	return (c - 1)->rsp;
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
	uint64_t tcs = rt_context_addr(context);
	uint64_t frame = (uint64_t)l->ssa_frame_pages * SGX_PAGE_SIZE;
	uint64_t gpr = tcs + l->ctx_ssa + frame - sizeof(struct sgx_gprsgx);

	t->self = t;
	t->context = context;
	t->gpr = (struct sgx_gprsgx *)gpr;
	t->exinfo = (struct sgx_exinfo *)(gpr - sizeof(struct sgx_exinfo));
	t->xlow = tcs + l->ctx_xstack;
	t->xtop = t->xlow + l->ctx_xstack_size - RT_STAGE1_STACK;
	t->xsp = t->xtop;
	t->sys_top = sys_top(context);
	t->in_runtime = true;
	t->interrupted = 0;
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

static bool change_state(struct rt_thread *t, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&t->state, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

struct rt_regs *rt_thread_regs(uint32_t context)
{
	struct rt_thread *t = rt_record(context);
	struct rt_frame *f;

	rt_thread_init(t, context);
	t->wire = t->buf = NULL;
	t->buf_size = t->buf_used = 0;
	t->repeats = t->depth = 0;
	t->called = 0;
	f = rt_frame_clean(t->xtop);
	t->xsp = (uint64_t)f;
	/* As clone() has it; no vector register is kept over a call. */
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(f->regs.xsave), "a"(SGX_XFRM_LEGACY), "d"(0)
			 : "memory");
	return &f->regs;
}

edmm_err rt_thread_start(uint32_t context)
{
	const uint64_t args[WIRE_CALL_ARGS] = { context };
	struct rt_thread *t = rt_record(context);
	edmm_err err;

	t->stack_high = ((const struct rt_frame *)t->xsp)->regs.rsp;
	rt_context_starting(context, true);
	__atomic_store_n(&t->state, RT_STATE_ASSIGNED, __ATOMIC_RELEASE);
	err = rt_host_call(WIRE_CALL_THREAD, args, NULL);
	/* A host that says so and enters all the same has started it. */
	if (err && !change_state(t, RT_STATE_ASSIGNED, RT_STATE_MAKING))
		err = 0;
	rt_context_starting(context, false);
	return err;
}

void rt_thread_drop(uint32_t context)
{
	__atomic_store_n(&rt_record(context)->state, RT_STATE_FREE,
			 __ATOMIC_RELEASE);
	rt_context_idle(context);
}

/* There is no block to tell more by than a number. */
void rt_thread_first(uint64_t wire)
{
	if (rt_thread_attach(rt_self(), wire) == 0)
		return;
	(void)rt_end_begin();
	rt_leave(WIRE_EXIT_REFUSED, WIRE_REFUSED_ARGS);
}

void rt_thread_end(int unpark)
{
	rt_context_idle(rt_context());
	rt_leave_thread(unpark < 0 ? 0 : (uint64_t)unpark + 1);
}
