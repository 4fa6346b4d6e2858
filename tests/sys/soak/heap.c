/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of malloc(3), each with contents that follow from a seed in it. */
#include "tests/sys/soak/soak.h"

#include <malloc.h>
#include <stdlib.h>

#define SHARED 128u
#define ODD 0x9e3779b97f4a7c15u

/* @words: of @data; @seed: of what is there; @check: over both. */
struct block {
	uint64_t words;
	uint64_t seed;
	uint64_t check;
	uint64_t data[];
};

static struct block *shared[SHARED];

static uint64_t check_of(const struct block *b)
{
	return (b->words * ODD) ^ b->seed ^ (uintptr_t)b;
}

static void fill(struct block *b, uint64_t from)
{
	for (uint64_t i = from; i < b->words; i++)
		b->data[i] = (b->seed + i) * ODD;
	b->check = check_of(b);
}

static void look(const struct block *b, uint64_t words)
{
	for (uint64_t i = 0; i < words; i++)
		if (b->data[i] != (b->seed + i) * ODD)
			FAIL("block %p of %llu words: word %llu is %llx",
			     (const void *)b, (unsigned long long)b->words,
			     (unsigned long long)i,
			     (unsigned long long)b->data[i]);
}

static void look_whole(const struct block *b)
{
	if (b->check != check_of(b))
		FAIL("block %p: its head is %llx %llx %llx", (const void *)b,
		     (unsigned long long)b->words, (unsigned long long)b->seed,
		     (unsigned long long)b->check);
	look(b, b->words);
}

/* Mostly small ones, some of pages, a few that get a mapping. */
static uint64_t words_of(uint64_t *seed)
{
	const uint64_t kind = soak_draw(seed, 100);

	if (kind < 80)
		return soak_draw(seed, 200);
	return soak_draw(seed, kind < 98 ? 4000 : 50000);
}

static struct block *take(size_t size, uint64_t *seed)
{
	struct block *b = NULL;

	switch (soak_draw(seed, 8)) {
	case 0:
		b = calloc(1, size);
		for (size_t i = 0; b && i < size / 8; i++)
			HOLDS(((uint64_t *)b)[i] == 0);
		return b;
	case 1:
		size = (size + 255) & ~(size_t)255;
		b = aligned_alloc(256, size);
		HOLDS((uintptr_t)b % 256 == 0);
		return b;
	default:
		return malloc(size);
	}
}

struct block *block_new(uint64_t *seed)
{
	const uint64_t words = words_of(seed);
	struct block *b = take(sizeof(*b) + words * 8, seed);

	if (!b) {
		soak_count(&soak_counts.refused_blocks);
		return NULL;
	}
	b->words = words;
	b->seed = soak_next(seed);
	fill(b, 0);
	soak_count(&soak_counts.blocks);
	return b;
}

void block_drop(struct block *b)
{
	if (!b)
		return;
	look_whole(b);
	b->check = 0;
	free(b);
}

static void renew(struct worker *w)
{
	struct block **b = &w->block[soak_draw(&w->seed, BLOCKS)];

	block_drop(*b);
	*b = block_new(&w->seed);
}

static void resize(struct worker *w)
{
	struct block **b = &w->block[soak_draw(&w->seed, BLOCKS)], *to;
	const uint64_t words = words_of(&w->seed);
	uint64_t was;

	if (!*b)
		return;
	look_whole(*b);
	was = (*b)->words;
	to = realloc(*b, sizeof(*to) + words * 8);
	if (!to) {
		soak_count(&soak_counts.refused_blocks);
		return;
	}
	look(to, was < words ? was : words);
	to->words = words;
	fill(to, was < words ? was : words);
	*b = to;
}

/* What another has left goes, and one is left. */
static void trade(struct worker *w)
{
	struct block **at = &shared[soak_draw(&w->seed, SHARED)];

	block_drop(
		__atomic_exchange_n(at, block_new(&w->seed), __ATOMIC_ACQ_REL));
}

static void trim(struct worker *w)
{
	(void)w;
	malloc_trim(0);
}

static void drop_many(struct worker *w)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		block_drop(w->block[i]);
		w->block[i] = NULL;
	}
}

void heap_end(struct worker *w)
{
	drop_many(w);
}

void heap_end_shared(void)
{
	for (unsigned int i = 0; i < SHARED; i++)
		block_drop(shared[i]);
	malloc_trim(0);
}

const struct action heap_actions[] = {
	{ "malloc", renew, 300 },	  { "realloc", resize, 100 },
	{ "free another's", trade, 200 }, { "malloc_trim", trim, 1 },
	{ "free of all", drop_many, 2 },  { 0 },
};
