/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a run, as the enclave, the host and the machine have them. */
#include <string.h>

#include "cli/run/run.h"

void cli_figures_take(const struct cli_run *r, struct cli_figures *f)
{
	unsigned i;

	memset(f, 0, sizeof(*f));
	edmm_host_stats(r->host, &f->stats);
	edmm_host_counts(r->host, &f->counts);
	f->has_machine = cli_machine_stats(&f->machine);
	for (i = 0; i < EDMM_MACHINE_IOCTLS; i++)
		f->machine.ioctls[i] -= r->before.ioctls[i];
	if (!f->stats.main_tsc)
		return;
	f->start_ns =
		cli_tsc_ns(&r->begin, f->counts.start_tsc, f->stats.main_tsc);
	f->run_ns = cli_tsc_ns(&r->begin, f->stats.main_tsc, cli_now_tsc());
}
