/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap's policy on the real memory manager and a small machine. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/elastic/mini.h"

#define MIB (1ull << 20)
#define SIZE (1024 * MIB)
#define MAX (64 * MIB)
#define EPC (SIZE / MINI_PAGE)

static struct heap *heap;

static void start(void)
{
	heap = mini_start(SIZE, MAX, UINT64_MAX, EPC);
}

static void finish(void)
{
	mini_stop();
}

static edmm_err map(enum heap_kind kind, uint64_t size, uint64_t *addr)
{
	const struct heap_req r = { .size = size,
				    .prot = EMM_RW,
				    .kind = kind };

	return heap_map(heap, &r, addr);
}

static uint64_t must_map(enum heap_kind kind, uint64_t size)
{
	uint64_t addr = 0;

	ck_assert_int_eq(map(kind, size, &addr), 0);
	ck_assert_uint_eq(addr % MINI_PAGE, 0);
	return addr;
}

static bool all_are(uint64_t addr, int v, uint64_t size)
{
	const uint8_t *p = (const uint8_t *)addr;

	return p[0] == v && memcmp(p, p + 1, size - 1) == 0;
}

static bool all_zero(uint64_t addr, uint64_t size)
{
	return all_are(addr, 0, size);
}

static void fill(uint64_t addr, int v, uint64_t size)
{
	memset((void *)addr, v, size);
}

START_TEST(memory_is_zero_and_stays)
{
	enum heap_kind kind = _i == 0 ? HEAP_ARENA : HEAP_MAP;
	uint64_t a = must_map(kind, 3 * MIB), b = must_map(kind, 4096);

	ck_assert(all_zero(a, 3 * MIB));
	fill(a, 1, 3 * MIB);
	fill(b, 2, 4096);
	ck_assert_int_eq(*(char *)(a + 3 * MIB - 1), 1);
	ck_assert_int_eq(*(char *)b, 2);
	ck_assert_uint_eq(heap->charged, 3 * MIB + 4096);
}
END_TEST

START_TEST(freed_and_mapped_again_is_zero)
{
	enum heap_kind kind = _i & 1 ? HEAP_ARENA : HEAP_MAP;
	uint64_t size = _i & 2 ? 2 * MIB : 16 * MINI_PAGE, a, b;

	a = must_map(kind, size);
	fill(a, 0xee, size);
	ck_assert_int_eq(heap_unmap(heap, a, size), 0);
	ck_assert_uint_eq(heap->charged, 0);
	b = must_map(kind, size);
	ck_assert_uint_eq(a, b);
	ck_assert(all_zero(b, size));
}
END_TEST

START_TEST(the_maximum_is_enomem_and_no_end)
{
	uint64_t a = must_map(HEAP_ARENA, MAX - MIB), b = 7;

	ck_assert_int_eq(map(HEAP_ARENA, 2 * MIB, &b), -EDMM_ENOMEM);
	ck_assert_int_eq(map(HEAP_MAP, 2 * MIB, &b), -EDMM_ENOMEM);
	ck_assert_uint_eq(b, 7);
	fill(a, 1, MAX - MIB);
	b = must_map(HEAP_MAP, MIB);
	fill(b, 1, MIB);
	ck_assert_int_eq(map(HEAP_ARENA, 1, &b), -EDMM_ENOMEM);
	ck_assert_int_eq(heap_unmap(heap, a, MIB), 0);
	must_map(HEAP_ARENA, MIB);
}
END_TEST

START_TEST(a_lower_maximum_holds)
{
	uint64_t a = must_map(HEAP_ARENA, 2 * MIB), b = 7;

	heap->max = MIB;
	ck_assert_int_eq(map(HEAP_ARENA, MINI_PAGE, &b), -EDMM_ENOMEM);
	ck_assert_int_eq(map(HEAP_MAP, MINI_PAGE, &b), -EDMM_ENOMEM);
	ck_assert_int_eq(heap_unmap(heap, a + MINI_PAGE, 2 * MIB - MINI_PAGE),
			 0);
	must_map(HEAP_MAP, MINI_PAGE);
}
END_TEST

START_TEST(lazily_freed_memory_has_a_cap)
{
	uint64_t a = must_map(HEAP_ARENA, 48 * MIB);
	struct mini_counts full, after;

	fill(a, 1, 48 * MIB);
	full = mini_counts();
	ck_assert_int_eq(heap_unmap(heap, a + MIB, 44 * MIB), 0);
	after = mini_counts();
	ck_assert_uint_lt(after.present, full.present / 2);
	/* A few runs, not a call a page. */
	ck_assert_uint_lt(after.host_calls - full.host_calls, 16);
}
END_TEST

static uint64_t filled(uint64_t size)
{
	uint64_t a = must_map(HEAP_ARENA, size);

	fill(a, 1, size);
	return a;
}

/* What goes and comes again is kept, and what does not come back is not. */
START_TEST(what_swings_is_kept)
{
	uint64_t a[14], now = 1;
	struct mini_counts before, after;

	heap_tick(heap, now);
	for (int i = 0; i < 14; i++)
		a[i] = filled(4 * MIB);
	for (int n = 0; n < 4; n++) {
		if (n == 1)
			before = mini_counts();
		for (int i = 1; i < 13; i += 2)
			ck_assert_int_eq(heap_unmap(heap, a[i], 4 * MIB), 0);
		for (int i = 1; i < 13; i += 2)
			a[i] = filled(4 * MIB);
	}
	after = mini_counts();
	ck_assert_uint_eq(after.trimmed, before.trimmed);
	ck_assert_uint_eq(after.added, before.added);
	for (int i = 1; i < 13; i += 2)
		ck_assert_int_eq(heap_unmap(heap, a[i], 4 * MIB), 0);
	ck_assert_uint_eq(mini_counts().trimmed, before.trimmed);
	for (int i = 0; i < 8; i++)
		heap_tick(heap, now += HEAP_DECAY);
	ck_assert_uint_ge(mini_counts().trimmed - before.trimmed,
			  23 * MIB / MINI_PAGE);
}
END_TEST

/* Frees 40 of 48 MiB; returns how many MiB stay in the enclave. */
static uint64_t left_after_free(uint64_t free_max, uint64_t percent)
{
	const struct heap_params want = { .size = SIZE,
					  .max = MAX,
					  .free_max = free_max,
					  .free_percent = percent };
	uint64_t a, before;

	mini_stop();
	heap = mini_start_with(&want, EPC);
	a = must_map(HEAP_ARENA, 48 * MIB);
	fill(a, 1, 48 * MIB);
	before = mini_counts().present;
	ck_assert_int_eq(heap_unmap(heap, a + 8 * MIB, 40 * MIB), 0);
	/* The cap follows what is mapped: it takes effect at the next free. */
	a = must_map(HEAP_ARENA, MINI_PAGE);
	ck_assert_int_eq(heap_unmap(heap, a, MINI_PAGE), 0);
	return (48 * MIB - (before - mini_counts().present) * MINI_PAGE) / MIB;
}

/* Eight mebibytes stay mapped; of the rest, so much may stay idle. */
START_TEST(idle_memory_is_what_was_asked_for)
{
	uint64_t none = left_after_free(UINT64_MAX, 0);

	ck_assert_uint_ge(none, 8);
	ck_assert_uint_le(none, 9);
	ck_assert_uint_gt(left_after_free(UINT64_MAX, 100), none + 3);
	ck_assert_uint_le(left_after_free(2 * MIB, 100), none + 3);
	ck_assert_uint_le(left_after_free(0, UINT64_MAX), none);
}
END_TEST

/* What may stay idle is the heap's to say, how much there is the runtime's. */
START_TEST(no_churn_moves_the_limit)
{
	struct heap_resize r = { .old = MIB, .size = 3 * MIB, .move = true };
	struct emm_stats s;
	uint64_t a;

	emm_set_limit(heap->emm, 72 * MIB);
	for (uint64_t i = 1; i <= 8; i++) {
		r.addr = must_map(HEAP_ARENA, MIB);
		ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
		ck_assert_int_eq(heap_unmap(heap, a, 3 * MIB), 0);
		a = must_map(HEAP_MAP, MIB);
		ck_assert_int_eq(heap_protect(heap, a, MIB, EMM_R), 0);
		ck_assert_int_eq(heap_discard(heap, a, MIB), 0);
		ck_assert_int_eq(heap_unmap(heap, a, MIB), 0);
		heap_brk(heap, heap_brk(heap, 0) + MINI_PAGE);
		heap_tick(heap, i * HEAP_DECAY);
		heap_relieve(heap);
		emm_set_idle_max(heap->emm, i * MIB);
		emm_set_idle_share(heap->emm, (uint32_t)i);
		emm_stats_get(heap->emm, &s);
		ck_assert_uint_eq(s.limit, 72 * MIB);
	}
}
END_TEST

/* Taking idle pages again near the maximum must not throw them away first. */
START_TEST(idle_pages_need_no_room)
{
	uint64_t a;
	struct mini_counts before, after;

	mini_stop();
	heap = mini_start(SIZE, 48 * MIB, 40 * MIB, EPC);
	a = must_map(HEAP_ARENA, 40 * MIB);
	fill(a, 1, 40 * MIB);
	ck_assert_int_eq(heap_unmap(heap, a, 40 * MIB), 0);
	before = mini_counts();
	a = must_map(HEAP_ARENA, 30 * MIB);
	after = mini_counts();
	ck_assert(all_zero(a, 30 * MIB));
	ck_assert_uint_eq(after.trimmed, before.trimmed);
	ck_assert_uint_eq(after.added, before.added);
}
END_TEST

/*
 * A host that trims nothing while pages are in doubt shows them as they were
 * afterwards: whoever gets them next must not see it (I5, I15).
 */
START_TEST(memory_in_doubt_is_zero_when_it_is_mapped_again)
{
	uint64_t size = _i ? 2 * MIB : 16 * MINI_PAGE, a, b = 0;

	a = must_map(HEAP_ARENA, size);
	fill(a, 0xee, size);
	ck_assert_int_eq(heap_unmap(heap, a, size), 0);
	mini_refuse(true);
	ck_assert_int_ne(emm_trim(heap->emm, UINT64_MAX, NULL), 0);
	mini_refuse(false);
	ck_assert_int_eq(map(HEAP_ARENA, size, &b), 0);
	ck_assert_uint_eq(a, b);
	ck_assert(all_zero(b, size));
}
END_TEST

static struct {
	uint64_t peak, low;
} last_told;

static void on_peak(uint64_t peak, uint64_t low)
{
	ck_assert(peak >= last_told.peak && low >= last_told.low);
	last_told.peak = peak;
	last_told.low = low;
}

START_TEST(peaks_are_told)
{
	const struct heap_params want = { .size = SIZE,
					  .max = MAX,
					  .free_max = UINT64_MAX,
					  .free_percent = UINT64_MAX,
					  .told = on_peak };
	uint64_t a, start;

	last_told.peak = last_told.low = 0;
	mini_stop();
	heap = mini_start_with(&want, EPC);
	start = last_told.peak;
	a = must_map(HEAP_ARENA, 10 * MIB);
	must_map(HEAP_MAP, 3 * MIB);
	ck_assert_uint_eq(last_told.peak - start, 13 * MIB);
	ck_assert_uint_eq(last_told.low, 10 * MIB);
	ck_assert_int_eq(heap_unmap(heap, a, 10 * MIB), 0);
	must_map(HEAP_ARENA, MIB);
	ck_assert_uint_eq(last_told.peak - start, 13 * MIB);
	ck_assert_uint_eq(last_told.low, 10 * MIB);
}
END_TEST

/* Half of it each time, but for what is used in between. */
START_TEST(idle_memory_decays)
{
	uint64_t a = must_map(HEAP_ARENA, 4 * MIB), now = 1, i;
	uint64_t before, after;

	fill(a, 1, 4 * MIB);
	heap_tick(heap, now);
	ck_assert_int_eq(heap_unmap(heap, a, 4 * MIB), 0);
	before = mini_counts().present;
	heap_tick(heap, now + HEAP_DECAY - 1);
	heap_tick(heap, now += HEAP_DECAY);
	ck_assert_uint_eq(mini_counts().present, before);
	heap_tick(heap, now += HEAP_DECAY);
	after = mini_counts().present;
	ck_assert_uint_eq(before - after, 2 * MIB / MINI_PAGE);
	for (i = 0; i < 4; i++) {
		a = must_map(HEAP_ARENA, MIB);
		ck_assert(all_zero(a, MIB));
		ck_assert_int_eq(heap_unmap(heap, a, MIB), 0);
		heap_tick(heap, now += HEAP_DECAY);
	}
	after = mini_counts().present;
	ck_assert_uint_le(before - after, 3 * MIB / MINI_PAGE);
	heap_tick(heap, now + 40 * HEAP_DECAY);
	ck_assert_uint_ge(before - mini_counts().present, 3 * MIB / MINI_PAGE);
}
END_TEST

/* Sequential commits of a page each: how many faults and calls they take. */
static uint64_t cost_of_growth(uint32_t window)
{
	const struct heap_params want = { .size = SIZE,
					  .max = MAX,
					  .free_max = UINT64_MAX,
					  .free_percent = UINT64_MAX,
					  .window = window };
	struct mini_counts n;

	mini_stop();
	heap = mini_start_with(&want, EPC);
	for (int i = 0; i < 1024; i++)
		fill(must_map(HEAP_ARENA, MINI_PAGE), 1, MINI_PAGE);
	n = mini_counts();
	/* Never more ahead than a window, and the heap's own bit maps. */
	ck_assert_uint_le(n.present,
			  1024 + 64 + (window ? window : 4 * MIB) / MINI_PAGE);
	return n.host_calls + n.faults;
}

START_TEST(a_window_bounds_what_is_ahead)
{
	uint64_t page = cost_of_growth(MINI_PAGE);
	uint64_t mid = cost_of_growth(64 << 10);
	uint64_t large = cost_of_growth(0);

	ck_assert_uint_gt(page, 4 * mid);
	ck_assert_uint_le(large, mid);
}
END_TEST

START_TEST(small_churn_costs_no_host_call)
{
	uint64_t keep = must_map(HEAP_ARENA, 8 * MIB), a;
	struct mini_counts before, after;
	int i;

	fill(keep, 1, 8 * MIB);
	a = must_map(HEAP_ARENA, MIB);
	ck_assert_int_eq(heap_unmap(heap, a, MIB), 0);
	before = mini_counts();
	for (i = 0; i < 100; i++) {
		a = must_map(HEAP_ARENA, MIB);
		ck_assert(all_zero(a, MIB));
		fill(a, i + 1, MIB);
		ck_assert_int_eq(heap_unmap(heap, a, MIB), 0);
	}
	after = mini_counts();
	ck_assert_uint_eq(after.host_calls, before.host_calls);
	ck_assert_uint_eq(after.added, before.added);
	ck_assert_uint_eq(after.faults, before.faults);
}
END_TEST

START_TEST(sequential_growth_costs_few_calls)
{
	struct mini_counts n;
	uint64_t total = 0;

	while (total < 32 * MIB) {
		fill(must_map(HEAP_ARENA, 8 * MINI_PAGE), 1, 8 * MINI_PAGE);
		total += 8 * MINI_PAGE;
	}
	n = mini_counts();
	/* 0.02 a page at least as good as the budget of an ordinary commit. */
	ck_assert_uint_lt(n.host_calls + n.faults, total / MINI_PAGE / 50);
}
END_TEST

START_TEST(unmapped_is_gone)
{
	uint64_t a = must_map(HEAP_MAP, 8 * MINI_PAGE);

	fill(a, 1, 8 * MINI_PAGE);
	ck_assert_int_eq(heap_unmap(heap, a + MINI_PAGE, 2 * MINI_PAGE), 0);
	ck_assert(mini_readable(a));
	ck_assert(!mini_readable(a + MINI_PAGE));
	ck_assert(!mini_readable(a + 2 * MINI_PAGE));
	ck_assert(mini_readable(a + 3 * MINI_PAGE));
	ck_assert_int_eq(heap_unmap(heap, a, 8 * MINI_PAGE), 0);
	ck_assert_int_eq(heap_unmap(heap, a, 8 * MINI_PAGE), 0);
	ck_assert(!mini_readable(a));
}
END_TEST

START_TEST(reserved_memory_is_free_until_it_has_rights)
{
	struct heap_req r = { .size = 512 * MIB, .kind = HEAP_MAP };
	uint64_t a = 0;

	ck_assert_int_eq(heap_map(heap, &r, &a), 0);
	ck_assert_uint_eq(heap->charged, 0);
	ck_assert(!mini_readable(a));
	ck_assert_int_eq(heap_protect(heap, a + MIB, MIB, EMM_RW), 0);
	fill(a + MIB, 1, MIB);
	ck_assert_uint_eq(heap->charged, MIB);
	ck_assert_int_eq(heap_protect(heap, a, 128 * MIB, EMM_RW),
			 -EDMM_ENOMEM);
	ck_assert(!mini_readable(a));
	r = (struct heap_req){ .addr = a + 4 * MIB,
			       .size = MIB,
			       .prot = EMM_RW,
			       .kind = HEAP_MAP,
			       .place = HEAP_FIXED };
	ck_assert_int_eq(heap_map(heap, &r, &a), 0);
	fill(a, 1, MIB);
	r.place = HEAP_FIXED_NEW;
	ck_assert_int_eq(heap_map(heap, &r, &a), -EDMM_EEXIST);
}
END_TEST

START_TEST(rights_are_kept)
{
	uint64_t a = must_map(HEAP_MAP, 4 * MINI_PAGE);

	fill(a, 5, 4 * MINI_PAGE);
	ck_assert_int_eq(heap_protect(heap, a, MINI_PAGE, EMM_NONE), 0);
	ck_assert(!mini_readable(a));
	ck_assert_int_eq(heap_protect(heap, a, MINI_PAGE, EMM_R), 0);
	ck_assert_int_eq(*(char *)a, 5);
	ck_assert_int_eq(heap_protect(heap, a, 4096, EMM_W | EMM_X),
			 -EDMM_EACCES);
}
END_TEST

START_TEST(discarded_reads_as_zero)
{
	enum heap_kind kind = _i == 0 ? HEAP_ARENA : HEAP_MAP;
	uint64_t a = must_map(kind, 64 * MINI_PAGE);

	fill(a, 9, 64 * MINI_PAGE);
	ck_assert_int_eq(heap_discard(heap, a + MINI_PAGE, 62 * MINI_PAGE), 0);
	ck_assert_int_eq(*(char *)a, 9);
	ck_assert(all_zero(a + MINI_PAGE, 62 * MINI_PAGE));
	ck_assert_int_eq(*(char *)(a + 63 * MINI_PAGE), 9);
}
END_TEST

START_TEST(resizing_keeps_content)
{
	enum heap_kind kind = _i == 0 ? HEAP_ARENA : HEAP_MAP;
	struct heap_resize r = { .old = 2 * MIB,
				 .size = 5 * MIB,
				 .move = true };
	uint64_t other, a = 0;

	r.addr = must_map(kind, 2 * MIB);
	other = must_map(kind, MINI_PAGE);
	fill(r.addr, 3, 2 * MIB);
	fill(other, 4, MINI_PAGE);
	ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
	ck_assert_int_eq(*(char *)(a + 2 * MIB - 1), 3);
	ck_assert(all_zero(a + 2 * MIB, 3 * MIB));
	r = (struct heap_resize){ .addr = a, .old = 5 * MIB, .size = MIB };
	ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
	ck_assert_uint_eq(heap->charged, MIB + MINI_PAGE);
	ck_assert_int_eq(*(char *)(a + MIB - 1), 3);
	ck_assert_int_eq(*(char *)other, 4);
}
END_TEST

/* The host takes some of the old pages back, and then no more. */
START_TEST(resizing_keeps_content_that_the_host_does_not_take_back)
{
	struct heap_resize r = { .old = 16 * MINI_PAGE,
				 .size = 40 * MINI_PAGE,
				 .move = true };
	uint64_t a = 0;

	r.addr = must_map(HEAP_MAP, r.old);
	must_map(HEAP_MAP, MINI_PAGE);
	r.addr = must_map(HEAP_MAP, r.old);
	fill(r.addr, 3, r.old);
	mini_trims((uint64_t)_i);
	ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
	ck_assert(all_are(a, 3, r.old));
	ck_assert(all_zero(a + r.old, r.size - r.old));
	r = (struct heap_resize){ .addr = a,
				  .old = 40 * MINI_PAGE,
				  .size = 8 * MINI_PAGE };
	ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
	ck_assert(all_are(a, 3, r.size));
}
END_TEST

/* Pages of the loader's are replaced before they can execute. */
START_TEST(execution_keeps_content_that_the_host_does_not_take_back)
{
	const struct heap_params want = { .size = SIZE,
					  .max = MAX,
					  .init = 16 * MINI_PAGE,
					  .free_max = UINT64_MAX,
					  .free_percent = UINT64_MAX };
	struct emm_run run;
	uint64_t a;
	edmm_err err;

	mini_stop();
	heap = mini_start_with(&want, EPC);
	a = must_map(HEAP_ARENA, want.init);
	fill(a, 5, want.init);
	mini_load(a, want.init);
	ck_assert_int_eq(heap_protect(heap, a, want.init, EMM_R), 0);
	mini_trims((uint64_t)_i);
	err = heap_protect(heap, a, want.init, EMM_R | EMM_X);
	/* They are trimmed, and so is the copy. */
	ck_assert_int_eq(err, _i < 32 ? -EDMM_EFAULT : 0);
	ck_assert(all_are(a, 5, want.init));
	/* Refused, it is not writable either. */
	ck_assert_int_eq(emm_query(heap->emm, a, a + want.init, &run), 0);
	ck_assert_int_eq(run.prot, _i < 32 ? EMM_R : EMM_R | EMM_X);
}
END_TEST

START_TEST(resizing_stays_where_there_is_room)
{
	struct heap_resize r = { .old = 20 * MIB,
				 .size = 50 * MIB,
				 .move = true };
	uint64_t a = 0;

	r.addr = must_map(HEAP_ARENA, 20 * MIB);
	fill(r.addr, 7, 20 * MIB);
	ck_assert_int_eq(heap_resize(heap, &r, &a), 0);
	ck_assert_uint_eq(a, r.addr);
	ck_assert_int_eq(*(char *)(a + 20 * MIB - 1), 7);
	ck_assert(all_zero(a + 20 * MIB, 30 * MIB));
	r.old = 50 * MIB;
	r.size = 80 * MIB;
	ck_assert_int_eq(heap_resize(heap, &r, &a), -EDMM_ENOMEM);
	ck_assert_uint_eq(heap->charged, 50 * MIB);
}
END_TEST

/* A range of addresses as small as a static image's heap. */
START_TEST(the_arena_gives_way_to_mappings)
{
	uint64_t a = 0, n = 0;

	mini_stop();
	heap = mini_start(8 * MIB, 8 * MIB, UINT64_MAX, EPC);
	while (map(HEAP_ARENA, 64 * MINI_PAGE, &a) == 0)
		n++;
	ck_assert_uint_gt(n, 28);
	ck_assert_int_eq(heap_unmap(heap, heap->base, n * 64 * MINI_PAGE), 0);
	ck_assert_uint_eq(heap->charged, 0);
	a = must_map(HEAP_MAP, 6 * MIB);
	fill(a, 1, 6 * MIB);
	ck_assert_int_eq(heap_unmap(heap, a, 6 * MIB), 0);
	ck_assert(!mini_readable(a));
	a = must_map(HEAP_ARENA, 6 * MIB);
	ck_assert(all_zero(a, 6 * MIB));
}
END_TEST

START_TEST(the_break_moves)
{
	uint64_t b = heap_brk(heap, 0);

	ck_assert_uint_eq(heap_brk(heap, b + 3 * MINI_PAGE), b + 3 * MINI_PAGE);
	fill(b, 1, 3 * MINI_PAGE);
	ck_assert_uint_eq(heap->charged, 3 * MINI_PAGE);
	ck_assert_uint_eq(heap_brk(heap, b), b);
	ck_assert_uint_eq(heap->charged, 0);
	ck_assert_uint_eq(heap_brk(heap, b + MINI_PAGE), b + MINI_PAGE);
	ck_assert(all_zero(b, MINI_PAGE));
	ck_assert_uint_eq(heap_brk(heap, b + SIZE), b + MINI_PAGE);
}
END_TEST

START_TEST(the_break_is_zero_that_the_host_does_not_take_back)
{
	uint64_t b = heap_brk(heap, 0), size = 8 * MINI_PAGE;

	ck_assert_uint_eq(heap_brk(heap, b + size), b + size);
	fill(b, 1, size);
	mini_trims((uint64_t)_i);
	ck_assert_uint_eq(heap_brk(heap, b + MINI_PAGE), b + MINI_PAGE);
	ck_assert(all_are(b, 1, MINI_PAGE));
	ck_assert_uint_eq(heap->charged, MINI_PAGE);
	ck_assert_uint_eq(heap_brk(heap, b + size), b + size);
	ck_assert(all_are(b, 1, MINI_PAGE));
	ck_assert(all_zero(b + MINI_PAGE, size - MINI_PAGE));
}
END_TEST

START_TEST(random_churn_keeps_every_byte)
{
	struct {
		uint64_t addr, size;
		uint8_t v;
	} live[64] = { 0 };
	uint64_t seed = (uint64_t)_i + 1, sum = 0;
	int i, k;

	for (i = 0; i < 3000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		k = (int)((seed >> 40) % 64);
		if (live[k].size != 0) {
			ck_assert_uint_eq(*(uint8_t *)live[k].addr, live[k].v);
			ck_assert_int_eq(memcmp((void *)live[k].addr,
						(void *)(live[k].addr + 1),
						live[k].size - 1),
					 0);
			ck_assert_int_eq(
				heap_unmap(heap, live[k].addr, live[k].size),
				0);
			sum -= live[k].size;
			live[k].size = 0;
		} else {
			live[k].size = (1 + (seed >> 50) % 100) * MINI_PAGE;
			live[k].v = (uint8_t)(1 + i % 255);
			live[k].addr =
				must_map(seed >> 63 ? HEAP_ARENA : HEAP_MAP,
					 live[k].size);
			ck_assert(all_zero(live[k].addr, live[k].size));
			fill(live[k].addr, live[k].v, live[k].size);
			sum += live[k].size;
		}
		ck_assert_uint_eq(heap->charged, sum);
	}
}
END_TEST

static Suite *heap_suite(void)
{
	Suite *suite = suite_create("heap");
	TCase *tc = tcase_create("heap");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_add_loop_test(tc, memory_is_zero_and_stays, 0, 2);
	tcase_add_loop_test(tc, freed_and_mapped_again_is_zero, 0, 4);
	tcase_add_test(tc, the_maximum_is_enomem_and_no_end);
	tcase_add_test(tc, a_lower_maximum_holds);
	tcase_add_test(tc, lazily_freed_memory_has_a_cap);
	tcase_add_test(tc, no_churn_moves_the_limit);
	tcase_add_test(tc, small_churn_costs_no_host_call);
	tcase_add_test(tc, sequential_growth_costs_few_calls);
	tcase_add_test(tc, unmapped_is_gone);
	tcase_add_test(tc, reserved_memory_is_free_until_it_has_rights);
	tcase_add_test(tc, rights_are_kept);
	tcase_add_loop_test(tc, discarded_reads_as_zero, 0, 2);
	tcase_add_loop_test(tc, resizing_keeps_content, 0, 2);
	tcase_add_loop_test(
		tc, resizing_keeps_content_that_the_host_does_not_take_back, 0,
		40);
	tcase_add_loop_test(
		tc, execution_keeps_content_that_the_host_does_not_take_back, 0,
		33);
	tcase_add_test(tc, resizing_stays_where_there_is_room);
	tcase_add_test(tc, the_arena_gives_way_to_mappings);
	tcase_add_test(tc, the_break_moves);
	tcase_add_loop_test(
		tc, the_break_is_zero_that_the_host_does_not_take_back, 0, 8);
	tcase_add_test(tc, idle_memory_is_what_was_asked_for);
	tcase_add_test(tc, idle_pages_need_no_room);
	tcase_add_test(tc, what_swings_is_kept);
	tcase_add_test(tc, idle_memory_decays);
	tcase_add_loop_test(tc, memory_in_doubt_is_zero_when_it_is_mapped_again,
			    0, 2);
	tcase_add_test(tc, peaks_are_told);
	tcase_add_test(tc, a_window_bounds_what_is_ahead);
	tcase_add_loop_test(tc, random_churn_keeps_every_byte, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *sr = srunner_create(heap_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
