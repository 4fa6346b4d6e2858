/* SPDX-License-Identifier: BSD-3-Clause */
/* The start of the library: options, machine, forks. */
#ifndef TRAP_START_START_H
#define TRAP_START_START_H

#include <stdint.h>

struct machine_options;
struct thread;

/* init.c: what this processor and kernel have, as the options want it. */
void facility_init(const struct machine_options *o, uint64_t hwcap2);

/* machine.c */
void machine_init(const struct machine_options *o);

#endif
