/* SPDX-License-Identifier: BSD-3-Clause */
/* A test rig for the model; see rig.h. */
#include "tests/model/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "machine/model/crypto.h"
#include "machine/model/state.h"
#include "tests/must.h"

/* The signer: one key a process, e = 3. */
static BIGNUM *key_n, *key_d;

static void must_ok(struct mach_result r, const char *what)
{
	if (mach_ok(r))
		return;
	fprintf(stderr, "rig: %s: kind %u vector %u code %u pfec %#x\n", what,
		r.kind, r.vector, r.code, r.pfec);
	abort();
}

void rig_setup(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	MUST(c && e && BN_set_word(e, 3));
	MUST(EVP_PKEY_keygen_init(c) == 1);
	MUST(EVP_PKEY_CTX_set_rsa_keygen_bits(c, 8 * SGX_KEY_SIZE) == 1);
	MUST(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, e) == 1);
	MUST(EVP_PKEY_generate(c, &key) == 1);
	MUST(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &key_n) == 1);
	MUST(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &key_d) == 1);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(c);
	BN_free(e);
}

/* ---- signing ----------------------------------------------------------- */

static void padded_digest(const struct sgx_sigstruct *sig, BIGNUM *em)
{
	static const uint8_t info[19] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
					  0x09, 0x60, 0x86, 0x48, 0x01,
					  0x65, 0x03, 0x04, 0x02, 0x01,
					  0x05, 0x00, 0x04, 0x20 };
	uint8_t b[256], m[SGX_KEY_SIZE];

	memcpy(b, sig, 128);
	memcpy(b + 128, (const uint8_t *)sig + 900, 128);
	memset(m, 0xff, sizeof(m));
	m[0] = 0;
	m[1] = 1;
	m[SGX_KEY_SIZE - 52] = 0;
	memcpy(m + SGX_KEY_SIZE - 51, info, sizeof(info));
	SHA256(b, sizeof(b), m + SGX_KEY_SIZE - 32);
	MUST(BN_bin2bn(m, sizeof(m), em));
}

void rig_sign(struct sgx_sigstruct *sig)
{
	BN_CTX *c = BN_CTX_new();
	BIGNUM *s = BN_new(), *t = BN_new(), *q = BN_new(), *r = BN_new();

	MUST(c && s && t && q && r);
	MUST(BN_bn2lebinpad(key_n, sig->modulus, SGX_KEY_SIZE) > 0);
	padded_digest(sig, t);
	MUST(BN_mod_exp(s, t, key_d, key_n, c));
	MUST(BN_bn2lebinpad(s, sig->signature, SGX_KEY_SIZE) > 0);
	MUST(BN_sqr(t, s, c) && BN_div(q, r, t, key_n, c));
	MUST(BN_bn2lebinpad(q, sig->q1, SGX_KEY_SIZE) > 0);
	MUST(BN_mul(t, s, r, c) && BN_div(q, r, t, key_n, c));
	MUST(BN_bn2lebinpad(q, sig->q2, SGX_KEY_SIZE) > 0);
	BN_free(s);
	BN_free(t);
	BN_free(q);
	BN_free(r);
	BN_CTX_free(c);
}

void rig_sigstruct(struct rig *r, unsigned i, struct sgx_sigstruct *sig)
{
	static const uint8_t header[12] = SGX_SIGSTRUCT_HEADER;
	static const uint8_t header2[16] = SGX_SIGSTRUCT_HEADER2;
	struct sgx_secs *s = secs_of(r->m, r->encl[i].secs);

	memset(sig, 0, sizeof(*sig));
	memcpy(sig->header, header, sizeof(header));
	memcpy(sig->header2, header2, sizeof(header2));
	sig->date = 0x20261121;
	sig->exponent = 3;
	sig->attributes = s->attributes;
	sig->attributemask.flags = ~SGX_ATTR_DEBUG;
	sig->attributemask.xfrm = ~0ull;
	sig->miscselect = s->miscselect;
	sig->miscmask = ~0u;
	sig->isvprodid = 7;
	sig->isvsvn = 3;
	measure_final(hidden_of(s), sig->enclavehash);
	rig_sign(sig);
}

/* ---- machine ----------------------------------------------------------- */

static void rig_bind(struct rig *r)
{
	unsigned i;

	memset(r->tables, 0, sizeof(r->tables));
	for (i = 0; i < RIG_ENCLS; i++) {
		r->tables[i].base = RIG_BASE(i);
		r->tables[i].count = RIG_PAGES;
		r->tables[i].pte = r->encl[i].pte;
	}
}

static struct mach_platform rig_platform(struct rig *r)
{
	return (struct mach_platform){ .ctx = r->tables,
				       .translate = mach_ptables_translate };
}

static void *rig_memory(const struct mach_config *cfg)
{
	size_t size = mach_size(cfg);
	void *mem;

	MUST(size != 0);
	mem = aligned_alloc(SGX_PAGE_SIZE, size);
	MUST(mem);
	memset(mem, 0, size);
	return mem;
}

void rig_open(struct rig *r, const struct mach_config *cfg)
{
	struct mach_platform p;
	unsigned i;

	memset(r, 0, sizeof(*r));
	if (cfg)
		r->cfg = *cfg;
	else
		mach_config_default(&r->cfg);
	rig_bind(r);
	p = rig_platform(r);
	r->mem = rig_memory(&r->cfg);
	r->m = mach_init(r->mem, &r->cfg, &p);
	MUST(r->m);
	for (i = 0; i < RIG_CPUS; i++)
		mach_cpu_init(&r->cpu[i]);
}

void rig_close(struct rig *r)
{
	free(r->mem);
	r->mem = NULL;
}

void rig_copy(struct rig *copy, const struct rig *r)
{
	struct mach_platform p;

	*copy = *r;
	rig_bind(copy);
	p = rig_platform(copy);
	copy->mem = rig_memory(&r->cfg);
	copy->m = mach_copy(copy->mem, r->m, &p);
}

uint32_t rig_epc(struct rig *r)
{
	MUST(r->next_epc < r->cfg.epc_pages);
	return r->next_epc++;
}

uint64_t rig_addr(unsigned i, unsigned page)
{
	return RIG_BASE(i) + (uint64_t)page * SGX_PAGE_SIZE;
}

uint64_t rig_secs(const struct rig *r, unsigned i)
{
	return mach_epc_addr(r->encl[i].secs);
}

uint32_t rig_page_epc(const struct rig *r, unsigned i, unsigned page)
{
	return r->encl[i].pte[page].epc;
}

uint64_t rig_page_addr(const struct rig *r, unsigned i, unsigned page)
{
	return mach_epc_addr(rig_page_epc(r, i, page));
}

uint8_t *rig_bytes(struct rig *r, unsigned i, unsigned page)
{
	return page_of(r->m, rig_page_epc(r, i, page));
}

/* ---- building ---------------------------------------------------------- */

void rig_spec_default(struct rig_spec *s, unsigned i)
{
	memset(s, 0, sizeof(*s));
	s->secs.size = RIG_SIZE;
	s->secs.base = RIG_BASE(i);
	s->secs.ssaframesize = 1;
	s->secs.miscselect = SGX_MISC_EXINFO;
	s->secs.attributes.flags = SGX_ATTR_MODE64BIT | SGX_ATTR_DEBUG;
	s->secs.attributes.xfrm = 0xe7;
	s->tcs.nssa = 2;
	s->tcs.oentry = (uint64_t)RIG_CODE * SGX_PAGE_SIZE + 0x40;
	s->tcs.ofsbase = (uint64_t)RIG_DATA * SGX_PAGE_SIZE;
	s->tcs.ogsbase = (uint64_t)RIG_DATA * SGX_PAGE_SIZE;
	s->tcs_info.flags = SGX_SECINFO_PT(SGX_PT_TCS);
	s->pages = RIG_BUILT;
	s->measure = true;
	s->init = true;
}

static uint64_t page_flags(unsigned page)
{
	const uint64_t reg = SGX_SECINFO_PT(SGX_PT_REG);

	if (page == RIG_CODE)
		return reg | SGX_SECINFO_R | SGX_SECINFO_X;
	if (page == RIG_RO)
		return reg | SGX_SECINFO_R;
	return reg | SGX_SECINFO_R | SGX_SECINFO_W;
}

static void add_page(struct rig *r, unsigned i, const struct rig_spec *s,
		     unsigned page)
{
	uint8_t src[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_secinfo si = { .flags = page_flags(page) };
	struct sgx_pageinfo pi = { .linaddr = rig_addr(i, page),
				   .srcpge = (uintptr_t)src,
				   .secinfo = (uintptr_t)&si,
				   .secs = rig_secs(r, i) };
	uint32_t epc = rig_epc(r);
	unsigned at;

	memset(src, (int)page, sizeof(src));
	if (page <= RIG_TCS1) {
		struct sgx_tcs t = s->tcs;

		t.ossa = (uint64_t)(page == RIG_TCS0 ? RIG_SSA0 : RIG_SSA1) *
			 SGX_PAGE_SIZE;
		memcpy(src, &t, sizeof(t));
		si = s->tcs_info;
	}
	must_ok(mach_eadd(r->m, &pi, mach_epc_addr(epc)), "EADD");
	for (at = 0; s->measure && at < SGX_PAGE_SIZE; at += SGX_EEXTEND_CHUNK)
		must_ok(mach_eextend(r->m, rig_secs(r, i),
				     mach_epc_addr(epc) + at),
			"EEXTEND");
	r->encl[i].pte[page].epc = epc;
	r->encl[i].pte[page].prot = MACH_R | MACH_W | MACH_X;
}

static void init_encl(struct rig *r, unsigned i)
{
	static uint8_t sig[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	static uint8_t token[512] __attribute__((aligned(512)));
	struct sgx_sigstruct *s = (void *)sig;

	rig_sigstruct(r, i, s);
	SHA256(s->modulus, SGX_KEY_SIZE, r->lepubkeyhash);
	must_ok(mach_einit(r->m, sig, rig_secs(r, i), token, r->lepubkeyhash),
		"EINIT");
}

void rig_build_spec(struct rig *r, unsigned i, const struct rig_spec *s)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_SECS) };
	struct sgx_pageinfo pi = { .srcpge = (uintptr_t)&s->secs,
				   .secinfo = (uintptr_t)&si };
	unsigned page;

	r->encl[i].secs = rig_epc(r);
	must_ok(mach_ecreate(r->m, &pi, rig_secs(r, i)), "ECREATE");
	for (page = 0; page < s->pages; page++)
		add_page(r, i, s, page);
	if (s->init)
		init_encl(r, i);
}

void rig_build(struct rig *r, unsigned i)
{
	struct rig_spec s;

	rig_spec_default(&s, i);
	rig_build_spec(r, i, &s);
}

/* ---- leaves ------------------------------------------------------------ */

struct mach_result rig_eaug(struct rig *r, unsigned i, unsigned page)
{
	struct sgx_pageinfo pi = { .linaddr = rig_addr(i, page),
				   .secs = rig_secs(r, i) };
	uint32_t epc = rig_epc(r);
	struct mach_result res = mach_eaug(r->m, &pi, mach_epc_addr(epc));

	if (mach_ok(res)) {
		r->encl[i].pte[page].epc = epc;
		r->encl[i].pte[page].prot = MACH_R | MACH_W | MACH_X;
	}
	return res;
}

struct mach_result rig_emodpr(struct rig *r, unsigned i, unsigned page,
			      uint64_t rwx)
{
	struct sgx_secinfo si = { .flags = rwx };

	return mach_emodpr(r->m, &si, rig_page_addr(r, i, page));
}

struct mach_result rig_emodt(struct rig *r, unsigned i, unsigned page,
			     unsigned pt)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(pt) };

	return mach_emodt(r->m, &si, rig_page_addr(r, i, page));
}

static void host_frame(struct rig *r, unsigned leaf, uint64_t rbx)
{
	struct mach_frame *f = &r->frame;

	f->rax = leaf;
	f->rbx = rbx;
	f->rcx = RIG_AEP;
	f->rip = RIG_ENCLU;
	f->rsp = 0x7fff0000;
	f->rbp = 0x7fff0100;
	f->fsbase = 0x1111000;
	f->gsbase = 0x2222000;
	f->rflags = 0x202;
}

struct mach_result rig_enter(struct rig *r, unsigned cpu, unsigned i,
			     unsigned tcs)
{
	host_frame(r, SGX_EENTER, rig_addr(i, tcs));
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

struct mach_result rig_resume(struct rig *r, unsigned cpu, unsigned i,
			      unsigned tcs)
{
	host_frame(r, SGX_ERESUME, rig_addr(i, tcs));
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

struct mach_result rig_exit(struct rig *r, unsigned cpu)
{
	r->frame.rax = SGX_EEXIT;
	r->frame.rbx = RIG_ENCLU + 3;
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

void rig_aex(struct rig *r, unsigned cpu)
{
	struct mach_event e = { .exception = false };

	mach_aex(r->m, &r->cpu[cpu], &r->frame, &e);
}

struct mach_result rig_sgx2(struct rig *r, unsigned cpu, unsigned leaf,
			    unsigned page, uint64_t flags)
{
	unsigned i = r->cpu[cpu].base == RIG_BASE(0) ? 0 : 1;
	struct sgx_secinfo *si = (void *)rig_bytes(r, i, RIG_OPS);

	memset(si, 0, sizeof(*si));
	si->flags = flags;
	r->frame.rax = leaf;
	r->frame.rbx = rig_addr(i, RIG_OPS);
	r->frame.rcx = rig_addr(i, page);
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}
