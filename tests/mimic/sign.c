/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signs the raw mimic's enclave, at build time: sign edmm|plain FILE.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "tests/mimic/layout.h"
#include "tests/trap/encl.h"

#define PAGE 4096ull

static void block(EVP_MD_CTX *h, uint64_t tag, uint64_t a, uint64_t b)
{
	uint64_t words[8] = { tag, a, b };

	EVP_DigestUpdate(h, words, sizeof(words));
}

static void page(EVP_MD_CTX *h, const struct mimic_layout *l, uint64_t addr,
		 const struct mimic_area *a)
{
	static uint8_t bytes[PAGE] __attribute__((aligned(PAGE)));

	block(h, SGX_MEASURE_EADD, addr, a->flags);
	if (!a->measured)
		return;
	mimic_page(l, addr, bytes);
	for (uint64_t i = 0; i < PAGE; i += SGX_EEXTEND_CHUNK) {
		block(h, SGX_MEASURE_EEXTEND, addr + i, 0);
		EVP_DigestUpdate(h, bytes + i, SGX_EEXTEND_CHUNK);
	}
}

static void measure(const struct mimic_layout *l, uint8_t *out)
{
	EVP_MD_CTX *h = EVP_MD_CTX_new();
	uint8_t create[64] = { 0 };
	uint64_t tag = SGX_MEASURE_ECREATE;
	uint32_t frame = MIMIC_FRAME;

	memcpy(create, &tag, sizeof(tag));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): no text */
	memcpy(create + 8, &frame, sizeof(frame));
	memcpy(create + 12, &l->size, sizeof(l->size));
	EVP_DigestInit_ex(h, EVP_sha256(), NULL);
	EVP_DigestUpdate(h, create, sizeof(create));
	for (unsigned i = 0; i < l->count; i++)
		for (uint64_t p = 0; p < l->area[i].pages; p++)
			page(h, l, l->area[i].addr + p * PAGE, &l->area[i]);
	EVP_DigestFinal_ex(h, out, NULL);
	EVP_MD_CTX_free(h);
}

int main(int argc, char **argv)
{
	static struct mimic_layout l;
	static struct sgx_sigstruct s;
	FILE *f;
	bool ok;

	if (argc != 3)
		return 2;
	mimic_plan(&l, argv[1][0] == 'e');
	s.attributes.flags = SGX_ATTR_MODE64BIT;
	s.attributes.xfrm = SGX_XFRM_LEGACY;
	s.attributemask.flags = UINT64_MAX & ~SGX_ATTR_INIT;
	s.attributemask.xfrm = SGX_XFRM_LEGACY;
	s.miscselect = SGX_MISC_EXINFO;
	s.miscmask = UINT32_MAX;
	measure(&l, s.enclavehash);
	encl_sign_filled(&s);
	f = fopen(argv[2], "wb");
	ok = f && fwrite(&s, sizeof(s), 1, f) == 1;
	return f && !fclose(f) && ok ? 0 : 1;
}
