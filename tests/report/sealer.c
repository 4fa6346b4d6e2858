/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seals and unseals, and tries the primitives on published vectors.
 *
 * sealer seal enclave|signer TEXT FILE; sealer unseal FILE [ISVSVN];
 * sealer vectors; sealer self: MRENCLAVE, as the processor reports it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <edmm/report.h>

#define DATA 1000

static int do_seal(const char *to, const char *text, const char *path)
{
	static uint8_t out[DATA + EDMM_SEAL_OVERHEAD];
	size_t n = strlen(text);
	edmm_err err = edmm_seal(strcmp(to, "signer") ? EDMM_SEAL_ENCLAVE
						      : EDMM_SEAL_SIGNER,
				 text, n, out);
	FILE *f = err ? NULL : fopen(path, "wb");

	if (!f || fwrite(out, n + EDMM_SEAL_OVERHEAD, 1, f) != 1 || fclose(f))
		return 1;
	return 0;
}

static int do_unseal(const char *path, const char *least)
{
	static uint8_t in[DATA + EDMM_SEAL_OVERHEAD];
	static char out[DATA + 1];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(in, 1, sizeof(in), f) : 0;
	edmm_err err;

	memset(out, 'x', sizeof(out) - 1);
	err = edmm_unseal(in, n, (uint16_t)atoi(least), out);
	if (err) {
		for (size_t i = EDMM_SEAL_OVERHEAD; i < n; i++)
			if (out[i - EDMM_SEAL_OVERHEAD])
				puts("leaves more than zeros");
		puts(err == -EDMM_EBADMSG  ? "EBADMSG"
		     : err == -EDMM_EACCES ? "EACCES"
					   : "error");
		return 2;
	}
	out[n - EDMM_SEAL_OVERHEAD] = 0;
	puts(out);
	return 0;
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test case 3. */
static int gcm_vector(void)
{
	static const uint8_t key[16] = { 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
					 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94,
					 0x67, 0x30, 0x83, 0x08 };
	static const uint8_t iv[12] = { 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce,
					0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88 };
	static const uint8_t plain[64] = {
		0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59,
		0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53,
		0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
		0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53,
		0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25, 0xb1, 0x6a,
		0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39,
		0x1a, 0xaf, 0xd2, 0x55
	};
	static const uint8_t want[16] = { 0x4d, 0x5c, 0x2a, 0xf3, 0x27, 0xcd,
					  0x64, 0xa6, 0x2c, 0xf3, 0x5a, 0xbd,
					  0x2b, 0xa6, 0xfa, 0xb4 };
	uint8_t out[64], back[64], tag[16];

	edmm_gcm_seal(key, iv, plain, sizeof(plain), out, tag);
	if (memcmp(tag, want, 16) || out[0] != 0x42 || out[63] != 0x85)
		return 1;
	if (edmm_gcm_open(key, iv, out, sizeof(out), back, tag) ||
	    memcmp(back, plain, sizeof(back)))
		return 1;
	out[5] ^= 1;
	return edmm_gcm_open(key, iv, out, sizeof(out), back, tag) !=
		       -EDMM_EBADMSG ||
	       back[0];
}

/* A report verifies for whom it is, unchanged, and for nobody else. */
static int report_rules(void)
{
	struct sgx_targetinfo me;
	struct sgx_report r;
	uint8_t data[EDMM_REPORT_DATA] = "data";
	size_t i;

	edmm_report_target(&me);
	edmm_report_make(&me, data, &r);
	if (edmm_report_verify(&r) || memcmp(r.reportdata, data, sizeof(data)))
		return 1;
	for (i = 0; i < sizeof(r); i += 5) {
		((uint8_t *)&r)[i] ^= 4;
		if (edmm_report_verify(&r) != -EDMM_EBADMSG)
			return 1;
		((uint8_t *)&r)[i] ^= 4;
	}
	me.mrenclave[3] ^= 1;
	edmm_report_make(&me, data, &r);
	return edmm_report_verify(&r) != -EDMM_EBADMSG;
}

static int key_rules(void)
{
	uint8_t a[EDMM_KEY_SIZE], b[EDMM_KEY_SIZE];
	struct edmm_seal_id id;

	if (edmm_seal_id(EDMM_SEAL_SIGNER, &id) || edmm_seal_key(&id, a) ||
	    edmm_seal_key(&id, b) || memcmp(a, b, sizeof(a)))
		return 1;
	id.to = EDMM_SEAL_ENCLAVE;
	if (edmm_seal_key(&id, b) || !memcmp(a, b, sizeof(a)))
		return 1;
	id.isvsvn++;
	if (edmm_seal_key(&id, b) != -EDMM_EACCES || b[0] || b[15])
		return 1;
	id.to = 3;
	return edmm_seal_key(&id, b) != -EDMM_EINVAL;
}

static void print_self(void)
{
	struct sgx_report r;
	size_t i;

	edmm_report_self(&r);
	for (i = 0; i < sizeof(r.mrenclave); i++)
		printf("%02x", r.mrenclave[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "seal"))
		return do_seal(argv[2], argv[3], argv[4]);
	if (argc >= 3 && !strcmp(argv[1], "unseal"))
		return do_unseal(argv[2], argc > 3 ? argv[3] : "0");
	if (argc == 2 && !strcmp(argv[1], "vectors"))
		return gcm_vector()	? 11
		       : report_rules() ? 12
		       : key_rules()	? 13
					: 0;
	if (argc == 2 && !strcmp(argv[1], "self")) {
		print_self();
		return 0;
	}
	return 64;
}
