/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the page map says of a page: one byte.
 *
 *	bit 7	BUSY: an op is changing the page
 *	bit 6	SLOW: a fault there looks at the area: its handler, its window,
 *		its growth direction, or that a fault does not commit there
 *	0..5	a code: a state, and where states have rights, which
 *
 * Of eight combinations of R, W and X five are valid, so a state with rights
 * takes five codes and one without takes one. Of 64 codes 15 are free: five
 * states without rights, and two with them.
 *
 * A state's rights are those that the area gives to the page. What the EPCM has
 * follows from state and rights (page_epcm) and is never more: a page whose
 * EPCM rights nothing has proved is in doubt, and resolves to nothing before an
 * EACCEPT or EMODPE says what it is (I8, I15). That an idle page is zero is a
 * state, too, and follows from no rights.
 *
 *	[NONE] --alloc--> ABSENT <--HINT/UNHINT--> HINT
 *	   ^                |                       |
 *	   +-----FREE-------+--------+--------------+
 *	                             | COMMIT, FAULT
 *	                             v     MAKE_TCS
 *	 [FREE_IDLE] --alloc--> IDLE |    +--------> TCS
 *	 [FREE_ZERO] --alloc--> ZERO |    | TRY_TCS
 *	        ^                |   |    +--------> DOUBT_NEW --resolve--+
 *	        |         COMMIT |   v    |                              |
 *	        +--FREE-- IDLE   +-> COMM <------------------------------+
 *	                    ^         |
 *	                    +--IDLE---+
 *
 *	 COMM, IDLE, ZERO, TCS --TRIM-----> ABSENT
 *	                       --TRIMMED--> TRIMMED --TRIM--> ABSENT
 *	                       --DOUBT----> DOUBT, DOUBT_IDLE, DOUBT_TCS
 *	                                       |
 *	                  COMM, IDLE, TCS or TRIMMED, as an EACCEPT tells
 *
 * States in brackets have no area; FREE_IDLE and FREE_ZERO go the same ways to
 * NONE, FREE_DOUBT and FREE_TRIMMED, of which alloc makes DOUBT_IDLE, TRIMMED.
 *
 *	change		what has proved it		by
 *	alloc		(nothing to prove)		alloc_placed
 *	HINT		the host was told		commit_fresh, ahead
 *	UNHINT		EACCEPT found no page		unhint
 *	COMMIT		EACCEPT or EACCEPTCOPY, of an	commit_fresh, act_data,
 *			idle page: it was zeroed	unhint; commit_idle
 *	FAULT		the same, of one page		accept_one
 *	IDLE		it is committed			make_idle
 *	MAKE_TCS	EACCEPT as TCS			act_tcs
 *	TRY_TCS		nothing				act_tcs
 *	TRIM		EACCEPT as TRIM, and the host	act_trim, act_remove
 *			says that it removed it
 *	TRIMMED		EACCEPT as TRIM			act_trim
 *	TRIMMED to COMM	EACCEPTCOPY			remove_one
 *	DOUBT		nothing				trim_failed
 *	resolve		EACCEPT or EMODPE		act_resolve
 *	RIGHTS		EACCEPT or EMODPE; of an	protect_run
 *			absent page nothing
 *	FREE, FORGET	it is absent, or idle		undo, forget
 *	RESERVE		it is absent			undo
 *	CLAIM, RELEASE	the map entry's lock		map_claim, map_release
 */
#ifndef TRUSTED_EMM_PAGE_H
#define TRUSTED_EMM_PAGE_H

#include "edmm/emm.h"

#define PAGE_BUSY 0x80u
#define PAGE_SLOW 0x40u
#define PAGE_CODE 0x3fu

enum page_state {
	PG_NONE, /* a byte of 0: no area, not in the enclave */
	PG_RESERVED,
	PG_FREE_IDLE, /* in the enclave, without an area: RW */
	PG_FREE_ZERO, /* and known to be zero */
	PG_FREE_DOUBT,
	PG_FREE_TRIMMED,
	PG_TCS,
	PG_DOUBT_TCS, /* a TCS that was to be trimmed */
	PG_DOUBT_NEW, /* a RW page that was to become a TCS */
	PG_SINGLES = 14,
	PG_ABSENT = PG_SINGLES, /* from here on with rights */
	PG_HINT,		/* absent, but the host was told to add it */
	PG_COMM,
	PG_IDLE, /* in the enclave, free */
	PG_ZERO, /* and known to be zero */
	PG_DOUBT,
	PG_DOUBT_IDLE, /* an idle page that was to be trimmed */
	PG_TRIMMED,    /* accepted as TRIM, but not removed */
	PG_COUNT,
};

#define PAGE_RANKS 5u /* valid rights: none, R, RW, RX, RWX */

_Static_assert(PG_SINGLES + PAGE_RANKS * (PG_COUNT - PG_SINGLES) <=
		       PAGE_CODE + 1,
	       "a code has six bits");
_Static_assert(PG_COUNT <= 32, "a mask of states is a word");

/* Sets of states. */
#define M(st) (1u << (st))
#define M_UNC (M(PG_ABSENT) | M(PG_HINT))
#define M_IDLE (M(PG_IDLE) | M(PG_ZERO))
#define M_FREE (M(PG_FREE_IDLE) | M(PG_FREE_ZERO))
#define M_ZERO (M(PG_ZERO) | M(PG_FREE_ZERO))
#define M_TCS (M(PG_TCS) | M(PG_DOUBT_TCS) | M(PG_DOUBT_NEW))
#define M_DOUBT \
	(M(PG_DOUBT) | M(PG_DOUBT_IDLE) | M(PG_DOUBT_TCS) | M(PG_DOUBT_NEW))
#define M_HOLE (M(PG_NONE) | M_FREE | M(PG_FREE_DOUBT) | M(PG_FREE_TRIMMED))
#define M_ALL (M(PG_COUNT) - 1)
#define M_AREA (M_ALL & ~M_HOLE & ~M(PG_RESERVED))

/* Intel allows write or execute only with read (EPCM). */
static inline bool prot_valid(int prot)
{
	return prot >= 0 && prot <= EMM_RWX && (prot == 0 || (prot & EMM_R));
}

/* Valid rights as 0 to 4. */
static inline unsigned int page_rank(int prot)
{
	return ((unsigned int)prot + 1) >> 1;
}

/* A byte: a state with rights (of a state without: none), and no flags. */
static inline uint8_t page_byte(enum page_state st, int prot)
{
	if (st < PG_SINGLES)
		return (uint8_t)st;
	return (uint8_t)(PG_SINGLES + PAGE_RANKS * (st - PG_SINGLES) +
			 page_rank(prot));
}

static inline enum page_state page_state(uint8_t b)
{
	unsigned int code = b & PAGE_CODE;

	if (code >= PG_SINGLES)
		code = PG_SINGLES + (code - PG_SINGLES) / PAGE_RANKS;
	return (enum page_state)code;
}

/* The state as a set of one. */
static inline uint32_t page_bit(uint8_t b)
{
	return M(page_state(b));
}

static inline bool page_busy(uint8_t b)
{
	return b & PAGE_BUSY;
}

static inline bool page_slow(uint8_t b)
{
	return b & PAGE_SLOW;
}

/* Idle, and nobody has written to it since it was zero. */
static inline bool page_known_zero(uint8_t b)
{
	return page_bit(b) & M_ZERO;
}

/* The rights that the area gives to the page; of a state without: none. */
static inline int page_rights(uint8_t b)
{
	unsigned int code = b & PAGE_CODE, rank;

	if (code < PG_SINGLES)
		return code == PG_DOUBT_NEW ? EMM_RW : EMM_NONE;
	rank = (code - PG_SINGLES) % PAGE_RANKS;
	return rank ? (int)(2 * rank - 1) : EMM_NONE;
}

/* The most that the EPCM has for a REG page: an idle one can be zeroed. */
static inline int page_epcm(uint8_t b)
{
	int prot = page_rights(b);

	if (page_bit(b) &
	    (M_IDLE | M_FREE | M(PG_DOUBT_IDLE) | M(PG_FREE_DOUBT)))
		prot |= EMM_RW;
	return prot;
}

/* The same page in another state. */
uint8_t page_moved(uint8_t b, enum page_state to);

/* SECINFO of pages whose type is to change. */
#define TRIM_FLAGS (SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED)
#define FRESH_FLAGS                                            \
	(SGX_SECINFO_R | SGX_SECINFO_W | SGX_SECINFO_PENDING | \
	 SGX_SECINFO_PT(SGX_PT_REG))
#define TCS_FLAGS (SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED)

/* Changes of a byte, each a table of 256; see above. BUSY stays unless said. */
enum page_change {
	PAGE_CLAIM,   /* sets BUSY */
	PAGE_RELEASE, /* clears BUSY */
	PAGE_COMMIT,
	PAGE_FAULT, /* COMMIT and RELEASE */
	PAGE_HINT,
	PAGE_UNHINT,
	PAGE_IDLE,
	PAGE_MAKE_TCS,
	PAGE_TRY_TCS,
	PAGE_TRIM,
	PAGE_TRIMMED,
	PAGE_DOUBT,
	PAGE_FREE,
	PAGE_FORGET, /* FREE and RELEASE */
	PAGE_RESERVE,
	PAGE_RIGHTS, /* from here on, one for each rank: pages get them */
	PAGE_CHANGES = PAGE_RIGHTS + PAGE_RANKS,
};

/* Fill in all the tables. */
void page_init(uint8_t lut[PAGE_CHANGES][256]);

/*
 * The table for alloc: claimed pages without an area, or of a reservation, of
 * the states `seen`. No other byte has an entry. fresh: the byte of such an
 * area's absent pages, with BUSY if they stay so.
 */
void page_lut_alloc(uint8_t fresh, uint32_t seen, uint8_t lut[256]);

/* The table that does the one, then the other. */
void page_lut_join(const uint8_t *first, const uint8_t *then, uint8_t lut[256]);

#endif
