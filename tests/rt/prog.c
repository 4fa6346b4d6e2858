/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The enclave of tests/rt: a program on the bare runtime, without a C library.
 * argv[1] names what it does; exit status 0 means that it went as it should,
 * and others name the line of the check that failed, modulo 200, plus 1.
 */
#include "tests/rt/prog.h"
#include "edmm/emm.h"
#include "trusted/rt/rt.h"

#define CHECK(c)                                   \
	do {                                       \
		if (!(c))                          \
			return __LINE__ % 200 + 1; \
	} while (0)

#define PAGE 4096u
#define MIB (1ull << 20)

/* What a test has set for faults that are its own. */
static bool (*fault_hook)(struct rt_regs *r);

static bool on_fault(struct rt_regs *r)
{
	return fault_hook && fault_hook(r);
}

const struct rt_hooks rt_hooks = { .fault = on_fault };

static const char *args_at(const struct rt_args *a, uint32_t index)
{
	const char *p = a->block;

	for (; index; index--) {
		while (*p)
			p++;
		p++;
	}
	return p;
}

static bool equal(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

static uint64_t number(const char *s)
{
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	return v;
}

/* An on-demand area of the heap. */
static uint8_t *demand(uint64_t size)
{
	const struct emm_alloc a = { .size = size,
				     .flags = EMM_ON_DEMAND,
				     .prot = EMM_RW };
	uint64_t addr;

	if (emm_alloc(rt_emm(), &a, &addr))
		return NULL;
	return (uint8_t *)addr;
}

static int do_exit(const char *arg)
{
	return (int)number(arg);
}

static int do_signal(const char *arg)
{
	rt_exit_signal((int)number(arg));
}

static int do_grow(const char *arg)
{
	uint64_t size = number(arg) * MIB;
	uint8_t *p = demand(size);

	CHECK(p);
	for (uint64_t i = 0; i < size; i += PAGE) {
		if (p[i] || p[i + PAGE - 1])
			return PROG_WRONG_DATA;
		p[i] = (uint8_t)(i / PAGE);
	}
	for (uint64_t i = 0; i < size; i += PAGE)
		if (p[i] != (uint8_t)(i / PAGE))
			return PROG_WRONG_DATA;
	CHECK(!emm_dealloc(rt_emm(), (uint64_t)p, size, NULL));
	CHECK(!emm_check(rt_emm()));
	return 0;
}

/* Every register and flag across a fault that stage 2 resolves. */
static int do_regs(const char *arg)
{
	uint8_t *p = demand(4 * PAGE);
	struct prog_regs r = { .pad = { 0 } };

	(void)arg;
	CHECK(p);
	for (unsigned int i = 0; i < 4; i++) {
		prog_regs_over_fault(&r, p + i * PAGE + 8 * i);
		CHECK(p[i * PAGE + 8 * i] == 0x5a);
		for (unsigned int k = 0; k < PROG_GPRS; k++)
			CHECK(r.gpr[k] == PROG_GPR_VALUE(k));
		for (unsigned int k = 0; k < PROG_XMMS; k++)
			CHECK(r.xmm[k][0] == k + 1 && r.xmm[k][1] == ~0ull);
		CHECK((r.flags & PROG_FLAGS) == PROG_FLAGS);
		CHECK(r.mxcsr == PROG_MXCSR && r.fcw == PROG_FCW);
	}
	return 0;
}

/* Not to be made a loop: the frame is used after the call. */
static __attribute__((noinline)) uint64_t deep(uint64_t bytes)
{
	volatile uint8_t frame[1024];

	frame[0] = (uint8_t)bytes;
	if (bytes > sizeof(frame))
		frame[1] = (uint8_t)deep(bytes - sizeof(frame));
	return frame[0];
}

static int do_stack(const char *arg)
{
	uint64_t size = number(arg) * 1024;

	return deep(size) == UINT64_MAX;
}

static int do_wild(const char *arg)
{
	*(volatile uint8_t *)(number(arg)) = 1;
	return 0;
}

static int do_wild_inside(const char *arg)
{
	*(volatile uint8_t *)(rt_base() + number(arg)) = 1;
	return 0;
}

/* What relocation has written is constant. */
static int do_relro(const char *arg)
{
	(void)arg;
	*(volatile uint8_t *)(uintptr_t)&rt_hooks = 1;
	return 0;
}

static int do_div(const char *arg)
{
	volatile int zero = (int)number(arg);

	return 7 / zero;
}

static int do_ud(const char *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
	return 0;
}

static int do_cpuid(const char *arg)
{
	uint32_t a = (uint32_t)number(arg), b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return 0;
}

static int do_run_data(const char *arg)
{
	uint8_t *p = demand(PAGE);
	void (*f)(void);

	(void)arg;
	CHECK(p);
	p[0] = 0xc3;
	__builtin_memcpy(&f, &p, sizeof(f));
	f();
	return 0;
}

static int do_abort(const char *arg)
{
	rt_abort((unsigned int)number(arg), "asked for by a test");
}

/* Copies between untrusted memory and pages that are not there yet. */
static int do_umem(const char *arg)
{
	uint8_t *p = demand(64 * PAGE);
	struct rt_buf b;

	(void)arg;
	CHECK(p);
	CHECK(!rt_buf_take(&b, 8 * PAGE));
	for (unsigned int i = 0; i < 8 * PAGE; i += 8)
		CHECK(!umem_put64(b.p + i, i * 3ull));
	CHECK(!umem_read(p + 5, b.p, 8 * PAGE));
	for (unsigned int i = 0; i < 8 * PAGE; i += 8)
		CHECK(*(uint64_t *)(void *)(p + 5 + i) == i * 3ull);
	CHECK(!umem_write(b.p + 1, p + 32 * PAGE, 2 * PAGE));
	/* Nothing is mapped there, and nothing may be: the zero page's VMA. */
	CHECK(umem_read(p, umem_at(0x10000, 8), 8) == -EDMM_EFAULT);
	CHECK(umem_write(umem_at(0x10000, 8), p, 8) == -EDMM_EFAULT);
	CHECK(umem_write(umem_at(0x10001, 3), p, 3) == -EDMM_EFAULT);
	CHECK(!umem_at(rt_base(), 8));
	rt_buf_drop(&b);
	return 0;
}

static int do_buf(const char *arg)
{
	struct rt_buf a, b, c;

	(void)arg;
	CHECK(!rt_buf_take(&a, 100));
	CHECK(a.size == 100 && a.off == 0);
	CHECK(!rt_buf_take(&b, UINT64_MAX));
	CHECK(b.off == 104 && b.size == WIRE_BUF_MIN - 104);
	CHECK(rt_buf_take(&c, 1) == -EDMM_ENOMEM);
	rt_buf_drop(&b);
	CHECK(!rt_buf_take(&c, 1));
	CHECK(c.off == 104 && c.size == 1);
	rt_buf_drop(&c);
	rt_buf_drop(&a);
	CHECK(!rt_buf_take(&a, 1) && a.off == 0);
	return 0;
}

static uint8_t *hook_page;
static uint32_t hook_calls;

/* A program's handler that itself needs pages and a host call. */
static bool hook(struct rt_regs *r)
{
	hook_calls++;
	hook_page[hook_calls * 16 * PAGE] = 1;
	r->rip += 2; /* over ud2 */
	r->rax = 77;
	return r->vector == 6;
}

static int do_hook(const char *arg)
{
	uint64_t rax = 0;

	(void)arg;
	hook_page = demand(4 * MIB);
	CHECK(hook_page);
	fault_hook = hook;
	for (uint32_t i = 1; i <= 3; i++) {
		__asm__ volatile("ud2" : "+a"(rax) : : "memory");
		CHECK(rax == 77 && hook_calls == i);
	}
	return 0;
}

/* A handler that faults in the same way for ever: the stack must hold. */
static bool bad_hook(struct rt_regs *r)
{
	(void)r;
	__asm__ volatile("ud2");
	return true;
}

static int do_bad_hook(const char *arg)
{
	(void)arg;
	fault_hook = bad_hook;
	__asm__ volatile("ud2");
	return 0;
}

/* A handler that uses up the exception stack, and then some. */
static bool deep_hook(struct rt_regs *r)
{
	volatile uint8_t room[4096];

	room[0] = (uint8_t)r->rax;
	__asm__ volatile("ud2" : : "m"(room));
	return true;
}

static int do_deep_hook(const char *arg)
{
	(void)arg;
	fault_hook = deep_hook;
	__asm__ volatile("ud2");
	return 0;
}

/* A host call that nobody serves, and the state around it. */
static int do_call(const char *arg)
{
	const uint64_t args[WIRE_CALL_ARGS] = { 1, 2, 3, 4, 5, 6 };
	uint64_t fs = rt_base() + 0x1230, count = 9;
	uint32_t mxcsr = PROG_MXCSR, after = 0;
	uint16_t fcw = PROG_FCW, fcw_after = 0;
	edmm_err err;

	rt_set_fs_base(fs);
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
	err = rt_host_call(PROG_CALL_NONE, args, &count);
	__asm__ volatile("stmxcsr %0; fnstcw %1"
			 : "=m"(after), "=m"(fcw_after));
	CHECK(rt_fs_base() == fs);
	CHECK(after == mxcsr && fcw_after == fcw);
	if (*arg == 'o') {
		CHECK(!err && count == 42);
		return 0;
	}
	CHECK(err == -(int)number(arg) && count == 0);
	return 0;
}

/* Compute for a while, after a first call; then send something. */
static int spin(void)
{
	const uint64_t args[WIRE_CALL_ARGS] = { 0 };

	(void)!rt_host_call(PROG_CALL_NONE, args, NULL);
	for (volatile uint64_t i = 0; i < 200000000; i++)
		;
	return 0;
}

static int do_spin_write(const char *arg)
{
	struct rt_buf b;

	(void)arg;
	CHECK(!spin());
	CHECK(!rt_buf_take(&b, PAGE));
	(void)!umem_write(b.p + 3, "much to say, and nobody to hear it", 32);
	return 0;
}

static int do_spin_call(const char *arg)
{
	const uint64_t args[WIRE_CALL_ARGS] = { 1, 2, 3, 4, 5, 6 };

	(void)arg;
	CHECK(!spin());
	(void)!rt_host_call(PROG_CALL_NONE, args, NULL);
	return 0;
}

/* Leave with secrets in every register that C would leave alone. */
static int do_secret(const char *arg)
{
	(void)arg;
	prog_secret_call(PROG_CALL_NONE);
	return 0;
}

struct edge {
	edmm_err err;
	uint64_t count;
};

static uint64_t edge_page;

static void edge_call(void *arg)
{
	const uint64_t args[WIRE_CALL_ARGS] = { 0 };
	struct edge *e = arg;

	e->err = rt_host_call(PROG_CALL_NONE, args, &e->count);
}

/* Give the page back its rights, and make a call while one is being made. */
static bool edge_hook(struct rt_regs *r)
{
	struct edge e;

	edge_call(&e);
	return e.err == -EDMM_ENOSYS && r->addr / PAGE == edge_page / PAGE &&
	       !emm_protect(rt_emm(), edge_page, PAGE, EMM_RW, NULL);
}

/*
 * Host calls at every distance from a page of the stack that faults: some push
 * or copy on the way out does, and its handler makes host calls of its own.
 */
static int do_edge(const char *arg)
{
	uint8_t *p = demand(2 * PAGE);

	(void)arg;
	CHECK(p);
	edge_page = (uint64_t)p;
	p[0] = p[PAGE] = 1;
	fault_hook = edge_hook;
	for (uint64_t off = 64; off < 1024; off += 16) {
		struct edge e = { .err = 1, .count = 1 };

		CHECK(!emm_protect(rt_emm(), edge_page, PAGE, EMM_NONE, NULL));
		prog_on_stack(edge_call, &e, edge_page + PAGE + off);
		CHECK(e.err == -EDMM_ENOSYS && e.count == 0);
	}
	return 0;
}

static int do_avx(const char *arg)
{
	static uint64_t in[16][4], out[16][4];
	uint8_t *p = demand(PAGE);

	(void)arg;
	CHECK(p);
	for (uint64_t i = 0; i < 64; i++)
		in[i / 4][i % 4] = (i + 1) * 0x9e3779b97f4a7c15ull;
	prog_ymm_over_fault(&in[0][0], &out[0][0], p);
	CHECK(*p == 0x5a);
	CHECK(!__builtin_memcmp(in, out, sizeof(in)));
	return 0;
}

/* Memory comes and goes, and every byte is looked at. */
static int do_churn(const char *arg)
{
	uint64_t rounds = number(arg);

	for (uint64_t i = 0; i < rounds; i++) {
		int bad = do_grow("1");

		if (bad)
			return bad;
		CHECK(deep(64 * 1024) != UINT64_MAX);
	}
	return 0;
}

/* One page comes and goes, more often than a fault may repeat itself. */
static int do_again(const char *arg)
{
	uint64_t rounds = number(arg);
	uint8_t *p = demand(PAGE);

	CHECK(p);
	for (uint64_t i = 0; i < rounds; i++) {
		CHECK(p[0] == 0);
		p[0] = 1;
		CHECK(!emm_uncommit_now(rt_emm(), (uint64_t)p, PAGE, NULL));
	}
	return 0;
}

static int do_trim(const char *arg)
{
	const uint64_t size = 2 * MIB;
	uint8_t *p = demand(size);
	uint64_t done = 0;

	(void)arg;
	CHECK(p);
	CHECK(!emm_commit(rt_emm(), (uint64_t)p, size, &done) && done == size);
	for (uint64_t i = 0; i < size; i += PAGE)
		p[i] = 0xff;
	CHECK(!emm_uncommit_now(rt_emm(), (uint64_t)p, size, NULL));
	for (uint64_t i = 0; i < size; i += PAGE)
		CHECK(p[i] == 0);
	CHECK(!emm_protect(rt_emm(), (uint64_t)p, PAGE, EMM_R, NULL));
	CHECK(p[0] == 0);
	CHECK(!emm_protect(rt_emm(), (uint64_t)p, PAGE, EMM_RX, NULL));
	CHECK(!emm_protect(rt_emm(), (uint64_t)p, PAGE, EMM_RW, NULL));
	p[0] = 1;
	return 0;
}

static int do_static(const char *arg)
{
	(void)arg;
	CHECK(!rt_elastic());
	return do_grow("4");
}

static int do_env(const char *arg)
{
	return equal(arg, "NAME=VALUE") ? 0 : 1;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} verbs[] = {
	{ "exit", do_exit },
	{ "signal", do_signal },
	{ "grow", do_grow },
	{ "regs", do_regs },
	{ "stack", do_stack },
	{ "wild", do_wild },
	{ "wild-inside", do_wild_inside },
	{ "relro", do_relro },
	{ "div", do_div },
	{ "ud", do_ud },
	{ "cpuid", do_cpuid },
	{ "run-data", do_run_data },
	{ "abort", do_abort },
	{ "umem", do_umem },
	{ "buf", do_buf },
	{ "hook", do_hook },
	{ "bad-hook", do_bad_hook },
	{ "deep-hook", do_deep_hook },
	{ "call", do_call },
	{ "made", prog_made },
	{ "tail", prog_tail },
	{ "taken", prog_taken },
	{ "spin-write", do_spin_write },
	{ "spin-call", do_spin_call },
	{ "again", do_again },
	{ "trim", do_trim },
	{ "secret", do_secret },
	{ "edge", do_edge },
	{ "avx", do_avx },
	{ "churn", do_churn },
	{ "static", do_static },
	{ "env", do_env },
};

int rt_main(const struct rt_args *a)
{
	rt_stats_main();
	if (a->argc != 3)
		return 250;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (equal(args_at(a, 1), verbs[i].name))
			return verbs[i].run(args_at(
				a, verbs[i].run == do_env ? a->argc : 2));
	return 251;
}
