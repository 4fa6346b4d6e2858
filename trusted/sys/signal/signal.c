/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals stay inside: a program can set handlers and masks, raise signals to
 * itself, and gets its own faults (fault.c). No signal comes from outside; the
 * host's own dispositions apply to its process, as to a native one.
 *
 * A raised signal runs its handler at once, on the raiser's stack or, with
 * SA_ONSTACK, the alternate one, before raise() returns, as POSIX has it for a
 * thread that signals itself.
 */
#include "trusted/sys/signal/signal.h"

#include "trusted/sys/sys.h"

#define SIGSET_SIZE 8
#define BIT(signo) (1ull << ((signo)-1))
#define NEVER_BLOCKED (BIT(SIGKILL) | BIT(SIGSTOP))

static struct sys_signals {
	struct sys_action action[SYS_NSIG]; /* by number less one */
	uint64_t blocked;
	uint64_t pending;
} signals;

static bool is_signal(uint64_t signo)
{
	return signo >= 1 && signo <= SYS_NSIG;
}

/* Signals whose default is to be ignored, or to stop and go on. */
static bool default_is_nothing(int signo)
{
	return signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH ||
	       signo == SIGCONT || signo == SIGSTOP || signo == SIGTSTP ||
	       signo == SIGTTIN || signo == SIGTTOU;
}

bool sys_signal_caught(int signo, struct sys_action *act)
{
	*act = signals.action[signo - 1];
	return act->handler > SYS_SIG_IGN &&
	       (signals.blocked & BIT(signo)) == 0;
}

uint64_t sys_signal_enter(int signo, const struct sys_action *act)
{
	uint64_t was = signals.blocked;

	signals.blocked |= act->mask;
	if (!(act->flags & SA_NODEFER))
		signals.blocked |= BIT(signo);
	signals.blocked &= ~NEVER_BLOCKED;
	if (act->flags & SA_RESETHAND)
		signals.action[signo - 1].handler = SYS_SIG_DFL;
	return was;
}

void sys_signal_leave(uint64_t mask)
{
	signals.blocked = mask & ~NEVER_BLOCKED;
}

uint64_t sys_signal_mask(void)
{
	return signals.blocked;
}

/* A handler takes up to three arguments, and may need none of them. */
static void call_on(uint64_t top, uint64_t fn, void *info, void *uc)
{
	uint64_t signo = (uint64_t)((struct sys_siginfo *)info)->signo;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[top], %%rsp\n\t"
			 "call *%[fn]\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(signo), "+S"(info), "+d"(uc)
			 : [top] "r"(top), [fn] "r"(fn)
			 : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "cc",
			   "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			   "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void call_handler(int signo, const struct sys_action *act)
{
	struct sys_siginfo info = { .signo = signo, .code = SI_TKILL };
	struct sys_ucontext uc = { 0 };
	uint64_t was = sys_signal_enter(signo, act);
	bool in = rt_runtime_set(false);
	uint64_t top = 0;

	uc.sigmask = was;
	if (act->flags & SA_ONSTACK)
		top = sys_alternate_top((uint64_t)&uc);
	if (top)
		call_on(top, act->handler, &info, &uc);
	else if (act->flags & SA_SIGINFO)
		((void (*)(int, void *, void *))act->handler)(signo, &info,
							      &uc);
	else
		((void (*)(int))act->handler)(signo);
	rt_runtime_set(in);
	sys_signal_leave(was);
}

static void deliver(int signo)
{
	struct sys_action act = signals.action[signo - 1];

	if (signals.blocked & BIT(signo)) {
		signals.pending |= BIT(signo);
		return;
	}
	signals.pending &= ~BIT(signo);
	if (act.handler > SYS_SIG_IGN)
		call_handler(signo, &act);
	else if (act.handler == SYS_SIG_DFL && !default_is_nothing(signo))
		rt_exit_signal(signo);
}

static void deliver_pending(void)
{
	uint64_t due;

	while ((due = signals.pending & ~signals.blocked) != 0)
		deliver(__builtin_ctzll(due) + 1);
}

long sys_raise(int signo)
{
	if (signo != 0)
		deliver(signo);
	return 0;
}

long sys_rt_sigaction(const uint64_t *a)
{
	struct sys_action *act, old;

	if (!is_signal(a[0]) || a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[1], a[1] != 0 ? sizeof(old) : 0) ||
	    !sys_owns(a[2], a[2] != 0 ? sizeof(old) : 0))
		return -EFAULT;
	act = &signals.action[a[0] - 1];
	old = *act;
	if (a[1] != 0) {
		if (a[0] == SIGKILL || a[0] == SIGSTOP)
			return -EINVAL;
		__builtin_memcpy(act, (const void *)a[1], sizeof(*act));
	}
	if (a[2] != 0)
		__builtin_memcpy((void *)a[2], &old, sizeof(old));
	return 0;
}

long sys_rt_sigprocmask(const uint64_t *a)
{
	uint64_t old = signals.blocked, set;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[1], a[1] != 0 ? SIGSET_SIZE : 0) ||
	    !sys_owns(a[2], a[2] != 0 ? SIGSET_SIZE : 0))
		return -EFAULT;
	if (a[1] != 0) {
		set = *(const uint64_t *)a[1];
		switch (a[0]) {
		case SIG_BLOCK:
			signals.blocked |= set;
			break;
		case SIG_UNBLOCK:
			signals.blocked &= ~set;
			break;
		case SIG_SETMASK:
			signals.blocked = set;
			break;
		default:
			return -EINVAL;
		}
		signals.blocked &= ~NEVER_BLOCKED;
	}
	if (a[2] != 0)
		*(uint64_t *)a[2] = old;
	deliver_pending();
	return 0;
}

long sys_rt_sigpending(const uint64_t *a)
{
	if (a[0] == 0 || !sys_owns(a[0], SIGSET_SIZE))
		return -EFAULT;
	*(uint64_t *)a[0] = signals.pending & signals.blocked;
	return 0;
}

static bool is_me(uint64_t id, long me)
{
	return (int64_t)id == me;
}

long sys_kill(const uint64_t *a)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };

	if (a[1] != 0 && !is_signal(a[1]))
		return -EINVAL;
	if (!is_me((uint64_t)(int32_t)a[0], sys_call(CALL_getpid, none)))
		return -EPERM;
	return sys_raise((int)a[1]);
}

long sys_tkill(const uint64_t *a)
{
	if (a[1] != 0 && !is_signal(a[1]))
		return -EINVAL;
	if (!is_me(a[0], sys_gettid(a)))
		return -ESRCH;
	return sys_raise((int)a[1]);
}

long sys_tgkill(const uint64_t *a)
{
	return sys_tkill(a + 1);
}
