/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host call is a walk along its row, three times: how many bytes has each
 * argument, copy out, copy in. Arguments in memory lie in one piece of the data
 * buffer, 8-byte aligned, in their order. When the buffer is short, arguments
 * that can be cut are, so that the call does less, as read() and write() may.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/record.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#define PATH_LOOK 256u /* bytes that are asked about at a time */

struct marshal {
	const struct call_row *row;
	const uint64_t *a;
	uint64_t args[WIRE_CALL_ARGS]; /* as the host gets them */
	uint64_t size[WIRE_CALL_ARGS]; /* of arguments in memory, in bytes */
	uint64_t limit;		       /* of the result, for LEN and ARRAY */
	struct rt_buf buf;
};

bool sys_owns(uint64_t addr, uint64_t size)
{
	return rt_accessible(addr, size, false) == size;
}

bool sys_owns_to_write(uint64_t addr, uint64_t size)
{
	return rt_accessible(addr, size, true) == size;
}

const struct call_row *sys_row(uint64_t nr)
{
	return call_row(nr);
}

static uint64_t align8(uint64_t v)
{
	return (v + 7) & ~7ull;
}

/* Bytes of a path with its NUL; -EFAULT, -ENAMETOOLONG. */
static long path_size(uint64_t addr)
{
	const char *s = (const char *)addr;
	long n = 0, end = 0;

	for (; n < (long)CALL_PATH_MAX; n++) {
		if (n == end)
			end += (long)rt_accessible(addr + (uint64_t)n,
						   PATH_LOOK, false);
		if (n == end)
			return -EFAULT;
		if (s[n] == '\0')
			return n + 1;
	}
	return -ENAMETOOLONG;
}

/*
 * A number as the host gets it: no more bits than the row has, since what else
 * is in a register of a call with fewer was left there by others.
 */
static uint64_t number(uint16_t arg, uint64_t v)
{
	if (!(arg & CALL_NUMBER))
		return 0;
	return arg & CALL_INT ? (uint64_t)(int32_t)v : v;
}

/* How many bytes argument @i has in memory. */
static long arg_size(const struct marshal *m, int i)
{
	const uint16_t arg = m->row->args[i];
	const bool write = (arg & CALL_FROM) != 0;
	uint64_t size = call_size(arg);

	if (call_can_be_cut(arg)) {
		size = m->a[i + 1];
		if (size > INT64_MAX)
			return -EFAULT;
		if (arg & CALL_WHOLE) /* its end need not be touched */
			return (long)size;
		/* As far as it goes: the kernel touches what it moves. */
		size = rt_accessible(m->a[i], size, write);
		return size || !m->a[i + 1] ? (long)size : -EFAULT;
	}
	if (arg & CALL_COUNTED) {
		if (m->a[i + 1] > CALL_FD_MAX)
			return -EINVAL;
		size *= m->a[i + 1];
	} else if (m->a[i] == 0) {
		return 0;
	} else if (arg & CALL_STRING) {
		return path_size(m->a[i]);
	}
	return rt_accessible(m->a[i], size, write) == size ? (long)size
							   : -EFAULT;
}

/* Takes of @left, a multiple of 8, what there is for argument @i. */
static void cut(struct marshal *m, int i, uint64_t *left)
{
	if (m->size[i] > *left)
		m->size[i] = *left;
	*left -= align8(m->size[i]);
	m->args[i + 1] = m->size[i];
}

/*
 * A buffer for @fixed bytes and as many of the @wanted as there is room for;
 * 8 bytes are more than what alignment of the last argument takes.
 */
static long take_buffer(struct marshal *m, uint64_t fixed, uint64_t wanted)
{
	uint64_t left;
	int i;

	if (wanted > WIRE_BUF_MAX)
		wanted = WIRE_BUF_MAX;
	if (rt_buf_take(&m->buf, fixed + wanted + 8) != 0)
		return -ENOMEM;
	if (m->buf.size < fixed + 8) {
		rt_buf_drop(&m->buf);
		return -ENOMEM;
	}
	left = (m->buf.size - fixed - 8) & ~7ull;
	for (i = 0; i < WIRE_CALL_ARGS; i++)
		if (call_can_be_cut(m->row->args[i]))
			cut(m, i, &left);
	return 0;
}

/* First walk: sizes, and the buffer for them. */
static long measure(struct marshal *m)
{
	uint64_t fixed = 0, wanted = 0;
	long n;
	int i;

	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		m->args[i] = number(m->row->args[i], m->a[i]);
		if (!call_in_memory(m->row->args[i]))
			continue;
		n = arg_size(m, i);
		if (n < 0)
			return n;
		m->size[i] = (uint64_t)n;
		if (!call_can_be_cut(m->row->args[i]))
			fixed += align8((uint64_t)n);
		else if (wanted < WIRE_BUF_MAX)
			wanted += align8((uint64_t)n);
	}
	return take_buffer(m, fixed, wanted);
}

/* Elements of argument @i, of which there is one if the row does not say. */
static uint64_t elements(const struct marshal *m, int i)
{
	return m->size[i] / call_size(m->row->args[i]);
}

/* Bytes as they are, structures as their fields say (record.c). */
static edmm_err put(const struct marshal *m, int i, umem_t to)
{
	const uint16_t arg = m->row->args[i];
	const uint64_t step = call_size(arg);
	edmm_err err = 0;
	uint64_t k;

	if (step == 1)
		return umem_write(to, (const void *)m->a[i], m->size[i]);
	for (k = 0; k < elements(m, i) && !err; k++)
		err = record_out(arg, to + k * step, m->a[i] + k * step);
	return err;
}

static edmm_err take(const struct marshal *m, int i, umem_t from,
		     uint64_t result)
{
	const uint16_t arg = m->row->args[i];
	const uint64_t step = call_size(arg);
	uint64_t k, size = m->size[i];
	edmm_err err = 0;

	if (call_can_be_cut(arg) && result < size)
		size = result;
	if (rt_accessible(m->a[i], size, true) < size)
		return -EDMM_EFAULT;
	if (step == 1)
		return umem_read((void *)m->a[i], from, size);
	for (k = 0; k < elements(m, i) && !err; k++)
		err = record_in(arg, m->a[i] + k * step, from + k * step);
	return err;
}

/* Second walk: places in the buffer, and what goes to the host. */
static edmm_err copy_out(struct marshal *m)
{
	uint64_t off = 0;
	edmm_err err = 0;
	uint16_t arg;
	int i;

	for (i = 0; i < WIRE_CALL_ARGS && !err; i++) {
		arg = m->row->args[i];
		if (!call_in_memory(arg))
			continue;
		if (arg & CALL_COUNTED)
			m->limit = m->args[i + 1];
		if (m->a[i] == 0 && !call_can_be_cut(arg)) {
			m->args[i] = CALL_NULL;
			continue;
		}
		m->args[i] = m->buf.off + off;
		if (arg & CALL_TO)
			err = put(m, i, m->buf.p + off);
		off += align8(m->size[i]);
	}
	return err;
}

/*
 * Third walk: what comes from the host, after the result was believed. @late
 * are those that Linux writes when it is interrupted, and only then.
 */
static edmm_err copy_in(const struct marshal *m, uint64_t result, bool late)
{
	edmm_err err = 0;
	uint16_t arg;
	int i;

	for (i = 0; i < WIRE_CALL_ARGS && !err; i++) {
		arg = m->row->args[i];
		if ((arg & CALL_FROM) && m->args[i] != CALL_NULL &&
		    late == !!(arg & CALL_LATE))
			err = take(m, i, m->buf.p + (m->args[i] - m->buf.off),
				   result);
	}
	return err;
}

/* A new number that is a file's of our own already. */
static bool is_taken(enum call_nr nr, uint64_t result)
{
	const uint8_t ret = sys_row(nr)->ret;

	return (ret == CALL_RET_FD || ret == CALL_RET_FD_FROM) &&
	       proc_has(result);
}

long sys_bound(enum call_nr nr, const uint64_t *a, uint64_t result,
	       uint64_t limit)
{
	uint64_t low = 0, high = 0;

	switch (sys_row(nr)->ret) {
	case CALL_RET_ZERO:
		break;
	case CALL_RET_LEN:
	case CALL_RET_ARRAY:
		high = limit;
		break;
	case CALL_RET_INT:
		high = INT32_MAX;
		break;
	case CALL_RET_MODE:
		high = 0777;
		break;
	case CALL_RET_OFF:
		high = INT64_MAX;
		break;
	case CALL_RET_FD:
		high = CALL_FD_MAX - 1;
		break;
	case CALL_RET_FD_AT:
		low = (uint32_t)a[1];
		high = low < CALL_FD_MAX ? low : CALL_FD_MAX - 1;
		break;
	case CALL_RET_KEPT:
		high = CALL_KEPT_MAX - 1;
		break;
	case CALL_RET_FD_FROM:
		low = (uint32_t)a[2];
		high = CALL_FD_MAX - 1;
		break;
	default:
		return -EPROTO;
	}
	if (result < low || result > high || is_taken(nr, result))
		return -EPROTO;
	return (long)result;
}

static void close_one(uint64_t fd)
{
	const uint64_t a[WIRE_CALL_ARGS] = { fd };

	(void)!sys_call(CALL_close, a);
}

/* A descriptor at or above the program's limit is as one too many. */
static long fd_limited(const struct marshal *m, long r)
{
	const uint64_t limit = sys_fd_limit();
	const uint32_t *pair;

	if (r < 0 || limit >= CALL_FD_MAX)
		return r;
	switch ((enum call_ret)m->row->ret) {
	case CALL_RET_FD:
	case CALL_RET_FD_FROM:
		if ((uint64_t)r < limit)
			return r;
		close_one((uint64_t)r);
		return -EMFILE;
	default:
		break;
	}
	if (m->row->args[0] != CALL_PAIR)
		return r;
	pair = (const uint32_t *)m->a[0];
	if (pair[0] < limit && pair[1] < limit)
		return r;
	close_one(pair[0]);
	close_one(pair[1]);
	return -EMFILE;
}

/* Numbers that are asked for are looked at before. */
static bool fd_beyond(const struct marshal *m)
{
	const uint64_t limit = sys_fd_limit();

	return (m->row->ret == CALL_RET_FD_AT && (uint32_t)m->a[1] >= limit) ||
	       (m->row->ret == CALL_RET_FD_FROM && (uint32_t)m->a[2] >= limit);
}

long sys_call(enum call_nr nr, const uint64_t *a)
{
	struct marshal m = { .row = sys_row(nr), .a = a };
	uint64_t result = 0;
	edmm_err err;
	long r;

	if (!m.row || !call_goes_out(m.row))
		return -ENOSYS;
	if (fd_beyond(&m))
		return m.row->ret == CALL_RET_FD_AT ? -EBADF : -EINVAL;
	r = measure(&m);
	if (r < 0)
		return r;
	r = copy_out(&m);
	if (r == 0)
		r = sys_host_call(WIRE_CALL_SYS + nr, m.args, &result);
	if (r == 0)
		r = sys_bound(nr, a, result, m.limit);
	if (r >= 0 || r == -EINTR) {
		err = copy_in(&m, result, r < 0);
		if (err)
			r = err;
	}
	rt_buf_drop(&m.buf);
	return fd_limited(&m, r);
}
