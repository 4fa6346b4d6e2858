/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of contexts, by number. Each change is one atomic step. */
#ifndef COMMON_CTXSET_H
#define COMMON_CTXSET_H

#include <stdbool.h>
#include <stdint.h>

#include "edmm/layout.h"

#define CTXSET_BITS 64u
_Static_assert(EDMM_CONTEXTS_ALL % CTXSET_BITS == 0, "whole words");

struct ctxset {
	uint64_t word[EDMM_CONTEXTS_ALL / CTXSET_BITS];
};

static inline uint64_t ctxset_bit(uint32_t context)
{
	return 1ull << context % CTXSET_BITS;
}

/* Return: it was not there. */
static inline bool ctxset_add(struct ctxset *s, uint32_t context)
{
	return !(__atomic_fetch_or(&s->word[context / CTXSET_BITS],
				   ctxset_bit(context), __ATOMIC_ACQ_REL) &
		 ctxset_bit(context));
}

/* Return: it was there. */
static inline bool ctxset_drop(struct ctxset *s, uint32_t context)
{
	return __atomic_fetch_and(&s->word[context / CTXSET_BITS],
				  ~ctxset_bit(context), __ATOMIC_ACQ_REL) &
	       ctxset_bit(context);
}

static inline bool ctxset_has(const struct ctxset *s, uint32_t context)
{
	return __atomic_load_n(&s->word[context / CTXSET_BITS],
			       __ATOMIC_ACQUIRE) &
	       ctxset_bit(context);
}

/* The first from @at on that is there, or (@there false) that is not; @end: no
 * such one below it. */
static inline uint32_t ctxset_next(const struct ctxset *s, uint32_t at,
				   uint32_t end, bool there)
{
	while (at < end) {
		uint64_t w = __atomic_load_n(&s->word[at / CTXSET_BITS],
					     __ATOMIC_RELAXED);

		w = (there ? w : ~w) >> at % CTXSET_BITS;
		if (w) {
			at += (uint32_t)__builtin_ctzll(w);
			break;
		}
		at += CTXSET_BITS - at % CTXSET_BITS;
	}
	return at < end ? at : end;
}

#endif
