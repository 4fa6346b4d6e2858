/* SPDX-License-Identifier: BSD-3-Clause */
/* AEX, ERESUME, AEX-Notify, EDECCSSA: what is saved and what comes back. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "machine/model/state.h"
#include "tests/model/kit.h"

#define XSAVE_SIZE 2688u
#define XFRM 0xe7ull

static struct kit kit;
static uint8_t image[4096] __attribute__((aligned(64)));

static void setup(void)
{
	kit_open(&kit, NULL);
	kit_build(&kit, 0);
	kit.frame.xsave = image;
	kit.frame.xsave_size = XSAVE_SIZE;
}

static void setup_notify(void)
{
	struct kit_spec s;

	kit_open(&kit, NULL);
	kit_spec_default(&s, 0);
	s.secs.attributes.flags |= SGX_ATTR_AEXNOTIFY;
	s.tcs.flags = SGX_TCS_AEXNOTIFY;
	kit_build_spec(&kit, 0, &s);
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

static struct sgx_gprsgx *gpr(unsigned frame)
{
	return (void *)(kit_bytes(&kit, 0, KIT_SSA0 + frame) + SGX_PAGE_SIZE -
			sizeof(struct sgx_gprsgx));
}

static struct sgx_tcs *tcs(void)
{
	return (void *)kit_bytes(&kit, 0, KIT_TCS0);
}

/* Every byte of the image that is state gets a value of its own. */
static void image_fill(uint8_t seed, uint64_t bv)
{
	size_t i;

	for (i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(seed + i * 7);
	memset(image + 24, 0, 8);
	image[24] = 0xa0;
	image[25] = 0x1f;
	memset(image + 512, 0, 64);
	memcpy(image + 512, &bv, 8);
}

static void regs_fill(uint64_t seed)
{
	struct mach_frame *f = &kit.frame;
	uint64_t *r = &f->rax;
	unsigned i;

	for (i = 0; i < 16; i++)
		r[i] = seed + i;
	f->rip = kit_addr(0, KIT_CODE) + 0x123;
	f->rflags = 0x200a97;
	f->fsbase = kit_addr(0, KIT_DATA) + 0x10;
	f->gsbase = kit_addr(0, KIT_DATA) + 0x20;
}

static void aex(unsigned vector, uint32_t errcode, uint64_t addr)
{
	struct mach_event e = { .exception = true,
				.vector = (uint8_t)vector,
				.errcode = errcode,
				.addr = addr };

	mach_aex(kit.m, &kit.cpu[0], &kit.frame, &e);
}

START_TEST(aex_saves_and_scrubs)
{
	struct mach_frame *f = &kit.frame, in;
	struct sgx_exinfo x;
	uint64_t *r = &f->rax;
	unsigned i;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	regs_fill(0x5000);
	in = *f;
	aex(SGX_VEC_PF, 0x8007, 0x10009123);
	ck_assert(!mach_inside(&kit.cpu[0]));
	ck_assert_uint_eq(gpr(0)->rax, in.rax);
	ck_assert_uint_eq(gpr(0)->r15, in.r15);
	ck_assert_uint_eq(gpr(0)->rip, in.rip);
	ck_assert_uint_eq(gpr(0)->rflags, in.rflags & ~0x100ull);
	ck_assert_uint_eq(gpr(0)->fsbase, in.fsbase);
	ck_assert_uint_eq(gpr(0)->ursp, 0x7fff0000);
	ck_assert_uint_eq(gpr(0)->exitinfo, 0x8000030e);
	memcpy(&x, (uint8_t *)gpr(0) - 16, sizeof(x));
	ck_assert_uint_eq(x.maddr, 0x10009123);
	ck_assert_uint_eq(x.errcd, 0x8007);
	ck_assert_uint_eq(f->rax, SGX_ERESUME);
	ck_assert_uint_eq(f->rbx, kit_addr(0, KIT_TCS0));
	ck_assert_uint_eq(f->rcx, KIT_AEP);
	ck_assert_uint_eq(f->rip, KIT_AEP);
	ck_assert_uint_eq(f->rsp, 0x7fff0000);
	ck_assert_uint_eq(f->rbp, 0x7fff0100);
	ck_assert_uint_eq(f->rdx | f->rsi | f->rdi, 0);
	for (i = 8; i < 16; i++)
		ck_assert_uint_eq(r[i], 0);
	ck_assert_uint_eq(f->rflags & 0x108d5, 0);
	ck_assert_uint_eq(f->fsbase, 0x1111000);
	ck_assert_uint_eq(tcs()->cssa, 1);
	ck_assert_uint_eq(tcs()->state, 0);
}
END_TEST

START_TEST(exitinfo_by_vector)
{
	static const struct {
		unsigned vector;
		uint32_t info;
	} cases[] = {
		{ SGX_VEC_DE, 0x80000300 },
		{ SGX_VEC_DB, 0x80000301 },
		{ SGX_VEC_BP, 0x80000603 },
		{ SGX_VEC_BR, 0x80000305 },
		{ SGX_VEC_UD, 0x80000306 },
		{ SGX_VEC_GP, 0x8000030d },
		{ SGX_VEC_MF, 0x80000310 },
		{ SGX_VEC_AC, 0x80000311 },
		{ SGX_VEC_XM, 0x80000313 },
		{ 2, 0 },
		{ 18, 0 },
	};

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	aex(cases[_i].vector, 0, 0);
	ck_assert_uint_eq(gpr(0)->exitinfo, cases[_i].info);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(no_exinfo_no_pf)
{
	struct kit_spec s;

	kit_spec_default(&s, 1);
	s.secs.miscselect = 0;
	kit_build_spec(&kit, 1, &s);
	assert_ok(kit_enter(&kit, 0, 1, KIT_TCS0));
	aex(SGX_VEC_PF, 7, 0x20009000);
	ck_assert_uint_eq(
		((struct sgx_gprsgx *)(void *)(kit_bytes(&kit, 1, KIT_SSA0) +
					       SGX_PAGE_SIZE - 184))
			->exitinfo,
		0);
}
END_TEST

/* XSTATE_BV of the image, by test index. */
static const uint64_t bvs[] = { XFRM, 0x3, 0x0, 0xe4, 0x6 };

/* Is [@from, @to) the same in @a and @b? */
static void assert_range(const uint8_t *a, const uint8_t *b, unsigned from,
			 unsigned to)
{
	ck_assert_mem_eq(a + from, b + from, to - from);
}

START_TEST(xsave_round_trip)
{
	static const struct {
		unsigned bit, from, to;
	} parts[] = { { 0, 0, 24 },	{ 0, 32, 160 },	   { 1, 160, 416 },
		      { 2, 576, 832 },	{ 5, 1088, 1152 }, { 6, 1152, 1664 },
		      { 7, 1664, 2688 } };
	uint64_t bv = bvs[_i], got;
	uint8_t before[4096];
	size_t i;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	image_fill(3, bv);
	memcpy(before, image, sizeof(image));
	aex(SGX_VEC_UD, 0, 0);
	/* Outside: INIT state, and the operating system's bytes kept. */
	memcpy(&got, image + 512, 8);
	ck_assert_uint_eq(got & XFRM, 0);
	ck_assert_uint_eq(image[24] | image[25] << 8, 0x1f80);
	ck_assert(all_zero(image + 160, 256));
	assert_range(image, before, 416, 512);
	assert_range(image, before, 832, 1088);
	/* The SSA has a legal header. */
	memcpy(&got, kit_bytes(&kit, 0, KIT_SSA0) + 512, 8);
	ck_assert_uint_eq(got, bv);
	ck_assert(all_zero(kit_bytes(&kit, 0, KIT_SSA0) + 520, 56));

	image_fill(99, XFRM);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	memcpy(&got, image + 512, 8);
	ck_assert_uint_eq(got & XFRM, bv);
	ck_assert_uint_eq(image[24] | image[25] << 8, 0x1fa0);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (bv >> parts[i].bit & 1)
			assert_range(image, before, parts[i].from, parts[i].to);
	if (!(bv & 1))
		ck_assert_uint_eq(image[0] | image[1] << 8, 0x37f);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(legacy_image)
{
	uint8_t before[512];

	kit.frame.xsave_size = 512;
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	image_fill(3, 0);
	memcpy(before, image, sizeof(before));
	aex(SGX_VEC_UD, 0, 0);
	image_fill(9, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	assert_range(image, before, 0, 28);
	assert_range(image, before, 32, 416);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(synthetic_fp_faults)
{
	uint64_t bv;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	image_fill(3, XFRM);
	aex(SGX_VEC_MF, 0, 0);
	memcpy(&bv, image + 512, 8);
	ck_assert_uint_eq(image[0] | image[1] << 8, 0x37e);
	ck_assert_uint_eq(bv & XFRM, 1);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	aex(SGX_VEC_XM, 0, 0);
	ck_assert_uint_eq(image[24] | image[25] << 8, 0x1f01);
}
END_TEST

START_TEST(resume_restores)
{
	struct mach_frame *f = &kit.frame, in;
	uint64_t *a = &f->rax, *b = &in.rax;
	unsigned i;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	regs_fill(0x7000);
	in = *f;
	kit_aex(&kit, 0);
	ck_assert_uint_eq(gpr(0)->exitinfo, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(a[i], b[i]);
	ck_assert_uint_eq(gpr(0)->ursp, 0x7fff0000);
	ck_assert_uint_eq(f->rip, in.rip);
	ck_assert_uint_eq(f->fsbase, in.fsbase);
	ck_assert_uint_eq(f->gsbase, in.gsbase);
	ck_assert_uint_eq(f->rflags & 0x254cd5, in.rflags & 0x254cd5 & ~0x100u);
	ck_assert_uint_eq(tcs()->cssa, 0);
}
END_TEST

START_TEST(two_levels)
{
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	regs_fill(0x1000);
	kit_aex(&kit, 0);
	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(kit.frame.rax, 1);
	regs_fill(0x2000);
	kit_aex(&kit, 0);
	ck_assert_uint_eq(kit_enter(&kit, 0, 0, KIT_TCS0).kind, MACH_FAULT);
	ck_assert_uint_eq(gpr(0)->rcx, 0x1001);
	ck_assert_uint_eq(gpr(1)->rcx, 0x2001);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(kit.frame.rcx, 0x2001);
	assert_ok(kit_exit(&kit, 0));
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(kit.frame.rcx, 0x1001);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(trap_flag)
{
	struct mach_frame *f = &kit.frame;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	kit_aex(&kit, 0);
	f->rax = SGX_ERESUME;
	f->rflags = 0x302;
	assert_ok(mach_enclu(kit.m, &kit.cpu[0], f));
	ck_assert_uint_eq(f->rflags & 0x100, 0);
	assert_ok(kit_exit(&kit, 0));
	ck_assert_uint_eq(f->rflags & 0x100, 0x100);
}
END_TEST

START_TEST(notify_and_decssa)
{
	struct mach_frame *f = &kit.frame;
	uint32_t xsave, gpr0;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	xsave = kit.cpu[0].xsave[0];
	gpr0 = kit.cpu[0].gpr;
	regs_fill(0x3000);
	gpr(0)->aexnotify = 1;
	kit_aex(&kit, 0);
	f->r12 = 0x777;
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(kit.cpu[0].notify, 1);
	ck_assert_uint_eq(f->rax, 1);
	ck_assert_uint_eq(f->rcx, KIT_ENCLU + 3);
	ck_assert_uint_eq(f->rip, kit_addr(0, KIT_CODE) + 0x40);
	ck_assert_uint_eq(f->r12, 0x777);
	ck_assert_uint_eq(tcs()->cssa, 1);
	ck_assert_uint_ne(kit.cpu[0].gpr, gpr0);
	/* The handler pops the frame, and the next AEX goes there again. */
	f->rax = SGX_EDECCSSA;
	f->rip = kit_addr(0, KIT_CODE);
	assert_ok(mach_enclu(kit.m, &kit.cpu[0], f));
	ck_assert_uint_eq(f->rip, kit_addr(0, KIT_CODE) + 3);
	ck_assert_uint_eq(tcs()->cssa, 0);
	ck_assert_uint_eq(kit.cpu[0].xsave[0], xsave);
	ck_assert_uint_eq(kit.cpu[0].gpr, gpr0);
	gpr(0)->aexnotify = 0;
	regs_fill(0x4000);
	kit_aex(&kit, 0);
	ck_assert_uint_eq(gpr(0)->rcx, 0x4001);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(f->rcx, 0x4001);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

START_TEST(interrupt_needs_its_pages)
{
	struct mach_secs_info i;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	ck_assert(mach_interrupt(kit.m, &kit.cpu[0]));
	assert_ok(mach_eblock(kit.m, kit_page_addr(&kit, 0, KIT_TCS0)));
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	ck_assert(!mach_interrupt(kit.m, &kit.cpu[0]));
	ck_assert(mach_secs(kit.m, kit.encl[0].secs, &i));
	ck_assert_uint_eq(i.threads, 1);
	ck_assert_uint_eq(i.stale, 1);
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

/* ERESUME would be an entry: the platform must make the AEX a real one. */
START_TEST(interrupt_is_noticed)
{
	struct mach_secs_info i;

	assert_ok(kit_enter(&kit, 0, 0, KIT_TCS0));
	ck_assert(mach_interrupt(kit.m, &kit.cpu[0]));
	gpr(0)->aexnotify = 1;
	gpr(1)->aexnotify = 0;
	assert_ok(mach_etrack(kit.m, kit_secs(&kit, 0)));
	ck_assert(!mach_interrupt(kit.m, &kit.cpu[0]));
	ck_assert(mach_secs(kit.m, kit.encl[0].secs, &i));
	ck_assert_uint_eq(i.stale, 1);
	kit_aex(&kit, 0);
	ck_assert(mach_secs(kit.m, kit.encl[0].secs, &i));
	ck_assert_uint_eq(i.stale, 0);
	assert_ok(kit_resume(&kit, 0, 0, KIT_TCS0));
	ck_assert_uint_eq(kit.cpu[0].notify, 1);
	/* In its handler it has another frame, which asks for nothing. */
	ck_assert(mach_interrupt(kit.m, &kit.cpu[0]));
	assert_ok(kit_exit(&kit, 0));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("frames");
	TCase *t = tcase_create("aex");
	TCase *n = tcase_create("notify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, aex_saves_and_scrubs);
	tcase_add_loop_test(t, exitinfo_by_vector, 0, 11);
	tcase_add_test(t, no_exinfo_no_pf);
	tcase_add_loop_test(t, xsave_round_trip, 0,
			    (int)(sizeof(bvs) / sizeof(bvs[0])));
	tcase_add_test(t, legacy_image);
	tcase_add_test(t, synthetic_fp_faults);
	tcase_add_test(t, resume_restores);
	tcase_add_test(t, two_levels);
	tcase_add_test(t, trap_flag);
	tcase_add_test(t, interrupt_needs_its_pages);
	tcase_add_checked_fixture(n, setup_notify, teardown);
	tcase_add_test(n, notify_and_decssa);
	tcase_add_test(n, interrupt_is_noticed);
	suite_add_tcase(s, t);
	suite_add_tcase(s, n);
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
