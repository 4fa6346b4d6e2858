/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One call, from the wire to Linux: find its row, turn each argument into
 * what the kernel takes, call, turn the result back. Nothing here knows a
 * single call but close(). No number of a descriptor of ours leaves: what the
 * row calls a descriptor goes into the program's table or is closed.
 */
#include "host/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "host/calls_command.h"
#include "host/calls_fd.h"
#include "host/host.h"
#include "host/signals.h"

struct served {
	struct host_calls *calls;
	const struct call_row *row;
	struct wire_call *wire;
	uint8_t *buf;
	uint64_t buf_size;
	long args[WIRE_CALL_ARGS];
	int pair[2]; /* for the kernel to write, in place of a CALL_PAIR */
};

long host_calls_linux(long nr, const long *a)
{
	long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return r < 0 ? -errno : r;
}

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
	     !memchr(s->buf + off, '\0', s->buf_size - off)))
		return -EFAULT;
	return take_range(s, i, 0);
}

static int take_fd(struct served *s, int i)
{
	int32_t fd = (int32_t)s->wire->args[i];
	bool kept = s->row->args[i] == CALL_K;

	if (fd == AT_FDCWD && !kept) {
		s->args[i] = AT_FDCWD;
		return 0;
	}
	s->args[i] =
		kept ? host_kept_get(s->calls, fd) : host_fd_get(s->calls, fd);
	return s->args[i] < 0 ? -EBADF : 0;
}

/* An array's or structure's bytes, by the row. */
static int take_memory(struct served *s, int i)
{
	const uint16_t arg = s->row->args[i];
	uint64_t size = call_size(arg);

	if (arg & CALL_COUNTED) {
		if (s->wire->args[i + 1] > s->buf_size)
			return -EFAULT;
		size *= s->wire->args[i + 1];
	}
	return take_range(s, i, size);
}

static int take_arg(struct served *s, int i)
{
	const uint16_t arg = s->row->args[i];

	if (arg & CALL_STRING)
		return take_path(s, i);
	if (call_in_memory(arg))
		return take_memory(s, i);
	if (arg & CALL_HAS_FD)
		return take_fd(s, i);
	s->args[i] = (long)s->wire->args[i];
	return 0;
}

static long call_linux(const struct served *s)
{
	return s->calls->make(s->row->linux_nr, s->args);
}

/* Which argument of the row is an @arg, or -1. */
static int find_arg(const struct call_row *row, uint16_t arg)
{
	int i;

	for (i = 0; i < WIRE_CALL_ARGS; i++)
		if (row->args[i] == arg)
			return i;
	return -1;
}

/* With a copy where descriptors are ours; only events go back. */
static long call_pollfds(struct served *s, int at)
{
	struct pollfd *p = (struct pollfd *)(uintptr_t)s->args[at];
	struct pollfd ours[CALL_FD_MAX];
	uint64_t i, count = (uint64_t)s->args[at + 1];
	long r;

	if (count > CALL_FD_MAX)
		return -EINVAL;
	if (!p && count > 0)
		return -EFAULT;
	for (i = 0; i < count; i++) {
		ours[i] = p[i];
		if (p[i].fd >= 0)
			ours[i].fd = host_fd_get(s->calls, p[i].fd);
		if (p[i].fd >= 0 && ours[i].fd < 0)
			ours[i].fd = INT32_MAX; /* the kernel says POLLNVAL */
	}
	s->args[at] = (long)(uintptr_t)ours;
	r = call_linux(s);
	for (i = 0; i < count; i++)
		p[i].revents = ours[i].revents;
	return r;
}

static long call_pair(struct served *s, int at)
{
	void *to = (void *)(uintptr_t)s->args[at];
	long r;

	if (!to)
		return -EFAULT;
	s->args[at] = (long)(uintptr_t)s->pair;
	r = call_linux(s);
	if (r >= 0)
		r = host_fd_add_pair(s->calls, s->pair);
	if (r >= 0)
		memcpy(to, s->pair, sizeof(s->pair));
	return r;
}

/* A call whose result is a number, and no descriptor. */
static long call_number(struct served *s)
{
	const int pollfds = find_arg(s->row, CALL_POLLFDS);
	const int pair = find_arg(s->row, CALL_PAIR);

	if (pollfds >= 0)
		return call_pollfds(s, pollfds);
	if (pair >= 0)
		return call_pair(s, pair);
	if (s->row->linux_nr == CALL_close && s->row->args[0] == CALL_K)
		return host_kept_close(s->calls, (int32_t)s->wire->args[0]);
	if (s->row->linux_nr == CALL_close)
		return host_fd_close(s->calls, (int32_t)s->wire->args[0]);
	return call_linux(s);
}

/* What runs on when the program has ended, and has to be stopped then. */
static void note_timers(const struct served *s)
{
	if (s->row->linux_nr == CALL_setitimer)
		host_signals_itimer((int)s->args[0]);
	else if (s->row->linux_nr == CALL_alarm)
		host_signals_itimer(ITIMER_REAL);
	else if (s->row->linux_nr == CALL_timer_delete)
		host_signals_timer((int)s->args[0], false);
	else if (s->row->linux_nr == CALL_timer_create && s->args[2])
		host_signals_timer(*(const int *)(uintptr_t)s->args[2], true);
}

/* No default: a new kind of result has to say here what becomes of it. */
static long serve(struct served *s)
{
	switch ((enum call_ret)s->row->ret) {
	case CALL_RET_FD:
		return host_fd_add(s->calls, call_linux(s), 0);
	case CALL_RET_KEPT:
		return host_kept_add(s->calls, call_linux(s));
	case CALL_RET_FD_AT:
		return host_fd_dup_to(s->calls, (int)s->args[0],
				      (int32_t)s->args[1], (int)s->args[2]);
	case CALL_RET_FD_FROM:
		return host_fd_dup_from(s->calls, (int)s->args[0],
					(int)s->args[1], s->args[2]);
	case CALL_RET_ZERO:
	case CALL_RET_LEN:
	case CALL_RET_ARRAY:
	case CALL_RET_INT:
	case CALL_RET_MODE:
	case CALL_RET_OFF:
		return call_number(s);
	}
	return -ENOSYS;
}

void host_calls_serve(struct host_calls *c, struct wire_call *call,
		      uint8_t *buf, uint64_t buf_size)
{
	struct served s = {
		.calls = c, .wire = call, .buf = buf, .buf_size = buf_size
	};
	long r = 0;
	int i;

	call->count = 0;
	s.row = call->nr < WIRE_CALL_SYS ? NULL
					 : call_row(call->nr - WIRE_CALL_SYS);
	if (!s.row || !call_goes_out(s.row)) {
		call->status = -ENOSYS;
		return;
	}
	for (i = 0; i < WIRE_CALL_ARGS && !r; i++)
		r = take_arg(&s, i);
	if (!r && !host_command_allowed(call->nr - WIRE_CALL_SYS,
					(uint64_t)s.args[1]))
		r = -EINVAL;
	if (!r)
		r = serve(&s);
	if (r < 0)
		call->status = (int32_t)r;
	else {
		note_timers(&s);
		call->status = 0;
		call->count = (uint64_t)r;
	}
}

/* The range was checked before the call was made, and @c is our copy. */
static void tell_output(const struct host_thread *t, const struct wire_call *c)
{
	const struct edmm_host_watch *w = t->host->watch;
	int fd = (int)c->args[0];

	if (!w || !w->output || c->nr != WIRE_CALL_SYS + CALL_write ||
	    c->status || !c->count || (fd != 1 && fd != 2))
		return;
	w->output(w->arg, fd, t->buf + c->args[1], c->count);
}

void host_call_dispatch(struct host_thread *t, struct wire_call *c)
{
	const struct call_row *row = call_row(c->nr - WIRE_CALL_SYS);

	host_signals_call(true);
	host_calls_serve(t->calls, c, t->buf, t->buf_size);
	host_signals_call(false);
	tell_output(t, c);
	if (t->host->tell && row && call_goes_out(row))
		host_tell_call(t, row, c);
}
