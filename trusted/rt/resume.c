/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way back to the program by its signals (I14): out of a system call, and
 * from a handler, whose frame is on a stack of the program's, where a page may
 * be taken at any instruction. So the state is on the exception stack first,
 * frames are pushed from there, and it goes back into the registers in the
 * gate, where a fault is the end.
 */
#include "trusted/rt/thread.h"

/* CF PF AF ZF SF DF OF AC ID: what a program may set by POPF (no TF). */
#define RFLAGS_USER 0x240cd5ull
#define RFLAGS_FIXED 2u
#define XSAVE_MXCSR 24u
#define XSAVE_BV 512u
#define XSAVE_COMP 520u
#define XSAVE_END 576u
#define MXCSR_USER 0xffffu

/* What XRSTOR would refuse is taken out: it may have been written over. */
static void clean_xsave(uint8_t *x, uint64_t xfrm)
{
	*(uint32_t *)(void *)(x + XSAVE_MXCSR) &= MXCSR_USER;
	*(uint64_t *)(void *)(x + XSAVE_BV) &= xfrm;
	for (unsigned int i = XSAVE_COMP; i < XSAVE_END; i += 8)
		*(uint64_t *)(void *)(x + i) = 0;
}

static struct rt_frame *frame_take(void)
{
	struct rt_thread *t = rt_self();
	struct rt_frame *f;

	RT_INVARIANT(14, t->in_runtime && t->xsp == t->xtop);
	/* Taken before it is filled: a fault in between goes below it. */
	t->xsp = t->xtop - rt_frame_room();
	f = rt_frame_clean(t->xtop);
	f->regs.fs_base = rt_fs_base();
	return f;
}

struct rt_regs *rt_resume_take(void)
{
	return &frame_take()->regs;
}

long rt_serve(const struct rt_call *c)
{
	return rt_hooks.call ? rt_hooks.call(c) : -EDMM_ENOSYS;
}

/* As they were at the entry of served.S that the call came by. */
static void begin_anew(struct rt_regs *r, const struct rt_call *c)
{
	const uint64_t v[] = { (uint64_t)c->cancel, c->nr,	c->args[0],
			       c->args[1],	    c->args[2], c->args[3],
			       c->args[4] };
	const uint64_t *from = c->begin == (uint64_t)edmm_syscall ? v + 1 : v;

	r->rip = c->begin;
	r->rdi = from[0];
	r->rsi = from[1];
	r->rdx = from[2];
	r->rcx = from[3];
	r->r8 = from[4];
	r->r9 = from[5];
}

void rt_call_signals(const struct rt_call *c, long value, bool again)
{
	struct rt_regs *r = rt_resume_take();

	r->rax = (uint64_t)value;
	r->rbx = c->rbx;
	r->rbp = c->rbp;
	r->r12 = c->r12;
	r->r13 = c->r13;
	r->r14 = c->r14;
	r->r15 = c->r15;
	r->rsp = c->rsp;
	r->rip = (uint64_t)rt_call_return;
	r->rflags = c->rflags;
	if (again)
		begin_anew(r, c);
	/* Of it a call keeps what a function does, and the x87 state. */
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(r->xsave), "a"(rt_global.xfrm),
			   "d"(rt_global.xfrm >> 32)
			 : "memory");
	rt_resume(r);
}

edmm_err rt_copy_inside(void *dst, const void *src, size_t size)
{
	if (size == 0)
		return 0;
	if (!rt_inside((uint64_t)dst, size) || !rt_inside((uint64_t)src, size))
		return -EDMM_EFAULT;
	return rt_move_words(dst, src, size / sizeof(uint64_t)) != 0
		       ? -EDMM_EFAULT
		       : 0;
}

/* Called on the exception stack, in the gate's place of a stage 2. */
void rt_to_program(struct rt_frame *f)
{
	struct rt_thread *t = rt_self();

	/* Made again, it is in use once more. */
	t->xsp = (uint64_t)f;
	rt_signals_look();
	if (rt_hooks.signals)
		rt_hooks.signals(&f->regs);
	f->regs.rflags = (f->regs.rflags & RFLAGS_USER) | RFLAGS_FIXED;
	clean_xsave(f->regs.xsave, rt_global.xfrm);
	t->xsp = f->prev_xsp;
}
