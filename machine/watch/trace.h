/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace: a header, then one record an event, in the order of events. Numbers
 * are little-endian, as the machine's processor is. The file is written through
 * a shared mapping, so what was recorded is in it however the process ends;
 * behind the last record it may be zero, and a record is whole when its kind is
 * not TRACE_NONE, which is stored last.
 *
 * Every event that a counter of struct edmm_machine_stats counts has one record
 * of its own, so that sums over the trace are those counters.
 */
#ifndef MACHINE_WATCH_TRACE_H
#define MACHINE_WATCH_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC "EDMMtrce"
#define TRACE_VERSION 1u
#define TRACE_ORDER 0x01020304u

struct trace_header {
	char magic[8];
	uint32_t order;	  /* TRACE_ORDER: another order is another file */
	uint16_t version; /* TRACE_VERSION */
	uint16_t record;  /* bytes of a record */
	uint32_t pid;
	uint32_t reserved;
	uint64_t start; /* CLOCK_REALTIME at the first record, ns */
	uint64_t reserved2[4];
};

_Static_assert(sizeof(struct trace_header) == 64, "header");

enum trace_kind {
	TRACE_NONE,
	TRACE_ENCLS, /* what: leaf; addr: linear, if there is one */
	TRACE_ENCLU, /* what: leaf; addr: TCS, or the page */
	TRACE_AEX,   /* what: enum trace_aex; addr; arg: vector << 16 | code */
	TRACE_FAULT, /* what: enum trace_fault; addr; arg: error code */
	TRACE_IOCTL, /* what: number; addr: of its range; arg: pages done */
	TRACE_MMAP,  /* addr; arg: pages; what: rights */
	TRACE_MPROTECT, /* the same */
	TRACE_LOSE,	/* the enclave's EPC is lost */
	TRACE_KINDS
};

#define TRACE_NO_IOCTL 63u /* a number that no ioctl has */

enum trace_aex {
	TRACE_AEX_KERNEL, /* a fault that the kernel resolved */
	TRACE_AEX_EXCEPTION,
	TRACE_AEX_SIGNAL,
	TRACE_AEX_TRACK,
	TRACE_AEX_ENDED, /* the thread or the mapping went away */
	TRACE_AEX_TIMER,
	TRACE_AEXS
};

enum trace_fault {
	TRACE_FAULT_EAUG,
	TRACE_FAULT_EAUG_OUTSIDE,
	TRACE_FAULT_ELDU,
	TRACE_FAULT_PTE,
	TRACE_FAULT_EPCM,
	TRACE_FAULT_VMA,
	TRACE_FAULT_SIGBUS,
	TRACE_FAULT_OTHER,
	TRACE_FAULTS
};

/* result: 0; an SGX code; -errno; of a leaf that faulted, -0x100 - vector. */
#define TRACE_FAULTED(vector) (-0x100 - (int32_t)(vector))

struct trace_event {
	uint8_t kind;
	uint8_t what;
	uint16_t encl; /* from 1 in the order of open(); 0: none */
	int32_t result;
	uint32_t arg;
	uint64_t addr;
};

struct trace_record {
	uint64_t time; /* CLOCK_MONOTONIC since the header's start, ns */
	uint32_t thread;
	uint32_t arg;
	uint64_t addr;
	int32_t result;
	uint16_t encl;
	uint8_t what;
	uint8_t kind;
};

_Static_assert(sizeof(struct trace_record) == 32, "record");

/* Where a file is wrong. */
struct trace_error {
	uint64_t off;
	const char *what;
};

/**
 * trace_check() - is it a trace, and how long?
 * @file: @size bytes, 8-byte aligned
 * @count: records, which begin behind the header
 *
 * Return: 0; -1 with @e filled in.
 */
int trace_check(const void *file, size_t size, size_t *count,
		struct trace_error *e);

#endif
