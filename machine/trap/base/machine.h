/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine of this process: what the preload library's parts share.
 */
#ifndef TRAP_BASE_MACHINE_H
#define TRAP_BASE_MACHINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "machine/linux/drv.h"

#include "machine/trap/base/facility.h"
#include "machine/trap/signal/thread.h"

/* ---- configuration (config.c) ------------------------------------------ */

/* Whether system calls of the program's own are dispatched. */
enum machine_raw {
	MACHINE_RAW_AUTO, /* if its code has any */
	MACHINE_RAW_NEVER,
	MACHINE_RAW_ALWAYS
};

enum machine_stats {
	MACHINE_STATS_NONE,
	MACHINE_STATS_TEXT,
	MACHINE_STATS_JSON
};

#define MACHINE_PATH 4096

struct machine_options {
	uint64_t epc;	/* bytes */
	uint64_t quota; /* bytes; UINT64_MAX: none */
	uint32_t features;
	uint64_t seed;
	struct drv_inject inject;
	enum facility_want want[FACILITIES];
	bool vdso_fast;
	bool production; /* take enclaves signed for it */
	bool strict;
	enum machine_stats stats;
	/* Files, "" for none; the machine keeps no copy. */
	const char *stats_file;
	const char *cost_table;
	const char *trace;
	const char *step;
	const char *step_image;
	bool quiet;
	enum machine_raw raw;
};

void config_parse(const char *text, struct machine_options *o);

/* ---- the machine (machine.c) ------------------------------------------- */

struct machine {
	struct drv *d;
	bool used; /* this process has opened the device */
	struct mach *m;
	struct machine_options opt;
	bool has[FACILITIES]; /* there, and not switched off */
	/* The fake vDSO: where its ENCLU is, and where faults of it go. */
	uint64_t vdso;
	uint64_t vdso_aep;
	uint64_t vdso_fixup;
	/* The auxiliary vector as the program is to see it. */
	const void *auxv;
	size_t auxv_size;
};

extern struct machine machine;

void machine_init(const struct machine_options *o);
/* In a child of fork: its parent's enclaves are lost here. */
void machine_after_fork(void);
/* Has the process forked since the last look? If so, machine_after_fork(). */
void machine_check_fork(void);
bool machine_same_process(void);

/* A thread's record is about to go. */
void machine_thread_gone(struct thread *t);
void stats_retire(struct thread *t);

/* ---- the view (view.c) ------------------------------------------------- */

void view_init(void);
/* Makes the real mapping of [addr, addr + size) for the program: 0, -errno. */
long view_map(int fd, uint64_t addr, uint64_t size, unsigned prot);
/* After a change of a mapping's rights. */
long view_protect(uint64_t start, uint64_t end, unsigned prot);
/* In strict mode without keys: all mappings are closed, or as they should be.
 * A mapping that is made or changed while closed stays so. */
void view_close(bool closed);
void view_set(void *ctx, struct drv_encl *e, uint64_t addr, unsigned from,
	      unsigned to);

/* ---- enclave files (handle.c) ------------------------------------------ */

enum handle_kind {
	HANDLE_FREE,
	HANDLE_ENCLAVE,
	HANDLE_PROVISION
};

struct handle {
	enum handle_kind kind;
	uint64_t dev;
	uint64_t ino;
	bool writable;
	struct drv_encl *e;
	int fd; /* during an ioctl: the caller's descriptor */
};

/* Opens a device of ours: a descriptor, -errno, or -ENOSYS if not ours. */
long handle_open(const char *path, int flags);
struct handle *handle_of(int fd);
/* A descriptor was closed, or a mapping went: ends files nobody holds. */
void handle_sweep(void);
uint8_t *handle_create(void *ctx, struct drv_encl *e, uint64_t base,
		       uint64_t size);
/* Where ELRANGE starts; false before CREATE. */
bool handle_base(const struct drv_encl *e, uint64_t *base);
void handle_destroy(void *ctx, struct drv_encl *e);
void handle_discard(void *ctx, struct drv_encl *e, uint64_t addr,
		    uint64_t size);
bool handle_is_provision(void *ctx, int fd);
void handle_after_fork(void);
bool device_path(const char *path);

/* trace.c */
void trace_sink(void *ctx, const struct trace_event *ev);
void trace_end(void);
void trace_after_fork(void);

/* report.c: reads the cost table; and the end of the process, once. */
void report_init(void);
void report_end(void);
void stats_after_fork(void);

/* lose.c: an enclave was initialised; starts the clock of lose@TIME. */
void lose_later(void);

/* ---- others ------------------------------------------------------------ */

/* vdso.c: maps the fake vDSO and finds the real one's functions. */
void vdso_init(uint64_t real);
/* start of the machine: what this processor and kernel have. */
void facility_init(const struct machine_options *o, uint64_t hwcap2);
/* cpuid.c */
void cpuid_arm(struct thread *t);
/* patch.c: makes CPUID in the program's code a trap, where that is the way. */
void cpuid_patch(void);
bool cpuid_patched(uint64_t rip);
void cpuid_emulate(struct thread *t, ucontext_t *uc);
/* sites.c: the page at @addr gains or loses X in the view; an enclave ends; a
 * child of fork. The driver's lock is held. */
void sites_view(struct drv_encl *e, uint64_t addr, bool shown);
void sites_end(const struct drv_encl *e);
void sites_after_fork(void);
/* EDMM_IOC_CPUID_SITES: 0 or -errno. The driver's lock is not held. */
long sites_list(struct drv_encl *e, uint64_t arg);
/* guard.c: without dispatch, SYSCALL in [base, base + size) shall trap: 0, or
 * -ENODEV after a line. */
long guard_range(uint64_t base, uint64_t size);
bool guard_possible(void);
/* SIGSYS: was it about such a call, but outside? Then that is done now. */
bool guard_outside(const siginfo_t *info, ucontext_t *uc);

#endif
