/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions in an enclave that must trap, and would not by themselves: they
 * are changed in the view, that is, while their page is shown with X. Hidden,
 * measured, evicted or read by the machine it has its own bytes.
 *
 * WRFSBASE and WRGSBASE without FSGSBASE: see bases.c.
 *
 * CPUID in an enclave where the processor cannot make it fault: the sites that
 * somebody who has decoded the image lists here are UD2. Any other CPUID gives
 * the processor's answer.
 *
 * Locks: the driver's is held.
 */
#include <errno.h>
#include <sys/mman.h>

#include <edmm/machine.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"

#define SITES_MAX 65536u
#define TAILS 256u

struct sites {
	struct sites *next;
	const struct drv_encl *e;
	size_t size; /* of this mapping */
	size_t count;
	struct site {
		uint64_t off;
		bool turned;
	} site[];
};

static struct sites *list;

/* Second bytes; the first is 0F in both. */
#define CPUID 0xa2
#define UD2 0x0b

static struct sites *sites_of(const struct drv_encl *e)
{
	struct sites *s = list;

	while (s && s->e != e)
		s = s->next;
	return s;
}

/* Instructions that end on the page after their first byte's, and trap now. */
static struct tail {
	const struct drv_encl *e;
	uint8_t *at;
} tails[TAILS];

static struct tail *tail_of(const struct drv_encl *e, const uint8_t *page)
{
	for (size_t i = 0; i < TAILS; i++)
		if (tails[i].e == e &&
		    (!page || (tails[i].at >= page &&
			       tails[i].at < page + SGX_PAGE_SIZE)))
			return &tails[i];
	return NULL;
}

static void tail_add(const struct drv_encl *e, uint8_t *at)
{
	struct tail *t = tail_of(NULL, NULL);

	if (!t)
		sys_die("more WRFSBASE across pages than expected", NULL);
	*t = (struct tail){ e, at };
}

/*
 * No list is needed: five bytes are what nothing else is. The last of them may
 * be on the next page, which is looked at as it is now.
 */
static void bases_show(const struct drv_encl *e, uint8_t *page, size_t more)
{
	uint8_t *at = page, *end = page + SGX_PAGE_SIZE;

	while ((at = bases_insn_find(at, end + more, BASES_INSN)) != NULL) {
		if (at >= end)
			return;
		if (at + BASES_INSN_SIZE > end)
			tail_add(e, at);
		*at = BASES_INSN_TRAP;
	}
}

static void bases_hide(const struct drv_encl *e, uint8_t *page)
{
	uint8_t *at = page, *end = page + SGX_PAGE_SIZE;
	struct tail *t;

	while ((at = bases_insn_find(at, end, BASES_INSN_TRAP)) != NULL)
		*at = BASES_INSN;
	while ((t = tail_of(e, page)) != NULL) {
		*t->at = BASES_INSN;
		*t = (struct tail){ 0 };
	}
}

void sites_view(struct drv_encl *e, uint64_t addr, bool shown)
{
	struct sites *s = list ? sites_of(e) : NULL;
	uint64_t page;
	uint8_t *bytes;

	if (machine.has[FACILITY_FSGSBASE] && !s)
		return;
	page = addr - drv_encl_base(e);
	bytes = drv_encl_mem(e) + page;
	if (!machine.has[FACILITY_FSGSBASE] && shown)
		bases_show(e, bytes,
			   page + SGX_PAGE_SIZE < drv_encl_size(e)
				   ? BASES_INSN_SIZE - 1
				   : 0);
	else if (!machine.has[FACILITY_FSGSBASE])
		bases_hide(e, bytes);
	for (size_t i = 0; s && i < s->count; i++) {
		uint64_t at = s->site[i].off + 1 - page;

		if (at >= SGX_PAGE_SIZE || shown == s->site[i].turned ||
		    (shown && bytes[at] != CPUID))
			continue;
		bytes[at] = shown ? UD2 : CPUID;
		s->site[i].turned = shown;
	}
}

void sites_end(const struct drv_encl *e)
{
	struct tail *t;

	while ((t = tail_of(e, NULL)) != NULL)
		*t = (struct tail){ 0 };
	for (struct sites **at = &list; *at; at = &(*at)->next) {
		struct sites *s = *at;

		if (s->e != e)
			continue;
		*at = s->next;
		sys_munmap(s, s->size);
		return;
	}
}

void sites_after_fork(void)
{
	list = NULL;
	for (size_t i = 0; i < TAILS; i++)
		tails[i] = (struct tail){ 0 };
}

static struct sites *sites_make(const struct edmm_cpuid_sites *a, long *r)
{
	size_t size = sizeof(struct sites) + a->count * sizeof(struct site);
	struct sites *s = sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*r = -ENOMEM;
	if (sys_failed(s))
		return NULL;
	*s = (struct sites){ .size = size, .count = a->count };
	*r = 0;
	for (size_t i = 0; !*r && i < a->count; i++)
		if (ucopy(&s->site[i].off, (const uint64_t *)a->off + i,
			  sizeof(uint64_t)))
			*r = -EFAULT;
	if (!*r)
		return s;
	sys_munmap(s, size);
	return NULL;
}

long sites_list(struct drv_encl *e, uint64_t arg)
{
	struct edmm_cpuid_sites a;
	struct sites *s;
	long r = 0;

	if (ucopy(&a, (const void *)arg, sizeof(a)))
		return -EFAULT;
	if (a.count > SITES_MAX)
		return -E2BIG;
	if (!a.count || machine.has[FACILITY_CPUID_FAULT])
		return 0;
	s = sites_make(&a, &r);
	if (!s)
		return r;
	drv_lock(machine.d);
	if (!drv_encl_mem(e))
		r = -EINVAL;
	else if (sites_of(e))
		r = -EEXIST;
	if (!r) {
		s->e = e;
		s->next = list;
		list = s;
	}
	drv_unlock(machine.d);
	if (r)
		sys_munmap(s, s->size);
	return r;
}
