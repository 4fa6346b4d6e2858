/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context is made, used and given back, under a host that is asked between
 * the steps (PROG_CALL_NONE with enum prog_made), and may do what it likes.
 */
#include "edmm/emm.h"
#include "tests/rt/prog.h"
#include "trusted/rt/rt.h"

#define STACK_SIZE (64u << 10)
#define RFLAGS_FIXED 2u

static uint32_t ran;

static void body(uint64_t arg)
{
	__atomic_fetch_add(&ran, (uint32_t)arg, __ATOMIC_SEQ_CST);
	rt_thread_end(-1);
}

static void tell(enum prog_made step, uint64_t context)
{
	const uint64_t args[WIRE_CALL_ARGS] = { step, context };

	(void)!rt_host_call(PROG_CALL_NONE, args, NULL);
}

/* Pages of contexts that are in the enclave, or may be. */
static uint64_t pages(void)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t at = rt_base() + l->made_off, n = 0;
	const uint64_t end = at + l->made_count * l->ctx_stride;
	struct emm_run run;

	while (at < end && !emm_query(rt_emm(), at, end, &run)) {
		if (run.state != EMM_PG_UNCOMMITTED)
			n += run.size / EMM_PAGE;
		at = run.addr + run.size;
	}
	return n;
}

static uint64_t make_stack(void)
{
	const struct emm_alloc a = { .size = STACK_SIZE,
				     .flags = EMM_COMMIT_NOW,
				     .prot = EMM_RW };
	uint64_t addr;

	return emm_alloc(rt_emm(), &a, &addr) ? 0 : addr + STACK_SIZE;
}

static void begin(uint32_t context, uint64_t stack, void (*what)(uint64_t))
{
	struct rt_regs *r = rt_thread_regs(context);

	r->rip = (uint64_t)what;
	r->rdi = 1;
	r->rsp = stack - 8;
	r->rflags = RFLAGS_FIXED;
}

int prog_made(const char *arg)
{
	const uint32_t wanted = (uint32_t)(*arg - '0');
	const uint64_t stack = make_stack();
	int c;

	/* The image's own come first. */
	while (rt_thread_take() >= 0)
		;
	if (!stack || pages())
		return 2;
	tell(PROG_MADE_BEGIN, rt_layout()->ctx_count);
	c = rt_thread_make();
	tell(c < 0 ? PROG_MADE_REFUSED : PROG_MADE, (uint64_t)c);
	if (c < 0)
		c = rt_thread_make();
	if (c < 0)
		return 3;
	begin((uint32_t)c, stack, body);
	tell(PROG_MADE_READY, (uint64_t)c);
	if (rt_thread_start((uint32_t)c))
		rt_thread_drop((uint32_t)c);
	tell(PROG_MADE_STARTED, (uint64_t)c);
	if (ran != wanted)
		return 4;
	rt_threads_trim();
	tell(PROG_MADE_TRIMMED, (uint64_t)c);
	rt_threads_trim();
	if (emm_check(rt_emm()))
		return 5;
	/* Nobody has run on it, and somebody may. */
	if (!wanted && pages())
		return 0;
	return pages() ? 6 : 0;
}

static uint64_t second_stack;
static int taken;

static void takes(uint64_t arg)
{
	(void)arg;
	taken = rt_thread_take();
	rt_thread_end(-1);
}

static void starts(uint64_t arg)
{
	int c = rt_thread_make();

	(void)arg;
	if (c >= 0) {
		begin((uint32_t)c, second_stack, takes);
		(void)!rt_thread_start((uint32_t)c);
	}
	rt_thread_end(-1);
}

int prog_taken(const char *arg)
{
	const uint64_t stack = make_stack();
	int c;

	(void)arg;
	while (rt_thread_take() >= 0)
		;
	second_stack = make_stack();
	c = rt_thread_make();
	if (!stack || !second_stack || c < 0)
		return 2;
	begin((uint32_t)c, stack, starts);
	if (rt_thread_start((uint32_t)c))
		return 3;
	if (taken != -EDMM_EAGAIN)
		return 4;
	/* Over as it is, it can be had now. */
	return rt_thread_take() == c ? 0 : 5;
}

int prog_tail(const char *how)
{
	const uint64_t stack = make_stack(), other = make_stack();
	int c;

	while (rt_thread_take() >= 0)
		;
	c = rt_thread_make();
	if (!stack || !other || c < 0)
		return 2;
	begin((uint32_t)c, stack, body);
	if (rt_thread_start((uint32_t)c))
		return 3;
	tell(PROG_MADE_STARTED, (uint64_t)c);
	if (*how != 'a') {
		rt_threads_trim();
		if (pages())
			return 4;
		tell(PROG_MADE_TRIMMED, (uint64_t)c);
	}
	if (*how == 't')
		return ran == 1 ? 0 : 5;
	if ((*how == 'a' ? rt_thread_take() : rt_thread_make()) != c)
		return 6;
	begin((uint32_t)c, other, body);
	if (rt_thread_start((uint32_t)c))
		return 7;
	tell(PROG_MADE_STARTED, (uint64_t)c);
	return ran == 2 && !emm_check(rt_emm()) ? 0 : 8;
}
