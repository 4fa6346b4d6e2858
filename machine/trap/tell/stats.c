/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counters of the process. Whoever counts does so in a record of his own:
 * the driver, each thread, and `gone` for threads that ended; the model counts
 * leaves. All of them are the sum.
 */
#include <errno.h>
#include <string.h>

#include <edmm/machine.h>
#include <machine/watch/counters.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/signal/thread.h"
#include "machine/trap/tell/tell.h"

#define EXPORT __attribute__((visibility("default")))

static struct edmm_machine_stats gone;

static void add_thread(void *arg, struct thread *t)
{
	struct edmm_machine_stats *s = arg;

	watch_sum(s, &t->stats);
	for (int i = 0; i < MACH_ENCLU_LEAVES; i++)
		s->enclu[i] += t->cpu.enclu[i];
	s->enclu_faults += t->cpu.enclu_faults;
	s->aex += t->cpu.aex;
}

/* A child's counters are its own. */
void stats_after_fork(void)
{
	gone = (struct edmm_machine_stats){ 0 };
}

void stats_retire(struct thread *t)
{
	add_thread(&gone, t);
}

EXPORT int edmm_machine_stats(struct edmm_machine_stats *stats)
{
	struct edmm_machine_stats s;
	uint64_t size, mask;

	if (!stats || stats->size < sizeof(stats->size))
		return -EINVAL;
	size = stats->size < sizeof(s) ? stats->size : sizeof(s);
	mask = sig_block();
	s = gone;
	thread_each(add_thread, &s);
	drv_stats(machine.d, &s);
	mach_encls_counts(machine.m, s.encls, &s.encls_faults);
	sig_unblock(mask);
	/* Counters of one leaf: the model has them in the array alone. */
	for (unsigned i = 0; i < EDMM_MACHINE_LEAVES; i++)
		watch_count(&s, WATCH_EVENT(LEAF, i), s.enclu[i]);
	s.size = size;
	memcpy(stats, &s, size);
	return 0;
}

EXPORT void edmm_machine_lose(void)
{
	uint64_t mask = sig_block();

	drv_lose_all(machine.d);
	sig_unblock(mask);
}

EXPORT int edmm_machine_refuses(uint32_t swdefined)
{
	return drv_refuses(machine.d, swdefined);
}
