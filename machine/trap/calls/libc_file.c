/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions of libc on open files that the preload library takes the place
 * of: what closes descriptors or takes their numbers.
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/calls/preload.h"

#define EXPORT __attribute__((visibility("default")))

static long result(long r)
{
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

/* ---- numbers ------------------------------------------------------------ */

EXPORT int dup2(int from, int to)
{
	return (int)result(do_dup3(SYS_dup2, from, to, 0));
}

EXPORT int dup3(int from, int to, int flags)
{
	return (int)result(do_dup3(SYS_dup3, from, to, flags));
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	return (int)result(do_close_range(first, last, (unsigned)flags));
}

EXPORT void closefrom(int low)
{
	do_close_range(low < 0 ? 0 : (unsigned)low, UINT_MAX, 0);
}
