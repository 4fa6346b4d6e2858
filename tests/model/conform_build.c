/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: ECREATE EADD EEXTEND EINIT. */
#include <string.h>

#include <openssl/sha.h>

#include "conform_leaf.h"

/* ---- ECREATE ----------------------------------------------------------- */

static void ecreate_prepare(struct call *c)
{
	struct rig_spec s;

	rig_spec_default(&s, 0);
	c->secs = s.secs;
	c->si.flags = SGX_SECINFO_PT(SGX_PT_SECS);
	c->pi.srcpge = (uintptr_t)&c->src;
	c->pi.secinfo = (uintptr_t)&c->si;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = rig_epc(&c->rig);
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result ecreate_run(struct call *c)
{
	return mach_ecreate(c->rig.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void kss_configid(struct call *c)
{
	c->secs.attributes.flags |= SGX_ATTR_KSS;
	c->secs.configid[0] = 1;
	c->secs.configsvn = 1;
}

static void no_kss(struct call *c)
{
	c->rig.m->cfg.features &= ~MACH_F_KSS;
	c->secs.attributes.flags |= SGX_ATTR_KSS;
}

static void no_exinfo(struct call *c)
{
	c->rig.m->cfg.features &= ~MACH_F_EXINFO;
}

static void small_ssa(struct call *c)
{
	c->rig.m->cfg.xfrm |= 0x60000;
	c->secs.attributes.xfrm = 0x600e7;
	c->secs.ssaframesize = 2;
}

static void size_limit(struct call *c)
{
	c->rig.m->cfg.size_log2_64 = 18;
}

static void mode32_limit(struct call *c)
{
	c->secs.attributes.flags &= ~SGX_ATTR_MODE64BIT;
	c->rig.m->cfg.size_log2_32 = 18;
}

static void mode32_base(struct call *c)
{
	c->secs.attributes.flags &= ~SGX_ATTR_MODE64BIT;
	c->secs.base = 1ull << 32;
}

static void one_page(struct call *c)
{
	c->secs.size = SGX_PAGE_SIZE;
}

static const struct row ecreate_rows[] = {
	{ "a legal SECS", OK },
	{ "a legal SECS with KSS, CONFIGID and CONFIGSVN", OK,
	  .also = kss_configid },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP, POKE(pi.srcpge, 64) },
	{ "PAGEINFO.SECINFO is not 64-byte aligned", GP, POKE(pi.secinfo, 8) },
	{ "PAGEINFO.LINADDR is not 0", GP, POKE(pi.linaddr, 4096) },
	{ "PAGEINFO.SECS is not 0", GP, POKE(pi.secs, 4096) },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[8], 1) },
	{ "SECINFO.FLAGS.PT is not PT_SECS", GP,
	  POKE(si.flags, SGX_SECINFO_PT(SGX_PT_REG)) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_REG) } },
	{ "SECS.XFRM lacks x87 or SSE", GP, POKE(secs.attributes.xfrm, -1ll) },
	{ "SECS.XFRM has a component that the processor lacks", GP,
	  POKE(secs.attributes.xfrm, 1 << 9) },
	{ "SECS.XFRM has AVX-512 in part", GP,
	  POKE(secs.attributes.xfrm, -0x20ll) },
	{ "SECS.XFRM has AVX-512 without AVX", GP,
	  POKE(secs.attributes.xfrm, -4ll) },
	{ "SECS.MISCSELECT has an unknown bit", GP, POKE(secs.miscselect, 2) },
	{ "SECS.MISCSELECT.EXINFO on a processor without", GP,
	  .also = no_exinfo },
	{ "SECS.SSAFRAMESIZE is 0", GP, POKE(secs.ssaframesize, -1ll) },
	{ "SECS.SSAFRAMESIZE is too small for XFRM (AMX)", GP,
	  .also = small_ssa },
	{ "SECS.BASE is not canonical", GP, POKE(secs.base, 1ll << 47) },
	{ "32-bit: SECS.BASE is above 4 GiB", GP, .also = mode32_base },
	{ "SECS.SIZE is at the limit of CPUID.12H.0:EDX[15:8]", GP,
	  .also = size_limit },
	{ "32-bit: SECS.SIZE is at the limit of CPUID.12H.0:EDX[7:0]", GP,
	  .also = mode32_limit },
	{ "SECS.SIZE is 0", GP, POKE(secs.size, -0x40000ll) },
	{ "SECS.SIZE is one page", GP, .also = one_page },
	{ "SECS.SIZE is not a power of two", GP, POKE(secs.size, 4096) },
	{ "SECS.BASE is not aligned on SECS.SIZE", GP, POKE(secs.base, 4096) },
	{ "SECS.ATTRIBUTES has a reserved bit", GP,
	  POKE(secs.attributes.flags, 8) },
	{ "SECS.ATTRIBUTES.INIT is set", GP,
	  POKE(secs.attributes.flags, SGX_ATTR_INIT) },
	{ "SECS.ATTRIBUTES.CET is set (no CET here)", GP,
	  POKE(secs.attributes.flags, SGX_ATTR_CET) },
	{ "SECS.ATTRIBUTES.KSS on a processor without", GP, .also = no_kss },
	{ "SECS.CET_ATTRIBUTES is not 0", GP, POKE(secs.cet_attributes, 1) },
	{ "SECS has reserved bytes (after MRENCLAVE)", GP,
	  POKE(secs.reserved2[8], 1) },
	{ "SECS has reserved bytes (after MRSIGNER)", GP,
	  POKE(secs.reserved3[8], 1) },
	{ "SECS has reserved bytes (at the end)", GP, POKE(src[4088], 1) },
	{ "SECS.CONFIGID without KSS", GP, POKE(secs.configid, 1) },
	{ "SECS.CONFIGSVN without KSS", GP, POKE(secs.configsvn, 1) },
};

const struct leaf leaf_ecreate = { .name = "ECREATE",
				   .prepare = ecreate_prepare,
				   .run = ecreate_run,
				   LEAF_ROWS(ecreate_rows),
				   .scribbles = true };

/* ---- EADD -------------------------------------------------------------- */

static void eadd_prepare(struct call *c)
{
	memset(c->src, 0, sizeof(c->src));
	c->si.flags =
		SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W;
	c->pi.linaddr = rig_addr(1, RIG_DATA);
	c->pi.srcpge = (uintptr_t)&c->src;
	c->pi.secinfo = (uintptr_t)&c->si;
	c->pi.secs = rig_secs(&c->rig, 1);
	c->want_addr = c->pi.secs;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = rig_epc(&c->rig);
	c->role[ROLE_SECS] = c->rig.encl[1].secs;
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result eadd_run(struct call *c)
{
	return mach_eadd(c->rig.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void a_tcs(struct call *c)
{
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
	c->tcs.nssa = 1;
}

static void tcs_rwx(struct call *c)
{
	a_tcs(c);
	c->si.flags |= SGX_SECINFO_RWX;
}

static void tcs_reserved(struct call *c)
{
	a_tcs(c);
	c->tcs.reserved[4000] = 1;
}

static void tcs_cet(struct call *c)
{
	a_tcs(c);
	c->tcs.prevssp = 8;
}

static void tcs_mode32(struct call *c, uint32_t fslimit, uint32_t gslimit)
{
	a_tcs(c);
	secs_of(c->rig.m, c->role[ROLE_SECS])->attributes.flags &=
		~SGX_ATTR_MODE64BIT;
	c->tcs.fslimit = fslimit;
	c->tcs.gslimit = gslimit;
}

static void tcs_fslimit(struct call *c)
{
	tcs_mode32(c, 0xffe, 0xfff);
}

static void tcs_gslimit(struct call *c)
{
	tcs_mode32(c, 0xfff, 0xffe);
}

static void tcs_limits(struct call *c)
{
	tcs_mode32(c, 0xfff, 0xfff);
}

static void into_initialised(struct call *c)
{
	c->pi.secs = rig_secs(&c->rig, 0);
	c->pi.linaddr = rig_addr(0, RIG_FREE);
}

static void secs_is_reg(struct call *c)
{
	c->pi.secs = rig_page_addr(&c->rig, 0, RIG_DATA);
	c->want_addr = c->pi.secs;
}

static void secs_beyond(struct call *c)
{
	c->pi.secs += BEYOND;
	c->want_addr = c->pi.secs;
}

static const struct row eadd_rows[] = {
	{ "a PT_REG page", OK },
	{ "a PT_TCS page", OK, .also = a_tcs },
	{ "a PT_TCS page with R, W, X, which are ignored", OK,
	  .also = tcs_rwx },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP, POKE(pi.srcpge, 64) },
	{ "PAGEINFO.SECS is not 4 KiB aligned", GP, POKE(pi.secs, 64) },
	{ "PAGEINFO.SECINFO is not 64-byte aligned", GP, POKE(pi.secinfo, 8) },
	{ "PAGEINFO.LINADDR is not 4 KiB aligned", GP, POKE(pi.linaddr, 64) },
	{ "PAGEINFO.SECS does not resolve within the EPC", PF(ROLE_SECS),
	  .also = secs_beyond },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[48], 1) },
	{ "SECINFO.FLAGS.PT is PT_SECS", GP,
	  POKE(si.flags, -SGX_SECINFO_PT(SGX_PT_REG)) },
	{ "SECINFO.FLAGS.PT is PT_VA", GP, POKE(si.flags, SGX_SECINFO_PT(1)) },
	{ "SECINFO.FLAGS.PT is PT_TRIM", GP,
	  POKE(si.flags, SGX_SECINFO_PT(2)) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the SECS is in use by EADD, EEXTEND or EINIT", GP,
	  .tamper = { ROLE_SECS, .lock = LOCK_MORE } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_VA) } },
	{ "the SECS is not VALID", PF(ROLE_SECS),
	  .tamper = { ROLE_SECS, .clear = EPCM_VALID } },
	{ "PAGEINFO.SECS is no PT_SECS page", PF(ROLE_SECS),
	  .also = secs_is_reg },
	{ "TCS has reserved bytes", GP, .also = tcs_reserved },
	{ "TCS has CET fields (no CET here)", GP, .also = tcs_cet },
	{ "32-bit: TCS limits that end on pages", OK, .also = tcs_limits },
	{ "32-bit: TCS.FSLIMIT does not end on a page", GP,
	  .also = tcs_fslimit },
	{ "32-bit: TCS.GSLIMIT does not end on a page", GP,
	  .also = tcs_gslimit },
	{ "SECINFO.FLAGS has W without R", GP, POKE(si.flags, -1ll) },
	{ "PAGEINFO.LINADDR is below ELRANGE", GP,
	  POKE(pi.linaddr, -RIG_SIZE) },
	{ "PAGEINFO.LINADDR is above ELRANGE", GP, POKE(pi.linaddr, RIG_SIZE) },
	{ "the enclave is initialised", GP, .also = into_initialised },
};

const struct leaf leaf_eadd = { .name = "EADD",
				.prepare = eadd_prepare,
				.run = eadd_run,
				LEAF_ROWS(eadd_rows) };

/* ---- EEXTEND ----------------------------------------------------------- */

static void eextend_prepare(struct call *c)
{
	c->rbx = rig_secs(&c->rig, 1);
	c->rcx = rig_page_addr(&c->rig, 1, RIG_OPS) + 512;
	c->role[ROLE_RBX] = c->rig.encl[1].secs;
	c->role[ROLE_RCX] = rig_page_epc(&c->rig, 1, RIG_OPS);
}

static struct mach_result eextend_run(struct call *c)
{
	return mach_eextend(c->rig.m, c->rbx, c->rcx);
}

static void extend_initialised(struct call *c)
{
	c->rbx = rig_secs(&c->rig, 0);
	c->rcx = rig_page_addr(&c->rig, 0, RIG_OPS);
}

static void extend_tcs(struct call *c)
{
	c->rcx = rig_page_addr(&c->rig, 1, RIG_TCS0);
}

static void extend_other(struct call *c)
{
	c->rbx = rig_secs(&c->rig, 0);
}

static void extend_secs(struct call *c)
{
	c->rcx = c->rbx;
}

static const struct row eextend_rows[] = {
	{ "a chunk of a PT_REG page", OK },
	{ "a chunk of a PT_TCS page", OK, .also = extend_tcs },
	{ "RBX is not 4 KiB aligned", GP, POKE(rbx, 64) },
	{ "RCX is not 256-byte aligned", GP, POKE(rcx, 64) },
	{ "RBX does not resolve within the EPC", PF(ROLE_RBX),
	  POKE(rbx, BEYOND) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the EPC page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the page is not PT_REG or PT_TCS", PF(ROLE_RCX),
	  .also = extend_secs },
	{ "the SECS is in use by EADD, EEXTEND or EINIT", GP,
	  .tamper = { ROLE_RBX, .lock = LOCK_MORE } },
	{ "the enclave is initialised", GP, .also = extend_initialised },
	{ "RBX is not the SECS of the page", GP, .also = extend_other },
};

const struct leaf leaf_eextend = { .name = "EEXTEND",
				   .prepare = eextend_prepare,
				   .run = eextend_run,
				   LEAF_ROWS(eextend_rows) };

/* ---- EINIT ------------------------------------------------------------- */

static void einit_prepare(struct call *c)
{
	rig_sigstruct(&c->rig, 1, &c->sig);
	SHA256(c->sig.modulus, SGX_KEY_SIZE, c->lepubkeyhash);
	c->rbx = (uintptr_t)&c->sig;
	c->rcx = rig_secs(&c->rig, 1);
	c->rdx = (uintptr_t)&c->token;
	c->role[ROLE_RCX] = c->rig.encl[1].secs;
}

static struct mach_result einit_run(struct call *c)
{
	return mach_einit(c->rig.m, (void *)(uintptr_t)c->rbx, c->rcx,
			  (void *)(uintptr_t)c->rdx, c->lepubkeyhash);
}

static struct sgx_secs *einit_secs(struct call *c)
{
	return secs_of(c->rig.m, c->role[ROLE_RCX]);
}

static void sign_measurement(struct call *c)
{
	c->sig.enclavehash[0] ^= 1;
	rig_sign(&c->sig);
}

static void sign_attributes(struct call *c)
{
	c->sig.attributes.flags ^= SGX_ATTR_PROVISIONKEY;
	rig_sign(&c->sig);
}

static void sign_masked(struct call *c)
{
	c->sig.attributes.flags ^= SGX_ATTR_PROVISIONKEY;
	c->sig.attributemask.flags &= ~SGX_ATTR_PROVISIONKEY;
	rig_sign(&c->sig);
}

static void sign_xfrm(struct call *c)
{
	c->sig.attributes.xfrm = 3;
	rig_sign(&c->sig);
}

static void sign_misc(struct call *c)
{
	c->sig.miscselect = 0;
	rig_sign(&c->sig);
}

static void sign_ids(struct call *c)
{
	c->sig.isvextprodid[3] = 1;
	rig_sign(&c->sig);
}

static void ids_without_kss(struct call *c)
{
	einit_secs(c)->attributes.flags &= ~SGX_ATTR_KSS;
	sign_ids(c);
}

static void bad_q2(struct call *c)
{
	c->sig.q2[0] ^= 1;
}

static void bad_signature(struct call *c)
{
	c->sig.signature[100] ^= 1;
}

static void signature_too_large(struct call *c)
{
	memset(c->sig.signature, 0xff, sizeof(c->sig.signature));
}

static void body_changed(struct call *c)
{
	c->sig.isvsvn++;
}

static void other_signer(struct call *c)
{
	c->lepubkeyhash[0] ^= 1;
}

static void tokenkey(struct call *c)
{
	einit_secs(c)->attributes.flags |= SGX_ATTR_EINITTOKENKEY;
	rig_sigstruct(&c->rig, 1, &c->sig);
}

static void tokenkey_other(struct call *c)
{
	tokenkey(c);
	other_signer(c);
}

static void einit_again(struct call *c)
{
	c->rcx = rig_secs(&c->rig, 0);
	rig_sigstruct(&c->rig, 0, &c->sig);
}

static void einit_reg(struct call *c)
{
	c->rcx = rig_page_addr(&c->rig, 0, RIG_DATA);
}

/* A launch token as a launch enclave signed by lepubkeyhash would make it. */
static void token_sign(struct call *c)
{
	struct key_deps d = { .keyname = SGX_KEY_EINITTOKEN };
	uint8_t key[16];

	d.isvprodid = c->token.isvprodidle;
	d.isvsvn = c->token.isvsvnle;
	d.attributes = c->token.maskedattributesle;
	d.miscselect = c->token.maskedmiscselectle;
	memcpy(d.mrsigner, c->lepubkeyhash, 32);
	memcpy(d.cpusvn, c->token.cpusvnle, 16);
	memcpy(d.keyid, c->token.keyid, 32);
	key_derive(c->rig.m, &d, key);
	crypto_cmac(key, &c->token, offsetof(struct sgx_einittoken, cpusvnle),
		    c->token.mac);
}

static void token_make(struct call *c)
{
	other_signer(c);
	memset(&c->token, 0, sizeof(c->token));
	c->token.valid = 1;
	c->token.attributes = einit_secs(c)->attributes;
	memcpy(c->token.mrenclave, c->sig.enclavehash, 32);
	SHA256(c->sig.modulus, SGX_KEY_SIZE, c->token.mrsigner);
	memset(c->token.keyid, 9, sizeof(c->token.keyid));
	token_sign(c);
}

static void token_reserved(struct call *c)
{
	token_make(c);
	c->token.reserved2[0] = 1;
	token_sign(c);
}

static void token_mac(struct call *c)
{
	token_make(c);
	c->token.mac[0] ^= 1;
}

static void token_cpusvn(struct call *c)
{
	token_make(c);
	c->token.cpusvnle[0] = 0xff;
	token_sign(c);
}

static void token_measurement(struct call *c)
{
	token_make(c);
	c->token.mrenclave[0] ^= 1;
	token_sign(c);
}

static void token_signer(struct call *c)
{
	token_make(c);
	c->token.mrsigner[0] ^= 1;
	token_sign(c);
}

static void token_attributes(struct call *c)
{
	token_make(c);
	c->token.attributes.xfrm ^= 4;
	token_sign(c);
}

static void token_debug_le(struct call *c)
{
	einit_secs(c)->attributes.flags &= ~SGX_ATTR_DEBUG;
	rig_sigstruct(&c->rig, 1, &c->sig);
	token_make(c);
	c->token.maskedattributesle.flags = SGX_ATTR_DEBUG;
	token_sign(c);
}

static const struct row einit_rows[] = {
	{ "a signed enclave, its signer in IA32_SGXLEPUBKEYHASH", OK },
	{ "ISVEXTPRODID with KSS", OK, .also = sign_ids },
	{ "an attribute outside ATTRIBUTEMASK differs", OK,
	  .also = sign_masked },
	{ "EINITTOKENKEY, the signer in IA32_SGXLEPUBKEYHASH", OK,
	  .also = tokenkey },
	{ "another signer with a valid EINITTOKEN", OK, .also = token_make },
	{ "RBX is not 4 KiB aligned", GP, POKE(rbx, 64) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RDX is not 512-byte aligned", GP, POKE(rdx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "SIGSTRUCT.HEADER is wrong", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.header, 1) },
	{ "SIGSTRUCT.VENDOR is not 0 or 8086H", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.vendor, 1) },
	{ "SIGSTRUCT.HEADER2 is wrong", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.header2, 1) },
	{ "SIGSTRUCT.EXPONENT is not 3", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.exponent, 2) },
	{ "SIGSTRUCT has reserved bytes (44)", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.reserved1, 1) },
	{ "SIGSTRUCT has CET attributes (no CET here)",
	  CODE(SGX_INVALID_SIG_STRUCT), POKE(sig.cet_attributes, 1) },
	{ "SIGSTRUCT has reserved bytes (992)", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.reserved3, 1) },
	{ "SIGSTRUCT has reserved bytes (1028)", CODE(SGX_INVALID_SIG_STRUCT),
	  POKE(sig.reserved4, 1) },
	{ "SIGNATURE is not that of the key", CODE(SGX_INVALID_SIGNATURE),
	  .also = bad_signature },
	{ "SIGNATURE is not below MODULUS", CODE(SGX_INVALID_SIGNATURE),
	  .also = signature_too_large },
	{ "a signed field has changed", CODE(SGX_INVALID_SIGNATURE),
	  .also = body_changed },
	{ "Q1 is not floor(S^2 / N)", CODE(SGX_INVALID_SIGNATURE),
	  POKE(sig.q1, 1) },
	{ "Q2 is not floor((S^3 - Q1*S*N) / N)", CODE(SGX_INVALID_SIGNATURE),
	  .also = bad_q2 },
	{ "the SECS is in use by EADD, EEXTEND or EINIT", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the SECS is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "RCX is no PT_SECS page", PF(ROLE_RCX), .also = einit_reg },
	{ "ISVEXTPRODID or ISVFAMILYID without KSS",
	  CODE(SGX_INVALID_SIG_STRUCT), .also = ids_without_kss },
	{ "the enclave is initialised", GP, .also = einit_again },
	{ "MRENCLAVE is not ENCLAVEHASH", CODE(SGX_INVALID_MEASUREMENT),
	  .also = sign_measurement },
	{ "EINITTOKENKEY, the signer not in IA32_SGXLEPUBKEYHASH",
	  CODE(SGX_INVALID_ATTRIBUTE), .also = tokenkey_other },
	{ "ATTRIBUTES differ under ATTRIBUTEMASK", CODE(SGX_INVALID_ATTRIBUTE),
	  .also = sign_attributes },
	{ "XFRM differs under ATTRIBUTEMASK", CODE(SGX_INVALID_ATTRIBUTE),
	  .also = sign_xfrm },
	{ "MISCSELECT differs under MISCMASK", CODE(SGX_INVALID_ATTRIBUTE),
	  .also = sign_misc },
	{ "EINITTOKEN.VALID is 0, the signer not in IA32_SGXLEPUBKEYHASH",
	  CODE(SGX_INVALID_EINITTOKEN), .also = other_signer },
	{ "EINITTOKEN has reserved bytes", CODE(SGX_INVALID_EINITTOKEN),
	  .also = token_reserved },
	{ "EINITTOKEN of a debug launch enclave, the enclave not DEBUG",
	  CODE(SGX_INVALID_EINITTOKEN), .also = token_debug_le },
	{ "EINITTOKEN.CPUSVNLE is above the processor's",
	  CODE(SGX_INVALID_CPUSVN), .also = token_cpusvn },
	{ "EINITTOKEN.MAC is wrong", CODE(SGX_INVALID_EINITTOKEN),
	  .also = token_mac },
	{ "EINITTOKEN.MRENCLAVE is another's", CODE(SGX_INVALID_MEASUREMENT),
	  .also = token_measurement },
	{ "EINITTOKEN.MRSIGNER is another's", CODE(SGX_INVALID_ATTRIBUTE),
	  .also = token_signer },
	{ "EINITTOKEN.ATTRIBUTES are not the enclave's",
	  CODE(SGX_INVALID_ATTRIBUTE), .also = token_attributes },
};

const struct leaf leaf_einit = { .name = "EINIT",
				 .prepare = einit_prepare,
				 .run = einit_run,
				 LEAF_ROWS(einit_rows) };
