/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/drv/bay.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/model/crypto.h"
#include "machine/model/state.h"
#include "tests/model/kit.h"
#include "tests/must.h"

#define EPC_DEFAULT 512u

void bay_setup(void)
{
	kit_setup();
}

uint64_t bay_addr(unsigned page)
{
	return BAY_BASE + page * 4096ull;
}

/* ---- platform ---------------------------------------------------------- */

static void *chunk(struct bay *r, size_t size)
{
	void *p = aligned_alloc(4096, (size + 4095) & ~4095ul);

	MUST(p && r->chunk_count < 256);
	memset(p, 0, size);
	r->chunks[r->chunk_count++] = p;
	return p;
}

static void *plat_alloc(void *ctx, size_t size)
{
	return chunk(ctx, size);
}

static uint8_t *plat_create(void *ctx, struct drv_encl *e, uint64_t base,
			    uint64_t size)
{
	(void)e;
	(void)base;
	return size > BAY_SIZE ? NULL : chunk(ctx, size);
}

static void plat_destroy(void *ctx, struct drv_encl *e)
{
	(void)ctx;
	(void)e;
}

static void plat_view(void *ctx, struct drv_encl *e, const struct drv_view *v)
{
	uint64_t page = (v->addr - BAY_BASE) / 4096;
	uint64_t end = page + v->size / 4096;
	struct bay *r = ctx;

	(void)e;
	MUST(page < end && end <= BAY_PAGES && v->from != v->to);
	for (; page < end; page++) {
		MUST(r->views[page] == v->from);
		r->views[page] = (uint8_t)v->to;
	}
	r->view_calls++;
}

static void plat_discard(void *ctx, struct drv_encl *e, uint64_t addr,
			 uint64_t size)
{
	struct bay *r = ctx;

	memset(drv_encl_mem(e) + (addr - BAY_BASE), 0, size);
	r->discarded += (unsigned)(size / 4096);
}

static int plat_in(void *ctx, void *dst, uint64_t src, size_t size)
{
	(void)ctx;
	if (src < 4096)
		return -EFAULT;
	memcpy(dst, (const void *)(uintptr_t)src, size);
	return 0;
}

static int plat_out(void *ctx, uint64_t dst, const void *src, size_t size)
{
	(void)ctx;
	if (dst < 4096)
		return -EFAULT;
	memcpy((void *)(uintptr_t)dst, src, size);
	return 0;
}

static bool plat_mapped(void *ctx, uint64_t addr)
{
	(void)ctx;
	return addr >= 4096;
}

static void plat_each(void *ctx, void (*fn)(void *arg, struct mach_cpu *cpu),
		      void *arg)
{
	struct bay *r = ctx;

	for (unsigned i = 0; i < BAY_CPUS; i++)
		fn(arg, &r->cpu[i]);
	if (r->looked)
		r->looked(r);
}

static bool plat_signal(void *ctx)
{
	return ((struct bay *)ctx)->signal;
}

static void plat_refused(void *ctx)
{
	((struct bay *)ctx)->refused++;
}

static void plat_wait(void *ctx, uint32_t *word, uint32_t value)
{
	(void)ctx;
	(void)word;
	(void)value;
	sched_yield();
}

static void plat_wake(void *ctx, uint32_t *word)
{
	(void)ctx;
	(void)word;
}

/* Descriptor 7 is an open /dev/sgx_provision. */
static bool is_provision(void *ctx, int fd)
{
	(void)ctx;
	return fd == 7;
}

/* ---- records that succeed ---------------------------------------------- */

static void secs_fill(struct bay *r)
{
	r->secs.size = BAY_SIZE;
	r->secs.base = BAY_BASE;
	r->secs.ssaframesize = 1;
	r->secs.attributes.flags = SGX_ATTR_MODE64BIT;
	r->secs.attributes.xfrm = SGX_XFRM_LEGACY;
	r->create.src = (uint64_t)(uintptr_t)&r->secs;
}

static void tcs_fill(struct sgx_tcs *t)
{
	t->ossa = BAY_SSA * 4096;
	t->nssa = 2;
	t->oentry = BAY_CODE * 4096;
	t->fslimit = UINT32_MAX;
	t->gslimit = UINT32_MAX;
}

static const uint64_t built[BAY_BUILT] = {
	[BAY_TCS] = SGX_SECINFO_PT(SGX_PT_TCS),
	[BAY_SSA] = SGX_SECINFO_PT(SGX_PT_REG) | 3,
	[BAY_SSA2] = SGX_SECINFO_PT(SGX_PT_REG) | 3,
	[BAY_CODE] = SGX_SECINFO_PT(SGX_PT_REG) | 5,
	[BAY_DATA] = SGX_SECINFO_PT(SGX_PT_REG) | 3,
	[BAY_RO] = SGX_SECINFO_PT(SGX_PT_REG) | 1,
};

/* A page of zeros to add, and one that is a TCS. */
static uint8_t zeros[2 * 4096] __attribute__((aligned(4096)));
static struct sgx_tcs tcs;

static void add_fill(struct bay *r)
{
	tcs_fill(&tcs);
	r->si.flags = SGX_SECINFO_PT(SGX_PT_REG) | 3;
	r->add.src = (uint64_t)(uintptr_t)zeros;
	r->add.offset = BAY_FREE * 4096;
	r->add.length = 4096;
	r->add.secinfo = (uint64_t)(uintptr_t)&r->si;
	r->add.flags = SGX_PAGE_MEASURE;
}

static void later_fill(struct bay *r)
{
	r->init.sigstruct = (uint64_t)(uintptr_t)&r->sig;
	r->prov.fd = 7;
	r->res.offset = BAY_DATA * 4096;
	r->res.length = 4096;
	r->res.permissions = 1;
	r->mod.offset = BAY_DATA * 4096;
	r->mod.length = 4096;
	r->mod.page_type = SGX_PT_TRIM;
	r->rem.offset = BAY_DATA * 4096;
	r->rem.length = 4096;
}

/* ---- building ---------------------------------------------------------- */

void bay_open(struct bay *r, uint32_t epc, uint32_t features)
{
	struct drv_hooks p = {
		.ctx = r,
		.alloc = plat_alloc,
		.create = plat_create,
		.destroy = plat_destroy,
		.view = plat_view,
		.discard = plat_discard,
		.copy_in = plat_in,
		.copy_out = plat_out,
		.mapped = plat_mapped,
		.each_cpu = plat_each,
		.signal_pending = plat_signal,
		.refused = plat_refused,
		.wait = plat_wait,
		.wake = plat_wake,
	};

	memset(r, 0, sizeof(*r));
	mach_config_default(&r->cfg.mach);
	r->cfg.mach.arena = false;
	r->cfg.mach.zeroed = true;
	r->cfg.mach.epc_pages = epc ? epc : EPC_DEFAULT;
	r->cfg.mach.features = features;
	r->mem = chunk(r, drv_size(&r->cfg));
	r->d = drv_init(r->mem, &r->cfg, &p);
	MUST(r->d);
	r->m = drv_mach(r->d);
	for (unsigned i = 0; i < BAY_CPUS; i++)
		mach_cpu_init(&r->cpu[i]);
	r->ic.is_provision = is_provision;
	r->e = drv_open(r->d, r);
	MUST(r->e);
	secs_fill(r);
	add_fill(r);
	later_fill(r);
}

void bay_close(struct bay *r)
{
	char why[128];

	MUST(drv_munmap(r->d, 0, BAY_BASE + BAY_SIZE) == 0);
	drv_release(r->d, r->e);
	/* Everything the file had is free again. */
	MUST(epc_used(r->d) == 0 || r->leaks);
	if (!r->leaks &&
	    !mach_check_cpus(r->m, r->cpu, BAY_CPUS, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	for (unsigned i = 0; i < r->chunk_count; i++)
		free(r->chunks[i]);
}

long bay_ioctl(struct bay *r, unsigned long cmd, void *arg)
{
	return drv_ioctl(r->d, r->e, cmd, (uint64_t)(uintptr_t)arg, &r->ic);
}

void bay_created(struct bay *r)
{
	MUST(bay_ioctl(r, SGX_IOC_ENCLAVE_CREATE, &r->create) == 0);
}

void bay_added(struct bay *r)
{
	struct sgx_enclave_add_pages a = r->add;
	struct sgx_secinfo si = { 0 };

	bay_created(r);
	for (unsigned i = 0; i < BAY_BUILT; i++) {
		a.offset = i * 4096;
		a.src = (uint64_t)(uintptr_t)(i == BAY_TCS ? (void *)&tcs
							   : zeros);
		a.secinfo = (uint64_t)(uintptr_t)&si;
		si.flags = built[i];
		MUST(bay_ioctl(r, SGX_IOC_ENCLAVE_ADD_PAGES, &a) == 0);
	}
	bay_sign(r);
}

void bay_sign(struct bay *r)
{
	static const uint8_t header[12] = SGX_SIGSTRUCT_HEADER;
	static const uint8_t header2[16] = SGX_SIGSTRUCT_HEADER2;
	struct sgx_secs *s = secs_of(r->m, r->e->secs_epc);

	memset(&r->sig, 0, sizeof(r->sig));
	memcpy(r->sig.header, header, sizeof(header));
	memcpy(r->sig.header2, header2, sizeof(header2));
	r->sig.date = 0x20261121;
	r->sig.exponent = 3;
	r->sig.attributes = s->attributes;
	r->sig.attributemask.flags = ~SGX_ATTR_DEBUG;
	r->sig.attributemask.xfrm = ~0ull;
	r->sig.miscmask = ~0u;
	measure_final(hidden_of(s), r->sig.enclavehash);
	kit_sign(&r->sig);
}

void bay_ready(struct bay *r)
{
	bay_added(r);
	MUST(bay_ioctl(r, SGX_IOC_ENCLAVE_INIT, &r->init) == 0);
	MUST(drv_mmap(r->d, r->e, BAY_BASE, bay_addr(BAY_CODE), 3) == 0);
	MUST(drv_mmap(r->d, r->e, bay_addr(BAY_CODE), bay_addr(BAY_DATA), 5) ==
	     0);
	MUST(drv_mmap(r->d, r->e, bay_addr(BAY_DATA), bay_addr(BAY_RO), 3) ==
	     0);
	MUST(drv_mmap(r->d, r->e, bay_addr(BAY_RO), bay_addr(BAY_FREE), 1) ==
	     0);
	MUST(drv_mmap(r->d, r->e, bay_addr(BAY_FREE), BAY_BASE + BAY_SIZE, 7) ==
	     0);
}

/* ---- inside ------------------------------------------------------------ */

/* Out at once, if the driver asks for it: the next ENCLU is ERESUME. */
static bool taken_out(struct bay *r, unsigned cpu, struct mach_frame *f)
{
	struct mach_cpu *c = &r->cpu[cpu];
	struct mach_event ev = c->due_event;

	if (!mach_inside(c) || !c->due)
		return false;
	mach_aex(r->m, c, f, &ev);
	return true;
}

/* True if the driver has resolved the fault. */
static bool resolved(struct bay *r, unsigned cpu, const struct mach_result *res)
{
	unsigned access = res->pfec & SGX_PFEC_W ? MACH_W : MACH_R;
	enum drv_verdict v;
	uint32_t pfec;

	if (res->kind != MACH_FAULT || res->vector != SGX_VEC_PF ||
	    (res->pfec & SGX_PFEC_SGX))
		return false;
	v = drv_fault(r->d, &r->cpu[cpu], res->addr, access, true, &pfec);
	return v == DRV_RETRY || v == DRV_BUSY;
}

struct mach_result bay_enclu(struct bay *r, unsigned cpu, struct mach_frame *f)
{
	struct mach_result res;
	bool back = false;

	drv_lock(r->d);
	for (;;) {
		back |= taken_out(r, cpu, f);
		res = drv_enclu(r->d, &r->cpu[cpu], f);
		if (mach_ok(res) && back)
			back = false;
		else if (!resolved(r, cpu, &res))
			break;
	}
	drv_unlock(r->d);
	return res;
}

void bay_enter(struct bay *r, unsigned cpu)
{
	struct mach_frame f = { .rax = SGX_EENTER,
				.rbx = bay_addr(BAY_TCS),
				.rcx = BAY_AEP };

	MUST(mach_ok(bay_enclu(r, cpu, &f)));
}

void bay_exit(struct bay *r, unsigned cpu)
{
	struct mach_frame f = { .rax = SGX_EEXIT, .rbx = BAY_AEP };

	MUST(mach_ok(bay_enclu(r, cpu, &f)));
}

long bay_leaf(struct bay *r, unsigned nr, uint64_t flags, uint64_t addr)
{
	struct mach_frame f = { .rax = nr,
				.rbx = bay_addr(BAY_DATA),
				.rcx = addr };
	struct sgx_secinfo *si = (struct sgx_secinfo *)(void *)page_mem(
		r->e, bay_addr(BAY_DATA));
	struct mach_result res;
	page_t *p;

	bay_enter(r, 0);
	drv_lock(r->d);
	p = page_find(r->e, bay_addr(BAY_DATA));
	MUST(p && page_load(r->d, r->e, p, bay_addr(BAY_DATA)) == 0);
	drv_unlock(r->d);
	memset(si, 0, sizeof(*si));
	si->flags = flags;
	res = bay_enclu(r, 0, &f);
	bay_exit(r, 0);
	if (res.kind == MACH_FAULT)
		return -1;
	return res.kind == MACH_CODE ? res.code : 0;
}

long bay_accept(struct bay *r, unsigned page)
{
	return bay_leaf(r, SGX_EACCEPT,
			SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R |
				SGX_SECINFO_W | SGX_SECINFO_PENDING,
			bay_addr(page));
}

long bay_accept_trim(struct bay *r, unsigned page)
{
	return bay_leaf(r, SGX_EACCEPT,
			SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED,
			bay_addr(page));
}
