/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One harness for every row of common/calls.h and every command: what leaves
 * is what the row names and nothing else of the enclave's (I17); whatever
 * comes in, in results and structures, and changed after each read, is in
 * range or an error, and then the program's memory is as it was.
 */
#include <asm/ioctls.h>
#include <check.h>
#include <linux/fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands.h"
#include "tests/sys/fake.h"
#include "tests/sys/suites.h"
#include "tests/sys/test_rows.h"

#define BUFFER 4096u
#define SLOT 512u /* memory of an argument; behind it is the guard */
#define SECRET 0x5au
#define SECRET_WORD 0x5a5a5a5a5a5a5a5aull
#define BYTES 64u
#define ELEMENTS 3u
#define EDGES 10
#define WORDS (CALL_STRUCT_SIZE_MAX / 8)
#define ROUNDS ((1 + WORDS) * EDGES * 2)

static const struct call_row *row;
static uint64_t nr;
static uint64_t args[WIRE_CALL_ARGS];
static _Alignas(8) uint8_t slot[WIRE_CALL_ARGS][SLOT];
static uint8_t was[WIRE_CALL_ARGS][SLOT];

static int status;
static uint64_t count;
static int round_now;
static unsigned int looked;

/* A host without a Linux: nothing is done, all is made up. */
static long make(long linux_nr, const long *a)
{
	(void)linux_nr;
	(void)a;
	return -EBADF;
}

static uint64_t size_of(int i)
{
	const uint16_t arg = row->args[i];

	if (arg & CALL_STRING)
		return 2;
	if (call_can_be_cut(arg))
		return BYTES;
	return call_size(arg) * (arg & CALL_COUNTED ? ELEMENTS : 1);
}

static void fill(uint64_t number)
{
	int i;

	nr = number;
	row = sys_row(nr);
	memset(slot, SECRET, sizeof(slot));
	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		args[i] = SECRET_WORD;
		if (row->args[i] & CALL_INT)
			args[i] = SECRET_WORD << 32 | 5;
		if (call_in_memory(row->args[i]))
			args[i] = PTR(slot[i]);
		if (row->args[i] & CALL_STRING)
			memcpy(slot[i], "x", 2);
		if (i > 0 && (row->args[i - 1] & CALL_COUNTED))
			args[i] = call_can_be_cut(row->args[i - 1]) ? BYTES
								    : ELEMENTS;
	}
	memcpy(was, slot, sizeof(was));
}

static void begin(uint64_t number, fake_lie lie, fake_look look)
{
	fake_start(BUFFER, lie);
	fake_calls()->make = make;
	fake_watch(look);
	looked = 0;
	status = 0;
	count = 0;
	fill(number);
}

/* The argument that has byte @off of the buffer, or -1. */
static int argument_at(const struct wire_call *call, uint64_t off)
{
	int i;

	for (i = 0; i < WIRE_CALL_ARGS; i++)
		if (call_in_memory(row->args[i]) && call->args[i] <= off &&
		    off - call->args[i] < size_of(i))
			return i;
	return -1;
}

static bool may_leave(const struct wire_call *call, uint64_t off)
{
	int i = argument_at(call, off);

	if (i < 0 || !(row->args[i] & CALL_TO))
		return false;
	off = (off - call->args[i]) % call_size(row->args[i]);
	return oracle_leaves(row->args[i] & CALL_STRUCT_MASK, off);
}

static void look_at_numbers(const struct wire_call *call)
{
	int i;

	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		uint64_t v = call->args[i];

		if (row->args[i] == CALL_0)
			ck_assert_msg(v == 0, "%lu: argument %d is sent", nr,
				      i);
		if (row->args[i] & CALL_INT)
			ck_assert_msg(v == (uint64_t)(int32_t)v,
				      "%lu: argument %d is wide: %lx", nr, i,
				      v);
	}
}

static void look(const struct wire_call *call, const uint8_t *buf,
		 uint64_t size)
{
	uint64_t off;

	looked++;
	if (call->nr != WIRE_CALL_SYS + nr)
		return;
	look_at_numbers(call);
	for (off = 0; off < size; off++)
		ck_assert_msg(buf[off] == 0 || may_leave(call, off),
			      "%lu: byte %lu leaves, of argument %d", nr, off,
			      argument_at(call, off));
}

START_TEST(only_what_the_row_names_leaves)
{
#define NUMBER(name, number, ...) number,
	static const uint64_t numbers[] = { CALL_LIST(NUMBER) };

	begin(numbers[_i], NULL, look);
	if (!call_goes_out(row))
		return;
	sys_call((enum call_nr)nr, args);
	ck_assert_uint_eq(looked, 1);
	if (row->who == CALL_PART || row->linux_nr == CALL_fcntl)
		return;
	fill(nr);
	fake_syscall((long)nr, args);
}
END_TEST

struct one {
	const char *name;
	uint16_t nr;
	uint8_t arg;
	uint32_t cmd;
};

#define COMMAND(row, cmd, arg, most) { #cmd, CALL_##row, COMMAND_##arg, cmd },
static const struct one commands[] = { COMMAND_LIST(COMMAND) };
static const struct one *cmd;

static void look_at_command(const struct wire_call *call, const uint8_t *buf,
			    uint64_t size)
{
	uint64_t off;

	look(call, buf, size);
	if (cmd->arg == COMMAND_BARE)
		ck_assert_msg(call->args[2] == 0, "%s: %lx leaves", cmd->name,
			      call->args[2]);
	for (off = 0; off < size && cmd->arg == COMMAND_TAKE; off++)
		ck_assert_msg(buf[off] == 0, "%s: byte %lu leaves", cmd->name,
			      off);
}

/* As by a program, whose other bits are whatever a register had. */
static long ask_command(void)
{
	uint64_t a[WIRE_CALL_ARGS];

	memcpy(a, args, sizeof(a));
	a[1] = SECRET_WORD << 32 | cmd->cmd;
	if (cmd->nr == CALL_fcntl_lock) {
		memset(slot[2] + 2, 0, 2);  /* from the file's start */
		memset(slot[2] + 24, 0, 4); /* of an open file: nobody's */
	}
	memcpy(was, slot, sizeof(was));
	return fake_syscall(CALL_LINUX(cmd->nr), a);
}

START_TEST(only_what_the_command_names_leaves)
{
	cmd = &commands[_i];
	begin(cmd->nr, NULL, look_at_command);
	ask_command();
	ck_assert_uint_eq(looked, 1);
}
END_TEST

/* Edges in all words, then in one, then noise. */
static uint8_t said(uint64_t off)
{
	static const uint64_t edges[EDGES] = {
		0,
		UINT64_MAX,
		INT64_MAX,
		1ull << 63,
		0x8000000080000000,
		0x7fffffff7fffffff,
		0x0001000200010002,
		999999 + 1,
		1000000000,
		(uint64_t)-2,
	};
	int r = round_now - EDGES;
	uint64_t word = edges[round_now % EDGES];

	if (round_now >= ROUNDS / 2)
		return (uint8_t)random();
	if (r >= 0 && off / 8 != (uint64_t)r / EDGES)
		word = 1;
	return (uint8_t)(word >> (off % 8 * 8));
}

static void lie(struct wire_call *call, uint8_t *buf)
{
	uint64_t off, k;
	int i;

	call->status = status;
	call->count = count;
	for (i = 0; i < WIRE_CALL_ARGS; i++) {
		off = call->args[i];
		if (!call_in_memory(row->args[i]) || off >= BUFFER)
			continue;
		for (k = 0; k < size_of(i) && off + k < BUFFER; k++)
			buf[off + k] = said(k);
	}
}

static void check_argument(int i, long r)
{
	const uint16_t arg = row->args[i];
	const uint64_t size = size_of(i), step = call_size(arg);
	const bool came =
		!!(arg & CALL_LATE) == (r == -EINTR) && (r >= 0 || r == -EINTR);
	uint64_t k;

	ck_assert_msg(memcmp(slot[i] + size, was[i] + size, SLOT - size) == 0,
		      "%lu: bytes behind argument %d", nr, i);
	if (step == 1 && (arg & CALL_FROM))
		return; /* bytes that are what the host says they are */
	if (!came || !(arg & CALL_FROM)) {
		ck_assert_msg(memcmp(slot[i], was[i], size) == 0,
			      "%lu gives %ld and changes argument %d", nr, r,
			      i);
		return;
	}
	for (k = 0; k < size; k += step)
		ck_assert_msg(oracle_is_fine(arg & CALL_STRUCT_MASK,
					     slot[i] + k, was[i] + k),
			      "%lu, round %d: argument %d at %lu", nr,
			      round_now, i, k);
}

static void check_arguments(long r)
{
	int i;

	for (i = 0; i < WIRE_CALL_ARGS; i++)
		if (call_in_memory(row->args[i]))
			check_argument(i, r);
	ck_assert_msg(fake_read_twice() == 0, "%lu: %u bytes are read twice",
		      nr, fake_read_twice());
}

START_TEST(structures_come_in_range_or_not_at_all)
{
	static const uint64_t numbers[] = { CALL_LIST(NUMBER) };
	static const int statuses[] = { 0, -EINTR, -EIO };
	size_t s;

	begin(numbers[_i], lie, NULL);
	if (!call_goes_out(row))
		return;
	for (s = 0; s < 3; s++) {
		status = statuses[s];
		for (round_now = 0; round_now < ROUNDS; round_now++) {
			fill(numbers[_i]);
			check_arguments(sys_call((enum call_nr)nr, args));
			if (row->who == CALL_PART || nr == CALL_fcntl)
				continue;
			fill(numbers[_i]);
			check_arguments(fake_syscall((long)nr, args));
		}
	}
}
END_TEST

/* The same as a program sees it; a command that takes nothing changes none. */
START_TEST(commands_take_what_they_are_for)
{
	uint64_t size;
	long r;

	cmd = &commands[_i];
	begin(cmd->nr, lie, NULL);
	for (round_now = 0; round_now < ROUNDS; round_now++) {
		fill(cmd->nr);
		count = cmd->nr == CALL_fcntl_dup ? 5 : 0;
		r = ask_command();
		ck_assert(r == -EPROTO || r == (long)count);
		if (!call_in_memory(row->args[2]))
			continue;
		size = size_of(2);
		if (r < 0 || !(cmd->arg & COMMAND_TAKE))
			ck_assert_msg(memcmp(slot[2], was[2], SLOT) == 0,
				      "%s gives %ld and changes", cmd->name, r);
		else
			ck_assert(
				memcmp(slot[2] + size, was[2] + size,
				       SLOT - size) == 0 &&
				oracle_is_fine(row->args[2] & CALL_STRUCT_MASK,
					       slot[2], was[2]));
	}
	ck_assert_uint_eq(fake_read_twice(), 0);
}
END_TEST

static const struct {
	uint32_t cmd;
	uint64_t most;
} answers[] = {
	{ F_GETFD, 1 },
	{ F_SETFD, 0 },
	{ F_SETFL, 0 },
	{ F_GETFL, INT32_MAX },
};

START_TEST(answers_to_commands_are_bounded)
{
	begin(CALL_fcntl, lie, NULL);
	args[1] = answers[_i].cmd;
	count = answers[_i].most;
	ck_assert_int_eq(fake_syscall(CALL_fcntl, args), (long)count);
	count++;
	ck_assert_int_eq(fake_syscall(CALL_fcntl, args), -EPROTO);
	begin(CALL_umask, lie, NULL);
	count = 01000;
	ck_assert_int_eq(fake_syscall(CALL_umask, args), -EPROTO);
	count = 0777;
	ck_assert_int_eq(fake_syscall(CALL_umask, args), 0777);
}
END_TEST

static uint64_t most(void)
{
	switch (row->ret) {
	case CALL_RET_ZERO:
		return 0;
	case CALL_RET_LEN:
		return BYTES;
	case CALL_RET_ARRAY:
		return ELEMENTS;
	case CALL_RET_MODE:
		return 0777;
	case CALL_RET_INT:
		return INT32_MAX;
	case CALL_RET_OFF:
		return INT64_MAX;
	default:
		return CALL_FD_MAX - 1;
	}
}

START_TEST(results_are_in_range_or_errors)
{
	static const uint64_t numbers[] = { CALL_LIST(NUMBER) };
	int bit;
	long r;

	begin(numbers[_i], lie, NULL);
	if (!call_goes_out(row))
		return;
	round_now = 2 * EDGES;
	for (bit = 0; bit < 64; bit++)
		for (count = (1ull << bit) - 1; count <= (1ull << bit) + 1;
		     count++) {
			fill(nr);
			r = sys_call((enum call_nr)nr, args);
			ck_assert_msg(r < 0 ? r == -EPROTO
					    : (uint64_t)r == count &&
						      count <= most(),
				      "%lu gives %ld for %lx", nr, r, count);
		}
}
END_TEST

/* Each row against each command that is not its own, and none of them. */
START_TEST(the_host_serves_commands_by_their_rows_alone)
{
	static const uint16_t rows[] = { CALL_fcntl,	  CALL_fcntl_dup,
					 CALL_fcntl_lock, CALL_ioctl_none,
					 CALL_ioctl_int,  CALL_ioctl_size,
					 CALL_ioctl_tty };
	struct wire_call call;
	uint8_t buf[SLOT] = { 0 };
	size_t i;

	cmd = &commands[_i];
	fake_start(BUFFER, NULL);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i] == cmd->nr)
			continue;
		call = (struct wire_call){ .nr = WIRE_CALL_SYS + rows[i],
					   .args = { 2, cmd->cmd, 0 } };
		host_calls_serve(fake_calls(), &call, buf, sizeof(buf));
		ck_assert_msg(call.status == -EINVAL && call.count == 0,
			      "%s by row %u: %d, %lu", cmd->name, rows[i],
			      call.status, call.count);
	}
	call = (struct wire_call){ .nr = WIRE_CALL_SYS + CALL_ioctl_none,
				   .args = { 2, TIOCSTI, PTR(buf) } };
	host_calls_serve(fake_calls(), &call, buf, sizeof(buf));
	ck_assert_int_eq(call.status, -EINVAL);
}
END_TEST

#define COUNT(t) ((int)(sizeof(t) / sizeof(*(t))))

Suite *rows_suite(void)
{
	Suite *suite = suite_create("sys rows");
	TCase *tc = tcase_create("rows and commands");

	tcase_add_loop_test(tc, only_what_the_row_names_leaves, 0, CALL_COUNT);
	tcase_add_loop_test(tc, only_what_the_command_names_leaves, 0,
			    COUNT(commands));
	tcase_add_loop_test(tc, structures_come_in_range_or_not_at_all, 0,
			    CALL_COUNT);
	tcase_add_loop_test(tc, commands_take_what_they_are_for, 0,
			    COUNT(commands));
	tcase_add_loop_test(tc, answers_to_commands_are_bounded, 0,
			    COUNT(answers));
	tcase_add_loop_test(tc, results_are_in_range_or_errors, 0, CALL_COUNT);
	tcase_add_loop_test(tc, the_host_serves_commands_by_their_rows_alone, 0,
			    COUNT(commands));
	suite_add_tcase(suite, tc);
	return suite;
}
