/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eviction: EWB, ELDB, ELDU (SDM 3D 38.3), checks in the manual's order, with
 * real AES-GCM: the version in the VA slot is the nonce, and PCMD (rights,
 * type, states, enclave) and the address are authenticated.
 */
#include <string.h>

#include "machine/model/crypto.h"
#include "machine/model/state.h"

#define SECINFO_STATES                                                  \
	(SGX_SECINFO_RWX | SGX_SECINFO_PENDING | SGX_SECINFO_MODIFIED | \
	 SGX_SECINFO_PR | SGX_SECINFO_PT_MASK)

/* What the MAC covers next to the page. */
struct mac_header {
	uint64_t linaddr;
	uint64_t enclaveid;
	uint8_t reserved[48]; /* PCMD's 40, and 8 */
	struct sgx_secinfo secinfo;
};

_Static_assert(sizeof(struct mac_header) == 128, "no hidden bytes");

static void page_key(const struct mach *m, uint8_t key[16])
{
	static const char label[] = "edmm paging key";

	crypto_cmac(m->cfg.secret, label, sizeof(label), key);
}

static void seal_setup(struct page_seal *s, const uint8_t key[16],
		       const struct mac_header *h, uint64_t version)
{
	memset(s, 0, sizeof(*s));
	s->key = key;
	s->aad = h;
	s->aad_size = sizeof(*h);
	memcpy(s->iv, &version, sizeof(version));
}

static uint64_t *va_slot(const struct mach *m, uint64_t va)
{
	return (uint64_t *)(void *)(page_of(m, epc_of(m, va)) +
				    (va & (SGX_PAGE_SIZE - 1)));
}

static uint8_t *host(uint64_t addr)
{
	return (uint8_t *)(uintptr_t)addr;
}

/* ---- operands, the same for EWB and ELD --------------------------------- */

static struct mach_result swap_operands(const struct mach *m,
					const struct sgx_pageinfo *pi,
					uint64_t epc, uint64_t va)
{
	/* RBX: 32 bytes, RCX: 4 KiB. */
	if (!aligned((uintptr_t)pi, 32) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (epc_of(m, epc) == MACH_EPC_NONE)
		return res_kpf(epc);
	/* RDX: 8 bytes; does not resolve within the EPC. */
	if (!aligned(va, 8))
		return res_gp();
	if (epc_of(m, va) == MACH_EPC_NONE)
		return res_kpf(va);
	/* They are one page. */
	if (epc_of(m, epc) == epc_of(m, va))
		return res_gp();
	/* SRCPGE: 4 KiB, PCMD: 128 bytes. */
	if (!aligned(pi->srcpge, SGX_PAGE_SIZE) || !aligned(pi->secinfo, 128))
		return res_gp();
	return res_ok();
}

/* Locks the page for itself and the VA page with others. */
static struct mach_result swap_lock(struct mach *m, uint32_t n, uint32_t va)
{
	/* In use by another leaf: #GP (the C variants have a code). */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	if (try_shared(&m->epcm[va]))
		return res_ok();
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return res_gp();
}

static void swap_unlock(struct mach *m, uint32_t n, uint32_t va)
{
	epcm_unlock(&m->epcm[va], LOCK_SHARED);
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
}

/* The VA page is not VALID or not PT_VA: #PF(RDX). */
static struct mach_result swap_va(const struct mach *m, uint64_t va)
{
	uint32_t n = epc_of(m, va);

	if (epcm_is(epcm_flags(&m->epcm[n]), SGX_PT_VA))
		return res_ok();
	return res_kpf(mach_epc_addr(n));
}

/* ---- EWB --------------------------------------------------------------- */

/* May the page go? */
static struct mach_result ewb_allowed(struct mach *m, uint32_t n)
{
	const struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);
	struct mach_hidden *h;

	switch (epcm_pt(flags)) {
	case SGX_PT_SECS:
		/* Pages of the enclave are in the EPC: SGX_CHILD_PRESENT. */
		h = hidden_of(secs_of(m, n));
		if (__atomic_load_n(&h->children, __ATOMIC_ACQUIRE) != 0)
			return res_code(SGX_CHILD_PRESENT);
		return res_ok();
	case SGX_PT_VA:
		return res_ok();
	default:
		/* BLOCKED = 0: SGX_PAGE_NOT_BLOCKED. */
		if (!(flags & EPCM_BLOCKED))
			return res_code(SGX_PAGE_NOT_BLOCKED);
		/* Tracking is not complete: SGX_NOT_TRACKED. */
		if (!mach_tracked(m, n))
			return res_code(SGX_NOT_TRACKED);
		return res_ok();
	}
}

static void pcmd_of(const struct mach *m, uint32_t n, struct mac_header *h)
{
	const struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);

	memset(h, 0, sizeof(*h));
	h->secinfo.flags = flags & SECINFO_STATES;
	/* SECS and VA pages have no parent: 0. */
	if (epcm_pt(flags) != SGX_PT_SECS && epcm_pt(flags) != SGX_PT_VA) {
		h->linaddr = epcm_addr(e);
		h->enclaveid = hidden_of(secs_of(m, epcm_secs(e)))->eid;
	}
}

static void ewb_commit(struct mach *m, struct sgx_pageinfo *pi, uint32_t n,
		       const struct mac_header *h)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t pt = epcm_pt(epcm_flags(e));

	pi->linaddr = h->linaddr;
	if (pt != SGX_PT_SECS && pt != SGX_PT_VA)
		__atomic_fetch_sub(
			&hidden_of(secs_of(m, epcm_secs(e)))->children, 1,
			__ATOMIC_RELEASE);
	__atomic_store_n(&e->flags, 0, __ATOMIC_SEQ_CST);
}

static struct mach_result ewb_locked(struct mach *m, struct sgx_pageinfo *pi,
				     uint32_t n, uint64_t va)
{
	struct sgx_pcmd *pcmd = (void *)host(pi->secinfo);
	struct mach_result r;
	uint64_t version;
	struct mac_header h;
	struct page_seal s;
	uint8_t key[16];

	/* EPCM(RCX).VALID = 0: #PF. */
	if (!(epcm_flags(&m->epcm[n]) & EPCM_VALID))
		return res_kpf(mach_epc_addr(n));
	r = swap_va(m, va);
	if (mach_ok(r))
		r = ewb_allowed(m, n);
	if (!mach_ok(r))
		return r;
	version = __atomic_fetch_add(&m->next_version, 1, __ATOMIC_RELAXED);
	page_key(m, key);
	pcmd_of(m, n, &h);
	seal_setup(&s, key, &h, version);
	if (!crypto_seal(&s, page_of(m, n), host(pi->srcpge)))
		return res_code(SGX_EPC_PAGE_CONFLICT);
	memset(pcmd, 0, sizeof(*pcmd));
	pcmd->secinfo = h.secinfo;
	pcmd->enclaveid = h.enclaveid;
	memcpy(pcmd->mac, s.mac, sizeof(pcmd->mac));
	/* The slot was taken: SGX_VA_SLOT_OCCUPIED, but the page goes, and the
	 * version that was there is lost. */
	if (__atomic_exchange_n(va_slot(m, va), version, __ATOMIC_SEQ_CST))
		r = res_code(SGX_VA_SLOT_OCCUPIED);
	ewb_commit(m, pi, n, &h);
	return r;
}

static struct mach_result ewb(struct mach *m, struct sgx_pageinfo *pi,
			      uint64_t epc, uint64_t va)
{
	struct mach_result r = swap_operands(m, pi, epc, va);

	if (!mach_ok(r))
		return r;
	/* PAGEINFO.LINADDR or SECS is not 0. */
	if (pi->linaddr != 0 || pi->secs != 0)
		return res_gp();
	r = swap_lock(m, epc_of(m, epc), epc_of(m, va));
	if (!mach_ok(r))
		return r;
	r = ewb_locked(m, pi, epc_of(m, epc), va);
	swap_unlock(m, epc_of(m, epc), epc_of(m, va));
	return r;
}

struct mach_result mach_ewb(struct mach *m, struct sgx_pageinfo *pi,
			    uint64_t epc, uint64_t va)
{
	return encls_done(m, SGX_EWB, ewb(m, pi, epc, va));
}

/* ---- ELDB and ELDU ----------------------------------------------------- */

/* The SECS that PAGEINFO names, for a page that has one. */
static struct mach_result eld_secs(const struct mach *m,
				   const struct sgx_pageinfo *pi, uint32_t pt,
				   uint32_t *secs)
{
	*secs = MACH_EPC_NONE;
	/* Others have none, and PAGEINFO.SECS is not looked at. */
	if (pt != SGX_PT_REG && pt != SGX_PT_TCS && pt != SGX_PT_TRIM)
		return res_ok();
	/* SECS is not 4 KiB aligned; does not resolve within the EPC; is not
	 * VALID or PT_SECS. */
	if (!aligned(pi->secs, SGX_PAGE_SIZE))
		return res_gp();
	*secs = secs_operand(m, pi->secs);
	return *secs == MACH_EPC_NONE ? res_kpf(pi->secs) : res_ok();
}

/* One page on its way back. */
struct eld {
	const struct sgx_pageinfo *pi;
	uint32_t n;    /* to this page */
	uint32_t secs; /* of this enclave; NONE for SECS and VA pages */
	uint64_t va;
	bool blocked;
};

static void eld_commit(struct mach *m, const struct eld *l, uint32_t flags)
{
	struct mach_epcm *e = &m->epcm[l->n];
	struct mach_hidden *own;

	if (l->secs == MACH_EPC_NONE) {
		epcm_publish(e, 0,
			     epcm_pt(flags) == SGX_PT_SECS ? l->n
							   : MACH_EPC_NONE,
			     flags);
		return;
	}
	own = hidden_of(secs_of(m, l->secs));
	__atomic_fetch_add(&own->children, 1, __ATOMIC_RELAXED);
	epcm_publish(e, l->pi->linaddr, l->secs,
		     flags | (l->blocked ? EPCM_BLOCKED : 0));
	/* It could leave only tracked: it is so when it comes back. */
	__atomic_store_n(&e->epoch, track_epoch(track_load(own)) - 2,
			 __ATOMIC_RELAXED);
}

/* The page and the VA page are locked; so is the SECS, if there is one. */
static struct mach_result eld_open(struct mach *m, const struct eld *l)
{
	const struct sgx_pcmd *pcmd = (const void *)host(l->pi->secinfo);
	uint64_t *slot = va_slot(m, l->va);
	uint64_t version = __atomic_load_n(slot, __ATOMIC_SEQ_CST);
	struct mac_header h = { .linaddr = l->pi->linaddr,
				.secinfo = pcmd->secinfo };
	struct page_seal s;
	uint8_t key[16];

	if (l->secs != MACH_EPC_NONE)
		h.enclaveid = hidden_of(secs_of(m, l->secs))->eid;
	copy_bytes(h.reserved, pcmd->reserved, sizeof(pcmd->reserved));
	page_key(m, key);
	seal_setup(&s, key, &h, version);
	memcpy(s.mac, pcmd->mac, sizeof(s.mac));
	/* Another page, address, state, enclave or version, or none:
	 * SGX_MAC_COMPARE_FAIL. */
	if (version == 0 ||
	    !crypto_open(&s, host(l->pi->srcpge), page_of(m, l->n)))
		return res_code(SGX_MAC_COMPARE_FAIL);
	/* The slot has changed meanwhile. */
	if (!__atomic_compare_exchange_n(slot, &version, 0, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return res_gp();
	eld_commit(m, l, (uint32_t)h.secinfo.flags);
	return res_ok();
}

static struct mach_result eld_locked(struct mach *m, struct eld *l)
{
	const struct sgx_pcmd *pcmd = (const void *)host(l->pi->secinfo);
	uint32_t pt = epcm_pt((uint32_t)pcmd->secinfo.flags);
	struct mach_result r;

	/* EPCM(RCX).VALID = 1: #PF. */
	if (epcm_flags(&m->epcm[l->n]) & EPCM_VALID)
		return res_kpf(mach_epc_addr(l->n));
	r = swap_va(m, l->va);
	if (!mach_ok(r))
		return r;
	r = eld_secs(m, l->pi, pt, &l->secs);
	if (!mach_ok(r))
		return r;
	if (l->secs == MACH_EPC_NONE)
		return eld_open(m, l);
	/* The SECS is in use by another leaf. */
	if (!try_shared(&m->epcm[l->secs]))
		return res_gp();
	/* It may have gone before it was locked. */
	if (epcm_is(epcm_flags(&m->epcm[l->secs]), SGX_PT_SECS))
		r = eld_open(m, l);
	else
		r = res_kpf(l->pi->secs);
	epcm_unlock(&m->epcm[l->secs], LOCK_SHARED);
	return r;
}

static struct mach_result eld(struct mach *m, struct eld *l, uint64_t epc)
{
	struct mach_result r = swap_operands(m, l->pi, epc, l->va);
	uint32_t va = epc_of(m, l->va);

	if (!mach_ok(r))
		return r;
	l->n = epc_of(m, epc);
	r = swap_lock(m, l->n, va);
	if (!mach_ok(r))
		return r;
	r = eld_locked(m, l);
	swap_unlock(m, l->n, va);
	return r;
}

struct mach_result mach_eldu(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc, uint64_t va)
{
	struct eld l = { .pi = pi, .va = va };

	return encls_done(m, SGX_ELDU, eld(m, &l, epc));
}

/* ELDB leaves a page of an enclave blocked. */
struct mach_result mach_eldb(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc, uint64_t va)
{
	struct eld l = { .pi = pi, .va = va, .blocked = true };

	return encls_done(m, SGX_ELDB, eld(m, &l, epc));
}
