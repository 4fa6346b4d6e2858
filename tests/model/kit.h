/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A test kit for the model: a machine in one block, page tables, a signer, and
 * a small enclave that is built leaf by leaf.
 *
 * The enclave has 64 pages of ELRANGE:
 *
 *	0 1	TCS, with two SSA frames each		2 3 | 4 5  SSA
 *	6	code, R X				7  data, R W: operands
 *	8	data, R W				9  data, R
 *	10 ..	absent
 */
#ifndef TESTS_MODEL_KIT_H
#define TESTS_MODEL_KIT_H

#include "machine/model/model.h"
#include "machine/model/ptable.h"

#define KIT_ENCLS 2
#define KIT_PAGES 64
#define KIT_CPUS 3
#define KIT_BUILT 10
#define KIT_SIZE ((uint64_t)KIT_PAGES * SGX_PAGE_SIZE)
#define KIT_BASE(i) (0x10000000ull * ((i) + 1))

enum kit_page {
	KIT_TCS0 = 0,
	KIT_TCS1 = 1,
	KIT_SSA0 = 2,
	KIT_SSA1 = 4,
	KIT_CODE = 6,
	KIT_OPS = 7,
	KIT_DATA = 8,
	KIT_RO = 9,
	KIT_FREE = 10,
};

#define KIT_AEP 0x400100ull
#define KIT_ENCLU 0x400100ull

struct kit_encl {
	uint32_t secs; /* EPC page */
	struct mach_pte pte[KIT_PAGES];
};

struct kit {
	struct mach_config cfg;
	struct mach *m;
	struct kit_encl encl[KIT_ENCLS];
	struct mach_ptable tables[KIT_ENCLS + 1];
	struct mach_cpu cpu[KIT_CPUS];
	struct mach_frame frame;
	uint32_t next_epc;
	uint8_t lepubkeyhash[32];
	void *mem;
};

/* What an enclave is built with; kit_spec_default() first. */
struct kit_spec {
	struct sgx_secs secs;
	struct sgx_secinfo tcs_info;
	struct sgx_tcs tcs;
	unsigned pages; /* how many of KIT_BUILT to add */
	bool measure;
	bool init;
};

void kit_spec_default(struct kit_spec *s, unsigned i);

/* Makes the signer's key; once, before any test forks. */
void kit_setup(void);

/* An empty machine; @cfg NULL for everything. Aborts without memory. */
void kit_open(struct kit *r, const struct mach_config *cfg);
void kit_close(struct kit *r);

/* Both are aborts if a leaf does not do what it must. */
void kit_build_spec(struct kit *r, unsigned i, const struct kit_spec *s);
void kit_build(struct kit *r, unsigned i);

/* A second machine in @copy that starts where @r is. */
void kit_copy(struct kit *copy, const struct kit *r);

uint32_t kit_epc(struct kit *r); /* a fresh EPC page */
uint64_t kit_addr(unsigned i, unsigned page);
uint8_t *kit_bytes(struct kit *r, unsigned i, unsigned page);
uint64_t kit_secs(const struct kit *r, unsigned i); /* EPC address */
uint32_t kit_page_epc(const struct kit *r, unsigned i, unsigned page);
uint64_t kit_page_addr(const struct kit *r, unsigned i, unsigned page);

/* Leaves, with the operands that they need. */
struct mach_result kit_eaug(struct kit *r, unsigned i, unsigned page);
struct mach_result kit_emodpr(struct kit *r, unsigned i, unsigned page,
			      uint64_t rwx);
struct mach_result kit_emodt(struct kit *r, unsigned i, unsigned page,
			     unsigned pt);
struct mach_result kit_enter(struct kit *r, unsigned cpu, unsigned i,
			     unsigned tcs);
struct mach_result kit_resume(struct kit *r, unsigned cpu, unsigned i,
			      unsigned tcs);
struct mach_result kit_exit(struct kit *r, unsigned cpu);
void kit_aex(struct kit *r, unsigned cpu);
/* An SGX2 ENCLU leaf with SECINFO @flags in the operand page. */
struct mach_result kit_sgx2(struct kit *r, unsigned cpu, unsigned leaf,
			    unsigned page, uint64_t flags);

/* Signs for what @r's enclave @i measures to; the caller changes and signs
 * again with kit_sign(). */
void kit_sigstruct(struct kit *r, unsigned i, struct sgx_sigstruct *sig);
void kit_sign(struct sgx_sigstruct *sig);

#endif
