/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions (design I12, I13). Stage 1 runs at CSSA 1 on a stack of its own,
 * takes the facts from the SSA, and either applies a fix-up or rewrites the
 * interrupted frame so that ERESUME continues in stage 2. Stage 2 runs at
 * CSSA 0 on the exception stack with the whole state saved, lets the memory
 * manager and then the program have the fault, and continues where it was.
 *
 * Locks: none. EXITINFO is cleared before anything else, so that no second
 * entry finds the same exception.
 */
#include "edmm/emm.h"
#include "thread.h"

#define RED_ZONE 128u
/* Least room that stage 2 must find below its frame. */
#define STAGE2_ROOM 6144u
#define XSAVE_ALIGN 64u
#define XSAVE_HEADER 512u
#define XSAVE_LEGACY_SIZE 576u
#define XSAVE_AVX_SIZE 832u
/* x87, SSE, AVX, AVX-512 in XSAVE's standard form, wherever their parts lie */
#define XSAVE_AVX512_SIZE 2752u
#define XFRM_AVX512 0xe7ull
#define XFRM_AVX 0x7ull
#define RFLAGS_FIXED 2u
/* A page fault that is resolved this often in a row is not resolved. */
#define REPEAT_MAX 1000u

bool (*rt_fault_hook)(struct rt_regs *regs);
bool (*rt_shortage_hook)(void);

static uint64_t fixup_value(uint32_t vector)
{
	return (uint64_t)(vector == SGX_VEC_PF ? -EDMM_EFAULT : -EDMM_EINVAL);
}

static size_t xsave_size(void)
{
	uint64_t xfrm = rt_global.xfrm;

	if (!(xfrm & ~SGX_XFRM_LEGACY))
		return XSAVE_LEGACY_SIZE;
	if (!(xfrm & ~XFRM_AVX))
		return XSAVE_AVX_SIZE;
	if (!(xfrm & ~XFRM_AVX512))
		return XSAVE_AVX512_SIZE;
	/* ECREATE has made sure that the image of XFRM fits a frame. */
	return rt_layout()->ssa_frame_pages * (size_t)SGX_PAGE_SIZE;
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

static void enter_stage2(struct rt_thread *t, uint32_t vector)
{
	uint64_t top = stage2_top(t);
	uint64_t need = xsave_size() + sizeof(struct rt_frame) + XSAVE_ALIGN +
			STAGE2_ROOM;
	struct rt_frame *f;
	struct rt_regs r;
	uint64_t xsave;

	if (top < t->xlow || top - t->xlow < need) {
		take_regs(&r, t, vector);
		rt_crash_fault(&r, true, 0, "exception stack exhausted");
	}
	xsave = (top - xsave_size()) & ~(uint64_t)(XSAVE_ALIGN - 1);
	for (unsigned int i = 0; i < 64; i += 8)
		*(uint64_t *)(xsave + XSAVE_HEADER + i) = 0;
	f = (struct rt_frame *)((xsave - sizeof(*f)) & ~15ull);
	take_regs(&f->regs, t, vector);
	f->regs.xsave = (void *)xsave;
	f->regs.xsave_size = xsave_size();
	f->regs.xfrm = rt_global.xfrm;
	f->prev_xsp = t->xsp;
	t->xsp = (uint64_t)f;

	t->gpr->rip = (uint64_t)rt_stage2_entry;
	t->gpr->rsp = (uint64_t)f;
	t->gpr->rdi = (uint64_t)f;
	t->gpr->rflags = RFLAGS_FIXED;
	t->gpr->gsbase = (uint64_t)t;
}

uint32_t rt_stage1(void)
{
	struct rt_thread *t = rt_self();
	uint32_t info = t->gpr->exitinfo;
	uint32_t vector = info & SGX_EXITINFO_VECTOR;
	uint64_t rip = t->gpr->rip;
	struct rt_regs r;

	/* An interrupt, or an exception that has been taken already. */
	if (!(info & SGX_EXITINFO_VALID))
		return 0;
	t->gpr->exitinfo = 0;
	if (rip >= (uint64_t)rt_gate_begin && rip < (uint64_t)rt_gate_end) {
		take_regs(&r, t, vector);
		rt_crash_fault(&r, true, 0, "exception in the enclave's gate");
	}
	if (!fix_up_at_once(t, vector))
		enter_stage2(t, vector);
	return 1;
}

/* Resolved again and again at one address: someone takes the page away. */
static void count_repeats(struct rt_thread *t, const struct rt_regs *r)
{
	if (r->addr != t->last_addr) {
		t->last_addr = r->addr;
		t->repeats = 0;
	} else if (++t->repeats > REPEAT_MAX) {
		rt_crash_fault(r, false, 0,
			       "the host does not map this page as it should");
	}
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

static void resolve(struct rt_thread *t, struct rt_regs *r)
{
	const struct rt_fixup *fix;
	int why = EMM_FAULT_SEARCH;

	if (r->vector == SGX_VEC_PF && rt_inside(r->addr, 1)) {
		why = rt_emm_fault(r);
		if (why == -EDMM_ENOMEM && rt_shortage_hook &&
		    rt_shortage_hook())
			why = rt_emm_fault(r);
		if (why == EMM_FAULT_CONTINUE) {
			count_repeats(t, r);
			return;
		}
	}
	fix = rt_fixup_find(r->rip);
	if (fix) {
		r->rip = rt_fixup_target(fix);
		r->rax = fixup_value(r->vector);
		return;
	}
	if (rt_fault_hook && rt_fault_hook(r))
		return;
	rt_crash_fault(r, false, why, explain(r));
}

void rt_stage2(struct rt_frame *f)
{
	struct rt_thread *t = rt_self();

	resolve(t, &f->regs);
	t->xsp = f->prev_xsp;
}
