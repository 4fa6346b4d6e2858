/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What leaves a real enclave (I17): a host that looks at each system call of
 * prog/pad.c, at the whole data buffer and at every argument, before it is
 * served. The program's stack and registers are full of one byte, which no
 * call of it is for.
 */
#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "host/calls.h"
#include "tests/rt/rig.h"

#define SECRET 0xc3
#define CALLS_LEAST 20

static struct rig r;
static struct host_calls calls;
static unsigned int seen;
/* The data buffer as the host left it: such a byte there is its own. */
static uint8_t was[WIRE_BUF_MIN];
static const uint8_t nothing[sizeof(((struct wire_call *)0)->args)];

static void look_at(const struct wire_call *c, const void *p,
		    const uint8_t *before, size_t size)
{
	const uint8_t *at = p;

	for (size_t i = 0; i < size; i++)
		if (at[i] == SECRET && before[i] != SECRET)
			ck_abort_msg("call %u: byte %zu of its %s",
				     c->nr - WIRE_CALL_SYS, i,
				     p == c->args ? "arguments" : "data");
}

static unsigned int serve(void)
{
	struct wire_call *c = &r.t.wire->call[r.regs.rsi];

	if (c->nr < WIRE_CALL_SYS) {
		host_edmm_dispatch(&r.t, c);
	} else {
		seen++;
		ck_assert_uint_le(r.t.buf_size, sizeof(was));
		look_at(c, c->args, nothing, sizeof(nothing));
		look_at(c, r.t.buf, was, r.t.buf_size);
		host_calls_serve(&calls, c, r.t.buf, r.t.buf_size);
		memcpy(was, r.t.buf, r.t.buf_size);
	}
	return rig_enter(&r, SGX_EENTER, WIRE_ENTER_RETURN, 0);
}

/* One step of a good host; false at the end. */
static bool step(unsigned int *f)
{
	if (*f == SGX_ERESUME) {
		*f = rig_enter(&r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
		return true;
	}
	if (*f != SGX_EEXIT)
		return false;
	if (r.regs.rdi == WIRE_EXIT_RESUME)
		*f = rig_enter(&r, SGX_ERESUME, 0, 0);
	else if (r.regs.rdi == WIRE_EXIT_CALL)
		*f = serve();
	else
		return false;
	return true;
}

START_TEST(no_byte_of_the_stack_leaves)
{
	unsigned int f;

	rig_load(&r, (enum edmm_mode)(_i + 1));
	rig_prepare(&r, "pad", "");
	if (_i + 1 != EDMM_MODE_ELASTIC)
		r.start.heap_max = 0;
	host_calls_init(&calls);
	f = rig_start(&r);
	while (step(&f))
		;
	ck_assert_uint_eq(r.regs.rdi, WIRE_EXIT_DONE);
	ck_assert_uint_eq(r.t.wire->end.kind, WIRE_END_EXIT);
	ck_assert_uint_eq(r.t.wire->end.value, 0);
	ck_assert_uint_ge(seen, CALLS_LEAST);
	munmap(r.t.wire, SGX_PAGE_SIZE + WIRE_BUF_MIN);
	host_calls_close(&calls);
	rig_close(&r);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("sys leaves");
	TCase *tc = tcase_create("leaves");
	SRunner *sr;
	int failed;

	(void)argc;
	rig_setup(argv);
	tcase_add_loop_test(tc, no_byte_of_the_stack_leaves, 0, 2);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
