/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a program must be started so that the machine is in its process.
 */
#ifndef LAUNCH_KIND_H
#define LAUNCH_KIND_H

#define EDMM_LAUNCH_LIBRARY "libedmm-machine.so"
/* The launcher, beside the library. */
#define EDMM_LAUNCH_PROGRAM "edmm-launch"
/* Tells the launcher which program; the program does not see it. */
#define EDMM_LAUNCH_ENV "EDMM_LAUNCH"

enum launch_kind {
	LAUNCH_OTHER,	/* a script, a program with a loader, or unknown */
	LAUNCH_STATIC,	/* nothing would preload the library */
	LAUNCH_FOREIGN, /* ELF, but not for x86-64 */
};

/* A system call: its result, or -errno. */
typedef long launch_call(long nr, const long a[6]);

/*
 * Of an open file, with @call: the library's own system calls, or libc's. A
 * SYSCALL instruction in a program's own file has all of its calls dispatched.
 */
enum launch_kind launch_kind(int fd, launch_call *call);

#define LAUNCH_RUNTIME 64u
/*
 * The runtime of a sanitizer that a program needs, by its name; "" if it needs
 * none. It must come before all others and have its calls of libc's functions
 * reach the machine: so it is preloaded before the library, and with a space
 * between the two, by which the library knows that we have put it there.
 */
void launch_runtime(int fd, launch_call *call, char name[LAUNCH_RUNTIME]);

#endif
