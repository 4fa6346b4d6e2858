/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: EWB ELDU ELDB. */
#include <string.h>

#include "tests/model/conform_leaf.h"

/* A VA page; RDX is a slot of it. */
static void va_make(struct call *c)
{
	c->role[ROLE_RDX] = kit_epc(&c->kit);
	c->rdx = mach_epc_addr(c->role[ROLE_RDX]);
	step(mach_epa(c->kit.m, SGX_PT_VA, c->rdx));
	c->rdx += 16;
}

static void operands(struct call *c, unsigned page)
{
	c->pi.srcpge = (uintptr_t)&c->src;
	c->pi.secinfo = (uintptr_t)&c->pcmd;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 0, page);
	c->role[ROLE_SECS] = c->kit.encl[0].secs;
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static void block_and_track(struct call *c)
{
	step(mach_eblock(c->kit.m, c->rcx));
	step(mach_etrack(c->kit.m, kit_secs(&c->kit, 0)));
}

/* ---- EWB --------------------------------------------------------------- */

static void ewb_prepare(struct call *c)
{
	va_make(c);
	operands(c, KIT_DATA);
	block_and_track(c);
}

static struct mach_result ewb_run(struct call *c)
{
	return mach_ewb(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx, c->rdx);
}

static void other_page(struct call *c)
{
	operands(c, KIT_RO);
}

static void block_only(struct call *c)
{
	other_page(c);
	step(mach_eblock(c->kit.m, c->rcx));
}

static void block_inside(struct call *c)
{
	step(kit_enter(&c->kit, 0, 0, KIT_TCS0));
	other_page(c);
	block_and_track(c);
}

static void block_left(struct call *c)
{
	block_inside(c);
	kit_aex(&c->kit, 0);
}

static void wb_secs(struct call *c)
{
	c->rcx = kit_secs(&c->kit, 0);
}

static void wb_secs_alone(struct call *c)
{
	unsigned i;

	for (i = 0; i < KIT_BUILT; i++)
		step(mach_eremove(c->kit.m, kit_page_addr(&c->kit, 0, i)));
	wb_secs(c);
}

static void wb_va(struct call *c)
{
	uint32_t va = kit_epc(&c->kit);

	c->rcx = mach_epc_addr(va);
	step(mach_epa(c->kit.m, SGX_PT_VA, c->rcx));
}

static void slot_taken(struct call *c)
{
	uint8_t *p = page_of(c->kit.m, c->role[ROLE_RDX]);

	p[c->rdx & 0xfff] = 1;
}

static void same_page(struct call *c)
{
	c->rdx = c->rcx;
}

static void slot_misaligned(struct call *c)
{
	c->rdx += 4;
}

static void va_is_reg(struct call *c)
{
	c->rdx = kit_page_addr(&c->kit, 0, KIT_RO);
}

static const struct row ewb_rows[] = {
	{ "a blocked and tracked PT_REG page", OK },
	{ "tracked by the last thread's exit", OK, .also = block_left },
	{ "a PT_SECS page without children", OK, .also = wb_secs_alone },
	{ "a PT_VA page", OK, .also = wb_va },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RDX is not 8-byte aligned", GP, POKE(rdx, 4) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "RDX does not resolve within the EPC", PF(ROLE_RDX),
	  POKE(rdx, BEYOND) },
	{ "RCX and RDX are in one page", GP, .also = same_page },
	{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP, POKE(pi.srcpge, 64) },
	{ "PAGEINFO.PCMD is not 128-byte aligned", GP, POKE(pi.secinfo, 64) },
	{ "PAGEINFO.SECS is not 0", GP, POKE(pi.secs, 4096) },
	{ "PAGEINFO.LINADDR is not 0", GP, POKE(pi.linaddr, 4096) },
	{ "RCX is beyond the EPC before RDX is misaligned", PF(ROLE_RCX),
	  POKE(rcx, BEYOND), .also = slot_misaligned },
	{ "the EPC page is not VALID before RDX is in no PT_VA page",
	  PF(ROLE_RCX), .tamper = { ROLE_RCX, .clear = EPCM_VALID },
	  .also = va_is_reg },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the VA page is in use by another leaf", GP,
	  .tamper = { ROLE_RDX, .lock = LOCK_EXCL } },
	{ "the VA page is not VALID", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .clear = EPCM_VALID } },
	{ "RDX is in no PT_VA page", PF(ROLE_RDX), .also = va_is_reg },
	{ "the EPC page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the EPC page is not BLOCKED", CODE(SGX_PAGE_NOT_BLOCKED),
	  .also = other_page },
	{ "no ETRACK after EBLOCK", CODE(SGX_NOT_TRACKED), .also = block_only },
	{ "a thread from before the ETRACK is still inside",
	  CODE(SGX_NOT_TRACKED), .also = block_inside },
	{ "a PT_SECS page with children", CODE(SGX_CHILD_PRESENT),
	  .also = wb_secs },
	{ "the VA slot is occupied: the page goes all the same",
	  CODE(SGX_VA_SLOT_OCCUPIED), .also = slot_taken },
};

const struct leaf leaf_ewb = { .name = "EWB",
			       .prepare = ewb_prepare,
			       .run = ewb_run,
			       LEAF_ROWS(ewb_rows) };

/* ---- ELDU and ELDB ------------------------------------------------------ */

static void eld_prepare(struct call *c)
{
	ewb_prepare(c);
	step(ewb_run(c));
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
	c->pi.secs = kit_secs(&c->kit, 0);
	c->want_addr = c->pi.secs;
}

static struct mach_result eldu_run(struct call *c)
{
	return mach_eldu(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx, c->rdx);
}

static struct mach_result eldb_run(struct call *c)
{
	return mach_eldb(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx, c->rdx);
}

static void data_changed(struct call *c)
{
	c->src[77] ^= 1;
}

static void mac_changed(struct call *c)
{
	c->pcmd.mac[0] ^= 1;
}

static void other_enclave(struct call *c)
{
	c->pi.secs = kit_secs(&c->kit, 1);
}

static void pcmd_is_va(struct call *c)
{
	c->pcmd.secinfo.flags = SGX_SECINFO_PT(SGX_PT_VA);
}

static void secs_beyond(struct call *c)
{
	c->pi.secs += BEYOND;
	c->want_addr = c->pi.secs;
}

static void secs_is_reg(struct call *c)
{
	c->pi.secs = kit_page_addr(&c->kit, 0, KIT_RO);
	c->want_addr = c->pi.secs;
}

/* A second eviction at the same place: the first copy is old. */
static void replay(struct call *c)
{
	struct call old = *c;

	step(eldu_run(c));
	step(mach_eblock(c->kit.m, c->rcx));
	step(mach_etrack(c->kit.m, kit_secs(&c->kit, 0)));
	c->pi.secs = 0;
	c->pi.linaddr = 0;
	step(ewb_run(c));
	memcpy(c->src, old.src, sizeof(c->src));
	c->pcmd = old.pcmd;
	c->pi.secs = kit_secs(&c->kit, 0);
}

#define ELD_ROWS                                                               \
	{ "a page that EWB wrote, its slot, its place", OK },                  \
		{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },            \
		{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },             \
		{ "RDX is not 8-byte aligned", GP, POKE(rdx, 4) },             \
		{ "RCX does not resolve within the EPC", PF(ROLE_RCX),         \
		  POKE(rcx, BEYOND) },                                         \
		{ "RDX does not resolve within the EPC", PF(ROLE_RDX),         \
		  POKE(rdx, BEYOND) },                                         \
		{ "RCX and RDX are in one page", GP, .also = same_page },      \
		{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP,                  \
		  POKE(pi.srcpge, 64) },                                       \
		{ "PAGEINFO.PCMD is not 128-byte aligned", GP,                 \
		  POKE(pi.secinfo, 64) },                                      \
		{ "the EPC page is in use by another leaf", GP,                \
		  .tamper = { ROLE_RCX, .lock = 1 } },                         \
		{ "the VA page is in use by another leaf", GP,                 \
		  .tamper = { ROLE_RDX, .lock = LOCK_EXCL } },                 \
		{ "RDX is in no PT_VA page", PF(ROLE_RDX),                     \
		  .also = va_is_reg },                                         \
		{ "the EPC page is VALID", PF(ROLE_RCX),                       \
		  .tamper = { ROLE_RCX,                                        \
			      .set = EPCM_VALID | EPCM_PT(SGX_PT_REG) } },     \
		{ "PCMD.SECINFO has reserved bits",                            \
		  CODE(SGX_MAC_COMPARE_FAIL),                                  \
		  POKE(pcmd.secinfo.flags, 1 << 16) },                         \
		{ "PCMD.SECINFO has reserved bytes",                           \
		  CODE(SGX_MAC_COMPARE_FAIL),                                  \
		  POKE(pcmd.secinfo.reserved[8], 1) },                         \
		{ "PCMD.SECINFO has another type", CODE(SGX_MAC_COMPARE_FAIL), \
		  POKE(pcmd.secinfo.flags, SGX_SECINFO_PT(3)) },               \
		{ "PCMD.SECINFO says PT_VA", CODE(SGX_MAC_COMPARE_FAIL),       \
		  .also = pcmd_is_va },                                        \
		{ "PAGEINFO.SECS is not 4 KiB aligned", GP,                    \
		  POKE(pi.secs, 64) },                                         \
		{ "PAGEINFO.SECS does not resolve within the EPC",             \
		  PF(ROLE_SECS), .also = secs_beyond },                        \
		{ "PAGEINFO.SECS is no PT_SECS page", PF(ROLE_SECS),           \
		  .also = secs_is_reg },                                       \
		{ "the SECS is in use by another leaf", GP,                    \
		  .tamper = { ROLE_SECS, .lock = LOCK_EXCL } },                \
		{ "the page's bytes were changed", CODE(SGX_MAC_COMPARE_FAIL), \
		  .also = data_changed },                                      \
		{ "PCMD.MAC was changed", CODE(SGX_MAC_COMPARE_FAIL),          \
		  .also = mac_changed },                                       \
		{ "PCMD.SECINFO rights were changed",                          \
		  CODE(SGX_MAC_COMPARE_FAIL),                                  \
		  POKE(pcmd.secinfo.flags, SGX_SECINFO_X) },                   \
		{ "PCMD.ENCLAVEID was changed: it is not looked at", OK,       \
		  POKE(pcmd.enclaveid, 1) },                                   \
		{ "PAGEINFO.LINADDR is another page's",                        \
		  CODE(SGX_MAC_COMPARE_FAIL), POKE(pi.linaddr, 4096) },        \
		{ "PAGEINFO.SECS is another enclave's",                        \
		  CODE(SGX_MAC_COMPARE_FAIL), .also = other_enclave },         \
		{ "another VA slot, an empty one", CODE(SGX_MAC_COMPARE_FAIL), \
		  POKE(rdx, 8) },                                              \
	{                                                                      \
		"an older copy of the page (replay)",                          \
			CODE(SGX_MAC_COMPARE_FAIL), .also = replay             \
	}

static const struct row eldu_rows[] = { ELD_ROWS };
static const struct row eldb_rows[] = { ELD_ROWS };

const struct leaf leaf_eldu = { .name = "ELDU",
				.prepare = eld_prepare,
				.run = eldu_run,
				LEAF_ROWS(eldu_rows),
				.scribbles = true };
const struct leaf leaf_eldb = { .name = "ELDB",
				.prepare = eld_prepare,
				.run = eldb_run,
				LEAF_ROWS(eldb_rows),
				.scribbles = true };
