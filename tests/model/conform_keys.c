/* SPDX-License-Identifier: BSD-3-Clause */
/* Conformance rows: EREPORT EGETKEY. */
#include <string.h>

#include "tests/model/conform_inside.h"

/* ---- EREPORT ----------------------------------------------------------- */

static void ereport_prepare(struct call *c)
{
	inside(c, KIT_RO);
	c->rdx = kit_addr(0, KIT_DATA) + 512;
	c->role[ROLE_RDX] = kit_page_epc(&c->kit, 0, KIT_DATA);
}

static struct mach_result ereport_run(struct call *c)
{
	struct mach_frame *f = &c->kit.frame;

	f->rax = SGX_EREPORT;
	f->rbx = c->rbx;
	f->rcx = c->rcx;
	f->rdx = c->rdx;
	return mach_enclu(c->kit.m, &c->kit.cpu[0], f);
}

static void out_absent(struct call *c)
{
	pte(c, KIT_DATA)->prot = MACH_PTE_ABSENT;
}

static const struct row ereport_rows[] = {
	{ "three operands in the enclave", OK },
	{ "outside the enclave", GP, .also = outside },
	{ "RBX is not 512-byte aligned", GP, POKE(rbx, 256) },
	{ "RCX is not 128-byte aligned", GP, POKE(rcx, 64) },
	{ "RDX is not 512-byte aligned", GP, POKE(rdx, 256) },
	{ "RBX is not in ELRANGE", GP, POKE(rbx, KIT_SIZE) },
	{ "RCX is not in ELRANGE", GP, POKE(rcx, KIT_SIZE) },
	{ "RDX is not in ELRANGE", GP, POKE(rdx, KIT_SIZE) },
	{ "TARGETINFO's page is absent", PAGING(ROLE_RBX), .also = ops_absent },
	{ "TARGETINFO's page lacks R", PF(ROLE_RBX),
	  .tamper = { ROLE_RBX, .clear = EPCM_R } },
	{ "TARGETINFO's page is BLOCKED", PF(ROLE_RBX),
	  .tamper = { ROLE_RBX, .set = EPCM_BLOCKED } },
	{ "REPORTDATA's page is absent", PAGING(ROLE_RCX), .also = rcx_absent },
	{ "REPORTDATA's page lacks R", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_R } },
	{ "REPORTDATA's page is PENDING", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .set = EPCM_PENDING } },
	{ "the output page is absent", PAGING(ROLE_RDX), .also = out_absent },
	{ "the output page lacks W", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .clear = EPCM_W } },
	{ "the output page is MODIFIED", PF(ROLE_RDX),
	  .tamper = { ROLE_RDX, .set = EPCM_MODIFIED } },
};

const struct leaf leaf_ereport = { .name = "EREPORT",
				   .prepare = ereport_prepare,
				   .run = ereport_run,
				   LEAF_ROWS(ereport_rows) };

/* ---- EGETKEY ----------------------------------------------------------- */

static void egetkey_prepare(struct call *c)
{
	inside(c, KIT_DATA);
	c->keyrequest.keyname = SGX_KEY_SEAL;
	c->keyrequest.keypolicy = SGX_KEYPOLICY_MRSIGNER;
}

static void load_keyrequest(struct call *c)
{
	memcpy(kit_bytes(&c->kit, 0, KIT_OPS), &c->keyrequest,
	       sizeof(c->keyrequest));
}

static struct mach_result egetkey_run(struct call *c)
{
	struct mach_frame *f = &c->kit.frame;

	f->rax = SGX_EGETKEY;
	f->rbx = c->rbx;
	f->rcx = c->rcx;
	return mach_enclu(c->kit.m, &c->kit.cpu[0], f);
}

static void attribute(struct call *c, uint64_t bit)
{
	secs_of(c->kit.m, c->role[ROLE_SECS])->attributes.flags |= bit;
}

static void key(struct call *c, uint16_t name)
{
	c->keyrequest.keyname = name;
	c->keyrequest.keypolicy = 0;
}

static void key_report(struct call *c)
{
	key(c, SGX_KEY_REPORT);
	c->keyrequest.isvsvn = 0xffff;
}

static void key_provision(struct call *c)
{
	key(c, SGX_KEY_PROVISION);
}

static void key_provision_allowed(struct call *c)
{
	key_provision(c);
	attribute(c, SGX_ATTR_PROVISIONKEY);
}

static void key_provision_seal(struct call *c)
{
	key(c, SGX_KEY_PROVISION_SEAL);
}

static void key_provision_seal_allowed(struct call *c)
{
	key_provision_seal(c);
	attribute(c, SGX_ATTR_PROVISIONKEY);
}

static void key_token(struct call *c)
{
	key(c, SGX_KEY_EINITTOKEN);
}

static void key_token_allowed(struct call *c)
{
	key_token(c);
	attribute(c, SGX_ATTR_EINITTOKENKEY);
}

static void key_unknown(struct call *c)
{
	key(c, 5);
}

static void kss_policy(struct call *c)
{
	c->keyrequest.keypolicy |= SGX_KEYPOLICY_CONFIGID;
}

static void kss_policy_allowed(struct call *c)
{
	kss_policy(c);
	attribute(c, SGX_ATTR_KSS);
}

static void configsvn_beyond(struct call *c)
{
	kss_policy_allowed(c);
	c->keyrequest.configsvn = 1;
}

static const struct row egetkey_rows[] = {
	{ "a seal key", OK },
	{ "a report key, whatever its SVNs", OK, .also = key_report },
	{ "a provisioning key with PROVISIONKEY", OK,
	  .also = key_provision_allowed },
	{ "a provisioning seal key with PROVISIONKEY", OK,
	  .also = key_provision_seal_allowed },
	{ "a launch key with EINITTOKENKEY", OK, .also = key_token_allowed },
	{ "a KSS policy with KSS", OK, .also = kss_policy_allowed },
	{ "outside the enclave", GP, .also = outside },
	{ "RBX is not 512-byte aligned", GP, POKE(rbx, 256) },
	{ "RCX is not 16-byte aligned", GP, POKE(rcx, 8) },
	{ "RBX is not in ELRANGE", GP, POKE(rbx, KIT_SIZE) },
	{ "RCX is not in ELRANGE", GP, POKE(rcx, KIT_SIZE) },
	{ "KEYREQUEST's page is absent", PAGING(ROLE_RBX), .also = ops_absent },
	{ "KEYREQUEST's page lacks R", PF(ROLE_RBX),
	  .tamper = { ROLE_RBX, .clear = EPCM_R } },
	{ "the output page is absent", PAGING(ROLE_RCX), .also = rcx_absent },
	{ "the output page lacks W", PF(ROLE_RCX),
	  .tamper = { ROLE_RCX, .clear = EPCM_W } },
	{ "KEYREQUEST has reserved bytes", GP,
	  POKE(keyrequest.reserved2[8], 1) },
	{ "KEYREQUEST.CET_ATTRIBUTES_MASK is not 0 (no CET here)", GP,
	  POKE(keyrequest.cet_attributes_mask, 1) },
	{ "KEYPOLICY has reserved bits", GP,
	  POKE(keyrequest.keypolicy, 1 << 6) },
	{ "a KSS policy without KSS", GP, .also = kss_policy },
	{ "CONFIGSVN without KSS", GP, POKE(keyrequest.configsvn, 1) },
	{ "KEYNAME is unknown", CODE(SGX_INVALID_KEYNAME),
	  .also = key_unknown },
	{ "a provisioning key without PROVISIONKEY",
	  CODE(SGX_INVALID_ATTRIBUTE), .also = key_provision },
	{ "a provisioning seal key without PROVISIONKEY",
	  CODE(SGX_INVALID_ATTRIBUTE), .also = key_provision_seal },
	{ "a launch key without EINITTOKENKEY", CODE(SGX_INVALID_ATTRIBUTE),
	  .also = key_token },
	{ "CPUSVN is above the processor's", CODE(SGX_INVALID_CPUSVN),
	  POKE(keyrequest.cpusvn, 0xff) },
	{ "ISVSVN is above the enclave's", CODE(SGX_INVALID_ISVSVN),
	  POKE(keyrequest.isvsvn, 4) },
	{ "CONFIGSVN is above the enclave's", CODE(SGX_INVALID_ISVSVN),
	  .also = configsvn_beyond },
};

const struct leaf leaf_egetkey = { .name = "EGETKEY",
				   .prepare = egetkey_prepare,
				   .run = egetkey_run,
				   .load = load_keyrequest,
				   LEAF_ROWS(egetkey_rows) };
