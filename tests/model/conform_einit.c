/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: EINIT. */
#include <string.h>

#include <openssl/sha.h>

#include "tests/model/conform_leaf.h"

static void einit_prepare(struct call *c)
{
	kit_sigstruct(&c->kit, 1, &c->sig);
	SHA256(c->sig.modulus, SGX_KEY_SIZE, c->lepubkeyhash);
	c->rbx = (uintptr_t)&c->sig;
	c->rcx = kit_secs(&c->kit, 1);
	c->rdx = (uintptr_t)&c->token;
	c->role[ROLE_RCX] = c->kit.encl[1].secs;
}

static struct mach_result einit_run(struct call *c)
{
	return mach_einit(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx,
			  (void *)(uintptr_t)c->rdx, c->lepubkeyhash);
}

static struct sgx_secs *einit_secs(struct call *c)
{
	return secs_of(c->kit.m, c->role[ROLE_RCX]);
}

static void sign_measurement(struct call *c)
{
	c->sig.enclavehash[0] ^= 1;
	kit_sign(&c->sig);
}

static void sign_attributes(struct call *c)
{
	c->sig.attributes.flags ^= SGX_ATTR_PROVISIONKEY;
	kit_sign(&c->sig);
}

static void sign_masked(struct call *c)
{
	c->sig.attributes.flags ^= SGX_ATTR_PROVISIONKEY;
	c->sig.attributemask.flags &= ~SGX_ATTR_PROVISIONKEY;
	kit_sign(&c->sig);
}

static void sign_xfrm(struct call *c)
{
	c->sig.attributes.xfrm = 3;
	kit_sign(&c->sig);
}

static void sign_misc(struct call *c)
{
	c->sig.miscselect = 0;
	kit_sign(&c->sig);
}

static void sign_ids(struct call *c)
{
	c->sig.isvextprodid[3] = 1;
	kit_sign(&c->sig);
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
	kit_sigstruct(&c->kit, 1, &c->sig);
}

static void tokenkey_other(struct call *c)
{
	tokenkey(c);
	other_signer(c);
}

static void einit_again(struct call *c)
{
	c->rcx = kit_secs(&c->kit, 0);
	kit_sigstruct(&c->kit, 0, &c->sig);
}

static void einit_reg(struct call *c)
{
	c->rcx = kit_page_addr(&c->kit, 0, KIT_DATA);
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
	key_derive(c->kit.m, &d, key);
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
	kit_sigstruct(&c->kit, 1, &c->sig);
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
