/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of trusted/report share. */
#ifndef TRUSTED_REPORT_INTERNAL_H
#define TRUSTED_REPORT_INTERNAL_H

#include "edmm/report.h"

/* EGETKEY; @key is 16 bytes, wiped on an error. Return: enum sgx_code. */
uint64_t report_getkey(const struct sgx_keyrequest *request, uint8_t *key);

/* AES-128-CMAC (RFC 4493); @size is a multiple of 16 and not 0. */
void report_cmac(const uint8_t key[16], const void *data, size_t size,
		 uint8_t mac[16]);

/* AES-128-GCM with additional data. */
struct report_gcm {
	const uint8_t *key;
	const uint8_t *iv; /* 12 bytes */
	const void *aad;
	size_t aad_size;
};
void report_gcm_enc(const struct report_gcm *g, const void *data, size_t size,
		    void *out, uint8_t tag[16]);
EDMM_NODISCARD edmm_err report_gcm_dec(const struct report_gcm *g,
				       const void *data, size_t size, void *out,
				       const uint8_t tag[16]);

/* In the same time whatever differs. */
int report_equal(const void *a, const void *b, size_t size);
/* A memset() that stays. */
void report_wipe(void *p, size_t size);

#endif
