/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Identities in use, for programs inside an enclave: reports to another
 * enclave of the same machine (local attestation), and keys and data sealed to
 * an identity. Programs built by edmm-cc have it without further ado.
 *
 * Remote attestation is not here: a quote needs Intel's quoting enclave, which
 * turns a report of edmm_report_make() for its TARGETINFO into one.
 *
 * Context: any thread; no function takes a lock, allocates, or leaves the
 * enclave.
 * Trust: what comes from outside (a target, a report, sealed data) may be
 * anything; a caller copies it into the enclave first. Reports and seals of the
 * software machine prove nothing about anybody: its keys are public.
 * Source: SDM 3D, EREPORT, EGETKEY and sections 34.14 to 34.18.
 */
#ifndef EDMM_REPORT_H
#define EDMM_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "edmm/err.h"
#include "sgx/arch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EDMM_REPORT_DATA 64u
#define EDMM_KEY_SIZE 16u

/**
 * edmm_report_self() - this enclave's own identity, as the processor says it
 * @report: filled in; its MAC is for no one
 */
void edmm_report_self(struct sgx_report *report);

/**
 * edmm_report_target() - what another enclave needs to report to this one
 * @target: filled in; no secret
 */
void edmm_report_target(struct sgx_targetinfo *target);

/**
 * edmm_report_target_of() - the target that the maker of a report is
 * @report: verified
 */
void edmm_report_target_of(const struct sgx_report *report,
			   struct sgx_targetinfo *target);

/**
 * edmm_report_make() - say to @target who this enclave is
 * @target: of edmm_report_target() there
 * @data: EDMM_REPORT_DATA bytes that go with it: nonces, a hash of a key
 * @report: filled in; only @target can verify it, on this machine
 */
void edmm_report_make(const struct sgx_targetinfo *target, const void *data,
		      struct sgx_report *report);

/**
 * edmm_report_verify() - whether a report was made on this machine for us
 * @report: in enclave memory, so that it cannot change behind the check
 *
 * It says that an enclave with these fields runs here; whether that is an
 * enclave to be trusted (MRENCLAVE, MRSIGNER, ISVSVN, DEBUG) and whether the
 * report is fresh (data) is for the caller to judge.
 *
 * Return: 0; -EDMM_EBADMSG for any other report; -EDMM_EIO when the processor
 * gives no key.
 */
EDMM_NODISCARD edmm_err edmm_report_verify(const struct sgx_report *report);

/* ---- sealing ------------------------------------------------------------- */

enum edmm_seal_to {
	EDMM_SEAL_ENCLAVE = SGX_KEYPOLICY_MRENCLAVE, /* this very image */
	/* Any enclave of this signer and product, of this ISVSVN or newer. */
	EDMM_SEAL_SIGNER = SGX_KEYPOLICY_MRSIGNER,
};

/* What names a sealing key, beside the identity: no secret, kept with the
 * data. DEBUG is part of each key, and so is the mode: a debug enclave has
 * others, and a program's static image other ones than its elastic image,
 * whichever of them the host starts. */
struct edmm_seal_id {
	uint16_t to;	 /* enum edmm_seal_to */
	uint16_t isvsvn; /* at most this enclave's own */
	uint8_t cpusvn[16];
	uint8_t keyid[32];
};

/**
 * edmm_seal_id() - a new key's name: current versions, random KEYID
 *
 * Return: 0; -EDMM_EINVAL (@to), -EDMM_EIO (no random numbers).
 */
EDMM_NODISCARD edmm_err edmm_seal_id(enum edmm_seal_to to,
				     struct edmm_seal_id *id);

/**
 * edmm_seal_key() - the key of that name
 * @key: EDMM_KEY_SIZE bytes; wiped on an error
 *
 * Two enclaves of one mode that may have it, and agree on @id, share a secret.
 *
 * Return: 0; -EDMM_EINVAL (@id->to); -EDMM_EACCES (made by a newer version of
 * enclave or processor); -EDMM_EIO.
 */
EDMM_NODISCARD edmm_err edmm_seal_key(const struct edmm_seal_id *id,
				      uint8_t key[EDMM_KEY_SIZE]);

#define EDMM_SEAL_OVERHEAD 96u

/**
 * edmm_seal() - encrypt data to an identity (AES-128-GCM)
 * @data: @size bytes, at most 2^36 - 32
 * @out: @size + EDMM_SEAL_OVERHEAD bytes, not overlapping @data
 *
 * Old sealed data is as good as new: where that matters, put a version in.
 *
 * Return: 0, or as edmm_seal_id() and edmm_seal_key(): nothing is written.
 */
EDMM_NODISCARD edmm_err edmm_seal(enum edmm_seal_to to, const void *data,
				  size_t size, void *out);

/**
 * edmm_unseal() - decrypt
 * @sealed: @size bytes, in enclave memory
 * @isvsvn_min: least security version of who sealed it; 0 for any. What an
 *	older version, since found broken, may have sealed is not for this one
 * @data: @size - EDMM_SEAL_OVERHEAD bytes, not overlapping @sealed
 *
 * Return: 0; -EDMM_EBADMSG for data that is damaged, not sealed, or sealed to
 * another identity or mode or on another machine; -EDMM_EACCES for data of an
 * older version than @isvsvn_min, or as edmm_seal_key(). @data is all zeros
 * after any error.
 */
EDMM_NODISCARD edmm_err edmm_unseal(const void *sealed, size_t size,
				    uint16_t isvsvn_min, void *data);

/**
 * edmm_gcm_seal() - AES-128-GCM with a key of one's own, such as a shared one
 * @iv: 12 bytes, never twice with a key
 * @tag: 16 bytes
 * edmm_gcm_open() - the reverse; @out is all zeros where the tag is wrong
 *
 * Return: 0; edmm_gcm_open(): -EDMM_EBADMSG.
 */
void edmm_gcm_seal(const uint8_t key[EDMM_KEY_SIZE], const uint8_t iv[12],
		   const void *data, size_t size, void *out, uint8_t tag[16]);
EDMM_NODISCARD edmm_err edmm_gcm_open(const uint8_t key[EDMM_KEY_SIZE],
				      const uint8_t iv[12], const void *data,
				      size_t size, void *out,
				      const uint8_t tag[16]);

/**
 * edmm_random() - random bytes of the processor (RDRAND)
 *
 * Return: 0, -EDMM_EIO.
 */
EDMM_NODISCARD edmm_err edmm_random(void *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
