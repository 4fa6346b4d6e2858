/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads of a program: each has a context of the enclave and a thread of
 * this process, which is kept for a while for the next one. What they sleep on
 * is one word each, outside of the enclave: it knows for itself what it waits
 * for, and takes a wake-up for a hint.
 */
#ifndef HOST_THREADS_H
#define HOST_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "edmm/err.h"

/**
 * struct host_threads_ops - what the threads of contexts do
 * @run: enter the enclave on a context until its thread has ended there; *kept
 *	is the thread's own, from one run to the next, NULL at first
 * @drop: the thread ends, and has no use for @kept any more, if not NULL
 */
struct host_threads_ops {
	void (*run)(void *arg, uint32_t context, void **kept);
	void (*drop)(void *arg, void *kept);
};

/**
 * host_threads_new() - no threads yet but the caller's own
 * @count: contexts that there can be
 * @own: the caller's
 * @ops: of each other thread; @arg is for them
 *
 * Return: NULL when memory is out.
 */
struct host_threads *host_threads_new(uint32_t count, uint32_t own,
				      const struct host_threads_ops *ops,
				      void *arg);
/* Threads beside the first one are in the enclave, or may be. */
bool host_threads_run(struct host_threads *ts);
/* False, and nothing is freed: others are in the enclave, or kept. */
bool host_threads_free(struct host_threads *ts);

/*
 * Serve the calls of wire.h, for the context @from of the calling thread: 0 or
 * a negated errno.
 */
int host_threads_start(struct host_threads *ts, uint64_t context);
int host_threads_park(struct host_threads *ts, uint32_t from,
		      uint64_t nanoseconds);
int host_threads_unpark(struct host_threads *ts, uint64_t context);
int host_threads_kick(struct host_threads *ts, uint64_t context);
void host_threads_kick_all(struct host_threads *ts);

/*
 * The kernel's number of a context's thread, or 0. @bind: it is bound to
 * processors, which its next use is not to keep.
 */
pid_t host_threads_tid(struct host_threads *ts, uint64_t context, bool bind);

/*
 * The enclave is done with a context's thread, and takes its TCS away: wait
 * until that thread has left, which is a few instructions on its way out. No
 * thread may be told to begin on it meanwhile.
 */
void host_threads_wait_left(struct host_threads *ts, uint64_t context);

/*
 * The caller's own thread has ended in the enclave, and its context is free:
 * wait for the program's end, which is a jump (host/signals.h).
 */
_Noreturn void host_threads_leave(struct host_threads *ts, uint32_t context);

#endif
