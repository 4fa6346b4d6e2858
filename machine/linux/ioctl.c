/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ioctls that build an enclave: CREATE, ADD_PAGES, INIT, PROVISION. Checks
 * come in Linux's order and give Linux's errno.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "edmm/machine.h"
#include "machine/linux/internal.h"
#include "sgx/linux.h"

#define ERESTARTSYS 512
/* SIGSTRUCT.VENDOR: 0, or Intel. */
#define VENDOR_INTEL 0x8086u
/* Of an EINIT that SGX_UNMASKED_EVENT stops: 50 times 20. */
#define EINIT_TRIES 1000

static int copy_in(struct drv *d, void *dst, uint64_t src, size_t size)
{
	return d->p.copy_in(d->p.ctx, dst, src, size);
}

bool range_valid(const struct drv_encl *e, uint64_t off, uint64_t length)
{
	uint64_t end;

	if (off & ~PAGE_MASK || !length || length & ~PAGE_MASK)
		return false;
	if (__builtin_add_overflow(off, length, &end))
		return false;
	return end - PAGE_SIZE < e->size;
}

/* ---- CREATE ------------------------------------------------------------ */

/* Levels of the page tree for an ELRANGE of @size bytes. */
static unsigned height_for(uint64_t size)
{
	unsigned h = 0;

	while ((size >> SGX_PAGE_SHIFT) > 1ull << ((h + 1) * NODE_BITS))
		h++;
	return h;
}

#define WHY_TEXT 256

static void why_create(struct drv *d, const struct sgx_secs *secs)
{
	char text[WHY_TEXT];

	if (d->p.why &&
	    mach_why_create(mach_config(d->mach), secs, text, sizeof(text)))
		d->p.why(d->p.ctx, "ECREATE", text);
}

static void why_init(struct drv *d, const struct drv_encl *e,
		     const struct sgx_sigstruct *sig)
{
	char text[WHY_TEXT];

	if (d->p.why &&
	    mach_why_init(d->mach, e->secs_epc, sig, text, sizeof(text)))
		d->p.why(d->p.ctx, "EINIT", text);
}

static int ecreate(struct drv *d, struct drv_encl *e, struct sgx_secs *secs)
{
	struct sgx_secinfo si = { 0 };
	struct sgx_pageinfo pi = {
		.srcpge = (uint64_t)(uintptr_t)secs,
		.secinfo = (uint64_t)(uintptr_t)&si,
	};
	struct leaf l = { .nr = SGX_ECREATE, .rbx = &pi };
	int r;

	e->secs_mem = pool_get(d, POOL_PAGE);
	r = e->secs_mem ? epc_alloc(d, e->secs_mem, &e->secs_epc) : -ENOMEM;
	if (r)
		goto out_mem;
	l.epc = mach_epc_addr(e->secs_epc);
	if (!mach_ok(encls(d, e, &l))) {
		why_create(d, secs);
		r = -EIO;
		goto out_epc;
	}
	e->mem = d->p.create(d->p.ctx, e, secs->base, secs->size);
	if (!e->mem) {
		l.nr = SGX_EREMOVE;
		encls_asked(d, e, &l);
		r = -ENOMEM;
		goto out_epc;
	}
	e->secs = PG_EXISTS | e->secs_epc;
	return 0;
out_epc:
	epc_free(d, e->secs_epc);
	e->secs_epc = MACH_EPC_NONE;
out_mem:
	if (e->secs_mem)
		pool_put(d, POOL_PAGE, e->secs_mem);
	e->secs_mem = NULL;
	return r;
}

static long create_locked(struct drv *d, struct drv_encl *e,
			  struct sgx_secs *secs)
{
	int r = encl_grow(d, e);

	if (r)
		return r;
	r = ecreate(d, e, secs);
	if (r) {
		encl_shrink(d, e);
		return r;
	}
	e->base = secs->base;
	e->size = secs->size;
	e->height = height_for(e->size);
	e->attributes_mask = d->attributes;
	e->state |= ENCL_CREATED;
	return 0;
}

static long ioctl_create(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	struct sgx_enclave_create c;
	struct sgx_secs secs;
	long r;

	if (e->state & ENCL_CREATED)
		return -EINVAL;
	if (copy_in(d, &c, arg, sizeof(c)))
		return -EFAULT;
	if (copy_in(d, &secs, c.src, sizeof(secs)))
		return -EFAULT;
	if (!secs.size || secs.size & (secs.size - 1))
		return -EINVAL;
	drv_lock(d);
	r = create_locked(d, e, &secs);
	drv_unlock(d);
	return r;
}

/* ---- ADD_PAGES --------------------------------------------------------- */

static bool secinfo_valid(const struct sgx_secinfo *si)
{
	uint64_t perm = si->flags & SGX_SECINFO_RWX;
	uint64_t pt = si->flags & SGX_SECINFO_PT_MASK;

	if (pt != SGX_SECINFO_PT(SGX_PT_REG) &&
	    pt != SGX_SECINFO_PT(SGX_PT_TCS))
		return false;
	if ((perm & SGX_SECINFO_W) && !(perm & SGX_SECINFO_R))
		return false;
	if (pt == SGX_SECINFO_PT(SGX_PT_TCS) && perm)
		return false;
	if (si->flags & ~(SGX_SECINFO_RWX | SGX_SECINFO_PT_MASK))
		return false;
	for (size_t i = 0; i < sizeof(si->reserved); i++)
		if (si->reserved[i])
			return false;
	return true;
}

static int measure_page(struct drv *d, struct drv_encl *e, uint32_t epc,
			uint64_t addr)
{
	struct leaf l = { .nr = SGX_EEXTEND,
			  .rdx = mach_epc_addr(e->secs_epc) };

	for (uint32_t i = 0; i < PAGE_SIZE; i += SGX_EEXTEND_CHUNK) {
		l.epc = mach_epc_addr(epc) + i;
		l.addr = addr + i;
		if (!mach_ok(encls(d, e, &l)))
			return -EIO;
	}
	d->stats.pages_measured++;
	return 0;
}

/* EADD and EEXTEND of @src at @addr, its record and slot there already. */
static int eadd(struct drv *d, struct drv_encl *e, uint64_t addr,
		const struct sgx_secinfo *si, const void *src, bool measure)
{
	struct sgx_secinfo copy = *si;
	struct sgx_pageinfo pi = {
		.linaddr = addr,
		.srcpge = (uint64_t)(uintptr_t)src,
		.secinfo = (uint64_t)(uintptr_t)&copy,
		.secs = mach_epc_addr(e->secs_epc),
	};
	bool tcs =
		(si->flags & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS);
	struct leaf l = { .nr = SGX_EADD, .addr = addr, .rbx = &pi };
	page_t *p = page_make(d, e, addr);
	uint32_t epc;
	int r;

	if (!p)
		return -ENOMEM;
	r = epc_alloc(d, page_mem(e, addr), &epc);
	if (r)
		return r;
	l.epc = mach_epc_addr(epc);
	if (!mach_ok(encls(d, e, &l))) {
		epc_free(d, epc);
		return -EIO;
	}
	*p = PG_EXISTS | PG_YOUNG | epc;
	pg_set(p, PG_MAX_SHIFT, tcs ? 3 : si->flags & SGX_SECINFO_RWX);
	pg_set(p, PG_TYPE_SHIFT, tcs ? SGX_PT_TCS : SGX_PT_REG);
	e->children++;
	d->stats.pages_added++;
	r = measure ? measure_page(d, e, epc, addr) : 0;
	/* The page goes again; MRENCLAVE keeps what was measured. */
	if (r) {
		epc_remove(d, e, epc, addr);
		e->children--;
		*p = 0;
		d->p.discard(d->p.ctx, e, addr, PAGE_SIZE);
	}
	return r;
}

static int add_page(struct drv *d, struct drv_encl *e,
		    const struct sgx_enclave_add_pages *a,
		    const struct sgx_secinfo *si)
{
	uint8_t src[PAGE_SIZE] __attribute__((aligned(4096)));
	uint64_t addr = e->base + a->offset + a->count;
	bool readable = !copy_in(d, src, a->src + a->count, PAGE_SIZE);
	int r;

	drv_lock(d);
	r = encl_grow(d, e);
	if (r)
		goto out_unlock;
	if (page_find(e, addr))
		r = -EBUSY;
	else if (!readable)
		r = -EFAULT;
	else
		r = eadd(d, e, addr, si, src, a->flags & SGX_PAGE_MEASURE);
	if (r)
		encl_shrink(d, e);
out_unlock:
	drv_unlock(d);
	return r;
}

/* A signal, real or injected, between two pages of ADD_PAGES. */
static bool interrupted(struct drv *d)
{
	return d->p.signal_pending(d->p.ctx) ||
	       inject_fire(&d->inject, INJECT_SIGNAL).kind;
}

static long ioctl_add_pages(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	struct sgx_enclave_add_pages a;
	struct sgx_secinfo si;
	int r = 0;

	if (!(e->state & ENCL_CREATED) || (e->state & ENCL_INITIALIZED))
		return -EINVAL;
	if (copy_in(d, &a, arg, sizeof(a)))
		return -EFAULT;
	if (a.src & ~PAGE_MASK || !range_valid(e, a.offset, a.length))
		return -EINVAL;
	if (copy_in(d, &si, a.secinfo, sizeof(si)))
		return -EFAULT;
	if (!secinfo_valid(&si))
		return -EINVAL;
	for (a.count = 0; a.count < a.length; a.count += PAGE_SIZE) {
		if (interrupted(d)) {
			if (!a.count)
				r = -ERESTARTSYS;
			break;
		}
		r = add_page(d, e, &a, &si);
		for (unsigned n = 0;
		     r == -ENOMEM && n < SETTLE_ROUNDS && epc_wait(d); n++)
			r = add_page(d, e, &a, &si);
		if (r)
			break;
	}
	if (d->p.copy_out(d->p.ctx, arg, &a, sizeof(a)))
		return -EFAULT;
	return r;
}

/* ---- INIT, PROVISION --------------------------------------------------- */

/* Bits that SIGSTRUCT fixes and this machine lacks. */
static bool sigstruct_possible(struct drv *d, const struct sgx_sigstruct *s)
{
	const struct mach_config *c = mach_config(d->mach);
	uint64_t attr = SGX_ATTR_INIT | SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT |
			SGX_ATTR_PROVISIONKEY | SGX_ATTR_EINITTOKENKEY;
	uint32_t misc = c->features & MACH_F_EXINFO ? SGX_MISC_EXINFO : 0;

	if (c->features & MACH_F_KSS)
		attr |= SGX_ATTR_KSS;
	if (c->features & MACH_F_AEXNOTIFY)
		attr |= SGX_ATTR_AEXNOTIFY;
	return !(s->attributes.flags & s->attributemask.flags & ~attr) &&
	       !(s->miscselect & s->miscmask & ~misc) &&
	       !(s->attributes.xfrm & s->attributemask.xfrm & ~c->xfrm);
}

bool drv_refuses(const struct drv *d, uint32_t swdefined)
{
	return !d->production &&
	       (swdefined & 0xffff0000u) == EDMM_SWDEFINED_MARK &&
	       (swdefined & EDMM_SWDEFINED_PRODUCTION);
}

static long einit(struct drv *d, struct drv_encl *e,
		  const struct sgx_sigstruct *sig, const uint8_t signer[32])
{
	static const struct {
		uint8_t b[512] __attribute__((aligned(512)));
	} no_token;
	struct leaf l = { .nr = SGX_EINIT,
			  .rbx = sig,
			  .rdx = (uint64_t)(uintptr_t)no_token.b,
			  .signer = signer };
	struct mach_secs_info si;
	struct mach_result r;

	if (!mach_secs(d->mach, e->secs_epc, &si))
		return -EIO;
	if (si.attributes & ~e->attributes_mask) {
		if (d->p.why)
			d->p.why(d->p.ctx, "INIT",
				 "ATTRIBUTES has a bit that "
				 "SGX_IOC_ENCLAVE_PROVISION must allow before");
		return -EACCES;
	}
	if (!sigstruct_possible(d, sig)) {
		why_init(d, e, sig);
		return -EINVAL;
	}
	if (drv_refuses(d, sig->swdefined)) {
		d->p.refused(d->p.ctx);
		return -EPERM;
	}
	l.epc = mach_epc_addr(e->secs_epc);
	for (int i = 0; i < EINIT_TRIES; i++) {
		r = encls(d, e, &l);
		if (r.kind != MACH_CODE || r.code != SGX_UNMASKED_EVENT)
			break;
	}
	if (!mach_ok(r))
		why_init(d, e, sig);
	if (r.kind == MACH_FAULT)
		return -EIO;
	if (r.kind == MACH_CODE)
		return -EPERM;
	e->state |= ENCL_INITIALIZED;
	return 0;
}

static long ioctl_init(struct drv *d, struct drv_encl *e, uint64_t arg)
{
	union {
		struct sgx_sigstruct sig;
		uint8_t page[PAGE_SIZE];
	} u __attribute__((aligned(4096)));
	struct sgx_enclave_init i;
	uint8_t signer[32];
	unsigned len = sizeof(signer);
	long r;

	if (!(e->state & ENCL_CREATED) || (e->state & ENCL_INITIALIZED))
		return -EINVAL;
	if (copy_in(d, &i, arg, sizeof(i)))
		return -EFAULT;
	if (copy_in(d, &u.sig, i.sigstruct, sizeof(u.sig)))
		return -EFAULT;
	if (u.sig.vendor != 0 && u.sig.vendor != VENDOR_INTEL)
		return -EINVAL;
	/* Linux writes the signer's hash into the LEPUBKEYHASH registers. */
	if (!EVP_Digest(u.sig.modulus, sizeof(u.sig.modulus), signer, &len,
			EVP_sha256(), NULL))
		return -ENOMEM;
	drv_lock(d);
	r = einit(d, e, &u.sig, signer);
	drv_unlock(d);
	return r;
}

static long ioctl_provision(struct drv *d, struct drv_encl *e, uint64_t arg,
			    const struct drv_ioctl_ctx *ic)
{
	struct sgx_enclave_provision p;

	if (copy_in(d, &p, arg, sizeof(p)))
		return -EFAULT;
	if (!ic->is_provision(ic->ctx, (int)p.fd))
		return -EINVAL;
	e->attributes_mask |= SGX_ATTR_PROVISIONKEY;
	return 0;
}

/* The list's order is that of Linux's numbers. */
#define SGX_IOC_ENCLAVE_VEPC_REMOVE SGX_IOC_VEPC_REMOVE_ALL
#define CHECK_NUMBER(number, name, old)                     \
	_Static_assert((SGX_IOC_ENCLAVE_##number & 0xff) == \
			       EDMM_IOCTL_##number,         \
		       #name);
EDMM_MACHINE_IOCTL_LIST(CHECK_NUMBER)
#undef CHECK_NUMBER

/* ---- dispatch ---------------------------------------------------------- */

static long dispatch(struct drv *d, struct drv_encl *e, unsigned long cmd,
		     uint64_t arg, const struct drv_ioctl_ctx *ic)
{
	if (e->state & ENCL_LOST)
		return -EIO;
	switch (cmd) {
	case SGX_IOC_ENCLAVE_CREATE:
		return ioctl_create(d, e, arg);
	case SGX_IOC_ENCLAVE_ADD_PAGES:
		return ioctl_add_pages(d, e, arg);
	case SGX_IOC_ENCLAVE_INIT:
		return ioctl_init(d, e, arg);
	case SGX_IOC_ENCLAVE_PROVISION:
		return ioctl_provision(d, e, arg, ic);
	case SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS:
		return ioctl_restrict(d, e, arg);
	case SGX_IOC_ENCLAVE_MODIFY_TYPES:
		return ioctl_modify(d, e, arg);
	case SGX_IOC_ENCLAVE_REMOVE_PAGES:
		return ioctl_remove(d, e, arg);
	default:
		return -ENOTTY;
	}
}

/* What an ioctl may fail with before it does anything; 0: nothing. */
static long injected(struct drv *d, unsigned long nr)
{
	struct inject_outcome any = inject_fire(&d->inject, INJECT_IOCTL);
	struct inject_outcome o = { .kind = INJECT_NONE };

	if (nr < EDMM_MACHINE_IOCTLS)
		o = inject_fire(&d->inject, INJECT_IOCTL_NR + (unsigned)nr);
	return any.kind ? -any.value : o.kind ? -o.value : 0;
}

/* Where an ioctl's range is, and what it has done: for the trace. */
static void trace_ioctl(struct drv *d, struct drv_encl *e, unsigned long nr,
			uint64_t arg, long r)
{
	struct trace_event ev = { .kind = TRACE_IOCTL,
				  .what = TRACE_NO_IOCTL,
				  .encl = e->id,
				  .result = (int32_t)r };
	struct sgx_enclave_add_pages add;
	struct sgx_enclave_modify_types mod;
	struct sgx_enclave_remove_pages rem;
	uint64_t off = 0, count = 0;

	if (nr < EDMM_MACHINE_IOCTLS)
		ev.what = (uint8_t)nr;
	if (nr == EDMM_IOCTL_ADD_PAGES && !copy_in(d, &add, arg, sizeof(add))) {
		off = add.offset;
		count = add.count;
	} else if ((nr == EDMM_IOCTL_RESTRICT_PERMISSIONS ||
		    nr == EDMM_IOCTL_MODIFY_TYPES) &&
		   !copy_in(d, &mod, arg, sizeof(mod))) {
		off = mod.offset;
		count = mod.count;
	} else if (nr == EDMM_IOCTL_REMOVE_PAGES &&
		   !copy_in(d, &rem, arg, sizeof(rem))) {
		off = rem.offset;
		count = rem.count;
	}
	ev.addr = e->base + off;
	ev.arg = (uint32_t)(count >> SGX_PAGE_SHIFT);
	drv_lock(d);
	drv_trace(d, &ev);
	drv_unlock(d);
}

long drv_ioctl(struct drv *d, struct drv_encl *e, unsigned long cmd,
	       uint64_t arg, const struct drv_ioctl_ctx *ic)
{
	unsigned long nr = cmd & 0xff;
	long r = injected(d, nr);

	if (!r &&
	    atomic_flag_test_and_set_explicit(&e->busy, memory_order_acquire)) {
		r = -EBUSY;
	} else if (!r) {
		r = dispatch(d, e, cmd, arg, ic);
		atomic_flag_clear_explicit(&e->busy, memory_order_release);
	}
	if (nr < EDMM_MACHINE_IOCTLS)
		__atomic_fetch_add(&d->stats.ioctls[nr], 1, __ATOMIC_RELAXED);
	if (r)
		__atomic_fetch_add(&d->stats.ioctl_errors, 1, __ATOMIC_RELAXED);
	if (traced(d))
		trace_ioctl(d, e, nr, arg, r);
	return r;
}
