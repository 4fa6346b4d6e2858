/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals from outside: the host's process gets them for the program. What the
 * host may do with one at once follows from three words that it is told; what
 * is left comes in here, at the end of a call or a fault.
 *
 * Trust: a host can send what the image takes (layout.signals, measured),
 * whenever it likes, and no more: no signal of a fault comes from here, and no
 * siginfo of the host's.
 */
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"
#include "trusted/sys/time/clocks.h"

#define FIELD(name) (offsetof(struct wire_signals, name))
/* At a time: more come at the next call. */
#define TAKEN_MAX 64

static struct {
	uint64_t caught, ignored, blocked; /* as the host has been told */
	uint64_t handed;
} told;

static umem_t page(void)
{
	return rt_params()->signals;
}

static void tell(uint64_t *was, uint64_t now, size_t off)
{
	if (*was == now || !page())
		return;
	*was = now;
	/* A host that has taken the page is not told: nothing comes in. */
	(void)!umem_put64(page() + off, now);
}

void sys_outside_mask(uint64_t mask)
{
	tell(&told.blocked, mask, FIELD(blocked));
}

/* Of those that do nothing or stop, the host has to be asked for each. */
void sys_outside_action(int signo, uint64_t handler)
{
	const uint64_t bit = SYS_SIG_BIT(signo);
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)signo };
	uint64_t caught = told.caught & ~bit, ignored = told.ignored & ~bit;

	if (handler == SYS_SIG_IGN)
		ignored |= bit;
	else if (handler != SYS_SIG_DFL)
		caught |= bit;
	tell(&told.caught, caught, FIELD(caught));
	tell(&told.ignored, ignored, FIELD(ignored));
	if (!page() || handler == SYS_SIG_DFL || told.handed & bit ||
	    SYS_SIG_SYNC & bit)
		return;
	told.handed |= bit;
	(void)!sys_host_call(WIRE_CALL_SIGNAL_HAND, a, NULL);
}

static void refuse(int32_t signo)
{
	static uint64_t refused;
	const uint64_t bit =
		signo >= 1 && signo <= SYS_NSIG ? SYS_SIG_BIT(signo) : 0;

	if (!(__atomic_fetch_or(&refused, bit, __ATOMIC_RELAXED) & bit) && bit)
		rt_stats_signals(refused);
}

/*
 * What the image takes, as from another process, and timers that the program
 * has set. Of what the host says besides, only an overrun is used: the rest is
 * made here, by the signal's number.
 */
static bool may_come(const struct wire_signal *s, struct sys_siginfo *info,
		     uint32_t *to)
{
	*to = SYS_SIG_PROCESS;
	*info = (struct sys_siginfo){ .signo = s->signo };
	if (s->signo < 1 || s->signo > SYS_NSIG ||
	    (SYS_SIG_SYNC | SYS_SIG_NEVER_BLOCKED) & SYS_SIG_BIT(s->signo))
		return false;
	if (s->code == SI_TIMER)
		return sys_timer_info(info, s->fields[1],
				      (int32_t)(s->fields[0] >> 32), to);
	if (s->code == SI_KERNEL && sys_itimer_rang(s->signo)) {
		info->code = SI_KERNEL;
		return true;
	}
	/* SI_USER, of no process that is known here */
	return rt_layout()->signals & SYS_SIG_BIT(s->signo);
}

/* False: there is none. One that may not come is dropped. */
static bool take(const struct rt_buf *b)
{
	const uint64_t a[WIRE_CALL_ARGS] = { b->off };
	struct sys_siginfo info;
	struct wire_signal s;
	uint64_t count;
	uint32_t to;

	if (sys_host_call(WIRE_CALL_SIGNAL_TAKE, a, &count) || count != 1 ||
	    umem_read(&s, b->p, sizeof(s)))
		return false;
	/* A thread that it is for does not end before it has it. */
	sys_lock();
	if (!may_come(&s, &info, &to)) {
		refuse(s.signo);
	} else if (to != SYS_SIG_NOBODY) {
		/* A timer's handler reads no clock that has not come to its
		 * time. */
		if (info.code != SI_USER)
			sys_clock_stale();
		(void)!sys_signal_post(&info, to);
	}
	sys_unlock();
	return true;
}

void sys_outside_look(void)
{
	struct rt_buf b;
	uint64_t pending;
	int n = 0;

	if (!page() || umem_get64(&pending, page() + FIELD(pending)) ||
	    !pending || rt_buf_take(&b, sizeof(struct wire_signal)))
		return;
	if (b.size >= sizeof(struct wire_signal))
		while (n < TAKEN_MAX && take(&b))
			n++;
	rt_buf_drop(&b);
}

long sys_outside_wait(uint64_t nanoseconds)
{
	const uint64_t a[WIRE_CALL_ARGS] = { nanoseconds };
	long r;

	if (!page())
		return -EDEADLK;
	r = sys_host_call(WIRE_CALL_SIGNAL_WAIT, a, NULL);
	sys_outside_look();
	return r;
}

void sys_outside_start(void)
{
	const struct sys_action ignore = { .handler = SYS_SIG_IGN };
	uint64_t ignored, blocked;

	if (!page() || umem_get64(&ignored, page() + FIELD(start_ignored)) ||
	    umem_get64(&blocked, page() + FIELD(start_blocked)))
		return;
	for (int s = 1; s <= SYS_NSIG; s++) {
		if (!(ignored & SYS_SIG_BIT(s) & ~SYS_SIG_NEVER_BLOCKED))
			continue;
		*sys_action_of(s) = ignore;
		sys_outside_action(s, SYS_SIG_IGN);
	}
	sys_signal_set_mask(blocked);
}
