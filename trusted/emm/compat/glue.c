/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel's runtime abstraction as hooks of an EMM instance, and the start.
 *
 * The metadata region is the start of the user range. What sgx_sign lays out
 * beside the region that a program asks for is the manager's own: mapped once,
 * its first pages accepted here, the others when they are needed. Beyond it
 * metadata shares addresses with whoever is first. ELRANGE is not told,
 * but sgx_mm_is_within_enclave answers for any block: so its edges are found
 * by doubling and halving.
 */
#include "trusted/emm/compat/glue.h"

#include "compat/emm_private.h"
#include "compat/sgx_mm_primitives.h"
#include "compat/sgx_mm_rt_abstraction.h"
#include "trusted/emm/instance.h"

#define ELRANGE_PAGES_MAX (1ull << 31) /* a side */

/*
 * sgx_sign adds at least UserRegionSize / 2^15 and 64 KiB: so much is ours, and
 * all of UserRegionSize can be had. Pages that differ from their neighbours
 * need more, up to the range / 3,640: that much and more can be shared.
 */
#define OWN_LOG2 15
#define OWN_LEAST (16 * EMM_PAGE)
#define SHARE_LOG2 7
#define SHARE_LEAST (64 * EMM_PAGE)
#define TOP_LOG2                                                    \
	36 /* ELRANGE for each page of the map's top, but the first \
	    */

#define WEAK __attribute__((weak))

extern bool sgx_mm_maps_wide(void) WEAK;
extern int sgx_mm_populate_ocall(uint64_t addr, size_t length) WEAK;
extern uint32_t sgx_mm_thread_id(void) WEAK;
extern void sgx_mm_wait(const uint32_t *word, uint32_t val) WEAK;
extern void sgx_mm_wake(const uint32_t *word) WEAK;
extern void sgx_mm_yield(void) WEAK;

_Static_assert(sizeof(sec_info_t) == sizeof(struct sgx_secinfo), "SECINFO");

static struct glue the_glue;

const struct glue *glue_get(void)
{
	return &the_glue;
}

static int hook_eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	return do_eaccept((const sec_info_t *)(const void *)si, addr);
}

static int hook_emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	return do_emodpe((const sec_info_t *)(const void *)si, addr);
}

static int hook_eacceptcopy(void *ctx, const struct sgx_secinfo *si,
			    uint64_t addr, uint64_t src)
{
	(void)ctx;
	return do_eacceptcopy((const sec_info_t *)(const void *)si, addr, src);
}

static int hook_modify(void *ctx, const struct emm_modify *m)
{
	int from = m->from | SGX_EMA_PAGE_TYPE_REG;
	int to = m->to | SGX_EMA_PAGE_TYPE_REG;

	(void)ctx;
	switch (m->op) {
	case EMM_HOST_PROTECT:
		if (!m->to)
			from = to; /* only the mapping: none to none */
		break;
	case EMM_HOST_RESTRICT:
		break;
	case EMM_HOST_TO_TRIM:
		to = m->to | SGX_EMA_PAGE_TYPE_TRIM;
		break;
	case EMM_HOST_REMOVE:
		from = m->from | SGX_EMA_PAGE_TYPE_TRIM;
		to = SGX_EMA_PAGE_TYPE_TRIM | (m->final ? 0 : m->to);
		break;
	case EMM_HOST_TO_TCS:
		to = m->to | SGX_EMA_PAGE_TYPE_TCS;
		break;
	}
	return -sgx_mm_modify_ocall(m->addr, m->size, from, to);
}

static int hook_map(void *ctx, uint64_t addr, uint64_t size, uint32_t flags)
{
	const uint32_t known = SGX_EMA_COMMIT_NOW | SGX_EMA_COMMIT_ON_DEMAND |
			       SGX_EMA_GROWSDOWN | SGX_EMA_GROWSUP;

	(void)ctx;
	/* What is the manager's own was mapped at the start. */
	if (addr - the_glue.user_start < the_glue.meta_own)
		return 0;
	return -sgx_mm_alloc_ocall(addr, size, SGX_EMA_PAGE_TYPE_REG,
				   (int)(flags & known));
}

static int hook_populate(void *ctx, uint64_t addr, uint64_t size)
{
	(void)ctx;
	return -sgx_mm_populate_ocall(addr, size);
}

static uint32_t hook_owner(void *ctx)
{
	(void)ctx;
	if (sgx_mm_thread_id)
		return sgx_mm_thread_id();
	return (uint32_t)((uintptr_t)__builtin_thread_pointer() >> 6);
}

static void hook_wait(void *ctx, const uint32_t *word, uint32_t val)
{
	(void)ctx;
	sgx_mm_wait(word, val);
}

static void hook_wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	sgx_mm_wake(word);
}

static void hook_yield(void *ctx)
{
	(void)ctx;
	if (sgx_mm_yield)
		sgx_mm_yield();
}

static int on_fault(const sgx_pfinfo *pfinfo)
{
	const struct sgx_exinfo info = { .maddr = pfinfo->maddr,
					 .errcd = pfinfo->pfec.errcd };
	int rc = emm_fault(the_glue.emm, &info);

	return rc < EMM_FAULT_CONTINUE ? SGX_MM_EXCEPTION_CONTINUE_SEARCH : rc;
}

/* Are these pages, up or down from addr, all in the enclave? */
static bool enclave_has(uint64_t addr, uint64_t pages, bool down)
{
	uint64_t size = pages * EMM_PAGE;

	if (!pages)
		return true;
	if (down ? size > addr : addr + size < addr)
		return false;
	if (down)
		addr -= size;
	return sgx_mm_is_within_enclave((const void *)addr, size);
}

/* How many pages of enclave there are up or down from addr. */
static uint64_t enclave_pages(uint64_t addr, bool down)
{
	uint64_t step = 1, n = 0;

	while (step <= ELRANGE_PAGES_MAX && enclave_has(addr, step, down))
		step *= 2;
	while (step /= 2) {
		if (enclave_has(addr, n + step, down))
			n += step;
	}
	return n;
}

/* All of the enclave around addr, of any size: both edges are looked for. */
static void find_elrange(uint64_t addr, struct glue *g)
{
	uint64_t below = enclave_pages(addr, true);

	g->base = addr - below * EMM_PAGE;
	g->size = (below + enclave_pages(addr, false)) * EMM_PAGE;
}

static bool accept_first(uint64_t addr)
{
	static const sec_info_t si = {
		.flags = SGX_EMA_PROT_READ_WRITE | SGX_EMA_STATE_PENDING |
			 SGX_EMA_PAGE_TYPE_REG,
	};
	unsigned int tries = 0;
	int rc;

	do {
		rc = do_eaccept(&si, addr);
	} while (rc == EMM_LEAF_PF && ++tries < PF_RETRIES);
	return !rc;
}

/* Map the metadata region and accept its first pages. */
static int meta_start(uint64_t meta, uint64_t size, uint64_t init)
{
	if (sgx_mm_alloc_ocall(meta, size, SGX_EMA_PAGE_TYPE_REG,
			       SGX_EMA_COMMIT_ON_DEMAND))
		return EDMM_EFAULT;
	if (sgx_mm_populate_ocall)
		(void)sgx_mm_populate_ocall(meta, init);
	for (uint64_t off = 0; off < init; off += EMM_PAGE) {
		if (!accept_first(meta + off))
			return EDMM_ENOMEM;
	}
	return 0;
}

static int instance_start(const struct glue *g, uint64_t meta_init,
			  struct emm **emm)
{
	const struct emm_params p = {
		.base = g->base,
		.size = g->size,
		.user_base = g->user_start,
		.user_size = g->user_end - g->user_start,
		.meta_base = (void *)g->user_start,
		.meta_size = g->meta_size,
		.meta_own = g->meta_own,
		.meta_init = meta_init,
		.wide = sgx_mm_maps_wide && sgx_mm_maps_wide(),
	};
	const struct emm_hooks hooks = {
		.eaccept = hook_eaccept,
		.emodpe = hook_emodpe,
		.eacceptcopy = hook_eacceptcopy,
		.modify = hook_modify,
		.map = p.wide ? NULL : hook_map,
		.populate = sgx_mm_populate_ocall ? hook_populate : NULL,
		.owner = hook_owner,
		.wait = sgx_mm_wait && sgx_mm_wake ? hook_wait : NULL,
		.wake = sgx_mm_wait && sgx_mm_wake ? hook_wake : NULL,
		.yield = hook_yield,
	};

	return -emm_init(&p, &hooks, emm);
}

/* Lay the metadata out. Return: bytes to accept now; 0: no room. */
static uint64_t plan_meta(struct glue *g)
{
	uint64_t user = g->user_end - g->user_start;
	uint64_t init = emm_meta_min(g->size, 0);
	uint64_t far = ((g->size - 1) >> TOP_LOG2) * EMM_PAGE, share;

	g->meta_own = OWN_LEAST + ((user >> OWN_LOG2) & ~(EMM_PAGE - 1));
	if (g->meta_own < init + far)
		g->meta_own = init + far;
	if (g->meta_own > user)
		return 0;
	g->meta_size = g->meta_own;
	share = user / 2 < SHARE_LEAST ? user / 2 : SHARE_LEAST;
	if (share < user >> SHARE_LOG2)
		share = user >> SHARE_LOG2;
	if (!far)
		g->meta_size += share & ~(EMM_PAGE - 1);
	if (g->meta_size > user)
		g->meta_size = user;
	return init;
}

int sgx_mm_init(size_t user_start, size_t user_end)
{
	struct glue g = { .user_start = user_start, .user_end = user_end };
	uint64_t init;
	int err;

	if (the_glue.emm)
		return EDMM_EFAULT;
	if ((user_start | user_end) & (EMM_PAGE - 1) || user_start >= user_end)
		return EDMM_EINVAL;
	find_elrange(user_start, &g);
	if (user_start < g.base || user_end > g.base + g.size)
		return EDMM_EINVAL;
	init = plan_meta(&g);
	if (!init)
		return EDMM_ENOMEM;
	err = meta_start(user_start, g.meta_own, init);
	if (!err)
		err = instance_start(&g, init, &g.emm);
	if (err)
		return err;
	the_glue = g;
	if (!sgx_mm_register_pfhandler(on_fault)) {
		the_glue.emm = NULL;
		return EDMM_EFAULT;
	}
	return 0;
}

int emalloc_init_with_reserved_mem(size_t meta_size)
{
	(void)meta_size;
	return 0;
}
