/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of a handler, the kernel's rt_sigframe: return address, ucontext,
 * siginfo, and above them the extended state; and the way back from it,
 * rt_sigreturn(), with what the handler changed. A handler that leaves by
 * siglongjmp() leaves its frame behind: nothing else of it is kept anywhere.
 *
 * Keeps I14: frames are on memory of the program's, with room for them, and
 * are written and read by copies that a page may be missing to.
 */
#include "sgx/arch.h"
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#define RED_ZONE 128u
#define XSAVE_ALIGN 64u
#define ALTSTACK_MIN 2048u
/* With all of EDMM_XFRM_ALLOWED, in XSAVE's standard form. */
#define XSAVE_SIZE_MAX 2752u
/* For a handler that does no more than a call. */
#define HANDLER_ROOM 512u

#define XSAVE_SW 464u
#define XSAVE_BV 512u
#define XSAVE_HEADER 64u
#define XSAVE_LEGACY 512u
#define FCW_INIT 0x37fu
#define FSW_EXCEPTIONS 0x3fu
#define FSW_SUMMARY 0x8080u /* ES and B */
#define MXCSR_INIT 0x1f80u
#define MXCSR_KNOWN 0xffffu
#define XFRM_LEGACY 3u

/* What stands in sw_reserved, and behind the extended state. */
#define MAGIC_1 0x46505853u
#define MAGIC_2 0x46505845u

/* DF, RF and TF are clear when a handler starts. */
#define RFLAGS_CLEAR 0x10500ull

#define UC_FP_XSTATE 1u
#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u
#define CSGSFS 0x002b000000000033ull

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

struct sigframe {
	uint64_t ret;
	struct sys_ucontext uc;
	struct sys_siginfo info;
};

_Static_assert(sizeof(struct sigframe) == 440, "rt_sigframe");

struct sw_bytes {
	uint32_t magic1;
	uint32_t extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t pad[7];
};

_Static_assert(sizeof(struct sw_bytes) == 48, "_fpx_sw_bytes");

static struct sys_altstack *alternate(void)
{
	return &sys_self()->alternate;
}

void sys_frame_note_trap(const struct rt_regs *r)
{
	struct sys_thread *me = sys_self();

	me->trapno = r->vector;
	me->trap_error = r->error_code;
	if (r->vector == SGX_VEC_PF)
		me->trap_addr = r->addr;
}

/* ---- the alternate stack ------------------------------------------------ */

static bool within_alternate(uint64_t sp)
{
	return sp > alternate()->addr &&
	       sp - alternate()->addr <= alternate()->size;
}

static bool on_alternate(uint64_t sp)
{
	return !(alternate()->flags & (int32_t)SS_AUTODISARM) &&
	       within_alternate(sp);
}

static int32_t alternate_flags(uint64_t sp)
{
	if (alternate()->size == 0)
		return SS_DISABLE;
	return on_alternate(sp) ? SS_ONSTACK : 0;
}

static long set_alternate(const struct sys_altstack *to, uint64_t sp)
{
	int32_t mode = to->flags & ~(int32_t)SS_AUTODISARM;

	if (on_alternate(sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && to->size < ALTSTACK_MIN)
		return -ENOMEM;
	*alternate() = *to;
	if (mode == SS_DISABLE)
		alternate()->addr = alternate()->size = 0;
	return 0;
}

long sys_sigaltstack(const uint64_t *a)
{
	const uint64_t sp = rt_call_sp();
	struct sys_altstack now, old = *alternate();
	long r;

	if (!sys_owns(a[0], a[0] != 0 ? sizeof(now) : 0) ||
	    !sys_owns_to_write(a[1], a[1] != 0 ? sizeof(now) : 0))
		return -EFAULT;
	old.flags = alternate_flags(sp) |
		    (alternate()->flags & (int32_t)SS_AUTODISARM);
	old.pad = 0;
	if (a[0] != 0) {
		__builtin_memcpy(&now, (const void *)a[0], sizeof(now));
		r = set_alternate(&now, sp);
		if (r)
			return r;
	}
	if (a[1] != 0)
		__builtin_memcpy((void *)a[1], &old, sizeof(old));
	return 0;
}

uint64_t sys_signal_stack_min(void)
{
	return sizeof(struct sigframe) + XSAVE_SIZE_MAX + 8 + XSAVE_ALIGN +
	       RED_ZONE + HANDLER_ROOM;
}

/* ---- down --------------------------------------------------------------- */

/* ucontext_t's order of registers, as places in struct rt_regs. */
static const uint8_t greg_order[] = { 8, 9, 10, 11, 12, 13, 14, 15, 7,
				      6, 5, 3,	2,  0,	1,  4,	17, 16 };
#define GREGS (sizeof(greg_order))
#define GREG_CSGSFS 18
#define GREG_ERR 19
#define GREG_TRAPNO 20
#define GREG_OLDMASK 21
#define GREG_CR2 22

static uint64_t *reg_at(struct rt_regs *r, size_t i)
{
	return &r->rax + i;
}

static void fill_context(struct sys_ucontext *uc, struct rt_regs *r,
			 uint64_t mask)
{
	const struct sys_thread *me = sys_self();

	*uc = (struct sys_ucontext){ .flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS |
					      UC_STRICT_RESTORE_SS,
				     .stack = me->alternate,
				     .sigmask = mask };
	for (size_t i = 0; i < GREGS; i++)
		uc->gregs[i] = *reg_at(r, greg_order[i]);
	uc->gregs[GREG_CSGSFS] = CSGSFS;
	uc->gregs[GREG_ERR] = me->trap_error;
	uc->gregs[GREG_TRAPNO] = me->trapno;
	uc->gregs[GREG_OLDMASK] = mask;
	uc->gregs[GREG_CR2] = me->trap_addr;
}

/**
 * struct place - where a frame goes
 * @xsave: its extended state
 * @at: the frame
 * @end: of both
 */
struct place {
	uint64_t xsave, at, end;
};

/* False where an alternate stack is too small for it, or it is not ours. */
static bool find_place(const struct rt_regs *r, uint64_t flags, struct place *p)
{
	bool alt = on_alternate(r->rsp);

	p->end = r->rsp - RED_ZONE;
	if (flags & SA_ONSTACK && alternate_flags(p->end) == 0) {
		p->end = alternate()->addr + alternate()->size;
		alt = true;
	}
	p->xsave = (p->end - r->xsave_size - sizeof(uint64_t)) &
		   ~(uint64_t)(XSAVE_ALIGN - 1);
	p->at = ((p->xsave - sizeof(struct sigframe)) & ~15ull) - 8;
	if (alt && !within_alternate(p->at))
		return false;
	return p->at < p->end && rt_program_memory(p->at, p->end - p->at);
}

static bool write_words(uint64_t to, const void *from, size_t size)
{
	return rt_copy_inside((void *)to, from, size) == 0;
}

static void put_sw_bytes(const struct rt_regs *r)
{
	const struct sw_bytes sw = {
		.magic1 = MAGIC_1,
		.extended_size = (uint32_t)(r->xsave_size + sizeof(uint32_t)),
		.xfeatures = r->xfrm,
		.xstate_size = (uint32_t)r->xsave_size,
	};
	uint8_t *x = r->xsave;

	__builtin_memcpy(x + XSAVE_SW, &sw, sizeof(sw));
	/* So that what a handler writes there counts without more of it. */
	*(uint64_t *)(void *)(x + XSAVE_BV) |= XFRM_LEGACY;
}

/* A handler starts with extended state as a program does. */
static void init_xstate(const struct rt_regs *r)
{
	uint8_t *x = r->xsave;

	/* All of it: the next frame may have this for its own. */
	__builtin_memset(x, 0, r->xsave_size);
	*(uint16_t *)(void *)(x + XSAVE_FCW) = FCW_INIT;
	*(uint32_t *)(void *)(x + XSAVE_MXCSR) = MXCSR_INIT;
}

static void start_handler(struct rt_regs *r, const struct sys_action *act,
			  int signo, uint64_t at)
{
	r->rax = 0;
	r->rdi = (uint64_t)signo;
	r->rsi = at + offsetof(struct sigframe, info);
	r->rdx = at + offsetof(struct sigframe, uc);
	r->rip = act->handler;
	r->rsp = at;
	r->rflags &= ~RFLAGS_CLEAR;
	init_xstate(r);
}

bool sys_frame_push(struct rt_regs *r, const struct sys_action *act,
		    const struct sys_siginfo *info)
{
	const uint64_t magic2 = MAGIC_2;
	struct sigframe f = { .ret = act->restorer, .info = *info };
	struct place p;

	/* As on x86-64, where the kernel has no code of its own for it. */
	if (!(act->flags & SA_RESTORER) || !find_place(r, act->flags, &p))
		return false;
	put_sw_bytes(r);
	fill_context(&f.uc, r, sys_signal_mask_to_save());
	f.uc.fpregs = p.xsave;
	if (!write_words(p.xsave, r->xsave, r->xsave_size) ||
	    !write_words(p.xsave + r->xsave_size, &magic2, sizeof(magic2)) ||
	    !write_words(p.at, &f, sizeof(f)))
		return false;
	sys_signal_saved();
	if (alternate()->flags & (int32_t)SS_AUTODISARM)
		*alternate() = (struct sys_altstack){ .flags = SS_DISABLE };
	start_handler(r, act, info->signo, p.at);
	return true;
}

/* ---- and back ----------------------------------------------------------- */

static bool read_words(void *to, uint64_t from, size_t size)
{
	return from % 8 == 0 && rt_program_memory(from, size) &&
	       rt_copy_inside(to, (const void *)from, size) == 0;
}

/* All of it is there, as sys_frame_push() has left it, or the handler. */
static bool is_whole(const struct rt_regs *r, uint64_t from)
{
	const struct sw_bytes *sw =
		(const void *)((const uint8_t *)r->xsave + XSAVE_SW);
	uint64_t magic2;

	return sw->magic1 == MAGIC_1 && sw->xstate_size == r->xsave_size &&
	       sw->extended_size == r->xsave_size + sizeof(uint32_t) &&
	       read_words(&magic2, from + r->xsave_size, sizeof(magic2)) &&
	       (uint32_t)magic2 == MAGIC_2;
}

/* As when a processor loads it: what is pending follows from the masks. */
static void sum_up(uint8_t *x)
{
	const uint16_t fcw = *(uint16_t *)(void *)(x + XSAVE_FCW);
	uint16_t *fsw = (uint16_t *)(void *)(x + XSAVE_FSW);

	*fsw &= (uint16_t)~FSW_SUMMARY;
	if (*fsw & ~fcw & FSW_EXCEPTIONS)
		*fsw |= FSW_SUMMARY;
}

/* The extended state of a frame; without its magic, what FXSAVE has. */
static bool take_xstate(struct rt_regs *r, uint64_t from)
{
	uint8_t *x = r->xsave;
	uint64_t *bv = (uint64_t *)(void *)(x + XSAVE_BV);

	if (from == 0) {
		init_xstate(r);
		return true;
	}
	if (from % XSAVE_ALIGN || !read_words(x, from, XSAVE_LEGACY))
		return false;
	*bv = XFRM_LEGACY;
	if (is_whole(r, from) && !read_words(x + XSAVE_BV, from + XSAVE_BV,
					     r->xsave_size - XSAVE_BV))
		return false;
	sum_up(x);
	return (*(uint32_t *)(void *)(x + XSAVE_MXCSR) & ~MXCSR_KNOWN) == 0;
}

/*
 * @a: the address of the frame's ucontext, where a handler's return leaves the
 * stack pointer. Musl's restorer, which is ours, gives it.
 */
long sys_rt_sigreturn(const uint64_t *a)
{
	struct sys_ucontext uc;
	struct rt_regs *r;

	if (!read_words(&uc, a[0], sizeof(uc))) {
		sys_signal_force_later();
		return 0;
	}
	r = rt_resume_take();
	for (size_t i = 0; i < GREGS; i++)
		*reg_at(r, greg_order[i]) = uc.gregs[i];
	sys_signal_set_mask(uc.sigmask);
	/* On it still, as Linux has it from 6.12 on: then nothing changes. */
	(void)!set_alternate(&uc.stack, a[0]);
	/* A SIGSEGV where the handler was to go back to, with none of it. */
	if (!take_xstate(r, uc.fpregs)) {
		init_xstate(r);
		r->rax = 0;
		sys_signal_force_later();
	}
	(void)sys_lock_drop();
	rt_resume(r);
}
