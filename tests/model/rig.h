/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A test rig for the model: a machine in one block, page tables, a signer, and
 * a small enclave that is built leaf by leaf.
 *
 * The enclave has 64 pages of ELRANGE:
 *
 *	0 1	TCS, with two SSA frames each		2 3 | 4 5  SSA
 *	6	code, R X				7  data, R W: operands
 *	8	data, R W				9  data, R
 *	10 ..	absent
 */
#ifndef TESTS_MODEL_RIG_H
#define TESTS_MODEL_RIG_H

#include "machine/model/model.h"
#include "machine/model/ptable.h"

#define RIG_ENCLS 2
#define RIG_PAGES 64
#define RIG_CPUS 3
#define RIG_BUILT 10
#define RIG_SIZE ((uint64_t)RIG_PAGES * SGX_PAGE_SIZE)
#define RIG_BASE(i) (0x10000000ull * ((i) + 1))

enum rig_page {
	RIG_TCS0 = 0,
	RIG_TCS1 = 1,
	RIG_SSA0 = 2,
	RIG_SSA1 = 4,
	RIG_CODE = 6,
	RIG_OPS = 7,
	RIG_DATA = 8,
	RIG_RO = 9,
	RIG_FREE = 10,
};

#define RIG_AEP 0x400100ull
#define RIG_ENCLU 0x400100ull

struct rig_encl {
	uint32_t secs; /* EPC page */
	struct mach_pte pte[RIG_PAGES];
};

struct rig {
	struct mach_config cfg;
	struct mach *m;
	struct rig_encl encl[RIG_ENCLS];
	struct mach_ptable tables[RIG_ENCLS + 1];
	struct mach_cpu cpu[RIG_CPUS];
	struct mach_frame frame;
	uint32_t next_epc;
	uint8_t lepubkeyhash[32];
	void *mem;
};

/* What an enclave is built with; rig_spec_default() first. */
struct rig_spec {
	struct sgx_secs secs;
	struct sgx_secinfo tcs_info;
	struct sgx_tcs tcs;
	unsigned pages; /* how many of RIG_BUILT to add */
	bool measure;
	bool init;
};

void rig_spec_default(struct rig_spec *s, unsigned i);

/* Makes the signer's key; once, before any test forks. */
void rig_setup(void);

/* An empty machine; @cfg NULL for everything. Aborts without memory. */
void rig_open(struct rig *r, const struct mach_config *cfg);
void rig_close(struct rig *r);

/* Both are aborts if a leaf does not do what it must. */
void rig_build_spec(struct rig *r, unsigned i, const struct rig_spec *s);
void rig_build(struct rig *r, unsigned i);

/* A second machine in @copy that starts where @r is. */
void rig_copy(struct rig *copy, const struct rig *r);

uint32_t rig_epc(struct rig *r); /* a fresh EPC page */
uint64_t rig_addr(unsigned i, unsigned page);
uint8_t *rig_bytes(struct rig *r, unsigned i, unsigned page);
uint64_t rig_secs(const struct rig *r, unsigned i); /* EPC address */
uint32_t rig_page_epc(const struct rig *r, unsigned i, unsigned page);
uint64_t rig_page_addr(const struct rig *r, unsigned i, unsigned page);

/* Leaves, with the operands that they need. */
struct mach_result rig_eaug(struct rig *r, unsigned i, unsigned page);
struct mach_result rig_emodpr(struct rig *r, unsigned i, unsigned page,
			      uint64_t rwx);
struct mach_result rig_emodt(struct rig *r, unsigned i, unsigned page,
			     unsigned pt);
struct mach_result rig_enter(struct rig *r, unsigned cpu, unsigned i,
			     unsigned tcs);
struct mach_result rig_resume(struct rig *r, unsigned cpu, unsigned i,
			      unsigned tcs);
struct mach_result rig_exit(struct rig *r, unsigned cpu);
void rig_aex(struct rig *r, unsigned cpu);
/* An SGX2 ENCLU leaf with SECINFO @flags in the operand page. */
struct mach_result rig_sgx2(struct rig *r, unsigned cpu, unsigned leaf,
			    unsigned page, uint64_t flags);

/* Signs for what @r's enclave @i measures to; the caller changes and signs
 * again with rig_sign(). */
void rig_sigstruct(struct rig *r, unsigned i, struct sgx_sigstruct *sig);
void rig_sign(struct sgx_sigstruct *sig);

#endif
