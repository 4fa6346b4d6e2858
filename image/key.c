/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signing keys: RSA, 3072 bits, exponent 3, in PEM files. What a key is for
 * stands in a line above the PEM block, where PEM readers skip it.
 */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"

#define KEY_BITS 3072
#define KEY_FILE_MAX (64ull << 10)

#define MARK "edmm-key: "
#define MARK_PRODUCTION MARK "production\n"
#define MARK_DEVELOPMENT MARK "development, protects nothing\n"

struct edmm_key {
	EVP_PKEY *pkey;
	enum edmm_key_kind kind;
};

static edmm_err new_key(EVP_PKEY *pkey, enum edmm_key_kind kind,
			struct edmm_key **out, struct edmm_diag *diag)
{
	struct edmm_key *key = malloc(sizeof(*key));

	if (!key) {
		EVP_PKEY_free(pkey);
		return img_fail(diag, -EDMM_ENOMEM, "key: out of memory");
	}
	key->pkey = pkey;
	key->kind = kind;
	*out = key;
	return 0;
}

edmm_err edmm_key_generate(enum edmm_key_kind kind, struct edmm_key **out,
			   struct edmm_diag *diag)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *pkey = NULL;
	int ok;

	*out = NULL;
	ok = ctx && e && BN_set_word(e, 3) && EVP_PKEY_keygen_init(ctx) > 0 &&
	     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, KEY_BITS) > 0 &&
	     EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) > 0 &&
	     EVP_PKEY_generate(ctx, &pkey) > 0;
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return img_fail(diag, -EDMM_EIO,
				"key: the crypto library makes none");
	return new_key(pkey, kind, out, diag);
}

static edmm_err check_key(EVP_PKEY *pkey, const char *path,
			  struct edmm_diag *diag)
{
	BIGNUM *e = NULL;
	bool three;

	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return img_fail(diag, -EDMM_EKEYREJECTED,
				"%s: not an RSA key; SGX wants RSA-3072 with "
				"exponent 3 (edmm keygen makes one)",
				path);
	if (EVP_PKEY_get_bits(pkey) != KEY_BITS)
		return img_fail(diag, -EDMM_EKEYREJECTED,
				"%s: RSA key of %d bits; SGX wants %d (edmm "
				"keygen makes one)",
				path, EVP_PKEY_get_bits(pkey), KEY_BITS);
	three = EVP_PKEY_get_bn_param(pkey, "e", &e) > 0 && BN_is_word(e, 3);
	BN_free(e);
	if (!three)
		return img_fail(diag, -EDMM_EKEYREJECTED,
				"%s: RSA key whose exponent is not 3 (edmm "
				"keygen makes one)",
				path);
	return 0;
}

/* A service that signs has nobody to ask for a pass phrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *user)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(bool *)user = true;
	return -1;
}

static enum edmm_key_kind kind_of(const uint8_t *text, size_t size)
{
	const char *begin = memmem(text, size, "-----BEGIN", 10);
	size_t head = begin ? (size_t)((const uint8_t *)begin - text) : 0;

	if (memmem(text, head, MARK_PRODUCTION, strlen(MARK_PRODUCTION)))
		return EDMM_KEY_PRODUCTION;
	if (memmem(text, head, MARK_DEVELOPMENT, strlen(MARK_DEVELOPMENT)))
		return EDMM_KEY_DEVELOPMENT;
	return EDMM_KEY_PLAIN;
}

edmm_err edmm_key_read(const char *path, struct edmm_key **out,
		       struct edmm_diag *diag)
{
	bool encrypted = false;
	uint8_t *text;
	size_t size;
	EVP_PKEY *pkey;
	BIO *bio;
	edmm_err err;

	*out = NULL;
	err = img_file_read(path, KEY_FILE_MAX, &text, &size, diag);
	if (err)
		return err;
	bio = BIO_new_mem_buf(text, (int)size);
	pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
					     &encrypted)
		   : NULL;
	BIO_free(bio);
	if (!pkey)
		err = img_fail(diag, -EDMM_EKEYREJECTED,
			       encrypted ? "%s: the key is encrypted; give it "
					   "decrypted"
					 : "%s: no private key in PEM format "
					   "(edmm keygen makes one)",
			       path);
	else
		err = check_key(pkey, path, diag);
	if (err)
		EVP_PKEY_free(pkey);
	else
		err = new_key(pkey, kind_of(text, size), out, diag);
	OPENSSL_cleanse(text, size);
	free(text);
	return err;
}

edmm_err edmm_key_read_public(const char *path, struct edmm_key **out,
			      struct edmm_diag *diag)
{
	uint8_t *text;
	size_t size;
	EVP_PKEY *pkey;
	BIO *bio;
	edmm_err err;

	*out = NULL;
	err = img_file_read(path, KEY_FILE_MAX, &text, &size, diag);
	if (err)
		return err;
	bio = BIO_new_mem_buf(text, (int)size);
	pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	free(text);
	if (!pkey)
		return img_fail(diag, -EDMM_EKEYREJECTED,
				"%s: no public key in PEM format (openssl "
				"rsa -pubout makes one)",
				path);
	err = check_key(pkey, path, diag);
	if (err) {
		EVP_PKEY_free(pkey);
		return err;
	}
	return new_key(pkey, EDMM_KEY_PLAIN, out, diag);
}

edmm_err edmm_key_write(const struct edmm_key *key, const char *path,
			int replace, struct edmm_diag *diag)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long size = 0;
	edmm_err err;
	int ok;

	ok = bio &&
	     (key->kind != EDMM_KEY_PRODUCTION ||
	      BIO_puts(bio, MARK_PRODUCTION) > 0) &&
	     (key->kind != EDMM_KEY_DEVELOPMENT ||
	      BIO_puts(bio, MARK_DEVELOPMENT) > 0) &&
	     PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
				      NULL);
	if (ok)
		size = BIO_get_mem_data(bio, &text);
	err = size > 0 ? img_file_write(path, text, (size_t)size,
					replace ? IMG_FILE_PRIVATE
						: IMG_FILE_PRIVATE_NEW,
					diag)
		       : img_fail(diag, -EDMM_EIO, "%s: cannot be encoded",
				  path);
	BIO_free(bio);
	return err;
}

enum edmm_key_kind edmm_key_kind(const struct edmm_key *key)
{
	return key->kind;
}

EVP_PKEY *img_key_pkey(const struct edmm_key *key)
{
	return key->pkey;
}

void edmm_key_free(struct edmm_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}
