/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol between an enclave and its host, used by both sides. All of it
 * is in untrusted memory: what the enclave reads from here is a claim, copied
 * once and then checked (design I10, I11); what it writes here is public.
 * Fixed widths, addresses as u64, no pointers, no policy.
 *
 * Entry. The host enters a TCS through the vDSO function. RDI is one of enum
 * wire_enter, RSI an address as told there. RDX, R8, R9 are ignored.
 *
 * Exit. EEXIT returns with RDI one of enum wire_exit and RSI a small value as
 * told there. All other registers but RSP, RBP, RBX and RCX are zero.
 *
 * A host call in full: the enclave fills call[RSI] of the thread's block and
 * leaves with WIRE_EXIT_CALL; the host performs it, writes status and count,
 * and enters with WIRE_ENTER_RETURN on the same TCS. Calls nest when a fault
 * inside needs the host while a slot is being filled: hence several slots.
 *
 * An exception: the vDSO reports it (function ERESUME); the host enters the
 * same TCS with WIRE_ENTER_EXCEPTION (at CSSA 1); the enclave leaves with
 * WIRE_EXIT_RESUME; the host calls the vDSO function with ERESUME.
 */
#ifndef EDMM_WIRE_H
#define EDMM_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "sgx/assert.h"

#define WIRE_VERSION 1u

/* RDI at EENTER. */
enum wire_enter {
	WIRE_ENTER_START = 1,	  /* once; RSI: struct wire_start */
	WIRE_ENTER_THREAD = 2,	  /* on an assigned TCS; RSI: wire_thread */
	WIRE_ENTER_RETURN = 3,	  /* from a host call */
	WIRE_ENTER_EXCEPTION = 4, /* after an exception inside */
	/*
	 * At CSSA 1, too: there may be signals. WIRE_EXIT_RESUME; RSI 1: what
	 * ERESUME goes on with looks at them, 0: the thread will by itself
	 */
	WIRE_ENTER_INTERRUPT = 5,
};

/* RDI at EEXIT. */
enum wire_exit {
	WIRE_EXIT_CALL = 1, /* RSI: index of the call slot */
	/*
	 * ERESUME this TCS. RSI is 0 when the enclave has found no exception
	 * in its save area: resuming would only bring it again.
	 */
	WIRE_EXIT_RESUME = 2,
	/*
	 * This thread has ended; its TCS is free. RSI: a context to unpark, by
	 * its number plus one, or 0
	 */
	WIRE_EXIT_THREAD = 3,
	WIRE_EXIT_DONE = 4,  /* the program has ended: see wire_thread.end */
	WIRE_EXIT_CRASH = 5, /* the enclave has ended: wire_thread.crash */
	/*
	 * This entry is not allowed now; nothing has changed. RSI is an
	 * enum wire_refusal.
	 */
	WIRE_EXIT_REFUSED = 6,
};

enum wire_refusal {
	WIRE_REFUSED_KIND = 1,	 /* unknown entry, or wrong CSSA for it */
	WIRE_REFUSED_STATE = 2,	 /* the TCS is not in the state for it */
	WIRE_REFUSED_DEAD = 3,	 /* the enclave has crashed or ended */
	WIRE_REFUSED_ARGS = 4,	 /* a start-up value fails its checks */
	WIRE_REFUSED_CONFIG = 5, /* the enclave's own report or layout does */
};

/*
 * Host calls. Numbers below WIRE_CALL_SYS are the runtime's and served by
 * host/calls_edmm.c; the others are system calls (common/calls.h).
 * Enclave addresses are offsets from the base here: off, size.
 */
enum wire_call_nr {
	WIRE_CALL_NONE = 0,
	/* off, size, page type (SGX_PT_TRIM or SGX_PT_TCS); count: bytes done
	 */
	WIRE_CALL_MODIFY_TYPES = 1,
	/* off, size, rights (SGX_SECINFO_RWX bits); count: bytes done */
	WIRE_CALL_RESTRICT = 2,
	/* off, size; count: bytes done */
	WIRE_CALL_REMOVE = 3,
	/* off, size, PROT_ bits for the mapping (the values of Linux) */
	WIRE_CALL_MPROTECT = 4,
	/* off, size: touch one byte a page; a hint; count: bytes touched */
	WIRE_CALL_POPULATE = 5,
	/*
	 * Signals that have come to the host for the program. Offset of a
	 * struct wire_signal in the data buffer; count: 1 where it is the next
	 * of them, 0: there is none
	 */
	WIRE_CALL_SIGNAL_TAKE = 6,
	/* nanoseconds: until one has come, or so long; UINT64_MAX: for ever */
	WIRE_CALL_SIGNAL_WAIT = 7,
	/* number: one more whose default is nothing or to stop is handed over
	 */
	WIRE_CALL_SIGNAL_HAND = 8,
	/* a system call that did not leave the enclave: its number, its result,
	 * its first four arguments. Of one that is not there once, of all with
	 * WIRE_START_TELL */
	WIRE_CALL_TELL = 9,
	/* context: enter it with WIRE_ENTER_THREAD, on a thread of its own */
	WIRE_CALL_THREAD = 10,
	/*
	 * nanoseconds: sleep until this context is unparked, a signal comes, or
	 * so long (UINT64_MAX: for ever); -ETIMEDOUT after that. An unpark that
	 * came before counts, once; and whether a kick is for the next call
	 * instead. The enclave believes none of it
	 */
	WIRE_CALL_PARK = 11,
	/*
	 * count, and the contexts to unpark: of more than WIRE_UNPARK_INLINE
	 * the offset of an array of u32 in the data buffer
	 */
	WIRE_CALL_UNPARK = 12,
	/* context: a call that it is in, or begins next, ends with -EINTR */
	WIRE_CALL_KICK = 13,
	/*
	 * enum wire_affinity; of a thread that is there: context, offset of its
	 * mask in the data buffer, size. Count: bytes of it, or the processor's
	 * number and, above 32 bits, its node's
	 */
	WIRE_CALL_AFFINITY = 14,
	WIRE_CALL_SYS = 0x100,
};

enum wire_affinity {
	WIRE_AFFINITY_GET,
	WIRE_AFFINITY_SET,
	WIRE_AFFINITY_CPU, /* where the caller runs now */
};

#define WIRE_CALL_ARGS 6
#define WIRE_UNPARK_INLINE (WIRE_CALL_ARGS - 1)

/**
 * struct wire_call - one host call
 * @nr: enum wire_call_nr, or a number of common/calls.h
 * @status: 0 or a negated Linux errno value, written by the host
 * @args: memory is meant by offsets into the thread's data buffer
 * @count: a second result, written by the host
 */
struct wire_call {
	uint32_t nr;
	int32_t status;
	uint64_t args[WIRE_CALL_ARGS];
	uint64_t count;
};

/* How the program ended, when it did so itself. */
enum wire_end_kind {
	WIRE_END_EXIT = 1,   /* value: exit status, 0..255 */
	WIRE_END_SIGNAL = 2, /* value: number of the signal that ended it */
};

struct wire_end {
	uint32_t kind;
	uint32_t value;
};

enum wire_crash_kind {
	WIRE_CRASH_FAULT = 1, /* an exception that nothing resolved */
	WIRE_CRASH_ABORT = 2, /* an invariant of ours is broken */
	WIRE_CRASH_HOST = 3,  /* the host broke the protocol */
};

/* Which setting would have mattered; the host has the words for it. */
enum wire_setting {
	WIRE_SETTING_NONE = 0,
	WIRE_SETTING_HEAP_MAX = 1,
	WIRE_SETTING_STACK = 2,
	WIRE_SETTING_WX = 3,
	WIRE_SETTING_XSTACK = 4,
	WIRE_SETTING_STATIC = 5, /* the image is static: pages cannot come */
	WIRE_SETTING_THREAD_STACK = 6,
};

#define WIRE_CRASH_AREA 32
#define WIRE_CRASH_TEXT 128
#define WIRE_NOT_INSIDE UINT64_MAX
#define WIRE_UNKNOWN (UINT64_MAX - 1) /* in a record that the host makes */

/**
 * struct wire_crash - why the enclave has ended
 * @kind: enum wire_crash_kind
 * @vector: of the exception, from the enclave's own SSA; else 0
 * @error_code: of #PF and #GP
 * @setting: enum wire_setting
 * @addr: faulting address, as the program used it
 * @addr_off: the same from the base, or WIRE_NOT_INSIDE
 * @rip_off: instruction, from the base, or WIRE_NOT_INSIDE
 * @rsp_off: stack pointer, from the base, or WIRE_NOT_INSIDE
 * @caller_off: where a jump out of the image came from, if the stack tells,
 *	from the base, or WIRE_NOT_INSIDE
 * @context: index of the TCS: of thread number @context + 1
 * @invariant: number of the broken invariant (docs/invariants.md), or 0
 * @signal: that the program dies of (Linux's number)
 * @stack_kib: of WIRE_SETTING_THREAD_STACK: that stack, in KiB
 * @area: name of the area that @addr lies in, NUL-terminated, may be empty
 * @text: what happened, NUL-terminated, may be empty
 */
struct wire_crash {
	uint32_t kind;
	uint32_t vector;
	uint32_t error_code;
	uint32_t setting;
	uint64_t addr;
	uint64_t addr_off;
	uint64_t rip_off;
	uint64_t rsp_off;
	uint64_t caller_off;
	uint32_t context;
	uint32_t invariant;
	uint32_t signal;
	uint32_t stack_kib;
	char area[WIRE_CRASH_AREA];
	char text[WIRE_CRASH_TEXT];
};

#define WIRE_CALL_SLOTS 4

/**
 * struct wire_thread - the untrusted block of one entered TCS
 * @buf_addr: data buffer, 8-byte aligned, outside ELRANGE
 * @buf_size: in bytes, a multiple of 8, WIRE_BUF_MIN to WIRE_BUF_MAX
 * @call: slots of host calls, by nesting depth
 * @end: valid at WIRE_EXIT_DONE
 * @crash: valid at WIRE_EXIT_CRASH
 *
 * The enclave reads buf_addr and buf_size once, at its first entry.
 */
struct wire_thread {
	uint64_t buf_addr;
	uint64_t buf_size;
	struct wire_call call[WIRE_CALL_SLOTS];
	struct wire_end end;
	struct wire_crash crash;
};

/**
 * struct wire_signals - signals from outside; a bit each, number less one
 * @caught: the program has a handler
 * @ignored: or ignores it; neither: the default
 * @blocked: it waits
 * @pending: some have come since they were last taken
 * @start_ignored, @start_blocked: what the host's process began with, for the
 *	enclave to begin with; read once
 *
 * The enclave writes the first three and the host the others. A host that lies
 * here is as any process that may send the program signals.
 */
struct wire_signals {
	uint64_t caught;
	uint64_t ignored;
	uint64_t blocked;
	uint64_t pending;
	uint64_t start_ignored;
	uint64_t start_blocked;
};

/**
 * struct wire_signal - one that has come
 * @signo, @code: as siginfo has them
 * @fields: what follows there: pid and uid (a timer's number and overrun), and
 *	the value
 */
struct wire_signal {
	int32_t signo;
	int32_t code;
	uint64_t fields[2];
};

#define WIRE_AHEAD_SLOTS 8
#define WIRE_AHEAD_PAGES 4095u /* of a hint, at most */

/**
 * struct wire_ahead - what enclave and host tell each other in passing
 * @hint: ranges that the enclave is about to commit, each the offset from the
 *	base with the number of pages in its low twelve bits; the host takes one
 *	by putting 0 there
 * @done: the last hint of each slot that the host has touched every page of
 * @open: not 0: somebody looks for hints
 * @pressure: moves whenever the machine is short of EPC: idle pages are wanted
 *
 * The enclave writes @hint and never reads it; the host writes all. What it
 * says about a hint costs faults where it is not true.
 */
struct wire_ahead {
	uint64_t hint[WIRE_AHEAD_SLOTS];
	uint64_t done[WIRE_AHEAD_SLOTS];
	uint64_t open;
	uint64_t pressure;
	uint64_t reserved[6];
};

#define WIRE_BUF_MIN (64u << 10)
#define WIRE_BUF_MAX (64u << 20)

/**
 * struct wire_stats - what the enclave tells of itself, written only by it
 * @seq: odd while a group of fields is being written
 * @main_tsc: time stamp counter when main() was called, 0 before
 * @committed: bytes committed now: heap, stack and metadata together,
 *	without the measured image and the contexts
 * @idle: of these, bytes freed lazily
 * @peak: highest value of @committed
 * @accepted: pages accepted at run time since the start
 * @trimmed: pages trimmed and proved since the start
 * @faults: faults that the enclave's memory manager has resolved
 * @host_calls: host calls since the start, by this runtime's count
 * @heap_max: bytes; the start-up value in effect
 * @heap_used: bytes of the heap's areas that the program has mapped
 * @heap_peak: most bytes of heap mapped at a time: what a maximum must allow
 * @heap_low: highest offset that malloc has reached from the heap's start on
 * @heap_low_main: the same when main() was called
 * @stack_peak: bytes of the main stack that were ever committed
 * @heap_refused: bytes of the last mapping beyond the maximum; 0: none
 * @threads_refused: threads that were there already when one more was refused;
 *	0: none was
 * @clock_refused: corrections of CLOCK_MONOTONIC that went beyond the bound
 * @clock_refused_ns: what was refused of them, together
 * @signals_refused: that came and may not: 1 << (number - 1), all so far
 *
 * The host samples single fields: each is one aligned 8-byte store.
 */
struct wire_stats {
	uint64_t seq;
	uint64_t main_tsc;
	uint64_t committed;
	uint64_t idle;
	uint64_t peak;
	uint64_t accepted;
	uint64_t trimmed;
	uint64_t faults;
	uint64_t host_calls;
	uint64_t heap_max;
	uint64_t heap_used;
	uint64_t heap_peak;
	uint64_t heap_low;
	uint64_t heap_low_main;
	uint64_t stack_peak;
	uint64_t heap_refused;
	uint64_t threads_refused;
	uint64_t clock_refused;
	uint64_t clock_refused_ns;
	uint64_t signals_refused;
	uint64_t reserved[492];
};

/**
 * struct wire_start - start-up parameters, from the host and not measured
 * @version: WIRE_VERSION
 * @size: of this structure
 * @thread_addr: struct wire_thread of the main thread
 * @stats_addr: struct wire_stats, page aligned, or 0
 * @heap_max: bytes, page aligned; 0 takes the layout's heap_bound, and more
 *	than that is refused
 * @arg_addr: argc then envc strings, each NUL-terminated, end to end
 * @arg_size: bytes of that block, at most WIRE_ARG_MAX
 * @argc: strings of argv, 1 to WIRE_ARGC_MAX
 * @envc: strings of environ, at most WIRE_ARGC_MAX
 * @heap_free_max: bytes of lazily freed memory to keep; UINT64_MAX takes the
 *	built-in policy
 * @heap_free_percent: the same as a share of what is mapped, 0 to 100;
 *	UINT64_MAX for none. The lower of both counts
 * @heap_window: largest window of commit-ahead, bytes, page aligned, at most
 *	WIRE_WINDOW_MAX; 0 takes the built-in one
 * @flags: WIRE_START_*
 * @signals_addr: struct wire_signals, or 0: none come from outside
 * @threads_max: threads at a time, up to the contexts of the layout; 0: as many
 *	as there are of these
 * @threads_pool: contexts that the enclave has made and keeps when their
 *	threads have ended; WIRE_POOL_DEFAULT: the built-in number
 * @threads_idle: ticks of the TSC after which these are given back that have
 *	waited all the time; 0: they wait for ever
 * @ahead_addr: struct wire_ahead, or 0
 */
struct wire_start {
	uint32_t version;
	uint32_t size;
	uint64_t thread_addr;
	uint64_t stats_addr;
	uint64_t heap_max;
	uint64_t arg_addr;
	uint64_t arg_size;
	uint32_t argc;
	uint32_t envc;
	uint64_t heap_free_max;
	uint64_t heap_free_percent;
	uint64_t heap_window;
	uint64_t flags;
	uint64_t signals_addr;
	uint32_t threads_max;
	uint32_t threads_pool;
	uint64_t threads_idle;
	uint64_t ahead_addr;
};

#define WIRE_POOL_DEFAULT UINT32_MAX
#define WIRE_WINDOW_MAX (16u << 20)

#define WIRE_ARG_MAX (128u << 10)
#define WIRE_ARGC_MAX 8192u

/* The host populates ahead when asked to (WIRE_CALL_POPULATE). */
#define WIRE_START_POPULATE 0x1ull
/* An enclave signed for DEBUG tells each system call (WIRE_CALL_TELL). */
#define WIRE_START_TELL 0x2ull
#define WIRE_START_FLAGS (WIRE_START_POPULATE | WIRE_START_TELL)

SGX_ASSERT(sizeof(struct wire_call) == 64, "wire_call");
SGX_ASSERT(offsetof(struct wire_call, status) == 4, "wire_call.status");
SGX_ASSERT(offsetof(struct wire_call, args) == 8, "wire_call.args");
SGX_ASSERT(offsetof(struct wire_call, count) == 56, "wire_call.count");
SGX_ASSERT(sizeof(struct wire_end) == 8, "wire_end");
SGX_ASSERT(sizeof(struct wire_crash) == 232, "wire_crash");
SGX_ASSERT(offsetof(struct wire_crash, addr) == 16, "wire_crash.addr");
SGX_ASSERT(offsetof(struct wire_crash, context) == 56, "crash.context");
SGX_ASSERT(offsetof(struct wire_crash, area) == 72, "wire_crash.area");
SGX_ASSERT(offsetof(struct wire_crash, text) == 104, "wire_crash.text");
SGX_ASSERT(offsetof(struct wire_thread, call) == 16, "wire_thread.call");
SGX_ASSERT(offsetof(struct wire_thread, end) == 272, "wire_thread.end");
SGX_ASSERT(offsetof(struct wire_thread, crash) == 280, "thread.crash");
SGX_ASSERT(sizeof(struct wire_thread) == 512, "wire_thread");
SGX_ASSERT(sizeof(struct wire_signals) == 48, "wire_signals");
SGX_ASSERT(sizeof(struct wire_signal) == 24, "wire_signal");
SGX_ASSERT(sizeof(struct wire_stats) == 4096, "wire_stats");
SGX_ASSERT(offsetof(struct wire_stats, committed) == 16, "committed");
SGX_ASSERT(offsetof(struct wire_stats, heap_used) == 80, "heap_used");
SGX_ASSERT(sizeof(struct wire_ahead) == 192, "wire_ahead");
SGX_ASSERT(offsetof(struct wire_ahead, open) == 128, "wire_ahead.open");
SGX_ASSERT(sizeof(struct wire_start) == 120, "wire_start");
SGX_ASSERT(offsetof(struct wire_start, thread_addr) == 8, "thread_addr");
SGX_ASSERT(offsetof(struct wire_start, argc) == 48, "wire_start.argc");
SGX_ASSERT(offsetof(struct wire_start, heap_free_max) == 56, "free_max");

#endif
