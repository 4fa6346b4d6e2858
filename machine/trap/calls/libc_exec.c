/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libc's functions that start programs: see exec.h. What needs no change goes
 * to libc. After vfork the changed call's memory stays behind in the parent.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/exec.h"

#define EXPORT __attribute__((visibility("default")))
#define NAME_ROOM 4096u

static int exec_at(struct exec_call *c)
{
	void *block = NULL;
	long r = exec_prepare(c, &block);

	if (!r)
		r = sys_call(SYS_execveat, c->dir, (long)c->path, (long)c->argv,
			     (long)c->envp, c->flags);
	exec_free(&block);
	errno = (int)-r;
	return -1;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec_call c = { AT_FDCWD, 0, path, argv, envp };

	return exec_at(&c);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORT int execveat(int dir, const char *path, char *const argv[],
		    char *const envp[], int flags)
{
	struct exec_call c = { dir, flags, path, argv, envp };

	return exec_at(&c);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

/* The first program of that name in PATH; false: leave it to libc. */
static bool search(const char *file, char *out)
{
	const char *path = getenv("PATH");

	if (!path)
		path = "/bin:/usr/bin";
	while (path) {
		size_t n = strcspn(path, ":"), m = strlen(file);

		if (n + m + 2 > NAME_ROOM)
			return false;
		memcpy(out, path, n);
		if (n)
			out[n++] = '/';
		memcpy(out + n, file, m + 1);
		if (!access(out, X_OK))
			return true;
		path = strchr(path, ':');
		path = path ? path + 1 : NULL;
	}
	return false;
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	static int (*real)(const char *, char *const[], char *const[]);
	struct exec_call c = { AT_FDCWD, 0, file, argv, envp };
	char found[NAME_ROOM];

	if (!strchr(file, '/') && search(file, found))
		c.path = found;
	if (strchr(c.path, '/') && exec_at(&c) && errno != ENOEXEC)
		return -1;
	/* A script without "#!", or nothing: libc knows. */
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "execvpe");
	return real(file, argv, envp);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* ---- arguments one by one ---------------------------------------------- */

static size_t count_args(va_list ap)
{
	size_t n = 1;

	while (va_arg(ap, char *))
		n++;
	return n;
}

/* A vector of the caller's stack: the first argument and those behind it. */
#define ARGS(argv, first, after)                          \
	do {                                              \
		va_list ap_;                              \
		size_t n_ = 1;                            \
                                                          \
		va_start(ap_, first);                     \
		n_ += count_args(ap_);                    \
		va_end(ap_);                              \
		(argv) = alloca(n_ * sizeof(char *));     \
		(argv)[0] = (char *)(uintptr_t)(first);   \
		va_start(ap_, first);                     \
		for (size_t i_ = 1; i_ < n_; i_++)        \
			(argv)[i_] = va_arg(ap_, char *); \
		after;                                    \
		va_end(ap_);                              \
	} while (0)

EXPORT int execl(const char *path, const char *arg, ...)
{
	char **argv;

	ARGS(argv, arg, (void)0);
	return execve(path, argv, environ);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char **argv;

	ARGS(argv, arg, (void)0);
	return execvpe(file, argv, environ);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char **argv, **envp;

	ARGS(argv, arg, envp = va_arg(ap_, char **));
	return execve(path, argv, envp);
}

/* ---- shells ------------------------------------------------------------- */

/* libc starts these itself, with an environment that the machine is not in. */
static char *shell(const char *command)
{
	char *text;

	/* Its system calls are looked at. */
	if (dispatch.on)
		return strdup(command);
	text = malloc(exec_shell_room(command));
	if (text)
		exec_shell(text, command);
	return text;
}

EXPORT int system(const char *command)
{
	static int (*real)(const char *);
	char *text = command ? shell(command) : NULL;
	int r = -1, err;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "system");
	if (text || !command)
		r = real(text);
	err = errno;
	free(text);
	errno = err;
	return r;
}

EXPORT FILE *popen(const char *command, const char *type)
{
	static FILE *(*real)(const char *, const char *);
	char *text = shell(command);
	FILE *f = NULL;
	int err;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "popen");
	if (text)
		f = real(text, type);
	err = errno;
	free(text);
	errno = err;
	return f;
}

/* ---- posix_spawn ------------------------------------------------------- */

typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
		     const posix_spawnattr_t *, char *const[], char *const[]);

EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path,
		       const posix_spawn_file_actions_t *fa,
		       const posix_spawnattr_t *restrict attr,
		       char *const argv[restrict], char *const envp[restrict])
{
	static spawn_fn *real;
	struct exec_call c = { AT_FDCWD, 0, path, argv, envp };
	void *block = NULL;
	long r = exec_prepare(&c, &block);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
	if (!r)
		r = -real(pid, c.path, fa, attr, c.argv, c.envp);
	exec_free(&block);
	return (int)-r;
}

EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file,
			const posix_spawn_file_actions_t *fa,
			const posix_spawnattr_t *restrict attr,
			char *const argv[restrict], char *const envp[restrict])
{
	static spawn_fn *real;
	struct exec_call c = { AT_FDCWD, 0, file, argv, envp };
	char found[NAME_ROOM];
	void *block = NULL;
	long r;

	if (!strchr(file, '/') && search(file, found))
		c.path = found;
	r = exec_prepare(&c, &block);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "posix_spawnp");
	if (!r)
		r = -real(pid, c.path, fa, attr, c.argv, c.envp);
	exec_free(&block);
	return (int)-r;
}
