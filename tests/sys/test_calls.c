/* SPDX-License-Identifier: BSD-3-Clause */
/* System calls through the layer, the wire and the call server. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/sys/fake.h"
#include "tests/sys/suites.h"

#define SMALL 4096u
#define BIG (1u << 16)

static char dir[] = "/tmp/edmm-sys-XXXXXX";
static char path[64];

static void start(void)
{
	strcpy(dir, "/tmp/edmm-sys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fake_start(SMALL, NULL);
}

static void finish(void)
{
	unlink(path);
	rmdir(dir);
}

static int open_new(void)
{
	return (int)SYS(open, PTR(path), O_RDWR | O_CREAT | O_TRUNC, 0600);
}

START_TEST(a_file_comes_back_as_written)
{
	uint8_t out[3 * SMALL], in[3 * SMALL] = { 0 };
	size_t i;
	int fd = open_new();

	for (i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 31 + i / 256);
	ck_assert_int_eq(fd, 3);
	ck_assert_int_eq(SYS(write, 3, PTR(out), sizeof(out)), sizeof(out));
	ck_assert_int_eq(SYS(lseek, 3, 0, SEEK_SET), 0);
	/* More than one buffer holds: regular files are read on. */
	ck_assert_int_eq(SYS(read, 3, PTR(in), sizeof(in)), sizeof(in));
	ck_assert_mem_eq(in, out, sizeof(in));
	ck_assert_int_eq(SYS(read, 3, PTR(in), sizeof(in)), 0);
	ck_assert_int_eq(SYS(pread64, 3, PTR(in), 10, 100), 10);
	ck_assert_mem_eq(in, out + 100, 10);
	ck_assert_int_eq(SYS(close, 3), 0);
	ck_assert_int_eq(SYS(close, 3), -EBADF);
}
END_TEST

START_TEST(vectors_are_one_call)
{
	char a[] = "one ", b[] = "", c[] = "two";
	const struct iovec out[] = { { a, 4 }, { b, 0 }, { c, 3 } };
	char x[2], y[10] = "";
	const struct iovec in[] = { { x, 2 }, { y, 9 } };
	unsigned int calls;

	ck_assert_int_eq(open_new(), 3);
	calls = fake_host_calls();
	ck_assert_int_eq(SYS(writev, 3, PTR(out), 3), 7);
	ck_assert_uint_eq(fake_host_calls(), calls + 1);
	ck_assert_int_eq(SYS(preadv, 3, PTR(in), 2, 0), 7);
	ck_assert_mem_eq(x, "on", 2);
	ck_assert_str_eq(y, "e two");
	ck_assert_int_eq(SYS(writev, 3, PTR(out), 2000), -EINVAL);
}
END_TEST

START_TEST(descriptors_are_the_programs_own)
{
	int32_t fds[2];
	int fd;

	ck_assert_int_eq(open_new(), 3);
	ck_assert_int_eq(SYS(dup, 3), 4);
	ck_assert_int_eq(SYS(dup2, 3, 7), 7);
	ck_assert_int_eq(SYS(dup2, 7, 7), 7);
	ck_assert_int_eq(SYS(fcntl, 3, F_DUPFD, 6), 6);
	ck_assert_int_eq(SYS(close, 4), 0);
	ck_assert_int_eq(SYS(pipe, PTR(fds)), 0);
	ck_assert_int_eq(fds[0], 4);
	ck_assert_int_eq(fds[1], 5);
	ck_assert_int_eq(SYS(dup2, 3, CALL_FD_MAX), -EBADF);
	/* Closing all there can be leaves the test's own descriptors alone. */
	for (fd = 3; fd < (int)CALL_FD_MAX; fd++)
		SYS(close, (uint64_t)fd);
	ck_assert_int_eq(access(dir, F_OK), 0);
	ck_assert_int_eq(SYS(open, PTR(dir), O_RDONLY, 0), 3);
}
END_TEST

static long part(enum call_nr nr, uint64_t a, void *to, uint64_t size)
{
	const uint64_t args[WIRE_CALL_ARGS] = { a, PTR(to), size };

	return sys_call(nr, args);
}

/* What the runtime keeps of a file has numbers that no program reaches. */
START_TEST(kept_descriptors_are_apart)
{
	char text[4] = "";
	int i;

	ck_assert_int_eq(open_new(), 3);
	ck_assert_int_eq(SYS(write, 3, PTR("kept"), 4), 4);
	ck_assert_int_eq(part(CALL_kept_dup, 3, NULL, 0), 0);
	ck_assert_int_eq(part(CALL_kept_dup, 9, NULL, 0), -EBADF);
	ck_assert_int_eq(SYS(close, 3), 0);
	ck_assert_int_eq(SYS(close, 0), 0);
	ck_assert_int_eq(part(CALL_kept_read, 0, text, 4), 4);
	ck_assert_mem_eq(text, "kept", 4);
	ck_assert_int_eq(part(CALL_kept_read, 1, text, 4), -EBADF);
	ck_assert_int_eq(part(CALL_kept_read, (uint64_t)-100, text, 4), -EBADF);
	ck_assert_int_eq(part(CALL_kept_close, 0, NULL, 0), 0);
	ck_assert_int_eq(part(CALL_kept_close, 0, NULL, 0), -EBADF);
	/* As many as the table has, or as Linux gives to a process. */
	for (i = 0; part(CALL_kept_dup, 1, NULL, 0) == i; i++)
		;
	ck_assert_int_gt(i, 500);
	ck_assert_int_eq(part(CALL_kept_dup, 1, NULL, 0), -EMFILE);
	while (i-- > 0)
		ck_assert_int_eq(part(CALL_kept_close, (uint64_t)i, NULL, 0),
				 0);
}
END_TEST

START_TEST(paths_work_in_old_and_new_form)
{
	char other[80], text[128];
	struct stat st;
	long n;

	snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(open_new(), 3);
	ck_assert_int_eq(SYS(write, 3, PTR("x"), 1), 1);
	ck_assert_int_eq(SYS(stat, PTR(path), PTR(&st)), 0);
	ck_assert_int_eq(st.st_size, 1);
	ck_assert_int_eq(SYS(rename, PTR(path), PTR(other)), 0);
	ck_assert_int_eq(SYS(access, PTR(path), F_OK), -ENOENT);
	ck_assert_int_eq(SYS(symlink, PTR("other"), PTR(path)), 0);
	n = SYS(readlink, PTR(path), PTR(text), sizeof(text));
	ck_assert_int_eq(n, 5);
	ck_assert_mem_eq(text, "other", 5);
	ck_assert_int_eq(SYS(lstat, PTR(path), PTR(&st)), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(SYS(chdir, PTR(dir)), 0);
	n = SYS(getcwd, PTR(text), sizeof(text));
	ck_assert_int_eq(n, (long)strlen(dir) + 1);
	ck_assert_str_eq(text, dir);
	ck_assert_int_eq(SYS(getcwd, PTR(text), 3), -ERANGE);
	ck_assert_int_eq(SYS(unlink, PTR("other")), 0);
	ck_assert_int_eq(SYS(mkdir, PTR("other"), 0700), 0);
	ck_assert_int_eq(SYS(rmdir, PTR("other")), 0);
}
END_TEST

START_TEST(directories_are_listed)
{
	uint8_t buf[1024];
	long n;

	ck_assert_int_eq(open_new(), 3);
	ck_assert_int_eq(SYS(open, PTR(dir), O_RDONLY | O_DIRECTORY, 0), 4);
	n = SYS(getdents64, 4, PTR(buf), sizeof(buf));
	ck_assert_int_gt(n, 3 * 24 - 1);
	ck_assert_ptr_nonnull(memmem(buf, (size_t)n, "file", 5));
	ck_assert_int_eq(SYS(getdents64, 4, PTR(buf), sizeof(buf)), 0);
}
END_TEST

START_TEST(long_paths_end)
{
	char name[CALL_PATH_MAX + 1];

	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(SYS(open, PTR(name), O_RDONLY, 0), -ENAMETOOLONG);
	ck_assert_int_eq(SYS(open, 0, O_RDONLY, 0), -EFAULT);
}
END_TEST

START_TEST(addresses_outside_are_refused)
{
	struct iovec iov = { fake_outside, 8 };

	ck_assert_int_eq(open_new(), 3);
	ck_assert_int_eq(SYS(write, 3, PTR(fake_outside), 8), -EFAULT);
	ck_assert_int_eq(SYS(read, 3, PTR(fake_outside), 8), -EFAULT);
	ck_assert_int_eq(SYS(writev, 3, PTR(&iov), 1), -EFAULT);
	ck_assert_int_eq(SYS(writev, 3, PTR(fake_outside), 1), -EFAULT);
	ck_assert_int_eq(SYS(fstat, 3, PTR(fake_outside)), -EFAULT);
	ck_assert_int_eq(SYS(pipe, PTR(fake_outside)), -EFAULT);
	ck_assert_int_eq(SYS(open, PTR(fake_outside), 0, 0), -EFAULT);
	ck_assert_int_eq(SYS(uname, PTR(fake_outside)), -EFAULT);
	ck_assert_int_eq(SYS(getrandom, PTR(fake_outside), 8, 0), -EFAULT);
	ck_assert_int_eq(SYS(clock_gettime, 0, PTR(fake_outside)), -EFAULT);
	ck_assert_int_eq(SYS(poll, PTR(fake_outside), 1, 0), -EFAULT);
	ck_assert_int_eq(SYS(write, 3, UINT64_MAX - 3, 8), -EFAULT);
}
END_TEST

START_TEST(waiting_finds_what_is_ready)
{
	int32_t fds[2];
	struct pollfd p[2];
	uint64_t in[16] = { 0 };
	const struct timespec none = { 0, 0 };

	ck_assert_int_eq(SYS(pipe2, PTR(fds), O_NONBLOCK), 0);
	p[0] = (struct pollfd){ fds[0], POLLIN, 0 };
	p[1] = (struct pollfd){ fds[1], POLLOUT, 0 };
	ck_assert_int_eq(SYS(poll, PTR(p), 2, 0), 1);
	ck_assert_int_eq(p[0].revents, 0);
	ck_assert_int_eq(p[1].revents, POLLOUT);
	ck_assert_int_eq(p[0].fd, fds[0]);
	ck_assert_int_eq(SYS(write, (uint64_t)fds[1], PTR("ab"), 2), 2);
	in[0] = 1ull << fds[0];
	ck_assert_int_eq(SYS(pselect6, (uint64_t)fds[0] + 1, PTR(in), 0, 0,
			     PTR(&none), 0),
			 1);
	ck_assert_uint_eq(in[0], 1ull << fds[0]);
	p[0].fd = 99;
	ck_assert_int_eq(SYS(ppoll, PTR(p), 1, PTR(&none), 0), 1);
	ck_assert_int_eq(p[0].revents, POLLNVAL);
}
END_TEST

START_TEST(ioctls_are_a_short_list)
{
	int32_t fds[2], n = 0;

	ck_assert_int_eq(SYS(pipe, PTR(fds)), 0);
	ck_assert_int_eq(SYS(write, (uint64_t)fds[1], PTR("abc"), 3), 3);
	ck_assert_int_eq(SYS(ioctl, (uint64_t)fds[0], FIONREAD, PTR(&n)), 0);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(SYS(ioctl, (uint64_t)fds[0], TIOCSTI, PTR(&n)),
			 -ENOTTY);
	ck_assert_int_eq(SYS(ioctl, (uint64_t)fds[0], TIOCGWINSZ, PTR(&n)),
			 -ENOTTY);
}
END_TEST

START_TEST(time_is_in_range)
{
	struct timespec a, b;
	const struct timespec nap = { 0, 1000000 };
	const struct timespec bad = { 0, 1000000000 };

	ck_assert_int_eq(SYS(clock_gettime, CLOCK_MONOTONIC, PTR(&a)), 0);
	ck_assert_int_eq(SYS(nanosleep, PTR(&nap), 0), 0);
	ck_assert_int_eq(SYS(clock_gettime, CLOCK_MONOTONIC, PTR(&b)), 0);
	ck_assert(b.tv_sec > a.tv_sec || b.tv_nsec > a.tv_nsec);
	ck_assert_int_eq(SYS(nanosleep, PTR(&bad), 0), -EINVAL);
	ck_assert_int_eq(SYS(clock_gettime, 99, PTR(&a)), -EINVAL);
	ck_assert_int_eq(SYS(clock_getres, CLOCK_REALTIME, 0), 0);
}
END_TEST

static int handled;

static void on_signal(int signo)
{
	handled = signo;
}

struct kernel_action {
	void (*handler)(int);
	uint64_t flags;
	void *restorer;
	uint64_t mask;
};

static void raise_abort(void)
{
	SYS(tkill, 1, SIGABRT);
}

static void leave_with_7(void)
{
	SYS(exit_group, 7);
}

START_TEST(signals_are_served_inside)
{
	/* SA_RESTORER, as a C library has it. */
	struct kernel_action act = { .handler = on_signal,
				     .flags = 0x04000000 };
	uint64_t set = 1ull << (SIGUSR1 - 1), pending;
	int is_signal;

	handled = 0;
	ck_assert_int_eq(SYS(rt_sigaction, SIGUSR1, PTR(&act), 0, 8), 0);
	ck_assert_int_eq(SYS(tkill, 1, SIGUSR1), 0);
	ck_assert_int_eq(handled, SIGUSR1);
	handled = 0;
	ck_assert_int_eq(SYS(rt_sigprocmask, SIG_BLOCK, PTR(&set), 0, 8), 0);
	ck_assert_int_eq(SYS(kill, (uint64_t)getpid(), SIGUSR1), 0);
	ck_assert_int_eq(handled, 0);
	ck_assert_int_eq(SYS(rt_sigpending, PTR(&pending), 8), 0);
	ck_assert_uint_eq(pending, set);
	ck_assert_int_eq(SYS(rt_sigprocmask, SIG_UNBLOCK, PTR(&set), 0, 8), 0);
	ck_assert_int_eq(handled, SIGUSR1);
	ck_assert_int_eq(SYS(kill, 1, SIGUSR1), -EPERM);
	ck_assert_int_eq(SYS(rt_sigaction, SIGKILL, PTR(&act), 0, 8), -EINVAL);
	ck_assert_int_eq(fake_ended(raise_abort, &is_signal), SIGABRT);
	ck_assert_int_eq(is_signal, 1);
	ck_assert_int_eq(fake_ended(leave_with_7, &is_signal), 7);
	ck_assert_int_eq(is_signal, 0);
}
END_TEST

/* The host's wait is where the signal comes in this test. */
static void signal_in_wait(struct wire_call *call, uint8_t *buf)
{
	const struct wire_signal s = { .signo = SIGUSR1, .code = SI_USER };

	if (call->nr == WIRE_CALL_SIGNAL_WAIT) {
		call->status = 0;
		fake_signals.pending = 1;
	} else if (call->nr == WIRE_CALL_SIGNAL_TAKE) {
		call->status = 0;
		call->count = fake_signals.pending;
		fake_signals.pending = 0;
		memcpy(buf + call->args[0], &s, sizeof(s));
	}
}

/* A wait leaves the enclave, since it has to look at the end (I16). */
START_TEST(a_wait_for_signals_is_the_hosts)
{
	const struct kernel_action act = { .handler = on_signal,
					   .flags = 0x04000000 };
	uint64_t none = 0;

	handled = 0;
	fake_start(1u << 16, signal_in_wait);
	ck_assert_int_eq(SYS(rt_sigaction, SIGUSR1, PTR(&act), 0, 8), 0);
	ck_assert_int_eq(SYS(rt_sigsuspend, PTR(&none), 8), -EINTR);
	ck_assert_int_eq(handled, SIGUSR1);
	ck_assert_uint_gt(fake_host_calls(), 0);
}
END_TEST

START_TEST(the_unknown_is_enosys)
{
	ck_assert_int_eq(SYS(mount, 0), -ENOSYS);
	ck_assert_int_eq(edmm_syscall(100000, 0, 0, 0, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(edmm_syscall(-1, 0, 0, 0, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(SYS(fork, 0), -ENOSYS);
}
END_TEST

Suite *calls_suite(void)
{
	Suite *suite = suite_create("sys calls");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_add_test(tc, a_file_comes_back_as_written);
	tcase_add_test(tc, vectors_are_one_call);
	tcase_add_test(tc, descriptors_are_the_programs_own);
	tcase_add_test(tc, kept_descriptors_are_apart);
	tcase_add_test(tc, paths_work_in_old_and_new_form);
	tcase_add_test(tc, directories_are_listed);
	tcase_add_test(tc, long_paths_end);
	tcase_add_test(tc, addresses_outside_are_refused);
	tcase_add_test(tc, waiting_finds_what_is_ready);
	tcase_add_test(tc, ioctls_are_a_short_list);
	tcase_add_test(tc, time_is_in_range);
	tcase_add_test(tc, signals_are_served_inside);
	tcase_add_test(tc, a_wait_for_signals_is_the_hosts);
	tcase_add_test(tc, the_unknown_is_enosys);
	suite_add_tcase(suite, tc);
	return suite;
}
