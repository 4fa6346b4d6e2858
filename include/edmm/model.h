/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The software SGX2 model as a library (libedmm_model.a, with libcrypto): EPC,
 * EPCM and every leaf, as a value. No signal, no system call, no global, no
 * clock: the same calls give the same bytes. A model can be copied at any
 * point, so that a test may try every continuation of a state.
 *
 * It executes no enclave code. The caller plays the operating system (ENCLS)
 * and the program inside (ENCLU, reads and writes), and sees what an SGX2
 * processor would answer: a result, an SGX code, or a fault.
 * docs/conformance.md lists every condition; what is not modelled is at its
 * end.
 *
 * Memory. The EPC is the model's. ENCLS operands that name EPC pages are
 * addresses from edmm_model_epc(); other operands are pointers of the caller's.
 * ENCLU operands are linear addresses, which the model's page table maps to EPC
 * pages: edmm_model_map().
 *
 * Threads: one call at a time on a model; different models are independent.
 */
#ifndef EDMM_MODEL_H
#define EDMM_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <edmm/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct edmm_model;

/* Processor features. */
#define EDMM_MODEL_SGX2 0x01u
#define EDMM_MODEL_EXINFO 0x02u
#define EDMM_MODEL_AEXNOTIFY 0x04u
#define EDMM_MODEL_EDECCSSA 0x08u
#define EDMM_MODEL_KSS 0x10u
#define EDMM_MODEL_EMPTY_TCS 0x20u /* EACCEPT takes one with CSSA = NSSA = 0 \
				    */
#define EDMM_MODEL_ALL 0x3fu

/* Rights of a mapping, and kinds of access. */
#define EDMM_MODEL_R 1u
#define EDMM_MODEL_W 2u
#define EDMM_MODEL_X 4u

struct edmm_model_options {
	uint32_t epc_pages;  /* 0: 256 */
	uint32_t processors; /* logical ones; 0: 1 */
	uint32_t features;   /* EDMM_MODEL_*, as they are: 0 is plain SGX1 */
	uint8_t secret[16];  /* every key is derived from it */
	uint8_t lepubkeyhash[32]; /* IA32_SGXLEPUBKEYHASH at EINIT */
};

enum edmm_model_kind {
	EDMM_MODEL_OK = 0,
	EDMM_MODEL_CODE = 1,  /* an SGX code in RAX */
	EDMM_MODEL_FAULT = 2, /* nothing happened, a fault is raised */
};

struct edmm_model_result {
	uint8_t kind;	/* enum edmm_model_kind */
	uint8_t vector; /* of a fault: 13 #GP, 14 #PF */
	uint16_t code;	/* enum sgx_code */
	uint32_t pfec;	/* #PF error code; bit 15 is the SGX bit */
	uint64_t addr;	/* #PF address */
};

/*
 * Registers of a logical processor at an ENCLU or at an event. xsave is a
 * standard-format XSAVE image of xsave_size bytes, or NULL for none.
 */
struct edmm_model_regs {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, rip;
	uint64_t fsbase, gsbase;
	uint8_t *xsave;
	uint32_t xsave_size;
};

/* Why a processor leaves an enclave asynchronously. */
struct edmm_model_event {
	uint8_t exception; /* 0: an interrupt, the rest is not used */
	uint8_t vector;
	uint32_t errcode;
	uint64_t addr;
};

/**
 * edmm_model_create() - a new machine, its EPC empty
 * @o: options; NULL for all features and a fixed secret
 * @out: the model, the caller's to destroy
 *
 * Return: 0; -EDMM_EINVAL for options that are no machine; -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_model_create(const struct edmm_model_options *o,
					  struct edmm_model **out);

/**
 * edmm_model_copy() - a second machine in the same state, page table included
 *
 * Return: 0 or -EDMM_ENOMEM; @m is as it was.
 */
EDMM_NODISCARD edmm_err edmm_model_copy(const struct edmm_model *m,
					struct edmm_model **out);

void edmm_model_destroy(struct edmm_model *m); /* NULL is allowed */

/* The address of EPC page @page as an ENCLS operand. */
uint64_t edmm_model_epc(uint32_t page);

/**
 * edmm_model_map() - map a linear page
 * @addr: linear address, 4 KiB aligned
 * @page: EPC page
 * @rights: EDMM_MODEL_R, _W, _X; 0 unmaps
 *
 * Return: 0; -EDMM_EINVAL for an address, page or right that is none;
 * -EDMM_ENOMEM, the mapping is as it was.
 */
EDMM_NODISCARD edmm_err edmm_model_map(struct edmm_model *m, uint64_t addr,
				       uint32_t page, unsigned rights);

/**
 * edmm_model_encls() - execute ENCLS
 * @leaf: EAX
 * @reg: RBX, RCX, RDX; EDBGRD writes RBX
 *
 * Return: what the leaf did; an unknown leaf is #GP.
 */
struct edmm_model_result edmm_model_encls(struct edmm_model *m, unsigned leaf,
					  uint64_t reg[3]);

/**
 * edmm_model_enclu() - execute ENCLU on a processor
 * @cpu: 0 .. processors - 1
 * @regs: RAX is the leaf; unless it faults, the registers afterwards
 */
struct edmm_model_result edmm_model_enclu(struct edmm_model *m, unsigned cpu,
					  struct edmm_model_regs *regs);

/**
 * edmm_model_aex() - take a processor out of its enclave
 *
 * Return: 0, @regs is the synthetic state; -EDMM_EINVAL if it is outside.
 */
EDMM_NODISCARD edmm_err edmm_model_aex(struct edmm_model *m, unsigned cpu,
				       struct edmm_model_regs *regs,
				       const struct edmm_model_event *e);

/**
 * edmm_model_access() - may processor @cpu access @addr?
 * @access: one of EDMM_MODEL_R, _W, _X
 * @byte: if the access is allowed, and not NULL: where its byte is, up to the
 *	end of the page, until the model's next call; NULL outside the EPC and
 *	for an abort page
 *
 * Return: EDMM_MODEL_OK, or the #PF or #GP of the access.
 */
struct edmm_model_result edmm_model_access(struct edmm_model *m, unsigned cpu,
					   uint64_t addr, unsigned access,
					   uint8_t **byte);

/**
 * edmm_model_check() - the EPCM's own invariants
 *
 * Return: NULL if they hold, or a sentence, valid until the next call.
 */
const char *edmm_model_check(struct edmm_model *m);

#ifdef __cplusplus
}
#endif

#endif
