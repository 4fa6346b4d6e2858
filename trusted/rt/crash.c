/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of an enclave, told: the crash record for the host's report (I16).
 *
 * Nothing here needs the memory manager, a lock or a host call. Once rt_dead
 * is set every entry is refused, so a crash is final for all threads: the one
 * that crashes at stage 1 has a save area that only traps, others are mute.
 * Who comes second has nothing to report.
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

#define RT_PF_X 1u
#define RT_PF_W 2u
#define CRASH_ROOM 1024u
#define RFLAGS_FIXED 2u
/* Of a frame: below the stack pointer, or between it and the guard. */
#define FRAME_ROOM 0x10000ull

#define SIG_ILL 4
#define SIG_TRAP 5
#define SIG_ABRT 6
#define SIG_BUS 7
#define SIG_FPE 8
#define SIG_SEGV 11

uint32_t rt_vector_signal(uint32_t vector)
{
	switch (vector) {
	case SGX_VEC_DE:
	case SGX_VEC_MF:
	case SGX_VEC_XM:
		return SIG_FPE;
	case SGX_VEC_UD:
		return SIG_ILL;
	case SGX_VEC_DB:
	case SGX_VEC_BP:
		return SIG_TRAP;
	case SGX_VEC_AC:
		return SIG_BUS;
	default:
		return SIG_SEGV;
	}
}

static void put_text(char *to, size_t size, const char *from)
{
	size_t i = 0;

	if (from)
		for (; i < size - 1 && from[i]; i++)
			to[i] = from[i];
	to[i] = 0;
}

static uint64_t offset_of(uint64_t addr)
{
	return rt_inside(addr, 1) ? addr - rt_base() : WIRE_NOT_INSIDE;
}

static bool within(uint64_t off, uint64_t from, uint64_t size)
{
	return off >= from && off - from < size;
}

/* By the program headers, which are measured with the image. */
static const char *image_part(uint64_t off)
{
	const struct rt_phdr *ph = rt_image_part(off);

	if (!ph)
		return "program image, between its parts";
	if (ph->flags & RT_PF_X)
		return "program's code";
	return ph->flags & RT_PF_W && !rt_in_relro(off) ? "program's data"
							: "program's constants";
}

/* Of a context, from its TCS on. */
static const char *context_part(uint64_t in)
{
	const struct edmm_layout *l = rt_layout();

	if (within(in, l->ctx_xstack, l->ctx_xstack_size))
		return "exception stack";
	if (within(in, l->ctx_sys, l->ctx_sys_size))
		return "system stack";
	if (in >= l->ctx_xstack && in < l->ctx_sys)
		return "guard of a system stack";
	if (in < l->ctx_xstack && in >= l->ctx_thread)
		return "guard of an exception stack";
	return "thread context";
}

/* Which part of the layout an offset lies in. */
static const char *area_name(uint64_t off)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t in;

	if (off == WIRE_NOT_INSIDE)
		return "outside of the enclave";
	if (off < l->image_size)
		return image_part(off);
	if (within(off, l->ctx_off, l->ctx_count * l->ctx_stride))
		return context_part((off - l->ctx_off) % l->ctx_stride);
	if (rt_made_there(off, &in))
		return context_part(in);
	if (within(off, l->stack_off, l->stack_size))
		return "main stack";
	if (within(off, l->stack_off - SGX_PAGE_SIZE, SGX_PAGE_SIZE))
		return "guard below the main stack";
	if (within(off, l->meta_off, l->meta_size))
		return "memory manager";
	if (within(off, l->heap_off, l->heap_bound))
		return "heap";
	return "unused address range";
}

/*
 * Has the thread gone below the stack that its program gave it? An access at
 * the stack pointer that the books do not allow. Return: that stack's bytes.
 */
static uint64_t overflowed(const struct rt_regs *r, uint64_t off)
{
	const struct edmm_layout *l = rt_layout();
	const uint64_t high = rt_self()->stack_high;
	const uint64_t page = r->addr & ~(SGX_PAGE_SIZE - 1ull);

	if (r->vector != SGX_VEC_PF || r->error_code & SGX_PFEC_I ||
	    !within(off, l->heap_off, l->heap_bound) || page >= high ||
	    r->rsp > high || r->addr - (r->rsp - FRAME_ROOM) > 2 * FRAME_ROOM)
		return 0;
	return high - page - SGX_PAGE_SIZE;
}

/* But for a stack of a thread's. */
static uint32_t setting_for(const struct rt_regs *r, uint64_t off, int why)
{
	const struct edmm_layout *l = rt_layout();

	if (off == WIRE_NOT_INSIDE || r->vector != SGX_VEC_PF)
		return WIRE_SETTING_NONE;
	if (within(off, l->stack_off - SGX_PAGE_SIZE, SGX_PAGE_SIZE) ||
	    (why == -EDMM_ENOMEM && within(off, l->stack_off, l->stack_size)))
		return WIRE_SETTING_STACK;
	if (why == -EDMM_ENOMEM && within(off, l->heap_off, l->heap_bound))
		return rt_elastic() ? WIRE_SETTING_HEAP_MAX
				    : WIRE_SETTING_STATIC;
	if (r->error_code & SGX_PFEC_I &&
	    within(off, l->heap_off, l->heap_bound))
		return WIRE_SETTING_WX;
	return WIRE_SETTING_NONE;
}

/* Once the end has begun no fault is served: the stack must be there. */
static __attribute__((noinline)) void probe_stack(void)
{
	volatile uint8_t room[CRASH_ROOM];

	room[0] = 0;
	(void)room[0];
}

/* The host may resume what has crashed: it finds nothing to go on with. */
static void set_trap(struct sgx_gprsgx *gpr)
{
	gpr->rip = (uint64_t)rt_trap;
	gpr->rflags = RFLAGS_FIXED;
	gpr->exitinfo = 0;
}

static _Noreturn void crash(const struct wire_crash *c, bool stage1)
{
	struct rt_thread *t = rt_self();
	uint64_t exit = WIRE_EXIT_CRASH, value = 0;

	probe_stack();
	if (stage1)
		set_trap(t->gpr);
	if (!rt_end_begin()) {
		exit = WIRE_EXIT_REFUSED;
		value = WIRE_REFUSED_DEAD;
	} else if (t->wire) {
		/* A host that took the block away gets no report. */
		(void)!umem_last_words(
			t->wire + offsetof(struct wire_thread, crash), c,
			sizeof(*c));
	}
	if (stage1)
		rt_leave_stage1(exit, value);
	rt_leave(exit, value);
}

/* A call to nowhere has left its return address on the stack. */
static uint64_t caller_of(const struct rt_regs *r)
{
	uint64_t off = offset_of(r->rip);

	if (off < rt_layout()->image_size || r->rsp % 8 ||
	    r->rsp < rt_stack_low() || r->rsp > rt_stack_high() - 8)
		return WIRE_NOT_INSIDE;
	off = offset_of(*(const uint64_t *)r->rsp);
	return off < rt_layout()->image_size ? off : WIRE_NOT_INSIDE;
}

static void tell_overflow(struct wire_crash *c, const struct rt_regs *r,
			  uint64_t off)
{
	const uint64_t size = overflowed(r, off);

	if (!size)
		return;
	c->setting = WIRE_SETTING_THREAD_STACK;
	c->stack_kib = (uint32_t)(size >> 10);
	put_text(c->area, sizeof(c->area), "guard of a thread's stack");
}

void rt_crash_fault(const struct rt_regs *r, bool stage1, int why,
		    const char *text)
{
	uint64_t addr = r->vector == SGX_VEC_PF ? r->addr : 0;
	uint64_t off =
		r->vector == SGX_VEC_PF ? offset_of(addr) : WIRE_NOT_INSIDE;
	struct wire_crash c = {
		.kind = WIRE_CRASH_FAULT,
		.vector = r->vector,
		.error_code = r->error_code,
		.setting = setting_for(r, off, why),
		.addr = addr,
		.addr_off = off,
		.rip_off = offset_of(r->rip),
		.rsp_off = offset_of(r->rsp),
		.caller_off = stage1 ? WIRE_NOT_INSIDE : caller_of(r),
		.context = rt_context(),
		.signal = rt_vector_signal(r->vector),
	};

	if (r->vector == SGX_VEC_PF)
		put_text(c.area, sizeof(c.area), area_name(off));
	put_text(c.text, sizeof(c.text), text);
	if (stage1)
		c.setting = WIRE_SETTING_XSTACK;
	else if (why == EMM_FAULT_SEARCH)
		tell_overflow(&c, r, off);
	crash(&c, stage1);
}

static _Noreturn void give_up(uint32_t kind, unsigned int invariant,
			      const char *text, uint64_t rip)
{
	struct wire_crash c = {
		.kind = kind,
		.addr_off = WIRE_NOT_INSIDE,
		.rip_off = offset_of(rip),
		.rsp_off = WIRE_NOT_INSIDE,
		.caller_off = WIRE_NOT_INSIDE,
		.context = rt_context(),
		.invariant = invariant,
		.signal = SIG_ABRT,
	};

	put_text(c.text, sizeof(c.text), text);
	crash(&c, false);
}

void rt_abort(unsigned int invariant, const char *text)
{
	give_up(WIRE_CRASH_ABORT, invariant, text,
		(uint64_t)__builtin_return_address(0));
}

void rt_abort_host(const char *text)
{
	give_up(WIRE_CRASH_HOST, 0, text,
		(uint64_t)__builtin_return_address(0));
}
