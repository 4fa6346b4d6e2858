/* SPDX-License-Identifier: BSD-3-Clause */
/* What a hostile host says must cost an error, never a wrong byte (I10). */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/sys/fake.h"
#include "tests/sys/suites.h"

#define SIZE 4096u

/* The lie that the next call tells: its count, and bytes in the buffer. */
static uint64_t lie_count;
static uint8_t lie_bytes[256];
static size_t lie_size;
static int lie_status;

static void lie(struct wire_call *call, uint8_t *buf)
{
	call->status = lie_status;
	call->count = lie_count;
	memcpy(buf, lie_bytes, lie_size);
}

static void start(void)
{
	lie_count = 0;
	lie_size = 0;
	lie_status = 0;
	fake_start(SIZE, lie);
}

START_TEST(no_more_bytes_than_asked_for)
{
	uint8_t buf[16];

	memset(buf, 0x5a, sizeof(buf));
	lie_count = 9;
	ck_assert_int_eq(SYS(read, 0, PTR(buf), 8), -EPROTO);
	ck_assert_int_eq(SYS(write, 9, PTR(buf), 8), -EPROTO);
	ck_assert_int_eq(SYS(readlink, PTR("x"), PTR(buf), 8), -EPROTO);
	lie_count = UINT64_MAX;
	ck_assert_int_eq(SYS(read, 0, PTR(buf), 8), -EPROTO);
	lie_count = 8;
	ck_assert_int_eq(SYS(read, 0, PTR(buf), 8), 8);
	ck_assert_uint_eq(buf[8], 0x5a);
}
END_TEST

/* What the host gives to read is no vector to read by (I10). */
START_TEST(a_vector_is_checked_and_then_used)
{
	static uint64_t others[8];
	uint64_t last = 0;
	struct iovec v[2];
	const struct iovec said = { others, sizeof(others) };
	long r;

	v[0] = (struct iovec){ v, sizeof(v) };
	v[1] = (struct iovec){ &last, sizeof(last) };
	memcpy(lie_bytes, &said, sizeof(said));
	memset(lie_bytes + sizeof(v), 0xee, sizeof(last));
	lie_size = sizeof(v) + sizeof(last);
	lie_count = lie_size;
	r = SYS(readv, 0, PTR(v), 2);
	ck_assert_uint_eq(others[4], 0);
	ck_assert_int_eq(r, -EFAULT);
}
END_TEST

START_TEST(results_have_bounds)
{
	lie_count = CALL_FD_MAX;
	ck_assert_int_eq(SYS(open, PTR("x"), 0, 0), -EPROTO);
	ck_assert_int_eq(SYS(dup, 0), -EPROTO);
	lie_count = 1;
	ck_assert_int_eq(SYS(close, 0), -EPROTO);
	lie_count = 1ull << 63;
	ck_assert_int_eq(SYS(lseek, 0, 0, 0), -EPROTO);
	lie_count = 1ull << 31;
	ck_assert_int_eq(SYS(getpid, 0), -EPROTO);
}
END_TEST

START_TEST(structures_are_checked)
{
	struct timespec t = { 0, 1000000000 };
	struct stat st = { .st_size = -1 };

	memcpy(lie_bytes, &t, sizeof(t));
	lie_size = sizeof(t);
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_REALTIME, PTR(&t)), -EPROTO);
	memcpy(lie_bytes, &st, sizeof(st));
	lie_size = sizeof(st);
	ck_assert_int_eq(SYS(fstat, 0, PTR(&st)), -EPROTO);
	st.st_size = 1;
	st.st_blksize = INT64_MAX;
	memcpy(lie_bytes, &st, sizeof(st));
	ck_assert_int_eq(SYS(fstat, 0, PTR(&st)), 0);
	ck_assert_int_le(st.st_blksize, 1 << 20);
}
END_TEST

/* Of a clock that only the host has; Linux adds its timers' slack. */
START_TEST(what_is_left_of_a_sleep_is_no_more)
{
	const struct timespec want = { 0, 5000 };
	struct timespec left = { 7, 7 };
	struct timespec said[2] = { want, { 0, 4999 } };

	lie_status = -EINTR;
	memcpy(lie_bytes, said, sizeof(said));
	lie_size = sizeof(said);
	ck_assert_int_eq(
		SYS(clock_nanosleep, CLOCK_TAI, 0, PTR(&want), PTR(&left)),
		-EINTR);
	ck_assert_int_eq(left.tv_sec, 0);
	ck_assert_int_eq(left.tv_nsec, 4999);
	said[1] = (struct timespec){ 0, 5001 };
	memcpy(lie_bytes, said, sizeof(said));
	ck_assert_int_eq(
		SYS(clock_nanosleep, CLOCK_TAI, 0, PTR(&want), PTR(&left)),
		-EINTR);
	ck_assert_int_eq(left.tv_sec, 0);
	ck_assert_int_le(left.tv_nsec, 5000);
}
END_TEST

static unsigned int sleeps;

/* The first ones do not sleep. */
static void count_sleeps(struct wire_call *call, uint8_t *buf)
{
	(void)buf;
	if (call->nr == WIRE_CALL_SYS + CALL_clock_nanosleep)
		sleeps++;
}

static void sleep_not(const struct wire_call *call, const uint8_t *buf,
		      uint64_t size)
{
	struct timespec *t = (struct timespec *)(buf + call->args[2]);

	(void)size;
	if (call->nr == WIRE_CALL_SYS + CALL_clock_nanosleep && sleeps < 1)
		*t = (struct timespec){ 0, 1 };
}

/* A host that wakes early has not ended a sleep. */
START_TEST(a_sleep_lasts_by_our_own_clock)
{
	const struct timespec want = { 0, 50000000 };
	struct timespec a, b;

	sleeps = 0;
	fake_start(SIZE, count_sleeps);
	fake_watch(sleep_not);
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_MONOTONIC, PTR(&a)), 0);
	ck_assert_int_eq(SYS(nanosleep, PTR(&want), 0), 0);
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_MONOTONIC, PTR(&b)), 0);
	ck_assert_uint_ge(sleeps, 2);
	ck_assert_int_ge((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec -
				 a.tv_nsec,
			 want.tv_nsec);
}
END_TEST

/* Who holds what: inside the file, or nobody; a lock that was set stays. */
START_TEST(locks_are_where_files_can_be)
{
	struct flock f = { .l_type = F_WRLCK, .l_start = 3, .l_len = 4 };
	struct flock said = { .l_type = F_RDLCK, .l_start = -1, .l_pid = 9 };

	memcpy(lie_bytes, &said, sizeof(said));
	lie_size = sizeof(said);
	ck_assert_int_eq(SYS(fcntl, 0, F_GETLK, PTR(&f)), -EPROTO);
	ck_assert_int_eq(SYS(fcntl, 0, F_SETLK, PTR(&f)), 0);
	ck_assert_int_eq(f.l_type, F_WRLCK);
	said.l_type = F_UNLCK;
	memcpy(lie_bytes, &said, sizeof(said));
	ck_assert_int_eq(SYS(fcntl, 0, F_GETLK, PTR(&f)), 0);
	ck_assert_int_eq(f.l_type, F_UNLCK);
	ck_assert_int_eq(f.l_start, 3);
	ck_assert_int_eq(f.l_pid, 0);
}
END_TEST

START_TEST(time_does_not_go_back)
{
	struct timespec t = { 1000, 5 };

	memcpy(lie_bytes, &t, sizeof(t));
	lie_size = sizeof(t);
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_BOOTTIME, PTR(&t)), 0);
	t = (struct timespec){ 999, 0 };
	memcpy(lie_bytes, &t, sizeof(t));
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_BOOTTIME, PTR(&t)), 0);
	ck_assert_int_eq(t.tv_sec, 1000);
	ck_assert_int_ge(t.tv_nsec, 5);
}
END_TEST

START_TEST(events_nobody_asked_for_are_dropped)
{
	struct pollfd p[2] = { { 0, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct pollfd said[2] = { { 7, 0, POLLOUT }, { 8, 0, POLLIN } };

	memcpy(lie_bytes, said, sizeof(said));
	lie_size = sizeof(said);
	lie_count = 2;
	ck_assert_int_eq(SYS(poll, PTR(p), 2, 0), 0);
	ck_assert_int_eq(p[0].fd, 0);
	ck_assert_int_eq(p[0].events, POLLIN);
	ck_assert_int_eq(p[0].revents, 0);
	ck_assert_int_eq(p[1].revents, 0);
}
END_TEST

struct dirent_row {
	uint16_t reclen;
	const char *name;
	int good;
};

static const struct dirent_row dirents[] = {
	{ 24, "abc", 1 }, { 24, "a/b", 0 },	 { 24, "", 0 },
	{ 0, "abc", 0 },  { 16, "abc", 0 },	 { 25, "abc", 0 },
	{ 32, "abc", 0 }, { 24, "abcdefgh", 0 }, { 65528, "abc", 0 },
};

START_TEST(records_of_directories_are_checked)
{
	const struct dirent_row *d = &dirents[_i];
	uint8_t buf[64];
	long r;

	memset(lie_bytes, 'x', sizeof(lie_bytes));
	memcpy(lie_bytes + 16, &d->reclen, sizeof(d->reclen));
	memcpy(lie_bytes + 19, d->name, strlen(d->name) + 1);
	if (strlen(d->name) > 4)
		lie_bytes[19 + 5] = 'x';
	lie_size = 64;
	lie_count = 24;
	r = SYS(getdents64, 0, PTR(buf), sizeof(buf));
	ck_assert_msg(r == (d->good ? 24 : -EPROTO), "row %d gives %ld", _i, r);
}
END_TEST

START_TEST(paths_that_are_none_are_refused)
{
	static const char unterminated[] = { '/', 'e', 't', 'c' };
	char buf[32];

	memcpy(lie_bytes, "etc", 4);
	lie_size = 4;
	lie_count = 4;
	ck_assert_int_eq(SYS(getcwd, PTR(buf), sizeof(buf)), -EPROTO);
	memcpy(lie_bytes, unterminated, sizeof(unterminated));
	ck_assert_int_eq(SYS(getcwd, PTR(buf), sizeof(buf)), -EPROTO);
	lie_count = 0;
	ck_assert_int_eq(SYS(getcwd, PTR(buf), sizeof(buf)), -EPROTO);
}
END_TEST

START_TEST(pipes_have_descriptors)
{
	int32_t fds[2] = { 5, 5 }, said[2] = { -1, 4 };

	memcpy(lie_bytes, said, sizeof(said));
	lie_size = sizeof(said);
	ck_assert_int_eq(SYS(pipe, PTR(fds)), -EPROTO);
	ck_assert_int_eq(fds[0], 5);
}
END_TEST

/* A host has signals to tell, of which some are none of its business. */
static const struct wire_signal sent[] = {
	{ .signo = SIGSEGV, .code = SI_USER },
	{ .signo = SIGFPE, .code = FPE_INTDIV },
	{ .signo = SIGTRAP, .code = SI_KERNEL },
	{ .signo = SIGKILL, .code = SI_USER },
	{ .signo = 0, .code = SI_USER },
	{ .signo = 65, .code = SI_USER },
	{ .signo = -1, .code = SI_USER },
	{ .signo = SIGUSR1, .code = FPE_INTDIV }, /* it becomes SI_USER */
	{ .signo = SIGALRM, .code = SI_TIMER, .fields = { 0, 7 } }, /* none */
	{ .signo = SIGALRM, .code = SI_TIMER, .fields = { 0, UINT64_MAX } },
	{ .signo = SIGUSR2, .code = SI_USER },
	{ .signo = 40, .code = SI_QUEUE },
	{ .signo = SIGQUIT, .code = SI_USER },	 /* the image takes none */
	{ .signo = SIGALRM, .code = SI_KERNEL }, /* nobody has set one */
	{ .signo = SIGVTALRM, .code = SI_USER },
};
#define SENT (sizeof(sent) / sizeof(*sent))

static unsigned int told;

static void tell_signals(struct wire_call *call, uint8_t *buf)
{
	if (call->nr != WIRE_CALL_SIGNAL_TAKE)
		return;
	call->status = 0;
	call->count = told < SENT;
	if (told < SENT)
		memcpy(buf + call->args[0], &sent[told++], sizeof(*sent));
	fake_signals.pending = told < SENT;
}

START_TEST(a_host_sends_no_signal_of_a_fault)
{
	const uint64_t all = UINT64_MAX;
	uint64_t pending = 0;

	told = 0;
	fake_start(4096, tell_signals);
	ck_assert_int_eq(SYS(rt_sigprocmask, SIG_SETMASK, PTR(&all), 0, 8), 0);
	fake_signals.pending = 1;
	ck_assert_int_eq(SYS(rt_sigpending, PTR(&pending), 8), 0);
	ck_assert_int_eq(SYS(rt_sigpending, PTR(&pending), 8), 0);
	ck_assert_uint_eq(told, SENT);
	ck_assert_uint_eq(pending,
			  1ull << (SIGUSR1 - 1) | 1ull << (SIGUSR2 - 1));
	ck_assert_uint_eq(fake_signals_refused >> (SIGALRM - 1) & 1, 1);
	ck_assert_uint_eq(fake_signals_refused >> (SIGQUIT - 1) & 1, 1);
	ck_assert_uint_eq(fake_signals_refused >> (40 - 1) & 1, 1);
	ck_assert_uint_eq(fake_signals_refused >> (SIGUSR2 - 1) & 1, 0);
	ck_assert_uint_eq(fake_signals.blocked, all & ~(1ull << (SIGKILL - 1) |
							1ull << (SIGSTOP - 1)));
	ck_assert_uint_eq(fake_read_twice(), 0);
}
END_TEST

Suite *lies_suite(void)
{
	Suite *suite = suite_create("sys lies");
	TCase *tc = tcase_create("lies");

	tcase_add_checked_fixture(tc, start, NULL);
	tcase_add_test(tc, no_more_bytes_than_asked_for);
	tcase_add_test(tc, a_host_sends_no_signal_of_a_fault);
	tcase_add_test(tc, results_have_bounds);
	tcase_add_test(tc, a_vector_is_checked_and_then_used);
	tcase_add_test(tc, structures_are_checked);
	tcase_add_test(tc, what_is_left_of_a_sleep_is_no_more);
	tcase_add_test(tc, a_sleep_lasts_by_our_own_clock);
	tcase_add_test(tc, locks_are_where_files_can_be);
	tcase_add_test(tc, time_does_not_go_back);
	tcase_add_test(tc, events_nobody_asked_for_are_dropped);
	tcase_add_loop_test(tc, records_of_directories_are_checked, 0,
			    (int)(sizeof(dirents) / sizeof(dirents[0])));
	tcase_add_test(tc, paths_that_are_none_are_refused);
	tcase_add_test(tc, pipes_have_descriptors);
	suite_add_tcase(suite, tc);
	return suite;
}
