/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals of the raw mimic: faults inside arrive at the AEP, and what the
 * handler returns to tells the enclave of them.
 */
#include "tests/mimic/host.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#define RESTORER 0x04000000ul
#define BIT(n) (1ull << ((n)-1))

struct ksigaction_raw {
	void *handler;
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

static uint64_t base_fs(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

/* What the enclave is told: the vector and one, or 0 for an interrupt. */
static uint64_t event_of(int sig)
{
	if (sig == SIGSEGV || sig == SIGBUS)
		return SGX_VEC_PF + 1;
	if (sig == SIGILL)
		return SGX_VEC_UD + 1;
	return sig == SIGFPE ? SGX_VEC_DE + 1 : 0;
}

static void at_aep(struct tcb *t, int sig, greg_t *g)
{
	uint64_t event = event_of(sig);

	NEED(g[REG_RAX] == SGX_ERESUME);
	NEED((uint64_t)g[REG_RBX] == t->tcs);
	NEED(g[REG_RCX] == (greg_t)mimic_aep);
	NEED((uint64_t)g[REG_RSP] == t->rsp);
	if (event)
		t->exceptions++;
	else
		t->interrupts++;
	/* One event at a time: there are two frames. */
	NEED(!event || !t->raising);
	if (t->raising)
		return;
	t->raising = 1;
	g[REG_RDI] = (greg_t)event;
	g[REG_RIP] = (greg_t)mimic_raise;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	struct tcb *t = tcb_self();

	NEED(info->si_signo == sig);
	NEED(t->self == t);
	NEED(base_fs() == t->fs);
	NEED((char *)&uc - t->altstack < ALTSTACK_SIZE);
	NEED(uc->uc_stack.ss_sp == t->altstack);
	if (g[REG_RIP] == (greg_t)mimic_aep) {
		at_aep(t, sig, g);
		return;
	}
	/* A fault of this program's own, or between two instructions of its
	 * way in: nothing but a count. */
	NEED(!event_of(sig));
	t->outside++;
}

static void handle(int sig)
{
	struct ksigaction_raw a = {
		.handler = (void *)on_signal,
		.flags = SA_SIGINFO | SA_ONSTACK | RESTORER,
		.restorer = mimic_restorer,
		.mask = BIT(SIGTERM) | BIT(SIGCONT) | BIT(SIGUSR2),
	};
	struct ksigaction_raw old = { 0 };

	NEED(!sys_call(SYS_rt_sigaction, sig, (long)&a, 0, 8));
	NEED(!sys_call(SYS_rt_sigaction, sig, 0, (long)&old, 8));
	NEED(old.handler == a.handler && old.flags == a.flags &&
	     old.restorer == a.restorer && old.mask == a.mask);
}

void signals_thread(struct tcb *t)
{
	stack_t ss = { .ss_size = ALTSTACK_SIZE }, old;

	t->altstack = pages(ALTSTACK_SIZE);
	t->fs = base_fs();
	ss.ss_sp = t->altstack;
	NEED(!sys_call(SYS_sigaltstack, (long)&ss, 0));
	NEED(!sys_call(SYS_sigaltstack, 0, (long)&old));
	NEED(old.ss_sp == t->altstack && !old.ss_flags);
}

void signals_init(void)
{
	static const int all[] = { SIGFPE,  SIGSEGV, SIGBUS,  SIGILL,
				   SIGTERM, SIGCONT, SIGUSR2, SIGALRM };

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		handle(all[i]);
	NEED(sys_call(SYS_rt_sigaction, SIGKILL, (long)&all, 0, 8) == -EINVAL);
	NEED(sys_call(SYS_rt_sigaction, SIGUSR1, 8, 0, 8) == -EFAULT);
}

static long mask(int how, uint64_t set, uint64_t *old)
{
	return sys_call(SYS_rt_sigprocmask, how, (long)&set, (long)old, 8);
}

static void self_kill(int sig)
{
	NEED(!sys_call(SYS_tgkill, sys_call(SYS_getpid), sys_call(SYS_gettid),
		       sig));
}

static void check_pending(struct tcb *t)
{
	uint64_t before = t->outside, old, set = BIT(SIGUSR2) | BIT(SIGSEGV);

	NEED(!mask(SIG_BLOCK, set, &old));
	NEED(!mask(SIG_BLOCK, 0, &old));
	NEED((old & set) == set);
	self_kill(SIGUSR2);
	NEED(t->outside == before);
	NEED(!mask(SIG_UNBLOCK, set, NULL));
	NEED(t->outside == before + 1);
}

/* Calls that wait are cut short by a signal. */
static void check_waiting(struct tcb *t)
{
	uint64_t before = t->outside, none = 0, all = ~0ull;
	struct itimerval it = { .it_value.tv_usec = 20000 };
	struct timespec ts = { .tv_sec = 10 };

	NEED(!sys_call(SYS_setitimer, ITIMER_REAL, (long)&it, 0));
	NEED(sys_call(SYS_nanosleep, (long)&ts, 0) == -EINTR);
	NEED(t->outside == before + 1);
	NEED(!mask(SIG_BLOCK, BIT(SIGALRM), NULL));
	NEED(!sys_call(SYS_setitimer, ITIMER_REAL, (long)&it, 0));
	NEED(sys_call(SYS_rt_sigsuspend, (long)&none, 8) == -EINTR);
	NEED(t->outside == before + 2);
	NEED(!sys_call(SYS_setitimer, ITIMER_REAL, (long)&it, 0));
	NEED(sys_call(SYS_ppoll, 0, 0, (long)&ts, (long)&none, 8) == -EINTR);
	NEED(t->outside == before + 3);
	ts.tv_sec = 0;
	NEED(sys_call(SYS_ppoll, 0, 0, (long)&ts, (long)&all, 8) == 0);
	NEED(!mask(SIG_UNBLOCK, BIT(SIGALRM), NULL));
}

void signals_check(void)
{
	struct tcb *t = tcb_self();
	uint64_t before = t->outside;

	self_kill(SIGTERM);
	NEED(t->outside == before + 1);
	check_pending(t);
	check_waiting(t);
}
