/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leaving an enclave asynchronously, and telling the program why: through the
 * vDSO's fix-up if its ENCLU is where the thread is now, by a signal if not.
 */
#include "machine/trap/enclave/trap.h"

#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/detour.h"
#include "machine/trap/signal/sig.h"

static void leave(struct trap *tr, const struct mach_event *ev,
		  enum trace_aex why)
{
	trap_load(tr);
	drv_lock(machine.d);
	drv_aex(machine.d, &tr->t->cpu, &tr->f, ev, why);
	drv_unlock(machine.d);
	trap_store(tr);
	strict_apply(tr->t, tr->uc);
}

void trap_interrupt(struct trap *tr)
{
	struct mach_event ev = { .exception = false };

	if (!mach_inside(&tr->t->cpu))
		return;
	leave(tr, &ev, TRACE_AEX_SIGNAL);
	tr->t->stats.aex_signal++;
}

void trap_tick(struct trap *tr)
{
	struct mach_event ev = { .exception = false };

	if (!mach_inside(&tr->t->cpu))
		return;
	leave(tr, &ev, TRACE_AEX_TIMER);
	tr->t->stats.aex_timer++;
}

bool trap_due(struct trap *tr)
{
	struct mach_cpu *cpu = &tr->t->cpu;
	struct mach_event ev;

	if (!mach_inside(cpu) || !__atomic_load_n(&cpu->due, __ATOMIC_ACQUIRE))
		return false;
	ev = cpu->due_event;
	leave(tr, &ev, ev.exception ? TRACE_AEX_KERNEL : TRACE_AEX_TRACK);
	return true;
}

/* Linux's fix-up of an exception at the vDSO's ENCLU; #DB and #BP are always
 * signals. */
static bool fix_up(struct trap *tr, const struct exception *e)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;

	if ((uint64_t)g[REG_RIP] != machine.vdso_aep ||
	    e->vector == SGX_VEC_DB || e->vector == SGX_VEC_BP)
		return false;
	g[REG_RIP] = (greg_t)machine.vdso_fixup;
	g[REG_RDI] = e->vector;
	g[REG_RSI] = e->errcode;
	g[REG_RDX] = (greg_t)e->addr;
	return true;
}

/* Linux reads the cause of #MF and #XM out of FSW and MXCSR, where the exit has
 * put an invalid operation, whatever it was inside (xstate_init()). */
static int synthetic_code(const struct exception *e)
{
	if (e->vector == SGX_VEC_MF || e->vector == SGX_VEC_XM)
		return FPE_FLTINV;
	return e->code;
}

static void deliver(struct trap *tr, const struct exception *e)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	siginfo_t info = *tr->info;

	info.si_signo = e->sig;
	info.si_code = e->code;
	if (e->vector == SGX_VEC_PF)
		info.si_addr = (void *)e->addr;
	else if (e->vector == SGX_VEC_GP || e->vector == SGX_VEC_AC)
		info.si_addr = NULL;
	else
		info.si_addr = (void *)g[REG_RIP];
	g[REG_TRAPNO] = e->vector;
	g[REG_ERR] = e->errcode;
	if (e->vector == SGX_VEC_PF)
		g[REG_CR2] = (greg_t)e->addr;
	sig_deliver(tr->t, e->sig, &info, tr->uc,
		    e->native ? SIG_NATIVE : SIG_FORCED);
}

void trap_raise(struct trap *tr, const struct exception *e)
{
	struct exception told = *e;

	if (mach_inside(&tr->t->cpu)) {
		struct mach_event ev = { .exception = true,
					 .vector = e->vector,
					 .errcode = e->errcode,
					 .addr = e->addr };

		leave(tr, &ev, TRACE_AEX_EXCEPTION);
		tr->t->stats.aex_exception++;
		if (e->vector != SGX_VEC_PF)
			tr->t->stats.fault_other++;
		/* A forged entry that ends so is the host's to see to. */
		if (tr->t->walk.forged == WALK_INSIDE)
			tr->t->walk.forged = WALK_NONE;
		told.native = false;
		told.code = synthetic_code(e);
		told.addr &= ~(uint64_t)(SGX_PAGE_SIZE - 1);
	} else {
		detour_rewind(tr->uc);
	}
	if (!fix_up(tr, &told))
		deliver(tr, &told);
}
