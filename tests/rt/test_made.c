/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hosts that lie about a context while the enclave makes it, lets a thread run
 * on it and takes it back: entries of what is half made, entries twice, calls
 * that are refused at each step, pages that are taken away, a thread that never
 * runs. An error, an end, or all as it should be; and nothing stays.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/rt/prog.h"
#include "tests/rt/rig.h"

#define STEPS_MAX 40

/* The first thread, and the one on the context that is made. */
static struct rig r, two;

static void setup(void)
{
	rig_load(&r, EDMM_MODE_ELASTIC);
}

static void teardown(void)
{
	rig_close(&r);
}

static void prepare(const char *ran)
{
	rig_prepare(&r, "made", ran);
	rig_prepare_made(&two, &r, "made", "1", 0);
}

/* Of the enclave, until it tells of @step. */
static void until(unsigned int function, enum prog_made step)
{
	struct wire_call *c;

	do {
		c = rig_until_call(&r, function, PROG_CALL_NONE);
		c->status = 0;
		if (c->args[0] == step)
			return;
		function = rig_return(&r);
	} while (true);
}

/* The host says that a thread is on its way, from where the enclave is out. */
static void until_started(int status)
{
	struct wire_call *c =
		rig_until_call(&r, r.run.function, PROG_CALL_NONE);

	if (c->args[0] != PROG_MADE_READY)
		until(rig_return(&r), PROG_MADE_READY);
	c = rig_until_call(&r, rig_return(&r), WIRE_CALL_THREAD);
	c->status = status;
	until(rig_return(&r), PROG_MADE_STARTED);
}

static unsigned int enter_two(uint64_t kind)
{
	return rig_enter(&two, SGX_EENTER, kind, (uintptr_t)two.t.wire);
}

/* Neither by the processor nor by the gate. */
static void assert_nobody_enters(uint64_t but)
{
	for (uint64_t kind = 0; kind < 6; kind++) {
		if (kind == but)
			continue;
		if (enter_two(kind) == SGX_EENTER)
			continue;
		ck_assert_uint_eq(two.run.function, SGX_EEXIT);
		ck_assert_uint_eq(two.regs.rdi, WIRE_EXIT_REFUSED);
	}
}

static void run_two(void)
{
	rig_assert_thread_ends(&two, rig_enter_thread(&two));
}

/* The call that the enclave is out in; NULL: it is out for another reason. */
static struct wire_call *call_of(const struct rig *x)
{
	if (x->run.function != SGX_EEXIT || x->regs.rdi != WIRE_EXIT_CALL)
		return NULL;
	return &x->t.wire->call[x->regs.rsi];
}

START_TEST(no_entry_but_the_one_that_is_due)
{
	unsigned int f;

	prepare("1");
	until(rig_start(&r), PROG_MADE_BEGIN);
	/* Before each call of the host's, and after it. */
	for (f = rig_return(&r);
	     !call_of(&r) || call_of(&r)->nr != PROG_CALL_NONE;) {
		assert_nobody_enters(UINT64_MAX);
		if (call_of(&r)) {
			host_edmm_dispatch(&r.t, call_of(&r));
			assert_nobody_enters(UINT64_MAX);
			f = rig_return(&r);
		} else {
			ck_assert_uint_eq(f, SGX_ERESUME);
			rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
			f = rig_enter(&r, SGX_ERESUME, 0, 0);
		}
	}
	ck_assert_uint_eq(call_of(&r)->args[0], PROG_MADE);
	assert_nobody_enters(UINT64_MAX);
	until(rig_return(&r), PROG_MADE_READY);
	assert_nobody_enters(UINT64_MAX);
	until_started(0);
	assert_nobody_enters(WIRE_ENTER_THREAD);
	run_two();
	assert_nobody_enters(UINT64_MAX);
	until(rig_return(&r), PROG_MADE_TRIMMED);
	assert_nobody_enters(UINT64_MAX);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/* Entered although the host says that it was not, or before it says so. */
START_TEST(a_thread_runs_once_whatever_the_host_says)
{
	struct wire_call *c;

	prepare("1");
	c = rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	while (c->nr != WIRE_CALL_THREAD) {
		c->status = 0;
		until(rig_return(&r), PROG_MADE_READY);
		c = rig_until_call(&r, rig_return(&r), WIRE_CALL_THREAD);
	}
	run_two();
	c->status = _i ? -EDMM_EAGAIN : 0;
	until(rig_return(&r), PROG_MADE_STARTED);
	assert_nobody_enters(UINT64_MAX);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/*
 * Entered before the host says that it was not, and over by then: until it has
 * said so nobody else takes the context, for whom that answer would count.
 */
START_TEST(a_late_no_is_nobody_elses)
{
	struct wire_call *c, *second;
	struct rig three;

	rig_prepare(&r, "taken", "");
	rig_prepare_made(&two, &r, "taken", "", 0);
	rig_prepare_made(&three, &r, "taken", "", 1);
	c = rig_until_call(&r, rig_start(&r), WIRE_CALL_THREAD);
	second = rig_until_call(&two, enter_two(WIRE_ENTER_THREAD),
				WIRE_CALL_THREAD);
	second->status = 0;
	rig_assert_thread_ends(&two, rig_return(&two));
	rig_assert_thread_ends(&three, rig_enter_thread(&three));
	c->status = -EDMM_EAGAIN;
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/* One that the host never enters is there for ever, and does no harm; one that
 * it refuses to enter can be had again. */
START_TEST(a_thread_that_never_runs)
{
	prepare("0");
	until(rig_start(&r), PROG_MADE_READY);
	until_started(_i ? -EDMM_EAGAIN : 0);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/*
 * The Nth of the calls that making takes fails, once or for ever. Return: there
 * are fewer.
 */
static bool fail_nth(int nth, bool ever, bool done)
{
	struct wire_call *c;
	int n = 0;

	until(rig_start(&r), PROG_MADE_BEGIN);
	rig_return(&r);
	do {
		while (!(c = call_of(&r))) {
			ck_assert_uint_eq(r.run.function, SGX_ERESUME);
			rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
			rig_enter(&r, SGX_ERESUME, 0, 0);
		}
		if (c->nr == PROG_CALL_NONE)
			break;
		n++;
		if (n < nth || (n > nth && !ever) || done)
			host_edmm_dispatch(&r.t, c);
		if (n == nth || (n > nth && ever))
			c->status = -EDMM_EIO;
		rig_return(&r);
	} while (true);
	c->status = 0;
	until_started(0);
	/* Perhaps at another number. */
	two.run.tcs = r.h->base + edmm_layout_context(r.h->img.layout,
						      call_of(&r)->args[1]);
	run_two();
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
	return n < nth;
}

/* Not done; or done, and said not to be. */
START_TEST(making_fails_at_each_step)
{
	bool over = false;

	for (int n = 1; n < STEPS_MAX && !over; n++) {
		prepare("1");
		over = fail_nth(n, _i & 1, _i & 2);
		rig_close(&r);
		rig_load(&r, EDMM_MODE_ELASTIC);
	}
	ck_assert_msg(over, "more than %d calls", STEPS_MAX);
}
END_TEST

/* Its pages go one by one, before the thread runs. */
START_TEST(a_page_is_taken_away)
{
	const uint64_t page = r.h->base + r.h->img.layout->made_off +
			      (uint64_t)_i * SGX_PAGE_SIZE;
	unsigned int f;

	prepare("1");
	until(rig_start(&r), PROG_MADE_READY);
	until_started(0);
	ck_assert_int_eq(munmap((void *)page, SGX_PAGE_SIZE), 0);
	f = enter_two(WIRE_ENTER_THREAD);
	rig_serve(&two, f);
	if (two.run.function == SGX_EEXIT && two.regs.rdi == WIRE_EXIT_THREAD) {
		/* A page that it does not need. */
		rig_serve(&r, rig_return(&r));
		ck_assert_uint_eq(r.run.function, SGX_EEXIT);
		return;
	}
	/* Never into the thread by another way. */
	if (two.run.function == SGX_EEXIT)
		ck_assert(two.regs.rdi == WIRE_EXIT_CRASH ||
			  two.regs.rdi == WIRE_EXIT_REFUSED ||
			  two.regs.rdi == WIRE_EXIT_RESUME);
	assert_nobody_enters(WIRE_ENTER_EXCEPTION);
}
END_TEST

/* While the first is out in a call, and while it has an exception. */
START_TEST(two_threads_at_one_context)
{
	struct rig three;

	prepare("1");
	until(rig_start(&r), PROG_MADE_READY);
	until_started(0);
	three = two;
	rig_prepare(&three, "made", "1");
	three.run.tcs = two.run.tcs;
	run_two();
	rig_enter(&three, SGX_EENTER, WIRE_ENTER_THREAD,
		  (uintptr_t)three.t.wire);
	ck_assert_uint_eq(three.run.function, SGX_EEXIT);
	ck_assert_uint_eq(three.regs.rdi, WIRE_EXIT_REFUSED);
	ck_assert_uint_eq(three.regs.rsi, WIRE_REFUSED_STATE);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("made");
	TCase *t = tcase_create("made");
	SRunner *sr;
	int failed;

	(void)argc;
	rig_setup(argv);
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, no_entry_but_the_one_that_is_due);
	tcase_add_loop_test(t, a_thread_runs_once_whatever_the_host_says, 0, 2);
	tcase_add_test(t, a_late_no_is_nobody_elses);
	tcase_add_loop_test(t, a_thread_that_never_runs, 0, 2);
	tcase_add_loop_test(t, making_fails_at_each_step, 0, 4);
	tcase_add_test(t, two_threads_at_one_context);
	tcase_add_loop_test(t, a_page_is_taken_away, 0, 23);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
