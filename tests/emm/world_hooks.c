/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel of a world, and the hooks of its memory manager; see world.h. */
#include "tests/emm/internal.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>

/* ---- the kernel -------------------------------------------------------- */

bool world_k_add(struct world *w, uint64_t addr)
{
	struct sgx_pageinfo pi = { .linaddr = addr,
				   .secs = mach_epc_addr(w->secs) };
	struct w_page *p = world_pte(w, addr);
	uint32_t epc;
	bool ok;

	pthread_mutex_lock(&w->kernel);
	ok = p && p->present;
	epc = ok || !p || !PEEK_VMA(p) ? MACH_EPC_NONE : world_epc_take(w);
	if (p && epc != MACH_EPC_NONE) {
		MUST(mach_ok(mach_eaug(w->m, &pi, mach_epc_addr(epc))));
		world_pte_set(w, addr, epc);
		ok = true;
	}
	pthread_mutex_unlock(&w->kernel);
	return ok;
}

/* mprotect() or mmap(): a world that maps wide never does. */
void world_vma_set(struct world *w, uint64_t addr, uint64_t size, int prot)
{
	for (uint64_t off = 0; w->cfg.narrow && off < size; off += EMM_PAGE) {
		struct w_page *p = world_pte(w, addr + off);

		if (p)
			__atomic_store_n(&p->vma, (uint32_t)prot,
					 __ATOMIC_RELAXED);
	}
}

/* As Intel's host: EMODPR, then mprotect() unless to nothing; TO_TRIM is the
 * ioctl alone; REMOVE, then mprotect() if to nothing. */
static int k_mapping(struct world *w, const struct emm_modify *m, uint64_t addr)
{
	if (m->op == EMM_HOST_PROTECT ||
	    (m->op == EMM_HOST_RESTRICT && m->to) ||
	    (m->op == EMM_HOST_REMOVE && !m->to))
		world_vma_set(w, addr, EMM_PAGE, m->to);
	return 0;
}

static int k_page(struct world *w, const struct emm_modify *m, uint64_t addr)
{
	struct sgx_secinfo si = { .flags = 0 };
	struct w_page *p = world_pte(w, addr);
	struct mach_result r;
	struct mach_epcm_info info;

	if (m->op == EMM_HOST_PROTECT)
		return k_mapping(w, m, addr);
	if (!p || !p->present)
		return -EDMM_EFAULT;
	mach_epcm(w->m, p->epc, &info);
	switch (m->op) {
	case EMM_HOST_RESTRICT:
		si.flags = (uint64_t)m->to;
		if (info.pt != SGX_PT_REG)
			return -EDMM_EINVAL;
		r = mach_emodpr(w->m, &si, mach_epc_addr(p->epc));
		break;
	case EMM_HOST_TO_TRIM:
	case EMM_HOST_TO_TCS:
		si.flags = SGX_SECINFO_PT(
			m->op == EMM_HOST_TO_TRIM ? SGX_PT_TRIM : SGX_PT_TCS);
		r = mach_emodt(w->m, &si, mach_epc_addr(p->epc));
		break;
	case EMM_HOST_REMOVE:
		if (info.pt != SGX_PT_TRIM || info.modified)
			return -EDMM_EPERM;
		r = mach_eremove(w->m, mach_epc_addr(p->epc));
		if (mach_ok(r)) {
			__atomic_store_n(&p->present, 0, __ATOMIC_RELEASE);
			w->free_epc[w->nfree++] = p->epc;
		}
		break;
	default:
		return -EDMM_EINVAL;
	}
	return mach_ok(r) ? k_mapping(w, m, addr) : -EDMM_EFAULT;
}

static int k_modify(struct world *w, const struct emm_modify *m, uint64_t size)
{
	int rc = 0;

	pthread_mutex_lock(&w->kernel);
	for (uint64_t off = 0; off < size && !rc; off += EMM_PAGE)
		rc = k_page(w, m, m->addr + off);
	while (mach_etrack(w->m, mach_epc_addr(w->secs)).kind == MACH_CODE)
		sched_yield();
	pthread_mutex_unlock(&w->kernel);
	return rc;
}

/* ---- hooks ------------------------------------------------------------- */

static bool in_meta(struct world *w, uint64_t addr)
{
	return addr - (uint64_t)(uintptr_t)w->meta < w->meta_size;
}

void world_meta_access(struct world *w, uint64_t addr, bool on)
{
	MUST(mprotect((void *)(uintptr_t)addr, EMM_PAGE,
		      on ? PROT_READ | PROT_WRITE : PROT_NONE) == 0);
	if (on)
		memset((void *)(uintptr_t)addr, 0, EMM_PAGE);
	(void)w;
}

static uint8_t *meta_of(struct world *w, uint64_t addr)
{
	return &w->meta_state[(addr - (uintptr_t)w->meta) / EMM_PAGE];
}

static int meta_accept(struct world *w, const struct sgx_secinfo *si,
		       uint64_t addr)
{
	uint8_t *state = meta_of(w, addr);

	if (si->flags & SGX_SECINFO_PENDING) {
		if (*state != META_ABSENT)
			return SGX_PAGE_ATTRIBUTES_MISMATCH;
		*state = META_THERE;
		world_meta_access(w, addr, true);
		return 0;
	}
	if (*state != META_TRIM)
		return SGX_PAGE_ATTRIBUTES_MISMATCH;
	*state = META_ACCEPTED;
	return 0;
}

static int meta_modify(struct world *w, const struct emm_modify *m,
		       uint64_t size)
{
	for (uint64_t off = 0; off < size; off += EMM_PAGE) {
		uint8_t *state = meta_of(w, m->addr + off);

		if (m->op == EMM_HOST_TO_TRIM) {
			MUST(*state == META_THERE);
			*state = META_TRIM;
		} else if (*state != META_ACCEPTED) {
			return -EDMM_EPERM;
		} else {
			*state = META_ABSENT;
			world_meta_access(w, m->addr + off, false);
			w->meta_gone++;
		}
	}
	return 0;
}

/* Is it the mapping that the leaf's access was too much for? */
static bool denied(struct world *w, uint64_t addr, unsigned int which)
{
	const struct w_page *p = world_pte(w, addr);
	uint32_t want = which == SGX_EACCEPTCOPY ? MACH_W : MACH_R;

	return p && !(PEEK_VMA(p) & want);
}

/* Run a leaf as the thread's instruction, with the kernel's help at #PFs. */
static int leaf(struct world *w, unsigned int which,
		const struct sgx_secinfo *si, const uint64_t addr[2])
{
	uint32_t t = w_thread;
	struct mach_frame *f = &w->frame[t];
	struct mach_result r;
	int tries = 0;

	memcpy(page_of(w->m, w->pte[OPS_PAGE + t].epc), si, sizeof(*si));
	for (;;) {
		if (w->cfg.threads)
			world_enter(w);
		f->rax = which;
		f->rbx = world_ctrl(OPS_PAGE + t);
		f->rcx = addr[0];
		f->rdx = addr[1];
		r = mach_enclu(w->m, &w->cpu[t], f);
		if (w->cfg.threads)
			world_leave(w);
		if (r.kind == MACH_OK)
			return 0;
		if (r.kind == MACH_CODE &&
		    (r.code != SGX_NOT_TRACKED || !w->cfg.threads))
			return r.code;
		if (r.kind == MACH_FAULT && r.vector == SGX_VEC_GP &&
		    !w->cfg.threads)
			return EMM_LEAF_GP;
		if (r.kind == MACH_FAULT && r.vector == SGX_VEC_PF &&
		    (r.pfec & SGX_PFEC_SGX || denied(w, r.addr, which) ||
		     !world_k_add(w, r.addr)))
			return EMM_LEAF_PF;
		if (++tries > 1000)
			return EMM_LEAF_GP;
		sched_yield();
	}
}

static int hook_eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "eaccept", addr);
	uint64_t a[2] = { addr, 0 };

	__atomic_add_fetch(&w->accepts, 1, __ATOMIC_RELAXED);
	if (f != WF_NONE)
		return world_injected(f);
	if (in_meta(w, addr))
		return meta_accept(w, si, addr);
	return leaf(w, SGX_EACCEPT, si, a);
}

static int hook_emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	uint64_t a[2] = { addr, 0 };

	if (in_meta(w, addr))
		return *meta_of(w, addr) == META_THERE ? 0 : EMM_LEAF_PF;
	__atomic_add_fetch(&w->extends, 1, __ATOMIC_RELAXED);
	if (w->unmapped)
		return EMM_LEAF_PF;
	return leaf(w, SGX_EMODPE, si, a);
}

static int hook_eacceptcopy(void *ctx, const struct sgx_secinfo *si,
			    uint64_t addr, uint64_t src)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "eacceptcopy", addr);
	uint64_t a[2] = { addr, src };

	/* The manager's own memory is in no enclave here. */
	if (!world_pte(w, src)) {
		a[1] = world_ctrl(COPY_PAGE + w_thread);
		memcpy(page_of(w->m, world_pte(w, a[1])->epc),
		       (const void *)(uintptr_t)src, EMM_PAGE);
	}
	return f != WF_NONE ? world_injected(f)
			    : leaf(w, SGX_EACCEPTCOPY, si, a);
}

static int hook_modify(void *ctx, const struct emm_modify *m)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "modify", m->addr);
	int rc;

	__atomic_add_fetch(&w->modifies, !in_meta(w, m->addr),
			   __ATOMIC_RELAXED);
	if (f == WF_REFUSE || w->refuses)
		return -EDMM_EIO;
	if (f == WF_LIE)
		return 0;
	if (in_meta(w, m->addr)) {
		rc = meta_modify(w, m, world_done(f, m->size));
		return f == WF_NONE ? rc : -EDMM_EIO;
	}
	if (!w->cfg.threads)
		world_leave(w);
	if (__atomic_fetch_add(&w->modifying, 1, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(&w->conflicts, 1, __ATOMIC_RELAXED);
	rc = k_modify(w, m, world_done(f, m->size));
	__atomic_sub_fetch(&w->modifying, 1, __ATOMIC_SEQ_CST);
	if (!w->cfg.threads)
		world_enter(w);
	return f == WF_NONE ? rc : -EDMM_EIO;
}

static int hook_populate(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	__atomic_add_fetch(&w->populates, 1, __ATOMIC_RELAXED);
	if (world_step(w, "populate", addr) != WF_NONE || in_meta(w, addr))
		return -EDMM_EIO;
	for (uint64_t off = 0; off < size; off += EMM_PAGE)
		world_k_add(w, addr + off);
	return 0;
}

static int hook_ahead(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	__atomic_add_fetch(&w->aheads, 1, __ATOMIC_RELAXED);
	if (world_step(w, "ahead", addr) != WF_NONE)
		return -EDMM_EAGAIN;
	for (uint64_t off = 0; off < size && !w->cfg.ahead_idle;
	     off += EMM_PAGE)
		world_k_add(w, addr + off);
	return 0;
}

static void hook_zero(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	for (uint64_t off = 0; off < size; off += EMM_PAGE) {
		struct w_page *p = world_pte(w, addr + off);

		/* I5: rights are restored before an idle page is zeroed. */
		MUST(p && p->present);
		MUST(w->cfg.static_mode ||
		     (mach_rights(w->m, p->epc) & (MACH_R | MACH_W)) ==
			     (MACH_R | MACH_W));
		memset(page_of(w->m, p->epc), 0, EMM_PAGE);
	}
}

static uint32_t hook_owner(void *ctx)
{
	(void)ctx;
	return w_thread;
}

static void hook_yield(void *ctx)
{
	(void)ctx;
	sched_yield();
}

static void hook_wait(void *ctx, const uint32_t *word, uint32_t val)
{
	struct world *w = ctx;

	if (w->before)
		w->before(w, "wait", 0);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == val)
		sched_yield();
}

static void hook_wake(void *ctx, const uint32_t *word)
{
	struct world *w = ctx;

	(void)word;
	if (w->before)
		w->before(w, "wake", 0);
}

static int hook_map(void *ctx, uint64_t addr, uint64_t size, uint32_t flags)
{
	int rc = world_map(ctx, addr, size, flags);

	if (!rc)
		world_vma_set(ctx, addr, size, EMM_RW);
	return rc;
}

const struct emm_hooks *world_all_hooks(void)
{
	static const struct emm_hooks all = {
		.eaccept = hook_eaccept,
		.emodpe = hook_emodpe,
		.eacceptcopy = hook_eacceptcopy,
		.modify = hook_modify,
		.map = hook_map,
	};

	return &all;
}

struct emm_hooks world_hooks(const struct world *w)
{
	const struct emm_hooks all = {
		.eaccept = hook_eaccept,
		.emodpe = hook_emodpe,
		.eacceptcopy = hook_eacceptcopy,
		.modify = hook_modify,
		.map = hook_map,
		.populate = hook_populate,
		.ahead = w->cfg.ahead ? hook_ahead : NULL,
		.zero = hook_zero,
		.owner = hook_owner,
		.yield = hook_yield,
		.wait = w->cfg.lazy_futex ? hook_wait : NULL,
		.wake = w->cfg.lazy_futex ? hook_wake : NULL,
	};

	return world_wanted(w, all);
}
