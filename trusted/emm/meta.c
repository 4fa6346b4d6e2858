/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metadata objects: cells of 64 bytes, and pages (leaf tables). An op moves
 * what it could need into its slot before its first effect (I3), and frees
 * into its slot; the slot keeps a few cells for the next op, so that threads
 * seldom meet at the pool's lock. The pages come from pool.c.
 */
#include "trusted/emm/instance.h"

#define SLOT_KEEP 16u /* cells that a slot keeps between ops */
#define SLOT_FULL 48u /* beyond this it gives back */
/*
 * Fresh pages that only what frees may take: a range can need three tables, and
 * cells.
 */
#define LAST_PAGES 4u

/* A free table's link is in its first entry, which a late walker may lock. */
static uint32_t table_next(const struct emm *emm, uint32_t table)
{
	return e_ref(PEEK(&table_ptr(emm, table)[0]));
}

static void table_link(struct emm *emm, uint32_t table, uint32_t next)
{
	map_entry_init(emm, &table_ptr(emm, table)[0], (uint64_t)next << 32);
}

/* Fresh pages that this op may take; the pool is locked. */
static uint64_t fresh_spare(const struct pool *pool, const struct op *op)
{
	uint64_t kept = op->frees ? 0 : LAST_PAGES;

	return pool->nfresh > kept ? pool->nfresh - kept : 0;
}

static void take_cells(struct op *op, uint32_t want)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	struct pool *pool = &emm->pool;

	lock_acquire(emm, &pool->lock);
	while (slot->ncells < want && (pool->ncells || fresh_spare(pool, op))) {
		uint32_t cell = pool_cell(emm);

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
		} else if (fresh_spare(pool, op)) {
			uint64_t *e;

			table = pool_page(emm);
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

/*
 * A thread whose area is the only one in its 128 MiB frees the table with each
 * area and wants it with the next.
 */
static uint32_t tables_kept(const struct pool *pool)
{
	return PEEK(&pool->committed) < pool->pages;
}

static void give_tables(struct emm *emm, struct slot *slot, uint32_t keep)
{
	lock_acquire(emm, &emm->pool.lock);
	while (slot->ntables > keep) {
		uint32_t table = slot->tables;

		slot->tables = table_next(emm, table);
		slot->ntables--;
		table_link(emm, table, emm->pool.tables);
		emm->pool.tables = table;
		emm->pool.ntables++;
	}
	lock_release(&emm->pool.lock);
}

/* What slots of no op have kept. Return: there was something. */
static bool tables_call_in(struct op *op)
{
	struct emm *emm = op->emm;
	bool some = false;

	for (uint32_t i = 0; i < emm->nslots; i++) {
		struct slot *slot = &emm->slots[i];
		uint32_t none = 0;

		if (!PEEK(&slot->ntables) ||
		    !__atomic_compare_exchange_n(
			    &slot->owner, &none, PEEK(&op->slot->owner), false,
			    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		some = some || slot->ntables;
		give_tables(emm, slot, 0);
		STORE(&slot->owner, 0);
	}
	return some;
}

edmm_err meta_reserve(struct op *op, uint32_t cells, uint32_t tables)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	edmm_err rc;

	if (pool_low(&emm->pool))
		(void)!pool_grow(op, false);
	while (slot->ncells < cells || slot->ntables < tables) {
		if (slot->ncells < cells)
			take_cells(op, cells + SLOT_KEEP / 2);
		if (slot->ntables < tables)
			take_tables(op, tables);
		if (slot->ncells >= cells && slot->ntables >= tables)
			break;
		rc = pool_grow(op, true);
		if (rc && !tables_call_in(op))
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
	lock_acquire(emm, &emm->pool.lock);
	while (slot->ncells > SLOT_KEEP) {
		uint32_t cell = slot->cells;

		slot->cells = *cell_next(emm, cell);
		slot->ncells--;
		pool_cell_free(emm, cell);
	}
	lock_release(&emm->pool.lock);
}

void meta_settle(struct op *op)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;

	if (slot->ncells > SLOT_FULL)
		give_cells(emm, slot);
	if (slot->ntables > tables_kept(&emm->pool))
		give_tables(emm, slot, tables_kept(&emm->pool));
	if (op->frees && !emm->static_mode && pool_high(&emm->pool))
		pool_shrink(op);
}
