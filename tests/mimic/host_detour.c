/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls from one place, many times: nothing of what a program can see of them
 * changes, though they cost no trap in the end.
 */
#include "tests/mimic/host.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

#define OFTEN 40
#define STEPS 32u
#define RESTORER 0x04000000ul
#define MARK 0x5eedu
#define JUMP 0xe9
#define BAD_FD (-1)
/* Of the instruction before, in host.S. */
#define MOV_SIZE 5
#define CMP_SIZE 9
#define JCC_SIZE 2

struct ksigaction_raw {
	void *handler;
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* Where the program was, each time that a signal came. */
static struct {
	uint64_t rip[STEPS];
	volatile uint32_t count;
} seen;

static void on_any(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (seen.count < STEPS)
		seen.rip[seen.count] = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	seen.count++;
}

static void action(int sig, void *handler, struct ksigaction_raw *old)
{
	struct ksigaction_raw a = { .handler = handler,
				    .flags = SA_SIGINFO | SA_ONSTACK | RESTORER,
				    .restorer = mimic_restorer };

	NEED(!sys_call(SYS_rt_sigaction, sig, (long)&a, (long)old, 8));
}

static void action_back(int sig, const struct ksigaction_raw *old)
{
	NEED(!sys_call(SYS_rt_sigaction, sig, (long)old, 0, 8));
}

static bool in(uint64_t rip, const void *from, const char *to)
{
	return rip >= (uint64_t)from && rip < (uint64_t)to;
}

/* The steps within one function, one after the other. */
static uint32_t steps(void *fn, const char *end, uint64_t out[STEPS])
{
	struct ksigaction_raw old;
	uint64_t state[3] = { 0 };
	uint32_t n = 0;

	action(SIGTRAP, on_any, &old);
	seen.count = 0;
	mimic_stepped(fn, SYS_close, BAD_FD, 0, state);
	action_back(SIGTRAP, &old);
	NEED(seen.count < STEPS);
	for (uint32_t i = 0; i < seen.count; i++)
		if (in(seen.rip[i], fn, end))
			out[n++] = seen.rip[i] - (uint64_t)fn;
	return n;
}

static void same(const uint64_t a[STEPS], const uint64_t b[STEPS], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		NEED(a[i] == b[i]);
}

/* Special calls, and those that go on to the kernel, by turns. */
static void call_often(void)
{
	uint64_t state[3];
	long pid = sys_call(SYS_getpid);

	for (int i = 0; i < OFTEN; i++) {
		NEED(mimic_call(SYS_getpid, 0, 0, state) == pid);
		NEED((state[1] & 1) == 1 && state[2] == MARK);
		NEED(mimic_call(SYS_ppoll, 0, -1, state) == -EINVAL);
		NEED(mimic_call(SYS_close, BAD_FD, 0, state) == -EBADF);
		NEED((state[1] & 1) == 1 && state[2] == MARK);
		NEED(mimic_call(0x10000, 0, 0, state) == -ENOSYS);
		NEED(mimic_call(-1, 0, 0, state) == -ENOSYS);
		NEED(mimic_checked(SYS_getpid, 0) == pid);
		NEED(mimic_checked(SYS_close, BAD_FD) == -EBADF);
	}
	NEED(mimic_call(SYS_getpid, 0, 0, state) == pid);
	NEED(state[0] == (uint64_t)mimic_call_at + 2);
	tcb_self()->raising = 1;
	NEED(mimic_checked(SYS_getpid, 0) == -EINTR);
	tcb_self()->raising = 0;
}

/* A signal while the call waits: the program is behind its own SYSCALL, or
 * before it, if that is to be done again. */
static void check_interrupted(void)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct ksigaction_raw old;
	uint64_t state[3];

	action(SIGALRM, on_any, &old);
	seen.count = 0;
	NEED(!sys_call(SYS_setitimer, ITIMER_REAL, (long)&soon, 0));
	NEED(mimic_call(SYS_pause, 0, 0, state) == -EINTR);
	NEED(seen.count == 1 && seen.rip[0] == (uint64_t)mimic_call_at + 2);
	NEED(state[0] == (uint64_t)mimic_call_at + 2);
	NEED(state[2] == MARK);
	seen.count = 0;
	NEED(!sys_call(SYS_setitimer, ITIMER_REAL, (long)&soon, 0));
	NEED(mimic_checked(SYS_pause, 0) == -EINTR);
	NEED(seen.count == 1 && seen.rip[0] == (uint64_t)mimic_checked_at + 2);
	action_back(SIGALRM, &old);
}

static bool is_jump(const void *insn, uint64_t before)
{
	return *(const volatile uint8_t *)((uint64_t)insn - before) == JUMP;
}

void detours_check(void)
{
	uint64_t before[2][STEPS], after[STEPS];
	uint32_t n[2];

	n[0] = steps(mimic_call, mimic_call_end, before[0]);
	n[1] = steps(mimic_checked, mimic_checked_end, before[1]);
	NEED(n[0] > 10 && n[1] > 4);
	NEED(!is_jump(mimic_call_at, MOV_SIZE));
	call_often();
	NEED(is_jump(mimic_call_at, MOV_SIZE));
	NEED(is_jump(mimic_checked_at, JCC_SIZE + CMP_SIZE));
	NEED(steps(mimic_call, mimic_call_end, after) == n[0]);
	same(before[0], after, n[0]);
	NEED(steps(mimic_checked, mimic_checked_end, after) == n[1]);
	same(before[1], after, n[1]);
	check_interrupted();
	/* And the way in. */
	for (int i = 0; i < OFTEN; i++)
		NEED(run(MIMIC_SYSCALL, 0, 0, 0) == MIMIC_SYSCALL_ANSWER);
	NEED(is_jump(mimic_enter_at, MOV_SIZE));
}
