/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The metadata pool: one region, handed out in cells of 64 bytes and in pages
 * (leaf tables). An op moves what it could need into its slot before its
 * first effect (I3), and frees into its slot; the slot keeps a few cells for
 * the next op, so that threads seldom meet at the pool's lock.
 *
 * The region's pages are committed in chunks while some are still left, by
 * the op that finds them few; the pages of a chunk are known to nobody until
 * all are accepted, so that no lock is needed across EAUG and EACCEPT.
 */
#include "trusted/emm/emm_int.h"

#define SLOT_KEEP 16u  /* cells that a slot keeps between ops */
#define SLOT_FULL 48u  /* beyond this it gives back */
#define LOW_PAGES 6u   /* grow when fewer are left */
#define GROW_PAGES 16u /* at least */
#define PF_RETRIES 8u
#define LAST_CELLS 128u /* that only what frees may take */

void meta_init(struct emm *emm, uint64_t fixed, uint64_t committed,
	       uint64_t pages)
{
	struct pool *pool = &emm->pool;

	pool->fixed = fixed;
	pool->next = fixed;
	pool->committed = committed;
	pool->pages = pages;
}

static uint32_t *cell_next(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

/* A free table's link is in its first entry, which a late walker may lock. */
static uint32_t table_next(const struct emm *emm, uint32_t table)
{
	return e_ref(PEEK(&table_ptr(emm, table)[0]));
}

static void table_link(struct emm *emm, uint32_t table, uint32_t next)
{
	map_entry_init(emm, &table_ptr(emm, table)[0], (uint64_t)next << 32);
}

static edmm_err grow_accept(struct emm *emm, uint64_t page)
{
	static const struct sgx_secinfo si = {
		.flags = FRESH_FLAGS,
	};
	uint64_t addr = (uint64_t)(uintptr_t)emm->meta + (page << PAGE_SHIFT);
	unsigned int tries = 0;
	int rc;

	do {
		rc = emm->ops.eaccept(emm->ctx, &si, addr);
	} while (rc == EMM_LEAF_PF && ++tries < PF_RETRIES);
	return rc ? -EDMM_ENOMEM : 0;
}

/* Commit the region's next chunk; the caller holds pool->growing. */
static edmm_err grow(struct emm *emm)
{
	struct pool *pool = &emm->pool;
	uint64_t from = pool->committed, n = from / 8, i;
	uint64_t addr = (uint64_t)(uintptr_t)emm->meta + (from << PAGE_SHIFT);

	if (n < GROW_PAGES)
		n = GROW_PAGES;
	if (n > pool->pages - from)
		n = pool->pages - from;
	if (emm->ops.map &&
	    emm->ops.map(emm->ctx, addr, n << PAGE_SHIFT, EMM_COMMIT_NOW))
		return -EDMM_ENOMEM;
	if (emm->ops.populate)
		(void)emm->ops.populate(emm->ctx, addr, n << PAGE_SHIFT);
	for (i = 0; i < n; i++) {
		if (grow_accept(emm, from + i))
			break;
	}
	lock_acquire(emm, &pool->lock);
	POKE(&pool->committed, from + i);
	lock_release(&pool->lock);
	if (i && emm->ops.notify)
		emm->ops.notify(emm->ctx, EMM_EV_META, addr, i << PAGE_SHIFT);
	return i ? 0 : -EDMM_ENOMEM;
}

/* Grow if little is left. need: nothing is left, so wait for who grows. */
static edmm_err meta_grow(struct emm *emm, bool need)
{
	struct pool *pool = &emm->pool;
	uint32_t rounds = 0;
	edmm_err rc;

	if (emm->static_mode || PEEK(&pool->committed) >= pool->pages)
		return -EDMM_ENOMEM;
	if (__atomic_exchange_n(&pool->growing, 1, __ATOMIC_ACQUIRE)) {
		while (need && LOAD(&pool->growing))
			lock_spin(emm, &rounds);
		return 0;
	}
	rc = grow(emm);
	STORE(&pool->growing, 0);
	return rc;
}

static bool pool_low(const struct pool *pool)
{
	return PEEK(&pool->committed) - PEEK(&pool->next) < LOW_PAGES &&
	       PEEK(&pool->committed) < pool->pages;
}

/* Cut the next page into cells; the pool is locked. */
static bool pool_cut(struct emm *emm)
{
	struct pool *pool = &emm->pool;
	uint32_t i, first;

	if (pool->next >= pool->committed)
		return false;
	first = (uint32_t)(pool->next * CELLS_A_PAGE);
	POKE(&pool->next, pool->next + 1);
	pool->cell_pages++;
	for (i = CELLS_A_PAGE; i-- > 0;) {
		*cell_next(emm, first + i) = pool->cells;
		pool->cells = first + i;
	}
	pool->ncells += CELLS_A_PAGE;
	return true;
}

/* Cells that the pool has, cut or not, for this op; it is locked. */
static uint64_t pool_spare(const struct pool *pool, const struct op *op)
{
	uint64_t n =
		pool->ncells + CELLS_A_PAGE * (pool->committed - pool->next);

	if (op->frees)
		return n;
	return n > LAST_CELLS ? n - LAST_CELLS : 0;
}

static void take_cells(struct op *op, uint32_t want)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	struct pool *pool = &emm->pool;

	lock_acquire(emm, &pool->lock);
	while (slot->ncells < want) {
		uint32_t cell;

		if (!pool_spare(pool, op) || (!pool->cells && !pool_cut(emm)))
			break;
		cell = pool->cells;
		pool->cells = *cell_next(emm, cell);
		pool->ncells--;
		*cell_next(emm, cell) = slot->cells;
		slot->cells = cell;
		slot->ncells++;
	}
	lock_release(&pool->lock);
}

static void take_tables(struct op *op, uint32_t want)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	struct pool *pool = &emm->pool;

	lock_acquire(emm, &pool->lock);
	while (slot->ntables < want) {
		uint32_t table = pool->tables;

		if (table) {
			pool->tables = table_next(emm, table);
			pool->ntables--;
		} else if (pool->next < pool->committed &&
			   pool_spare(pool, op) >= CELLS_A_PAGE) {
			uint64_t *e;

			table = (uint32_t)pool->next;
			POKE(&pool->next, pool->next + 1);
			pool->table_pages++;
			e = table_ptr(emm, table);
			for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
				POKE(&e[i], 0);
		} else {
			break;
		}
		table_link(emm, table, slot->tables);
		slot->tables = table;
		slot->ntables++;
	}
	lock_release(&pool->lock);
}

edmm_err meta_reserve(struct op *op, uint32_t cells, uint32_t tables)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	edmm_err rc;

	if (pool_low(&emm->pool))
		(void)meta_grow(emm, false);
	while (slot->ncells < cells || slot->ntables < tables) {
		if (slot->ncells < cells)
			take_cells(op, cells + SLOT_KEEP / 2);
		if (slot->ntables < tables)
			take_tables(op, tables);
		if (slot->ncells >= cells && slot->ntables >= tables)
			break;
		rc = meta_grow(emm, true);
		if (rc)
			return rc;
	}
	return 0;
}

uint32_t meta_cell(struct op *op)
{
	struct slot *slot = op->slot;
	uint32_t cell = slot->cells;

	if (cell) {
		slot->cells = *cell_next(op->emm, cell);
		slot->ncells--;
	}
	return cell;
}

void meta_cell_free(struct op *op, uint32_t cell)
{
	struct slot *slot = op->slot;

	*cell_next(op->emm, cell) = slot->cells;
	slot->cells = cell;
	slot->ncells++;
}

uint32_t meta_table(struct op *op)
{
	struct slot *slot = op->slot;
	uint32_t table;

	/* A table that was there when the op reserved can be folded since. */
	if (!slot->tables)
		take_tables(op, 1);
	table = slot->tables;
	if (table) {
		slot->tables = table_next(op->emm, table);
		slot->ntables--;
	}
	return table;
}

void meta_table_free(struct op *op, uint32_t table)
{
	struct slot *slot = op->slot;

	table_link(op->emm, table, slot->tables);
	slot->tables = table;
	slot->ntables++;
}

static void give_cells(struct emm *emm, struct slot *slot)
{
	struct pool *pool = &emm->pool;
	uint32_t head = slot->cells, tail = head, n = 1;

	while (slot->ncells - n > SLOT_KEEP) {
		tail = *cell_next(emm, tail);
		n++;
	}
	slot->cells = *cell_next(emm, tail);
	slot->ncells -= n;
	lock_acquire(emm, &pool->lock);
	*cell_next(emm, tail) = pool->cells;
	pool->cells = head;
	pool->ncells += n;
	lock_release(&pool->lock);
}

void meta_settle(struct op *op)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;

	if (slot->ncells > SLOT_FULL)
		give_cells(emm, slot);
	if (!slot->tables)
		return;
	lock_acquire(emm, &emm->pool.lock);
	while (slot->tables) {
		uint32_t table = slot->tables;

		slot->tables = table_next(emm, table);
		slot->ntables--;
		table_link(emm, table, emm->pool.tables);
		emm->pool.tables = table;
		emm->pool.ntables++;
	}
	lock_release(&emm->pool.lock);
}
