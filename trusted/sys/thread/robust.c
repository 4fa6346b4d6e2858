/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of locks that a thread holds, as set_robust_list(2) has it: at its
 * end each is marked, and one who waits for it waked. The list is the program's
 * and may be anything.
 */
#include "trusted/sys/thread/task.h"

#include <linux/futex.h>

#define PI 1ull /* of a pointer: a lock that futex() here has no part in */

struct head {
	uint64_t next;
	int64_t offset; /* from an entry to its word */
	uint64_t pending;
};

long sys_set_robust_list(const uint64_t *a)
{
	if (a[1] != sizeof(struct head))
		return -EINVAL;
	sys_self()->robust = a[0];
	return 0;
}

long sys_get_robust_list(const uint64_t *a)
{
	const struct sys_thread *t = sys_self();
	uint32_t context;

	if ((int32_t)a[0] != 0)
		t = sys_thread_of(a[0], &context);
	if (!t)
		return -ESRCH;
	if (!sys_owns_to_write(a[1], sizeof(uint64_t)) ||
	    !sys_owns_to_write(a[2], sizeof(uint64_t)))
		return -EFAULT;
	*(uint64_t *)a[1] = t->robust;
	*(uint64_t *)a[2] = sizeof(struct head);
	return 0;
}

static bool copy(uint64_t from, void *to, size_t size)
{
	return from % sizeof(uint64_t) == 0 &&
	       rt_copy_inside(to, (const void *)from, size) == 0;
}

static void give_up(uint64_t at)
{
	uint32_t *word = (uint32_t *)at, was, dead;

	if (at % sizeof(*word) != 0 || !sys_owns_to_write(at, sizeof(*word)))
		return;
	was = __atomic_load_n(word, __ATOMIC_RELAXED);
	do {
		if ((was & FUTEX_TID_MASK) != rt_context() + 1)
			return;
		dead = (was & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	} while (!__atomic_compare_exchange_n(
		word, &was, dead, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	if (was & FUTEX_WAITERS)
		sys_futex_wake(at, 1);
}

void sys_robust_over(void)
{
	const uint64_t list = sys_self()->robust;
	uint64_t at, next;
	struct head h;
	int n;

	if (!list || !copy(list, &h, sizeof(h)))
		return;
	at = h.next;
	for (n = 0; n < ROBUST_LIST_LIMIT && at != list; n++) {
		const uint64_t entry = at & ~PI;

		if (!copy(entry, &next, sizeof(next)))
			break;
		if (entry != (h.pending & ~PI) && !(at & PI))
			give_up(entry + (uint64_t)h.offset);
		at = next;
	}
	if (h.pending && !(h.pending & PI))
		give_up(h.pending + (uint64_t)h.offset);
}
