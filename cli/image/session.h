/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a SCONE session, on standard output, in this order. */
#ifndef CLI_IMAGE_SESSION_H
#define CLI_IMAGE_SESSION_H

#include "cli/cli.h"

/* Name and version of the session. */
void cli_session_head(const char *name);

/* One service; identities follow, any of which is accepted. */
void cli_session_service(const char *name);

/* An identity; @label: elastic, static, or what a foreign file calls it. */
void cli_session_identity(const uint8_t mrenclave[32], const char *label);

/* The name that was given, or a file's. */
const char *cli_session_name(const char *name, const char *path);

#endif
