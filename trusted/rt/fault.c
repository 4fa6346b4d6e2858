/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions (design I12, I13). Stage 1 runs at CSSA 1 on a stack of its own,
 * takes the facts from the SSA, and either applies a fix-up or rewrites the
 * interrupted frame so that ERESUME continues in stage 2. Stage 2 runs at
 * CSSA 0 on the exception stack with the whole state saved, asks the books and
 * the memory manager whose the fault is (I14), lets the program have what is
 * its own, and continues where it was.
 *
 * Locks: none. EXITINFO is cleared before anything else, so that no second
 * entry finds the same exception.
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

#define RED_ZONE 128u
/* Least room that stage 2 must find below its frame. */
#define STAGE2_ROOM 6144u
#define XSAVE_ALIGN 64u
#define XSAVE_HEADER 512u
#define XSAVE_LEGACY_SIZE 576u
#define XSAVE_AVX_SIZE 832u
/* x87, SSE, AVX, AVX-512 in XSAVE's standard form, wherever their parts lie */
#define XSAVE_AVX512_SIZE 2752u
#define XFRM_AVX 0x7ull
#define RFLAGS_FIXED 2u
/* A page fault that is resolved this often in a row is not resolved. */
#define REPEAT_MAX 1000u
/* One that is right and could not be served is tried this often. */
#define SHORTAGE_MAX 16u

static uint64_t fixup_value(uint32_t vector)
{
	return (uint64_t)(vector == SGX_VEC_PF ? -EDMM_EFAULT : -EDMM_EINVAL);
}

uint64_t rt_xsave_size(void)
{
	uint64_t xfrm = rt_global.xfrm;

	if (!(xfrm & ~SGX_XFRM_LEGACY))
		return XSAVE_LEGACY_SIZE;
	if (!(xfrm & ~XFRM_AVX))
		return XSAVE_AVX_SIZE;
	/* All that EDMM_XFRM_ALLOWED has, as start-up has checked. */
	return XSAVE_AVX512_SIZE;
}

static void take_regs(struct rt_regs *r, const struct rt_thread *t,
		      uint32_t vector)
{
	const struct sgx_gprsgx *g = t->gpr;
	bool info = vector == SGX_VEC_PF || vector == SGX_VEC_GP;

	*r = (struct rt_regs){
		.rax = g->rax,
		.rcx = g->rcx,
		.rdx = g->rdx,
		.rbx = g->rbx,
		.rsp = g->rsp,
		.rbp = g->rbp,
		.rsi = g->rsi,
		.rdi = g->rdi,
		.r8 = g->r8,
		.r9 = g->r9,
		.r10 = g->r10,
		.r11 = g->r11,
		.r12 = g->r12,
		.r13 = g->r13,
		.r14 = g->r14,
		.r15 = g->r15,
		.rflags = g->rflags,
		.rip = g->rip,
		.fs_base = g->fsbase,
		.vector = vector,
		.error_code = info ? t->exinfo->errcd : 0,
		.addr = vector == SGX_VEC_PF ? t->exinfo->maddr : 0,
	};
}

/* Answer at the instruction itself: it is ours and prepared for the fault. */
static bool fix_up_at_once(const struct rt_thread *t, uint32_t vector)
{
	const struct rt_fixup *f = rt_fixup_find(t->gpr->rip);

	if (!f)
		return false;
	/* A fetch that faults says nothing of what the instruction does. */
	if (vector == SGX_VEC_PF && t->exinfo->errcd & SGX_PFEC_I)
		return false;
	if (f->kind == RT_FIX_INSIDE)
		return false;
	if (f->kind == RT_FIX_UMEM &&
	    (vector != SGX_VEC_PF || !rt_outside(t->exinfo->maddr, 1)))
		return false;
	t->gpr->rip = rt_fixup_target(f);
	t->gpr->rax = fixup_value(vector);
	return true;
}

/*
 * Stage 2 goes below whatever lies on the exception stack: below xsp, and
 * below the interrupted stack pointer when that is on it. In the gate it may
 * be the host's, but there stage 1 has not come this far.
 */
static uint64_t stage2_top(const struct rt_thread *t)
{
	uint64_t rsp = t->gpr->rsp;

	if (rsp > t->xlow && rsp <= t->xsp)
		return rsp - RED_ZONE;
	return t->xsp;
}

uint64_t rt_frame_room(void)
{
	return rt_xsave_size() + sizeof(struct rt_frame) + XSAVE_ALIGN;
}

struct rt_frame *rt_frame_below(uint64_t top)
{
	uint64_t xsave = (top - rt_xsave_size()) & ~(uint64_t)(XSAVE_ALIGN - 1);
	struct rt_frame *f = (struct rt_frame *)((xsave - sizeof(*f)) & ~15ull);

	for (unsigned int i = 0; i < 64; i += 8)
		*(uint64_t *)(xsave + XSAVE_HEADER + i) = 0;
	f->regs.xsave = (void *)xsave;
	return f;
}

struct rt_frame *rt_frame_clean(uint64_t top)
{
	struct rt_frame *f = rt_frame_below(top);

	*f = (struct rt_frame){ .regs = { .xsave = f->regs.xsave,
					  .xsave_size = rt_xsave_size(),
					  .xfrm = rt_global.xfrm },
				.prev_xsp = top };
	return f;
}

/* In a call of the program's, or with a stage 2 below. */
static bool is_inside(const struct rt_thread *t)
{
	const uint64_t rsp = t->gpr->rsp;

	return t->in_runtime || t->xsp != t->xtop ||
	       (rsp > t->xlow && rsp <= t->stage1_top);
}

static void enter_stage2(struct rt_thread *t, uint32_t vector)
{
	uint64_t top = stage2_top(t);
	struct rt_frame *f;
	struct rt_regs r;
	void *xsave;

	take_regs(&r, t, vector);
	if (top < t->xlow || top - t->xlow < rt_frame_room() + STAGE2_ROOM)
		rt_crash_fault(&r, true, 0, "exception stack exhausted");
	f = rt_frame_below(top);
	xsave = f->regs.xsave;
	f->regs = r;
	f->regs.xsave = xsave;
	f->regs.xsave_size = rt_xsave_size();
	f->regs.xfrm = rt_global.xfrm;
	f->regs.in_runtime = is_inside(t);
	f->prev_xsp = t->xsp;
	t->xsp = (uint64_t)f;

	t->gpr->rip = (uint64_t)rt_stage2_entry;
	t->gpr->rsp = (uint64_t)f;
	t->gpr->rdi = (uint64_t)f;
	t->gpr->rflags = RFLAGS_FIXED;
	t->gpr->gsbase = (uint64_t)t;
}

static bool is_between(uint64_t rip, const uint8_t *from, const uint8_t *to)
{
	return rip >= (uint64_t)from && rip < (uint64_t)to;
}

/*
 * The host says that there may be signals. The thread looks at once where it is
 * the program's, or takes its last steps to it; else when it comes back to it,
 * as it does after an exception that has not been looked at yet.
 */
static uint32_t interrupt(struct rt_thread *t)
{
	struct sgx_gprsgx *g = t->gpr;
	const struct rt_frame *f = (const struct rt_frame *)g->rbx;

	__atomic_store_n(&t->interrupted, 1, __ATOMIC_SEQ_CST);
	if (g->exitinfo & SGX_EXITINFO_VALID)
		return 0;
	if (is_between(g->rip, rt_last_begin, rt_last_jump)) {
		if (f->regs.in_runtime)
			return 0;
		g->rip = (uint64_t)rt_resume;
		g->rdi = (uint64_t)f;
		g->rflags = RFLAGS_FIXED;
		return 1;
	}
	if (is_inside(t))
		return 0;
	if (g->rip == (uint64_t)rt_last_jump)
		g->rip = t->resume_rip;
	else if (is_between(g->rip, rt_gate_begin, rt_gate_end))
		return 0;
	enter_stage2(t, RT_VECTOR_NONE);
	return 1;
}

uint32_t rt_stage1(uint64_t kind)
{
	struct rt_thread *t = rt_self();
	uint32_t info = t->gpr->exitinfo;
	uint32_t vector = info & SGX_EXITINFO_VECTOR;
	uint64_t rip = t->gpr->rip;
	struct rt_regs r;

	if (kind == WIRE_ENTER_INTERRUPT)
		return interrupt(t);
	/* An interrupt, or an exception that has been taken already. */
	if (!(info & SGX_EXITINFO_VALID))
		return 0;
	t->gpr->exitinfo = 0;
	if (is_between(rip, rt_gate_begin, rt_gate_end)) {
		take_regs(&r, t, vector);
		rt_crash_fault(&r, true, 0, "exception in the enclave's gate");
	}
	if (!fix_up_at_once(t, vector))
		enter_stage2(t, vector);
	return 1;
}

/*
 * Right again and again at one place, and nothing that the memory manager did
 * in between: someone takes the page away, or does not give it.
 */
static bool repeats(struct rt_thread *t, const struct rt_regs *r, uint32_t max)
{
	uint64_t changes =
		__atomic_load_n(&rt_global.changes, __ATOMIC_RELAXED);

	if (changes != t->last_changes ||
	    (r->addr != t->last_addr && r->rip != t->last_rip))
		t->repeats = 0;
	t->last_changes = changes;
	t->last_addr = r->addr;
	t->last_rip = r->rip;
	return ++t->repeats > max;
}

/* Words for what a person would not guess from the vector. */
static const char *explain(const struct rt_regs *r)
{
	const uint8_t *code = (const uint8_t *)r->rip;

	if (r->vector != SGX_VEC_UD || r->rip < rt_base() ||
	    r->rip - rt_base() > rt_layout()->image_size - 2)
		return NULL;
	if (code[0] == 0x0f && code[1] == 0xa2)
		return "CPUID is not allowed inside an enclave";
	if (code[0] == 0x0f && code[1] == 0x05)
		return "SYSCALL is not allowed inside an enclave";
	return NULL;
}

/*
 * Whose is it? Return: EMM_FAULT_SEARCH where the books prove the access
 * itself wrong, and for what is no page fault; EMM_FAULT_CONTINUE where they
 * allow it; a negative error where they do, but it could not be served.
 */
static int ask_books(const struct rt_regs *r)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t off = r->addr - rt_base();
	int how;

	if (r->vector != SGX_VEC_PF || !rt_inside(r->addr, 1))
		return EMM_FAULT_SEARCH;
	if (off < l->stack_off || off - l->meta_off < l->meta_size ||
	    rt_made_range(off))
		return rt_books_allow(off, r->error_code) ? EMM_FAULT_CONTINUE
							  : EMM_FAULT_SEARCH;
	how = rt_emm_fault(r);
	if (how == -EDMM_ENOMEM && rt_hooks.shortage && rt_hooks.shortage())
		how = rt_emm_fault(r);
	if (how == EMM_FAULT_SEARCH && rt_hooks.grow && rt_hooks.grow(r->addr))
		how = rt_emm_fault(r);
	return how;
}

/* The access is right: try it again, or name what keeps it from being made. */
static void retry(struct rt_thread *t, const struct rt_regs *r, int how)
{
	const char *text;

	if (!repeats(t, r,
		     how == EMM_FAULT_CONTINUE ? REPEAT_MAX : SHORTAGE_MAX))
		return;
	switch (how) {
	case EMM_FAULT_CONTINUE:
		text = "the host does not map this page as it should";
		break;
	case -EDMM_ENOMEM:
		text = explain(r);
		break;
	case -EDMM_EBUSY:
		text = "the host has taken away a page that is being changed";
		break;
	default:
		text = "the host does not give this page as it should";
	}
	rt_crash_fault(r, false, how, text);
}

/* The program may have it: told as the books, not the host, have it. */
static bool offer(struct rt_regs *r)
{
	uint32_t errcd = r->error_code;

	if (!rt_hooks.fault)
		return false;
	if (r->vector == SGX_VEC_PF && !r->in_runtime) {
		r->error_code = rt_books_errcd(r->addr, errcd);
		r->mapped = rt_books_mapped(r->addr);
	}
	if (rt_hooks.fault(r))
		return true;
	r->error_code = errcd;
	return false;
}

static void resolve(struct rt_thread *t, struct rt_regs *r)
{
	int how = ask_books(r);
	const struct rt_fixup *fix;

	if (how == EMM_FAULT_CONTINUE) {
		retry(t, r, how);
		return;
	}
	fix = rt_fixup_find(r->rip);
	if (fix && (how == EMM_FAULT_SEARCH || fix->kind != RT_FIX_INSIDE)) {
		r->rip = rt_fixup_target(fix);
		r->rax = fixup_value(r->vector);
		return;
	}
	if (how != EMM_FAULT_SEARCH) {
		retry(t, r, how);
		return;
	}
	if (offer(r))
		return;
	rt_crash_fault(r, false, EMM_FAULT_SEARCH, explain(r));
}

uint32_t rt_stage2(struct rt_frame *f)
{
	struct rt_thread *t = rt_self();

	if (f->regs.vector != RT_VECTOR_NONE)
		resolve(t, &f->regs);
	if (!f->regs.in_runtime)
		return 1;
	t->xsp = f->prev_xsp;
	return 0;
}
