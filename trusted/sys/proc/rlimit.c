/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits, priorities and what prctl() keeps: state of the program's own.
 *
 * A limit starts as what the image and the start-up parameters allow, for soft
 * and hard. It can be lowered, and then it holds: of descriptors where a call
 * would give out a higher one (marshal.c), of the stack in the rights of its
 * pages, of memory in the heap's maximum. Processor time and file size are the
 * host's to count: those two cannot be lowered.
 */
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <linux/prctl.h>
#include <linux/resource.h>

#include "edmm/emm.h"
#include "trusted/elastic/heap.h"

#define RLIMITS 16
#define NICE_MIN (-20)
#define NICE_MAX 19
#define RT_PRIORITY_MAX 99
/* Of sched.h, which no header of the kernel's gives to C code. */
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_IDLE 5

struct limit {
	uint64_t now;
	uint64_t most;
};

static struct {
	bool known;
	struct limit v[RLIMITS];
} limits;

static int nice_now;
static bool not_dumpable;

static uint64_t limit_at_start(uint64_t resource)
{
	switch (resource) {
	case RLIMIT_STACK:
		return rt_layout()->stack_size;
	case RLIMIT_AS:
	case RLIMIT_DATA:
		return sys_heap()->max;
	case RLIMIT_NOFILE:
		return CALL_FD_MAX;
	case RLIMIT_CORE:
	case RLIMIT_NPROC:
	case RLIMIT_MEMLOCK:
		return 0;
	default:
		return RLIM64_INFINITY;
	}
}

static struct limit *limit_of(uint64_t resource)
{
	uint64_t i;

	for (i = 0; i < RLIMITS && !limits.known; i++)
		limits.v[i].now = limits.v[i].most = limit_at_start(i);
	limits.known = true;
	return &limits.v[resource];
}

uint64_t sys_fd_limit(void)
{
	return limit_of(RLIMIT_NOFILE)->now;
}

/* The absent part of the stack below the limit cannot be touched. */
static long limit_stack(uint64_t size)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t low = rt_base() + l->stack_off;
	uint64_t top = low + l->stack_size, at = low;
	uint64_t end = top - (size + 4095) / 4096 * 4096;
	struct emm_run run;
	edmm_err err = 0;

	while (!err && at < top && !emm_query(rt_emm(), at, top, &run) &&
	       run.state == EMM_PG_UNCOMMITTED)
		at += run.size;
	if (end > at)
		end = at; /* what is in use stays */
	if (end > low)
		err = emm_protect(rt_emm(), low, end - low, EMM_NONE, NULL);
	if (!err && at > end)
		err = emm_protect(rt_emm(), end, at - end, EMM_RW, NULL);
	return err ? -EPERM : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Makes a new soft limit hold. */
static long enforce(uint64_t resource, uint64_t now)
{
	switch (resource) {
	case RLIMIT_STACK:
		return limit_stack(now);
	case RLIMIT_AS:
	case RLIMIT_DATA:
		sys_heap()->max = least(
			now, least(limits.v[resource].most,
				   limits.v[RLIMIT_AS + RLIMIT_DATA - resource]
					   .now));
		return 0;
	case RLIMIT_CPU:
	case RLIMIT_FSIZE:
		return now == RLIM64_INFINITY ? 0 : -EPERM;
	default:
		return 0;
	}
}

long sys_getrlimit(const uint64_t *a)
{
	uint64_t *to = (uint64_t *)a[1];

	if ((uint32_t)a[0] >= RLIMITS)
		return -EINVAL;
	if (!sys_owns_to_write(a[1], 2 * sizeof(*to)))
		return -EFAULT;
	to[0] = limit_of((uint32_t)a[0])->now;
	to[1] = limit_of((uint32_t)a[0])->most;
	return 0;
}

long sys_setrlimit(const uint64_t *a)
{
	struct limit *l, want;
	long r;

	if ((uint32_t)a[0] >= RLIMITS)
		return -EINVAL;
	if (!sys_owns(a[1], sizeof(want)))
		return -EFAULT;
	__builtin_memcpy(&want, (const void *)a[1], sizeof(want));
	l = limit_of((uint32_t)a[0]);
	if (want.now > want.most)
		return -EINVAL;
	if (want.most > l->most)
		return -EPERM;
	r = want.now != l->now ? enforce((uint32_t)a[0], want.now) : 0;
	if (r == 0)
		*l = want;
	return r;
}

long sys_prlimit64(const uint64_t *a)
{
	const uint64_t set[2] = { a[1], a[2] };
	struct limit old;
	const uint64_t get[2] = { a[1], (uint64_t)&old };
	long r;

	if (a[0] != 0)
		return -ESRCH;
	if (a[3] != 0 && !sys_owns_to_write(a[3], sizeof(old)))
		return -EFAULT;
	r = sys_getrlimit(get);
	if (r == 0 && a[2] != 0)
		r = sys_setrlimit(set);
	if (r == 0 && a[3] != 0)
		__builtin_memcpy((void *)a[3], &old, sizeof(old));
	return r;
}

/* ---- priorities: a number that only the program sees ------------------- */

static long whose(const uint64_t *a)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };

	if ((int)a[0] < PRIO_PROCESS || (int)a[0] > PRIO_USER)
		return -EINVAL;
	if ((int)a[1] == 0 || (int)a[0] == PRIO_USER)
		return 0;
	return (int)a[1] == sys_call(CALL_getpid, none) ||
			       (int)a[1] == sys_gettid(none)
		       ? 0
		       : -ESRCH;
}

long sys_getpriority(const uint64_t *a)
{
	long r = whose(a);

	return r ? r : 20 - nice_now;
}

long sys_setpriority(const uint64_t *a)
{
	int nice = (int)a[2];
	long r = whose(a);

	if (r)
		return r;
	nice = nice < NICE_MIN ? NICE_MIN : nice;
	nice_now = nice > NICE_MAX ? NICE_MAX : nice;
	return 0;
}

static long priority_bound(uint64_t policy, int bound)
{
	if ((int)policy < 0 || (int)policy > SCHED_IDLE || (int)policy == 4)
		return -EINVAL;
	return (int)policy == SCHED_FIFO || (int)policy == SCHED_RR ? bound : 0;
}

long sys_sched_get_priority_max(const uint64_t *a)
{
	return priority_bound(a[0], RT_PRIORITY_MAX);
}

long sys_sched_get_priority_min(const uint64_t *a)
{
	return priority_bound(a[0], 1);
}

/* Of SCHED_OTHER there is one priority. */
long sys_sched_getparam(const uint64_t *a)
{
	if ((int)a[0] < 0 || a[1] == 0)
		return -EINVAL;
	if (!sys_owns_to_write(a[1], sizeof(int)))
		return -EFAULT;
	*(int *)a[1] = 0;
	return 0;
}

/* ---- prctl ------------------------------------------------------------- */

/* Up to its NUL, or to what there is room for. */
static long set_name(uint64_t from)
{
	char name[SYS_NAME_SIZE] = { 0 };
	uint64_t i;

	for (i = 0; i < SYS_NAME_SIZE - 1; i++) {
		if (!sys_owns(from + i, 1))
			return -EFAULT;
		name[i] = ((const char *)from)[i];
		if (name[i] == '\0')
			break;
	}
	__builtin_memcpy(sys_self()->name, name, sizeof(name));
	return 0;
}

/* An enclave is never dumped; a debugger needs no leave of the program's. */
long sys_prctl(const uint64_t *a)
{
	switch ((int)a[0]) {
	case PR_SET_NAME:
		return set_name(a[1]);
	case PR_GET_NAME:
		if (!sys_owns_to_write(a[1], SYS_NAME_SIZE))
			return -EFAULT;
		__builtin_memcpy((void *)a[1], sys_self()->name, SYS_NAME_SIZE);
		return 0;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		not_dumpable = a[1] == 0;
		return 0;
	case PR_GET_DUMPABLE:
		return !not_dumpable;
	default:
		return -EINVAL;
	}
}
