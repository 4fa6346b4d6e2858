/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slots of threads. The arena is address space only; a slot takes memory when
 * a thread does. Allocation is a bitmap of atomics, so that a handler that
 * finds itself on a foreign stack can make a record for its thread.
 */
#include "machine/trap/signal/thread.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

#define RECORD_SIZE 0x3000ul /* three pages, then one of guard */
#define GUARD_SIZE 0x1000ul
#define MAP_WORDS (THREAD_SLOT_COUNT / 64)

_Static_assert(sizeof(struct thread) <= RECORD_SIZE, "record");

static uintptr_t arena;
static _Atomic uint64_t used[MAP_WORDS];
/* Slots whose record may be looked at; a used one may have no memory yet. */
static _Atomic uint64_t live[MAP_WORDS];
/* Also read by fast.S. */
__thread struct thread *thread_tls __attribute__((tls_model("initial-exec")));

/* Or THREAD_SLOT_COUNT: they are all in use. */
static uint32_t slot_take(void)
{
	for (uint32_t i = 0; i < MAP_WORDS; i++) {
		uint64_t w = atomic_load(&used[i]);

		while (~w) {
			uint32_t bit = (uint32_t)__builtin_ctzll(~w);

			if (atomic_compare_exchange_weak(&used[i], &w,
							 w | 1ull << bit))
				return i * 64 + bit;
		}
	}
	return THREAD_SLOT_COUNT;
}

stack_t thread_stack(struct thread *t)
{
	return (stack_t){
		.ss_sp = (char *)t + RECORD_SIZE + GUARD_SIZE,
		.ss_size = THREAD_SLOT_SIZE - RECORD_SIZE - GUARD_SIZE -
			   THREAD_OWN_STACK,
	};
}

static void stack_set(struct thread *t)
{
	stack_t ss = thread_stack(t);

	sys_call(SYS_sigaltstack, (long)&ss, 0);
}

void thread_init(void)
{
	size_t size = THREAD_SLOT_COUNT * THREAD_SLOT_SIZE;
	char *p = sys_mmap(NULL, size + THREAD_SLOT_SIZE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (sys_failed(p))
		sys_die("no address space for signal stacks", NULL);
	arena = ((uintptr_t)p + THREAD_SLOT_SIZE - 1) & ~(THREAD_SLOT_SIZE - 1);
}

struct thread *thread_on_stack(const void *sp)
{
	uintptr_t a = (uintptr_t)sp;

	if (a - arena >= THREAD_SLOT_COUNT * THREAD_SLOT_SIZE)
		return NULL;
	return (struct thread *)(a & ~(THREAD_SLOT_SIZE - 1));
}

struct thread *thread_new(void)
{
	uint32_t i = slot_take();
	char *p = (char *)arena + i * THREAD_SLOT_SIZE;
	struct thread *t = (struct thread *)p;
	size_t low = RECORD_SIZE + GUARD_SIZE;

	if (i == THREAD_SLOT_COUNT)
		return NULL;
	if (sys_mprotect(p, RECORD_SIZE, PROT_READ | PROT_WRITE) ||
	    sys_mprotect(p + low, THREAD_SLOT_SIZE - low,
			 PROT_READ | PROT_WRITE))
		sys_die("no memory for a signal stack", NULL);
	*t = (struct thread){ .index = i };
	mach_cpu_init(&t->cpu);
	t->altstack.ss_flags = SS_DISABLE;
	atomic_fetch_or(&live[i / 64], 1ull << (i % 64));
	return t;
}

void thread_become(struct thread *t)
{
	stack_t old;

	/* A signal may have been here before. */
	if (!dispatch.on && thread_tls) {
		thread_free(t);
		return;
	}
	t->tid = (int)sys_call(SYS_gettid);
	/* What the program had set before its thread was ours stays its. */
	if (!sys_call(SYS_sigaltstack, 0, (long)&old))
		t->altstack = old;
	stack_set(t);
	/* With dispatch on FS may be anybody's. */
	if (!dispatch.on)
		thread_tls = t;
}

static struct thread *thread_make(void)
{
	struct thread *t = thread_new();

	if (!t)
		sys_die("more threads than the machine can hold", NULL);
	thread_become(t);
	return t;
}

/* By the signal stack that the kernel knows of, which is always ours. */
static struct thread *thread_by_stack(void)
{
	stack_t ss = { 0 };

	sys_call(SYS_sigaltstack, 0, (long)&ss);
	return thread_on_stack(ss.ss_sp);
}

struct thread *thread_self(void)
{
	struct thread *t = thread_on_stack(__builtin_frame_address(0));

	if (!t)
		t = dispatch.on ? thread_by_stack() : thread_tls;
	return t ? t : thread_make();
}

void thread_exit(void)
{
	struct thread *t = dispatch.on ? NULL : thread_tls;
	stack_t off = { .ss_flags = SS_DISABLE };
	char *p = (char *)t;
	uint32_t index;

	if (!t)
		return;
	index = t->index; /* the record goes before the slot is free */
	thread_tls = NULL;
	machine.thread_gone(t);
	sys_call(SYS_sigaltstack, (long)&off, 0);
	sys_madvise(p, THREAD_SLOT_SIZE, MADV_DONTNEED);
	atomic_fetch_and(&used[index / 64], ~(1ull << (index % 64)));
}

void thread_free(struct thread *t)
{
	uint32_t index = t->index;

	machine.thread_gone(t);
	sys_madvise(t, THREAD_SLOT_SIZE, MADV_DONTNEED);
	atomic_fetch_and(&used[index / 64], ~(1ull << (index % 64)));
}

_Noreturn void thread_leave(struct thread *t, long status)
{
	uint32_t index = t->index;
	uint64_t here = (uint64_t)__builtin_frame_address(0);
	char *low = thread_stack(t).ss_sp;

	machine.thread_gone(t);
	here = (here - SGX_PAGE_SIZE) & ~(SGX_PAGE_SIZE - 1ul);
	sys_madvise(low, here - (uint64_t)low, MADV_DONTNEED);
	thread_exit_call(status, (uint64_t *)&used[index / 64],
			 ~(1ull << (index % 64)));
}

void thread_hide(const struct thread *t)
{
	atomic_fetch_and(&live[t->index / 64], ~(1ull << (t->index % 64)));
}

void thread_each(void (*fn)(void *arg, struct thread *t), void *arg)
{
	for (uint32_t i = 0; i < MAP_WORDS; i++) {
		uint64_t w = atomic_load(&live[i]);

		for (; w; w &= w - 1) {
			uint32_t n = i * 64 + (uint32_t)__builtin_ctzll(w);

			fn(arg, (void *)(arena + n * THREAD_SLOT_SIZE));
		}
	}
}

static void only(const struct thread *t)
{
	for (uint32_t i = 0; i < MAP_WORDS; i++) {
		uint64_t w =
			t && t->index / 64 == i ? 1ull << t->index % 64 : 0;

		atomic_store(&used[i], w);
		atomic_store(&live[i], w);
	}
}

void thread_copied(struct thread *t)
{
	only(t);
	t->tid = (int)sys_call(SYS_gettid);
	t->sud = false; /* the kernel's part is not inherited */
	t->timed = false;
}

void thread_after_fork(void)
{
	struct thread *t = thread_on_stack(__builtin_frame_address(0));

	if (!t)
		t = dispatch.on ? thread_by_stack() : thread_tls;
	if (!t) {
		only(NULL);
		return;
	}
	thread_copied(t);
	mach_cpu_init(&t->cpu);
	t->ready = false;
	t->stats = (struct edmm_machine_stats){ 0 };
}
