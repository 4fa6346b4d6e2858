/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads of the program come and go. Each runs on a context of its own, and
 * its number is the context's, from 1 on. The record of one that is not live
 * may be gone, so the bits come first.
 */
#include "trusted/sys/thread/task.h"

#include "common/ctxset.h"
#include "trusted/elastic/heap.h"
#include "trusted/sys/memory/memory.h"

#define CLONE_VM 0x100ull
#define CLONE_FS 0x200ull
#define CLONE_FILES 0x400ull
#define CLONE_SIGHAND 0x800ull
#define CLONE_THREAD 0x10000ull
#define CLONE_SYSVSEM 0x40000ull
#define CLONE_SETTLS 0x80000ull
#define CLONE_PARENT_SETTID 0x100000ull
#define CLONE_CHILD_CLEARTID 0x200000ull
#define CLONE_DETACHED 0x400000ull /* Linux takes it and does nothing */
#define CLONE_CHILD_SETTID 0x1000000ull
/* A thread, and nothing else; and what may come with it. */
#define CLONE_ALWAYS                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM)
#define CLONE_MAY                                              \
	(CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_DETACHED | \
	 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)
#define RFLAGS_FIXED 2u

/*
 * musl's __clone(), in its order. @open: NULL, or a lock of the maker's that is
 * opened when the thread has its number and may be named, before it starts.
 */
struct clone_args {
	uint64_t func, stack, flags, arg, parent_tid, tls, child_tid, open;
};

/* Under the lock. @threads: with those that are being made. */
static uint32_t threads;
/* Of them: past the point where the last one is told. */
static uint32_t leavers;
static struct ctxset live;

struct sys_thread *sys_self(void)
{
	return rt_local();
}

struct sys_thread *sys_thread_of(uint64_t tid, uint32_t *context)
{
	if ((int32_t)tid <= 0 || (uint32_t)tid > rt_contexts())
		return NULL;
	*context = (uint32_t)tid - 1;
	return ctxset_has(&live, *context) ? rt_local_of(*context) : NULL;
}

struct sys_thread *sys_thread_next(uint32_t *context)
{
	const uint32_t i = ctxset_next(&live, *context, rt_contexts(), true);

	*context = i + 1;
	return i < rt_contexts() ? rt_local_of(i) : NULL;
}

bool sys_thread_live(void)
{
	return ctxset_has(&live, rt_context());
}

static void become_live(struct sys_thread *t, uint32_t context)
{
	t->alternate = (struct sys_altstack){ .flags = SS_DISABLE };
	ctxset_add(&live, context);
}

void sys_thread_begin(void)
{
	struct sys_thread *t = sys_self();

	__builtin_memcpy(t->name, "enclave", sizeof("enclave"));
	become_live(t, rt_context());
	threads = 1;
}

/* Numbers of threads are the enclave's own: its contexts, from 1 on. */
long sys_gettid(const uint64_t *a)
{
	(void)a;
	return (long)rt_context() + 1;
}

long sys_set_tid_address(const uint64_t *a)
{
	sys_self()->clear = a[0];
	return sys_gettid(a);
}

/* The program's, and it may write there. */
static bool put_tid(uint64_t to, uint32_t tid)
{
	if (to % sizeof(tid) != 0 || !sys_owns_to_write(to, sizeof(tid)))
		return false;
	__atomic_store_n((uint32_t *)to, tid, __ATOMIC_RELEASE);
	return true;
}

static void prepare(const struct clone_args *q, uint32_t context)
{
	struct sys_thread *t = rt_local_of(context);
	const struct sys_thread *me = sys_self();

	*t = (struct sys_thread){ .blocked = me->blocked };
	__builtin_memcpy(t->name, me->name, sizeof(t->name));
	if (q->flags & CLONE_CHILD_CLEARTID)
		t->clear = q->child_tid;
}

/* As a call of @func by nobody. */
static void set_regs(const struct clone_args *q, struct rt_regs *r)
{
	r->rip = q->func;
	r->rdi = q->arg;
	r->rsp = (q->stack & ~15ull) - sizeof(uint64_t);
	r->rflags = RFLAGS_FIXED;
	r->fs_base = q->flags & CLONE_SETTLS ? q->tls : rt_fs_base();
}

static long check(const struct clone_args *q)
{
	const uint64_t flags = q->flags;

	if ((flags & CLONE_ALWAYS) != CLONE_ALWAYS ||
	    flags & ~(CLONE_ALWAYS | CLONE_MAY))
		return -EINVAL;
	if (flags & CLONE_SETTLS && !sys_owns(q->tls, sizeof(uint64_t)))
		return -EPERM;
	return 0;
}

static long start(const struct clone_args *q, uint32_t context)
{
	const uint32_t tid = context + 1;
	uint32_t depth;
	bool opened;
	long r;

	if (q->flags & CLONE_PARENT_SETTID && !put_tid(q->parent_tid, tid))
		return -EFAULT;
	if (q->flags & CLONE_CHILD_SETTID && !put_tid(q->child_tid, tid))
		return -EFAULT;
	prepare(q, context);
	set_regs(q, rt_thread_regs(context));
	become_live(rt_local_of(context), context);
	opened = q->open != 0 && put_tid(q->open, 0);
	depth = sys_lock_drop();
	if (opened)
		(void)sys_futex_wake(q->open, 1);
	r = rt_thread_start(context);
	sys_lock_take(depth);
	if (!r)
		return (long)tid;
	ctxset_drop(&live, context);
	return -EAGAIN;
}

/* One that is free, or made for this. The lock is not held meanwhile. */
static int get_context(void)
{
	const uint32_t depth = sys_lock_drop();
	int context = rt_thread_take();

	rt_threads_trim();
	if (context < 0)
		context = rt_thread_make();
	sys_lock_take(depth);
	return context;
}

long sys_thread(const uint64_t *a)
{
	struct clone_args q;
	int context;
	long r;

	if (!sys_owns(a[0], sizeof(q)))
		return -EFAULT;
	__builtin_memcpy(&q, (const void *)a[0], sizeof(q));
	r = check(&q);
	if (r)
		return r;
	if (threads >= rt_params()->threads_max) {
		rt_stats_threads_refused(threads);
		return -EAGAIN;
	}
	threads++;
	context = get_context();
	r = context < 0 ? -EAGAIN : start(&q, (uint32_t)context);
	if (r >= 0)
		return r;
	threads--;
	if (context >= 0)
		rt_thread_drop((uint32_t)context);
	return r;
}

/* On the system stack: the program's own is anybody's from here on. */
static _Noreturn void finish(uint64_t addr, uint64_t size)
{
	struct sys_thread *me = sys_self();
	const uint64_t clear = me->clear;
	int unpark = -1;
	bool cleared;

	if (size)
		(void)!mem_unmap(addr, size);
	(void)sys_lock_drop();
	sys_robust_over();
	rt_threads_trim();
	sys_lock();
	ctxset_drop(&live, rt_context());
	threads--;
	leavers--;
	sys_signal_thread_over();
	cleared = clear != 0 && put_tid(clear, 0);
	(void)sys_lock_drop();
	if (cleared)
		unpark = sys_futex_wake_one(clear);
	rt_thread_end(unpark);
}

/* The last one ends the program. */
static _Noreturn void end_thread(uint64_t status, uint64_t addr, uint64_t size)
{
	if (threads - leavers == 1)
		rt_exit((int)(status & 0xff));
	leavers++;
	finish(addr, size);
}

long sys_exit(const uint64_t *a)
{
	end_thread(a[0], 0, 0);
}

/* musl's __unmapself(): the stack that it runs on goes away with it. */
long sys_thread_end(const uint64_t *a)
{
	const uint64_t size = (a[1] + SGX_PAGE_SIZE - 1) & ~(SGX_PAGE_SIZE - 1);

	if (a[0] % SGX_PAGE_SIZE != 0 || size < a[1] ||
	    !heap_owns(sys_heap(), a[0], size))
		return -EINVAL;
	end_thread(0, a[0], size);
}
