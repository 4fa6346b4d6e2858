/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The topmost level of the page map: a word for each 128 MiB of range. Those
 * of the first 64 GiB are part of the instance. All others lie at the metadata
 * region's end and come in by pages, each with the first area among its 64
 * GiB: a range costs what is used of it, and 1 TiB starts as 64 GiB.
 *
 * A page of them never goes again, as a walker may look into it at any time.
 */
#include "trusted/emm/instance.h"

/* Pages at the region's end for a level of so many entries. */
uint64_t top_far_pages(uint32_t ntop)
{
	return (ntop - 1) / TABLE_ENTRIES;
}

/* The region has so many pages, of which the first are in the enclave. */
void top_init(struct emm *emm, uint64_t committed, uint64_t pages)
{
	uint64_t count = top_far_pages(emm->ntop), first = pages - count;

	emm->far = table_ptr(emm, (uint32_t)first) - TABLE_ENTRIES;
	for (uint64_t i = 1; i <= count && first + i <= committed; i++) {
		__builtin_memset(&emm->far[i * TABLE_ENTRIES], 0, EMM_PAGE);
		emm->far_there[i] = 1;
	}
}

/* Pages of the level that are there beyond the first. */
uint32_t top_count(const struct emm *emm)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < TOP_FAR_MAX; i++)
		n += PEEK(&emm->far_there[i]);
	return n;
}

static edmm_err bring_in(struct op *op, uint32_t i)
{
	struct emm *emm = op->emm;
	const uint8_t *page = (const uint8_t *)&emm->far[i * TABLE_ENTRIES];
	uint32_t rounds = 0;
	edmm_err rc = 0;

	while (__atomic_exchange_n(&emm->far_taken, 1, __ATOMIC_ACQUIRE))
		lock_spin(emm, &rounds);
	if (!LOAD(&emm->far_there[i])) {
		rc = pool_bring(op, (uint64_t)(page - emm->meta) >> PAGE_SHIFT);
		if (!rc)
			STORE(&emm->far_there[i], 1);
	}
	STORE(&emm->far_taken, 0);
	return rc;
}

/* The entries of pages [a, b) can be changed; the first step of a reserve. */
edmm_err top_ready(struct op *op, uint32_t a, uint32_t b)
{
	uint32_t i = (a >> TOP_SHIFT) / TABLE_ENTRIES;
	uint32_t last = ((b - 1) >> TOP_SHIFT) / TABLE_ENTRIES;
	edmm_err rc = 0;

	for (i = max_u32(i, 1); i <= last && !rc; i++)
		if (!LOAD(&op->emm->far_there[i]))
			rc = bring_in(op, i);
	return rc;
}
