/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * __clone() hands the whole request to the layer, which starts a thread on a
 * context of its own: an enclave thread cannot return twice from one call.
 */
#include <stdarg.h>
#include "pthread_impl.h"

__attribute__((__visibility__("hidden"))) long
edmm_clone(int (*func)(void *), void *stack, long flags, void *arg, int *ptid,
	   void *tls, int *ctid);

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	va_list ap;
	int *ptid, *ctid;
	void *tls;

	va_start(ap, arg);
	ptid = va_arg(ap, int *);
	tls = va_arg(ap, void *);
	ctid = va_arg(ap, int *);
	va_end(ap);
	return (int)edmm_clone(func, stack, flags, arg, ptid, tls, ctid);
}
