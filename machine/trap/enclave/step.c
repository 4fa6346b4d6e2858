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

static enum phase {
	PHASE_BEFORE, /* the script's `from` is waited for */
	PHASE_STEP,
	PHASE_OVER,
} phase;

static struct {
	struct drv_range range[SCRIPT_RANGES + 1];
	uint32_t count;
} pages;

/* Executions of where stepping begins and ends. */
static uint64_t begun, ended;

static uint64_t rip_of(const struct trap *tr)
{
	return (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP];
}

static bool in_range(uint64_t off)
{
	for (uint32_t i = 0; i < step_script.ranges; i++)
		if (off >= step_script.range[i].start &&
		    off < step_script.range[i].end)
			return true;
	return false;
}

/* What is guarded now: where stepping begins, or the ranges, or nothing. */
static bool on_pages(uint64_t off)
{
	for (uint32_t i = 0; i < pages.count; i++)
		if (off >= pages.range[i].start && off < pages.range[i].end)
			return true;
	return false;
}

/* The same of an instruction, which may end on the next page. */
static bool stands_on_pages(uint64_t off)
{
	return on_pages(off) || on_pages(off + STEP_CODE_MAX - 1);
}

static void pages_add(uint64_t start, uint64_t end)
{
	uint64_t mask = SGX_PAGE_SIZE - 1;

	pages.range[pages.count++] = (struct drv_range){
		.start = start & ~mask,
		.end = (end + mask) & ~mask,
	};
}

static void phase_set(enum phase now)
{
	const struct script *s = &step_script;

	drv_lock(machine.d);
	phase = now;
	pages.count = 0;
	if (now == PHASE_BEFORE)
		pages_add(s->from.at, s->from.at + 1);
	for (uint32_t i = 0; now == PHASE_STEP && i < s->ranges; i++)
		pages_add(s->range[i].start, s->range[i].end);
	if (now == PHASE_STEP && s->to.at != SCRIPT_ANY)
		pages_add(s->to.at, s->to.at + 1);
	drv_unlock(machine.d);
	drv_guard(machine.d, pages.range, pages.count);
}

void step_start(void)
{
	phase_set(step_script.from.at == SCRIPT_ANY ? PHASE_STEP
						    : PHASE_BEFORE);
	drv_guard_arm(machine.d, true);
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
	    !on_pages(addr - t->cpu.base))
		return false;
	walk(t, true);
	return true;
}

struct step_leaf step_leaf(const struct trap *tr)
{
	return (struct step_leaf){
		.leaf = (uint32_t)tr->uc->uc_mcontext.gregs[REG_RAX],
		.tcs = tr->t->cpu.tcs_addr,
		.off = rip_of(tr) - tr->t->cpu.base,
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

static bool reached(const struct script_point *p, uint64_t off, uint64_t *count)
{
	return off == p->at &&
	       __atomic_add_fetch(count, 1, __ATOMIC_RELAXED) == p->n;
}

/* An execution that is new: where are we in the script? */
static void proceed(uint64_t off)
{
	if (phase == PHASE_BEFORE && reached(&step_script.from, off, &begun))
		phase_set(PHASE_STEP);
	if (phase == PHASE_STEP && reached(&step_script.to, off, &ended))
		phase_set(PHASE_OVER);
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
	if (fresh)
		proceed(off);
	if (!fresh || phase != PHASE_STEP || !in_range(off))
		return;
	if (step_act(tr, &in, step_log(&in)) && step_script.to_done)
		phase_set(PHASE_OVER);
}

void step_end(struct trap *tr)
{
	struct thread *t = tr->t;

	if (!step_on)
		return;
	if (mach_inside(&t->cpu) && stands_on_pages(rip_of(tr) - t->cpu.base)) {
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
