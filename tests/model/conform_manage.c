/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: EAUG EMODPR EMODT ETRACK EBLOCK EREMOVE EPA EDBGRD/WR. */
#include <string.h>

#include "tests/model/conform_leaf.h"

static void no_sgx2(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_SGX2;
}

/* RCX is page @page of enclave 0. */
static void target(struct call *c, unsigned page)
{
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 0, page);
	c->role[ROLE_SECS] = c->kit.encl[0].secs;
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static void target_tcs(struct call *c)
{
	target(c, KIT_TCS0);
}

static void target_secs(struct call *c)
{
	c->rcx = kit_secs(&c->kit, 0);
	c->role[ROLE_RCX] = c->kit.encl[0].secs;
}

static void target_va(struct call *c)
{
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
	step(mach_epa(c->kit.m, SGX_PT_VA, c->rcx));
}

static void target_trim(struct call *c)
{
	step(kit_emodt(&c->kit, 0, KIT_DATA, SGX_PT_TRIM));
}

static void target_pending(struct call *c)
{
	step(kit_eaug(&c->kit, 0, KIT_FREE));
	target(c, KIT_FREE);
}

/* A page of enclave 1, which is not initialised. */
static void target_uninitialised(struct call *c)
{
	c->rcx = kit_page_addr(&c->kit, 1, KIT_OPS);
}

/* ---- EAUG -------------------------------------------------------------- */

static void eaug_prepare(struct call *c)
{
	c->pi.linaddr = kit_addr(0, KIT_FREE);
	c->pi.secs = kit_secs(&c->kit, 0);
	c->want_addr = c->pi.secs;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->role[ROLE_SECS] = c->kit.encl[0].secs;
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result eaug_run(struct call *c)
{
	return mach_eaug(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void eaug_secinfo(struct call *c)
{
	c->pi.secinfo = (uintptr_t)&c->si;
	c->si.flags =
		SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W;
}

static void eaug_reserved(struct call *c)
{
	eaug_secinfo(c);
	c->si.reserved[0] = 1;
}

static void eaug_tcs(struct call *c)
{
	eaug_secinfo(c);
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
}

static void eaug_shadow(struct call *c)
{
	eaug_secinfo(c);
	c->si.flags = SGX_SECINFO_PT(SGX_PT_SS_FIRST);
}

static void eaug_exec(struct call *c)
{
	eaug_secinfo(c);
	c->si.flags |= SGX_SECINFO_X;
}

static void eaug_uninitialised(struct call *c)
{
	c->pi.secs = kit_secs(&c->kit, 1);
	c->pi.linaddr = kit_addr(1, KIT_FREE);
}

static void eaug_beyond(struct call *c)
{
	c->pi.secs += BEYOND;
	c->want_addr = c->pi.secs;
}

static const struct row eaug_rows[] = {
	{ "a free page, PAGEINFO.SECINFO is 0", OK },
	{ "a free page, SECINFO says PT_REG, R and W", OK,
	  .also = eaug_secinfo },
	{ "the processor has no SGX2", GP, .also = no_sgx2 },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "PAGEINFO.SRCPGE is not 0", GP, POKE(pi.srcpge, 4096) },
	{ "PAGEINFO.SECS is not 4 KiB aligned", GP, POKE(pi.secs, 64) },
	{ "PAGEINFO.LINADDR is not 4 KiB aligned", GP, POKE(pi.linaddr, 64) },
	{ "PAGEINFO.SECINFO is not 64-byte aligned", GP, POKE(pi.secinfo, 8) },
	{ "SECINFO has reserved bytes", GP, .also = eaug_reserved },
	{ "SECINFO.FLAGS.PT is PT_TCS", GP, .also = eaug_tcs },
	{ "SECINFO.FLAGS.PT is PT_SS_FIRST (no CET here)", GP,
	  .also = eaug_shadow },
	{ "SECINFO.FLAGS has X", GP, .also = eaug_exec },
	{ "PAGEINFO.SECS does not resolve within the EPC", PF(ROLE_SECS),
	  .also = eaug_beyond },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the SECS is in use by another leaf", GP,
	  .tamper = { ROLE_SECS, .lock = LOCK_EXCL } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_VA) } },
	{ "the SECS is not VALID", PF(ROLE_SECS),
	  .tamper = { ROLE_SECS, .clear = EPCM_VALID } },
	{ "PAGEINFO.SECS is no PT_SECS page", PF(ROLE_SECS),
	  .tamper = { ROLE_SECS, .set = EPCM_PT(SGX_PT_REG) } },
	{ "the enclave is not initialised", GP, .also = eaug_uninitialised },
	{ "PAGEINFO.LINADDR is outside ELRANGE", GP,
	  POKE(pi.linaddr, KIT_SIZE) },
};

const struct leaf leaf_eaug = { .name = "EAUG",
				.prepare = eaug_prepare,
				.run = eaug_run,
				LEAF_ROWS(eaug_rows) };

/* ---- EMODPR ------------------------------------------------------------ */

static void emodpr_prepare(struct call *c)
{
	c->si.flags = SGX_SECINFO_R;
	c->rbx = (uintptr_t)&c->si;
	target(c, KIT_DATA);
}

static struct mach_result emodpr_run(struct call *c)
{
	return mach_emodpr(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static const struct row emodpr_rows[] = {
	{ "a PT_REG page, fewer rights", OK },
	{ "a PT_REG page, no rights", OK, POKE(si.flags, -1ll) },
	{ "rights that the page has not are not added", OK,
	  POKE(si.flags, SGX_SECINFO_X) },
	{ "the processor has no SGX2", GP, .also = no_sgx2 },
	{ "RBX is not 64-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[8], 1) },
	{ "SECINFO.FLAGS has W without R", GP, POKE(si.flags, 1) },
	{ "the EPC page is in use by a leaf that needs it alone", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the EPC page is in use by another SGX2 leaf",
	  CODE(SGX_EPC_PAGE_CONFLICT),
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the EPC page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the EPC page is PENDING", CODE(SGX_PAGE_NOT_MODIFIABLE),
	  .also = target_pending },
	{ "the EPC page is MODIFIED", CODE(SGX_PAGE_NOT_MODIFIABLE),
	  .also = target_trim },
	{ "the EPC page is not PT_REG", PF(ROLE_RCX), .also = target_tcs },
	{ "the EPC page is a trim that was accepted", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_PT_MASK,
		      .set = EPCM_PT(SGX_PT_TRIM) } },
	{ "the enclave is not initialised", GP, .also = target_uninitialised },
};

const struct leaf leaf_emodpr = { .name = "EMODPR",
				  .prepare = emodpr_prepare,
				  .run = emodpr_run,
				  LEAF_ROWS(emodpr_rows) };

/* ---- EMODT ------------------------------------------------------------- */

static void emodt_prepare(struct call *c)
{
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TRIM);
	c->rbx = (uintptr_t)&c->si;
	target(c, KIT_DATA);
}

static struct mach_result emodt_run(struct call *c)
{
	return mach_emodt(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void to_tcs(struct call *c)
{
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
}

static void tcs_to_tcs(struct call *c)
{
	to_tcs(c);
	target_tcs(c);
}

static void trimmed_to_tcs(struct call *c)
{
	to_tcs(c);
	c->kit.m->epcm[c->role[ROLE_RCX]].flags =
		EPCM_VALID | EPCM_PT(SGX_PT_TRIM);
}

static const struct row emodt_rows[] = {
	{ "PT_REG to PT_TRIM", OK },
	{ "PT_REG to PT_TCS", OK, .also = to_tcs },
	{ "PT_TCS to PT_TRIM", OK, .also = target_tcs },
	{ "the processor has no SGX2", GP, .also = no_sgx2 },
	{ "RBX is not 64-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[8], 1) },
	{ "SECINFO.FLAGS.PT is PT_REG", GP,
	  POKE(si.flags, -SGX_SECINFO_PT(2)) },
	{ "SECINFO.FLAGS.PT is PT_SECS", GP,
	  POKE(si.flags, -SGX_SECINFO_PT(4)) },
	{ "the EPC page is in use by a leaf that needs it alone",
	  CODE(SGX_EPC_PAGE_CONFLICT),
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the EPC page is in use by another SGX2 leaf",
	  CODE(SGX_EPC_PAGE_CONFLICT),
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE } },
	{ "the same, before its type is looked at", CODE(SGX_EPC_PAGE_CONFLICT),
	  .tamper = { ROLE_RCX, .lock = LOCK_MORE,
		      .clear = EPCM_PT_MASK | EPCM_RWX,
		      .set = EPCM_PT(SGX_PT_TCS) },
	  .also = to_tcs },
	{ "the EPC page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "PT_TCS to PT_TCS", PF(ROLE_RCX), .also = tcs_to_tcs },
	{ "PT_TRIM to PT_TCS", PF(ROLE_RCX), .also = trimmed_to_tcs },
	{ "a PT_SECS page", PF(ROLE_RCX), .also = target_secs },
	{ "the EPC page is PENDING", CODE(SGX_PAGE_NOT_MODIFIABLE),
	  .also = target_pending },
	{ "the EPC page is MODIFIED (a new PT_TCS)",
	  CODE(SGX_PAGE_NOT_MODIFIABLE),
	  .tamper = { ROLE_RCX, .clear = EPCM_PT_MASK | EPCM_RWX,
		      .set = EPCM_PT(SGX_PT_TCS) | EPCM_MODIFIED } },
	{ "the enclave is not initialised", GP, .also = target_uninitialised },
};

const struct leaf leaf_emodt = { .name = "EMODT",
				 .prepare = emodt_prepare,
				 .run = emodt_run,
				 LEAF_ROWS(emodt_rows) };

/* ---- ETRACK ------------------------------------------------------------ */

static void etrack_prepare(struct call *c)
{
	target_secs(c);
}

static struct mach_result etrack_run(struct call *c)
{
	return mach_etrack(c->kit.m, c->rcx);
}

static void track_inside(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
}

static void track_unfinished(struct call *c)
{
	track_inside(c);
	step(mach_etrack(c->kit.m, c->rcx));
}

static void track_finished(struct call *c)
{
	track_unfinished(c);
	kit_aex(&c->kit, 0);
}

static const struct row etrack_rows[] = {
	{ "nobody inside", OK },
	{ "a thread inside, no cycle under way", OK, .also = track_inside },
	{ "a cycle that ended with the last thread's exit", OK,
	  .also = track_finished },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the SECS is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the SECS is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "RCX is no PT_SECS page", PF(ROLE_RCX), .also = target_tcs },
	{ "threads of the cycle before are still inside",
	  CODE(SGX_PREV_TRK_INCMPL), .also = track_unfinished },
};

const struct leaf leaf_etrack = { .name = "ETRACK",
				  .prepare = etrack_prepare,
				  .run = etrack_run,
				  LEAF_ROWS(etrack_rows) };

/* ---- EBLOCK ------------------------------------------------------------ */

static void eblock_prepare(struct call *c)
{
	target(c, KIT_DATA);
}

static struct mach_result eblock_run(struct call *c)
{
	return mach_eblock(c->kit.m, c->rcx);
}

static void blocked_already(struct call *c)
{
	step(mach_eblock(c->kit.m, c->rcx));
}

static const struct row eblock_rows[] = {
	{ "a PT_REG page", OK },
	{ "a PT_TCS page", OK, .also = target_tcs },
	{ "a PT_TRIM page", OK, .also = target_trim },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the EPC page is in use by another leaf", CODE(SGX_EPC_PAGE_CONFLICT),
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the EPC page is not VALID", CODE(SGX_PG_INVLD),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "a PT_SECS page", CODE(SGX_PG_IS_SECS), .also = target_secs },
	{ "a PT_VA page", CODE(SGX_NOTBLOCKABLE), .also = target_va },
	{ "the EPC page is BLOCKED", CODE(SGX_BLKSTATE),
	  .also = blocked_already },
};

const struct leaf leaf_eblock = { .name = "EBLOCK",
				  .prepare = eblock_prepare,
				  .run = eblock_run,
				  LEAF_ROWS(eblock_rows) };

/* ---- EREMOVE ----------------------------------------------------------- */

static struct mach_result eremove_run(struct call *c)
{
	return mach_eremove(c->kit.m, c->rcx);
}

static void somebody_inside(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
}

static void accepted_trim_inside(struct call *c)
{
	target_trim(c);
	step(mach_etrack(c->kit.m, kit_secs(&c->kit, 0)));
	somebody_inside(c);
	step(kit_sgx2(&c->kit, 0, SGX_EACCEPT, KIT_DATA,
		      SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED));
}

static void unaccepted_trim_inside(struct call *c)
{
	target_trim(c);
	somebody_inside(c);
}

static void secs_alone(struct call *c)
{
	unsigned i;

	for (i = 0; i < KIT_BUILT; i++)
		step(mach_eremove(c->kit.m, kit_page_addr(&c->kit, 0, i)));
	target_secs(c);
}

static void free_page(struct call *c)
{
	c->rcx = mach_epc_addr(kit_epc(&c->kit));
}

static const struct row eremove_rows[] = {
	{ "a PT_REG page, nobody inside", OK },
	{ "a page that is not VALID", OK, .also = free_page },
	{ "a PT_VA page", OK, .also = target_va },
	{ "a PT_SECS page without children", OK, .also = secs_alone },
	{ "an accepted trim, a thread inside", OK,
	  .also = accepted_trim_inside },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "a PT_SECS page with children", CODE(SGX_CHILD_PRESENT),
	  .also = target_secs },
	{ "a PT_REG page, a thread inside", CODE(SGX_ENCLAVE_ACT),
	  .also = somebody_inside },
	{ "a trim not yet accepted, a thread inside", CODE(SGX_ENCLAVE_ACT),
	  .also = unaccepted_trim_inside },
};

const struct leaf leaf_eremove = { .name = "EREMOVE",
				   .prepare = eblock_prepare,
				   .run = eremove_run,
				   LEAF_ROWS(eremove_rows) };

/* ---- EPA --------------------------------------------------------------- */

static void epa_prepare(struct call *c)
{
	c->rbx = SGX_PT_VA;
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result epa_run(struct call *c)
{
	return mach_epa(c->kit.m, c->rbx, c->rcx);
}

static const struct row epa_rows[] = {
	{ "a free page", OK },
	{ "RBX is not PT_VA", GP, POKE(rbx, 1) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_REG) } },
};

const struct leaf leaf_epa = { .name = "EPA",
			       .prepare = epa_prepare,
			       .run = epa_run,
			       LEAF_ROWS(epa_rows) };

/* ---- EDBGRD and EDBGWR ------------------------------------------------- */

static void edbg_prepare(struct call *c)
{
	target(c, KIT_DATA);
	c->rcx += 128;
}

static struct mach_result edbgrd_run(struct call *c)
{
	return mach_edbgrd(c->kit.m, c->rcx, &c->rbx);
}

static struct mach_result edbgwr_run(struct call *c)
{
	return mach_edbgwr(c->kit.m, c->rcx, c->rbx);
}

static void tcs_flags(struct call *c)
{
	target_tcs(c);
	c->rcx += offsetof(struct sgx_tcs, flags);
}

static void tcs_ossa(struct call *c)
{
	target_tcs(c);
	c->rcx += offsetof(struct sgx_tcs, ossa);
}

static void tcs_reserved(struct call *c)
{
	target_tcs(c);
	c->rcx += 72;
}

static void not_debug(struct call *c)
{
	secs_of(c->kit.m, c->role[ROLE_SECS])->attributes.flags &=
		~SGX_ATTR_DEBUG;
}

#define EDBG_ROWS                                                            \
	{ "a PT_REG page of a debug enclave", OK },                          \
		{ "TCS.FLAGS", OK, .also = tcs_flags },                      \
		{ "RCX is not 8-byte aligned", GP, POKE(rcx, 4) },           \
		{ "RCX does not resolve within the EPC", PF(ROLE_RCX),       \
		  POKE(rcx, BEYOND) },                                       \
		{ "the EPC page is in use by another leaf", GP,              \
		  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },               \
		{ "the EPC page is not VALID", PF(ROLE_RCX),                 \
		  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },             \
		{ "the EPC page is PT_SECS", PF(ROLE_RCX),                   \
		  .also = target_secs },                                     \
		{ "the EPC page is PENDING", CODE(SGX_PAGE_NOT_DEBUGGABLE),  \
		  .also = target_pending },                                  \
		{ "the EPC page is MODIFIED", CODE(SGX_PAGE_NOT_DEBUGGABLE), \
		  .tamper = { ROLE_RCX, .set = EPCM_MODIFIED } },            \
	{                                                                    \
		"the enclave is not DEBUG", GP, .also = not_debug            \
	}

static const struct row edbgrd_rows[] = {
	EDBG_ROWS,
	{ "a PT_VA page (slots as 0 or ones)", OK, .also = target_va },
	{ "TCS.OSSA", OK, .also = tcs_ossa },
	{ "a TCS past its fields", GP, .also = tcs_reserved },
};

static const struct row edbgwr_rows[] = {
	EDBG_ROWS,
	{ "a PT_VA page", PF(ROLE_RCX), .also = target_va },
	{ "TCS.OSSA", GP, .also = tcs_ossa },
};

const struct leaf leaf_edbgrd = { .name = "EDBGRD",
				  .prepare = edbg_prepare,
				  .run = edbgrd_run,
				  LEAF_ROWS(edbgrd_rows) };
const struct leaf leaf_edbgwr = { .name = "EDBGWR",
				  .prepare = edbg_prepare,
				  .run = edbgwr_run,
				  LEAF_ROWS(edbgwr_rows) };
