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

#include "machine/trap/base/options.h"

struct thread;

/* ---- the machine ------------------------------------------- */

struct machine {
	struct drv *d;
	bool used;    /* this process has opened the device */
	bool watched; /* traced, stepped or strict: each trap takes all steps */
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
	/* Of start/, for the rooms below it: in a child of fork, its parent's
	 * enclaves are lost; a thread's record is about to go. */
	void (*after_fork)(void);
	/* fork(), but that the child has enclaves of its own that are as
	 * these: 0 in it, else its pid or -errno. It does not signal its
	 * end. */
	long (*copy)(struct thread *t);
	void (*thread_gone)(struct thread *t);
};

extern struct machine machine;

struct dispatch {
	bool on;
	/* A launched program's file, as an absolute path; NULL if there is
	 * none: then /proc/self/exe is right. */
	const char *exe;
	/* libc's own thread pointer: handlers of threads whose FS base is not
	 * libc's run with this one (thread.handler_fs). */
	uint64_t fs;
};

/* Whether the program's own system calls are dispatched (calls/dispatch.h). */
extern struct dispatch dispatch;

/* ---- forks (fork.c) ---------------------------------------------------- */

void fork_init(void);
/* Is this still the process that called fork_init(), or fork_seen()? */
bool fork_same_process(void);
/* In a new child: from now on it is the one asked for. */
void fork_seen(void);
/* Has the process forked since the last look? Then machine.after_fork(). */
void fork_check(void);

#endif
