/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host program may do around an enclave: signal handlers of its own
 * without the vDSO, touches from outside, fork, close before munmap, signals
 * and masks as on Linux.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/trap/encl.h"
#include "tests/trap/stats.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)

static struct encl e;

static void setup(void)
{
	memset(&e, 0, sizeof(e));
	encl_make(&e);
}

static void teardown(void)
{
	if (e.base)
		encl_close(&e);
}

static uint64_t accept(uint64_t off)
{
	return encl_enclu(&e, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
			  e.base + off, 0);
}

/* ---- a host without the vDSO ------------------------------------------- */

static volatile int seen;
static volatile uint64_t seen_addr;
static uint64_t fault_off;

/* As Intel's runtime: an entry of the same TCS within the handler. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (sig != SIGSEGV || g[REG_RIP] != (greg_t)encl_raw_aep ||
	    g[REG_RAX] != SGX_ERESUME || g[REG_RBX] != (greg_t)e.base)
		_exit(9);
	seen++;
	seen_addr = (uint64_t)info->si_addr;
	if (accept(fault_off))
		_exit(8);
}

START_TEST(own_aep_gets_signals)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };
	struct encl_cmd cmd = { .op = OP_WRITE, .value = 0x31 };

	fault_off = ENCL_FREE + 0x5000;
	cmd.addr = e.base + fault_off + 3;
	ck_assert_int_eq(sigaction(SIGSEGV, &sa, NULL), 0);
	ck_assert_uint_eq(encl_raw(&cmd, e.base), 0);
	ck_assert_int_eq(seen, 1);
	ck_assert_uint_eq(seen_addr, e.base + fault_off);
	ck_assert_uint_eq(encl_do(&e, OP_READ, cmd.addr, 0), 0x31);
}
END_TEST

/*
 * AC and DF of a host pass to the enclave and back, and no handler of the
 * machine stumbles over its own unaligned accesses: with and without the vDSO,
 * at exits, faults, and signals that come while the thread is inside.
 */
START_TEST(alignment_checks_of_the_host)
{
	const uint64_t df = 1 << 10, ac = 1 << 18;
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = SGX_EACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = e.base + ENCL_FREE };
	struct sgx_enclave_run run = { 0 };

	encl_flags = df | ac;
	for (int i = 0; i < 4; i++, cmd.addr += 0x1000) {
		if (i % 2)
			ck_assert_uint_eq(encl_raw(&cmd, e.base), 0);
		else
			ck_assert_int_eq(
				encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
		encl_flags = i < 2 ? df | ac : ac;
		ck_assert_uint_eq(cmd.rax, 0);
		ck_assert_uint_eq(cmd.rflags & ac, ac);
		ck_assert_uint_eq(encl_flags_back & ac, ac);
	}
	cmd.op = OP_UD2;
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.exception_vector, SGX_VEC_UD);
	encl_flags = 0;
}
END_TEST

/* ---- the program's own signals ----------------------------------------- */

static volatile int on_own_stack;
static char own_stack[65536];

static void on_usr1(int sig)
{
	char *here = (char *)&sig;

	on_own_stack = here > own_stack && here < own_stack + sizeof(own_stack);
}

START_TEST(the_programs_signal_stack)
{
	stack_t ss = { .ss_sp = own_stack, .ss_size = sizeof(own_stack) };
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = SA_ONSTACK };
	stack_t old;

	ck_assert_int_eq(sigaltstack(&ss, NULL), 0);
	ck_assert_int_eq(sigaltstack(NULL, &old), 0);
	ck_assert_ptr_eq(old.ss_sp, own_stack);
	ck_assert_int_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	raise(SIGUSR1);
	ck_assert_int_eq(on_own_stack, 1);
	ss.ss_flags = SS_DISABLE;
	ck_assert_int_eq(sigaltstack(&ss, NULL), 0);
	raise(SIGUSR1);
	ck_assert_int_eq(on_own_stack, 0);
}
END_TEST

static sigjmp_buf jump;
static volatile sig_atomic_t faults;
static volatile uint64_t stack_seen;
static volatile int blocked_within;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	sigset_t now;

	(void)info;
	stack_seen = (uint64_t)uc->uc_stack.ss_sp;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	blocked_within = sigismember(&now, sig);
	if (faults++ % 2)
		siglongjmp(jump, 1);
	/* Over the store. */
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] +=
		*(const uint8_t *)uc->uc_mcontext.gregs[REG_RIP] == 0xc6 ? 3ll
									 : 0ll;
}

/* A handler ends by its return, or by a jump: the next fault finds SIGSEGV as
 * it was before, and the frame has named the program's own signal stack. */
START_TEST(handlers_end_in_two_ways)
{
	stack_t ss = { .ss_sp = own_stack, .ss_size = sizeof(own_stack) };
	struct sigaction sa = { .sa_sigaction = on_segv,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigset_t now;

	ck_assert_int_eq(sigaltstack(&ss, NULL), 0);
	for (int i = 0; i < 8; i++) {
		sa.sa_flags ^= i == 4 ? SA_ONSTACK : 0;
		ck_assert_int_eq(sigaction(SIGSEGV, &sa, NULL), 0);
		if (!sigsetjmp(jump, 1))
			__asm__ volatile("movb $1, (%0)"
					 :
					 : "a"((void *)0)
					 : "memory");
		ck_assert_int_eq(faults, i + 1);
		ck_assert_int_eq(blocked_within, 1);
		ck_assert_uint_eq(stack_seen, (uint64_t)own_stack);
		pthread_sigmask(SIG_SETMASK, NULL, &now);
		ck_assert_int_eq(sigismember(&now, SIGSEGV), 0);
		/* The machine has its own stack still. */
		ck_assert_uint_eq(accept(ENCL_FREE + 4096 * (uint64_t)i), 0);
	}
}
END_TEST

START_TEST(masks_say_what_was_asked)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGUSR2);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &old), 0);
	ck_assert_int_eq(sigismember(&old, SIGSEGV), 1);
	ck_assert_int_eq(sigismember(&old, SIGUSR2), 1);
	/* The machine still works. */
	ck_assert_uint_eq(accept(ENCL_FREE), 0);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &old), 0);
	ck_assert_int_eq(sigismember(&old, SIGSEGV), 0);
}
END_TEST

static int status_of(void (*crash)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		crash();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void crash_null(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 1; /* NOLINT(clang-analyzer-core.NullDereference): meant */
}

static void crash_ill(void)
{
	__asm__ volatile("ud2");
}

static void crash_fpe(void)
{
	volatile int z = 0;

	/* gcc knows 1 / z without a division. */
	z = 100 / z; /* NOLINT(clang-analyzer-core.DivideZero): meant */
}

static void touch_null(int sig)
{
	(void)sig;
	crash_null();
}

/* A fault in the handler of faults, as SIGSEGV is blocked then. */
static void crash_twice(void)
{
	struct sigaction sa = { .sa_handler = touch_null };

	sigaction(SIGSEGV, &sa, NULL);
	crash_null();
}

static void crash_kill(void)
{
	kill(getpid(), SIGBUS);
	pause();
}

START_TEST(a_host_dies_as_without_the_machine)
{
	static const struct {
		void (*fn)(void);
		int sig;
	} way[] = { { crash_null, SIGSEGV },
		    { crash_ill, SIGILL },
		    { crash_fpe, SIGFPE },
		    { crash_kill, SIGBUS },
		    { crash_twice, SIGSEGV } };
	int status = status_of(way[_i].fn);

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), way[_i].sig);
}
END_TEST

/* ---- memory from outside ----------------------------------------------- */

START_TEST(outside_reads_ones_and_adds_the_page)
{
	volatile uint8_t *p = (volatile uint8_t *)(e.base + ENCL_FREE + 0x9000);
	uint64_t before = stats().fault_eaug_outside;

	ck_assert_uint_eq(p[1], 0xff);
	ck_assert_uint_eq(*(volatile uint32_t *)(p + 4), 0xffffffffu);
	p[1] = 7;
	*(volatile uint64_t *)(p + 8) += 5;
	ck_assert_uint_eq(p[1], 0xff);
	ck_assert_uint_eq(stats().fault_eaug_outside, before + 1);
	ck_assert_uint_eq(accept(ENCL_FREE + 0x9000), 0);
	ck_assert_uint_eq(encl_do(&e, OP_READ, (uint64_t)p + 1, 0), 0);
	ck_assert_uint_eq(encl_do(&e, OP_READ, (uint64_t)p + 8, 0), 0);
}
END_TEST

/* Every width, and what becomes of the rest of the register. */
START_TEST(outside_loads_extend_as_they_do)
{
	const void *p = (const void *)(e.base + ENCL_FREE + 0xa000);
	uint64_t a = 0x1122334455667788, b = a, c = a, d = a, z = a, h = a;

	__asm__ volatile("movb (%6), %b0\n\t"
			 "movw (%6), %w1\n\t"
			 "movl (%6), %k2\n\t"
			 "movq (%6), %q3\n\t"
			 "movzbl (%6), %k4\n\t"
			 "movb (%6), %h5\n\t"
			 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(z), "+Q"(h)
			 : "S"(p)); /* no REX register beside AH */
	ck_assert_uint_eq(a, 0x11223344556677ff);
	ck_assert_uint_eq(b, 0x112233445566ffff);
	ck_assert_uint_eq(c, 0xffffffff);
	ck_assert_uint_eq(d, UINT64_MAX);
	ck_assert_uint_eq(z, 0xff);
	ck_assert_uint_eq(h, 0x112233445566ff88);
}
END_TEST

START_TEST(outside_copies_by_string_instructions)
{
	uint64_t from = e.base + ENCL_FREE + 0xb000;
	uint8_t to[40];
	void *dst = to;
	const void *src = (const void *)from;
	size_t n = sizeof(to);

	memset(to, 1, sizeof(to));
	__asm__ volatile("rep movsb"
			 : "+D"(dst), "+S"(src), "+c"(n)
			 :
			 : "memory");
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_eq(dst, to + sizeof(to));
	ck_assert_uint_eq((uint64_t)src, from + sizeof(to));
	for (size_t i = 0; i < sizeof(to); i++)
		ck_assert_uint_eq(to[i], 0xff);
}
END_TEST

/* ---- the file ---------------------------------------------------------- */

START_TEST(close_before_munmap)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	struct sgx_enclave_run run = { 0 };
	int fd = dup(e.fd);

	close(e.fd);
	/* A duplicate is the same enclave. */
	e.fd = fd;
	ck_assert_int_eq(encl_modify(&e, 0, 0, SGX_PT_TRIM, NULL), -EINVAL);
	close(fd);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	ck_assert_uint_gt(stats().epc_used, 0);
	ck_assert_int_eq(munmap((void *)e.base, ENCL_SIZE), 0);
	ck_assert_uint_eq(stats().epc_used, 0);
	e.base = 0;
}
END_TEST

START_TEST(a_child_has_lost_its_parents_enclave)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	struct sgx_enclave_run run = { 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct encl own = { 0 };

		if (encl_modify(&e, 0, 0x1000, SGX_PT_TRIM, NULL) != -EIO)
			_exit(1);
		if (encl_enter(&e, 0, SGX_EENTER, &cmd, &run) ||
		    run.function != SGX_EENTER || run.exception_vector != 14)
			_exit(2);
		/* One of its own works. */
		encl_make(&own);
		if (encl_enter(&own, 0, SGX_EENTER, &cmd, &run) ||
		    run.function != SGX_EEXIT)
			_exit(3);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
}
END_TEST

START_TEST(mappings_follow_the_rules)
{
	void *at = (void *)e.base;
	void *p;

	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, e.fd, 0);
	ck_assert_ptr_eq(p, MAP_FAILED);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(
		mprotect((char *)at + ENCL_CODE, 4096, PROT_READ | PROT_WRITE),
		-1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_ptr_eq(mremap(at, ENCL_SIZE, 2 * ENCL_SIZE, MREMAP_MAYMOVE),
			 MAP_FAILED);
	ck_assert_int_eq(errno, EFAULT);
	ck_assert_int_eq(madvise(at, 4096, MADV_DONTNEED), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(lost_enclaves_fault)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	struct sgx_enclave_run run = { 0 };
	void (*lose)(void);

	*(void **)&lose = dlsym(RTLD_DEFAULT, "edmm_machine_lose");
	lose();
	ck_assert_int_eq(encl_enter(&e, 0, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EENTER);
	ck_assert_uint_eq(run.exception_vector, 14);
	ck_assert_uint_ne(run.exception_error_code & SGX_PFEC_SGX, 0);
	ck_assert_int_eq(encl_modify(&e, 0, 0x1000, SGX_PT_TRIM, NULL), -EIO);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("host");
	TCase *t = tcase_create("host");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, own_aep_gets_signals);
	tcase_add_test(t, alignment_checks_of_the_host);
	tcase_add_test(t, the_programs_signal_stack);
	tcase_add_test(t, handlers_end_in_two_ways);
	tcase_add_test(t, masks_say_what_was_asked);
	tcase_add_loop_test(t, a_host_dies_as_without_the_machine, 0, 5);
	tcase_add_test(t, outside_reads_ones_and_adds_the_page);
	tcase_add_test(t, outside_loads_extend_as_they_do);
	tcase_add_test(t, outside_copies_by_string_instructions);
	tcase_add_test(t, close_before_munmap);
	tcase_add_test(t, a_child_has_lost_its_parents_enclave);
	tcase_add_test(t, mappings_follow_the_rules);
	tcase_add_test(t, lost_enclaves_fault);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
