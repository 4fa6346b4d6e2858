/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loader: reserve ELRANGE, ECREATE, EADD every run, EINIT, map.
 *
 * The address range of the main stack, of the metadata and of the heap is
 * mapped readable and writable at once, present or not: pages come later by
 * EAUG, and their rights are the EPCM's business.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edmm/machine.h"
#include "host/host.h"

#define PAGE SGX_PAGE_SIZE
/* Runs are copied here first: the kernel wants aligned, executable sources. */
#define BOUNCE (1u << 20)
/* AVX and AVX-512; AMX needs a permission of its own, PKRU is of no use. */
#define XFRM_WANTED 0xe4ull

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What the masks of SIGSTRUCT leave open is the machine's. */
static void take_machine(struct sgx_secs *secs, const struct sgx_sigstruct *sig)
{
	uint32_t a, b, c, d, lo, hi;
	uint64_t xcr0, sgx_xfrm = SGX_XFRM_LEGACY;

	secs->miscselect = sig->miscselect;
	secs->attributes = sig->attributes;
	if (!__get_cpuid_count(1, 0, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xcr0 = (uint64_t)hi << 32 | lo;
	if (__get_cpuid_count(0x12, 1, &a, &b, &c, &d))
		sgx_xfrm = (uint64_t)d << 32 | c;
	secs->attributes.xfrm |=
		xcr0 & sgx_xfrm & XFRM_WANTED & ~sig->attributemask.xfrm;
	if (__get_cpuid_count(0x12, 0, &a, &b, &c, &d))
		secs->miscselect |= b & SGX_MISC_EXINFO & ~sig->miscmask;
}

static bool runs_ok(const struct edmm_host_image *img)
{
	uint64_t at = 0;

	for (size_t i = 0; i < img->run_count; i++) {
		const struct edmm_page_run *r = &img->runs[i];

		if (!r->size || (r->off | r->size) % PAGE || r->off < at ||
		    r->off > img->layout->elrange_size ||
		    r->size > img->layout->elrange_size - r->off)
			return false;
		at = r->off + r->size;
	}
	return img->run_count > 0;
}

static bool range_ok(const struct edmm_layout *l, uint64_t off, uint64_t size)
{
	return (off | size) % PAGE == 0 && off <= l->elrange_size &&
	       size <= l->elrange_size - off;
}

static bool layout_ok(const struct edmm_layout *l)
{
	uint64_t size = l->elrange_size;

	return l->magic == EDMM_LAYOUT_MAGIC &&
	       l->version == EDMM_LAYOUT_VERSION && size >= 2 * PAGE &&
	       !(size & (size - 1)) && size <= 1ull << 46 &&
	       range_ok(l, l->stack_off, l->stack_size) &&
	       range_ok(l, l->meta_off, l->meta_size) &&
	       range_ok(l, l->heap_off, l->heap_bound) &&
	       range_ok(l, l->ctx_off, PAGE) && l->ctx_count > 0 &&
	       l->ctx_count <= EDMM_CONTEXTS_MAX &&
	       l->made_count <= EDMM_MADE_MAX &&
	       l->ctx_stride <= l->elrange_size &&
	       range_ok(l, l->made_off, l->made_count * l->ctx_stride);
}

/* ELRANGE is aligned to its size: take twice the size and cut. */
static edmm_err reserve(struct edmm_host *h, uint64_t size,
			struct edmm_host_error *e)
{
	void *p = h->io->mmap(NULL, 2 * size, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	uintptr_t from = (uintptr_t)p, base;

	if (p == MAP_FAILED)
		return host_fail(e, -EDMM_ENOMEM,
				 "%s: no room for an address range of %llu "
				 "MiB: %s",
				 h->img.name, (unsigned long long)size >> 20,
				 strerror(errno));
	base = (from + size - 1) & ~(uintptr_t)(size - 1);
	if (base > from)
		h->io->munmap(p, base - from);
	if (base + size < from + 2 * size)
		h->io->munmap((void *)(base + size),
			      from + 2 * size - (base + size));
	h->base = base;
	h->size = size;
	return 0;
}

static edmm_err create(struct edmm_host *h, struct edmm_host_error *e)
{
	struct sgx_secs secs = {
		.size = h->size,
		.base = h->base,
		.ssaframesize = h->img.layout->ssa_frame_pages,
	};
	struct sgx_enclave_create c = { .src = (uintptr_t)&secs };
	struct edmm_cpuid_sites sites = { (uintptr_t)h->img.cpuid,
					  h->img.cpuid_count };
	edmm_err err;

	take_machine(&secs, h->img.sigstruct);
	err = host_ioctl(h, SGX_IOC_ENCLAVE_CREATE, &c);
	if (!err && sites.count)
		/* A real device does not know it, and does not need it. */
		(void)host_ioctl(h, EDMM_IOC_CPUID_SITES, &sites);
	if (err)
		return host_fail(e, err,
				 "%s: the machine does not create the enclave "
				 "(ELRANGE %llu MiB, XFRM 0x%llx): %s",
				 h->img.name, (unsigned long long)h->size >> 20,
				 (unsigned long long)secs.attributes.xfrm,
				 strerror(-err));
	return 0;
}

static edmm_err add_run(struct edmm_host *h, const struct edmm_page_run *r,
			uint8_t *bounce, struct edmm_host_error *e)
{
	for (uint64_t at = 0, done; at < r->size; at += done) {
		uint64_t n = r->size - at < BOUNCE ? r->size - at : BOUNCE;
		struct edmm_page_run part = *r;
		edmm_err err;

		part.off += at;
		part.size = n;
		if (r->src)
			memcpy(bounce, r->src + at, n);
		else if (!at)
			memset(bounce, 0, n);
		err = host_add_pages(h, bounce, &part, &done);
		h->counts.pages_added += done / PAGE;
		if (r->measured)
			h->counts.pages_measured += done / PAGE;
		if (err)
			return host_fail(e, err,
					 "%s: the machine does not add the "
					 "page at offset 0x%llx: %s",
					 h->img.name,
					 (unsigned long long)part.off + done,
					 strerror(-err));
	}
	return 0;
}

static edmm_err add_all(struct edmm_host *h, struct edmm_host_error *e)
{
	uint8_t *bounce = h->io->mmap(NULL, BOUNCE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1);
	edmm_err err = 0;

	if (bounce == MAP_FAILED)
		return host_fail(e, -EDMM_ENOMEM, "out of memory");
	for (size_t i = 0; i < h->img.run_count && !err; i++)
		err = add_run(h, &h->img.runs[i], bounce, e);
	h->io->munmap(bounce, BOUNCE);
	return err;
}

static edmm_err init(struct edmm_host *h, struct edmm_host_error *e)
{
	struct sgx_enclave_init a = {
		.sigstruct = (uintptr_t)h->img.sigstruct,
	};
	edmm_err err = host_ioctl(h, SGX_IOC_ENCLAVE_INIT, &a);

	if (err == -EDMM_EPERM)
		return host_fail(e, err,
				 "%s: the machine refuses the signature: the "
				 "image is not the one that was signed, or the "
				 "signature is damaged; sign it again",
				 h->img.name);
	if (err)
		return host_fail(e, err,
				 "%s: the machine does not initialise the "
				 "enclave: %s",
				 h->img.name, strerror(-err));
	return 0;
}

static edmm_err map(struct edmm_host *h, uint64_t off, uint64_t size, int prot,
		    struct edmm_host_error *e)
{
	void *at = (void *)(h->base + off);

	if (!size)
		return 0;
	if (h->io->mmap(at, size, prot, MAP_SHARED | MAP_FIXED, h->fd) == at)
		return 0;
	if (errno == EPERM)
		return host_fail(e, -EDMM_EPERM,
				 "%s: %s lies on a file system mounted noexec",
				 h->img.name, SGX_DEV_ENCLAVE);
	return host_fail(e, -errno, "%s: mapping enclave offset 0x%llx: %s",
			 h->img.name, (unsigned long long)off, strerror(errno));
}

static int run_prot(const struct edmm_page_run *r)
{
	int prot = 0;

	if ((r->secinfo_flags & SGX_SECINFO_PT_MASK) ==
	    SGX_SECINFO_PT(SGX_PT_TCS))
		return PROT_READ | PROT_WRITE;
	if (r->secinfo_flags & SGX_SECINFO_R)
		prot |= PROT_READ;
	if (r->secinfo_flags & SGX_SECINFO_W)
		prot |= PROT_WRITE;
	if (r->secinfo_flags & SGX_SECINFO_X)
		prot |= PROT_EXEC;
	return prot;
}

/* Image and contexts by their runs, joined where they touch. */
static edmm_err map_runs(struct edmm_host *h, struct edmm_host_error *e)
{
	uint64_t from = 0, to = 0;
	int prot = 0;
	edmm_err err;

	for (size_t i = 0; i < h->img.run_count; i++) {
		const struct edmm_page_run *r = &h->img.runs[i];

		if (r->off >= h->img.layout->stack_off)
			break;
		if (r->off != to || run_prot(r) != prot) {
			err = map(h, from, to - from, prot, e);
			if (err)
				return err;
			from = r->off;
			prot = run_prot(r);
		}
		to = r->off + r->size;
	}
	return map(h, from, to - from, prot, e);
}

static edmm_err map_all(struct edmm_host *h, struct edmm_host_error *e)
{
	const struct edmm_layout *l = h->img.layout;
	const int rw = PROT_READ | PROT_WRITE;
	edmm_err err = map_runs(h, e);

	if (!err)
		err = map(h, l->stack_off, l->stack_size, rw, e);
	if (!err)
		err = map(h, l->meta_off, l->meta_size, rw, e);
	if (!err)
		err = map(h, l->heap_off, l->heap_bound, rw, e);
	if (!err)
		err = map(h, l->made_off, l->made_count * l->ctx_stride, rw, e);
	return err;
}

edmm_err edmm_host_load(struct edmm_host *h, const struct edmm_host_image *img,
			struct edmm_host_error *e)
{
	uint64_t start = nanoseconds();
	edmm_err err;

	if (!layout_ok(img->layout) || !runs_ok(img))
		return host_fail(e, -EDMM_EINVAL,
				 "%s: the layout contradicts itself",
				 img->name);
	h->img = *img;
	err = reserve(h, img->layout->elrange_size, e);
	if (!err)
		err = create(h, e);
	if (!err)
		err = add_all(h, e);
	if (!err)
		err = init(h, e);
	if (!err)
		err = map_all(h, e);
	h->counts.load_ns = nanoseconds() - start;
	return err;
}

void edmm_host_close(struct edmm_host *h)
{
	/* Its threads run on until the process ends; what has ended is mute. */
	if (!h || h->inside)
		return;
	if (h->base)
		h->io->munmap((void *)h->base, h->size);
	if (h->stats)
		munmap(h->stats, sizeof(*h->stats));
	close(h->fd);
	free(h);
}

uint64_t edmm_host_base(const struct edmm_host *h)
{
	return h->base;
}

void edmm_host_counts(const struct edmm_host *h, struct edmm_host_counts *out)
{
	*out = h->counts;
}
