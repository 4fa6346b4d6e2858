/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads of the program: what each has for itself, what they share, and how
 * they wait for one another.
 *
 * The lock. Everything of this layer that is the process's is guarded by one
 * lock, which a thread has while it is in a system call, and not while the
 * host does what the call is for: what is shared may be another's when
 * sys_host_call() returns. A thread may take it again that has it already: a
 * fault inside a call may need memory. The memory manager has its own locks,
 * and never takes this one but by the hooks of stage 2.
 *
 * The parking lot (park.c). Who waits, and for what, is trusted and inside;
 * outside a thread has one number to sleep on, and takes a wake-up for a hint.
 *
 * Order: a bucket of the lot, then the lock (by a fault under it), then the
 * lock's own bucket. So nobody who has the lock takes a bucket of the lot.
 */
#ifndef TRUSTED_SYS_TASK_H
#define TRUSTED_SYS_TASK_H

#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"

struct park_bucket;

enum park_state {
	PARK_IDLE,
	PARK_QUEUED, /* in a bucket; it looks again before it sleeps */
	PARK_OUT,    /* it sleeps, or is about to: it must be unparked */
	PARK_WOKEN,  /* in no bucket any more */
};

/**
 * struct park_node - a thread that waits; its own, one at a time
 * @key: for what: an address, or none
 * @bits: of a wait for some wake-ups only
 * @in: the bucket that it is in; changed under the locks of both
 */
struct park_node {
	struct park_node *next;
	struct park_bucket *in;
	uint64_t key;
	uint32_t bits;
	uint32_t state;
	uint32_t context;
};

#define SYS_NAME_SIZE 16

/**
 * struct sys_thread - what a thread has for itself, in its context
 * @clear: set to 0 at its end, and one who waits for it waked; or 0
 * @robust: the list of locks that it holds, or 0
 * @blocked, @pending: signals
 * @saved: the mask, during a wait with another (@suspended)
 * @awaited: by a sigtimedwait() that it is in
 * @forced: a SIGSEGV of the kernel's own is due
 * @trapno, @trap_error, @trap_addr: of its last exception
 */
struct sys_thread {
	uint64_t clear;
	uint64_t robust;
	uint64_t blocked, saved, pending, awaited;
	struct sys_altstack alternate;
	uint64_t trapno, trap_error, trap_addr;
	bool suspended, forced;
	char name[SYS_NAME_SIZE];
	struct park_node wait; /* in the lot */
	struct park_node turn; /* for the lock */
};
_Static_assert(sizeof(struct sys_thread) <= RT_LOCAL_SIZE, "sys_thread");

struct sys_thread *sys_self(void);
/* Of a live thread, by its number; or NULL. The lock is held. */
struct sys_thread *sys_thread_of(uint64_t tid, uint32_t *context);
/* Is the caller's still one of the program's? */
bool sys_thread_live(void);
/* Those that are live, one after the other; NULL after the last. */
struct sys_thread *sys_thread_next(uint32_t *context);

/* The first thread becomes the program's. */
void sys_thread_begin(void);

/* big_lock.c */
void sys_lock(void);
void sys_unlock(void);
/* However often it has been taken; to be put back. 0: it was not ours. */
uint32_t sys_lock_drop(void);
void sys_lock_take(uint32_t depth);
/* From now on host calls of this thread are made with the lock held, or not. */
void sys_lock_keep(bool keep);
/* rt_host_call() without the lock. */
EDMM_NODISCARD edmm_err sys_host_call(uint32_t nr,
				      const uint64_t args[WIRE_CALL_ARGS],
				      uint64_t *count);

/* park.c */

/* A list of contexts to unpark by as few exits as there can be. */
#define PARK_LIST 64
struct park_list {
	uint32_t count;
	uint32_t context[PARK_LIST];
};

/* The bucket of a key, locked. */
struct park_bucket *park_lock(uint64_t key);
void park_unlock(struct park_bucket *b);
/* The lock's own. */
struct park_bucket *park_lock_turn(void);
void park_lock_both(uint64_t a, uint64_t b, struct park_bucket *out[2]);
void park_unlock_both(struct park_bucket *const b[2]);

/* The bucket is locked. */
void park_add(struct park_bucket *b, struct park_node *n, uint64_t key,
	      uint32_t bits);
/*
 * Wakes up to @most that wait for @key with one of @bits, and lists those that
 * sleep, until the list is full. Return: how many.
 */
uint32_t park_wake(struct park_bucket *b, uint64_t key, uint32_t bits,
		   uint32_t most, struct park_list *l);
/* Up to @most that wait for @key go on waiting for another. */
uint32_t park_move(struct park_bucket *const b[2], uint64_t key, uint64_t to,
		   uint32_t most);
/* No bucket is locked: out, if there is anybody to unpark. */
void park_list_out(const struct park_list *l);

/**
 * park_sleep() - sleep once, if nobody has waked @n yet
 * @nanoseconds: at most; UINT64_MAX: for ever
 *
 * Return: 0 where it has been waked, -EDMM_EAGAIN where it may sleep again,
 * -EDMM_ETIMEDOUT or what else the host says.
 */
edmm_err park_sleep(struct park_node *n, uint64_t nanoseconds);
/* Out of its bucket; false: somebody has waked it meanwhile. */
bool park_leave(struct park_node *n);

/* futex.c: those who wait for the word are waked, up to @most. */
long sys_futex_wake(uint64_t addr, uint32_t most);
/* One is, but for the host: a context to unpark, or -1. */
int sys_futex_wake_one(uint64_t addr);

/* robust.c: locks that this thread holds still. The lock is not held. */
void sys_robust_over(void);

#endif
