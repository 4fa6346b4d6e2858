/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The enclave's runtime, as code inside sees it: identity and layout, the
 * thread record, host calls, untrusted memory, leaves with fix-ups, crashes.
 *
 * Invariants kept here: I9 (states of a TCS), I10 (umem is the only door to
 * untrusted memory), I12 and I13 (exceptions). See docs/invariants.md.
 *
 * Locks: none is taken by anything in this header but rt_lock() itself.
 */
#ifndef TRUSTED_RT_RT_H
#define TRUSTED_RT_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/err.h"
#include "edmm/layout.h"
#include "edmm/wire.h"

/*
 * An address of untrusted memory that has passed umem_at(). Clang checks that
 * nobody looks through it: only umem.c casts.
 */
#ifdef __clang__
#define RT_UNTRUSTED __attribute__((noderef))
#else
#define RT_UNTRUSTED
#endif
typedef uint8_t RT_UNTRUSTED *umem_t;

/* Identity and layout. */

/* The enclave's base address: ELF address 0. */
uint64_t rt_base(void);
/* The measured layout; checked at start-up, constant afterwards. */
const struct edmm_layout *rt_layout(void);
/* [addr, addr + size) lies inside ELRANGE; false on overflow or size 0. */
bool rt_inside(uint64_t addr, uint64_t size);
/* [addr, addr + size) has no byte in ELRANGE and does not wrap. */
bool rt_outside(uint64_t addr, uint64_t size);
/* Pages may be added after EINIT; checked against the own report. */
bool rt_elastic(void);
/* The same by a name that programs' libraries (trusted/report) can link. */
bool edmm_rt_elastic(void);

/**
 * struct rt_params - start-up parameters after their checks
 * @heap_max: bytes, page aligned, at most layout.heap_bound
 * @heap_free_max: bytes of lazily freed memory to keep, UINT64_MAX: built in
 * @heap_free_percent: the same as a share of what is mapped, or UINT64_MAX
 * @heap_window: largest window of commit-ahead, page aligned; 0: built in
 * @populate: the host populates ahead on request
 * @ahead: struct wire_ahead, or NULL
 * @signals: struct wire_signals, or NULL
 * @tell: tell the host each system call, since its image is for debugging
 * @threads_max: threads at a time
 * @threads_pool: contexts that have been made to keep without a thread
 * @threads_idle: ticks of the TSC that they are kept for; 0: for ever
 */
struct rt_params {
	uint64_t heap_max;
	uint64_t heap_free_max;
	uint64_t heap_free_percent;
	uint32_t heap_window;
	bool populate;
	umem_t ahead;
	umem_t signals;
	bool tell;
	uint32_t threads_max;
	uint32_t threads_pool;
	uint64_t threads_idle;
};
const struct rt_params *rt_params(void);

/* Untrusted memory. */

/**
 * umem_at() - take a host's address, once, as an untrusted range
 * @addr: as the host gave it, already copied into the enclave
 * @size: bytes that will be used from it; 0 is refused
 *
 * Return: the pointer, or NULL when a byte of the range is inside ELRANGE,
 * the range wraps or is not canonical, or @addr is below 64 KiB.
 */
umem_t umem_at(uint64_t addr, uint64_t size);
/* The address again, to put into a message to the host. */
uint64_t umem_addr(umem_t p);

/**
 * umem_read() - copy from untrusted memory
 * @dst: enclave memory (may be absent: the fault is resolved)
 * @src: from umem_at() or rt_buf_take(), plus an offset inside that range
 * @size: bytes; 0 does nothing
 *
 * Reads aligned 8-byte words only (INTEL-SA-00657), so up to 7 bytes around
 * the range too, none of them twice.
 *
 * Return: 0; -EDMM_EFAULT when the host has no memory there, or the range
 * touches ELRANGE: then some of @dst may be written.
 */
EDMM_NODISCARD edmm_err umem_read(void *dst, umem_t src, size_t size);

/**
 * umem_write() - copy to untrusted memory
 *
 * Whole aligned 8-byte words go out as such; what is left at the ends goes
 * out by bytes between VERW and MFENCE; LFENCE (INTEL-SA-00615).
 *
 * Return: 0; -EDMM_EFAULT as umem_read(): then some of it may be written.
 */
EDMM_NODISCARD edmm_err umem_write(umem_t dst, const void *src, size_t size);

/* One aligned word each; -EDMM_EFAULT as above, -EDMM_EINVAL if unaligned. */
EDMM_NODISCARD edmm_err umem_get64(uint64_t *v, umem_t src);
EDMM_NODISCARD edmm_err umem_put64(umem_t dst, uint64_t v);

/**
 * struct rt_buf - a piece of this thread's data buffer
 * @p: first byte, 8-byte aligned
 * @off: of @p in the buffer, for arguments of host calls
 * @size: bytes usable
 */
struct rt_buf {
	umem_t p;
	uint64_t off;
	uint64_t size;
};

/**
 * rt_buf_take() - take a piece of the data buffer
 * @size: bytes wanted; what is given is in @b->size, at least 1
 *
 * Pieces are given back in reverse order, by rt_buf_drop() before the taker
 * returns; a fault handler that runs in between takes from what is left.
 *
 * Return: 0, or -EDMM_ENOMEM when nothing is left.
 */
EDMM_NODISCARD edmm_err rt_buf_take(struct rt_buf *b, uint64_t size);
void rt_buf_drop(const struct rt_buf *b);

/* Host calls. */

/**
 * rt_host_call() - leave the enclave for one host call
 * @nr: enum wire_call_nr or a number of common/calls.h
 * @args: copied out
 * @count: gets the second result, unchecked: the caller bounds it; or NULL
 *
 * Context: any at CSSA 0, also stage 2 of an exception; no lock held (I4).
 * Trust: status is made sure to be 0 or -4095..-1, nothing else is.
 * Return: 0 or a negated Linux errno value of the host's; -EDMM_EPROTO for
 * another status; -EDMM_EBUSY when calls nest deeper than there are slots.
 */
EDMM_NODISCARD edmm_err rt_host_call(uint32_t nr,
				     const uint64_t args[WIRE_CALL_ARGS],
				     uint64_t *count);

/* End the program as a native one would end; all threads with it. */
_Noreturn void rt_exit(int status);
_Noreturn void rt_exit_signal(int signo);

/**
 * rt_abort() - end the enclave's life: an invariant of ours is broken
 * @invariant: its number in docs/invariants.md
 * @text: what was found, up to WIRE_CRASH_TEXT - 1 bytes
 */
_Noreturn void rt_abort(unsigned int invariant, const char *text);
/* The same, when the host broke the protocol in a way nothing can answer. */
_Noreturn void rt_abort_host(const char *text);

/* Leave without a word if the enclave has ended: for all that waits (I16). */
void rt_look_for_end(void);

#define RT_INVARIANT(n, cond)                     \
	do {                                      \
		if (__builtin_expect(!(cond), 0)) \
			rt_abort((n), #cond);     \
	} while (0)

/* Threads. */

/* Index of the context that this thread runs on: the owner of BUSY pages. */
uint32_t rt_context(void);
/* How many contexts there can be: the image's, and those to be made. */
uint32_t rt_contexts(void);

/* Bytes of a context that are the layer's above, zero at start-up. */
#define RT_LOCAL_SIZE 448
void *rt_local(void);
void *rt_local_of(uint32_t context);

/**
 * rt_thread_take() - a free context, for one more thread
 *
 * Return: its index, the caller's until rt_thread_start() or rt_thread_drop();
 * or -EDMM_EAGAIN.
 */
int rt_thread_take(void);

/**
 * rt_thread_make() - the same, of a context that is made for it
 *
 * Context: may exit; no lock held.
 * Return: as rt_thread_take(): -EDMM_EAGAIN also where the host does not do its
 * part. What of the context is in the enclave then goes with the next attempt.
 */
int rt_thread_make(void);

/**
 * rt_threads_trim() - give back contexts without a thread that were made
 *
 * All but rt_params()->threads_pool. Context: as rt_thread_make(). Whose thread
 * is on its way out still stays for the next call.
 */
void rt_threads_trim(void);

/**
 * rt_threads_due() - has the pool waited long enough to look after it?
 * @now: rt_tsc(), which is the host's as much as the time to wait is
 *
 * Return: true once in rt_params()->threads_idle ticks, to one caller.
 */
bool rt_threads_due(uint64_t now);

/**
 * rt_threads_decay() - give back what has waited since the last time
 *
 * Contexts that were made and have had no thread between two calls. Context: as
 * rt_thread_make().
 */
void rt_threads_decay(void);

/**
 * rt_thread_regs() - what the thread begins with
 * @context: from rt_thread_take()
 *
 * Return: a state as rt_resume_take() gives it, with the caller's x87 state and
 * MXCSR; it lies on the context's exception stack. The caller fills it.
 */
struct rt_regs *rt_thread_regs(uint32_t context);

/**
 * rt_thread_start() - let the host enter the context
 *
 * From here on the thread may run. Return: 0; what the host says where it did
 * not start one: then the context is the caller's again.
 */
EDMM_NODISCARD edmm_err rt_thread_start(uint32_t context);
void rt_thread_drop(uint32_t context);

/**
 * rt_thread_end() - this thread is over, and its context free
 * @unpark: context to unpark by the same exit, or -1
 *
 * Context: not on a stack of the program's, which may go away. Nothing of the
 * context is touched afterwards.
 */
_Noreturn void rt_thread_end(int unpark);

/*
 * FS base: the C library's thread pointer. The runtime keeps it over host
 * calls and never uses it.
 */
uint64_t rt_fs_base(void);
void rt_set_fs_base(uint64_t addr);

/* The main stack's area, lowest usable address and end. */
uint64_t rt_stack_low(void);
uint64_t rt_stack_high(void);

/* Small locks for short sections without a fault or a host call (I4). */
struct rt_lock {
	uint32_t owner; /* 0 free, else context + 1 */
};
void rt_lock(struct rt_lock *l);
void rt_unlock(struct rt_lock *l);

/* The processor. */

/**
 * rt_random() - fill with RDRAND
 *
 * Aborts the enclave when RDRAND fails ten times in a row (Intel's guidance).
 */
void rt_random(void *buf, size_t size);
/* Time stamp counter; 0 where RDTSC is not allowed inside (SGX1). */
uint64_t rt_tsc(void);

/* In passing (hints.c): words of the host's memory, no exit. */
/* emm_hooks.ahead: the range will be committed soon. */
int rt_ahead(void *ctx, uint64_t addr, uint64_t size);
/* The host says that it has added what was told of this range. A hint. */
bool rt_ahead_done(uint64_t addr, uint64_t size);
/* Moves whenever the host says that the machine is short of EPC. A hint. */
uint64_t rt_pressure(void);

/* Statistics go to the host's page when the memory manager reports a change. */
/* What has not been told of late: before a call that may sleep. */
void rt_stats_tell(void);
/* Note that main() is about to be called. */
void rt_stats_main(void);
/* New peaks of the heap, to be told with the next statistics: no exit. */
void rt_stats_heap(uint64_t peak, uint64_t low);
/* And that so many bytes did not fit its maximum. */
void rt_stats_refused(uint64_t bytes);
/* That one more than so many threads was wanted; told at once. */
void rt_stats_threads_refused(uint32_t threads);
/* So many corrections of the clock were refused, @ns nanoseconds; at once. */
void rt_stats_clock(uint64_t refused, uint64_t ns);
/* Signals that came from outside and were dropped; at once. */
void rt_stats_signals(uint64_t refused);

/* Exceptions. */

/**
 * struct rt_regs - the interrupted state, complete
 *
 * General registers in GPRSGX's order; the extended state is in @xsave, in
 * the standard form of XSAVE, @xsave_size bytes of the features @xfrm. What a
 * handler changes here is what continues.
 */
struct rt_regs {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, rip;
	uint64_t fs_base;
	uint32_t vector;
	uint32_t error_code; /* of #PF and #GP */
	uint64_t addr;	     /* of #PF, as the SSA has it */
	void *xsave;
	uint64_t xsave_size;
	uint64_t xfrm;
	/*
	 * The thread is inside the runtime, or a stage 2 is suspended below
	 * this one: nothing of the program's may run now (I14).
	 */
	uint64_t in_runtime;
	/* #PF: somebody has mapped @addr, by the books. */
	uint64_t mapped;
};

/* The entry from musl (served.S). */
long edmm_syscall(long n, long a, long b, long c, long d, long e, long f);
/* Of a cancellation point: it does not begin while *@cancel is set: EINTR. */
long edmm_syscall_cancel(const volatile int *cancel, long n, long a, long b,
			 long c, long d, long e, long f);

/**
 * struct rt_call - a call of the program's, on the context's system stack
 * @nr: number of the system call
 * @cancel: NULL, or it does not begin while that is set
 * @rbx: and the other registers that are kept, as the program has them
 * @begin: where it would begin anew
 * @rsp: the program's, at its return address
 */
struct rt_call {
	uint64_t nr;
	uint64_t args[6];
	const volatile int *cancel;
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rflags;
	uint64_t begin;
	uint64_t rsp;
	uint64_t pad;
};

/**
 * struct rt_hooks - what the layer above does about calls and exceptions
 * @call: serve a system call of the program's. Called on the system stack,
 *	inside the runtime. Its result is the call's; or it does not return, but
 *	by rt_call_signals(), rt_resume() or the thread's end
 * @shortage: give memory back. Called at stage 2 for a fault that is right but
 *	finds no memory; true when something was given back, so that trying
 *	again makes sense
 * @grow: map the page of a fault that nobody has mapped, because a mapping
 *	above it grows. Called at stage 2; true when it did
 * @fault: the program's own handlers. Called at stage 2, on the exception
 *	stack, for an exception that is not a page fault, and for a page fault
 *	that the books prove to be the access's own (I14). It may change @regs,
 *	so that the interrupted thread continues elsewhere. True to continue
 *	with @regs, false to report and end
 * @signals: signals that are due. Called on the exception stack before the
 *	program goes on with @regs, out of a system call, a handler, a fault or
 *	from where it was interrupted; may change them as @fault. It may be
 *	called again for what it has left
 */
struct rt_hooks {
	long (*call)(const struct rt_call *c);
	bool (*shortage)(void);
	bool (*grow)(uint64_t addr);
	bool (*fault)(struct rt_regs *regs);
	void (*signals)(struct rt_regs *regs);
};

/* Provided with rt_main(); NULL for none. Read-only after relocation. */
extern const struct rt_hooks rt_hooks;

/* From here on this thread is the program's: it began inside the runtime. */
void rt_runtime_leave(void);

/**
 * rt_accessible() - memory that an access of the program's would not fault on
 * @addr: where it begins
 * @size: bytes wanted
 * @write: for writing, not for reading
 *
 * By the books alone, so that no host decides it: what is absent counts, if a
 * touch would bring it in. Return: bytes from @addr on, up to @size.
 */
uint64_t rt_accessible(uint64_t addr, uint64_t size, bool write);

/* [addr, addr + size) is of the main stack, the heap or the image's data. */
bool rt_program_memory(uint64_t addr, uint64_t size);

/**
 * rt_books_look() - the program's memory that is not the heap's
 * @addr, @end: any pages
 * @prot: rights (enum emm_prot) of the image or the main stack at @addr, or -1:
 *	there is nothing of the program's
 *
 * Return: how far that is so, at most @end.
 */
uint64_t rt_books_look(uint64_t addr, uint64_t end, int *prot);

/**
 * rt_copy_inside() - copy memory that may not be the program's to use
 * @dst: of the enclave, as @src; one of both is memory of the runtime's
 * @size: bytes, a multiple of 8; 0 does nothing
 *
 * Return: 0; -EDMM_EFAULT where the books forbid it: then some of @dst may be
 * written. A page that is right and that the host does not give is the end.
 */
EDMM_NODISCARD edmm_err rt_copy_inside(void *dst, const void *src, size_t size);

/**
 * rt_call_signals() - go back to the program by way of its signals
 * @c: the call that has been served
 * @value: its result
 * @again: it begins anew after them instead
 *
 * What the program would go on with becomes a state on the exception stack,
 * which rt_hooks.signals may change.
 */
_Noreturn void rt_call_signals(const struct rt_call *c, long value, bool again);

/* The program's stack pointer, in a call. */
uint64_t rt_call_sp(void);

/*
 * Whoever looks for signals says so before: what the host has told by then is
 * seen by this look, and does not ask for one more.
 */
void rt_signals_look(void);

/**
 * rt_resume_take() - prepare to continue at a state that was kept elsewhere
 *
 * Context: in a call, no stage 2 suspended.
 * Return: a state on the exception stack, of which @xsave, @xsave_size, @xfrm
 * and @fs_base are set and the rest is zero. The caller fills it and goes on
 * there with rt_resume(), by way of the program's signals and without bits of
 * flags and extended state that are not a program's.
 */
struct rt_regs *rt_resume_take(void);
_Noreturn void rt_resume(struct rt_regs *regs);

/**
 * rt_host_show() - ask the host to map a range with these rights (enum
 * emm_prot)
 *
 * It is no guarantee: what the EPCM has is another matter. May exit.
 */
EDMM_NODISCARD edmm_err rt_host_show(uint64_t addr, uint64_t size, int prot);

/* The program. */

/**
 * struct rt_args - argv and environ, copied, bounded and checked
 * @block: argc + envc strings end to end, each NUL-terminated, writable
 * @size: of @block
 */
struct rt_args {
	uint32_t argc;
	uint32_t envc;
	char *block;
	size_t size;
};

/**
 * rt_main() - the program; trusted/sys provides it
 *
 * Called once on the main stack, 16-byte aligned as the ABI has it, with the
 * memory manager up (rt_emm()), rights on the heap and FS base 0.
 *
 * Return: exit status.
 */
int rt_main(const struct rt_args *args);

/* The memory manager's instance; its type is of include/edmm/emm.h. */
struct emm;
struct emm *rt_emm(void);

#endif
