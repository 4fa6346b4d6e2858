/* SPDX-License-Identifier: BSD-3-Clause */
/* ioctl() and fcntl(): what their argument is depends on the command. */
#include "trusted/sys/sys.h"

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define TERMIOS_SIZE 36 /* the kernel's struct termios */

enum way {
	NONE,
	IN,
	OUT
};

struct ioctl_row {
	uint32_t cmd;
	uint8_t way;
	uint8_t size;
};

/* Commands that are not here get -ENOTTY. */
static const struct ioctl_row ioctls[] = {
	{ TCGETS, OUT, TERMIOS_SIZE },
	{ TCSETS, IN, TERMIOS_SIZE },
	{ TCSETSW, IN, TERMIOS_SIZE },
	{ TCSETSF, IN, TERMIOS_SIZE },
	{ TCSBRK, NONE, 0 },
	{ TCXONC, NONE, 0 },
	{ TCFLSH, NONE, 0 },
	{ TIOCGPGRP, OUT, 4 },
	{ TIOCSPGRP, IN, 4 },
	{ TIOCGWINSZ, OUT, 8 },
	{ TIOCSWINSZ, IN, 8 },
	{ FIONREAD, OUT, 4 },
	{ FIONBIO, IN, 4 },
	{ FIOCLEX, NONE, 0 },
	{ FIONCLEX, NONE, 0 },
};

static const struct ioctl_row *find_ioctl(uint64_t cmd)
{
	size_t i;

	for (i = 0; i < COUNT(ioctls); i++)
		if (ioctls[i].cmd == (uint32_t)cmd)
			return &ioctls[i];
	return NULL;
}

long sys_ioctl(const uint64_t *a)
{
	const struct ioctl_row *row = find_ioctl(a[1]);
	uint8_t data[CALL_SIZE_IOCTL] = { 0 };
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], a[1], (uint64_t)data };
	long r;

	if (!row)
		return -ENOTTY;
	if (row->way == NONE)
		return sys_call(CALL_ioctl_none, a);
	if (a[2] == 0 || !sys_owns(a[2], row->size))
		return -EFAULT;
	if (row->way == IN)
		__builtin_memcpy(data, (const void *)a[2], row->size);
	r = sys_call(CALL_ioctl_io, args);
	if (r >= 0 && row->way == OUT)
		__builtin_memcpy((void *)a[2], data, row->size);
	return r;
}

long sys_fcntl(const uint64_t *a)
{
	switch ((int)a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return sys_call(CALL_fcntl_dup, a);
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
	case F_SETFL:
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return sys_call(CALL_fcntl, a);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return a[2] == 0 ? -EFAULT : sys_call(CALL_fcntl_lock, a);
	default:
		return -EINVAL;
	}
}
