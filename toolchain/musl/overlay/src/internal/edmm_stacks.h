/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks of threads: src/thread/edmm_stacks.c. */
#ifndef EDMM_STACKS_H
#define EDMM_STACKS_H

#include <features.h>
#include <stddef.h>

hidden void *edmm_stack_map(size_t size, size_t guard, size_t top, int prot);
hidden int edmm_stack_unmap(void *base, size_t size, size_t guard);

#endif
