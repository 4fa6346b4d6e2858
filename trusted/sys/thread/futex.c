/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * futex(2), by the parking lot. The words are the program's, inside, and so is
 * all that decides who waits. A wait with a time limit that the host ends early
 * is a wake-up for nothing, which futex(2) allows.
 */
#include "trusted/sys/thread/task.h"
#include "trusted/sys/time/clocks.h"

#include <linux/futex.h>
#include <linux/time.h>
#include <linux/time_types.h>

#define NSEC 1000000000ll
#define SECONDS_MAX (INT64_MAX / NSEC - 1)
#define FOREVER INT64_MAX
#define ALL_BITS UINT32_MAX
#define OP_SHIFTED 8u /* FUTEX_OP_OPARG_SHIFT, of the operation */

/* The word, though somebody may unmap it at this time. */
static long load(uint64_t addr, uint32_t *to)
{
	uint64_t both;

	if (rt_copy_inside(&both, (const void *)(addr & ~7ull), sizeof(both)))
		return -EFAULT;
	*to = (uint32_t)(both >> (addr & 4) * 8);
	return 0;
}

static long check(uint64_t addr)
{
	if (addr % sizeof(uint32_t) != 0)
		return -EINVAL;
	return sys_owns(addr, sizeof(uint32_t)) ? 0 : -EFAULT;
}

/* The time limit of a wait: until when, by the program's own clock. */
struct until {
	uint64_t clock;
	int64_t end; /* FOREVER */
};

static long take_limit(const uint64_t *a, struct until *l)
{
	const int op = (int)a[1];
	const bool absolute = (op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
	struct __kernel_timespec t;
	int64_t now = 0;
	long r = 0;

	*l = (struct until){ CLOCK_MONOTONIC, FOREVER };
	if (a[3] == 0)
		return 0;
	if (!sys_owns(a[3], sizeof(t)))
		return -EFAULT;
	__builtin_memcpy(&t, (const void *)a[3], sizeof(t));
	if (!sys_time_valid(t.tv_sec, t.tv_nsec, NSEC))
		return -EINVAL;
	if (t.tv_sec > SECONDS_MAX)
		return 0;
	if (absolute && op & FUTEX_CLOCK_REALTIME)
		l->clock = CLOCK_REALTIME;
	if (!absolute)
		r = sys_clock_now(l->clock, &now);
	l->end = t.tv_sec * NSEC + t.tv_nsec;
	l->end = l->end < FOREVER - now ? l->end + now : FOREVER;
	return r;
}

/* Nanoseconds until then. */
static long left_of(const struct until *l, uint64_t *left)
{
	int64_t now;
	long r;

	*left = UINT64_MAX;
	if (l->end == FOREVER)
		return 0;
	r = sys_clock_now(l->clock, &now);
	*left = r == 0 && now < l->end ? (uint64_t)(l->end - now) : 0;
	return r;
}

/* Whether it is over, when the host says so: it counts by its own clock. */
static bool is_over(const struct until *l, uint64_t *left)
{
	if (l->end == FOREVER)
		return false;
	if (left_of(l, left) == 0 && *left) {
		sys_clock_stale();
		(void)!left_of(l, left);
	}
	return *left == 0;
}

/* Queued; until it is waked, a signal is due or the time is over. */
static long wait_in_lot(struct park_node *n, const struct until *l,
			uint64_t left)
{
	edmm_err err;
	long r;

	rt_stats_tell();
	for (;;) {
		err = park_sleep(n, left);
		if (!err)
			return 0;
		sys_lock();
		sys_tick();
		sys_unlock();
		if (sys_signals_wait())
			r = -EINTR;
		else if (err == -EDMM_ETIMEDOUT && is_over(l, &left))
			r = -ETIMEDOUT;
		else if (err != -EDMM_ETIMEDOUT && l->end != FOREVER)
			r = 0;
		else
			continue;
		return park_leave(n) ? r : 0;
	}
}

static long wait(const uint64_t *a, uint32_t bits)
{
	struct park_node *n = &sys_self()->wait;
	struct park_bucket *b;
	struct until l;
	uint64_t left = 0;
	uint32_t word;
	long r = take_limit(a, &l);

	if (r == 0)
		r = left_of(&l, &left);

	/* Once without the lock: it may have to be brought in. */
	if (r == 0)
		r = load(a[0], &word);
	if (r)
		return r;
	b = park_lock(a[0]);
	r = load(a[0], &word);
	if (r == 0 && word != (uint32_t)a[2])
		r = -EAGAIN;
	if (r == 0)
		park_add(b, n, a[0], bits);
	park_unlock(b);
	if (r)
		return r;
	r = left ? wait_in_lot(n, &l, left) : (park_leave(n) ? -ETIMEDOUT : 0);
	n->state = PARK_IDLE;
	return r;
}

static long wake(uint64_t addr, uint32_t most, uint32_t bits)
{
	struct park_bucket *b;
	struct park_list l;
	uint32_t done = 0, n;

	do {
		l.count = 0;
		b = park_lock(addr);
		n = park_wake(b, addr, bits, most - done, &l);
		park_unlock(b);
		park_list_out(&l);
		done += n;
	} while (l.count == PARK_LIST && done < most);
	return done;
}

long sys_futex_wake(uint64_t addr, uint32_t most)
{
	return wake(addr, most, ALL_BITS);
}

int sys_futex_wake_one(uint64_t addr)
{
	struct park_list l = { 0 };
	struct park_bucket *b = park_lock(addr);

	park_wake(b, addr, ALL_BITS, 1, &l);
	park_unlock(b);
	return l.count ? (int)l.context[0] : -1;
}

/*
 * Wake some, and let some go on waiting for the word at a[4]: those who are
 * left when the last has been waked, with nobody between.
 */
static long requeue(const uint64_t *a, bool compare)
{
	const uint32_t most = (uint32_t)a[2], more = (uint32_t)a[3];
	struct park_bucket *b[2];
	struct park_list l;
	uint32_t word = (uint32_t)a[5], done = 0, moved = 0;
	long r = check(a[4]);
	bool again;

	if (r)
		return r;
	if ((int32_t)most < 0 || (int32_t)more < 0)
		return -EINVAL;
	if (compare)
		r = load(a[0], &word);
	if (r)
		return r;
	do {
		l.count = 0;
		park_lock_both(a[0], a[4], b);
		/* Once, for all of it. */
		if (compare && done == 0)
			r = load(a[0], &word);
		if (r == 0 && word != (uint32_t)a[5])
			r = -EAGAIN;
		if (r == 0)
			done += park_wake(b[0], a[0], ALL_BITS, most - done,
					  &l);
		again = l.count == PARK_LIST && done < most;
		if (r == 0 && !again)
			moved = park_move(b, a[0], a[4], more);
		park_unlock_both(b);
		park_list_out(&l);
	} while (again);
	return r ? r : (long)done + moved;
}

static uint32_t change(uint32_t *word, uint32_t op, uint32_t arg)
{
	switch (op) {
	case FUTEX_OP_SET:
		return __atomic_exchange_n(word, arg, __ATOMIC_SEQ_CST);
	case FUTEX_OP_ADD:
		return __atomic_fetch_add(word, arg, __ATOMIC_SEQ_CST);
	case FUTEX_OP_OR:
		return __atomic_fetch_or(word, arg, __ATOMIC_SEQ_CST);
	case FUTEX_OP_ANDN:
		return __atomic_fetch_and(word, ~arg, __ATOMIC_SEQ_CST);
	default:
		return __atomic_fetch_xor(word, arg, __ATOMIC_SEQ_CST);
	}
}

static bool holds(uint32_t was, uint32_t cmp, uint32_t arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return was == arg;
	case FUTEX_OP_CMP_NE:
		return was != arg;
	case FUTEX_OP_CMP_LT:
		return (int32_t)was < (int32_t)arg;
	case FUTEX_OP_CMP_LE:
		return (int32_t)was <= (int32_t)arg;
	case FUTEX_OP_CMP_GT:
		return (int32_t)was > (int32_t)arg;
	default:
		return (int32_t)was >= (int32_t)arg;
	}
}

static uint32_t sign_extend(uint32_t v)
{
	return (v & 0x800 ? v | ~0xfffu : v) & UINT32_MAX;
}

/* Change the word at a[4], wake some of the first, and by its old value more.
 */
static long wake_op(const uint64_t *a)
{
	const uint32_t how = (uint32_t)a[5];
	uint32_t op = how >> 28, cmp = how >> 24 & 0xf, was;
	uint32_t arg = sign_extend(how >> 12 & 0xfff);
	long done;

	if (!sys_owns_to_write(a[4], sizeof(uint32_t)) || check(a[4]))
		return check(a[4]) ? check(a[4]) : -EFAULT;
	if ((op & (OP_SHIFTED - 1)) > FUTEX_OP_XOR || cmp > FUTEX_OP_CMP_GE)
		return -ENOSYS;
	if (op & OP_SHIFTED)
		arg = 1u << (arg & 31);
	was = change((uint32_t *)a[4], op & (OP_SHIFTED - 1), arg);
	done = wake(a[0], (uint32_t)a[2], ALL_BITS);
	if (holds(was, cmp, sign_extend(how & 0xfff)))
		done += wake(a[4], (uint32_t)a[3], ALL_BITS);
	return done;
}

long sys_futex(const uint64_t *a)
{
	long r = check(a[0]);

	if (r)
		return r;
	switch ((int)a[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait(a, ALL_BITS);
	case FUTEX_WAIT_BITSET:
		return (uint32_t)a[5] ? wait(a, (uint32_t)a[5]) : -EINVAL;
	case FUTEX_WAKE:
		return wake(a[0], (uint32_t)a[2], ALL_BITS);
	case FUTEX_WAKE_BITSET:
		return (uint32_t)a[5]
			       ? wake(a[0], (uint32_t)a[2], (uint32_t)a[5])
			       : -EINVAL;
	case FUTEX_REQUEUE:
		return requeue(a, false);
	case FUTEX_CMP_REQUEUE:
		return requeue(a, true);
	case FUTEX_WAKE_OP:
		return wake_op(a);
	default:
		return -ENOSYS;
	}
}
