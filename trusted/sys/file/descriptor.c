/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls on descriptors that may be of a file made inside (proc/proc_open.c). With
 * those the lock stays over the host's part: its number must not be another's
 * before the mark has gone, nor go while it is copied.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <linux/fcntl.h>

long sys_close(const uint64_t *a)
{
	return proc_has(a[0]) ? proc_close(a[0]) : sys_call(CALL_close, a);
}

long sys_fstat(const uint64_t *a)
{
	return proc_has(a[0]) ? proc_stat_fd(a[0], a[1])
			      : sys_call(CALL_fstat, a);
}

long sys_lseek(const uint64_t *a)
{
	return proc_has(a[0]) ? proc_seek(a[0], (int64_t)a[1], (int)a[2])
			      : sys_call(CALL_lseek, a);
}

long sys_dup(const uint64_t *a)
{
	long r;

	sys_lock_keep(true);
	r = sys_call(CALL_dup, a);
	if (r >= 0)
		proc_copied(a[0], (uint64_t)r);
	return r;
}

long sys_dup3(const uint64_t *a)
{
	long r;

	sys_lock_keep(true);
	r = sys_call(CALL_dup3, a);
	if (r >= 0)
		proc_copied(a[0], (uint64_t)r);
	return r;
}

long sys_dup2(const uint64_t *a)
{
	const uint64_t get[WIRE_CALL_ARGS] = { a[0], F_GETFD };
	const uint64_t dup3[WIRE_CALL_ARGS] = { a[0], a[1], 0 };
	long r;

	if ((uint32_t)a[0] != (uint32_t)a[1])
		return sys_dup3(dup3);
	r = sys_call(CALL_fcntl, get);
	return r < 0 ? r : (long)a[1];
}
