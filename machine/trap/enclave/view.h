/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the process sees of an enclave's pages (view.c), and the instructions
 * that are others there (sites.c). Locks: the driver's is held but where it is
 * said.
 */
#ifndef TRAP_ENCLAVE_VIEW_H
#define TRAP_ENCLAVE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

struct drv_encl;

void view_init(void);
/* Makes the real mapping of [addr, addr + size) for the program: 0, -errno. */
long view_map(int fd, uint64_t addr, uint64_t size, unsigned prot);
/* In a copy of the process: a mapping anew, of its own file, as it was. */
struct drv_vma;
void view_copied(int fd, const struct drv_vma *v);
/* After a change of a mapping's rights. */
long view_protect(uint64_t start, uint64_t end, unsigned prot);
/* In strict mode without keys: all mappings are closed, or as they should be.
 * A mapping that is made or changed while closed stays so. */
void view_close(bool closed);
struct drv_view;
void view_set(void *ctx, struct drv_encl *e, const struct drv_view *v);

/* sites.c: the page at @addr gains or loses X in the view; an enclave ends; a
 * child of fork. */
void sites_view(struct drv_encl *e, uint64_t addr, bool shown);
void sites_end(const struct drv_encl *e);
void sites_after_fork(void);
/* EDMM_IOC_CPUID_SITES: 0 or -errno. The lock is not held. */
long sites_list(struct drv_encl *e, uint64_t arg);

#endif
