/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host call by its row: one piece of the data buffer takes all arguments in
 * memory, 8-byte aligned, in their order. At most one argument of a row is of
 * variable length; when the buffer is short, that one is cut, so that the call
 * does less, as read() and write() may.
 */
#include "trusted/sys/sys.h"

CALL_TABLE(rows);

struct piece {
	uint64_t off; /* in the piece of buffer */
	uint64_t size;
};

struct marshal {
	const struct call_row *row;
	const uint64_t *a;
	uint64_t args[WIRE_CALL_ARGS]; /* as the host gets them */
	struct piece piece[WIRE_CALL_ARGS];
	struct rt_buf buf;
	uint64_t limit; /* of the result, for LEN and ARRAY */
};

bool libc_owns(uint64_t addr, uint64_t size)
{
	return size == 0 || rt_inside(addr, size);
}

const struct call_row *libc_row(enum call_nr nr)
{
	return &rows[nr];
}

/* Bytes of a path with its NUL; -EFAULT, -ENAMETOOLONG. */
static long path_size(uint64_t addr)
{
	const char *s = (const char *)addr;
	long n;

	for (n = 0; n < (long)CALL_PATH_MAX; n++) {
		if (!libc_owns(addr + (uint64_t)n, 1))
			return -EFAULT;
		if (s[n] == '\0')
			return n + 1;
	}
	return -ENAMETOOLONG;
}

static bool is_in(uint16_t arg)
{
	const uint16_t kind = CALL_ARG_KIND(arg);

	return kind == CALL_ARG_PATH || kind == CALL_ARG_IN ||
	       kind == CALL_ARG_FIN || kind == CALL_ARG_FIO ||
	       kind == CALL_ARG_ARRAY;
}

static bool is_out(uint16_t arg)
{
	const uint16_t kind = CALL_ARG_KIND(arg);

	return kind == CALL_ARG_OUT || kind == CALL_ARG_FOUT ||
	       kind == CALL_ARG_FIO || kind == CALL_ARG_ARRAY;
}

static bool in_memory(uint16_t arg)
{
	return is_in(arg) || is_out(arg);
}

static bool is_variable(uint16_t arg)
{
	return CALL_ARG_KIND(arg) == CALL_ARG_IN ||
	       CALL_ARG_KIND(arg) == CALL_ARG_OUT;
}

/* How many bytes argument @i has in memory. */
static long arg_size(const struct marshal *m, int i)
{
	uint16_t arg = m->row->args[i];
	uint64_t addr = m->a[i], size = CALL_ARG_SIZE(arg);

	if (CALL_ARG_KIND(arg) == CALL_ARG_PATH)
		return addr == 0 ? 0 : path_size(addr);
	if (CALL_ARG_KIND(arg) == CALL_ARG_ARRAY) {
		if (m->a[i + 1] > CALL_FD_MAX)
			return -EINVAL;
		size *= m->a[i + 1];
	} else if (is_variable(arg)) {
		size = m->a[i + 1];
		if (size > INT64_MAX)
			return -EFAULT;
	} else if (addr == 0) {
		return 0;
	}
	return libc_owns(addr, size) ? (long)size : -EFAULT;
}

static uint64_t align8(uint64_t v)
{
	return (v + 7) & ~7ull;
}

/* Sizes of all arguments, and the buffer for them. */
static long measure(struct marshal *m)
{
	uint64_t fixed = 0, room;
	int i, cut = -1;
	long n;

	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		m->args[i] = m->a[i];
		if (!in_memory(m->row->args[i]))
			continue;
		n = arg_size(m, i);
		if (n < 0)
			return n;
		m->piece[i].size = (uint64_t)n;
		if (is_variable(m->row->args[i]))
			cut = i;
		else
			fixed += align8((uint64_t)n);
	}
	room = cut < 0 ? 0 : m->piece[cut].size;
	if (room > WIRE_BUF_MAX)
		room = WIRE_BUF_MAX;
	if (rt_buf_take(&m->buf, fixed + align8(room) + 8) != 0)
		return -ENOMEM;
	if (m->buf.size < fixed + 8) {
		rt_buf_drop(&m->buf);
		return -ENOMEM;
	}
	if (room > m->buf.size - fixed - 8)
		room = (m->buf.size - fixed - 8) & ~7ull;
	if (cut >= 0) {
		m->piece[cut].size = room;
		m->args[cut + 1] = m->limit = room;
	}
	return 0;
}

static edmm_err copy_out(struct marshal *m)
{
	uint64_t off = 0;
	edmm_err err = 0;
	uint16_t arg;
	int i;

	for (i = 0; i < WIRE_CALL_ARGS && err == 0; i++) {
		struct piece *p = &m->piece[i];

		arg = m->row->args[i];
		if (!in_memory(arg))
			continue;
		if (m->a[i] == 0 && !is_variable(arg)) {
			m->args[i] = CALL_NULL;
			continue;
		}
		if (CALL_ARG_KIND(arg) == CALL_ARG_ARRAY)
			m->limit = m->a[i + 1];
		p->off = off;
		m->args[i] = m->buf.off + off;
		if (is_in(arg))
			err = umem_write(m->buf.p + off, (const void *)m->a[i],
					 p->size);
		off += align8(p->size);
	}
	return err;
}

static edmm_err copy_in(const struct marshal *m, uint64_t result)
{
	edmm_err err = 0;
	uint64_t size;
	int i;

	for (i = 0; i < WIRE_CALL_ARGS && err == 0; i++) {
		if (!is_out(m->row->args[i]) || m->args[i] == CALL_NULL)
			continue;
		size = m->piece[i].size;
		if (is_variable(m->row->args[i]))
			size = result;
		err = umem_read((void *)m->a[i], m->buf.p + m->piece[i].off,
				size);
	}
	return err;
}

long libc_bound(const struct call_row *row, uint64_t result, uint64_t limit)
{
	switch (row->ret) {
	case CALL_RET_ZERO:
		limit = 0;
		break;
	case CALL_RET_FD:
		limit = CALL_FD_MAX - 1;
		break;
	case CALL_RET_OFF:
		limit = INT64_MAX;
		break;
	case CALL_RET_INT:
		limit = INT32_MAX;
		break;
	default:
		break;
	}
	return result <= limit ? (long)result : -EPROTO;
}

long libc_call(enum call_nr nr, const uint64_t *a)
{
	struct marshal m = { .row = &rows[nr], .a = a };
	uint64_t count = 0;
	long r = measure(&m);

	if (r < 0)
		return r;
	r = copy_out(&m);
	if (r == 0)
		r = rt_host_call(WIRE_CALL_LIBC + nr, m.args, &count);
	if (r == 0)
		r = libc_bound(m.row, count, m.limit);
	if (r >= 0 && copy_in(&m, (uint64_t)r) != 0)
		r = -EFAULT;
	rt_buf_drop(&m.buf);
	return r;
}
