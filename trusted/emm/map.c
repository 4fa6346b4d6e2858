/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page map: page number -> byte, in three levels of which each can be
 * uniform (see instance.h). Keeps I7 for page states: an entry whose parts are
 * alike, and of which nothing is BUSY, is one word again.
 *
 * Uniform and BUSY is an entry that one op has claimed whole: BUSY entries are
 * never folded, so that each op gives back entries as it took them, and needs
 * no new metadata for that.
 */
#include "trusted/emm/instance.h"

/* Take one entry's lock, unless *top is no longer `seen`. */
static bool entry_lock(struct emm *emm, uint64_t *e, const uint64_t *top,
		       uint64_t seen, uint64_t *val)
{
	uint32_t rounds = 0;

	for (;;) {
		uint64_t v = PEEK(e);

		if (!(v & E_LOCK) &&
		    __atomic_compare_exchange_n(e, &v, v | E_LOCK, false,
						__ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			*val = v;
			break;
		}
		if ((LOAD(top) ^ seen) & ~E_LOCK)
			return false;
		lock_spin(emm, &rounds);
	}
	if (rounds)
		lock_note(emm, rounds);
	return true;
}

/* Give an entry of a table nobody should use a value, past late walkers. */
void map_entry_init(struct emm *emm, uint64_t *e, uint64_t val)
{
	uint64_t old;
	uint64_t none = 0;

	(void)entry_lock(emm, e, &none, 0, &old);
	STORE(e, val);
}

/* Nothing, as far as a page of the top level goes. */
static void span_widen(const struct emm *emm, struct span *sp)
{
	uint32_t end = (emm->ntop - 1) << TOP_SHIFT;

	sp->first &= ~(TABLE_ENTRIES * TOP_PAGES - 1);
	sp->n = min_u32(end - sp->first, (TABLE_ENTRIES - 1) * TOP_PAGES) +
		TOP_PAGES;
}

void map_lock(struct emm *emm, uint32_t pg, struct span *sp)
{
	sp->dirty = false;
	sp->bytes = NULL;
	for (;;) {
		uint64_t *top = top_entry(emm, pg >> TOP_SHIFT);
		uint64_t t = LOAD(top), *e;

		if (!(t & E_PTR)) {
			if (!entry_lock(emm, top, top, t, &sp->val))
				continue;
			if (sp->val & E_PTR) {
				STORE(top, sp->val);
				continue;
			}
			sp->e = top;
			sp->first = pg & ~(TOP_PAGES - 1);
			sp->n = TOP_PAGES;
			sp->is_top = true;
			if (top == &emm->nothing)
				span_widen(emm, sp);
			return;
		}
		e = &table_ptr(
			emm,
			e_ref(t))[(pg >> CHUNK_SHIFT) & (TABLE_ENTRIES - 1)];
		if (!entry_lock(emm, e, top, t, &sp->val))
			continue;
		if ((LOAD(top) ^ t) & ~E_LOCK) {
			STORE(e, sp->val);
			continue;
		}
		sp->e = e;
		sp->first = pg & ~(CHUNK_PAGES - 1);
		sp->n = CHUNK_PAGES;
		sp->is_top = false;
		if (sp->val & E_PTR)
			sp->bytes = cell_ptr(emm, e_ref(sp->val));
		return;
	}
}

void map_unlock_clean(struct span *sp)
{
	STORE(sp->e, sp->val);
}

/* Pages are mostly as their neighbours, so bytes are read by words. */
#define EACH_BYTE 0x0101010101010101ull

/* How many of n bytes, from the first on, are as the first. */
static uint32_t bytes_alike(const uint8_t *b, uint32_t n)
{
	uint32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		__builtin_memcpy(&w, b + i, 8);
		w ^= b[0] * EACH_BYTE;
		if (w)
			return i + (uint32_t)__builtin_ctzll(w) / 8;
	}
	while (i < n && b[i] == b[0])
		i++;
	return i;
}

static void bytes_fill(uint8_t *b, uint32_t n, uint8_t to)
{
	const uint64_t w = to * EACH_BYTE;

	for (; n >= 8; b += 8, n -= 8)
		__builtin_memcpy(b, &w, 8);
	while (n--)
		*b++ = to;
}

static void bytes_apply(uint8_t *b, uint32_t n, const uint8_t *lut)
{
	while (n) {
		uint32_t same = bytes_alike(b, n);

		bytes_fill(b, same, lut[*b]);
		b += same;
		n -= same;
	}
}

/* Make a table whose entries are all alike one word again. */
static void table_fold(struct op *op, uint32_t at)
{
	struct emm *emm = op->emm;
	uint64_t *top = top_entry(emm, at);
	uint64_t t = LOAD(top), *table, val;
	uint32_t i;

	if ((t & (E_PTR | E_LOCK)) != E_PTR)
		return;
	table = table_ptr(emm, e_ref(t));
	val = PEEK(&table[0]);
	if (val & (E_PTR | E_LOCK) || page_busy(e_byte(val)))
		return;
	for (i = 1; i < TABLE_ENTRIES; i++) {
		if (PEEK(&table[i]) != val)
			return;
	}
	if (!__atomic_compare_exchange_n(top, &t, t | E_LOCK, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	for (i = 0; i < TABLE_ENTRIES; i++) {
		uint64_t v = val;

		if (!__atomic_compare_exchange_n(&table[i], &v, v | E_LOCK,
						 false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			break;
	}
	STORE(top, i == TABLE_ENTRIES ? val : t);
	for (uint32_t k = 0; k < i; k++)
		STORE(&table[k], val);
	if (i == TABLE_ENTRIES)
		meta_table_free(op, e_ref(t));
}

/*
 * A leaf entry became one word; perhaps its table can, too. Not at once, as
 * the next op often is in the same table: the slot remembers the last table,
 * and looks at it when it comes to another.
 */
static void fold_later(struct op *op, uint32_t at)
{
	uint32_t old;

	if (PEEK(&op->slot->fold) == at + 1)
		return;
	old = __atomic_exchange_n(&op->slot->fold, at + 1, __ATOMIC_RELAXED);
	if (old)
		table_fold(op, old - 1);
}

/* Look at all remembered tables, so that metadata is counted as it could be. */
void map_fold_hints(struct op *op)
{
	for (uint32_t i = 0; i < op->emm->nslots; i++) {
		uint32_t at = __atomic_exchange_n(&op->emm->slots[i].fold, 0,
						  __ATOMIC_RELAXED);

		if (at)
			table_fold(op, at - 1);
	}
}

void map_unlock(struct op *op, struct span *sp)
{
	bool whole;

	if (sp->dirty && sp->bytes && !page_busy(sp->bytes[0]) &&
	    bytes_alike(sp->bytes, CHUNK_PAGES) == CHUNK_PAGES) {
		uint8_t b = sp->bytes[0];

		meta_cell_free(op, e_ref(sp->val));
		COUNT(op->slot->mixed, -1);
		sp->val = e_uniform(b);
	}
	whole = sp->dirty && !sp->is_top && !(sp->val & E_PTR) &&
		!page_busy(e_byte(sp->val));
	STORE(sp->e, sp->val);
	if (whole)
		fold_later(op, sp->first >> TOP_SHIFT);
}

/* Replace a locked top entry by a table; the lock moves to pg's entry. */
static edmm_err split_top(struct op *op, struct span *sp, uint32_t pg)
{
	uint32_t table = meta_table(op), at;
	uint64_t *e, *top = sp->e;

	if (!table)
		return -EDMM_ENOMEM;
	e = table_ptr(op->emm, table);
	at = (pg >> CHUNK_SHIFT) & (TABLE_ENTRIES - 1);
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		map_entry_init(op->emm, &e[i],
			       sp->val | (i == at ? E_LOCK : 0));
	sp->e = &e[at];
	sp->first = pg & ~(CHUNK_PAGES - 1);
	sp->n = CHUNK_PAGES;
	sp->is_top = false;
	STORE(top, (uint64_t)table << 32 | E_PTR);
	return 0;
}

static edmm_err split_leaf(struct op *op, struct span *sp)
{
	uint32_t cell = meta_cell(op);

	if (!cell)
		return -EDMM_ENOMEM;
	sp->bytes = cell_ptr(op->emm, cell);
	bytes_fill(sp->bytes, CHUNK_PAGES, e_byte(sp->val));
	sp->val = (uint64_t)cell << 32 | E_PTR;
	sp->dirty = true;
	COUNT(op->slot->mixed, 1);
	return 0;
}

/*
 * Transform pages from r->a on, as far as the span goes; r->a moves behind
 * them. Splits the span as the range needs. -ENOMEM: nothing transformed.
 */
edmm_err span_apply(struct op *op, struct span *sp, struct run *r,
		    const uint8_t *lut)
{
	for (;;) {
		uint32_t end = min_u32(r->b, sp->first + sp->n);
		uint8_t new;
		edmm_err rc;

		if (sp->bytes) {
			bytes_apply(span_at(sp, r->a), end - r->a, lut);
			sp->dirty = true;
			r->a = end;
			return 0;
		}
		new = lut[e_byte(sp->val)];
		if (sp->e == &op->emm->nothing && new != e_byte(sp->val))
			return -EDMM_ENOMEM;
		if (new == e_byte(sp->val) ||
		    (r->a == sp->first && end == sp->first + sp->n)) {
			sp->dirty |= new != e_byte(sp->val);
			sp->val = e_uniform(new);
			r->a = end;
			return 0;
		}
		rc = sp->is_top ? split_top(op, sp, r->a) : split_leaf(op, sp);
		if (rc)
			return rc;
	}
}

/* Tables that an op on the range can need: its ends', and one for a cut. */
uint32_t map_tables(struct emm *emm, uint32_t a, uint32_t b)
{
	uint32_t i = a >> TOP_SHIFT, last = (b - 1) >> TOP_SHIFT, n = 0;

	if (!(PEEK(top_entry(emm, last)) & E_PTR) && last != i)
		n++;
	for (; i <= last && n < 3; i++) {
		if (!(PEEK(top_entry(emm, i)) & E_PTR))
			n++;
	}
	return n;
}

/* Metadata for the two ends of a range, for one cut within, and `cells`. */
edmm_err map_reserve(struct op *op, uint32_t a, uint32_t b, uint32_t cells)
{
	edmm_err rc = top_ready(op, a, b);

	if (rc)
		return rc;
	return meta_reserve(op, cells + 4, map_tables(op->emm, a, b));
}

static edmm_err claim_error(uint8_t byte)
{
	switch (page_state(byte)) {
	case PG_NONE:
	case PG_FREE_IDLE:
	case PG_FREE_ZERO:
	case PG_FREE_DOUBT:
	case PG_FREE_TRIMMED:
		return -EDMM_EINVAL;
	case PG_ABSENT:
	case PG_HINT:
	case PG_COMM:
		return -EDMM_EEXIST;
	default:
		return -EDMM_EACCES;
	}
}

/* The first page of [a, b) in the span that is BUSY or not in ok; or b. */
static uint32_t span_check(struct op *op, const struct span *sp,
			   const struct run *r, uint32_t ok)
{
	uint32_t pg;

	if (!sp->bytes) {
		uint8_t b = e_byte(sp->val);

		if (page_busy(b) || !(ok & page_bit(b)))
			return r->a;
		op->seen |= page_bit(b);
		return r->b;
	}
	for (pg = r->a; pg < r->b;) {
		const uint8_t *b = span_at(sp, pg);

		if (page_busy(*b) || !(ok & page_bit(*b)))
			break;
		op->seen |= page_bit(*b);
		pg += bytes_alike(b, r->b - pg);
	}
	return pg;
}

/*
 * Make [a, b) BUSY by this op, if each page is in one of the states `ok`; in
 * ascending order, which is what keeps two ops from waiting for each other.
 * On failure nothing is BUSY. op->seen collects the states.
 */
edmm_err map_claim(struct op *op, uint32_t a, uint32_t b, uint32_t ok)
{
	struct slot *slot = op->slot;
	struct run r = { .a = a, .b = b };
	edmm_err rc = 0;

	POKE(&slot->lo, a);
	POKE(&slot->hi, a);
	while (!rc && r.a < b) {
		struct span sp;
		struct run part;
		uint32_t bad;

		map_lock(op->emm, r.a, &sp);
		part.a = r.a;
		part.b = min_u32(b, sp.first + sp.n);
		bad = span_check(op, &sp, &part, ok);
		if (bad < part.b && page_busy(span_byte(&sp, bad))) {
			op->blocked = bad;
			if (op->nowait) {
				map_unlock_clean(&sp);
				rc = -EDMM_EAGAIN;
			} else {
				rc = op_wait(op, &sp, bad);
			}
			continue;
		}
		if (bad < part.b)
			rc = claim_error(span_byte(&sp, bad));
		else
			rc = span_apply(op, &sp, &r, op->emm->lut[PAGE_CLAIM]);
		POKE(&slot->hi, r.a);
		map_unlock(op, &sp);
	}
	if (rc)
		map_release(op, r.a);
	return rc;
}

/*
 * Change [a, b), of one chunk, in one step, if nothing of it is BUSY and each
 * page is in one of the states `ok`: nobody sees it half changed, so that no
 * claim has to come first. The op has reserved what a split needs. Return: it
 * has been done.
 */
bool map_change(struct op *op, uint32_t a, uint32_t b, uint32_t ok,
		const uint8_t *lut)
{
	struct run r = { .a = a, .b = b };
	struct span sp;
	bool done;

	map_lock(op->emm, a, &sp);
	done = span_check(op, &sp, &r, ok) == b &&
	       !span_apply(op, &sp, &r, lut);
	map_unlock(op, &sp);
	return done;
}

/*
 * Make BUSY the longest run [a, end), end <= b, of pages whose byte is that of
 * page a, one of the states `ok`; no waiting. Return: end; a if there is none.
 */
uint32_t map_claim_run(struct op *op, uint32_t a, uint32_t b, uint32_t ok)
{
	struct slot *slot = op->slot;
	struct run r = { .a = a, .b = b };
	bool more = true;

	POKE(&slot->lo, a);
	POKE(&slot->hi, a);
	while (more && r.a < b) {
		struct span sp;
		uint32_t end;

		map_lock(op->emm, r.a, &sp);
		if (r.a == a)
			op->byte = r.byte = span_byte(&sp, a);
		end = min_u32(b, sp.first + sp.n);
		if (page_busy(r.byte) || !(ok & page_bit(r.byte)))
			end = a;
		r.b = r.a;
		if (end > r.a && span_byte(&sp, r.a) == r.byte)
			r.b = !sp.bytes ? end
					: r.a + bytes_alike(span_at(&sp, r.a),
							    end - r.a);
		more = r.b == end && end > r.a;
		if (r.b > r.a &&
		    span_apply(op, &sp, &r, op->emm->lut[PAGE_CLAIM]))
			more = false;
		POKE(&slot->hi, r.a);
		map_unlock(op, &sp);
	}
	return r.a;
}

/* Transform claimed pages; the op has reserved what splits need. */
void map_settle(struct op *op, uint32_t a, uint32_t b, const uint8_t *lut)
{
	struct run r = { .a = a, .b = b };

	while (r.a < b) {
		struct span sp;

		map_lock(op->emm, r.a, &sp);
		if (span_apply(op, &sp, &r, lut))
			__builtin_trap(); /* I3 */
		map_unlock(op, &sp);
	}
}

/*
 * Release the op's pages below upto, after a last transformation (NULL: none);
 * and wake who waits.
 */
void map_release_as(struct op *op, uint32_t upto, const uint8_t *lut)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	struct run r = { .a = PEEK(&slot->lo), .b = upto };
	uint32_t waiters;

	while (r.a < upto) {
		struct span sp;

		map_lock(emm, r.a, &sp);
		if (span_apply(op, &sp, &r, lut))
			__builtin_trap(); /* I3 */
		POKE(&slot->lo, r.a);
		map_unlock(op, &sp);
	}
	/*
	 * Who waits is looked at after the bytes and before seq moves: whoever
	 * announces himself later waits for a page of a later release, which
	 * must find the announcement (tests/spin found the other order out).
	 */
	waiters = __atomic_load_n(&slot->waiters, __ATOMIC_SEQ_CST);
	if (waiters)
		__atomic_store_n(&slot->waiters, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&slot->seq, 1, __ATOMIC_SEQ_CST);
	if (waiters && emm->hooks.wake)
		emm->hooks.wake(emm->ctx, &slot->seq);
}

void map_release(struct op *op, uint32_t upto)
{
	map_release_as(op, upto, op->emm->lut[PAGE_RELEASE]);
}

/* What makes pages of one run: state and rights; or joined. */
static unsigned int byte_class(uint8_t b, uint32_t join)
{
	return join & page_bit(b) ? 0x100 : b & PAGE_CODE;
}

/*
 * The run of pages alike that starts at pg, up to end. BUSY is not looked at:
 * for pages of the caller's op, or for a snapshot.
 */
void map_run(struct emm *emm, uint32_t pg, uint32_t end, uint32_t join,
	     struct run *out)
{
	unsigned int class = 0;

	out->a = pg;
	out->b = pg;
	while (out->b < end) {
		struct span sp;
		uint32_t stop;

		map_lock(emm, out->b, &sp);
		stop = min_u32(end, sp.first + sp.n);
		if (out->b == pg) {
			out->byte = span_byte(&sp, pg) & (uint8_t)~PAGE_BUSY;
			class = byte_class(out->byte, join);
		}
		if (!sp.bytes) {
			if (byte_class(e_byte(sp.val), join) == class)
				out->b = stop;
		} else {
			while (out->b < stop &&
			       byte_class(span_byte(&sp, out->b), join) ==
				       class)
				out->b += bytes_alike(span_at(&sp, out->b),
						      stop - out->b);
		}
		map_unlock_clean(&sp);
		if (out->b < stop)
			break;
	}
}
