/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioctl() and fcntl(): what their argument is depends on the command, which
 * common/commands.h tells.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>

#include "common/commands.h"

#define RANGE_FROM_START 0 /* l_whence of what the kernel says */

/*
 * The lock that is in the way, or that there is none: then only the type is
 * the kernel's, and the rest as it was asked.
 */
static long take_lock(uint64_t to, const struct flock *said)
{
	struct flock *asked = (struct flock *)to;

	if (said->l_type == F_UNLCK) {
		asked->l_type = F_UNLCK;
		return 0;
	}
	if (said->l_whence != RANGE_FROM_START || said->l_start < 0 ||
	    said->l_len < 0)
		return -EPROTO;
	__builtin_memcpy(asked, said, sizeof(*said));
	return 0;
}

/* With a copy of what the argument points to; of no more than goes its way. */
static long by_pointer(const struct call_command *c, const uint64_t *a)
{
	const uint64_t size = call_size(sys_row(c->nr)->args[2]);
	_Alignas(8) uint8_t data[CALL_STRUCT_SIZE_MAX] = { 0 };
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], (uint64_t)data };
	long r;

	if (!(c->arg & COMMAND_TAKE ? sys_owns_to_write(a[2], size)
				    : sys_owns(a[2], size)))
		return -EFAULT;
	if (c->arg & COMMAND_GIVE)
		__builtin_memcpy(data, (const void *)a[2], size);
	r = sys_call(c->nr, args);
	if (r < 0 || !(c->arg & COMMAND_TAKE))
		return r;
	if (c->nr == CALL_fcntl_lock)
		return take_lock(a[2], (const struct flock *)(void *)data);
	/* A number of bytes, or a process group's. */
	if (c->nr == CALL_ioctl_int && (data[3] & 0x80))
		return -EPROTO;
	__builtin_memcpy((void *)a[2], data, size);
	return r;
}

static long command(const struct call_command *c, const uint64_t *a)
{
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1],
						c->arg == COMMAND_VALUE ? a[2]
									: 0 };
	long r;

	if (c->arg & COMMAND_SWAP)
		return by_pointer(c, a);
	r = sys_call(c->nr, args);
	return r > c->most ? -EPROTO : r;
}

long sys_ioctl(const uint64_t *a)
{
	const struct call_command *c = command_find(CALL_ioctl, a[1]);

	return c ? command(c, a) : -ENOTTY;
}

/* An open file's lock belongs to no process: Linux insists on that. */
static bool names_an_owner(const uint64_t *a)
{
	const struct flock *f = (const struct flock *)a[2];

	return (int)a[1] >= F_OFD_GETLK && (int)a[1] <= F_OFD_SETLKW &&
	       sys_owns(a[2], sizeof(*f)) && f->l_pid != 0;
}

long sys_fcntl(const uint64_t *a)
{
	const struct call_command *c = command_find(CALL_fcntl, a[1]);

	long r;

	if (!c || names_an_owner(a))
		return -EINVAL;
	if (c->nr != CALL_fcntl_dup)
		return command(c, a);
	sys_lock_keep(true); /* or it could be closed meanwhile */
	r = command(c, a);
	if (r >= 0)
		proc_copied(a[0], (uint64_t)r);
	return r;
}
