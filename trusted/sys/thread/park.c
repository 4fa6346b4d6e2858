/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parking lot: who waits for which key, in the order of their coming. A
 * node is its thread's own, so that nothing is allocated.
 *
 * No wake-up is lost. A waiter is in its bucket before it looks at what it
 * waits for the last time, under the bucket's lock. Then it says PARK_OUT, and
 * leaves only if nobody has said PARK_WOKEN first; who says so after that has
 * it unparked, and the host keeps that for a thread that is still on its way.
 */
#include "trusted/sys/thread/task.h"

#define BUCKETS 64u

/*
 * Before a thread leaves to sleep it looks for its wake-up, at most for as long
 * as a sleep costs, which is what it may save: its own exit and entry, those of
 * who wakes it, and the host's way from the one to the other (SLEEP_PAIRS).
 * Where that was in vain the next one looks for less, down to nothing but a try
 * now and then. A sleep that was over soon is no proof against it: two threads
 * that wake each other in turn would sleep for ever because the other did.
 */
#define TICKS_FIRST 20000u
#define TICKS_MOST 400000u
#define SLEEP_PAIRS 4u
#define SPINS 400 /* without a clock */
#define VAIN_MOST 8u
#define VAIN_TRY 16u

/* @vain, @tries: hints, which anybody may spoil. */
struct park_bucket {
	_Alignas(64) struct rt_lock lock;
	struct park_node *first, *last;
	uint32_t vain, tries;
};

static struct park_bucket buckets[BUCKETS + 1];
/* Of an exit with its entry; a hint, too: the host makes it. */
static uint64_t pair_ticks = TICKS_FIRST;

static struct park_bucket *bucket_of(uint64_t key)
{
	return &buckets[(key >> 2) * 0x9e3779b97f4a7c15ull >> 58];
}

_Static_assert(BUCKETS == 1u << (64 - 58), "the hash's bits");

struct park_bucket *park_lock(uint64_t key)
{
	struct park_bucket *b = bucket_of(key);

	rt_lock(&b->lock);
	return b;
}

struct park_bucket *park_lock_turn(void)
{
	rt_lock(&buckets[BUCKETS].lock);
	return &buckets[BUCKETS];
}

void park_unlock(struct park_bucket *b)
{
	rt_unlock(&b->lock);
}

void park_lock_both(uint64_t a, uint64_t b, struct park_bucket *out[2])
{
	out[0] = bucket_of(a);
	out[1] = bucket_of(b);
	rt_lock(&(out[0] < out[1] ? out[0] : out[1])->lock);
	if (out[0] != out[1])
		rt_lock(&(out[0] < out[1] ? out[1] : out[0])->lock);
}

void park_unlock_both(struct park_bucket *const b[2])
{
	if (b[0] != b[1])
		rt_unlock(&b[1]->lock);
	rt_unlock(&b[0]->lock);
}

static void append(struct park_bucket *b, struct park_node *n)
{
	n->next = NULL;
	__atomic_store_n(&n->in, b, __ATOMIC_RELAXED);
	if (b->last)
		b->last->next = n;
	else
		b->first = n;
	b->last = n;
}

/* @before: the one before it, or NULL. */
static void take_out(struct park_bucket *b, struct park_node *n,
		     struct park_node *before)
{
	if (before)
		before->next = n->next;
	else
		b->first = n->next;
	if (b->last == n)
		b->last = before;
}

void park_add(struct park_bucket *b, struct park_node *n, uint64_t key,
	      uint32_t bits)
{
	n->key = key;
	n->bits = bits;
	n->context = rt_context();
	__atomic_store_n(&n->state, PARK_QUEUED, __ATOMIC_RELAXED);
	append(b, n);
}

/* After the exchange it is its thread's again, which may be gone. */
static void wake(struct park_node *n, struct park_list *l)
{
	const uint32_t context = n->context;

	if (__atomic_exchange_n(&n->state, PARK_WOKEN, __ATOMIC_ACQ_REL) ==
	    PARK_OUT)
		l->context[l->count++] = context;
}

uint32_t park_wake(struct park_bucket *b, uint64_t key, uint32_t bits,
		   uint32_t most, struct park_list *l)
{
	struct park_node *n = b->first, *before = NULL, *next;
	uint32_t done = 0;

	for (; n && done < most && l->count < PARK_LIST; n = next) {
		next = n->next;
		if (n->key != key || !(n->bits & bits)) {
			before = n;
			continue;
		}
		take_out(b, n, before);
		wake(n, l);
		done++;
	}
	return done;
}

uint32_t park_move(struct park_bucket *const b[2], uint64_t key, uint64_t to,
		   uint32_t most)
{
	struct park_node *n = b[0]->first, *before = NULL, *next;
	struct park_node *const last = b[0]->last;
	uint32_t done = 0;
	bool at_last = !n;

	for (; !at_last && done < most; n = next) {
		next = n->next;
		at_last = n == last;
		if (n->key != key) {
			before = n;
			continue;
		}
		take_out(b[0], n, before);
		n->key = to;
		append(b[1], n);
		done++;
	}
	return done;
}

static void out_by_buffer(const struct park_list *l)
{
	uint64_t args[WIRE_CALL_ARGS] = { l->count };
	struct rt_buf buf;
	const uint64_t size = l->count * sizeof(l->context[0]);

	if (rt_buf_take(&buf, size) != 0)
		return;
	args[1] = buf.off;
	if (buf.size >= size && umem_write(buf.p, l->context, size) == 0)
		(void)!rt_host_call(WIRE_CALL_UNPARK, args, NULL);
	rt_buf_drop(&buf);
}

/* The shortest of late, so that one which was interrupted soon is forgotten. */
static void note_pair(uint64_t ticks)
{
	uint64_t was = __atomic_load_n(&pair_ticks, __ATOMIC_RELAXED);
	uint64_t slower = was + was / 16 + 1;

	if (ticks > slower)
		ticks = slower;
	if (ticks > TICKS_MOST)
		ticks = TICKS_MOST;
	__atomic_store_n(&pair_ticks, ticks, __ATOMIC_RELAXED);
}

void park_list_out(const struct park_list *l)
{
	uint64_t args[WIRE_CALL_ARGS] = { l->count };
	uint64_t begin;

	if (l->count == 0)
		return;
	if (l->count > WIRE_UNPARK_INLINE) {
		out_by_buffer(l);
		return;
	}
	for (uint32_t i = 0; i < l->count; i++)
		args[1 + i] = l->context[i];
	begin = rt_tsc();
	(void)!rt_host_call(WIRE_CALL_UNPARK, args, NULL);
	if (begin)
		note_pair(rt_tsc() - begin);
}

static bool woken(const struct park_node *n)
{
	return __atomic_load_n(&n->state, __ATOMIC_ACQUIRE) == PARK_WOKEN;
}

static bool change(struct park_node *n, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&n->state, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* How long to look for a wake-up, by what has come of it here. */
static uint64_t patience(struct park_bucket *b)
{
	uint32_t vain = __atomic_load_n(&b->vain, __ATOMIC_RELAXED);

	if (vain >= VAIN_MOST)
		vain = __atomic_add_fetch(&b->tries, 1, __ATOMIC_RELAXED) %
				       VAIN_TRY
			       ? VAIN_MOST
			       : 0;
	return SLEEP_PAIRS * __atomic_load_n(&pair_ticks, __ATOMIC_RELAXED) *
	       (VAIN_MOST - vain) / VAIN_MOST;
}

static void learn(struct park_bucket *b, bool came)
{
	uint32_t vain = __atomic_load_n(&b->vain, __ATOMIC_RELAXED);

	if (!came)
		vain = vain < VAIN_MOST ? vain + 1 : VAIN_MOST;
	else
		vain = vain > 1 && vain <= VAIN_MOST ? vain - 2 : 0;
	__atomic_store_n(&b->vain, vain, __ATOMIC_RELAXED);
}

static void look_a_while(const struct park_node *n, uint64_t begin)
{
	struct park_bucket *b = __atomic_load_n(&n->in, __ATOMIC_RELAXED);
	const uint64_t ticks = patience(b);
	bool came = woken(n);

	if (came || ticks == 0)
		return;
	for (int i = 0; !came && (begin ? rt_tsc() - begin < ticks : i < SPINS);
	     i++) {
		__builtin_ia32_pause();
		came = woken(n);
	}
	learn(b, came);
}

/* Waked: would it have seen that if it had looked for all its time? */
static void learn_from_sleep(const struct park_node *n, uint64_t begin)
{
	uint64_t soon = 2 * SLEEP_PAIRS *
			__atomic_load_n(&pair_ticks, __ATOMIC_RELAXED);

	if (begin && rt_tsc() - begin < soon)
		learn(__atomic_load_n(&n->in, __ATOMIC_RELAXED), true);
}

edmm_err park_sleep(struct park_node *n, uint64_t nanoseconds)
{
	const uint64_t begin = rt_tsc();
	/* Who waits for the lock has a call before it, which a signal ends. */
	const uint64_t args[WIRE_CALL_ARGS] = { nanoseconds,
						n == &sys_self()->turn };
	edmm_err err;

	look_a_while(n, begin);
	if (!change(n, PARK_QUEUED, PARK_OUT))
		return 0;
	err = rt_host_call(WIRE_CALL_PARK, args, NULL);
	rt_look_for_end();
	if (!change(n, PARK_OUT, PARK_QUEUED)) {
		learn_from_sleep(n, begin);
		return 0;
	}
	return err ? err : -EDMM_EAGAIN;
}

bool park_leave(struct park_node *n)
{
	struct park_bucket *b = __atomic_load_n(&n->in, __ATOMIC_RELAXED);
	struct park_node *i, *before = NULL;
	bool left = false;

	/* It may be moved until its bucket is locked. */
	for (rt_lock(&b->lock); b != n->in; rt_lock(&b->lock)) {
		rt_unlock(&b->lock);
		b = __atomic_load_n(&n->in, __ATOMIC_RELAXED);
	}
	if (!woken(n)) {
		for (i = b->first; i && i != n; i = i->next)
			before = i;
		RT_INVARIANT(9, i == n);
		take_out(b, n, before);
		__atomic_store_n(&n->state, PARK_IDLE, __ATOMIC_RELAXED);
		left = true;
	}
	rt_unlock(&b->lock);
	return left;
}
