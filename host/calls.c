/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One call, from the wire to Linux: find its row, turn each argument into
 * what the kernel takes, call, turn the result back. Nothing here knows a
 * single call but those that make or end descriptors.
 */
#include "host/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/calls_fd.h"
#include "host/host.h"

CALL_TABLE(rows);

struct served {
	struct host_calls *calls;
	const struct call_row *row;
	struct wire_call *wire;
	uint8_t *buf;
	uint64_t buf_size;
	long args[WIRE_CALL_ARGS];
};

static int in_buf(const struct served *s, uint64_t off, uint64_t size)
{
	return off <= s->buf_size && size <= s->buf_size - off;
}

/* Turns a range of the data buffer into a pointer. */
static int take_range(struct served *s, int i, uint64_t size)
{
	uint64_t off = s->wire->args[i];

	if (off == CALL_NULL) {
		s->args[i] = 0;
		return 0;
	}
	if (!in_buf(s, off, size))
		return -EFAULT;
	s->args[i] = (long)(uintptr_t)(s->buf + off);
	return 0;
}

static int take_path(struct served *s, int i)
{
	uint64_t off = s->wire->args[i];

	if (off != CALL_NULL &&
	    (off >= s->buf_size ||
	     memchr(s->buf + off, '\0', s->buf_size - off) == NULL))
		return -EFAULT;
	return take_range(s, i, 0);
}

static int take_fd(struct served *s, int i)
{
	int32_t fd = (int32_t)s->wire->args[i];

	if (fd == AT_FDCWD) {
		s->args[i] = AT_FDCWD;
		return 0;
	}
	s->args[i] = host_fd_get(s->calls, fd);
	return s->args[i] < 0 ? -EBADF : 0;
}

static int take_arg(struct served *s, int i)
{
	uint16_t arg = s->row->args[i];
	uint64_t next = i + 1 < WIRE_CALL_ARGS ? s->wire->args[i + 1] : 0;

	switch (CALL_ARG_KIND(arg)) {
	case CALL_ARG_NONE:
	case CALL_ARG_VALUE:
		s->args[i] = (long)s->wire->args[i];
		return 0;
	case CALL_ARG_FD:
		return take_fd(s, i);
	case CALL_ARG_PATH:
		return take_path(s, i);
	case CALL_ARG_IN:
	case CALL_ARG_OUT:
		return take_range(s, i, next);
	case CALL_ARG_ARRAY:
		if (next > s->buf_size)
			return -EFAULT;
		return take_range(s, i, next * CALL_ARG_SIZE(arg));
	default:
		return take_range(s, i, CALL_ARG_SIZE(arg));
	}
}

static long call_linux(const struct served *s, long nr)
{
	const long *a = s->args;
	long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return r < 0 ? -errno : r;
}

/* poll() names descriptors in memory; ours go in and the program's back. */
static long serve_poll(const struct served *s)
{
	struct pollfd *p = (struct pollfd *)(uintptr_t)s->args[0];
	uint64_t i, count = (uint64_t)s->args[1];
	int theirs;

	if (p == NULL && count > 0)
		return -EFAULT;
	for (i = 0; i < count; i++) {
		theirs = p[i].fd;
		p[i].fd = theirs < 0 ? -1 : host_fd_get(s->calls, theirs);
		if (theirs >= 0 && p[i].fd < 0)
			p[i].fd = INT32_MAX; /* the kernel says POLLNVAL */
	}
	return call_linux(s, SYS_poll);
}

static long serve_pipe(const struct served *s)
{
	int *fds = (int *)(uintptr_t)s->args[0];
	long r;

	if (fds == NULL)
		return -EFAULT;
	r = call_linux(s, SYS_pipe2);
	return r < 0 ? r : host_fd_add_pair(s->calls, fds);
}

static long serve(const struct served *s)
{
	switch (s->row->nr) {
	case CALL_poll:
		return serve_poll(s);
	case CALL_pipe2:
		return serve_pipe(s);
	case CALL_close:
		return host_fd_close(s->calls, (int32_t)s->wire->args[0]);
	case CALL_dup:
		return host_fd_add(s->calls, call_linux(s, SYS_dup), 0);
	case CALL_dup3:
		return host_fd_dup_to(s->calls, (int)s->args[0],
				      (int32_t)s->args[1], (int)s->args[2]);
	case CALL_fcntl_dup:
		return host_fd_dup_from(s->calls, (int)s->args[0],
					(int)s->args[1], s->args[2]);
	case CALL_openat:
		return host_fd_add(s->calls, call_linux(s, SYS_openat), 0);
	case CALL_fcntl_lock:
		return call_linux(s, SYS_fcntl);
	case CALL_ioctl_none:
	case CALL_ioctl_io:
		return call_linux(s, SYS_ioctl);
	default:
		return call_linux(s, s->row->nr);
	}
}

void host_calls_serve(struct host_calls *c, struct wire_call *call,
		      uint8_t *buf, uint64_t buf_size)
{
	struct served s = {
		.calls = c, .wire = call, .buf = buf, .buf_size = buf_size
	};
	uint32_t nr = call->nr - WIRE_CALL_LIBC;
	long r;
	int i, err = 0;

	call->count = 0;
	if (call->nr < WIRE_CALL_LIBC || nr >= CALL_COUNT || !rows[nr].known) {
		call->status = -ENOSYS;
		return;
	}
	s.row = &rows[nr];
	for (i = 0; i < WIRE_CALL_ARGS && err == 0; i++)
		err = take_arg(&s, i);
	r = err != 0 ? err : serve(&s);
	if (r < 0)
		call->status = (int32_t)r;
	else {
		call->status = 0;
		call->count = (uint64_t)r;
	}
}

/* The range was checked before the call was made, and @c is our copy. */
static void tell_output(const struct host_thread *t, const struct wire_call *c)
{
	const struct edmm_host_watch *w = t->host->watch;
	int fd = (int)c->args[0];

	if (!w || !w->output || c->nr != WIRE_CALL_LIBC + CALL_write ||
	    c->status || !c->count || (fd != 1 && fd != 2))
		return;
	w->output(w->arg, fd, t->buf + c->args[1], c->count);
}

void host_call_dispatch(struct host_thread *t, struct wire_call *c)
{
	host_calls_serve(t->calls, c, t->buf, t->buf_size);
	tell_output(t, c);
}
