/* SPDX-License-Identifier: BSD-3-Clause */
/* futex(2), for which a C library has no function. */
#ifndef TESTS_SYS_THREADS_FUTEX_H
#define TESTS_SYS_THREADS_FUTEX_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As <linux/futex.h> has them, which musl has not. */
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_OP_SET = 0,
	FUTEX_OP_ADD = 1,
	FUTEX_OP_CMP_EQ = 0,
	FUTEX_OP_CMP_LE = 3,
};

/* Return: what it answers, or -errno. */
static inline long futex(uint32_t *at, int op, uint32_t val, const void *t,
			 uint32_t *at2, uint32_t val3)
{
	long r = syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, val, t, at2,
			 val3);

	return r < 0 ? -errno : r;
}

#endif
