/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * __clone() hands the whole request to the layer, under a number of its own: a
 * thread starts on a context of its own, since an enclave thread cannot return
 * twice from one call.
 */
#include "call_numbers.h"
#include "edmm_stacks.h"
#include "pthread_impl.h"
#include "syscall.h"
#include <stdarg.h>
#include <stddef.h>

int edmm_clone(int (*func)(void *), void *stack, unsigned flags, void *arg,
	       int *parent_tid, void *tls, volatile int *child_tid,
	       volatile int *open)
{
	const long request[8] = { (long)func,	    (long)stack,
				  (long)flags,	    (long)arg,
				  (long)parent_tid, (long)tls,
				  (long)child_tid,  (long)open };

	return (int)__syscall(CALL_NR_THREAD, request);
}

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	int *parent_tid, *child_tid;
	void *tls;
	va_list ap;

	va_start(ap, arg);
	parent_tid = va_arg(ap, int *); /* where the parent sees the id */
	tls = va_arg(ap, void *);	/* thread pointer */
	child_tid = va_arg(ap, int *);	/* cleared at its end */
	va_end(ap);
	return edmm_clone(func, stack, (unsigned)flags, arg, parent_tid, tls,
			  child_tid, NULL);
}
