/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic: see host.h. Arguments: the signature file, `edmm` or `plain`,
 * and for a child the descriptor of a report to verify.
 */
#include "tests/mimic/host.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "sgx/linux.h"

#define ARCH_SET_CPUID 0x1012
#define PAGE 4096ull
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define R SGX_SECINFO_R
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define LAZY 50u
#define SIGNALS 20u
#define THREAD_STACK 0x10000u

int mimic_fd;
struct mimic_layout mimic_layout;
uint64_t mimic_xfrm;
static struct tcb tcbs[MIMIC_THREADS];

/* ---- without a library ------------------------------------------------- */

static void say(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	sys_call(SYS_write, 2, (long)s, (long)n);
}

static void say_number(uint64_t n)
{
	char s[24];
	char *p = s + sizeof(s) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	say(p);
}

void need(bool ok, int line, const char *file, const char *what)
{
	if (ok)
		return;
	say(file);
	say(":");
	say_number((uint64_t)line);
	say(": ");
	say(what);
	say("\n");
	sys_call(SYS_exit_group, 1);
}

void *pages(uint64_t size)
{
	void *p = sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(!sys_failed(p));
	return p;
}

struct tcb *tcb_self(void)
{
	struct tcb *t;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(t));
	return t;
}

uint64_t run(enum mimic_op op, uint64_t addr, uint64_t value, uint64_t flags)
{
	struct mimic_cmd c = {
		.op = op, .addr = addr, .value = value, .flags = flags
	};

	mimic_enter(&c);
	return c.result;
}

/* ---- threads ----------------------------------------------------------- */

void thread_setup(struct tcb *t, unsigned index)
{
	uint64_t gs = 0;

	t->self = t;
	if (!t->tcs)
		t->tcs = mimic_layout.tcs + index * PAGE;
	NEED(!sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)t));
	NEED(!sys_call(SYS_arch_prctl, ARCH_GET_GS, (long)&gs));
	NEED(gs == (uint64_t)t);
	signals_thread(t);
}

void thread_start(struct tcb *t, void (*fn)(void *), void *arg)
{
	uint64_t *sp = pages(THREAD_STACK);
	long r;

	sp += THREAD_STACK / 8 - 2;
	sp[0] = (uint64_t)fn;
	sp[1] = (uint64_t)arg;
	r = mimic_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
				CLONE_THREAD | CLONE_SIGHAND |
				CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
			sp, &t->tid, &t->tid);
	NEED(r > 0);
}

void thread_join(struct tcb *t)
{
	uint32_t tid;

	while ((tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE)) != 0)
		sys_call(SYS_futex, (long)&t->tid, FUTEX_WAIT, tid, 0);
}

static void worker(void *arg)
{
	struct tcb *t = arg;
	unsigned index = (unsigned)(t - tcbs);

	thread_setup(t, index);
	for (uint64_t i = 0; i < LAZY; i++) {
		uint64_t at = MIMIC_LOW + (1000 * index + i) * PAGE;

		NEED(run(MIMIC_TOUCH, at, i + 1, 0) == i + 1);
	}
	sys_call(SYS_exit, 0);
}

/* ---- inside ------------------------------------------------------------ */

/* What the processor refuses inside, the enclave does by itself. */
static void check_instructions(void)
{
	struct tcb *t = tcb_self();
	uint64_t before = t->exceptions;
	/* Where it does not fault, it gives the processor's answer. */
	bool faults = !sys_call(SYS_arch_prctl, ARCH_SET_CPUID, 1);
	uint64_t answer = run(MIMIC_CPUID, 7, 0, 0);

	NEED(!faults || answer == 0x1dea + 7);
	NEED(run(MIMIC_SYSCALL, 0, 0, 0) == MIMIC_SYSCALL_ANSWER);
	NEED(run(MIMIC_DIVIDE, 0, 0, 0) == MIMIC_DIVIDE_ANSWER);
	NEED(t->exceptions == before + 2 + faults);
}

static void check_lazy(void)
{
	struct tcb *t = tcb_self();
	uint64_t before = t->exceptions;

	for (uint64_t i = 0; i < LAZY; i++)
		NEED(run(MIMIC_TOUCH, MIMIC_LOW + i * PAGE + i, i, 0) == i);
	NEED(t->exceptions - before == (mimic_layout.edmm ? LAZY : 0));
	NEED(run(MIMIC_VECTORS, MIMIC_LOW + 500 * PAGE, 0x0123456789abcdef,
		 0) == 1);
	if (mimic_xfrm & XFRM_AMX)
		NEED(run(MIMIC_TILES, MIMIC_LOW + 501 * PAGE, 77, 0) == 1);
	for (uint64_t i = 0; i < LAZY; i++)
		NEED(run(MIMIC_READ, MIMIC_LOW + i * PAGE + i, 0, 0) == i);
}

static struct mimic_cmd spin = { .op = MIMIC_SPIN };

static void conductor(void *arg)
{
	struct tcb *t = arg, *target = &tcbs[0];
	uint64_t turns;

	thread_setup(t, (unsigned)(t - tcbs));
	for (unsigned i = 0; i < SIGNALS; i++) {
		turns = __atomic_load_n(&spin.turns, __ATOMIC_RELAXED);
		while (__atomic_load_n(&spin.turns, __ATOMIC_RELAXED) == turns)
			sys_call(SYS_sched_yield);
		NEED(!sys_call(SYS_tgkill, sys_call(SYS_getpid), target->tid,
			       i % 2 ? SIGCONT : SIGUSR2));
	}
	spin.stop = 1;
	sys_call(SYS_exit, 0);
}

static void check_interrupts(void)
{
	struct tcb *t = tcb_self();
	uint64_t before = t->interrupts + t->outside;

	t->tid = (uint32_t)sys_call(SYS_gettid);
	thread_start(&tcbs[1], conductor, &tcbs[1]);
	mimic_enter(&spin);
	thread_join(&tcbs[1]);
	/* The same signal twice may be one. */
	NEED(t->interrupts + t->outside - before > SIGNALS / 2);
	NEED(t->interrupts > 0);
}

/* ---- EDMM -------------------------------------------------------------- */

static void modify(uint64_t at, uint64_t type)
{
	struct sgx_enclave_modify_types m = { .offset = at,
					      .length = PAGE,
					      .page_type = type };

	NEED(!sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_MODIFY_TYPES,
		       (long)&m));
	NEED(m.count == PAGE);
}

static void check_eager(uint64_t at)
{
	uint64_t before = tcb_self()->exceptions;

	NEED(!run(MIMIC_ACCEPT, at, 8, REG | RW | SGX_SECINFO_PENDING));
	NEED(run(MIMIC_TOUCH, at + 7 * PAGE, 9, 0) == 9);
	NEED(tcb_self()->exceptions == before);
}

static void check_rights(uint64_t at)
{
	struct sgx_enclave_restrict_permissions r = { .offset = at,
						      .length = PAGE,
						      .permissions = R };
	uint64_t before = tcb_self()->exceptions;

	NEED(!sys_call(SYS_ioctl, mimic_fd,
		       (long)SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, (long)&r));
	NEED(!run(MIMIC_ACCEPT, at, 1, REG | R | SGX_SECINFO_PR));
	/* The write faults, and stage 2 extends the page's rights. */
	NEED(run(MIMIC_TOUCH, at, 5, 0) == 5);
	NEED(tcb_self()->exceptions == before + 1);
}

static void check_remove(uint64_t at)
{
	struct sgx_enclave_remove_pages r = { .offset = at, .length = PAGE };
	long cmd = (long)SGX_IOC_ENCLAVE_REMOVE_PAGES;

	modify(at, SGX_PT_TRIM);
	NEED(sys_call(SYS_ioctl, mimic_fd, cmd, (long)&r) == -EPERM);
	NEED(!run(MIMIC_ACCEPT, at, 1,
		  SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED));
	NEED(!sys_call(SYS_ioctl, mimic_fd, cmd, (long)&r));
	NEED(run(MIMIC_READ, at, 0, 0) == 0);
}

/* A thread whose TCS is made of a page that the enclave filled. */
static void check_new_thread(uint64_t at)
{
	struct tcb *t = &tcbs[MIMIC_THREADS - 1];

	NEED(!run(MIMIC_ACCEPT, at, 1, REG | RW | SGX_SECINFO_PENDING));
	run(MIMIC_TCS, at, MIMIC_THREADS - 1, 0);
	modify(at, SGX_PT_TCS);
	/* Its mapping's X is too much for a TCS: EACCEPT would be SIGBUS. */
	NEED(!sys_mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE));
	NEED(!run(MIMIC_ACCEPT, at, 1,
		  SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED));
	t->tcs = at;
	thread_start(t, worker, t);
	thread_join(t);
}

static void check_edmm(void)
{
	uint64_t at = MIMIC_LOW + 0x10000 * PAGE;

	check_eager(at);
	check_rights(at + PAGE);
	check_remove(at + 2 * PAGE);
	check_new_thread(at + 100 * PAGE);
}

static void check_no_edmm(void)
{
	struct sgx_enclave_modify_types m = { .offset = MIMIC_LOW,
					      .length = PAGE,
					      .page_type = SGX_PT_TRIM };

	NEED(sys_call(SYS_ioctl, mimic_fd, (long)SGX_IOC_ENCLAVE_MODIFY_TYPES,
		      (long)&m) == -ENODEV);
}

/* ---- a child ----------------------------------------------------------- */

static struct sgx_targetinfo target __attribute__((aligned(512)));
static struct sgx_report report __attribute__((aligned(512)));

/* For an enclave with the same identity: another process's own. */
static void report_make(void)
{
	run(MIMIC_REPORT, (uint64_t)&target, (uint64_t)&report, 0);
	for (unsigned i = 0; i < sizeof(target.mrenclave); i++)
		target.mrenclave[i] = report.mrenclave[i];
	target.attributes = report.attributes;
	target.miscselect = report.miscselect;
	run(MIMIC_REPORT, (uint64_t)&target, (uint64_t)&report, 0);
}

static int child(const char *fd)
{
	long n = sys_call(SYS_read, *fd - '0', (long)&report, sizeof(report));

	NEED(n == sizeof(report));
	NEED(run(MIMIC_VERIFY, (uint64_t)&report, 0, 0) == 1);
	/* And what was changed on the way is found. */
	report.reportdata[1] ^= 1;
	NEED(run(MIMIC_VERIFY, (uint64_t)&report, 0, 0) == 0);
	return 0;
}

static void check_child(char **argv, char **envp)
{
	char number[2] = { 0 };
	char self[] = "/proc/self/exe";
	char *args[] = { argv[0], argv[1], argv[2], number, NULL };
	int ends[2], status = -1;
	long pid;

	report_make();
	NEED(!sys_call(SYS_pipe2, (long)ends, 0));
	NEED(ends[0] < 10);
	number[0] = (char)('0' + ends[0]);
	NEED(sys_call(SYS_write, ends[1], (long)&report, sizeof(report)) ==
	     sizeof(report));
	pid = mimic_spawn(self, args, envp);
	NEED(pid > 0);
	NEED(sys_call(SYS_wait4, pid, (long)&status, 0, 0) == pid);
	NEED(status == 0);
	sys_call(SYS_close, ends[0]);
	sys_call(SYS_close, ends[1]);
	/* Ours is as it was. */
	NEED(run(MIMIC_VERIFY, (uint64_t)&report, 0, 0) == 1);
}

int mimic_host(int argc, char **argv, char **envp)
{
	bool edmm = argc > 2 && argv[2][0] == 'e';

	NEED(argc > 2);
	enclave_load(argv[1], edmm);
	thread_setup(&tcbs[0], 0);
	signals_init();
	if (argc > 3)
		return child(argv[3]);
	signals_check();
	check_instructions();
	check_lazy();
	check_interrupts();
	detours_check();
	thread_start(&tcbs[1], worker, &tcbs[1]);
	thread_join(&tcbs[1]);
	if (edmm)
		check_edmm();
	else
		check_no_edmm();
	check_child(argv, envp);
	return 0;
}
