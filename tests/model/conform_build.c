/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: ECREATE EADD EEXTEND. */
#include <string.h>

#include "tests/model/conform_leaf.h"

/* ---- ECREATE ----------------------------------------------------------- */

static void ecreate_prepare(struct call *c)
{
	struct kit_spec s;

	kit_spec_default(&s, 0);
	c->secs = s.secs;
	c->si.flags = SGX_SECINFO_PT(SGX_PT_SECS);
	c->pi.srcpge = (uintptr_t)&c->src;
	c->pi.secinfo = (uintptr_t)&c->si;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result ecreate_run(struct call *c)
{
	return mach_ecreate(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void kss_configid(struct call *c)
{
	c->secs.attributes.flags |= SGX_ATTR_KSS;
	c->secs.configid[0] = 1;
	c->secs.configsvn = 1;
}

static void no_kss(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_KSS;
	c->secs.attributes.flags |= SGX_ATTR_KSS;
}

static void no_exinfo(struct call *c)
{
	c->kit.m->cfg.features &= ~MACH_F_EXINFO;
}

static void small_ssa(struct call *c)
{
	c->kit.m->cfg.xfrm |= 0x60000;
	c->secs.attributes.xfrm = 0x600e7;
	c->secs.ssaframesize = 2;
}

static void size_limit(struct call *c)
{
	c->kit.m->cfg.size_log2_64 = 18;
}

static void mode32_limit(struct call *c)
{
	c->secs.attributes.flags &= ~SGX_ATTR_MODE64BIT;
	c->kit.m->cfg.size_log2_32 = 18;
}

static void mode32_base(struct call *c)
{
	c->secs.attributes.flags &= ~SGX_ATTR_MODE64BIT;
	c->secs.base = 1ull << 32;
}

static void one_page(struct call *c)
{
	c->secs.size = SGX_PAGE_SIZE;
}

static const struct row ecreate_rows[] = {
	{ "a legal SECS", OK },
	{ "a legal SECS with KSS, CONFIGID and CONFIGSVN", OK,
	  .also = kss_configid },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP, POKE(pi.srcpge, 64) },
	{ "PAGEINFO.SECINFO is not 64-byte aligned", GP, POKE(pi.secinfo, 8) },
	{ "PAGEINFO.LINADDR is not 0", GP, POKE(pi.linaddr, 4096) },
	{ "PAGEINFO.SECS is not 0", GP, POKE(pi.secs, 4096) },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[8], 1) },
	{ "SECINFO.FLAGS.PT is not PT_SECS", GP,
	  POKE(si.flags, SGX_SECINFO_PT(SGX_PT_REG)) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_REG) } },
	{ "SECS.XFRM lacks x87 or SSE", GP, POKE(secs.attributes.xfrm, -1ll) },
	{ "SECS.XFRM has a component that the processor lacks", GP,
	  POKE(secs.attributes.xfrm, 1 << 9) },
	{ "SECS.XFRM has AVX-512 in part", GP,
	  POKE(secs.attributes.xfrm, -0x20ll) },
	{ "SECS.XFRM has AVX-512 without AVX", GP,
	  POKE(secs.attributes.xfrm, -4ll) },
	{ "SECS.MISCSELECT has an unknown bit", GP, POKE(secs.miscselect, 2) },
	{ "SECS.MISCSELECT.EXINFO on a processor without", GP,
	  .also = no_exinfo },
	{ "SECS.SSAFRAMESIZE is 0", GP, POKE(secs.ssaframesize, -1ll) },
	{ "SECS.SSAFRAMESIZE is too small for XFRM (AMX)", GP,
	  .also = small_ssa },
	{ "SECS.BASE is not canonical", GP, POKE(secs.base, 1ll << 47) },
	{ "32-bit: SECS.BASE is above 4 GiB", GP, .also = mode32_base },
	{ "SECS.SIZE is at the limit of CPUID.12H.0:EDX[15:8]", GP,
	  .also = size_limit },
	{ "32-bit: SECS.SIZE is at the limit of CPUID.12H.0:EDX[7:0]", GP,
	  .also = mode32_limit },
	{ "SECS.SIZE is 0", GP, POKE(secs.size, -0x40000ll) },
	{ "SECS.SIZE is one page", GP, .also = one_page },
	{ "SECS.SIZE is not a power of two", GP, POKE(secs.size, 4096) },
	{ "SECS.BASE is not aligned on SECS.SIZE", GP, POKE(secs.base, 4096) },
	{ "SECS.ATTRIBUTES has a reserved bit", GP,
	  POKE(secs.attributes.flags, 8) },
	{ "SECS.ATTRIBUTES.INIT is set", GP,
	  POKE(secs.attributes.flags, SGX_ATTR_INIT) },
	{ "SECS.ATTRIBUTES.CET is set (no CET here)", GP,
	  POKE(secs.attributes.flags, SGX_ATTR_CET) },
	{ "SECS.ATTRIBUTES.KSS on a processor without", GP, .also = no_kss },
	{ "SECS.CET_ATTRIBUTES is not 0", GP, POKE(secs.cet_attributes, 1) },
	{ "SECS has reserved bytes (after MRENCLAVE)", GP,
	  POKE(secs.reserved2[8], 1) },
	{ "SECS has reserved bytes (after MRSIGNER)", GP,
	  POKE(secs.reserved3[8], 1) },
	{ "SECS has reserved bytes (at the end)", GP, POKE(src[4088], 1) },
	{ "SECS.CONFIGID without KSS", GP, POKE(secs.configid, 1) },
	{ "SECS.CONFIGSVN without KSS", GP, POKE(secs.configsvn, 1) },
};

const struct leaf leaf_ecreate = { .name = "ECREATE",
				   .prepare = ecreate_prepare,
				   .run = ecreate_run,
				   LEAF_ROWS(ecreate_rows),
				   .scribbles = true };

/* ---- EADD -------------------------------------------------------------- */

static void eadd_prepare(struct call *c)
{
	memset(c->src, 0, sizeof(c->src));
	c->si.flags =
		SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W;
	c->pi.linaddr = kit_addr(1, KIT_DATA);
	c->pi.srcpge = (uintptr_t)&c->src;
	c->pi.secinfo = (uintptr_t)&c->si;
	c->pi.secs = kit_secs(&c->kit, 1);
	c->want_addr = c->pi.secs;
	c->rbx = (uintptr_t)&c->pi;
	c->role[ROLE_RCX] = kit_epc(&c->kit);
	c->role[ROLE_SECS] = c->kit.encl[1].secs;
	c->rcx = mach_epc_addr(c->role[ROLE_RCX]);
}

static struct mach_result eadd_run(struct call *c)
{
	return mach_eadd(c->kit.m, (void *)(uintptr_t)c->rbx, c->rcx);
}

static void a_tcs(struct call *c)
{
	c->si.flags = SGX_SECINFO_PT(SGX_PT_TCS);
	c->tcs.nssa = 1;
}

static void tcs_rwx(struct call *c)
{
	a_tcs(c);
	c->si.flags |= SGX_SECINFO_RWX;
}

static void tcs_reserved(struct call *c)
{
	a_tcs(c);
	c->tcs.reserved[4000] = 1;
}

static void tcs_cet(struct call *c)
{
	a_tcs(c);
	c->tcs.prevssp = 8;
}

static void tcs_mode32(struct call *c, uint32_t fslimit, uint32_t gslimit)
{
	a_tcs(c);
	secs_of(c->kit.m, c->role[ROLE_SECS])->attributes.flags &=
		~SGX_ATTR_MODE64BIT;
	c->tcs.fslimit = fslimit;
	c->tcs.gslimit = gslimit;
}

static void tcs_fslimit(struct call *c)
{
	tcs_mode32(c, 0xffe, 0xfff);
}

static void tcs_gslimit(struct call *c)
{
	tcs_mode32(c, 0xfff, 0xffe);
}

static void tcs_limits(struct call *c)
{
	tcs_mode32(c, 0xfff, 0xfff);
}

static void into_initialised(struct call *c)
{
	c->pi.secs = kit_secs(&c->kit, 0);
	c->pi.linaddr = kit_addr(0, KIT_FREE);
}

static void secs_is_reg(struct call *c)
{
	c->pi.secs = kit_page_addr(&c->kit, 0, KIT_DATA);
	c->want_addr = c->pi.secs;
}

static void secs_beyond(struct call *c)
{
	c->pi.secs += BEYOND;
	c->want_addr = c->pi.secs;
}

static const struct row eadd_rows[] = {
	{ "a PT_REG page", OK },
	{ "a PT_TCS page", OK, .also = a_tcs },
	{ "a PT_TCS page with R, W, X, which are ignored", OK,
	  .also = tcs_rwx },
	{ "RBX is not 32-byte aligned", GP, POKE(rbx, 8) },
	{ "RCX is not 4 KiB aligned", GP, POKE(rcx, 64) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "PAGEINFO.SRCPGE is not 4 KiB aligned", GP, POKE(pi.srcpge, 64) },
	{ "PAGEINFO.SECS is not 4 KiB aligned", GP, POKE(pi.secs, 64) },
	{ "PAGEINFO.SECINFO is not 64-byte aligned", GP, POKE(pi.secinfo, 8) },
	{ "PAGEINFO.LINADDR is not 4 KiB aligned", GP, POKE(pi.linaddr, 64) },
	{ "PAGEINFO.SECS does not resolve within the EPC", PF(ROLE_SECS),
	  .also = secs_beyond },
	{ "SECINFO.FLAGS has reserved bits", GP, POKE(si.flags, 1 << 16) },
	{ "SECINFO has reserved bytes", GP, POKE(si.reserved[48], 1) },
	{ "SECINFO.FLAGS.PT is PT_SECS", GP,
	  POKE(si.flags, -SGX_SECINFO_PT(SGX_PT_REG)) },
	{ "SECINFO.FLAGS.PT is PT_VA", GP, POKE(si.flags, SGX_SECINFO_PT(1)) },
	{ "SECINFO.FLAGS.PT is PT_TRIM", GP,
	  POKE(si.flags, SGX_SECINFO_PT(2)) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = 1 } },
	{ "the SECS is in use by EADD, EEXTEND or EINIT", GP,
	  .tamper = { ROLE_SECS, .lock = LOCK_MORE } },
	{ "the EPC page is VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_VALID | EPCM_PT(SGX_PT_VA) } },
	{ "the SECS is not VALID", PF(ROLE_SECS),
	  .tamper = { ROLE_SECS, .clear = EPCM_VALID } },
	{ "PAGEINFO.SECS is no PT_SECS page", PF(ROLE_SECS),
	  .also = secs_is_reg },
	{ "TCS has reserved bytes", GP, .also = tcs_reserved },
	{ "TCS has CET fields (no CET here)", GP, .also = tcs_cet },
	{ "32-bit: TCS limits that end on pages", OK, .also = tcs_limits },
	{ "32-bit: TCS.FSLIMIT does not end on a page", GP,
	  .also = tcs_fslimit },
	{ "32-bit: TCS.GSLIMIT does not end on a page", GP,
	  .also = tcs_gslimit },
	{ "SECINFO.FLAGS has W without R", GP, POKE(si.flags, -1ll) },
	{ "PAGEINFO.LINADDR is below ELRANGE", GP,
	  POKE(pi.linaddr, -KIT_SIZE) },
	{ "PAGEINFO.LINADDR is above ELRANGE", GP, POKE(pi.linaddr, KIT_SIZE) },
	{ "the enclave is initialised", GP, .also = into_initialised },
};

const struct leaf leaf_eadd = { .name = "EADD",
				.prepare = eadd_prepare,
				.run = eadd_run,
				LEAF_ROWS(eadd_rows) };

/* ---- EEXTEND ----------------------------------------------------------- */

static void eextend_prepare(struct call *c)
{
	c->rbx = kit_secs(&c->kit, 1);
	c->rcx = kit_page_addr(&c->kit, 1, KIT_OPS) + 512;
	c->role[ROLE_RBX] = c->kit.encl[1].secs;
	c->role[ROLE_RCX] = kit_page_epc(&c->kit, 1, KIT_OPS);
}

static struct mach_result eextend_run(struct call *c)
{
	return mach_eextend(c->kit.m, c->rbx, c->rcx);
}

static void extend_initialised(struct call *c)
{
	c->rbx = kit_secs(&c->kit, 0);
	c->rcx = kit_page_addr(&c->kit, 0, KIT_OPS);
}

static void extend_tcs(struct call *c)
{
	c->rcx = kit_page_addr(&c->kit, 1, KIT_TCS0);
}

static void extend_other(struct call *c)
{
	c->rbx = kit_secs(&c->kit, 0);
}

static void extend_secs(struct call *c)
{
	c->rcx = c->rbx;
}

static const struct row eextend_rows[] = {
	{ "a chunk of a PT_REG page", OK },
	{ "a chunk of a PT_TCS page", OK, .also = extend_tcs },
	{ "RBX is not 4 KiB aligned", GP, POKE(rbx, 64) },
	{ "RCX is not 256-byte aligned", GP, POKE(rcx, 64) },
	{ "RBX does not resolve within the EPC", PF(ROLE_RBX),
	  POKE(rbx, BEYOND) },
	{ "RCX does not resolve within the EPC", PF(ROLE_RCX),
	  POKE(rcx, BEYOND) },
	{ "the EPC page is in use by another leaf", GP,
	  .tamper = { ROLE_RCX, .lock = LOCK_EXCL } },
	{ "the EPC page is not VALID", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_VALID } },
	{ "the page is not PT_REG or PT_TCS", PF(ROLE_RCX),
	  .also = extend_secs },
	{ "the SECS is in use by EADD, EEXTEND or EINIT", GP,
	  .tamper = { ROLE_RBX, .lock = LOCK_MORE } },
	{ "the enclave is initialised", GP, .also = extend_initialised },
	{ "RBX is not the SECS of the page", GP, .also = extend_other },
};

const struct leaf leaf_eextend = { .name = "EEXTEND",
				   .prepare = eextend_prepare,
				   .run = eextend_run,
				   LEAF_ROWS(eextend_rows) };
