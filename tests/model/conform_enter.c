/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: ENCLU itself, EENTER ERESUME EEXIT EDECCSSA. */
#include <string.h>

#include "tests/model/conform_leaf.h"

#define NON_CANONICAL 0x800000000000ull

/* Runs ENCLU with @leaf and the call's registers on processor 0. */
static struct mach_result enclu(struct call *c, unsigned leaf)
{
	struct mach_frame *f = &c->kit.frame;

	f->rax = leaf;
	f->rbx = c->rbx;
	f->rcx = c->rcx;
	f->rdx = c->rdx;
	return mach_enclu(c->kit.m, &c->kit.cpu[0], f);
}

static struct sgx_tcs *tcs(struct call *c)
{
	return (void *)kit_bytes(&c->kit, 0, KIT_TCS0);
}

static struct sgx_gprsgx *gpr(struct call *c, unsigned frame)
{
	return (void *)(kit_bytes(&c->kit, 0, KIT_SSA0 + frame) +
			SGX_PAGE_SIZE - sizeof(struct sgx_gprsgx));
}

static struct sgx_secs *secs(struct call *c)
{
	return secs_of(c->kit.m, c->kit.encl[0].secs);
}

static struct mach_pte *pte(struct call *c, unsigned page)
{
	return &c->kit.encl[0].pte[page];
}

static void frame_start(struct call *c, unsigned ssa)
{
	c->rbx = kit_addr(0, KIT_TCS0);
	c->rcx = KIT_AEP;
	c->kit.frame.rip = KIT_ENCLU;
	c->role[ROLE_RBX] = kit_page_epc(&c->kit, 0, KIT_TCS0);
	c->role[ROLE_SECS] = c->kit.encl[0].secs;
	c->role[ROLE_SSA] = kit_page_epc(&c->kit, 0, ssa);
	c->want_addr = kit_addr(0, ssa);
}

/* ---- both entries ------------------------------------------------------ */

static void inside(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS1));
}

static void tcs_absent(struct call *c)
{
	pte(c, KIT_TCS0)->prot = MACH_PTE_ABSENT;
}

static void tcs_other(struct call *c)
{
	pte(c, KIT_TCS0)->prot |= MACH_PTE_OTHER;
}

static void tcs_elsewhere(struct call *c)
{
	c->rbx = kit_addr(0, KIT_FREE);
	*pte(c, KIT_FREE) = *pte(c, KIT_TCS0);
}

static void tcs_is_reg(struct call *c)
{
	c->rbx = kit_addr(0, KIT_DATA);
}

static void ossa(struct call *c)
{
	tcs(c)->ossa += 64;
}

static void ofsbase(struct call *c)
{
	tcs(c)->ofsbase += 64;
}

static void ogsbase(struct call *c)
{
	tcs(c)->ogsbase += 64;
}

static void flags_reserved(struct call *c)
{
	tcs(c)->flags |= 4;
}

static void flags_notify(struct call *c)
{
	tcs(c)->flags |= SGX_TCS_AEXNOTIFY;
}

static void secs_notify(struct call *c)
{
	secs(c)->attributes.flags |= SGX_ATTR_AEXNOTIFY;
}

static void both_notify(struct call *c)
{
	flags_notify(c);
	secs_notify(c);
}

static void debug_flag(struct call *c)
{
	flags_notify(c);
	tcs(c)->flags |= SGX_TCS_DBGOPTIN;
}

static void debug_notify(struct call *c)
{
	tcs(c)->flags |= SGX_TCS_DBGOPTIN;
	secs_notify(c);
}

static void not_init(struct call *c)
{
	secs(c)->attributes.flags &= ~SGX_ATTR_INIT;
}

static void mode32(struct call *c)
{
	secs(c)->attributes.flags &= ~SGX_ATTR_MODE64BIT;
}

static void xcr0(struct call *c)
{
	c->kit.m->cfg.xfrm = 7;
}

static void ssa_absent(struct call *c)
{
	pte(c, KIT_SSA0)->prot = MACH_PTE_ABSENT;
	pte(c, KIT_SSA0 + 1)->prot = MACH_PTE_ABSENT;
}

static void ssa_read_only(struct call *c)
{
	pte(c, KIT_SSA0)->prot = MACH_R;
	pte(c, KIT_SSA0 + 1)->prot = MACH_R;
}

static void ssa_swapped(struct call *c)
{
	struct mach_pte p = *pte(c, KIT_SSA0);

	*pte(c, KIT_SSA0) = *pte(c, KIT_SSA0 + 1);
	*pte(c, KIT_SSA0 + 1) = p;
}

static void ssa_outside(struct call *c)
{
	tcs(c)->ossa = KIT_SIZE;
	c->want_addr =
		KIT_BASE(0) + KIT_SIZE + (c->want_addr - kit_addr(0, KIT_SSA0));
}

static void oentry(struct call *c)
{
	tcs(c)->oentry = NON_CANONICAL;
}

static void fs_canonical(struct call *c)
{
	tcs(c)->ofsbase = NON_CANONICAL;
}

static void gs_canonical(struct call *c)
{
	tcs(c)->ogsbase = NON_CANONICAL;
}

static void tcs_active(struct call *c)
{
	step(kit_enter(&c->kit, 1, 0, KIT_TCS0));
}

#define ENTRY_ROWS                                                             \
	{ "SECS and TCS have AEXNOTIFY", OK, .also = both_notify },            \
		{ "in enclave mode", GP, .also = inside },                     \
		{ "RBX is not 4 KiB aligned", GP, POKE(rbx, 64) },             \
		{ "the TCS's page is absent", PAGING(ROLE_RBX),                \
		  .also = tcs_absent },                                        \
		{ "RBX does not resolve within the EPC", PF(ROLE_RBX),         \
		  .also = tcs_other },                                         \
		{ "the AEP is not canonical", GP, POKE(rcx, NON_CANONICAL) },  \
		{ "the TCS is in use by another leaf", GP,                     \
		  .tamper = { ROLE_RBX, .lock = LOCK_EXCL } },                 \
		{ "the TCS is not VALID", PF(ROLE_RBX),                        \
		  .tamper = { ROLE_RBX, .clear = EPCM_VALID } },               \
		{ "the TCS is BLOCKED", PF(ROLE_RBX),                          \
		  .tamper = { ROLE_RBX, .set = EPCM_BLOCKED } },               \
		{ "the TCS is not at its ENCLAVEADDRESS", PF(ROLE_RBX),        \
		  .also = tcs_elsewhere },                                     \
		{ "RBX is no PT_TCS page", PF(ROLE_RBX), .also = tcs_is_reg }, \
		{ "the TCS is PENDING", PF(ROLE_RBX),                          \
		  .tamper = { ROLE_RBX, .set = EPCM_PENDING } },               \
		{ "the TCS is MODIFIED", PF(ROLE_RBX),                         \
		  .tamper = { ROLE_RBX, .set = EPCM_MODIFIED } },              \
		{ "TCS.OSSA is not 4 KiB aligned", GP, .also = ossa },         \
		{ "TCS.OFSBASE is not 4 KiB aligned", GP, .also = ofsbase },   \
		{ "TCS.OGSBASE is not 4 KiB aligned", GP, .also = ogsbase },   \
		{ "TCS.FLAGS has reserved bits", GP, .also = flags_reserved }, \
		{ "TCS.FLAGS.AEXNOTIFY without SECS.ATTRIBUTES.AEXNOTIFY", GP, \
		  .also = flags_notify },                                      \
		{ "SECS.ATTRIBUTES.AEXNOTIFY without TCS.FLAGS.AEXNOTIFY", GP, \
		  .also = secs_notify },                                       \
		{ "the first of these with TCS.FLAGS.DBGOPTIN", OK,            \
		  .also = debug_flag },                                        \
		{ "the second with TCS.FLAGS.DBGOPTIN", OK,                    \
		  .also = debug_notify },                                      \
		{ "the enclave is not initialised", GP, .also = not_init },    \
		{ "a 32-bit enclave in 64-bit mode", GP, .also = mode32 },     \
		{ "SECS.XFRM is not a subset of XCR0", GP, .also = xcr0 },     \
		{ "a page of the SSA frame is absent", PAGING(ROLE_SSA),       \
		  .also = ssa_absent },                                        \
		{ "a page of the SSA frame is not writable", PAGING(ROLE_SSA), \
		  .also = ssa_read_only },                                     \
		{ "the SSA frame is not in ELRANGE", PAGING(ROLE_SSA),         \
		  .also = ssa_outside },                                       \
		{ "a page of the SSA frame is not VALID", PF(ROLE_SSA),        \
		  .tamper = { ROLE_SSA, .clear = EPCM_VALID } },               \
		{ "a page of the SSA frame is BLOCKED", PF(ROLE_SSA),          \
		  .tamper = { ROLE_SSA, .set = EPCM_BLOCKED } },               \
		{ "a page of the SSA frame is PENDING", PF(ROLE_SSA),          \
		  .tamper = { ROLE_SSA, .set = EPCM_PENDING } },               \
		{ "a page of the SSA frame is MODIFIED", PF(ROLE_SSA),         \
		  .tamper = { ROLE_SSA, .set = EPCM_MODIFIED } },              \
		{ "a page of the SSA frame is another page", PF(ROLE_SSA),     \
		  .also = ssa_swapped },                                       \
		{ "a page of the SSA frame is not PT_REG", PF(ROLE_SSA),       \
		  .tamper = { ROLE_SSA, .clear = EPCM_PT_MASK,                 \
			      .set = EPCM_PT(SGX_PT_TRIM) } },                 \
		{ "a page of the SSA frame lacks R", PF(ROLE_SSA),             \
		  .tamper = { ROLE_SSA, .clear = EPCM_R } },                   \
		{ "a page of the SSA frame lacks W", PF(ROLE_SSA),             \
		  .tamper = { ROLE_SSA, .clear = EPCM_W } },                   \
	{                                                                      \
		"the TCS is active on another processor", GP,                  \
			.also = tcs_active                                     \
	}

/* ---- EENTER ------------------------------------------------------------ */

static void eenter_prepare(struct call *c)
{
	frame_start(c, KIT_SSA0);
}

static struct mach_result eenter_run(struct call *c)
{
	return enclu(c, SGX_EENTER);
}

static void all_frames_used(struct call *c)
{
	tcs(c)->cssa = tcs(c)->nssa;
}

static const struct row eenter_rows[] = {
	{ "an inactive TCS", OK },
	ENTRY_ROWS,
	{ "TCS.CSSA is not below TCS.NSSA", GP, .also = all_frames_used },
	{ "the FS base is not canonical", GP, .also = fs_canonical },
	{ "the GS base is not canonical", GP, .also = gs_canonical },
	{ "the entry point is not canonical", GP, .also = oentry },
};

const struct leaf leaf_eenter = { .name = "EENTER",
				  .prepare = eenter_prepare,
				  .run = eenter_run,
				  LEAF_ROWS(eenter_rows) };

/* ---- ERESUME ----------------------------------------------------------- */

static void eresume_prepare(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	kit_aex(&c->kit, 0);
	frame_start(c, KIT_SSA0);
}

static struct mach_result eresume_run(struct call *c)
{
	return enclu(c, SGX_ERESUME);
}

static void no_frame(struct call *c)
{
	tcs(c)->cssa = 0;
}

static void saved_rip(struct call *c)
{
	gpr(c, 0)->rip = NON_CANONICAL;
}

static void saved_fs(struct call *c)
{
	gpr(c, 0)->fsbase = NON_CANONICAL;
}

static void saved_gs(struct call *c)
{
	gpr(c, 0)->gsbase = NON_CANONICAL;
}

static void xsave_poke(struct call *c, unsigned off, uint8_t v)
{
	kit_bytes(&c->kit, 0, KIT_SSA0)[off] = v;
}

static void xstate_bv(struct call *c)
{
	xsave_poke(c, 513, 2);
}

static void xcomp_bv(struct call *c)
{
	xsave_poke(c, 527, 0x80);
}

static void xheader(struct call *c)
{
	xsave_poke(c, 528, 1);
}

static void mxcsr(struct call *c)
{
	xsave_poke(c, 26, 1);
}

static void notify(struct call *c)
{
	both_notify(c);
	gpr(c, 0)->aexnotify = 1;
}

static void notify_no_frame(struct call *c)
{
	notify(c);
	tcs(c)->nssa = 1;
}

static void notify_oentry(struct call *c)
{
	notify(c);
	oentry(c);
}

static void notify_next_absent(struct call *c)
{
	notify(c);
	pte(c, KIT_SSA0 + 1)->prot = MACH_PTE_ABSENT;
	c->want_addr = kit_addr(0, KIT_SSA0 + 1);
}

static void notify_rip(struct call *c)
{
	notify(c);
	saved_rip(c);
}

static const struct row eresume_rows[] = {
	{ "a frame that AEX saved", OK },
	ENTRY_ROWS,
	{ "TCS.CSSA is 0", GP, .also = no_frame },
	{ "the saved RIP is not canonical", GP, .also = saved_rip },
	{ "the saved FS base is not canonical", GP, .also = saved_fs },
	{ "the saved GS base is not canonical", GP, .also = saved_gs },
	{ "XSTATE_BV has a bit outside XFRM", GP, .also = xstate_bv },
	{ "XCOMP_BV is not 0", GP, .also = xcomp_bv },
	{ "XSAVE header bytes 16 to 23 are not 0", GP, .also = xheader },
	{ "MXCSR has reserved bits", GP, .also = mxcsr },
	{ "AEX-Notify: entry on the next frame", OK, .also = notify },
	{ "AEX-Notify: the saved RIP is not looked at", OK,
	  .also = notify_rip },
	{ "AEX-Notify: no frame is left", GP, .also = notify_no_frame },
	{ "AEX-Notify: the next frame is absent", PAGING(ROLE_SSA),
	  .also = notify_next_absent },
	{ "AEX-Notify: the entry point is not canonical", GP,
	  .also = notify_oentry },
};

const struct leaf leaf_eresume = { .name = "ERESUME",
				   .prepare = eresume_prepare,
				   .run = eresume_run,
				   LEAF_ROWS(eresume_rows) };

/* ---- EEXIT ------------------------------------------------------------- */

static void eexit_prepare(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	c->rbx = KIT_ENCLU + 3;
}

static struct mach_result eexit_run(struct call *c)
{
	return enclu(c, SGX_EEXIT);
}

static void leave_first(struct call *c)
{
	kit_aex(&c->kit, 0);
}

static void target_inside(struct call *c)
{
	c->rbx = kit_addr(0, KIT_CODE);
}

static const struct row eexit_rows[] = {
	{ "a target outside", OK },
	{ "a target inside ELRANGE", OK, .also = target_inside },
	{ "outside the enclave", GP, .also = leave_first },
	{ "RBX is not canonical", GP, POKE(rbx, NON_CANONICAL) },
};

const struct leaf leaf_eexit = { .name = "EEXIT",
				 .prepare = eexit_prepare,
				 .run = eexit_run,
				 LEAF_ROWS(eexit_rows) };

/* ---- EDECCSSA ---------------------------------------------------------- */

static void edeccssa_prepare(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	kit_aex(&c->kit, 0);
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	frame_start(c, KIT_SSA0);
}

static struct mach_result edeccssa_run(struct call *c)
{
	return enclu(c, SGX_EDECCSSA);
}

static void no_edeccssa(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_EDECCSSA;
}

static const struct row edeccssa_rows[] = {
	{ "CSSA is 1", OK },
	{ "the processor has no EDECCSSA", GP, .also = no_edeccssa },
	{ "outside the enclave", GP, .also = leave_first },
	{ "CSSA is 0", GP, .also = no_frame },
	{ "a page of SSA[CSSA - 1] is absent", PAGING(ROLE_SSA),
	  .also = ssa_absent },
	{ "a page of SSA[CSSA - 1] is not VALID", PF(ROLE_SSA),
	  .tamper = { ROLE_SSA, .clear = EPCM_VALID } },
	{ "a page of SSA[CSSA - 1] is BLOCKED", PF(ROLE_SSA),
	  .tamper = { ROLE_SSA, .set = EPCM_BLOCKED } },
	{ "a page of SSA[CSSA - 1] is PENDING or MODIFIED", PF(ROLE_SSA),
	  .tamper = { ROLE_SSA, .set = EPCM_MODIFIED } },
	{ "a page of SSA[CSSA - 1] lacks W", PF(ROLE_SSA),
	  .tamper = { ROLE_SSA, .clear = EPCM_W } },
};

const struct leaf leaf_edeccssa = { .name = "EDECCSSA",
				    .prepare = edeccssa_prepare,
				    .run = edeccssa_run,
				    LEAF_ROWS(edeccssa_rows) };

/* ---- ENCLU ------------------------------------------------------------- */

/* RBX carries the leaf here. */
static void enclu_prepare(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	c->rbx = SGX_EVERIFYREPORT2;
}

static struct mach_result enclu_run(struct call *c)
{
	c->kit.frame.rax = c->rbx;
	c->kit.frame.rbx = KIT_ENCLU + 3;
	return mach_enclu(c->kit.m, &c->kit.cpu[0], &c->kit.frame);
}

static void leaf_upper(struct call *c)
{
	c->rbx = 0xffffffff00000000ull | SGX_EEXIT;
}

static void leaf_unknown(struct call *c)
{
	c->rbx = 0x0a;
}

static const struct row enclu_rows[] = {
	{ "the upper half of RAX is not looked at", OK, .also = leaf_upper },
	{ "EVERIFYREPORT2 (leaf 8), which is not modelled", GP },
	{ "an unknown leaf", GP, .also = leaf_unknown },
};

const struct leaf leaf_enclu = { .name = "ENCLU",
				 .prepare = enclu_prepare,
				 .run = enclu_run,
				 LEAF_ROWS(enclu_rows) };
