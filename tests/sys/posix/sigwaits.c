/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals that are waited for, and real-time signals in their order. */
#include "tests/sys/posix/case.h"

static atomic_int here, count;

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	return set;
}

static sigset_t block_both(int a, int b)
{
	sigset_t set = set_of(a, b);

	must(pthread_sigmask(SIG_BLOCK, &set, NULL));
	return set;
}

static void say_signal(int sig)
{
	if (sig >= SIGRTMIN)
		say_num(sig - SIGRTMIN);
	else
		say(sig == SIGUSR1   ? "USR1"
		    : sig == SIGTERM ? "TERM"
				     : "other");
}

static void queue(int sig, int value)
{
	union sigval v = { .sival_int = value };

	must(sigqueue(getpid(), sig, v));
}

static void wait_takes_pending(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	int sig = 0;

	must(raise(SIGUSR1));
	say_err(sigwait(&set, &sig));
	say_signal(sig);
	say_yes(is_pending(SIGUSR1));
}

/* Neither a handler nor the default action of what is taken. */
static void wait_acts_not(void)
{
	sigset_t set = block_both(SIGUSR1, SIGTERM);
	int sig = 0;

	handle(SIGUSR1, 0);
	must(kill(getpid(), SIGUSR1));
	must(sigwait(&set, &sig));
	say_signal(sig);
	must(kill(getpid(), SIGTERM));
	must(sigwait(&set, &sig));
	say_signal(sig);
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGTERM);
	say_num(handled);
}

static void *wait_one(void *arg)
{
	int sig = 0;

	here++;
	must(sigwait(arg, &sig));
	count++;
	return num(sig);
}

static void wait_blocks(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	pthread_t t;

	here = 0;
	t = begin(wait_one, &set);
	until(&here, 1);
	nap(10);
	must(kill(getpid(), SIGUSR1));
	say_signal(end_num(t));
	t = begin(wait_one, &set);
	must(pthread_kill(t, SIGUSR1));
	say_signal(end_num(t));
}

static void wait_of_several(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	pthread_t t[3];

	here = count = 0;
	for (int i = 0; i < 3; i++)
		t[i] = begin(wait_one, &set);
	until(&here, 3);
	nap(10);
	for (int i = 1; i <= 3; i++) {
		must(kill(getpid(), SIGUSR1));
		until(&count, i);
		nap(5);
		say_num(count);
	}
	for (int i = 0; i < 3; i++)
		end(t[i]);
	say_yes(is_pending(SIGUSR1));
}

/* Who waits by sigwait() is found, also where all others block it. */
static void wait_of_a_thread(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	pthread_t t;
	int sig = 0;

	here = 0;
	t = begin(wait_one, &set);
	until(&here, 1);
	must(pthread_kill(pthread_self(), SIGUSR1));
	nap(10);
	/* That was ours. */
	say_yes(is_pending(SIGUSR1));
	must(pthread_kill(t, SIGUSR2));
	say_yes(end_num(t) == SIGUSR2);
	must(sigwait(&set, &sig));
	say_signal(sig);
}

static void timedwait_polls(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	struct timespec t = { 0 };
	siginfo_t info;

	say_num(sigtimedwait(&set, &info, &t));
	say_err(errno);
	must(raise(SIGUSR1));
	say_signal(sigtimedwait(&set, &info, &t));
	say_yes(info.si_signo == SIGUSR1);
}

static void timedwait_ends(void)
{
	struct timespec t = { 0, 40000000 }, to = in_ms(CLOCK_MONOTONIC, 40);
	sigset_t set = block_both(SIGUSR1, SIGUSR2);

	say_num(sigtimedwait(&set, NULL, &t));
	say_err(errno);
	say_yes(past(CLOCK_MONOTONIC, &to));
}

static void timedwait_refuses(void)
{
	struct timespec t = { 0, 1000000000 };
	sigset_t set = block_both(SIGUSR1, SIGUSR2);

	say_num(sigtimedwait(&set, NULL, &t));
	say_err(errno);
}

static void waitinfo_tells(void)
{
	sigset_t set = block_both(SIGUSR1, SIGUSR2);
	siginfo_t info = { 0 };

	queue(SIGUSR1, 42);
	say_signal(sigwaitinfo(&set, &info));
	say_yes(info.si_code == SI_QUEUE);
	say_num(info.si_value.sival_int);
	say_yes(info.si_pid == getpid());
	must(kill(getpid(), SIGUSR1));
	say_signal(sigwaitinfo(&set, &info));
	say_yes(info.si_code == SI_USER);
}

static void say_next(const sigset_t *set)
{
	struct timespec none = { 0 };
	siginfo_t info = { 0 };
	int sig = sigtimedwait(set, &info, &none);

	if (sig < 0) {
		say_err(errno);
		return;
	}
	say_signal(sig);
	say_num(info.si_value.sival_int);
}

static void queued_in_order(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);

	for (int i = 1; i <= 4; i++)
		queue(SIGRTMIN, i);
	for (int i = 0; i < 5; i++)
		say_next(&set);
}

static void lowest_first(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);

	queue(SIGRTMIN + 1, 1);
	queue(SIGRTMIN, 2);
	queue(SIGRTMIN + 1, 3);
	queue(SIGRTMIN, 4);
	for (int i = 0; i < 5; i++)
		say_next(&set);
}

static void queued_many(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);
	struct timespec none = { 0 };
	int wrong = 0;

	for (int i = 0; i < 32; i++)
		queue(SIGRTMIN, i);
	for (int i = 0; i < 32; i++) {
		siginfo_t info = { 0 };

		wrong += sigtimedwait(&set, &info, &none) != SIGRTMIN ||
			 info.si_value.sival_int != i;
	}
	say_num(wrong);
	say_next(&set);
}

static void say_delivery(int sig, siginfo_t *info, void *context)
{
	(void)context;
	say_signal(sig);
	say_num(info->si_value.sival_int);
}

/* Each masks the other, so that they do not nest. */
static void delivered_in_order(void)
{
	struct sigaction sa = { .sa_sigaction = say_delivery,
				.sa_flags = SA_SIGINFO };
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);

	sa.sa_mask = set;
	must(sigaction(SIGRTMIN, &sa, NULL));
	must(sigaction(SIGRTMIN + 1, &sa, NULL));
	queue(SIGRTMIN + 1, 1);
	queue(SIGRTMIN, 2);
	queue(SIGRTMIN, 3);
	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
}

static void queue_checks(void)
{
	union sigval v = { 0 };

	say_err(sigqueue(getpid(), 0, v) ? errno : 0);
	say_err(sigqueue(getpid(), 1000, v) ? errno : 0);
}

static void realtime_range(void)
{
	say_yes(SIGRTMAX - SIGRTMIN >= 8 - 1);
	handle(SIGRTMAX, 0);
	must(raise(SIGRTMAX));
	must(kill(getpid(), SIGRTMAX));
	say_num(handled);
}

/* Sent to a thread they queue as well. */
static void queued_for_thread(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);

	for (int i = 0; i < 3; i++)
		must(pthread_kill(pthread_self(), SIGRTMIN));
	for (int i = 0; i < 4; i++)
		say_next(&set);
}

static void *take_three(void *arg)
{
	for (int i = 0; i < 3; i++) {
		siginfo_t info = { 0 };
		int sig;

		do
			sig = sigwaitinfo(arg, &info);
		while (sig < 0 && errno == EINTR);
		say_signal(sig);
		say_num(info.si_value.sival_int);
		count++;
	}
	return NULL;
}

static void queued_to_waiter(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);
	pthread_t t;

	count = 0;
	t = begin(take_three, &set);
	for (int i = 1; i <= 3; i++)
		queue(SIGRTMIN, i);
	end(t);
	say_num(count);
}

static void value_of_pointer(void)
{
	sigset_t set = block_both(SIGRTMIN, SIGRTMIN + 1);
	union sigval v = { .sival_ptr = &set };
	siginfo_t info = { 0 };

	must(sigqueue(getpid(), SIGRTMIN, v));
	say_signal(sigwaitinfo(&set, &info));
	say_yes(info.si_value.sival_ptr == &set);
}

const struct posix_case posix_sigwaits[] = {
	CASE(wait_takes_pending, "XSH sigwait, DESCRIPTION: clears it",
	     "0 USR1 no"),
	CASE(wait_acts_not, "XSH sigwait, DESCRIPTION: selected, not delivered",
	     "USR1 TERM 0"),
	CASE(wait_blocks, "XSH sigwait, DESCRIPTION: suspended until",
	     "USR1 USR1"),
	CASE(wait_of_several, "XSH sigwait, DESCRIPTION: no more than one",
	     "1 2 3 no"),
	CASE(wait_of_a_thread, "XSH sigwait, DESCRIPTION: of the thread",
	     "yes yes USR1"),
	CASE(timedwait_polls, "XSH sigtimedwait, DESCRIPTION: zero-valued",
	     "-1 EAGAIN USR1 yes"),
	CASE(timedwait_ends, "XSH sigtimedwait, ERRORS [EAGAIN]",
	     "-1 EAGAIN yes"),
	CASE(timedwait_refuses, "XSH sigtimedwait, ERRORS [EINVAL]",
	     "-1 EINVAL"),
	CASE(waitinfo_tells, "XSH sigwaitinfo, DESCRIPTION: info",
	     "USR1 yes 42 yes USR1 yes"),
	CASE(queued_in_order, "XSH 2.4.2 realtime signals: FIFO",
	     "0 1 0 2 0 3 0 4 EAGAIN"),
	CASE(lowest_first, "XSH sigwaitinfo, DESCRIPTION: lowest numbered",
	     "0 2 0 4 1 1 1 3 EAGAIN"),
	CASE(queued_many, "XSH 2.4.2 realtime signals: {SIGQUEUE_MAX}",
	     "0 EAGAIN"),
	CASE(delivered_in_order, "XSH 2.4.2 realtime signals: lowest first",
	     "0 2 0 3 1 1"),
	CASE(queue_checks, "XSH sigqueue, ERRORS [EINVAL]", "0 EINVAL"),
	CASE(realtime_range, "XBD signal.h: {RTSIG_MAX}", "yes 2"),
	CASE(queued_for_thread, "XSH 2.4.2 realtime signals: for a thread",
	     "0 0 0 0 0 0 EAGAIN"),
	CASE(queued_to_waiter, "XSH sigwaitinfo, DESCRIPTION: queued",
	     "0 1 0 2 0 3 3"),
	CASE(value_of_pointer, "XSH sigqueue, DESCRIPTION: sival_ptr", "0 yes"),
	CASES_END
};
