/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands of ioctl() and fcntl(), the only list of them: by which row of
 * common/calls.h each goes out, and what its argument is. The enclave asks for
 * no others, and the host serves no others: an argument of one command is an
 * address or a descriptor to another.
 *
 * X(row, command, argument, most), where most bounds the result. Whoever
 * includes this has the commands' names from <asm/ioctls.h> and
 * <linux/fcntl.h>.
 */
#ifndef COMMON_COMMANDS_H
#define COMMON_COMMANDS_H

#include "common/calls.h"

enum command_arg {
	COMMAND_BARE,	  /* has none */
	COMMAND_VALUE,	  /* is a number */
	COMMAND_GIVE = 4, /* points to what the kernel reads */
	COMMAND_TAKE = 8, /* points to what it writes */
	COMMAND_SWAP = COMMAND_GIVE | COMMAND_TAKE,
};

/* clang-format off */
#define COMMAND_LIST(X) \
X(ioctl_tty, TCGETS, TAKE, 0) \
X(ioctl_tty, TCSETS, GIVE, 0) \
X(ioctl_tty, TCSETSW, GIVE, 0) \
X(ioctl_tty, TCSETSF, GIVE, 0) \
X(ioctl_none, TCSBRK, VALUE, 0) \
X(ioctl_none, TCXONC, VALUE, 0) \
X(ioctl_none, TCFLSH, VALUE, 0) \
X(ioctl_int, TIOCGPGRP, TAKE, 0) \
X(ioctl_int, TIOCSPGRP, GIVE, 0) \
X(ioctl_size, TIOCGWINSZ, TAKE, 0) \
X(ioctl_size, TIOCSWINSZ, GIVE, 0) \
X(ioctl_int, FIONREAD, TAKE, 0) \
X(ioctl_int, FIONBIO, GIVE, 0) \
X(ioctl_none, FIOCLEX, BARE, 0) \
X(ioctl_none, FIONCLEX, BARE, 0) \
X(fcntl_dup, F_DUPFD, VALUE, INT32_MAX) \
X(fcntl_dup, F_DUPFD_CLOEXEC, VALUE, INT32_MAX) \
X(fcntl, F_GETFD, BARE, FD_CLOEXEC) \
X(fcntl, F_SETFD, VALUE, 0) \
X(fcntl, F_GETFL, BARE, INT32_MAX) \
X(fcntl, F_SETFL, VALUE, 0) \
X(fcntl, F_GETPIPE_SZ, BARE, INT32_MAX) \
X(fcntl, F_SETPIPE_SZ, VALUE, INT32_MAX) \
X(fcntl_lock, F_GETLK, SWAP, 0) \
X(fcntl_lock, F_SETLK, GIVE, 0) \
X(fcntl_lock, F_SETLKW, GIVE, 0) \
X(fcntl_lock, F_OFD_GETLK, SWAP, 0) \
X(fcntl_lock, F_OFD_SETLK, GIVE, 0) \
X(fcntl_lock, F_OFD_SETLKW, GIVE, 0)
/* clang-format on */

/**
 * struct call_command - one of the list
 * @nr: number of its row
 * @cmd: the kernel's number
 * @arg: enum command_arg
 * @most: result that can be believed
 */
struct call_command {
	uint16_t nr;
	uint8_t arg;
	uint32_t cmd;
	int32_t most;
};

/* Command @cmd of ioctl or fcntl, by Linux's number of the call; or NULL. */
static inline const struct call_command *command_find(uint64_t linux_nr,
						      uint64_t cmd)
{
#define COMMAND_ROW(row, cmd, arg, most) \
	{ CALL_##row, COMMAND_##arg, cmd, most },
	static const struct call_command list[] = { COMMAND_LIST(COMMAND_ROW) };
#undef COMMAND_ROW
	const struct call_command *c = list;

	for (; c < list + sizeof(list) / sizeof(*list); c++)
		if (CALL_LINUX(c->nr) == linux_nr && c->cmd == (uint32_t)cmd)
			return c;
	return NULL;
}

#endif
