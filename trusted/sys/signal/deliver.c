/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a signal that is due to its handler, in the kernel's order. Runs on the
 * exception stack, on the way back to the program (rt_hooks.signals), so that
 * nothing of ours lies where the frames go (I14).
 */
#include "trusted/sys/signal/signal.h"

#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#define STOPS                                                                 \
	(SYS_SIG_BIT(SIGSTOP) | SYS_SIG_BIT(SIGTSTP) | SYS_SIG_BIT(SIGTTIN) | \
	 SYS_SIG_BIT(SIGTTOU))

/* The frame has been written: the action's mask, while the handler runs. */
static void entered(int signo, const struct sys_action *act)
{
	uint64_t mask = sys_signal_mask() | act->mask;

	if (!(act->flags & SA_NODEFER))
		mask |= SYS_SIG_BIT(signo);
	sys_signal_set_mask(mask);
}

/* SA_RESETHAND holds also where the frame then finds no room. */
static bool enter(struct rt_regs *r, const struct sys_siginfo *info)
{
	struct sys_action *now = sys_action_of(info->signo);
	const struct sys_action act = *now;

	if (act.flags & SA_RESETHAND) {
		now->handler = SYS_SIG_DFL;
		sys_outside_action(info->signo, SYS_SIG_DFL);
	}
	if (!sys_frame_push(r, &act, info))
		return false;
	entered(info->signo, &act);
	return true;
}

bool sys_signal_force(struct rt_regs *r, const struct sys_siginfo *info)
{
	const struct sys_siginfo segv = { .signo = SIGSEGV, .code = SI_KERNEL };

	if (!sys_signal_caught(info->signo))
		return false;
	if (enter(r, info))
		return true;
	if (info->signo == SIGSEGV)
		return false;
	/* The frame of another has no room: that is a SIGSEGV itself. */
	if (!sys_signal_caught(SIGSEGV) || !enter(r, &segv))
		rt_exit_signal(SIGSEGV);
	return true;
}

void sys_signal_force_later(void)
{
	sys_self()->forced = true;
}

bool sys_signals_wait(void)
{
	rt_signals_look();
	sys_outside_look();
	return sys_self()->forced || sys_signal_due() != 0;
}

static void force_segv(struct rt_regs *r)
{
	const struct sys_siginfo info = { .signo = SIGSEGV, .code = SI_KERNEL };

	sys_self()->forced = false;
	if (!sys_signal_force(r, &info))
		rt_exit_signal(SIGSEGV);
}

static void deliver(struct rt_regs *r, const struct sys_siginfo *info)
{
	uint64_t handler = sys_action_of(info->signo)->handler;

	if (handler == SYS_SIG_IGN)
		return;
	if (handler == SYS_SIG_DFL) {
		if (!(STOPS & SYS_SIG_BIT(info->signo)) &&
		    !sys_signal_ignored(info->signo))
			rt_exit_signal(info->signo);
		return;
	}
	if (enter(r, info))
		return;
	if (info->signo == SIGSEGV)
		rt_exit_signal(SIGSEGV);
	sys_self()->forced = true;
}

/* Frames lie one on the other: what is taken last runs first. */
void sys_signals(struct rt_regs *r)
{
	const struct sys_thread *me = sys_self();
	struct sys_siginfo info;

	sys_outside_look();
	/* As most times: nothing, and nobody's lock. */
	if (!me->forced && !me->suspended && !sys_signal_due())
		return;
	sys_lock();
	do {
		if (me->forced)
			force_segv(r);
		while (!me->forced &&
		       sys_signal_take(~sys_signal_mask(), &info))
			deliver(r, &info);
	} while (me->forced);
	sys_signal_wait_over();
	sys_unlock();
}
