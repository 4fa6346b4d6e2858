/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations: a slot each, waiting for another op's pages, the account of
 * committed pages. Keeps I4 (a waiter waits for one op to release pages, holds
 * no lock, and is woken or spins) and the limit.
 *
 * The upper half of the slots is for ops within an op (a fault in its hook), so
 * that these find one however many threads there are: who waits for a slot of
 * the lower half has none.
 *
 * The account is `charged`, of which slots hold small quotas, so that threads
 * do not meet at one word for each page. Near the limit quotas are called in,
 * so that the limit is exact.
 */
#include "trusted/emm/instance.h"

#define HOME_STEPS 8u /* of looking for a thread's entry: a cache line */
#define HOME_OPS 32u  /* of a thread without, between looks at another's */
#define QUOTA_TAKE 32 /* pages taken beyond need */
#define QUOTA_FULL 64 /* a slot with more gives all but QUOTA_TAKE back */

uint32_t op_self(const struct emm *emm)
{
	uint32_t me = emm->hooks.owner ? emm->hooks.owner(emm->ctx) + 1 : 1;

	return me ? me : 1;
}

static uint32_t hash(uint32_t me)
{
	return (me * 0x9e3779b1u) >> 16;
}

/* Slots of ops that are not within others, and so many entries are made. */
static uint32_t half(const struct emm *emm)
{
	return emm->nslots / 2;
}

/*
 * The thread's entry: found or made within some steps from where its number
 * falls. Entries are seldom written, so that all threads can read them, and two
 * threads meet at a slot only when there are more threads than entries. Half of
 * the table stays empty, so that steps are few. NULL: there is none left.
 */
static struct home *home_find(struct emm *emm, uint32_t me)
{
	uint32_t i = hash(me), n;

	for (n = 0; n < HOME_STEPS; n++, i++) {
		struct home *h = &emm->homes[i & (emm->nslots - 1)];
		uint32_t none = 0, is = PEEK(&h->owner);

		if (is == me) {
			if (PEEK(&h->missed))
				POKE(&h->missed, 0);
			return h;
		}
		if (is || PEEK(&emm->nhomes) >= half(emm))
			continue;
		if (__atomic_compare_exchange_n(&h->owner, &none, me, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED)) {
			h->no = (uint16_t)__atomic_fetch_add(&emm->nhomes, 1,
							     __ATOMIC_RELAXED);
			return h;
		}
		if (none == me)
			return h;
	}
	return NULL;
}

/*
 * Threads go, and nobody tells. One without an entry looks at one of others'
 * now and then: who has not come by between two looks has lost it.
 */
static void home_inherit(struct emm *emm, struct slot *slot, uint32_t me)
{
	uint32_t n = PEEK(&slot->guests), is;
	struct home *h;

	POKE(&slot->guests, (uint16_t)(n + 1));
	if (n % HOME_OPS)
		return;
	n = hash(me) + n / HOME_OPS % HOME_STEPS;
	h = &emm->homes[n & (emm->nslots - 1)];
	is = PEEK(&h->owner);
	if (!is)
		return;
	if (!PEEK(&h->missed))
		POKE(&h->missed, 1);
	else if (__atomic_compare_exchange_n(&h->owner, &is, me, false,
					     __ATOMIC_RELAXED,
					     __ATOMIC_RELAXED))
		POKE(&h->missed, 0);
}

/* Where a thread looks for a slot first; its line is likely its own. */
static uint32_t slot_at(const struct emm *emm, const struct home *h,
			uint32_t me)
{
	return (h ? h->no : hash(me)) & (half(emm) - 1);
}

/* The caller's home slot, without taking it. */
struct slot *op_home(struct emm *emm)
{
	uint32_t me = op_self(emm);

	return &emm->slots[slot_at(emm, home_find(emm, me), me)];
}

static bool slot_take(struct slot *slot, uint32_t me)
{
	uint32_t none = 0;

	return !PEEK(&slot->owner) &&
	       __atomic_compare_exchange_n(&slot->owner, &none, me, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void op_begin(struct op *op, struct emm *emm)
{
	uint32_t me = op_self(emm), upper = 0;
	const struct home *h = home_find(emm, me);
	uint32_t rounds = 0, i = slot_at(emm, h, me);

	*op = (struct op){ .emm = emm, .number = h ? h->no : me };
	for (;; i++) {
		op->slot = &emm->slots[upper + (i & (half(emm) - 1))];
		if (slot_take(op->slot, me))
			break;
		if (PEEK(&op->slot->owner) == me)
			upper = half(emm);
		lock_spin(emm, &rounds);
	}
	POKE(&op->slot->lo, 0);
	POKE(&op->slot->hi, 0);
	if (!h)
		home_inherit(emm, op->slot, me);
}

void op_end(struct op *op)
{
	meta_settle(op);
	STORE(&op->slot->owner, 0);
}

edmm_err op_open(struct op *op, const struct run *r, uint32_t ok)
{
	edmm_err rc = map_reserve(op, r->a, r->b, 0);

	if (!rc)
		rc = map_claim(op, r->a, r->b, ok);
	if (rc)
		op_end(op);
	return rc;
}

void op_close(struct op *op, const struct run *r, enum emm_event ev,
	      uint32_t done)
{
	map_release(op, r->b);
	op_end(op);
	op_notify(op->emm, ev, r->a, r->a + done);
}

/* The op that keeps pg BUSY; the lock of pg's map entry is held. */
static struct slot *busy_slot(struct emm *emm, uint32_t pg)
{
	for (uint32_t i = 0; i < emm->nslots; i++) {
		struct slot *slot = &emm->slots[i];

		if (LOAD(&slot->owner) && PEEK(&slot->lo) <= pg &&
		    pg < PEEK(&slot->hi))
			return slot;
	}
	return NULL;
}

/*
 * Wait until pg, BUSY in the locked span, has perhaps been released. Unlocks
 * the span. -EBUSY: this very thread is changing the page.
 */
edmm_err op_wait(struct op *op, struct span *sp, uint32_t pg)
{
	struct emm *emm = op->emm;
	struct slot *slot = busy_slot(emm, pg);
	uint32_t seq, rounds = 0;

	if (!slot) {
		map_unlock_clean(sp);
		__builtin_trap(); /* I4: BUSY without an owner */
	}
	if (PEEK(&slot->owner) == PEEK(&op->slot->owner)) {
		map_unlock_clean(sp);
		return -EDMM_EBUSY;
	}
	seq = PEEK(&slot->seq);
	__atomic_store_n(&slot->waiters, 1, __ATOMIC_SEQ_CST);
	map_unlock_clean(sp);
	COUNT(op->slot->waits, 1);
	turn_leave(emm, PEEK(&op->slot->owner));
	while (__atomic_load_n(&slot->seq, __ATOMIC_SEQ_CST) == seq) {
		if (emm->hooks.wait)
			emm->hooks.wait(emm->ctx, &slot->seq, seq);
		else
			lock_spin(emm, &rounds);
	}
	return 0;
}

/* Pages of the manager's own, which may have moved up to here meanwhile. */
bool op_in_meta(const struct emm *emm, const struct run *r)
{
	return r->a < PEEK(&emm->meta_hi) && emm->meta_lo < r->b;
}

/* Pages of a range that a caller named; the general argument errors. */
edmm_err op_range(struct emm *emm, uint64_t addr, uint64_t size,
		  struct run *out)
{
	uint64_t off = addr - emm->base, bytes;

	if ((addr | size) & (EMM_PAGE - 1) || !size || addr + size < addr)
		return -EDMM_EINVAL;
	bytes = (uint64_t)emm->pages << PAGE_SHIFT;
	if (addr < emm->base || off >= bytes || size > bytes - off)
		return -EDMM_EACCES;
	out->a = (uint32_t)(off >> PAGE_SHIFT);
	out->b = out->a + (uint32_t)(size >> PAGE_SHIFT);
	if (op_in_meta(emm, out))
		return -EDMM_EPERM;
	return 0;
}

static bool quota_take(struct slot *slot, int64_t pages)
{
	int64_t q = PEEK(&slot->quota);

	while (q >= pages) {
		if (__atomic_compare_exchange_n(&slot->quota, &q, q - pages,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void raise_peak(uint64_t *at, uint64_t now)
{
	uint64_t peak = PEEK(at);

	while (now > peak &&
	       !__atomic_compare_exchange_n(at, &peak, now, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* More pages are in use: new ones, or idle ones again. */
void op_note_used(struct emm *emm)
{
	uint64_t charged = PEEK(&emm->charged), idle = PEEK(&emm->idle);

	if (charged > idle)
		raise_peak(&emm->used_peak, charged - idle);
}

static bool charge_try(struct emm *emm, uint64_t pages, uint64_t limit)
{
	uint64_t c = PEEK(&emm->charged);

	do {
		if (c > limit || pages > limit - c)
			return false;
	} while (!__atomic_compare_exchange_n(&emm->charged, &c, c + pages,
					      false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	raise_peak(&emm->peak, c + pages);
	return true;
}

static void quotas_call_in(struct emm *emm)
{
	for (uint32_t i = 0; i < emm->nslots; i++) {
		int64_t q = __atomic_exchange_n(&emm->slots[i].quota, 0,
						__ATOMIC_RELAXED);

		__atomic_fetch_sub(&emm->charged, (uint64_t)q,
				   __ATOMIC_RELAXED);
	}
}

/* Account for pages about to be committed. -ENOMEM: over the limit. */
edmm_err op_charge(struct op *op, uint64_t pages)
{
	struct emm *emm = op->emm;
	struct slot *slot = op->slot;
	uint64_t limit = PEEK(&emm->limit);

	if (!pages || quota_take(slot, (int64_t)pages))
		return 0;
	if (charge_try(emm, pages + QUOTA_TAKE, limit)) {
		__atomic_fetch_add(&slot->quota, QUOTA_TAKE, __ATOMIC_RELAXED);
		op_note_used(emm);
		return 0;
	}
	quotas_call_in(emm);
	if (!charge_try(emm, pages, limit))
		return -EDMM_ENOMEM;
	op_note_used(emm);
	return 0;
}

/* Pages that are in the enclave, whatever the limit says. */
void op_charge_forced(struct op *op, uint64_t pages)
{
	(void)charge_try(op->emm, pages, UINT64_MAX);
}

void op_uncharge(struct op *op, uint64_t pages)
{
	struct slot *slot = op->slot;
	int64_t q = __atomic_add_fetch(&slot->quota, (int64_t)pages,
				       __ATOMIC_RELAXED);

	if (q > QUOTA_FULL && quota_take(slot, q - QUOTA_TAKE))
		__atomic_fetch_sub(&op->emm->charged, (uint64_t)q - QUOTA_TAKE,
				   __ATOMIC_RELAXED);
}

void op_notify(struct emm *emm, enum emm_event ev, uint32_t a, uint32_t b)
{
	if (emm->hooks.notify && a < b)
		emm->hooks.notify(emm->ctx, ev, pg_addr(emm, a),
				  (uint64_t)(b - a) << PAGE_SHIFT);
}
