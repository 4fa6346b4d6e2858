/* SPDX-License-Identifier: BSD-3-Clause */
/* The model's cryptography on libcrypto; see crypto.h. */

/* The low-level SHA-256 and AES calls are the ones with plain, copyable state
 * and no allocation, which the model needs; OpenSSL 3 calls them deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "machine/model/crypto.h"

#include <openssl/aes.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

/* ---- SHA-256 ----------------------------------------------------------- */

static void sha_load(SHA256_CTX *c, const struct mach_hidden *h)
{
	uint64_t bits = h->blocks * 512;

	SHA256_Init(c);
	memcpy(c->h, h->hash, sizeof(h->hash));
	c->Nl = (SHA_LONG)bits;
	c->Nh = (SHA_LONG)(bits >> 32);
}

void measure_start(struct mach_hidden *h)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	memcpy(h->hash, c.h, sizeof(h->hash));
	h->blocks = 0;
}

void measure_blocks(struct mach_hidden *h, const struct measure_block *b,
		    unsigned count)
{
	SHA256_CTX c;

	sha_load(&c, h);
	SHA256_Update(&c, b, sizeof(*b) * count);
	memcpy(h->hash, c.h, sizeof(h->hash));
	h->blocks += count;
}

void measure_final(const struct mach_hidden *h, uint8_t digest[32])
{
	SHA256_CTX c;

	sha_load(&c, h);
	SHA256_Final(digest, &c);
}

void crypto_sha256(const void *p, size_t n, uint8_t digest[32])
{
	SHA256(p, n, digest);
}

/* ---- AES-CMAC, RFC 4493 ------------------------------------------------ */

static void cmac_double(uint8_t b[16])
{
	uint8_t carry = b[0] >> 7;
	unsigned i;

	for (i = 0; i < 15; i++)
		b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
	b[15] = (uint8_t)(b[15] << 1 ^ (carry ? 0x87 : 0));
}

static void cmac_block(const AES_KEY *k, uint8_t x[16], const uint8_t b[16])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		x[i] ^= b[i];
	AES_encrypt(x, x, k);
}

void crypto_cmac(const uint8_t key[16], const void *p, size_t n,
		 uint8_t mac[16])
{
	const uint8_t *in = p;
	uint8_t sub[16] = { 0 };
	uint8_t last[16] = { 0 };
	unsigned i;
	AES_KEY k;

	AES_set_encrypt_key(key, 128, &k);
	AES_encrypt(sub, sub, &k);
	cmac_double(sub);
	memset(mac, 0, 16);
	for (; n > 16; n -= 16, in += 16)
		cmac_block(&k, mac, in);
	memcpy(last, in, n);
	if (n < 16) {
		last[n] = 0x80;
		cmac_double(sub);
	}
	for (i = 0; i < 16; i++)
		last[i] ^= sub[i];
	cmac_block(&k, mac, last);
}

/* ---- AES-GCM of a page ------------------------------------------------- */

bool crypto_seal(struct page_seal *s, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok;
	int n;

	if (!c)
		return false;
	ok = EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, s->key, s->iv) ==
		     1 &&
	     EVP_EncryptUpdate(c, NULL, &n, s->aad, (int)s->aad_size) == 1 &&
	     EVP_EncryptUpdate(c, out, &n, in, SGX_PAGE_SIZE) == 1 &&
	     EVP_EncryptFinal_ex(c, out + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, sizeof(s->mac),
				 s->mac) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

bool crypto_open(const struct page_seal *s, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t mac[sizeof(s->mac)];
	bool ok;
	int n;

	if (!c)
		return false;
	memcpy(mac, s->mac, sizeof(mac));
	ok = EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, s->key, s->iv) ==
		     1 &&
	     EVP_DecryptUpdate(c, NULL, &n, s->aad, (int)s->aad_size) == 1 &&
	     EVP_DecryptUpdate(c, out, &n, in, SGX_PAGE_SIZE) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof(mac), mac) ==
		     1 &&
	     EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

/* ---- SIGSTRUCT --------------------------------------------------------- */

/* PKCS #1 v1.5 of SHA-256 in 384 bytes, big-endian. */
static void pkcs1_expected(const uint8_t digest[32], uint8_t em[SGX_KEY_SIZE])
{
	static const uint8_t info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
					0x09, 0x60, 0x86, 0x48, 0x01,
					0x65, 0x03, 0x04, 0x02, 0x01,
					0x05, 0x00, 0x04, 0x20 };
	size_t pad = SGX_KEY_SIZE - 32 - sizeof(info);

	memset(em, 0xff, SGX_KEY_SIZE);
	em[0] = 0;
	em[1] = 1;
	em[pad - 1] = 0;
	memcpy(em + pad, info, sizeof(info));
	memcpy(em + pad + sizeof(info), digest, 32);
}

static void signed_digest(const struct sgx_sigstruct *sig, uint8_t digest[32])
{
	const uint8_t *p = (const uint8_t *)sig;
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, offsetof(struct sgx_sigstruct, modulus));
	SHA256_Update(&c, p + offsetof(struct sgx_sigstruct, miscselect),
		      offsetof(struct sgx_sigstruct, reserved4) -
			      offsetof(struct sgx_sigstruct, miscselect));
	SHA256_Final(digest, &c);
}

/*
 * What hardware does with Q1 and Q2, done with division: Q1 = floor(S^2 / N),
 * Q2 = floor(S * (S^2 mod N) / N), and S^3 mod N is the padded digest.
 */
static bool rsa_consistent(const struct sgx_sigstruct *sig, BN_CTX *ctx)
{
	BIGNUM *n = BN_CTX_get(ctx), *s = BN_CTX_get(ctx);
	BIGNUM *q = BN_CTX_get(ctx), *r = BN_CTX_get(ctx);
	BIGNUM *t = BN_CTX_get(ctx), *want = BN_CTX_get(ctx);
	uint8_t digest[32], em[SGX_KEY_SIZE];

	if (!want || !BN_lebin2bn(sig->modulus, SGX_KEY_SIZE, n) ||
	    !BN_lebin2bn(sig->signature, SGX_KEY_SIZE, s) || BN_is_zero(n) ||
	    BN_cmp(s, n) >= 0)
		return false;
	if (!BN_sqr(t, s, ctx) || !BN_div(q, r, t, n, ctx) ||
	    !BN_lebin2bn(sig->q1, SGX_KEY_SIZE, want) || BN_cmp(q, want) != 0)
		return false;
	if (!BN_mul(t, s, r, ctx) || !BN_div(q, r, t, n, ctx) ||
	    !BN_lebin2bn(sig->q2, SGX_KEY_SIZE, want) || BN_cmp(q, want) != 0)
		return false;
	signed_digest(sig, digest);
	pkcs1_expected(digest, em);
	return BN_bin2bn(em, SGX_KEY_SIZE, want) && BN_cmp(r, want) == 0;
}

bool crypto_sigstruct(const struct sgx_sigstruct *sig)
{
	BN_CTX *ctx = BN_CTX_new();
	bool ok;

	if (!ctx)
		return false;
	BN_CTX_start(ctx);
	ok = rsa_consistent(sig, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return ok;
}
