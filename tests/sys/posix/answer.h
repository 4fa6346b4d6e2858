/* SPDX-License-Identifier: BSD-3-Clause */
/* What main.c has of case.c, and the tables. */
#ifndef TESTS_SYS_POSIX_ANSWER_H
#define TESTS_SYS_POSIX_ANSWER_H

#include "tests/sys/posix/case.h"

/* What has been said since the last time. */
const char *answer_take(void);

extern const struct posix_case posix_attrs[], posix_c11[], posix_cancel[],
	posix_cancel_conds[], posix_conds[], posix_ends[], posix_handlers[],
	posix_interrupts[], posix_keys[], posix_life[], posix_masks[],
	posix_meet[], posix_mutexes[], posix_points[], posix_robust[],
	posix_rwlocks[], posix_semaphores[], posix_sigwaits[], posix_streams[],
	posix_timers[];

#endif
