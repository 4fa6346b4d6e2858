/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EEXIT (SDM 3D 38.4) and the asynchronous exit (SDM 3D 37). General registers
 * only.
 *
 * Order: the TCS is released before the thread is counted out, and after that
 * nothing of the enclave is touched: its pages may go.
 */
#include "machine/model/state.h"

#define RFLAGS_TF 0x100ull
#define RFLAGS_ARITH 0x8d5ull /* CF PF AF ZF SF OF */
#define RFLAGS_RF 0x10000ull

static struct sgx_tcs *tcs_of(const struct mach *m, const struct mach_cpu *cpu)
{
	return (struct sgx_tcs *)(void *)page_of(m, cpu->tcs);
}

static uint8_t *ssa_end(const struct mach *m, const struct mach_cpu *cpu)
{
	return page_of(m, cpu->gpr) + SGX_PAGE_SIZE;
}

/* Host state back, then out. */
static void leave(struct mach *m, struct mach_cpu *cpu, struct mach_frame *f)
{
	uint32_t secs = cpu->secs;

	f->fsbase = cpu->fsbase;
	f->gsbase = cpu->gsbase;
	if (!cpu->optin)
		f->rflags =
			(f->rflags & ~RFLAGS_TF) | (cpu->tf ? RFLAGS_TF : 0);
	cpu->secs = MACH_EPC_NONE;
	__atomic_store_n(&cpu->due, false, __ATOMIC_RELAXED);
	__atomic_store_n(&tcs_of(m, cpu)->state, 0, __ATOMIC_RELEASE);
	track_leave(hidden_of(secs_of(m, secs)), cpu->epoch);
}

static struct mach_result eexit(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f)
{
	/* Outside. */
	if (!mach_inside(cpu))
		return res_gp();
	/* RBX is not canonical. */
	if (!canonical(f->rbx))
		return res_gp();
	f->rip = f->rbx;
	f->rcx = tcs_of(m, cpu)->aep;
	leave(m, cpu, f);
	return res_ok();
}

struct mach_result mach_eexit(struct mach *m, struct mach_cpu *cpu,
			      struct mach_frame *f)
{
	return enclu_done(cpu, SGX_EEXIT, eexit(m, cpu, f));
}

/* ---- AEX --------------------------------------------------------------- */

static void gpr_save(struct sgx_gprsgx *g, const struct mach_frame *f)
{
	g->rax = f->rax;
	g->rcx = f->rcx;
	g->rdx = f->rdx;
	g->rbx = f->rbx;
	g->rsp = f->rsp;
	g->rbp = f->rbp;
	g->rsi = f->rsi;
	g->rdi = f->rdi;
	g->r8 = f->r8;
	g->r9 = f->r9;
	g->r10 = f->r10;
	g->r11 = f->r11;
	g->r12 = f->r12;
	g->r13 = f->r13;
	g->r14 = f->r14;
	g->r15 = f->r15;
	g->rip = f->rip;
	g->fsbase = f->fsbase;
	g->gsbase = f->gsbase;
}

/* SDM table 34-11: what an enclave learns of an exception. */
static uint32_t exitinfo(const struct mach_cpu *cpu, const struct mach_event *e)
{
	uint32_t type = SGX_EXITINFO_TYPE_HW;

	if (!e->exception)
		return 0;
	switch (e->vector) {
	case SGX_VEC_BP:
		type = SGX_EXITINFO_TYPE_SW;
		break;
	case SGX_VEC_DE:
	case SGX_VEC_DB:
	case SGX_VEC_BR:
	case SGX_VEC_UD:
	case SGX_VEC_MF:
	case SGX_VEC_AC:
	case SGX_VEC_XM:
		break;
	case SGX_VEC_GP:
	case SGX_VEC_PF:
		if (cpu->miscselect & SGX_MISC_EXINFO)
			break;
		return 0;
	default:
		return 0;
	}
	return SGX_EXITINFO_VALID | type << SGX_EXITINFO_TYPE_SHIFT | e->vector;
}

/* MISC: EXINFO, for #PF and #GP. */
static void exinfo_save(const struct mach *m, const struct mach_cpu *cpu,
			const struct mach_event *e)
{
	struct sgx_exinfo x = { .errcd = e->errcode };

	if (!e->exception || !(cpu->miscselect & SGX_MISC_EXINFO) ||
	    (e->vector != SGX_VEC_PF && e->vector != SGX_VEC_GP))
		return;
	if (e->vector == SGX_VEC_PF)
		x.maddr = e->addr;
	copy_bytes(ssa_end(m, cpu) - sizeof(struct sgx_gprsgx) - sizeof(x), &x,
		   sizeof(x));
}

static void synthetic(const struct mach_cpu *cpu, const struct sgx_tcs *t,
		      const struct sgx_gprsgx *g, struct mach_frame *f)
{
	f->rax = SGX_ERESUME;
	f->rbx = cpu->tcs_addr;
	f->rcx = t->aep;
	f->rip = t->aep;
	f->rsp = g->ursp;
	f->rbp = g->urbp;
	f->rdx = f->rsi = f->rdi = 0;
	f->r8 = f->r9 = f->r10 = f->r11 = 0;
	f->r12 = f->r13 = f->r14 = f->r15 = 0;
	f->rflags &= ~(RFLAGS_ARITH | RFLAGS_RF);
}

void mach_aex(struct mach *m, struct mach_cpu *cpu, struct mach_frame *f,
	      const struct mach_event *e)
{
	struct sgx_tcs *t = tcs_of(m, cpu);
	struct sgx_gprsgx *g =
		(struct sgx_gprsgx *)(void *)(ssa_end(m, cpu) - sizeof(*g));

	/* Save the state in SSA[CSSA]. */
	gpr_save(g, f);
	g->rflags = cpu->optin ? f->rflags : f->rflags & ~RFLAGS_TF;
	g->exitinfo = exitinfo(cpu, e);
	exinfo_save(m, cpu, e);
	xstate_save(m, cpu, f);

	/* Load the synthetic state, free the TCS with one more frame used. */
	synthetic(cpu, t, g, f);
	xstate_init(cpu, f, e);
	t->cssa++;
	cpu->aex++;
	leave(m, cpu, f);
}

/* ---- an interrupt and back ---------------------------------------------- */

/* What ERESUME would ask of the pages that the processor stands on. */
static bool stands(const struct mach *m, const struct mach_cpu *cpu)
{
	const uint32_t bad = EPCM_BLOCKED | EPCM_PENDING | EPCM_MODIFIED;
	uint32_t flags = epcm_flags(&m->epcm[cpu->tcs]);
	uint32_t i;

	if (!epcm_is(flags, SGX_PT_TCS) || (flags & bad))
		return false;
	for (i = 0; i <= cpu->xsave_count; i++) {
		uint32_t n = i < cpu->xsave_count ? cpu->xsave[i] : cpu->gpr;
		uint32_t rw = EPCM_R | EPCM_W;

		flags = epcm_flags(&m->epcm[n]);
		if (!epcm_is(flags, SGX_PT_REG) || (flags & bad) ||
		    (flags & rw) != rw)
			return false;
	}
	return true;
}

/* Would ERESUME of the frame that AEX writes be an entry? */
static bool notified(const struct mach *m, const struct mach_cpu *cpu)
{
	const struct sgx_gprsgx *g =
		(const void *)(ssa_end(m, cpu) - sizeof(*g));

	return (__atomic_load_n(&tcs_of(m, cpu)->flags, __ATOMIC_RELAXED) &
		SGX_TCS_AEXNOTIFY) &&
	       (__atomic_load_n(&g->aexnotify, __ATOMIC_RELAXED) & 1);
}

bool mach_interrupt(struct mach *m, struct mach_cpu *cpu)
{
	struct mach_hidden *h = hidden_of(secs_of(m, cpu->secs));
	uint32_t now;

	/* In before out: the enclave never looks empty meanwhile; and in
	 * before the look at the pages (state.h, order). */
	now = track_enter(h);
	if (!stands(m, cpu) || notified(m, cpu)) {
		track_leave(h, now);
		return false;
	}
	track_leave(h, cpu->epoch);
	cpu->epoch = now;
	cpu->aex++;
	cpu->enclu[SGX_ERESUME]++;
	return true;
}
