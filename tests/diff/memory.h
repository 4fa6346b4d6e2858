/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The differential test of memory: one program that makes a sequence of calls
 * and touches, and says after each what came of it. The same sequence is run
 * natively and in an enclave (tools/differ), and the two must say the same.
 *
 *	draw.c		an operation from a seed, and from nothing else
 *	text.c		operations as lines of a script, and back
 *	act.c, remap.c	operations carried out, and what they answer
 *	probe.c		what a page holds, and which accesses it allows
 *	ledger.c	what is known of each page, for the rules of open.c only
 *	open.c		what Linux leaves open, and what is known to differ
 *	memory.c	options, epochs, transcript
 *
 * Addresses are relative to a range that the program reserves:
 *
 *	| guard | ground | guard | yards | guard | lobby | guard |
 *
 * The ground has all operations. What the kernel chooses an address for is
 * moved to a yard at once, through the lobby where they overlap, so that it is
 * at the same place in both worlds. Guards stay.
 */
#ifndef TESTS_DIFF_MEMORY_H
#define TESTS_DIFF_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PAGE 4096ul
#define GROUND_PAGES 64u
#define YARDS 4u
#define YARD_PAGES 64u
#define CHOSEN_MAX 32u /* pages of a mapping that the kernel places */
#define BREAK_PAGES 32u
#define EPOCH 1000u /* operations, from nothing mapped */

/* The range, in pages. */
#define GROUND_AT 1u
#define YARDS_AT (GROUND_AT + GROUND_PAGES + 1)
#define LOBBY_AT (YARDS_AT + YARDS * YARD_PAGES + 1)
#define RANGE_PAGES (LOBBY_AT + YARD_PAGES + 1)

/* Kinds of arguments, and how a script has them. */
enum arg {
	ARG_NONE,
	ARG_YARD,   /* y2 */
	ARG_ADDR,   /* g+0x3000, y1+0x0, b+0x1000, z+0x0, h+0x0 */
	ARG_SIZE,   /* 0x4000 */
	ARG_PROT,   /* rwx, none, rw|0x8 */
	ARG_MAP,    /* private|anon|fixed */
	ARG_FILE,   /* rw, ro, wo, dir, pipe, null, bad */
	ARG_MOVE,   /* maymove|fixed, 0 */
	ARG_ADVICE, /* dontneed */
	ARG_SYNC,   /* async|invalidate */
	ARG_NUMBER,
};

#define ARGS 7

/* X(name, arguments...) */
#define OPS(X)                                                                \
	X(mmap, ARG_YARD, ARG_ADDR, ARG_SIZE, ARG_PROT, ARG_MAP, ARG_FILE,    \
	  ARG_SIZE)                                                           \
	X(munmap, ARG_ADDR, ARG_SIZE)                                         \
	X(mprotect, ARG_ADDR, ARG_SIZE, ARG_PROT)                             \
	X(mremap, ARG_YARD, ARG_ADDR, ARG_SIZE, ARG_SIZE, ARG_MOVE, ARG_ADDR) \
	X(madvise, ARG_ADDR, ARG_SIZE, ARG_ADVICE)                            \
	X(msync, ARG_ADDR, ARG_SIZE, ARG_SYNC)                                \
	X(mincore, ARG_ADDR, ARG_SIZE)                                        \
	X(mlock, ARG_ADDR, ARG_SIZE)                                          \
	X(mlock2, ARG_ADDR, ARG_SIZE, ARG_NUMBER)                             \
	X(munlock, ARG_ADDR, ARG_SIZE)                                        \
	X(mlockall, ARG_NUMBER)                                               \
	X(munlockall, ARG_NONE)                                               \
	X(brk, ARG_ADDR)                                                      \
	X(read, ARG_ADDR)                                                     \
	X(write, ARG_ADDR, ARG_NUMBER)                                        \
	X(exec, ARG_ADDR)                                                     \
	X(look, ARG_ADDR, ARG_SIZE)                                           \
	X(anew, ARG_NONE)

#define OP_ENUM(name, ...) OP_##name,
enum op_kind {
	OPS(OP_ENUM) OP_COUNT
};
#undef OP_ENUM

struct op {
	enum op_kind kind;
	uint64_t arg[ARGS];
};

/* An address as operations have it: a base, and bytes from there. */
#define ADDR_SHIFT 56
#define ADDR(base, off) ((uint64_t)(base) << ADDR_SHIFT | (off))
enum base {
	BASE_GROUND,
	BASE_BREAK,
	BASE_ZERO,
	BASE_HIGH, /* above all that a program can have */
	BASE_YARD, /* the first of YARDS */
};

enum file {
	FILE_RW,
	FILE_RO,
	FILE_WO,
	FILE_DIR,
	FILE_PIPE,
	FILE_NULL,
	FILE_BAD,
	FILE_COUNT,
};

/* The file has so many bytes: eight pages and a half. */
#define FILE_BYTES (8 * PAGE + 0x800)

struct option_set {
	bool native;  /* answer for the enclave what it refuses on purpose */
	bool no_x;    /* static image: nothing executes */
	bool no_wx;   /* W^X: not both */
	bool all;     /* nothing of open.c's list is passed over */
	bool printed; /* tell each operation, not the hash alone */
};
extern struct option_set options;

/* text.c */
extern const char *const op_names[OP_COUNT];
const enum arg *op_args(enum op_kind kind);
size_t op_text(const struct op *o, char *to, size_t size);
bool op_parse(const char *line, struct op *o);

/* draw.c: operation @step of an epoch whose seed is @seed */
struct op draw(uint64_t seed, uint32_t step);
uint64_t mix(uint64_t v);

/* memory.c: what an operation came to, piece by piece */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void say_result(long r);
long call(long n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
	  uint64_t f);

/* ledger.c */
enum page_kind {
	PAGE_HOLE,
	PAGE_ANON,
	PAGE_SHARED,
	PAGE_FILE,
	PAGE_FILE_SHARED,
};

struct page {
	uint32_t id; /* of the mapping that it came with */
	uint8_t kind;
	uint8_t prot;
	bool locked;
	bool grows;
	bool freed;   /* by MADV_FREE, and not written since */
	bool advised; /* its neighbours may not be */
	bool writable_file;
	uint64_t file_page; /* of the file, that it is mapped to */
	bool unknown;	    /* what it had when it was freed */
	uint64_t old[3];    /* or what that was */
};

struct range {
	uint64_t at;
	uint64_t end;
};

extern uint64_t ground_base, break_base;
uint64_t addr_of(uint64_t a);
void say_addr(uint64_t addr);
struct page *page_at(uint64_t addr);
void ledger_clear(void);
uint32_t ledger_id(void);
/* Whether all of a range may be touched by an operation: no guard. */
bool in_play(uint64_t addr, uint64_t size);
uint64_t pages_up(uint64_t size);
/* Where the first hole from @addr on begins; @end at most. */
uint64_t mapped_to(uint64_t addr, uint64_t end);
/* A page of no mapping was there after all: one above has grown. */
void ledger_grown(uint64_t addr);
/* Gives all pages of a range what @like has. */
void ledger_set(uint64_t addr, uint64_t size, const struct page *like);

/* probe.c */
enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXEC,
};
void probe_start(uint64_t marker);
/* 0, or the signal's number and its code: SIGSEGV 1 is 0xb01 */
unsigned int probe(uint64_t addr, enum access how);
bool page_read(uint64_t addr, uint64_t words[3], unsigned int *why);
unsigned int page_write(uint64_t addr, uint64_t tag);
void page_look(uint64_t addr, bool deep);

/* open.c: NULL, or why an operation is passed over in both worlds */
const char *open_skips(const struct op *o);
/* An answer in the place of the kernel's: true where the call is not made. */
bool open_answers(const struct op *o, long *r);
bool open_refused(uint64_t prot);

/* remap.c */
void clear_yard(uint64_t yard);
void settle(uint64_t *at, uint64_t size, uint64_t yard);
uint64_t act_mremap(const struct op *o);

/* act.c */
void act_start(const char *dir);
void act(const struct op *o);
void act_refused(const struct op *o);

#endif
