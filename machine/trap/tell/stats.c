/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters: the driver's, the model's, and a sum over threads, of which those
 * that ended have left theirs in `gone`.
 */
#include <errno.h>
#include <string.h>

#include <edmm/machine.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/signal/sig.h"

#define EXPORT __attribute__((visibility("default")))

static struct edmm_machine_stats gone;

static void add_thread(void *arg, struct mach_thread *t)
{
	struct edmm_machine_stats *s = arg;

	for (int i = 0; i < MACH_ENCLU_LEAVES; i++)
		s->enclu[i] += t->cpu.enclu[i];
	s->enclu_faults += t->cpu.enclu_faults;
	s->aex += t->cpu.aex;
	s->aex_exception += t->aex_exception;
	s->aex_signal += t->aex_signal;
	s->fault_other += t->fault_other;
}

/* A child's counters are its own. */
void stats_after_fork(void)
{
	gone = (struct edmm_machine_stats){ 0 };
}

void stats_retire(struct mach_thread *t)
{
	add_thread(&gone, t);
}

static void add_driver(struct edmm_machine_stats *s)
{
	struct drv_stats d;

	drv_stats(machine.d, &d);
	s->aex_kernel = d.aex_kernel;
	s->aex_track = d.aex_track;
	s->fault_eaug = d.fault_eaug;
	s->fault_eaug_outside = d.fault_eaug_outside;
	s->fault_eldu = d.fault_eldu;
	s->fault_pte = d.fault_pte;
	s->fault_epcm = d.fault_epcm;
	s->fault_vma = d.fault_vma;
	s->fault_sigbus = d.fault_sigbus;
	memcpy(s->ioctls, d.ioctls, sizeof(s->ioctls));
	s->ioctl_errors = d.ioctl_errors;
	s->mmaps = d.mmaps;
	s->mprotects = d.mprotects;
	s->epc_pages = d.epc_pages;
	s->epc_used = d.epc_used;
	s->epc_peak = d.epc_peak;
	s->pages_added = d.pages_added;
	s->pages_measured = d.pages_measured;
	s->pages_augmented = d.pages_augmented;
	s->pages_removed = d.pages_removed;
	s->pages_evicted = d.pages_evicted;
	s->pages_loaded = d.pages_loaded;
	s->quota_pages = d.quota;
	s->quota_hits = d.quota_hits;
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
	mach_thread_each(add_thread, &s);
	add_driver(&s);
	mach_encls_counts(machine.m, s.encls, &s.encls_faults);
	sig_unblock(mask);
	s.eenter = s.enclu[SGX_EENTER];
	s.eexit = s.enclu[SGX_EEXIT];
	s.eresume = s.enclu[SGX_ERESUME];
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
