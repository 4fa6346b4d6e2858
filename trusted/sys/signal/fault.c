/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's handlers for its own faults. The runtime calls the hook on the
 * exception stack with the interrupted state; if a handler is set, that state
 * is copied to the program's stack (or its alternate one), and the thread
 * continues in the handler. When that returns, the runtime puts the state back,
 * with what the handler changed in its ucontext; a handler that leaves by
 * siglongjmp() leaves the copy behind, as natively.
 *
 * Keeps I14: no handler while the thread is inside the runtime or a stage 2 is
 * suspended, no frame but on memory of the program's.
 */
#include "sgx/arch.h"
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"

#define RED_ZONE 128u
#define XSAVE_ALIGN 64u
#define ALTSTACK_MIN 2048u
#define CALL_ROOM 8u

/* With all of EDMM_XFRM_ALLOWED, in XSAVE's standard form. */
#define XSAVE_SIZE_MAX 2752u
/* For a handler, whose system calls run on its stack as well. */
#define HANDLER_ROOM 8192u
#define XSAVE_MXCSR 24u
#define XSAVE_BV 512u
#define MXCSR_INIT 0x1f80u
/* DF, AC, RF and TF are clear when a handler starts. */
#define RFLAGS_CLEAR 0x50500ull

struct fault_frame {
	struct rt_regs regs;
	uint64_t handler;
	uint64_t mask;
	struct sys_siginfo info;
	struct sys_ucontext uc;
};

struct altstack {
	uint64_t addr;
	int32_t flags;
	int32_t pad;
	uint64_t size;
};

static struct altstack alternate = { .flags = SS_DISABLE };

struct reason {
	int signo;
	int code;
};

static struct reason reason_of(const struct rt_regs *r)
{
	switch (r->vector) {
	case SGX_VEC_PF:
		return (struct reason){ SIGSEGV, r->error_code & SGX_PFEC_P
							 ? SEGV_ACCERR
							 : SEGV_MAPERR };
	case SGX_VEC_GP:
		return (struct reason){ SIGSEGV, SI_KERNEL };
	case SGX_VEC_DE:
		return (struct reason){ SIGFPE, FPE_INTDIV };
	case SGX_VEC_MF:
	case SGX_VEC_XM:
		return (struct reason){ SIGFPE, FPE_FLTINV };
	case SGX_VEC_UD:
		return (struct reason){ SIGILL, ILL_ILLOPN };
	case SGX_VEC_AC:
		return (struct reason){ SIGBUS, BUS_ADRALN };
	case SGX_VEC_BP:
	case SGX_VEC_DB:
		return (struct reason){ SIGTRAP, TRAP_BRKPT };
	default:
		return (struct reason){ 0, 0 };
	}
}

/* ucontext_t's order of registers, as places in struct rt_regs. */
static const uint8_t greg_order[] = { 8, 9, 10, 11, 12, 13, 14, 15, 7,
				      6, 5, 3,	2,  0,	1,  4,	17, 16 };
#define GREGS (sizeof(greg_order))
#define GREG_ERR 19
#define GREG_TRAPNO 20
#define GREG_OLDMASK 21
#define GREG_CR2 22

static uint64_t *reg_at(struct rt_regs *r, size_t i)
{
	return &r->rax + i;
}

static void fill_context(struct fault_frame *f)
{
	size_t i;

	for (i = 0; i < GREGS; i++)
		f->uc.gregs[i] = *reg_at(&f->regs, greg_order[i]);
	f->uc.gregs[GREG_ERR] = f->regs.error_code;
	f->uc.gregs[GREG_TRAPNO] = f->regs.vector;
	f->uc.gregs[GREG_OLDMASK] = f->mask;
	f->uc.gregs[GREG_CR2] = f->regs.addr;
	f->uc.fpregs = (uint64_t)f->regs.xsave;
	f->uc.sigmask = f->mask;
}

/* After the handler: its changes count. */
static void take_context(struct fault_frame *f)
{
	size_t i;

	for (i = 0; i < GREGS; i++)
		*reg_at(&f->regs, greg_order[i]) = f->uc.gregs[i];
}

/*
 * Where the thread goes on: the handler, and back. All that may fault on the
 * program's stack comes first, and the signal is let in again last (I14).
 */
static _Noreturn void call_and_resume(struct fault_frame *f)
{
	struct rt_frame *back;
	uint64_t mask;

	((void (*)(int, void *, void *))f->handler)(f->info.signo, &f->info,
						    &f->uc);
	rt_runtime_set(true);
	take_context(f);
	mask = f->uc.sigmask;
	back = rt_resume_take(&f->regs);
	sys_signal_leave(mask);
	rt_resume(back);
}

static bool on_alternate(uint64_t rsp)
{
	return !(alternate.flags & SS_DISABLE) &&
	       rsp - alternate.addr <= alternate.size;
}

uint64_t sys_alternate_top(uint64_t rsp)
{
	if ((alternate.flags & SS_DISABLE) || on_alternate(rsp))
		return 0;
	return (alternate.addr + alternate.size) & ~15ull;
}

uint64_t sys_signal_stack_min(void)
{
	return sizeof(struct fault_frame) + XSAVE_SIZE_MAX + XSAVE_ALIGN +
	       RED_ZONE + HANDLER_ROOM;
}

/* The top of a frame, and the lowest address that it may have. */
static uint64_t stack_for(const struct rt_regs *r, const struct sys_action *act,
			  uint64_t *low)
{
	*low = on_alternate(r->rsp) ? alternate.addr : 0;
	if (!(act->flags & SA_ONSTACK) || (alternate.flags & SS_DISABLE) ||
	    *low != 0)
		return r->rsp - RED_ZONE;
	*low = alternate.addr;
	return alternate.addr + alternate.size;
}

static struct fault_frame *push_frame(const struct rt_regs *r,
				      const struct sys_action *act)
{
	uint64_t low, top = stack_for(r, act, &low);
	size_t size = r->xsave_size;
	uint64_t xsave = (top - size) & ~(uint64_t)(XSAVE_ALIGN - 1);
	uint64_t at = (xsave - sizeof(struct fault_frame)) & ~15ull;
	struct fault_frame *f = (struct fault_frame *)at;

	/* The return address of the first call lies below it. */
	if (at - CALL_ROOM < low ||
	    !rt_program_memory(at - CALL_ROOM, top - at + CALL_ROOM))
		return NULL;
	__builtin_memcpy((void *)xsave, r->xsave, size);
	*f = (struct fault_frame){ .regs = *r };
	f->regs.xsave = (void *)xsave;
	return f;
}

/* A handler starts with extended state and flags as a program does. */
static void start_at(struct rt_regs *r, struct fault_frame *f)
{
	uint8_t *x = r->xsave;

	*(uint64_t *)(void *)(x + XSAVE_BV) = 0;
	*(uint32_t *)(void *)(x + XSAVE_MXCSR) = MXCSR_INIT;
	r->rflags &= ~RFLAGS_CLEAR;
	r->rip = (uint64_t)call_and_resume;
	r->rdi = (uint64_t)f;
	r->rsp = (uint64_t)f - CALL_ROOM;
	*(uint64_t *)r->rsp = 0;
}

bool sys_fault(struct rt_regs *r)
{
	const struct reason why = reason_of(r);
	struct sys_action act;
	struct fault_frame *f;

	if (r->in_runtime || why.signo == 0 ||
	    !sys_signal_caught(why.signo, &act))
		return false;
	f = push_frame(r, &act);
	if (f == NULL)
		return false;
	f->handler = act.handler;
	f->mask = sys_signal_enter(why.signo, &act);
	f->info.signo = why.signo;
	f->info.code = why.code;
	f->info.addr = r->vector == SGX_VEC_PF ? r->addr : r->rip;
	fill_context(f);
	start_at(r, f);
	return true;
}

long sys_sigaltstack(const uint64_t *a)
{
	const struct altstack old = alternate;
	struct altstack now;

	if (!sys_owns(a[0], a[0] != 0 ? sizeof(now) : 0) ||
	    !sys_owns(a[1], a[1] != 0 ? sizeof(now) : 0))
		return -EFAULT;
	if (a[0] != 0) {
		__builtin_memcpy(&now, (const void *)a[0], sizeof(now));
		if (now.flags & ~SS_DISABLE)
			return -EINVAL;
		if (!(now.flags & SS_DISABLE)) {
			if (now.size < ALTSTACK_MIN)
				return -ENOMEM;
			if (!sys_owns(now.addr, now.size))
				return -EFAULT;
		}
		alternate = now;
	}
	if (a[1] != 0)
		__builtin_memcpy((void *)a[1], &old, sizeof(old));
	return 0;
}
