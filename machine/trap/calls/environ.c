/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See environ.h. The kernel's block is argc, argv, envp, auxv, in this order
 * and without room between; programs find the auxiliary vector behind envp,
 * libc has kept where it was. So it does not move: the pointers that are gone
 * become entries of it that say nothing (AT_IGNORE), two words each. They are
 * therefore an even number, for which who sets the variables cares, with one
 * more if need be (EDMM_MACHINE_PAD_ENV); else one stays, by that name.
 */
#include "machine/trap/calls/environ.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <edmm/machine.h>

#include "launch/kind.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"

#define PRELOAD "LD_PRELOAD="

/* The strings as they lay at the start: /proc/self/environ. */
static const char *block, *block_end;

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* ---- LD_PRELOAD --------------------------------------------------------- */

/* One library of the list: its end. */
static const char *name_end(const char *s)
{
	return s + strcspn(s, " :");
}

static bool is_library(const char *s, const char *end)
{
	size_t n = strlen(EDMM_LAUNCH_LIBRARY);

	return (size_t)(end - s) >= n &&
	       !memcmp(end - n, EDMM_LAUNCH_LIBRARY, n);
}

/* Our library, or what was put before it, with a space: launch_runtime(). */
static bool is_ours(const char *s)
{
	const char *end = name_end(s);

	return is_library(s, end) ||
	       (*end == ' ' && is_library(end + 1, name_end(end + 1)));
}

/* The first library in @s that is not ours, or the end. */
static const char *next_theirs(const char *s)
{
	s += strspn(s, " :");
	while (*s && is_ours(s)) {
		s = name_end(s);
		s += strspn(s, " :");
	}
	return s;
}

/* Leaves what others have put there. */
static void preload_clean(char *value)
{
	const char *from = next_theirs(value);
	char *to = value;

	while (*from) {
		size_t n = (size_t)(name_end(from) - from);

		if (to != value)
			*to++ = ':';
		memmove(to, from, n);
		from = next_theirs(from + n);
		to += n;
	}
	memset(to, 0, strlen(to));
}

/* ---- the block ---------------------------------------------------------- */

bool environ_hides(const char *entry)
{
	if (begins(entry, PRELOAD))
		return entry[sizeof(PRELOAD) - 1] &&
		       !*next_theirs(entry + sizeof(PRELOAD) - 1);
	return begins(entry, EDMM_MACHINE_ENV "=") ||
	       begins(entry, EDMM_MACHINE_QUIET_ENV "=") ||
	       begins(entry, EDMM_MACHINE_PAD_ENV "=");
}

static void wipe(char *s)
{
	memset(s, 0, strlen(s));
}

/* One that has to stay says nothing. None that has a value is shorter. */
static void blank(char *entry)
{
	static const char pad[] = EDMM_MACHINE_PAD_ENV "=";

	if (strlen(entry) < sizeof(pad))
		return;
	wipe(entry);
	memcpy(entry, pad, sizeof(pad) - 1);
}

/* Takes out @drop of the hidden, and blanks another. The end of it. */
static char **squeeze(char **envp, size_t drop)
{
	char **to = envp;

	for (; *envp; envp++) {
		bool hidden = environ_hides(*envp);

		if (hidden && drop) {
			wipe(*envp);
			drop--;
			continue;
		}
		if (hidden)
			blank(*envp);
		else if (begins(*envp, PRELOAD))
			preload_clean(*envp + sizeof(PRELOAD) - 1);
		*to++ = *envp;
	}
	*to = NULL;
	return to + 1;
}

void environ_hide(char **envp)
{
	Elf64_auxv_t *gap;
	size_t n = 0, hidden = 0;

	for (; envp[n]; n++)
		hidden += environ_hides(envp[n]);
	if (!n)
		return;
	block = envp[0];
	block_end = envp[n - 1] + strlen(envp[n - 1]) + 1;
	gap = (void *)squeeze(envp, hidden & ~1ul);
	while ((void *)gap < (void *)(envp + n + 1))
		*gap++ = (Elf64_auxv_t){ .a_type = AT_IGNORE };
}

/* ---- /proc/self/environ ------------------------------------------------- */

/* Without the bytes that are wiped: no entry is empty. */
static size_t dense(char *text, size_t n, char *last)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] || *last)
			text[k++] = text[i];
		*last = text[i];
	}
	return k;
}

static long copy_to(long fd)
{
	char piece[1024], last = 0;
	const char *from = block;
	long r = 0;

	while (r >= 0 && from < block_end) {
		size_t n = (size_t)(block_end - from);

		n = n < sizeof(piece) ? n : sizeof(piece);
		/* The program's memory by now. */
		if (ucopy(piece, from, n))
			break;
		from += n;
		n = dense(piece, n, &last);
		r = sys_call(SYS_write, fd, (long)piece, (long)n);
	}
	return r < 0 ? r : 0;
}

long environ_open(int flags)
{
	long fd, r;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	fd = sys_call(SYS_memfd_create, (long)"environ", 1 /* MFD_CLOEXEC */);
	if (fd < 0)
		return fd;
	r = copy_to(fd);
	sys_call(SYS_lseek, fd, 0, SEEK_SET);
	if (!(flags & O_CLOEXEC))
		sys_call(SYS_fcntl, fd, F_SETFD, 0);
	if (!r)
		return fd;
	sys_call(SYS_close, fd);
	return r;
}
