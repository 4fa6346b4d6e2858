/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions, the mask, and what is pending, by the kernel's rules. A signal is
 * delivered on the way back from a system call or a fault (deliver.c), in a
 * frame on the program's stack (frame.c).
 *
 * There is one thread; what is sent to the process and what to the thread is
 * told apart for the order in which they are delivered.
 */
#include "trusted/sys/signal/signal.h"

#include "trusted/sys/sys.h"

#define QUEUE_SIZE 256
#define FIRST_QUEUED 32 /* real-time signals queue; of others there is one */
#define STOPS                                                                 \
	(SYS_SIG_BIT(SIGSTOP) | SYS_SIG_BIT(SIGTSTP) | SYS_SIG_BIT(SIGTTIN) | \
	 SYS_SIG_BIT(SIGTTOU))
#define NOTHING                                                              \
	(SYS_SIG_BIT(SIGCHLD) | SYS_SIG_BIT(SIGCONT) | SYS_SIG_BIT(SIGURG) | \
	 SYS_SIG_BIT(SIGWINCH))
#define FLAGS                                                                  \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | SA_ONSTACK | \
	 SA_RESTART | SA_NODEFER | SA_RESETHAND)
#define FLAGS_MASK ((uint64_t)(uint32_t)(FLAGS))

struct queued {
	int32_t signo; /* 0: free */
	int32_t code;
	int32_t error;
	int32_t shared;
	uint64_t fields[2]; /* what follows siginfo's first words */
	uint64_t order;
};

static struct sys_signals {
	struct sys_action action[SYS_NSIG]; /* by number less one */
	uint64_t blocked;
	uint64_t saved; /* of a wait with another mask */
	bool suspended;
	uint64_t pending[2]; /* of the thread, and of the process */
	uint64_t order;
	struct queued queue[QUEUE_SIZE];
} signals;

static bool is_signal(uint64_t signo)
{
	return signo >= 1 && signo <= SYS_NSIG;
}

struct sys_action *sys_action_of(int signo)
{
	return &signals.action[signo - 1];
}

bool sys_signal_ignored(int signo)
{
	uint64_t handler = sys_action_of(signo)->handler;

	return handler == SYS_SIG_IGN ||
	       (handler == SYS_SIG_DFL && NOTHING & SYS_SIG_BIT(signo));
}

bool sys_signal_caught(int signo)
{
	return sys_action_of(signo)->handler > SYS_SIG_IGN &&
	       !(signals.blocked & SYS_SIG_BIT(signo));
}

uint64_t sys_signal_mask(void)
{
	return signals.blocked;
}

void sys_signal_set_mask(uint64_t mask)
{
	signals.blocked = mask & ~SYS_SIG_NEVER_BLOCKED;
	sys_outside_mask(signals.blocked);
}

void sys_signal_suspend(uint64_t mask)
{
	signals.saved = signals.blocked;
	signals.suspended = true;
	sys_signal_set_mask(mask);
}

uint64_t sys_signal_mask_to_save(void)
{
	return signals.suspended ? signals.saved : signals.blocked;
}

void sys_signal_saved(void)
{
	signals.suspended = false;
}

void sys_signal_wait_over(void)
{
	if (signals.suspended)
		sys_signal_set_mask(signals.saved);
	signals.suspended = false;
}

uint64_t sys_signal_pending(void)
{
	return signals.pending[0] | signals.pending[1];
}

uint64_t sys_signal_due(void)
{
	return sys_signal_pending() & ~signals.blocked;
}

/* All of @set that is pending is as if it had never been sent. */
static void flush(uint64_t set)
{
	signals.pending[0] &= ~set;
	signals.pending[1] &= ~set;
	for (struct queued *q = signals.queue; q < signals.queue + QUEUE_SIZE;
	     q++)
		if (q->signo && set & SYS_SIG_BIT(q->signo))
			q->signo = 0;
}

void sys_signal_drop_ignored(void)
{
	uint64_t due = sys_signal_due(), set = 0;

	for (; due; due &= due - 1) {
		int signo = __builtin_ctzll(due) + 1;

		if (sys_signal_ignored(signo))
			set |= SYS_SIG_BIT(signo);
	}
	flush(set);
}

/* The first that is delivered decides. */
bool sys_signal_restarts(void)
{
	uint64_t due = signals.pending[0] & ~signals.blocked;
	const struct sys_action *act;

	if (!due)
		due = sys_signal_due();
	if (due & SYS_SIG_SYNC)
		due &= SYS_SIG_SYNC;
	if (!due)
		return true;
	act = sys_action_of(__builtin_ctzll(due) + 1);
	return act->handler <= SYS_SIG_IGN || act->flags & SA_RESTART;
}

static struct queued *free_place(void)
{
	for (int i = 0; i < QUEUE_SIZE; i++)
		if (!signals.queue[i].signo)
			return &signals.queue[i];
	return NULL;
}

static void keep(struct queued *q, const struct sys_siginfo *info, bool shared)
{
	*q = (struct queued){ .signo = info->signo,
			      .code = info->code,
			      .error = info->error,
			      .shared = shared,
			      .fields = { info->addr, info->value },
			      .order = signals.order++ };
}

long sys_signal_post(const struct sys_siginfo *info, bool shared)
{
	uint64_t bit = SYS_SIG_BIT(info->signo);
	uint64_t *set = &signals.pending[shared];
	struct queued *q;

	if (STOPS & bit)
		flush(SYS_SIG_BIT(SIGCONT));
	else if (info->signo == SIGCONT)
		flush(STOPS);
	if (!(signals.blocked & bit) && sys_signal_ignored(info->signo))
		return 0;
	if (info->signo < FIRST_QUEUED && *set & bit)
		return 0;
	q = free_place();
	if (q)
		keep(q, info, shared);
	else if (info->signo >= FIRST_QUEUED && info->code != SI_USER)
		return -EAGAIN;
	*set |= bit;
	return 0;
}

/* The oldest of its number, or NULL; *more: there is another. */
static struct queued *oldest(int signo, bool shared, bool *more)
{
	struct queued *first = NULL;
	int count = 0;

	for (struct queued *q = signals.queue; q < signals.queue + QUEUE_SIZE;
	     q++) {
		if (q->signo != signo || q->shared != shared)
			continue;
		count++;
		if (!first || q->order < first->order)
			first = q;
	}
	*more = count > 1;
	return first;
}

static bool take_from(bool shared, uint64_t set, struct sys_siginfo *info)
{
	uint64_t due = signals.pending[shared] & set;
	struct queued *q;
	bool more;
	int signo;

	if (!due)
		return false;
	if (due & SYS_SIG_SYNC)
		due &= SYS_SIG_SYNC;
	signo = __builtin_ctzll(due) + 1;
	*info = (struct sys_siginfo){ .signo = signo, .code = SI_USER };
	q = oldest(signo, shared, &more);
	if (q) {
		info->code = q->code;
		info->error = q->error;
		info->addr = q->fields[0];
		info->value = q->fields[1];
		q->signo = 0;
	}
	if (!more)
		signals.pending[shared] &= ~SYS_SIG_BIT(signo);
	return true;
}

bool sys_signal_take(uint64_t set, struct sys_siginfo *info)
{
	return take_from(false, set, info) || take_from(true, set, info);
}

long sys_rt_sigaction(const uint64_t *a)
{
	struct sys_action *act, old;

	if (a[3] != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[1], a[1] != 0 ? sizeof(old) : 0) ||
	    !sys_owns_to_write(a[2], a[2] != 0 ? sizeof(old) : 0))
		return -EFAULT;
	if (!is_signal(a[0]) ||
	    (a[1] != 0 && SYS_SIG_NEVER_BLOCKED & SYS_SIG_BIT(a[0])))
		return -EINVAL;
	act = sys_action_of((int)a[0]);
	old = *act;
	if (a[1] != 0) {
		__builtin_memcpy(act, (const void *)a[1], sizeof(*act));
		act->flags &= FLAGS_MASK;
		act->mask &= ~SYS_SIG_NEVER_BLOCKED;
		sys_outside_action((int)a[0], act->handler);
		if (sys_signal_ignored((int)a[0]))
			flush(SYS_SIG_BIT(a[0]));
	}
	if (a[2] != 0)
		__builtin_memcpy((void *)a[2], &old, sizeof(old));
	return 0;
}

long sys_rt_sigprocmask(const uint64_t *a)
{
	uint64_t old = signals.blocked, set;

	if (a[3] != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(a[1], a[1] != 0 ? SYS_SIGSET_SIZE : 0) ||
	    !sys_owns_to_write(a[2], a[2] != 0 ? SYS_SIGSET_SIZE : 0))
		return -EFAULT;
	if (a[1] != 0) {
		set = *(const uint64_t *)a[1];
		switch ((int)a[0]) {
		case SIG_BLOCK:
			set |= old;
			break;
		case SIG_UNBLOCK:
			set = old & ~set;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		sys_signal_set_mask(set);
	}
	if (a[2] != 0)
		*(uint64_t *)a[2] = old;
	return 0;
}

long sys_rt_sigpending(const uint64_t *a)
{
	const uint64_t set = sys_signal_pending() & signals.blocked;

	if (a[1] > SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns_to_write(a[0], a[1]))
		return -EFAULT;
	__builtin_memcpy((void *)a[0], &set, a[1]);
	return 0;
}
