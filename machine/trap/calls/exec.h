/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * execve(2): the new program is on the machine as this one is. Its environment
 * gets the library and its settings again if they are missing, and a static
 * program is started by the launcher.
 */
#ifndef TRAP_CALLS_EXEC_H
#define TRAP_CALLS_EXEC_H

#include <stdbool.h>
#include <stddef.h>

/* What execveat(2) takes, pointers of the program's; execve(2) has AT_FDCWD. */
struct exec_call {
	int dir;
	int flags;
	const char *path;
	char *const *argv;
	char *const *envp;
};

/* Remembers what new programs need. @env: at the start of this one. */
void exec_init(char **envp);

/**
 * exec_prepare() - change what a call needs changed
 * @block: memory that the changed call points to, replaced: the caller keeps
 *	it until the call has failed or, with vfork, the parent runs again
 *
 * Return: 0, or -errno for the program.
 */
long exec_prepare(struct exec_call *c, void **block);
void exec_free(void **block);

/**
 * exec_shell() - a command for a shell that libc starts by itself
 * @to: receives a command that runs @command by a shell that is on the
 *	machine; exec_shell_room() bytes
 */
void exec_shell(char *to, const char *command);
size_t exec_shell_room(const char *command);

/* Is it a name of the running program's file, which only the launcher's
 * caller knows? */
bool exec_is_self(const char *path);

/* Copies a string of the program's, at most @size with its end; false if it
 * is longer or not there. */
bool exec_string(char *out, size_t size, const char *from);

#endif
