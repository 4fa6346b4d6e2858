/* SPDX-License-Identifier: BSD-3-Clause */
/* An enclave, a kernel and a memory manager on the model; see world.h. */
#include "tests/emm/internal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

__thread uint32_t w_thread;

uint64_t world_ctrl(uint32_t page)
{
	return W_BASE + (uint64_t)page * EMM_PAGE;
}

struct w_page *world_pte(struct world *w, uint64_t addr)
{
	uint64_t n = (addr - W_BASE) / EMM_PAGE;

	return addr >= W_BASE && n < w->pages ? &w->pte[n] : NULL;
}

static enum mach_xlate translate(void *ctx, uint64_t addr, unsigned access,
				 uint32_t *out)
{
	struct w_page *p = world_pte(ctx, addr);

	if (!p)
		return MACH_XL_OTHER;
	*out = SGX_PFEC_U | (access & MACH_W ? SGX_PFEC_W : 0);
	if (!(PEEK_VMA(p) & access))
		return MACH_XL_FAULT;
	if (__atomic_load_n(&p->present, __ATOMIC_ACQUIRE)) {
		*out = __atomic_load_n(&p->epc, __ATOMIC_RELAXED);
		return MACH_XL_EPC;
	}
	return MACH_XL_FAULT;
}

void world_pte_set(struct world *w, uint64_t addr, uint32_t epc)
{
	struct w_page *p = world_pte(w, addr);

	__atomic_store_n(&p->epc, epc, __ATOMIC_RELAXED);
	__atomic_store_n(&p->present, 1, __ATOMIC_RELEASE);
}

uint32_t world_epc_take(struct world *w)
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
	uint32_t epc = world_epc_take(w);

	MUST(epc != MACH_EPC_NONE);
	memset(buf, 0, sizeof(buf));
	if (src)
		memcpy(buf, src, sizeof(buf));
	MUST(mach_ok(mach_eadd(w->m, &pi, mach_epc_addr(epc))));
	world_pte_set(w, addr, epc);
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
	w->secs = world_epc_take(w);
	MUST(mach_ok(mach_ecreate(w->m, &pi, mach_epc_addr(w->secs))));
	for (uint32_t i = 0; i < W_CPUS; i++) {
		memset(&tcs, 0, sizeof(tcs));
		tcs.nssa = 1;
		tcs.ossa = (SSA_PAGE + i) * EMM_PAGE;
		tcs.oentry = CODE_PAGE * EMM_PAGE;
		eadd(w, world_ctrl(i), &tcs, SGX_SECINFO_PT(SGX_PT_TCS));
		eadd(w, world_ctrl(SSA_PAGE + i), NULL, rw);
		eadd(w, world_ctrl(OPS_PAGE + i), NULL, rw);
		eadd(w, world_ctrl(COPY_PAGE + i), NULL, rw);
	}
	for (uint32_t i = 0; i < 16; i++) {
		memset(data, (int)(0xa0 + i), sizeof(data));
		eadd(w, world_ctrl(W_SRC + i), data, rw);
	}
	set_init(w, true);
}

/* ---- threads ----------------------------------------------------------- */

void world_enter(struct world *w)
{
	struct mach_frame *f = &w->frame[w_thread];

	f->rax = SGX_EENTER;
	f->rbx = world_ctrl(w_thread);
	f->rcx = AEP;
	f->rip = AEP;
	MUST(mach_ok(mach_enclu(w->m, &w->cpu[w_thread], f)));
}

void world_leave(struct world *w)
{
	struct mach_frame *f = &w->frame[w_thread];

	f->rax = SGX_EEXIT;
	f->rbx = AEP + 3;
	MUST(mach_ok(mach_enclu(w->m, &w->cpu[w_thread], f)));
}

/* ---- opening and looking ----------------------------------------------- */

static void open_machine(struct world *w)
{
	struct mach_hooks p = { .ctx = w, .translate = translate };
	struct mach_config c;
	size_t size;

	mach_config_default(&c);
	c.epc_pages = 1 + 4 * W_CPUS + 16 +
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
	struct emm_params p = world_params(w);
	struct emm_hooks hooks = world_hooks(w);

	w->meta_size = p.meta_init + w->cfg.meta_grow * EMM_PAGE;
	w->meta = aligned_alloc(4096, w->meta_size);
	memset(w->meta, 0xee, w->meta_size);
	w->meta_state = calloc(1, w->meta_size / EMM_PAGE);
	memset(w->meta_state, META_THERE, p.meta_init / EMM_PAGE);
	for (uint64_t off = p.meta_init; off < w->meta_size; off += EMM_PAGE)
		world_meta_access(w, (uintptr_t)w->meta + off, false);
	p.meta_base = w->meta;
	p.meta_size = w->meta_size;
	MUST(emm_init(&p, &hooks, &w->emm) == 0);
}

void world_open(struct world *w, const struct w_config *cfg)
{
	memset(w, 0, sizeof(*w));
	w->cfg = *cfg;
	pthread_mutex_init(&w->kernel, NULL);
	w->pages = world_pages(cfg);
	w->pte = calloc(w->pages, sizeof(*w->pte));
	for (uint32_t i = 0; i < w->pages; i++)
		w->pte[i].vma = MACH_R | MACH_W | (cfg->narrow ? 0 : MACH_X);
	open_machine(w);
	build(w);
	if (!cfg->threads)
		world_enter(w);
	if (!cfg->no_emm)
		open_emm(w);
	world_zero_counts(w);
}

void world_close(struct world *w)
{
	for (uint64_t off = 0; off < w->meta_size; off += EMM_PAGE)
		world_meta_access(w, (uintptr_t)w->meta + off, true);
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

int world_touch(struct world *w, uint32_t page, uint32_t access)
{
	unsigned int want = access & SGX_PFEC_W	  ? MACH_W
			    : access & SGX_PFEC_I ? MACH_X
						  : MACH_R;
	struct sgx_exinfo info = { .maddr = w_addr(page) };
	int rc = 0;

	for (int i = 0; i < 8; i++) {
		struct w_page *p = &w->pte[W_CTRL + page];

		if (!(PEEK_VMA(p) & want)) {
			info.errcd = access | SGX_PFEC_U;
			rc = emm_fault(w->emm, &info);
			if (rc != EMM_FAULT_CONTINUE)
				return rc == 0 ? 1 : rc;
			continue;
		}
		if (__atomic_load_n(&p->present, __ATOMIC_ACQUIRE) &&
		    mach_rights(w->m, p->epc) & want)
			return 0;
		info.errcd = access | SGX_PFEC_U;
		if (!w->cfg.static_mode && world_k_add(w, w_addr(page)))
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
		return reg && (e->rwx & EMM_RW) == EMM_RW &&
				       !(e->rwx & ~(r->prot | EMM_RW))
			       ? NULL
			       : "idle, but differs";
	case EMM_PG_FREE_IDLE:
		return reg ? NULL : "free idle, but differs";
	case EMM_PG_TCS:
		return present && e->pt == SGX_PT_TCS && !e->modified
			       ? NULL
			       : "TCS, but differs";
	case EMM_PG_TRIMMED:
		return !present || e->pending ||
				       (e->pt == SGX_PT_TRIM && !e->modified)
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
			struct w_page *pte = world_pte(w, p);
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
