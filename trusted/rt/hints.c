/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hints to the host about pages that will be wanted, and from it about EPC that
 * others want. All of it is words of untrusted memory, and costs no exit. What
 * was told is kept here, and what the host says is compared with it and no
 * more: a host that is late, lies or does not look costs faults and calls.
 */
#include "sgx/arch.h"
#include "trusted/rt/rt.h"

#define PAGES_MASK (SGX_PAGE_SIZE - 1ull)
#define PAGE_BITS 12 /* of SGX_PAGE_SIZE */

/* As told, by slot: several threads write here, a word each. */
static uint64_t told[WIRE_AHEAD_SLOTS];
static uint32_t next;

static uint64_t get(size_t off)
{
	const umem_t shared = rt_params()->ahead;
	uint64_t v;

	return shared && !umem_get64(&v, shared + off) ? v : 0;
}

int rt_ahead(void *ctx, uint64_t addr, uint64_t size)
{
	const umem_t shared = rt_params()->ahead;
	uint64_t pages = size >> PAGE_BITS, hint;
	uint32_t slot;

	(void)ctx;
	if (!get(offsetof(struct wire_ahead, open)))
		return -EDMM_EAGAIN;
	if (pages > WIRE_AHEAD_PAGES)
		pages = WIRE_AHEAD_PAGES;
	hint = (addr - rt_base()) | pages;
	slot = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) %
	       WIRE_AHEAD_SLOTS;
	__atomic_store_n(&told[slot], hint, __ATOMIC_RELAXED);
	return umem_put64(shared + offsetof(struct wire_ahead, hint) +
				  slot * sizeof(hint),
			  hint);
}

bool rt_ahead_done(uint64_t addr, uint64_t size)
{
	const uint64_t off = addr - rt_base();

	if (!rt_params()->ahead)
		return false;
	for (uint32_t i = 0; i < WIRE_AHEAD_SLOTS; i++) {
		uint64_t hint = __atomic_load_n(&told[i], __ATOMIC_RELAXED);
		uint64_t from = hint & ~PAGES_MASK;
		uint64_t len = (hint & PAGES_MASK) << PAGE_BITS;

		if (len && off >= from && off - from < len &&
		    size <= len - (off - from))
			return get(offsetof(struct wire_ahead, done) +
				   i * sizeof(hint)) == hint;
	}
	return false;
}

uint64_t rt_pressure(void)
{
	return get(offsetof(struct wire_ahead, pressure));
}
