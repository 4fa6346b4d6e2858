/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A world for the memory manager: an enclave on the software SGX model, with
 * a kernel that adds pages on faults and serves the SGX2 ioctls, and an EMM
 * instance on top. Every hook call is a step, counted; at any step the world
 * can fail or lie once, or from there on.
 *
 * ELRANGE: control pages (TCSs, SSAs, operands, data to copy), then the range
 * that the EMM manages. Metadata is ordinary memory, whose pages past
 * meta_init exist only once they were accepted.
 */
#ifndef TESTS_EMM_WORLD_H
#define TESTS_EMM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "edmm/emm.h"

/* What goes wrong at a step. */
enum w_fault {
	WF_NONE,
	WF_REFUSE,   /* modify and map: nothing done, an error; leaf: #PF */
	WF_LIE,	     /* modify: nothing done, success; leaf: refused by 19 */
	WF_HALF,     /* modify: half of the pages done, an error */
	WF_DENY_YES, /* modify: all done, but an error is reported */
	WF_COUNT,
};

struct w_config {
	uint32_t pages;	    /* of the managed range */
	uint32_t epc_spare; /* EPC pages beyond pages: may be less: negative */
	bool narrow;	    /* the host does not map wide */
	bool static_mode;
	bool no_emm;  /* the test makes its own instance, or none */
	bool threads; /* threads enter for each leaf only */
	bool populate;
	bool ahead;	 /* the host is told in passing, */
	bool ahead_idle; /* and does nothing about it */
	bool map;
	bool lazy_futex; /* wait and wake hooks */
	uint64_t limit;
	uint64_t idle_max;
	uint32_t meta_spare; /* pages of metadata beyond the least */
	uint32_t meta_grow;  /* and that must be accepted first */
	uint32_t epc_limit;  /* pages that the kernel will add; 0: all */
};

#ifdef WORLD_INSIDE
#include "tests/emm/inside/world.h"
#else
#include "tests/emm/model_world.h"
#endif

void world_open(struct world *w, const struct w_config *cfg);
void world_close(struct world *w);

/* The hooks; their context is the world. */
const struct emm_hooks *world_all_hooks(void);

/* The loader's: EADDed before EINIT in life; here at any time. */
void world_add(struct world *w, uint32_t page, uint32_t count);

/* Addresses and content of managed pages; NULL if absent. */
uint64_t w_addr(uint32_t page);
uint8_t *w_bytes(struct world *w, uint32_t page);
unsigned int w_rights(struct world *w, uint32_t page);

/* NULL, or what of the EMM's belief the EPCM contradicts (I2), or
 * emm_check()'s complaint. hostile: the kernel may have said that it removed
 * trimmed pages, and not done it: which no enclave can tell. */
const char *world_mirror(struct world *w, bool hostile);

/* Touch a page as enclave code does: rights by EPCM, faults to the EMM.
 * Return: 0, or what emm_fault said. */
int world_touch(struct world *w, uint32_t page, uint32_t access);

/* The kernel takes rights of a page on its own. */
void world_restrict(struct world *w, uint32_t page, int prot);

/* Make ELRANGE memory of this process, too, for an EMM that lives there. */
void world_back(struct world *w);

/* Forget the counters. */
void world_zero_counts(struct world *w);

#endif
