/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of the metadata region, and the cells that they are cut into. */
#ifndef TRUSTED_EMM_POOL_H
#define TRUSTED_EMM_POOL_H

#include "edmm/emm.h"
#include "trusted/emm/lock.h"

#define CELL_SIZE 64u
#define CELLS_A_PAGE 64u

struct emm;
struct op;

/*
 * The metadata region: [0, fixed) is the instance, [committed, pages) was
 * never in the enclave or is no more. Between them a page is cut into cells, a
 * table, a tally (first of each 2,048), in a fresh run (in the enclave, in no
 * use), or in a hole (given back).
 */
struct pool {
	uint64_t committed;
	uint64_t pages;
	uint64_t fixed;
	uint64_t least;	     /* committed at the start; these stay */
	uint64_t nfresh;     /* pages in fresh runs */
	uint64_t nholes;     /* pages in holes */
	uint64_t cell_pages; /* pages cut into cells */
	uint32_t growing;
	/* What is above is read without the lock, and seldom written. */
	uint32_t lock __attribute__((aligned(LINE)));
	uint32_t partial; /* first page with free cells; chained in those */
	uint32_t tables;
	uint32_t fresh;	 /* first run: its page; chained (struct fresh) */
	uint32_t holes;	 /* first hole: its cell (struct hole) */
	uint64_t ncells; /* free ones */
	uint64_t ntables;
	uint64_t table_pages;
	uint64_t lost; /* pages of which nobody knows what they are */
} __attribute__((aligned(LINE)));

/* A free cell: of a slot's chain, or of its page. */
struct free_cell {
	uint32_t next;
	uint32_t above; /* in a page's first: the chain of partial pages */
	uint32_t below;
};

/* In a tally, of a page that is cut into cells. */
struct tally {
	uint8_t head; /* first free cell, if there is one */
	uint8_t count;
};

/* In the first page of a fresh run. */
struct fresh {
	uint32_t next;
	uint32_t count;
};

/* In a cell. */
struct hole {
	uint32_t next;
	uint32_t page;
	uint32_t count;
	bool there; /* trimmed, but the host did not remove it */
};

void pool_init(struct emm *emm, uint64_t fixed, uint64_t committed,
	       uint64_t pages);
EDMM_NODISCARD bool pool_low(const struct pool *pool);
EDMM_NODISCARD bool pool_high(const struct pool *pool);
EDMM_NODISCARD edmm_err pool_grow(struct op *op, bool need);
void pool_shrink(struct op *op);
/* Brings in a page of the region that is not the pool's. */
EDMM_NODISCARD edmm_err pool_bring(struct op *op, uint64_t page);

/* The caller has locked the pool. */
EDMM_NODISCARD uint32_t pool_page(struct emm *emm);
EDMM_NODISCARD uint32_t pool_cell(struct emm *emm);
void pool_cell_free(struct emm *emm, uint32_t cell);

#endif
