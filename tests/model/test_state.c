/* SPDX-License-Identifier: BSD-3-Clause */
/* Measurement, keys, reports, eviction, copies: what the bytes are. */
/* One SHA-256 by the plain calls, to compare with. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/sha.h>

#include "machine/model/crypto.h"
#include "machine/model/state.h"
#include "tests/model/kit.h"

static struct kit kit;

static void setup(void)
{
	kit_open(&kit, NULL);
	kit_build(&kit, 0);
}

static void teardown(void)
{
	char why[200] = "";

	ck_assert_msg(
		mach_check_cpus(kit.m, kit.cpu, KIT_CPUS, why, sizeof(why)),
		"%s", why);
	kit_close(&kit);
}

static void assert_ok(struct mach_result r)
{
	ck_assert_msg(mach_ok(r), "kind %u vector %u code %u addr %#lx", r.kind,
		      r.vector, r.code, (unsigned long)r.addr);
}

/* ---- measurement ------------------------------------------------------- */

/* MRENCLAVE by the manual's text alone: one hash over all the blocks. */
START_TEST(measurement_is_one_sha256)
{
	struct mach_secs_info info;
	uint8_t block[64], want[32];
	uint64_t flags, off;
	unsigned page, at;
	SHA256_CTX c;

	SHA256_Init(&c);
	memset(block, 0, sizeof(block));
	memcpy(block, "ECREATE", 8);
	block[8] = 1;
	off = KIT_SIZE;
	memcpy(block + 12, &off, 8);
	SHA256_Update(&c, block, sizeof(block));
	for (page = 0; page < KIT_BUILT; page++) {
		off = (uint64_t)page * SGX_PAGE_SIZE;
		flags = page < 2	   ? 0x100
			: page == KIT_CODE ? 0x205
			: page == KIT_RO   ? 0x201
					   : 0x203;
		memset(block, 0, sizeof(block));
		memcpy(block, "EADD\0\0\0", 8);
		memcpy(block + 8, &off, 8);
		memcpy(block + 16, &flags, 8);
		SHA256_Update(&c, block, sizeof(block));
		for (at = 0; at < SGX_PAGE_SIZE; at += 256) {
			memset(block, 0, sizeof(block));
			memcpy(block, "EEXTEND", 8);
			off = (uint64_t)page * SGX_PAGE_SIZE + at;
			memcpy(block + 8, &off, 8);
			SHA256_Update(&c, block, sizeof(block));
			SHA256_Update(&c, kit_bytes(&kit, 0, page) + at, 256);
		}
	}
	SHA256_Final(want, &c);
	ck_assert(mach_secs(kit.m, kit.encl[0].secs, &info));
	ck_assert_mem_eq(info.mrenclave, want, 32);
	ck_assert_mem_eq(info.mrsigner, kit.lepubkeyhash, 32);
	ck_assert(info.init);
	ck_assert_uint_eq(info.children, KIT_BUILT);
}
END_TEST

/* RFC 4493, section 4. */
START_TEST(cmac_vectors)
{
	static const uint8_t key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae,
					 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88,
					 0x09, 0xcf, 0x4f, 0x3c };
	static const uint8_t msg[40] = {
		0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d,
		0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57,
		0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf,
		0x8e, 0x51, 0x30, 0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11
	};
	static const struct {
		size_t n;
		uint8_t mac[4];
	} cases[] = { { 0, { 0xbb, 0x1d, 0x69, 0x29 } },
		      { 16, { 0x07, 0x0a, 0x16, 0xb4 } },
		      { 40, { 0xdf, 0xa6, 0x67, 0x47 } } };
	uint8_t mac[16];

	crypto_cmac(key, msg, cases[_i].n, mac);
	ck_assert_mem_eq(mac, cases[_i].mac, 4);
}
END_TEST

/* ---- reports and keys --------------------------------------------------- */

/* Runs ENCLU with RBX in the operand page and RCX (and RDX) as given. */
static void enclu(unsigned leaf, uint64_t rcx, uint64_t rdx)
{
	kit.frame.rax = leaf;
	kit.frame.rbx = kit_addr(0, KIT_OPS);
	kit.frame.rcx = rcx;
	kit.frame.rdx = rdx;
	assert_ok(mach_enclu(kit.m, &kit.cpu[0], &kit.frame));
}

static void get_key(const struct sgx_keyrequest *q, uint8_t key[16])
{
	memcpy(kit_bytes(&kit, 0, KIT_OPS), q, sizeof(*q));
	enclu(SGX_EGETKEY, kit_addr(0, KIT_DATA), 0);
	memcpy(key, kit_bytes(&kit, 0, KIT_DATA), 16);
}

static void make_report(struct sgx_report *out, uint8_t data)
{
	struct sgx_targetinfo *t = (void *)kit_bytes(&kit, 0, KIT_OPS);
	struct sgx_secs *s = secs_of(kit.m, kit.encl[0].secs);

	memset(t, 0, sizeof(*t));
	memcpy(t->mrenclave, s->mrenclave, 32);
	t->attributes = s->attributes;
	t->miscselect = s->miscselect;
	memset(kit_bytes(&kit, 0, KIT_RO), data, 64);
	enclu(SGX_EREPORT, kit_addr(0, KIT_RO), kit_addr(0, KIT_DATA));
	memcpy(out, kit_bytes(&kit, 0, KIT_DATA), sizeof(*out));
}

START_TEST(report_verifies_with_the_report_key)
{
	struct sgx_keyrequest q = { .keyname = SGX_KEY_REPORT };
	uint8_t key[16], mac[16];
	struct sgx_report r;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	make_report(&r, 0x42);
	ck_assert_uint_eq(r.reportdata[63], 0x42);
	ck_assert_uint_eq(r.isvprodid, 7);
	ck_assert_uint_eq(r.isvsvn, 3);
	ck_assert_mem_eq(r.mrsigner, kit.lepubkeyhash, 32);
	memcpy(q.keyid, r.keyid, 32);
	get_key(&q, key);
	crypto_cmac(key, &r, 384, mac);
	ck_assert_mem_eq(mac, r.mac, 16);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

/* What must change a seal key, and what must not. */
START_TEST(seal_key_depends_on_its_inputs)
{
	struct sgx_keyrequest q = { .keyname = SGX_KEY_SEAL,
				    .keypolicy = SGX_KEYPOLICY_MRENCLAVE };
	uint8_t a[16], b[16];

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	get_key(&q, a);
	get_key(&q, b);
	ck_assert_mem_eq(a, b, 16);
	q.keyid[0] = 1;
	get_key(&q, b);
	ck_assert_mem_ne(a, b, 16);
	q.keyid[0] = 0;
	q.isvsvn = 2;
	get_key(&q, b);
	ck_assert_mem_ne(a, b, 16);
	q.isvsvn = 0;
	q.keypolicy = SGX_KEYPOLICY_MRSIGNER;
	get_key(&q, b);
	ck_assert_mem_ne(a, b, 16);
	/* Under MRSIGNER, another measurement gives the same key. */
	secs_of(kit.m, kit.encl[0].secs)->mrenclave[0] ^= 1;
	get_key(&q, a);
	ck_assert_mem_eq(a, b, 16);
	/* Another machine gives another key. */
	kit.m->cfg.secret[0] ^= 1;
	get_key(&q, a);
	ck_assert_mem_ne(a, b, 16);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

/* ---- eviction ---------------------------------------------------------- */

struct evicted {
	uint8_t page[SGX_PAGE_SIZE] __attribute__((aligned(4096)));
	struct sgx_pcmd pcmd;
	struct sgx_pageinfo pi;
};

static struct evicted out[2];

static void evict(uint32_t epc, uint64_t slot, struct evicted *o)
{
	memset(o, 0, sizeof(*o));
	o->pi.srcpge = (uintptr_t)o->page;
	o->pi.secinfo = (uintptr_t)&o->pcmd;
	assert_ok(mach_ewb(kit.m, &o->pi, mach_epc_addr(epc), slot));
}

static void block_and_track(uint32_t epc)
{
	assert_ok(mach_eblock(kit.m, mach_epc_addr(epc)));
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
}

START_TEST(eviction_keeps_states)
{
	uint64_t va = mach_epc_addr(kit_epc(&kit));
	struct mach_epcm_info was, is;
	uint32_t epc, fresh;

	assert_ok(mach_epa(kit.m, SGX_PT_VA, va));
	/* 0: as built; 1: PR; 2: a trim not accepted; 3: PENDING. */
	epc = kit_page_epc(&kit, 0, KIT_DATA);
	if (_i == 1)
		assert_ok(kit_emodpr(&kit, 0, KIT_DATA, SGX_SECINFO_R));
	if (_i == 2)
		assert_ok(kit_emodt(&kit, 0, KIT_DATA, SGX_PT_TRIM));
	if (_i == 3) {
		assert_ok(kit_eaug(&kit, 0, KIT_FREE));
		epc = kit_page_epc(&kit, 0, KIT_FREE);
	}
	mach_epcm(kit.m, epc, &was);
	block_and_track(epc);
	evict(epc, va + 8, &out[0]);
	if (_i != 3)
		ck_assert(memcmp(out[0].page, page_of(kit.m, epc),
				 SGX_PAGE_SIZE) != 0);
	ck_assert_uint_eq(out[0].pi.linaddr, was.addr);
	fresh = kit_epc(&kit);
	out[0].pi.secs = kit_secs(&kit, 0);
	assert_ok(mach_eldu(kit.m, &out[0].pi, mach_epc_addr(fresh), va + 8));
	mach_epcm(kit.m, fresh, &is);
	ck_assert(is.valid && !is.blocked);
	ck_assert_uint_eq(is.pending, was.pending);
	ck_assert_uint_eq(is.modified, was.modified);
	ck_assert_uint_eq(is.pr, was.pr);
	ck_assert_uint_eq(is.rwx, was.rwx);
	ck_assert_uint_eq(is.pt, was.pt);
	ck_assert_uint_eq(is.addr, was.addr);
	ck_assert(mach_tracked(kit.m, fresh));
	ck_assert_mem_eq(page_of(kit.m, fresh), page_of(kit.m, epc),
			 SGX_PAGE_SIZE);
	/* The slot is free again, the blob is used up. */
	ck_assert_uint_eq(mach_eldu(kit.m, &out[0].pi,
				    mach_epc_addr(kit_epc(&kit)), va + 8)
				  .code,
			  SGX_MAC_COMPARE_FAIL);
}
END_TEST

START_TEST(a_whole_enclave_goes_and_comes)
{
	static struct evicted all[KIT_BUILT];
	uint64_t va = mach_epc_addr(kit_epc(&kit));
	unsigned i;

	assert_ok(mach_epa(kit.m, SGX_PT_VA, va));
	for (i = 0; i < KIT_BUILT; i++) {
		block_and_track(kit_page_epc(&kit, 0, i));
		evict(kit_page_epc(&kit, 0, i), va + 8 * i, &all[i]);
	}
	evict(kit.encl[0].secs, va + 8 * KIT_BUILT, &out[1]);
	kit.encl[0].secs = kit_epc(&kit);
	assert_ok(mach_eldu(kit.m, &out[1].pi, kit_secs(&kit, 0),
			    va + 8 * KIT_BUILT));
	for (i = 0; i < KIT_BUILT; i++) {
		kit.encl[0].pte[i].epc = kit_epc(&kit);
		all[i].pi.secs = kit_secs(&kit, 0);
		assert_ok(mach_eldu(kit.m, &all[i].pi,
				    kit_page_addr(&kit, 0, i), va + 8 * i));
	}
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	kit_aex(&kit, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(eldb_is_blocked)
{
	uint64_t va = mach_epc_addr(kit_epc(&kit));
	uint32_t epc = kit_page_epc(&kit, 0, KIT_DATA);
	struct mach_epcm_info is;

	assert_ok(mach_epa(kit.m, SGX_PT_VA, va));
	block_and_track(epc);
	evict(epc, va, &out[0]);
	out[0].pi.secs = kit_secs(&kit, 0);
	assert_ok(mach_eldb(kit.m, &out[0].pi, mach_epc_addr(epc), va));
	mach_epcm(kit.m, epc, &is);
	ck_assert(is.valid && is.blocked);
	/* It may go again at once. */
	evict(epc, va, &out[0]);
}
END_TEST

/* ---- copies ------------------------------------------------------------ */

START_TEST(copies_go_their_own_way)
{
	struct kit other;
	char why[200] = "";

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	kit_copy(&other, &kit);
	assert_ok(kit_emodpr(&kit, 0, KIT_DATA, 0));
	kit_bytes(&kit, 0, KIT_DATA)[0] ^= 1;
	ck_assert_uint_eq(mach_rights(other.m, kit_page_epc(&kit, 0, KIT_DATA)),
			  MACH_R | MACH_W);
	ck_assert_uint_ne(kit_bytes(&other, 0, KIT_DATA)[0],
			  kit_bytes(&kit, 0, KIT_DATA)[0]);
	/* The same steps from the same state give the same bytes. */
	assert_ok(kit_emodpr(&other, 0, KIT_DATA, 0));
	kit_bytes(&other, 0, KIT_DATA)[0] ^= 1;
	assert_ok(kit_exit(&kit, 0));
	assert_ok(kit_exit(&other, 0));
	ck_assert_mem_eq((uint8_t *)kit.m + offsetof(struct mach, next_eid),
			 (uint8_t *)other.m + offsetof(struct mach, next_eid),
			 kit.m->size - offsetof(struct mach, next_eid));
	ck_assert(mach_check_cpus(other.m, other.cpu, KIT_CPUS, why,
				  sizeof(why)));
	kit_close(&other);
}
END_TEST

START_TEST(counters_count)
{
	uint64_t done[MACH_ENCLS_LEAVES], faults;

	mach_encls_counts(kit.m, done, &faults);
	ck_assert_uint_eq(done[SGX_ECREATE], 1);
	ck_assert_uint_eq(done[SGX_EADD], KIT_BUILT);
	ck_assert_uint_eq(done[SGX_EEXTEND], 16 * KIT_BUILT);
	ck_assert_uint_eq(faults, 0);
	ck_assert_uint_eq(mach_etrack(kit.m, 4096).kind, MACH_FAULT);
	mach_encls_counts(kit.m, done, &faults);
	ck_assert_uint_eq(faults, 1);
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	kit_aex(&kit, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_exit(&kit, 0));
	ck_assert_uint_eq(kit.cpu[0].enclu[SGX_EENTER], 1);
	ck_assert_uint_eq(kit.cpu[0].enclu[SGX_ERESUME], 1);
	ck_assert_uint_eq(kit.cpu[0].enclu[SGX_EEXIT], 1);
	ck_assert_uint_eq(kit.cpu[0].aex, 1);
}
END_TEST

/* 64 GiB of ELRANGE, an EPC of 16 GiB: only what is used is touched. */
START_TEST(big_is_cheap)
{
	struct mach_config c;

	mach_config_default(&c);
	c.arena = false;
	c.epc_pages = 4u << 20;
	ck_assert_uint_le(mach_size(&c), (size_t)c.epc_pages * 64);
	c.epc_pages = 0;
	ck_assert_uint_eq(mach_size(&c), 0);
	c.epc_pages = 1;
	c.xfrm = 2;
	ck_assert_uint_eq(mach_size(&c), 0);
}
END_TEST

START_TEST(access_outside_and_abort)
{
	uint32_t epc = kit_page_epc(&kit, 0, KIT_DATA);
	struct mach_cpu *cpu = &kit.cpu[0];
	uint64_t at = kit_addr(0, KIT_DATA);

	ck_assert_int_eq(mach_access(kit.m, cpu, epc, at, MACH_R), MACH_ABORT);
	ck_assert_int_eq(mach_access(kit.m, cpu, MACH_EPC_NONE, 0x1000, MACH_X),
			 MACH_ALLOW);
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	ck_assert_int_eq(mach_access(kit.m, cpu, epc, at, MACH_W), MACH_ALLOW);
	ck_assert_int_eq(mach_access(kit.m, cpu, epc, at, MACH_X), MACH_DENY);
	ck_assert_uint_eq(mach_access_pfec(MACH_X), 0x8015);
	ck_assert_int_eq(mach_access(kit.m, cpu, epc, at + 4096, MACH_R),
			 MACH_DENY);
	ck_assert_uint_eq(mach_access_pfec(MACH_R), 0x8005);
	ck_assert_int_eq(mach_access(kit.m, cpu, MACH_EPC_NONE, at, MACH_R),
			 MACH_DENY);
	ck_assert_int_eq(mach_access(kit.m, cpu, MACH_EPC_NONE, 0x1000, MACH_R),
			 MACH_ALLOW);
	ck_assert_int_eq(mach_access(kit.m, cpu, MACH_EPC_NONE, 0x1000, MACH_X),
			 MACH_FETCH);
	ck_assert_int_eq(mach_access(kit.m, cpu, epc, 0x1000, MACH_R),
			 MACH_ABORT);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("state");
	TCase *t = tcase_create("bytes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, measurement_is_one_sha256);
	tcase_add_loop_test(t, cmac_vectors, 0, 3);
	tcase_add_test(t, report_verifies_with_the_report_key);
	tcase_add_test(t, seal_key_depends_on_its_inputs);
	tcase_add_loop_test(t, eviction_keeps_states, 0, 4);
	tcase_add_test(t, a_whole_enclave_goes_and_comes);
	tcase_add_test(t, eldb_is_blocked);
	tcase_add_test(t, copies_go_their_own_way);
	tcase_add_test(t, counters_count);
	tcase_add_test(t, big_is_cheap);
	tcase_add_test(t, access_outside_and_abort);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	kit_setup();
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
