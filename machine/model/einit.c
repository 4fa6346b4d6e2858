/* SPDX-License-Identifier: BSD-3-Clause */
/* EINIT (SDM 3D 38.3), checks in the manual's order. */
#include <string.h>

#include "machine/model/crypto.h"
#include "machine/model/keys.h"

#define VENDOR_INTEL 0x8086u
#define TOKEN_VALID 1u

/* What EINIT works on. */
struct einit {
	const struct sgx_sigstruct *sig;
	const struct sgx_einittoken *token;
	const uint8_t *lepubkeyhash;
	uint8_t mrenclave[32];
	uint8_t mrsigner[32];
};

static bool sig_header(const struct sgx_sigstruct *sig)
{
	static const uint8_t header[12] = SGX_SIGSTRUCT_HEADER;
	static const uint8_t header2[16] = SGX_SIGSTRUCT_HEADER2;

	/* HEADER, VENDOR, HEADER2. */
	if (memcmp(sig->header, header, sizeof(header)) != 0 ||
	    (sig->vendor != 0 && sig->vendor != VENDOR_INTEL) ||
	    memcmp(sig->header2, header2, sizeof(header2)) != 0)
		return false;
	/* EXPONENT is 3. Reserved fields; CET's, as there is no CET. */
	return sig->exponent == 3 &&
	       all_zero(sig->reserved1, sizeof(sig->reserved1)) &&
	       sig->cet_attributes == 0 && sig->cet_attributes_mask == 0 &&
	       all_zero(sig->reserved2, sizeof(sig->reserved2)) &&
	       all_zero(sig->reserved3, sizeof(sig->reserved3)) &&
	       all_zero(sig->reserved4, sizeof(sig->reserved4));
}

/* Attributes and MISCSELECT as the signer wants them. */
static bool sig_attributes(const struct sgx_secs *s,
			   const struct sgx_sigstruct *sig)
{
	const struct sgx_attributes want = sig->attributes;
	const struct sgx_attributes mask = sig->attributemask;

	return ((s->attributes.flags ^ want.flags) & mask.flags) == 0 &&
	       ((s->attributes.xfrm ^ want.xfrm) & mask.xfrm) == 0 &&
	       ((s->miscselect ^ sig->miscselect) & sig->miscmask) == 0;
}

/* ---- EINITTOKEN -------------------------------------------------------- */

static void token_key(const struct mach *m, const struct einit *x,
		      uint8_t key[16])
{
	struct key_deps d = { .keyname = SGX_KEY_EINITTOKEN };
	const struct sgx_einittoken *t = x->token;

	d.isvprodid = t->isvprodidle;
	d.isvsvn = t->isvsvnle;
	d.attributes = t->maskedattributesle;
	d.miscselect = t->maskedmiscselectle;
	memcpy(d.mrsigner, x->lepubkeyhash, sizeof(d.mrsigner));
	memcpy(d.cpusvn, t->cpusvnle, sizeof(d.cpusvn));
	memcpy(d.keyid, t->keyid, sizeof(d.keyid));
	memcpy(d.owner_epoch, m->cfg.owner_epoch, sizeof(d.owner_epoch));
	key_derive(m, &d, key);
}

static struct mach_result token_check(const struct mach *m,
				      const struct sgx_secs *s,
				      const struct einit *x)
{
	const struct sgx_einittoken *t = x->token;
	uint8_t key[16], mac[16];

	/* VALID = 0: only the signer of IA32_SGXLEPUBKEYHASH needs none. */
	if (!(t->valid & TOKEN_VALID))
		return memcmp(x->mrsigner, x->lepubkeyhash, 32) == 0
			       ? res_ok()
			       : res_code(SGX_INVALID_EINITTOKEN);
	/* Reserved fields. */
	if ((t->valid & ~TOKEN_VALID) ||
	    !all_zero(t->reserved1, sizeof(t->reserved1)) ||
	    !all_zero(t->reserved2, sizeof(t->reserved2)) ||
	    !all_zero(t->reserved3, sizeof(t->reserved3)) ||
	    !all_zero(t->reserved4, sizeof(t->reserved4)) ||
	    t->cet_masked_attributes_le != 0)
		return res_code(SGX_INVALID_EINITTOKEN);
	/* A debug launch enclave launches debug enclaves only. */
	if ((t->maskedattributesle.flags & SGX_ATTR_DEBUG) &&
	    !(s->attributes.flags & SGX_ATTR_DEBUG))
		return res_code(SGX_INVALID_EINITTOKEN);
	/* CPUSVN of the launch enclave. */
	if (!key_cpusvn_known(m, t->cpusvnle))
		return res_code(SGX_INVALID_CPUSVN);
	token_key(m, x, key);
	crypto_cmac(key, t, offsetof(struct sgx_einittoken, cpusvnle), mac);
	if (memcmp(mac, t->mac, sizeof(mac)) != 0)
		return res_code(SGX_INVALID_EINITTOKEN);
	/* The token is for this enclave, signer and attributes. */
	if (memcmp(t->mrenclave, x->mrenclave, 32) != 0)
		return res_code(SGX_INVALID_MEASUREMENT);
	if (memcmp(t->mrsigner, x->mrsigner, 32) != 0 ||
	    t->attributes.flags != s->attributes.flags ||
	    t->attributes.xfrm != s->attributes.xfrm)
		return res_code(SGX_INVALID_ATTRIBUTE);
	return res_ok();
}

/* ---- EINIT ------------------------------------------------------------- */

static void einit_commit(struct sgx_secs *s, const struct einit *x)
{
	struct mach_hidden *h = hidden_of(s);

	memcpy(s->mrenclave, x->mrenclave, sizeof(s->mrenclave));
	memcpy(s->mrsigner, x->mrsigner, sizeof(s->mrsigner));
	s->isvprodid = x->sig->isvprodid;
	s->isvsvn = x->sig->isvsvn;
	if (s->attributes.flags & SGX_ATTR_KSS) {
		memcpy(h->isvfamilyid, x->sig->isvfamilyid, 16);
		memcpy(h->isvextprodid, x->sig->isvextprodid, 16);
	}
	__atomic_fetch_or(&s->attributes.flags, SGX_ATTR_INIT,
			  __ATOMIC_SEQ_CST);
}

static struct mach_result einit_secs(struct mach *m, struct einit *x,
				     uint64_t secs, uint32_t n)
{
	struct sgx_secs *s = secs_of(m, n);
	struct mach_result r;

	/* EPCM(RCX).VALID = 0 or PT != PT_SECS: #PF. */
	if (!epcm_is(epcm_flags(&m->epcm[n]), SGX_PT_SECS))
		return res_kpf(secs);
	/* FAMILYID and EXTPRODID without KSS: SGX_INVALID_SIG_STRUCT. */
	if (!(s->attributes.flags & SGX_ATTR_KSS) &&
	    (!all_zero(x->sig->isvfamilyid, 16) ||
	     !all_zero(x->sig->isvextprodid, 16)))
		return res_code(SGX_INVALID_SIG_STRUCT);
	/* The enclave is initialised already. */
	if (secs_init(s))
		return res_gp();
	/* MRENCLAVE is not ENCLAVEHASH: SGX_INVALID_MEASUREMENT. */
	measure_final(hidden_of(s), x->mrenclave);
	if (memcmp(x->mrenclave, x->sig->enclavehash, 32) != 0)
		return res_code(SGX_INVALID_MEASUREMENT);
	/* Controlled attributes (EINITTOKENKEY) are for the signer of
	 * IA32_SGXLEPUBKEYHASH: SGX_INVALID_ATTRIBUTE. */
	if ((s->attributes.flags & SGX_ATTR_EINITTOKENKEY) &&
	    memcmp(x->mrsigner, x->lepubkeyhash, 32) != 0)
		return res_code(SGX_INVALID_ATTRIBUTE);
	/* ATTRIBUTES and MISCSELECT differ where the masks say that they must
	 * not: SGX_INVALID_ATTRIBUTE. */
	if (!sig_attributes(s, x->sig))
		return res_code(SGX_INVALID_ATTRIBUTE);
	r = token_check(m, s, x);
	if (mach_ok(r))
		einit_commit(s, x);
	return r;
}

static struct mach_result einit(struct mach *m, struct einit *x, uint64_t secs)
{
	uint32_t n = epc_of(m, secs);
	struct mach_result r;

	/* RBX: 4 KiB, RCX: 4 KiB, RDX: 512 bytes. */
	if (!aligned((uintptr_t)x->sig, SGX_PAGE_SIZE) ||
	    !aligned(secs, SGX_PAGE_SIZE) || !aligned((uintptr_t)x->token, 512))
		return res_gp();
	/* RCX does not resolve within the EPC. */
	if (n == MACH_EPC_NONE)
		return res_kpf(secs);
	/* SIGSTRUCT's fixed fields: SGX_INVALID_SIG_STRUCT. */
	if (!sig_header(x->sig))
		return res_code(SGX_INVALID_SIG_STRUCT);
	/* The signature, with Q1 and Q2: SGX_INVALID_SIGNATURE. */
	if (!crypto_sigstruct(x->sig))
		return res_code(SGX_INVALID_SIGNATURE);
	crypto_sha256(x->sig->modulus, SGX_KEY_SIZE, x->mrsigner);
	/* The SECS is in use by EADD, EEXTEND or EINIT. */
	if (!try_more(&m->epcm[n]))
		return res_gp();
	r = einit_secs(m, x, secs, n);
	epcm_unlock(&m->epcm[n], LOCK_MORE);
	return r;
}

struct mach_result mach_einit(struct mach *m, const void *sig, uint64_t secs,
			      const void *token, const uint8_t lepubkeyhash[32])
{
	struct einit x = { .sig = sig,
			   .token = token,
			   .lepubkeyhash = lepubkeyhash };

	return encls_done(m, SGX_EINIT, einit(m, &x, secs));
}
