/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one door to ENCLS: every leaf of the driver goes through here, so that
 * any can be made to fail by name and count, and each is told to whoever
 * traces. And the driver's other events.
 */
#include "machine/linux/internal.h"

static struct mach_result execute(struct mach *m, const struct leaf *l)
{
	switch (l->nr) {
	case SGX_ECREATE:
		return mach_ecreate(m, l->rbx, l->epc);
	case SGX_EADD:
		return mach_eadd(m, l->rbx, l->epc);
	case SGX_EINIT:
		return mach_einit(m, l->rbx, l->epc,
				  (const void *)(uintptr_t)l->rdx, l->signer);
	case SGX_EREMOVE:
		return mach_eremove(m, l->epc);
	case SGX_EEXTEND:
		return mach_eextend(m, l->rdx, l->epc);
	case SGX_ELDU:
		return mach_eldu(m, l->rbx, l->epc, l->rdx);
	case SGX_EBLOCK:
		return mach_eblock(m, l->epc);
	case SGX_EPA:
		return mach_epa(m, SGX_PT_VA, l->epc);
	case SGX_EWB:
		/* It writes LINADDR. */
		return mach_ewb(m, (void *)(uintptr_t)l->rbx, l->epc, l->rdx);
	case SGX_ETRACK:
		return mach_etrack(m, l->epc);
	case SGX_EAUG:
		return mach_eaug(m, l->rbx, l->epc);
	case SGX_EMODPR:
		return mach_emodpr(m, l->rbx, l->epc);
	default:
		return mach_emodt(m, l->rbx, l->epc);
	}
}

/* What a leaf that is made to fail gives. It is not executed: a leaf that fails
 * has changed nothing. */
static struct mach_result failed(struct drv *d, const struct leaf *l,
				 struct inject_outcome o)
{
	struct mach_result r = { .kind = MACH_FAULT, .vector = SGX_VEC_GP };

	if (o.kind == INJECT_CODE) {
		r.kind = MACH_CODE;
		r.vector = 0;
		r.code = o.value;
	} else if (o.value == SGX_VEC_PF) {
		r.vector = SGX_VEC_PF;
		r.pfec = SGX_PFEC_P | SGX_PFEC_SGX;
		r.addr = l->epc;
	}
	mach_encls_count(d->mach, l->nr, r);
	return r;
}

static int32_t result_of(struct mach_result r)
{
	return r.kind == MACH_FAULT ? TRACE_FAULTED(r.vector) : r.code;
}

static struct mach_result tell(struct drv *d, const struct drv_encl *e,
			       const struct leaf *l, struct mach_result r)
{
	if (traced(d)) {
		struct trace_event ev = { .kind = TRACE_ENCLS,
					  .what = (uint8_t)l->nr,
					  .encl = e->id,
					  .result = result_of(r),
					  .addr = l->addr };

		d->p.trace(d->p.ctx, &ev);
	}
	return r;
}

struct mach_result encls_asked(struct drv *d, const struct drv_encl *e,
			       const struct leaf *l)
{
	return tell(d, e, l, execute(d->mach, l));
}

struct mach_result encls(struct drv *d, const struct drv_encl *e,
			 const struct leaf *l)
{
	struct inject_outcome o = inject_fire(&d->inject, INJECT_ENCLS + l->nr);

	if (o.kind == INJECT_CODE || o.kind == INJECT_FAULT)
		return tell(d, e, l, failed(d, l, o));
	return tell(d, e, l, execute(d->mach, l));
}

bool epc_remove(struct drv *d, const struct drv_encl *e, uint32_t epc,
		uint64_t addr)
{
	static uint8_t nothing[PAGE_SIZE] __attribute__((aligned(4096)));
	struct leaf l = { .nr = SGX_EREMOVE,
			  .epc = mach_epc_addr(epc),
			  .addr = addr };

	if (mach_ok(encls(d, e, &l))) {
		epc_free(d, epc);
		return true;
	}
	/* The leaked page outlives the enclave, whose memory goes: another page
	 * takes its place. Memory without an address (SECS, VA) stays. */
	if (addr)
		d->data[epc] = nothing;
	return false;
}

/* ---- ENCLU and AEX ----------------------------------------------------- */

/* Is the page at @addr one whose EACCEPT depends on tracking? */
static bool tracked_page(struct drv *d, uint64_t addr)
{
	struct mach_epcm_info i;
	struct drv_vma v;
	page_t *p;

	if (!drv_find_vma(d, addr, &v) || v.start > addr)
		return false;
	p = page_find(v.encl, addr);
	if (!p || (*p & PG_EVICTED))
		return false;
	mach_epcm(d->mach, pg_index(*p), &i);
	return i.pr || i.modified;
}

static bool resolvable(struct mach_result r)
{
	return r.kind == MACH_FAULT && r.vector == SGX_VEC_PF &&
	       !(r.pfec & SGX_PFEC_SGX);
}

/* EACCEPT, perhaps as if the interrupt of an ETRACK had not come yet. A try
 * that faults since the page is evicted comes again, and does not count. */
static struct mach_result eaccept(struct drv *d, struct mach_cpu *cpu,
				  struct mach_frame *f)
{
	struct mach_result r;

	if (!(d->inject.points >> INJECT_EACCEPT & 1) ||
	    !tracked_page(d, f->rcx))
		return mach_eaccept(d->mach, cpu, f);
	cpu->untracked = inject_peek(&d->inject, INJECT_EACCEPT).kind;
	r = mach_eaccept(d->mach, cpu, f);
	cpu->untracked = false;
	if (!resolvable(r))
		inject_fire(&d->inject, INJECT_EACCEPT);
	return r;
}

static void tell_enclu(struct drv *d, const struct trace_event *about,
		       struct mach_result r)
{
	struct trace_event ev = *about;

	ev.result = result_of(r);
	if (r.kind == MACH_FAULT && r.vector == SGX_VEC_PF)
		ev.arg = r.pfec;
	drv_trace(d, &ev);
}

/* The record of a leaf, from the registers that it is about to change. */
static struct trace_event about(struct drv *d, const struct mach_cpu *cpu,
				const struct mach_frame *f)
{
	uint32_t leaf = (uint32_t)f->rax;
	struct trace_event ev = { .kind = TRACE_ENCLU,
				  .what = leaf < 63 ? (uint8_t)leaf : 63,
				  .addr = f->rcx };

	if (leaf == SGX_EENTER || leaf == SGX_ERESUME)
		ev.addr = f->rbx;
	else if (leaf == SGX_EEXIT)
		ev.addr = cpu->tcs_addr;
	ev.encl = drv_encl_of(d, cpu->secs);
	return ev;
}

static void refresh(struct drv *d, uint64_t addr, uint32_t leaf)
{
	struct drv_vma v;

	if (leaf == SGX_EMODPE && d->stale && drv_find_vma(d, addr, &v) &&
	    v.start <= addr &&
	    stale_keep(d, v.encl, addr & PAGE_MASK, STALE_EMODPE))
		return;
	drv_refresh(d, addr);
}

struct mach_result drv_enclu(struct drv *d, struct mach_cpu *cpu,
			     struct mach_frame *f)
{
	uint32_t leaf = (uint32_t)f->rax;
	uint64_t rcx = f->rcx;
	struct trace_event ev = { 0 };
	struct mach_result r;

	if (traced(d))
		ev = about(d, cpu, f);
	r = leaf == SGX_EACCEPT ? eaccept(d, cpu, f)
				: mach_enclu(d->mach, cpu, f);
	/* A code says that nothing has changed. */
	if (mach_ok(r) && (leaf == SGX_EACCEPT || leaf == SGX_EACCEPTCOPY ||
			   leaf == SGX_EMODPE))
		refresh(d, rcx, leaf);
	if (leaf == SGX_EEXIT && r.kind != MACH_FAULT)
		stale_left(d);
	if (traced(d)) {
		if (!ev.encl)
			ev.encl = drv_encl_of(d, cpu->secs);
		tell_enclu(d, &ev, r);
	}
	return r;
}

struct mach_result drv_eenter(struct drv *d, struct mach_cpu *cpu,
			      struct mach_frame *f)
{
	uint64_t faults = cpu->enclu_faults;
	struct trace_event ev;
	struct mach_result r;

	if (traced(d))
		ev = about(d, cpu, f);
	r = mach_eenter(d->mach, cpu, f);
	/* The thread executes its ENCLU then, which traps: that one counts. */
	if (!mach_ok(r)) {
		cpu->enclu_faults = faults;
	} else if (traced(d)) {
		ev.encl = drv_encl_of(d, cpu->secs);
		tell_enclu(d, &ev, r);
	}
	return r;
}

void drv_aex(struct drv *d, struct mach_cpu *cpu, struct mach_frame *f,
	     const struct mach_event *ev, enum trace_aex why)
{
	struct trace_event told = { .kind = TRACE_AEX,
				    .what = (uint8_t)why,
				    .addr = ev->addr,
				    .arg = (uint32_t)ev->vector << 16 |
					   ev->errcode };

	if (traced(d)) {
		told.encl = drv_encl_of(d, cpu->secs);
		drv_trace(d, &told);
	}
	mach_aex(d->mach, cpu, f, ev);
	stale_left(d);
}

/* ---- other events ------------------------------------------------------ */

bool drv_traced(const struct drv *d)
{
	return traced(d);
}

void drv_trace(struct drv *d, const struct trace_event *ev)
{
	if (traced(d))
		d->p.trace(d->p.ctx, ev);
}

uint16_t drv_encl_id(const struct drv_encl *e)
{
	return e->id;
}

uint16_t drv_encl_of(struct drv *d, uint32_t secs)
{
	for (struct drv_encl *e = d->encls; e; e = e->next)
		if (e->secs_epc == secs && secs != MACH_EPC_NONE)
			return e->id;
	return 0;
}

void trace_fault(struct drv *d, const struct drv_encl *e, unsigned what,
		 uint64_t addr, uint32_t pfec)
{
	struct trace_event ev = { .kind = TRACE_FAULT,
				  .what = (uint8_t)what,
				  .encl = e->id,
				  .addr = addr,
				  .arg = pfec };

	drv_trace(d, &ev);
}

void trace_map(struct drv *d, unsigned kind, const struct drv_vma *v)
{
	struct trace_event ev = { .kind = (uint8_t)kind,
				  .what = (uint8_t)v->prot,
				  .encl = v->encl ? v->encl->id : 0,
				  .addr = v->start,
				  .arg = (uint32_t)((v->end - v->start) >>
						    SGX_PAGE_SHIFT) };

	drv_trace(d, &ev);
}

void trace_interrupt(struct drv *d, const struct mach_cpu *cpu, unsigned why,
		     uint64_t addr)
{
	struct trace_event ev = { .kind = TRACE_AEX,
				  .what = (uint8_t)why,
				  .encl = drv_encl_of(d, cpu->secs),
				  .addr = addr };

	drv_trace(d, &ev);
	ev.kind = TRACE_ENCLU;
	ev.what = SGX_ERESUME;
	ev.addr = cpu->tcs_addr;
	drv_trace(d, &ev);
}
