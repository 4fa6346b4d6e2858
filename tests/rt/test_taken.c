/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that takes one page away, any page, at the moment that hurts most,
 * and gives it back after the fault: faults have an owner (I14). The program
 * (prog_signal.c) has a SIGSEGV handler, whose business none of this is. Right
 * data or the end: never a handler, a register or a byte that is wrong.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/calls.h"
#include "tests/rt/rig.h"

#define CALL_WRITE (WIRE_CALL_SYS + 1)
#define PAGE SGX_PAGE_SIZE
#define ENTRIES_MAX 100000

/* When a page goes. */
enum moment {
	AT_THE_CALL, /* before the program goes on after "FORGE" */
	AT_STAGE_2,  /* when the next exception is about to be handled */
};

static struct hostile {
	struct rig r;
	struct host_calls calls;
	uint64_t off; /* page, or UINT64_MAX for none */
	uint64_t size;
	enum moment when;
	unsigned int hold; /* faults before it comes back */
	bool armed, taken;
	bool gone;	   /* the page's mapping ends, and does not come back */
	unsigned int ends; /* runs that did not end by themselves */
	unsigned int seed; /* of pages that come and go; 0: none do */
	bool stop;
} h;

static int rights(uint64_t off)
{
	const struct edmm_host_image *img = &h.r.h->img;

	for (size_t i = 0; i < img->run_count; i++) {
		const struct edmm_page_run *run = &img->runs[i];

		if (off - run->off < run->size)
			return (int)(run->secinfo_flags & SGX_SECINFO_RWX);
	}
	return -1;
}

static void set_page(int prot)
{
	ck_assert_int_eq(mprotect((void *)(h.r.h->base + h.off), h.size, prot),
			 0);
}

static void take(void)
{
	h.armed = false;
	if (h.off == UINT64_MAX)
		return;
	if (h.gone) {
		munmap((void *)(h.r.h->base + h.off), h.size);
		return;
	}
	set_page(PROT_NONE);
	h.taken = true;
}

static void give(void)
{
	if (!h.taken || h.hold-- > 0)
		return;
	set_page(rights(h.off));
	h.taken = false;
}

static unsigned int serve(void)
{
	struct wire_call *c = &h.r.t.wire->call[h.r.regs.rsi];

	if (c->nr < WIRE_CALL_SYS) {
		host_edmm_dispatch(&h.r.t, c);
	} else if (c->nr == CALL_WRITE) {
		c->status = 0;
		c->count = c->args[2];
		if (h.when == AT_THE_CALL)
			take();
		h.armed = true;
	} else {
		host_calls_serve(&h.calls, c, h.r.t.buf, h.r.t.buf_size);
	}
	return rig_enter(&h.r, SGX_EENTER, WIRE_ENTER_RETURN, 0);
}

static unsigned int resume(void)
{
	if (h.armed && h.when == AT_STAGE_2)
		take();
	return rig_enter(&h.r, SGX_ERESUME, 0, 0);
}

/* Until the program has ended or the enclave has; false for the latter. */
static bool run(void)
{
	unsigned int f = rig_start(&h.r);
	bool handling = false;

	for (int i = 0; i < ENTRIES_MAX; i++) {
		if (f != SGX_EEXIT) {
			give();
			/* At CSSA 1 there is nothing but to go on. */
			f = handling ? rig_enter(&h.r, SGX_ERESUME, 0, 0)
				     : rig_enter(&h.r, SGX_EENTER,
						 WIRE_ENTER_EXCEPTION, 0);
			handling = f != SGX_EEXIT;
		} else if (h.r.regs.rdi == WIRE_EXIT_RESUME) {
			handling = false;
			f = resume();
		} else if (h.r.regs.rdi == WIRE_EXIT_CALL) {
			f = serve();
		} else {
			return h.r.regs.rdi == WIRE_EXIT_DONE;
		}
	}
	return false;
}

/* Any page of what was loaded, for a moment; again, until told to stop. */
static void *flicker(void *arg)
{
	const struct edmm_host_image *img = &h.r.h->img;
	unsigned int *seed = arg;

	while (!__atomic_load_n(&h.stop, __ATOMIC_RELAXED)) {
		const struct edmm_page_run *run =
			&img->runs[(size_t)rand_r(seed) % img->run_count];
		uint64_t off = (uint64_t)rand_r(seed) % (run->size / PAGE);
		void *at = (void *)(h.r.h->base + run->off + off * PAGE);
		int prot = (int)(run->secinfo_flags & SGX_SECINFO_RWX);

		if (!prot)
			continue;
		mprotect(at, PAGE, PROT_NONE);
		usleep((useconds_t)rand_r(seed) % 60);
		mprotect(at, PAGE, prot);
		usleep((useconds_t)rand_r(seed) % 300);
	}
	return NULL;
}

static bool run_flickering(void)
{
	pthread_t t;
	bool done;

	if (!h.seed)
		return run();
	h.stop = false;
	ck_assert_int_eq(pthread_create(&t, NULL, flicker, &h.seed), 0);
	done = run();
	__atomic_store_n(&h.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	return done;
}

/* One run of `verb stack', with the page at @off taken. */
static void one(const char *verb, const char *stack, uint64_t off)
{
	const struct wire_end *end;

	rig_load(&h.r, EDMM_MODE_ELASTIC);
	rig_prepare(&h.r, verb, stack);
	host_calls_init(&h.calls);
	h.off = off;
	h.armed = h.taken = false;
	if (off != UINT64_MAX && rights(off) <= 0)
		goto out;
	if (!run_flickering()) {
		h.ends++;
	} else {
		end = &h.r.t.wire->end;
		ck_assert_msg(end->kind == WIRE_END_EXIT && !end->value,
			      "%s %s, page 0x%llx taken: ends with %u", verb,
			      stack, (unsigned long long)off, end->value);
	}
out:
	munmap(h.r.t.wire, PAGE + WIRE_BUF_MIN);
	host_calls_close(&h.calls);
	rig_close(&h.r);
}

static const struct {
	const char *verb, *stack;
	enum moment when;
	unsigned int hold;
	unsigned int stride; /* in pages; a run takes some 50 ms */
} row[] = {
	{ "forge", "alt", AT_STAGE_2, 0, 1 },
	{ "forge", "main", AT_STAGE_2, 0, 7 },
	{ "forge", "alt", AT_STAGE_2, 2, 7 },
	{ "forge", "alt", AT_THE_CALL, 1, 7 },
	{ "back", "main", AT_THE_CALL, 0, 2 },
	{ "back", "alt", AT_STAGE_2, 0, 7 },
};

static void setup(void)
{
	h.when = row[0].when;
	h.size = PAGE;
}

START_TEST(without_a_hostile_host_all_is_right)
{
	h.when = row[_i].when;
	one(row[_i].verb, row[_i].stack, UINT64_MAX);
	ck_assert_uint_eq(h.ends, 0);
}
END_TEST

/* The stack that a handler asks for, and the least that a fault's needs. */
static const struct {
	const char *verb, *stack;
} stacks[] = {
	{ "raise", "alt" },
	{ "raise", "main" },
	{ "back", "least" },
};

START_TEST(handlers_have_their_stack)
{
	one(stacks[_i].verb, stacks[_i].stack, UINT64_MAX);
	ck_assert_uint_eq(h.ends, 0);
}
END_TEST

/* Image and contexts, and the end of the main stack, page by page. */
START_TEST(any_page_taken_is_right_or_the_end)
{
	const struct edmm_layout *l;
	uint64_t end, stack;
	struct rig r;

	rig_load(&r, EDMM_MODE_ELASTIC);
	l = r.h->img.layout;
	end = l->ctx_off + l->ctx_stride;
	stack = l->stack_off + l->stack_size;
	rig_close(&r);
	h.when = row[_i].when;
	for (uint64_t off = 0; off < end; off += row[_i].stride * PAGE) {
		h.hold = row[_i].hold;
		one(row[_i].verb, row[_i].stack, off);
	}
	for (uint64_t off = stack - 4 * PAGE; off < stack; off += PAGE) {
		h.hold = row[_i].hold;
		one(row[_i].verb, row[_i].stack, off);
	}
}
END_TEST

/* Pages at random; EDMM_FLICKER=SECONDS for longer, EDMM_SEED to replay. */
START_TEST(pages_that_come_and_go_are_right_or_the_end)
{
	const char *seconds = getenv("EDMM_FLICKER");
	const char *seed = getenv("EDMM_SEED");
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 2);
	unsigned int i = 0;

	h.seed = seed ? (unsigned int)atoi(seed) : (unsigned int)time(NULL) | 1;
	printf("flicker: EDMM_SEED=%u\n", h.seed);
	fflush(stdout);
	for (; time(NULL) < end; i++) {
		h.when = AT_THE_CALL;
		one(row[i % 6].verb, row[i % 6].stack, UINT64_MAX);
	}
	printf("flicker: %u runs, of which %u ended\n", i, h.ends);
	fflush(stdout);
}
END_TEST

/* A page that never comes back is the end, and the report names it. */
START_TEST(a_page_that_stays_away_is_named)
{
	h.when = AT_STAGE_2;
	h.hold = UINT32_MAX;
	rig_load(&h.r, EDMM_MODE_ELASTIC);
	rig_prepare(&h.r, "forge", "alt");
	host_calls_init(&h.calls);
	h.off = rig_symbol("emm_fault") & ~(PAGE - 1ull);
	ck_assert(!run());
	ck_assert_uint_eq(h.r.regs.rdi, WIRE_EXIT_CRASH);
	ck_assert_str_eq(h.r.t.wire->crash.text,
			 "the host does not map this page as it should");
	ck_assert_str_eq(h.r.t.wire->crash.area, "program's code");
	ck_assert_uint_eq(h.r.t.wire->crash.addr_off & ~(PAGE - 1ull), h.off);
}
END_TEST

/* Right accesses, and a host that gives no page for them (S2). */
START_TEST(a_heap_that_does_not_grow_is_the_end)
{
	const struct wire_crash *c;

	h.hold = UINT32_MAX;
	rig_load(&h.r, EDMM_MODE_ELASTIC);
	rig_prepare(&h.r, "forge", "alt");
	host_calls_init(&h.calls);
	h.off = h.r.h->img.layout->heap_off;
	h.size = h.r.h->img.layout->heap_bound;
	ck_assert(!run());
	ck_assert_uint_eq(h.r.regs.rdi, WIRE_EXIT_CRASH);
	c = &h.r.t.wire->crash;
	ck_assert_str_eq(c->area, "heap");
	ck_assert_msg(*c->text || c->setting, "the report names no cause");
}
END_TEST

/* What a handler is told of its fault is the books', not the host's, to say. */
START_TEST(a_fault_is_told_as_the_books_have_it)
{
	h.when = AT_THE_CALL;
	h.hold = UINT32_MAX;
	h.gone = _i == 2;
	rig_load(&h.r, EDMM_MODE_ELASTIC);
	rig_prepare(&h.r, "code", "main");
	host_calls_init(&h.calls);
	h.off = _i ? h.r.h->img.layout->heap_off : UINT64_MAX;
	/* But for its bit maps at the end, which are of the books. */
	h.size = h.r.h->img.layout->heap_bound;
	h.size -= h.size / PAGE;
	ck_assert_msg(run(), "the end at enclave+0x%llx, of enclave+0x%llx: %s",
		      (unsigned long long)h.r.t.wire->crash.rip_off,
		      (unsigned long long)h.r.t.wire->crash.addr_off,
		      h.r.t.wire->crash.text);
	ck_assert_uint_eq(h.r.t.wire->end.kind, WIRE_END_EXIT);
	ck_assert_uint_eq(h.r.t.wire->end.value, 0);
}
END_TEST

static const struct {
	const char *verb, *stack;
} full[] = {
	{ "back", "small" },
	{ "recur", "alt" },
	{ "recur", "main" },
};

/* No frame is written where the program has no room for it. */
START_TEST(a_stack_without_room_ends_the_program)
{
	rig_load(&h.r, EDMM_MODE_ELASTIC);
	rig_prepare(&h.r, full[_i].verb, full[_i].stack);
	host_calls_init(&h.calls);
	h.off = UINT64_MAX;
	ck_assert(!run());
	ck_assert_uint_eq(h.r.regs.rdi, WIRE_EXIT_CRASH);
	ck_assert_uint_eq(h.r.t.wire->crash.signal, 11);
}
END_TEST

int main(int argc, char **argv)
{
	const int rows = (int)(sizeof(row) / sizeof(*row));
	Suite *s = suite_create("pages taken away");
	TCase *t = tcase_create("taken");
	SRunner *sr;
	int failed;

	(void)argc;
	rig_setup(argv);
	sr = srunner_create(s);
	tcase_set_timeout(t, getenv("EDMM_FLICKER") ? 3600 : 120);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, without_a_hostile_host_all_is_right, 0, rows);
	tcase_add_loop_test(t, any_page_taken_is_right_or_the_end, 0, rows);
	tcase_add_test(t, pages_that_come_and_go_are_right_or_the_end);
	tcase_add_test(t, a_page_that_stays_away_is_named);
	tcase_add_test(t, a_heap_that_does_not_grow_is_the_end);
	tcase_add_loop_test(t, a_fault_is_told_as_the_books_have_it, 0, 3);
	tcase_add_loop_test(t, handlers_have_their_stack, 0,
			    (int)(sizeof(stacks) / sizeof(*stacks)));
	tcase_add_loop_test(t, a_stack_without_room_ends_the_program, 0,
			    (int)(sizeof(full) / sizeof(*full)));
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
