/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/emm/flow.h"

#include <check.h>

struct world w;

void open_with(struct w_config cfg)
{
	if (!cfg.pages)
		cfg.pages = 1024;
	world_open(&w, &cfg);
}

void open_plain(void)
{
	open_with((struct w_config){ .pages = 1024, .idle_max = UINT64_MAX });
}

void shut(void)
{
	world_close(&w);
}

void mirror(void)
{
	const char *bad = world_mirror(&w, false);

	ck_assert_msg(!bad, "%s", bad);
}

uint64_t bytes(uint32_t pages)
{
	return (uint64_t)pages * EMM_PAGE;
}

edmm_err try_alloc(uint32_t page, uint32_t pages, uint32_t flags, int prot)
{
	struct emm_alloc a = { .addr = w_addr(page),
			       .size = bytes(pages),
			       .flags = flags | EMM_FIXED,
			       .prot = prot };

	return emm_alloc(w.emm, &a, NULL);
}

void alloc_at(uint32_t page, uint32_t pages, uint32_t flags, int prot)
{
	ck_assert_int_eq(try_alloc(page, pages, flags, prot), 0);
}

void commit(uint32_t page, uint32_t pages)
{
	uint64_t done;

	ck_assert_int_eq(emm_commit(w.emm, w_addr(page), bytes(pages), &done),
			 0);
	ck_assert_uint_eq(done, bytes(pages));
}

void uncommit(uint32_t page, uint32_t pages)
{
	ck_assert_int_eq(emm_uncommit(w.emm, w_addr(page), bytes(pages), NULL),
			 0);
}

void protect(uint32_t page, uint32_t pages, int prot)
{
	ck_assert_int_eq(
		emm_protect(w.emm, w_addr(page), bytes(pages), prot, NULL), 0);
}

void dealloc(uint32_t page, uint32_t pages)
{
	ck_assert_int_eq(emm_dealloc(w.emm, w_addr(page), bytes(pages), NULL),
			 0);
}

struct emm_stats stats(void)
{
	struct emm_stats s;

	emm_stats_get(w.emm, &s);
	return s;
}

enum emm_page_state state_of(uint32_t page)
{
	struct emm_run r;

	ck_assert_int_eq(emm_query(w.emm, w_addr(page), 0, &r), 0);
	return r.state;
}
