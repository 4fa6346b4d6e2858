/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID in an enclave where the processor cannot make it fault: the sites that
 * somebody who has decoded the image lists here are UD2 in the view, that is,
 * while the page is shown with X; hidden, measured, evicted or read by the
 * machine it has its own bytes. Any other CPUID gives the processor's answer.
 *
 * Locks: the driver's is held.
 */
#include <errno.h>
#include <sys/mman.h>

#include <edmm/machine.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/signal/sig.h"

#define SITES_MAX 65536u

struct sites {
	struct sites *next;
	const struct drv_encl *e;
	uint64_t base;
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

void sites_view(struct drv_encl *e, uint64_t addr, bool shown)
{
	struct sites *s = list ? sites_of(e) : NULL;
	uint64_t page = s ? addr - s->base : 0;
	uint8_t *bytes = s ? drv_encl_mem(e) + page : NULL;

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
		if (mach_ucopy(&s->site[i].off, (const uint64_t *)a->off + i,
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

	if (mach_ucopy(&a, (const void *)arg, sizeof(a)))
		return -EFAULT;
	if (a.count > SITES_MAX)
		return -E2BIG;
	if (!a.count || machine.has[FACILITY_CPUID_FAULT])
		return 0;
	s = sites_make(&a, &r);
	if (!s)
		return r;
	drv_lock(machine.d);
	if (!handle_base(e, &s->base))
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
