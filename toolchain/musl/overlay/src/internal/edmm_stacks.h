/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks of threads (src/thread/edmm_stacks.c), and how they start (clone.c). */
#ifndef EDMM_STACKS_H
#define EDMM_STACKS_H

#include <features.h>
#include <stddef.h>

hidden void *edmm_stack_map(size_t size, size_t guard, size_t top, int prot);
hidden int edmm_stack_unmap(void *base, size_t size, size_t guard);
/* As __clone(); the lock @open is opened when the thread can be named. */
hidden int edmm_clone(int (*func)(void *), void *stack, unsigned flags,
		      void *arg, int *parent_tid, void *tls,
		      volatile int *child_tid, volatile int *open);

#endif
