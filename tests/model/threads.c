/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real threads on one model, built with ThreadSanitizer. Each worker has a TCS
 * and a run of addresses of its own in one enclave, and is its own kernel for
 * them: add, accept, restrict, trim, remove, with ETRACKs that wait for all the
 * others. All of them fight over one shared page with SGX2 leaves; one more
 * thread evicts and loads another page. Every outcome must be one that the SDM
 * allows, and at the end the EPCM and the tracking counters must be right.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/model/state.h"
#include "tests/model/kit.h"
#include "tests/must.h"

#define WORKERS 2u
#define ROUNDS 400u
#define OWN 4u /* pages of a worker */
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)

/* A page table that threads may change: EPC page << 8 | rights. */
struct world {
	struct kit kit;
	uint64_t pte[KIT_PAGES];
	unsigned done; /* workers that ended */
};

struct worker {
	struct world *w;
	struct mach_cpu cpu;
	struct mach_frame frame;
	unsigned id;
	uint32_t epc[OWN];
	unsigned page; /* first of its own */
	unsigned tcs;
	unsigned conflicts;
	unsigned not_tracked;
};

static enum mach_xlate translate(void *ctx, uint64_t addr, unsigned access,
				 uint32_t *out)
{
	struct world *w = ctx;
	uint64_t i = (addr - KIT_BASE(0)) >> SGX_PAGE_SHIFT;
	uint64_t p;

	*out = SGX_PFEC_U;
	if (addr < KIT_BASE(0) || i >= KIT_PAGES)
		return MACH_XL_FAULT;
	p = __atomic_load_n(&w->pte[i], __ATOMIC_ACQUIRE);
	if ((p & access) != access)
		return MACH_XL_FAULT;
	*out = (uint32_t)(p >> 8);
	return MACH_XL_EPC;
}

static void pte_set(struct world *w, unsigned page, uint32_t epc, unsigned prot)
{
	__atomic_store_n(&w->pte[page], (uint64_t)epc << 8 | prot,
			 __ATOMIC_RELEASE);
}

static void must_ok(struct mach_result r)
{
	if (mach_ok(r))
		return;
	fprintf(stderr, "kind %u vector %u code %u pfec %#x addr %#lx\n",
		r.kind, r.vector, r.code, r.pfec, (unsigned long)r.addr);
	abort();
}

static uint64_t secs(const struct world *w)
{
	return mach_epc_addr(w->kit.encl[0].secs);
}

/* ---- one thread's transitions ------------------------------------------- */

static void host_frame(struct worker *t)
{
	t->frame.rbx = kit_addr(0, t->tcs);
	t->frame.rcx = KIT_AEP;
	t->frame.rip = KIT_ENCLU;
}

static void enter(struct worker *t)
{
	host_frame(t);
	must_ok(mach_eenter(t->w->kit.m, &t->cpu, &t->frame));
}

static void leave(struct worker *t)
{
	t->frame.rbx = KIT_ENCLU + 3;
	must_ok(mach_eexit(t->w->kit.m, &t->cpu, &t->frame));
}

static void out_and_in(struct worker *t)
{
	struct mach_event e = { .exception = false };

	mach_aex(t->w->kit.m, &t->cpu, &t->frame, &e);
	host_frame(t);
	must_ok(mach_eresume(t->w->kit.m, &t->cpu, &t->frame));
}

/* SECINFO in the worker's own slot of the operand page. */
static void operands(struct worker *t, unsigned page, uint64_t flags)
{
	uint32_t ops = kit_page_epc(&t->w->kit, 0, KIT_OPS);
	struct sgx_secinfo *si =
		(void *)(page_of(t->w->kit.m, ops) + 64 * t->id);

	memset(si, 0, sizeof(*si));
	si->flags = flags;
	t->frame.rbx = kit_addr(0, KIT_OPS) + 64 * t->id;
	t->frame.rcx = kit_addr(0, page);
}

static struct mach_result accept(struct worker *t, unsigned page,
				 uint64_t flags)
{
	operands(t, page, flags);
	return mach_eaccept(t->w->kit.m, &t->cpu, &t->frame);
}

/* Accepts a change, leaving as long as tracking is not complete. */
static void accept_tracked(struct worker *t, unsigned page, uint64_t flags)
{
	struct mach_result r;

	for (;;) {
		r = accept(t, page, flags);
		if (r.kind != MACH_CODE || r.code != SGX_NOT_TRACKED)
			break;
		t->not_tracked++;
		/* Others' epochs may come between; a new one starts ours. */
		mach_etrack(t->w->kit.m, secs(t->w));
		out_and_in(t);
	}
	must_ok(r);
}

/* ---- a worker's own pages ------------------------------------------------ */

static void life_add(struct worker *t, unsigned i)
{
	struct sgx_pageinfo pi = { .linaddr = kit_addr(0, t->page + i),
				   .secs = secs(t->w) };
	struct mach_result r;

	do {
		r = mach_eaug(t->w->kit.m, &pi, mach_epc_addr(t->epc[i]));
	} while (r.kind == MACH_FAULT && r.vector == SGX_VEC_GP);
	must_ok(r);
	pte_set(t->w, t->page + i, t->epc[i], MACH_R | MACH_W | MACH_X);
	must_ok(accept(t, t->page + i, REG | RW | SGX_SECINFO_PENDING));
}

static void life_restrict(struct worker *t, unsigned i)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_R };

	must_ok(mach_emodpr(t->w->kit.m, &si, mach_epc_addr(t->epc[i])));
	accept_tracked(t, t->page + i, REG | SGX_SECINFO_R | SGX_SECINFO_PR);
	MUST(mach_rights(t->w->kit.m, t->epc[i]) == MACH_R);
}

static void life_trim(struct worker *t, unsigned i)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_TRIM) };

	must_ok(mach_emodt(t->w->kit.m, &si, mach_epc_addr(t->epc[i])));
	accept_tracked(t, t->page + i,
		       SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED);
	pte_set(t->w, t->page + i, 0, 0);
	must_ok(mach_eremove(t->w->kit.m, mach_epc_addr(t->epc[i])));
}

/* ---- the page that all fight over ---------------------------------------- */

static void fight(struct worker *t, unsigned round)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_R | SGX_SECINFO_W };
	struct mach_result r;

	if (round & 1) {
		r = mach_emodpr(t->w->kit.m, &si,
				kit_page_addr(&t->w->kit, 0, KIT_RO));
		MUST(mach_ok(r) ||
		     (r.kind == MACH_CODE && r.code == SGX_EPC_PAGE_CONFLICT));
	} else {
		operands(t, KIT_RO, REG | SGX_SECINFO_R | SGX_SECINFO_X);
		r = mach_emodpe(t->w->kit.m, &t->cpu, &t->frame);
		MUST(mach_ok(r) || r.vector == SGX_VEC_GP);
	}
	t->conflicts += !mach_ok(r);
}

static void *worker_main(void *arg)
{
	struct worker *t = arg;
	unsigned n, i;

	for (n = 0; n < ROUNDS; n++) {
		enter(t);
		i = n % OWN;
		life_add(t, i);
		fight(t, n);
		out_and_in(t);
		life_restrict(t, i);
		life_trim(t, i);
		leave(t);
	}
	__atomic_fetch_add(&t->w->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- the evictor --------------------------------------------------------- */

struct evictor {
	struct world *w;
	uint64_t va;
	uint32_t epc[2];
	unsigned evicted;
	uint8_t page[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_pcmd pcmd;
};

static void evict_once(struct evictor *v)
{
	struct sgx_pageinfo pi = { .srcpge = (uintptr_t)v->page,
				   .secinfo = (uintptr_t)&v->pcmd };
	struct mach *m = v->w->kit.m;
	uint32_t to = v->epc[v->evicted & 1];
	uint32_t from = v->epc[~v->evicted & 1];
	struct mach_result r;

	must_ok(mach_eblock(m, mach_epc_addr(from)));
	pte_set(v->w, KIT_DATA, 0, 0);
	do {
		mach_etrack(m, secs(v->w));
		r = mach_ewb(m, &pi, mach_epc_addr(from), v->va);
		MUST(mach_ok(r) || r.code == SGX_NOT_TRACKED);
	} while (!mach_ok(r));
	pi.secs = secs(v->w);
	do {
		r = mach_eldu(m, &pi, mach_epc_addr(to), v->va);
	} while (r.kind == MACH_CODE && r.code == SGX_EPC_PAGE_CONFLICT);
	must_ok(r);
	pte_set(v->w, KIT_DATA, to, MACH_R | MACH_W | MACH_X);
	v->evicted++;
}

static void *evictor_main(void *arg)
{
	struct evictor *v = arg;

	while (__atomic_load_n(&v->w->done, __ATOMIC_ACQUIRE) < WORKERS)
		evict_once(v);
	return NULL;
}

/* ---- main ---------------------------------------------------------------- */

static void world_open(struct world *w)
{
	struct mach_hooks p = { .ctx = w, .translate = translate };
	unsigned i;

	memset(w, 0, sizeof(*w));
	kit_setup();
	kit_open(&w->kit, NULL);
	kit_build(&w->kit, 0);
	for (i = 0; i < KIT_BUILT; i++)
		pte_set(w, i, kit_page_epc(&w->kit, 0, i),
			MACH_R | MACH_W | MACH_X);
	w->kit.m->plat = p;
}

int main(void)
{
	static struct world w;
	static struct worker t[WORKERS];
	static struct evictor v;
	struct mach_cpu cpus[WORKERS];
	pthread_t id[WORKERS + 1];
	char why[200] = "";
	unsigned i, k;

	world_open(&w);
	for (i = 0; i < WORKERS; i++) {
		t[i] = (struct worker){
			.w = &w, .id = i, .page = KIT_FREE + OWN * i, .tcs = i
		};
		mach_cpu_init(&t[i].cpu);
		for (k = 0; k < OWN; k++)
			t[i].epc[k] = kit_epc(&w.kit);
	}
	v.w = &w;
	v.va = mach_epc_addr(kit_epc(&w.kit));
	must_ok(mach_epa(w.kit.m, SGX_PT_VA, v.va));
	v.epc[0] = kit_epc(&w.kit);
	v.epc[1] = kit_page_epc(&w.kit, 0, KIT_DATA);
	for (i = 0; i < WORKERS; i++)
		MUST(pthread_create(&id[i], NULL, worker_main, &t[i]) == 0);
	MUST(pthread_create(&id[i], NULL, evictor_main, &v) == 0);
	for (i = 0; i <= WORKERS; i++)
		MUST(pthread_join(id[i], NULL) == 0);
	for (i = 0; i < WORKERS; i++) {
		cpus[i] = t[i].cpu;
		printf("worker %u: %u conflicts, %u times not tracked\n", i,
		       t[i].conflicts, t[i].not_tracked);
		MUST(t[i].not_tracked > 0);
	}
	printf("%u evictions\n", v.evicted);
	if (!mach_check_cpus(w.kit.m, cpus, WORKERS, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}
	kit_close(&w.kit);
	return EXIT_SUCCESS;
}
