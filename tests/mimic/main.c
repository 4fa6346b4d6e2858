/* SPDX-License-Identifier: BSD-3-Clause */
/* The raw mimic as a dynamic program, which uses its C library for no more
 * than its start: as loaders of library operating systems do. */
#include "tests/mimic/host.h"

int main(int argc, char **argv, char **envp)
{
	return mimic_host(argc, argv, envp);
}
