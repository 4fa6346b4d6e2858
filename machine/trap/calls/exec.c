/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * New programs: see exec.h. It runs in handlers and in functions of libc's
 * name, also between vfork and execve: the memory that it takes is the
 * caller's to give back.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <edmm/machine.h>

#include "launch/kind.h"
#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/environ.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/signal/sig.h"

#define PRELOAD "LD_PRELOAD="
#define TEXT_MAX 4096u
#define ENV_MAX (1u << 20)
/* Names that are put in, and the end. */
#define ENV_MORE 6u

/* As LD_PRELOAD and EDMM_MACHINE were given: whole NAME=value strings. */
static char library[TEXT_MAX];
static char settings[TEXT_MAX];
static char launcher[TEXT_MAX];
static bool quiet;

static const char quiet_entry[] = EDMM_MACHINE_QUIET_ENV "=1";
static const char pad_entry[] = EDMM_MACHINE_PAD_ENV "=";

struct block {
	size_t size;
	char *next;
	char *end;
	char text[];
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* The library's own file is the first that is preloaded and ours. */
static void take_library(const char *entry)
{
	const char *name = strstr(entry, EDMM_LAUNCH_LIBRARY);
	const char *start = name, *dir;
	size_t n;

	if (!name)
		return;
	while (start > entry && !strchr(" :=", start[-1]))
		start--;
	dir = name;
	n = (size_t)(name - start) + strlen(EDMM_LAUNCH_LIBRARY);
	if (*start != '/' || n + sizeof(PRELOAD) > sizeof(library))
		return;
	memcpy(library, PRELOAD, sizeof(PRELOAD) - 1);
	memcpy(library + sizeof(PRELOAD) - 1, start, n);
	n = (size_t)(dir - start);
	memcpy(launcher, start, n);
	memcpy(launcher + n, EDMM_LAUNCH_PROGRAM, sizeof(EDMM_LAUNCH_PROGRAM));
}

void exec_init(char **envp)
{
	for (; *envp; envp++) {
		if (begins(*envp, PRELOAD))
			take_library(*envp);
		if (begins(*envp, EDMM_MACHINE_ENV "=") &&
		    strlen(*envp) < sizeof(settings))
			memcpy(settings, *envp, strlen(*envp) + 1);
		quiet |= begins(*envp, EDMM_MACHINE_QUIET_ENV "=");
	}
}

bool exec_is_self(const char *path)
{
	return dispatch.exe && !strcmp(path, "/proc/self/exe");
}

bool exec_string(char *out, size_t size, const char *from)
{
	for (size_t n = 0; n < size;) {
		uint64_t at = (uint64_t)from + n;
		size_t piece = SGX_PAGE_SIZE - at % SGX_PAGE_SIZE;

		piece = piece < size - n ? piece : size - n;
		if (ucopy(out + n, (const void *)at, piece))
			return false;
		if (memchr(out + n, 0, piece))
			return true;
		n += piece;
	}
	return false;
}

/* ---- the environment --------------------------------------------------- */

/* Entry @i of a vector of the program's: 1, 0 at its end, -errno. */
static int entry_at(char *const *v, size_t i, char **out)
{
	if (ucopy(out, v + i, sizeof(*out)))
		return -EFAULT;
	return *out != NULL;
}

static long env_count(char *const *envp)
{
	char *e;
	size_t n = 0;
	int r = 0;

	while (envp && n < ENV_MAX && (r = entry_at(envp, n, &e)) > 0)
		n++;
	return r < 0 ? r : (long)n;
}

/* The start of each entry, as much as tells what it is. */
static bool entry_is(const char *entry, const char *name, char *buf)
{
	size_t n = strlen(name);

	*buf = 0;
	if (!exec_string(buf, TEXT_MAX, entry))
		buf[TEXT_MAX - 1] = 0;
	return !strncmp(buf, name, n);
}

struct seen {
	bool library;
	bool settings;
	bool quiet;
	bool odd; /* of those that the new program does not see */
};

static bool env_complete(const struct seen *s)
{
	return (s->library || !*library) && (s->settings || !*settings) &&
	       (s->quiet || !quiet) && !s->odd;
}

static void env_look(char *const *envp, size_t n, struct seen *s)
{
	char buf[TEXT_MAX];
	char *e;

	*s = (struct seen){ 0 };
	for (size_t i = 0; i < n && entry_at(envp, i, &e) > 0; i++) {
		if (entry_is(e, PRELOAD, buf))
			s->library |= strstr(buf, EDMM_LAUNCH_LIBRARY) != NULL;
		s->settings |= begins(buf, EDMM_MACHINE_ENV "=");
		s->quiet |= begins(buf, EDMM_MACHINE_QUIET_ENV "=");
		s->odd ^= environ_hides(buf);
	}
}

static char *block_text(struct block *b, const char *a, const char *c)
{
	size_t n = strlen(a), m = strlen(c);
	char *at = b->next;

	if (n + m + 1 > (size_t)(b->end - at))
		return NULL;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): c ends it */
	memcpy(at, a, n);
	memcpy(at + n, c, m + 1);
	b->next += n + m + 1;
	return at;
}

static struct block *block_new(size_t size)
{
	struct block *b = sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_failed(b))
		return NULL;
	b->size = size;
	b->next = b->text;
	b->end = (char *)b + size;
	return b;
}

void exec_free(void **block)
{
	struct block *b = *block;

	if (b)
		sys_munmap(b, b->size);
	*block = NULL;
}

/* More text at the end of the last. */
static bool block_more(struct block *b, const char *a, const char *c)
{
	b->next--;
	return block_text(b, a, c);
}

/* A sanitizer's runtime comes before our library, others behind it. */
static char *preload_entry(struct block *b, const char *runtime,
			   const char *theirs)
{
	const char *path = library + sizeof(PRELOAD) - 1;
	char *all = block_text(b, PRELOAD, runtime);

	if (!all || (*runtime && !block_more(b, " ", "")) ||
	    !block_more(b, path, theirs ? ":" : "") ||
	    (theirs && !block_more(b, theirs + sizeof(PRELOAD) - 1, "")))
		return NULL;
	return all;
}

/* How the file is to be started. */
struct exec_way {
	const char *program; /* for the launcher; NULL: by itself */
	char runtime[LAUNCH_RUNTIME];
};

static long env_build(struct exec_call *c, struct block *b, size_t n,
		      const struct exec_way *p)
{
	char buf[TEXT_MAX];
	char **v = (char **)(void *)b->next;
	struct seen s;
	char *e, *preload = NULL;
	size_t k = 0;

	b->next += (n + ENV_MORE) * sizeof(*v);
	env_look(c->envp, n, &s);
	for (size_t i = 0; i < n && entry_at(c->envp, i, &e) > 0; i++) {
		if (!s.library && entry_is(e, PRELOAD, buf)) {
			preload = preload_entry(b, p->runtime, buf);
			continue;
		}
		if (!entry_is(e, EDMM_LAUNCH_ENV "=", buf) &&
		    !begins(buf, EDMM_MACHINE_PAD_ENV "="))
			v[k++] = e;
	}
	if (!s.library && *library)
		v[k++] = preload ? preload : preload_entry(b, p->runtime, NULL);
	if (!s.settings && *settings)
		v[k++] = settings;
	if (!s.quiet && quiet)
		v[k++] = (char *)(uintptr_t)quiet_entry;
	if (p->program)
		v[k++] = block_text(b, EDMM_LAUNCH_ENV "=", p->program);
	v[k] = NULL;
	env_look(v, k, &s);
	if (s.odd)
		v[k++] = (char *)(uintptr_t)pad_entry;
	v[k] = NULL;
	c->envp = v;
	return 0;
}

/* ---- a shell ------------------------------------------------------------ */

/* @from behind @to, as one word of a shell's; the end. */
static char *quote(char *to, const char *from)
{
	*to++ = '\'';
	for (; *from; from++) {
		if (*from == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *from;
		}
	}
	*to++ = '\'';
	*to = 0;
	return to;
}

/* NAME='value' of an entry. */
static char *assign(char *to, const char *entry)
{
	size_t n = (size_t)(strchr(entry, '=') + 1 - entry);

	memcpy(to, entry, n);
	to = quote(to + n, entry + n);
	*to++ = ' ';
	return to;
}

size_t exec_shell_room(const char *command)
{
	return 4 * (strlen(command) + sizeof(library) + sizeof(settings));
}

void exec_shell(char *to, const char *command)
{
	static const char start[] = "exec /bin/sh -c ", name[] = " sh";

	if (*library)
		to = assign(to, library);
	if (*settings)
		to = assign(to, settings);
	if (quiet)
		to = assign(to, quiet_entry);
	if ((*library != 0) ^ (*settings != 0) ^ quiet)
		to = assign(to, pad_entry);
	memcpy(to, start, sizeof(start) - 1);
	to = quote(to + sizeof(start) - 1, command);
	memcpy(to, name, sizeof(name));
}

/* ---- the program ------------------------------------------------------- */

/* The file as a name that needs no descriptor. */
static long path_of(const struct exec_call *c, char *out)
{
	char link[SYS_FD_PATH];
	long n;

	if (exec_is_self(out)) {
		memcpy(out, dispatch.exe, strlen(dispatch.exe) + 1);
		return 0;
	}
	if (c->dir == AT_FDCWD || *out == '/')
		return 0;
	sys_fd_path(link, c->dir);
	if (*out) {
		char rest[TEXT_MAX];

		memcpy(rest, out, strlen(out) + 1);
		n = sys_call(SYS_readlink, (long)link, (long)out, TEXT_MAX - 1);
		if (n < 0)
			return n;
		if ((size_t)n + strlen(rest) + 2 > TEXT_MAX)
			return -ENAMETOOLONG;
		out[n] = '/';
		memcpy(out + n + 1, rest, strlen(rest) + 1);
		return 0;
	}
	n = sys_call(SYS_readlink, (long)link, (long)out, TEXT_MAX - 1);
	if (n < 0)
		return n;
	out[n] = 0;
	return 0;
}

static void way_of(struct exec_way *w, const char *path)
{
	long fd = sys_call(SYS_open, (long)path, O_RDONLY | O_CLOEXEC);

	*w = (struct exec_way){ 0 };
	if (fd < 0)
		return;
	launch_runtime((int)fd, sys_call6, w->runtime);
	if (launch_kind((int)fd, sys_call6) == LAUNCH_STATIC &&
	    !sys_call(SYS_faccessat, AT_FDCWD, (long)path, 1 /* X_OK */))
		w->program = path;
	sys_call(SYS_close, fd);
}

long exec_prepare(struct exec_call *c, void **block)
{
	char path[TEXT_MAX];
	struct seen s;
	struct block *b;
	struct exec_way way;
	bool self;
	long n;

	exec_free(block);
	if (!*library || !exec_string(path, sizeof(path), c->path))
		return 0; /* the kernel's to judge */
	self = exec_is_self(path);
	n = path_of(c, path);
	if (n)
		return n;
	way_of(&way, path);
	n = env_count(c->envp);
	if (n < 0)
		return n;
	env_look(c->envp, (size_t)n, &s);
	if (!way.program && !self && env_complete(&s))
		return 0;
	b = block_new(((size_t)n + ENV_MORE) * sizeof(char *) + 8 * TEXT_MAX);
	if (!b)
		return -ENOMEM;
	*block = b;
	if (way.program) {
		c->path = launcher;
		c->dir = AT_FDCWD;
		c->flags = 0;
	} else if (self) {
		c->path = block_text(b, path, "");
		b->next = (char *)(((uintptr_t)b->next + 7) & ~7ul);
	}
	return env_build(c, b, (size_t)n, &way);
}
