/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What trusted/rt's pure files need, for hosted tests: an "ELRANGE" somewhere
 * in this process, and fix-ups by a signal handler in the place of stage 1.
 */
#ifndef TESTS_RT_FAKE_RT_H
#define TESTS_RT_FAKE_RT_H

#include <setjmp.h>

#include "trusted/rt/thread.h"

/* Where rt_mute() goes. */
extern jmp_buf fake_muted;

extern uint64_t fake_base;
extern struct edmm_layout fake_layout;

/* Reserve @size bytes, aligned to it, as ELRANGE; PROT_NONE. */
void fake_elrange(uint64_t size);
/* From now on SIGSEGV at a fix-up's instruction continues at the fix-up. */
void fake_fixups(void);
/* A layout that passes every check. */
void fake_layout_good(struct edmm_layout *l);

#endif
