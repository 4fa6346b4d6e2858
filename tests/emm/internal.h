/* SPDX-License-Identifier: BSD-3-Clause */
/* What world.c (an enclave and its books) and world_hooks.c (its kernel and
 * the EMM's hooks) know of each other. */
#ifndef TESTS_EMM_INTERNAL_H
#define TESTS_EMM_INTERNAL_H

#include "machine/model/state.h"
#include "tests/emm/world_both.h"
#include "tests/must.h"

#define SSA_PAGE 8u
#define OPS_PAGE 16u
#define CODE_PAGE 24u
#define COPY_PAGE 48u /* what EACCEPTCOPY reads from outside of the range */
#define AEP 0x400100ull
#define PEEK_VMA(p) __atomic_load_n(&(p)->vma, __ATOMIC_RELAXED)

/*
 * Metadata pages have states of their own: absent (no access at all), there,
 * trimmed, and the trim accepted.
 */
enum meta_state {
	META_ABSENT,
	META_THERE,
	META_TRIM,
	META_ACCEPTED
};

/* world.c */
uint64_t world_ctrl(uint32_t page);
struct w_page *world_pte(struct world *w, uint64_t addr);
void world_vma_set(struct world *w, uint64_t addr, uint64_t size, int prot);
void world_pte_set(struct world *w, uint64_t addr, uint32_t epc);
uint32_t world_epc_take(struct world *w);
void world_enter(struct world *w);
void world_leave(struct world *w);

/* world_hooks.c: the kernel adds a page, if it can, or it is there. */
bool world_k_add(struct world *w, uint64_t addr);
void world_meta_access(struct world *w, uint64_t addr, bool on);
struct emm_hooks world_hooks(const struct world *w);

#endif
