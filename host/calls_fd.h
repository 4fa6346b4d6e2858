/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside host/: the program's descriptors. All return a value as the kernel
 * does: a number, or a negated errno.
 */
#ifndef HOST_CALLS_FD_H
#define HOST_CALLS_FD_H

#include "host/calls.h"

/* Ours for the program's @fd, or -EBADF. */
int host_fd_get(struct host_calls *c, int fd);

/*
 * Takes over @host_fd, a result of the kernel's (so maybe an error), as the
 * lowest free number from @min on. Without one, closes it: -EMFILE.
 */
long host_fd_add(struct host_calls *c, long host_fd, int min);
/* The same for both ends of a pipe, in place. */
long host_fd_add_pair(struct host_calls *c, int fds[2]);
long host_fd_close(struct host_calls *c, int fd);
/* dup3(): @host_fd is translated already, @to is the program's. */
long host_fd_dup_to(struct host_calls *c, int host_fd, int to, int flags);
/* F_DUPFD and F_DUPFD_CLOEXEC. */
long host_fd_dup_from(struct host_calls *c, int host_fd, int cmd, long min);

/* The same of descriptors that the enclave's runtime keeps for itself. */
int host_kept_get(struct host_calls *c, int kept);
long host_kept_add(struct host_calls *c, long host_fd);
long host_kept_close(struct host_calls *c, int kept);

#endif
