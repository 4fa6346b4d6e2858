/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vDSO's function as Linux has it (uapi/asm/sgx.h): unwinders pass it,
 * r10 and r11 go through it, and of the caller's stack it takes two words.
 */
#include <check.h>
#include <execinfo.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/trap/encl.h"

#define PAGE 0x1000ul
#define SMALL_STACK 512
/* Of TCS 0's first SSA frame. */
#define SAVED_R10 (ENCL_SSA + ENCL_FRAME * PAGE - 184 + 80)
#define THROWN 41

void throw_value(int value);
int catch_value(void (*fn)(void));

static struct encl e;

static void setup(void)
{
	memset(&e, 0, sizeof(e));
	encl_make(&e);
}

static void teardown(void)
{
	encl_close(&e);
}

/* With nothing but @size bytes of stack, a page of nothing below them. */
static long enter_on(char *stack, size_t size, struct encl_cmd *cmd,
		     struct sgx_enclave_run *run)
{
	register char *top __asm__("r12") = stack + size - 16;
	register struct sgx_enclave_run *arg __asm__("r13") = run;
	register vdso_sgx_enter_enclave_t fn __asm__("r14") = encl_vdso();
	long leaf = SGX_EENTER, r;

	run->tcs = e.base;
	__asm__ volatile("mov %%rsp, %%rbx\n\t"
			 "mov %%r12, %%rsp\n\t"
			 "push %%r13\n\t"
			 "mov $0x1010, %%r10d\n\t"
			 "mov $0x1111, %%r11d\n\t"
			 "call *%%r14\n\t"
			 "mov %%rbx, %%rsp"
			 : "=a"(r), "+D"(cmd), "+c"(leaf), "+r"(top), "+r"(arg),
			   "+r"(fn)
			 :
			 : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r15",
			   "memory", "cc");
	return r;
}

static char *small_stack(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p, PAGE, PROT_NONE), 0);
	return p + PAGE;
}

START_TEST(two_words_of_stack)
{
	struct sgx_enclave_run run = { 0 };
	struct encl_cmd cmd = { .op = OP_NOP };
	char *stack = small_stack();

	/* The first entry of a thread is by a trap, the second is not. */
	for (int i = 0; i < 3; i++) {
		memset(&run, 0, sizeof(run));
		ck_assert_int_eq(enter_on(stack, SMALL_STACK, &cmd, &run), 0);
		ck_assert_uint_eq(run.function, SGX_EEXIT);
		/* run, the way back, rbp and rbx. */
		ck_assert_int_eq(enter_on(stack, 48, &cmd, &run), 0);
		ck_assert_uint_eq(run.function, SGX_EEXIT);
	}
}
END_TEST

START_TEST(registers_pass)
{
	struct sgx_enclave_run run = { 0 };
	struct encl_cmd peek = { .op = OP_PEEK }, ud = { .op = OP_UD2 };
	static char stack[4096];

	encl_do(&e, OP_NOP, 0, 0);
	ck_assert_int_eq(enter_on(stack, sizeof(stack), &ud, &run), 0);
	ck_assert_uint_eq(run.exception_vector, SGX_VEC_UD);
	for (unsigned i = 0; i < 2; i++) {
		memset(&run, 0, sizeof(run));
		peek.addr = e.base + SAVED_R10 + 8 * i;
		ck_assert_int_eq(encl_enter(&e, 1, SGX_EENTER, &peek, &run), 0);
		ck_assert_uint_eq(peek.rax, i ? 0x1111 : 0x1010);
	}
}
END_TEST

/* ---- unwinding --------------------------------------------------------- */

static int frames;

/* NOLINTNEXTLINE(readability-function-size): as many as <asm/sgx.h> says. */
static int handler(long rdi, long rsi, long rdx, long sp, long r8, long r9,
		   struct sgx_enclave_run *run)
{
	void *all[64];

	(void)rdi, (void)rsi, (void)rdx, (void)sp, (void)r8, (void)r9;
	frames = backtrace(all, 64);
	if (run->user_data)
		throw_value((int)run->user_data);
	return 0;
}

static struct sgx_enclave_run thrown_run;
static struct encl_cmd thrown_cmd;

static void enter_and_throw(void)
{
	encl_enter(&e, 0, SGX_EENTER, &thrown_cmd, &thrown_run);
}

START_TEST(handlers_unwind)
{
	static const enum encl_op ops[] = { OP_NOP, OP_UD2 };
	void *all[64];
	int here = backtrace(all, 64);

	for (unsigned i = 0; i < 2; i++) {
		thrown_cmd = (struct encl_cmd){ .op = ops[i] };
		thrown_run = (struct sgx_enclave_run){
			.user_handler = (uint64_t)(uintptr_t)handler,
			.user_data = THROWN
		};
		ck_assert_int_eq(catch_value(enter_and_throw), THROWN);
		/* Down to where the test began. */
		ck_assert_int_ge(frames, here + 3);
	}
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("vdso");
	TCase *t = tcase_create("vdso");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, two_words_of_stack);
	tcase_add_test(t, registers_pass);
	tcase_add_test(t, handlers_unwind);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
