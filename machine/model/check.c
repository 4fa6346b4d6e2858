/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must always hold of the EPCM, between leaves. This file is the
 * specification of the invariants named in state.h. For tests: it reads every
 * entry, and every SECS twice.
 */
#include <stdarg.h>
#include <stdio.h>

#include "machine/model/state.h"

struct complaint {
	char *why;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static bool broken(
	const struct complaint *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->len, fmt, ap);
	va_end(ap);
	return false;
}

static bool check_flags(const struct complaint *r, uint32_t n, uint32_t flags)
{
	uint32_t pt = epcm_pt(flags);

	if (!(flags & EPCM_VALID))
		return flags == 0 ? true
				  : broken(r, "page %u: not VALID but %#x", n,
					   flags);
	if (pt > SGX_PT_TRIM)
		return broken(r, "page %u: type %u", n, pt);
	if (pt != SGX_PT_REG && (flags & (EPCM_RWX | EPCM_PENDING | EPCM_PR)))
		return broken(r, "page %u: type %u has rights or states %#x", n,
			      pt, flags);
	if ((pt == SGX_PT_SECS || pt == SGX_PT_VA) &&
	    (flags & (EPCM_MODIFIED | EPCM_BLOCKED)))
		return broken(r, "page %u: type %u is MODIFIED or BLOCKED", n,
			      pt);
	if ((flags & EPCM_W) && !(flags & EPCM_R))
		return broken(r, "page %u: W without R", n);
	if (pt == SGX_PT_REG && (flags & EPCM_MODIFIED))
		return broken(r, "page %u: REG is MODIFIED", n);
	if ((flags & EPCM_PENDING) &&
	    ((flags & EPCM_PR) || (flags & EPCM_RWX) != (EPCM_R | EPCM_W)))
		return broken(r, "page %u: PENDING with %#x", n, flags);
	return true;
}

static bool check_child(const struct mach *m, const struct complaint *r,
			uint32_t n)
{
	const struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);
	const struct sgx_secs *s;
	struct mach_hidden *h;

	if (e->secs >= m->cfg.epc_pages ||
	    !epcm_is(epcm_flags(&m->epcm[e->secs]), SGX_PT_SECS))
		return broken(r, "page %u: its SECS %u is none", n, e->secs);
	s = secs_of(m, e->secs);
	h = hidden_of(secs_of(m, e->secs));
	if (!aligned(e->addr, SGX_PAGE_SIZE) || e->addr - s->base >= s->size)
		return broken(r, "page %u: address %#lx outside ELRANGE", n,
			      (unsigned long)e->addr);
	if (!secs_init(s) && (flags & (EPCM_PENDING | EPCM_MODIFIED | EPCM_PR)))
		return broken(r, "page %u: SGX2 state before EINIT", n);
	if ((int32_t)(track_epoch(track_load(h)) - e->epoch) < 0)
		return broken(r, "page %u: epoch %u is to come", n, e->epoch);
	return true;
}

static bool check_page(const struct mach *m, const struct complaint *r,
		       uint32_t n)
{
	const struct mach_epcm *e = &m->epcm[n];
	uint32_t flags = epcm_flags(e);

	if (e->lock != 0)
		return broken(r, "page %u: lock %#x", n, e->lock);
	if (!check_flags(r, n, flags))
		return false;
	if (!(flags & EPCM_VALID))
		return true;
	if (epcm_is(flags, SGX_PT_SECS))
		return e->secs == n
			       ? true
			       : broken(r, "SECS %u: names %u", n, e->secs);
	if (epcm_is(flags, SGX_PT_VA))
		return e->secs == MACH_EPC_NONE
			       ? true
			       : broken(r, "VA %u: names %u", n, e->secs);
	return check_child(m, r, n);
}

static bool check_secs(const struct mach *m, const struct complaint *r,
		       uint32_t n)
{
	struct mach_hidden *h = hidden_of(secs_of(m, n));
	uint32_t children = 0;
	uint32_t i;

	for (i = 0; i < m->cfg.epc_pages; i++) {
		uint32_t flags = epcm_flags(&m->epcm[i]);

		if (i != n && (flags & EPCM_VALID) && m->epcm[i].secs == n)
			children++;
	}
	if (children != h->children)
		return broken(r, "SECS %u: %u children, counted %u", n,
			      h->children, children);
	if (track_threads(track_load(h)) != 0 && children == 0)
		return broken(r, "SECS %u: threads without a TCS", n);
	return true;
}

bool mach_check(const struct mach *m, char *why, size_t len)
{
	struct complaint r = { why, len };
	uint32_t i;

	for (i = 0; i < m->cfg.epc_pages; i++)
		if (!check_page(m, &r, i))
			return false;
	for (i = 0; i < m->cfg.epc_pages; i++)
		if (epcm_is(epcm_flags(&m->epcm[i]), SGX_PT_SECS) &&
		    !check_secs(m, &r, i))
			return false;
	return true;
}

/* ---- with the processors ------------------------------------------------ */

static bool check_cpu(const struct mach *m, const struct complaint *r,
		      const struct mach_cpu *cpu)
{
	const struct sgx_tcs *t = (const void *)page_of(m, cpu->tcs);
	uint32_t i;

	if (!epcm_is(epcm_flags(&m->epcm[cpu->secs]), SGX_PT_SECS))
		return broken(r, "a cpu is in %u, which is no SECS", cpu->secs);
	if (!(epcm_flags(&m->epcm[cpu->tcs]) & EPCM_VALID) ||
	    m->epcm[cpu->tcs].secs != cpu->secs)
		return broken(r, "a cpu's TCS %u is gone", cpu->tcs);
	if (t->state != 1 || t->cssa >= t->nssa)
		return broken(r, "TCS %u: state %lu, cssa %u of %u", cpu->tcs,
			      (unsigned long)t->state, t->cssa, t->nssa);
	for (i = 0; i <= cpu->xsave_count; i++) {
		uint32_t n = i < cpu->xsave_count ? cpu->xsave[i] : cpu->gpr;

		if (!(epcm_flags(&m->epcm[n]) & EPCM_VALID) ||
		    m->epcm[n].secs != cpu->secs)
			return broken(r, "a cpu's SSA page %u is gone", n);
	}
	return true;
}

static bool check_threads(const struct mach *m, const struct complaint *r,
			  const struct mach_cpu *cpus, size_t count, uint32_t n)
{
	uint64_t t = track_load(hidden_of(secs_of(m, n)));
	uint32_t fresh = 0, stale = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (cpus[i].secs != n)
			continue;
		if (cpus[i].epoch == track_epoch(t))
			fresh++;
		else
			stale++;
	}
	if (fresh != track_fresh(t) || stale != track_stale(t))
		return broken(r, "SECS %u: %u+%u threads, counted %u+%u", n,
			      track_fresh(t), track_stale(t), fresh, stale);
	return true;
}

bool mach_check_cpus(const struct mach *m, const struct mach_cpu *cpus,
		     size_t count, char *why, size_t len)
{
	struct complaint r = { why, len };
	uint32_t n;
	size_t i;

	if (!mach_check(m, why, len))
		return false;
	for (i = 0; i < count; i++)
		if (mach_inside(&cpus[i]) && !check_cpu(m, &r, &cpus[i]))
			return false;
	for (n = 0; n < m->cfg.epc_pages; n++)
		if (epcm_is(epcm_flags(&m->epcm[n]), SGX_PT_SECS) &&
		    !check_threads(m, &r, cpus, count, n))
			return false;
	return true;
}
