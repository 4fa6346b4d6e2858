/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/emm/bed.h"

#include <sys/mman.h>
#include <time.h>

__thread uint32_t bed_thread;
__thread uint64_t bed_calls;
static uint64_t slow_ns;

/* ---- time -------------------------------------------------------------- */

static double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double cpu_now(void)
{
	return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

double wall_now(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quantile(double *v, uint32_t n, double q)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(uint32_t)((double)(n - 1) * q)];
}

static uint64_t seed = 88172645463325252ull;

uint32_t below(uint32_t n)
{
	if (!n)
		abort();
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

/* ---- stubs ------------------------------------------------------------- */

static int stub_leaf(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	(void)si;
	(void)addr;
	return 0;
}

static int slow_leaf(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	double t = wall_now();

	(void)ctx;
	(void)si;
	(void)addr;
	while (wall_now() - t < (double)slow_ns)
		;
	return 0;
}

static int stub_copy(void *ctx, const struct sgx_secinfo *si, uint64_t addr,
		     uint64_t src)
{
	(void)ctx;
	(void)si;
	(void)addr;
	(void)src;
	return 0;
}

static int stub_modify(void *ctx, const struct emm_modify *m)
{
	(void)ctx;
	(void)m;
	bed_calls++;
	return 0;
}

static uint32_t stub_owner(void *ctx)
{
	(void)ctx;
	return bed_thread;
}

/* Not const, so that no call of these is known where it is made. */
static struct emm_hooks stub_hooks = { .eaccept = stub_leaf,
				       .emodpe = stub_leaf,
				       .eacceptcopy = stub_copy,
				       .modify = stub_modify,
				       .owner = stub_owner };

void bed_open(struct bed *b, uint64_t size, uint64_t accept_ns)
{
	struct emm_hooks hooks = stub_hooks;
	struct emm_params p = {
		.base = BASE, .size = size, .wide = true, .threads = 8
	};

	slow_ns = accept_ns;
	if (accept_ns)
		hooks.eaccept = slow_leaf;
	b->meta_size = size / 256 + (64ull << 20);
	b->meta = mmap(NULL, b->meta_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	MUST(b->meta != MAP_FAILED);
	p.meta_base = b->meta;
	p.meta_size = b->meta_size;
	p.meta_init = b->meta_size;
	MUST(emm_init(&p, &hooks, &b->emm) == 0);
}

void bed_close(struct bed *b)
{
	munmap(b->meta, b->meta_size);
}

static edmm_err native_make(struct bed *b, uint64_t addr, uint64_t size)
{
	const struct emm_alloc a = { .addr = addr,
				     .size = size,
				     .flags = EMM_ON_DEMAND | EMM_FIXED,
				     .prot = EMM_RW };

	return emm_alloc(b->emm, &a, NULL);
}

edmm_err area_make(struct bed *b, uint64_t addr)
{
	return native_make(b, addr, AREA);
}

uint64_t area_at(uint32_t i)
{
	return BASE + (uint64_t)i * STRIDE;
}

int touch(struct bed *b, uint64_t addr)
{
	const struct sgx_exinfo info = { .maddr = addr,
					 .errcd = SGX_PFEC_W | SGX_PFEC_U };

	return emm_fault(b->emm, &info);
}

/* ---- as a face --------------------------------------------------------- */

static edmm_err native_unmake(struct bed *b, uint64_t addr, uint64_t size)
{
	return emm_dealloc(b->emm, addr, size, NULL);
}

static uint64_t native_get(struct bed *b)
{
	const struct emm_alloc a = { .size = AREA,
				     .flags = EMM_ON_DEMAND,
				     .prot = EMM_RW };
	uint64_t at;

	return emm_alloc(b->emm, &a, &at) ? 0 : at;
}

static edmm_err native_commit(struct bed *b, uint64_t addr, uint64_t size)
{
	return emm_commit(b->emm, addr, size, NULL);
}

static edmm_err native_uncommit(struct bed *b, uint64_t addr, uint64_t size)
{
	return emm_uncommit(b->emm, addr, size, NULL);
}

static edmm_err native_flip(struct bed *b, uint64_t addr, bool read_only)
{
	return emm_protect(b->emm, addr, EMM_PAGE, read_only ? EMM_R : EMM_RW,
			   NULL);
}

static void native_prim(enum bed_prim what)
{
	static const struct sgx_secinfo si;
	static const struct emm_modify m;

	switch (what) {
	case PRIM_LEAF:
		(void)stub_hooks.eaccept(NULL, &si, BASE);
		break;
	case PRIM_MODIFY:
		(void)stub_hooks.modify(NULL, &m);
		break;
	case PRIM_OWNER:
		(void)stub_hooks.owner(NULL);
		break;
	case PRIM_MAP: /* a wide host needs none */
	case PRIMS:
		break;
	}
}

const struct bed_face face_native = {
	.name = "native",
	.open = bed_open,
	.close = bed_close,
	.make = native_make,
	.unmake = native_unmake,
	.get = native_get,
	.commit = native_commit,
	.uncommit = native_uncommit,
	.flip = native_flip,
	.touch = touch,
	.prim = native_prim,
};
