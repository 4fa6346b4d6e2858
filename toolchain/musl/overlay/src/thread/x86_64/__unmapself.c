/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A detached thread's end: its stack goes away under it, so the layer, which
 * has another, does both.
 */
#include "call_numbers.h"
#include "pthread_impl.h"
#include "syscall.h"

_Noreturn void __unmapself(void *base, size_t size)
{
	for (;;)
		__syscall(CALL_NR_THREAD_END, base, size);
}
