/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions, the mask, and what is pending, by the kernel's rules. A signal is
 * delivered on the way back from a system call or a fault (deliver.c), in a
 * frame on the program's stack (frame.c).
 *
 * What is sent to the process goes to the thread that looks first and does not
 * block it, after what is sent to that thread. Everything here that is not one
 * thread's own is under the layer's lock.
 */
#include "trusted/sys/signal/signal.h"

#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

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
	uint32_t to;	    /* a context, or SYS_SIG_PROCESS */
	uint64_t fields[2]; /* what follows siginfo's first words */
	uint64_t order;
};

static struct sys_signals {
	struct sys_action action[SYS_NSIG]; /* by number less one */
	uint64_t pending;		    /* of the process */
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
	       !(sys_self()->blocked & SYS_SIG_BIT(signo));
}

uint64_t sys_signal_mask(void)
{
	return sys_self()->blocked;
}

/* The host is told what nobody would take. */
static void tell_masks(void)
{
	const struct sys_thread *t;
	uint64_t blocked = UINT64_MAX;
	uint32_t i = 0;

	while ((t = sys_thread_next(&i)))
		blocked &= t->blocked & ~t->awaited;
	sys_outside_mask(blocked);
}

void sys_signal_set_mask(uint64_t mask)
{
	sys_lock();
	sys_self()->blocked = mask & ~SYS_SIG_NEVER_BLOCKED;
	tell_masks();
	sys_unlock();
}

void sys_signal_await(uint64_t set)
{
	sys_lock();
	sys_self()->awaited = set;
	tell_masks();
	sys_unlock();
}

long sys_signal_suspend(uint64_t addr, uint64_t size)
{
	struct sys_thread *me = sys_self();

	if (size != SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns(addr, size))
		return -EFAULT;
	me->saved = me->blocked;
	me->suspended = true;
	sys_signal_set_mask(*(const uint64_t *)addr);
	return 0;
}

uint64_t sys_signal_mask_to_save(void)
{
	const struct sys_thread *me = sys_self();

	return me->suspended ? me->saved : me->blocked;
}

void sys_signal_saved(void)
{
	sys_self()->suspended = false;
}

void sys_signal_wait_over(void)
{
	struct sys_thread *me = sys_self();

	if (me->suspended)
		sys_signal_set_mask(me->saved);
	me->suspended = false;
}

static uint64_t *pending_of(uint32_t to)
{
	return to == SYS_SIG_PROCESS
		       ? &signals.pending
		       : &((struct sys_thread *)rt_local_of(to))->pending;
}

uint64_t sys_signal_pending(void)
{
	return __atomic_load_n(&sys_self()->pending, __ATOMIC_ACQUIRE) |
	       __atomic_load_n(&signals.pending, __ATOMIC_ACQUIRE);
}

uint64_t sys_signal_due(void)
{
	return sys_signal_pending() & ~sys_self()->blocked;
}

static void set_pending(uint64_t *of, uint64_t pending)
{
	__atomic_store_n(of, pending, __ATOMIC_RELEASE);
}

/* Of @set nothing is queued: for anybody, or for the process and me alone. */
static void drop_queued(uint64_t set, bool anybodys)
{
	for (struct queued *q = signals.queue; q < signals.queue + QUEUE_SIZE;
	     q++)
		if (q->signo && set & SYS_SIG_BIT(q->signo) &&
		    (anybodys || q->to == SYS_SIG_PROCESS ||
		     q->to == rt_context()))
			q->signo = 0;
}

static void drop_pending(uint64_t *of, uint64_t set)
{
	set_pending(of, *of & ~set);
}

/* All of @set that is pending anywhere is as if it had never been sent. */
static void flush(uint64_t set)
{
	struct sys_thread *t;
	uint32_t i = 0;

	drop_pending(&signals.pending, set);
	while ((t = sys_thread_next(&i)))
		drop_pending(&t->pending, set);
	drop_queued(set, true);
}

void sys_signal_drop_ignored(void)
{
	uint64_t due, left;

	sys_lock();
	due = sys_signal_due();
	for (left = due; left; left &= left - 1)
		if (!sys_signal_ignored(__builtin_ctzll(left) + 1))
			break;
	if (!left) {
		drop_pending(&signals.pending, due);
		drop_pending(&sys_self()->pending, due);
		drop_queued(due, false);
	}
	sys_unlock();
}

/* The first that is delivered decides. */
bool sys_signal_restarts(void)
{
	uint64_t due = sys_self()->pending & ~sys_self()->blocked;
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

static void keep(struct queued *q, const struct sys_siginfo *info, uint32_t to)
{
	*q = (struct queued){ .signo = info->signo,
			      .code = info->code,
			      .error = info->error,
			      .to = to,
			      .fields = { info->addr, info->value },
			      .order = signals.order++ };
}

static void kick(uint32_t context)
{
	const uint64_t a[WIRE_CALL_ARGS] = { context };

	if (context != rt_context())
		(void)!sys_host_call(WIRE_CALL_KICK, a, NULL);
}

/* One who waits for it, or does not block it: this thread rather than others.
 */
static void kick_one(uint64_t bit)
{
	const struct sys_thread *t, *me = sys_self();
	uint32_t i = 0, found = SYS_SIG_PROCESS;

	if (sys_thread_live() && (!(me->blocked & bit) || me->awaited & bit))
		return;
	while ((t = sys_thread_next(&i))) {
		if (t->awaited & bit) {
			found = i - 1;
			break;
		}
		if (!(t->blocked & bit) && found == SYS_SIG_PROCESS)
			found = i - 1;
	}
	if (found != SYS_SIG_PROCESS)
		kick(found);
}

void sys_signal_thread_over(void)
{
	uint64_t left = signals.pending;

	for (struct queued *q = signals.queue; q < signals.queue + QUEUE_SIZE;
	     q++)
		if (q->to == rt_context())
			q->signo = 0;
	sys_timers_thread_over();
	tell_masks();
	for (; left; left &= left - 1)
		kick_one(left & -left);
}

static bool is_blocked(uint64_t bit, uint32_t to)
{
	const struct sys_thread *t = sys_self();

	if (to != SYS_SIG_PROCESS)
		t = rt_local_of(to);
	return t->blocked & bit;
}

/* Return: 1 where somebody has one more to take. */
static long post(const struct sys_siginfo *info, uint32_t to)
{
	uint64_t bit = SYS_SIG_BIT(info->signo);
	uint64_t *set = pending_of(to);
	struct queued *q;

	if (STOPS & bit)
		flush(SYS_SIG_BIT(SIGCONT));
	else if (info->signo == SIGCONT)
		flush(STOPS);
	if (!is_blocked(bit, to) && sys_signal_ignored(info->signo))
		return 0;
	if (info->signo < FIRST_QUEUED && *set & bit)
		return 0;
	q = free_place();
	if (q)
		keep(q, info, to);
	else if (info->signo >= FIRST_QUEUED && info->code != SI_USER)
		return -EAGAIN;
	set_pending(set, *set | bit);
	return 1;
}

long sys_signal_post(const struct sys_siginfo *info, uint32_t to)
{
	const uint64_t bit = SYS_SIG_BIT(info->signo);
	long r;

	sys_lock();
	r = post(info, to);
	if (r > 0) {
		r = 0;
		if (to == SYS_SIG_PROCESS)
			kick_one(bit);
		else
			kick(to);
	}
	sys_unlock();
	return r;
}

/* The oldest of its number, or NULL; *more: there is another. */
static struct queued *oldest(int signo, uint32_t to, bool *more)
{
	struct queued *first = NULL;
	int count = 0;

	for (struct queued *q = signals.queue; q < signals.queue + QUEUE_SIZE;
	     q++) {
		if (q->signo != signo || q->to != to)
			continue;
		count++;
		if (!first || q->order < first->order)
			first = q;
	}
	*more = count > 1;
	return first;
}

static bool take_from(uint32_t to, uint64_t set, struct sys_siginfo *info)
{
	uint64_t *pending = pending_of(to), due = *pending & set;
	struct queued *q;
	bool more;
	int signo;

	if (!due)
		return false;
	if (due & SYS_SIG_SYNC)
		due &= SYS_SIG_SYNC;
	signo = __builtin_ctzll(due) + 1;
	*info = (struct sys_siginfo){ .signo = signo, .code = SI_USER };
	q = oldest(signo, to, &more);
	if (q) {
		info->code = q->code;
		info->error = q->error;
		info->addr = q->fields[0];
		info->value = q->fields[1];
		q->signo = 0;
	}
	if (!more)
		set_pending(pending, *pending & ~SYS_SIG_BIT(signo));
	return true;
}

bool sys_signal_take(uint64_t set, struct sys_siginfo *info)
{
	bool taken;

	sys_lock();
	taken = take_from(rt_context(), set, info) ||
		take_from(SYS_SIG_PROCESS, set, info);
	sys_unlock();
	return taken;
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
	uint64_t old = sys_signal_mask(), set;

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
	const uint64_t set = sys_signal_pending() & sys_signal_mask();

	if (a[1] > SYS_SIGSET_SIZE)
		return -EINVAL;
	if (!sys_owns_to_write(a[0], a[1]))
		return -EFAULT;
	__builtin_memcpy((void *)a[0], &set, a[1]);
	return 0;
}
