/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine's settings do to a program, and that it counts as hardware
 * and kernel would. Each scene is this program again, under settings of its
 * own; its exit status is 0 or the line that was wrong, modulo 256.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/trap/encl.h"
#include "tests/trap/stats.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define PAGE(n) (ENCL_FREE + (n)*0x1000ull)
#define MARK (EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_PRODUCTION)

static struct encl e;

#define WANT(cond)                                                         \
	do {                                                               \
		if (!(cond)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond);                                    \
			exit(1);                                           \
		}                                                          \
	} while (0)

static uint64_t accept(uint64_t off)
{
	return encl_enclu(&e, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
			  e.base + off, 0);
}

/* An EACCEPT whose page cannot be added: a #PF without the SGX bit. */
static void accept_refused(uint64_t off)
{
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = SGX_EACCEPT,
				.flags = REG | RW | SGX_SECINFO_PENDING,
				.addr = e.base + off };
	struct sgx_enclave_run run = { 0 };

	WANT(!encl_enter(&e, 0, SGX_EENTER, &cmd, &run));
	WANT(run.function == SGX_ERESUME && run.exception_vector == 14);
	WANT(!(run.exception_error_code & SGX_PFEC_SGX));
	/* The same instruction again. */
	WANT(!encl_enter(&e, 0, SGX_ERESUME, &cmd, &run));
	WANT(run.function == SGX_EEXIT && !cmd.rax);
}

static void third_eaug(void)
{
	encl_make(&e);
	WANT(!accept(PAGE(0)) && !accept(PAGE(1)));
	accept_refused(PAGE(2));
	WANT(stats().pages_augmented == 3 && stats().fault_sigbus == 1);
}

/* The loser's page is there: nothing is added for its second try. */
static void eaug_race(void)
{
	encl_make(&e);
	WANT(!accept(PAGE(0)));
	accept_refused(PAGE(1));
	WANT(stats().pages_augmented == 2 && stats().fault_sigbus == 1);
}

static void not_tracked(void)
{
	uint64_t flags = REG | SGX_SECINFO_R | SGX_SECINFO_PR;

	encl_make(&e);
	WANT(!accept(PAGE(0)));
	WANT(!encl_restrict(&e, PAGE(0), 0x1000, 1, NULL));
	WANT(encl_enclu(&e, SGX_EACCEPT, flags, e.base + PAGE(0), 0) ==
	     SGX_NOT_TRACKED);
	WANT(!encl_enclu(&e, SGX_EACCEPT, flags, e.base + PAGE(0), 0));
}

static void every_tenth(void)
{
	unsigned busy = 0;

	encl_open(&e);
	for (unsigned i = 1; i <= 40; i++) {
		int r = encl_remove(&e, PAGE(0), 0x1000, NULL);

		WANT(r == (i % 10 ? -EINVAL : -EBUSY));
		busy += r == -EBUSY;
	}
	WANT(busy == 4);
}

static uint64_t milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A thread that never leaves by itself meets the loss as a fault. */
static void lost_in_time(void)
{
	struct encl_cmd cmd = { .op = OP_SPIN };
	struct sgx_enclave_run run = { 0 };
	uint64_t start = milliseconds();

	encl_make(&e);
	WANT(!encl_enter(&e, 0, SGX_EENTER, &cmd, &run));
	WANT(milliseconds() - start >= 100);
	WANT(run.function == SGX_ERESUME && run.exception_vector == 14);
	WANT(run.exception_error_code & SGX_PFEC_SGX);
	WANT(encl_remove(&e, PAGE(0), 0x1000, NULL) == -EIO);
}

static void production_refused(void)
{
	static struct sgx_sigstruct s;

	e.size = ENCL_SIZE;
	e.base = 0x7e0000000000;
	e.xfrm = SGX_XFRM_LEGACY;
	e.swdefined = MARK;
	WANT(!encl_open(&e) && !encl_create(&e) && !encl_add_all(&e));
	WANT(encl_init(&e) == -EPERM);
	/* Nothing is spoilt: the same image for development goes in. */
	encl_sign(&e, &s);
	e.swdefined = EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_DEVELOPMENT;
	WANT(!encl_init(&e));
}

static void production_allowed(void)
{
	e.swdefined = MARK;
	encl_make(&e);
	WANT(!accept(PAGE(0)));
}

/* ---- honest counts ----------------------------------------------------- */

#define DELTA(f) (after.f - before.f)

/* A fault that the kernel resolves is an AEX and an ERESUME, though no handler
 * and no SSA frame sees it. */
static void kernel_faults(void)
{
	struct edmm_machine_stats before, after;

	encl_make(&e);
	WANT(!accept(PAGE(0)));
	for (unsigned i = 1; i < 9; i++) {
		before = stats();
		WANT(!accept(PAGE(i)));
		after = stats();
		WANT(DELTA(eenter) == 1 && DELTA(eexit) == 1);
		WANT(DELTA(fault_eaug) == 1 && DELTA(aex_kernel) == 1);
		WANT(DELTA(aex) == 1 && DELTA(eresume) == 1);
		WANT(DELTA(enclu[SGX_EACCEPT]) == 1);
		/* The first try of the instruction, and no more. */
		WANT(DELTA(enclu_faults) == 1 && DELTA(aex_exception) == 0);
	}
	/* The entry is there now: nothing to resolve. */
	before = stats();
	WANT(encl_do(&e, OP_READ, e.base + PAGE(1), 0) == 0);
	after = stats();
	WANT(DELTA(aex) == 0 && DELTA(eresume) == 0 && DELTA(eenter) == 1);
}

static struct encl_cmd spins[ENCL_TCS];

static void *spin(void *arg)
{
	unsigned tcs = (unsigned)(uintptr_t)arg;
	struct sgx_enclave_run run = { 0 };

	WANT(!encl_enter(&e, tcs, SGX_EENTER, &spins[tcs], &run));
	WANT(run.function == SGX_EEXIT);
	return NULL;
}

static void wait_entered(uint64_t eenter)
{
	struct timespec ts = { .tv_nsec = 1000000 };

	while (stats().eenter != eenter)
		nanosleep(&ts, NULL);
}

/* Each ETRACK and each zap interrupts each thread inside: an AEX and an
 * ERESUME of each, and none of those outside. */
static void interrupts(void)
{
	struct edmm_machine_stats before, after;
	pthread_t t[ENCL_TCS];

	encl_make(&e);
	for (unsigned i = 0; i < 8; i++)
		WANT(!accept(PAGE(i)));
	before = stats();
	for (uint64_t i = 0; i < ENCL_TCS; i++) {
		spins[i].op = OP_SPIN;
		pthread_create(&t[i], NULL, spin, (void *)i);
		wait_entered(before.eenter + i + 1);
	}
	before = stats();
	/* ETRACK a page. */
	WANT(!encl_restrict(&e, PAGE(0), 3 * 0x1000, 1, NULL));
	after = stats();
	WANT(DELTA(encls[SGX_ETRACK]) == 3);
	WANT(DELTA(aex_track) == 3 * ENCL_TCS && DELTA(aex) == 3 * ENCL_TCS);
	WANT(DELTA(eresume) == 3 * ENCL_TCS && DELTA(eenter) == 0);
	/* A page that becomes a TCS is zapped first. */
	before = stats();
	WANT(!encl_modify(&e, PAGE(4), 2 * 0x1000, SGX_PT_TCS, NULL));
	after = stats();
	WANT(DELTA(encls[SGX_ETRACK]) == 2);
	WANT(DELTA(aex_track) == 4 * ENCL_TCS);
	WANT(DELTA(eresume) == 4 * ENCL_TCS && DELTA(aex_signal) == 0);
	for (unsigned i = 0; i < ENCL_TCS; i++)
		spins[i].stop = 1;
	for (unsigned i = 0; i < ENCL_TCS; i++)
		pthread_join(t[i], NULL);
	before = stats();
	WANT(!encl_modify(&e, PAGE(7), 0x1000, SGX_PT_TRIM, NULL));
	after = stats();
	WANT(DELTA(encls[SGX_ETRACK]) == 1 && DELTA(aex) == 0);
}

/* ---- the scenes -------------------------------------------------------- */

static const struct scene {
	const char *name;
	const char *options;
	void (*run)(void);
} scenes[] = {
	{ "third_eaug", "fault=eaug:3", third_eaug },
	{ "eaug_race", "fault=eaug-race:2", eaug_race },
	{ "not_tracked", "fault=not-tracked", not_tracked },
	{ "every_tenth", "fault=ioctl%10=EBUSY", every_tenth },
	{ "lost_in_time", "fault=lose@100ms", lost_in_time },
	{ "production_refused", "", production_refused },
	{ "production_allowed", "production=1", production_allowed },
	{ "kernel_faults", "", kernel_faults },
	{ "kernel_faults_trap", "fast=0,view=mprotect", kernel_faults },
	{ "interrupts", "", interrupts },
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))
#define ENV_SCENE "EDMM_TEST_SCENE"

START_TEST(scene)
{
	const struct scene *s = &scenes[_i];
	char *argv[] = { "test_watch", NULL };
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		setenv(ENV_SCENE, s->name, 1);
		setenv("EDMM_MACHINE", s->options, 1);
		encl_need_machine(argv, "");
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "%s: status %#x", s->name, (unsigned)status);
}
END_TEST

int main(int argc, char **argv)
{
	const char *name = getenv(ENV_SCENE);
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("scenes");
	SRunner *r;
	int failed;

	(void)argc;
	for (size_t i = 0; name && i < SCENES; i++)
		if (!strcmp(scenes[i].name, name)) {
			encl_need_machine(argv, "");
			scenes[i].run();
			return 0;
		}
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, scene, 0, (int)SCENES);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
