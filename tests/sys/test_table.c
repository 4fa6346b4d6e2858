/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What holds for every row of common/calls.h, whatever its call is: each test
 * goes through all of them, so that a new one is tested by being there.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/calls_fd.h"
#include "tests/sys/fake.h"
#include "tests/sys/suites.h"

#define BUFFER 4096u
#define RAW 700 /* real descriptors are from here on, the program's are not */
#define AT 9	/* the number that a copy is asked for */

/* Linux has no names for forms. */
#define __NR_ioctl_none CALL_FORM(1, __NR_ioctl)
#define __NR_ioctl_int CALL_FORM(2, __NR_ioctl)
#define __NR_ioctl_size CALL_FORM(3, __NR_ioctl)
#define __NR_ioctl_tty CALL_FORM(4, __NR_ioctl)
#define __NR_fcntl_dup CALL_FORM(1, __NR_fcntl)
#define __NR_fcntl_lock CALL_FORM(2, __NR_fcntl)
#define __NR_heap_mmap CALL_FORM(1, __NR_mmap)
#define __NR_heap_munmap CALL_FORM(1, __NR_munmap)
#define __NR_heap_mremap CALL_FORM(1, __NR_mremap)
#define __NR_heap_trim CALL_FORM(2, __NR_munmap)
#define __NR_kept_close CALL_FORM(1, __NR_close)
#define __NR_kept_read CALL_FORM(1, __NR_pread64)
#define __NR_kept_dup CALL_FORM(1, __NR_dup)
#define __NR_thread CALL_FORM(1, __NR_clone)
#define __NR_thread_end CALL_FORM(1, __NR_exit)

struct named {
	const char *name;
	uint64_t number;
	uint64_t linux_nr;
};

#define NAMED(name, number, ...) { #name, number, __NR_##name },
static const struct named names[] = { CALL_LIST(NAMED) };

static const struct named *now;
static const struct call_row *row;
static uint64_t args[WIRE_CALL_ARGS];
static uint8_t memory[256]; /* of every argument that is in it */

static int made[2]; /* what Linux has made */
static int pair_at; /* argument of the row, or -1 */

static uint64_t lie_count;
static int lie_status;
static int32_t lie_pair[2];

static void lie(struct wire_call *call, uint8_t *buf)
{
	call->status = lie_status;
	call->count = lie_count;
	if (pair_at >= 0)
		memcpy(buf + call->args[pair_at], lie_pair, sizeof(lie_pair));
}

/* Arguments that the layer and the host let pass, by the row. */
static void fill(void)
{
	int i;

	pair_at = -1;
	memset(args, 0, sizeof(args));
	memcpy(memory, "x", 2);
	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		if (call_in_memory(row->args[i]))
			args[i] = PTR(memory);
		if (row->args[i] == CALL_PAIR)
			pair_at = i;
	}
	if (row->ret == CALL_RET_FD_AT)
		args[1] = AT;
	if (row->ret == CALL_RET_FD_FROM) {
		args[1] = F_DUPFD;
		args[2] = AT;
	}
}

/* Linux, as far as descriptors are seen: real ones, with high numbers. */
static long make(long nr, const long *a)
{
	int i, count = pair_at >= 0 ? 2 : row->ret == CALL_RET_FD;

	ck_assert_int_eq(nr, row->linux_nr);
	for (i = 0; i < count; i++)
		made[i] = fcntl(STDERR_FILENO, F_DUPFD, RAW);
	if (pair_at >= 0)
		memcpy((void *)(uintptr_t)a[pair_at], made, sizeof(made));
	return row->ret == CALL_RET_FD ? made[0] : 0;
}

static void begin(int i, fake_lie how)
{
	now = &names[i];
	row = sys_row(now->number);
	lie_count = 0;
	lie_status = 0;
	fake_start(BUFFER, how);
	fake_calls()->make = make;
	ck_assert_msg(row != NULL && row->at == i, "%s", now->name);
	fill();
}

static bool makes_descriptor(void)
{
	return call_goes_out(row) &&
	       (row->ret == CALL_RET_FD || row->ret == CALL_RET_FD_AT ||
		row->ret == CALL_RET_FD_FROM);
}

static long ask(void)
{
	return sys_call((enum call_nr)now->number, args);
}

static void check_number(void)
{
	ck_assert_msg(now->number == now->linux_nr, "%s: %lu, Linux has %lu",
		      now->name, now->number, now->linux_nr);
	ck_assert_msg(row->linux_nr == CALL_LINUX(now->linux_nr), "%s",
		      now->name);
}

static void check_table(void)
{
	int32_t fds[2];
	long r;
	int i;

	if (!makes_descriptor() && (!call_goes_out(row) || pair_at < 0))
		return;
	r = ask();
	ck_assert_msg(r >= 0 && r < RAW, "%s gives %ld", now->name, r);
	if (row->ret == CALL_RET_FD)
		ck_assert_int_eq(host_fd_get(fake_calls(), (int)r), made[0]);
	else if (makes_descriptor())
		ck_assert_int_ge(host_fd_get(fake_calls(), (int)r), 0);
	if (row->ret == CALL_RET_FD_AT || row->ret == CALL_RET_FD_FROM)
		ck_assert_int_eq(r, AT);
	memcpy(fds, memory, sizeof(fds));
	for (i = 0; i < 2 && pair_at >= 0; i++)
		ck_assert_msg(host_fd_get(fake_calls(), fds[i]) == made[i],
			      "%s gives %d for %d", now->name, fds[i], made[i]);
}

static void check_descriptor_lies(void)
{
	static const uint64_t lies[] = {
		CALL_FD_MAX,	  CALL_FD_MAX + 1,  INT32_MAX,
		UINT32_MAX,	  1ull << 32,	    (1ull << 32) | AT,
		(uint64_t)-EBADF, UINT64_MAX - 100, UINT64_MAX,
	};
	size_t i;

	if (!makes_descriptor())
		return;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie_count = lies[i];
		ck_assert_msg(ask() == -EPROTO, "%s believes %lx", now->name,
			      lies[i]);
	}
	lie_count = AT;
	ck_assert_int_eq(ask(), AT);
	/* The number was the program's to choose. */
	lie_count = AT - 1;
	ck_assert_int_eq(ask(), row->ret == CALL_RET_FD ? AT - 1 : -EPROTO);
	lie_count = AT + 1;
	ck_assert_int_eq(ask(), row->ret == CALL_RET_FD_AT ? -EPROTO : AT + 1);
}

static void check_pair_lies(void)
{
	static const int32_t lies[] = { -1, CALL_FD_MAX, INT32_MAX, INT32_MIN };
	size_t i;

	if (!call_goes_out(row) || pair_at < 0)
		return;
	lie_count = 0;
	for (i = 0; i < 2 * sizeof(lies) / sizeof(lies[0]); i++) {
		lie_pair[0] = lie_pair[1] = 5;
		lie_pair[i % 2] = lies[i / 2];
		memset(memory, 0x5a, sizeof(memory));
		ck_assert_int_eq(ask(), -EPROTO);
		ck_assert_uint_eq(memory[0], 0x5a);
		ck_assert_uint_eq(memory[4], 0x5a);
	}
	lie_pair[0] = lie_pair[1] = 5;
	ck_assert_int_eq(ask(), 0);
	ck_assert_mem_eq(memory, lie_pair, sizeof(lie_pair));
}

static void check_status_lies(void)
{
	static const int lies[] = { 1, AT, 4096, -4096, INT32_MAX, INT32_MIN };
	size_t i;

	if (!call_goes_out(row))
		return;
	lie_count = row->ret == CALL_RET_ZERO ? 0 : AT;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie_status = lies[i];
		ck_assert_msg(ask() == -EPROTO, "%s believes %d", now->name,
			      lies[i]);
	}
}

static void check_who(void)
{
	struct wire_call call = { 0 };
	uint8_t buf[8];

	if (row->who == CALL_NONE)
		ck_assert_int_eq(fake_syscall((long)now->number, args),
				 row->answer);
	if (row->who == CALL_PART)
		ck_assert_int_eq(fake_syscall((long)now->number, args),
				 -ENOSYS);
	if (call_goes_out(row))
		return;
	ck_assert_int_eq(ask(), -ENOSYS);
	ck_assert_uint_eq(fake_host_calls(), 0);
	call.nr = WIRE_CALL_SYS + (uint32_t)now->number;
	host_calls_serve(fake_calls(), &call, buf, sizeof(buf));
	ck_assert_int_eq(call.status, -ENOSYS);
}

/* What Linux makes a descriptor for is a descriptor in the row. */
static void check_makers(void)
{
	static const int makers[] = {
		SYS_open,
		SYS_openat,
		SYS_openat2,
		SYS_creat,
		SYS_dup,
		SYS_dup2,
		SYS_dup3,
		SYS_socket,
		SYS_accept,
		SYS_accept4,
		SYS_epoll_create,
		SYS_epoll_create1,
		SYS_eventfd,
		SYS_eventfd2,
		SYS_signalfd,
		SYS_signalfd4,
		SYS_timerfd_create,
		SYS_memfd_create,
		SYS_inotify_init,
		SYS_inotify_init1,
		SYS_fanotify_init,
		SYS_pidfd_open,
		SYS_pidfd_getfd,
		SYS_io_uring_setup,
		SYS_perf_event_open,
		SYS_userfaultfd,
		SYS_bpf,
		SYS_mq_open,
		SYS_open_by_handle_at,
	};
	size_t i;

	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (call_goes_out(row) && row->linux_nr == makers[i])
			ck_assert_msg(row->ret == CALL_RET_FD ||
					      row->ret == CALL_RET_KEPT ||
					      row->ret == CALL_RET_FD_AT ||
					      row->ret == CALL_RET_FD_FROM ||
					      row->ret == CALL_RET_KEPT,
				      "%s makes a descriptor", now->name);
}

static void each_row(void (*check)(void), fake_lie how)
{
	int i;

	for (i = 0; i < CALL_COUNT; i++) {
		begin(i, how);
		check();
	}
}

START_TEST(rows_have_linuxs_numbers)
{
	each_row(check_number, NULL);
}
END_TEST

START_TEST(descriptors_are_of_the_programs_table)
{
	each_row(check_table, NULL);
}
END_TEST

START_TEST(results_that_are_no_descriptors_are_refused)
{
	each_row(check_descriptor_lies, lie);
}
END_TEST

START_TEST(calls_that_make_descriptors_say_so)
{
	each_row(check_makers, NULL);
}
END_TEST

START_TEST(pairs_are_two_descriptors_or_none)
{
	each_row(check_pair_lies, lie);
}
END_TEST

START_TEST(a_status_that_is_no_errno_is_refused)
{
	each_row(check_status_lies, lie);
}
END_TEST

START_TEST(only_the_hosts_rows_go_out)
{
	each_row(check_who, NULL);
}
END_TEST

Suite *table_suite(void)
{
	Suite *suite = suite_create("sys table");
	TCase *tc = tcase_create("rows");

	tcase_add_test(tc, rows_have_linuxs_numbers);
	tcase_add_test(tc, descriptors_are_of_the_programs_table);
	tcase_add_test(tc, results_that_are_no_descriptors_are_refused);
	tcase_add_test(tc, calls_that_make_descriptors_say_so);
	tcase_add_test(tc, pairs_are_two_descriptors_or_none);
	tcase_add_test(tc, a_status_that_is_no_errno_is_refused);
	tcase_add_test(tc, only_the_hosts_rows_go_out);
	suite_add_tcase(suite, tc);
	return suite;
}
