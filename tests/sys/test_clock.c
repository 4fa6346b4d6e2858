/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLOCK_MONOTONIC under hosts that lie. The time stamp counter is the test's,
 * and counts three to a nanosecond; a reading of the host's takes 4 us.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sys/fake.h"
#include "tests/sys/suites.h"
#include "trusted/sys/time/clocks.h"

#define NSEC CLOCK_NSEC
#define MS 1000000ll
#define TICKS 3
#define CALL_NS 4000
#define START (100000 * NSEC)
#define HOUR (3600 * NSEC)
#define THREADS 4
#define READS 20000

static int64_t real_ns, lie_ns, wall_ns;
static int lie_ppm, error, bad_nsec;
static unsigned int asked;

static void pass(int64_t ns)
{
	real_ns += ns;
	fake_tsc += (uint64_t)ns * TICKS;
}

static void tell(struct wire_call *call, uint8_t *buf)
{
	struct timespec t;
	int64_t ns;

	if (call->nr != WIRE_CALL_SYS + CALL_clock_gettime)
		return;
	asked++;
	pass(CALL_NS / 2);
	ns = START + real_ns + lie_ns + real_ns / 1000000 * lie_ppm;
	if (call->args[0] == CLOCK_REALTIME)
		ns = START + real_ns + wall_ns;
	pass(CALL_NS / 2);
	t = (struct timespec){ .tv_sec = ns / NSEC, .tv_nsec = ns % NSEC };
	if (bad_nsec)
		t.tv_nsec = NSEC;
	call->status = error;
	memcpy(buf + call->args[1], &t, sizeof(t));
}

static void start(void)
{
	fake_tsc = 1000;
	fake_start(4096, tell);
}

static int64_t now(uint64_t clock)
{
	int64_t ns;

	ck_assert_int_eq(sys_clock_now(clock, &ns), 0);
	return ns;
}

/* Looked at once in @step, for @ns; its largest distance from true time. */
static int64_t run(int64_t ns, int64_t step)
{
	int64_t most = 0, was = now(CLOCK_MONOTONIC), t, off;

	for (int64_t i = 0; i < ns; i += step) {
		pass(step);
		t = now(CLOCK_MONOTONIC);
		ck_assert_int_ge(t, was);
		was = t;
		off = llabs(t - START - real_ns);
		most = off > most ? off : most;
	}
	return most;
}

START_TEST(an_honest_host_is_followed)
{
	ck_assert_int_le(run(NSEC, 10000), 20000);
	ck_assert_int_le(run(60 * NSEC, 100 * MS), 20000);
	ck_assert_int_le(run(2 * HOUR, 60 * NSEC), 20000);
	ck_assert_uint_eq(fake_clock_refused, 0);
	asked = 0;
	run(10 * NSEC, 10000);
	ck_assert_uint_le(asked, 12);
	/* Slewed by NTP, as far as that goes. */
	lie_ppm = 400;
	lie_ns = -(real_ns / 1000000 * lie_ppm);
	run(60 * NSEC, 10 * MS);
	ck_assert_uint_eq(fake_clock_refused, 0);
	ck_assert_int_le(llabs(now(CLOCK_MONOTONIC) - START - real_ns - lie_ns -
			       real_ns / 1000000 * lie_ppm),
			 20000);
}
END_TEST

/* By an hour, forwards and back: 500 ppm of the time, and 1 ms more at once. */
START_TEST(a_jump_is_refused)
{
	int64_t begin, off;

	run(10 * NSEC, MS);
	begin = real_ns;
	lie_ns = _i ? HOUR : -HOUR;
	run(100 * NSEC, MS);
	off = now(CLOCK_MONOTONIC) - START - real_ns;
	ck_assert_int_gt(_i ? off : -off, 40 * MS);
	ck_assert_int_le(llabs(off), (real_ns - begin) / 2000 + 2 * MS);
	ck_assert_uint_ge(fake_clock_refused, 99);
	lie_ns = 0;
	run(200 * NSEC, MS);
	off = now(CLOCK_MONOTONIC) - START - real_ns;
	ck_assert_int_le(llabs(off), 20000);
}
END_TEST

START_TEST(a_wrong_rate_is_refused)
{
	int64_t begin, was;

	run(10 * NSEC, MS);
	lie_ppm = _i ? 10000 : -10000;
	lie_ns = -(real_ns / 1000000 * lie_ppm);
	begin = real_ns;
	was = now(CLOCK_MONOTONIC);
	run(100 * NSEC, MS);
	ck_assert_int_le(llabs(now(CLOCK_MONOTONIC) - was - (real_ns - begin)),
			 (real_ns - begin) / 2000 + 2 * MS);
	ck_assert_uint_ge(fake_clock_refused, 50);
}
END_TEST

/* Who knows the time needs no host for it. */
START_TEST(no_answer_is_no_harm)
{
	int64_t ns;

	error = _i ? -EIO : 0;
	bad_nsec = !_i;
	ck_assert_int_lt(sys_clock_now(CLOCK_MONOTONIC, &ns), 0);
	ck_assert_int_lt(sys_clock_now(CLOCK_REALTIME, &ns), 0);
	error = bad_nsec = 0;
	run(10 * NSEC, MS);
	error = _i ? -EIO : 0;
	bad_nsec = !_i;
	ck_assert_int_le(run(10 * NSEC, MS), 30000);
}
END_TEST

/* What nobody can judge is held, at least. */
START_TEST(a_first_calibration_may_lie)
{
	for (int i = 0; i < 400; i++) {
		lie_ns = i % 3 * (i % 2 ? HOUR : -NSEC / 2);
		run(20 * MS, 500000);
	}
	lie_ns = 0;
	run(NSEC, MS);
}
END_TEST

/* The TSC of another machine, which is no earlier time. */
START_TEST(a_tsc_that_jumps_is_bounded)
{
	int64_t was;

	run(10 * NSEC, MS);
	was = now(CLOCK_MONOTONIC);
	fake_tsc = _i ? 5000 : fake_tsc + (1ull << 62);
	ck_assert_int_ge(now(CLOCK_MONOTONIC), was);
	run(10 * NSEC, MS);
	if (_i)
		ck_assert_int_le(now(CLOCK_MONOTONIC) - was, 11 * NSEC);
}
END_TEST

START_TEST(wall_time_is_the_hosts)
{
	const int64_t set = _i ? HOUR : -HOUR / 4;
	int64_t t;

	run(NSEC, MS);
	ck_assert_int_le(llabs(now(CLOCK_REALTIME) - START - real_ns), 20000);
	wall_ns = set;
	pass(NSEC / 10);
	t = now(CLOCK_REALTIME) - START - real_ns;
	ck_assert_int_le(llabs(t - set), 20000);
	asked = 0;
	for (int i = 0; i < 1000; i++) {
		pass(10000);
		now(CLOCK_REALTIME);
	}
	ck_assert_uint_le(asked, 2);
}
END_TEST

/* ---- threads, each of which is told another time ------------------------- */

static int64_t latest;

static void tell_each(struct wire_call *call, uint8_t *buf)
{
	struct timespec t;

	if (call->nr != WIRE_CALL_SYS + CALL_clock_gettime)
		return;
	t = (struct timespec){ .tv_sec = 1000 + (long)(fake_tsc++ % 5) };
	call->status = 0;
	memcpy(buf + call->args[1], &t, sizeof(t));
}

/* fake_start() has one buffer: who asks the host does it alone. */
static void *reader(void *arg)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < READS; i++) {
		int64_t was = __atomic_load_n(&latest, __ATOMIC_SEQ_CST), t;

		__atomic_fetch_add(&fake_tsc, 30000, __ATOMIC_RELAXED);
		pthread_mutex_lock(&m);
		t = now(CLOCK_MONOTONIC);
		pthread_mutex_unlock(&m);
		ck_assert_int_ge(t, was);
		while (t > was && !__atomic_compare_exchange_n(
					  &latest, &was, t, 0, __ATOMIC_SEQ_CST,
					  __ATOMIC_SEQ_CST))
			;
	}
	return arg;
}

START_TEST(no_thread_sees_it_go_back)
{
	pthread_t t[THREADS];

	fake_start(4096, tell_each);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, reader, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
}
END_TEST

Suite *clock_suite(void)
{
	Suite *suite = suite_create("sys clock");
	TCase *tc = tcase_create("clock");

	tcase_add_checked_fixture(tc, start, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_honest_host_is_followed);
	tcase_add_loop_test(tc, a_jump_is_refused, 0, 2);
	tcase_add_loop_test(tc, a_wrong_rate_is_refused, 0, 2);
	tcase_add_loop_test(tc, no_answer_is_no_harm, 0, 2);
	tcase_add_test(tc, a_first_calibration_may_lie);
	tcase_add_loop_test(tc, a_tsc_that_jumps_is_bounded, 0, 2);
	tcase_add_loop_test(tc, wall_time_is_the_hosts, 0, 2);
	tcase_add_test(tc, no_thread_sees_it_go_back);
	suite_add_tcase(suite, tc);
	return suite;
}
