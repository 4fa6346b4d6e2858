/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small enclave for tests of the machine: laid out, measured and signed by
 * the test itself, driven by commands.
 *
 *	page 0			TCS 0
 *	page 1			TCS 1
 *	ENCL_SSA		2 frames of ENCL_FRAME pages each TCS
 *	ENCL_CODE		RX
 *	ENCL_DATA		RW, a page each TCS: SECINFO
 *	ENCL_FREE		absent up to the end: EDMM
 */
#ifndef TESTS_TRAP_ENCL_H
#define TESTS_TRAP_ENCL_H

#include <stdbool.h>
#include <stdint.h>

#include <sgx/arch.h>
#include <sgx/linux.h>

#define ENCL_SIZE 0x4000000ull
#define ENCL_FRAME 4u
#define ENCL_NSSA 2u
#define ENCL_TCS 2u
#define ENCL_SSA 0x2000ull
#define ENCL_SSA_SIZE ((uint64_t)ENCL_FRAME * ENCL_NSSA * 4096)
#define ENCL_CODE (ENCL_SSA + ENCL_TCS * ENCL_SSA_SIZE)
#define ENCL_DATA (ENCL_CODE + 0x1000)
#define ENCL_FREE 0x20000ull
/* Of TCS 0: AEX-Notify's byte in its first frame, and what the enclave notes of
 * entries that it got by it: their number, CSSA, EXITINFO. */
#define ENCL_NOTIFY (ENCL_SSA + ENCL_FRAME * 4096 - 184 + 167)
#define ENCL_NOTIFIED (ENCL_DATA + 0x900)

enum encl_op {
	OP_NOP,
	OP_ENCLU,
	OP_READ,
	OP_WRITE,
	OP_CALL,
	OP_CPUID,
	OP_SYSCALL,
	OP_UD2,
	OP_DIVIDE,
	OP_INT3,
	OP_SPIN,
	OP_VECTOR,
	OP_FSGS,
	OP_PEEK,
	OP_ZMM,
	OP_ACCEPT,
	OP_TOUCH,
	OP_EXTEND,
	OP_YMM,
	OP_POPF,
	OP_ALIGN,
	OP_GRANT,
	OP_POUND,
	OP_X87,
	OP_SSE,
};

struct encl_cmd {
	uint64_t op;
	uint64_t leaf;
	uint64_t flags;
	uint64_t addr;
	uint64_t value;
	uint64_t rax;
	uint64_t rflags;
	uint64_t cssa;
	uint64_t turns;
	volatile uint64_t stop;
};

struct encl {
	int fd;
	uint64_t base;
	uint64_t size; /* ELRANGE; 0: ENCL_SIZE */
	uint64_t attributes;
	uint64_t xfrm;
	uint32_t miscselect;
	uint32_t swdefined;
	bool exinfo;
	bool notify; /* TCSs with AEX-Notify */
};

/* Runs the calling program again with the machine preloaded and @options in
 * EDMM_MACHINE, if it is not yet. */
void encl_need_machine(char **argv, const char *options);

/* Opens, creates, fills, initialises and maps an enclave; aborts on failure. */
void encl_make(struct encl *e);
void encl_close(struct encl *e);

/* One step of encl_make() each: 0 or -errno. */
int encl_open(struct encl *e);
int encl_create(struct encl *e);
int encl_add_all(struct encl *e);
int encl_init(struct encl *e);

/* Signs what the caller has filled in: header, date and exponent are set. */
void encl_sign_filled(struct sgx_sigstruct *s);

/* Page @i of what is added: false after the last. */
bool encl_page(const struct encl *e, unsigned i, uint64_t *off, uint64_t *flags,
	       uint8_t bytes[4096]);

/* Signs for what was created and added; for tests that spoil it. */
void encl_sign(struct encl *e, struct sgx_sigstruct *s);

/* The vDSO's function, found by the dynamic section. */
vdso_sgx_enter_enclave_t encl_vdso(void);

/* Enters TCS @tcs with @cmd: what the function returns; @run as it left it. */
int encl_enter(struct encl *e, unsigned tcs, unsigned function,
	       struct encl_cmd *cmd, struct sgx_enclave_run *run);

/* EENTER of a TCS by an ENCLU of the test's own, whose AEP that is. */
uint64_t encl_raw(struct encl_cmd *cmd, uint64_t tcs);
extern char encl_raw_aep[];

/* Flags that each entry has on beside the program's, and RFLAGS after it. */
extern uint64_t encl_flags, encl_flags_back;

/* Shorthands on TCS 0 that must leave by EEXIT: RAX. */
uint64_t encl_do(struct encl *e, enum encl_op op, uint64_t addr,
		 uint64_t value);
uint64_t encl_enclu(struct encl *e, unsigned leaf, uint64_t flags,
		    uint64_t addr, uint64_t rdx);

/* The EDMM ioctls on offsets: 0 or -errno. */
int encl_restrict(struct encl *e, uint64_t off, uint64_t len, uint64_t perm,
		  struct sgx_enclave_restrict_permissions *out);
int encl_modify(struct encl *e, uint64_t off, uint64_t len, uint64_t type,
		struct sgx_enclave_modify_types *out);
int encl_remove(struct encl *e, uint64_t off, uint64_t len,
		struct sgx_enclave_remove_pages *out);

#endif
