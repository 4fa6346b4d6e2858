/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stepping: the same code is stepped through outside, by SIGTRAP, and in an
 * enclave by the machine, which must count alike; and whatever the script does
 * there, the result is right or the enclave gets no further.
 *
 * A script is read at the start of a process: so each run is one, this program
 * again with "run" as its argument, which prints what came of it.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define CODE 0x20000ul /* ENCL_FREE */
#define DATA (CODE + 0x1000)
#define ABSENT (CODE + 0x10000)
#define SEEN 16
#define FAULTS_MAX 500u
#define CODE_MAX 256u

extern const char step_code[], step_code_end[];
uint64_t step_trap(struct encl_cmd *cmd);

/* What a run prints. */
struct outcome {
	unsigned long result;
	unsigned faults; /* told; with the SGX bit */
	unsigned sgx;
	unsigned tf;	  /* the enclave has seen it */
	unsigned entries; /* forged ones */
	unsigned signals;
	unsigned code;	  /* #PF error code of an absent page */
	unsigned resumed; /* its host's entry left by the code's own exit */
	unsigned acted;
};

/* ---- in the run -------------------------------------------------------- */

static volatile unsigned signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void fill(struct encl *e)
{
	size_t size = (size_t)(step_code_end - step_code);

	for (uint64_t p = CODE; p < CODE + 0x3000; p += 0x1000)
		encl_enclu(e, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING,
			   e->base + p, 0);
	for (size_t i = 0; i < size; i++)
		encl_do(e, OP_WRITE, e->base + CODE + i, (uint8_t)step_code[i]);
	encl_enclu(e, SGX_EMODPE, REG | RW | SGX_SECINFO_X, e->base + CODE, 0);
}

/* Resumes after every fault, after an entry first if @enters. */
static void call(struct encl *e, struct encl_cmd *cmd, bool enters,
		 struct outcome *o)
{
	struct sgx_enclave_run run = { 0 };
	struct encl_cmd nop = { .op = OP_NOP };
	unsigned leaf = SGX_EENTER;

	while (!encl_enter(e, 0, leaf, cmd, &run) &&
	       run.function == SGX_ERESUME && o->faults < FAULTS_MAX) {
		o->faults++;
		o->sgx += run.exception_error_code >> 15 & 1;
		leaf = SGX_ERESUME;
		if (!enters)
			continue;
		/* With a host that resumes by itself, this ends it all. */
		encl_enter(e, 0, SGX_EENTER, &nop, &run);
		o->resumed = cmd->rax != 0;
		if (o->resumed)
			break;
	}
	o->result = cmd->rax;
}

static unsigned code_of_absent(struct encl *e)
{
	struct encl_cmd cmd = { .op = OP_READ, .addr = e->base + ABSENT };
	struct sgx_enclave_run run = { 0 };

	encl_enter(e, 1, SGX_EENTER, &cmd, &run);
	return run.exception_error_code;
}

static int run(bool enters)
{
	struct encl e = { 0 };
	struct encl_cmd cmd = { .op = OP_CALL };
	struct outcome o = { 0 };

	signal(SIGUSR1, on_signal);
	encl_make(&e);
	fill(&e);
	cmd.addr = e.base + CODE;
	cmd.value = e.base + DATA;
	call(&e, &cmd, enters, &o);
	o.signals = signals;
	if (o.faults < FAULTS_MAX) {
		o.tf = (unsigned)encl_do(&e, OP_READ, e.base + DATA + SEEN + 1,
					 0);
		o.entries = (unsigned)encl_do(&e, OP_READ,
					      e.base + ENCL_NOTIFIED, 0);
		o.code = code_of_absent(&e);
	}
	printf("%lx %u %u %u %u %u %x %u\n", o.result, o.faults, o.sgx, o.tf,
	       o.entries, o.signals, o.code, o.resumed);
	fflush(stdout);
	/* It may still be inside, for good. */
	_exit(0);
}

/* ---- the tests ---------------------------------------------------------- */

static char folder[] = "/tmp/edmm-step-XXXXXX";
static char self[4096];
static const char *enters = "no";
static unsigned counts[CODE_MAX];

static void on_trap(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uint64_t off =
		(uint64_t)uc->uc_mcontext.gregs[REG_RIP] - (uint64_t)step_code;

	(void)sig;
	(void)info;
	if (off < (uint64_t)(step_code_end - step_code))
		counts[off]++;
}

/* Fills counts as a debugger that steps would, and returns the result. */
static uint64_t natively(void)
{
	static uint8_t data[0x3000] __attribute__((aligned(4096)));
	struct sigaction sa = { .sa_sigaction = on_trap,
				.sa_flags = SA_SIGINFO };
	struct encl_cmd cmd = { .value = (uint64_t)data };

	memset(counts, 0, sizeof(counts));
	memset(data, 0, sizeof(data));
	sigaction(SIGTRAP, &sa, NULL);
	return step_trap(&cmd);
}

static void script_write(const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/script", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "range %#lx %#lx\nlog log\n%s", CODE,
		CODE + (uint64_t)(step_code_end - step_code), text);
	ck_assert_int_eq(fclose(f), 0);
}

static FILE *log_open(unsigned *acted)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", folder);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "# edmm step: acted %u", acted), 1);
	return f;
}

/* Runs the code in an enclave under a script. */
static struct outcome step(const char *text)
{
	const char *more = getenv("EDMM_MACHINE");
	char command[4800];
	struct outcome o;
	FILE *f;
	int n;

	script_write(text);
	snprintf(command, sizeof(command),
		 "EDMM_TEST_KEY=%s/key EDMM_MACHINE=%s%sstep=%s/script %s run "
		 "%s",
		 folder, more ? more : "", more ? "," : "", folder, self,
		 enters);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	n = fscanf(f, "%lx %u %u %u %u %u %x %u", &o.result, &o.faults, &o.sgx,
		   &o.tf, &o.entries, &o.signals, &o.code, &o.resumed);
	ck_assert_msg(pclose(f) == 0 && n == 8, "%s: %d fields", text, n);
	fclose(log_open(&o.acted));
	return o;
}

/* Every instruction once for each of its executions, and no other. */
static void same_counts(void)
{
	unsigned long off, count;
	unsigned acted;
	FILE *f = log_open(&acted);

	while (fscanf(f, " 0x%lx %lu %*s %*s", &off, &count) == 2) {
		ck_assert_msg(off - CODE < CODE_MAX &&
				      counts[off - CODE] == count,
			      "+%#lx: %lu times, not %u", off - CODE, count,
			      counts[(off - CODE) % CODE_MAX]);
		counts[off - CODE] = 0;
	}
	fclose(f);
	for (unsigned i = 0; i < CODE_MAX; i++)
		ck_assert_msg(!counts[i], "+%#x: never, not %u times", i,
			      counts[i]);
}

START_TEST(counts_as_a_debugger_does)
{
	static const char *const how[] = { "", "aex every\n",
					   "on * every interrupt\n",
					   "on * every hide all\n",
					   "aex never\non * every hide all\n" };
	uint64_t result = natively();
	struct outcome o = step(how[_i]);

	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.tf, 0);
	ck_assert_uint_eq(o.faults, 0);
	same_counts();
}
END_TEST

static const struct {
	const char *text;
	bool sgx;
	unsigned times; /* told, for each page taken */
} away[] = {
	{ "on * every take code\n", false, 1 },
	{ "on * every take data\n", false, 1 },
	{ "on * every take stack 2\n", false, 2 },
	{ "on * every take all\n", false, 1 },
	{ "on * every swap all\n", true, 1 },
	{ "aex never\non * every take all\n", false, 1 },
};

START_TEST(a_page_away_and_back_changes_nothing)
{
	uint64_t result = natively();
	struct outcome o = step(away[_i].text);

	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.tf, 0);
	ck_assert_uint_ge(o.acted, 10);
	ck_assert_uint_eq(o.faults, o.acted * away[_i].times);
	ck_assert_uint_eq(o.sgx, away[_i].sgx ? o.faults : 0);
	same_counts();
}
END_TEST

START_TEST(a_page_that_stays_away_is_no_wrong_byte)
{
	static const char *const how[] = {
		"on %#lx 1 take code ever\n",	 "on %#lx 1 swap code ever\n",
		"on %#lx 1 replace code\n",	 "on %#lx 1 take stack ever\n",
		"on %#lx 1 replace stack\n",	 "on %#lx 2 swap data ever\n",
		"on %#lx 1 take 0x21000 ever\n",
	};
	/* The first that pushes, and that stores. */
	static const unsigned off[] = { 0, 4, 5, 4, 4, 12, 4 };
	char line[80];
	struct outcome o;

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): all alike */
	snprintf(line, sizeof(line), how[_i], CODE + off[_i]);
	o = step(line);
	ck_assert_uint_eq(o.acted, 1);
	ck_assert_uint_eq(o.faults, FAULTS_MAX);
	ck_assert_uint_eq(o.result, 0);
}
END_TEST

START_TEST(given_back_by_a_later_line)
{
	struct outcome o;
	uint64_t result = natively();

	/* The data page goes at the start, and is not touched there. */
	o = step("on 0x20000 1 take 0x22000 ever\n"
		 "on 0x20004 1 give all\n");
	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.faults, 0);
	ck_assert_uint_eq(o.acted, 2);
}
END_TEST

START_TEST(frame_and_tcs_away_at_resume)
{
	uint64_t result = natively();
	struct outcome o =
		step("on 0x20004 1 take ssa\non 0x2000c 2 take tcs\n");

	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_ge(o.faults, 2);
}
END_TEST

START_TEST(an_entry_that_nobody_asked_for)
{
	uint64_t result = natively();
	struct outcome o = step("on 0x20004 1 enter same\n"
				"on 0x2000c 3 enter 0x1000\n"
				"on 0x2000c 4 enter 0x9000\n");

	ck_assert_uint_eq(o.result, result);
	/* That of the other TCS counts on its own page; no third TCS is. */
	ck_assert_uint_eq(o.entries, 1);
	ck_assert_uint_eq(o.faults, 0);
	ck_assert_uint_eq(o.acted, 3);
	same_counts();
}
END_TEST

START_TEST(a_signal_outside)
{
	uint64_t result = natively();
	struct outcome o = step("on 0x2000c every signal USR1\n");

	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.signals, 5);
	same_counts();
}
END_TEST

START_TEST(a_leaf_refused)
{
	struct outcome o = step("on 0x2000c 1 refuse eaug=ENOMEM\n");

	ck_assert_uint_eq(o.code & SGX_PFEC_SGX, 0);
	o = step("");
	ck_assert_uint_ne(o.code & SGX_PFEC_SGX, 0);
}
END_TEST

START_TEST(resumed_whatever_the_program_wants)
{
	uint64_t result = natively();
	struct outcome o;

	enters = "yes";
	o = step("on 0x2000c 2 take code\non 0x2000c 2 resume\n");
	enters = "no";
	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.faults, 1);
	ck_assert_uint_eq(o.resumed, 1);
}
END_TEST

/* All exits are below the code, which has none. */
START_TEST(resumed_after_the_exits_named)
{
	static const struct {
		const char *where;
		unsigned resumed;
	} rows[] = {
		{ "0 0x20000", 1 },
		{ "0x20000 0x21000", 0 },
	};
	uint64_t result = natively();
	char text[96];
	struct outcome o;

	enters = "yes";
	snprintf(text, sizeof(text),
		 "on 0x2000c 2 take code\non 0x2000c 2 resume ever %s\n",
		 rows[_i].where);
	o = step(text);
	enters = "no";
	ck_assert_uint_eq(o.result, result);
	ck_assert_uint_eq(o.faults, 1);
	ck_assert_uint_eq(o.resumed, rows[_i].resumed);
}
END_TEST

/* first, a number and last name the same execution. */
START_TEST(last_is_known_from_a_run_before)
{
	char from[64], to[64];
	struct outcome o;

	natively();
	step("");
	snprintf(from, sizeof(from), "%s/log", folder);
	snprintf(to, sizeof(to), "%s/counts", folder);
	ck_assert_int_eq(rename(from, to), 0);
	o = step("counts counts\non * last take code\n");
	ck_assert_uint_eq(o.faults, o.acted);
	ck_assert_uint_ge(o.acted, 20);
	ck_assert_int_eq(unlink(to), 0);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *suite(void)
{
	Suite *s = suite_create("step");
	TCase *t = tcase_create("step");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, counts_as_a_debugger_does, 0, 5);
	tcase_add_loop_test(t, a_page_away_and_back_changes_nothing, 0,
			    COUNT(away));
	tcase_add_loop_test(t, a_page_that_stays_away_is_no_wrong_byte, 0, 7);
	tcase_add_test(t, given_back_by_a_later_line);
	tcase_add_test(t, frame_and_tcs_away_at_resume);
	tcase_add_test(t, an_entry_that_nobody_asked_for);
	tcase_add_test(t, a_signal_outside);
	tcase_add_test(t, a_leaf_refused);
	tcase_add_test(t, resumed_whatever_the_program_wants);
	tcase_add_loop_test(t, resumed_after_the_exits_named, 0, 2);
	tcase_add_test(t, last_is_known_from_a_run_before);
	suite_add_tcase(s, t);
	return s;
}

static void clean(void)
{
	static const char *const names[] = { "script", "log", "counts", "key" };
	char path[64];

	for (int i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

int main(int argc, char **argv)
{
	SRunner *r;
	int failed;

	if (argc == 3 && !strcmp(argv[1], "run")) {
		encl_need_machine(argv, "");
		return run(!strcmp(argv[2], "yes"));
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    !mkdtemp(folder))
		return 1;
	r = srunner_create(suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	clean();
	return failed != 0;
}
