/* SPDX-License-Identifier: BSD-3-Clause */
#include "host/calls_command.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>

#include "common/commands.h"

bool host_command_allowed(uint32_t nr, uint64_t cmd)
{
	const uint32_t linux_nr = CALL_LINUX(nr);
	const struct call_command *c;

	if (linux_nr != CALL_ioctl && linux_nr != CALL_fcntl)
		return true;
	c = command_find(linux_nr, cmd);
	return c && c->nr == nr;
}
