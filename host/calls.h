/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls for the program, served: common/calls.h names them. Descriptors
 * of the program are numbers of a table of its own, so that it can neither
 * close nor read what the loader and the machine have open, and gets the
 * numbers that a native run would.
 *
 * Locks: the table has a mutex, held over no system call that can block.
 */
#ifndef HOST_CALLS_H
#define HOST_CALLS_H

#include <pthread.h>
#include <stdint.h>

#include "common/calls.h"

/**
 * struct host_calls - the calls of one program
 * @lock: over @fds
 * @fds: program's number -> ours, or -1
 * @kept: the same of what the enclave's runtime keeps for itself
 * @make: makes Linux's call of a number; a seam for tests
 */
struct host_calls {
	pthread_mutex_t lock;
	int fds[CALL_FD_MAX];
	int kept[CALL_KEPT_MAX];
	long (*make)(long nr, const long *args);
};

/* Linux itself: the result, or a negated errno. */
long host_calls_linux(long nr, const long *args);

/**
 * host_calls_init() - an empty table with 0, 1 and 2 as they are
 * host_calls_close() - close every other descriptor of the program
 */
void host_calls_init(struct host_calls *c);
void host_calls_close(struct host_calls *c);

/**
 * host_calls_serve() - make one call of a program
 * @c: the program's table.
 * @call: nr from WIRE_CALL_SYS on and args are read; status and count are
 *	written: status 0 and the result, or a negated errno.
 * @buf: the thread's data buffer, which offsets in @call->args refer to.
 * @buf_size: its size in bytes.
 *
 * A number that has no row for the host gives -ENOSYS, a range that leaves the
 * buffer -EFAULT.
 *
 * Context: may block as the call does; several threads may be in it.
 */
void host_calls_serve(struct host_calls *c, struct wire_call *call,
		      uint8_t *buf, uint64_t buf_size);

#endif
