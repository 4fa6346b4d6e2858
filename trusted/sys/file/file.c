/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading and writing. A call's data goes through the data buffer in pieces
 * as large as that is: a write goes on until all is written, as a native one
 * does; a read goes on only where it cannot wait, which is in regular files.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <asm/stat.h>

#define IOV_MAX 1024
#define SIZE_LIMIT 0x7ffff000ull /* Linux's, for one call */
#define MODE_TYPE 0170000u
#define MODE_REGULAR 0100000u
#define AT_POSITION UINT64_MAX

struct iovec {
	uint64_t base;
	uint64_t size;
};

struct transfer {
	uint64_t fd;
	const struct iovec *iov;
	uint64_t count;
	uint64_t offset; /* or AT_POSITION */
	uint64_t left;	 /* bytes */
	uint64_t skip;	 /* bytes of iov[0] that are done */
	uint64_t done;
};

/* What is read would change where the rest of it goes, after the check. */
static bool covers_vector(const struct transfer *t, const struct iovec *v)
{
	const uint64_t at = (uint64_t)t->iov;

	return v->base < at + t->count * sizeof(*v) && at < v->base + v->size;
}

/* Checks the vector and sums it up. */
static long transfer_check(struct transfer *t, bool out)
{
	bool bad = false;
	uint64_t i, n;

	if (t->count > IOV_MAX)
		return -EINVAL;
	if (!sys_owns((uint64_t)t->iov, t->count * sizeof(*t->iov)))
		return -EFAULT;
	for (i = 0; i < t->count; i++) {
		if (t->iov[i].size > INT64_MAX)
			return -EINVAL;
		if (!out && covers_vector(t, &t->iov[i]))
			return -EFAULT;
		if (bad)
			continue;
		n = rt_accessible(t->iov[i].base, t->iov[i].size, !out);
		t->left += n;
		bad = n < t->iov[i].size;
	}
	/* As far as it goes: the kernel touches what it moves. */
	if (bad && !t->left)
		return -EFAULT;
	if (t->left > SIZE_LIMIT)
		t->left = SIZE_LIMIT;
	return 0;
}

/* Copies between the vector's next @size bytes and the buffer. */
static edmm_err transfer_copy(struct transfer *t, const struct rt_buf *b,
			      uint64_t size, bool out)
{
	uint64_t at = 0, n;
	edmm_err err = 0;

	while (at < size && !err) {
		uint64_t addr = t->iov->base + t->skip;

		n = t->iov->size - t->skip;
		if (n > size - at)
			n = size - at;
		if (out)
			err = umem_write(b->p + at, (const void *)addr, n);
		else
			err = umem_read((void *)addr, b->p + at, n);
		at += n;
		t->skip += n;
		if (t->skip == t->iov->size) {
			t->iov++;
			t->skip = 0;
		}
	}
	return err;
}

static enum call_nr transfer_nr(const struct transfer *t, bool out)
{
	bool at = t->offset != AT_POSITION;

	if (out)
		return at ? CALL_pwrite64 : CALL_write;
	return at ? CALL_pread64 : CALL_read;
}

/* One piece. Returns bytes moved; *want is how many were asked for. */
static long transfer_piece(struct transfer *t, bool out, uint64_t *want)
{
	enum call_nr nr = transfer_nr(t, out);
	uint64_t args[WIRE_CALL_ARGS] = { (uint64_t)(int32_t)t->fd };
	uint64_t count = 0;
	struct rt_buf b;
	long r;

	if (rt_buf_take(&b, t->left > 0 ? t->left : 1) != 0)
		return -ENOMEM;
	*want = t->left < b.size ? t->left : b.size;
	args[1] = b.off;
	args[2] = *want;
	args[3] = t->offset != AT_POSITION ? t->offset + t->done : 0;
	r = 0;
	if (out) {
		struct transfer copy = *t;

		r = transfer_copy(&copy, &b, *want, true);
	}
	if (r == 0)
		r = sys_host_call(WIRE_CALL_SYS + nr, args, &count);
	if (r == 0)
		r = sys_bound(nr, args, count, *want);
	if (r > 0 && !out && transfer_copy(t, &b, (uint64_t)r, false) != 0)
		r = -EFAULT;
	rt_buf_drop(&b);
	/* Also where a part of it went before. */
	if (nr == CALL_write && r == -EPIPE)
		sys_signal_pipe();
	return r;
}

/* After a piece of a write: how far the vector is done. */
static void transfer_skip(struct transfer *t, uint64_t n)
{
	while (n > 0) {
		uint64_t rest = t->iov->size - t->skip;

		if (n < rest) {
			t->skip += n;
			return;
		}
		n -= rest;
		t->iov++;
		t->skip = 0;
	}
}

static bool is_regular(uint64_t fd)
{
	struct stat st;
	const uint64_t a[WIRE_CALL_ARGS] = { fd, (uint64_t)&st };

	return sys_call(CALL_fstat, a) == 0 &&
	       (st.st_mode & MODE_TYPE) == MODE_REGULAR;
}

/* A file that is made inside: the same with no host in between. */
static long transfer_inside(struct transfer *t, bool out)
{
	const int64_t at = (int64_t)t->offset; /* AT_POSITION is -1 */
	const char *from = NULL;
	uint64_t n;
	long r;

	if (out)
		return t->count == 0
			       ? 0
			       : proc_write(t->fd, (const char *)t->iov->base,
					    t->iov->size < t->left
						    ? t->iov->size
						    : t->left);
	r = proc_read(t->fd, at, &from, t->left);
	for (; r > (long)t->done && t->count > 0; t->count--) {
		n = t->iov->size < (uint64_t)r - t->done
			    ? t->iov->size
			    : (uint64_t)r - t->done;
		__builtin_memcpy((void *)t->iov->base, from + t->done, n);
		t->done += n;
		t->iov++;
	}
	return r;
}

static long transfer(struct transfer *t, bool out)
{
	uint64_t want = 0;
	long r = transfer_check(t, out);
	bool more;

	if (r != 0)
		return r;
	if (proc_has(t->fd))
		return transfer_inside(t, out);
	do {
		r = transfer_piece(t, out, &want);
		if (r < 0)
			break;
		if (out)
			transfer_skip(t, (uint64_t)r);
		t->done += (uint64_t)r;
		t->left -= (uint64_t)r;
		more = r > 0 && (uint64_t)r == want && t->left > 0;
	} while (more && (out || is_regular(t->fd)));
	return r < 0 && t->done == 0 ? r : (long)t->done;
}

static long transfer_one(const uint64_t *a, uint64_t offset, bool out)
{
	const struct iovec iov = { a[1], a[2] };
	struct transfer t = {
		.fd = a[0], .iov = &iov, .count = 1, .offset = offset
	};

	return transfer(&t, out);
}

static long transfer_many(const uint64_t *a, uint64_t offset, bool out)
{
	struct transfer t = {
		.fd = a[0],
		.iov = (const struct iovec *)a[1],
		.count = a[2],
		.offset = offset,
	};

	return transfer(&t, out);
}

long sys_read(const uint64_t *a)
{
	return transfer_one(a, AT_POSITION, false);
}

long sys_write(const uint64_t *a)
{
	return transfer_one(a, AT_POSITION, true);
}

long sys_pread64(const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? -EINVAL : transfer_one(a, a[3], false);
}

long sys_pwrite64(const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? -EINVAL : transfer_one(a, a[3], true);
}

long sys_readv(const uint64_t *a)
{
	return transfer_many(a, AT_POSITION, false);
}

long sys_writev(const uint64_t *a)
{
	return transfer_many(a, AT_POSITION, true);
}

long sys_preadv(const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? -EINVAL : transfer_many(a, a[3], false);
}

long sys_pwritev(const uint64_t *a)
{
	return (int64_t)a[3] < 0 ? -EINVAL : transfer_many(a, a[3], true);
}

long sys_pipe(const uint64_t *a)
{
	const uint64_t args[WIRE_CALL_ARGS] = { a[0], 0 };

	return sys_call(CALL_pipe2, args);
}
