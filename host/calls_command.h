/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside host/: commands of ioctl() and fcntl(), against a hostile enclave. */
#ifndef HOST_CALLS_COMMAND_H
#define HOST_CALLS_COMMAND_H

#include "common/calls.h"

/*
 * May command @cmd go by the row of number @nr? By another row than its own,
 * its argument would be an address of the host's, or its result a descriptor.
 */
bool host_command_allowed(uint32_t nr, uint64_t cmd);

#endif
