/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stepping host does, and where: the script of edmm sim --step, as
 * docs/man/edmm-step.5.scd has it. Pure; the caller reads the files.
 */
#ifndef LINUX_SCRIPT_H
#define LINUX_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/linux/inject.h"

enum script_do {
	SCRIPT_TAKE,
	SCRIPT_SWAP,
	SCRIPT_HIDE,
	SCRIPT_REPLACE,
	SCRIPT_GIVE,
	SCRIPT_ENTER,
	SCRIPT_SIGNAL,
	SCRIPT_REFUSE,
	SCRIPT_RESUME,
	SCRIPT_INTERRUPT,
};

/* Pages of the instruction: what it touches, and what its AEX would. */
#define SCRIPT_CODE 0x01u
#define SCRIPT_DATA 0x02u
#define SCRIPT_STACK 0x04u
#define SCRIPT_SSA 0x08u
#define SCRIPT_TCS 0x10u
#define SCRIPT_ALL (SCRIPT_CODE | SCRIPT_DATA | SCRIPT_STACK)
#define SCRIPT_ADDR 0x20u /* the page at struct script_rule.addr */
#define SCRIPT_ALL_TAKEN 0x40u

#define SCRIPT_ANY UINT64_MAX  /* of .at: every instruction of the ranges */
#define SCRIPT_LAST UINT64_MAX /* of .n: by the counts of a run before */
#define SCRIPT_SAME                                              \
	UINT64_MAX /* of .addr of an entry: the thread's own TCS \
		    */

/* Registers that a forged entry starts with. */
#define SCRIPT_REGS 3u /* RDI, RSI, RDX */

struct script_range {
	uint64_t start; /* offsets */
	uint64_t end;
};

/**
 * struct script_rule - one line
 * @at: offset of the instruction from the enclave's base
 * @n: its Nth execution; 0: each
 * @act: enum script_do
 * @what: SCRIPT_CODE ... of a page
 * @times: faults until the page is back, exits to resume after; 0: no end
 * @addr: offset of a page or a TCS; a signal's number
 * @exits: where the exits to resume after are; end 0: anywhere
 * @branch: in which copy of the process alone, counted from 1; 0: in it itself
 */
struct script_rule {
	uint64_t at;
	uint64_t n;
	uint8_t act;
	uint8_t what;
	uint32_t times;
	uint64_t addr;
	struct script_range exits;
	uint32_t branch;
	uint64_t reg[SCRIPT_REGS];
	struct inject_rule fault;
};

/* An execution at which stepping begins or ends. */
struct script_point {
	uint64_t at; /* offset; SCRIPT_ANY: none */
	uint64_t n;
};

/* When a step, beside one at which something is done, leaves by an AEX. */
enum script_aex {
	SCRIPT_AEX_ACT,	  /* never */
	SCRIPT_AEX_EVERY, /* always */
	SCRIPT_AEX_NEVER, /* and actions come without one where they can */
};

#define SCRIPT_RANGES 64u
#define SCRIPT_RULES 2048u
#define SCRIPT_PATH 4096u

struct script {
	struct script_range range[SCRIPT_RANGES];
	uint32_t ranges;
	struct script_rule rule[SCRIPT_RULES];
	uint32_t rules;
	uint32_t branches;
	uint32_t limit; /* seconds of processor time of a branch; 0: none */
	char out[SCRIPT_PATH]; /* what branches print; "": where all does */
	enum script_aex aex;
	struct script_point from;
	struct script_point to;
	bool to_done; /* ends when each rule that names an execution has acted
		       */
	char log[SCRIPT_PATH]; /* "": none */
	/* The counts of a run before, as they were read; NULL: none. */
	const char *counts;
	size_t counts_size;
};

/**
 * struct script_reader - how files are read
 * @read: the whole file @path, which stays; NULL: it cannot be
 */
struct script_reader {
	void *ctx;
	const char *(*read)(void *ctx, const char *path, size_t *size);
};

/* Where a script is wrong: file:line: what, what would be right. */
struct script_error {
	uint32_t line; /* 0: the file as a whole */
	char what[128];
	const char *want;
};

/**
 * script_read() - read a script
 * @path: its file; names in it are relative to its folder
 * @image: where symbols come from until a line says otherwise; NULL: nowhere
 *
 * Return: true; false with *e filled in, @out is then of no use.
 */
bool script_read(struct script *out, const char *path, const char *image,
		 const struct script_reader *r, struct script_error *e);

/* The next line of counts after *at: an offset and how often it was executed;
 * false at the end. */
bool script_count(const char *text, size_t size, size_t *at, uint64_t *off,
		  uint64_t *count);

/* A symbol of an ELF file in memory: its value, and its size or 0. */
bool symbol_find(const void *elf, size_t size, const char *name,
		 struct script_range *out);

#endif
