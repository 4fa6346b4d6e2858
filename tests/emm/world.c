/* SPDX-License-Identifier: BSD-3-Clause */
/* An enclave, a kernel and a memory manager on the model; see world.h. */
#include "tests/emm/world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/model/state.h"

#define SSA_PAGE 8u
#define OPS_PAGE 16u
#define CODE_PAGE 24u
#define AEP 0x400100ull

__thread uint32_t w_thread;

#define MUST(cond)                                                         \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond);                                    \
			abort();                                           \
		}                                                          \
	} while (0)

static uint64_t ctrl_addr(uint32_t page)
{
	return W_BASE + (uint64_t)page * EMM_PAGE;
}

uint64_t w_addr(uint32_t page)
{
	return W_RANGE + (uint64_t)page * EMM_PAGE;
}

static struct w_page *pte_of(struct world *w, uint64_t addr)
{
	uint64_t n = (addr - W_BASE) / EMM_PAGE;

	return addr >= W_BASE && n < w->pages ? &w->pte[n] : NULL;
}

static enum mach_xlate translate(void *ctx, uint64_t addr, unsigned access,
				 uint32_t *out)
{
	struct w_page *p = pte_of(ctx, addr);

	if (!p)
		return MACH_XL_OTHER;
	if (__atomic_load_n(&p->present, __ATOMIC_ACQUIRE)) {
		*out = __atomic_load_n(&p->epc, __ATOMIC_RELAXED);
		return MACH_XL_EPC;
	}
	*out = SGX_PFEC_U | (access & MACH_W ? SGX_PFEC_W : 0);
	return MACH_XL_FAULT;
}

static void pte_set(struct world *w, uint64_t addr, uint32_t epc)
{
	struct w_page *p = pte_of(w, addr);

	__atomic_store_n(&p->epc, epc, __ATOMIC_RELAXED);
	__atomic_store_n(&p->present, 1, __ATOMIC_RELEASE);
}

static uint32_t epc_take(struct world *w)
{
	return w->nfree ? w->free_epc[--w->nfree] : MACH_EPC_NONE;
}

static void eadd(struct world *w, uint64_t addr, const void *src,
		 uint64_t flags)
{
	static uint8_t buf[4096] __attribute__((aligned(4096)));
	struct sgx_secinfo si = { .flags = flags };
	struct sgx_pageinfo pi = { .linaddr = addr,
				   .srcpge = (uintptr_t)buf,
				   .secinfo = (uintptr_t)&si,
				   .secs = mach_epc_addr(w->secs) };
	uint32_t epc = epc_take(w);

	MUST(epc != MACH_EPC_NONE);
	memset(buf, 0, sizeof(buf));
	if (src)
		memcpy(buf, src, sizeof(buf));
	MUST(mach_ok(mach_eadd(w->m, &pi, mach_epc_addr(epc))));
	pte_set(w, addr, epc);
}

/* EINIT's effect without its signature, which is not these tests' matter. */
static void set_init(struct world *w, bool on)
{
	struct sgx_secs *s = secs_of(w->m, w->secs);

	if (on)
		s->attributes.flags |= SGX_ATTR_INIT;
	else
		s->attributes.flags &= ~SGX_ATTR_INIT;
}

static void build(struct world *w)
{
	static struct sgx_secs secs;
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_SECS) };
	struct sgx_pageinfo pi = { .srcpge = (uintptr_t)&secs,
				   .secinfo = (uintptr_t)&si };
	static struct sgx_tcs tcs;
	static uint8_t data[4096];
	const uint64_t rw =
		SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W;

	memset(&secs, 0, sizeof(secs));
	secs.size = (uint64_t)w->pages * EMM_PAGE;
	secs.base = W_BASE;
	secs.ssaframesize = 1;
	secs.miscselect = SGX_MISC_EXINFO;
	secs.attributes.flags = SGX_ATTR_MODE64BIT | SGX_ATTR_DEBUG;
	secs.attributes.xfrm = 3;
	w->secs = epc_take(w);
	MUST(mach_ok(mach_ecreate(w->m, &pi, mach_epc_addr(w->secs))));
	for (uint32_t i = 0; i < W_CPUS; i++) {
		memset(&tcs, 0, sizeof(tcs));
		tcs.nssa = 1;
		tcs.ossa = (SSA_PAGE + i) * EMM_PAGE;
		tcs.oentry = CODE_PAGE * EMM_PAGE;
		eadd(w, ctrl_addr(i), &tcs, SGX_SECINFO_PT(SGX_PT_TCS));
		eadd(w, ctrl_addr(SSA_PAGE + i), NULL, rw);
		eadd(w, ctrl_addr(OPS_PAGE + i), NULL, rw);
	}
	for (uint32_t i = 0; i < 16; i++) {
		memset(data, (int)(0xa0 + i), sizeof(data));
		eadd(w, ctrl_addr(W_SRC + i), data, rw);
	}
	set_init(w, true);
}

/* ---- threads ----------------------------------------------------------- */

static void enter(struct world *w)
{
	struct mach_frame *f = &w->frame[w_thread];

	f->rax = SGX_EENTER;
	f->rbx = ctrl_addr(w_thread);
	f->rcx = AEP;
	f->rip = AEP;
	MUST(mach_ok(mach_enclu(w->m, &w->cpu[w_thread], f)));
}

static void leave(struct world *w)
{
	struct mach_frame *f = &w->frame[w_thread];

	f->rax = SGX_EEXIT;
	f->rbx = AEP + 3;
	MUST(mach_ok(mach_enclu(w->m, &w->cpu[w_thread], f)));
}

/* ---- the kernel -------------------------------------------------------- */

static bool k_add(struct world *w, uint64_t addr)
{
	struct sgx_pageinfo pi = { .linaddr = addr,
				   .secs = mach_epc_addr(w->secs) };
	struct w_page *p = pte_of(w, addr);
	uint32_t epc;
	bool ok;

	pthread_mutex_lock(&w->kernel);
	ok = p && p->present;
	epc = ok ? MACH_EPC_NONE : epc_take(w);
	if (p && epc != MACH_EPC_NONE) {
		MUST(mach_ok(mach_eaug(w->m, &pi, mach_epc_addr(epc))));
		pte_set(w, addr, epc);
		ok = true;
	}
	pthread_mutex_unlock(&w->kernel);
	return ok;
}

static int k_page(struct world *w, const struct emm_modify *m, uint64_t addr)
{
	struct sgx_secinfo si = { .flags = 0 };
	struct w_page *p = pte_of(w, addr);
	struct mach_result r;
	struct mach_epcm_info info;

	if (m->op == EMM_HOST_PROTECT)
		return 0;
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
	return mach_ok(r) ? 0 : -EDMM_EFAULT;
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

static enum w_fault step(struct world *w, const char *hook, uint64_t addr)
{
	uint64_t n = __atomic_add_fetch(&w->steps, 1, __ATOMIC_RELAXED);

	if (w->before)
		w->before(w, hook, addr);
	if (w->fail_at2 && n == w->fail_at2) {
		w->hit = true;
		return w->fault2;
	}
	if (w->fail_at &&
	    (n == w->fail_at || (w->for_ever && n > w->fail_at))) {
		w->hit = true;
		return w->fault;
	}
	return WF_NONE;
}

static bool in_meta(struct world *w, uint64_t addr)
{
	return addr - (uint64_t)(uintptr_t)w->meta < w->meta_size;
}

/*
 * Metadata pages have states of their own: absent (no access at all), there,
 * trimmed, and the trim accepted.
 */
enum meta_state {
	META_ABSENT,
	META_THERE,
	META_TRIM,
	META_ACCEPTED
};

static void meta_access(struct world *w, uint64_t addr, bool on)
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
		meta_access(w, addr, true);
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
			meta_access(w, m->addr + off, false);
			w->meta_gone++;
		}
	}
	return 0;
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
			enter(w);
		f->rax = which;
		f->rbx = ctrl_addr(OPS_PAGE + t);
		f->rcx = addr[0];
		f->rdx = addr[1];
		r = mach_enclu(w->m, &w->cpu[t], f);
		if (w->cfg.threads)
			leave(w);
		if (r.kind == MACH_OK)
			return 0;
		if (r.kind == MACH_CODE &&
		    (r.code != SGX_NOT_TRACKED || !w->cfg.threads))
			return r.code;
		if (r.kind == MACH_FAULT && r.vector == SGX_VEC_GP &&
		    !w->cfg.threads)
			return EMM_LEAF_GP;
		if (r.kind == MACH_FAULT && r.vector == SGX_VEC_PF &&
		    (r.pfec & SGX_PFEC_SGX || !k_add(w, r.addr)))
			return EMM_LEAF_PF;
		if (++tries > 1000)
			return EMM_LEAF_GP;
		sched_yield();
	}
}

static int injected(enum w_fault f)
{
	return f == WF_LIE ? SGX_PAGE_ATTRIBUTES_MISMATCH : EMM_LEAF_PF;
}

static int op_eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	enum w_fault f = step(w, "eaccept", addr);
	uint64_t a[2] = { addr, 0 };

	__atomic_add_fetch(&w->accepts, 1, __ATOMIC_RELAXED);
	if (f != WF_NONE)
		return injected(f);
	if (in_meta(w, addr))
		return meta_accept(w, si, addr);
	return leaf(w, SGX_EACCEPT, si, a);
}

static int op_emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	uint64_t a[2] = { addr, 0 };

	if (in_meta(w, addr))
		return *meta_of(w, addr) == META_THERE ? 0 : EMM_LEAF_PF;
	__atomic_add_fetch(&w->extends, 1, __ATOMIC_RELAXED);
	return leaf(w, SGX_EMODPE, si, a);
}

static int op_eacceptcopy(void *ctx, const struct sgx_secinfo *si,
			  uint64_t addr, uint64_t src)
{
	struct world *w = ctx;
	enum w_fault f = step(w, "eacceptcopy", addr);
	uint64_t a[2] = { addr, src };

	return f != WF_NONE ? injected(f) : leaf(w, SGX_EACCEPTCOPY, si, a);
}

static int op_modify(void *ctx, const struct emm_modify *m)
{
	struct world *w = ctx;
	enum w_fault f = step(w, "modify", m->addr);
	int rc;

	__atomic_add_fetch(&w->modifies, !in_meta(w, m->addr),
			   __ATOMIC_RELAXED);
	if (f == WF_REFUSE)
		return -EDMM_EIO;
	if (f == WF_LIE)
		return 0;
	if (in_meta(w, m->addr)) {
		rc = meta_modify(
			w, m, f == WF_HALF ? m->size / 2 & ~4095ull : m->size);
		return f == WF_NONE ? rc : -EDMM_EIO;
	}
	if (!w->cfg.threads)
		leave(w);
	rc = k_modify(w, m,
		      f == WF_HALF ? m->size / 2 & ~(EMM_PAGE - 1) : m->size);
	if (!w->cfg.threads)
		enter(w);
	return f == WF_NONE ? rc : -EDMM_EIO;
}

static int op_map(void *ctx, uint64_t addr, uint64_t size, uint32_t flags)
{
	struct world *w = ctx;
	enum w_fault f = step(w, "map", addr);

	(void)size;
	(void)flags;
	__atomic_add_fetch(&w->maps, 1, __ATOMIC_RELAXED);
	return f == WF_REFUSE || f == WF_HALF ? -EDMM_ENOMEM : 0;
}

static int op_populate(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	__atomic_add_fetch(&w->populates, 1, __ATOMIC_RELAXED);
	if (step(w, "populate", addr) != WF_NONE || in_meta(w, addr))
		return -EDMM_EIO;
	for (uint64_t off = 0; off < size; off += EMM_PAGE)
		k_add(w, addr + off);
	return 0;
}

static void op_zero(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	for (uint64_t off = 0; off < size; off += EMM_PAGE) {
		struct w_page *p = pte_of(w, addr + off);

		/* I5: rights are restored before an idle page is zeroed. */
		MUST(p && p->present);
		MUST(w->cfg.static_mode ||
		     (mach_rights(w->m, p->epc) & (MACH_R | MACH_W)) ==
			     (MACH_R | MACH_W));
		memset(page_of(w->m, p->epc), 0, EMM_PAGE);
	}
}

static uint32_t op_owner(void *ctx)
{
	(void)ctx;
	return w_thread;
}

static void op_yield(void *ctx)
{
	(void)ctx;
	sched_yield();
}

static void op_wait(void *ctx, const uint32_t *word, uint32_t val)
{
	struct world *w = ctx;

	if (w->before)
		w->before(w, "wait", 0);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == val)
		sched_yield();
}

static void op_wake(void *ctx, const uint32_t *word)
{
	struct world *w = ctx;

	(void)word;
	if (w->before)
		w->before(w, "wake", 0);
}

const struct emm_ops *world_ops(void)
{
	static const struct emm_ops all = {
		.eaccept = op_eaccept,
		.emodpe = op_emodpe,
		.eacceptcopy = op_eacceptcopy,
		.modify = op_modify,
		.map = op_map,
	};

	return &all;
}

/* ---- opening and looking ----------------------------------------------- */

static void open_machine(struct world *w)
{
	struct mach_platform p = { .ctx = w, .translate = translate };
	struct mach_config c;
	size_t size;

	mach_config_default(&c);
	c.epc_pages = 1 + 3 * W_CPUS + 16 +
		      (w->cfg.epc_limit ? w->cfg.epc_limit : w->cfg.pages);
	size = mach_size(&c);
	w->mem = aligned_alloc(4096, size);
	MUST(w->mem);
	memset(w->mem, 0, size);
	w->m = mach_init(w->mem, &c, &p);
	MUST(w->m);
	w->free_epc = calloc(c.epc_pages, sizeof(*w->free_epc));
	for (uint32_t i = c.epc_pages; i-- > 0;)
		w->free_epc[w->nfree++] = i;
	for (uint32_t i = 0; i < W_CPUS; i++)
		mach_cpu_init(&w->cpu[i]);
}

static void open_emm(struct world *w)
{
	struct emm_params p = {
		.base = W_RANGE,
		.size = (uint64_t)w->cfg.pages * EMM_PAGE,
		.limit = w->cfg.limit,
		.idle_max = w->cfg.idle_max,
		.threads = W_CPUS,
		.static_mode = w->cfg.static_mode,
		.wide = !w->cfg.narrow,
		.ctx = w,
	};
	struct emm_ops ops = {
		.eaccept = op_eaccept,
		.emodpe = op_emodpe,
		.eacceptcopy = op_eacceptcopy,
		.modify = w->cfg.static_mode ? NULL : op_modify,
		.map = w->cfg.map ? op_map : NULL,
		.populate = w->cfg.populate ? op_populate : NULL,
		.zero = op_zero,
		.owner = op_owner,
		.yield = op_yield,
		.wait = w->cfg.lazy_futex ? op_wait : NULL,
		.wake = w->cfg.lazy_futex ? op_wake : NULL,
	};

	p.meta_init =
		emm_meta_min(p.size, W_CPUS) + w->cfg.meta_spare * EMM_PAGE;
	w->meta_size = p.meta_init + w->cfg.meta_grow * EMM_PAGE;
	w->meta = aligned_alloc(4096, w->meta_size);
	memset(w->meta, 0xee, w->meta_size);
	w->meta_state = calloc(1, w->meta_size / EMM_PAGE);
	memset(w->meta_state, META_THERE, p.meta_init / EMM_PAGE);
	for (uint64_t off = p.meta_init; off < w->meta_size; off += EMM_PAGE)
		meta_access(w, (uintptr_t)w->meta + off, false);
	p.meta_base = w->meta;
	p.meta_size = w->meta_size;
	MUST(emm_init(&p, &ops, &w->emm) == 0);
}

void world_open(struct world *w, const struct w_config *cfg)
{
	memset(w, 0, sizeof(*w));
	w->cfg = *cfg;
	pthread_mutex_init(&w->kernel, NULL);
	w->pages = 2 * W_CTRL;
	while (w->pages < W_CTRL + cfg->pages)
		w->pages *= 2;
	w->pte = calloc(w->pages, sizeof(*w->pte));
	open_machine(w);
	build(w);
	if (!cfg->threads)
		enter(w);
	if (!cfg->no_emm)
		open_emm(w);
	world_zero_counts(w);
}

void world_close(struct world *w)
{
	for (uint64_t off = 0; off < w->meta_size; off += EMM_PAGE)
		meta_access(w, (uintptr_t)w->meta + off, true);
	free(w->meta_state);
	free(w->meta);
	free(w->free_epc);
	free(w->mem);
	free(w->pte);
	pthread_mutex_destroy(&w->kernel);
}

void world_add(struct world *w, uint32_t page, uint32_t count)
{
	static uint8_t dirt[4096];

	memset(dirt, 0x77, sizeof(dirt));
	set_init(w, false);
	for (uint32_t i = 0; i < count; i++)
		eadd(w, w_addr(page + i), dirt,
		     SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R |
			     SGX_SECINFO_W);
	set_init(w, true);
}

void world_restrict(struct world *w, uint32_t page, int prot)
{
	struct sgx_secinfo si = { .flags = (uint64_t)prot };
	uint32_t epc = w->pte[W_CTRL + page].epc;

	MUST(mach_ok(mach_emodpr(w->m, &si, mach_epc_addr(epc))));
}

void world_back(struct world *w)
{
	void *want = (void *)W_BASE;

	MUST(mmap(want, w->pages * EMM_PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			  MAP_FIXED_NOREPLACE,
		  -1, 0) == want);
}

uint8_t *w_bytes(struct world *w, uint32_t page)
{
	struct w_page *p = &w->pte[W_CTRL + page];

	return p->present ? page_of(w->m, p->epc) : NULL;
}

unsigned int w_rights(struct world *w, uint32_t page)
{
	struct w_page *p = &w->pte[W_CTRL + page];

	return p->present ? mach_rights(w->m, p->epc) : 0;
}

void world_zero_counts(struct world *w)
{
	w->steps = 0;
	w->modifies = 0;
	w->maps = 0;
	w->populates = 0;
	w->accepts = 0;
	w->extends = 0;
	w->hit = false;
}

int world_touch(struct world *w, uint32_t page, uint32_t access)
{
	unsigned int want = access & SGX_PFEC_W	  ? MACH_W
			    : access & SGX_PFEC_I ? MACH_X
						  : MACH_R;
	struct sgx_exinfo info = { .maddr = w_addr(page) };
	int rc = 0;

	for (int i = 0; i < 8; i++) {
		struct w_page *p = &w->pte[W_CTRL + page];

		if (__atomic_load_n(&p->present, __ATOMIC_ACQUIRE) &&
		    mach_rights(w->m, p->epc) & want)
			return 0;
		info.errcd = access | SGX_PFEC_U;
		if (!w->cfg.static_mode && k_add(w, w_addr(page)))
			info.errcd |= SGX_PFEC_P | SGX_PFEC_SGX;
		rc = emm_fault(w->emm, &info);
		if (rc != EMM_FAULT_CONTINUE)
			return rc == 0 ? 1 : rc;
	}
	return rc;
}

/* ---- the mirror check -------------------------------------------------- */

static const char *mirror_page(const struct emm_run *r, bool present,
			       const struct mach_epcm_info *e)
{
	bool reg =
		present && e->pt == SGX_PT_REG && !e->pending && !e->modified;

	switch (r->state) {
	case EMM_PG_NONE:
	case EMM_PG_RESERVED:
	case EMM_PG_UNCOMMITTED:
		return !present || e->pending ? NULL : "absent, but present";
	case EMM_PG_COMMITTED:
		return reg && e->rwx == r->prot ? NULL
						: "committed, but differs";
	case EMM_PG_IDLE:
		return reg && e->rwx == (r->prot | EMM_RW)
			       ? NULL
			       : "idle, but differs";
	case EMM_PG_FREE_IDLE:
		return reg ? NULL : "free idle, but differs";
	case EMM_PG_TCS:
		return present && e->pt == SGX_PT_TCS && !e->modified
			       ? NULL
			       : "TCS, but differs";
	case EMM_PG_TRIMMED:
		return !present || (e->pt == SGX_PT_TRIM && !e->modified)
			       ? NULL
			       : "trimmed, but differs";
	case EMM_PG_DOUBT:
		return present ? NULL : "in doubt, but absent";
	}
	return "no such state";
}

const char *world_mirror(struct world *w, bool hostile)
{
	static __thread char text[200];
	uint64_t end = w_addr(w->cfg.pages), a = w_addr(0), present = 0;
	const char *bad = emm_check(w->emm);
	struct emm_run r;

	for (; !bad && a < end; a = r.addr + r.size) {
		if (emm_query(w->emm, a, end, &r))
			return "emm_query failed";
		for (uint64_t p = r.addr; p < r.addr + r.size; p += EMM_PAGE) {
			struct w_page *pte = pte_of(w, p);
			struct mach_epcm_info e = { .valid = false };

			if (pte->present)
				mach_epcm(w->m, pte->epc, &e);
			bad = mirror_page(&r, pte->present, &e);
			if (r.state >= EMM_PG_COMMITTED)
				present++;
			/* A REMOVE that the kernel only said it did. */
			if (bad && hostile && r.state < EMM_PG_COMMITTED &&
			    e.pt == SGX_PT_TRIM && !e.modified)
				bad = NULL;
			if (!bad)
				continue;
			snprintf(text, sizeof(text),
				 "page %lu is %s (state %d prot %d; EPCM pt %u "
				 "rwx %u pending %d modified %d)",
				 (unsigned long)((p - W_RANGE) / EMM_PAGE), bad,
				 r.state, r.prot, e.pt, e.rwx, e.pending,
				 e.modified);
			return text;
		}
	}
	if (!bad && !w->cfg.static_mode &&
	    emm_committed(w->emm) != present * EMM_PAGE) {
		snprintf(text, sizeof(text), "%lu pages accounted, %lu present",
			 (unsigned long)(emm_committed(w->emm) / EMM_PAGE),
			 (unsigned long)present);
		return text;
	}
	return bad;
}
