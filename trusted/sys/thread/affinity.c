/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * On which processors a thread runs: the host's to say and to do. A program
 * learns by it how many threads are worth while; nothing here depends on it.
 */
#include "trusted/sys/thread/task.h"

/* Of a mask; more than any kernel has. */
#define MASK_MAX 1024u

/* One of the program's threads, by its number or 0; the process is the first.
 */
static long thread_of(uint64_t pid, uint32_t *context)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };

	*context = rt_context();
	if ((int32_t)pid == 0 || sys_thread_of(pid, context))
		return 0;
	if ((int32_t)pid < 0 ||
	    (long)(int32_t)pid != sys_call(CALL_getpid, none))
		return -ESRCH;
	return sys_thread_of(1, context) ? 0 : -ESRCH;
}

static long call(enum wire_affinity what, uint32_t context,
		 const struct rt_buf *b, uint64_t size, uint64_t *count)
{
	const uint64_t a[WIRE_CALL_ARGS] = { what, context, b->off, size };

	return sys_host_call(WIRE_CALL_AFFINITY, a, count);
}

/* What has come in is a kernel's answer: whole words, at least one of them. */
static long take_mask(const struct rt_buf *b, uint64_t to, uint64_t count,
		      uint64_t size)
{
	uint64_t mask[MASK_MAX / sizeof(uint64_t)];

	if (count == 0 || count > size || count % sizeof(*mask) != 0)
		return -EPROTO;
	if (umem_read(mask, b->p, count))
		return -EFAULT;
	if (!sys_owns_to_write(to, count))
		return -EFAULT;
	__builtin_memcpy((void *)to, mask, count);
	return (long)count;
}

long sys_sched_getaffinity(const uint64_t *a)
{
	const uint64_t size = a[1] < MASK_MAX ? a[1] : MASK_MAX;
	uint32_t context;
	uint64_t count;
	struct rt_buf b;
	long r;

	if (a[1] == 0 || a[1] % sizeof(uint64_t) != 0)
		return -EINVAL;
	r = thread_of(a[0], &context);
	if (r || rt_buf_take(&b, size))
		return r ? r : -ENOMEM;
	r = b.size < size ? -ENOMEM
			  : call(WIRE_AFFINITY_GET, context, &b, size, &count);
	if (!r)
		r = take_mask(&b, a[2], count, size);
	rt_buf_drop(&b);
	return r;
}

long sys_sched_setaffinity(const uint64_t *a)
{
	const uint64_t size = a[1] < MASK_MAX ? a[1] : MASK_MAX;
	uint8_t mask[MASK_MAX] = { 0 };
	uint32_t context;
	uint64_t count;
	struct rt_buf b;
	long r = thread_of(a[0], &context);

	if (r)
		return r;
	if (!sys_owns(a[2], size))
		return -EFAULT;
	if (size == 0)
		return -EINVAL;
	__builtin_memcpy(mask, (const void *)a[2], size);
	if (rt_buf_take(&b, size))
		return -ENOMEM;
	r = -ENOMEM;
	if (b.size >= size && !umem_write(b.p, mask, size))
		r = call(WIRE_AFFINITY_SET, context, &b, size, &count);
	rt_buf_drop(&b);
	return r;
}

/* A word each: the processor's number and its node's. */
long sys_getcpu(const uint64_t *a)
{
	const struct rt_buf none = { 0 };
	uint64_t at;
	long r = call(WIRE_AFFINITY_CPU, rt_context(), &none, 0, &at);

	for (int i = 0; i < 2 && !r; i++) {
		if (a[i] == 0)
			continue;
		if (!sys_owns_to_write(a[i], sizeof(uint32_t)))
			return -EFAULT;
		*(uint32_t *)a[i] = (uint32_t)(at >> 32 * i);
	}
	return r;
}
