/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: EACCEPT EMODPE EACCEPTCOPY. */
#include <string.h>

#include "tests/model/conform_inside.h"

#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)

/* SECINFO goes to the operand page last, as rows change it. */
static void load_secinfo(struct call *c)
{
	memcpy(kit_bytes(&c->kit, 0, KIT_OPS), &c->si, sizeof(c->si));
}

static struct mach_result run_sgx2(struct call *c, unsigned leaf)
{
	struct mach_frame *f = &c->kit.frame;

	f->rax = leaf;
	f->rbx = c->rbx;
	f->rcx = c->rcx;
	f->rdx = c->rdx;
	return mach_enclu(c->kit.m, &c->kit.cpu[0], f);
}

static void no_sgx2(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_SGX2;
}

static void ops_other(struct call *c)
{
	pte(c, KIT_OPS)->prot |= MACH_PTE_OTHER;
}

static void ops_tcs(struct call *c)
{
	c->rbx = kit_addr(0, KIT_TCS0);
}

static void rcx_other_enclave(struct call *c)
{
	uint64_t page = (c->rcx - KIT_BASE(0)) >> SGX_PAGE_SHIFT;

	pte(c, (unsigned)page)->epc = kit_page_epc(&c->kit, 1, KIT_OPS);
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 1, KIT_OPS);
}

static void rcx_prot_none(struct call *c)
{
	uint64_t page = (c->rcx - KIT_BASE(0)) >> SGX_PAGE_SHIFT;

	pte(c, (unsigned)page)->prot = MACH_X;
}

static void rcx_not_epc(struct call *c)
{
	uint64_t page = (c->rcx - KIT_BASE(0)) >> SGX_PAGE_SHIFT;

	pte(c, (unsigned)page)->prot |= MACH_PTE_OTHER;
}

#define SECINFO_ROWS                                                      \
	{ "outside the enclave", GP, .also = outside },                   \
		{ "the processor has no SGX2", GP, .also = no_sgx2 },     \
		{ "RBX is not 64-byte aligned", GP, POKE(rbx, 8) },       \
		{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },        \
		{ "RBX is not in ELRANGE", GP, POKE(rbx, KIT_SIZE) },     \
		{ "RCX is not in ELRANGE", GP, POKE(rcx, KIT_SIZE) },     \
		{ "the SECINFO page is absent", PAGING(ROLE_RBX),         \
		  .also = ops_absent },                                   \
		{ "RBX does not resolve within the EPC", PF(ROLE_RBX),    \
		  .also = ops_other },                                    \
		{ "the SECINFO page is not VALID", PF(ROLE_RBX),          \
		  .tamper = { ROLE_RBX, .clear = EPCM_VALID } },          \
		{ "the SECINFO page lacks R", PF(ROLE_RBX),               \
		  .tamper = { ROLE_RBX, .clear = EPCM_R } },              \
		{ "the SECINFO page is PENDING", PF(ROLE_RBX),            \
		  .tamper = { ROLE_RBX, .set = EPCM_PENDING } },          \
		{ "the SECINFO page is MODIFIED", PF(ROLE_RBX),           \
		  .tamper = { ROLE_RBX, .set = EPCM_MODIFIED } },         \
		{ "the SECINFO page is BLOCKED", PF(ROLE_RBX),            \
		  .tamper = { ROLE_RBX, .set = EPCM_BLOCKED } },          \
		{ "the SECINFO page is not PT_REG", PF(ROLE_RBX),         \
		  .also = ops_tcs },                                      \
		{ "SECINFO.FLAGS has reserved bits", GP,                  \
		  POKE(si.flags, 1 << 16) },                              \
	{                                                                 \
		"SECINFO has reserved bytes", GP, POKE(si.reserved[8], 1) \
	}

/* ---- EACCEPT ----------------------------------------------------------- */

static void eaccept_prepare(struct call *c)
{
	step(kit_eaug(&c->kit, 0, KIT_FREE));
	inside(c, KIT_FREE);
	c->si.flags = REG | RW | SGX_SECINFO_PENDING;
}

static struct mach_result eaccept_run(struct call *c)
{
	return run_sgx2(c, SGX_EACCEPT);
}

static void ask(struct call *c, uint64_t flags)
{
	c->si.flags = flags;
}

static void ask_reg_clean(struct call *c)
{
	ask(c, REG | RW);
}

static void ask_reg_modified(struct call *c)
{
	ask(c, REG | RW | SGX_SECINFO_MODIFIED | SGX_SECINFO_PENDING);
}

static void ask_tcs_clean(struct call *c)
{
	ask(c, SGX_SECINFO_PT(SGX_PT_TCS));
}

static void ask_tcs_pending(struct call *c)
{
	ask(c, SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED |
		       SGX_SECINFO_PENDING);
}

static void ask_trim_pr(struct call *c)
{
	ask(c, SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED |
		       SGX_SECINFO_PR);
}

static void ask_secs(struct call *c)
{
	ask(c, SGX_SECINFO_PT(SGX_PT_SECS) | SGX_SECINFO_MODIFIED);
}

static void ask_pr_too(struct call *c)
{
	ask(c, REG | RW | SGX_SECINFO_PENDING | SGX_SECINFO_PR);
}

static void leave_and_come(struct call *c)
{
	kit_aex(&c->kit, 0);
	step(kit_resume(&c->kit, 0, 0, KIT_TCS0));
}

/* The target becomes page 8, restricted; ETRACK or not; out and in or not. */
static void restricted(struct call *c)
{
	c->rcx = kit_addr(0, KIT_DATA);
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 0, KIT_DATA);
	step(kit_emodpr(&c->kit, 0, KIT_DATA, SGX_SECINFO_R));
	ask(c, REG | SGX_SECINFO_R | SGX_SECINFO_PR);
}

static void restricted_etrack(struct call *c)
{
	restricted(c);
	step(mach_etrack(c->kit.m, kit_secs(&c->kit, 0)));
}

static void restricted_tracked(struct call *c)
{
	restricted_etrack(c);
	leave_and_come(c);
}

static void restricted_twice(struct call *c)
{
	restricted_tracked(c);
	step(kit_emodpr(&c->kit, 0, KIT_DATA, SGX_SECINFO_R));
}

static void retyped(struct call *c, unsigned pt)
{
	c->rcx = kit_addr(0, KIT_DATA);
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 0, KIT_DATA);
	step(kit_emodt(&c->kit, 0, KIT_DATA, pt));
	step(mach_etrack(c->kit.m, kit_secs(&c->kit, 0)));
	leave_and_come(c);
	ask(c, SGX_SECINFO_PT(pt) | SGX_SECINFO_MODIFIED);
}

static void trimmed(struct call *c)
{
	retyped(c, SGX_PT_TRIM);
}

static struct sgx_tcs *new_tcs(struct call *c)
{
	struct sgx_tcs *t = (void *)kit_bytes(&c->kit, 0, KIT_DATA);

	memset(t, 0, sizeof(*t));
	t->nssa = 1;
	retyped(c, SGX_PT_TCS);
	return t;
}

static void tcs_good(struct call *c)
{
	new_tcs(c);
}

static void tcs_reserved(struct call *c)
{
	new_tcs(c)->reserved[99] = 1;
}

static void tcs_dbgoptin(struct call *c)
{
	new_tcs(c)->flags = SGX_TCS_DBGOPTIN;
}

static void tcs_cssa(struct call *c)
{
	new_tcs(c)->cssa = 1;
}

static void tcs_nssa(struct call *c)
{
	new_tcs(c)->nssa = 0;
}

static void tcs_nssa_strict(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_EMPTY_TCS;
	tcs_nssa(c);
}

static void tcs_aep(struct call *c)
{
	new_tcs(c)->aep = 1;
}

static void tcs_state(struct call *c)
{
	new_tcs(c)->state = 1;
}

static void tcs_prevssp(struct call *c)
{
	new_tcs(c)->prevssp = 1;
}

static void wrong_place(struct call *c)
{
	c->rcx = kit_addr(0, KIT_FREE + 1);
	*pte(c, KIT_FREE + 1) = *pte(c, KIT_FREE);
}

static const struct row eaccept_rows[] = {
	{ "a PENDING page", OK },
	{ "a PENDING page; PR asked for is not compared", OK,
	  .also = ask_pr_too },
	{ "a restricted and tracked page", OK, .also = restricted_tracked },
	{ "a trimmed and tracked page", OK, .also = trimmed },
	{ "a new TCS", OK, .also = tcs_good },
	SECINFO_ROWS,
	{ "PT_REG without PENDING, PR", GP, .also = ask_reg_clean },
	{ "PT_REG with MODIFIED", GP, .also = ask_reg_modified },
	{ "PT_TCS without MODIFIED", GP, .also = ask_tcs_clean },
	{ "PT_TCS with PENDING", GP, .also = ask_tcs_pending },
	{ "PT_TRIM with PR", GP, .also = ask_trim_pr },
	{ "PT_SECS", GP, .also = ask_secs },
	{ "the target page is absent", PAGING(ROLE_RCX), .also = rcx_absent },
	{ "the target page may not be read by the page table", PAGING(ROLE_RCX),
	  .also = rcx_prot_none },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  .also = rcx_not_epc },
	{ "the target page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the target page is in use by another SGX2 leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the target page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the target page is BLOCKED", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_BLOCKED } },
	{ "the target page is PT_VA", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_PT_MASK,
		      .set = EPCM_PT(SGX_PT_VA) } },
	{ "the target page is another enclave's", PF(ROLE_RCX),
	  .also = rcx_other_enclave },
	{ "the target page is not at its ENCLAVEADDRESS",
	  CODE(SGX_PAGE_ATTRIBUTES_MISMATCH), .also = wrong_place },
	{ "PENDING differs (accepted already)",
	  CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_PENDING } },
	{ "MODIFIED differs", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .set = EPCM_MODIFIED } },
	{ "R differs", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_R } },
	{ "W differs", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_W } },
	{ "X differs", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  POKE(si.flags, SGX_SECINFO_X) },
	{ "PT differs", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_PT_MASK,
		      .set = EPCM_PT(SGX_PT_TRIM) } },
	{ "no ETRACK after EMODPR", CODE(SGX_NOT_TRACKED), .also = restricted },
	{ "ETRACK, but this thread has not left since", CODE(SGX_NOT_TRACKED),
	  .also = restricted_etrack },
	{ "restricted again after the ETRACK", CODE(SGX_NOT_TRACKED),
	  .also = restricted_twice },
	{ "a new TCS with reserved bytes", GP, .also = tcs_reserved },
	{ "a new TCS with CET fields (no CET here)", GP, .also = tcs_prevssp },
	{ "a new TCS with FLAGS.DBGOPTIN", GP, .also = tcs_dbgoptin },
	{ "a new TCS with CSSA = NSSA", GP, .also = tcs_cssa },
	{ "a new TCS with CSSA = NSSA = 0 (setting empty-tcs)", OK,
	  .also = tcs_nssa },
	{ "the same with empty-tcs=0", GP, .also = tcs_nssa_strict },
	{ "a new TCS with an AEP", GP, .also = tcs_aep },
	{ "a new TCS that is active", GP, .also = tcs_state },
};

const struct leaf leaf_eaccept = { .name = "EACCEPT",
				   .prepare = eaccept_prepare,
				   .run = eaccept_run,
				   .load = load_secinfo,
				   LEAF_ROWS(eaccept_rows) };

/* ---- EMODPE ------------------------------------------------------------ */

static void emodpe_prepare(struct call *c)
{
	inside(c, KIT_RO);
	c->si.flags = REG | SGX_SECINFO_R | SGX_SECINFO_X;
}

static struct mach_result emodpe_run(struct call *c)
{
	return run_sgx2(c, SGX_EMODPE);
}

static void ask_w_only(struct call *c)
{
	c->kit.m->epcm[c->role[ROLE_RCX]].flags &= ~EPCM_R;
	c->si.flags = REG | SGX_SECINFO_W;
}

static void ask_no_type(struct call *c)
{
	c->si.flags = SGX_SECINFO_W;
}

static void own_tcs(struct call *c)
{
	c->rcx = kit_addr(0, KIT_TCS1);
}

static void pe_wrong_place(struct call *c)
{
	c->rcx = kit_addr(0, KIT_FREE);
	*pte(c, KIT_FREE) = *pte(c, KIT_RO);
}

static const struct row emodpe_rows[] = {
	{ "more rights", OK },
	{ "SECINFO.FLAGS.PT is not looked at", OK, .also = ask_no_type },
	{ "a page with PR", OK, .tamper = { ROLE_RCX, .set = EPCM_PR } },
	SECINFO_ROWS,
	{ "the target page is absent", PAGING(ROLE_RCX), .also = rcx_absent },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  .also = rcx_not_epc },
	{ "the target page is in use by another SGX2 leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the target page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the target page is PENDING", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_PENDING } },
	{ "the target page is MODIFIED", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_MODIFIED } },
	{ "the target page is BLOCKED", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_BLOCKED } },
	{ "the target page is not PT_REG", PF(ROLE_RCX), .also = own_tcs },
	{ "the target page is another enclave's", PF(ROLE_RCX),
	  .also = rcx_other_enclave },
	{ "the target page is not at its ENCLAVEADDRESS", PF(ROLE_RCX),
	  .also = pe_wrong_place },
	{ "W on a page without R, R not asked for", GP, .also = ask_w_only },
};

const struct leaf leaf_emodpe = { .name = "EMODPE",
				  .prepare = emodpe_prepare,
				  .run = emodpe_run,
				  .load = load_secinfo,
				  LEAF_ROWS(emodpe_rows) };

/* ---- EACCEPTCOPY ------------------------------------------------------- */

static void eacceptcopy_prepare(struct call *c)
{
	eaccept_prepare(c);
	c->si.flags = REG | SGX_SECINFO_R | SGX_SECINFO_X;
	c->rdx = kit_addr(0, KIT_CODE);
	c->role[ROLE_RDX] = kit_page_epc(&c->kit, 0, KIT_CODE);
}

static struct mach_result eacceptcopy_run(struct call *c)
{
	return run_sgx2(c, SGX_EACCEPTCOPY);
}

static void copy_w_only(struct call *c)
{
	c->si.flags = REG | SGX_SECINFO_W;
}

static void copy_tcs(struct call *c)
{
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
}

static void src_absent(struct call *c)
{
	pte(c, KIT_CODE)->prot = MACH_PTE_ABSENT;
}

static void src_tcs(struct call *c)
{
	c->rdx = kit_addr(0, KIT_TCS1);
}

static void dst_read_only(struct call *c)
{
	pte(c, KIT_FREE)->prot = MACH_R;
}

static const struct row eacceptcopy_rows[] = {
	{ "a PENDING page, R and X for it", OK },
	SECINFO_ROWS,
	{ "RDX is not 4 KiB aligned", GP, POKE(rdx, 64) },
	{ "RDX is not in ELRANGE", GP, POKE(rdx, KIT_SIZE) },
	{ "SECINFO.FLAGS.PT is not PT_REG", GP, .also = copy_tcs },
	{ "SECINFO.FLAGS has W without R", GP, .also = copy_w_only },
	{ "the destination is absent", PAGING(ROLE_RCX), .also = rcx_absent },
	{ "the destination may not be written by the page table",
	  PAGING(ROLE_RCX), .also = dst_read_only },
	{ "the source is absent", PAGING(ROLE_RDX), .also = src_absent },
	{ "the source is not VALID", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .clear = EPCM_VALID } },
	{ "the source lacks R", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .clear = EPCM_R } },
	{ "the source is PENDING", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .set = EPCM_PENDING } },
	{ "the source is MODIFIED", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .set = EPCM_MODIFIED } },
	{ "the source is BLOCKED", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .set = EPCM_BLOCKED } },
	{ "the source is not PT_REG", PF(ROLE_RDX), .also = src_tcs },
	{ "the destination is in use by another SGX2 leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the destination is not VALID", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the destination is not PENDING", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_PENDING } },
	{ "the destination is MODIFIED", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .set = EPCM_MODIFIED } },
	{ "the destination is another enclave's",
	  CODE(SGX_PAGE_ATTRIBUTES_MISMATCH), .also = rcx_other_enclave },
	{ "the destination has X", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .set = EPCM_X } },
	{ "the destination lacks W", CODE(SGX_PAGE_ATTRIBUTES_MISMATCH),
	  .tamper = { ROLE_RCX, .clear = EPCM_W } },
	{ "the destination is not at its ENCLAVEADDRESS",
	  CODE(SGX_PAGE_ATTRIBUTES_MISMATCH), .also = wrong_place },
};

const struct leaf leaf_eacceptcopy = { .name = "EACCEPTCOPY",
				       .prepare = eacceptcopy_prepare,
				       .run = eacceptcopy_run,
				       .load = load_secinfo,
				       LEAF_ROWS(eacceptcopy_rows) };
