/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AES-128-GCM by Intel's IPsec Multi-Buffer library (BSD-3-Clause), its SSE
 * code, which runs with any XFRM; AES-CMAC on the processor's AES rounds. No
 * table is looked up with a secret.
 */
#include <intel-ipsec-mb.h>
#include <wmmintrin.h>

#include "trusted/report/internal.h"

#define ROUNDS 10

/* The library's own names for what its manager would call. */
void aes_keyexp_128_enc_sse(const void *key, void *enc_exp_keys);
void aes_gcm_precomp_128_sse(struct gcm_key_data *key);
void aes_gcm_enc_128_sse(const struct gcm_key_data *key,
			 struct gcm_context_data *ctx, uint8_t *out,
			 const uint8_t *in, uint64_t len, const uint8_t *iv,
			 const uint8_t *aad, uint64_t aad_len, uint8_t *tag,
			 uint64_t tag_len);
void aes_gcm_dec_128_sse(const struct gcm_key_data *key,
			 struct gcm_context_data *ctx, uint8_t *out,
			 const uint8_t *in, uint64_t len, const uint8_t *iv,
			 const uint8_t *aad, uint64_t aad_len, uint8_t *tag,
			 uint64_t tag_len);

int report_equal(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;
	size_t i;

	for (i = 0; i < size; i++)
		differ |= (uint8_t)(x[i] ^ y[i]);
	return !differ;
}

/* ---- CMAC --------------------------------------------------------------- */

static __m128i encrypt(const __m128i *k, __m128i x)
{
	int i;

	x = _mm_xor_si128(x, k[0]);
	for (i = 1; i < ROUNDS; i++)
		x = _mm_aesenc_si128(x, k[i]);
	return _mm_aesenclast_si128(x, k[ROUNDS]);
}

/* Times x in GF(2^128), most significant byte first. */
static void twice(uint8_t b[16])
{
	uint8_t carry = (uint8_t)(0 - (b[0] >> 7));
	int i;

	for (i = 0; i < 15; i++)
		b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
	b[15] = (uint8_t)(b[15] << 1 ^ (carry & 0x87));
}

void report_cmac(const uint8_t key[16], const void *data, size_t size,
		 uint8_t mac[16])
{
	const __m128i *in = data;
	__m128i k[ROUNDS + 1], x = _mm_setzero_si128();
	uint8_t sub[16];
	size_t i, blocks = size / 16;

	aes_keyexp_128_enc_sse(key, k);
	_mm_storeu_si128((__m128i *)(void *)sub, encrypt(k, x));
	twice(sub);
	for (i = 0; i + 1 < blocks; i++)
		x = encrypt(k, _mm_xor_si128(x, _mm_loadu_si128(in + i)));
	x = _mm_xor_si128(x, _mm_loadu_si128(in + i));
	x = _mm_xor_si128(x,
			  _mm_loadu_si128((const __m128i *)(const void *)sub));
	_mm_storeu_si128((__m128i *)(void *)mac, encrypt(k, x));
	report_wipe(k, sizeof(k));
	report_wipe(sub, sizeof(sub));
}

/* ---- GCM ---------------------------------------------------------------- */

struct gcm_state {
	_Alignas(64) struct gcm_key_data key;
	struct gcm_context_data ctx;
};

static void gcm_key(struct gcm_state *s, const uint8_t *key)
{
	aes_keyexp_128_enc_sse(key, s->key.expanded_keys);
	aes_gcm_precomp_128_sse(&s->key);
}

void report_gcm_enc(const struct report_gcm *g, const void *data, size_t size,
		    void *out, uint8_t tag[16])
{
	struct gcm_state s;

	gcm_key(&s, g->key);
	aes_gcm_enc_128_sse(&s.key, &s.ctx, out, data, size, g->iv, g->aad,
			    g->aad_size, tag, 16);
	report_wipe(&s, sizeof(s));
}

edmm_err report_gcm_dec(const struct report_gcm *g, const void *data,
			size_t size, void *out, const uint8_t tag[16])
{
	struct gcm_state s;
	uint8_t have[16];
	edmm_err err = 0;

	gcm_key(&s, g->key);
	aes_gcm_dec_128_sse(&s.key, &s.ctx, out, data, size, g->iv, g->aad,
			    g->aad_size, have, 16);
	report_wipe(&s, sizeof(s));
	if (!report_equal(have, tag, 16)) {
		report_wipe(out, size);
		err = -EDMM_EBADMSG;
	}
	report_wipe(have, sizeof(have));
	return err;
}
