/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that do random operations on one small range: on the model, and in
 * an enclave.
 */
#ifndef TESTS_EMM_STORM_H
#define TESTS_EMM_STORM_H

#include "tests/emm/world.h"

/* ops: of each thread. */
void storm_open(struct world *w, uint32_t ops);
/* Thread number no, from 0. */
void storm_thread(struct world *w, uint32_t no);
/* When all have ended: NULL, or what is wrong. */
const char *storm_close(struct world *w);

#endif
