/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads for a while (main.c): workers that do at random what programs do,
 * and look whether it was done. The same program natively and inside.
 */
#ifndef TESTS_SYS_SOAK_H
#define TESTS_SYS_SOAK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKERS 8u
#define BLOCKS 64u
#define REGIONS 12u
#define REGION_PAGES 32u

struct block;

/* What is mapped: of each page what it holds (0: zeros) and allows. */
struct region {
	unsigned char *at;
	unsigned int pages;
	uint64_t tag[REGION_PAGES];
	int prot[REGION_PAGES];
};

/**
 * struct worker - one that draws its actions from its seed
 * @doing: the last one; @steps counts them
 * @reply: the server's, when @answered or @told says so
 * @interrupted: by how many signals
 */
struct worker {
	_Alignas(64) pthread_t thread;
	unsigned int number;
	uint64_t seed;
	const char *doing;
	uint64_t steps;
	struct block *block[BLOCKS];
	struct region region[REGIONS];
	sem_t answered;
	bool told;
	uint64_t reply;
	uint64_t interrupted;
};

extern struct worker soak_workers[WORKERS];
/* Of the calling thread; NULL: it is no worker. */
extern __thread struct worker *soak_self;
/* Threads beside the first that have begun and not ended. */
extern unsigned int soak_live;

/* Says what is wrong, and whose it is; the end. */
_Noreturn void soak_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define FAIL(...) soak_fail(__FILE__, __LINE__, __VA_ARGS__)
#define HOLDS(cond)                             \
	do {                                    \
		if (!(cond))                    \
			FAIL("not: %s", #cond); \
	} while (0)

static inline uint64_t soak_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline uint64_t soak_draw(uint64_t *seed, uint64_t below)
{
	return (soak_next(seed) >> 11) % below;
}

static inline void soak_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* An action of a worker's; each file has a list of its own. */
struct action {
	const char *name;
	void (*act)(struct worker *w);
	unsigned int weight;
};

/* They end with one that has no name. */
extern const struct action heap_actions[], map_actions[], thread_actions[],
	wait_actions[], signal_actions[];

/* A worker's last look at what it has; it gives all of it back. */
void heap_end(struct worker *w);
void map_end(struct worker *w);

/* Before the workers and after them, by the first thread. */
void heap_end_shared(void);
void map_begin(void);
void thread_begin(void);
void thread_end(void);
void wait_begin(void);
void wait_end(void);
void signal_begin(void);
void signal_end(void);

/* What others of the files use: a block, looked at when it goes. */
struct block *block_new(uint64_t *seed);
void block_drop(struct block *b);

/* What was done, for the last line. */
struct soak_counts {
	uint64_t blocks, refused_blocks;
	uint64_t regions, refused_regions, faults;
	uint64_t threads, refused_threads, cancelled;
	uint64_t waits, signals, refused_signals;
};
extern struct soak_counts soak_counts;

#endif
