/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that has said that it is over, and is held by the host before it has
 * left (tail.sh: at each instruction behind the store), while its context is
 * used again, or given back, or made anew. Nothing that it does then is seen.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/rt/prog.h"
#include "tests/rt/rig.h"

/* The first thread; the one that is held; the next on its context. */
static struct rig r, held, next;

static void setup(void)
{
	rig_load(&r, EDMM_MODE_ELASTIC);
}

static void teardown(void)
{
	rig_close(&r);
}

/* The thread runs, and is held where the script says. */
static void hold(const char *how)
{
	struct wire_call *c;

	rig_prepare(&r, "tail", how);
	rig_prepare_made(&held, &r, "tail", how, 0);
	rig_prepare_made(&next, &r, "tail", how, 0);
	c = rig_until_call(&r, rig_start(&r), WIRE_CALL_THREAD);
	ck_assert_uint_eq(rig_enter_thread(&held), SGX_ERESUME);
	ck_assert_uint_eq(held.run.exception_vector, SGX_VEC_PF);
	c->status = 0;
	c = rig_until_call(&r, rig_return(&r), PROG_CALL_NONE);
	ck_assert_uint_eq(c->args[0], PROG_MADE_STARTED);
	c->status = 0;
}

/* Whatever its host makes of the thread that is held: a refusal, by the
 * processor or by the gate. */
static void assert_nothing_enters(void)
{
	for (uint64_t kind = 0; kind < 6; kind++) {
		if (rig_enter(&next, SGX_EENTER, kind,
			      (uintptr_t)next.t.wire) == SGX_EENTER)
			continue;
		ck_assert_uint_eq(next.run.function, SGX_EEXIT);
		ck_assert(next.regs.rdi == WIRE_EXIT_REFUSED ||
			  next.regs.rdi == WIRE_EXIT_RESUME);
	}
}

static void assert_ends_well(void)
{
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}

START_TEST(its_context_is_used_again)
{
	struct wire_call *c;

	hold("again");
	c = rig_until_call(&r, rig_return(&r), WIRE_CALL_THREAD);
	assert_nothing_enters();
	rig_assert_thread_ends(&held, rig_enter(&held, SGX_ERESUME, 0, 0));
	rig_assert_thread_ends(&next, rig_enter_thread(&next));
	c->status = 0;
	assert_ends_well();
}
END_TEST

START_TEST(its_block_is_given_back)
{
	hold("trim");
	rig_until_call(&r, rig_return(&r), PROG_CALL_NONE)->status = 0;
	ck_assert_uint_ne(rig_enter(&held, SGX_ERESUME, 0, 0), SGX_EEXIT);
	ck_assert_uint_ne(rig_enter_thread(&next), SGX_EEXIT);
	assert_ends_well();
}
END_TEST

START_TEST(its_block_is_given_back_and_made_anew)
{
	struct wire_call *c;

	hold("renew");
	rig_until_call(&r, rig_return(&r), PROG_CALL_NONE)->status = 0;
	ck_assert_uint_ne(rig_enter(&held, SGX_ERESUME, 0, 0), SGX_EEXIT);
	c = rig_until_call(&r, rig_return(&r), WIRE_CALL_THREAD);
	ck_assert_uint_ne(rig_enter(&held, SGX_ERESUME, 0, 0), SGX_EEXIT);
	rig_assert_thread_ends(&next, rig_enter_thread(&next));
	c->status = 0;
	assert_ends_well();
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("tail");
	TCase *t = tcase_create("tail");
	SRunner *sr;
	int failed;

	(void)argc;
	rig_setup(argv);
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, its_context_is_used_again);
	tcase_add_test(t, its_block_is_given_back);
	tcase_add_test(t, its_block_is_given_back_and_made_anew);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
