/* SPDX-License-Identifier: BSD-3-Clause */
/* EREPORT and EGETKEY (SDM 3D 38.4), checks in the manual's order. */
#include "machine/model/keys.h"

#include <string.h>

#include "machine/model/crypto.h"

#define KEYPOLICY_KNOWN 0x3fu
#define KEYPOLICY_KSS                                         \
	(SGX_KEYPOLICY_NOISVPRODID | SGX_KEYPOLICY_CONFIGID | \
	 SGX_KEYPOLICY_ISVFAMILYID | SGX_KEYPOLICY_ISVEXTPRODID)

void key_derive(const struct mach *m, struct key_deps *deps, uint8_t key[16])
{
	memset(deps->padding, 0x36, sizeof(deps->padding));
	crypto_cmac(m->cfg.secret, deps, sizeof(*deps), key);
}

bool key_cpusvn_known(const struct mach *m, const uint8_t svn[16])
{
	unsigned i;

	/* Component by component: none may be newer than the machine. */
	for (i = 0; i < 16; i++)
		if (svn[i] > m->cfg.cpusvn[i])
			return false;
	return true;
}

/* ---- operands ---------------------------------------------------------- */

/* Copies an operand of the enclave into or out of its page, which it must not
 * cross: all of them are aligned on their size. */
static void operand_get(const struct mach *m, const struct operand *o,
			void *buf, size_t n)
{
	memcpy(buf, page_of(m, o->epc) + (o->addr & (SGX_PAGE_SIZE - 1)), n);
}

static void operand_put(const struct mach *m, const struct operand *o,
			const void *buf, size_t n)
{
	memcpy(page_of(m, o->epc) + (o->addr & (SGX_PAGE_SIZE - 1)), buf, n);
}

/* ---- EREPORT ----------------------------------------------------------- */

static void report_key(const struct mach *m, const struct sgx_targetinfo *t,
		       uint8_t key[16])
{
	struct key_deps d = { .keyname = SGX_KEY_REPORT };

	d.attributes = t->attributes;
	d.miscselect = t->miscselect;
	d.configsvn = t->configsvn;
	memcpy(d.mrenclave, t->mrenclave, sizeof(d.mrenclave));
	memcpy(d.configid, t->configid, sizeof(d.configid));
	memcpy(d.cpusvn, m->cfg.cpusvn, sizeof(d.cpusvn));
	memcpy(d.keyid, m->cfg.report_keyid, sizeof(d.keyid));
	memcpy(d.owner_epoch, m->cfg.owner_epoch, sizeof(d.owner_epoch));
	key_derive(m, &d, key);
}

static void report_fill(const struct mach *m, const struct mach_cpu *cpu,
			struct sgx_report *r)
{
	struct sgx_secs *s = secs_of(m, cpu->secs);
	const struct mach_hidden *h = hidden_of(s);

	memcpy(r->cpusvn, m->cfg.cpusvn, sizeof(r->cpusvn));
	r->miscselect = s->miscselect;
	memcpy(r->isvextprodid, h->isvextprodid, sizeof(r->isvextprodid));
	r->attributes = s->attributes;
	memcpy(r->mrenclave, s->mrenclave, sizeof(r->mrenclave));
	memcpy(r->mrsigner, s->mrsigner, sizeof(r->mrsigner));
	memcpy(r->configid, s->configid, sizeof(r->configid));
	r->isvprodid = s->isvprodid;
	r->isvsvn = s->isvsvn;
	r->configsvn = s->configsvn;
	memcpy(r->isvfamilyid, h->isvfamilyid, sizeof(r->isvfamilyid));
	memcpy(r->keyid, m->cfg.report_keyid, sizeof(r->keyid));
}

static struct mach_result ereport(struct mach *m, const struct mach_cpu *cpu,
				  const struct mach_frame *f)
{
	struct operand target = { .addr = f->rbx, .access = MACH_R };
	struct operand data = { .addr = f->rcx, .access = MACH_R };
	struct operand out = { .addr = f->rdx, .access = MACH_W };
	struct sgx_report report = { .miscselect = 0 };
	struct sgx_targetinfo t;
	struct mach_result r;
	uint8_t key[16];

	if (!mach_inside(cpu))
		return res_gp();
	/* RBX: 512 bytes, RCX: 128, RDX: 512. */
	if (!aligned(f->rbx, 512) || !aligned(f->rcx, 128) ||
	    !aligned(f->rdx, 512))
		return res_gp();
	/* RBX, RCX, RDX are not in ELRANGE. */
	if (!in_elrange(cpu, f->rbx) || !in_elrange(cpu, f->rcx) ||
	    !in_elrange(cpu, f->rdx))
		return res_gp();
	/* TARGETINFO's page, then REPORTDATA's, is not readable; the output
	 * page is not writable: #PF of that operand. */
	r = operand_page(m, cpu, &target);
	if (mach_ok(r))
		r = operand_page(m, cpu, &data);
	if (mach_ok(r))
		r = operand_page(m, cpu, &out);
	if (!mach_ok(r))
		return r;
	operand_get(m, &target, &t, sizeof(t));
	operand_get(m, &data, report.reportdata, sizeof(report.reportdata));
	report_fill(m, cpu, &report);
	report_key(m, &t, key);
	crypto_cmac(key, &report, offsetof(struct sgx_report, keyid),
		    report.mac);
	operand_put(m, &out, &report, sizeof(report));
	return r;
}

struct mach_result mach_ereport(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f)
{
	struct mach_result r = ereport(m, cpu, f);

	if (mach_ok(r))
		f->rip += 3;
	return enclu_done(cpu, SGX_EREPORT, r);
}

/* ---- EGETKEY ----------------------------------------------------------- */

/* One request, with the enclave that makes it. */
struct key_ask {
	const struct mach *m;
	struct sgx_secs *s;
	struct sgx_keyrequest q;
};

static bool keyrequest_legal(const struct sgx_keyrequest *q, bool kss)
{
	/* Reserved fields (CET's mask too), reserved policies. */
	if (q->reserved1 != 0 || q->cet_attributes_mask != 0 ||
	    !all_zero(q->reserved2, sizeof(q->reserved2)) ||
	    (q->keypolicy & ~KEYPOLICY_KNOWN))
		return false;
	/* Policies and CONFIGSVN that need KSS. */
	return kss || (!(q->keypolicy & KEYPOLICY_KSS) && q->configsvn == 0);
}

/* Attribute that the key needs, and SVNs no higher than the caller's. */
static struct mach_result key_allowed(const struct key_ask *a)
{
	uint64_t attr = a->s->attributes.flags;
	uint64_t need = 0;

	switch (a->q.keyname) {
	case SGX_KEY_REPORT:
		return res_ok();
	case SGX_KEY_SEAL:
		break;
	case SGX_KEY_PROVISION:
	case SGX_KEY_PROVISION_SEAL:
		need = SGX_ATTR_PROVISIONKEY;
		break;
	case SGX_KEY_EINITTOKEN:
		need = SGX_ATTR_EINITTOKENKEY;
		break;
	default:
		/* SGX_INVALID_KEYNAME. */
		return res_code(SGX_INVALID_KEYNAME);
	}
	/* SGX_INVALID_ATTRIBUTE. */
	if (need & ~attr)
		return res_code(SGX_INVALID_ATTRIBUTE);
	/* SGX_INVALID_CPUSVN. */
	if (!key_cpusvn_known(a->m, a->q.cpusvn))
		return res_code(SGX_INVALID_CPUSVN);
	/* SGX_INVALID_ISVSVN; CONFIGSVN reports the same. */
	if (a->q.isvsvn > a->s->isvsvn || a->q.configsvn > a->s->configsvn)
		return res_code(SGX_INVALID_ISVSVN);
	return res_ok();
}

static void deps_report(const struct key_ask *a, struct key_deps *d)
{
	const struct sgx_secs *s = a->s;

	d->attributes = s->attributes;
	d->miscselect = s->miscselect;
	d->configsvn = s->configsvn;
	memcpy(d->mrenclave, s->mrenclave, sizeof(d->mrenclave));
	memcpy(d->configid, s->configid, sizeof(d->configid));
	memcpy(d->cpusvn, a->m->cfg.cpusvn, sizeof(d->cpusvn));
	memcpy(d->keyid, a->q.keyid, sizeof(d->keyid));
	memcpy(d->owner_epoch, a->m->cfg.owner_epoch, sizeof(d->owner_epoch));
}

/* What every key but the report key depends on. */
static void deps_masked(const struct key_ask *a, struct key_deps *d)
{
	const struct sgx_keyrequest *q = &a->q;
	uint64_t always = SGX_ATTR_INIT | SGX_ATTR_DEBUG;

	d->isvsvn = q->isvsvn;
	d->attributes.flags =
		a->s->attributes.flags & (q->attributemask.flags | always);
	d->attributes.xfrm = a->s->attributes.xfrm & q->attributemask.xfrm;
	d->attributemask = q->attributemask;
	d->miscselect = a->s->miscselect & q->miscmask;
	d->miscmask = q->miscmask;
	memcpy(d->cpusvn, q->cpusvn, sizeof(d->cpusvn));
	if (!(q->keypolicy & SGX_KEYPOLICY_NOISVPRODID))
		d->isvprodid = a->s->isvprodid;
}

/* The optional identities, by policy. */
static void deps_policy(const struct key_ask *a, struct key_deps *d)
{
	const struct mach_hidden *h = hidden_of(a->s);
	const struct sgx_keyrequest *q = &a->q;

	d->keypolicy = q->keypolicy;
	if (q->keypolicy & SGX_KEYPOLICY_CONFIGID) {
		memcpy(d->configid, a->s->configid, sizeof(d->configid));
		d->configsvn = q->configsvn;
	}
	if (q->keypolicy & SGX_KEYPOLICY_ISVFAMILYID)
		memcpy(d->isvfamilyid, h->isvfamilyid, sizeof(d->isvfamilyid));
	if (q->keypolicy & SGX_KEYPOLICY_ISVEXTPRODID)
		memcpy(d->isvextprodid, h->isvextprodid,
		       sizeof(d->isvextprodid));
}

static void deps_fill(const struct key_ask *a, struct key_deps *d)
{
	const struct sgx_keyrequest *q = &a->q;
	bool seal = q->keyname == SGX_KEY_SEAL;

	memset(d, 0, sizeof(*d));
	d->keyname = q->keyname;
	if (q->keyname == SGX_KEY_REPORT) {
		deps_report(a, d);
		return;
	}
	deps_masked(a, d);
	if (seal || q->keyname == SGX_KEY_PROVISION_SEAL)
		deps_policy(a, d);
	if (seal && (q->keypolicy & SGX_KEYPOLICY_MRENCLAVE))
		memcpy(d->mrenclave, a->s->mrenclave, sizeof(d->mrenclave));
	if (!seal || (q->keypolicy & SGX_KEYPOLICY_MRSIGNER))
		memcpy(d->mrsigner, a->s->mrsigner, sizeof(d->mrsigner));
	if (seal || q->keyname == SGX_KEY_EINITTOKEN) {
		memcpy(d->keyid, q->keyid, sizeof(d->keyid));
		memcpy(d->owner_epoch, a->m->cfg.owner_epoch,
		       sizeof(d->owner_epoch));
	}
}

static struct mach_result egetkey(struct mach *m, const struct mach_cpu *cpu,
				  const struct mach_frame *f)
{
	struct operand in = { .addr = f->rbx, .access = MACH_R };
	struct operand out = { .addr = f->rcx, .access = MACH_W };
	struct mach_result r;
	struct key_ask a;
	struct key_deps d;
	uint8_t key[16];

	if (!mach_inside(cpu))
		return res_gp();
	/* RBX: 512 bytes, RCX: 16. */
	if (!aligned(f->rbx, 512) || !aligned(f->rcx, 16))
		return res_gp();
	/* RBX, RCX are not in ELRANGE. */
	if (!in_elrange(cpu, f->rbx) || !in_elrange(cpu, f->rcx))
		return res_gp();
	/* KEYREQUEST's page is not readable, the output's not writable. */
	r = operand_page(m, cpu, &in);
	if (mach_ok(r))
		r = operand_page(m, cpu, &out);
	if (!mach_ok(r))
		return r;
	a.m = m;
	a.s = secs_of(m, cpu->secs);
	operand_get(m, &in, &a.q, sizeof(a.q));
	if (!keyrequest_legal(&a.q, a.s->attributes.flags & SGX_ATTR_KSS))
		return res_gp();
	r = key_allowed(&a);
	if (!mach_ok(r))
		return r;
	deps_fill(&a, &d);
	key_derive(m, &d, key);
	operand_put(m, &out, key, sizeof(key));
	return r;
}

struct mach_result mach_egetkey(struct mach *m, struct mach_cpu *cpu,
				struct mach_frame *f)
{
	struct mach_result r = egetkey(m, cpu, f);

	if (r.kind != MACH_FAULT) {
		f->rax = r.code;
		f->rflags = mach_result_rflags(f->rflags, r);
		f->rip += 3;
	}
	return enclu_done(cpu, SGX_EGETKEY, r);
}
