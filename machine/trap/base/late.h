/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libcrypto, loaded when it is wanted: a program that never opens the device
 * would pay more for it than for all the rest of the machine.
 *
 * Each function of the list is a jump through a table, whose entries load the
 * library first. So nothing can come too early; it only costs where it may not
 * be done at leisure, which is why who opens the device asks for it.
 */
#ifndef TRAP_BASE_LATE_H
#define TRAP_BASE_LATE_H

/* What the model and the driver call. Also read by late.S, whose X() gets the
 * numbers from there. */
#define LATE_LIST(X)           \
	X(AES_encrypt)         \
	X(AES_set_encrypt_key) \
	X(BN_CTX_end)          \
	X(BN_CTX_free)         \
	X(BN_CTX_get)          \
	X(BN_CTX_new)          \
	X(BN_CTX_start)        \
	X(BN_bin2bn)           \
	X(BN_cmp)              \
	X(BN_div)              \
	X(BN_is_zero)          \
	X(BN_lebin2bn)         \
	X(BN_mul)              \
	X(BN_sqr)              \
	X(EVP_CIPHER_CTX_ctrl) \
	X(EVP_CIPHER_CTX_free) \
	X(EVP_CIPHER_CTX_new)  \
	X(EVP_DecryptFinal_ex) \
	X(EVP_DecryptInit_ex)  \
	X(EVP_DecryptUpdate)   \
	X(EVP_Digest)          \
	X(EVP_EncryptFinal_ex) \
	X(EVP_EncryptInit_ex)  \
	X(EVP_EncryptUpdate)   \
	X(EVP_aes_128_gcm)     \
	X(EVP_sha256)          \
	X(SHA256)              \
	X(SHA256_Final)        \
	X(SHA256_Init)         \
	X(SHA256_Update)

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Loads it now, if it is not there yet. Host FS only. Ends the program if there
 * is no such library. */
void late_load(void);
/* Somewhere in its code; 0 if it is not loaded, or was there before. */
uint64_t late_code(void);

#endif
#endif
