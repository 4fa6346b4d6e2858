/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EPC pages, version arrays, and tracking.
 *
 * Linux reclaims in a thread of its own that wakes below 32 free pages and
 * works until there are 64; here whoever allocates does that work. A cgroup's
 * bound is another matter (the series for misc.max, not in Linux 6.12): only a
 * charge that it refuses reclaims, a batch at a time, and fails when nothing of
 * the cgroup can go. The process is the cgroup.
 */
#include <errno.h>

#include "machine/linux/internal.h"

#define EPC_LOW 32u
#define EPC_HIGH 64u

uint32_t epc_used(const struct drv *d)
{
	return d->epc_fresh - d->epc_free;
}

static uint32_t epc_left(const struct drv *d)
{
	uint32_t used = epc_used(d);

	return used < d->limit ? d->limit - used : 0;
}

bool epc_plenty(const struct drv *d)
{
	/* A page and, before it, one of versions. */
	return epc_left(d) > EPC_LOW + 1;
}

int epc_alloc(struct drv *d, uint8_t *mem, uint32_t *out)
{
	uint32_t low = d->quota ? 1 : EPC_LOW, high = d->quota ? 1 : EPC_HIGH;
	uint32_t used, before, left = epc_left(d);

	if (left < low) {
		d->stats.quota_hits += d->quota;
		do {
			before = left;
			reclaim(d);
			left = epc_left(d);
		} while (left < high && left > before);
	}
	if (!left)
		return -ENOMEM;
	*out = d->epc_free ? d->free_stack[--d->epc_free] : d->epc_fresh++;
	d->data[*out] = mem;
	used = epc_used(d);
	if (used > d->stats.epc_peak)
		d->stats.epc_peak = used;
	return 0;
}

void epc_free(struct drv *d, uint32_t epc)
{
	d->data[epc] = NULL;
	d->free_stack[d->epc_free++] = epc;
}

static int va_add(struct drv *d, struct drv_encl *e)
{
	struct va_page *va = pool_get(d, POOL_VA);
	uint8_t *mem = pool_get(d, POOL_PAGE);
	struct leaf l = { .nr = SGX_EPA };
	int r = -ENOMEM;

	if (!va || !mem)
		goto out_free;
	r = epc_alloc(d, mem, &va->epc);
	if (r)
		goto out_free;
	l.epc = mach_epc_addr(va->epc);
	if (!mach_ok(encls(d, e, &l))) {
		epc_free(d, va->epc);
		r = -EFAULT;
		goto out_free;
	}
	va->next = e->va;
	e->va = va;
	return 0;
out_free:
	if (va)
		pool_put(d, POOL_VA, va);
	if (mem)
		pool_put(d, POOL_PAGE, mem);
	return r;
}

void va_free(struct drv *d, const struct drv_encl *e, struct va_page *va)
{
	uint8_t *mem = d->data[va->epc];

	if (epc_remove(d, e, va->epc, 0))
		pool_put(d, POOL_PAGE, mem);
	pool_put(d, POOL_VA, va);
}

int encl_grow(struct drv *d, struct drv_encl *e)
{
	if (e->page_count % VA_SLOTS == 0) {
		int r = va_add(d, e);

		if (r)
			return r;
	}
	e->page_count++;
	return 0;
}

void encl_shrink(struct drv *d, struct drv_encl *e)
{
	struct va_page *va = e->va;

	e->page_count--;
	if (e->page_count % VA_SLOTS != 0 || !va || va->used)
		return;
	e->va = va->next;
	va_free(d, e, va);
}

/* ---- interrupts and tracking ------------------------------------------- */

bool interrupt(struct drv *d, struct mach_cpu *cpu, const struct mach_event *ev)
{
	if (mach_interrupt(d->mach, cpu))
		return true;
	if (__atomic_load_n(&cpu->due, __ATOMIC_RELAXED))
		return false;
	cpu->due_event = *ev;
	__atomic_store_n(&cpu->due, true, __ATOMIC_RELEASE);
	if (d->p.kick)
		d->p.kick(d->p.ctx, cpu);
	return true;
}

static void interrupt_inside(void *arg, struct mach_cpu *cpu)
{
	static const struct mach_event ev = { .exception = false };
	struct drv *d = arg;

	if (!mach_inside(cpu))
		return;
	if (!interrupt(d, cpu, &ev))
		return;
	d->stats.aex_track++;
	if (traced(d) && !cpu->due)
		trace_interrupt(d, cpu, TRACE_AEX_TRACK, 0);
}

void ipi(struct drv *d)
{
	d->p.each_cpu(d->p.ctx, interrupt_inside, d);
}

struct owing {
	uint32_t secs; /* of this enclave; MACH_EPC_NONE: of any */
	bool any;
};

static void look(void *arg, struct mach_cpu *cpu)
{
	struct owing *o = arg;

	o->any |= mach_inside(cpu) &&
		  (cpu->secs == o->secs || o->secs == MACH_EPC_NONE) &&
		  __atomic_load_n(&cpu->due, __ATOMIC_RELAXED);
}

bool encl_owing(struct drv *d, const struct drv_encl *e)
{
	struct owing o = { .secs = e ? e->secs_epc : MACH_EPC_NONE };

	d->p.each_cpu(d->p.ctx, look, &o);
	return o.any;
}

int encl_etrack(struct drv *d, struct drv_encl *e)
{
	struct leaf l = { .nr = SGX_ETRACK, .epc = mach_epc_addr(e->secs_epc) };

	e->untracked = false;
	/* Linux tries twice: the interrupt ends the cycle that was running. */
	if (!mach_ok(encls(d, e, &l))) {
		ipi(d);
		if (!mach_ok(encls(d, e, &l))) {
			/* encl_settle() tries again when the thread in the way
			 * has left. */
			e->untracked = encl_owing(d, e);
			return e->untracked ? 0 : -EFAULT;
		}
	}
	ipi(d);
	stale_tracked(d);
	return 0;
}

bool encl_settled(struct drv *d, const struct drv_encl *e)
{
	return !e->untracked && !encl_owing(d, e);
}

bool epc_contended(struct drv *d)
{
	return !epc_left(d) && encl_owing(d, NULL);
}

bool epc_wait(struct drv *d)
{
	bool wait;

	drv_lock(d);
	wait = epc_contended(d);
	drv_unlock(d);
	if (wait && d->p.pause)
		d->p.pause(d->p.ctx);
	return wait && d->p.pause;
}

void encl_settle(struct drv *d, struct drv_encl *e)
{
	bool wait = d->p.pause;

	for (unsigned i = 0; wait && i < SETTLE_ROUNDS; i++) {
		d->p.pause(d->p.ctx);
		drv_lock(d);
		if (e->untracked && !encl_owing(d, e))
			encl_etrack(d, e);
		wait = !encl_settled(d, e);
		drv_unlock(d);
	}
}
