/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random leaf sequences on two enclaves and three processors. Each input is a
 * list of steps of six bytes; every step starts from the machine as the steps
 * before left it, and after each one the checker goes over the EPCM and the
 * processors. Operands are mostly such that a leaf has a chance: SECINFO for
 * EACCEPT is made from the page's EPCM entry, with one bit flipped at times.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/model/state.h"
#include "tests/model/kit.h"

#define BLOBS 8u
#define PAGES 20u /* pages of an enclave that steps name */
#define EPC_PAGES 80u
#define VA_SLOTS 16u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct blob {
	uint8_t page[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_pcmd pcmd;
	struct sgx_pageinfo pi;
	uint64_t slot;
	unsigned encl, at;
	bool used;
};

struct world {
	struct kit kit;
	struct blob blob[BLOBS];
	uint8_t image[4096];
};

/* One step, decoded. */
struct step {
	uint8_t op, encl, page, cpu, a, b;
};

static struct kit base;
static uint32_t va_epc;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct mach_config c;
	struct kit_spec s;

	(void)argc;
	(void)argv;
	kit_setup();
	mach_config_default(&c);
	c.epc_pages = EPC_PAGES;
	kit_open(&base, &c);
	kit_build(&base, 0);
	kit_spec_default(&s, 1);
	s.secs.attributes.flags |= SGX_ATTR_KSS | SGX_ATTR_AEXNOTIFY;
	s.tcs.flags = SGX_TCS_AEXNOTIFY;
	kit_build_spec(&base, 1, &s);
	va_epc = kit_epc(&base);
	mach_epa(base.m, SGX_PT_VA, mach_epc_addr(va_epc));
	return 0;
}

/* ---- helpers ----------------------------------------------------------- */

/* A free EPC page, or at times one that is not. */
static uint32_t some_epc(struct world *w, uint8_t hint)
{
	uint32_t i;

	if (hint == 255)
		return hint % EPC_PAGES;
	for (i = 0; i < EPC_PAGES; i++) {
		uint32_t n = (i + hint) % EPC_PAGES;

		if (!(w->kit.m->epcm[n].flags & EPCM_VALID))
			return n;
	}
	return 0;
}

static uint64_t target(struct world *w, const struct step *s)
{
	/* Now and then something else than a page of the enclave. */
	if (s->page == 255)
		return kit_secs(&w->kit, s->encl);
	if (s->page == 254)
		return mach_epc_addr(va_epc);
	return kit_page_addr(&w->kit, s->encl, s->page % PAGES);
}

static struct mach_pte *pte(struct world *w, const struct step *s)
{
	return &w->kit.encl[s->encl].pte[s->page % PAGES];
}

/* The enclave's own write of SECINFO or the like, if it may. */
static bool enclave_write(struct world *w, const struct step *s, uint64_t to,
			  const void *p, size_t n)
{
	struct mach_cpu *cpu = &w->kit.cpu[s->cpu];
	struct mach_pte *e = mach_ptable_at(&w->kit.tables[s->encl], to);

	if (!mach_inside(cpu) || e->prot == 0 ||
	    mach_access(w->kit.m, cpu, e->epc, to, MACH_W) != MACH_ALLOW)
		return false;
	memcpy(page_of(w->kit.m, e->epc) + to % SGX_PAGE_SIZE, p, n);
	return true;
}

static void run(struct world *w, const struct step *s, unsigned leaf)
{
	w->kit.frame.rax = leaf;
	mach_enclu(w->kit.m, &w->kit.cpu[s->cpu], &w->kit.frame);
}

/* ---- steps of the kernel ------------------------------------------------ */

static void do_eaug(struct world *w, const struct step *s)
{
	struct sgx_pageinfo pi = { .linaddr =
					   kit_addr(s->encl, s->page % PAGES),
				   .secs = kit_secs(&w->kit, s->encl) };
	uint32_t epc = some_epc(w, s->a);

	if (mach_ok(mach_eaug(w->kit.m, &pi, mach_epc_addr(epc)))) {
		pte(w, s)->epc = epc;
		pte(w, s)->prot = MACH_R | MACH_W | MACH_X;
	}
}

static void do_emodpr(struct world *w, const struct step *s)
{
	struct sgx_secinfo si = { .flags = s->a & 0xf };

	mach_emodpr(w->kit.m, &si, target(w, s));
}

static void do_emodt(struct world *w, const struct step *s)
{
	struct sgx_secinfo si = {
		.flags = SGX_SECINFO_PT(s->a & 1 ? SGX_PT_TRIM : SGX_PT_TCS)
	};

	mach_emodt(w->kit.m, &si, target(w, s));
}

static void do_etrack(struct world *w, const struct step *s)
{
	mach_etrack(w->kit.m, kit_secs(&w->kit, s->encl));
}

static void do_eblock(struct world *w, const struct step *s)
{
	mach_eblock(w->kit.m, target(w, s));
}

static void do_eremove(struct world *w, const struct step *s)
{
	mach_eremove(w->kit.m, target(w, s));
}

static void do_ewb(struct world *w, const struct step *s)
{
	struct blob *b = &w->blob[s->a % BLOBS];
	struct mach_result r;

	b->pi = (struct sgx_pageinfo){ .srcpge = (uintptr_t)b->page,
				       .secinfo = (uintptr_t)&b->pcmd };
	b->slot = mach_epc_addr(va_epc) + 8 * (s->b % VA_SLOTS);
	b->encl = s->encl;
	b->at = s->page % PAGES;
	r = mach_ewb(w->kit.m, &b->pi, target(w, s), b->slot);
	b->used = mach_ok(r) || r.code == SGX_VA_SLOT_OCCUPIED;
}

static void do_eld(struct world *w, const struct step *s)
{
	struct blob *b = &w->blob[s->a % BLOBS];
	uint32_t pt = epcm_pt((uint32_t)b->pcmd.secinfo.flags);
	uint32_t epc = some_epc(w, s->b);
	struct mach_result r;

	if (!b->used)
		return;
	b->pi.secs = pt == SGX_PT_SECS || pt == SGX_PT_VA
			     ? 0
			     : kit_secs(&w->kit, s->encl);
	if (s->page == 253)
		b->page[s->b] ^= 1;
	r = s->cpu == 0
		    ? mach_eldb(w->kit.m, &b->pi, mach_epc_addr(epc), b->slot)
		    : mach_eldu(w->kit.m, &b->pi, mach_epc_addr(epc), b->slot);
	if (!mach_ok(r))
		return;
	if (pt == SGX_PT_SECS) {
		w->kit.encl[b->encl].secs = epc;
	} else if (pt != SGX_PT_VA) {
		w->kit.encl[b->encl].pte[b->at].epc = epc;
		w->kit.encl[b->encl].pte[b->at].prot = MACH_R | MACH_W | MACH_X;
	}
}

static void do_edbg(struct world *w, const struct step *s)
{
	uint64_t v = s->b * 0x0101010101010101ull;

	if (s->a & 1)
		mach_edbgrd(w->kit.m, target(w, s) + 8 * (s->a & ~1u), &v);
	else
		mach_edbgwr(w->kit.m, target(w, s) + 8 * s->a, v);
}

static void do_ecreate(struct world *w, const struct step *s)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_SECS) };
	struct sgx_pageinfo pi = { .secinfo = (uintptr_t)&si };
	uint32_t epc = some_epc(w, s->page);
	struct kit_spec spec;

	kit_spec_default(&spec, s->encl);
	((uint8_t *)&spec.secs)[s->a] ^= (uint8_t)(1 << (s->b & 7));
	pi.srcpge = (uintptr_t)&spec.secs;
	if (mach_ok(mach_ecreate(w->kit.m, &pi, mach_epc_addr(epc))) &&
	    !epcm_is(w->kit.m->epcm[w->kit.encl[s->encl].secs].flags,
		     SGX_PT_SECS))
		w->kit.encl[s->encl].secs = epc;
}

static void do_eadd(struct world *w, const struct step *s)
{
	uint8_t src[SGX_PAGE_SIZE] __attribute__((aligned(4096))) = { 0 };
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(s->a & 1 ? 1 : 2) |
					   (s->a >> 1 & 7) };
	struct sgx_pageinfo pi = { .linaddr =
					   kit_addr(s->encl, s->page % PAGES),
				   .srcpge = (uintptr_t)src,
				   .secinfo = (uintptr_t)&si,
				   .secs = kit_secs(&w->kit, s->encl) };
	uint32_t epc = some_epc(w, s->b);
	struct sgx_tcs *t = (void *)src;

	t->nssa = s->b & 3;
	t->ossa = KIT_SSA0 * SGX_PAGE_SIZE;
	if (mach_ok(mach_eadd(w->kit.m, &pi, mach_epc_addr(epc)))) {
		pte(w, s)->epc = epc;
		pte(w, s)->prot = MACH_R | MACH_W | MACH_X;
		mach_eextend(w->kit.m, pi.secs, mach_epc_addr(epc) + 256);
	}
}

static void do_pte(struct world *w, const struct step *s)
{
	pte(w, s)->prot = s->a & 7 ? MACH_R | MACH_W | MACH_X : s->a >> 3 & 7;
}

/* ---- steps of the enclave ----------------------------------------------- */

static void host_frame(struct world *w, const struct step *s)
{
	struct mach_frame *f = &w->kit.frame;

	/* Mostly one of the TCS pages that the enclave began with. */
	f->rbx =
		kit_addr(s->encl, s->b & 0x80 ? s->page % PAGES : s->page & 1u);
	f->rcx = KIT_AEP;
	f->rip = KIT_ENCLU;
	f->xsave = w->image;
	f->xsave_size = s->a & 1 ? 2688 : 512;
	w->image[512] = s->a & 2 ? 0xe7 : 0;
}

static void do_eenter(struct world *w, const struct step *s)
{
	host_frame(w, s);
	run(w, s, SGX_EENTER);
}

static void do_eresume(struct world *w, const struct step *s)
{
	host_frame(w, s);
	run(w, s, SGX_ERESUME);
}

static void do_eexit(struct world *w, const struct step *s)
{
	w->kit.frame.rbx = KIT_ENCLU + 3;
	run(w, s, SGX_EEXIT);
}

static void do_aex(struct world *w, const struct step *s)
{
	struct mach_event e = { .exception = s->a & 1,
				.vector = s->b & 31,
				.errcode = 7,
				.addr = 0x1234 };

	if (mach_inside(&w->kit.cpu[s->cpu]))
		mach_aex(w->kit.m, &w->kit.cpu[s->cpu], &w->kit.frame, &e);
}

static void do_interrupt(struct world *w, const struct step *s)
{
	if (mach_inside(&w->kit.cpu[s->cpu]))
		mach_interrupt(w->kit.m, &w->kit.cpu[s->cpu]);
}

/* SECINFO that fits the page, or nearly. */
static void sgx2(struct world *w, const struct step *s, unsigned leaf)
{
	const uint32_t known = EPCM_RWX | EPCM_PENDING | EPCM_MODIFIED |
			       EPCM_PR | EPCM_PT_MASK;
	uint32_t flags = w->kit.m->epcm[pte(w, s)->epc].flags & known;
	struct sgx_secinfo si = { .flags = flags };

	if (leaf != SGX_EACCEPT)
		si.flags = SGX_SECINFO_PT(SGX_PT_REG) | (s->a & 7);
	if (s->a & 0x80)
		si.flags ^= 1ull << (s->a & 0x1f);
	enclave_write(w, s, kit_addr(s->encl, KIT_OPS), &si, sizeof(si));
	w->kit.frame.rbx = kit_addr(s->encl, KIT_OPS);
	w->kit.frame.rcx = kit_addr(s->encl, s->page % PAGES);
	w->kit.frame.rdx = kit_addr(s->encl, s->b % PAGES);
	run(w, s, leaf);
}

static void do_eaccept(struct world *w, const struct step *s)
{
	sgx2(w, s, SGX_EACCEPT);
}

static void do_emodpe(struct world *w, const struct step *s)
{
	sgx2(w, s, SGX_EMODPE);
}

static void do_eacceptcopy(struct world *w, const struct step *s)
{
	sgx2(w, s, SGX_EACCEPTCOPY);
}

static void do_edeccssa(struct world *w, const struct step *s)
{
	run(w, s, SGX_EDECCSSA);
}

static void do_keys(struct world *w, const struct step *s)
{
	struct sgx_keyrequest q = { .keyname = s->a & 7,
				    .keypolicy = s->b & 0x7f };

	enclave_write(w, s, kit_addr(s->encl, KIT_OPS), &q, sizeof(q));
	w->kit.frame.rbx = kit_addr(s->encl, KIT_OPS);
	w->kit.frame.rcx = kit_addr(s->encl, s->page % PAGES);
	w->kit.frame.rdx = kit_addr(s->encl, s->b % PAGES);
	run(w, s, s->a & 8 ? SGX_EREPORT : SGX_EGETKEY);
}

/* The enclave writes where it may: SSA frames, TCS pages to be. */
static void do_write(struct world *w, const struct step *s)
{
	uint64_t v = (uint64_t)s->b << (s->a & 0x38);
	uint32_t off = 8 * (s->a & 0x1f);

	/* From the start of the page, or from its end: GPRSGX is there. */
	if (s->a & 0x40)
		off = SGX_PAGE_SIZE - 8 - off;
	enclave_write(w, s, kit_addr(s->encl, s->page % PAGES) + off, &v,
		      sizeof(v));
}

/* A page that will do as a TCS. */
static void do_write_tcs(struct world *w, const struct step *s)
{
	uint8_t page[SGX_PAGE_SIZE] __attribute__((aligned(4096))) = { 0 };
	struct sgx_tcs *t = (void *)page;

	t->nssa = 2;
	t->ossa = (s->a & 1 ? KIT_SSA0 : KIT_SSA1) * SGX_PAGE_SIZE;
	t->flags = s->encl == 1 ? SGX_TCS_AEXNOTIFY : 0;
	enclave_write(w, s, kit_addr(s->encl, s->page % PAGES), page,
		      sizeof(page));
}

/* ---- steps that lead somewhere ------------------------------------------ */

/* An epoch that ends: every thread is interrupted, as by an IPI. */
static void do_epoch(struct world *w, const struct step *s)
{
	unsigned i;

	do_etrack(w, s);
	for (i = 0; i < KIT_CPUS; i++)
		if (mach_inside(&w->kit.cpu[i]))
			mach_interrupt(w->kit.m, &w->kit.cpu[i]);
}

static void do_evict(struct world *w, const struct step *s)
{
	do_eblock(w, s);
	do_epoch(w, s);
	do_ewb(w, s);
}

static void do_restrict(struct world *w, const struct step *s)
{
	do_emodpr(w, s);
	do_epoch(w, s);
	do_eaccept(w, s);
}

static void do_retype(struct world *w, const struct step *s)
{
	do_write_tcs(w, s);
	do_emodt(w, s);
	do_epoch(w, s);
	do_eaccept(w, s);
}

/* ---- the driver --------------------------------------------------------- */

typedef void (*step_fn)(struct world *w, const struct step *s);

static const step_fn steps[] = {
	do_eaug,    do_emodpr,	do_emodt,     do_etrack,      do_eblock,
	do_eremove, do_ewb,	do_eld,	      do_edbg,	      do_ecreate,
	do_eadd,    do_pte,	do_eenter,    do_eresume,     do_eexit,
	do_aex,	    do_eaccept, do_emodpe,    do_eacceptcopy, do_edeccssa,
	do_keys,    do_write,	do_interrupt, do_write_tcs,   do_eenter,
	do_evict,   do_eld,	do_restrict,  do_retype,      do_eaccept,
	do_etrack,  do_aex,	do_eresume,   do_emodt,
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void one(struct world *w, const uint8_t *p)
{
	struct step s = { .op = p[0] % STEPS,
			  .encl = p[1] & 1,
			  .page = p[2],
			  .cpu = p[3] % KIT_CPUS,
			  .a = p[4],
			  .b = p[5] };
	char why[200] = "";

	/* Inside, a processor speaks of its own enclave. */
	if (mach_inside(&w->kit.cpu[s.cpu]) && s.op >= 14)
		s.encl = w->kit.cpu[s.cpu].base == KIT_BASE(1);
	steps[s.op](w, &s);
	if (!mach_check_cpus(w->kit.m, w->kit.cpu, KIT_CPUS, why,
			     sizeof(why))) {
		fprintf(stderr, "step %u encl %u page %u cpu %u: %s\n", s.op,
			s.encl, s.page, s.cpu, why);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = aligned_alloc(SGX_PAGE_SIZE,
					(sizeof(*w) + SGX_PAGE_SIZE - 1) &
						~(size_t)(SGX_PAGE_SIZE - 1));

	if (!w)
		abort();
	memset(w, 0, sizeof(*w));
	kit_copy(&w->kit, &base);
	for (; size >= 6; data += 6, size -= 6)
		one(w, data);
	kit_close(&w->kit);
	free(w);
	return 0;
}
