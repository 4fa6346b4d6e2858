/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image/: layout, page runs, MRENCLAVE against worked values and against the
 * oracle (another language, written from the SDM), SIGSTRUCT, keys.
 */
#include <check.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edmm/image.h"
#include "tests/image/image_util.h"

#define MIB (1ull << 20)

static struct edmm_image *image;
static struct edmm_diag diag;

static void setup(void)
{
	ck_assert_msg(!edmm_image_read(TINY, &image, &diag), "%s", diag.text);
}

static void teardown(void)
{
	edmm_image_free(image);
	image = NULL;
}

static void plan_of(const struct edmm_image_policy *p, struct edmm_plan *plan)
{
	ck_assert_msg(!edmm_plan_make(image, p, plan, &diag), "%s", diag.text);
}

static void hex_of(const uint8_t *bytes, char *text)
{
	unsigned i;

	for (i = 0; i < 32; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

static void measure_policy(const struct edmm_image_policy *p, char hex[65])
{
	struct edmm_plan plan;
	uint8_t mr[32];

	plan_of(p, &plan);
	ck_assert_int_eq(edmm_plan_measure(&plan, mr), 0);
	hex_of(mr, hex);
	edmm_plan_free(&plan);
}

/*
 * Worked by hand with sha256sum over the blocks written out byte by byte
 * (tests/image/worked.sh): ECREATE alone; one measured zero page; one TCS page
 * that is added and not extended.
 */
START_TEST(worked_values)
{
	static const struct {
		size_t count;
		const char *want;
	} row[] = {
		{ 0, WORKED_CREATE },
		{ 1, WORKED_ZERO_PAGE },
		{ 2, WORKED_TCS },
	};
	const struct edmm_page_run runs[] = {
		{ .off = 0x1000,
		  .size = 4096,
		  .secinfo_flags = SGX_SECINFO_R | SGX_SECINFO_W |
				   SGX_SECINFO_PT(SGX_PT_REG),
		  .measured = true },
		{ .off = 0x3000,
		  .size = 4096,
		  /* EADD measures a TCS without rights, whatever is asked */
		  .secinfo_flags = SGX_SECINFO_R | SGX_SECINFO_PT(SGX_PT_TCS),
		  .measured = false },
	};
	uint8_t mr[32];
	char hex[65];

	ck_assert_int_eq(edmm_measure(runs, row[_i].count, 0x10000, 3, mr), 0);
	hex_of(mr, hex);
	ck_assert_str_eq(hex, row[_i].want);
}
END_TEST

static void change_mode(struct edmm_image_policy *p, int i)
{
	edmm_policy_default(i & 1 ? EDMM_MODE_STATIC : EDMM_MODE_ELASTIC, p);
	if (i & 2) {
		p->ctx_count = 3;
		p->nssa = 4;
		p->stack_size = 1 * MIB;
		p->flags = EDMM_POLICY_WX | EDMM_POLICY_DEBUG;
	}
}

START_TEST(oracle_agrees)
{
	struct edmm_image_policy p;
	struct edmm_plan plan;
	char command[512], hex[65], theirs[65];
	char layout[] = "/tmp/edmm-layout.XXXXXX";
	FILE *f;

	change_mode(&p, _i);
	plan_of(&p, &plan);
	measure_policy(&p, hex);
	util_write_temp(layout, &plan.layout, sizeof(plan.layout));
	edmm_plan_free(&plan);
	snprintf(command, sizeof(command), "python3 %s measure %s %s", ORACLE,
		 TINY, layout);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%64s ", theirs), 1);
	ck_assert_int_eq(pclose(f), 0);
	unlink(layout);
	ck_assert_str_eq(hex, theirs);
}
END_TEST

START_TEST(elastic_identity_ignores_maximum)
{
	static const uint64_t max[] = { 2 * MIB, 256 * MIB, 32768 * MIB };
	struct edmm_image_policy p;
	char first[65], other[65];
	unsigned i;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	measure_policy(&p, first);
	for (i = 0; i < 3; i++) {
		p.heap_size = max[i];
		measure_policy(&p, other);
		ck_assert_str_eq(first, other);
	}
}
END_TEST

START_TEST(every_other_setting_changes_identity)
{
	struct edmm_image_policy p, q;
	char first[65], other[65];

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	measure_policy(&p, first);
	q = p;
	switch (_i) {
	case 0:
		q.flags = EDMM_POLICY_DEBUG;
		break;
	case 1:
		q.flags = EDMM_POLICY_WX;
		break;
	case 2:
		q.elrange_size *= 2;
		break;
	case 3:
		q.heap_init += 4096;
		break;
	case 4:
		q.stack_size += 4096;
		break;
	case 5:
		q.stack_init += 4096;
		break;
	case 6:
		q.ctx_count++;
		break;
	case 7:
		q.nssa++;
		break;
	case 8:
		edmm_policy_default(EDMM_MODE_STATIC, &q);
		break;
	}
	measure_policy(&q, other);
	ck_assert_str_ne(first, other);
}
END_TEST

/* Runs are whole pages, ascending, apart, inside ELRANGE, and readable. */
START_TEST(runs_are_sound)
{
	struct edmm_image_policy p;
	struct edmm_plan plan;
	uint64_t end = 0, added = 0, measured = 0, sum = 0;
	size_t i, k;

	change_mode(&p, _i);
	plan_of(&p, &plan);
	for (i = 0; i < plan.run_count; i++) {
		const struct edmm_page_run *r = &plan.runs[i];

		ck_assert_uint_eq((r->off | r->size) % 4096, 0);
		ck_assert_uint_gt(r->size, 0);
		ck_assert_uint_ge(r->off, end);
		end = r->off + r->size;
		ck_assert_uint_eq((uintptr_t)r->src % 4096, 0);
		for (k = 0; r->src && k < r->size; k += 256)
			sum += r->src[k];
		added += r->size / 4096;
		measured += r->measured ? r->size / 4096 : 0;
	}
	ck_assert_uint_gt(sum, 0);
	ck_assert_uint_le(end, plan.layout.elrange_size);
	ck_assert_uint_eq(added, plan.pages_added);
	ck_assert_uint_eq(measured, plan.pages_measured);
	edmm_plan_free(&plan);
}
END_TEST

START_TEST(layout_is_measured_as_the_enclave_finds_it)
{
	struct edmm_image_policy p;
	struct edmm_plan plan;
	size_t i;
	int found = 0;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	plan_of(&p, &plan);
	for (i = 0; i < plan.run_count; i++)
		if (plan.runs[i].src &&
		    !memcmp(plan.runs[i].src, &plan.layout, 4096)) {
			ck_assert_uint_eq(plan.runs[i].secinfo_flags,
					  SGX_SECINFO_R |
						  SGX_SECINFO_PT(SGX_PT_REG));
			ck_assert(plan.runs[i].measured);
			found++;
		}
	ck_assert_int_eq(found, 1);
	edmm_plan_free(&plan);
}
END_TEST

START_TEST(static_heap_is_added_and_not_measured)
{
	struct edmm_image_policy p;
	struct edmm_plan plan;
	const struct edmm_page_run *last;

	edmm_policy_default(EDMM_MODE_STATIC, &p);
	p.heap_size = 256 * MIB;
	plan_of(&p, &plan);
	last = &plan.runs[plan.run_count - 1];
	ck_assert_uint_eq(last->off, plan.layout.heap_off);
	ck_assert_uint_eq(last->size, 256 * MIB);
	ck_assert(!last->measured);
	ck_assert(plan.layout.flags & EDMM_LAYOUT_HEAP_ZERO);
	ck_assert_uint_eq(plan.layout.heap_bound, 256 * MIB);
	/* The smallest power of two: 256 MiB of heap do not fit in 256 MiB. */
	ck_assert_uint_eq(plan.layout.elrange_size, 512 * MIB);
	edmm_plan_free(&plan);
}
END_TEST

START_TEST(bad_policies)
{
	static const char *const want[] = {
		"neither elastic nor static",
		"power of two",
		"whole pages",
		"raise --elrange",
		"contexts:",
		"SSA frames",
		"initial stack",
		"unknown bits",
		"below the initial",
	};
	struct edmm_image_policy p;
	struct edmm_plan plan;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	switch (_i) {
	case 0:
		p.mode = 3;
		break;
	case 1:
		p.elrange_size = 3ull << 30;
		break;
	case 2:
		p.heap_init = 12345;
		break;
	case 3:
		p.elrange_size = 8 * MIB;
		break;
	case 4:
		p.ctx_count = 0;
		break;
	case 5:
		p.nssa = 1;
		break;
	case 6:
		p.stack_init = p.stack_size + 4096;
		break;
	case 7:
		p.flags = 4;
		break;
	case 8:
		p.heap_size = 4096;
		break;
	}
	ck_assert_int_eq(edmm_plan_make(image, &p, &plan, &diag), -EDMM_EINVAL);
	ck_assert_msg(strcasestr(diag.text, want[_i]), "%s", diag.text);
	ck_assert_ptr_null(plan.runs);
}
END_TEST

START_TEST(symbols_are_found)
{
	struct edmm_plan plan;
	struct edmm_image_policy p;
	uint64_t delta;

	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	plan_of(&p, &plan);
	ck_assert_str_eq(edmm_image_symbol(image, plan.oentry + 2, &delta),
			 "tiny_entry");
	ck_assert_uint_eq(delta, 2);
	ck_assert_ptr_null(edmm_image_symbol(image, 1ull << 40, &delta));
	edmm_plan_free(&plan);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("image");
	TCase *c = tcase_create("image");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, worked_values, 0, 3);
	tcase_add_loop_test(c, oracle_agrees, 0, 4);
	tcase_add_test(c, elastic_identity_ignores_maximum);
	tcase_add_loop_test(c, every_other_setting_changes_identity, 0, 9);
	tcase_add_loop_test(c, runs_are_sound, 0, 4);
	tcase_add_test(c, layout_is_measured_as_the_enclave_finds_it);
	tcase_add_test(c, static_heap_is_added_and_not_measured);
	tcase_add_loop_test(c, bad_policies, 0, 9);
	tcase_add_test(c, symbols_are_found);
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
