/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/emm/storm.h"

#define PAGES 32u

static uint32_t storm_ops;

static uint64_t bytes(uint32_t pages)
{
	return (uint64_t)pages * EMM_PAGE;
}

static edmm_err make(struct world *w, uint32_t page, uint32_t pages)
{
	const struct emm_alloc a = { .addr = w_addr(page),
				     .size = bytes(pages),
				     .flags = EMM_ON_DEMAND | EMM_LAZY |
					      EMM_FIXED,
				     .prot = EMM_RW };

	return emm_alloc(w->emm, &a, NULL);
}

/* A touch: where pages are memory, a real one. */
static void touch(struct world *w, uint32_t page)
{
	const struct sgx_exinfo info = { .maddr = w_addr(page),
					 .errcd = SGX_PFEC_W | SGX_PFEC_U };

	if (W_RIGHTS_BIND)
		(void)world_touch(w, page, SGX_PFEC_W);
	else
		(void)emm_fault(w->emm, &info);
}

static void one(struct world *w, uint32_t r)
{
	uint32_t page = r % PAGES, n = 1 + (r >> 8) % (PAGES - page);
	uint64_t addr = w_addr(page), size = bytes(n);

	switch ((r >> 16) % 7) {
	case 0:
		(void)!make(w, page, n);
		break;
	case 1:
		(void)!emm_commit(w->emm, addr, size, NULL);
		break;
	case 2:
		(void)!emm_uncommit(w->emm, addr, size, NULL);
		break;
	case 3:
		(void)!emm_protect(w->emm, addr, size, r & 1 ? EMM_R : EMM_RW,
				   NULL);
		break;
	case 4:
		(void)!emm_dealloc(w->emm, addr, size, NULL);
		break;
	case 5:
		(void)!emm_trim(w->emm, bytes(4), NULL);
		break;
	default:
		touch(w, page);
	}
}

void storm_open(struct world *w, uint32_t ops)
{
	const struct w_config cfg = { .pages = PAGES,
				      .threads = true,
				      .idle_max = bytes(16) };

	storm_ops = ops;
	world_open(w, &cfg);
}

void storm_thread(struct world *w, uint32_t no)
{
	uint64_t x = (no + 1) * 0x9e3779b97f4a7c15ull | 1;

	for (uint32_t i = 0; i < storm_ops; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		one(w, (uint32_t)(x >> 20));
	}
}

const char *storm_close(struct world *w)
{
	const char *bad = world_mirror(w, false);
	struct emm_stats st;

	(void)!emm_dealloc(w->emm, w_addr(0), bytes(PAGES), NULL);
	emm_stats_get(w->emm, &st);
	if (!bad && (st.committed || st.idle || st.areas))
		bad = "something stayed behind";
	world_close(w);
	return bad;
}
