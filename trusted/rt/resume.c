/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way back from a handler of the program's (I14). Its frame is on a stack
 * of the program's, where a page may be taken at any instruction; so the state
 * is copied to the exception stack first, and goes back into the registers in
 * the gate, where a fault is the end.
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

struct rt_frame *rt_resume_take(const struct rt_regs *regs)
{
	struct rt_thread *t = rt_self();
	struct rt_frame *f;
	uint8_t *xsave;

	RT_INVARIANT(14, t->in_runtime && t->xsp == t->xtop);
	/* Taken before it is filled: a fault in between goes below it. */
	t->xsp = t->xtop - rt_frame_room();
	f = rt_frame_below(t->xtop);
	xsave = f->regs.xsave;
	f->prev_xsp = t->xtop;
	__builtin_memcpy(xsave, regs->xsave, rt_xsave_size());
	f->regs = *regs;
	f->regs.xsave = xsave;
	f->regs.fs_base = rt_fs_base();
	f->regs.rflags = (regs->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	clean_xsave(xsave, rt_global.xfrm);
	return f;
}
