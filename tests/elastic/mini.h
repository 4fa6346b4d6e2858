/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As much of a machine as the heap needs: a range of this process whose pages
 * are absent (no access), pending or committed, a SIGSEGV handler that asks
 * the memory manager, and an EPC of limited size. The real memory manager runs
 * on it, hosted.
 */
#ifndef TESTS_ELASTIC_MINI_H
#define TESTS_ELASTIC_MINI_H

#include <stdbool.h>
#include <stdint.h>

#include "trusted/elastic/heap.h"

#define MINI_PAGE 4096ull

struct mini_counts {
	uint64_t present; /* pages in the enclave, metadata not counted */
	uint64_t added;
	uint64_t trimmed;
	uint64_t faults;
	uint64_t host_calls; /* modify and populate */
};

/**
 * mini_start() - a heap of @size bytes of address range
 * @max: its maximum in bytes
 * @free_max: lazily freed bytes to keep
 * @epc: pages that there are
 */
struct heap *mini_start(uint64_t size, uint64_t max, uint64_t free_max,
			uint64_t epc);
/* The same with all that a heap can be told; addresses and EMM are filled in.
 */
struct heap *mini_start_with(const struct heap_params *want, uint64_t epc);
/* Checks the memory manager's structures, and ends it all. */
void mini_stop(void);

struct mini_counts mini_counts(void);
/* The host does nothing that it is asked for, and hides pages from leaves. */
void mini_refuse(bool on);
/* Pages came with the image: until they have gone once none can execute. */
void mini_load(uint64_t addr, uint64_t size);
/* The host takes back so many pages more, and says so. */
void mini_trims(uint64_t pages);
/* A load of the byte succeeds (with the memory manager's help). */
bool mini_readable(uint64_t addr);

#endif
