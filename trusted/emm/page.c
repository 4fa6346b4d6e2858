/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a page's byte changes: the transitions of page.h as a table, and from it
 * tables of bytes, so that a change of many pages is one look-up each.
 */
#include "trusted/emm/page.h"

#define M_PRESENT (M(PG_COMM) | M_IDLE | M_DOUBT | M(PG_TCS) | M(PG_TRIMMED))
#define M_FREED (M_FREE | M(PG_FREE_DOUBT) | M(PG_FREE_TRIMMED))
#define M_RIGHTS (M_UNC | M(PG_COMM) | M_IDLE | M(PG_TRIMMED))

static const struct move {
	enum page_change change;
	enum page_state to;
	uint32_t from;
} moves[] = {
	{ PAGE_COMMIT, PG_COMM, M_UNC | M_IDLE },
	{ PAGE_HINT, PG_HINT, M(PG_ABSENT) },
	{ PAGE_UNHINT, PG_ABSENT, M(PG_HINT) },
	{ PAGE_IDLE, PG_IDLE, M(PG_COMM) },
	{ PAGE_MAKE_TCS, PG_TCS, M(PG_COMM) },
	{ PAGE_TRY_TCS, PG_DOUBT_NEW, M(PG_COMM) },
	{ PAGE_TRIM, PG_ABSENT, M_PRESENT },
	{ PAGE_TRIM, PG_NONE, M_FREED },
	{ PAGE_TRIMMED, PG_TRIMMED, M_PRESENT },
	{ PAGE_TRIMMED, PG_FREE_TRIMMED, M_FREED },
	{ PAGE_DOUBT, PG_DOUBT, M(PG_COMM) },
	{ PAGE_DOUBT, PG_DOUBT_IDLE, M_IDLE },
	{ PAGE_DOUBT, PG_DOUBT_TCS, M(PG_TCS) },
	{ PAGE_DOUBT, PG_FREE_DOUBT, M_FREE },
	{ PAGE_FREE, PG_NONE, M_UNC | M(PG_RESERVED) },
	{ PAGE_FREE, PG_FREE_IDLE, M(PG_IDLE) },
	{ PAGE_FREE, PG_FREE_ZERO, M(PG_ZERO) },
	{ PAGE_FREE, PG_FREE_DOUBT, M(PG_DOUBT_IDLE) },
	{ PAGE_FREE, PG_FREE_TRIMMED, M(PG_TRIMMED) },
	{ PAGE_RESERVE, PG_RESERVED, M_UNC },
};

/* A page that was to be, or has been, a TCS was RW. */
uint8_t page_moved(uint8_t b, enum page_state to)
{
	int prot = page_bit(b) & M_TCS ? EMM_RW : page_rights(b);
	uint8_t flags = b & PAGE_BUSY;

	if (M(to) & M_AREA)
		flags |= b & PAGE_SLOW;
	return flags | page_byte(to, prot);
}

static uint8_t moved_by(enum page_change change, uint8_t b)
{
	for (unsigned int i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].change == change && moves[i].from & page_bit(b))
			return page_moved(b, moves[i].to);
	}
	return b;
}

static uint8_t changed(enum page_change change, uint8_t b)
{
	switch (change) {
	case PAGE_CLAIM:
		return b | PAGE_BUSY;
	case PAGE_RELEASE:
		return b & (uint8_t)~PAGE_BUSY;
	case PAGE_FAULT:
		return moved_by(PAGE_COMMIT, b) & (uint8_t)~PAGE_BUSY;
	case PAGE_FORGET:
		return moved_by(PAGE_FREE, b) & (uint8_t)~PAGE_BUSY;
	default:
		return moved_by(change, b);
	}
}

static uint8_t with_rights(unsigned int rank, uint8_t b)
{
	int prot = rank ? (int)(2 * rank - 1) : EMM_NONE;

	if (!(page_bit(b) & M_RIGHTS))
		return b;
	return (b & (PAGE_BUSY | PAGE_SLOW)) | page_byte(page_state(b), prot);
}

/* No state has a code beyond the last one. */
static bool valid(uint8_t b)
{
	return M(page_state(b)) & M_ALL;
}

void page_init(uint8_t lut[PAGE_CHANGES][256])
{
	for (unsigned int c = 0; c < PAGE_CHANGES; c++) {
		for (unsigned int i = 0; i < 256; i++) {
			uint8_t b = (uint8_t)i;

			lut[c][i] = b;
			if (!valid(b))
				continue;
			lut[c][i] = c < PAGE_RIGHTS
					    ? changed((enum page_change)c, b)
					    : with_rights(c - PAGE_RIGHTS, b);
		}
	}
}

void page_lut_alloc(uint8_t fresh, uint32_t seen, uint8_t lut[256])
{
	static const struct {
		enum page_state from;
		enum page_state to;
	} kept[] = {
		{ PG_FREE_IDLE, PG_IDLE },
		{ PG_FREE_ZERO, PG_ZERO },
		{ PG_FREE_DOUBT, PG_DOUBT_IDLE },
		{ PG_FREE_TRIMMED, PG_TRIMMED },
	};

	lut[PAGE_BUSY | PG_NONE] = fresh;
	lut[PAGE_BUSY | PG_RESERVED] = fresh;
	if (!(seen & M_FREED))
		return;
	for (unsigned int i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		lut[PAGE_BUSY | kept[i].from] = page_moved(fresh, kept[i].to);
}

void page_lut_join(const uint8_t *first, const uint8_t *then, uint8_t lut[256])
{
	for (unsigned int i = 0; i < 256; i++)
		lut[i] = then[first[i]];
}
