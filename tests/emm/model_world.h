/* SPDX-License-Identifier: BSD-3-Clause */
/* The world of world.h on the software model; not to be included by itself. */
#ifndef TESTS_EMM_MODEL_WORLD_H
#define TESTS_EMM_MODEL_WORLD_H

#include <pthread.h>

#include "machine/model/model.h"

#define W_CPUS 8
#define W_CTRL 64u		 /* control pages */
#define W_BASE 0x200000000000ull /* clear of any sanitizer's shadow */
#define W_RANGE (W_BASE + W_CTRL * EMM_PAGE)
#define W_SRC 32u /* pages with data to copy, 16 of them */

/* Tests look at pages through the model, whatever a page's rights are. */
#define W_RIGHTS_BIND false

struct w_page {
	uint32_t epc;
	uint32_t present;
	uint32_t vma; /* what the host's mapping allows, MACH_R and so on */
};

struct world {
	struct w_config cfg;
	struct mach *m;
	void *mem;
	struct mach_cpu cpu[W_CPUS];
	struct mach_frame frame[W_CPUS];
	struct w_page *pte; /* by page of ELRANGE */
	uint32_t pages;	    /* of ELRANGE */
	uint32_t secs;
	uint32_t *free_epc;
	uint32_t nfree;
	pthread_mutex_t kernel;
	struct emm *emm;
	uint8_t *meta;
	uint64_t meta_size;
	uint8_t *meta_state; /* a page */
	uint64_t meta_gone;  /* pages of it that were given back */

	uint64_t steps;
	uint64_t fail_at; /* step (from 1) of a fault; 0: none */
	uint64_t fail_at2;
	enum w_fault fault;
	enum w_fault fault2;
	bool for_ever;
	bool hit;      /* a fault was injected */
	bool refuses;  /* the host refuses each modify call */
	bool unmapped; /* the kernel hides pages from EMODPE */
	uint64_t modifies;
	uint64_t maps;
	uint64_t populates;
	uint64_t aheads;
	uint64_t accepts;
	uint64_t extends;
	uint32_t modifying;	 /* threads in the kernel for it, atomic, */
	uint64_t conflicts;	 /* and how often one was not alone: EBUSY */
	uint64_t double_accepts; /* PENDING accepted where EMM had it (I1) */
	/* Called before each hook acts; for forced schedules. */
	void (*before)(struct world *w, const char *hook, uint64_t addr);
	void *user;
};

extern __thread uint32_t w_thread;

#endif
