/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys, SIGSTRUCT and the signature file: what is written is right (a second
 * opinion in Python included), and what is not right is refused.
 */
#include <check.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edmm/image.h"
#include "tests/image/image_util.h"

/* One key and one signature for all tests: making a key takes a second. */
static struct edmm_key *key;
static struct edmm_sig_file signed_file;
static struct edmm_diag diag;

static const struct edmm_identity identity = {
	.isv_prod_id = 0x1234,
	.isv_svn = 7,
	.date = 0x20261121,
	.swdefined = EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_DEVELOPMENT,
};

static void sign_mode(struct edmm_image *image, enum edmm_mode mode)
{
	struct edmm_sig_entry *e = &signed_file.entry[signed_file.count++];
	struct edmm_plan plan;

	edmm_policy_default(mode, &e->policy);
	ck_assert_int_eq(edmm_plan_make(image, &e->policy, &plan, &diag), 0);
	ck_assert_int_eq(edmm_sign(&plan, key, &identity, &e->sig, &diag), 0);
	edmm_plan_free(&plan);
}

static void setup_once(void)
{
	struct edmm_image *image;

	ck_assert_int_eq(edmm_key_generate(EDMM_KEY_PLAIN, &key, &diag), 0);
	ck_assert_int_eq(edmm_image_read(TINY, &image, &diag), 0);
	sign_mode(image, EDMM_MODE_ELASTIC);
	sign_mode(image, EDMM_MODE_STATIC);
	edmm_image_free(image);
}

static void teardown_once(void)
{
	edmm_key_free(key);
}

START_TEST(signature_verifies)
{
	const struct sgx_sigstruct *s = &signed_file.entry[_i].sig;

	ck_assert_msg(!edmm_sigstruct_verify(s, &diag), "%s", diag.text);
	ck_assert_uint_eq(s->isvprodid, 0x1234);
	ck_assert_uint_eq(s->isvsvn, 7);
	ck_assert_uint_eq(s->date, 0x20261121);
	ck_assert_uint_eq(s->attributes.flags, SGX_ATTR_MODE64BIT);
	ck_assert_uint_eq(s->attributemask.flags, UINT64_MAX);
	/* AVX and AVX-512 are the machine's choice, and nothing else is. */
	ck_assert_uint_eq(~s->attributemask.xfrm, 0xe4);
	ck_assert_uint_eq(s->attributemask.xfrm & SGX_XFRM_LEGACY,
			  SGX_XFRM_LEGACY);
	if (signed_file.entry[_i].policy.mode == EDMM_MODE_ELASTIC)
		ck_assert(s->miscselect == SGX_MISC_EXINFO &&
			  s->miscmask == UINT32_MAX);
}
END_TEST

START_TEST(oracle_verifies)
{
	const struct sgx_sigstruct *s = &signed_file.entry[_i].sig;
	char path[] = "/tmp/edmm-sigstruct.XXXXXX";
	char command[512], hash[65], signer[65], want[65];
	uint8_t mrsigner[32];
	FILE *f;
	unsigned i;

	util_write_temp(path, s, sizeof(*s));
	snprintf(command, sizeof(command), "python3 %s sigstruct %s", ORACLE,
		 path);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%64s %64s ", hash, signer), 2);
	ck_assert_int_eq(pclose(f), 0);
	unlink(path);
	edmm_mrsigner(s, mrsigner);
	for (i = 0; i < 32; i++)
		sprintf(want + 2 * i, "%02x", mrsigner[i]);
	ck_assert_str_eq(signer, want);
}
END_TEST

/* A byte changed in each field: EINIT would refuse it, and so do we. */
START_TEST(every_signed_byte_counts)
{
	static const size_t at[] = {
		0,    12,   16,	  20,	24,   40,   44,	  127,	128,
		300,  511,  512,  516,	700,  899,  900,  904,	908,
		912,  928,  944,  959,	960,  991,  992,  1008, 1023,
		1024, 1026, 1028, 1039, 1040, 1423, 1424, 1807,
	};
	struct sgx_sigstruct s = signed_file.entry[0].sig;
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint8_t *p = (uint8_t *)&s + at[i];

		*p ^= 0x40;
		ck_assert_msg(edmm_sigstruct_verify(&s, &diag) ==
				      -EDMM_EKEYREJECTED,
			      "byte %zu may be anything", at[i]);
		*p ^= 0x40;
	}
	ck_assert_int_eq(edmm_sigstruct_verify(&s, &diag), 0);
}
END_TEST

START_TEST(signature_above_modulus_is_refused)
{
	struct sgx_sigstruct s = signed_file.entry[0].sig;

	memset(s.signature, 0xff, sizeof(s.signature));
	ck_assert_int_eq(edmm_sigstruct_verify(&s, &diag), -EDMM_EKEYREJECTED);
	memset(s.modulus, 0, sizeof(s.modulus));
	ck_assert_int_eq(edmm_sigstruct_verify(&s, &diag), -EDMM_EKEYREJECTED);
}
END_TEST

/* ---- keys -------------------------------------------------------------- */

START_TEST(key_file_is_private_and_stays)
{
	char dir[] = "/tmp/edmm-key.XXXXXX", path[64];
	enum edmm_key_kind kind = (enum edmm_key_kind)_i;
	struct edmm_key *made, *again;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/k.pem", dir);
	ck_assert_int_eq(edmm_key_generate(kind, &made, &diag), 0);
	ck_assert_int_eq(edmm_key_write(made, path, 0, &diag), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(edmm_key_write(made, path, 0, &diag), -EDMM_EEXIST);
	ck_assert_int_eq(edmm_key_write(made, path, 1, &diag), 0);
	ck_assert_msg(!edmm_key_read(path, &again, &diag), "%s", diag.text);
	ck_assert_int_eq(edmm_key_kind(again), kind);
	edmm_key_free(made);
	edmm_key_free(again);
	/* The folder is empty but for the key: no temporary file stays. */
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void write_pem(char *path, EVP_PKEY *pkey)
{
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL));
	fclose(f);
	EVP_PKEY_free(pkey);
}

/* An RSA key of any size and exponent. */
static EVP_PKEY *rsa(int bits, unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *pkey = NULL;

	ck_assert(BN_set_word(e, exponent) && EVP_PKEY_keygen_init(ctx) > 0 &&
		  EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) > 0 &&
		  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) > 0 &&
		  EVP_PKEY_generate(ctx, &pkey) > 0);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

START_TEST(wrong_keys_are_named)
{
	static const char *const want[] = { "of 2048 bits", "exponent is not 3",
					    "not an RSA key",
					    "no private key" };
	char path[] = "/tmp/edmm-key.XXXXXX";
	struct edmm_key *bad;

	switch (_i) {
	case 0:
		write_pem(path, rsa(2048, 3));
		break;
	case 1:
		write_pem(path, rsa(3072, 65537));
		break;
	case 2:
		write_pem(path, EVP_EC_gen("P-256"));
		break;
	case 3:
		util_write_temp(path, "hello\n", 6);
		break;
	}
	ck_assert_int_eq(edmm_key_read(path, &bad, &diag), -EDMM_EKEYREJECTED);
	ck_assert_msg(strstr(diag.text, want[_i]), "%s", diag.text);
	unlink(path);
}
END_TEST

/* ---- the signature file ------------------------------------------------ */

START_TEST(sig_file_round_trip)
{
	char dir[] = "/tmp/edmm-sig.XXXXXX", path[64];
	struct edmm_sig_file again;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p.sig", dir);
	ck_assert_int_eq(edmm_sig_write(path, &signed_file, &diag), 0);
	ck_assert_int_eq(edmm_sig_write(path, &signed_file, &diag), 0);
	ck_assert_msg(!edmm_sig_read(path, &again, &diag), "%s", diag.text);
	ck_assert_mem_eq(&again, &signed_file, sizeof(again));
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/*
 * One spelling for each content: every change of one byte outside SIGSTRUCT is
 * refused, or is a valid policy and comes out as it went in.
 */
START_TEST(sig_file_has_one_spelling)
{
	const size_t entry = 24, policy = 96, stride = 1904;
	struct edmm_sig_file f;
	uint8_t *bytes, *out;
	size_t size, out_size, i;

	ck_assert_int_eq(edmm_sig_emit(&signed_file, &bytes, &size), 0);
	ck_assert_uint_eq(size, 24 + 2 * 1904);
	for (i = 0; i < entry + stride + policy; i++) {
		if (i == entry + policy)
			i = entry + stride;
		bytes[i] = (uint8_t)(bytes[i] ^ 1u << (i % 8));
		if (!edmm_sig_parse(bytes, size, "x", &f, &diag)) {
			ck_assert_int_eq(edmm_sig_emit(&f, &out, &out_size), 0);
			ck_assert_mem_eq(bytes, out, size);
			ck_assert_uint_ge(i, entry);
			free(out);
		}
		bytes[i] = (uint8_t)(bytes[i] ^ 1u << (i % 8));
	}
	for (i = 0; i < size; i++)
		ck_assert_int_eq(edmm_sig_parse(bytes, i, "x", &f, &diag),
				 -EDMM_EBADMSG);
	free(bytes);
}
END_TEST

START_TEST(nothing_half_written)
{
	char dir[] = "/tmp/edmm-sig.XXXXXX", path[64];
	struct edmm_sig_file bad = { .count = 3 };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p.sig", dir);
	ck_assert_int_eq(edmm_sig_write(path, &bad, &diag), -EDMM_EINVAL);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(edmm_sig_write(path, &signed_file, &diag),
			 -EDMM_ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sign");
	TCase *c = tcase_create("sign");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_unchecked_fixture(c, setup_once, teardown_once);
	tcase_add_loop_test(c, signature_verifies, 0, 2);
	tcase_add_loop_test(c, oracle_verifies, 0, 2);
	tcase_add_test(c, every_signed_byte_counts);
	tcase_add_test(c, signature_above_modulus_is_refused);
	tcase_add_loop_test(c, key_file_is_private_and_stays, 0, 3);
	tcase_add_loop_test(c, wrong_keys_are_named, 0, 4);
	tcase_add_test(c, sig_file_round_trip);
	tcase_add_test(c, sig_file_has_one_spelling);
	tcase_add_test(c, nothing_half_written);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
