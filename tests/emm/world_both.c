/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the worlds on the model and in an enclave share: addresses, steps and
 * their faults, counters, the hooks and the manager's parameters.
 */
#include "tests/emm/world_both.h"

uint64_t w_addr(uint32_t page)
{
	return W_RANGE + (uint64_t)page * EMM_PAGE;
}

uint32_t world_pages(const struct w_config *cfg)
{
	uint32_t pages = 2 * W_CTRL;

	while (pages < W_CTRL + cfg->pages)
		pages *= 2;
	return pages;
}

struct emm_params world_params(struct world *w)
{
	return (struct emm_params){
		.base = W_RANGE,
		.size = (uint64_t)w->cfg.pages * EMM_PAGE,
		.limit = w->cfg.limit,
		.idle_max = w->cfg.idle_max,
		.threads = W_CPUS,
		.static_mode = w->cfg.static_mode,
		.wide = !w->cfg.narrow,
		.ctx = w,
		.meta_init = emm_meta_min((uint64_t)w->cfg.pages * EMM_PAGE,
					  W_CPUS) +
			     w->cfg.meta_spare * EMM_PAGE,
	};
}

struct emm_hooks world_wanted(const struct world *w, struct emm_hooks all)
{
	if (w->cfg.static_mode)
		all.modify = NULL;
	if (!w->cfg.map)
		all.map = NULL;
	if (!w->cfg.populate)
		all.populate = NULL;
	return all;
}

void world_zero_counts(struct world *w)
{
	w->steps = 0;
	w->modifies = 0;
	w->maps = 0;
	w->populates = 0;
	w->accepts = 0;
	w->extends = 0;
	w->hit = false;
}

enum w_fault world_step(struct world *w, const char *hook, uint64_t addr)
{
	uint64_t n = __atomic_add_fetch(&w->steps, 1, __ATOMIC_RELAXED);

	if (w->before)
		w->before(w, hook, addr);
	if (w->fail_at2 && n == w->fail_at2) {
		w->hit = true;
		return w->fault2;
	}
	if (w->fail_at &&
	    (n == w->fail_at || (w->for_ever && n > w->fail_at))) {
		w->hit = true;
		return w->fault;
	}
	return WF_NONE;
}

int world_injected(enum w_fault f)
{
	return f == WF_LIE ? SGX_PAGE_ATTRIBUTES_MISMATCH : EMM_LEAF_PF;
}

uint64_t world_done(enum w_fault f, uint64_t size)
{
	return f == WF_HALF ? size / 2 & ~(EMM_PAGE - 1) : size;
}

int world_map(void *ctx, uint64_t addr, uint64_t size, uint32_t flags)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "map", addr);

	/* All addresses are mapped from the start. */
	(void)size;
	(void)flags;
	__atomic_add_fetch(&w->maps, 1, __ATOMIC_RELAXED);
	return f == WF_REFUSE || f == WF_HALF ? -EDMM_ENOMEM : 0;
}
