/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The untrusted side of a run: open the SGX device, load an image into it,
 * start the program, serve it, and tell how it ended. Speaks only Linux's
 * interface: the device, its ioctls, mmap and the vDSO function.
 *
 * Every function that can fail takes a struct edmm_host_error and writes one
 * line of text into it, without a newline: what, where, what would be right.
 *
 * One struct edmm_host is one enclave. Only edmm_host_stats() may be called
 * from another thread while edmm_host_run() runs.
 */
#ifndef EDMM_HOST_H
#define EDMM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/err.h"
#include "edmm/layout.h"
#include "edmm/pages.h"
#include "edmm/wire.h"
#include "sgx/arch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct edmm_host;

struct edmm_host_error {
	char text[256];
};

/**
 * struct edmm_host_image - what to load; all of it stays the caller's
 * @name: for messages
 * @layout: as it stands in the image's .edmm.layout
 * @runs: pages in the order of measuring; sources may go after the load
 * @run_count: elements of @runs
 * @sigstruct: for EINIT; SECS.ATTRIBUTES, XFRM and MISCSELECT come from it,
 *	and from the machine where its masks leave them open
 * @symbol: names the symbol at an offset from the base, for reports, as
 *	edmm_image_symbol() does; NULL for none
 * @symbol_arg: its first argument
 * @cpuid: offsets of CPUID instructions, for a software machine on a processor
 *	where they do not fault (EDMM_IOC_CPUID_SITES)
 * @cpuid_count: elements of @cpuid
 */
struct edmm_host_image {
	const char *name;
	const struct edmm_layout *layout;
	const struct edmm_page_run *runs;
	size_t run_count;
	const struct sgx_sigstruct *sigstruct;
	const char *(*symbol)(const void *arg, uint64_t off, uint64_t *delta);
	const void *symbol_arg;
	const uint64_t *cpuid;
	size_t cpuid_count;
};

/**
 * struct edmm_host_watch - who looks on while the program runs
 * @call: asked before each call of the program's C library, so before any
 *	effect that the program can have; false ends the run there
 *	(EDMM_HOST_STOPPED). NULL: never asked
 * @output: told what the program has written to its descriptor 1 or 2, after
 *	the fact; a line may come in pieces. NULL: not told
 * @told: told system calls, as strace would print them: with @tell of
 *	edmm_host_start each that leaves the enclave, and of an image signed for
 *	debugging each other one; else, with @why, what cannot be had, once:
 *	-EDMM_ENOSYS of a call that is not there, -EDMM_EAGAIN of a thread
 *	without a context. NULL: not told
 * @pressed: asked every 50 ms whether the machine has run short of EPC: true
 *	makes the enclave give back what it keeps idle, also while the program
 *	sleeps. NULL: it keeps it
 * @arg: first argument of all
 *
 * Context: the thread that made the call; several at once. @pressed: one of its
 * own.
 */
struct edmm_host_watch {
	bool (*call)(void *arg);
	void (*output)(void *arg, int fd, const void *bytes, size_t size);
	void (*told)(void *arg, const char *call, int why);
	bool (*pressed)(void *arg);
	void *arg;
};

/**
 * struct edmm_host_start - parameters of one run
 * @argv: NULL-terminated; becomes the program's
 * @envp: NULL-terminated; becomes the program's
 * @heap_max: bytes; 0 takes the layout's bound
 * @heap_free_max: bytes of lazily freed memory to keep; UINT64_MAX: built in
 * @heap_free_percent: the same as a share of what is mapped, 0 to 100;
 *	UINT64_MAX: none
 * @heap_window: largest window of commit-ahead in bytes; 0: built in
 * @threads_max: threads at a time; 0: as many as the layout has contexts for
 * @threads_pool: contexts without a thread to keep, of those that the enclave
 *	has made; UINT32_MAX: built in
 * @threads_idle: ticks of the TSC that they are kept for, or up to twice as
 *	long; 0: for ever
 * @populate: touch pages ahead when the enclave calls for it
 * @ahead: and by a thread that looks for hints, where a second processor can
 *	run it and windows are large; with @populate only
 * @tell: tell the watch each system call
 * @buf_size: data buffer of a thread in bytes; 0 takes 1 MiB
 * @watch: NULL for none
 */
struct edmm_host_start {
	char *const *argv;
	char *const *envp;
	uint64_t heap_max;
	uint64_t heap_free_max;
	uint64_t heap_free_percent;
	uint64_t heap_window;
	uint32_t threads_max;
	uint32_t threads_pool;
	uint64_t threads_idle;
	bool populate;
	bool ahead;
	bool tell;
	uint64_t buf_size;
	const struct edmm_host_watch *watch;
};

enum edmm_host_end_kind {
	EDMM_HOST_EXITED = 1,	 /* value: exit status */
	EDMM_HOST_SIGNALLED = 2, /* value: signal that the program died of */
	EDMM_HOST_CRASHED = 3,	 /* value: signal; report has the reason */
	EDMM_HOST_STOPPED = 4,	 /* the watch has ended it */
};

struct edmm_host_end {
	enum edmm_host_end_kind kind;
	int value;
	struct wire_crash crash; /* of EDMM_HOST_CRASHED */
};

/* What the host side has counted; the machine's own counters are better. */
struct edmm_host_counts {
	uint64_t enters;     /* EENTER */
	uint64_t resumes;    /* ERESUME that this code asked for */
	uint64_t calls;	     /* host calls served */
	uint64_t exceptions; /* reported by the vDSO */
	uint64_t ioctls;
	uint64_t pages_added;	 /* by EADD */
	uint64_t pages_measured; /* of these, with content */
	uint64_t load_ns;	 /* open to EINIT, and mapping */
	uint64_t start_tsc;	 /* when edmm_host_open() was called */
};

/**
 * edmm_host_device() - open the SGX device
 * @device: path, or NULL for /dev/sgx_enclave
 *
 * The first open of all may have to wait for the processor (Linux 6.18:
 * EUPDATESVN, EAGAIN while there is no entropy), and is repeated for 100 ms.
 *
 * Return: a descriptor, closed by exec; or what open(2) gives, negative, with
 * a line.
 */
EDMM_NODISCARD int edmm_host_device(const char *device,
				    struct edmm_host_error *e);

/**
 * edmm_host_open() - open the device and find the vDSO function
 * @device: path, or NULL for /dev/sgx_enclave
 *
 * Return: 0; -EDMM_ENOENT, -EDMM_EACCES, -EDMM_ENODEV and what open(2) gives;
 * -EDMM_ENOSYS when the vDSO has no entry function. Nothing stays open.
 */
EDMM_NODISCARD edmm_err edmm_host_open(struct edmm_host **h, const char *device,
				       struct edmm_host_error *e);

/**
 * edmm_host_load() - reserve ELRANGE, ECREATE, EADD, EINIT, map
 *
 * Return: 0; -EDMM_EINVAL for an image that contradicts itself; -EDMM_ENOMEM;
 * -EDMM_EPERM when EINIT refuses signature or measurement; -EDMM_EACCES for
 * attributes that need more rights; -EDMM_EIO for other faults of a leaf.
 * After an error only edmm_host_close() is allowed.
 */
EDMM_NODISCARD edmm_err edmm_host_load(struct edmm_host *h,
				       const struct edmm_host_image *img,
				       struct edmm_host_error *e);

/**
 * edmm_host_run() - start the program and serve it until it ends
 *
 * Return: 0 with @end filled in, whatever the program did; negative when it
 * could not be started.
 */
EDMM_NODISCARD edmm_err edmm_host_run(struct edmm_host *h,
				      const struct edmm_host_start *s,
				      struct edmm_host_end *end,
				      struct edmm_host_error *e);

/* The enclave's statistics now: claims of its own, any thread, any time. */
void edmm_host_stats(const struct edmm_host *h, struct wire_stats *out);
void edmm_host_counts(const struct edmm_host *h, struct edmm_host_counts *out);
/* The enclave's base address, 0 before the load. */
uint64_t edmm_host_base(const struct edmm_host *h);

/**
 * edmm_host_report() - print a crash on a file descriptor
 *
 * Several lines: what, address, area, instruction with symbol, the setting
 * that would matter.
 */
void edmm_host_report(const struct edmm_host *h,
		      const struct edmm_host_end *end, int fd);

/* Unmap, close, free. NULL is allowed. Threads of the program may still be
 * inside, or in a call, when another has ended it: then all of it stays until
 * the process ends, which the caller should soon. */
void edmm_host_close(struct edmm_host *h);

/**
 * edmm_host_leave() - end this process as the program ended
 *
 * exit(value), or the signal itself, raised with its default action and
 * without a core file. Does not return.
 */
__attribute__((noreturn)) void edmm_host_leave(const struct edmm_host_end *end);

#ifdef __cplusplus
}
#endif

#endif
