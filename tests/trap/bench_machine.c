/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine's operations cost, as ratios to a bare trap: a UD2 whose
 * signal handler does nothing but step over it, in the same thread of the same
 * run. CPU time of the thread, the median of several rounds. Pages are warm:
 * one pass before, reported as cold, has made the host give the memory.
 *
 * bench_machine FILE.json; exits with 1 if a ratio is over its limit.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define ROUNDS 15
#define CALLS 2000u
#define PAGES 2048u
#define ACCEPT                                                        \
	(SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W | \
	 SGX_SECINFO_PENDING)

static struct encl e;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- a bare trap ------------------------------------------------------- */

/* Past libc, which the machine has replaced. */
static long raw_sigaction(int sig, const void *act, void *old)
{
	register long r10 __asm__("r10") = 8;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_rt_sigaction), "D"(sig), "S"(act), "d"(old),
			   "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

struct raw_action {
	void (*handler)(int sig, siginfo_t *info, void *uc);
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static void step_over(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP] += 2;
}

static double bare_trap(void)
{
	struct raw_action act, old;
	double t;

	raw_sigaction(SIGILL, NULL, &old);
	act = old;
	act.handler = step_over;
	raw_sigaction(SIGILL, &act, NULL);
	t = now();
	for (unsigned i = 0; i < CALLS; i++)
		__asm__ volatile("ud2");
	t = now() - t;
	raw_sigaction(SIGILL, &old, NULL);
	return t / CALLS;
}

/* ---- what the machine does --------------------------------------------- */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_machine: %s\n", what);
	exit(2);
}

static void enter(struct encl_cmd *cmd)
{
	struct sgx_enclave_run run = { 0 };

	must(!encl_enter(&e, 0, SGX_EENTER, cmd, &run) &&
		     run.function == SGX_EEXIT && cmd->rax == 0,
	     "an entry failed");
}

static double enter_exit(void)
{
	struct encl_cmd cmd = { .op = OP_NOP };
	double t = now();

	for (unsigned i = 0; i < CALLS; i++)
		enter(&cmd);
	return (now() - t) / CALLS;
}

static void accept_all(uint64_t flags)
{
	struct encl_cmd cmd = { .op = OP_ACCEPT,
				.flags = flags,
				.addr = e.base + ENCL_FREE,
				.value = PAGES };

	enter(&cmd);
}

static void remove_all(void)
{
	uint64_t size = PAGES * 4096ull;

	must(!encl_modify(&e, ENCL_FREE, size, SGX_PT_TRIM, NULL), "modify");
	accept_all(SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED);
	must(!encl_remove(&e, ENCL_FREE, size, NULL), "remove");
}

static double accept_absent(void)
{
	double t = now();

	accept_all(ACCEPT);
	t = now() - t;
	remove_all();
	return t / PAGES;
}

static double accept_pending(void)
{
	double t;

	for (unsigned i = 0; i < PAGES; i++)
		*(volatile uint8_t *)(e.base + ENCL_FREE + i * 4096ull);
	t = now();
	accept_all(ACCEPT);
	t = now() - t;
	remove_all();
	return t / PAGES;
}

/* Each page: fault, entry on the second frame, EACCEPT, exit, ERESUME. */
static double fault_in(void)
{
	struct encl_cmd cmd = { .op = OP_TOUCH,
				.addr = e.base + ENCL_FREE,
				.value = PAGES };
	struct sgx_enclave_run run = { 0 };
	unsigned leaf = SGX_EENTER, faults = 0;
	double t = now();

	while (!encl_enter(&e, 0, leaf, &cmd, &run) &&
	       run.function == SGX_ERESUME) {
		encl_enclu(&e, SGX_EACCEPT, ACCEPT, run.exception_addr, 0);
		leaf = SGX_ERESUME;
		faults++;
	}
	t = now() - t;
	must(run.function == SGX_EEXIT && faults == PAGES, "faults");
	remove_all();
	return t / PAGES;
}

/* ---- the report -------------------------------------------------------- */

static const struct {
	const char *name;
	double (*fn)(void);
	double limit;
} items[] = {
	{ "eenter_eexit", enter_exit, 1.6 },
	{ "eaccept_pending", accept_pending, 1.6 },
	{ "page_by_eaccept", accept_absent, 2.5 },
	{ "page_by_fault", fault_in, 7 },
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

/* The median of each item's ratio to the bare trap next to it. */
static double measure(unsigned i, double *trap, double *cost)
{
	double r[ROUNDS], b[ROUNDS], c[ROUNDS];

	for (unsigned k = 0; k < ROUNDS; k++) {
		b[k] = bare_trap();
		c[k] = items[i].fn();
		r[k] = c[k] / b[k];
	}
	qsort(r, ROUNDS, sizeof(r[0]), by_value);
	qsort(b, ROUNDS, sizeof(b[0]), by_value);
	qsort(c, ROUNDS, sizeof(c[0]), by_value);
	*trap = b[ROUNDS / 2];
	*cost = c[ROUNDS / 2];
	return r[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	double trap, cost, ratio, cold;
	bool over = false;
	FILE *out;

	encl_need_machine(argv, "");
	encl_make(&e);
	out = argc > 1 ? fopen(argv[1], "w") : NULL;
	must(argc == 1 || out, "cannot write the report");
	enter_exit();
	cold = accept_absent();
	if (out)
		fprintf(out, "{\n  \"cold_page_by_eaccept_ns\": %.0f", cold);
	printf("%-18s %8s %8s %6s %6s\n", "", "ns", "trap", "ratio", "limit");
	for (unsigned i = 0; i < ITEMS; i++) {
		ratio = measure(i, &trap, &cost);
		over |= ratio > items[i].limit;
		printf("%-18s %8.0f %8.0f %6.2f %6.1f%s\n", items[i].name, cost,
		       trap, ratio, items[i].limit,
		       ratio > items[i].limit ? "  over" : "");
		if (out)
			fprintf(out,
				",\n  \"%s\": { \"ns\": %.0f, \"trap_ns\": "
				"%.0f, \"ratio\": %.3f, \"limit\": %.1f }",
				items[i].name, cost, trap, ratio,
				items[i].limit);
	}
	printf("a cold page by EACCEPT: %.0f ns\n", cold);
	if (out) {
		fprintf(out, "\n}\n");
		must(fclose(out) == 0, "cannot write the report");
	}
	encl_close(&e);
	return over;
}
