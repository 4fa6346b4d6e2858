/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's leaves on pages of a running enclave: EAUG EMODPR EMODT ETRACK
 * EBLOCK EREMOVE EPA EDBGRD EDBGWR (SDM 3D 38.3). The checks are in the
 * manual's order. General registers only.
 */
#include "machine/model/state.h"

static const struct sgx_secinfo *host_secinfo(uint64_t addr)
{
	return (const struct sgx_secinfo *)(uintptr_t)addr;
}

static bool secinfo_reserved(const struct sgx_secinfo *si)
{
	return (si->flags & SGX_SECINFO_RESERVED) ||
	       !all_zero(si->reserved, sizeof(si->reserved));
}

/* The SECS page of a valid page of an enclave; NONE for SECS and VA pages. */
static uint32_t child_secs(const struct mach_epcm *e, uint32_t flags)
{
	if (!(flags & EPCM_VALID) || epcm_is(flags, SGX_PT_SECS) ||
	    epcm_is(flags, SGX_PT_VA))
		return MACH_EPC_NONE;
	return epcm_secs(e);
}

/* Note the epoch in which a page changed, for track_done(): after the change,
 * so that whoever entered before it counts as one to wait for. */
static void epoch_stamp(struct mach *m, struct mach_epcm *e)
{
	struct mach_hidden *h = hidden_of(secs_of(m, epcm_secs(e)));

	__atomic_store_n(&e->epoch, track_epoch(track_load(h)),
			 __ATOMIC_RELAXED);
}

/* ---- EAUG -------------------------------------------------------------- */

static struct mach_result eaug_locked(struct mach *m,
				      const struct sgx_pageinfo *pi,
				      uint32_t secs, uint32_t n)
{
	struct sgx_secs *s = secs_of(m, secs);

	/* EPCM(RCX).VALID = 1: #PF. */
	if (epcm_flags(&m->epcm[n]) & EPCM_VALID)
		return res_kpf(mach_epc_addr(n));
	/* EPCM(SECS).VALID = 0 or PT != PT_SECS: #PF. */
	if (!epcm_is(epcm_flags(&m->epcm[secs]), SGX_PT_SECS))
		return res_kpf(pi->secs);
	/* The enclave is not initialised. */
	if (!secs_init(s))
		return res_gp();
	/* LINADDR is outside ELRANGE. */
	if (pi->linaddr - s->base >= s->size)
		return res_gp();
	if (!m->cfg.zeroed)
		zero_bytes(page_of(m, n), SGX_PAGE_SIZE);
	__atomic_fetch_add(&hidden_of(s)->children, 1, __ATOMIC_RELAXED);
	epcm_publish(&m->epcm[n], pi->linaddr, secs,
		     EPCM_R | EPCM_W | EPCM_PENDING | EPCM_PT(SGX_PT_REG));
	return res_ok();
}

/* PAGEINFO.SECINFO = 0 stands for REG, R and W; another must say the same.
 * Shadow-stack types need CET, which the model has not. */
static bool eaug_secinfo(const struct sgx_pageinfo *pi)
{
	const struct sgx_secinfo *si = host_secinfo(pi->secinfo);

	if (pi->secinfo == 0)
		return true;
	return !secinfo_reserved(si) &&
	       (si->flags & SGX_SECINFO_PT_MASK) ==
		       SGX_SECINFO_PT(SGX_PT_REG) &&
	       (si->flags & SGX_SECINFO_RWX) == (SGX_SECINFO_R | SGX_SECINFO_W);
}

static struct mach_result eaug(struct mach *m, const struct sgx_pageinfo *pi,
			       uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r;
	uint32_t secs;

	if (!(m->cfg.features & MACH_F_SGX2))
		return res_gp();
	/* RBX is not 32-byte aligned, RCX not 4 KiB aligned. */
	if (!aligned((uintptr_t)pi, 32) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* SRCPGE is not 0; SECS, LINADDR: 4 KiB; SECINFO: 64 bytes. */
	if (pi->srcpge != 0 || !aligned(pi->secs, SGX_PAGE_SIZE) ||
	    !aligned(pi->linaddr, SGX_PAGE_SIZE) || !aligned(pi->secinfo, 64))
		return res_gp();
	/* SECINFO, if there is one: reserved fields, type, rights. */
	if (!eaug_secinfo(pi))
		return res_gp();
	/* SECS does not resolve within the EPC. */
	secs = epc_of(m, pi->secs);
	if (secs == MACH_EPC_NONE)
		return res_kpf(pi->secs);
	/* The page, or the SECS, is in use by another leaf. */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	if (try_shared(&m->epcm[secs])) {
		r = eaug_locked(m, pi, secs, n);
		epcm_unlock(&m->epcm[secs], LOCK_SHARED);
	} else {
		r = res_gp();
	}
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return r;
}

struct mach_result mach_eaug(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc)
{
	return encls_done(m, SGX_EAUG, eaug(m, pi, epc));
}

/* ---- EMODPR ------------------------------------------------------------ */

static struct mach_result emodpr_locked(struct mach *m, uint64_t rwx,
					uint64_t epc, uint32_t n)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);

	/* PENDING or MODIFIED: SGX_PAGE_NOT_MODIFIABLE. */
	if (flags & (EPCM_PENDING | EPCM_MODIFIED))
		return res_code(SGX_PAGE_NOT_MODIFIABLE);
	/* EPCM(RCX).PT is not PT_REG: #PF. */
	if (!epcm_is(flags, SGX_PT_REG))
		return res_kpf(epc);
	/* The enclave is not initialised. */
	if (!secs_init(secs_of(m, epcm_secs(e))))
		return res_gp();
	__atomic_fetch_or(&e->flags, EPCM_PR, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&e->flags, ~EPCM_RWX | (uint32_t)rwx,
			   __ATOMIC_SEQ_CST);
	epoch_stamp(m, e);
	return res_ok();
}

static struct mach_result emodpr_shared(struct mach *m, uint64_t rwx,
					uint64_t epc, uint32_t n)
{
	struct mach_result r;

	/* EPCM(RCX).VALID = 0: #PF. */
	if (!(epcm_flags(&m->epcm[n]) & EPCM_VALID))
		return res_kpf(epc);
	/* In use by another SGX2 leaf: SGX_EPC_PAGE_CONFLICT. */
	if (!try_more(&m->epcm[n]))
		return res_code(SGX_EPC_PAGE_CONFLICT);
	r = emodpr_locked(m, rwx, epc, n);
	epcm_unlock(&m->epcm[n], LOCK_MORE);
	return r;
}

static struct mach_result emodpr(struct mach *m, const struct sgx_secinfo *si,
				 uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r;

	if (!(m->cfg.features & MACH_F_SGX2))
		return res_gp();
	/* RBX is not 64-byte aligned, RCX not 4 KiB aligned. */
	if (!aligned((uintptr_t)si, 64) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* SECINFO: reserved fields; W without R. */
	if (secinfo_reserved(si) ||
	    ((si->flags & SGX_SECINFO_W) && !(si->flags & SGX_SECINFO_R)))
		return res_gp();
	/* The page is in use by a leaf that needs it alone. */
	if (!try_shared(&m->epcm[n]))
		return res_gp();
	r = emodpr_shared(m, si->flags & SGX_SECINFO_RWX, epc, n);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_emodpr(struct mach *m, const struct sgx_secinfo *si,
			       uint64_t epc)
{
	return encls_done(m, SGX_EMODPR, emodpr(m, si, epc));
}

/* ---- EMODT ------------------------------------------------------------- */

/* REG to TCS or TRIM; TCS to TRIM. */
static bool emodt_from(uint32_t flags, uint32_t to)
{
	return epcm_is(flags, SGX_PT_REG) ||
	       (epcm_is(flags, SGX_PT_TCS) && to == SGX_PT_TRIM);
}

static struct mach_result emodt_locked(struct mach *m, uint32_t to,
				       uint64_t epc, uint32_t n)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);
	uint32_t want;

	/* PT is none that may become the new one: #PF. */
	if (!emodt_from(flags, to))
		return res_kpf(epc);
	/* PENDING or MODIFIED: SGX_PAGE_NOT_MODIFIABLE. */
	if (flags & (EPCM_PENDING | EPCM_MODIFIED))
		return res_code(SGX_PAGE_NOT_MODIFIABLE);
	/* The enclave is not initialised. */
	if (!secs_init(secs_of(m, epcm_secs(e))))
		return res_gp();
	/* EBLOCK may share the page: keep its bit. */
	do {
		want = (flags & (EPCM_VALID | EPCM_BLOCKED)) | EPCM_MODIFIED |
		       EPCM_PT(to);
	} while (!__atomic_compare_exchange_n(&e->flags, &flags, want, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	epoch_stamp(m, e);
	return res_ok();
}

static struct mach_result emodt_shared(struct mach *m, uint32_t to,
				       uint64_t epc, uint32_t n)
{
	struct mach_result r;

	/* EPCM(RCX).VALID = 0: #PF. */
	if (!(epcm_flags(&m->epcm[n]) & EPCM_VALID))
		return res_kpf(epc);
	/* In use by another SGX2 leaf: SGX_EPC_PAGE_CONFLICT. */
	if (!try_more(&m->epcm[n]))
		return res_code(SGX_EPC_PAGE_CONFLICT);
	r = emodt_locked(m, to, epc, n);
	epcm_unlock(&m->epcm[n], LOCK_MORE);
	return r;
}

static struct mach_result emodt(struct mach *m, const struct sgx_secinfo *si,
				uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r;
	uint32_t to;

	if (!(m->cfg.features & MACH_F_SGX2))
		return res_gp();
	/* RBX is not 64-byte aligned, RCX not 4 KiB aligned. */
	if (!aligned((uintptr_t)si, 64) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* SECINFO: reserved fields; PT is not PT_TCS or PT_TRIM. */
	to = epcm_pt((uint32_t)si->flags);
	if (secinfo_reserved(si) || (to != SGX_PT_TCS && to != SGX_PT_TRIM))
		return res_gp();
	/* In use by an SGX1 leaf: SGX_EPC_PAGE_CONFLICT. */
	if (!try_shared(&m->epcm[n]))
		return res_code(SGX_EPC_PAGE_CONFLICT);
	r = emodt_shared(m, to, epc, n);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_emodt(struct mach *m, const struct sgx_secinfo *si,
			      uint64_t epc)
{
	return encls_done(m, SGX_EMODT, emodt(m, si, epc));
}

/* ---- ETRACK ------------------------------------------------------------ */

static struct mach_result etrack_locked(struct mach *m, uint64_t secs,
					uint32_t n)
{
	struct mach_hidden *h;
	uint64_t t, next;

	/* EPCM(RCX).VALID = 0 or PT != PT_SECS: #PF. */
	if (!epcm_is(epcm_flags(&m->epcm[n]), SGX_PT_SECS))
		return res_kpf(secs);
	h = hidden_of(secs_of(m, n));
	t = track_load(h);
	do {
		/* Threads of the cycle before are still inside:
		 * SGX_PREV_TRK_INCMPL. */
		if (track_stale(t) != 0)
			return res_code(SGX_PREV_TRK_INCMPL);
		next = (uint64_t)(track_epoch(t) + 1) << 32 |
		       (uint64_t)track_fresh(t) << 16;
	} while (!__atomic_compare_exchange_n(&h->track, &t, next, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return res_ok();
}

static struct mach_result etrack(struct mach *m, uint64_t secs)
{
	uint32_t n = epc_of(m, secs);
	struct mach_result r;

	/* RCX is not 4 KiB aligned. */
	if (!aligned(secs, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(secs);
	/* The SECS is in use by another leaf. */
	if (!try_shared(&m->epcm[n]))
		return res_gp();
	r = etrack_locked(m, secs, n);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_etrack(struct mach *m, uint64_t secs)
{
	return encls_done(m, SGX_ETRACK, etrack(m, secs));
}

/* ---- EBLOCK ------------------------------------------------------------ */

static struct mach_result eblock_locked(struct mach *m, uint32_t n)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);

	/* EPCM(RCX).VALID = 0: SGX_PG_INVLD. */
	if (!(flags & EPCM_VALID))
		return res_code(SGX_PG_INVLD);
	/* PT is not PT_REG, PT_TCS or PT_TRIM: SGX_PG_IS_SECS for a SECS,
	 * SGX_NOTBLOCKABLE for others. */
	if (epcm_is(flags, SGX_PT_SECS))
		return res_code(SGX_PG_IS_SECS);
	if (epcm_is(flags, SGX_PT_VA))
		return res_code(SGX_NOTBLOCKABLE);
	/* Blocked already: SGX_BLKSTATE. */
	flags = __atomic_fetch_or(&e->flags, EPCM_BLOCKED, __ATOMIC_SEQ_CST);
	if (flags & EPCM_BLOCKED)
		return res_code(SGX_BLKSTATE);
	epoch_stamp(m, e);
	return res_ok();
}

static struct mach_result eblock(struct mach *m, uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r;

	/* RCX is not 4 KiB aligned. */
	if (!aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* The page is in use by another leaf: SGX_EPC_PAGE_CONFLICT. */
	if (!try_shared(&m->epcm[n]))
		return res_code(SGX_EPC_PAGE_CONFLICT);
	r = eblock_locked(m, n);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_eblock(struct mach *m, uint64_t epc)
{
	return encls_done(m, SGX_EBLOCK, eblock(m, epc));
}

/* ---- EREMOVE ----------------------------------------------------------- */

static struct mach_result eremove_child(struct mach *m, uint32_t n,
					uint32_t flags)
{
	struct mach_epcm *e = &m->epcm[n];
	struct mach_hidden *h = hidden_of(secs_of(m, epcm_secs(e)));

	/* Away first, then look who is inside: see state.h, order. */
	__atomic_store_n(&e->flags, 0, __ATOMIC_SEQ_CST);
	/* An accepted trim needs no more. Others: SGX_ENCLAVE_ACT while a
	 * thread is inside. */
	if (!(epcm_is(flags, SGX_PT_TRIM) && !(flags & EPCM_MODIFIED)) &&
	    track_threads(track_load(h)) != 0) {
		__atomic_store_n(&e->flags, flags, __ATOMIC_SEQ_CST);
		return res_code(SGX_ENCLAVE_ACT);
	}
	__atomic_fetch_sub(&h->children, 1, __ATOMIC_RELEASE);
	return res_ok();
}

static struct mach_result eremove_locked(struct mach *m, uint32_t n)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);
	struct mach_hidden *h;

	/* An unused page: nothing to do. */
	if (!(flags & EPCM_VALID))
		return res_ok();
	if (epcm_is(flags, SGX_PT_SECS)) {
		/* Pages of the enclave are left: SGX_CHILD_PRESENT. */
		h = hidden_of(secs_of(m, n));
		if (__atomic_load_n(&h->children, __ATOMIC_ACQUIRE) != 0)
			return res_code(SGX_CHILD_PRESENT);
	} else if (!epcm_is(flags, SGX_PT_VA)) {
		return eremove_child(m, n, flags);
	}
	__atomic_store_n(&e->flags, 0, __ATOMIC_SEQ_CST);
	return res_ok();
}

static struct mach_result eremove(struct mach *m, uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r;

	/* RCX is not 4 KiB aligned. */
	if (!aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* The page is in use by another leaf. */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	r = eremove_locked(m, n);
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return r;
}

struct mach_result mach_eremove(struct mach *m, uint64_t epc)
{
	return encls_done(m, SGX_EREMOVE, eremove(m, epc));
}

/* ---- EPA --------------------------------------------------------------- */

static struct mach_result epa(struct mach *m, uint64_t pt, uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	struct mach_result r = res_ok();

	/* RBX is not PT_VA, RCX not 4 KiB aligned. */
	if (pt != SGX_PT_VA || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* The page is in use by another leaf. */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	/* EPCM(RCX).VALID = 1: #PF. */
	if (epcm_flags(&m->epcm[n]) & EPCM_VALID) {
		r = res_kpf(epc);
	} else {
		zero_bytes(page_of(m, n), SGX_PAGE_SIZE);
		epcm_publish(&m->epcm[n], 0, MACH_EPC_NONE, EPCM_PT(SGX_PT_VA));
	}
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return r;
}

struct mach_result mach_epa(struct mach *m, uint64_t pt, uint64_t epc)
{
	return encls_done(m, SGX_EPA, epa(m, pt, epc));
}

/* ---- EDBGRD and EDBGWR ------------------------------------------------- */

#define TCS_READABLE 72u /* bytes of a TCS that a debugger sees */

static struct mach_result edbg_check(struct mach *m, uint64_t addr,
				     uint32_t flags, bool write)
{
	const struct mach_epcm *e = &m->epcm[epc_of(m, addr)];
	uint32_t off = addr & (SGX_PAGE_SIZE - 1);
	uint32_t secs = child_secs(e, flags);
	const struct sgx_secs *s;

	/* EPCM(RCX).VALID = 0: #PF. */
	if (!(flags & EPCM_VALID))
		return res_kpf(addr);
	/* A VA page may be read: occupied slots as ones, empty ones as 0. */
	if (epcm_is(flags, SGX_PT_VA) && !write)
		return res_ok();
	/* PT is not PT_REG or PT_TCS: #PF. */
	if (!epcm_is(flags, SGX_PT_REG) && !epcm_is(flags, SGX_PT_TCS))
		return res_kpf(addr);
	/* PENDING or MODIFIED: SGX_PAGE_NOT_DEBUGGABLE. */
	if (flags & (EPCM_PENDING | EPCM_MODIFIED))
		return res_code(SGX_PAGE_NOT_DEBUGGABLE);
	/* A TCS: reading past its fields, writing other than FLAGS. */
	if (epcm_is(flags, SGX_PT_TCS) &&
	    (write ? off != offsetof(struct sgx_tcs, flags)
		   : off >= TCS_READABLE))
		return res_gp();
	/* SECS.ATTRIBUTES.DEBUG = 0. */
	s = secs_of(m, secs);
	if (!(__atomic_load_n(&s->attributes.flags, __ATOMIC_ACQUIRE) &
	      SGX_ATTR_DEBUG))
		return res_gp();
	return res_ok();
}

static void edbg_do(struct mach *m, uint64_t addr, uint32_t flags,
		    uint64_t *val, bool write)
{
	uint8_t *at = page_of(m, epc_of(m, addr)) + (addr & 0xfff);
	uint64_t old;

	copy_bytes(&old, at, 8);
	if (!write) {
		*val = old;
		if (epcm_is(flags, SGX_PT_VA))
			*val = old & ~7ull ? ~0ull : 0;
		return;
	}
	/* Of TCS.FLAGS, a debugger sets DBGOPTIN. */
	if (epcm_is(flags, SGX_PT_TCS))
		old = (old & ~SGX_TCS_DBGOPTIN) | (*val & SGX_TCS_DBGOPTIN);
	else
		old = *val;
	copy_bytes(at, &old, 8);
}

static struct mach_result edbg(struct mach *m, uint64_t addr, uint64_t *val,
			       bool write)
{
	uint32_t n = epc_of(m, addr);
	struct mach_result r;
	uint32_t flags;

	/* RCX is not 8-byte aligned. */
	if (!aligned(addr, 8))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(addr);
	/* The page is in use by another leaf. */
	if (!try_shared(&m->epcm[n]))
		return res_gp();
	flags = epcm_flags(&m->epcm[n]);
	r = edbg_check(m, addr, flags, write);
	if (mach_ok(r))
		edbg_do(m, addr, flags, val, write);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_edbgrd(struct mach *m, uint64_t addr, uint64_t *out)
{
	return encls_done(m, SGX_EDBGRD, edbg(m, addr, out, false));
}

struct mach_result mach_edbgwr(struct mach *m, uint64_t addr, uint64_t val)
{
	return encls_done(m, SGX_EDBGWR, edbg(m, addr, &val, true));
}
