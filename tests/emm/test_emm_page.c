/* SPDX-License-Identifier: BSD-3-Clause */
/* A page's byte: what it can say, and what a change may not do to it. */
#include <stdlib.h>

#include <check.h>

#include "trusted/emm/page.h"

static uint8_t lut[PAGE_CHANGES][256];

static const int prots[] = { EMM_NONE, EMM_R, EMM_RW, EMM_RX, EMM_RWX };

static void open_luts(void)
{
	page_init(lut);
}

/* Each state with each rights has a byte of its own that says both. */
START_TEST(a_byte_says_state_and_rights)
{
	bool seen[256] = { false };

	for (unsigned int st = 0; st < PG_COUNT; st++) {
		for (unsigned int i = 0; i < PAGE_RANKS; i++) {
			uint8_t b = page_byte((enum page_state)st, prots[i]);

			ck_assert_uint_eq(b & (PAGE_BUSY | PAGE_SLOW), 0);
			ck_assert_uint_eq(page_state(b), st);
			if (st < PG_SINGLES)
				continue;
			ck_assert_int_eq(page_rights(b), prots[i]);
			ck_assert(!seen[b]);
			seen[b] = true;
		}
	}
	ck_assert_uint_eq(page_byte(PG_NONE, 0), 0);
}
END_TEST

static void for_all(void (*look)(unsigned int change, uint8_t b, uint8_t now))
{
	for (unsigned int c = 0; c < PAGE_CHANGES; c++) {
		for (unsigned int st = 0; st < PG_COUNT; st++) {
			for (unsigned int i = 0; i < PAGE_RANKS * 2; i++) {
				uint8_t b = PAGE_BUSY |
					    page_byte((enum page_state)st,
						      prots[i / 2]);

				if (i & 1 && M(st) & M_AREA)
					b |= PAGE_SLOW;
				look(c, b, lut[c][b]);
			}
		}
	}
}

/* No change of rights, and no change to any other state, makes a page zero. */
static void look_zero(unsigned int change, uint8_t b, uint8_t now)
{
	(void)change;
	ck_assert(!page_known_zero(now) || page_known_zero(b));
}

/* What an area allows outlives whatever becomes of its pages (I15). */
static void look_rights(unsigned int change, uint8_t b, uint8_t now)
{
	if (change >= PAGE_RIGHTS || page_state(b) < PG_SINGLES ||
	    page_state(now) < PG_SINGLES)
		return;
	ck_assert_int_eq(page_rights(now), page_rights(b));
}

static void look_flags(unsigned int change, uint8_t b, uint8_t now)
{
	bool release = change == PAGE_RELEASE || change == PAGE_FAULT ||
		       change == PAGE_FORGET;

	ck_assert_int_eq(page_busy(now), !release);
	if (page_bit(now) & M_AREA)
		ck_assert_int_eq(page_slow(now), page_slow(b));
	else
		ck_assert(!page_slow(now));
}

/* Nobody gets to a page that nothing has proved, or that is not his yet. */
static void look_doubt(unsigned int change, uint8_t b, uint8_t now)
{
	if (page_bit(b) & (M_DOUBT | M(PG_TRIMMED)))
		ck_assert(!(page_bit(now) & (M(PG_COMM) | M_IDLE)));
	if (page_bit(now) & M(PG_COMM) && !(page_bit(b) & M(PG_COMM)))
		ck_assert(change == PAGE_COMMIT || change == PAGE_FAULT);
}

START_TEST(changes_keep_the_rules)
{
	for_all(look_zero);
	for_all(look_rights);
	for_all(look_flags);
	for_all(look_doubt);
}
END_TEST

START_TEST(alloc_keeps_what_is_there)
{
	const uint8_t fresh = PAGE_SLOW | page_byte(PG_ABSENT, EMM_R);
	uint8_t t[256];

	page_lut_alloc(fresh, M_HOLE, t);
	ck_assert_uint_eq(t[PAGE_BUSY | PG_NONE], fresh);
	ck_assert_uint_eq(t[PAGE_BUSY | PG_RESERVED], fresh);
	ck_assert_uint_eq(t[PAGE_BUSY | PG_FREE_ZERO],
			  PAGE_SLOW | page_byte(PG_ZERO, EMM_R));
	ck_assert_uint_eq(t[PAGE_BUSY | PG_FREE_IDLE],
			  PAGE_SLOW | page_byte(PG_IDLE, EMM_R));
	page_lut_alloc(PAGE_BUSY | fresh, M_HOLE, t);
	ck_assert_uint_eq(t[PAGE_BUSY | PG_FREE_DOUBT],
			  PAGE_BUSY | PAGE_SLOW |
				  page_byte(PG_DOUBT_IDLE, EMM_R));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("emm page");
	TCase *t = tcase_create("byte");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, open_luts, NULL);
	tcase_add_test(t, a_byte_says_state_and_rights);
	tcase_add_test(t, changes_keep_the_rules);
	tcase_add_test(t, alloc_keeps_what_is_there);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
