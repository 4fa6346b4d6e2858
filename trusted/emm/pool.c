/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of the metadata region: committed in chunks while some are still left,
 * by the op that finds them few, and given back when many are in no use. One
 * thread at a time does either (pool->growing); what it works on is in no
 * list, so that no lock is held across leaves and host calls (I4).
 *
 * A page with free cells keeps them in a list of its own, so that it is known
 * at once when all of them are free. The list's head is in a tally page, two
 * bytes a page; the chain of such pages is in their free cells.
 *
 * Tables stay: a walker that is late may look into one (instance.h). There is
 * at most one for each 128 MiB of range, and some for ops in progress.
 */
#include "trusted/emm/instance.h"

#define LOW_PAGES 6u   /* grow when fewer are left, */
#define GROW_PAGES 16u /* by so many at least; small pools by less */
#define KEEP_PAGES 16u /* fresh pages that are not given back, */
#define MANY_PAGES 64u /* and from how many on it is worth a look */
#define TALLIED 2048u  /* pages of one tally, with itself */

static uint64_t page_addr(const struct emm *emm, uint64_t page)
{
	return (uint64_t)(uintptr_t)emm->meta + (page << PAGE_SHIFT);
}

static struct fresh *fresh_ptr(const struct emm *emm, uint32_t page)
{
	return (struct fresh *)(void *)(emm->meta +
					((uint64_t)page << PAGE_SHIFT));
}

static struct hole *hole_ptr(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

/* A run of pages that are in the enclave and in no use; the pool is locked. */
static void fresh_put(struct emm *emm, uint64_t page, uint64_t count)
{
	struct pool *pool = &emm->pool;
	struct fresh *f = fresh_ptr(emm, (uint32_t)page);

	if (!count)
		return;
	f->next = pool->fresh;
	f->count = (uint32_t)count;
	pool->fresh = (uint32_t)page;
	POKE(&pool->nfresh, pool->nfresh + count);
}

/* The same, without the tallies among them. */
static void fresh_put_new(struct emm *emm, uint64_t page, uint64_t count)
{
	uint64_t end = page + count, fixed = emm->pool.fixed;

	while (page < end) {
		uint64_t next = page + TALLIED - (page - fixed) % TALLIED;

		if ((page - fixed) % TALLIED == 0)
			page++;
		if (next > end)
			next = end;
		fresh_put(emm, page, next - page);
		page = next;
	}
}

void pool_init(struct emm *emm, uint64_t fixed, uint64_t committed,
	       uint64_t pages)
{
	struct pool *pool = &emm->pool;

	pool->fixed = fixed;
	pool->committed = committed;
	pool->least = committed;
	pool->pages = pages;
	fresh_put_new(emm, fixed, committed - fixed);
}

/* A quarter of what is there, up to most; and enough for what frees. */
static uint64_t scaled(const struct pool *pool, uint64_t most)
{
	uint64_t n = PEEK(&pool->committed) / 8 + 1;

	return n < most ? n : most;
}

bool pool_low(const struct pool *pool)
{
	return PEEK(&pool->nfresh) < scaled(pool, LOW_PAGES) &&
	       (PEEK(&pool->committed) < pool->pages || PEEK(&pool->nholes));
}

/* Fresh pages to keep: some, a share of what is in use, and the first ones. */
static uint64_t keep_pages(const struct pool *pool)
{
	uint64_t keep = KEEP_PAGES + PEEK(&pool->cell_pages) / 16;
	uint64_t used = PEEK(&pool->committed) - PEEK(&pool->nholes) -
			PEEK(&pool->nfresh);

	return used + keep < pool->least ? pool->least - used : keep;
}

bool pool_high(const struct pool *pool)
{
	uint64_t fresh = PEEK(&pool->nfresh);

	return fresh > MANY_PAGES && fresh > MANY_PAGES + keep_pages(pool) &&
	       !PEEK(&pool->growing);
}

/* Take a fresh page; there is one, and the pool is locked. */
uint32_t pool_page(struct emm *emm)
{
	struct pool *pool = &emm->pool;
	uint32_t page = pool->fresh;
	struct fresh *f = fresh_ptr(emm, page);

	POKE(&pool->nfresh, pool->nfresh - 1);
	if (--f->count)
		return page + f->count;
	pool->fresh = f->next;
	return page;
}

static struct tally *tally_of(const struct emm *emm, uint32_t page)
{
	uint64_t at = page - emm->pool.fixed;
	uint64_t first = emm->pool.fixed + at / TALLIED * TALLIED;
	uint8_t *base = emm->meta + (first << PAGE_SHIFT);

	return (struct tally *)(void *)base + at % TALLIED;
}

static struct free_cell *free_ptr(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

/* The free cell that holds a partial page's links. */
static struct free_cell *links_of(const struct emm *emm, uint32_t page)
{
	return free_ptr(emm, page * CELLS_A_PAGE + tally_of(emm, page)->head);
}

static void partial_put(struct emm *emm, uint32_t page)
{
	struct pool *pool = &emm->pool;
	struct free_cell *l = links_of(emm, page);

	l->above = 0;
	l->below = pool->partial;
	if (l->below)
		links_of(emm, l->below)->above = page;
	pool->partial = page;
}

static void partial_drop(struct emm *emm, const struct free_cell *l)
{
	if (l->above)
		links_of(emm, l->above)->below = l->below;
	else
		emm->pool.partial = l->below;
	if (l->below)
		links_of(emm, l->below)->above = l->above;
}

static void page_cut(struct emm *emm)
{
	uint32_t page = pool_page(emm), first = page * CELLS_A_PAGE, i;

	for (i = 0; i < CELLS_A_PAGE; i++)
		free_ptr(emm, first + i)->next =
			i + 1 < CELLS_A_PAGE ? first + i + 1 : 0;
	*tally_of(emm, page) = (struct tally){ .count = CELLS_A_PAGE };
	partial_put(emm, page);
	POKE(&emm->pool.cell_pages, emm->pool.cell_pages + 1);
	emm->pool.ncells += CELLS_A_PAGE;
}

/* Take a free cell, of a fresh page if need be; there is one. */
uint32_t pool_cell(struct emm *emm)
{
	struct pool *pool = &emm->pool;
	struct free_cell *c, *n;
	struct tally *t;
	uint32_t page;

	if (!pool->partial)
		page_cut(emm);
	page = pool->partial;
	t = tally_of(emm, page);
	c = links_of(emm, page);
	if (c->next) {
		n = free_ptr(emm, c->next);
		n->above = c->above;
		n->below = c->below;
		t->head = (uint8_t)(c->next % CELLS_A_PAGE);
	} else {
		partial_drop(emm, c);
	}
	t->count--;
	pool->ncells--;
	return (uint32_t)(((uint8_t *)c - emm->meta) / CELL_SIZE);
}

/* Free a cell; a page of which all are free is fresh. */
void pool_cell_free(struct emm *emm, uint32_t cell)
{
	uint32_t page = cell / CELLS_A_PAGE;
	struct tally *t = tally_of(emm, page);
	struct free_cell *c = free_ptr(emm, cell);

	*c = (struct free_cell){ .next = 0 };
	if (t->count) {
		const struct free_cell *head = links_of(emm, page);

		*c = (struct free_cell){
			.next = page * CELLS_A_PAGE + t->head,
			.above = head->above,
			.below = head->below,
		};
	}
	emm->pool.ncells++;
	t->head = (uint8_t)(cell % CELLS_A_PAGE);
	if (!t->count++)
		partial_put(emm, page);
	if (t->count < CELLS_A_PAGE)
		return;
	partial_drop(emm, c);
	t->count = 0;
	emm->pool.ncells -= CELLS_A_PAGE;
	POKE(&emm->pool.cell_pages, emm->pool.cell_pages - 1);
	fresh_put(emm, page, 1);
}

/* ---- growth ------------------------------------------------------------ */

static bool accept_new(struct emm *emm, uint64_t page)
{
	static const struct sgx_secinfo si = {
		.flags = FRESH_FLAGS,
	};
	unsigned int tries = 0;
	int rc;

	do {
		rc = emm->hooks.eaccept(emm->ctx, &si, page_addr(emm, page));
	} while (rc == EMM_LEAF_PF && ++tries < PF_RETRIES);
	return !rc;
}

/* Accept pages that the host has room for. Return: how many, from the first. */
static uint64_t accept_run(struct op *op, uint64_t page, uint64_t count)
{
	struct emm *emm = op->emm;
	uint64_t addr = page_addr(emm, page), i = 0;

	if (emm->hooks.populate) {
		COUNT(op->slot->host_calls, 1);
		COUNT(op->slot->populates, 1);
		(void)emm->hooks.populate(emm->ctx, addr, count << PAGE_SHIFT);
	}
	while (i < count && accept_new(emm, page + i))
		i++;
	return i;
}

static int region_modify(struct op *op, enum emm_host_op what, uint64_t page,
			 uint64_t count)
{
	struct emm *emm = op->emm;
	const struct emm_modify m = { .op = what,
				      .from = EMM_RW,
				      .to = EMM_RW,
				      .addr = page_addr(emm, page),
				      .size = count << PAGE_SHIFT };

	COUNT(op->slot->host_calls, 1);
	return turn_modify(op, &m);
}

/* Take back some of a hole. Return: pages; 0: there is none, or no luck. */
static uint64_t grow_hole(struct op *op, uint64_t most)
{
	struct emm *emm = op->emm;
	struct pool *pool = &emm->pool;
	uint32_t cell = PEEK(&pool->holes);
	struct hole *h = hole_ptr(emm, cell);
	uint64_t n, got;

	if (!cell)
		return 0;
	if (h->there && region_modify(op, EMM_HOST_REMOVE, h->page, h->count))
		return 0;
	h->there = false;
	n = h->count < most ? h->count : most;
	got = accept_run(op, h->page, n);
	lock_acquire(emm, &pool->lock);
	fresh_put(emm, h->page, got);
	POKE(&pool->nholes, pool->nholes - got);
	h->page += (uint32_t)got;
	h->count -= (uint32_t)got;
	if (!h->count) {
		POKE(&pool->holes, h->next);
		pool_cell_free(emm, cell);
	}
	lock_release(&pool->lock);
	return got;
}

/* Pages of the region that are the manager's now. */
static uint64_t owned(const struct emm *emm)
{
	if (emm->meta_own == emm->meta_end)
		return emm->pool.pages;
	return PEEK(&emm->meta_hi) - emm->meta_lo;
}

/* Is nothing there, and nobody at work? The zones are locked. */
static bool untouched(struct emm *emm, uint32_t a, uint32_t b)
{
	bool yes = area_empty(emm, a, b);

	while (yes && a < b) {
		struct span sp;

		map_lock(emm, a, &sp);
		yes = span_byte(&sp, a) == PG_NONE;
		a = sp.bytes ? a + 1 : sp.first + sp.n;
		map_unlock_clean(&sp);
	}
	return yes;
}

/*
 * Take as much of the shared part as `pages` of the region need, if no area is
 * there. First the border moves: whoever claims pages after untouched() has
 * looked at them sees it (op_in_meta).
 */
static void take_shared(struct emm *emm, uint64_t pages)
{
	uint32_t from = PEEK(&emm->meta_hi),
		 to = emm->meta_lo + (uint32_t)pages;

	zones_lock(emm, from, to);
	POKE(&emm->meta_hi, to);
	if (!untouched(emm, from, to))
		POKE(&emm->meta_hi, from);
	zones_unlock(emm, from, to);
}

/* What was given back at the end is everybody's again. */
static void leave_shared(struct emm *emm)
{
	uint64_t own = emm->meta_own - emm->meta_lo, n = emm->pool.committed;

	if (emm->meta_own < emm->meta_end)
		POKE(&emm->meta_hi,
		     emm->meta_lo + (uint32_t)(n > own ? n : own));
}

static uint64_t grow_end(struct op *op, uint64_t n)
{
	struct emm *emm = op->emm;
	struct pool *pool = &emm->pool;
	uint64_t from = pool->committed, got;

	if (n > pool->pages - from)
		n = pool->pages - from;
	if (from + n > owned(emm))
		take_shared(emm, from + n);
	if (from + n > owned(emm))
		n = owned(emm) - from;
	if (!n ||
	    (emm->hooks.map && emm->hooks.map(emm->ctx, page_addr(emm, from),
					      n << PAGE_SHIFT, EMM_COMMIT_NOW)))
		return 0;
	got = accept_run(op, from, n);
	lock_acquire(emm, &pool->lock);
	POKE(&pool->committed, from + got);
	fresh_put_new(emm, from, got);
	lock_release(&pool->lock);
	if (got && emm->hooks.notify)
		emm->hooks.notify(emm->ctx, EMM_EV_META, page_addr(emm, from),
				  got << PAGE_SHIFT);
	return got;
}

/* One page: a hint to the host would cost what its fault does. */
edmm_err pool_bring(struct op *op, uint64_t page)
{
	struct emm *emm = op->emm;
	uint64_t addr = page_addr(emm, page);

	if (emm->static_mode ||
	    (emm->hooks.map &&
	     emm->hooks.map(emm->ctx, addr, EMM_PAGE, EMM_COMMIT_NOW)) ||
	    !accept_new(emm, page))
		return -EDMM_ENOMEM;
	if (emm->hooks.notify)
		emm->hooks.notify(emm->ctx, EMM_EV_META, addr, EMM_PAGE);
	return 0;
}

/* Grow if little is left. need: nothing is left, so wait for who grows. */
edmm_err pool_grow(struct op *op, bool need)
{
	struct emm *emm = op->emm;
	struct pool *pool = &emm->pool;
	uint32_t rounds = 0;
	uint64_t n;

	if (emm->static_mode ||
	    (PEEK(&pool->committed) >= pool->pages && !PEEK(&pool->nholes)))
		return -EDMM_ENOMEM;
	if (__atomic_exchange_n(&pool->growing, 1, __ATOMIC_ACQUIRE)) {
		if (need)
			turn_leave(emm, PEEK(&op->slot->owner));
		while (need && LOAD(&pool->growing))
			lock_spin(emm, &rounds);
		return 0;
	}
	n = pool->committed / 8;
	if (n < GROW_PAGES)
		n = scaled(pool, GROW_PAGES);
	n = grow_hole(op, n) || grow_end(op, n);
	STORE(&pool->growing, 0);
	return n ? 0 : -EDMM_ENOMEM;
}

/* ---- giving back ------------------------------------------------------- */

/* Merge two chains of runs, each in ascending order. */
static uint32_t merge(struct emm *emm, uint32_t a, uint32_t b)
{
	uint32_t head = 0, *link = &head;

	while (a && b) {
		uint32_t *low = a < b ? &a : &b;

		*link = *low;
		link = &fresh_ptr(emm, *low)->next;
		*low = *link;
	}
	*link = a ? a : b;
	return head;
}

static uint32_t sort(struct emm *emm, uint32_t list)
{
	uint32_t part[32] = { 0 }, all = 0;
	unsigned int i;

	while (list) {
		uint32_t one = list;

		list = fresh_ptr(emm, one)->next;
		fresh_ptr(emm, one)->next = 0;
		for (i = 0; i < 31 && part[i]; i++) {
			one = merge(emm, part[i], one);
			part[i] = 0;
		}
		part[i] = merge(emm, part[i], one);
	}
	for (i = 0; i < 32; i++)
		all = merge(emm, part[i], all);
	return all;
}

/* Make one run of those of a sorted chain that touch. */
static void join(struct emm *emm, uint32_t list)
{
	while (list) {
		struct fresh *f = fresh_ptr(emm, list);

		while (f->next == list + f->count) {
			const struct fresh *next = fresh_ptr(emm, f->next);

			f->count += next->count;
			f->next = next->next;
		}
		list = f->next;
	}
}

/* Take the fresh pages beyond `keep`, the highest, as a chain of runs. */
static uint32_t surplus(struct emm *emm, uint64_t keep)
{
	struct pool *pool = &emm->pool;
	uint32_t list, run, go = 0;

	lock_acquire(emm, &pool->lock);
	list = pool->fresh;
	pool->fresh = 0;
	POKE(&pool->nfresh, 0);
	lock_release(&pool->lock);
	list = sort(emm, list);
	join(emm, list);
	lock_acquire(emm, &pool->lock);
	while ((run = list) != 0) {
		struct fresh f = *fresh_ptr(emm, run);
		uint64_t n = keep > pool->nfresh ? keep - pool->nfresh : 0;

		list = f.next;
		n = n < f.count ? n : f.count;
		fresh_put(emm, run, n);
		if (n == f.count)
			continue;
		run += (uint32_t)n;
		f.count -= (uint32_t)n;
		f.next = go;
		*fresh_ptr(emm, run) = f;
		go = run;
	}
	lock_release(&pool->lock);
	return go;
}

/* A page that is not trimmed: as before, or lost. The pool is locked. */
static void refused(struct emm *emm, uint64_t page)
{
	const struct sgx_secinfo si = {
		.flags = EMM_RW | SGX_SECINFO_PT(SGX_PT_REG),
	};

	if (emm->hooks.emodpe(emm->ctx, &si, page_addr(emm, page)) >= 0) {
		lock_acquire(emm, &emm->pool.lock);
		fresh_put(emm, page, 1);
		lock_release(&emm->pool.lock);
	} else {
		__atomic_fetch_add(&emm->pool.lost, 1, __ATOMIC_RELAXED);
	}
}

/* Remember that pages are gone; at the region's end nothing needs to be. */
static void hole_put(struct emm *emm, const struct hole *hole, uint32_t cell)
{
	struct pool *pool = &emm->pool;

	lock_acquire(emm, &pool->lock);
	if (!hole->count ||
	    (hole->page + hole->count == pool->committed && !hole->there)) {
		POKE(&pool->committed, pool->committed - hole->count);
		leave_shared(emm);
		pool_cell_free(emm, cell);
	} else {
		*hole_ptr(emm, cell) = *hole;
		hole_ptr(emm, cell)->next = pool->holes;
		POKE(&pool->holes, cell);
		POKE(&pool->nholes, pool->nholes + hole->count);
	}
	lock_release(&pool->lock);
}

static uint32_t hole_cell(struct emm *emm)
{
	struct pool *pool = &emm->pool;
	uint32_t cell = 0;

	lock_acquire(emm, &pool->lock);
	if (pool->ncells || pool->nfresh)
		cell = pool_cell(emm);
	lock_release(&pool->lock);
	return cell;
}

/* Trim a run of pages that are in no list. */
static void give_back(struct op *op, uint32_t page, uint32_t count)
{
	struct emm *emm = op->emm;
	static const struct sgx_secinfo si = { .flags = TRIM_FLAGS };
	struct hole hole = { .page = page };
	uint32_t cell = hole_cell(emm), i;

	if (!cell) {
		lock_acquire(emm, &emm->pool.lock);
		fresh_put(emm, page, count);
		lock_release(&emm->pool.lock);
		return;
	}
	(void)region_modify(op, EMM_HOST_TO_TRIM, page, count);
	while (hole.count < count &&
	       !emm->hooks.eaccept(emm->ctx, &si,
				   page_addr(emm, page + hole.count)))
		hole.count++;
	for (i = hole.count; i < count; i++)
		refused(emm, page + i);
	if (hole.count)
		hole.there =
			region_modify(op, EMM_HOST_REMOVE, page, hole.count);
	hole_put(emm, &hole, cell);
}

/* Many pages are in no use: give back what is too much, in long runs. */
void pool_shrink(struct op *op)
{
	struct emm *emm = op->emm;
	struct pool *pool = &emm->pool;
	uint32_t run;

	if (emm->static_mode ||
	    __atomic_exchange_n(&pool->growing, 1, __ATOMIC_ACQUIRE))
		return;
	for (run = surplus(emm, keep_pages(pool)); run;) {
		struct fresh f = *fresh_ptr(emm, run);

		give_back(op, run, f.count);
		run = f.next;
	}
	STORE(&pool->growing, 0);
}
