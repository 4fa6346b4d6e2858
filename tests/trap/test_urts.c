/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mimic of Intel's untrusted runtime with the in-kernel driver: its ways to
 * find device, processor and vDSO, its order of calls, its exception handler
 * that enters the TCS which has just left. With EDMM and without (sgx2=0).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <x86intrin.h>

#include "tests/trap/encl.h"
#include "tests/trap/urts.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define TRIM SGX_SECINFO_PT(SGX_PT_TRIM)
#define RUN_MAX 64u
#define UD2_SIZE 2u
#define GPRSGX_RIP 136

int encl_call(vdso_sgx_enter_enclave_t fn, struct encl_cmd *cmd,
	      unsigned function, struct sgx_enclave_run *run);

static const char *const names[] = { "/dev/sgx_enclave", "/dev/sgx/enclave",
				     "/dev/isgx", "/dev/sgx" };

static struct encl e;
static bool edmm;
static unsigned handled;

/* ---- detection --------------------------------------------------------- */

static int device_open(void)
{
	int fd = -1;

	for (unsigned i = 0; fd < 0 && i < 4; i++)
		fd = open(names[i], O_RDWR);
	return fd;
}

/* "Does the driver know this call?": on a new file, with a record of zeros. */
static bool knows(unsigned long cmd)
{
	uint8_t zeros[64] = { 0 };
	int fd = device_open(), r;

	ck_assert_int_ge(fd, 0);
	r = ioctl(fd, cmd, zeros);
	ck_assert_int_eq(r, -1);
	r = errno;
	close(fd);
	ck_assert_int_eq(r, edmm ? EINVAL : ENODEV);
	return r != ENOTTY;
}

static void detect(void)
{
	uint32_t r[4];

	urts_cpuid(0, 0, r);
	ck_assert_uint_ge(r[0], 0x16);
	urts_cpuid(7, 0, r);
	ck_assert_uint_eq(r[1] >> 2 & 1, 1);
	ck_assert_uint_eq(r[2] >> 30 & 1, 1);
	urts_cpuid(0x12, 0, r);
	ck_assert_uint_eq(r[0] & 1, 1);
	edmm = r[0] >> 1 & 1;
	urts_cpuid(0x12, 1, r);
	ck_assert_uint_eq(r[0] & SGX_ATTR_MODE64BIT, SGX_ATTR_MODE64BIT);
	ck_assert_uint_eq(r[2] & 3, 3);
	urts_cpuid(0x12, 2, r);
	ck_assert_uint_eq(r[0] & 0xf, 1);
	ck_assert_uint_ne(r[2] & 0xfffff000u, 0);
	/* The names of other drivers are not there. */
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(open(names[i], O_RDWR), -1);
}

START_TEST(a_constructor_found_it_all)
{
	ck_assert(urts_cpu());
	ck_assert_ptr_nonnull(urts_entry());
	/* By the dynamic section, too. */
	ck_assert(urts_entry() == encl_vdso());
}
END_TEST

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A runtime takes the time by RDTSC and these leaves: they agree with the
 * clock, to what a disturbed reading of it can be off, and do not change. */
START_TEST(the_rate_of_the_tsc_is_told)
{
	uint32_t r[4], again[4], mhz[4];
	uint64_t ns, tsc, hz;

	urts_cpuid(0x15, 0, r);
	urts_cpuid(0x16, 0, mhz);
	ck_assert(r[0] && r[1] && r[2]);
	hz = (uint64_t)r[2] * r[1] / r[0];
	ck_assert_uint_ne(mhz[0], 0);
	ns = now_ns();
	tsc = __rdtsc();
	usleep(100000);
	tsc = __rdtsc() - tsc;
	ns = now_ns() - ns;
	ck_assert_double_eq_tol((double)tsc / (double)ns, (double)hz / 1e9,
				(double)hz / 1e9 / 50);
	urts_cpuid(0x15, 0, again);
	ck_assert_mem_eq(r, again, sizeof(r));
}
END_TEST

/* ---- building ---------------------------------------------------------- */

/* Twice the size, so that an aligned one is in it; the rest goes back. */
static uint64_t reserve(uint64_t size)
{
	uint64_t p, at, end;
	void *m = mmap(NULL, 2 * size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(m, MAP_FAILED);
	p = (uint64_t)m;
	at = (p + size - 1) & ~(size - 1);
	end = p + 2 * size;
	if (at > p)
		ck_assert_int_eq(munmap(m, at - p), 0);
	if (end > at + size)
		ck_assert_int_eq(munmap((void *)(at + size), end - at - size),
				 0);
	return at;
}

static void provision(void)
{
	struct sgx_enclave_provision p = { 0 };
	int fd = open("/dev/sgx_provision", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	p.fd = (uint64_t)fd;
	ck_assert_int_eq(ioctl(e.fd, SGX_IOC_ENCLAVE_PROVISION, &p), 0);
	close(fd);
}

static void add_run(uint8_t *src, uint64_t off, uint64_t size, uint64_t flags)
{
	struct sgx_secinfo si = { .flags = flags };
	struct sgx_enclave_add_pages a = {
		.src = (uint64_t)src,
		.offset = off,
		.length = size,
		.secinfo = (uint64_t)&si,
		.flags = SGX_PAGE_MEASURE,
	};

	ck_assert_int_eq(ioctl(e.fd, SGX_IOC_ENCLAVE_ADD_PAGES, &a), 0);
	ck_assert_uint_eq(a.count, size);
}

static void map_run(uint64_t off, uint64_t size, uint64_t flags)
{
	void *at = (void *)(e.base + off);
	int prot = (int)(flags & 7);

	if ((flags & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS))
		prot = PROT_READ | PROT_WRITE;
	ck_assert_ptr_eq(mmap(at, size, prot, MAP_SHARED | MAP_FIXED, e.fd, 0),
			 at);
}

/* Calls @fn for each run of pages with equal rights. */
static void each_run(void (*fn)(uint8_t *src, uint64_t off, uint64_t size,
				uint64_t flags))
{
	static uint8_t src[RUN_MAX * 4096] __attribute__((aligned(4096)));
	uint64_t off, flags, first = 0, size = 0, now = 0;

	for (unsigned i = 0; encl_page(&e, i, &off, &flags, src + size); i++) {
		if (size && flags != now) {
			uint8_t next[4096];

			memcpy(next, src + size, 4096);
			fn(src, first, size, now);
			memcpy(src, next, 4096);
			size = 0;
		}
		if (!size)
			first = off;
		now = flags;
		size += 4096;
	}
	fn(src, first, size, now);
}

static void map_one(uint8_t *src, uint64_t off, uint64_t size, uint64_t flags)
{
	(void)src;
	map_run(off, size, flags);
}

static void build(void)
{
	memset(&e, 0, sizeof(e));
	e.size = ENCL_SIZE;
	e.xfrm = SGX_XFRM_LEGACY;
	e.base = reserve(e.size);
	e.fd = device_open();
	ck_assert_int_ge(e.fd, 0);
	ck_assert_int_eq(encl_create(&e), 0);
	provision();
	each_run(add_run);
	/* Between the last page and INIT. */
	each_run(map_one);
	ck_assert_int_eq(encl_init(&e), 0);
}

/* ---- calls and exceptions ---------------------------------------------- */

/* An ECALL on TCS 0, which must leave by itself. */
static uint64_t ecall(struct encl_cmd *cmd)
{
	struct sgx_enclave_run run = { .tcs = e.base };

	ck_assert_int_eq(encl_call(urts_entry(), cmd, SGX_EENTER, &run), 0);
	ck_assert_uint_eq(run.function, SGX_EEXIT);
	return cmd->rax;
}

static uint64_t leaf(unsigned nr, uint64_t flags, uint64_t off)
{
	struct encl_cmd cmd = {
		.op = OP_ENCLU, .leaf = nr, .flags = flags, .addr = e.base + off
	};

	return ecall(&cmd);
}

/* What the enclave's handler does of an instruction that is illegal there: it
 * moves the saved RIP beyond it. */
static void skip_instruction(void)
{
	uint64_t rip = e.base + ENCL_SSA + ENCL_FRAME * 4096 - 184 + GPRSGX_RIP;
	struct encl_cmd cmd = { .op = OP_PEEK, .addr = rip };

	cmd.value = (ecall(&cmd) & 0xff) + UD2_SIZE;
	ck_assert_uint_eq(cmd.cssa, 1);
	ck_assert_uint_lt(cmd.value, 0x100);
	cmd.op = OP_WRITE;
	ecall(&cmd);
}

/* The same TCS again, for the enclave's own handler; then back to it. */
/* NOLINTNEXTLINE(readability-function-size): the vDSO's handler takes seven */
static int on_exception(long rdi, long rsi, long rdx, long rsp, long r8,
			long r9, struct sgx_enclave_run *run)
{
	(void)rdi, (void)rsi, (void)rdx, (void)rsp, (void)r8, (void)r9;
	if (run->function != SGX_ERESUME)
		return 0;
	handled++;
	if (run->exception_vector == SGX_VEC_UD)
		skip_instruction();
	else if (!edmm || run->exception_vector != SGX_VEC_PF ||
		 leaf(SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
		      run->exception_addr - e.base))
		return 0;
	return SGX_ERESUME;
}

static unsigned handled_call(enum encl_op op, uint64_t off)
{
	struct encl_cmd cmd = { .op = op, .addr = e.base + off, .value = 7 };
	struct sgx_enclave_run run = { .tcs = e.base };

	run.user_handler = (uint64_t)(uintptr_t)on_exception;
	handled = 0;
	ck_assert_int_eq(encl_call(urts_entry(), &cmd, SGX_EENTER, &run), 0);
	return run.function;
}

/* ---- EDMM -------------------------------------------------------------- */

static void edmm_life(void)
{
	uint64_t off = ENCL_FREE + 0x4000, len = 4 * 4096;
	struct sgx_enclave_modify_types mod;
	struct sgx_enclave_remove_pages rem;
	struct encl_cmd cmd = { .op = OP_ACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = e.base + off,
				.value = 4 };

	ck_assert_uint_eq(ecall(&cmd), 0);
	ck_assert_int_eq(encl_restrict(&e, off, len, SGX_SECINFO_R, NULL), 0);
	cmd.flags = REG | SGX_SECINFO_R | SGX_SECINFO_PR;
	ck_assert_uint_eq(ecall(&cmd), 0);
	ck_assert_int_eq(mprotect((void *)(e.base + off), len, PROT_READ), 0);
	ck_assert_int_eq(mprotect((void *)(e.base + off), len,
				  PROT_READ | PROT_WRITE | PROT_EXEC),
			 0);
	ck_assert_int_eq(encl_modify(&e, off, len, SGX_PT_TRIM, &mod), 0);
	ck_assert_uint_eq(mod.count, len);
	cmd.flags = TRIM | SGX_SECINFO_MODIFIED;
	ck_assert_uint_eq(ecall(&cmd), 0);
	ck_assert_int_eq(encl_remove(&e, off, len, &rem), 0);
	ck_assert_uint_eq(rem.count, len);
}

START_TEST(an_enclave_from_start_to_end)
{
	static const unsigned long calls[] = {
		SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
		SGX_IOC_ENCLAVE_MODIFY_TYPES,
		SGX_IOC_ENCLAVE_REMOVE_PAGES,
	};

	detect();
	build();
	for (unsigned i = 0; i < 3; i++)
		ck_assert(knows(calls[i]));
	/* An exception that the enclave handles, and goes on. */
	ck_assert_uint_eq(handled_call(OP_UD2, 0), SGX_EEXIT);
	ck_assert_uint_eq(handled, 1);
	/* The dynamic part is mapped when the enclave is there. */
	map_run(ENCL_FREE, e.size - ENCL_FREE, 7);
	if (edmm) {
		ck_assert_uint_eq(handled_call(OP_WRITE, ENCL_FREE), SGX_EEXIT);
		edmm_life();
	} else {
		/* No page, and nobody who could add it. */
		ck_assert_uint_eq(handled_call(OP_WRITE, ENCL_FREE),
				  SGX_ERESUME);
	}
	ck_assert_uint_eq(handled, 1);
	/* The file first, then the memory. */
	close(e.fd);
	if (edmm)
		ck_assert_uint_eq(handled_call(OP_WRITE, ENCL_FREE + 0x1000),
				  SGX_EEXIT);
	ck_assert_int_eq(munmap((void *)e.base, e.size), 0);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("urts");
	TCase *t = tcase_create("urts");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_constructor_found_it_all);
	tcase_add_test(t, the_rate_of_the_tsc_is_told);
	tcase_add_test(t, an_enclave_from_start_to_end);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
