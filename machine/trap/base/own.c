/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Locks: the driver's is held by who moves one, as by all who use it. Readers
 * without it see the old number or the new one.
 */
#include "machine/trap/base/own.h"

#include <fcntl.h>
#include <stddef.h>

#include "machine/trap/base/sys.h"

#define OWN_MAX 4u
/* Where they are put, if the limit on descriptors allows. */
#define HIGH 800

static int *kept[OWN_MAX];
/* A child of vfork has our memory, and a table of its own. */
static long owner;

static int number(unsigned i)
{
	return kept[i] ? __atomic_load_n(kept[i], __ATOMIC_RELAXED) : -1;
}

static long raise(int *fd, int from)
{
	long high = sys_call(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, from);

	if (high >= 0)
		__atomic_store_n(fd, (int)high, __ATOMIC_RELAXED);
	return high;
}

void own_keep(int *fd)
{
	int low = *fd;

	owner = sys_call(SYS_getpid);
	if (low < HIGH && raise(fd, HIGH) >= 0)
		sys_call(SYS_close, low);
	for (unsigned i = 0; i < OWN_MAX; i++)
		if (!kept[i] || kept[i] == fd) {
			kept[i] = fd;
			return;
		}
	sys_die("descriptors of the machine's own", "there are too many");
}

void own_close(int *fd)
{
	for (unsigned i = 0; i < OWN_MAX; i++)
		if (kept[i] == fd)
			kept[i] = NULL;
	if (*fd >= 0)
		sys_call(SYS_close, *fd);
	*fd = -1;
}

bool own_is(int fd)
{
	return fd >= 0 && own_next((unsigned)fd, (unsigned)fd) >= 0;
}

int own_next(unsigned first, unsigned last)
{
	int next = -1;

	for (unsigned i = 0; i < OWN_MAX; i++) {
		int fd = number(i);

		if (fd >= 0 && (unsigned)fd >= first && (unsigned)fd <= last &&
		    (next < 0 || fd < next))
			next = fd;
	}
	return next;
}

long own_move(int fd)
{
	for (unsigned i = 0; i < OWN_MAX; i++)
		if (number(i) == fd && sys_call(SYS_getpid) == owner) {
			long r = raise(kept[i], fd + 1);

			return r < 0 ? raise(kept[i], 0) : r;
		}
	return 0;
}
