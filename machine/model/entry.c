/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EENTER, ERESUME, EDECCSSA (SDM 3D 38.4). The checks are in the manual's
 * order, with one difference that no one can see: the TCS is claimed at the
 * start and its being taken is reported at the manual's place, so that no two
 * entries read its fields at once. General registers only.
 */
#include "machine/model/state.h"

#define RFLAGS_TF 0x100ull
/* CF PF AF ZF SF DF OF NT RF AC ID: what ERESUME loads. */
#define RFLAGS_RESUMED 0x254cd5ull

/* The frame that AEX will write: CR_XSAVE_PAGE_n and CR_GPR_PA. */
struct ssa {
	uint32_t xsave_count;
	uint32_t xsave[MACH_XSAVE_PAGES];
	uint32_t gpr;
};

/* One entry on its way. */
struct entry {
	struct operand tcs_at;
	struct sgx_tcs *tcs;
	struct sgx_secs *secs;
	uint32_t secs_epc;
	uint32_t epoch;
	uint32_t cssa;
	bool mine; /* the TCS was inactive and is claimed */
	uint64_t fsbase, gsbase;
	struct ssa ssa;
};

static struct sgx_gprsgx *gpr_of(const struct mach *m, uint32_t epc)
{
	return (struct sgx_gprsgx *)(void *)(page_of(m, epc) + SGX_PAGE_SIZE -
					     sizeof(struct sgx_gprsgx));
}

/* ---- the SSA ----------------------------------------------------------- */

/* One page of the frame at @addr for the enclave @secs. */
static struct mach_result ssa_page(const struct mach *m, uint32_t secs,
				   uint64_t addr, uint32_t *out)
{
	struct operand o = { .addr = addr, .access = MACH_W };
	const uint32_t bad = EPCM_PENDING | EPCM_MODIFIED | EPCM_BLOCKED;
	struct mach_result r = operand_resolve(m, &o);
	const struct mach_epcm *e;
	uint32_t flags;

	/* It does not resolve within the EPC. */
	if (!mach_ok(r))
		return r;
	e = &m->epcm[o.epc];
	flags = epcm_flags(e);
	/* VALID = 0, BLOCKED, PENDING, MODIFIED: #PF. */
	if (!(flags & EPCM_VALID) || (flags & bad))
		return operand_pf(&o);
	/* ENCLAVEADDRESS, PT_REG, ENCLAVESECS, R, W: #PF. */
	if (epcm_addr(e) != addr || !epcm_is(flags, SGX_PT_REG) ||
	    epcm_secs(e) != secs || !(flags & EPCM_R) || !(flags & EPCM_W))
		return operand_pf(&o);
	*out = o.epc;
	return r;
}

static struct mach_result ssa_find(const struct mach *m, const struct entry *en,
				   uint32_t cssa, struct ssa *out)
{
	const struct sgx_secs *s = en->secs;
	uint64_t size = (uint64_t)s->ssaframesize * SGX_PAGE_SIZE;
	uint64_t at = s->base + en->tcs->ossa + size * cssa;
	uint32_t bytes = mach_xsave_size(&m->cfg, s->attributes.xfrm);
	struct mach_result r;
	uint32_t i;

	*out = (struct ssa){ .gpr = MACH_EPC_NONE };
	out->xsave_count = (bytes + SGX_PAGE_SIZE - 1) / SGX_PAGE_SIZE;
	for (i = 0; i < out->xsave_count; i++) {
		r = ssa_page(m, en->secs_epc, at + i * SGX_PAGE_SIZE,
			     &out->xsave[i]);
		if (!mach_ok(r))
			return r;
	}
	/* With one page a frame, GPRSGX is on the same page. */
	if (out->xsave_count == s->ssaframesize) {
		out->gpr = out->xsave[i - 1];
		return res_ok();
	}
	return ssa_page(m, en->secs_epc, at + size - SGX_PAGE_SIZE, &out->gpr);
}

static void ssa_use(struct mach_cpu *cpu, const struct ssa *ssa)
{
	uint32_t i;

	cpu->xsave_count = ssa->xsave_count;
	for (i = 0; i < MACH_XSAVE_PAGES; i++)
		cpu->xsave[i] = ssa->xsave[i];
	cpu->gpr = ssa->gpr;
}

/* ---- what EENTER and ERESUME have in common ----------------------------- */

/* EPCM conditions on the TCS, with the entry counted in already. */
static bool tcs_enterable(const struct mach_epcm *e, uint64_t addr)
{
	uint32_t flags = epcm_flags(e);

	/* VALID = 0, BLOCKED. */
	if (!(flags & EPCM_VALID) || (flags & EPCM_BLOCKED))
		return false;
	/* ENCLAVEADDRESS is not RBX, PT is not PT_TCS. */
	if (epcm_addr(e) != addr || !epcm_is(flags, SGX_PT_TCS))
		return false;
	/* PENDING, MODIFIED. */
	return !(flags & (EPCM_PENDING | EPCM_MODIFIED));
}

/* Conditions on TCS and SECS, up to the SSA. */
static struct mach_result tcs_fields(const struct mach *m, struct entry *en)
{
	const struct sgx_tcs *t = en->tcs;
	const struct sgx_secs *s = en->secs;
	uint64_t attr = __atomic_load_n(&s->attributes.flags, __ATOMIC_ACQUIRE);
	uint64_t tflags = __atomic_load_n(&t->flags, __ATOMIC_RELAXED);
	uint64_t known = SGX_TCS_DBGOPTIN;

	if (m->cfg.features & MACH_F_AEXNOTIFY)
		known |= SGX_TCS_AEXNOTIFY;
	/* OSSA, OFSBASE and OGSBASE are not 4 KiB aligned. */
	if (!aligned(t->ossa, SGX_PAGE_SIZE) ||
	    !aligned(t->ofsbase, SGX_PAGE_SIZE) ||
	    !aligned(t->ogsbase, SGX_PAGE_SIZE))
		return res_gp();
	/* Reserved bits of TCS.FLAGS. */
	if (tflags & ~known)
		return res_gp();
	/* The enclave is not initialised; is not of this mode. */
	if (!(attr & SGX_ATTR_INIT) || !(attr & SGX_ATTR_MODE64BIT))
		return res_gp();
	/* XFRM is not a subset of XCR0. */
	if (s->attributes.xfrm & ~m->cfg.xfrm)
		return res_gp();
	/* Without DBGOPTIN, the TCS and the SECS agree on AEX-Notify. */
	if (!(tflags & SGX_TCS_DBGOPTIN) &&
	    !(tflags & SGX_TCS_AEXNOTIFY) != !(attr & SGX_ATTR_AEXNOTIFY))
		return res_gp();
	en->cssa = t->cssa;
	en->fsbase = s->base + t->ofsbase;
	en->gsbase = s->base + t->ogsbase;
	return res_ok();
}

static void entry_abort(struct mach *m, struct entry *en)
{
	if (en->mine)
		__atomic_store_n(&en->tcs->state, 0, __ATOMIC_RELEASE);
	track_leave(hidden_of(en->secs), en->epoch);
	epcm_unlock(&m->epcm[en->tcs_at.epc], LOCK_SHARED);
}

/*
 * On success the TCS's page is locked (shared), the thread is counted in and
 * the TCS is claimed, or is someone else's (!mine); entry_abort() undoes it.
 */
static struct mach_result entry_begin(struct mach *m,
				      const struct mach_cpu *cpu,
				      const struct mach_frame *f,
				      struct entry *en)
{
	struct mach_epcm *e;
	struct mach_result r;
	uint64_t idle = 0;

	en->tcs_at = (struct operand){ .addr = f->rbx, .access = MACH_W };
	/* In enclave mode. */
	if (mach_inside(cpu))
		return res_gp();
	/* RBX is not 4 KiB aligned. */
	if (!aligned(f->rbx, SGX_PAGE_SIZE))
		return res_gp();
	/* RBX does not resolve within the EPC. */
	r = operand_resolve(m, &en->tcs_at);
	if (!mach_ok(r))
		return r;
	/* AEP is not canonical. */
	if (!canonical(f->rcx))
		return res_gp();
	/* The TCS is in use by another leaf. */
	e = &m->epcm[en->tcs_at.epc];
	if (!try_shared(e))
		return res_gp();
	/* VALID = 0, or PT is not PT_TCS. Before the rest, since the thread is
	 * counted in the SECS of a TCS. */
	if (!epcm_is(epcm_flags(e), SGX_PT_TCS)) {
		epcm_unlock(e, LOCK_SHARED);
		return operand_pf(&en->tcs_at);
	}
	en->secs_epc = epcm_secs(e);
	en->secs = secs_of(m, en->secs_epc);
	en->tcs = (struct sgx_tcs *)(void *)page_of(m, en->tcs_at.epc);
	en->epoch = track_enter(hidden_of(en->secs));
	en->mine = false;
	if (!tcs_enterable(e, f->rbx)) {
		entry_abort(m, en);
		return operand_pf(&en->tcs_at);
	}
	en->mine =
		__atomic_compare_exchange_n(&en->tcs->state, &idle, 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	/* Another thread runs on it: its fields are not looked at. */
	r = en->mine ? tcs_fields(m, en) : res_gp();
	if (!mach_ok(r))
		entry_abort(m, en);
	return r;
}

/* The thread is inside from here on. */
static void entry_commit(struct mach *m, struct mach_cpu *cpu,
			 const struct mach_frame *f, struct entry *en)
{
	en->tcs->aep = f->rcx;
	cpu->secs = en->secs_epc;
	cpu->tcs = en->tcs_at.epc;
	cpu->tcs_addr = f->rbx;
	cpu->base = en->secs->base;
	cpu->size = en->secs->size;
	cpu->attributes =
		__atomic_load_n(&en->secs->attributes.flags, __ATOMIC_RELAXED);
	cpu->xfrm = en->secs->attributes.xfrm;
	cpu->miscselect = en->secs->miscselect;
	cpu->epoch = en->epoch;
	ssa_use(cpu, &en->ssa);
	cpu->fsbase = f->fsbase;
	cpu->gsbase = f->gsbase;
	cpu->tf = f->rflags & RFLAGS_TF;
	cpu->optin = en->tcs->flags & SGX_TCS_DBGOPTIN;
	epcm_unlock(&m->epcm[en->tcs_at.epc], LOCK_SHARED);
}

/* To the entry point, as EENTER and as an ERESUME that AEX-Notify turns. */
static void entry_jump(const struct mach *m, const struct mach_cpu *cpu,
		       struct mach_frame *f, const struct entry *en)
{
	struct sgx_gprsgx *g = gpr_of(m, en->ssa.gpr);

	/* The host's RSP and RBP, for AEX. A plain ERESUME leaves those of the
	 * entry that used the frame. */
	g->ursp = f->rsp;
	g->urbp = f->rbp;
	f->rax = en->cssa;
	f->rcx = f->rip + 3;
	f->rip = en->secs->base + en->tcs->oentry;
	f->fsbase = en->fsbase;
	f->gsbase = en->gsbase;
	/* TF is cleared on opt-out entry. */
	if (!cpu->optin)
		f->rflags &= ~RFLAGS_TF;
}

/* A free frame for the next AEX, and a sound target. */
static struct mach_result entry_target(const struct mach *m, struct entry *en)
{
	struct mach_result r;

	/* CSSA >= NSSA. */
	if (en->cssa >= en->tcs->nssa)
		return res_gp();
	/* The pages of SSA[CSSA]. */
	r = ssa_find(m, en, en->cssa, &en->ssa);
	if (!mach_ok(r))
		return r;
	/* FS base, GS base, the entry point are not canonical. */
	if (!canonical(en->fsbase) || !canonical(en->gsbase) ||
	    !canonical(en->secs->base + en->tcs->oentry))
		return res_gp();
	return r;
}

/* ---- EENTER ------------------------------------------------------------ */

static struct mach_result eenter(struct mach *m, struct mach_cpu *cpu,
				 struct mach_frame *f)
{
	struct entry en;
	struct mach_result r = entry_begin(m, cpu, f, &en);

	if (!mach_ok(r))
		return r;
	r = entry_target(m, &en);
	if (!mach_ok(r)) {
		entry_abort(m, &en);
		return r;
	}
	entry_commit(m, cpu, f, &en);
	entry_jump(m, cpu, f, &en);
	return r;
}

struct mach_result mach_eenter(struct mach *m, struct mach_cpu *cpu,
			       struct mach_frame *f)
{
	return enclu_done(cpu, SGX_EENTER, eenter(m, cpu, f));
}

/* ---- ERESUME ----------------------------------------------------------- */

static void gpr_load(struct mach_frame *f, const struct sgx_gprsgx *g)
{
	f->rax = g->rax;
	f->rcx = g->rcx;
	f->rdx = g->rdx;
	f->rbx = g->rbx;
	f->rsp = g->rsp;
	f->rbp = g->rbp;
	f->rsi = g->rsi;
	f->rdi = g->rdi;
	f->r8 = g->r8;
	f->r9 = g->r9;
	f->r10 = g->r10;
	f->r11 = g->r11;
	f->r12 = g->r12;
	f->r13 = g->r13;
	f->r14 = g->r14;
	f->r15 = g->r15;
	f->rip = g->rip;
	f->fsbase = g->fsbase;
	f->gsbase = g->gsbase;
	f->rflags =
		(f->rflags & ~RFLAGS_RESUMED) | (g->rflags & RFLAGS_RESUMED);
}

/* Checks on the frame to resume, and whether AEX-Notify wants an entry. */
static struct mach_result resume_frame(const struct mach *m, struct entry *en,
				       bool *notify)
{
	const struct sgx_gprsgx *g;
	struct mach_cpu at;
	struct mach_result r;

	/* CSSA = 0. */
	if (en->cssa == 0)
		return res_gp();
	/* The pages of SSA[CSSA - 1]. */
	r = ssa_find(m, en, en->cssa - 1, &en->ssa);
	if (!mach_ok(r))
		return r;
	g = gpr_of(m, en->ssa.gpr);
	*notify = (en->tcs->flags & SGX_TCS_AEXNOTIFY) && (g->aexnotify & 1);
	if (*notify)
		return entry_target(m, en);
	/* The saved FS base, GS base, RIP are not canonical. */
	if (!canonical(g->fsbase) || !canonical(g->gsbase) ||
	    !canonical(g->rip))
		return res_gp();
	/* XRSTOR would fault. */
	at.xfrm = en->secs->attributes.xfrm;
	ssa_use(&at, &en->ssa);
	return xstate_legal(m, &at) ? r : res_gp();
}

static struct mach_result eresume(struct mach *m, struct mach_cpu *cpu,
				  struct mach_frame *f)
{
	bool notify = false;
	struct entry en;
	struct mach_result r = entry_begin(m, cpu, f, &en);

	if (!mach_ok(r))
		return r;
	r = resume_frame(m, &en, &notify);
	if (!mach_ok(r)) {
		entry_abort(m, &en);
		return r;
	}
	entry_commit(m, cpu, f, &en);
	if (notify) {
		entry_jump(m, cpu, f, &en);
		cpu->notify++;
		return r;
	}
	en.tcs->cssa = en.cssa - 1;
	xstate_load(m, cpu, f);
	gpr_load(f, gpr_of(m, en.ssa.gpr));
	if (!cpu->optin)
		f->rflags &= ~RFLAGS_TF;
	return r;
}

struct mach_result mach_eresume(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f)
{
	return enclu_done(cpu, SGX_ERESUME, eresume(m, cpu, f));
}

/* ---- EDECCSSA ---------------------------------------------------------- */

static struct mach_result edeccssa(struct mach *m, struct mach_cpu *cpu)
{
	struct mach_result r;
	struct entry en;

	/* No such leaf; outside. */
	if (!(m->cfg.features & MACH_F_EDECCSSA) || !mach_inside(cpu))
		return res_gp();
	en.secs_epc = cpu->secs;
	en.secs = secs_of(m, cpu->secs);
	en.tcs = (struct sgx_tcs *)(void *)page_of(m, cpu->tcs);
	/* CSSA = 0. */
	if (en.tcs->cssa == 0)
		return res_gp();
	/* The pages of SSA[CSSA - 1]. */
	r = ssa_find(m, &en, en.tcs->cssa - 1, &en.ssa);
	if (!mach_ok(r))
		return r;
	en.tcs->cssa--;
	ssa_use(cpu, &en.ssa);
	return r;
}

struct mach_result mach_edeccssa(struct mach *m, struct mach_cpu *cpu,
				 struct mach_frame *f)
{
	struct mach_result r = edeccssa(m, cpu);

	if (mach_ok(r))
		f->rip += 3;
	return enclu_done(cpu, SGX_EDECCSSA, r);
}
