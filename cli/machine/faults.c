/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sim --faults: what can be made to fail, and what comes of it.
 */
#include <stdio.h>

#include "cli/machine/watch.h"
#include "machine/linux/inject.h"

void cli_faults(void)
{
	struct inject_row row;
	char name[48];

	puts("WHERE[:N | :N+ | %N][=OUTCOME]  the Nth, the Nth and later, "
	     "every Nth; default :1\n"
	     "lose@TIME                       every enclave, TIME (ms, s) "
	     "after "
	     "the first INIT\n");
	for (size_t i = 0; inject_row(i, &row); i++) {
		snprintf(name, sizeof(name), "%s=%s", row.where, row.outcome);
		printf("%-31s %s\n", name, row.sees);
	}
}
