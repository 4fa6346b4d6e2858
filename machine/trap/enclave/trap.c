/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler of every signal of ours. It may find FS and GS bases of an
 * enclave: it puts the host's back before anything else, and the enclave's
 * again when it returns to one. It runs on the thread's own signal stack with
 * all signals blocked but the synchronous ones, of which only those of
 * ucopy() can happen.
 */

#include <string.h>
#include <sys/mman.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/enclave/detour.h"
#include "machine/trap/enclave/fast.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/step.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

#define INSN_ENCLU "\x0f\x01\xd7"
#define INSN_CPUID "\x0f\xa2"
#define INSN_RDPMC "\x0f\x33"
#define INSN_INT3 0xcc
#define INSN_BYTES 5
#define RFLAGS_AC 0x40000ull
#define RFLAGS_TF 0x100ll
#define ENCLU_BYTES 3

/* Of <asm-generic/siginfo.h> from Linux 5.11. */
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

int trap_greg(unsigned number)
{
	static const int of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX,
				    REG_RSP, REG_RBP, REG_RSI, REG_RDI,
				    REG_R8,  REG_R9,  REG_R10, REG_R11,
				    REG_R12, REG_R13, REG_R14, REG_R15 };

	return of[number];
}

static uint32_t xsave_size(const uint8_t *fp)
{
	uint32_t sw[2];

	if (!fp)
		return 0;
	/* fpx_sw_bytes: magic, size with the trailing magic. */
	memcpy(sw, fp + 464, sizeof(sw));
	return sw[0] == 0x46505853u ? sw[1] - 4 : 512;
}

void trap_load(struct trap *tr)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	struct thread *t = tr->t;
	bool inside = mach_inside(&t->cpu);

	tr->f = (struct mach_frame){
		.rax = (uint64_t)g[REG_RAX],
		.rcx = (uint64_t)g[REG_RCX],
		.rdx = (uint64_t)g[REG_RDX],
		.rbx = (uint64_t)g[REG_RBX],
		.rsp = (uint64_t)g[REG_RSP],
		.rbp = (uint64_t)g[REG_RBP],
		.rsi = (uint64_t)g[REG_RSI],
		.rdi = (uint64_t)g[REG_RDI],
		.r8 = (uint64_t)g[REG_R8],
		.r9 = (uint64_t)g[REG_R9],
		.r10 = (uint64_t)g[REG_R10],
		.r11 = (uint64_t)g[REG_R11],
		.r12 = (uint64_t)g[REG_R12],
		.r13 = (uint64_t)g[REG_R13],
		.r14 = (uint64_t)g[REG_R14],
		.r15 = (uint64_t)g[REG_R15],
		.rflags = (uint64_t)g[REG_EFL],
		.rip = (uint64_t)g[REG_RIP],
		.fsbase = inside ? t->encl_fs : t->host_fs,
		.gsbase = inside ? t->encl_gs : t->host_gs,
		.xsave = (uint8_t *)tr->uc->uc_mcontext.fpregs,
	};
	tr->f.xsave_size = xsave_size(tr->f.xsave);
}

void trap_store(struct trap *tr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	const struct mach_frame *f = &tr->f;
	struct thread *t = tr->t;

	g[REG_RAX] = (greg_t)f->rax;
	g[REG_RCX] = (greg_t)f->rcx;
	g[REG_RDX] = (greg_t)f->rdx;
	g[REG_RBX] = (greg_t)f->rbx;
	g[REG_RSP] = (greg_t)f->rsp;
	g[REG_RBP] = (greg_t)f->rbp;
	g[REG_RSI] = (greg_t)f->rsi;
	g[REG_RDI] = (greg_t)f->rdi;
	g[REG_R8] = (greg_t)f->r8;
	g[REG_R9] = (greg_t)f->r9;
	g[REG_R10] = (greg_t)f->r10;
	g[REG_R11] = (greg_t)f->r11;
	g[REG_R12] = (greg_t)f->r12;
	g[REG_R13] = (greg_t)f->r13;
	g[REG_R14] = (greg_t)f->r14;
	g[REG_R15] = (greg_t)f->r15;
	g[REG_EFL] = (greg_t)f->rflags;
	g[REG_RIP] = (greg_t)f->rip;
	if (mach_inside(&t->cpu)) {
		t->encl_fs = f->fsbase;
		t->encl_gs = f->gsbase;
	} else {
		t->host_fs = f->fsbase;
		t->host_gs = f->gsbase;
	}
}

/*
 * The first bytes of the instruction that trapped. False: its page has gone
 * since (evicted by another thread, say), so do the instruction again.
 */
static bool insn_fetch(const struct trap *tr, uint8_t code[INSN_BYTES])
{
	uint64_t rip = (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP];
	size_t page = SGX_PAGE_SIZE - rip % SGX_PAGE_SIZE;
	size_t n = page < INSN_BYTES ? page : INSN_BYTES;
	bool found;

	memset(code, 0, INSN_BYTES);
	/* Whole, or not at all: a page may come back between two tries. */
	if (!ucopy(code, (const void *)rip, INSN_BYTES))
		return true;
	/* The end of a page: an ENCLU that goes on is on the next, too. */
	if (n < INSN_BYTES && !ucopy(code, (const void *)rip, n))
		return !mach_inside(&tr->t->cpu) || n >= ENCLU_BYTES ||
		       memcmp(code, INSN_ENCLU, n) != 0;
	if (!mach_inside(&tr->t->cpu))
		return true;
	/* A page may be executable and not readable. */
	memset(code, 0, INSN_BYTES);
	drv_lock(machine.d);
	found = drv_peek(machine.d, rip, code, n);
	drv_unlock(machine.d);
	return found;
}

/* #GP inside that the processor would have given as #UD in an enclave. */
static bool insn_illegal(const uint8_t *code)
{
	static const uint8_t one[] = {
		0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee,
		0xef, 0xcd, 0x6c, 0x6d, 0x6e, 0x6f, 0xcf
	};

	return memchr(one, code[0], sizeof(one)) ||
	       !memcmp(code, INSN_CPUID, 2) || !memcmp(code, INSN_RDPMC, 2);
}

static struct exception native_exception(const struct trap *tr,
					 const uint8_t *code)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	struct exception e = {
		.vector = (uint8_t)g[REG_TRAPNO],
		.errcode = (uint32_t)g[REG_ERR],
		.sig = tr->sig,
		.code = tr->info->si_code,
		.native = true,
	};

	if (e.vector == SGX_VEC_GP && mach_inside(&tr->t->cpu) &&
	    insn_illegal(code)) {
		e.vector = SGX_VEC_UD;
		e.errcode = 0;
		e.sig = SIGILL;
		e.code = ILL_ILLOPN;
	}
	return e;
}

/* #BP inside, and nobody has opted in to it: #UD at INT3 (SDM 43.4.1). */
static bool is_breakpoint(const struct trap *tr)
{
	return tr->sig == SIGTRAP && mach_inside(&tr->t->cpu) &&
	       !tr->t->cpu.optin &&
	       tr->uc->uc_mcontext.gregs[REG_TRAPNO] == SGX_VEC_BP;
}

static void on_breakpoint(struct trap *tr)
{
	greg_t *rip = &tr->uc->uc_mcontext.gregs[REG_RIP];
	struct exception e = { .vector = SGX_VEC_UD,
			       .sig = SIGILL,
			       .code = ILL_ILLOPN };
	uint8_t code = 0;

	*rip -= 1;
	drv_lock(machine.d);
	/* INT3 is one byte, INT 3 is two. */
	if (drv_peek(machine.d, (uint64_t)*rip, &code, 1) && code != INSN_INT3)
		*rip -= 1;
	drv_unlock(machine.d);
	trap_raise(tr, &e);
}

/* Single-step inside, and nobody has opted in to it: TF by POPF is without
 * effect (SDM 43.2.4), so the flag goes and nothing has happened. */
static bool is_own_step(const struct trap *tr)
{
	return tr->sig == SIGTRAP && mach_inside(&tr->t->cpu) &&
	       !tr->t->cpu.optin &&
	       tr->uc->uc_mcontext.gregs[REG_TRAPNO] == SGX_VEC_DB &&
	       tr->info->si_code == TRAP_TRACE;
}

/* SYSCALL inside: it never happened, and RIP is after it. */
static void on_syscall(struct trap *tr)
{
	struct exception e = { .vector = SGX_VEC_UD,
			       .sig = SIGILL,
			       .code = ILL_ILLOPN };

	tr->uc->uc_mcontext.gregs[REG_RIP] -= 2;
	trap_raise(tr, &e);
}

/*
 * An instruction has begun, and faults. Where the host has SGX and lets no
 * guest have it, ENCLU executes: EENTER and ERESUME find no EPC at their TCS,
 * which is #PF, and all others are #GP outside of an enclave.
 */
static bool has_begun(const struct trap *tr)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;

	return g[REG_TRAPNO] != SGX_VEC_PF || !(g[REG_ERR] & SGX_PFEC_I);
}

static void on_sync(struct trap *tr)
{
	uint64_t trapno = (uint64_t)tr->uc->uc_mcontext.gregs[REG_TRAPNO];
	bool inside = mach_inside(&tr->t->cpu);
	uint8_t code[INSN_BYTES];
	struct exception e;

	if (tr->sig == SIGSYS) {
		on_syscall(tr);
		return;
	}
	if (is_breakpoint(tr)) {
		on_breakpoint(tr);
		return;
	}
	if (trapno == SGX_VEC_DB && tr->sig == SIGTRAP &&
	    (step_trapped(tr) || abort_stepped(tr) || detour_starts(tr->uc)))
		return;
	if (is_own_step(tr)) {
		tr->uc->uc_mcontext.gregs[REG_EFL] &= ~RFLAGS_TF;
		return;
	}
	if (!insn_fetch(tr, code) && trapno != SGX_VEC_PF)
		return;
	if (has_begun(tr) && !memcmp(code, INSN_ENCLU, ENCLU_BYTES)) {
		trap_enclu(tr);
	} else if (trapno == SGX_VEC_PF) {
		trap_page_fault(tr);
	} else if (!inside &&
		   ((trapno == SGX_VEC_GP && !memcmp(code, INSN_CPUID, 2)) ||
		    (trapno == SGX_VEC_UD &&
		     cpuid_patched(
			     (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP])))) {
		cpuid_emulate(tr->t, tr->uc);
	} else if (trapno == SGX_VEC_UD && bases_emulate(tr, code, &e)) {
		if (e.sig)
			trap_raise(tr, &e);
	} else {
		e = native_exception(tr, code);
		trap_raise(tr, &e);
	}
}

/* Did the processor raise it, rather than a kill(2)? */
static bool is_sync(int sig, const siginfo_t *info)
{
	return KSIG_SYNC_TEST(sig) && info->si_code > 0;
}

/* A call of the program's own that this thread's dispatch has stopped? */
static bool is_dispatched(const struct trap *tr)
{
	return tr->sig == SIGSYS && tr->info->si_code == SYS_USER_DISPATCH &&
	       dispatch.on && !mach_inside(&tr->t->cpu);
}

static void handle(struct trap *tr)
{
	fork_check();
	if (sig_is_kick(tr->sig, tr->info))
		return;
	if (timer_is(tr->sig, tr->info)) {
		trap_tick(tr);
		return;
	}
	if (is_dispatched(tr)) {
		dispatch_call(tr);
		return;
	}
	if (is_sync(tr->sig, tr->info) &&
	    (tr->sig != SIGSYS || mach_inside(&tr->t->cpu))) {
		on_sync(tr);
		return;
	}
	if (tr->sig == SIGSYS && guard_outside(tr->info, tr->uc))
		return;
	detour_rewind(tr->uc);
	dispatch_rewind(tr);
	trap_interrupt(tr);
	sig_deliver(tr->t, tr->sig, tr->info, tr->uc,
		    is_sync(tr->sig, tr->info) ? SIG_FORCED : SIG_SENT);
}

/* An ENCLU, or an instruction on a base that the kernel knows nothing of. */
static bool quick_insn(struct trap *tr)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	struct exception e;
	uint8_t code[INSN_BYTES];

	if (ucopy(code, (const void *)g[REG_RIP], INSN_BYTES))
		return false;
	if (!memcmp(code, INSN_ENCLU, ENCLU_BYTES))
		return trap_enclu_quick(tr);
	return g[REG_TRAPNO] == SGX_VEC_UD && bases_emulate(tr, code, &e) &&
	       !e.sig;
}

/*
 * What comes most: ENCLU, WRFSBASE, and a call that only goes on to the kernel.
 * No libc, so that the bases stay as they are: where they are set by a system
 * call, each costs as much as the trap.
 */
static bool quick(struct trap *tr)
{
	const greg_t trapno = tr->uc->uc_mcontext.gregs[REG_TRAPNO];

	if (machine.watched || !fork_same_process() ||
	    !is_sync(tr->sig, tr->info))
		return false;
	if (is_dispatched(tr))
		return dispatch_quick(tr);
	return tr->sig != SIGSYS && trapno != SGX_VEC_DB && has_begun(tr) &&
	       quick_insn(tr);
}

/* A fault of a GS that was not the thread's; with AC, its alignment's. */
static bool is_lost(const struct trap *tr)
{
	struct thread *t = tr->t;

	if ((tr->sig == SIGSEGV || tr->sig == SIGBUS) &&
	    is_sync(tr->sig, tr->info) &&
	    bases_lost(t, (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP]))
		return true;
	t->losses = 0;
	return false;
}

/* Linux leaves AC as it was, and alignment is not for our code to keep. */
static void flags_ours(void)
{
	const uint64_t flags = __builtin_ia32_readeflags_u64();

	if (flags & RFLAGS_AC)
		__builtin_ia32_writeeflags_u64(flags & ~RFLAGS_AC);
}

void trap_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];
	bool inside;
	struct trap tr = { .uc = uc, .info = info, .sig = sig };

	flags_ours();
	if ((sig == SIGSEGV || sig == SIGBUS) && *rip == (greg_t)ucopy_insn) {
		*rip = (greg_t)ucopy_fail;
		return;
	}
	tr.t = thread_on_stack(__builtin_frame_address(0));
	if (!tr.t) {
		/* Too early for a signal stack: the return would unset it. */
		tr.t = thread_self();
		uc->uc_stack = thread_stack(tr.t);
	}
	tr.t->selector = 0;
	if (fast_rewind(uc) && is_sync(sig, info))
		return;
	fast_refused(tr.t, uc);
	if (fast_complete(tr.t, uc)) {
		tr.t->bases = false;
		bases_set(tr.t,
			  tr.t->handler_fs ? tr.t->handler_fs : tr.t->host_fs,
			  tr.t->host_gs);
	} else if (fast_defer(tr.t, sig, info, uc)) {
		return;
	} else {
		bases_find(tr.t);
	}
	if (!is_lost(&tr) && !quick(&tr)) {
		inside = mach_inside(&tr.t->cpu);
		bases_host(tr.t);
		step_begin(&tr);
		handle(&tr);
		trap_due(&tr);
		step_end(&tr);
		strict_apply(tr.t, tr.uc);
		strict_move(inside, mach_inside(&tr.t->cpu));
	}
	bases_end(tr.t, mach_inside(&tr.t->cpu));
	tr.t->selector = (mach_inside(&tr.t->cpu) || dispatch.on) && tr.t->sud;
}
