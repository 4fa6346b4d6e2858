/* SPDX-License-Identifier: BSD-3-Clause */
/* A mutex that others wait for: src/thread/pthread_mutex_timedlock.c. */
#ifndef EDMM_MUTEX_H
#define EDMM_MUTEX_H

#include "pthread_impl.h"

/* Of a pthread_mutex_t, where musl has nothing. Hints: lost counts only cost. */
#define _m_vain __u.__vi[3]
#define _m_turn __u.__vi[4]

/*
 * edmm_mutex_relock() - lock as one who may have been waked for this mutex
 *
 * A waiter of a condition variable is moved to the mutex's queue and waked from
 * there, so that it is the one who has to think of the others.
 *
 * Return: as pthread_mutex_lock().
 */
hidden int edmm_mutex_relock(pthread_mutex_t *m);

#endif
