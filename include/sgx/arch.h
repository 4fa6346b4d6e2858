/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SGX architecture: structures, leaf numbers and return codes, as in the
 * Intel SDM volume 3D (order number 332831), chapters 34 to 38. Nothing of any
 * operating system and nothing of ours is in this file.
 *
 * All integers are little-endian; offsets and sizes are asserted below.
 */
#ifndef SGX_ARCH_H
#define SGX_ARCH_H

#include <stddef.h>
#include <stdint.h>

#include "sgx/assert.h"

#define SGX_PAGE_SIZE 4096u
#define SGX_PAGE_SHIFT 12

/* ENCLS leaves (supervisor), SDM 3D table 38-1. */
enum sgx_encls_leaf {
	SGX_ECREATE = 0x00,
	SGX_EADD = 0x01,
	SGX_EINIT = 0x02,
	SGX_EREMOVE = 0x03,
	SGX_EDBGRD = 0x04,
	SGX_EDBGWR = 0x05,
	SGX_EEXTEND = 0x06,
	SGX_ELDB = 0x07,
	SGX_ELDU = 0x08,
	SGX_EBLOCK = 0x09,
	SGX_EPA = 0x0a,
	SGX_EWB = 0x0b,
	SGX_ETRACK = 0x0c,
	SGX_EAUG = 0x0d,
	SGX_EMODPR = 0x0e,
	SGX_EMODT = 0x0f,
};

/* ENCLU leaves (user), SDM 3D table 38-2. */
enum sgx_enclu_leaf {
	SGX_EREPORT = 0x00,
	SGX_EGETKEY = 0x01,
	SGX_EENTER = 0x02,
	SGX_ERESUME = 0x03,
	SGX_EEXIT = 0x04,
	SGX_EACCEPT = 0x05,
	SGX_EMODPE = 0x06,
	SGX_EACCEPTCOPY = 0x07,
	SGX_EVERIFYREPORT2 = 0x08,
	SGX_EDECCSSA = 0x09,
};

/* Values that leaves return in RAX, SDM 3D table 38-4. */
enum sgx_code {
	SGX_SUCCESS = 0,
	SGX_INVALID_SIG_STRUCT = 1,
	SGX_INVALID_ATTRIBUTE = 2,
	SGX_BLKSTATE = 3,
	SGX_INVALID_MEASUREMENT = 4,
	SGX_NOTBLOCKABLE = 5,
	SGX_PG_INVLD = 6,
	SGX_EPC_PAGE_CONFLICT = 7,
	SGX_INVALID_SIGNATURE = 8,
	SGX_MAC_COMPARE_FAIL = 9,
	SGX_PAGE_NOT_BLOCKED = 10,
	SGX_NOT_TRACKED = 11,
	SGX_VA_SLOT_OCCUPIED = 12,
	SGX_CHILD_PRESENT = 13,
	SGX_ENCLAVE_ACT = 14,
	SGX_ENTRYEPOCH_LOCKED = 15,
	SGX_INVALID_EINITTOKEN = 16,
	SGX_PREV_TRK_INCMPL = 17,
	SGX_PG_IS_SECS = 18,
	SGX_PAGE_ATTRIBUTES_MISMATCH = 19,
	SGX_PAGE_NOT_MODIFIABLE = 20,
	SGX_PAGE_NOT_DEBUGGABLE = 21,
	SGX_INVALID_CPUSVN = 32,
	SGX_INVALID_ISVSVN = 64,
	SGX_UNMASKED_EVENT = 128,
	SGX_INVALID_KEYNAME = 256,
};

/* Page types, SDM 3D section 34.12.2 (SECINFO.FLAGS.PT, EPCM.PT). */
enum sgx_page_type {
	SGX_PT_SECS = 0,
	SGX_PT_TCS = 1,
	SGX_PT_REG = 2,
	SGX_PT_VA = 3,
	SGX_PT_TRIM = 4,
	SGX_PT_SS_FIRST = 5,
	SGX_PT_SS_REST = 6,
};

/* SECINFO.FLAGS, SDM 3D section 34.12.1. */
#define SGX_SECINFO_R 0x01ull
#define SGX_SECINFO_W 0x02ull
#define SGX_SECINFO_X 0x04ull
#define SGX_SECINFO_RWX 0x07ull
#define SGX_SECINFO_PENDING 0x08ull
#define SGX_SECINFO_MODIFIED 0x10ull
#define SGX_SECINFO_PR 0x20ull
#define SGX_SECINFO_PT_SHIFT 8
#define SGX_SECINFO_PT_MASK 0xff00ull
#define SGX_SECINFO_PT(t) ((uint64_t)(t) << SGX_SECINFO_PT_SHIFT)
#define SGX_SECINFO_RESERVED (~(SGX_SECINFO_PT_MASK | 0x3full))

struct sgx_secinfo {
	uint64_t flags;
	uint8_t reserved[56];
} __attribute__((aligned(64)));

/* PAGEINFO, SDM 3D section 34.11; secinfo is PCMD for ELDB, ELDU and EWB. */
struct sgx_pageinfo {
	uint64_t linaddr;
	uint64_t srcpge;
	uint64_t secinfo;
	uint64_t secs;
} __attribute__((aligned(32)));

/* PCMD, SDM 3D section 34.13. */
struct sgx_pcmd {
	struct sgx_secinfo secinfo;
	uint64_t enclaveid;
	uint8_t reserved[40];
	uint8_t mac[16];
} __attribute__((aligned(128)));

/* ATTRIBUTES, SDM 3D section 34.7.1. */
#define SGX_ATTR_INIT 0x001ull
#define SGX_ATTR_DEBUG 0x002ull
#define SGX_ATTR_MODE64BIT 0x004ull
#define SGX_ATTR_PROVISIONKEY 0x010ull
#define SGX_ATTR_EINITTOKENKEY 0x020ull
#define SGX_ATTR_CET 0x040ull
#define SGX_ATTR_KSS 0x080ull
#define SGX_ATTR_AEXNOTIFY 0x400ull

struct sgx_attributes {
	uint64_t flags;
	uint64_t xfrm;
};

/* MISCSELECT, SDM 3D section 34.7.2. */
#define SGX_MISC_EXINFO 0x1u
#define SGX_MISC_CPINFO 0x2u

/* XFRM bits that every enclave has (x87 and SSE). */
#define SGX_XFRM_LEGACY 0x3ull

/* SECS, SDM 3D section 34.7. */
struct sgx_secs {
	uint64_t size;
	uint64_t base;
	uint32_t ssaframesize;
	uint32_t miscselect;
	uint8_t cet_leg_bitmap_offset[8];
	uint8_t cet_attributes;
	uint8_t reserved1[15];
	struct sgx_attributes attributes;
	uint8_t mrenclave[32];
	uint8_t reserved2[32];
	uint8_t mrsigner[32];
	uint8_t reserved3[32];
	uint8_t configid[64];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint16_t configsvn;
	uint8_t reserved4[3834];
} __attribute__((aligned(4096)));

/* TCS, SDM 3D section 34.8. */
#define SGX_TCS_DBGOPTIN 0x1ull
#define SGX_TCS_AEXNOTIFY 0x2ull

struct sgx_tcs {
	uint64_t state;
	uint64_t flags;
	uint64_t ossa;
	uint32_t cssa;
	uint32_t nssa;
	uint64_t oentry;
	uint64_t aep;
	uint64_t ofsbase;
	uint64_t ogsbase;
	uint32_t fslimit;
	uint32_t gslimit;
	uint64_t ocetssa;
	uint64_t prevssp;
	uint8_t reserved[4008];
} __attribute__((aligned(4096)));

/* GPRSGX, SDM 3D section 34.9.1: the last 184 bytes of an SSA frame. */
struct sgx_gprsgx {
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rbx;
	uint64_t rsp;
	uint64_t rbp;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t r8;
	uint64_t r9;
	uint64_t r10;
	uint64_t r11;
	uint64_t r12;
	uint64_t r13;
	uint64_t r14;
	uint64_t r15;
	uint64_t rflags;
	uint64_t rip;
	uint64_t ursp;
	uint64_t urbp;
	uint32_t exitinfo;
	uint8_t reserved[3];
	uint8_t aexnotify;
	uint64_t fsbase;
	uint64_t gsbase;
};

/* EXITINFO, SDM 3D section 34.9.1.1. */
#define SGX_EXITINFO_VECTOR 0xffu
#define SGX_EXITINFO_TYPE_SHIFT 8
#define SGX_EXITINFO_TYPE_MASK 0x700u
#define SGX_EXITINFO_TYPE_HW 3u
#define SGX_EXITINFO_TYPE_SW 6u
#define SGX_EXITINFO_VALID 0x80000000u

/* EXINFO, SDM 3D section 34.9.1.2: just below GPRSGX. */
struct sgx_exinfo {
	uint64_t maddr;
	uint32_t errcd;
	uint32_t reserved;
};

/* Exception vectors and the #PF error code. */
enum sgx_vector {
	SGX_VEC_DE = 0,
	SGX_VEC_DB = 1,
	SGX_VEC_BP = 3,
	SGX_VEC_BR = 5,
	SGX_VEC_UD = 6,
	SGX_VEC_GP = 13,
	SGX_VEC_PF = 14,
	SGX_VEC_MF = 16,
	SGX_VEC_AC = 17,
	SGX_VEC_XM = 19,
	SGX_VEC_CP = 21,
};

#define SGX_PFEC_P 0x0001u
#define SGX_PFEC_W 0x0002u
#define SGX_PFEC_U 0x0004u
#define SGX_PFEC_I 0x0010u
#define SGX_PFEC_SGX 0x8000u

/* SIGSTRUCT, SDM 3D section 34.14. */
#define SGX_KEY_SIZE 384

struct sgx_sigstruct {
	uint8_t header[12];
	uint32_t type;
	uint32_t vendor;
	uint32_t date; /* BCD, yyyymmdd */
	uint8_t header2[16];
	uint32_t swdefined;
	uint8_t reserved1[84];
	uint8_t modulus[SGX_KEY_SIZE];
	uint32_t exponent;
	uint8_t signature[SGX_KEY_SIZE];
	uint32_t miscselect;
	uint32_t miscmask;
	uint8_t cet_attributes;
	uint8_t cet_attributes_mask;
	uint8_t reserved2[2];
	uint8_t isvfamilyid[16];
	struct sgx_attributes attributes;
	struct sgx_attributes attributemask;
	uint8_t enclavehash[32];
	uint8_t reserved3[16];
	uint8_t isvextprodid[16];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint8_t reserved4[12];
	uint8_t q1[SGX_KEY_SIZE];
	uint8_t q2[SGX_KEY_SIZE];
} __attribute__((packed));

#define SGX_SIGSTRUCT_HEADER                                \
	{                                                   \
		0x06, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 0x01, 0 \
	}
#define SGX_SIGSTRUCT_HEADER2                                                 \
	{                                                                     \
		0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 0x01, 0, 0, 0 \
	}

/* EINITTOKEN, SDM 3D section 34.15. */
struct sgx_einittoken {
	uint32_t valid;
	uint8_t reserved1[44];
	struct sgx_attributes attributes;
	uint8_t mrenclave[32];
	uint8_t reserved2[32];
	uint8_t mrsigner[32];
	uint8_t reserved3[32];
	uint8_t cpusvnle[16];
	uint16_t isvprodidle;
	uint16_t isvsvnle;
	uint8_t cet_masked_attributes_le;
	uint8_t reserved4[23];
	uint32_t maskedmiscselectle;
	struct sgx_attributes maskedattributesle;
	uint8_t keyid[32];
	uint8_t mac[16];
} __attribute__((packed, aligned(8)));

/* TARGETINFO and REPORT, SDM 3D sections 34.16 and 34.17. */
struct sgx_targetinfo {
	uint8_t mrenclave[32];
	struct sgx_attributes attributes;
	uint8_t cet_attributes;
	uint8_t reserved1;
	uint16_t configsvn;
	uint32_t miscselect;
	uint8_t reserved2[8];
	uint8_t configid[64];
	uint8_t reserved3[384];
} __attribute__((aligned(512)));

struct sgx_report {
	uint8_t cpusvn[16];
	uint32_t miscselect;
	uint8_t cet_attributes;
	uint8_t reserved1[11];
	uint8_t isvextprodid[16];
	struct sgx_attributes attributes;
	uint8_t mrenclave[32];
	uint8_t reserved2[32];
	uint8_t mrsigner[32];
	uint8_t reserved3[32];
	uint8_t configid[64];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint16_t configsvn;
	uint8_t reserved4[42];
	uint8_t isvfamilyid[16];
	uint8_t reportdata[64];
	uint8_t keyid[32];
	uint8_t mac[16];
};

/* KEYREQUEST, SDM 3D section 34.18. */
enum sgx_keyname {
	SGX_KEY_EINITTOKEN = 0,
	SGX_KEY_PROVISION = 1,
	SGX_KEY_PROVISION_SEAL = 2,
	SGX_KEY_REPORT = 3,
	SGX_KEY_SEAL = 4,
};

#define SGX_KEYPOLICY_MRENCLAVE 0x01u
#define SGX_KEYPOLICY_MRSIGNER 0x02u
#define SGX_KEYPOLICY_NOISVPRODID 0x04u
#define SGX_KEYPOLICY_CONFIGID 0x08u
#define SGX_KEYPOLICY_ISVFAMILYID 0x10u
#define SGX_KEYPOLICY_ISVEXTPRODID 0x20u

struct sgx_keyrequest {
	uint16_t keyname;
	uint16_t keypolicy;
	uint16_t isvsvn;
	uint8_t cet_attributes_mask;
	uint8_t reserved1;
	uint8_t cpusvn[16];
	struct sgx_attributes attributemask;
	uint8_t keyid[32];
	uint32_t miscmask;
	uint16_t configsvn;
	uint8_t reserved2[434];
} __attribute__((aligned(512)));

/* Blocks that extend MRENCLAVE, SDM 3D section 36.4.1. */
#define SGX_MEASURE_ECREATE 0x0045544145524345ull
#define SGX_MEASURE_EADD 0x0000000044444145ull
#define SGX_MEASURE_EEXTEND 0x00444e4554584545ull
#define SGX_EEXTEND_CHUNK 256u

#define SGX_ASSERT_SIZE(type, n) \
	SGX_ASSERT(sizeof(struct type) == (n), "size of " #type)
#define SGX_ASSERT_OFF(type, member, n) \
	SGX_ASSERT(offsetof(struct type, member) == (n), #type "." #member)

SGX_ASSERT_SIZE(sgx_secinfo, 64);
SGX_ASSERT_SIZE(sgx_pageinfo, 32);
SGX_ASSERT_SIZE(sgx_pcmd, 128);
SGX_ASSERT_OFF(sgx_pcmd, enclaveid, 64);
SGX_ASSERT_OFF(sgx_pcmd, mac, 112);
SGX_ASSERT_SIZE(sgx_attributes, 16);
SGX_ASSERT_SIZE(sgx_secs, 4096);
SGX_ASSERT_OFF(sgx_secs, ssaframesize, 16);
SGX_ASSERT_OFF(sgx_secs, miscselect, 20);
SGX_ASSERT_OFF(sgx_secs, attributes, 48);
SGX_ASSERT_OFF(sgx_secs, mrenclave, 64);
SGX_ASSERT_OFF(sgx_secs, mrsigner, 128);
SGX_ASSERT_OFF(sgx_secs, configid, 192);
SGX_ASSERT_OFF(sgx_secs, isvprodid, 256);
SGX_ASSERT_OFF(sgx_secs, configsvn, 260);
SGX_ASSERT_SIZE(sgx_tcs, 4096);
SGX_ASSERT_OFF(sgx_tcs, ossa, 16);
SGX_ASSERT_OFF(sgx_tcs, cssa, 24);
SGX_ASSERT_OFF(sgx_tcs, oentry, 32);
SGX_ASSERT_OFF(sgx_tcs, aep, 40);
SGX_ASSERT_OFF(sgx_tcs, ofsbase, 48);
SGX_ASSERT_OFF(sgx_tcs, fslimit, 64);
SGX_ASSERT_OFF(sgx_tcs, prevssp, 80);
SGX_ASSERT_SIZE(sgx_gprsgx, 184);
SGX_ASSERT_OFF(sgx_gprsgx, rflags, 128);
SGX_ASSERT_OFF(sgx_gprsgx, ursp, 144);
SGX_ASSERT_OFF(sgx_gprsgx, exitinfo, 160);
SGX_ASSERT_OFF(sgx_gprsgx, aexnotify, 167);
SGX_ASSERT_OFF(sgx_gprsgx, fsbase, 168);
SGX_ASSERT_SIZE(sgx_exinfo, 16);
SGX_ASSERT_SIZE(sgx_sigstruct, 1808);
SGX_ASSERT_OFF(sgx_sigstruct, vendor, 16);
SGX_ASSERT_OFF(sgx_sigstruct, modulus, 128);
SGX_ASSERT_OFF(sgx_sigstruct, exponent, 512);
SGX_ASSERT_OFF(sgx_sigstruct, signature, 516);
SGX_ASSERT_OFF(sgx_sigstruct, miscselect, 900);
SGX_ASSERT_OFF(sgx_sigstruct, isvfamilyid, 912);
SGX_ASSERT_OFF(sgx_sigstruct, attributes, 928);
SGX_ASSERT_OFF(sgx_sigstruct, attributemask, 944);
SGX_ASSERT_OFF(sgx_sigstruct, enclavehash, 960);
SGX_ASSERT_OFF(sgx_sigstruct, isvextprodid, 1008);
SGX_ASSERT_OFF(sgx_sigstruct, isvprodid, 1024);
SGX_ASSERT_OFF(sgx_sigstruct, q1, 1040);
SGX_ASSERT_OFF(sgx_sigstruct, q2, 1424);
SGX_ASSERT_SIZE(sgx_einittoken, 304);
SGX_ASSERT_OFF(sgx_einittoken, attributes, 48);
SGX_ASSERT_OFF(sgx_einittoken, mrenclave, 64);
SGX_ASSERT_OFF(sgx_einittoken, cpusvnle, 192);
SGX_ASSERT_OFF(sgx_einittoken, maskedmiscselectle, 236);
SGX_ASSERT_OFF(sgx_einittoken, keyid, 256);
SGX_ASSERT_OFF(sgx_einittoken, mac, 288);
SGX_ASSERT_SIZE(sgx_targetinfo, 512);
SGX_ASSERT_OFF(sgx_targetinfo, configsvn, 50);
SGX_ASSERT_OFF(sgx_targetinfo, miscselect, 52);
SGX_ASSERT_OFF(sgx_targetinfo, configid, 64);
SGX_ASSERT_SIZE(sgx_report, 432);
SGX_ASSERT_OFF(sgx_report, isvextprodid, 32);
SGX_ASSERT_OFF(sgx_report, attributes, 48);
SGX_ASSERT_OFF(sgx_report, mrenclave, 64);
SGX_ASSERT_OFF(sgx_report, mrsigner, 128);
SGX_ASSERT_OFF(sgx_report, configid, 192);
SGX_ASSERT_OFF(sgx_report, isvprodid, 256);
SGX_ASSERT_OFF(sgx_report, isvfamilyid, 304);
SGX_ASSERT_OFF(sgx_report, reportdata, 320);
SGX_ASSERT_OFF(sgx_report, keyid, 384);
SGX_ASSERT_OFF(sgx_report, mac, 416);
SGX_ASSERT_SIZE(sgx_keyrequest, 512);
SGX_ASSERT_OFF(sgx_keyrequest, cpusvn, 8);
SGX_ASSERT_OFF(sgx_keyrequest, attributemask, 24);
SGX_ASSERT_OFF(sgx_keyrequest, keyid, 40);
SGX_ASSERT_OFF(sgx_keyrequest, miscmask, 72);
SGX_ASSERT_OFF(sgx_keyrequest, configsvn, 76);

#endif
