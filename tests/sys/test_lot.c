/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parking lot and the layer's lock under threads of the host's: each is a
 * context, and sleeps on the very words that the host's side has. A wake-up
 * that is lost is a run that does not end. A hostile host's share: hints that
 * nobody sent, and sleeps that end for nothing.
 */
#include "trusted/sys/thread/task.h"

#include "tests/sys/lot.h"

#define THREADS LOT_THREADS
#define WAIT 0
#define WAKE 1
#define CMP_REQUEUE 4

static _Alignas(64) struct rt_thread_local {
	_Alignas(64) uint8_t bytes[RT_LOCAL_SIZE];
} locals[THREADS];
static _Thread_local uint32_t context;

void *rt_local(void)
{
	return locals[context].bytes;
}

void *rt_local_of(uint32_t i)
{
	return locals[i].bytes;
}

uint32_t rt_context(void)
{
	return context;
}

uint32_t rt_contexts(void)
{
	return THREADS;
}

struct sys_thread *sys_self(void)
{
	return rt_local();
}

uint64_t rt_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

void rt_stats_tell(void)
{
}

void sys_tick(void)
{
}

void rt_look_for_end(void)
{
}

void rt_abort(unsigned int invariant, const char *text)
{
	(void)invariant;
	(void)text;
	__builtin_trap();
}

void rt_lock(struct rt_lock *l)
{
	uint32_t free = 0;

	while (!__atomic_compare_exchange_n(&l->owner, &free, context + 1,
					    false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED))
		free = 0;
}

void rt_unlock(struct rt_lock *l)
{
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
}

edmm_err rt_host_call(uint32_t nr, const uint64_t args[WIRE_CALL_ARGS],
		      uint64_t *count)
{
	(void)count;
	if (nr == WIRE_CALL_PARK)
		return lot_park(context, args[0]);
	if (nr == WIRE_CALL_UNPARK && args[0] <= WIRE_UNPARK_INLINE)
		for (uint64_t i = 0; i < args[0]; i++)
			lot_unpark((uint32_t)args[1 + i]);
	return 0;
}

/* None of these calls has as many to wake. */
edmm_err rt_buf_take(struct rt_buf *b, uint64_t size)
{
	(void)b;
	(void)size;
	__builtin_trap();
}

void rt_buf_drop(const struct rt_buf *b)
{
	(void)b;
	__builtin_trap();
}

edmm_err umem_write(umem_t dst, const void *src, size_t size)
{
	(void)dst;
	(void)src;
	(void)size;
	__builtin_trap();
}

/* As one instruction: the word may be stored to meanwhile. */
edmm_err rt_copy_inside(void *dst, const void *src, size_t size)
{
	(void)size;
	*(uint64_t *)dst =
		__atomic_load_n((const uint64_t *)src, __ATOMIC_ACQUIRE);
	return 0;
}

bool sys_owns(uint64_t addr, uint64_t size)
{
	return addr != 0 && size != 0;
}

bool sys_owns_to_write(uint64_t addr, uint64_t size)
{
	return sys_owns(addr, size);
}

bool sys_signals_wait(void)
{
	return false;
}

static long futex(uint32_t *at, int op, uint32_t val, uint64_t more,
		  uint32_t *to)
{
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)at, (uint64_t)op, val,
					     more,	   (uint64_t)to, 0 };

	return sys_futex(a);
}

/* ---- what the threads do ------------------------------------------------ */

/* A mutex as C libraries have it: 0 free, 1 held, 2 perhaps waited for. */
static _Alignas(8) uint32_t mutex[2];
static uint64_t guarded;

static void mutex_lock(uint32_t *m)
{
	uint32_t was = 0;

	if (__atomic_compare_exchange_n(m, &was, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(m, 2, __ATOMIC_ACQUIRE) != 0)
		futex(m, WAIT, 2, 0, NULL);
}

static void mutex_unlock(uint32_t *m)
{
	if (__atomic_exchange_n(m, 0, __ATOMIC_RELEASE) == 2)
		futex(m, WAKE, 1, 0, NULL);
}

static void count_by_futex(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		mutex_lock(mutex);
		guarded++;
		mutex_unlock(mutex);
	}
}

static uint64_t locked;

static void count_by_lock(int rounds)
{
	uint32_t depth;

	for (int i = 0; i < rounds; i++) {
		sys_lock();
		locked++;
		if (i % 3 == 0) {
			depth = sys_lock_drop();
			sys_lock_take(depth);
		}
		sys_lock();
		locked++;
		sys_unlock();
		sys_unlock();
	}
}

/* A turn is handed round; who waits may be moved to another word first. */
static _Alignas(8) uint32_t turn[2], moved[2];

static void hand_round(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		uint32_t now, mine = (uint32_t)i * THREADS + context;

		while ((now = __atomic_load_n(turn, __ATOMIC_ACQUIRE)) != mine)
			futex(turn, WAIT, now, 0, NULL);
		__atomic_store_n(turn, mine + 1, __ATOMIC_RELEASE);
		if (mine % 5 == 0) {
			futex(turn, 3, 0, INT32_MAX, moved);
			futex(moved, WAKE, INT32_MAX, 0, NULL);
		}
		futex(turn, WAKE, INT32_MAX, 0, NULL);
	}
}

void lot_thread(uint32_t me, int rounds)
{
	context = me;
	count_by_futex(rounds);
	count_by_lock(rounds);
	hand_round(rounds / 4);
}

uint64_t lot_sum(void)
{
	return guarded + locked + *turn;
}
