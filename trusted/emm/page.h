/* SPDX-License-Identifier: BSD-3-Clause */
/* What the page map says of a page: one byte. */
#ifndef TRUSTED_EMM_PAGE_H
#define TRUSTED_EMM_PAGE_H

#include "edmm/emm.h"

/* A page's byte: BUSY, state, rights (of the page, or that it will get). */
#define PB_PROT 0x07u
#define PB_SHIFT 3
#define PB_BUSY 0x80u

/*
 * The _S states need a look at the area when such a page faults: its handler,
 * its window, its growth direction, or that a fault does not commit there.
 */
enum pg_state {
	ST_NONE,
	ST_RESERVED,
	ST_UNC,
	ST_UNC_S,
	ST_COMM,
	ST_COMM_S,
	ST_IDLE, /* prot without R: known to be zero */
	ST_IDLE_S,
	ST_IDLE_FREE,
	ST_TCS,
	ST_DOUBT,
	ST_DOUBT_TCS, /* a TCS that was to be trimmed */
	ST_DOUBT_NEW, /* a page that was to become a TCS */
	ST_TRIMMED,
	ST_HINT, /* as UNC, but the host was told to add the page */
	ST_HINT_S,
	ST_COUNT,
};

_Static_assert(ST_COUNT <= 16, "a state has four bits");

#define M(st) (1u << (st))
#define M_ABSENT (M(ST_UNC) | M(ST_UNC_S))
#define M_HINT (M(ST_HINT) | M(ST_HINT_S))
#define M_UNC (M_ABSENT | M_HINT)
#define M_COMM (M(ST_COMM) | M(ST_COMM_S))
#define M_IDLE (M(ST_IDLE) | M(ST_IDLE_S))
#define M_DOUBT (M(ST_DOUBT) | M(ST_DOUBT_TCS) | M(ST_DOUBT_NEW))
#define M_TCS (M(ST_TCS) | M(ST_DOUBT_TCS) | M(ST_DOUBT_NEW))
#define M_HOLE (M(ST_NONE) | M(ST_IDLE_FREE))
#define M_AREA ((M(ST_COUNT) - 1) & ~M_HOLE & ~M(ST_RESERVED))

#define PB(st, prot) ((uint8_t)((unsigned)(st) << PB_SHIFT | (unsigned)(prot)))

static inline unsigned pb_state(uint8_t b)
{
	return (b >> PB_SHIFT) & 0xfu;
}

static inline int pb_prot(uint8_t b)
{
	return (int)(b & PB_PROT);
}

/* SECINFO of pages whose type is to change. */
#define TRIM_FLAGS (SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED)
#define FRESH_FLAGS                                            \
	(SGX_SECINFO_R | SGX_SECINFO_W | SGX_SECINFO_PENDING | \
	 SGX_SECINFO_PT(SGX_PT_REG))
#define TCS_FLAGS (SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED)

/* Byte transformations, as tables; each keeps BUSY unless it says so. */
enum pb_lut {
	LUT_CLAIM,   /* set BUSY */
	LUT_RELEASE, /* clear BUSY */
	LUT_COMMIT,  /* UNC, HINT and IDLE become COMM */
	LUT_FAULT,   /* the same, and clear BUSY */
	LUT_HINT,    /* UNC becomes HINT */
	LUT_UNHINT,  /* and back */
	LUT_IDLE,    /* COMM becomes IDLE */
	LUT_TRIM,    /* whatever was present becomes UNC */
	LUT_TRIMMED, /* whatever was present becomes TRIMMED */
	LUT_DOUBT,   /* COMM, IDLE and TCS become DOUBT or DOUBT_TCS */
	LUT_FREE,    /* UNC and RESERVED become NONE, IDLE becomes IDLE_FREE */
	LUT_FORGET,  /* the same, and clear BUSY */
	LUT_PROT,    /* from here on, one for each rights: pages get them */
	LUT_COUNT = LUT_PROT + 8,
};

/* Fill in all the tables. */
void page_init(uint8_t lut[LUT_COUNT][256]);

/* Intel allows write or execute only with read (EPCM). */
static inline bool prot_valid(int prot)
{
	return prot >= 0 && prot <= EMM_RWX && (prot == 0 || (prot & EMM_R));
}

#endif
