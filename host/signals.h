/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals that come to this process for the program. What is done about one is
 * as the program has it: dropped, kept until the enclave asks, or the end.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "edmm/wire.h"

/**
 * host_signals_begin() - handlers for all that may come, until the end
 * @shared: shared with the enclave; its start_ fields are set here
 * @end: jumped to, with the number, by one that ends the program
 *
 * Context: the thread that runs the program; one program a process. What was
 * there before host_signals_begin() is there after host_signals_end().
 */
void host_signals_begin(struct wire_signals *shared, sigjmp_buf *end);
void host_signals_end(void);

/*
 * The program has made a timer, by the kernel's number, or has none of that
 * number any more; it has set an interval timer. None outlives its run.
 */
void host_signals_timer(int id, bool there);
void host_signals_itimer(int which);

/*
 * Around a system call that may block: one that comes between is sure to
 * interrupt it. Nothing where host_signals_begin() was not called.
 */
void host_signals_call(bool in);

/* Of the calling thread, for host_signals_kick(); until it ends. */
struct host_signals_self;
struct host_signals_self *host_signals_self(void);
void host_signals_self_end(void);
pid_t host_signals_tid(const struct host_signals_self *of);
/*
 * A call that the thread is in, or begins next, ends with EINTR; where it
 * computes in the enclave, it is interrupted there.
 */
void host_signals_kick(struct host_signals_self *self);

enum host_noticed {
	HOST_NOT_NOTICED, /* the enclave is not to be entered now */
	HOST_NOTICED,	  /* it will look, but a call may come before */
	HOST_INTERRUPTED, /* it looks when it is resumed */
};

/**
 * struct host_signals_entry - how to interrupt the enclave of a thread
 * @call: enter it on @tcs with WIRE_ENTER_INTERRUPT, above what is suspended.
 *	Called by a signal's handler
 * @code: the vDSO's function, in which ENCLU is
 */
struct host_signals_entry {
	enum host_noticed (*call)(void *arg);
	void *arg;
	uint64_t tcs;
	uint64_t code;
};
/* The calling thread enters by host_enter() from here on; NULL: no more. */
void host_signals_entry(const struct host_signals_entry *entry);
/*
 * pthread_create() of a thread that takes no signal of the program's: those
 * come to its first one.
 */
int host_signals_thread(pthread_t *id, const pthread_attr_t *attr,
			void *(*f)(void *), void *arg);
/* Jump to where host_signals_begin() said, from any thread, with -1. */
void host_signals_end_run(void);

/* Serve WIRE_CALL_SIGNAL_*: 0 or a negated errno; *count as told there. */
int host_signals_take(struct wire_signal *to, uint64_t *count);
int host_signals_wait(uint64_t nanoseconds);
int host_signals_hand(uint64_t signo);

#endif
