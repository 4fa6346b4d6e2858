/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * __clone() hands the whole request to the layer, under a number of its own: a
 * thread starts on a context of its own, since an enclave thread cannot return
 * twice from one call.
 */
#include "call_numbers.h"
#include "pthread_impl.h"
#include "syscall.h"
#include <stdarg.h>

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	long request[7] = { (long)func, (long)stack, flags, (long)arg };
	va_list ap;

	va_start(ap, arg);
	request[4] = (long)va_arg(ap, int *); /* where the parent sees the id */
	request[5] = (long)va_arg(ap, void *); /* thread pointer */
	request[6] = (long)va_arg(ap, int *);  /* cleared at its end */
	va_end(ap);
	return (int)__syscall(CALL_NR_THREAD, request);
}
