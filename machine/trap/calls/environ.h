/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The environment as the program is to see it: without the machine's own
 * variables, which each program that it starts gets again (exec.h).
 */
#ifndef TRAP_CALLS_ENVIRON_H
#define TRAP_CALLS_ENVIRON_H

#include <stdbool.h>

/* Takes them out of the kernel's block, behind which the auxiliary vector
 * stays where it is. Once, when the program starts; exec_init() was before. */
void environ_hide(char **envp);
/* Is it an entry that environ_hide() takes out whole? */
bool environ_hides(const char *entry);
/* /proc/self/environ: a descriptor, or -errno. */
long environ_open(int flags);

#endif
