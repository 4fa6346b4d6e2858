/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building an enclave: ECREATE, EADD, EEXTEND (SDM 3D 38.3). The checks are in
 * the manual's order. Uses SHA-256, so vector registers.
 */
#include <string.h>

#include "machine/model/crypto.h"
#include "machine/model/state.h"

#define SECS_MIN_SIZE 0x2000u
#define SECS_RESERVED_OFF 262u /* after CONFIGSVN */

static const void *host(uint64_t addr)
{
	return (const void *)(uintptr_t)addr;
}

static bool secinfo_reserved(const struct sgx_secinfo *si)
{
	return (si->flags & SGX_SECINFO_RESERVED) ||
	       !all_zero(si->reserved, sizeof(si->reserved));
}

static uint64_t attributes_allowed(const struct mach_config *c)
{
	uint64_t a = SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT |
		     SGX_ATTR_PROVISIONKEY | SGX_ATTR_EINITTOKENKEY;

	if (c->features & MACH_F_KSS)
		a |= SGX_ATTR_KSS;
	if (c->features & MACH_F_AEXNOTIFY)
		a |= SGX_ATTR_AEXNOTIFY;
	return a;
}

/* Does an SSA frame hold XSAVE(XFRM), the MISC components and GPRSGX? */
static bool ssa_fits(const struct mach_config *c, const struct sgx_secs *s)
{
	uint64_t need = mach_xsave_size(c, s->attributes.xfrm);

	if (s->miscselect & SGX_MISC_EXINFO)
		need += sizeof(struct sgx_exinfo);
	need += sizeof(struct sgx_gprsgx);
	return (uint64_t)s->ssaframesize * SGX_PAGE_SIZE >= need;
}

static bool secs_range_legal(const struct mach_config *c,
			     const struct sgx_secs *s)
{
	bool mode64 = s->attributes.flags & SGX_ATTR_MODE64BIT;
	unsigned log2 = mode64 ? c->size_log2_64 : c->size_log2_32;

	/* SECS.BASE is canonical, or below 4 GiB in 32-bit mode. */
	if (mode64 ? !canonical(s->base) : s->base >> 32 != 0)
		return false;
	/* SECS.SIZE >= 2^(CPUID.12H.0:EDX). */
	if (s->size >> log2 != 0)
		return false;
	/* SECS.SIZE is at least two pages, and a power of two. */
	if (s->size < SECS_MIN_SIZE || (s->size & (s->size - 1)) != 0)
		return false;
	/* SECS.BASE is aligned on SECS.SIZE. */
	return (s->base & (s->size - 1)) == 0;
}

static bool secs_legal(const struct mach_config *c, const struct sgx_secs *s)
{
	uint32_t misc = c->features & MACH_F_EXINFO ? SGX_MISC_EXINFO : 0;

	/* XFRM[1:0] = 3 and XFRM would be a legal XCR0. */
	if (!xfrm_legal(c, s->attributes.xfrm))
		return false;
	/* MISCSELECT has supported bits only. */
	if (s->miscselect & ~misc)
		return false;
	/* SSAFRAMESIZE is large enough for what AEX stores. */
	if (!ssa_fits(c, s))
		return false;
	if (!secs_range_legal(c, s))
		return false;
	/* ATTRIBUTES has supported bits only; INIT is not among them. */
	if (s->attributes.flags & ~attributes_allowed(c))
		return false;
	/* Reserved fields are zero; CET's too, as there is no CET. */
	if (!all_zero(s->cet_leg_bitmap_offset, 24) ||
	    !all_zero(s->reserved2, sizeof(s->reserved2)) ||
	    !all_zero(s->reserved3, sizeof(s->reserved3)) ||
	    !all_zero((const uint8_t *)s + SECS_RESERVED_OFF,
		      SGX_PAGE_SIZE - SECS_RESERVED_OFF))
		return false;
	/* Without KSS, CONFIGID and CONFIGSVN are zero. */
	return (s->attributes.flags & SGX_ATTR_KSS) ||
	       (s->configsvn == 0 && all_zero(s->configid, 64));
}

static void secs_start(struct mach *m, struct sgx_secs *s)
{
	struct mach_hidden *h = hidden_of(s);
	struct measure_block b = { .tag = SGX_MEASURE_ECREATE };

	/* Fields that EINIT fills in start as zero. */
	memset(s->mrenclave, 0, sizeof(s->mrenclave));
	memset(s->mrsigner, 0, sizeof(s->mrsigner));
	s->isvprodid = 0;
	s->isvsvn = 0;
	h->eid = __atomic_fetch_add(&m->next_eid, 1, __ATOMIC_RELAXED);
	memcpy(b.data, &s->ssaframesize, 4);
	memcpy(b.data + 4, &s->size, 8);
	measure_start(h);
	measure_blocks(h, &b, 1);
}

static struct mach_result ecreate_locked(struct mach *m,
					 const struct sgx_pageinfo *pi,
					 uint64_t epc, uint32_t n)
{
	struct sgx_secs *s = secs_of(m, n);

	/* EPCM(RCX).VALID = 1: #PF. */
	if (epcm_flags(&m->epcm[n]) & EPCM_VALID)
		return res_kpf(epc);
	/* The SECS is copied into the EPC, and checked there. */
	memcpy(s, host(pi->srcpge), SGX_PAGE_SIZE);
	if (!secs_legal(&m->cfg, s)) {
		memset(s, 0, SGX_PAGE_SIZE);
		return res_gp();
	}
	secs_start(m, s);
	epcm_publish(&m->epcm[n], 0, n, EPCM_PT(SGX_PT_SECS));
	return res_ok();
}

static struct mach_result ecreate(struct mach *m, const struct sgx_pageinfo *pi,
				  uint64_t epc)
{
	const struct sgx_secinfo *si;
	struct mach_result r;
	uint32_t n = epc_of(m, epc);

	/* RBX is not 32-byte aligned, RCX not 4 KiB aligned. */
	if (!aligned((uintptr_t)pi, 32) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* SRCPGE is not 4 KiB aligned, SECINFO not 64-byte aligned. */
	if (!aligned(pi->srcpge, SGX_PAGE_SIZE) || !aligned(pi->secinfo, 64))
		return res_gp();
	/* LINADDR and SECS are not 0. */
	if (pi->linaddr != 0 || pi->secs != 0)
		return res_gp();
	/* SECINFO: reserved fields, PT is not PT_SECS. */
	si = host(pi->secinfo);
	if (secinfo_reserved(si) ||
	    (si->flags & SGX_SECINFO_PT_MASK) != SGX_SECINFO_PT(SGX_PT_SECS))
		return res_gp();
	/* The page is in use by another leaf. */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	r = ecreate_locked(m, pi, epc, n);
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return r;
}

struct mach_result mach_ecreate(struct mach *m, const struct sgx_pageinfo *pi,
				uint64_t epc)
{
	return encls_done(m, SGX_ECREATE, ecreate(m, pi, epc));
}

/* ---- EADD -------------------------------------------------------------- */

/* SDM EADD: checks on the content of a TCS. */
static bool tcs_addable(const struct sgx_secs *s, const struct sgx_tcs *t)
{
	/* Reserved fields are zero; without CET, its fields are reserved. */
	if (!all_zero(t->reserved, sizeof(t->reserved)) || t->ocetssa != 0 ||
	    t->prevssp != 0)
		return false;
	/* In 32-bit mode, FSLIMIT and GSLIMIT end on a page. */
	return (s->attributes.flags & SGX_ATTR_MODE64BIT) ||
	       ((t->fslimit & 0xfff) == 0xfff && (t->gslimit & 0xfff) == 0xfff);
}

/* A page of zeros to where there are zeros? */
static bool is_there(const struct mach *m, const void *src)
{
	const uint64_t *w = src;
	uint64_t any = 0;

	for (unsigned i = 0; m->cfg.zeroed && i < SGX_PAGE_SIZE / 8; i++)
		any |= w[i];
	return m->cfg.zeroed && !any;
}

static void eadd_commit(struct mach *m, const struct sgx_pageinfo *pi,
			uint32_t secs, uint32_t n)
{
	const struct sgx_secinfo *si = host(pi->secinfo);
	struct sgx_secs *s = secs_of(m, secs);
	struct measure_block b = { .tag = SGX_MEASURE_EADD };
	uint64_t off = pi->linaddr - s->base;
	uint64_t flags = si->flags;
	uint8_t *page = page_of(m, n);

	if (!is_there(m, host(pi->srcpge)))
		memcpy(page, host(pi->srcpge), SGX_PAGE_SIZE);
	if (epcm_pt((uint32_t)flags) == SGX_PT_TCS) {
		struct sgx_tcs *t = (struct sgx_tcs *)(void *)page;

		flags &= ~SGX_SECINFO_RWX;
		t->flags &= ~SGX_TCS_DBGOPTIN;
		t->cssa = 0;
		t->aep = 0;
		t->state = 0;
	}
	memcpy(b.data, &off, 8);
	memcpy(b.data + 8, &flags, 8);
	measure_blocks(hidden_of(s), &b, 1);
	__atomic_fetch_add(&hidden_of(s)->children, 1, __ATOMIC_RELAXED);
	epcm_publish(&m->epcm[n], pi->linaddr, secs,
		     (uint32_t)flags & (EPCM_RWX | EPCM_PT_MASK));
}

static struct mach_result eadd_locked(struct mach *m,
				      const struct sgx_pageinfo *pi,
				      uint32_t secs, uint32_t n)
{
	const struct sgx_secinfo *si = host(pi->secinfo);
	const struct sgx_secs *s = secs_of(m, secs);
	const struct sgx_tcs *t = host(pi->srcpge);

	/* EPCM(RCX).VALID = 1: #PF. */
	if (epcm_flags(&m->epcm[n]) & EPCM_VALID)
		return res_kpf(mach_epc_addr(n));
	/* EPCM(SECS).VALID = 0 or PT != PT_SECS: #PF. */
	if (!epcm_is(epcm_flags(&m->epcm[secs]), SGX_PT_SECS))
		return res_kpf(pi->secs);
	if (epcm_pt((uint32_t)si->flags) == SGX_PT_TCS) {
		/* TCS: reserved fields and limits. */
		if (!tcs_addable(s, t))
			return res_gp();
	} else if ((si->flags & SGX_SECINFO_W) &&
		   !(si->flags & SGX_SECINFO_R)) {
		/* REG: W without R. */
		return res_gp();
	}
	/* LINADDR is outside ELRANGE. */
	if (pi->linaddr - s->base >= s->size)
		return res_gp();
	/* The enclave is initialised. */
	if (secs_init(s))
		return res_gp();
	eadd_commit(m, pi, secs, n);
	return res_ok();
}

static struct mach_result eadd(struct mach *m, const struct sgx_pageinfo *pi,
			       uint64_t epc)
{
	uint32_t n = epc_of(m, epc);
	const struct sgx_secinfo *si;
	struct mach_result r;
	uint32_t pt, secs;

	/* RBX is not 32-byte aligned, RCX not 4 KiB aligned. */
	if (!aligned((uintptr_t)pi, 32) || !aligned(epc, SGX_PAGE_SIZE))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(epc);
	/* SRCPGE, SECS, LINADDR: 4 KiB; SECINFO: 64 bytes. */
	if (!aligned(pi->srcpge, SGX_PAGE_SIZE) ||
	    !aligned(pi->secs, SGX_PAGE_SIZE) || !aligned(pi->secinfo, 64) ||
	    !aligned(pi->linaddr, SGX_PAGE_SIZE))
		return res_gp();
	/* SECS does not resolve within the EPC. */
	secs = epc_of(m, pi->secs);
	if (secs == MACH_EPC_NONE)
		return res_kpf(pi->secs);
	/* SECINFO: reserved fields, PT is not PT_REG or PT_TCS. */
	si = host(pi->secinfo);
	pt = epcm_pt((uint32_t)si->flags);
	if (secinfo_reserved(si) || (pt != SGX_PT_REG && pt != SGX_PT_TCS))
		return res_gp();
	/* The page is in use; the SECS is, by EADD, EEXTEND or EINIT. */
	if (!try_excl(&m->epcm[n]))
		return res_gp();
	if (try_more(&m->epcm[secs])) {
		r = eadd_locked(m, pi, secs, n);
		epcm_unlock(&m->epcm[secs], LOCK_MORE);
	} else {
		r = res_gp();
	}
	epcm_unlock(&m->epcm[n], LOCK_EXCL);
	return r;
}

struct mach_result mach_eadd(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc)
{
	return encls_done(m, SGX_EADD, eadd(m, pi, epc));
}

/* ---- EEXTEND ----------------------------------------------------------- */

static struct mach_result eextend_locked(struct mach *m, uint64_t chunk,
					 uint32_t n, uint32_t secs)
{
	struct measure_block b[5] = { { .tag = SGX_MEASURE_EEXTEND } };
	struct sgx_secs *s = secs_of(m, secs);
	uint64_t at = chunk & (SGX_PAGE_SIZE - 1);
	uint64_t off = epcm_addr(&m->epcm[n]) - s->base + at;

	/* The enclave is initialised. */
	if (secs_init(s))
		return res_gp();
	memcpy(b[0].data, &off, 8);
	memcpy(&b[1], page_of(m, n) + at, SGX_EEXTEND_CHUNK);
	measure_blocks(hidden_of(s), b, 5);
	return res_ok();
}

static struct mach_result eextend_page(struct mach *m, uint64_t secs,
				       uint64_t chunk, uint32_t n)
{
	struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);
	struct mach_result r;
	uint32_t own;

	/* EPCM(RCX).VALID = 0, or PT is not PT_REG or PT_TCS: #PF. */
	if (!epcm_is(flags, SGX_PT_REG) && !epcm_is(flags, SGX_PT_TCS))
		return res_kpf(chunk);
	own = epcm_secs(e);
	/* The SECS is in use by EADD, EEXTEND or EINIT. */
	if (!try_more(&m->epcm[own]))
		return res_gp();
	/* RBX is not the SECS of the page. */
	r = secs == mach_epc_addr(own) ? eextend_locked(m, chunk, n, own)
				       : res_gp();
	epcm_unlock(&m->epcm[own], LOCK_MORE);
	return r;
}

static struct mach_result eextend(struct mach *m, uint64_t secs, uint64_t chunk)
{
	uint32_t n = epc_of(m, chunk);
	struct mach_result r;

	/* RBX is not 4 KiB aligned, RCX not 256-byte aligned. */
	if (!aligned(secs, SGX_PAGE_SIZE) || !aligned(chunk, SGX_EEXTEND_CHUNK))
		return res_gp();
	/* RBX, then RCX, does not resolve within the EPC. */
	if (epc_of(m, secs) == MACH_EPC_NONE)
		return res_kpf(secs);
	if (n == MACH_EPC_NONE)
		return res_kpf(chunk);
	/* The page is in use by another leaf. */
	if (!try_shared(&m->epcm[n]))
		return res_gp();
	r = eextend_page(m, secs, chunk, n);
	epcm_unlock(&m->epcm[n], LOCK_SHARED);
	return r;
}

struct mach_result mach_eextend(struct mach *m, uint64_t secs, uint64_t chunk)
{
	return encls_done(m, SGX_EEXTEND, eextend(m, secs, chunk));
}
