/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conformance table of the leaves: a row is a call that would succeed, one
 * thing changed in it, and what the SDM says of that.
 */
#ifndef TESTS_MODEL_CONFORM_LEAF_H
#define TESTS_MODEL_CONFORM_LEAF_H

#include "machine/model/crypto.h"
#include "machine/model/keys.h"
#include "machine/model/state.h"
#include "tests/model/kit.h"

/* Pages that a row may tamper with in the EPCM. */
enum role {
	ROLE_NONE,
	ROLE_RBX, /* the operand in that register */
	ROLE_RCX,
	ROLE_RDX,
	ROLE_SECS, /* of the enclave */
	ROLE_SSA,  /* the frame that the leaf uses */
	ROLE_SSA_NEXT,
	ROLES,
};

/* A call in the making. Registers come first, so that rows can change them. */
struct call {
	uint64_t rbx, rcx, rdx;
	uint64_t want_addr; /* of a #PF */
	struct sgx_pageinfo pi;
	struct sgx_secinfo si;
	struct sgx_pcmd pcmd;
	union {
		uint8_t src[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
		struct sgx_secs secs;
		struct sgx_tcs tcs;
	};
	union {
		uint8_t sig_page[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
		struct sgx_sigstruct sig;
	};
	union {
		uint8_t token_page[512] __attribute__((aligned(512)));
		struct sgx_einittoken token;
	};
	struct sgx_keyrequest keyrequest;
	uint8_t lepubkeyhash[32];
	struct kit kit;
	uint32_t role[ROLES];
};

/* The value at @off of struct call (64 bits) grows by @add. */
struct poke {
	size_t off;
	uint64_t add;
};

#define POKE(field, n)                                      \
	{                                                   \
		offsetof(struct call, field), (uint64_t)(n) \
	}

/* The EPCM entry of @role loses and gains flags, or is locked. */
struct tamper {
	enum role role;
	uint32_t clear;
	uint32_t set;
	uint32_t lock;
};

/* WANT_PF is one with the SGX bit; WANT_PAGING the page table's own. */
enum want_kind {
	WANT_OK,
	WANT_GP,
	WANT_PF,
	WANT_PAGING,
	WANT_CODE
};

struct want {
	enum want_kind kind;
	unsigned arg; /* WANT_PF: enum role of the address; WANT_CODE: code */
};

#define OK                 \
	{                  \
		WANT_OK, 0 \
	}
#define GP                 \
	{                  \
		WANT_GP, 0 \
	}
#define PF(role)                \
	{                       \
		WANT_PF, (role) \
	}
#define PAGING(role)                \
	{                           \
		WANT_PAGING, (role) \
	}
#define CODE(c)                \
	{                      \
		WANT_CODE, (c) \
	}

struct row {
	const char *condition;
	struct want want;
	struct poke poke;
	struct tamper tamper;
	void (*also)(struct call *c);
};

/* A leaf: how to make a call that succeeds, and its rows. */
struct leaf {
	const char *name;
	void (*prepare)(struct call *c);
	struct mach_result (*run)(struct call *c);
	void (*load)(
		struct call *c); /* operands into the enclave; may be NULL */
	const struct row *rows;
	size_t count;
	bool scribbles; /* a refused call may leave bytes in an unused page */
};

extern const struct leaf leaf_ecreate, leaf_eadd, leaf_eextend, leaf_einit;
extern const struct leaf leaf_eaug, leaf_emodpr, leaf_emodt, leaf_etrack;
extern const struct leaf leaf_eblock, leaf_eremove, leaf_epa, leaf_edbgrd;
extern const struct leaf leaf_edbgwr, leaf_ewb, leaf_eldu, leaf_eldb;
extern const struct leaf leaf_eenter, leaf_eresume, leaf_eexit, leaf_eaccept;
extern const struct leaf leaf_emodpe, leaf_eacceptcopy, leaf_edeccssa;
extern const struct leaf leaf_ereport, leaf_egetkey, leaf_enclu;

#define LEAF_ROWS(r) .rows = (r), .count = sizeof(r) / sizeof((r)[0])

/* Aborts unless the step of a preparation succeeds. */
void step(struct mach_result r);

/* EPC address that is beyond the EPC. */
#define BEYOND (1ull << 40)

#endif
