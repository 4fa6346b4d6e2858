/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of a timer, for enclaves that are to be interrupted as on
 * hardware, where nobody sends a signal: a timer of each thread that has been
 * inside, on the processor's time that it takes. It expires at the kernel's
 * ticks. What comes while the thread is outside is nothing to anybody.
 */
#include <signal.h>
#include <time.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

#define SECOND 1000000000ull

void timer_arm(struct thread *t)
{
	struct itimerspec every = { 0 };
	struct sigevent how = { .sigev_notify = SIGEV_THREAD_ID,
				.sigev_signo = SIG_KICK };
	int id;

	if (!machine.opt.timer || t->timed)
		return;
	how.sigev_value.sival_ptr = &machine;
	how._sigev_un._tid = t->tid;
	if (sys_call(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, (long)&how,
		     (long)&id))
		sys_die("timer", "the kernel has no timer left");
	every.it_interval.tv_sec = (time_t)(machine.opt.timer / SECOND);
	every.it_interval.tv_nsec = (long)(machine.opt.timer % SECOND);
	every.it_value = every.it_interval;
	sys_call(SYS_timer_settime, id, 0, (long)&every, 0);
	t->timer = id;
	t->timed = true;
}

void timer_gone(struct thread *t)
{
	if (t->timed)
		sys_call(SYS_timer_delete, t->timer);
	t->timed = false;
}

bool timer_is(int sig, const siginfo_t *info)
{
	return sig == SIG_KICK && info->si_code == SI_TIMER &&
	       info->si_value.sival_ptr == &machine;
}
