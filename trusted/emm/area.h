/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas: which addresses belong together, and with which attributes. */
#ifndef TRUSTED_EMM_AREA_H
#define TRUSTED_EMM_AREA_H

#include "edmm/emm.h"
#include "trusted/emm/lock.h"
#include "trusted/emm/pool.h"

/* Area attributes of ours beside the public flags. */
#define A_META 0x4000u /* the EMM's own memory */
#define A_CONT 0x8000u /* goes on from the zone below */
#define A_PUBLIC                                                        \
	(EMM_RESERVE | EMM_COMMIT_NOW | EMM_ON_DEMAND | EMM_GROWSDOWN | \
	 EMM_GROWSUP | EMM_LAZY | EMM_SYSTEM)

/* What makes areas equal. */
struct attr {
	emm_fault_fn handler;
	void *priv;
	uint16_t flags;
	uint16_t wmin; /* pages */
	uint16_t wmax;
};

struct area {
	uint32_t start; /* page numbers, relative to base */
	uint32_t end;
	uint32_t child[2]; /* cell numbers; 0 is none */
	uint32_t first;	   /* of the subtree: lowest start, */
	uint32_t last;	   /* highest end, */
	uint32_t gap;	   /* most free pages between two areas */
	uint32_t rank;	   /* see area.c */
	uint32_t wnext;	   /* the page that would continue a sequence */
	uint16_t wcur;	   /* pages of the last window */
	uint16_t wmin;
	uint16_t wmax;
	uint16_t flags;
	uint16_t wseq; /* pages of the last window of a sequence, fading */
	uint16_t pad;
	emm_fault_fn handler;
	void *priv;
};

_Static_assert(sizeof(struct area) == CELL_SIZE, "an area is a cell");

struct zone {
	uint32_t lock;
	uint32_t root;
	uint64_t areas;
} __attribute__((aligned(LINE)));

struct op;
struct run;

/* The caller holds the zones' locks unless said otherwise. */
void zones_lock(struct emm *emm, uint32_t a, uint32_t b);
void zones_unlock(struct emm *emm, uint32_t a, uint32_t b);
EDMM_NODISCARD bool area_cover(struct emm *emm, uint32_t a, uint32_t b,
			       uint32_t flags);
EDMM_NODISCARD bool area_empty(struct emm *emm, uint32_t a, uint32_t b);
void area_cut(struct op *op, uint32_t a, uint32_t b);
void area_put(struct op *op, uint32_t a, uint32_t b, const struct attr *attr);
EDMM_NODISCARD uint32_t area_gap(struct emm *emm, struct run *bounds,
				 uint32_t need, uint32_t align);
EDMM_NODISCARD uint32_t area_cells(struct emm *emm, uint32_t a, uint32_t b);
/* Takes the locks itself; a copy, with the extent joined over zones. */
EDMM_NODISCARD bool area_get(struct emm *emm, uint32_t pg, struct area *out);
EDMM_NODISCARD uint32_t area_window(struct emm *emm, uint32_t pg, bool behind,
				    struct area *out);
uint32_t zone_of(const struct emm *emm, uint32_t pg);

#endif
