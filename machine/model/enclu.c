/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ENCLU: the dispatcher, and the leaves of a running enclave on its pages:
 * EACCEPT EACCEPTCOPY EMODPE (SDM 3D 38.4). The checks are in the manual's
 * order. General registers only.
 */
#include "machine/model/state.h"

/* After a leaf that returns a code: RAX, RFLAGS and RIP. */
static struct mach_result retire_code(struct mach_frame *f,
				      struct mach_result r)
{
	if (r.kind == MACH_FAULT)
		return r;
	f->rax = r.code;
	f->rflags = mach_result_rflags(f->rflags, r);
	f->rip += 3;
	return r;
}

/* What the three leaves share: RBX is a SECINFO of the enclave, RCX a page. */
struct sgx2_args {
	struct operand secinfo;
	struct operand target;
	uint64_t flags; /* SECINFO.FLAGS, copied once */
};

static struct mach_result sgx2_secinfo(const struct mach *m,
				       const struct mach_cpu *cpu,
				       struct sgx2_args *a)
{
	struct mach_result r = operand_page(m, cpu, &a->secinfo);
	struct sgx_secinfo si __attribute__((aligned(8)));

	/* RBX does not resolve within the EPC; its EPCM entry is not VALID,
	 * PT_REG, R, of this enclave and address, or is BLOCKED, PENDING or
	 * MODIFIED: #PF(RBX). */
	if (!mach_ok(r))
		return r;
	copy_bytes(&si,
		   page_of(m, a->secinfo.epc) +
			   (a->secinfo.addr & (SGX_PAGE_SIZE - 1)),
		   sizeof(si));
	/* Reserved fields of SECINFO. */
	if ((si.flags & SGX_SECINFO_RESERVED) ||
	    !all_zero(si.reserved, sizeof(si.reserved)))
		return res_gp();
	a->flags = si.flags;
	return res_ok();
}

/* No such leaf; outside. */
static bool sgx2_mode(const struct mach *m, const struct mach_cpu *cpu)
{
	return (m->cfg.features & MACH_F_SGX2) && mach_inside(cpu);
}

static bool sgx2_operand(const struct mach_cpu *cpu, uint64_t addr,
			 uint64_t align)
{
	return aligned(addr, align) && in_elrange(cpu, addr);
}

/* ---- EACCEPT ----------------------------------------------------------- */

/* The combinations that EACCEPT knows: REG after EAUG or EMODPR; TCS or TRIM
 * after EMODT. */
static bool accept_legal(uint64_t flags)
{
	uint64_t state = flags & (SGX_SECINFO_PENDING | SGX_SECINFO_MODIFIED |
				  SGX_SECINFO_PR);

	switch (epcm_pt((uint32_t)flags)) {
	case SGX_PT_REG:
		return !(state & SGX_SECINFO_MODIFIED) && state != 0;
	case SGX_PT_TCS:
	case SGX_PT_TRIM:
		return state == SGX_SECINFO_MODIFIED;
	default:
		return false;
	}
}

/* A new TCS as the enclave wrote it. */
/* CSSA < NSSA is the manual's; whether it holds of an empty page, which nobody
 * can enter, it leaves open: Intel's own test of EMODT accepts one. */
static bool tcs_frames(const struct mach *m, const struct sgx_tcs *t)
{
	return t->cssa < t->nssa || ((m->cfg.features & MACH_F_EMPTY_TCS) &&
				     t->cssa == 0 && t->nssa == 0);
}

static bool tcs_acceptable(const struct mach *m, const struct sgx_tcs *t)
{
	/* Reserved fields (FLAGS but its two bits; CET's). */
	if (!all_zero(t->reserved, sizeof(t->reserved)) || t->ocetssa != 0 ||
	    t->prevssp != 0)
		return false;
	/* FLAGS.DBGOPTIN, CSSA < NSSA, AEP, STATE. */
	return !(t->flags & SGX_TCS_DBGOPTIN) && tcs_frames(m, t) &&
	       t->aep == 0 && t->state == 0;
}

/* VALID = 0, BLOCKED, PT is none that EACCEPT knows, or another enclave's. */
static bool accept_target(const struct mach *m, const struct mach_cpu *cpu,
			  const struct sgx2_args *a)
{
	const struct mach_epcm *e = &m->epcm[a->target.epc];
	uint32_t flags = epcm_flags(e);

	return (epcm_is(flags, SGX_PT_REG) || epcm_is(flags, SGX_PT_TCS) ||
		epcm_is(flags, SGX_PT_TRIM)) &&
	       !(flags & EPCM_BLOCKED) && epcm_secs(e) == cpu->secs;
}

static struct mach_result eaccept_locked(struct mach *m,
					 const struct mach_cpu *cpu,
					 const struct sgx2_args *a)
{
	const uint32_t compared =
		EPCM_PENDING | EPCM_MODIFIED | EPCM_RWX | EPCM_PT_MASK;
	struct mach_epcm *e = &m->epcm[a->target.epc];
	uint32_t flags = epcm_flags(e);
	struct mach_hidden *h;

	/* Again, now that nobody else changes it: #PF(RCX). */
	if (!accept_target(m, cpu, a))
		return operand_pf(&a->target);
	/* ENCLAVEADDRESS, PENDING, MODIFIED, R, W, X or PT differ:
	 * SGX_PAGE_ATTRIBUTES_MISMATCH. PR is not compared. */
	if (epcm_addr(e) != a->target.addr ||
	    ((flags ^ (uint32_t)a->flags) & compared))
		return res_code(SGX_PAGE_ATTRIBUTES_MISMATCH);
	/* Tracking is not complete: SGX_NOT_TRACKED. A page that is only
	 * PENDING was in nobody's TLB. */
	h = hidden_of(secs_of(m, cpu->secs));
	if ((flags & (EPCM_PR | EPCM_MODIFIED)) &&
	    (cpu->untracked ||
	     !track_done(track_load(h),
			 __atomic_load_n(&e->epoch, __ATOMIC_RELAXED))))
		return res_code(SGX_NOT_TRACKED);
	/* PT_TCS: reserved fields and initial state. */
	if (epcm_is(flags, SGX_PT_TCS) &&
	    !tcs_acceptable(m, (const void *)page_of(m, a->target.epc)))
		return res_gp();
	__atomic_fetch_and(&e->flags, ~(EPCM_PENDING | EPCM_MODIFIED | EPCM_PR),
			   __ATOMIC_SEQ_CST);
	return res_ok();
}

static struct mach_result eaccept(struct mach *m, const struct mach_cpu *cpu,
				  const struct mach_frame *f)
{
	struct sgx2_args a = { .secinfo = { .addr = f->rbx, .access = MACH_R },
			       .target = { .addr = f->rcx, .access = MACH_R } };
	struct mach_result r;

	if (!sgx2_mode(m, cpu))
		return res_gp();
	/* RBX is not 64-byte aligned, not in ELRANGE. */
	if (!sgx2_operand(cpu, f->rbx, 64))
		return res_gp();
	r = sgx2_secinfo(m, cpu, &a);
	if (!mach_ok(r))
		return r;
	/* RCX is not 4 KiB aligned, not in ELRANGE. */
	if (!sgx2_operand(cpu, f->rcx, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC: #PF(RCX). */
	r = operand_resolve(m, &a.target);
	if (!mach_ok(r))
		return r;
	/* SECINFO asks for no combination that EACCEPT knows. */
	if (!accept_legal(a.flags))
		return res_gp();
	/* VALID = 0, BLOCKED, type, enclave: #PF(RCX). */
	if (!accept_target(m, cpu, &a))
		return operand_pf(&a.target);
	/* The page is in use by another leaf. */
	if (!try_more(&m->epcm[a.target.epc]))
		return res_gp();
	r = eaccept_locked(m, cpu, &a);
	epcm_unlock(&m->epcm[a.target.epc], LOCK_MORE);
	return r;
}

struct mach_result mach_eaccept(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f)
{
	return enclu_done(cpu, SGX_EACCEPT, retire_code(f, eaccept(m, cpu, f)));
}

/* ---- EMODPE ------------------------------------------------------------ */

/* VALID = 0, PENDING, MODIFIED, BLOCKED, PT is not PT_REG, another enclave's
 * or address's. */
static bool modpe_target(const struct mach *m, const struct mach_cpu *cpu,
			 const struct sgx2_args *a)
{
	const struct mach_epcm *e = &m->epcm[a->target.epc];
	uint32_t flags = epcm_flags(e);

	return epcm_is(flags, SGX_PT_REG) &&
	       !(flags & (EPCM_PENDING | EPCM_MODIFIED | EPCM_BLOCKED)) &&
	       epcm_secs(e) == cpu->secs && epcm_addr(e) == a->target.addr;
}

static struct mach_result emodpe_locked(struct mach *m,
					const struct mach_cpu *cpu,
					const struct sgx2_args *a)
{
	struct mach_epcm *e = &m->epcm[a->target.epc];

	/* Again, now that nobody else changes it: #PF(RCX). */
	if (!modpe_target(m, cpu, a))
		return operand_pf(&a->target);
	/* The result would have W without R. */
	if (!(epcm_flags(e) & EPCM_R) && !(a->flags & SGX_SECINFO_R) &&
	    (a->flags & SGX_SECINFO_W))
		return res_gp();
	__atomic_fetch_or(&e->flags, (uint32_t)a->flags & EPCM_RWX,
			  __ATOMIC_SEQ_CST);
	return res_ok();
}

static struct mach_result emodpe(struct mach *m, const struct mach_cpu *cpu,
				 const struct mach_frame *f)
{
	struct sgx2_args a = { .secinfo = { .addr = f->rbx, .access = MACH_R },
			       .target = { .addr = f->rcx, .access = MACH_R } };
	struct mach_result r;

	if (!sgx2_mode(m, cpu))
		return res_gp();
	/* RBX: 64 bytes, RCX: 4 KiB; both in ELRANGE. */
	if (!sgx2_operand(cpu, f->rbx, 64) ||
	    !sgx2_operand(cpu, f->rcx, SGX_PAGE_SIZE))
		return res_gp();
	/* RBX, then RCX, does not resolve within the EPC: #PF. */
	r = operand_resolve(m, &a.secinfo);
	if (mach_ok(r))
		r = operand_resolve(m, &a.target);
	if (mach_ok(r))
		r = sgx2_secinfo(m, cpu, &a);
	if (!mach_ok(r))
		return r;
	if (!modpe_target(m, cpu, &a))
		return operand_pf(&a.target);
	/* The page is in use by another SGX2 leaf. */
	if (!try_more(&m->epcm[a.target.epc]))
		return res_gp();
	r = emodpe_locked(m, cpu, &a);
	epcm_unlock(&m->epcm[a.target.epc], LOCK_MORE);
	return r;
}

struct mach_result mach_emodpe(struct mach *m, struct mach_cpu *cpu,
			       struct mach_frame *f)
{
	struct mach_result r = emodpe(m, cpu, f);

	/* No code: RAX and RFLAGS stay. */
	if (mach_ok(r))
		f->rip += 3;
	return enclu_done(cpu, SGX_EMODPE, r);
}

/* ---- EACCEPTCOPY ------------------------------------------------------- */

/* VALID, PENDING, unmodified, PT_REG, of this enclave. */
static bool copy_target(const struct mach *m, const struct mach_cpu *cpu,
			const struct sgx2_args *a)
{
	const struct mach_epcm *e = &m->epcm[a->target.epc];
	uint32_t flags = epcm_flags(e);

	return epcm_is(flags, SGX_PT_REG) && (flags & EPCM_PENDING) &&
	       !(flags & (EPCM_MODIFIED | EPCM_BLOCKED)) &&
	       epcm_secs(e) == cpu->secs;
}

static struct mach_result copy_locked(struct mach *m,
				      const struct mach_cpu *cpu,
				      const struct sgx2_args *a,
				      const struct operand *src)
{
	struct mach_epcm *e = &m->epcm[a->target.epc];

	/* Again; and R, W, not X, at its address: mismatch. */
	if (!copy_target(m, cpu, a) ||
	    (epcm_flags(e) & EPCM_RWX) != (EPCM_R | EPCM_W) ||
	    epcm_addr(e) != a->target.addr)
		return res_code(SGX_PAGE_ATTRIBUTES_MISMATCH);
	copy_bytes(page_of(m, a->target.epc), page_of(m, src->epc),
		   SGX_PAGE_SIZE);
	__atomic_fetch_or(&e->flags, (uint32_t)a->flags & EPCM_RWX,
			  __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&e->flags,
			   ~(EPCM_PENDING | EPCM_PR | EPCM_RWX) |
				   ((uint32_t)a->flags & EPCM_RWX),
			   __ATOMIC_SEQ_CST);
	return res_ok();
}

/* The operands, up to the source. */
static struct mach_result copy_operands(const struct mach *m,
					const struct mach_cpu *cpu,
					struct sgx2_args *a,
					struct operand *src)
{
	struct mach_result r;

	/* RBX: 64 bytes, RCX, RDX: 4 KiB; all in ELRANGE. */
	if (!sgx2_operand(cpu, a->secinfo.addr, 64) ||
	    !sgx2_operand(cpu, a->target.addr, SGX_PAGE_SIZE) ||
	    !sgx2_operand(cpu, src->addr, SGX_PAGE_SIZE))
		return res_gp();
	/* RBX, then RCX, then RDX, does not resolve within the EPC: #PF. */
	r = operand_resolve(m, &a->secinfo);
	if (mach_ok(r))
		r = operand_resolve(m, &a->target);
	if (mach_ok(r))
		r = operand_resolve(m, src);
	if (mach_ok(r))
		r = sgx2_secinfo(m, cpu, a);
	if (!mach_ok(r))
		return r;
	/* SECINFO: PT is not PT_REG, or W without R. */
	if (epcm_pt((uint32_t)a->flags) != SGX_PT_REG ||
	    ((a->flags & SGX_SECINFO_W) && !(a->flags & SGX_SECINFO_R)))
		return res_gp();
	/* The source is not VALID, R, PT_REG of this enclave and address, or
	 * is PENDING, MODIFIED or BLOCKED: #PF(RDX). */
	return operand_page(m, cpu, src);
}

static struct mach_result eacceptcopy(struct mach *m,
				      const struct mach_cpu *cpu,
				      const struct mach_frame *f)
{
	struct operand src = { .addr = f->rdx, .access = MACH_R };
	struct sgx2_args a = { .secinfo = { .addr = f->rbx, .access = MACH_R },
			       .target = { .addr = f->rcx, .access = MACH_W } };
	struct mach_result r;

	if (!sgx2_mode(m, cpu))
		return res_gp();
	r = copy_operands(m, cpu, &a, &src);
	if (!mach_ok(r))
		return r;
	/* The destination is no PENDING page of the enclave: mismatch. */
	if (!copy_target(m, cpu, &a))
		return res_code(SGX_PAGE_ATTRIBUTES_MISMATCH);
	/* The destination is in use by another leaf. */
	if (!try_more(&m->epcm[a.target.epc]))
		return res_gp();
	r = copy_locked(m, cpu, &a, &src);
	epcm_unlock(&m->epcm[a.target.epc], LOCK_MORE);
	return r;
}

struct mach_result mach_eacceptcopy(struct mach *m, struct mach_cpu *cpu,
				    struct mach_frame *f)
{
	return enclu_done(cpu, SGX_EACCEPTCOPY,
			  retire_code(f, eacceptcopy(m, cpu, f)));
}

/* ---- ENCLU ------------------------------------------------------------- */

struct mach_result mach_enclu(struct mach *m, struct mach_cpu *cpu,
			      struct mach_frame *f)
{
	switch ((uint32_t)f->rax) {
	case SGX_EREPORT:
		return mach_ereport(m, cpu, f);
	case SGX_EGETKEY:
		return mach_egetkey(m, cpu, f);
	case SGX_EENTER:
		return mach_eenter(m, cpu, f);
	case SGX_ERESUME:
		return mach_eresume(m, cpu, f);
	case SGX_EEXIT:
		return mach_eexit(m, cpu, f);
	case SGX_EACCEPT:
		return mach_eaccept(m, cpu, f);
	case SGX_EMODPE:
		return mach_emodpe(m, cpu, f);
	case SGX_EACCEPTCOPY:
		return mach_eacceptcopy(m, cpu, f);
	case SGX_EDECCSSA:
		return mach_edeccssa(m, cpu, f);
	default:
		/* EVERIFYREPORT2 and what there is not. */
		cpu->enclu_faults++;
		return res_gp();
	}
}
