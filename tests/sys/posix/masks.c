/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals generated for threads and processes, masks, what is pending. */
#include "tests/sys/posix/case.h"

#include <sys/mman.h>

static atomic_int here, go, done;

static void mask_operations(void)
{
	sigset_t set, was;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	say_err(pthread_sigmask(SIG_BLOCK, &set, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(pthread_sigmask(SIG_BLOCK, &set, &was));
	say_yes(sigismember(&was, SIGUSR1) && !sigismember(&was, SIGUSR2));
	say_yes(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	say_yes(is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
	must(pthread_sigmask(SIG_SETMASK, &set, NULL));
	say_yes(!is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
}

static void mask_invalid(void)
{
	sigset_t set, was;

	sigfillset(&set);
	say_err(pthread_sigmask(77, &set, NULL));
	/* Without a set, how means nothing. */
	say_err(pthread_sigmask(77, NULL, &was));
	say_yes(is_blocked(SIGUSR1));
}

static void mask_never_kill(void)
{
	sigset_t set;

	sigfillset(&set);
	say_err(pthread_sigmask(SIG_SETMASK, &set, NULL));
	say_yes(is_blocked(SIGTERM));
	say_yes(is_blocked(SIGKILL));
	say_yes(is_blocked(SIGSTOP));
}

static void *block_own(void *arg)
{
	block(SIG_BLOCK, SIGUSR2);
	here = 1;
	until(&go, 1);
	say_yes(is_blocked(SIGUSR1));
	say_yes(is_blocked(SIGUSR2));
	return arg;
}

static void mask_is_own(void)
{
	pthread_t t;

	here = go = 0;
	t = begin(block_own, NULL);
	until(&here, 1);
	block(SIG_BLOCK, SIGUSR1);
	say_yes(is_blocked(SIGUSR2));
	go = 1;
	end(t);
}

static void unblock_delivers(void)
{
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	must(raise(SIGUSR1));
	say_num(handled);
	say_yes(is_pending(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
	say_num(handled);
	say_yes(is_pending(SIGUSR1));
}

static void *raise_it(void *arg)
{
	must(raise(SIGUSR1));
	say_num(handled);
	say_yes(pthread_equal(handled_by, pthread_self()) != 0);
	return arg;
}

static void raise_in_thread(void)
{
	handle(SIGUSR1, 0);
	end(begin(raise_it, NULL));
	raise_it(NULL);
}

static void *be_there(void *arg)
{
	here = 1;
	until(&go, 1);
	return arg;
}

static void kill_thread(void)
{
	pthread_t t;

	here = go = 0;
	handle(SIGUSR1, 0);
	t = begin(be_there, NULL);
	until(&here, 1);
	say_err(pthread_kill(t, SIGUSR1));
	until(&handled, 1);
	say_yes(pthread_equal(handled_by, t) != 0);
	go = 1;
	end(t);
	say_num(handled);
}

static void kill_checks(void)
{
	pthread_t t;

	here = go = 0;
	t = begin(be_there, NULL);
	until(&here, 1);
	say_err(pthread_kill(t, 0));
	say_err(pthread_kill(t, -1));
	say_err(pthread_kill(t, 1000));
	go = 1;
	end(t);
}

static void kill_ended(void)
{
	pthread_t t;

	here = 0;
	go = 1;
	t = begin(be_there, num(3));
	until(&here, 1);
	nap(20);
	say_err(pthread_kill(t, 0));
	say_num(end_num(t));
}

static void *tell_pending(void *arg)
{
	(void)arg;
	here = 1;
	until(&go, 1);
	say_yes(is_pending(SIGUSR1));
	say_yes(is_pending(SIGUSR2));
	return NULL;
}

/* One for the thread, one for the process. */
static void pending_of_both(void)
{
	pthread_t t;

	here = go = 0;
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	t = begin(tell_pending, NULL);
	until(&here, 1);
	must(pthread_kill(t, SIGUSR1));
	must(kill(getpid(), SIGUSR2));
	say_yes(is_pending(SIGUSR1));
	say_yes(is_pending(SIGUSR2));
	go = 1;
	end(t);
	/* What was pending for the thread has gone with it. */
	say_yes(is_pending(SIGUSR1));
	say_yes(is_pending(SIGUSR2));
}

static void kill_before_return(void)
{
	handle(SIGUSR1, 0);
	must(kill(getpid(), SIGUSR1));
	say_num(handled);
}

static void kill_goes_to_unblocked(void)
{
	pthread_t t;

	here = go = 0;
	handle(SIGUSR1, 0);
	t = begin(be_there, NULL);
	until(&here, 1);
	block(SIG_BLOCK, SIGUSR1);
	must(kill(getpid(), SIGUSR1));
	until(&handled, 1);
	say_yes(pthread_equal(handled_by, t) != 0);
	go = 1;
	end(t);
	say_num(handled);
}

static void *unblock_later(void *arg)
{
	here = 1;
	until(&go, 1);
	block(SIG_UNBLOCK, SIGUSR1);
	say_num(handled);
	say_yes(pthread_equal(handled_by, pthread_self()) != 0);
	return arg;
}

/* Pending for the process until a thread unblocks it. */
static void pending_until_unblocked(void)
{
	pthread_t t;

	here = go = 0;
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	t = begin(unblock_later, NULL);
	until(&here, 1);
	must(kill(getpid(), SIGUSR1));
	say_num(handled);
	go = 1;
	end(t);
	say_yes(is_pending(SIGUSR1));
}

static void ignored_is_discarded(void)
{
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	must(raise(SIGUSR1));
	must(kill(getpid(), SIGUSR1));
	say_yes(is_pending(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	say_yes(is_pending(SIGUSR1));
	handle(SIGUSR1, 0);
	block(SIG_UNBLOCK, SIGUSR1);
	say_num(handled);
}

static void default_ignored_is_discarded(void)
{
	handle(SIGURG, 0);
	block(SIG_BLOCK, SIGURG);
	must(raise(SIGURG));
	say_yes(is_pending(SIGURG));
	signal(SIGURG, SIG_DFL);
	say_yes(is_pending(SIGURG));
}

static void ignored_does_nothing(void)
{
	signal(SIGUSR1, SIG_IGN);
	say_err(raise(SIGUSR1));
	say_err(kill(getpid(), SIGUSR1));
	say_err(pthread_kill(pthread_self(), SIGUSR1));
	say_yes(is_pending(SIGUSR1));
}

static siginfo_t info;

static void keep_info(int sig, siginfo_t *i, void *context)
{
	(void)context;
	info = *i;
	handled_by = pthread_self();
	handled += sig != 0;
}

static void handle_info(int sig)
{
	struct sigaction sa = { .sa_sigaction = keep_info,
				.sa_flags = SA_SIGINFO };

	must(sigaction(sig, &sa, NULL));
}

static void info_of_kill(void)
{
	handle_info(SIGUSR1);
	must(kill(getpid(), SIGUSR1));
	say_yes(info.si_signo == SIGUSR1);
	say_yes(info.si_code == SI_USER);
	say_yes(info.si_pid == getpid());
	say_yes(info.si_uid == getuid());
	/* Of a process's making, too: not greater than 0. */
	must(pthread_kill(pthread_self(), SIGUSR1));
	say_yes(info.si_code <= 0 && info.si_pid == getpid());
}

static void info_of_queue(void)
{
	union sigval v = { .sival_ptr = &info };

	handle_info(SIGUSR1);
	must(sigqueue(getpid(), SIGUSR1, v));
	say_yes(info.si_code == SI_QUEUE);
	say_yes(info.si_value.sival_ptr == &info);
	say_yes(info.si_pid == getpid());
}

static char *volatile bad;

static void open_page(int sig, siginfo_t *i, void *context)
{
	keep_info(sig, i, context);
	mprotect(bad, 4096, PROT_READ | PROT_WRITE);
}

static void *touch(void *arg)
{
	*bad = 1;
	say_yes(pthread_equal(handled_by, pthread_self()) != 0);
	say_num(*bad);
	return arg;
}

static void fault_is_own(void)
{
	struct sigaction sa = { .sa_sigaction = open_page,
				.sa_flags = SA_SIGINFO };

	must(sigaction(SIGSEGV, &sa, NULL));
	bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	end(begin(touch, NULL));
	say_num(handled);
	say_yes(info.si_signo == SIGSEGV && info.si_code == SEGV_ACCERR);
	say_yes(info.si_addr == bad);
	munmap(bad, 4096);
}

static void *write_to_nobody(void *arg)
{
	int fds[2];

	must(pipe(fds));
	close(fds[0]);
	say_num(write(fds[1], "x", 1));
	say_err(errno);
	say_num(handled);
	say_yes(pthread_equal(handled_by, pthread_self()) != 0);
	close(fds[1]);
	return arg;
}

static void pipe_signal_is_own(void)
{
	handle(SIGPIPE, 0);
	end(begin(write_to_nobody, NULL));
}

static void kill_errors(void)
{
	say_err(kill(getpid(), 0));
	say_err(kill(getpid(), 1000) ? errno : 0);
	say_err(kill(getpid(), -1) ? errno : 0);
}

static void *spin_calls(void *arg)
{
	while (!done)
		getppid();
	return arg;
}

/* Each of many thread-directed signals to its thread. */
static void each_to_its_own(void)
{
	pthread_t t[3];
	int right = 0;

	done = 0;
	handle(SIGUSR1, 0);
	for (int i = 0; i < 3; i++)
		t[i] = begin(spin_calls, NULL);
	for (int i = 0; i < 30; i++) {
		must(pthread_kill(t[i % 3], SIGUSR1));
		until(&handled, i + 1);
		right += pthread_equal(handled_by, t[i % 3]) != 0;
	}
	done = 1;
	for (int i = 0; i < 3; i++)
		end(t[i]);
	say_num(right);
	say_num(handled);
}

const struct posix_case posix_masks[] = {
	CASE(mask_operations, "XSH pthread_sigmask, DESCRIPTION: how",
	     "0 yes yes yes yes"),
	CASE(mask_invalid, "XSH pthread_sigmask, ERRORS [EINVAL]",
	     "EINVAL 0 no"),
	CASE(mask_never_kill,
	     "XSH pthread_sigmask, DESCRIPTION: SIGKILL, SIGSTOP",
	     "0 yes no no"),
	CASE(mask_is_own, "XSH 2.4.1 signal generation: each thread's mask",
	     "no no yes"),
	CASE(unblock_delivers,
	     "XSH pthread_sigmask, DESCRIPTION: before it returns",
	     "0 yes 1 no"),
	CASE(raise_in_thread, "XSH raise, DESCRIPTION: as pthread_kill",
	     "1 yes 2 yes"),
	CASE(kill_thread, "XSH pthread_kill, DESCRIPTION", "0 yes 1"),
	CASE(each_to_its_own, "XSH 2.4.1 signal generation: for a thread",
	     "30 30"),
	CASE(kill_checks, "XSH pthread_kill, ERRORS [EINVAL]",
	     "0 EINVAL EINVAL"),
	CASE(kill_ended, "XSH 2.9.2 thread IDs: lifetime, pthread_kill", "0 3"),
	CASE(pending_of_both, "XSH sigpending, DESCRIPTION: thread, process",
	     "no yes yes yes no yes"),
	CASE(kill_before_return, "XSH kill, DESCRIPTION: before kill() returns",
	     "1"),
	CASE(kill_goes_to_unblocked,
	     "XSH 2.4.1 signal generation: a thread that does not block",
	     "yes 1"),
	CASE(pending_until_unblocked,
	     "XSH 2.4.1 signal generation: pending on the process",
	     "0 1 yes no"),
	CASE(ignored_is_discarded, "XSH 2.4.3 signal actions: SIG_IGN, pending",
	     "yes no 0"),
	CASE(default_ignored_is_discarded,
	     "XSH 2.4.3 signal actions: SIG_DFL that ignores", "yes no"),
	CASE(ignored_does_nothing, "XSH 2.4.3 signal actions: SIG_IGN",
	     "0 0 0 no"),
	CASE(info_of_kill, "XSH 2.4.3 signal actions: SI_USER",
	     "yes yes yes yes yes"),
	CASE(info_of_queue, "XSH sigqueue, DESCRIPTION: si_value, SI_QUEUE",
	     "yes yes yes"),
	CASE(fault_is_own, "XSH 2.4.1 signal generation: within a thread",
	     "yes 1 1 yes yes"),
	CASE(pipe_signal_is_own, "XSH write, ERRORS [EPIPE]: to the thread",
	     "-1 EPIPE 1 yes"),
	CASE(kill_errors, "XSH kill, ERRORS [EINVAL]", "0 EINVAL EINVAL"),
	CASES_END
};
