/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as a file (chardev.c): its nodes by name, and what a character
 * device answers where the file behind the descriptor would answer otherwise.
 */
#ifndef TRAP_CALLS_CHARDEV_H
#define TRAP_CALLS_CHARDEV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "machine/trap/calls/handle.h"

/* Names that the machine looks at, with their end; the kernel's own limit. */
#define NAME_ROOM 4096u

/**
 * device_named() - is it the name of a device of ours?
 * @dir: descriptor of a folder, or AT_FDCWD
 * @name: a copy of the program's, shorter than NAME_ROOM
 * @follow: also where it is a name of an open descriptor, in /proc
 *
 * Return: which, or HANDLE_FREE.
 */
enum handle_kind device_named(int dir, const char *name, bool follow);
/* Its name, as /proc tells it. */
const char *device_name(enum handle_kind kind);

/* Opens it: a descriptor, or -errno. */
long device_open(enum handle_kind kind, int flags);

void device_stat(enum handle_kind kind, struct stat *st);
void device_statx(enum handle_kind kind, struct statx *stx);

/* -errno if it is a call on a descriptor of ours that a character device
 * without such an operation refuses; else 0. */
long device_refuses(long nr, const long a[6]);
/* What Linux does of any file by itself, whatever the driver. */
bool device_ioctl_is_common(unsigned long cmd);

#define DEVICE_FCNTL_OTHER (-0x10000l)
/* fcntl(2), if it is one that tells of the file; else DEVICE_FCNTL_OTHER. */
long device_fcntl(int fd, int cmd, unsigned long arg);

#endif
