/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program makes threads with. It is one object with malloc, in an
 * archive, so that a program which names none of these has neither: musl's
 * malloc is the smaller one where nobody shares it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <threads.h>

/* musl's own; its names for others are weak, or in a file of their own. */
__attribute__((visibility("hidden"))) int __pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *), void *arg);

/* As its thrd_create() says that @f gives an int. */
#define ATTR_C11 ((const pthread_attr_t *)(uintptr_t)-1)

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*f)(void *),
		   void *arg)
{
	return __pthread_create(t, attr, f, arg);
}

int thrd_create(thrd_t *t, thrd_start_t f, void *arg)
{
	/* Through a number: a function of another type is not called here. */
	void *(*start)(void *) = (void *(*)(void *))(uintptr_t)f;

	switch (__pthread_create(t, ATTR_C11, start, arg)) {
	case 0:
		return thrd_success;
	case EAGAIN:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}
