/* SPDX-License-Identifier: BSD-3-Clause */
/* A test kit for the model; see kit.h. */
#include "tests/model/kit.h"

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
	fprintf(stderr, "kit: %s: kind %u vector %u code %u pfec %#x\n", what,
		r.kind, r.vector, r.code, r.pfec);
	abort();
}

void kit_setup(void)
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

void kit_sign(struct sgx_sigstruct *sig)
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

void kit_sigstruct(struct kit *r, unsigned i, struct sgx_sigstruct *sig)
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
	kit_sign(sig);
}

/* ---- machine ----------------------------------------------------------- */

static void kit_bind(struct kit *r)
{
	unsigned i;

	memset(r->tables, 0, sizeof(r->tables));
	for (i = 0; i < KIT_ENCLS; i++) {
		r->tables[i].base = KIT_BASE(i);
		r->tables[i].count = KIT_PAGES;
		r->tables[i].pte = r->encl[i].pte;
	}
}

static struct mach_hooks kit_hooks(struct kit *r)
{
	return (struct mach_hooks){ .ctx = r->tables,
				    .translate = mach_ptables_translate };
}

static void *kit_memory(const struct mach_config *cfg)
{
	size_t size = mach_size(cfg);
	void *mem;

	MUST(size != 0);
	mem = aligned_alloc(SGX_PAGE_SIZE, size);
	MUST(mem);
	memset(mem, 0, size);
	return mem;
}

void kit_open(struct kit *r, const struct mach_config *cfg)
{
	struct mach_hooks p;
	unsigned i;

	memset(r, 0, sizeof(*r));
	if (cfg)
		r->cfg = *cfg;
	else
		mach_config_default(&r->cfg);
	kit_bind(r);
	p = kit_hooks(r);
	r->mem = kit_memory(&r->cfg);
	r->m = mach_init(r->mem, &r->cfg, &p);
	MUST(r->m);
	for (i = 0; i < KIT_CPUS; i++)
		mach_cpu_init(&r->cpu[i]);
}

void kit_close(struct kit *r)
{
	free(r->mem);
	r->mem = NULL;
}

void kit_copy(struct kit *copy, const struct kit *r)
{
	struct mach_hooks p;

	*copy = *r;
	kit_bind(copy);
	p = kit_hooks(copy);
	copy->mem = kit_memory(&r->cfg);
	copy->m = mach_copy(copy->mem, r->m, &p);
}

uint32_t kit_epc(struct kit *r)
{
	MUST(r->next_epc < r->cfg.epc_pages);
	return r->next_epc++;
}

uint64_t kit_addr(unsigned i, unsigned page)
{
	return KIT_BASE(i) + (uint64_t)page * SGX_PAGE_SIZE;
}

uint64_t kit_secs(const struct kit *r, unsigned i)
{
	return mach_epc_addr(r->encl[i].secs);
}

uint32_t kit_page_epc(const struct kit *r, unsigned i, unsigned page)
{
	return r->encl[i].pte[page].epc;
}

uint64_t kit_page_addr(const struct kit *r, unsigned i, unsigned page)
{
	return mach_epc_addr(kit_page_epc(r, i, page));
}

uint8_t *kit_bytes(struct kit *r, unsigned i, unsigned page)
{
	return page_of(r->m, kit_page_epc(r, i, page));
}

/* ---- building ---------------------------------------------------------- */

void kit_spec_default(struct kit_spec *s, unsigned i)
{
	memset(s, 0, sizeof(*s));
	s->secs.size = KIT_SIZE;
	s->secs.base = KIT_BASE(i);
	s->secs.ssaframesize = 1;
	s->secs.miscselect = SGX_MISC_EXINFO;
	s->secs.attributes.flags = SGX_ATTR_MODE64BIT | SGX_ATTR_DEBUG;
	s->secs.attributes.xfrm = 0xe7;
	s->tcs.nssa = 2;
	s->tcs.oentry = (uint64_t)KIT_CODE * SGX_PAGE_SIZE + 0x40;
	s->tcs.ofsbase = (uint64_t)KIT_DATA * SGX_PAGE_SIZE;
	s->tcs.ogsbase = (uint64_t)KIT_DATA * SGX_PAGE_SIZE;
	s->tcs_info.flags = SGX_SECINFO_PT(SGX_PT_TCS);
	s->pages = KIT_BUILT;
	s->measure = true;
	s->init = true;
}

static uint64_t page_flags(unsigned page)
{
	const uint64_t reg = SGX_SECINFO_PT(SGX_PT_REG);

	if (page == KIT_CODE)
		return reg | SGX_SECINFO_R | SGX_SECINFO_X;
	if (page == KIT_RO)
		return reg | SGX_SECINFO_R;
	return reg | SGX_SECINFO_R | SGX_SECINFO_W;
}

static void add_page(struct kit *r, unsigned i, const struct kit_spec *s,
		     unsigned page)
{
	uint8_t src[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_secinfo si = { .flags = page_flags(page) };
	struct sgx_pageinfo pi = { .linaddr = kit_addr(i, page),
				   .srcpge = (uintptr_t)src,
				   .secinfo = (uintptr_t)&si,
				   .secs = kit_secs(r, i) };
	uint32_t epc = kit_epc(r);
	unsigned at;

	memset(src, (int)page, sizeof(src));
	if (page <= KIT_TCS1) {
		struct sgx_tcs t = s->tcs;

		t.ossa = (uint64_t)(page == KIT_TCS0 ? KIT_SSA0 : KIT_SSA1) *
			 SGX_PAGE_SIZE;
		memcpy(src, &t, sizeof(t));
		si = s->tcs_info;
	}
	must_ok(mach_eadd(r->m, &pi, mach_epc_addr(epc)), "EADD");
	for (at = 0; s->measure && at < SGX_PAGE_SIZE; at += SGX_EEXTEND_CHUNK)
		must_ok(mach_eextend(r->m, kit_secs(r, i),
				     mach_epc_addr(epc) + at),
			"EEXTEND");
	r->encl[i].pte[page].epc = epc;
	r->encl[i].pte[page].prot = MACH_R | MACH_W | MACH_X;
}

static void init_encl(struct kit *r, unsigned i)
{
	static uint8_t sig[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	static uint8_t token[512] __attribute__((aligned(512)));
	struct sgx_sigstruct *s = (void *)sig;

	kit_sigstruct(r, i, s);
	SHA256(s->modulus, SGX_KEY_SIZE, r->lepubkeyhash);
	must_ok(mach_einit(r->m, sig, kit_secs(r, i), token, r->lepubkeyhash),
		"EINIT");
}

void kit_build_spec(struct kit *r, unsigned i, const struct kit_spec *s)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(SGX_PT_SECS) };
	struct sgx_pageinfo pi = { .srcpge = (uintptr_t)&s->secs,
				   .secinfo = (uintptr_t)&si };
	unsigned page;

	r->encl[i].secs = kit_epc(r);
	must_ok(mach_ecreate(r->m, &pi, kit_secs(r, i)), "ECREATE");
	for (page = 0; page < s->pages; page++)
		add_page(r, i, s, page);
	if (s->init)
		init_encl(r, i);
}

void kit_build(struct kit *r, unsigned i)
{
	struct kit_spec s;

	kit_spec_default(&s, i);
	kit_build_spec(r, i, &s);
}

/* ---- leaves ------------------------------------------------------------ */

struct mach_result kit_eaug(struct kit *r, unsigned i, unsigned page)
{
	struct sgx_pageinfo pi = { .linaddr = kit_addr(i, page),
				   .secs = kit_secs(r, i) };
	uint32_t epc = kit_epc(r);
	struct mach_result res = mach_eaug(r->m, &pi, mach_epc_addr(epc));

	if (mach_ok(res)) {
		r->encl[i].pte[page].epc = epc;
		r->encl[i].pte[page].prot = MACH_R | MACH_W | MACH_X;
	}
	return res;
}

struct mach_result kit_emodpr(struct kit *r, unsigned i, unsigned page,
			      uint64_t rwx)
{
	struct sgx_secinfo si = { .flags = rwx };

	return mach_emodpr(r->m, &si, kit_page_addr(r, i, page));
}

struct mach_result kit_emodt(struct kit *r, unsigned i, unsigned page,
			     unsigned pt)
{
	struct sgx_secinfo si = { .flags = SGX_SECINFO_PT(pt) };

	return mach_emodt(r->m, &si, kit_page_addr(r, i, page));
}

static void host_frame(struct kit *r, unsigned leaf, uint64_t rbx)
{
	struct mach_frame *f = &r->frame;

	f->rax = leaf;
	f->rbx = rbx;
	f->rcx = KIT_AEP;
	f->rip = KIT_ENCLU;
	f->rsp = 0x7fff0000;
	f->rbp = 0x7fff0100;
	f->fsbase = 0x1111000;
	f->gsbase = 0x2222000;
	f->rflags = 0x202;
}

struct mach_result kit_enter(struct kit *r, unsigned cpu, unsigned i,
			     unsigned tcs)
{
	host_frame(r, SGX_EENTER, kit_addr(i, tcs));
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

struct mach_result kit_resume(struct kit *r, unsigned cpu, unsigned i,
			      unsigned tcs)
{
	host_frame(r, SGX_ERESUME, kit_addr(i, tcs));
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

struct mach_result kit_exit(struct kit *r, unsigned cpu)
{
	r->frame.rax = SGX_EEXIT;
	r->frame.rbx = KIT_ENCLU + 3;
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}

void kit_aex(struct kit *r, unsigned cpu)
{
	struct mach_event e = { .exception = false };

	mach_aex(r->m, &r->cpu[cpu], &r->frame, &e);
}

struct mach_result kit_sgx2(struct kit *r, unsigned cpu, unsigned leaf,
			    unsigned page, uint64_t flags)
{
	unsigned i = r->cpu[cpu].base == KIT_BASE(0) ? 0 : 1;
	struct sgx_secinfo *si = (void *)kit_bytes(r, i, KIT_OPS);

	memset(si, 0, sizeof(*si));
	si->flags = flags;
	r->frame.rax = leaf;
	r->frame.rbx = kit_addr(i, KIT_OPS);
	r->frame.rcx = kit_addr(i, page);
	return mach_enclu(r->m, &r->cpu[cpu], &r->frame);
}
