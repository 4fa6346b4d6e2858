/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stepping host does at an instruction. On hardware it can do nothing
 * without an interrupt, so neither does this one, unless the script says so:
 * the AEX comes first, and the thread comes back by the ENCLU at its AEP.
 *
 * A forged entry uses the thread while it is out: the registers that it had at
 * its AEP are kept, and are back when the entry has left or was refused. One
 * that ends in an exception is the host's from there on.
 */
#include "machine/trap/enclave/step.h"

#include <string.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

static void each_page(const struct step_insn *in, const struct thread *t,
		      const struct script_rule *r,
		      void (*fn)(uint64_t addr, const struct script_rule *r))
{
	if (r->what & SCRIPT_ADDR)
		fn(t->cpu.base + r->addr, r);
	for (uint32_t i = 0; i < in->pages; i++)
		if (in->page[i].what & r->what)
			fn(in->page[i].addr, r);
}

static void change(uint64_t addr, const struct script_rule *r)
{
	bool done = true;

	if (r->act == SCRIPT_TAKE)
		done = drv_take(machine.d, addr, DRV_THEFT_GONE, r->times);
	else if (r->act == SCRIPT_SWAP)
		done = drv_take(machine.d, addr, DRV_THEFT_OTHER, r->times);
	else if (r->act == SCRIPT_HIDE)
		done = drv_hide(machine.d, addr);
	else if (r->act == SCRIPT_REPLACE)
		done = drv_replace(machine.d, addr);
	else
		drv_give(machine.d, addr);
	if (done)
		step_log_acted();
}

static void forge(struct trap *tr, const struct script_rule *r)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct walk_state *w = &tr->t->walk;

	if (w->forged != WALK_NONE)
		return;
	w->forged = WALK_ASKED;
	memcpy(w->saved, g, sizeof(w->saved));
	w->saved_pending = w->pending;
	if (r->addr != SCRIPT_SAME)
		g[REG_RBX] = (greg_t)tr->t->cpu.base + (greg_t)r->addr;
	g[REG_RAX] = SGX_EENTER;
	g[REG_RDI] = (greg_t)r->reg[0];
	g[REG_RSI] = (greg_t)r->reg[1];
	g[REG_RDX] = (greg_t)r->reg[2];
	step_log_acted();
}

/* Blocked until the handler has returned, and the thread is out. */
static void raise_signal(const struct thread *t, uint64_t sig)
{
	sys_call(SYS_tgkill, sys_call(SYS_getpid), t->tid, (long)sig);
	step_log_acted();
}

static void act(struct trap *tr, const struct step_insn *in,
		const struct script_rule *r)
{
	switch (r->act) {
	case SCRIPT_ENTER:
		forge(tr, r);
		break;
	case SCRIPT_SIGNAL:
		raise_signal(tr->t, r->addr);
		break;
	case SCRIPT_REFUSE:
		if (drv_inject(machine.d, &r->fault))
			step_log_acted();
		break;
	case SCRIPT_RESUME:
		tr->t->walk.resumes = r->times ? r->times : UINT32_MAX;
		tr->t->walk.resuming = r;
		step_log_acted();
		break;
	case SCRIPT_INTERRUPT:
		step_log_acted();
		break;
	default:
		if (r->what & SCRIPT_ALL_TAKEN) {
			drv_give_all(machine.d);
			step_log_acted();
			break;
		}
		each_page(in, tr->t, r, change);
	}
}

/* Are lines of a branch this process's to do? */
static bool own(uint32_t branch)
{
	return !branch || branch == step_branched;
}

static bool due(const struct script_rule *r, uint64_t off, uint64_t nth)
{
	if (r->at != SCRIPT_ANY && r->at != off)
		return false;
	if (r->n == SCRIPT_LAST)
		return nth == step_log_known(off);
	return !r->n || r->n == nth;
}

/* Is an AEX needed for the rule itself? */
static bool outside(const struct script_rule *r)
{
	return r->act == SCRIPT_ENTER || r->act == SCRIPT_INTERRUPT ||
	       r->act == SCRIPT_REPLACE || r->act == SCRIPT_SIGNAL ||
	       (r->what & (SCRIPT_SSA | SCRIPT_TCS));
}

/* Rules that have acted, and branches that have been. */
static bool acted[SCRIPT_RULES], gone[SCRIPT_RULES + 1];

static void note(uint32_t i)
{
	__atomic_store_n(&acted[i], true, __ATOMIC_RELAXED);
}

static bool all_done(void)
{
	const struct script *s = &step_script;

	for (uint32_t i = 0; i < s->rules; i++) {
		const struct script_rule *r = &s->rule[i];

		if (own(r->branch)
			    ? !__atomic_load_n(&acted[i], __ATOMIC_RELAXED)
			    : !step_branched && !gone[r->branch])
			return false;
	}
	return true;
}

/* The branches that begin here; true: some did. In a branch there are none. */
static bool branch(struct trap *tr, uint64_t off, uint64_t nth)
{
	const struct script *s = &step_script;
	bool any = false;

	for (uint32_t i = 0; !step_branched && i < s->rules; i++) {
		const struct script_rule *r = &s->rule[i];

		if (!r->branch || !due(r, off, nth) ||
		    __atomic_exchange_n(&gone[r->branch], true,
					__ATOMIC_RELAXED))
			continue;
		any = true;
		if (step_branch(tr, r->branch))
			break;
	}
	return any;
}

bool step_act(struct trap *tr, const struct step_insn *in, uint64_t nth)
{
	const struct script *s = &step_script;
	bool aex = s->aex == SCRIPT_AEX_EVERY;
	bool any = s->branches && branch(tr, in->off, nth);

	for (uint32_t i = 0; i < s->rules; i++) {
		if (!own(s->rule[i].branch) || !due(&s->rule[i], in->off, nth))
			continue;
		any = true;
		aex |= s->aex != SCRIPT_AEX_NEVER || outside(&s->rule[i]);
	}
	if (aex) {
		trap_interrupt(tr);
		tr->t->walk.interrupted = true;
	}
	for (uint32_t i = 0; any && i < s->rules; i++) {
		if (!own(s->rule[i].branch) || !due(&s->rule[i], in->off, nth))
			continue;
		act(tr, in, &s->rule[i]);
		if (s->rule[i].n && s->rule[i].at != SCRIPT_ANY)
			note(i);
	}
	return any && all_done();
}

void step_act_back(struct trap *tr)
{
	struct walk_state *w = &tr->t->walk;

	w->forged = WALK_NONE;
	w->pending = w->saved_pending;
	memcpy(tr->uc->uc_mcontext.gregs, w->saved, sizeof(w->saved));
}

/* Frames of the SSA in use at a TCS. */
static uint32_t frames(uint64_t tcs)
{
	uint32_t cssa = 0;

	drv_lock(machine.d);
	if (!drv_peek(machine.d, tcs + offsetof(struct sgx_tcs, cssa), &cssa,
		      sizeof(cssa)))
		cssa = 0;
	drv_unlock(machine.d);
	return cssa;
}

static bool is_resumed(const struct script_rule *r, uint64_t off)
{
	return !r->exits.end || (off >= r->exits.start && off < r->exits.end);
}

void step_act_exit(struct trap *tr, const struct step_leaf *l)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct walk_state *w = &tr->t->walk;

	if (w->forged == WALK_INSIDE) {
		step_act_back(tr);
		return;
	}
	if (!w->resumes || !is_resumed(w->resuming, l->off) || !frames(l->tcs))
		return;
	w->resumes -= w->resumes != UINT32_MAX;
	/* EEXIT has left the AEP in RCX. */
	g[REG_RIP] = g[REG_RCX];
	g[REG_RAX] = SGX_ERESUME;
	g[REG_RBX] = (greg_t)l->tcs;
}
