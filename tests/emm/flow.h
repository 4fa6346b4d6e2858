/* SPDX-License-Identifier: BSD-3-Clause */
/* One world, and calls that must succeed, by page numbers: for tests of flows.
 */
#ifndef TESTS_EMM_FLOW_H
#define TESTS_EMM_FLOW_H

#include "tests/emm/world.h"

extern struct world w;

void open_with(struct w_config cfg);
void open_plain(void);
void shut(void);
void mirror(void);
uint64_t bytes(uint32_t pages);
edmm_err try_alloc(uint32_t page, uint32_t pages, uint32_t flags, int prot);
void alloc_at(uint32_t page, uint32_t pages, uint32_t flags, int prot);
void commit(uint32_t page, uint32_t pages);
void uncommit(uint32_t page, uint32_t pages);
void protect(uint32_t page, uint32_t pages, int prot);
void dealloc(uint32_t page, uint32_t pages);
struct emm_stats stats(void);
enum emm_page_state state_of(uint32_t page);

#endif
