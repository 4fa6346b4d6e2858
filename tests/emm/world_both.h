/* SPDX-License-Identifier: BSD-3-Clause */
/* What both kinds of world are made with (world_both.c); not for tests. */
#ifndef TESTS_EMM_WORLD_BOTH_H
#define TESTS_EMM_WORLD_BOTH_H

#include "edmm/err.h"
#include "sgx/arch.h"
#include "tests/emm/world.h"

/* Pages of an ELRANGE, a power of two. */
uint32_t world_pages(const struct w_config *cfg);
/* All but where the metadata lies. */
struct emm_params world_params(struct world *w);
/* Of all hooks those that the configuration wants. */
struct emm_hooks world_wanted(const struct world *w, struct emm_hooks all);

/* A hook begins: what is to go wrong in it. */
enum w_fault world_step(struct world *w, const char *hook, uint64_t addr);
/* What a leaf gives that is to fail. */
int world_injected(enum w_fault f);
/* Bytes of @size that are done all the same. */
uint64_t world_done(enum w_fault f, uint64_t size);
/* The hook map. */
int world_map(void *ctx, uint64_t addr, uint64_t size, uint32_t flags);

#endif
