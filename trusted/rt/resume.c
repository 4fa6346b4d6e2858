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

struct rt_frame *rt_frame_take(void)
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
	return &rt_frame_take()->regs;
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

	if (rt_hooks.signals)
		rt_hooks.signals(&f->regs);
	f->regs.rflags = (f->regs.rflags & RFLAGS_USER) | RFLAGS_FIXED;
	clean_xsave(f->regs.xsave, rt_global.xfrm);
	t->xsp = f->prev_xsp;
}
