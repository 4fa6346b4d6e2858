/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the memory manager's benchmarks share: clocks, medians, and an instance
 * whose leaves and host calls are stubs that return at once.
 */
#ifndef BENCH_EMM_BED_H
#define BENCH_EMM_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "edmm/emm.h"
#include "tests/must.h"

#define BASE (1ull << 40)
#define AREA 65536ull
#define STRIDE (2 * AREA)
#define GIB (1ull << 30)
#define ROUNDS 7

struct bed {
	struct emm *emm;
	void *meta;
	uint64_t meta_size;
};

extern __thread uint32_t bed_thread; /* the number that the EMM sees */
extern __thread uint64_t bed_calls;  /* host calls of this thread */

double cpu_now(void); /* of this thread, ns */
double wall_now(void);
uint64_t tsc(void);
double quantile(double *v, uint32_t n, double q);
uint32_t below(uint32_t n); /* a random number */

/* accept_ns: what an EACCEPT takes. */
void bed_open(struct bed *b, uint64_t size, uint64_t accept_ns);
void bed_close(struct bed *b);
edmm_err area_make(struct bed *b, uint64_t addr);
uint64_t area_at(uint32_t i);
int touch(struct bed *b, uint64_t addr);

/* What a caller's runtime brings; here each is a stub. */
enum bed_prim {
	PRIM_LEAF,
	PRIM_MODIFY,
	PRIM_MAP,
	PRIM_OWNER,
	PRIMS,
};

/*
 * The manager as its callers see it: edmm/emm.h, or from outside, as Intel's
 * SDK does: one user range, and none of the hooks that a runtime may have.
 */
struct bed_face {
	const char *name;
	void (*open)(struct bed *b, uint64_t size, uint64_t accept_ns);
	void (*close)(struct bed *b);
	edmm_err (*make)(struct bed *b, uint64_t addr, uint64_t size);
	edmm_err (*unmake)(struct bed *b, uint64_t addr, uint64_t size);
	uint64_t (*get)(struct bed *b); /* 64 KiB anywhere; 0: none */
	edmm_err (*commit)(struct bed *b, uint64_t addr, uint64_t size);
	edmm_err (*uncommit)(struct bed *b, uint64_t addr, uint64_t size);
	edmm_err (*flip)(struct bed *b, uint64_t addr, bool read_only);
	int (*touch)(struct bed *b, uint64_t addr);
	void (*prim)(enum bed_prim what); /* alone: the floor */
};

extern const struct bed_face face_native;
extern const struct bed_face face_outside; /* one at a time */

/* Each prints one member of the JSON object, and a comma. */
void bench_growth(FILE *out, uint32_t most);
void bench_gib(FILE *out);
void bench_calls(FILE *out);
void bench_meta(FILE *out);
void bench_floor(FILE *out);
void bench_threads(FILE *out); /* the last: no comma */

#endif
