/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors of the library's own, in the program's table: no call of the
 * program's closes one or takes its number, and none is told of it.
 */
#ifndef TRAP_BASE_OWN_H
#define TRAP_BASE_OWN_H

#include <stdbool.h>

/**
 * own_keep() - a descriptor is the library's from now on
 * @fd: where its number is kept: to move it, this is written. It goes out of
 *	the way of programs that count theirs.
 */
void own_keep(int *fd);
/* Closes it: *fd is -1 then. */
void own_close(int *fd);
bool own_is(int fd);
/* The lowest one in [first, last], or -1. */
int own_next(unsigned first, unsigned last);
/* The program wants the number: the descriptor gets another. -errno: none. */
long own_move(int fd);

#endif
