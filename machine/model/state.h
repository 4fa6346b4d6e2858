/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the model: the block that a machine is, the EPCM and its locks.
 *
 * Invariants (mach_check() is their specification):
 *  - an EPCM entry that is not VALID has no lock and no other flag;
 *  - a page of an enclave names a VALID SECS page, lies in its ELRANGE, and is
 *    counted in that SECS's children, once;
 *  - no two VALID pages of one SECS have the same ENCLAVEADDRESS; this is the
 *    front end's to keep (hardware does not), so it is not checked;
 *  - RWX is 0 for every type but REG, MODIFIED excludes PENDING and PR;
 *  - the threads of a SECS are those of its tracking word.
 *
 * Locks. epcm.lock is taken by a try, never waited for. It is what the SDM's
 * concurrency tables describe: a base right, shared or exclusive, and one
 * additional exclusive right, for the SGX2 group (EACCEPT EACCEPTCOPY EMODPE
 * EMODPR EMODT) on a page and for EADD EEXTEND EINIT on a SECS. Flags change
 * by atomic and/or, as EBLOCK shares a page with the SGX2 group.
 *
 * Order. A processor is counted into the tracking word before it looks at any
 * EPCM flag that its entry relies on, and a leaf that takes a page away
 * publishes the flag (BLOCKED, not VALID) before it reads the tracking word;
 * both are sequentially consistent, so one of the two sees the other.
 */
#ifndef MACHINE_MODEL_STATE_H
#define MACHINE_MODEL_STATE_H

#include "machine/model/model.h"

/* EPCM flags: RWX and states at SECINFO's places, PT likewise. */
#define EPCM_R ((uint32_t)SGX_SECINFO_R)
#define EPCM_W ((uint32_t)SGX_SECINFO_W)
#define EPCM_X ((uint32_t)SGX_SECINFO_X)
#define EPCM_RWX ((uint32_t)SGX_SECINFO_RWX)
#define EPCM_PENDING ((uint32_t)SGX_SECINFO_PENDING)
#define EPCM_MODIFIED ((uint32_t)SGX_SECINFO_MODIFIED)
#define EPCM_PR ((uint32_t)SGX_SECINFO_PR)
#define EPCM_PT(t) ((uint32_t)(t) << SGX_SECINFO_PT_SHIFT)
#define EPCM_PT_MASK ((uint32_t)SGX_SECINFO_PT_MASK)
#define EPCM_BLOCKED 0x10000u
#define EPCM_VALID 0x20000u

#define EPCM_LOCK_EXCL 0x80000000u /* base exclusive */
#define EPCM_LOCK_MORE 0x40000000u /* the additional exclusive right */

struct mach_epcm {
	uint32_t lock;
	uint32_t flags;
	uint64_t addr;	/* ENCLAVEADDRESS */
	uint32_t secs;	/* EPC page of ENCLAVESECS; own page for a SECS */
	uint32_t epoch; /* tracking epoch when blocked, restricted, retyped */
};

_Static_assert(sizeof(struct mach_epcm) == 24, "metadata of an EPC page");

struct mach {
	size_t size; /* of the block */
	size_t arena;
	struct mach_config cfg;
	struct mach_hooks plat;
	uint64_t next_eid;
	uint64_t next_version; /* CR_VERSION: EWB's nonces */
	uint64_t encls[MACH_ENCLS_LEAVES];
	uint64_t encls_faults;
	struct mach_epcm epcm[];
};

/* The last quarter of a SECS page, which ECREATE finds zero and no software
 * can read, holds what hardware keeps there or in hidden fields. */
struct mach_hidden {
	uint64_t eid;
	uint64_t track; /* epoch << 32 | stale << 16 | fresh */
	uint32_t children;
	uint32_t reserved;
	uint64_t blocks; /* 64-byte blocks in MRENCLAVE so far */
	uint32_t hash[8];
	uint8_t isvfamilyid[16];
	uint8_t isvextprodid[16];
};

#define MACH_HIDDEN_OFF 3072u

/* ---- results ----------------------------------------------------------- */

static inline struct mach_result res_ok(void)
{
	return (struct mach_result){ .kind = MACH_OK };
}

static inline struct mach_result res_code(enum sgx_code code)
{
	return (struct mach_result){ .kind = MACH_CODE,
				     .code = (uint16_t)code };
}

static inline struct mach_result res_gp(void)
{
	return (struct mach_result){ .kind = MACH_FAULT, .vector = SGX_VEC_GP };
}

static inline struct mach_result res_pf(uint64_t addr, uint32_t pfec)
{
	return (struct mach_result){ .kind = MACH_FAULT,
				     .vector = SGX_VEC_PF,
				     .pfec = pfec,
				     .addr = addr };
}

/* #PF of an ENCLS operand. */
static inline struct mach_result res_kpf(uint64_t addr)
{
	return res_pf(addr, SGX_PFEC_P | SGX_PFEC_SGX);
}

/* ---- memory ------------------------------------------------------------ */

/*
 * Not memcpy() and memset(), which may use vector registers; but checkers
 * cannot see through these lines, so they get the plain functions.
 */
#if defined(__clang_analyzer__) || defined(__SANITIZE_ADDRESS__) || \
	defined(__SANITIZE_THREAD__)
#define PLAIN_COPIES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PLAIN_COPIES 1
#endif
#endif

#ifdef PLAIN_COPIES
static inline void copy_bytes(void *dst, const void *src, size_t n)
{
	__builtin_memcpy(dst, src, n);
}

static inline void zero_bytes(void *dst, size_t n)
{
	__builtin_memset(dst, 0, n);
}
#else
static inline void copy_bytes(void *dst, const void *src, size_t n)
{
	__asm__ volatile("rep movsb"
			 : "+D"(dst), "+S"(src), "+c"(n)
			 :
			 : "memory");
}

static inline void zero_bytes(void *dst, size_t n)
{
	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(0) : "memory");
}
#endif

static inline bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t any = 0;
	size_t i;

	for (i = 0; i < n; i++)
		any |= b[i];
	return any == 0;
}

static inline bool aligned(uint64_t addr, uint64_t to)
{
	return (addr & (to - 1)) == 0;
}

static inline bool canonical(uint64_t addr)
{
	return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

/* EPC page of an ENCLS operand; MACH_EPC_NONE if it is no EPC address. */
static inline uint32_t epc_of(const struct mach *m, uint64_t addr)
{
	uint64_t n = (addr - MACH_EPC_BASE) >> SGX_PAGE_SHIFT;

	return addr >= MACH_EPC_BASE && n < m->cfg.epc_pages ? (uint32_t)n
							     : MACH_EPC_NONE;
}

static inline uint8_t *page_of(const struct mach *m, uint32_t epc)
{
	if (m->plat.page)
		return m->plat.page(m->plat.ctx, epc);
	return (uint8_t *)m + m->arena + (size_t)epc * SGX_PAGE_SIZE;
}

static inline struct sgx_secs *secs_of(const struct mach *m, uint32_t epc)
{
	return (struct sgx_secs *)(void *)page_of(m, epc);
}

static inline struct mach_hidden *hidden_of(struct sgx_secs *s)
{
	return (struct mach_hidden *)(void *)((uint8_t *)s + MACH_HIDDEN_OFF);
}

static inline bool secs_init(const struct sgx_secs *s)
{
	return __atomic_load_n(&s->attributes.flags, __ATOMIC_ACQUIRE) &
	       SGX_ATTR_INIT;
}

/* ---- EPCM entries ------------------------------------------------------ */

static inline uint32_t epcm_flags(const struct mach_epcm *e)
{
	return __atomic_load_n(&e->flags, __ATOMIC_SEQ_CST);
}

static inline uint64_t epcm_addr(const struct mach_epcm *e)
{
	return __atomic_load_n(&e->addr, __ATOMIC_RELAXED);
}

static inline uint32_t epcm_secs(const struct mach_epcm *e)
{
	return __atomic_load_n(&e->secs, __ATOMIC_RELAXED);
}

static inline uint32_t epcm_pt(uint32_t flags)
{
	return (flags & EPCM_PT_MASK) >> SGX_SECINFO_PT_SHIFT;
}

static inline bool epcm_is(uint32_t flags, enum sgx_page_type pt)
{
	return (flags & EPCM_VALID) && epcm_pt(flags) == (uint32_t)pt;
}

/* Fill in an entry that is not VALID; the caller holds it exclusively. */
static inline void epcm_publish(struct mach_epcm *e, uint64_t addr,
				uint32_t secs, uint32_t flags)
{
	__atomic_store_n(&e->addr, addr, __ATOMIC_RELAXED);
	__atomic_store_n(&e->secs, secs, __ATOMIC_RELAXED);
	__atomic_store_n(&e->epoch, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&e->flags, flags | EPCM_VALID, __ATOMIC_SEQ_CST);
}

static inline bool epcm_lock(struct mach_epcm *e, uint32_t add, uint32_t busy)
{
	uint32_t old = __atomic_load_n(&e->lock, __ATOMIC_RELAXED);

	do {
		if (old & busy)
			return false;
	} while (!__atomic_compare_exchange_n(&e->lock, &old, old + add, false,
					      __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}

static inline void epcm_unlock(struct mach_epcm *e, uint32_t add)
{
	__atomic_fetch_sub(&e->lock, add, __ATOMIC_RELEASE);
}

#define LOCK_SHARED 1u
#define LOCK_MORE (1u | EPCM_LOCK_MORE)
#define LOCK_EXCL EPCM_LOCK_EXCL

static inline bool try_shared(struct mach_epcm *e)
{
	return epcm_lock(e, LOCK_SHARED, EPCM_LOCK_EXCL);
}

static inline bool try_more(struct mach_epcm *e)
{
	return epcm_lock(e, LOCK_MORE, EPCM_LOCK_EXCL | EPCM_LOCK_MORE);
}

static inline bool try_excl(struct mach_epcm *e)
{
	return epcm_lock(e, LOCK_EXCL, UINT32_MAX);
}

/* ---- tracking ---------------------------------------------------------- */

static inline uint64_t track_load(struct mach_hidden *h)
{
	return __atomic_load_n(&h->track, __ATOMIC_SEQ_CST);
}

static inline uint32_t track_epoch(uint64_t t)
{
	return (uint32_t)(t >> 32);
}

static inline uint32_t track_stale(uint64_t t)
{
	return (uint32_t)(t >> 16) & 0xffff;
}

static inline uint32_t track_fresh(uint64_t t)
{
	return (uint32_t)t & 0xffff;
}

static inline uint32_t track_threads(uint64_t t)
{
	return track_stale(t) + track_fresh(t);
}

/* The page was taken at @epoch: have all who could know it left? One ETRACK
 * must have followed; if only one, those inside at it must be gone. */
static inline bool track_done(uint64_t t, uint32_t epoch)
{
	uint32_t since = track_epoch(t) - epoch;

	return since > 1 || (since == 1 && track_stale(t) == 0);
}

uint32_t track_enter(struct mach_hidden *h);
void track_leave(struct mach_hidden *h, uint32_t epoch);

/* ---- shared between files ---------------------------------------------- */

/* Counts the result of an ENCLS leaf and returns it. */
struct mach_result encls_done(struct mach *m, unsigned leaf,
			      struct mach_result r);
struct mach_result enclu_done(struct mach_cpu *cpu, unsigned leaf,
			      struct mach_result r);

bool xfrm_legal(const struct mach_config *c, uint64_t xfrm);

/* PT_SECS, VALID and of which enclave: NONE unless @addr is a valid SECS. */
uint32_t secs_operand(const struct mach *m, uint64_t addr);

/* An EPC operand of an ENCLU leaf in the current enclave, after paging. */
struct operand {
	uint64_t addr;	 /* as given */
	unsigned access; /* MACH_R or MACH_W, for paging and the error code */
	uint32_t epc;	 /* out */
};

/* Translate; #PF if it does not resolve to EPC. */
struct mach_result operand_resolve(const struct mach *m, struct operand *o);

/* Resolve, and check that it is an ordinary accessible page of the enclave
 * with the rights in @o->access. */
struct mach_result operand_page(const struct mach *m,
				const struct mach_cpu *cpu, struct operand *o);

/* #PF of an EPCM check on operand @o. */
static inline struct mach_result operand_pf(const struct operand *o)
{
	return res_pf(o->addr, SGX_PFEC_P | SGX_PFEC_U | SGX_PFEC_SGX |
				       (o->access & MACH_W));
}

static inline bool in_elrange(const struct mach_cpu *cpu, uint64_t addr)
{
	return addr - cpu->base < cpu->size;
}

/* xstate.c: the XSAVE image between a frame and the SSA pages. */
void xstate_save(const struct mach *m, const struct mach_cpu *cpu,
		 const struct mach_frame *f);
void xstate_init(const struct mach_cpu *cpu, struct mach_frame *f,
		 const struct mach_event *e);
bool xstate_legal(const struct mach *m, const struct mach_cpu *cpu);
void xstate_load(const struct mach *m, const struct mach_cpu *cpu,
		 struct mach_frame *f);

#endif
