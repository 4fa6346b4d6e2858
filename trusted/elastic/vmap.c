/* SPDX-License-Identifier: BSD-3-Clause */
#include "trusted/elastic/vmap.h"

#define WORD_BITS 64u

/* The bits [at, at + count) that lie in the word of @at; *step: how many. */
static uint64_t word_mask(uint64_t at, uint64_t count, uint64_t *step)
{
	uint64_t bit = at % WORD_BITS;

	*step = WORD_BITS - bit < count ? WORD_BITS - bit : count;
	if (*step == WORD_BITS)
		return UINT64_MAX;
	return ((1ull << *step) - 1) << bit;
}

void vmap_init(struct vmap *m, uint64_t *const maps[3], uint64_t pages)
{
	*m = (struct vmap){
		.used = maps[0],
		.charged = maps[1],
		.locked = maps[2],
		.pages = pages,
		.high = pages,
	};
}

/* First index from @at on, below @end, whose bit is set (or is clear). */
static uint64_t skip_bits(const uint64_t *bits, uint64_t at, uint64_t end,
			  bool set)
{
	uint64_t word;

	while (at < end) {
		word = bits[at / WORD_BITS];
		word = (set ? word : ~word) >> (at % WORD_BITS);
		if (word != 0) {
			at += (uint64_t)__builtin_ctzll(word);
			return at < end ? at : end;
		}
		at = (at / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

/* First index from @at on, below @end, that is used (or is free). */
static uint64_t skip_to(const struct vmap *m, uint64_t at, uint64_t end,
			bool used)
{
	return skip_bits(m->used, at, end, used);
}

/* One past the last used index below @end; 0 when there is none. */
static uint64_t last_used(const struct vmap *m, uint64_t end)
{
	uint64_t word, step;

	while (end > 0) {
		word = m->used[(end - 1) / WORD_BITS];
		step = (end - 1) % WORD_BITS + 1;
		word <<= WORD_BITS - step;
		if (word != 0)
			return end - (uint64_t)__builtin_clzll(word);
		end -= step;
	}
	return 0;
}

uint64_t vmap_find_low(const struct vmap *m, uint64_t count)
{
	uint64_t at = m->first_free, end;

	for (;;) {
		at = skip_to(m, at, m->low, false);
		if (at == m->low)
			break;
		end = skip_to(m, at, m->low, true);
		if (end - at >= count)
			return at;
		at = end;
	}
	return m->high - m->low >= count ? m->low : VMAP_NONE;
}

uint64_t vmap_find_high(const struct vmap *m, uint64_t count)
{
	uint64_t best = VMAP_NONE, at = m->high, end;

	for (;;) {
		at = skip_to(m, at, m->pages, false);
		if (at == m->pages)
			break;
		end = skip_to(m, at, m->pages, true);
		if (end - at >= count)
			best = end - count;
		at = end;
	}
	if (best != VMAP_NONE)
		return best;
	return m->high - m->low >= count ? m->high - count : VMAP_NONE;
}

/* Returns how many bits have changed. */
static uint64_t set_bits(uint64_t *bits, uint64_t at, uint64_t count, bool on)
{
	uint64_t mask, step, changed = 0;
	uint64_t *w;

	for (; count > 0; at += step, count -= step) {
		w = &bits[at / WORD_BITS];
		mask = word_mask(at, count, &step);
		changed +=
			(uint64_t)__builtin_popcountll((on ? ~*w : *w) & mask);
		*w = on ? *w | mask : *w & ~mask;
	}
	return changed;
}

void vmap_take_low(struct vmap *m, uint64_t at, uint64_t count)
{
	m->nused += set_bits(m->used, at, count, true);
	if (at == m->low)
		m->low = at + count;
	if (at == m->first_free)
		m->first_free = at + count;
}

void vmap_take_high(struct vmap *m, uint64_t at, uint64_t count)
{
	m->nused += set_bits(m->used, at, count, true);
	if (at < m->high)
		m->high = at;
}

uint64_t vmap_drop(struct vmap *m, uint64_t at, uint64_t count)
{
	uint64_t n = vmap_charge(m, at, count, false);

	m->nused -= set_bits(m->used, at, count, false);
	vmap_lock(m, at, count, false);
	if (at < m->low) {
		if (at < m->first_free)
			m->first_free = at;
		m->low = last_used(m, m->low);
		if (m->first_free > m->low)
			m->first_free = m->low;
	}
	m->high = skip_to(m, m->high, m->pages, true);
	return n;
}

uint64_t vmap_charge(struct vmap *m, uint64_t at, uint64_t count, bool on)
{
	return set_bits(m->charged, at, count, on);
}

void vmap_lock(struct vmap *m, uint64_t at, uint64_t count, bool on)
{
	if (on)
		m->nlocked += set_bits(m->locked, at, count, true);
	else if (m->nlocked > 0)
		m->nlocked -= set_bits(m->locked, at, count, false);
}

uint64_t vmap_uncharged(const struct vmap *m, uint64_t at, uint64_t count)
{
	uint64_t mask, step, n = 0;

	for (; count > 0; at += step, count -= step) {
		mask = word_mask(at, count, &step);
		n += (uint64_t)__builtin_popcountll(
			~m->charged[at / WORD_BITS] & mask);
	}
	return n;
}

bool vmap_all_free(const struct vmap *m, uint64_t at, uint64_t count)
{
	return skip_to(m, at, at + count, true) == at + count;
}

bool vmap_all_used(const struct vmap *m, uint64_t at, uint64_t count)
{
	return skip_to(m, at, at + count, false) == at + count;
}

uint64_t vmap_next_free(const struct vmap *m, uint64_t *at, uint64_t end)
{
	*at = skip_to(m, *at, end, false);
	return skip_to(m, *at, end, true) - *at;
}

uint64_t vmap_alike(const struct vmap *m, uint64_t at, uint64_t end, bool *used,
		    bool *locked)
{
	*used = *locked = false;
	if (at >= m->low && at < m->high)
		return end < m->high ? end : m->high;
	if (at < m->low && end > m->low)
		end = m->low;
	*used = skip_to(m, at, at + 1, false) == at + 1;
	end = skip_to(m, at, end, !*used);
	if (*used && m->nlocked > 0) {
		*locked = skip_bits(m->locked, at, at + 1, false) == at + 1;
		end = skip_bits(m->locked, at, end, !*locked);
	}
	return end;
}
