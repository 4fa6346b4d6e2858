/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The check for instructions that fault inside an enclave. It decodes the
 * executable sections of an x86-64 ELF file with Zydis, beginning anew at each
 * function symbol, so that neither a byte pattern in an immediate is taken for
 * an instruction nor padding hides one.
 */
#ifndef TOOLCHAIN_CC_SCAN_H
#define TOOLCHAIN_CC_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One executable run of bytes, and the functions that start in it. */
struct scan_func {
	uint64_t addr;
	const char *name;
};

struct scan_code {
	const uint8_t *bytes;
	uint64_t addr;
	size_t size;
	const struct scan_func *funcs; /* by address */
	size_t nfuncs;
};

struct scan_hit {
	const char *insn; /* mnemonic, lower case */
	const char *func; /* NULL: before any function */
	uint64_t func_off;
	uint64_t addr;
};

typedef void (*scan_report)(void *ctx, const struct scan_hit *hit);

/**
 * scan_code() - report each forbidden instruction of one run of code.
 * @code: what to decode.
 * @report: called for each hit, in the order of addresses.
 * @ctx: handed to @report.
 *
 * Bytes that decode to nothing are data; the sweep goes on one byte later.
 *
 * Return: the number of hits.
 */
size_t scan_code(const struct scan_code *code, scan_report report, void *ctx);

enum scan_result {
	SCAN_CLEAN = 0,
	SCAN_FOUND = 1,
	SCAN_BAD_FILE = 2
};

/**
 * scan_file() - check a whole ELF file.
 * @path: an x86-64 ELF executable or object with section headers.
 * @name: what messages call it.
 * @tool: name that opens each message.
 * @all: print every hit; otherwise the first one and the number of others.
 * @err: where messages go, a line each.
 *
 * Return: one of enum scan_result.
 */
enum scan_result scan_file(const char *path, const char *name, const char *tool,
			   int all, FILE *err);

/**
 * scan_cpuid() - where an ELF file has CPUID
 * @path: as for scan_file().
 * @addr: malloc()ed addresses in the file's order; NULL when there is none.
 * @count: elements of @addr.
 *
 * Return: SCAN_FOUND, SCAN_CLEAN, or SCAN_BAD_FILE without a message.
 */
enum scan_result scan_cpuid(const char *path, uint64_t **addr, size_t *count);

#endif
