/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stepping: when RFLAGS.TF is on, and when an instruction is a new one.
 *
 * An instruction is counted when it is about to be executed. It is not counted
 * again when it is tried again: after an interrupt, or a fault that the kernel
 * resolves. After a fault that the enclave has seen to it is, being another
 * execution for whoever watches. An iteration of REP is an execution.
 *
 * Locks: none of its own; @steppers by atomics.
 */
#include "machine/trap/enclave/step.h"

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

#define TF 0x100ll
#define TF_BYTE 1u /* of the flags in memory */

bool step_on;
struct script step_script;

/* Threads on the pages. */
static uint32_t steppers;

static uint64_t rip_of(const struct trap *tr)
{
	return (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP];
}

static bool in_range(uint64_t off, bool pages)
{
	uint64_t mask = pages ? SGX_PAGE_SIZE - 1 : 0;

	for (uint32_t i = 0; i < step_script.ranges; i++) {
		const struct script_range *r = &step_script.range[i];

		if (off >= (r->start & ~mask) &&
		    off < ((r->end + mask) & ~mask))
			return true;
	}
	return false;
}

/* The thread comes to the pages, or leaves them. */
static void walk(struct thread *t, bool on)
{
	if (t->walk.on == on)
		return;
	t->walk.on = on;
	if (on && !__atomic_fetch_add(&steppers, 1, __ATOMIC_SEQ_CST))
		drv_guard_arm(machine.d, false);
	else if (!on && !__atomic_sub_fetch(&steppers, 1, __ATOMIC_SEQ_CST))
		drv_guard_arm(machine.d, true);
}

/* The flags that PUSHF has just stored are as without us. */
static void mend_flags(const struct trap *tr)
{
	uint64_t at = (uint64_t)tr->uc->uc_mcontext.gregs[REG_RSP] + TF_BYTE;
	uint8_t byte;

	drv_lock(machine.d);
	if (!drv_peek(machine.d, at, &byte, 1))
		at = 0;
	drv_unlock(machine.d);
	byte &= (uint8_t) ~(TF >> 8);
	if (at)
		drv_poke(machine.d, at, &byte, 1);
}

void step_begin(struct trap *tr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct walk_state *w = &tr->t->walk;

	w->trapped = false;
	if (!w->tf)
		return;
	w->tf = false;
	g[REG_EFL] &= ~TF;
	w->trapped = tr->sig == SIGTRAP && g[REG_TRAPNO] == SGX_VEC_DB;
	/* SYSCALL keeps the flags in a register. */
	if (tr->sig == SIGSYS)
		g[REG_R11] &= ~TF;
	if (w->trapped && w->pushf)
		mend_flags(tr);
	w->pushf = false;
}

bool step_trapped(struct trap *tr)
{
	return tr->t->walk.trapped;
}

bool step_fetched(struct trap *tr, uint64_t addr, unsigned access)
{
	struct thread *t = tr->t;

	if (!step_on || access != MACH_X || !mach_inside(&t->cpu) ||
	    t->walk.on || addr - t->cpu.base >= t->cpu.size ||
	    !in_range(addr - t->cpu.base, true))
		return false;
	walk(t, true);
	return true;
}

struct step_leaf step_leaf(const struct trap *tr)
{
	return (struct step_leaf){
		.leaf = (uint32_t)tr->uc->uc_mcontext.gregs[REG_RAX],
		.tcs = tr->t->cpu.tcs_addr,
	};
}

bool step_refused(struct trap *tr, const struct step_leaf *l)
{
	if (tr->t->walk.forged != WALK_ASKED || l->leaf != SGX_EENTER)
		return false;
	step_act_back(tr);
	return true;
}

void step_done(struct trap *tr, const struct step_leaf *l)
{
	struct walk_state *w = &tr->t->walk;

	if (!step_on)
		return;
	if (l->leaf == SGX_EENTER) {
		w->pending = 0;
		if (w->forged == WALK_ASKED)
			w->forged = WALK_INSIDE;
	}
	if (l->leaf == SGX_EEXIT)
		step_act_exit(tr, l);
}

/* The thread stands before an instruction of the pages. */
static void stand(struct trap *tr)
{
	struct walk_state *w = &tr->t->walk;
	uint64_t rip = rip_of(tr), off = rip - tr->t->cpu.base;
	bool fresh = w->trapped || rip != w->pending;
	struct step_insn in = { .off = off };

	w->pending = rip;
	step_touch(tr, &in);
	w->pushf = step_is_pushf(&in);
	if (fresh && in_range(off, false))
		step_act(tr, &in, step_log(&in));
}

void step_end(struct trap *tr)
{
	struct thread *t = tr->t;

	if (!step_on)
		return;
	if (mach_inside(&t->cpu) && in_range(rip_of(tr) - t->cpu.base, true)) {
		walk(t, true);
		stand(tr);
	} else if (mach_inside(&t->cpu) || !t->walk.interrupted) {
		walk(t, false);
	}
	t->walk.interrupted = false;
	t->walk.trapped = false;
	t->walk.tf = mach_inside(&t->cpu) && t->walk.on;
	if (t->walk.tf)
		tr->uc->uc_mcontext.gregs[REG_EFL] |= TF;
}
