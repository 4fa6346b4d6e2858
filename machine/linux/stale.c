/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translations that a processor keeps, as a setting: after EMODPE one with
 * fewer rights, whose fault the kernel finds spurious; after EMODPR one with
 * more, where the kernel has not done ETRACK. Here they are pages whose view is
 * not brought up to date. What goes, in truth by the processor, goes here for
 * all: after EMODPE when any thread leaves, after EMODPR when the last one
 * does.
 *
 * Locks: the driver's is held.
 */
#include "machine/linux/internal.h"

bool stale_keep(struct drv *d, struct drv_encl *e, uint64_t addr, unsigned why)
{
	page_t *p = page_find(e, addr);

	/* None is kept of what was not shown. */
	if (!(d->stale & why) || d->stale_count == STALE_MAX || !p ||
	    !pg_get(*p, PG_VIEW_SHIFT))
		return false;
	d->stale_page[d->stale_count++] =
		(struct stale){ .addr = addr, .why = why };
	return true;
}

/* Those of @why come up to date. */
static void flush(struct drv *d, unsigned why)
{
	uint32_t keep = 0;

	for (uint32_t i = 0; i < d->stale_count; i++) {
		const struct stale s = d->stale_page[i];

		if (s.why & why)
			drv_refresh(d, s.addr);
		else
			d->stale_page[keep++] = s;
	}
	d->stale_count = keep;
}

bool stale_inside(const struct drv *d, const struct drv_encl *e)
{
	struct mach_secs_info si;

	return e->secs_epc != MACH_EPC_NONE &&
	       mach_secs(d->mach, e->secs_epc, &si) && si.threads;
}

void stale_left(struct drv *d)
{
	const struct drv_encl *e = d->encls;

	if (!d->stale_count)
		return;
	flush(d, STALE_EMODPE);
	while (e && !stale_inside(d, e))
		e = e->next;
	if (!e)
		flush(d, STALE_EMODPR);
}

void stale_tracked(struct drv *d)
{
	if (d->stale_count)
		flush(d, STALE_EMODPE | STALE_EMODPR);
}

bool stale_fault(struct drv *d, uint64_t addr)
{
	for (uint32_t i = 0; i < d->stale_count; i++)
		if (d->stale_page[i].addr == addr &&
		    d->stale_page[i].why == STALE_EMODPE) {
			d->stale_page[i] = d->stale_page[--d->stale_count];
			return true;
		}
	return false;
}
