/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace as a file, the names of its events, and which are wanted.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/machine/trace.h"

static const void *map(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = NULL;

	if (fd < 0 || fstat(fd, &st)) {
		cli_error("%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		cli_error("%s: this is no trace", path);
	} else {
		*size = (size_t)st.st_size;
		p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED) {
			cli_error("%s: %s", path, strerror(errno));
			p = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return p;
}

bool trace_open(struct trace_file *f, const char *path)
{
	const void *p = map(path, &f->size);
	struct trace_error e;

	if (!p)
		return false;
	f->header = p;
	f->record = (const void *)((const char *)p + sizeof(*f->header));
	if (!trace_check(p, f->size, &f->count, &e))
		return true;
	cli_error("%s: byte %llu: %s", path, (unsigned long long)e.off, e.what);
	trace_close(f);
	return false;
}

void trace_close(struct trace_file *f)
{
	munmap((void *)(uintptr_t)f->header, f->size);
}

const char *trace_kind_name(unsigned kind)
{
	static const char *const names[TRACE_KINDS] = {
		[TRACE_NONE] = "?",	 [TRACE_ENCLS] = "encls",
		[TRACE_ENCLU] = "enclu", [TRACE_AEX] = "aex",
		[TRACE_FAULT] = "fault", [TRACE_IOCTL] = "ioctl",
		[TRACE_MMAP] = "mmap",	 [TRACE_MPROTECT] = "mprotect",
		[TRACE_LOSE] = "lose",
	};

	return kind < TRACE_KINDS ? names[kind] : "?";
}

const char *trace_event_name(const struct trace_record *r)
{
	static const char *const rights[8] = { "---", "r--", "-w-", "rw-",
					       "--x", "r-x", "-wx", "rwx" };
	const char *name = "?";

	switch (r->kind) {
	case TRACE_ENCLS:
		name = watch_encls(r->what);
		break;
	case TRACE_ENCLU:
		name = watch_enclu(r->what);
		break;
	case TRACE_AEX:
		name = watch_aex(r->what);
		break;
	case TRACE_FAULT:
		name = watch_fault(r->what);
		break;
	case TRACE_IOCTL:
		name = watch_ioctl(r->what);
		break;
	case TRACE_MMAP:
	case TRACE_MPROTECT:
		name = rights[r->what & 7];
		break;
	default:
		name = "all";
		break;
	}
	return name ? name : "?";
}

bool trace_wanted(const struct trace_filter *f, const struct trace_record *r)
{
	if (f->event && strcmp(f->event, trace_kind_name(r->kind)) &&
	    strcmp(f->event, trace_event_name(r)))
		return false;
	if (f->thread && f->thread != r->thread)
		return false;
	if (f->encl && f->encl != r->encl)
		return false;
	if (f->high && (r->addr < f->low || r->addr >= f->high))
		return false;
	return r->time >= f->since && (!f->until || r->time < f->until);
}
