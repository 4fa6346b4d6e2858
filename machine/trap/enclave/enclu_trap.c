/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ENCLU, found by a trap. A leaf whose memory is not mapped yet is done again
 * once the driver has resolved the fault, in the same trap.
 */

#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/detour.h"
#include "machine/trap/enclave/fast.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/step.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

/* Faults that one leaf can take before the machine gives up: every page that
 * it looks at may have been evicted by the load of another. */
#define LEAF_FAULTS 64

static unsigned access_of(uint32_t pfec)
{
	if (pfec & SGX_PFEC_I)
		return MACH_X;
	return pfec & SGX_PFEC_W ? MACH_W : MACH_R;
}

static struct exception leaf_exception(const struct mach_result *r)
{
	if (r->vector == SGX_VEC_PF)
		return (struct exception){ .vector = SGX_VEC_PF,
					   .errcode = r->pfec,
					   .addr = r->addr,
					   .sig = SIGSEGV,
					   .code = SEGV_ACCERR };
	return (struct exception){ .vector = r->vector,
				   .sig = SIGSEGV,
				   .code = SI_KERNEL };
}

/* One try; true if it is done, or *e says why not, or it is to be done *again
 * from the start: an AEX is due first, or others must run. */
static bool attempt(struct trap *tr, struct exception *e, bool *done,
		    bool *again)
{
	enum drv_verdict v;
	struct mach_result r;
	uint32_t pfec;

	*done = false;
	*again = mach_inside(&tr->t->cpu) && tr->t->cpu.due;
	if (*again)
		return true;
	r = drv_enclu(machine.d, &tr->t->cpu, &tr->f);
	*done = r.kind != MACH_FAULT;
	if (*done)
		return true;
	if (r.vector != SGX_VEC_PF || (r.pfec & SGX_PFEC_SGX)) {
		*e = leaf_exception(&r);
		return true;
	}
	v = drv_fault(machine.d, &tr->t->cpu, r.addr, access_of(r.pfec), true,
		      &pfec);
	if (v == DRV_RETRY)
		return false;
	*again = v == DRV_BUSY;
	if (*again)
		return true;
	*e = trap_fault_exception(v, r.addr, v == DRV_NONE ? r.pfec : pfec);
	return true;
}

void trap_enclu(struct trap *tr)
{
	struct exception e;
	bool done = false, decided = false, again = false;
	const struct step_leaf l = step_leaf(tr);
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	const uint64_t at = (uint64_t)g[REG_RIP];
	const bool entered = (uint32_t)g[REG_RAX] == SGX_EENTER;

	trap_load(tr);
	drv_lock(machine.d);
	for (int i = 0; i < LEAF_FAULTS && !decided; i++)
		decided = attempt(tr, &e, &done, &again);
	drv_unlock(machine.d);
	if (!decided)
		sys_die("an ENCLU leaf never finds all of its pages", NULL);
	if (again)
		return;
	if (!done) {
		if (step_refused(tr, &l))
			return;
		trap_raise(tr, &e);
		return;
	}
	trap_store(tr);
	step_done(tr, &l);
	if (!mach_inside(&tr->t->cpu))
		return;
	/* The first time. */
	if (!tr->t->ready)
		sig_adopt();
	guard_arm(tr->t);
	timer_arm(tr->t);
	tr->t->ready = true;
	if (entered)
		fast_detour(at);
}

/* An EENTER that is due for a detour is trap_enclu()'s, which makes it. */
static bool moves(const greg_t *g)
{
	uint32_t n = (uint32_t)g[REG_RAX];

	return n == SGX_ERESUME || n == SGX_EEXIT ||
	       (n == SGX_EENTER && !detour_due((uint64_t)g[REG_RIP]));
}

static bool accepts(const greg_t *g)
{
	uint32_t n = (uint32_t)g[REG_RAX];

	return n == SGX_EACCEPT || n == SGX_EACCEPTCOPY || n == SGX_EMODPE;
}

static bool quick_move(struct trap *tr)
{
	struct mach_cpu *cpu = &tr->t->cpu;
	uint64_t faults = cpu->enclu_faults;
	struct mach_result r;

	drv_lock(machine.d);
	r = drv_enclu(machine.d, cpu, &tr->f);
	drv_unlock(machine.d);
	/* Tried again by trap_enclu(): that one counts. */
	if (r.kind == MACH_FAULT) {
		cpu->enclu_faults = faults;
		return false;
	}
	trap_store(tr);
	if (mach_inside(cpu))
		guard_arm(tr->t);
	return true;
}

/* What one try has come to. */
enum tried {
	TRIED_DONE,
	TRIED_MORE,  /* its page is there now */
	TRIED_AGAIN, /* the instruction, from the start */
	TRIED_RAISE, /* an exception */
	TRIED_LIBC,  /* that takes libc; nothing has been done */
};

static enum tried quick_try(struct trap *tr, struct exception *e)
{
	struct mach_cpu *cpu = &tr->t->cpu;
	uint64_t faults = cpu->enclu_faults;
	struct mach_result r = drv_enclu(machine.d, cpu, &tr->f);
	enum drv_verdict v;
	uint32_t pfec = r.pfec;

	if (r.kind != MACH_FAULT)
		return TRIED_DONE;
	if (r.vector != SGX_VEC_PF || (r.pfec & SGX_PFEC_SGX) ||
	    !drv_fault_plain(machine.d, r.addr)) {
		cpu->enclu_faults = faults;
		return TRIED_LIBC;
	}
	v = drv_fault(machine.d, cpu, r.addr, access_of(r.pfec), true, &pfec);
	if (v == DRV_RETRY && !cpu->due)
		return TRIED_MORE;
	if (v == DRV_RETRY || v == DRV_BUSY)
		return TRIED_AGAIN;
	*e = trap_fault_exception(v, r.addr, pfec);
	return TRIED_RAISE;
}

/* No libc until there is an exception: its delivery may be anything. */
static bool quick_accept(struct trap *tr)
{
	enum tried tried = TRIED_MORE;
	struct exception e;

	drv_lock(machine.d);
	for (int i = 0; i < LEAF_FAULTS && tried == TRIED_MORE; i++)
		tried = quick_try(tr, &e);
	drv_unlock(machine.d);
	if (tried == TRIED_MORE || tried == TRIED_LIBC)
		return false;
	if (tried == TRIED_DONE)
		trap_store(tr);
	if (tried == TRIED_RAISE) {
		bases_host(tr->t);
		trap_raise(tr, &e);
	}
	trap_due(tr);
	return true;
}

bool trap_enclu_quick(struct trap *tr)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	bool inside = mach_inside(&tr->t->cpu);

	if (!tr->t->ready || tr->t->cpu.due || !(moves(g) || accepts(g)))
		return false;
	trap_load(tr);
	return inside && accepts(g) ? quick_accept(tr) : quick_move(tr);
}
