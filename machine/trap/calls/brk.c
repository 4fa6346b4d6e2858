/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * brk(2) of a launched program. The launcher's libc lives on under the
 * handlers, and its malloc goes on using the kernel's break: so the program has
 * one of its own, at the start of address space that nobody else takes.
 */
#include <stdatomic.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/dispatch.h"

#define BREAK_MOST (64ull << 30)
#define BREAK_LEAST (16ull << 20)

static struct {
	atomic_flag lock;
	uint64_t start;
	uint64_t now;
	uint64_t end;
} heap = { .lock = ATOMIC_FLAG_INIT };

static uint64_t page_up(uint64_t x)
{
	return (x + SGX_PAGE_SIZE - 1) & ~(uint64_t)(SGX_PAGE_SIZE - 1);
}

/* As much as a limit on address space allows. */
void brk_init(void)
{
	for (uint64_t size = BREAK_MOST; size >= BREAK_LEAST; size /= 4) {
		void *p = sys_mmap(NULL, size, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				   -1, 0);

		if (sys_failed(p))
			continue;
		heap.start = (uint64_t)p;
		heap.now = heap.start;
		heap.end = heap.start + size;
		return;
	}
}

static bool break_move(uint64_t from, uint64_t to)
{
	uint64_t old = page_up(from), new = page_up(to);

	if (new > old)
		return !sys_mprotect((void *)old, new - old,
				     PROT_READ | PROT_WRITE);
	return new == old ||
	       !sys_failed(sys_mmap((void *)new, old - new, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS |
					    MAP_NORESERVE | MAP_FIXED,
				    -1, 0));
}

long dispatch_brk(struct trap *tr, const long a[6])
{
	uint64_t want = (uint64_t)a[0];
	long r;

	(void)tr;
	if (!dispatch.exe)
		return DISPATCH_AGAIN;
	while (atomic_flag_test_and_set_explicit(&heap.lock,
						 memory_order_acquire))
		sys_call(SYS_sched_yield);
	if (want >= heap.start && want <= heap.end &&
	    break_move(heap.now, want))
		heap.now = want;
	r = (long)heap.now;
	atomic_flag_clear_explicit(&heap.lock, memory_order_release);
	return r;
}
