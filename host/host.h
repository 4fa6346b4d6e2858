/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside host/: what the loader, the run loop and the call server share.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "edmm/host.h"

struct host_calls;

/**
 * struct host_thread - one host thread that serves one TCS
 * @host: the enclave
 * @context: index of the TCS
 * @tcs: its address
 * @wire: shared with the enclave
 * @buf: data buffer, @buf_size bytes
 * @calls: the program's descriptors (host/calls.h), one table for all threads
 */
struct host_thread {
	struct edmm_host *host;
	uint32_t context;
	uint64_t tcs;
	struct wire_thread *wire;
	uint8_t *buf;
	uint64_t buf_size;
	struct host_calls *calls;
};

/**
 * host_call_dispatch() - serve a call of the C library (nr >= WIRE_CALL_LIBC)
 * @t: the calling thread
 * @c: a private copy of the slot; status and count are copied back
 *
 * host/calls.c has it. An unknown number gets -EDMM_ENOSYS.
 */
void host_call_dispatch(struct host_thread *t, struct wire_call *c);

/* [off, off + size) of the data buffer, or NULL when it is not inside. */
void *host_buf(const struct host_thread *t, uint64_t off, uint64_t size);

#endif
