/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EPC reclaim and its reverse: EBLOCK, zap, ETRACK, interrupt, EWB; ELDU.
 *
 * Linux keeps ciphertext in a shared-memory file of the enclave. Here it lies
 * where the page's contents were: in the page's own memory, which nothing
 * shows while the page is out. PCMD and the slot of the version are in struct
 * evicted.
 *
 * Pages are taken by a clock over the EPC; a page that was touched since the
 * hand last passed is passed over once. What a thread inside would save its
 * state into is never taken: a thread that is interrupted here goes on at once,
 * and would only load it back.
 */
#include <errno.h>
#include <string.h>

#include "machine/linux/internal.h"

#define BATCH 16u

struct victim {
	struct drv_encl *e;
	page_t *p;
	uint64_t addr;
};

/* ---- where evicted pages are ------------------------------------------- */

static struct evicted *evicted_at(struct drv *d, uint32_t i)
{
	return &d->evicted[i / EVICTED_WAYS][i % EVICTED_WAYS];
}

static bool evicted_take(struct drv *d, uint32_t *out)
{
	uint32_t i;

	if (d->evicted_free) {
		*out = d->evicted_free - 1;
		d->evicted_free = evicted_at(d, *out)->next_free;
		return true;
	}
	i = d->evicted_fresh;
	if (i / EVICTED_WAYS >= EVICTED_CHUNKS)
		return false;
	if (i % EVICTED_WAYS == 0)
		d->evicted[i / EVICTED_WAYS] = d->p.alloc(
			d->p.ctx, EVICTED_WAYS * sizeof(struct evicted));
	if (!d->evicted[i / EVICTED_WAYS])
		return false;
	d->evicted_fresh++;
	*out = i;
	return true;
}

static void evicted_put(struct drv *d, uint32_t i)
{
	evicted_at(d, i)->next_free = d->evicted_free;
	d->evicted_free = i + 1;
}

static uint64_t slot_take(struct drv_encl *e)
{
	struct va_page *va = e->va;
	unsigned i = 0, bit;

	while (va && va->used == VA_SLOTS)
		va = va->next;
	if (!va)
		return 0;
	while (!~va->map[i])
		i++;
	bit = (unsigned)__builtin_ctzll(~va->map[i]);
	va->map[i] |= 1ull << bit;
	va->used++;
	return mach_epc_addr(va->epc) + (i * 64 + bit) * 8;
}

static void slot_put(struct drv_encl *e, uint64_t slot)
{
	uint32_t n = (uint32_t)(slot % PAGE_SIZE) / 8;

	for (struct va_page *va = e->va; va; va = va->next) {
		if (mach_epc_addr(va->epc) != (slot & PAGE_MASK))
			continue;
		va->map[n / 64] &= ~(1ull << (n % 64));
		va->used--;
		return;
	}
}

void evicted_drop(struct drv *d, struct drv_encl *e, uint32_t index)
{
	if (index == EVICTED_LOST)
		return;
	slot_put(e, evicted_at(d, index)->va);
	evicted_put(d, index);
}

/* ---- out --------------------------------------------------------------- */

/* EWB; Linux answers SGX_NOT_TRACKED with ETRACK, then with an interrupt. */
static struct mach_result ewb(struct drv *d, struct drv_encl *e,
			      const struct leaf *l)
{
	struct leaf track = { .nr = SGX_ETRACK,
			      .epc = mach_epc_addr(e->secs_epc) };
	struct mach_result r = encls(d, e, l);

	if (r.kind != MACH_CODE || r.code != SGX_NOT_TRACKED)
		return r;
	encls(d, e, &track);
	r = encls(d, e, l);
	if (r.kind != MACH_CODE || r.code != SGX_NOT_TRACKED)
		return r;
	ipi(d);
	return encls(d, e, l);
}

/* EWB of EPC page @epc into its own memory; the index of its record. Where EWB
 * fails, Linux warns and gives the page away: its contents are lost. */
static bool write_out(struct drv *d, struct drv_encl *e, uint32_t epc,
		      uint64_t addr, uint32_t *index)
{
	uint8_t out[PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_pageinfo pi = { .srcpge = (uint64_t)(uintptr_t)out };
	struct leaf l = { .nr = SGX_EWB,
			  .epc = mach_epc_addr(epc),
			  .addr = addr,
			  .rbx = &pi,
			  .rdx = slot_take(e) };
	struct mach_result r;
	struct evicted *ev;

	if (!l.rdx)
		return false;
	if (!evicted_take(d, index)) {
		slot_put(e, l.rdx);
		return false;
	}
	ev = evicted_at(d, *index);
	ev->va = l.rdx;
	pi.secinfo = (uint64_t)(uintptr_t)&ev->pcmd;
	r = ewb(d, e, &l);
	if (r.kind == MACH_CODE && r.code == SGX_NOT_TRACKED &&
	    encl_owing(d, e)) {
		evicted_drop(d, e, *index);
		return false;
	}
	if (!mach_ok(r)) {
		evicted_drop(d, e, *index);
		*index = EVICTED_LOST;
		epc_remove(d, e, epc, addr);
		return true;
	}
	memcpy(d->data[epc], out, PAGE_SIZE);
	epc_free(d, epc);
	return true;
}

static void secs_out(struct drv *d, struct drv_encl *e)
{
	uint32_t index;

	if (e->children || !(e->state & ENCL_INITIALIZED) ||
	    !write_out(d, e, e->secs_epc, 0, &index))
		return;
	pg_set_index(&e->secs, index);
	e->secs |= PG_EVICTED;
	e->secs_epc = MACH_EPC_NONE;
}

/*
 * A page that stays because a thread is in the way is remembered as blocked:
 * whoever wants it next, or the next round, does the rest.
 */
static bool page_out(struct drv *d, struct drv_encl *e, page_t *p,
		     uint64_t addr)
{
	uint32_t index;

	if (!write_out(d, e, pg_index(*p), addr, &index))
		return false;
	pg_set_index(p, index);
	*p = (*p & ~PG_BLOCKED) | PG_EVICTED;
	e->children--;
	if (index != EVICTED_LOST)
		d->stats.pages_evicted++;
	return true;
}

static struct drv_encl *encl_of(struct drv *d, uint32_t secs)
{
	for (struct drv_encl *e = d->encls; e; e = e->next)
		if (e->secs_epc == secs)
			return e;
	return NULL;
}

struct pinned {
	uint32_t epc;
	bool yes;
};

static void pin(void *arg, struct mach_cpu *cpu)
{
	struct pinned *p = arg;

	if (!mach_inside(cpu))
		return;
	p->yes |= cpu->tcs == p->epc || cpu->gpr == p->epc;
	for (uint32_t i = 0; i < cpu->xsave_count; i++)
		p->yes |= cpu->xsave[i] == p->epc;
}

static bool choose(struct drv *d, uint32_t epc, struct victim *v)
{
	struct pinned pinned = { .epc = epc };
	struct mach_epcm_info i;

	mach_epcm(d->mach, epc, &i);
	if (!i.valid || i.pt == SGX_PT_SECS || i.pt == SGX_PT_VA)
		return false;
	v->e = encl_of(d, i.secs);
	v->addr = i.addr;
	v->p = v->e ? page_find(v->e, i.addr) : NULL;
	if (!v->p || (*v->p & PG_EVICTED) || pg_index(*v->p) != epc ||
	    (v->e->state & ENCL_LOST))
		return false;
	if (*v->p & PG_YOUNG) {
		*v->p &= ~PG_YOUNG;
		return false;
	}
	/* No more than a hint: until EBLOCK a thread may still enter. */
	d->p.each_cpu(d->p.ctx, pin, &pinned);
	return !pinned.yes;
}

/*
 * Linux only warns if EBLOCK fails; the EWB that follows fails, too. Where a
 * thread has entered since the look above and stands on the page, tracking does
 * not complete, and the page stays.
 */
static void block(struct drv *d, struct victim *v)
{
	struct leaf l = { .nr = SGX_EBLOCK,
			  .epc = mach_epc_addr(pg_index(*v->p)),
			  .addr = v->addr };

	if (*v->p & PG_BLOCKED)
		return;
	*v->p |= PG_BLOCKED;
	page_zap(d, v->e, v->p, v->addr);
	encls(d, v->e, &l);
}

static bool chosen(const struct victim *v, uint32_t n, const page_t *p)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].p == p)
			return true;
	return false;
}

static uint32_t choose_batch(struct drv *d, struct victim *v)
{
	uint32_t n = 0, turns = 2 * d->epc_fresh;

	for (; turns && n < BATCH; turns--) {
		uint32_t epc = d->hand++;

		if (d->hand >= d->epc_fresh)
			d->hand = 0;
		if (choose(d, epc, &v[n]) && !chosen(v, n, v[n].p))
			block(d, &v[n++]);
	}
	return n;
}

void reclaim(struct drv *d)
{
	struct victim v[BATCH];
	uint32_t n = choose_batch(d, v);

	for (uint32_t i = 0; i < n; i++)
		page_out(d, v[i].e, v[i].p, v[i].addr);
	for (uint32_t i = 0; i < n; i++)
		if (!(v[i].e->secs & PG_EVICTED))
			secs_out(d, v[i].e);
}

/* ---- in ---------------------------------------------------------------- */

/* ELDU of record @index to @addr with contents at @mem. */
static int read_in(struct drv *d, struct drv_encl *e, uint32_t index,
		   uint64_t addr, uint8_t *mem, uint32_t *out)
{
	uint8_t in[PAGE_SIZE] __attribute__((aligned(4096)));
	struct evicted *ev = evicted_at(d, index);
	struct sgx_pageinfo pi = { .linaddr = addr };
	struct leaf l = {
		.nr = SGX_ELDU, .addr = addr, .rbx = &pi, .rdx = ev->va
	};
	uint32_t epc;
	int r = epc_alloc(d, mem, &epc);

	if (r)
		return r;
	memcpy(in, mem, PAGE_SIZE);
	pi.srcpge = (uint64_t)(uintptr_t)in;
	pi.secinfo = (uint64_t)(uintptr_t)&ev->pcmd;
	if (mem != e->secs_mem)
		pi.secs = mach_epc_addr(e->secs_epc);
	l.epc = mach_epc_addr(epc);
	if (!mach_ok(encls(d, e, &l))) {
		/* Linux has dropped the PCMD: no later try can work. */
		memset(&ev->pcmd, 0, sizeof(ev->pcmd));
		memcpy(mem, in, PAGE_SIZE);
		epc_free(d, epc);
		return -EFAULT;
	}
	evicted_drop(d, e, index);
	*out = epc;
	return 0;
}

int secs_in(struct drv *d, struct drv_encl *e)
{
	uint32_t epc;
	int r;

	if (!(e->secs & PG_EVICTED))
		return 0;
	if (pg_index(e->secs) == EVICTED_LOST)
		return -EFAULT;
	r = read_in(d, e, pg_index(e->secs), 0, e->secs_mem, &epc);
	if (r)
		return r;
	e->secs = PG_EXISTS | epc;
	e->secs_epc = epc;
	return 0;
}

int page_load(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr)
{
	uint32_t epc;
	int r;

	if (e->state & ENCL_LOST)
		return *p & PG_EVICTED ? -EFAULT : 0;
	/* Nothing unblocks a page but EWB and ELDU. */
	if ((*p & PG_BLOCKED) && !page_out(d, e, p, addr))
		return -EBUSY;
	if (!(*p & PG_EVICTED))
		return 0;
	if (pg_index(*p) == EVICTED_LOST)
		return -EFAULT;
	/* Counted first: a SECS with children is not evicted meanwhile. */
	e->children++;
	r = secs_in(d, e);
	if (!r)
		r = read_in(d, e, pg_index(*p), addr, page_mem(e, addr), &epc);
	if (r) {
		e->children--;
		return r;
	}
	pg_set_index(p, epc);
	*p = (*p & ~PG_EVICTED) | PG_YOUNG;
	d->stats.pages_loaded++;
	return 0;
}
