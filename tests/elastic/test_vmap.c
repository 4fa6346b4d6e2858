/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap's page maps against an array of bytes, under random use. */
#include "trusted/elastic/vmap.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 777u
#define WORDS ((PAGES + 63) / 64)
#define STEPS 4000

struct ref {
	struct vmap m;
	uint64_t used[WORDS];
	uint64_t charged[WORDS];
	uint64_t locked[WORDS];
	uint8_t is_used[PAGES];
	uint8_t is_charged[PAGES];
	uint8_t is_locked[PAGES];
};

static void ref_init(struct ref *r)
{
	uint64_t *const maps[3] = { r->used, r->charged, r->locked };

	memset(r, 0, sizeof(*r));
	vmap_init(&r->m, maps, PAGES);
}

static uint64_t rnd(uint64_t *seed, uint64_t bound)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (*seed >> 33) % bound;
}

static uint64_t count_bytes(const uint8_t *p, uint64_t at, uint64_t count,
			    uint8_t v)
{
	uint64_t i, n = 0;

	for (i = at; i < at + count; i++)
		n += p[i] == v;
	return n;
}

static void check_edges(const struct ref *r)
{
	const struct vmap *m = &r->m;
	uint64_t i, wrong = 0, hint = m->first_free;

	ck_assert_uint_le(m->low, m->high);
	ck_assert_uint_eq(count_bytes(r->is_used, m->low, m->high - m->low, 1),
			  0);
	ck_assert_uint_eq(count_bytes(r->is_used, 0, hint, 0), 0);
	for (i = 0; i < PAGES; i++)
		wrong += ((r->used[i / 64] >> (i % 64)) & 1) != r->is_used[i];
	ck_assert_uint_eq(wrong, 0);
}

static void take(struct ref *r, bool low, uint64_t count, bool charge)
{
	uint64_t room = r->m.high - r->m.low;
	uint64_t at = low ? vmap_find_low(&r->m, count)
			  : vmap_find_high(&r->m, count);

	if (at == VMAP_NONE) {
		ck_assert_uint_lt(room, count);
		return;
	}
	ck_assert_uint_le(at + count, PAGES);
	ck_assert_uint_eq(count_bytes(r->is_used, at, count, 1), 0);
	ck_assert(vmap_all_free(&r->m, at, count));
	if (low)
		vmap_take_low(&r->m, at, count);
	else
		vmap_take_high(&r->m, at, count);
	memset(r->is_used + at, 1, count);
	ck_assert(vmap_all_used(&r->m, at, count));
	ck_assert_uint_eq(vmap_uncharged(&r->m, at, count), count);
	if (charge) {
		ck_assert_uint_eq(vmap_charge(&r->m, at, count, true), count);
		memset(r->is_charged + at, 1, count);
	}
}

/* A run inside one side, as the heap drops them. */
static void drop(struct ref *r, uint64_t *seed)
{
	uint64_t at = rnd(seed, PAGES), room, count;

	if (at >= r->m.low && at < r->m.high)
		return;
	room = (at < r->m.low ? r->m.low : PAGES) - at;
	count = 1 + rnd(seed, room);
	ck_assert_uint_eq(vmap_drop(&r->m, at, count),
			  count_bytes(r->is_charged, at, count, 1));
	memset(r->is_used + at, 0, count);
	memset(r->is_charged + at, 0, count);
	memset(r->is_locked + at, 0, count);
}

static bool taken(const struct ref *r, uint64_t at, uint64_t count)
{
	return count_bytes(r->is_used, at, count, 1) == count;
}

/* Locks or unlocks a few pages if they are taken. */
static void lock(struct ref *r, uint64_t *seed)
{
	uint64_t at = rnd(seed, PAGES - 8), count = 1 + rnd(seed, 8);
	bool on = rnd(seed, 2);

	if (!taken(r, at, count))
		return;
	vmap_lock(&r->m, at, count, on);
	memset(r->is_locked + at, on, count);
}

static void check_alike(const struct ref *r, uint64_t at)
{
	bool used, locked;
	uint64_t end = vmap_alike(&r->m, at, PAGES, &used, &locked);

	ck_assert_uint_gt(end, at);
	ck_assert_uint_le(end, PAGES);
	for (uint64_t i = at; i < end; i++) {
		ck_assert_int_eq(used, r->is_used[i]);
		ck_assert_int_eq(locked, r->is_locked[i]);
	}
	ck_assert_uint_eq(r->m.nlocked, count_bytes(r->is_locked, 0, PAGES, 1));
}

START_TEST(random_use_agrees_with_bytes)
{
	uint64_t seed = (uint64_t)_i * 7919 + 1;
	struct ref r;
	int step;

	ref_init(&r);
	for (step = 0; step < STEPS; step++) {
		if (rnd(&seed, 3) == 0)
			drop(&r, &seed);
		else
			take(&r, rnd(&seed, 2), 1 + rnd(&seed, 40),
			     rnd(&seed, 2));
		lock(&r, &seed);
		check_edges(&r);
		check_alike(&r, rnd(&seed, PAGES));
	}
}
END_TEST

START_TEST(sides_meet_and_no_further)
{
	struct ref r;

	ref_init(&r);
	take(&r, true, 500, false);
	take(&r, false, 277, false);
	ck_assert_uint_eq(r.m.low, r.m.high);
	ck_assert_uint_eq(vmap_find_low(&r.m, 1), VMAP_NONE);
	ck_assert_uint_eq(vmap_find_high(&r.m, 1), VMAP_NONE);
	vmap_drop(&r.m, 100, 3);
	ck_assert_uint_eq(vmap_find_low(&r.m, 3), 100);
	ck_assert_uint_eq(vmap_find_low(&r.m, 4), VMAP_NONE);
}
END_TEST

START_TEST(lowest_hole_is_taken_first)
{
	struct ref r;
	uint64_t at = 0;

	ref_init(&r);
	take(&r, true, 300, true);
	vmap_drop(&r.m, 200, 20);
	vmap_drop(&r.m, 70, 10);
	ck_assert_uint_eq(vmap_find_low(&r.m, 10), 70);
	ck_assert_uint_eq(vmap_find_low(&r.m, 11), 200);
	ck_assert_uint_eq(vmap_find_low(&r.m, 21), 300);
	ck_assert_uint_eq(vmap_next_free(&r.m, &at, r.m.low), 10);
	ck_assert_uint_eq(at, 70);
	at += 10;
	ck_assert_uint_eq(vmap_next_free(&r.m, &at, r.m.low), 20);
	ck_assert_uint_eq(at, 200);
	at += 20;
	ck_assert_uint_eq(vmap_next_free(&r.m, &at, r.m.low), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmap");
	TCase *tc = tcase_create("vmap");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, random_use_agrees_with_bytes, 0, 8);
	tcase_add_test(tc, sides_meet_and_no_further);
	tcase_add_test(tc, lowest_hole_is_taken_first);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
