/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Find where the host can lie and win: wrong entries, entries again, results
 * that are not results, addresses that point into the enclave, exceptions that
 * never happened, memory taken away. Right data, an error or an end: never
 * wrong data, and never a second life.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/rt/prog.h"
#include "tests/rt/rig.h"

static struct rig r;

static void setup(void)
{
	rig_load(&r, EDMM_MODE_ELASTIC);
	rig_prepare(&r, "exit", "7");
}

static void prepare(const char *verb, const char *arg)
{
	rig_prepare(&r, verb, arg);
}

#define ASSERT_EXIT(kind, value)                              \
	do {                                                  \
		ck_assert_uint_eq(r.run.function, SGX_EEXIT); \
		ck_assert_uint_eq(r.regs.rdi, (kind));        \
		ck_assert_uint_eq(r.regs.rsi, (value));       \
	} while (0)

/* Start, and serve the one call that every start makes. */
static unsigned int after_relro(void)
{
	host_edmm_dispatch(
		&r.t, rig_until_call(&r, rig_start(&r), WIRE_CALL_RESTRICT));
	return rig_return(&r);
}

START_TEST(unknown_entries_are_refused)
{
	static const uint64_t kind[] = { 0, WIRE_ENTER_EXCEPTION, 5, UINT64_MAX,
					 1ull << 32 | WIRE_ENTER_START };

	for (size_t i = 0; i < sizeof(kind) / sizeof(*kind); i++) {
		rig_enter(&r, SGX_EENTER, kind[i], (uintptr_t)&r.start);
		ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_KIND);
	}
	rig_return(&r);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
	/* Nobody has made a thread for it. */
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_THREAD, (uintptr_t)r.t.wire);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
	/* None of it has done harm. */
	rig_serve(&r, rig_start(&r));
	rig_assert_ended(&r, 7);
}
END_TEST

START_TEST(nothing_enters_after_the_end)
{
	rig_serve(&r, rig_start(&r));
	rig_assert_ended(&r, 7);
	for (uint64_t kind = 0; kind < 6; kind++) {
		rig_enter(&r, SGX_EENTER, kind, (uintptr_t)&r.start);
		ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_DEAD);
	}
}
END_TEST

START_TEST(a_second_start_is_refused)
{
	prepare("call", "38");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	rig_start(&r);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
	/* Nor on the other context, which is free. */
	r.run.tcs = r.t.tcs + r.h->img.layout->ctx_stride;
	rig_start(&r);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
	rig_return(&r);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
	r.run.tcs = r.t.tcs;
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/* Statuses that no Linux call has, and counts, which are the caller's. */
START_TEST(results_of_calls_are_bounded)
{
	static const struct {
		int32_t status;
		const char *seen;
	} row[] = {
		{ 1, "71" },	 { INT32_MAX, "71" }, { INT32_MIN, "71" },
		{ -4096, "71" }, { -4095, "4095" },   { -5, "5" },
	};
	struct wire_call *c;

	prepare("call", row[_i].seen);
	c = rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	c->status = row[_i].status;
	c->count = UINT64_MAX;
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(a_call_that_the_host_skips_has_failed)
{
	prepare("call", "38");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(a_good_result_comes_in)
{
	struct wire_call *c;

	prepare("call", "ok");
	c = rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	ck_assert_uint_eq(c->args[0], 1);
	ck_assert_uint_eq(c->args[5], 6);
	c->status = 0;
	c->count = 42;
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(an_exit_carries_nothing_but_its_message)
{
	static const struct rig_seen none;

	prepare("secret", "");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	ck_assert(!memcmp(&r.seen, &none, sizeof(none)));
	ck_assert_uint_eq(r.regs.rdx, 0);
	rig_serve(&r, rig_return(&r));
	ck_assert(!memcmp(&r.seen, &none, sizeof(none)));
	rig_assert_ended(&r, 0);
}
END_TEST

/* DF, AC and every arithmetic flag at each entry, with and without faults. */
START_TEST(flags_of_the_host_do_no_harm)
{
	const uint64_t df = 1 << 10, ac = 1 << 18;

	prepare(_i ? "call" : "grow", _i ? "38" : "4");
	r.flags = df | ac | PROG_FLAGS | 2;
	rig_serve(&r, rig_start(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(calls_nest_when_the_stack_must_grow)
{
	prepare("edge", "");
	rig_serve(&r, rig_start(&r));
	rig_assert_ended(&r, 0);
	ck_assert_uint_eq(r.deepest, 1);
}
END_TEST

START_TEST(any_free_context_may_start)
{
	r.run.tcs += r.h->img.layout->ctx_stride;
	prepare("grow", "4");
	r.run.tcs += r.h->img.layout->ctx_stride;
	rig_serve(&r, rig_start(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(a_block_taken_away_during_a_call_is_efault)
{
	prepare("call", "14");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	ck_assert_int_eq(mprotect(r.t.wire, SGX_PAGE_SIZE, PROT_NONE), 0);
	rig_return(&r);
	/* A fault at untrusted memory is answered inside, by a fix-up. */
	ck_assert_uint_eq(r.run.function, SGX_ERESUME);
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	ASSERT_EXIT(WIRE_EXIT_RESUME, 1);
	mprotect(r.t.wire, SGX_PAGE_SIZE, PROT_READ | PROT_WRITE);
	rig_serve(&r, rig_enter(&r, SGX_ERESUME, 0, 0));
	rig_assert_ended(&r, 0);
}
END_TEST

/* ---- start-up parameters ------------------------------------------------ */

START_TEST(a_start_that_points_inside_is_refused)
{
	uint64_t base = r.h->base, size = r.h->size;
	const uint64_t bad[] = { 0,
				 8,
				 base,
				 base + 4096,
				 base + size - 8,
				 base - 8,
				 UINT64_MAX - 7,
				 1ull << 47 };

	rig_enter(&r, SGX_EENTER, WIRE_ENTER_START, bad[_i]);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_ARGS);
	/* One start is all there is. */
	rig_start(&r);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_DEAD);
}
END_TEST

static void assert_host_blamed(void)
{
	ASSERT_EXIT(WIRE_EXIT_CRASH, 0);
	ck_assert_uint_eq(r.t.wire->crash.kind, WIRE_CRASH_HOST);
}

START_TEST(start_values_that_point_inside_end_the_enclave)
{
	uint64_t base = r.h->base;
	bool refused = false;

	switch (_i) {
	case 0:
		r.start.thread_addr = base;
		refused = true;
		break;
	case 1:
		r.start.thread_addr = base - 8;
		refused = true;
		break;
	case 2:
		r.t.wire->buf_addr = base + r.h->img.layout->heap_off;
		refused = true;
		break;
	case 3:
		r.t.wire->buf_addr = base - WIRE_BUF_MIN + 8;
		refused = true;
		break;
	case 4:
		r.t.wire->buf_size = UINT64_MAX & ~7ull;
		refused = true;
		break;
	case 5:
		r.start.stats_addr = base;
		break;
	case 6:
		r.start.arg_addr = base;
		break;
	case 7:
		r.start.arg_addr = base - 4;
		break;
	case 8:
		r.start.arg_size = WIRE_ARG_MAX + 1;
		break;
	case 9:
		r.start.argc = 4;
		break;
	case 10:
		r.start.heap_max = r.h->img.layout->heap_bound + SGX_PAGE_SIZE;
		break;
	case 11:
		r.start.arg_size--;
		break;
	default:
		r.start.version++;
	}
	rig_serve(&r, rig_start(&r));
	if (refused)
		ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_ARGS);
	else
		assert_host_blamed();
}
END_TEST

/* ---- exceptions --------------------------------------------------------- */

/* Up to the first exception that the enclave must handle. */
static void until_exception(void)
{
	unsigned int f = after_relro();

	ck_assert_uint_eq(f, SGX_ERESUME);
}

START_TEST(one_exception_is_handled_once)
{
	prepare("grow", "4");
	until_exception();
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	ASSERT_EXIT(WIRE_EXIT_RESUME, 1);
	/* Again: the save area now leads to stage 2 and holds no exception. */
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	ASSERT_EXIT(WIRE_EXIT_RESUME, 0);
	rig_serve(&r, rig_enter(&r, SGX_ERESUME, 0, 0));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(the_hosts_vector_and_address_are_not_believed)
{
	prepare("grow", "4");
	until_exception();
	r.run.exception_vector = SGX_VEC_DE;
	r.run.exception_error_code = 0xffff;
	r.run.exception_addr = r.h->base;
	rig_serve(&r, rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, ~0ull));
	ck_assert_uint_eq(r.regs.rdi, WIRE_EXIT_DONE);
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(other_entries_during_an_exception_are_refused)
{
	static const uint64_t kind[] = { 0, WIRE_ENTER_START, WIRE_ENTER_THREAD,
					 WIRE_ENTER_RETURN, 99 };

	prepare("grow", "4");
	until_exception();
	for (size_t i = 0; i < sizeof(kind) / sizeof(*kind); i++) {
		rig_enter(&r, SGX_EENTER, kind[i], (uintptr_t)&r.start);
		ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_KIND);
	}
	rig_serve(&r, rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0));
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(resuming_without_handling_only_faults_again)
{
	prepare("grow", "4");
	until_exception();
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(rig_enter(&r, SGX_ERESUME, 0, 0),
				  SGX_ERESUME);
	rig_serve(&r, SGX_ERESUME);
	rig_assert_ended(&r, 0);
}
END_TEST

START_TEST(an_exception_during_a_call_is_refused)
{
	prepare("call", "38");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_KIND);
	rig_serve(&r, rig_return(&r));
	rig_assert_ended(&r, 0);
}
END_TEST

/* Memory of the enclave, taken away where the gate itself needs it. */
START_TEST(a_fault_in_the_gate_is_the_end)
{
	const struct edmm_layout *l = r.h->img.layout;
	void *thread = (void *)(r.t.tcs + l->ctx_thread);

	prepare("call", "38");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	ck_assert_int_eq(mprotect(thread, l->ctx_thread_size, PROT_NONE), 0);
	ck_assert_uint_eq(rig_return(&r), SGX_ERESUME);
	ck_assert_int_eq(
		mprotect(thread, l->ctx_thread_size, PROT_READ | PROT_WRITE),
		0);
	/* The call is still open, so this is no time for an exception. */
	rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_STATE);
}
END_TEST

/* ---- the end ------------------------------------------------------------ */

static void set_stack(int prot)
{
	const struct edmm_layout *l = r.h->img.layout;

	ck_assert_int_eq(mprotect((void *)(r.h->base + l->stack_off),
				  l->stack_size, prot),
			 0);
}

/* Resumed and entered in all ways: it traps, is refused, and says nothing. */
static void assert_never_runs_again(void)
{
	const struct wire_thread was = *r.t.wire;

	for (int i = 0; i < 8; i++) {
		ck_assert_uint_ne(rig_enter(&r, SGX_ERESUME, 0, 0), SGX_EEXIT);
		for (uint64_t kind = 0; kind < 6; kind++) {
			rig_enter(&r, SGX_EENTER, kind, (uintptr_t)&r.start);
			ck_assert_uint_eq(r.run.function, SGX_EEXIT);
			ck_assert_uint_eq(r.regs.rdi, WIRE_EXIT_REFUSED);
		}
	}
	ck_assert(!memcmp(&was, r.t.wire, sizeof(was)));
}

/* Crashes at stage 1: in the gate, and without room for stage 2. */
START_TEST(what_crashed_at_stage_1_never_runs_again)
{
	prepare(_i ? "deep-hook" : "call", "38");
	if (_i) {
		rig_serve(&r, rig_start(&r));
	} else {
		rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
		set_stack(PROT_NONE);
		rig_serve(&r, rig_return(&r));
		set_stack(PROT_READ | PROT_WRITE);
	}
	ASSERT_EXIT(WIRE_EXIT_CRASH, 0);
	ck_assert_uint_eq(r.t.wire->crash.kind, WIRE_CRASH_FAULT);
	assert_never_runs_again();
}
END_TEST

/* At CSSA 0: in stage 2, by an invariant, and by the program's own end. */
START_TEST(what_ended_at_cssa_0_never_runs_again)
{
	static const char *const verb[] = { "wild", "abort", "exit", "signal" };

	prepare(verb[_i], "6");
	rig_serve(&r, rig_start(&r));
	ck_assert_uint_eq(r.regs.rdi,
			  _i < 2 ? WIRE_EXIT_CRASH : WIRE_EXIT_DONE);
	assert_never_runs_again();
}
END_TEST

/* Set rt_dead behind the back of a thread that runs inside. */
static void *end_it(void *arg)
{
	uint32_t *dead = arg;

	usleep(20000);
	__atomic_store_n(dead, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

START_TEST(a_thread_is_mute_after_the_end_of_another)
{
	uint32_t *dead = (uint32_t *)(r.h->base + rig_symbol("rt_dead"));
	struct wire_thread was;
	pthread_t t;

	prepare(_i ? "spin-call" : "spin-write", "");
	rig_until_call(&r, rig_start(&r), PROG_CALL_NONE);
	was = *r.t.wire;
	ck_assert_int_eq(pthread_create(&t, NULL, end_it, dead), 0);
	rig_return(&r);
	pthread_join(t, NULL);
	ASSERT_EXIT(WIRE_EXIT_REFUSED, WIRE_REFUSED_DEAD);
	ck_assert(!memcmp(&was, r.t.wire, sizeof(was)));
	for (uint32_t i = 0; i < WIRE_BUF_MIN; i++)
		ck_assert_uint_eq(r.t.buf[i], 0);
	assert_never_runs_again();
}
END_TEST

/* ---- memory ------------------------------------------------------------- */

/* A host that says done and does nothing: EACCEPT tells. */
START_TEST(a_trim_that_did_not_happen_is_noticed)
{
	struct wire_call *c;

	prepare("trim", "");
	c = rig_until_call(&r, rig_start(&r), WIRE_CALL_MODIFY_TYPES);
	c->status = 0;
	c->count = c->args[1];
	rig_serve(&r, rig_return(&r));
	ASSERT_EXIT(WIRE_EXIT_DONE, 0);
	ck_assert_uint_eq(r.t.wire->end.kind, WIRE_END_EXIT);
	ck_assert_uint_ne(r.t.wire->end.value, 0);
}
END_TEST

/* Refused, or said to be done: what relocation wrote must not stay writable. */
START_TEST(constants_that_stay_writable_end_the_enclave)
{
	struct wire_call *c;

	c = rig_until_call(&r, rig_start(&r), WIRE_CALL_RESTRICT);
	c->status = _i ? -1 : 0;
	c->count = c->args[1];
	rig_serve(&r, rig_return(&r));
	assert_host_blamed();
}
END_TEST

START_TEST(a_restriction_that_did_not_happen_is_noticed)
{
	struct wire_call *c;

	prepare("trim", "");
	c = rig_until_call(&r, after_relro(), WIRE_CALL_RESTRICT);
	c->status = 0;
	c->count = c->args[1];
	rig_serve(&r, rig_return(&r));
	ASSERT_EXIT(WIRE_EXIT_DONE, 0);
	ck_assert_uint_ne(r.t.wire->end.value, 0);
}
END_TEST

/* The heap unmapped: a resolved fault comes back for ever, up to a bound. */
START_TEST(a_mapping_taken_away_is_no_endless_loop)
{
	const struct edmm_layout *l = r.h->img.layout;

	prepare("grow", "4");
	until_exception();
	ck_assert_int_eq(
		munmap((void *)(r.h->base + l->heap_off), l->heap_bound), 0);
	rig_serve(&r, SGX_ERESUME);
	ck_assert_uint_eq(r.run.function, SGX_EEXIT);
	ck_assert_uint_eq(r.regs.rdi, WIRE_EXIT_CRASH);
}
END_TEST

/* Before the memory manager knows the stack, which its first call probes. */
START_TEST(a_stack_page_taken_at_the_start_may_come_back)
{
	const struct edmm_layout *l = r.h->img.layout;
	uint64_t end = r.h->base + l->stack_off + l->stack_size;
	void *page = (void *)(end - 2 * SGX_PAGE_SIZE);

	ck_assert_int_eq(mprotect(page, SGX_PAGE_SIZE, PROT_NONE), 0);
	ck_assert_uint_eq(after_relro(), SGX_ERESUME);
	ck_assert_int_eq(mprotect(page, SGX_PAGE_SIZE, PROT_READ | PROT_WRITE),
			 0);
	rig_serve(&r, SGX_ERESUME);
	rig_assert_ended(&r, 7);
}
END_TEST

/* A part of the enclave that a second thread hides and shows, at random. */
struct flicker {
	void *at;
	size_t size;
	unsigned int seed;
	bool stop;
};

static void *flicker(void *arg)
{
	struct flicker *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		mprotect(f->at, f->size, PROT_NONE);
		mprotect(f->at, f->size, PROT_READ | PROT_WRITE);
		usleep((useconds_t)(rand_r(&f->seed) % 500));
	}
	return NULL;
}

/*
 * Stack, heap, metadata, thread page, the context's stacks: the program goes on
 * with right data (it looks at all of it), gets an error, or the enclave ends.
 */
START_TEST(memory_that_comes_and_goes)
{
	const struct edmm_layout *l = r.h->img.layout;
	const uint64_t part[][2] = {
		{ l->stack_off, l->stack_size },
		{ l->heap_off, 64 << 20 },
		{ l->meta_off, l->meta_size },
		{ l->ctx_off + l->ctx_thread, l->ctx_thread_size },
		{ l->ctx_off + l->ctx_xstack, l->ctx_xstack_size },
		{ l->ctx_off + l->ctx_sys, l->ctx_sys_size },
	};
	const uint64_t *p = part[_i % (int)(sizeof(part) / sizeof(*part))];
	struct flicker f = { .at = (void *)(r.h->base + p[0]),
			     .size = p[1],
			     .seed = (unsigned int)_i };
	pthread_t t;

	prepare("churn", "8");
	ck_assert_int_eq(pthread_create(&t, NULL, flicker, &f), 0);
	rig_serve(&r, rig_start(&r));
	__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	if (r.run.function == SGX_EEXIT && r.regs.rdi == WIRE_EXIT_DONE)
		ck_assert_uint_ne(r.t.wire->end.value, PROG_WRONG_DATA);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("hostile host");
	TCase *t = tcase_create("hostile");
	SRunner *run;
	int failed;

	(void)argc;
	rig_setup(argv);
	run = srunner_create(s);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, unknown_entries_are_refused);
	tcase_add_test(t, nothing_enters_after_the_end);
	tcase_add_test(t, a_second_start_is_refused);
	tcase_add_loop_test(t, results_of_calls_are_bounded, 0, 6);
	tcase_add_test(t, a_call_that_the_host_skips_has_failed);
	tcase_add_test(t, a_good_result_comes_in);
	tcase_add_test(t, an_exit_carries_nothing_but_its_message);
	tcase_add_loop_test(t, flags_of_the_host_do_no_harm, 0, 2);
	tcase_add_test(t, calls_nest_when_the_stack_must_grow);
	tcase_add_test(t, any_free_context_may_start);
	tcase_add_loop_test(t, memory_that_comes_and_goes, 0, 10);
	tcase_add_test(t, a_block_taken_away_during_a_call_is_efault);
	tcase_add_loop_test(t, a_start_that_points_inside_is_refused, 0, 8);
	tcase_add_loop_test(t, start_values_that_point_inside_end_the_enclave,
			    0, 13);
	tcase_add_test(t, one_exception_is_handled_once);
	tcase_add_test(t, the_hosts_vector_and_address_are_not_believed);
	tcase_add_test(t, other_entries_during_an_exception_are_refused);
	tcase_add_test(t, resuming_without_handling_only_faults_again);
	tcase_add_test(t, an_exception_during_a_call_is_refused);
	tcase_add_test(t, a_fault_in_the_gate_is_the_end);
	tcase_add_loop_test(t, what_crashed_at_stage_1_never_runs_again, 0, 2);
	tcase_add_loop_test(t, what_ended_at_cssa_0_never_runs_again, 0, 4);
	tcase_add_loop_test(t, a_thread_is_mute_after_the_end_of_another, 0, 2);
	tcase_add_test(t, a_trim_that_did_not_happen_is_noticed);
	tcase_add_loop_test(t, constants_that_stay_writable_end_the_enclave, 0,
			    2);
	tcase_add_test(t, a_restriction_that_did_not_happen_is_noticed);
	tcase_add_test(t, a_mapping_taken_away_is_no_endless_loop);
	tcase_add_test(t, a_stack_page_taken_at_the_start_may_come_back);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
