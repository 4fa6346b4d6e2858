/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's view of enclave pages: real mappings that show a page only
 * while its page-table entry is present, with no more than the EPCM's rights.
 *
 * With userfaultfd a mapping stays one mapping: a page that is not shown gives
 * SIGBUS, UFFDIO_CONTINUE shows it, its write-protect bit takes W away, and
 * MADV_DONTNEED hides it. Execute rights are the real mapping's: pages with X
 * are runs of their own, made by mprotect. Without userfaultfd every change is
 * an mprotect, from PROT_NONE.
 *
 * Locks: the driver's is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/own.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/view.h"

#define PAGE SGX_PAGE_SIZE
/* Of newer kernels than Debian's headers. */
#define CONTINUE_MODE_WP 2ull
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
static int uffd = -1;

static bool closed;

void view_init(void)
{
	const struct facility_probe p = { .call = sys_call6 };

	if (uffd >= 0)
		own_close(&uffd);
	uffd = machine.has[FACILITY_UFFD] ? facility_uffd(&p) : -1;
	if (uffd >= 0)
		own_keep(&uffd);
}

static int real_prot(unsigned prot)
{
	return (prot & DRV_PROT_R ? PROT_READ : 0) |
	       (prot & DRV_PROT_W ? PROT_WRITE : 0) |
	       (prot & DRV_PROT_X ? PROT_EXEC : 0);
}

/* The real mapping's rights for a page that shows @view in a mapping @prot. */
static int page_prot(unsigned prot, unsigned view)
{
	if (closed)
		return PROT_NONE;
	if (uffd < 0)
		return real_prot(prot & view);
	if (!(view & MACH_X))
		return real_prot(prot & ~DRV_PROT_X);
	return real_prot(view & MACH_R ? prot : prot & DRV_PROT_X);
}

long view_map(int fd, uint64_t addr, uint64_t size, unsigned prot)
{
	struct uffdio_register reg = {
		.range = { addr, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING |
			UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP,
	};
	void *p = sys_mmap((void *)addr, size, PROT_NONE,
			   MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, addr);
	long r;

	if (sys_failed(p))
		return (long)p;
	/* As Linux takes VM_LOCKED off a mapping of the device. */
	sys_munlock(p, size);
	r = sys_mprotect(p, size, page_prot(prot, 0));
	if (r)
		return r;
	sys_madvise(p, size, MADV_DONTDUMP);
	r = strict_map(addr, size, page_prot(prot, 0));
	if (r)
		return r;
	if (uffd < 0)
		return 0;
	return sys_call(SYS_ioctl, uffd, UFFDIO_REGISTER, (long)&reg);
}

static _Noreturn void view_die(const char *what)
{
	sys_die(what, "see vm.max_map_count");
}

struct run {
	unsigned prot;
};

static void protect_run(void *arg, uint64_t a, uint64_t b)
{
	const struct run *r = arg;

	if (sys_mprotect((void *)a, b - a, page_prot(r->prot, MACH_R | MACH_X)))
		view_die("too many mappings for executable pages");
}

/* mprotect backend: every shown page again. */
static void protect_page(void *arg, uint64_t addr, unsigned view)
{
	const struct run *r = arg;

	if (sys_mprotect((void *)addr, PAGE, page_prot(r->prot, view)))
		view_die("too many mappings for enclave pages");
}

/* One mapping, or what lies between two, in [start, end). */
static long protect_piece(struct drv_encl *e, uint64_t start, uint64_t end,
			  unsigned prot)
{
	struct run run = { prot };
	long r;

	if (!e)
		return sys_mprotect((void *)start, end - start,
				    real_prot(prot));
	r = sys_mprotect((void *)start, end - start, page_prot(prot, 0));
	if (r)
		return r;
	if (closed)
		return 0;
	if (uffd < 0)
		drv_each_shown(machine.d, e, start, end, protect_page, &run);
	else if (prot & DRV_PROT_X)
		drv_each_exec(machine.d, e, start, end, protect_run, &run);
	return 0;
}

long view_protect(uint64_t start, uint64_t end, unsigned prot)
{
	while (start < end) {
		struct drv_vma v;
		uint64_t stop = end;
		struct drv_encl *e = NULL;
		long r;

		if (drv_find_vma(machine.d, start, &v) && v.start < end) {
			e = v.start <= start ? v.encl : NULL;
			stop = e ? v.end : v.start;
			stop = stop < end ? stop : end;
		}
		r = protect_piece(e, start, stop, prot);
		if (r)
			return r;
		start = stop;
	}
	return 0;
}

static void write_protect(uint64_t start, uint64_t end, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { start, end - start },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};
	long r;

	do
		r = sys_call(SYS_ioctl, uffd, UFFDIO_WRITEPROTECT, (long)&wp);
	while (r == -EAGAIN);
	if (r)
		sys_die("userfaultfd lost: write protect", NULL);
}

/* Shows [start, end) alike: 0, or -errno of the first page that refuses. */
static long show_all(uint64_t start, uint64_t end, bool writable)
{
	struct uffdio_continue c = {
		.range = { start, end - start },
		.mode = writable ? 0 : CONTINUE_MODE_WP,
	};
	long r = 0;

	while (c.range.len && (!r || r == -EAGAIN)) {
		c.mapped = 0;
		r = sys_call(SYS_ioctl, uffd, UFFDIO_CONTINUE, (long)&c);
		if (c.mapped > 0) {
			c.range.start += (uint64_t)c.mapped;
			c.range.len -= (uint64_t)c.mapped;
		}
	}
	return c.range.len ? r : 0;
}

/* EADD and EAUG of zeros have not touched the memory: now there must be some.
 */
static void back(const struct drv_encl *e, uint64_t addr)
{
	uint8_t *at = drv_encl_mem(e) + (addr - drv_encl_base(e));

	if (sys_madvise(at, PAGE, MADV_POPULATE_WRITE))
		__atomic_fetch_or(at, 0, __ATOMIC_RELAXED);
}

static void show(const struct drv_encl *e, uint64_t addr, bool writable)
{
	long r = show_all(addr, addr + PAGE, writable);

	if (r == -EFAULT) {
		back(e, addr);
		r = show_all(addr, addr + PAGE, writable);
	}
	if (r == -EEXIST)
		write_protect(addr, addr + PAGE, !writable);
	else if (r)
		sys_die("userfaultfd lost: continue", NULL);
}

/* A run of pages that are shown alike, in a mapping that shows nothing. */
struct shown {
	uint64_t start;
	uint64_t end;
	bool writable;
};

static void show_run(const struct shown *s)
{
	if (show_all(s->start, s->end, s->writable))
		sys_die("userfaultfd lost: continue", NULL);
}

static void show_page(void *arg, uint64_t addr, unsigned view)
{
	struct shown *s = arg;
	bool writable = view & MACH_W;

	if (addr != s->end || writable != s->writable) {
		show_run(s);
		*s = (struct shown){ addr, addr, writable };
	}
	s->end = addr + PAGE;
}

void view_copied(int fd, const struct drv_vma *v)
{
	struct shown s = { 0 };

	if (view_map(fd, v->start, v->end - v->start, v->prot) ||
	    view_protect(v->start, v->end, v->prot))
		view_die("too many mappings for a copy");
	if (uffd < 0)
		return;
	drv_each_shown(machine.d, v->encl, v->start, v->end, show_page, &s);
	show_run(&s);
}

/* With userfaultfd: the page-table entries. */
static void entries_set(const struct drv_encl *e, const struct drv_view *v)
{
	uint64_t end = v->addr + v->size;

	if (!v->to)
		sys_madvise((void *)v->addr, v->size, MADV_DONTNEED);
	else if (!v->from)
		for (uint64_t at = v->addr; at < end; at += PAGE)
			show(e, at, v->to & MACH_W);
	else if ((v->from ^ v->to) & MACH_W)
		write_protect(v->addr, end, !(v->to & MACH_W));
}

/* The real mappings' rights, a mapping at a time. */
static void rights_set(const struct drv_view *v)
{
	uint64_t end = v->addr + v->size, stop;

	for (uint64_t at = v->addr; at < end; at = stop) {
		unsigned prot = 0;
		struct drv_vma m;

		stop = end;
		if (drv_find_vma(machine.d, at, &m)) {
			prot = m.start <= at ? m.prot : 0;
			stop = m.start <= at ? m.end : m.start;
			stop = stop < end ? stop : end;
		}
		if (page_prot(prot, v->from) != page_prot(prot, v->to) &&
		    sys_mprotect((void *)at, stop - at, page_prot(prot, v->to)))
			view_die("too many mappings for executable pages");
	}
}

static void sites_set(struct drv_encl *e, const struct drv_view *v, bool shown)
{
	for (uint64_t at = v->addr; at < v->addr + v->size; at += PAGE)
		sites_view(e, at, shown);
}

void view_set(void *ctx, struct drv_encl *e, const struct drv_view *v)
{
	(void)ctx;
	if (v->to & ~v->from & MACH_X)
		sites_set(e, v, true);
	rights_set(v);
	if (uffd >= 0)
		entries_set(e, v);
	if (v->from & ~v->to & MACH_X)
		sites_set(e, v, false);
}

void view_close(bool close)
{
	struct drv_vma v;
	uint64_t at = 0;

	closed = close;
	for (; drv_find_vma(machine.d, at, &v); at = v.end)
		if (view_protect(v.start, v.end, v.prot))
			view_die("too many mappings for strict mode");
}
