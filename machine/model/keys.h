/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Key derivation. The real function is not public: here a key is the AES-CMAC,
 * under the machine's secret, of one record with everything that the SDM says
 * the key depends on and zero for what it does not (tables of EGETKEY,
 * EREPORT and EINIT in SDM 3D 38).
 */
#ifndef MACHINE_MODEL_KEYS_H
#define MACHINE_MODEL_KEYS_H

#include "machine/model/state.h"

struct key_deps {
	uint16_t keyname;
	uint16_t keypolicy;
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint16_t configsvn;
	uint16_t zero[3];
	uint32_t miscselect;
	uint32_t miscmask;
	struct sgx_attributes attributes;
	struct sgx_attributes attributemask;
	uint8_t cpusvn[16];
	uint8_t keyid[32];
	uint8_t mrenclave[32];
	uint8_t mrsigner[32];
	uint8_t configid[64];
	uint8_t isvfamilyid[16];
	uint8_t isvextprodid[16];
	uint8_t owner_epoch[16];
	uint8_t padding[16]; /* SECS.PADDING's and the hard-coded one's part */
};

_Static_assert(sizeof(struct key_deps) == 296, "no hidden bytes");

/* The key of @deps; adds the padding. */
void key_derive(const struct mach *m, struct key_deps *deps, uint8_t key[16]);

/* The CPUSVN that a request or a token names is not above the machine's. */
bool key_cpusvn_known(const struct mach *m, const uint8_t svn[16]);

#endif
