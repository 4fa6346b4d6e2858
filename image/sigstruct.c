/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGSTRUCT: written with a private key, and checked as EINIT checks it.
 *
 * The signature is PKCS #1 v1.5 with SHA-256 over bytes 0..127 and 900..1027.
 * Q1 and Q2 are quotients that save EINIT its divisions:
 *	q1 = S^2 / N,  q2 = S * (S^2 mod N) / N,  S^3 mod N = what is left.
 *
 * Source: SDM 3D, section SIGSTRUCT and the operation of EINIT.
 */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "image/internal.h"

#define SIGNED_1 offsetof(struct sgx_sigstruct, modulus)
#define SIGNED_2_OFF offsetof(struct sgx_sigstruct, miscselect)
#define SIGNED_2_END offsetof(struct sgx_sigstruct, reserved4)

_Static_assert(SIGNED_1 + SIGNED_2_END - SIGNED_2_OFF == EDMM_SIGNED_SIZE,
	       "what is signed");

static const uint8_t header[12] = SGX_SIGSTRUCT_HEADER;
static const uint8_t header2[16] = SGX_SIGSTRUCT_HEADER2;

/* DER of DigestInfo up to the hash, RFC 8017 section 9.2, note 1. */
static const uint8_t digest_info[19] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
					 0x09, 0x60, 0x86, 0x48, 0x01,
					 0x65, 0x03, 0x04, 0x02, 0x01,
					 0x05, 0x00, 0x04, 0x20 };

static int signed_hash(const struct sgx_sigstruct *sig, uint8_t hash[32])
{
	const uint8_t *p = (const uint8_t *)sig;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		 EVP_DigestUpdate(md, p, SIGNED_1) &&
		 EVP_DigestUpdate(md, p + SIGNED_2_OFF,
				  SIGNED_2_END - SIGNED_2_OFF) &&
		 EVP_DigestFinal_ex(md, hash, NULL);

	EVP_MD_CTX_free(md);
	return ok;
}

/* The numbers of one signature; powers holds q1, q2 and S^3 mod N. */
struct powers {
	BIGNUM *q1;
	BIGNUM *q2;
	BIGNUM *cube;
};

/* Wants S < N. BN_CTX frames give all the numbers back at once. */
static int compute_powers(const struct sgx_sigstruct *sig, struct powers *p,
			  BN_CTX *ctx)
{
	BIGNUM *n = BN_CTX_get(ctx), *s = BN_CTX_get(ctx);
	BIGNUM *product = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx);

	p->q1 = BN_CTX_get(ctx);
	p->q2 = BN_CTX_get(ctx);
	p->cube = BN_CTX_get(ctx);
	return p->cube && BN_lebin2bn(sig->modulus, SGX_KEY_SIZE, n) &&
	       BN_lebin2bn(sig->signature, SGX_KEY_SIZE, s) && !BN_is_zero(n) &&
	       BN_ucmp(s, n) < 0 && BN_sqr(product, s, ctx) &&
	       BN_div(p->q1, rest, product, n, ctx) &&
	       BN_mul(product, s, rest, ctx) &&
	       BN_div(p->q2, p->cube, product, n, ctx);
}

static int store_quotients(struct sgx_sigstruct *sig)
{
	BN_CTX *ctx = BN_CTX_new();
	struct powers p;
	int ok;

	if (!ctx)
		return 0;
	BN_CTX_start(ctx);
	ok = compute_powers(sig, &p, ctx) &&
	     BN_bn2lebinpad(p.q1, sig->q1, SGX_KEY_SIZE) == SGX_KEY_SIZE &&
	     BN_bn2lebinpad(p.q2, sig->q2, SGX_KEY_SIZE) == SGX_KEY_SIZE;
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return ok;
}

static void reverse(uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size / 2; i++) {
		uint8_t t = p[i];

		p[i] = p[size - 1 - i];
		p[size - 1 - i] = t;
	}
}

static int store_modulus(struct sgx_sigstruct *sig, EVP_PKEY *pkey)
{
	BIGNUM *n = NULL;
	int ok = EVP_PKEY_get_bn_param(pkey, "n", &n) > 0 &&
		 BN_bn2lebinpad(n, sig->modulus, SGX_KEY_SIZE) == SGX_KEY_SIZE;

	BN_free(n);
	return ok;
}

static int store_signature(struct sgx_sigstruct *sig, EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t size = SGX_KEY_SIZE;
	uint8_t hash[32];
	int ok;

	ok = ctx && signed_hash(sig, hash) && EVP_PKEY_sign_init(ctx) > 0 &&
	     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
	     EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
	     EVP_PKEY_sign(ctx, sig->signature, &size, hash, sizeof(hash)) >
		     0 &&
	     size == SGX_KEY_SIZE;
	EVP_PKEY_CTX_free(ctx);
	if (ok)
		reverse(sig->signature, SGX_KEY_SIZE);
	return ok;
}

static void fill_body(struct sgx_sigstruct *sig, const struct edmm_plan *plan,
		      const struct edmm_identity *id)
{
	memset(sig, 0, sizeof(*sig));
	memcpy(sig->header, header, sizeof(header));
	memcpy(sig->header2, header2, sizeof(header2));
	sig->date = id->date;
	sig->swdefined = id->swdefined;
	sig->exponent = 3;
	sig->miscmask = ~0u;
	if (plan->layout.flags & EDMM_LAYOUT_ELASTIC)
		sig->miscselect = SGX_MISC_EXINFO;
	else
		sig->miscmask &= ~SGX_MISC_EXINFO;
	sig->attributes.flags = SGX_ATTR_MODE64BIT;
	if (plan->layout.flags & EDMM_LAYOUT_DEBUG)
		sig->attributes.flags |= SGX_ATTR_DEBUG;
	sig->attributemask.flags = ~0ull;
	sig->attributes.xfrm = SGX_XFRM_LEGACY;
	sig->attributemask.xfrm = ~EDMM_XFRM_OPTIONAL;
	sig->isvprodid = id->isv_prod_id;
	sig->isvsvn = id->isv_svn;
}

edmm_err edmm_sign_begin(const struct edmm_plan *plan,
			 const struct edmm_identity *identity,
			 struct sgx_sigstruct *sig, struct edmm_diag *diag)
{
	fill_body(sig, plan, identity);
	if (edmm_plan_measure(plan, sig->enclavehash))
		return img_fail(diag, -EDMM_EIO,
				"measuring failed in the crypto library");
	return 0;
}

edmm_err edmm_sign(const struct edmm_plan *plan, const struct edmm_key *key,
		   const struct edmm_identity *identity,
		   struct sgx_sigstruct *sig, struct edmm_diag *diag)
{
	EVP_PKEY *pkey = img_key_pkey(key);
	edmm_err err = edmm_sign_begin(plan, identity, sig, diag);

	if (err)
		return err;
	if (!store_modulus(sig, pkey) || !store_signature(sig, pkey) ||
	    !store_quotients(sig))
		return img_fail(diag, -EDMM_EIO,
				"signing failed in the crypto library");
	return 0;
}

void edmm_sign_bytes(const struct sgx_sigstruct *sig,
		     uint8_t bytes[EDMM_SIGNED_SIZE])
{
	const uint8_t *p = (const uint8_t *)sig;

	memcpy(bytes, p, SIGNED_1);
	memcpy(bytes + SIGNED_1, p + SIGNED_2_OFF, SIGNED_2_END - SIGNED_2_OFF);
}

edmm_err edmm_sign_finish(struct sgx_sigstruct *sig, const struct edmm_key *key,
			  const uint8_t signature[SGX_KEY_SIZE],
			  struct edmm_diag *diag)
{
	memcpy(sig->signature, signature, SGX_KEY_SIZE);
	reverse(sig->signature, SGX_KEY_SIZE);
	if (!store_modulus(sig, img_key_pkey(key)))
		return img_fail(diag, -EDMM_EIO,
				"signing failed in the crypto library");
	/* Not below the modulus: verification tells. */
	if (!store_quotients(sig))
		memset(sig->q1, 0, sizeof(sig->q1));
	return edmm_sigstruct_verify(sig, diag);
}

/* ---- verification ------------------------------------------------------ */

static bool all_zero(const uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

/* The first field that EINIT would answer with SGX_INVALID_SIG_STRUCT. */
static const char *bad_field(const struct sgx_sigstruct *sig)
{
	if (memcmp(sig->header, header, sizeof(header)) || sig->type)
		return "HEADER";
	if (sig->vendor && sig->vendor != 0x8086)
		return "VENDOR";
	if (memcmp(sig->header2, header2, sizeof(header2)))
		return "HEADER2";
	if (sig->exponent != 3)
		return "EXPONENT (3 is wanted)";
	if (!all_zero(sig->reserved1, sizeof(sig->reserved1)) ||
	    !all_zero(sig->reserved2, sizeof(sig->reserved2)) ||
	    !all_zero(sig->reserved3, sizeof(sig->reserved3)) ||
	    !all_zero(sig->reserved4, sizeof(sig->reserved4)))
		return "reserved bytes (0 is wanted)";
	return NULL;
}

/* 00 01 FF..FF 00 DigestInfo hash, RFC 8017 section 9.2. */
static int padding_fits(const struct sgx_sigstruct *sig, const BIGNUM *cube)
{
	const size_t tail = sizeof(digest_info) + 32;
	uint8_t want[SGX_KEY_SIZE], have[SGX_KEY_SIZE];

	memset(want, 0xff, sizeof(want));
	want[0] = 0;
	want[1] = 1;
	want[SGX_KEY_SIZE - tail - 1] = 0;
	memcpy(want + SGX_KEY_SIZE - tail, digest_info, sizeof(digest_info));
	return signed_hash(sig, want + SGX_KEY_SIZE - 32) &&
	       BN_bn2binpad(cube, have, SGX_KEY_SIZE) == SGX_KEY_SIZE &&
	       !memcmp(want, have, SGX_KEY_SIZE);
}

static const char *bad_numbers(const struct sgx_sigstruct *sig, BN_CTX *ctx)
{
	uint8_t q[SGX_KEY_SIZE];
	struct powers p;

	if (!(sig->modulus[SGX_KEY_SIZE - 1] & 0x80))
		return "MODULUS (3072 bits are wanted)";
	if (!compute_powers(sig, &p, ctx))
		return "SIGNATURE (not below the modulus)";
	if (!padding_fits(sig, p.cube))
		return "SIGNATURE (not of this content by this key)";
	if (BN_bn2lebinpad(p.q1, q, SGX_KEY_SIZE) != SGX_KEY_SIZE ||
	    memcmp(q, sig->q1, SGX_KEY_SIZE))
		return "Q1";
	if (BN_bn2lebinpad(p.q2, q, SGX_KEY_SIZE) != SGX_KEY_SIZE ||
	    memcmp(q, sig->q2, SGX_KEY_SIZE))
		return "Q2";
	return NULL;
}

edmm_err edmm_sigstruct_verify(const struct sgx_sigstruct *sig,
			       struct edmm_diag *diag)
{
	const char *fault = bad_field(sig);
	BN_CTX *ctx;

	if (!fault) {
		ctx = BN_CTX_new();
		if (!ctx)
			return img_fail(diag, -EDMM_ENOMEM, "out of memory");
		BN_CTX_start(ctx);
		fault = bad_numbers(sig, ctx);
		BN_CTX_end(ctx);
		BN_CTX_free(ctx);
	}
	if (fault)
		return img_fail(diag, -EDMM_EKEYREJECTED,
				"SIGSTRUCT is invalid: %s", fault);
	return 0;
}

void edmm_mrsigner(const struct sgx_sigstruct *sig, uint8_t mrsigner[32])
{
	if (!EVP_Digest(sig->modulus, SGX_KEY_SIZE, mrsigner, NULL,
			EVP_sha256(), NULL))
		memset(mrsigner, 0, 32);
}
