/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of /proc, and the descriptors of its files under a host that lies. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/sys/fake.h"
#include "tests/sys/suites.h"
#include "trusted/sys/proc/proc_text.h"

#define BUFFER 65536u

static char memory[64];

static struct proc_text start(uint64_t room)
{
	memset(memory, '#', sizeof(memory));
	return (struct proc_text){ .to = memory, .room = room };
}

static void is(const struct proc_text *t, const char *want)
{
	ck_assert_uint_eq(t->size, strlen(want));
	ck_assert_mem_eq(memory, want, t->size < t->room ? t->size : t->room);
	ck_assert_int_eq(memory[t->room], '#');
}

START_TEST(text_has_forms)
{
	struct proc_text t = start(63);

	text_hex(&t, 0x1000, 8);
	text_char(&t, ' ');
	text_hex(&t, 0x123456789abcull, 8);
	text_char(&t, ' ');
	text_dec(&t, 42, 4);
	text_dec(&t, UINT64_MAX, 0);
	text_pad(&t, 0, 50);
	is(&t, "00001000 123456789abc   42"
	       "18446744073709551615    ");
	t = start(63);
	text_dec(&t, 0, 0);
	text_name(&t, "a\nb\\c");
	is(&t, "0a\\012b\\134c");
}
END_TEST

START_TEST(text_is_bounded)
{
	uint64_t room;
	struct proc_text t;

	for (room = 0; room < 20; room++) {
		t = start(room);
		text_str(&t, "Size:");
		text_pad(&t, 0, 8);
		text_dec(&t, 1234567, 8);
		text_char(&t, '\n');
		is(&t, "Size:    1234567\n");
	}
}
END_TEST

static uint64_t lie_number;

static void lie(struct wire_call *call, uint8_t *buf)
{
	(void)buf;
	if (call->nr == WIRE_CALL_SYS + CALL_openat ||
	    call->nr == WIRE_CALL_SYS + CALL_dup)
		call->count = lie_number;
}

static void lie_pair(struct wire_call *call, uint8_t *buf)
{
	const int32_t pair[2] = { 5, 3 };

	if (call->nr == WIRE_CALL_SYS + CALL_openat)
		call->count = 3;
	if (call->nr == WIRE_CALL_SYS + CALL_pipe2)
		memcpy(buf + call->args[0], pair, sizeof(pair));
}

static long open_path(const char *path, int flags)
{
	return SYS(open, PTR(path), (uint64_t)flags, 0);
}

START_TEST(a_number_is_new_once)
{
	int32_t pair[2];

	fake_start(BUFFER, lie);
	lie_number = 7;
	ck_assert_int_eq(open_path("/proc/self/maps", O_RDONLY), 7);
	ck_assert_int_eq(open_path("/proc/self/maps", O_RDONLY), -EPROTO);
	ck_assert_int_eq(open_path("/dev/null", O_RDONLY), -EPROTO);
	(void)SYS(close, 7); /* which the host has not */
	ck_assert_int_eq(open_path("/dev/null", O_RDONLY), 7);
	fake_start(BUFFER, lie_pair);
	ck_assert_int_eq(open_path("/proc/meminfo", O_RDONLY), 3);
	ck_assert_int_eq(SYS(pipe2, PTR(pair), 0), -EPROTO);
	(void)SYS(close, 3);
}
END_TEST

static unsigned int moved;

/* Nothing of the file is asked of the host, nor taken from it. */
static void look(const struct wire_call *call, const uint8_t *buf,
		 uint64_t size)
{
	(void)buf;
	(void)size;
	switch (call->nr - WIRE_CALL_SYS) {
	case CALL_read:
	case CALL_pread64:
	case CALL_write:
	case CALL_lseek:
	case CALL_fstat:
	case CALL_kept_dup:
		moved++;
	}
}

START_TEST(the_host_is_not_asked)
{
	struct stat st;
	char c = 'x';
	long fd, copy;

	fake_start(BUFFER, NULL);
	fake_watch(look);
	moved = 0;
	fd = open_path("/proc/self/status", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	copy = SYS(dup, (uint64_t)fd);
	ck_assert_int_gt(copy, fd);
	/* There is no heap here for the text. */
	ck_assert_int_eq(SYS(read, (uint64_t)fd, PTR(&c), 1), -ENOMEM);
	ck_assert_int_eq(SYS(pread64, (uint64_t)copy, PTR(&c), 1, 5), -ENOMEM);
	ck_assert_int_eq(SYS(write, (uint64_t)fd, PTR(&c), 1), -EBADF);
	ck_assert_int_eq(SYS(lseek, (uint64_t)fd, 5, SEEK_SET), 5);
	ck_assert_int_eq(SYS(lseek, (uint64_t)copy, 0, SEEK_CUR), 5);
	ck_assert_int_eq(SYS(lseek, (uint64_t)fd, 0, SEEK_END), -EINVAL);
	ck_assert_int_eq(SYS(mmap, 0, 4096, 1, 2, (uint64_t)fd, 0), -ENODEV);
	ck_assert_int_eq(SYS(fstat, (uint64_t)fd, PTR(&st)), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0444);
	ck_assert_int_eq(SYS(close, (uint64_t)fd), 0);
	ck_assert_int_eq(SYS(lseek, (uint64_t)copy, 0, SEEK_CUR), 5);
	ck_assert_int_eq(SYS(close, (uint64_t)copy), 0);
	ck_assert_uint_eq(moved, 0);
	ck_assert_int_eq(SYS(lseek, (uint64_t)copy, 0, SEEK_CUR), -EBADF);
	fake_watch(NULL);
}
END_TEST

static bool ours(const char *path)
{
	const long fd = open_path(path, O_RDONLY | O_EXCL | O_CREAT);

	if (fd >= 0)
		(void)SYS(close, (uint64_t)fd);
	return fd == -EEXIST;
}

START_TEST(paths_are_known)
{
	fake_start(BUFFER, NULL);
	ck_assert(ours("/proc/self/maps"));
	ck_assert(ours("//proc/./self//smaps_rollup"));
	ck_assert(ours("/proc/self/../meminfo"));
	ck_assert(ours("/proc/thread-self/stat"));
	ck_assert_int_eq(open_path("/proc/self/maps", O_WRONLY), -EACCES);
	ck_assert_int_eq(open_path("/proc/self/maps", O_DIRECTORY), -ENOTDIR);
	ck_assert_int_eq(SYS(access, PTR("/proc/meminfo"), 4), 0);
	ck_assert_int_eq(SYS(access, PTR("/proc/meminfo"), 2), -EACCES);
}
END_TEST

Suite *proc_suite(void)
{
	Suite *s = suite_create("sys: proc");
	TCase *t = tcase_create("proc");

	tcase_add_test(t, text_has_forms);
	tcase_add_test(t, text_is_bounded);
	tcase_add_test(t, a_number_is_new_once);
	tcase_add_test(t, the_host_is_not_asked);
	tcase_add_test(t, paths_are_known);
	suite_add_tcase(s, t);
	return s;
}
