/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A runtime for the system-call layer outside of an enclave: host calls go to
 * the real call server over a data buffer of a chosen size, and a test may
 * change what comes back, as a hostile host would.
 */
#ifndef TESTS_SYS_FAKE_H
#define TESTS_SYS_FAKE_H

#include <asm/unistd.h>
#include <stdint.h>

#include "common/calls.h"
#include "host/calls.h"
#include "trusted/sys/sys.h"

/* Addresses that are not the enclave's. */
#define FAKE_OUTSIDE_SIZE 4096u
extern uint8_t fake_outside[FAKE_OUTSIDE_SIZE];

/* What is shared with the host of signals. */
extern struct wire_signals fake_signals;

/* Called after a host call; may change status, count and the buffer. */
typedef void (*fake_lie)(struct wire_call *call, uint8_t *buf);

/* Called before it: what has left the enclave. */
typedef void (*fake_look)(const struct wire_call *call, const uint8_t *buf,
			  uint64_t size);

/* Begins anew: empty table of descriptors, a buffer of @size bytes. */
void fake_start(uint64_t buf_size, fake_lie lie);

/* The host's side of the program: its descriptors. */
struct host_calls *fake_calls(void);

/* Of task.h, which cannot stand beside the host's headers. */
void sys_thread_begin(void);

/* Who looks at what leaves, from now on. */
void fake_watch(fake_look look);

/* Bytes that were read more than once after one call: each had changed. */
unsigned int fake_read_twice(void);

/* How many host calls there were since fake_start(). */
unsigned int fake_host_calls(void);

/* Runs @fn, and returns how it ended the program: -1 if it did not. */
int fake_ended(void (*fn)(void), int *is_signal);

/* What the time stamp counter says; 0: as the processor's. */
extern uint64_t fake_tsc;
/* Corrections of the clock that were refused, as the host is told. */
extern uint64_t fake_clock_refused;
/* And signals, as a set. */
extern uint64_t fake_signals_refused;

#define SYS(nr, ...) \
	fake_syscall(__NR_##nr, (const uint64_t[WIRE_CALL_ARGS]){ __VA_ARGS__ })
#define PTR(p) ((uint64_t)(uintptr_t)(p))

long fake_syscall(long nr, const uint64_t *a);

#endif
