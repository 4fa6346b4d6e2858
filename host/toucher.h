/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread beside the program's: it adds pages that the enclave says it will
 * want, by touching them.
 */
#ifndef HOST_TOUCHER_H
#define HOST_TOUCHER_H

#include "host/host.h"

struct host_ahead;

/**
 * host_ahead_new() - shared words, and no thread yet
 * @thread: there may be one, if a second processor can run it
 *
 * Return: NULL where memory is out.
 */
struct host_ahead *host_ahead_new(const struct edmm_host *h, bool thread);
/* What enclave and host share. */
struct wire_ahead *host_ahead_shared(struct host_ahead *a);
/* The program grows: somebody should look for hints. NULL: nothing happens. */
void host_ahead_wake(struct host_ahead *a);
/*
 * The program has ended. @alone: nobody calls any more, so all of it is freed.
 * False: its thread stays in the enclave's memory. NULL: nothing happens.
 */
bool host_ahead_end(struct host_ahead *a, bool alone);

#endif
