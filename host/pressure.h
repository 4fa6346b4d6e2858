/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that hears when the machine is short of EPC, tells the enclave, and
 * sees to it that one of the program's threads comes by there: one that sleeps
 * in a call gives nothing back.
 */
#ifndef HOST_PRESSURE_H
#define HOST_PRESSURE_H

#include "host/host.h"

struct host_pressure;

/**
 * host_pressure_begin() - the thread, where somebody can tell it
 * @shared: told the enclave by it
 *
 * Return: NULL without edmm_host_watch.pressed, or where there is no thread.
 */
struct host_pressure *host_pressure_begin(const struct edmm_host *h,
					  struct host_threads *threads,
					  struct wire_ahead *shared);
/* The program has ended; NULL does nothing. */
void host_pressure_end(struct host_pressure *p);

#endif
