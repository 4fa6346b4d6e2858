/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a trace: every byte of it is checked before anything believes it.
 */
#include "machine/watch/trace.h"

#include "machine/watch/counters.h"

static int wrong(struct trace_error *e, uint64_t off, const char *what)
{
	e->off = off;
	e->what = what;
	return -1;
}

static int check_header(const struct trace_header *h, struct trace_error *e)
{
	for (size_t i = 0; i < sizeof(h->magic); i++)
		if (h->magic[i] != TRACE_MAGIC[i])
			return wrong(e, 0, "this is no trace");
	if (h->order != TRACE_ORDER)
		return wrong(e, offsetof(struct trace_header, order),
			     "its numbers are in another byte order");
	if (h->version != TRACE_VERSION)
		return wrong(e, offsetof(struct trace_header, version),
			     "it is of another version of edmm");
	if (h->record != sizeof(struct trace_record))
		return wrong(e, offsetof(struct trace_header, record),
			     "records of this version have 32 bytes");
	return 0;
}

/* Numbers of the kind's own table; 63 is "none of those". */
static int known(const struct trace_record *r)
{
	switch (r->kind) {
	case TRACE_ENCLS:
		return r->what < EDMM_MACHINE_LEAVES;
	case TRACE_ENCLU:
		return r->what <= 63;
	case TRACE_AEX:
		return r->what < TRACE_AEXS;
	case TRACE_FAULT:
		return r->what < TRACE_FAULTS;
	case TRACE_IOCTL:
		return r->what < EDMM_MACHINE_IOCTLS ||
		       r->what == TRACE_NO_IOCTL;
	case TRACE_MMAP:
	case TRACE_MPROTECT:
		return r->what < 8;
	default:
		return r->what == 0;
	}
}

static int check_record(const struct trace_record *r, uint64_t last,
			struct trace_error *e, uint64_t off)
{
	if (r->kind >= TRACE_KINDS)
		return wrong(e, off, "a kind of event that there is not");
	if (!known(r))
		return wrong(e, off, "an event that its kind does not have");
	if (r->time < last)
		return wrong(e, off, "time goes back");
	return 0;
}

/* Behind the last record: nothing, but for the one being written. */
static int check_rest(const uint8_t *p, size_t at, size_t size,
		      struct trace_error *e)
{
	for (at += sizeof(struct trace_record); at < size; at++)
		if (p[at])
			return wrong(e, at, "bytes behind the last record");
	return 0;
}

int trace_check(const void *file, size_t size, size_t *count,
		struct trace_error *e)
{
	const uint8_t *p = file;
	size_t at = sizeof(struct trace_header);
	uint64_t last = 0;

	*count = 0;
	if (size < at)
		return wrong(e, size, "it ends before its header does");
	if (check_header(file, e))
		return -1;
	for (; at < size; at += sizeof(struct trace_record)) {
		const struct trace_record *r = (const void *)(p + at);

		if (size - at < sizeof(*r))
			return wrong(e, at, "it is cut off in a record");
		if (r->kind == TRACE_NONE)
			return check_rest(p, at, size, e);
		if (check_record(r, last, e, at))
			return -1;
		last = r->time;
		++*count;
	}
	return 0;
}
