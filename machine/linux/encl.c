/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's start, enclaves' lives, and the lock.
 */
#include <errno.h>
#include <string.h>

#include "machine/linux/internal.h"

static size_t round_page(size_t n)
{
	return (n + PAGE_SIZE - 1) & PAGE_MASK;
}

static size_t stack_off(void)
{
	return round_page(sizeof(struct drv));
}

static size_t data_off(const struct drv_config *c)
{
	return stack_off() + round_page(c->mach.epc_pages * sizeof(uint32_t));
}

static size_t evicted_off(const struct drv_config *c)
{
	return data_off(c) + round_page(c->mach.epc_pages * sizeof(void *));
}

static size_t mach_off(const struct drv_config *c)
{
	return evicted_off(c) + round_page(EVICTED_CHUNKS * sizeof(void *));
}

size_t drv_size(const struct drv_config *c)
{
	size_t n = mach_size(&c->mach);

	return n && !c->mach.arena ? mach_off(c) + n : 0;
}

static uint8_t *hook_page(void *ctx, uint32_t epc)
{
	return ((struct drv *)ctx)->data[epc];
}

struct drv *drv_init(void *mem, const struct drv_config *c,
		     const struct drv_hooks *p)
{
	struct drv *d = mem;
	char *base = mem;
	struct mach_hooks mp = { .ctx = d,
				 .page = hook_page,
				 .translate = drv_translate };

	if (!drv_size(c))
		return NULL;
	d->p = *p;
	d->inject = c->inject;
	d->production = c->production;
	d->sgx2 = c->mach.features & MACH_F_SGX2;
	d->attributes = SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT | SGX_ATTR_KSS |
			SGX_ATTR_AEXNOTIFY;
	d->epc_pages = c->mach.epc_pages;
	d->quota = c->has_quota && c->quota < d->epc_pages;
	d->limit = d->quota ? c->quota : d->epc_pages;
	d->stats.quota_pages = d->limit;
	d->free_stack = (uint32_t *)(void *)(base + stack_off());
	d->data = (uint8_t **)(void *)(base + data_off(c));
	d->evicted = (struct evicted **)(void *)(base + evicted_off(c));
	d->mach = mach_init(base + mach_off(c), &c->mach, &mp);
	d->stats.epc_pages = d->epc_pages;
	return d->mach ? d : NULL;
}

struct mach *drv_mach(struct drv *d)
{
	return d->mach;
}

void drv_lock(struct drv *d)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(&d->lock, &free, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&d->lock, 2, __ATOMIC_ACQUIRE))
		d->p.wait(d->p.ctx, &d->lock, 2);
}

void drv_unlock(struct drv *d)
{
	if (__atomic_exchange_n(&d->lock, 0, __ATOMIC_RELEASE) == 2)
		d->p.wake(d->p.ctx, &d->lock);
}

int drv_may_open(struct drv *d)
{
	struct inject_outcome o = { .kind = INJECT_NONE };

	drv_lock(d);
	if (!d->encls)
		o = inject_fire(&d->inject, INJECT_OPEN);
	drv_unlock(d);
	return o.kind == INJECT_ERRNO ? -(int)o.value : 0;
}

struct drv_encl *drv_open(struct drv *d, void *cookie)
{
	struct drv_encl *e;

	drv_lock(d);
	e = pool_get(d, POOL_ENCL);
	if (e) {
		e->cookie = cookie;
		e->id = (uint16_t)++d->encl_ids;
		e->secs_epc = MACH_EPC_NONE;
		e->next = d->encls;
		d->encls = e;
	}
	drv_unlock(d);
	return e;
}

void drv_encl_read_only(struct drv_encl *e)
{
	e->read_only = true;
}

void *drv_encl_cookie(const struct drv_encl *e)
{
	return e->cookie;
}

uint8_t *drv_encl_mem(const struct drv_encl *e)
{
	return e->mem;
}

uint64_t drv_encl_base(const struct drv_encl *e)
{
	return e->base;
}

uint64_t drv_encl_size(const struct drv_encl *e)
{
	return e->size;
}

static void free_pages(struct drv *d, struct drv_encl *e)
{
	uint64_t at;
	page_t *p;

	for (uint64_t a = e->base;
	     (p = page_next(e, a, e->base + e->size, &at));
	     a = at + PAGE_SIZE) {
		if (*p & PG_EVICTED) {
			evicted_drop(d, e, pg_index(*p));
			continue;
		}
		epc_remove(d, e, pg_index(*p), at);
	}
	page_drop_all(d, e);
}

static void free_secs(struct drv *d, struct drv_encl *e)
{
	bool free = true;

	if (e->secs & PG_EVICTED)
		evicted_drop(d, e, pg_index(e->secs));
	else if (e->secs & PG_EXISTS)
		free = epc_remove(d, e, e->secs_epc, 0);
	e->secs = 0;
	if (e->secs_mem && free)
		pool_put(d, POOL_PAGE, e->secs_mem);
	e->secs_mem = NULL;
	while (e->va) {
		struct va_page *va = e->va;

		e->va = va->next;
		va_free(d, e, va);
	}
}

struct ending {
	struct drv *d;
	uint32_t secs;
};

/* A thread that ended inside, or whose mappings went away under it. */
static void take_out(void *arg, struct mach_cpu *cpu)
{
	struct ending *end = arg;
	struct mach_frame f = { 0 };
	struct mach_event ev = { .exception = false };

	if (mach_inside(cpu) && cpu->secs == end->secs)
		drv_aex(end->d, cpu, &f, &ev, TRACE_AEX_ENDED);
}

void encl_free(struct drv *d, struct drv_encl *e)
{
	struct drv_encl **link = &d->encls;
	struct ending end = { d, e->secs_epc };

	while (*link != e)
		link = &(*link)->next;
	if (e->state & ENCL_CREATED) {
		d->p.each_cpu(d->p.ctx, take_out, &end);
		free_pages(d, e);
		free_secs(d, e);
	}
	*link = e->next;
	d->p.destroy(d->p.ctx, e);
	pool_put(d, POOL_ENCL, e);
}

void drv_release(struct drv *d, struct drv_encl *e)
{
	drv_lock(d);
	e->state |= ENCL_CLOSED;
	if (!e->vmas)
		encl_free(d, e);
	drv_unlock(d);
}

static void lose(struct drv *d, struct drv_encl *e)
{
	uint64_t at;
	page_t *p;

	struct trace_event ev = { .kind = TRACE_LOSE, .encl = e->id };

	e->state |= ENCL_LOST;
	drv_trace(d, &ev);
	if (!(e->state & ENCL_CREATED))
		return;
	for (uint64_t a = e->base;
	     (p = page_next(e, a, e->base + e->size, &at)); a = at + PAGE_SIZE)
		page_view(d, e, p, at);
}

void drv_lose(struct drv *d, struct drv_encl *e)
{
	drv_lock(d);
	lose(d, e);
	drv_unlock(d);
}

void drv_lose_all(struct drv *d)
{
	drv_lock(d);
	for (struct drv_encl *e = d->encls; e; e = e->next)
		lose(d, e);
	drv_unlock(d);
}

void drv_stats(struct drv *d, struct edmm_machine_stats *sum)
{
	drv_lock(d);
	watch_sum(sum, &d->stats);
	sum->epc_used += epc_used(d);
	drv_unlock(d);
}
