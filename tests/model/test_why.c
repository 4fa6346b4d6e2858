/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why ECREATE and EINIT refuse, in words: the words, and that there are some
 * exactly where the leaf refuses, for every bit of a SECS and of what
 * SIGSTRUCT says of it.
 */
#include <check.h>
#include <openssl/sha.h>
#include <string.h>

#include "machine/model/state.h"
#include "tests/model/kit.h"

#define TEXT 256

static struct kit kit;
static struct kit_spec spec;

static void setup(void)
{
	kit_open(&kit, NULL);
	kit_spec_default(&spec, 1);
	/* Room for more than it needs, so that a bit of XFRM is one thing. */
	spec.secs.ssaframesize = 4;
}

static void teardown(void)
{
	kit_close(&kit);
}

/* ---- ECREATE ------------------------------------------------------------ */

static struct sgx_secs page __attribute__((aligned(4096)));

/* Does the leaf refuse? The EPC page is free again. */
static bool refuses(void)
{
	static struct sgx_secinfo si __attribute__((aligned(64)));
	static struct sgx_pageinfo pi __attribute__((aligned(32)));
	static uint32_t epc;

	if (!epc)
		epc = kit_epc(&kit);
	si.flags = SGX_SECINFO_PT(SGX_PT_SECS);
	pi.srcpge = (uintptr_t)&page;
	pi.secinfo = (uintptr_t)&si;
	if (!mach_ok(mach_ecreate(kit.m, &pi, mach_epc_addr(epc))))
		return true;
	ck_assert(mach_ok(mach_eremove(kit.m, mach_epc_addr(epc))));
	return false;
}

static const char *told(void)
{
	static char text[TEXT];

	*text = 0;
	ck_assert(mach_why_create(&kit.cfg, &page, text, sizeof(text)) ==
		  refuses());
	return text;
}

START_TEST(each_bit_of_a_secs)
{
	char text[TEXT];
	uint8_t *b = (uint8_t *)&page;

	memcpy(&page, &spec.secs, sizeof(page));
	ck_assert_str_eq(told(), "");
	for (unsigned i = 0; i < SGX_PAGE_SIZE * 8; i++) {
		bool why;

		b[i / 8] ^= (uint8_t)(1 << i % 8);
		why = mach_why_create(&kit.cfg, &page, text, sizeof(text));
		ck_assert_msg(why == refuses(), "bit %u: %s", i,
			      why ? text : "nothing is said");
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

#define SAYS(change, words)                              \
	do {                                             \
		memcpy(&page, &spec.secs, sizeof(page)); \
		change;                                  \
		ck_assert_str_eq(told(), words);         \
	} while (0)

START_TEST(words_of_ecreate)
{
	SAYS(page.attributes.flags |= 8,
	     "SECS.ATTRIBUTES bit 3 (reserved) is set, and this processor does "
	     "not have it");
	SAYS(page.attributes.flags |= SGX_ATTR_INIT,
	     "SECS.ATTRIBUTES bit 0 (INIT) is set; EINIT does that");
	SAYS(page.attributes.xfrm &= ~2ull,
	     "SECS.ATTRIBUTES.XFRM bit 1 (SSE) must be set");
	SAYS(page.attributes.xfrm |= 1ull << 62,
	     "SECS.ATTRIBUTES.XFRM bit 62 (reserved) is set, and this "
	     "processor "
	     "does not have it");
	SAYS(page.miscselect |= 0x10,
	     "SECS.MISCSELECT bit 4 (reserved) is set, and this processor does "
	     "not have it");
	SAYS(page.size = 0x41000,
	     "SECS.SIZE 0x41000 is no power of two from two pages");
	SAYS(page.base += 4096, "SECS.BASEADDR 0x20001000 is not aligned on "
				"SECS.SIZE 0x40000");
	SAYS(page.configsvn = 1,
	     "SECS.CONFIGSVN is not 0, without ATTRIBUTES bit 7 (KSS)");
	SAYS(((uint8_t *)&page)[4000] = 1,
	     "SECS byte 4000 is reserved and not 0");
}
END_TEST

/* ---- EINIT -------------------------------------------------------------- */

static struct sgx_sigstruct sig __attribute__((aligned(4096)));
static struct sgx_einittoken token __attribute__((aligned(512)));

/* Of Linux's INIT, or the leaf. */
static bool init_refuses(const struct kit *from)
{
	uint8_t signer[32];
	struct kit copy;
	bool ok;

	SHA256(sig.modulus, SGX_KEY_SIZE, signer);
	kit_copy(&copy, from);
	ok = mach_ok(
		mach_einit(copy.m, &sig, kit_secs(&copy, 1), &token, signer));
	kit_close(&copy);
	return !ok;
}

static const char *init_told(void)
{
	static char text[TEXT];
	bool why;

	*text = 0;
	why = mach_why_init(kit.m, kit.encl[1].secs, &sig, text, sizeof(text));
	ck_assert_msg(why == init_refuses(&kit), "%s",
		      why ? text : "nothing is said");
	return text;
}

static void built(void)
{
	spec.init = false;
	kit_build_spec(&kit, 1, &spec);
	kit_sigstruct(&kit, 1, &sig);
}

START_TEST(words_of_einit)
{
	struct sgx_sigstruct good;

	built();
	good = sig;
	ck_assert_str_eq(init_told(), "");
	sig.header[0] ^= 1;
	ck_assert_str_eq(init_told(),
			 "SIGSTRUCT.HEADER is not that of a SIGSTRUCT");
	sig = good;
	sig.signature[5] ^= 1;
	ck_assert_str_eq(init_told(),
			 "SIGSTRUCT.SIGNATURE, or Q1 or Q2, is not "
			 "that of these bytes by "
			 "SIGSTRUCT.MODULUS");
	sig = good;
	sig.enclavehash[0] ^= 1;
	kit_sign(&sig);
	ck_assert_ptr_nonnull(strstr(init_told(), "the pages measure to "));
	sig = good;
	sig.attributemask.flags = UINT64_MAX;
	sig.attributes.flags |= SGX_ATTR_PROVISIONKEY;
	kit_sign(&sig);
	ck_assert_str_eq(
		init_told(),
		"ATTRIBUTES bit 4 (PROVISIONKEY) is 0 in the SECS and 1 "
		"in SIGSTRUCT, whose mask wants them alike");
	sig = good;
	sig.isvfamilyid[3] = 1;
	kit_sign(&sig);
	ck_assert_str_eq(init_told(), "SIGSTRUCT.ISVFAMILYID is not 0, without "
				      "SECS.ATTRIBUTES bit 7 (KSS)");
}
END_TEST

/* Each bit that the signer wants otherwise, where the mask says so. */
START_TEST(each_bit_of_the_attributes)
{
	built();
	for (unsigned i = 0; i < 64; i += 3) {
		sig.attributes.flags ^= 1ull << i;
		sig.attributemask.flags = 1ull << i;
		kit_sign(&sig);
		ck_assert_str_ne(init_told(), "");
		sig.attributemask.flags = 0;
		kit_sign(&sig);
		ck_assert_str_eq(init_told(), "");
		sig.attributes.flags ^= 1ull << i;
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("why");
	TCase *t = tcase_create("why");
	SRunner *r;
	int failed;

	kit_setup();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, each_bit_of_a_secs);
	tcase_add_test(t, words_of_ecreate);
	tcase_add_test(t, words_of_einit);
	tcase_add_test(t, each_bit_of_the_attributes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
