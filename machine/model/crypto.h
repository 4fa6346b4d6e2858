/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model's cryptography, on libcrypto: SHA-256 over whole blocks with a
 * copyable state, AES-CMAC, AES-GCM of a page, and SIGSTRUCT's RSA. Vector
 * registers are used; none of it is on the hot path.
 */
#ifndef MACHINE_MODEL_CRYPTO_H
#define MACHINE_MODEL_CRYPTO_H

#include "machine/model/state.h"

/* A 64-byte block of MRENCLAVE: SDM 3D 36.4.1. */
struct measure_block {
	uint64_t tag;
	uint8_t data[56];
};

_Static_assert(sizeof(struct measure_block) == 64, "a SHA-256 block");

void measure_start(struct mach_hidden *h);
void measure_blocks(struct mach_hidden *h, const struct measure_block *b,
		    unsigned count);
void measure_final(const struct mach_hidden *h, uint8_t digest[32]);

void crypto_sha256(const void *p, size_t n, uint8_t digest[32]);
void crypto_cmac(const uint8_t key[16], const void *p, size_t n,
		 uint8_t mac[16]);

/* AES-128-GCM of one page, with additional data and a 96-bit nonce. */
struct page_seal {
	const uint8_t *key;
	uint8_t iv[12];
	const void *aad;
	size_t aad_size;
	uint8_t mac[16]; /* out of seal, in to open */
};

/* False if libcrypto has no memory. */
bool crypto_seal(struct page_seal *s, const uint8_t *in, uint8_t *out);
/* False if the MAC is another's (or no memory); @out is then undefined. */
bool crypto_open(const struct page_seal *s, const uint8_t *in, uint8_t *out);

/* Is the signature of @sig right, by Q1 and Q2 as well? */
bool crypto_sigstruct(const struct sgx_sigstruct *sig);

#endif
