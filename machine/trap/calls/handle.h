/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's open files (handle.c). */
#ifndef TRAP_CALLS_HANDLE_H
#define TRAP_CALLS_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

struct drv_encl;

enum handle_kind {
	HANDLE_FREE,
	HANDLE_ENCLAVE,
	HANDLE_PROVISION
};

struct handle {
	enum handle_kind kind;
	uint64_t dev;
	uint64_t ino;
	int flags; /* as opened: how, and whether it is only a path */
	struct drv_encl *e;
	int fd; /* during an ioctl: the caller's descriptor */
};

/* Opens a device of ours: a descriptor, or -errno. */
long handle_open(enum handle_kind kind, int flags);
struct handle *handle_of(int fd);
bool handle_writable(const struct handle *h);
/* The one whose file has this identity. */
struct handle *handle_find(uint64_t dev, uint64_t ino);
/* Is there any? */
bool handle_any(void);
/* Not, for sure, if false: a look without the kernel, for calls that many
 * descriptors see and ours rarely do. One that came by a socket is not known.
 */
bool handle_maybe(int fd);
/* @fd may be a copy of one of ours; it is returned. */
long handle_dup(long fd);
/* A descriptor was closed, or a mapping went: ends files nobody holds. */
void handle_sweep(void);
uint8_t *handle_create(void *ctx, struct drv_encl *e, uint64_t base,
		       uint64_t size);
void handle_destroy(void *ctx, struct drv_encl *e);
void handle_discard(void *ctx, struct drv_encl *e, uint64_t addr,
		    uint64_t size);
bool handle_is_provision(void *ctx, int fd);
/* Of the mappings through which the model works: none is locked; is @at in
 * one? */
void handle_memory_unlock(void);
bool handle_memory_at(uint64_t at);
void handle_after_fork(void);

/* A copy of the process, with enclaves of its own: their files and memory are
 * made before the fork (false: there is no room), taken in the copy, where the
 * driver's state is as it was, and dropped in both. The lock is held. */
bool handle_copy(void);
void handle_copied(void);
void handle_copy_end(void);

#endif
