/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations: a slot each, the account, and what a public call has to do. */
#ifndef TRUSTED_EMM_OP_H
#define TRUSTED_EMM_OP_H

#include "edmm/emm.h"
#include "trusted/emm/lock.h"

/* A run of pages of one kind. */
struct run {
	uint32_t a;
	uint32_t b;
	uint8_t byte; /* of its first page, without BUSY */
};

/* An op in progress, and what its slot keeps between ops. */
struct slot {
	uint32_t owner;	  /* 0: free; else the thread's number + 1 */
	uint32_t seq;	  /* moves whenever pages are released */
	uint16_t waiters; /* somebody waits on seq */
	uint16_t guests;  /* ops by threads without an entry */
	uint32_t lo;	  /* pages [lo, hi) are BUSY by this op */
	uint32_t hi;
	uint32_t cells; /* chain and count of free cells */
	uint32_t ncells;
	uint32_t tables;
	uint32_t ntables;
	uint32_t fold;	   /* top entry + 1 that may be uniform below */
	int64_t quota;	   /* pages charged, not used */
	uint64_t mixed;	   /* chunks that became mixed, less those no more so */
	uint64_t spurious; /* these two: by threads at home here, atomic */
	uint64_t faults;   /* neither spurious nor committing */
	uint64_t fault_commits;
	uint64_t commits;
	uint64_t trims;
	uint64_t reuses;
	uint64_t host_calls;
	uint64_t populates;
	uint64_t waits;
} __attribute__((aligned(LINE)));

_Static_assert(sizeof(struct slot) == LINE, "a slot has its lines alone");

/* Whose slot is the one of the same index. */
struct home {
	uint32_t owner; /* 0: nobody's yet */
	uint16_t no;	/* the entry's alone */
	uint8_t missed; /* by somebody, since the owner came by */
};

struct op {
	struct emm *emm;
	struct slot *slot;
	uint32_t number; /* of the thread's entry, as these are made */
	uint32_t seen;	 /* states met by claim, as M() bits */
	bool down;	 /* EACCEPT from high to low */
	bool drop;	 /* uncommit: idle pages go, too, and no lazy free */
	bool final;	 /* uncommit: the range leaves its areas */
	bool frees;	 /* may use the last of the metadata */
	bool hold;	 /* pages stay BUSY until the op's end */
	bool nowait;	 /* claim: -EAGAIN at a BUSY page, which is blocked */
	uint8_t byte;	 /* claim_run: what the pages were */
	int need;	 /* commit: rights without which it is -EACCES */
	uint32_t blocked;
};

struct span;

/* A counter in the caller's own slot. */
#define COUNT(counter, n) POKE(&(counter), PEEK(&(counter)) + (uint64_t)(n))

/* The stack is there before anything is taken (I12). */
void emm_probe_stack(void);

struct slot *op_home(struct emm *emm);
void op_begin(struct op *op, struct emm *emm);
void op_end(struct op *op);
/*
 * The start of a call on a range, after op_begin: reserves what its two ends
 * need and claims its pages, in states `ok`. On failure the op has ended.
 */
EDMM_NODISCARD edmm_err op_open(struct op *op, const struct run *r,
				uint32_t ok);
/* And its end: releases the pages, and tells of the first `done` of them. */
void op_close(struct op *op, const struct run *r, enum emm_event ev,
	      uint32_t done);
/* What a thread is called in slots and turns: never 0. */
EDMM_NODISCARD uint32_t op_self(const struct emm *emm);
/* turn.c: one host call at a time; and give the turn up before a wait. */
EDMM_NODISCARD int turn_modify(struct op *op, const struct emm_modify *m);
void turn_leave(struct emm *emm, uint32_t me);
EDMM_NODISCARD edmm_err op_wait(struct op *op, struct span *sp, uint32_t pg);
EDMM_NODISCARD edmm_err op_range(struct emm *emm, uint64_t addr, uint64_t size,
				 struct run *out);
EDMM_NODISCARD bool op_in_meta(const struct emm *emm, const struct run *r);
EDMM_NODISCARD edmm_err op_charge(struct op *op, uint64_t pages);
void op_charge_forced(struct op *op, uint64_t pages);
void op_note_used(struct emm *emm);
void op_uncharge(struct op *op, uint64_t pages);
void op_notify(struct emm *emm, enum emm_event ev, uint32_t a, uint32_t b);

#endif
