/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The software SGX2 model: EPC, EPCM, every leaf of SGX1 and SGX2 that Linux
 * and enclaves use, tracking, measurement and keys. Pure: no signal, no system
 * call, no global, no clock, no random number; the same calls on the same
 * model give the same bytes.
 *
 * A model is one flat block of zero-filled memory that the caller provides.
 * It holds no pointer to itself, so a copy is a copy (mach_copy()).
 *
 *	struct mach      the machine: configuration, EPCM, optional page arena
 *	struct mach_cpu  a logical processor; as many as there are threads
 *	struct mach_frame  the registers of a thread, filled in by the front end
 *
 * Addresses. ENCLS leaves take what the kernel would: host pointers for host
 * memory, and MACH_EPC_BASE + page * 4096 + offset for EPC memory. ENCLU
 * leaves take linear addresses, which the front end translates (host page
 * tables are its, not the model's).
 *
 * Threads. Any leaf may run on any thread at any time, each thread with its
 * own cpu and frame. There is one lock word an EPC page, taken by a try only:
 * a conflict gives the SDM's outcome (#GP, or SGX_EPC_PAGE_CONFLICT), so
 * nothing here spins or waits, and a leaf may be called from a signal handler.
 * A thread that is interrupted inside a leaf by a handler that uses the same
 * page gets such a conflict; block signals around leaves.
 *
 * Vector registers. mach_enclu() but for EREPORT and EGETKEY, the transition
 * leaves, mach_aex() and the queries use general registers only, and call
 * nothing outside this room's general-register files (its CMakeLists.txt).
 * ECREATE EADD EEXTEND EINIT EWB ELDU EREPORT EGETKEY use libcrypto.
 */
#ifndef MACHINE_MODEL_MODEL_H
#define MACHINE_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sgx/arch.h"

/* ---- EPC addresses as ENCLS sees them ---------------------------------- */

#define MACH_EPC_BASE 0xffffc00000000000ull
#define MACH_EPC_NONE UINT32_MAX

/* The ENCLS address of EPC page @epc. */
static inline uint64_t mach_epc_addr(uint32_t epc)
{
	return MACH_EPC_BASE + ((uint64_t)epc << SGX_PAGE_SHIFT);
}

/* ---- results ----------------------------------------------------------- */

enum mach_kind {
	MACH_OK = 0,	/* the leaf completed */
	MACH_CODE = 1,	/* it completed with an SGX code in RAX */
	MACH_FAULT = 2, /* it did nothing and raised a fault */
};

/* What a leaf did. Exactly one of code and vector means something. */
struct mach_result {
	uint8_t kind;	/* enum mach_kind */
	uint8_t vector; /* MACH_FAULT: SGX_VEC_GP or SGX_VEC_PF (or _UD) */
	uint16_t code;	/* MACH_CODE: enum sgx_code */
	uint32_t pfec;	/* #PF error code; 0 for #GP */
	uint64_t addr;	/* #PF linear address (ENCLS: EPC or host address) */
};

static inline bool mach_ok(struct mach_result r)
{
	return r.kind == MACH_OK;
}

/**
 * mach_result_rflags() - RFLAGS after a leaf that returns a code in RAX
 * @rflags: RFLAGS before it
 * @r: MACH_OK or MACH_CODE
 *
 * Return: @rflags with CF PF AF ZF SF OF as SDM 38.1.3: ZF for a code, but CF
 * for the three of EBLOCK that name a state (BLKSTATE, PG_IS_SECS,
 * NOTBLOCKABLE).
 */
uint64_t mach_result_rflags(uint64_t rflags, struct mach_result r);

/* ---- the front end ----------------------------------------------------- */

/* Kinds of access, for translation and for the access check. */
enum mach_access {
	MACH_R = 1,
	MACH_W = 2, /* reads too, as a leaf that writes does */
	MACH_X = 4,
};

/* What a linear address is, by the host's page tables alone. */
enum mach_xlate {
	MACH_XL_EPC,   /* EPC; *out is the page number */
	MACH_XL_OTHER, /* memory that is not EPC; *out is not used */
	MACH_XL_FAULT, /* an ordinary #PF; *out is its error code */
};

/*
 * What the model needs of its surroundings. Both functions are called on the
 * hot path: they must be async-signal-safe, must not use vector registers
 * where the front end's own rules say so, and must not call back.
 */
struct mach_hooks {
	void *ctx;

	/* The 4096 bytes of EPC page @epc, readable and writable whatever the
	 * enclave's rights. Constant from the leaf that makes the page VALID
	 * to the one that clears VALID; the front end binds it before. NULL as
	 * function: the arena inside the model (struct mach_config.arena). */
	uint8_t *(*page)(void *ctx, uint32_t epc);

	/* Translate @addr for @access (enum mach_access). NULL as function:
	 * every ENCLU operand is MACH_XL_OTHER. */
	enum mach_xlate (*translate)(void *ctx, uint64_t addr, unsigned access,
				     uint32_t *out);
};

/* ---- configuration ----------------------------------------------------- */

#define MACH_F_SGX2 0x01u      /* EAUG EMODPR EMODT EACCEPT EMODPE ... */
#define MACH_F_EXINFO 0x02u    /* MISCSELECT.EXINFO is allowed */
#define MACH_F_AEXNOTIFY 0x04u /* ATTRIBUTES.AEXNOTIFY is allowed */
#define MACH_F_EDECCSSA 0x08u  /* leaf 9 exists */
#define MACH_F_KSS 0x10u       /* ATTRIBUTES.KSS is allowed */
#define MACH_F_EMPTY_TCS 0x20u /* EACCEPT takes one with CSSA = NSSA = 0 */
#define MACH_F_ALL 0x3fu

#define MACH_XCOMPS 32	    /* XSAVE components known, by bit of XFRM */
#define MACH_XSAVE_PAGES 4  /* most pages that an XSAVE area may take */
#define MACH_XSAVE_MIN 576u /* legacy region and header */

/* Where component i (>= 2) lies in a standard-format XSAVE area (CPUID.0DH). */
struct mach_xcomp {
	uint32_t off;
	uint32_t size;
};

struct mach_config {
	uint32_t epc_pages; /* 1 .. 2^30 */
	uint32_t features;  /* MACH_F_* */
	uint64_t xfrm;	    /* XCR0: what XFRM may have; has bits 0 and 1 */
	struct mach_xcomp xcomp[MACH_XCOMPS];
	uint32_t mxcsr_mask;
	uint8_t size_log2_64; /* CPUID.12H.0:EDX[15:8] */
	uint8_t size_log2_32; /* CPUID.12H.0:EDX[7:0] */
	bool arena;	      /* page contents inside the model */
	bool zeroed;	    /* what EADD and EAUG get is zero: no need to touch
			       it for that; the front end sees to it */
	uint8_t secret[16]; /* fuses: every key is derived from it */
	uint8_t owner_epoch[16];
	uint8_t cpusvn[16];
	uint8_t report_keyid[32]; /* CR_REPORT_KEYID */
};

/**
 * mach_config_default() - a processor with everything
 * @c: filled in: 256 EPC pages in an arena, MACH_F_ALL, XFRM up to AVX-512
 *	(0xe7) with Intel's usual offsets, ELRANGE up to 2^40 (EDX: 2^56 is
 *	allowed), a fixed secret.
 */
void mach_config_default(struct mach_config *c);

/**
 * mach_xsave_size() - bytes of a standard-format XSAVE area
 * @c: the configuration
 * @xfrm: components
 *
 * Return: the size, at least MACH_XSAVE_MIN; 0 if a component is unknown.
 */
uint32_t mach_xsave_size(const struct mach_config *c, uint64_t xfrm);

/* ---- the machine ------------------------------------------------------- */

struct mach;
struct mach_cpu;

/**
 * mach_size() - bytes of memory that a model takes
 * @c: its configuration
 *
 * 24 bytes an EPC page and some KiB, and 4096 bytes a page with an arena. The
 * model touches the metadata of pages in use only, so that memory from
 * calloc() or a MAP_NORESERVE mapping costs what is used.
 *
 * Return: the size, a multiple of 4096; 0 if the configuration is no machine
 * (no pages, XFRM without x87 and SSE, an XSAVE area over
 * MACH_XSAVE_PAGES pages).
 */
size_t mach_size(const struct mach_config *c);

/**
 * mach_init() - start a machine
 * @mem: mach_size(@c) zero-filled bytes, 64-byte aligned (4096 with an arena)
 * @c: configuration, copied
 * @p: its hooks, copied; NULL for an arena and no translation
 *
 * Return: the machine, at @mem; NULL if mach_size() would be 0, or there is
 * neither an arena nor @p->page.
 */
struct mach *mach_init(void *mem, const struct mach_config *c,
		       const struct mach_hooks *p);

/**
 * mach_copy() - copy a machine
 * @mem: memory for it, as for mach_init() but need not be zero
 * @m: the machine; no leaf may be running on it
 * @p: the copy's hooks; NULL keeps @m's functions and context
 *
 * Copy each struct mach_cpu by assignment; they hold no pointers.
 * Only the arena's page contents are copied with it: a front end with pages of
 * its own copies those itself.
 *
 * Return: the copy, at @mem.
 */
struct mach *mach_copy(void *mem, const struct mach *m,
		       const struct mach_hooks *p);

const struct mach_config *mach_config(const struct mach *m);

/** mach_page() - the contents of EPC page @epc, as the front end has it */
uint8_t *mach_page(const struct mach *m, uint32_t epc);

/**
 * mach_check() - the EPCM's own invariants
 * @m: a machine on which no leaf is running
 * @why: filled with a sentence when one is broken
 * @len: its size
 *
 * For tests and fuzzers: reads every EPCM entry.
 *
 * Return: true if all hold.
 */
bool mach_check(const struct mach *m, char *why, size_t len);

/**
 * mach_check_cpus() - mach_check(), and that tracking agrees with the cpus
 * @cpus: all logical processors there are
 * @count: of them
 */
bool mach_check_cpus(const struct mach *m, const struct mach_cpu *cpus,
		     size_t count, char *why, size_t len);

/* ---- ENCLS ------------------------------------------------------------- */
/*
 * Arguments are the registers: host pointers to the structures, EPC operands
 * as MACH_EPC_BASE addresses. PAGEINFO.SRCPGE, .SECINFO and .PCMD are host
 * addresses, PAGEINFO.SECS an EPC address. All alignments are checked, so
 * keep copies aligned (the types in sgx/arch.h are).
 *
 * Faults: #GP; or #PF with address of the operand and an error code without
 * SGX_PFEC_U. Codes: as in the table of SDM 3D 38.3. A leaf that faults or
 * returns a code has changed nothing.
 *
 * Without MACH_F_SGX2, EAUG EMODPR and EMODT are #GP.
 */

struct mach_result mach_ecreate(struct mach *m, const struct sgx_pageinfo *pi,
				uint64_t epc);
struct mach_result mach_eadd(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc);

/** mach_eextend() - measure 256 bytes at EPC address @chunk into @secs */
struct mach_result mach_eextend(struct mach *m, uint64_t secs, uint64_t chunk);

/**
 * mach_einit() - initialise an enclave
 * @sig: SIGSTRUCT (the whole 1808 bytes), page aligned
 * @secs: EPC address
 * @token: EINITTOKEN, 512-byte aligned; VALID=0 (all zero) means none
 * @lepubkeyhash: the four IA32_SGXLEPUBKEYHASH registers of this processor
 */
struct mach_result mach_einit(struct mach *m, const void *sig, uint64_t secs,
			      const void *token,
			      const uint8_t lepubkeyhash[32]);

/** mach_eremove() - free a page: SGX_CHILD_PRESENT, SGX_ENCLAVE_ACT */
struct mach_result mach_eremove(struct mach *m, uint64_t epc);

/** mach_eaug() - add a pending page; @pi->secinfo is 0, or REG, R|W, PENDING */
struct mach_result mach_eaug(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc);

/** mach_emodpr() - restrict rights; codes 7 and 20 (PENDING or MODIFIED) */
struct mach_result mach_emodpr(struct mach *m, const struct sgx_secinfo *si,
			       uint64_t epc);

/** mach_emodt() - change the type to TCS or TRIM; codes 7 and 20 */
struct mach_result mach_emodt(struct mach *m, const struct sgx_secinfo *si,
			      uint64_t epc);

/**
 * mach_etrack() - start a tracking epoch
 *
 * Return: SGX_PREV_TRK_INCMPL while a thread that was inside at the ETRACK
 * before this one is still inside.
 */
struct mach_result mach_etrack(struct mach *m, uint64_t secs);

/** mach_eblock() - codes 3, 5, 6, 7, 18 */
struct mach_result mach_eblock(struct mach *m, uint64_t epc);

/** mach_epa() - make a version array page; @pt is SGX_PT_VA (as RBX) */
struct mach_result mach_epa(struct mach *m, uint64_t pt, uint64_t epc);

/**
 * mach_ewb() - evict a page
 * @pi: SRCPGE: 4096 bytes out; PCMD: out; LINADDR is written, and must be 0
 *	before, as SECS
 * @epc: the page
 * @va: EPC address of a slot: 8-byte aligned, in a PT_VA page
 *
 * SGX_VA_SLOT_OCCUPIED is the one code that comes with its effect: the page
 * has gone, and the slot has its version in the place of the old one.
 */
struct mach_result mach_ewb(struct mach *m, struct sgx_pageinfo *pi,
			    uint64_t epc, uint64_t va);

/** mach_eldu() - load an evicted page back, not blocked; clears the slot */
struct mach_result mach_eldu(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc, uint64_t va);

/** mach_eldb() - the same, blocked */
struct mach_result mach_eldb(struct mach *m, const struct sgx_pageinfo *pi,
			     uint64_t epc, uint64_t va);

/** mach_edbgrd() - read 8 bytes at EPC address @addr of a debug enclave */
struct mach_result mach_edbgrd(struct mach *m, uint64_t addr, uint64_t *out);
struct mach_result mach_edbgwr(struct mach *m, uint64_t addr, uint64_t val);

/* ---- a logical processor ----------------------------------------------- */

#define MACH_ENCLS_LEAVES 16
#define MACH_ENCLU_LEAVES 10

/* Why a thread leaves asynchronously. */
struct mach_event {
	bool exception; /* false: an interrupt; the rest is not used */
	uint8_t vector;
	uint32_t errcode; /* #PF, #GP, #AC ... */
	uint64_t addr;	  /* #PF: the full linear address */
};

/*
 * A plain record, one a thread; all zero is not valid: mach_cpu_init(). A
 * thread that ends inside an enclave must be taken out with mach_aex() first,
 * or its TCS stays busy and its epoch never ends, as on no real machine.
 */
struct mach_cpu {
	uint32_t secs; /* EPC page of CR_ACTIVE_SECS; MACH_EPC_NONE outside */
	uint32_t tcs;  /* EPC page of the TCS */
	uint64_t tcs_addr; /* CR_TCS_LA */
	uint64_t base;	   /* ELRANGE, copied at entry */
	uint64_t size;
	uint64_t attributes;
	uint64_t xfrm;
	uint32_t miscselect;
	uint32_t epoch; /* tracking epoch at entry */
	/* Where AEX saves: EPC pages (CR_XSAVE_PAGE_n, CR_GPR_PA). */
	uint32_t xsave_count;
	uint32_t xsave[MACH_XSAVE_PAGES];
	uint32_t gpr;
	/* What EEXIT and AEX restore. */
	uint64_t fsbase;
	uint64_t gsbase;
	bool tf;
	bool optin; /* TCS.FLAGS.DBGOPTIN */
	/* The next EACCEPT finds tracking undone, as if another processor's
	 * ETRACK or interrupt had not come yet. The caller sets and clears. */
	bool untracked;
	/* The front end's: an AEX that it owes the thread, and why (drv.h).
	 * However the thread leaves, nothing is owed any more. */
	bool due;
	struct mach_event due_event;
	/* Counters, of this processor since mach_cpu_init(). */
	uint64_t enclu[MACH_ENCLU_LEAVES]; /* completed, codes included */
	uint64_t enclu_faults;
	uint64_t aex;
	uint64_t notify; /* ERESUMEs that AEX-Notify turned into an entry */
};

void mach_cpu_init(struct mach_cpu *cpu);

static inline bool mach_inside(const struct mach_cpu *cpu)
{
	return cpu->secs != MACH_EPC_NONE;
}

/*
 * Registers of a thread. rip is that of the ENCLU instruction (3 bytes) or of
 * the interrupted instruction. xsave is a standard-format XSAVE image as a
 * signal frame has it (legacy 512 bytes, header, components at the offsets of
 * struct mach_config); under MACH_XSAVE_MIN bytes it is legacy only. Bytes
 * 416..511 are the operating system's and are left alone. NULL: no image; AEX
 * saves the INIT state and ERESUME restores no extended state.
 */
struct mach_frame {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, rip;
	uint64_t fsbase, gsbase;
	uint8_t *xsave;
	uint32_t xsave_size;
};

/* ---- ENCLU ------------------------------------------------------------- */

/**
 * mach_enclu() - execute the ENCLU instruction at @f->rip
 * @m: the machine
 * @cpu: this thread's logical processor
 * @f: its registers: EAX is the leaf
 *
 * MACH_OK or MACH_CODE: @f is the state after the instruction: RIP advanced or
 * moved, RAX and RFLAGS set for the leaves that return a code, FS and GS bases
 * and the XSAVE image after ERESUME. MACH_FAULT: @f is untouched; outside, the
 * front end raises the fault at RIP; inside, it first takes the thread out with
 * mach_aex(). A #PF without SGX_PFEC_SGX comes from the front end's own
 * translation: it may resolve it and call again.
 *
 * An unknown leaf, or one for the other mode, is #GP.
 */
struct mach_result mach_enclu(struct mach *m, struct mach_cpu *cpu,
			      struct mach_frame *f);

/* The leaves one by one, for a caller that knows the leaf: as mach_enclu()
 * with EAX set, mode check included. */
struct mach_result mach_eenter(struct mach *m, struct mach_cpu *cpu,
			       struct mach_frame *f);
struct mach_result mach_eresume(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f);
struct mach_result mach_eexit(struct mach *m, struct mach_cpu *cpu,
			      struct mach_frame *f);
struct mach_result mach_eaccept(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f);
struct mach_result mach_eacceptcopy(struct mach *m, struct mach_cpu *cpu,
				    struct mach_frame *f);
struct mach_result mach_emodpe(struct mach *m, struct mach_cpu *cpu,
			       struct mach_frame *f);
struct mach_result mach_edeccssa(struct mach *m, struct mach_cpu *cpu,
				 struct mach_frame *f);
struct mach_result mach_ereport(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f);
struct mach_result mach_egetkey(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f);

/**
 * mach_aex() - asynchronous enclave exit
 * @m: the machine
 * @cpu: a processor that is inside
 * @f: in: the interrupted state; out: the synthetic state (RAX=3, RBX=TCS,
 *	RCX=RIP=AEP, RSP and RBP those of the host, FS and GS bases of the
 *	host, XSAVE components of XFRM in INIT state, others kept)
 * @e: why
 *
 * The front end delivers the event with the address that an operating system
 * sees: @e->addr & ~0xfff for a #PF.
 */
void mach_aex(struct mach *m, struct mach_cpu *cpu, struct mach_frame *f,
	      const struct mach_event *e);

/**
 * mach_interrupt() - an interrupt that nobody looks at
 * @m: the machine
 * @cpu: a processor that is inside; it runs on undisturbed
 *
 * AEX and ERESUME at once, as if an operating system had taken an interrupt
 * and gone back: the thread counts as having entered now, for tracking, and
 * both are counted. The SSA frame, which that would have used, is not written.
 * The caller sees to it that the processor's own thread is in no leaf.
 *
 * Return: false, and nothing has happened, if that is no return to where the
 * thread was: AEX-Notify turns the ERESUME into an entry, or it would fault,
 * since the TCS or a page of the SSA frame is BLOCKED, MODIFIED or gone. Then
 * tracking waits for the thread, whose pages cannot be taken from under it: the
 * front end takes it out with mach_aex(), and its ERESUME does the rest.
 */
bool mach_interrupt(struct mach *m, struct mach_cpu *cpu);

/* ---- queries ----------------------------------------------------------- */

enum mach_verdict {
	MACH_ALLOW,
	MACH_DENY,  /* #PF with mach_access_pfec() */
	MACH_ABORT, /* abort page: reads give ones, writes vanish */
	MACH_FETCH, /* #GP: an instruction fetch outside ELRANGE */
};

/**
 * mach_access() - may this processor do that access, once paging allows it?
 * @m: the machine
 * @cpu: inside or outside
 * @epc: the page that @addr translates to, or MACH_EPC_NONE for other memory
 * @addr: linear address
 * @access: MACH_R, MACH_W or MACH_X
 *
 * Context: lock-free; the answer may be old when it arrives, as a TLB's is.
 */
enum mach_verdict mach_access(const struct mach *m, const struct mach_cpu *cpu,
			      uint32_t epc, uint64_t addr, unsigned access);

/* The #PF error code of a MACH_DENY: 0x8005 | W | I. */
uint32_t mach_access_pfec(unsigned access);

/**
 * mach_rights() - what the enclave may do with an EPC page now
 * @epc: page
 *
 * Return: MACH_R | MACH_W | MACH_X as EPCM says; 0 for pages that are not
 * PT_REG or are BLOCKED, PENDING, MODIFIED or not VALID.
 */
unsigned mach_rights(const struct mach *m, uint32_t epc);

/* An EPCM entry, spelt out. */
struct mach_epcm_info {
	bool valid, blocked, pending, modified, pr;
	uint8_t rwx;   /* MACH_R | MACH_W | MACH_X */
	uint8_t pt;    /* enum sgx_page_type */
	uint32_t secs; /* EPC page of the SECS; own page for PT_SECS */
	uint64_t addr; /* ENCLAVEADDRESS */
};

void mach_epcm(const struct mach *m, uint32_t epc, struct mach_epcm_info *out);

/* What a SECS page knows; false if @epc is no SECS. */
struct mach_secs_info {
	uint64_t base, size, attributes, xfrm, eid;
	uint32_t miscselect, ssaframesize;
	bool init;
	uint32_t children; /* pages of the enclave in the EPC */
	uint32_t threads;  /* processors inside */
	uint32_t stale;	   /* of them, inside since before the last ETRACK */
	uint32_t epoch;	   /* ETRACKs done */
	uint8_t mrenclave[32], mrsigner[32];
};

bool mach_secs(const struct mach *m, uint32_t epc, struct mach_secs_info *out);

/**
 * mach_why_create() - why ECREATE refuses a SECS
 * mach_why_init() - why INIT refuses a SIGSTRUCT, whose signer may launch
 * @epc: index of the SECS
 * @out: receives a sentence without its end, in at most @size bytes
 *
 * Return: false if they do not. Context: the SECS does not change.
 */
bool mach_why_create(const struct mach_config *c, const struct sgx_secs *s,
		     char *out, size_t size);
bool mach_why_init(const struct mach *m, uint32_t epc,
		   const struct sgx_sigstruct *sig, char *out, size_t size);

/**
 * mach_tracked() - would a leaf find tracking complete for this page?
 *
 * True if an ETRACK followed the leaf that blocked, restricted or retyped the
 * page, and every thread inside at that ETRACK has left.
 */
bool mach_tracked(const struct mach *m, uint32_t epc);

/** mach_encls_count() - count an ENCLS that the caller answers itself */
void mach_encls_count(struct mach *m, unsigned leaf, struct mach_result r);

/** mach_encls_counts() - completed (codes included) and faulting ENCLS */
void mach_encls_counts(const struct mach *m, uint64_t done[MACH_ENCLS_LEAVES],
		       uint64_t *faults);

#endif
