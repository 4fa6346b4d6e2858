/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * __clone() hands the whole request to the layer, under a number of its own
 * (trusted/sys/sys.h): a thread starts on a context of its own, since an
 * enclave thread cannot return twice from one call.
 */
#include "pthread_impl.h"
#include "syscall.h"
#include <stdarg.h>

#define EDMM_THREAD 0x1003

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	long request[7] = { (long)func, (long)stack, flags, (long)arg };
	va_list ap;

	va_start(ap, arg);
	request[4] = (long)va_arg(ap, int *); /* where the parent sees the id */
	request[5] = (long)va_arg(ap, void *); /* thread pointer */
	request[6] = (long)va_arg(ap, int *);  /* cleared at its end */
	va_end(ap);
	return (int)__syscall(EDMM_THREAD, request);
}
