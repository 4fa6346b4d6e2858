/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine to the letter: what Linux (arch/x86/kernel/cpu/sgx, mm) and the
 * SDM answer where a near miss is easy. Mappings and faults of them.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PAGE 0x1000ul
#define PROT_RW (PROT_READ | PROT_WRITE)

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

static void accept(uint64_t off)
{
	ck_assert_uint_eq(encl_enclu(&e, SGX_EACCEPT,
				     REG | RW | SGX_SECINFO_PENDING,
				     e.base + off, 0),
			  0);
}

static void *at(uint64_t off)
{
	return (void *)(e.base + off);
}

/* What an operation inside ends with, which must be an exception. */
static struct sgx_enclave_run fault_of(unsigned tcs, enum encl_op op,
				       uint64_t off)
{
	struct encl_cmd cmd = { .op = op, .addr = e.base + off, .value = 7 };
	struct sgx_enclave_run run = { 0 };

	ck_assert_int_eq(encl_enter(&e, tcs, SGX_EENTER, &cmd, &run), 0);
	ck_assert_uint_eq(run.function, SGX_ERESUME);
	return run;
}

static void is_fault(const struct sgx_enclave_run *run, unsigned code)
{
	ck_assert_uint_eq(run->exception_vector, SGX_VEC_PF);
	ck_assert_uint_eq(run->exception_error_code, code);
}

#define FAILS(call, with)                      \
	do {                                   \
		errno = 0;                     \
		ck_assert_int_eq(call, -1);    \
		ck_assert_int_eq(errno, with); \
	} while (0)

/* ---- mprotect ---------------------------------------------------------- */

/* What is before the hole changes, what is behind it does not. */
START_TEST(mprotect_stops_at_a_hole)
{
	struct sgx_enclave_run run;

	for (unsigned i = 0; i < 4; i++)
		accept(ENCL_FREE + i * PAGE);
	ck_assert_int_eq(munmap(at(ENCL_FREE + 2 * PAGE), PAGE), 0);
	FAILS(mprotect(at(ENCL_FREE), 4 * PAGE, PROT_READ), ENOMEM);
	run = fault_of(1, OP_WRITE, ENCL_FREE);
	is_fault(&run, 7);
	ck_assert_uint_eq(run.exception_addr, e.base + ENCL_FREE);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE + 3 * PAGE, 1);
}
END_TEST

/* Enclave mappings are never merged: of two that agree the first changes, the
 * second refuses. */
START_TEST(mprotect_goes_by_each_mapping)
{
	for (uint64_t off = ENCL_CODE; off <= ENCL_DATA; off += PAGE)
		ck_assert_ptr_eq(mmap(at(off), PAGE, PROT_READ,
				      MAP_SHARED | MAP_FIXED, e.fd, 0),
				 at(off));
	FAILS(mprotect(at(ENCL_CODE), 2 * PAGE, PROT_READ | PROT_EXEC), EACCES);
	/* So the code runs; its SECINFO's page is as it was. */
	encl_do(&e, OP_NOP, 0, 0);
	is_fault((struct sgx_enclave_run[]){ fault_of(1, OP_WRITE,
						      ENCL_DATA + 8) },
		 6);
}
END_TEST

START_TEST(mprotect_takes_what_linux_takes)
{
	struct sgx_enclave_run run;

	accept(ENCL_FREE);
	/* PROT_SEM means nothing; a stack this is not. */
	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_RW | 0x8), 0);
	FAILS(mprotect(at(ENCL_FREE), PAGE, PROT_READ | PROT_GROWSDOWN),
	      EINVAL);
	FAILS(mprotect(at(ENCL_FREE), PAGE, 0x10), EINVAL);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 1);
	ck_assert_int_eq(pkey_mprotect(at(ENCL_FREE), PAGE, PROT_READ, -1), 0);
	run = fault_of(1, OP_WRITE, ENCL_FREE);
	is_fault(&run, 7);
	ck_assert_int_eq(
		syscall(SYS_pkey_mprotect, at(ENCL_FREE), PAGE, PROT_RW, -1),
		0);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 1);
}
END_TEST

/* VM_MAYWRITE is the file's. */
START_TEST(a_read_only_file_never_gets_w)
{
	int fd = open(SGX_DEV_ENCLAVE, O_RDONLY);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	FAILS(mprotect(p, PAGE, PROT_RW), EACCES);
	ck_assert_int_eq(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	munmap(p, PAGE);
	close(fd);
}
END_TEST

START_TEST(read_implies_exec_is_refused)
{
	int was = personality(0xffffffff);
	void *p;

	personality((unsigned)was | READ_IMPLIES_EXEC);
	p = mmap(at(ENCL_FREE), PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, e.fd,
		 0);
	ck_assert_ptr_eq(p, MAP_FAILED);
	ck_assert_int_eq(errno, EACCES);
	FAILS(mprotect(at(ENCL_DATA), PAGE, PROT_READ), EACCES);
	personality((unsigned)was);
	ck_assert_int_eq(mprotect(at(ENCL_DATA), PAGE, PROT_RW), 0);
}
END_TEST

/* ---- advice and others --------------------------------------------------- */

/* What Linux answers of a mapping with VM_PFNMAP of a file without fsync. */
START_TEST(advice_for_a_device)
{
	accept(ENCL_FREE);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 0x41);
	FAILS(madvise(at(ENCL_FREE), PAGE, MADV_REMOVE), ENODEV);
	FAILS(madvise(at(ENCL_FREE), PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(at(ENCL_FREE), PAGE, MADV_FREE), EINVAL);
	FAILS(madvise(at(ENCL_FREE), PAGE, MADV_DOFORK), EINVAL);
	ck_assert_int_eq(madvise(at(ENCL_FREE), PAGE, MADV_MERGEABLE), 0);
	ck_assert_int_eq(madvise(at(ENCL_FREE), PAGE, MADV_KEEPONFORK), 0);
	ck_assert_int_eq(madvise(at(ENCL_FREE), PAGE, MADV_WILLNEED), 0);
	FAILS(msync(at(ENCL_FREE), PAGE, MS_SYNC), EINVAL);
	ck_assert_int_eq(msync(at(ENCL_FREE), PAGE, MS_ASYNC), 0);
	ck_assert_int_eq((int)syscall(SYS_msync, at(ENCL_FREE), PAGE, 0L), 0);
	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_READ), 0);
	FAILS(madvise(at(ENCL_FREE), PAGE, MADV_REMOVE), EACCES);
	ck_assert_uint_eq(encl_do(&e, OP_READ, e.base + ENCL_FREE, 0), 0x41);
}
END_TEST

START_TEST(mremap_of_the_same_size)
{
	accept(ENCL_FREE);
	ck_assert_ptr_eq(mremap(at(ENCL_FREE), PAGE, PAGE, 0), at(ENCL_FREE));
	ck_assert_ptr_eq(mremap(at(ENCL_FREE), PAGE, PAGE, MREMAP_MAYMOVE),
			 at(ENCL_FREE));
	ck_assert_ptr_eq(mremap(at(ENCL_FREE), PAGE, 2 * PAGE, MREMAP_MAYMOVE),
			 MAP_FAILED);
	ck_assert_int_eq(errno, EFAULT);
	ck_assert_ptr_eq(mremap((char *)at(ENCL_FREE) + 8, PAGE, PAGE, 0),
			 MAP_FAILED);
	ck_assert_int_eq(errno, EINVAL);
	encl_do(&e, OP_WRITE, e.base + ENCL_FREE, 1);
}
END_TEST

/* ---- flags -------------------------------------------------------------- */

/* In an enclave that nobody debugs POPF leaves TF alone. */
START_TEST(popf_of_tf)
{
	ck_assert_uint_eq(encl_do(&e, OP_POPF, 0, 0) & 0x100, 0);
}
END_TEST

static sigjmp_buf out;
static siginfo_t told;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	/* A handler starts with AC as it was. */
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() &
				       ~(1ull << 18));
	(void)sig;
	(void)context;
	told = *info;
	siglongjmp(out, 1);
}

/* Linux tells no address of #AC. */
START_TEST(an_unaligned_load_at_the_aep)
{
	struct sigaction sa = { .sa_sigaction = on_bus,
				.sa_flags = SA_SIGINFO };
	struct encl_cmd cmd = { .op = OP_ALIGN };

	ck_assert_int_eq(sigaction(SIGBUS, &sa, NULL), 0);
	if (!sigsetjmp(out, 1)) {
		encl_raw(&cmd, e.base);
		ck_abort_msg("no #AC");
	}
	ck_assert_int_eq(told.si_code, BUS_ADRALN);
	ck_assert_ptr_null(told.si_addr);
}
END_TEST

static void on_fpe(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told = *info;
	siglongjmp(out, 1);
}

/* Linux reads the cause of #MF and #XM from the registers, where the exit has
 * left an invalid operation, whatever it was inside. */
START_TEST(float_exceptions_at_the_aep)
{
	static const uint64_t ops[] = { OP_X87, OP_SSE };
	struct sigaction sa = { .sa_sigaction = on_fpe,
				.sa_flags = SA_SIGINFO };

	ck_assert_int_eq(sigaction(SIGFPE, &sa, NULL), 0);
	for (volatile size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		struct encl_cmd cmd = { .op = ops[i] };

		memset(&told, 0, sizeof(told));
		if (!sigsetjmp(out, 1)) {
			encl_raw(&cmd, e.base);
			ck_abort_msg("no exception");
		}
		ck_assert_int_eq(told.si_code, FPE_FLTINV);
		ck_assert_ptr_eq(told.si_addr, encl_raw_aep);
	}
}
END_TEST

/* ---- masks -------------------------------------------------------------- */

/* syscall(2) goes to the machine's masks, too: the exception comes all the
 * same, and the program is told what it asked for. */
START_TEST(masks_by_syscall)
{
	uint64_t all = UINT64_MAX, now = 0, none = 0;
	struct sgx_enclave_run run;

	ck_assert_int_eq(
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8L), 0);
	ck_assert_int_eq(
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, 8L), 0);
	ck_assert_uint_ne(now >> (SIGILL - 1) & 1, 0);
	run = fault_of(0, OP_UD2, 0);
	ck_assert_uint_eq(run.exception_vector, SGX_VEC_UD);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8L);
	FAILS((int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, 1L, NULL, 8L),
	      EFAULT);
	FAILS((int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 4L),
	      EINVAL);
}
END_TEST

/* ---- descriptors -------------------------------------------------------- */

/* As daemons do, once the enclave runs; then pages come and go. */
static void goes_on(uint64_t off)
{
	accept(off);
	encl_do(&e, OP_WRITE, e.base + off, 1);
	ck_assert_int_eq(mprotect(at(off), PAGE, PROT_READ), 0);
	encl_do(&e, OP_READ, e.base + off, 0);
}

START_TEST(all_descriptors_are_closed)
{
	int keep = dup(2), first = keep + 1;

	for (int fd = first; fd < 1024; fd++)
		close(fd);
	goes_on(ENCL_FREE);
	for (int fd = first; fd < 1024; fd++)
		syscall(SYS_close, fd);
	goes_on(ENCL_FREE + PAGE);
	closefrom(first);
	goes_on(ENCL_FREE + 2 * PAGE);
	ck_assert_int_eq(close_range((unsigned)first, ~0u, 0), 0);
	goes_on(ENCL_FREE + 3 * PAGE);
	ck_assert_int_eq((int)syscall(SYS_close_range, first, ~0u, 2), 0);
	goes_on(ENCL_FREE + 4 * PAGE);
	/* Every number is the program's. */
	for (int fd = first; fd < 1024; fd++)
		ck_assert_int_eq(dup2(keep, fd), fd);
	goes_on(ENCL_FREE + 5 * PAGE);
	for (int fd = first; fd < 1024; fd++)
		ck_assert_int_eq((int)syscall(SYS_dup3, keep, fd, 0), fd);
	goes_on(ENCL_FREE + 6 * PAGE);
	for (int fd = keep; fd < 1024; fd++)
		ck_assert_int_eq(close(fd), 0);
	goes_on(ENCL_FREE + 7 * PAGE);
	FAILS(close_range(9, 8, 0), EINVAL);
	FAILS(close_range(9, 8, 1 << 9), EINVAL);
}
END_TEST

/* ---- error codes ------------------------------------------------------- */

/* Linux makes entries of PROT_NONE not present. */
START_TEST(no_rights_is_not_present)
{
	struct sgx_enclave_run run;

	accept(ENCL_FREE);
	encl_do(&e, OP_READ, e.base + ENCL_FREE, 0);
	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_NONE), 0);
	run = fault_of(0, OP_READ, ENCL_FREE);
	is_fault(&run, 4);
	run = fault_of(1, OP_WRITE, ENCL_FREE);
	is_fault(&run, 6);
	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_READ), 0);
	run = fault_of(1, OP_WRITE, ENCL_FREE);
	is_fault(&run, 7);
}
END_TEST

/* A fetch is refused by the entry, which is there by then: the page too. */
START_TEST(a_fetch_adds_the_page)
{
	struct sgx_enclave_run run;

	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_RW), 0);
	run = fault_of(1, OP_CALL, ENCL_FREE);
	is_fault(&run, 0x15);
	/* Added by that, or EACCEPT would have done it: a store says so. */
	run = fault_of(0, OP_WRITE, ENCL_FREE);
	is_fault(&run, 0x8007);
}
END_TEST

/* An ENCLU that cannot be fetched is none, inside and outside. */
START_TEST(enclu_is_fetched)
{
	struct sigaction sa = { .sa_sigaction = on_fpe,
				.sa_flags = SA_SIGINFO };
	static const uint8_t enclu[] = { 0x0f, 0x01, 0xd7 };
	struct sgx_enclave_run run;
	uint8_t *page;

	ck_assert_int_eq(mprotect(at(ENCL_FREE), PAGE, PROT_RW), 0);
	accept(ENCL_FREE);
	for (unsigned i = 0; i < sizeof(enclu); i++)
		encl_do(&e, OP_WRITE, e.base + ENCL_FREE + i, enclu[i]);
	run = fault_of(0, OP_CALL, ENCL_FREE);
	is_fault(&run, 0x15);
	page = mmap(NULL, PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	memcpy(page, enclu, sizeof(enclu));
	ck_assert_int_eq(sigaction(SIGSEGV, &sa, NULL), 0);
	if (!sigsetjmp(out, 1)) {
		((void (*)(void))(uintptr_t)page)();
		ck_abort_msg("it was executed");
	}
	ck_assert_int_eq(told.si_code, SEGV_ACCERR);
	ck_assert_ptr_eq(told.si_addr, page);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("letter");
	TCase *t = tcase_create("letter");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, mprotect_stops_at_a_hole);
	tcase_add_test(t, mprotect_goes_by_each_mapping);
	tcase_add_test(t, mprotect_takes_what_linux_takes);
	tcase_add_test(t, a_read_only_file_never_gets_w);
	tcase_add_test(t, read_implies_exec_is_refused);
	tcase_add_test(t, advice_for_a_device);
	tcase_add_test(t, mremap_of_the_same_size);
	tcase_add_test(t, popf_of_tf);
	tcase_add_test(t, an_unaligned_load_at_the_aep);
	tcase_add_test(t, float_exceptions_at_the_aep);
	tcase_add_test(t, masks_by_syscall);
	tcase_add_test(t, all_descriptors_are_closed);
	tcase_add_test(t, no_rights_is_not_present);
	tcase_add_test(t, a_fetch_adds_the_page);
	tcase_add_test(t, enclu_is_fetched);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
