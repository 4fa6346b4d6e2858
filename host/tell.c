/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls as text, for who looks on: a line each, as strace has it. What
 * the enclave says is bounded, and printed as numbers only; a path is printed
 * from the data buffer as far as that goes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/calls.h"
#include "host/host.h"

#define LINE 512
#define PATH_SHOWN 128
#define TOLD_ARGS 4

/* Linux's names, made from its header by host/call_names. */
#define NAME(name, number) [(number)] = #name,
static const char *const names[] = {
#include <edmm_call_names.inc>
};
#undef NAME

struct line {
	char text[LINE];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l,
						      const char *fmt, ...)
{
	size_t left = sizeof(l->text) - l->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->used, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used += (size_t)n < left ? (size_t)n : left - 1;
}

static void put_name(struct line *l, uint64_t nr)
{
	if (nr < sizeof(names) / sizeof(names[0]) && names[nr])
		put(l, "%s", names[nr]);
	else
		put(l, "system call %llu", (unsigned long long)nr);
}

/* Small numbers as they are, with their sign; what may be an address, in hex.
 */
static void put_value(struct line *l, uint64_t v)
{
	if ((int64_t)v > -4096 && (int64_t)v < 1 << 20)
		put(l, "%lld", (long long)v);
	else
		put(l, "0x%llx", (unsigned long long)v);
}

static void put_result(struct line *l, int64_t r)
{
	if (r < 0 && r > -4096)
		put(l, ") = -1 %s (%s)", strerrorname_np((int)-r),
		    strerrordesc_np((int)-r));
	else
		put(l, ") = %lld", (long long)r);
}

static void put_path(struct line *l, const struct host_thread *t, uint64_t off)
{
	const char *s = (const char *)t->buf + off;
	size_t i;

	if (off >= t->buf_size) {
		put(l, "NULL");
		return;
	}
	put(l, "\"");
	for (i = 0; i < PATH_SHOWN && off + i < t->buf_size && s[i]; i++)
		put(l, s[i] >= ' ' && s[i] <= '~' ? "%c" : "\\%03o",
		    (unsigned char)s[i]);
	put(l, i == PATH_SHOWN ? "\"..." : "\"");
}

static void say(const struct host_thread *t, const struct line *l, int why)
{
	const struct edmm_host_watch *w = t->host->watch;

	if (w && w->told)
		w->told(w->arg, l->text, why);
}

void host_tell_call(const struct host_thread *t, const struct call_row *row,
		    const struct wire_call *c)
{
	struct line l = { .used = 0 };
	int i;

	put_name(&l, row->linux_nr);
	put(&l, "(");
	for (i = 0; i < WIRE_CALL_ARGS && row->args[i]; i++) {
		put(&l, i ? ", " : "");
		if (row->args[i] & CALL_STRING)
			put_path(&l, t, c->args[i]);
		else if (call_in_memory(row->args[i]))
			put(&l, c->args[i] == CALL_NULL ? "NULL" : "...");
		else
			put_value(&l, c->args[i]);
	}
	put_result(&l, c->status ? c->status : (int64_t)c->count);
	say(t, &l, 0);
}

void host_tell(const struct host_thread *t, const struct wire_call *c)
{
	const uint64_t nr = CALL_LINUX(c->args[0]);
	const int64_t r = (int64_t)c->args[1];
	struct line l = { .used = 0 };
	int i;

	put_name(&l, nr);
	if (t->host->tell) {
		put(&l, "(");
		for (i = 0; i < TOLD_ARGS; i++) {
			put(&l, i ? ", " : "");
			put_value(&l, c->args[2 + i]);
		}
		put_result(&l, r);
	}
	say(t, &l, r == -ENOSYS || r == -EAGAIN ? (int)r : 0);
}
