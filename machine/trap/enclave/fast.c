/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leaf of the fast entry, and what handlers do about it. General registers
 * only on the way in: the enclave gets the program's vector registers.
 */
#include "machine/trap/enclave/fast.h"

#include <stddef.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/detour.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

_Static_assert(offsetof(struct thread, bases) == FAST_BASES, "bases");
_Static_assert(offsetof(struct thread, sud) == FAST_SUD, "sud");
_Static_assert(offsetof(struct thread, selector) == FAST_SELECTOR, "selector");
_Static_assert(offsetof(struct thread, busy) == FAST_BUSY, "busy");
_Static_assert(offsetof(struct thread, deferred) == FAST_DEFERRED, "deferred");
_Static_assert(offsetof(struct thread, gs_insn) == FAST_GS_INSN, "by insn");
_Static_assert(offsetof(struct thread, encl_fs) == FAST_ENCL_FS, "fs");
_Static_assert(offsetof(struct thread, encl_gs) == FAST_ENCL_GS, "gs");
_Static_assert(offsetof(struct thread, deferred_mask) == FAST_MASK, "mask");
_Static_assert(offsetof(struct dispatch, on) == 0, "dispatch.on");
_Static_assert(sizeof(struct fast_kept) == FAST_KEPT - 128, "fast.S");
_Static_assert(THREAD_SLOT_SIZE == FAST_SLOT_SIZE, "slot");

uint64_t fast_aep;
bool fast_bases;

static void frame_load(struct mach_frame *f, const struct thread *t,
		       const struct fast_regs *r)
{
	f->rax = r->rax;
	f->rcx = r->rcx;
	f->rbx = r->rbx;
	f->rdx = r->rdx;
	f->rsi = r->rsi;
	f->rdi = r->rdi;
	f->rbp = r->rbp;
	f->rsp = r->rsp;
	f->rflags = r->rflags;
	f->rip = r->rip;
	f->fsbase = t->host_fs;
	f->gsbase = t->host_gs;
	f->xsave = NULL;
	f->xsave_size = 0;
}

static bool enter(struct thread *t, struct fast_regs *r)
{
	struct mach_frame f;
	struct mach_result res;

	frame_load(&f, t, r);
	drv_lock(machine.d);
	res = drv_eenter(machine.d, &t->cpu, &f);
	drv_unlock(machine.d);
	if (!mach_ok(res))
		return false;
	r->rax = f.rax;
	r->rcx = f.rcx;
	r->rflags = f.rflags;
	r->rip = f.rip;
	t->encl_fs = f.fsbase;
	t->encl_gs = f.gsbase;
	t->block = r;
	return true;
}

/* The thread's record if it is inside now; NULL: let ENCLU trap. On its own
 * stack, and busy. */
struct thread *fast_enclu(struct fast_regs *r)
{
	struct thread *t = thread_self();

	t->enclu = r->rip;
	/* The first entry of a thread sets it up, by a trap. */
	if (!fork_same_process() || !t->ready)
		return NULL;
	bases_outside(t);
	return enter(t, r) ? t : NULL;
}

/* Signals that were put off come when this context goes on. */
static void undefer(struct thread *t, ucontext_t *uc)
{
	if (!t->deferred)
		return;
	t->deferred = false;
	sig_context_unblock(uc, t->deferred_mask);
}

bool fast_complete(struct thread *t, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	const struct fast_regs *r = t->block;
	uint64_t rip = (uint64_t)g[REG_RIP];

	if (rip < (uint64_t)fast_tail || rip >= (uint64_t)fast_tail_end)
		return false;
	t->busy = false;
	g[REG_R15] = (greg_t)r->r15;
	g[REG_R14] = (greg_t)r->r14;
	g[REG_R13] = (greg_t)r->r13;
	g[REG_R12] = (greg_t)r->r12;
	g[REG_R11] = (greg_t)r->r11;
	g[REG_R10] = (greg_t)r->r10;
	g[REG_R9] = (greg_t)r->r9;
	g[REG_R8] = (greg_t)r->r8;
	g[REG_RDI] = (greg_t)r->rdi;
	g[REG_RSI] = (greg_t)r->rsi;
	g[REG_RBP] = (greg_t)r->rbp;
	g[REG_RBX] = (greg_t)r->rbx;
	g[REG_RDX] = (greg_t)r->rdx;
	g[REG_RCX] = (greg_t)r->rcx;
	g[REG_RAX] = (greg_t)r->rax;
	g[REG_EFL] = (greg_t)r->rflags;
	g[REG_RSP] = (greg_t)r->rsp;
	g[REG_RIP] = (greg_t)r->rip;
	undefer(t, uc);
	return true;
}

void fast_refused(struct thread *t, void *context)
{
	ucontext_t *uc = context;

	if (!t->busy || (uint64_t)uc->uc_mcontext.gregs[REG_RIP] != t->enclu)
		return;
	t->busy = false;
	undefer(t, uc);
}

void fast_detour(uint64_t at)
{
	struct drv_vma v;
	bool inside;

	if (machine.watched || at == fast_aep)
		return;
	drv_lock(machine.d);
	inside = drv_find_vma(machine.d, at, &v) && v.start <= at;
	drv_unlock(machine.d);
	if (!inside)
		detour_make(at, true, fast_any, 0);
}

bool fast_rewind(void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	uint64_t rip = (uint64_t)g[REG_RIP];
	const struct fast_kept *k = (const void *)(g[REG_RSP] - FAST_KEPT);

	if (rip < (uint64_t)fast_any || rip >= (uint64_t)fast_any_end)
		return false;
	if (rip < (uint64_t)fast_any_kept) {
		g[REG_RIP] = g[REG_RAX];
	} else {
		g[REG_RIP] = (greg_t)k->rip;
		if (rip < (uint64_t)fast_any_found) {
			g[REG_RDI] = (greg_t)k->rdi;
			g[REG_RSI] = (greg_t)k->rsi;
			g[REG_RCX] = (greg_t)k->rcx;
			g[REG_R11] = (greg_t)k->r11;
		}
	}
	g[REG_RAX] = SGX_EENTER;
	return true;
}

bool fast_defer(struct thread *t, int sig, void *info, void *uc)
{
	if (!t->busy)
		return false;
	/* All are blocked from here on, so there is one at most. */
	t->deferred_mask = sig_context_block(uc);
	t->deferred = true;
	sys_call(SYS_rt_tgsigqueueinfo, sys_call(SYS_getpid), t->tid, sig,
		 (long)info);
	return true;
}
