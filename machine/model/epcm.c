/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EPCM's rules for accesses, tracking epochs, and what others may ask.
 * General registers only; no locks.
 */
#include "machine/model/state.h"

uint64_t mach_result_rflags(uint64_t rflags, struct mach_result r)
{
	/* CF PF AF ZF SF OF */
	rflags &= ~0x8d5ull;
	if (r.kind != MACH_CODE)
		return rflags;
	switch (r.code) {
	case SGX_BLKSTATE:
	case SGX_NOTBLOCKABLE:
	case SGX_PG_IS_SECS:
	case SGX_VA_SLOT_OCCUPIED:
		return rflags | 0x01;
	default:
		return rflags | 0x40;
	}
}

/* ---- tracking ---------------------------------------------------------- */

uint32_t track_enter(struct mach_hidden *h)
{
	return track_epoch(__atomic_fetch_add(&h->track, 1, __ATOMIC_SEQ_CST));
}

void track_leave(struct mach_hidden *h, uint32_t epoch)
{
	uint64_t t = track_load(h);
	uint64_t n;

	/* Whoever entered before the last ETRACK is counted as stale. */
	do {
		n = t - (track_epoch(t) == epoch ? 1 : 1u << 16);
	} while (!__atomic_compare_exchange_n(
		&h->track, &t, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

bool mach_tracked(const struct mach *m, uint32_t epc)
{
	const struct mach_epcm *e = &m->epcm[epc];
	uint32_t flags = epcm_flags(e);
	struct mach_hidden *h;

	if (!(flags & EPCM_VALID) || epcm_is(flags, SGX_PT_SECS) ||
	    epcm_is(flags, SGX_PT_VA))
		return true;
	h = hidden_of(secs_of(m, epcm_secs(e)));
	return track_done(track_load(h),
			  __atomic_load_n(&e->epoch, __ATOMIC_RELAXED));
}

/* ---- accesses ---------------------------------------------------------- */

unsigned mach_rights(const struct mach *m, uint32_t epc)
{
	uint32_t flags = epcm_flags(&m->epcm[epc]);

	if (!epcm_is(flags, SGX_PT_REG) ||
	    (flags & (EPCM_BLOCKED | EPCM_PENDING | EPCM_MODIFIED)))
		return 0;
	return flags & EPCM_RWX;
}

/* SDM 34.3: the access checks on a page inside ELRANGE. */
static bool epcm_allows(const struct mach *m, const struct mach_cpu *cpu,
			uint32_t epc, uint64_t addr, unsigned access)
{
	const struct mach_epcm *e;

	if (epc == MACH_EPC_NONE)
		return false;
	e = &m->epcm[epc];
	/* EPCM.VALID = 1, PT = PT_REG, BLOCKED = PENDING = MODIFIED = 0, and
	 * the right for the access is set. */
	if ((mach_rights(m, epc) & access) != access)
		return false;
	/* ENCLAVESECS is the current SECS. */
	if (epcm_secs(e) != cpu->secs)
		return false;
	/* ENCLAVEADDRESS is the page that the access translated. */
	return epcm_addr(e) == (addr & ~(uint64_t)(SGX_PAGE_SIZE - 1));
}

enum mach_verdict mach_access(const struct mach *m, const struct mach_cpu *cpu,
			      uint32_t epc, uint64_t addr, unsigned access)
{
	if (!mach_inside(cpu) || !in_elrange(cpu, addr)) {
		if (mach_inside(cpu) && (access & MACH_X))
			return MACH_FETCH;
		return epc == MACH_EPC_NONE ? MACH_ALLOW : MACH_ABORT;
	}
	return epcm_allows(m, cpu, epc, addr, access) ? MACH_ALLOW : MACH_DENY;
}

uint32_t mach_access_pfec(unsigned access)
{
	uint32_t pfec = SGX_PFEC_P | SGX_PFEC_U | SGX_PFEC_SGX;

	if (access & MACH_W)
		pfec |= SGX_PFEC_W;
	if (access & MACH_X)
		pfec |= SGX_PFEC_I;
	return pfec;
}

struct mach_result operand_resolve(const struct mach *m, struct operand *o)
{
	uint32_t out = 0;
	enum mach_xlate x = MACH_XL_OTHER;

	if (m->plat.translate)
		x = m->plat.translate(m->plat.ctx, o->addr, o->access, &out);
	if (x == MACH_XL_FAULT)
		return res_pf(o->addr, out);
	if (x == MACH_XL_OTHER || out >= m->cfg.epc_pages)
		return operand_pf(o);
	o->epc = out;
	return res_ok();
}

struct mach_result operand_page(const struct mach *m,
				const struct mach_cpu *cpu, struct operand *o)
{
	struct mach_result r = operand_resolve(m, o);

	if (!mach_ok(r))
		return r;
	if (!epcm_allows(m, cpu, o->epc, o->addr, o->access))
		return operand_pf(o);
	return r;
}

/* ---- queries ----------------------------------------------------------- */

void mach_epcm(const struct mach *m, uint32_t epc, struct mach_epcm_info *out)
{
	const struct mach_epcm *e = &m->epcm[epc];
	uint32_t flags = epcm_flags(e);

	out->valid = flags & EPCM_VALID;
	out->blocked = flags & EPCM_BLOCKED;
	out->pending = flags & EPCM_PENDING;
	out->modified = flags & EPCM_MODIFIED;
	out->pr = flags & EPCM_PR;
	out->rwx = flags & EPCM_RWX;
	out->pt = (uint8_t)epcm_pt(flags);
	out->secs = epcm_secs(e);
	out->addr = epcm_addr(e);
}

bool mach_secs(const struct mach *m, uint32_t epc, struct mach_secs_info *out)
{
	struct sgx_secs *s;
	struct mach_hidden *h;
	uint64_t t;

	if (epc >= m->cfg.epc_pages ||
	    !epcm_is(epcm_flags(&m->epcm[epc]), SGX_PT_SECS))
		return false;
	s = secs_of(m, epc);
	h = hidden_of(s);
	t = track_load(h);
	out->base = s->base;
	out->size = s->size;
	out->attributes =
		__atomic_load_n(&s->attributes.flags, __ATOMIC_ACQUIRE);
	out->xfrm = s->attributes.xfrm;
	out->eid = h->eid;
	out->miscselect = s->miscselect;
	out->ssaframesize = s->ssaframesize;
	out->init = secs_init(s);
	out->children = __atomic_load_n(&h->children, __ATOMIC_RELAXED);
	out->threads = track_threads(t);
	out->stale = track_stale(t);
	out->epoch = track_epoch(t);
	copy_bytes(out->mrenclave, s->mrenclave, sizeof(out->mrenclave));
	copy_bytes(out->mrsigner, s->mrsigner, sizeof(out->mrsigner));
	return true;
}

uint32_t secs_operand(const struct mach *m, uint64_t addr)
{
	uint32_t epc = epc_of(m, addr);

	if (epc == MACH_EPC_NONE ||
	    !epcm_is(epcm_flags(&m->epcm[epc]), SGX_PT_SECS))
		return MACH_EPC_NONE;
	return epc;
}

/* ---- counters ---------------------------------------------------------- */

struct mach_result encls_done(struct mach *m, unsigned leaf,
			      struct mach_result r)
{
	uint64_t *n = r.kind == MACH_FAULT ? &m->encls_faults : &m->encls[leaf];

	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
	return r;
}

struct mach_result enclu_done(struct mach_cpu *cpu, unsigned leaf,
			      struct mach_result r)
{
	if (r.kind == MACH_FAULT)
		cpu->enclu_faults++;
	else
		cpu->enclu[leaf]++;
	return r;
}

void mach_encls_count(struct mach *m, unsigned leaf, struct mach_result r)
{
	encls_done(m, leaf, r);
}

void mach_encls_counts(const struct mach *m, uint64_t done[MACH_ENCLS_LEAVES],
		       uint64_t *faults)
{
	unsigned i;

	for (i = 0; i < MACH_ENCLS_LEAVES; i++)
		done[i] = __atomic_load_n(&m->encls[i], __ATOMIC_RELAXED);
	*faults = __atomic_load_n(&m->encls_faults, __ATOMIC_RELAXED);
}

void mach_cpu_init(struct mach_cpu *cpu)
{
	zero_bytes(cpu, sizeof(*cpu));
	cpu->secs = MACH_EPC_NONE;
}
